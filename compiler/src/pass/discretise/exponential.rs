//! The exponential Euler method: every equation is solved by itself, what else it reads held over the step.

use super::affine::{NotAffine, affine};
use super::{each_state, variables};
use crate::diagnostic::{Result, scheme as fault};
use crate::ir::expr::{ExprGraph, ExprId, Op};
use crate::ir::prim::{arith, elementary};
use crate::ir::system::System;
use crate::scheme::Scheme;

/// `x' = a + c x` becomes `x + (a + c x) (exp(c dt) - 1) / c`, and `x + a dt` where `c` is 0.
///
/// What an equation reads of its own variable in other units or elements counts as other variables.
pub(super) fn exponential_euler(system: &mut System, scheme: &Scheme) -> Result<Vec<ExprId>> {
    let variables = variables(system);
    each_state(system, |system, state| {
        let (x, slope) = (variables[state], system.states[state].derivative);
        let sum = affine(&mut system.graph, slope, &[x], |op| {
            matches!(op, Op::Take(_) | Op::Couple(_) | Op::Convolve(_) | Op::CouplePast { .. })
        });
        let sum = sum.map_err(|NotAffine(_)| fault::own_nonlinear(scheme, &system.states[state]))?;
        let graph = &mut system.graph;
        let duration = match sum.coefficients.get(&x) {
            Some(rate) => effective_step(graph, *rate),
            None => graph.step_size(),
        };
        let change = graph.product(slope, duration);
        Ok(graph.sum(x, change))
    })
}

/// `(exp(c dt) - 1) / c`: the integral of `exp(c s)` over a step, `dt` where `c` is 0.
pub(super) fn effective_step(graph: &mut ExprGraph, rate: ExprId) -> ExprId {
    let dt = graph.step_size();
    let exponent = graph.product(rate, dt);
    let growth = graph.call(&elementary::EXPM1, &[exponent]);
    let integral = graph.quotient(growth, rate);
    let zero = graph.constant(0.0);
    let flat = graph.call(&arith::EQ, &[rate, zero]);
    graph.call(&arith::SELECT, &[flat, dt, integral])
}
