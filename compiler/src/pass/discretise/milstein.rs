//! The method of Milstein for noise that is multiplied by state variables.

use super::{each_state, noise, variables};
use crate::diagnostic::{Result, scheme as fault};
use crate::ir::expr::{ExprGraph, ExprId};
use crate::ir::partial::partial;
use crate::ir::system::System;
use crate::scheme::Scheme;

/// `x_i + dt f_i + sum_k g_ik dW_k + sum_k sum_j g_jk dg_ik/dx_j (dW_k^2 - dt) / 2`
///
/// The terms of two different noises, `g_jl dg_ik/dx_j` with `l` not `k`, need integrals that no product of increments
/// gives; equations that have them are refused.
pub(super) fn milstein(system: &mut System, scheme: &Scheme) -> Result<Vec<ExprId>> {
    let variables = variables(system);
    let noises: Vec<ExprId> = system.noises.iter().map(|n| n.value).collect();
    let mut gains: Vec<Vec<(usize, ExprId)>> = Vec::new();
    for state in 0..system.states.len() {
        gains.push(noise::gains(system, scheme, state)?);
    }
    each_state(system, |system, state| {
        let slope = system.states[state].derivative;
        let graph = &mut system.graph;
        let dt = graph.step_size();
        let change = graph.product(dt, slope);
        let mut next = graph.sum(variables[state], change);
        for &(k, gain) in &gains[state] {
            let mut steepness: Option<ExprId> = None;
            for (j, &variable) in variables.iter().enumerate().filter(|(j, _)| !gains[*j].is_empty()) {
                let by = match partial(&mut system.graph, gain, variable) {
                    Ok(None) => continue,
                    Ok(Some(by)) => by,
                    Err(_) => return Err(fault::noise_of_others(scheme, &system.states[state]).into()),
                };
                for &(l, other) in &gains[j] {
                    if l != k {
                        let names = (&*system.noises[k].name, &*system.noises[l].name);
                        return Err(fault::noises_mixed(scheme, &system.states[state], names).into());
                    }
                    let term = system.graph.product(other, by);
                    steepness = Some(steepness.map_or(term, |sum| system.graph.sum(sum, term)));
                }
            }
            if let Some(steepness) = steepness {
                let excess = excess(&mut system.graph, noises[k]);
                let correction = system.graph.product(steepness, excess);
                next = system.graph.sum(next, correction);
            }
        }
        Ok(next)
    })
}

/// `(dW^2 - dt) / 2` of a white noise, which is `dW / dt`.
fn excess(graph: &mut ExprGraph, noise: ExprId) -> ExprId {
    let (dt, half) = (graph.step_size(), graph.constant(0.5));
    let increment = graph.product(noise, dt);
    let square = graph.product(increment, increment);
    let excess = graph.difference(square, dt);
    graph.product(half, excess)
}
