//! Random numbers in equations.

use std::f64::consts::TAU;
use std::sync::Arc;

use super::shape::{Operand, Shape};
use super::{GroupVariable, Lowering};
use crate::diagnostic::{Result, lower as fault};
use crate::ir::complex::Value;
use crate::ir::expr::ExprId;
use crate::ir::prim::{arith, elementary};
use crate::ir::system::{Noise, Random};
use crate::source::Span;
use crate::syntax::ast::Expr;

impl Lowering<'_> {
    /// `randn()`: a standard normal number. The numbers belong to the place in the equations (operator, variable, how many
    /// calls came before) and to the unit, counted over the whole circuit, so they do not depend on how nodes are merged
    /// into arrays. They are constant over a step: all stages of a scheme see the same.
    pub(super) fn randn(&mut self, at: GroupVariable, span: Span) -> Result<Operand> {
        let place = self.random_place(at, span)?;
        Ok(Operand::single(Value::Real(self.normal(at.0, &place))))
    }

    /// `noise(sigma)`: `sigma` times a white noise of its own.
    pub(super) fn noise(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let sigma = self.expression(at, &args[0])?;
        let place = self.random_place(at, span)?;
        let value = self.white_noise(at.0, &place);
        self.apply(at, &arith::MUL, &[sigma, Operand::single(Value::Real(value))], span)
    }

    /// `xi`, `xi_NAME`: a white noise that all equations of an operator share.
    pub(super) fn shared_noise(&mut self, at: GroupVariable, name: &str, span: Span) -> Result<Operand> {
        if at.0 == usize::MAX {
            return Err(fault::noise_in_signal(span).into());
        }
        let key = (at.0, at.1, name.to_string());
        let value = match self.shared_noises.get(&key) {
            Some(known) => *known,
            None => {
                let place = format!("{}/{name}", self.operator_place(at));
                let new = self.white_noise(at.0, &place);
                self.shared_noises.insert(key, new);
                new
            }
        };
        Ok(Operand::single(Value::Real(value)))
    }

    /// A name for the next call in the equation of a variable, the same however nodes are merged.
    fn random_place(&mut self, at: GroupVariable, span: Span) -> Result<String> {
        if at.0 == usize::MAX {
            return Err(fault::noise_in_signal(span).into());
        }
        let calls = self.random_calls.entry(at).or_insert(0);
        *calls += 1;
        let call = *calls;
        Ok(format!("{}/{}/{call}", self.operator_place(at), self.variable(at).name))
    }

    fn operator_place(&self, at: GroupVariable) -> String {
        let edge = if at.0 < self.population_groups { "" } else { &*self.groups[at.0].name };
        format!("{edge}/{}", self.operators(at.0)[at.1].name)
    }

    /// A normal number divided by the root of the step size.
    fn white_noise(&mut self, group: usize, place: &str) -> ExprId {
        let normal = self.normal(group, place);
        let graph = &mut self.system.graph;
        let dt = graph.step_size();
        let root = graph.call(&arith::SQRT, &[dt]);
        let value = graph.quotient(normal, root);
        let name = format!("{}{place}", self.groups[group].name);
        self.system.noises.push(Noise { name, value });
        value
    }

    /// `sqrt(-2 ln u) cos(2 pi v)` of two uniform numbers (G. Box, M. Muller, Ann. Math. Stat. 29, 610-611, 1958).
    fn normal(&mut self, group: usize, place: &str) -> ExprId {
        let (space, units) = (self.groups[group].space, self.unit_numbers(group));
        let site = fold(place);
        let mut uniform = |part| {
            let name = format!("{}{place}.random.{part}", self.groups[group].name);
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
        graph.product(radius, cosine)
    }

    /// `poisson(rate)`: the number of events of a Poisson process in the step, divided by the step size.
    ///
    /// The number is `n` where `P(N < n) < u <= P(N <= n)` for a uniform number `u`: the sums of the probabilities
    /// `p_k = p_(k-1) m/k` with the mean `m = rate dt` that lie below `u` are counted (inversion by sequential search,
    /// L. Devroye, Non-Uniform Random Variate Generation, 1986, section X.3). So many terms are written out that the rest
    /// has a probability below 2^-54, less than the spacing of the uniform numbers: for a rate that is a number as many as it
    /// takes, else as many as a mean of [`LARGEST_MEAN`] takes. A mean above [`LARGEST_PART`] is the sum of several parts, each
    /// with uniform numbers of its own: sums of Poisson numbers are Poisson numbers. A rate that is a number is refused if it is
    /// negative or expects more than [`MOST_PARTS`] such parts; other rates give NaN if they are negative or too large.
    pub(super) fn poisson(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let rate = self.expression(at, &args[0])?;
        let (Value::Real(rate), Shape::Single) = (rate.value, rate.shape) else {
            return Err(fault::not_single(&rate.shape.to_string(), args[0].span).into());
        };
        let place = self.random_place(at, span)?;
        let known = self.steady_number(at, &args[0]).map(|rate| rate * self.options.dt);
        let largest = known.map_or(LARGEST_MEAN, |_| LARGEST_PART * MOST_PARTS as f64);
        if let Some(mean) = known.filter(|mean| !(0.0..=largest).contains(mean)) {
            return Err(fault::poisson_rate(mean, largest, args[0].span).into());
        }
        let parts = known.map_or(1.0, |mean| (mean / LARGEST_PART).ceil().max(1.0));
        let terms = poisson_terms(known.map_or(LARGEST_MEAN, |mean| mean / parts));
        let graph = &mut self.system.graph;
        let dt = graph.step_size();
        let mean = graph.product(rate, dt);
        let number = graph.constant(parts);
        let of_part = if parts > 1.0 { graph.quotient(mean, number) } else { mean };
        let mut count = self.poisson_part(at.0, &place, of_part, terms);
        for part in 1..parts as usize {
            let more = self.poisson_part(at.0, &format!("{place}/{part}"), of_part, terms);
            count = self.system.graph.sum(count, more);
        }
        let graph = &mut self.system.graph;
        let value = graph.quotient(count, dt);
        if known.is_some() {
            return Ok(Operand::single(Value::Real(value)));
        }
        let (zero, largest) = (graph.constant(0.0), graph.constant(LARGEST_MEAN));
        let (positive, small) = (graph.call(&arith::GE, &[mean, zero]), graph.call(&arith::LE, &[mean, largest]));
        let sound = graph.call(&arith::AND, &[positive, small]);
        let not_a_number = graph.constant(f64::NAN);
        let value = graph.call(&arith::SELECT, &[sound, value, not_a_number]);
        Ok(Operand::single(Value::Real(value)))
    }

    /// A Poisson number by inversion with so many terms after the first.
    fn poisson_part(&mut self, group: usize, place: &str, mean: ExprId, terms: usize) -> ExprId {
        let (space, units) = (self.groups[group].space, self.unit_numbers(group));
        let name = format!("{}{place}.random.0", self.groups[group].name);
        let u = self.system.add_random(Random { name, space, site: fold(place), part: 0, units });
        let graph = &mut self.system.graph;
        let less = graph.negative(mean);
        let mut probability = graph.call(&elementary::EXP, &[less]);
        let mut sum = probability;
        let mut count = graph.call(&arith::GT, &[u, sum]);
        for k in 1..=terms {
            let k = graph.constant(k as f64);
            let ratio = graph.quotient(mean, k);
            probability = graph.product(probability, ratio);
            sum = graph.sum(sum, probability);
            let beyond = graph.call(&arith::GT, &[u, sum]);
            count = graph.sum(count, beyond);
        }
        count
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

/// Most events of a Poisson process per step and unit where the rate is known only when the model runs: all terms are computed
/// whatever it is.
const LARGEST_MEAN: f64 = 10.0;

/// Largest mean that is drawn at once: `exp(-80)` is far from the smallest normal number of single precision, 1.2e-38.
const LARGEST_PART: f64 = 80.0;

/// Most parts of a mean: some 1,000 events per step.
const MOST_PARTS: usize = 12;

/// The number of probabilities after the first that leave less than 2^-54 to the rest, which is less than a geometric series.
fn poisson_terms(mean: f64) -> usize {
    let mut probability = libm::exp(-mean);
    let mut k = 0;
    loop {
        k += 1;
        probability *= mean / k as f64;
        let ratio = mean / (k + 1) as f64;
        if ratio < 0.5 && probability < f64::EPSILON / 8.0 {
            return k;
        }
    }
}

/// FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo), 32 bits: a name as a number.
fn fold(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
