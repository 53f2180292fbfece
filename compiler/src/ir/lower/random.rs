//! Random numbers in equations.

use std::f64::consts::TAU;
use std::sync::Arc;

use super::shape::Operand;
use super::{GroupVariable, Lowering};
use crate::diagnostic::{Result, lower as fault};
use crate::ir::complex::Value;
use crate::ir::prim::{arith, elementary};
use crate::ir::system::Random;
use crate::source::Span;

impl Lowering<'_> {
    /// `randn()`: `sqrt(-2 ln u) cos(2 pi v)` of two uniform numbers (G. Box, M. Muller, Ann. Math. Stat. 29, 610-611, 1958).
    ///
    /// The numbers belong to the place in the equations (operator, variable, how many calls came before) and to the unit,
    /// counted over the whole circuit, so they do not depend on how nodes are merged into arrays. They are constant over
    /// a step: all stages of a scheme see the same.
    pub(super) fn randn(&mut self, at: GroupVariable, span: Span) -> Result<Operand> {
        if at.0 == usize::MAX {
            return Err(fault::noise_in_signal(span).into());
        }
        let calls = self.random_calls.entry(at).or_insert(0);
        *calls += 1;
        let call = *calls;
        let (operator, variable) = (&self.operators(at.0)[at.1].name, &self.variable(at).name);
        let edge = if at.0 < self.population_groups { String::new() } else { self.groups[at.0].name.clone() };
        let site = fold(&format!("{edge}/{operator}/{variable}/{call}"));
        let (space, units) = (self.groups[at.0].space, self.unit_numbers(at.0));
        let mut uniform = |part| {
            let name = format!("{}.random_{call}.{part}", self.name(at));
            self.system.add_random(Random { name, space, site, part, units: units.clone() })
        };
        let (u, v) = (uniform(0), uniform(1));
        let graph = &mut self.system.graph;
        let (minus_two, tau) = (graph.constant(-2.0), graph.constant(TAU));
        let log = graph.call(&elementary::LOG, &[u]);
        let square = graph.product(minus_two, log);
        let radius = graph.call(&arith::SQRT, &[square]);
        let angle = graph.product(tau, v);
        let cosine = graph.call(&elementary::COS, &[angle]);
        let value = graph.product(radius, cosine);
        Ok(Operand::single(Value::Real(value)))
    }

    /// The number of each unit of a group, over the whole circuit; edges are numbered by themselves.
    fn unit_numbers(&self, group: usize) -> Arc<[u32]> {
        if group >= self.population_groups {
            let count: usize = self.groups[group].members.iter().map(|m| m.units).sum();
            return (0..count as u32).collect();
        }
        let mut units = Vec::new();
        let mut first = 0u32;
        for (population, placed) in self.circuit.populations.iter().zip(&self.placement) {
            let size = population.size.unwrap_or(1) as u32;
            if placed.0 == group {
                units.extend(first..first + size);
            }
            first += size;
        }
        units.into()
    }
}

/// FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo), 32 bits: a name as a number.
fn fold(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
