//! The exact solution of linear systems: `x(t + dt) = exp(A dt) x(t) + Q b` with `Q` the integral of `exp(A s)` over the
//! step, for `x' = A x + b` with `A` of parameters and `b` constant over the step.
//!
//! The matrices are expressions of parameters, so they are computed once, before the first step, and again when a
//! parameter is set. A state that no other state of its equation feeds back to has a matrix of its own: the decay of a
//! synapse is an exponential, whatever it feeds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::affine::{NotAffine, affine};
use super::exponential::effective_step;
use super::matrix::{Flow, flow};
use super::{each_state, variables};
use crate::diagnostic::{Result, scheme as fault};
use crate::ir::expr::{ExprGraph, ExprId, Op};
use crate::ir::prim::elementary;
use crate::ir::system::System;
use crate::scheme::Scheme;

/// Most products of three entries in the product of two matrices: one of 10 x 10 entries has that many.
const MOST_PRODUCTS: usize = 1000;

/// One step of the exact solution for every state.
pub(super) fn exact(system: &mut System, scheme: &Scheme) -> Result<Vec<ExprId>> {
    let variables = variables(system);
    let rows = equations(system, scheme, &variables)?;
    for state in 0..rows.len() {
        let block = reads(&rows, state);
        if products(&rows, &block) > MOST_PRODUCTS {
            return Err(fault::too_large(scheme, &system.states[state], block.len()).into());
        }
    }
    let mut flows: HashMap<Vec<usize>, Flow> = HashMap::new();
    each_state(system, |system, state| {
        let block = reads(&rows, state);
        if let [only] = block[..] {
            return Ok(alone(&mut system.graph, &rows[only], only, variables[only]));
        }
        let graph = &mut system.graph;
        let flow = flows.entry(block.clone()).or_insert_with(|| {
            let place: HashMap<usize, usize> = block.iter().enumerate().map(|(at, state)| (*state, at)).collect();
            let mut matrix = BTreeMap::new();
            for (i, from) in block.iter().enumerate() {
                let entries = rows[*from].coefficients.iter();
                matrix.extend(entries.map(|(other, a)| ((i, place[other]), *a)));
            }
            flow(graph, block.len(), &matrix)
        });
        let row = block.iter().position(|s| *s == state).expect("a state reads itself");
        Ok(combine(graph, flow, row, &block, &rows, &variables))
    })
}

/// An equation: `sum of coefficient * state + rest`.
struct Row {
    coefficients: BTreeMap<usize, ExprId>,
    rest: Option<ExprId>,
}

/// Every equation as a sum of states, or why it is none.
fn equations(system: &mut System, scheme: &Scheme, variables: &[ExprId]) -> Result<Vec<Row>> {
    // A state without a derivative is constant over a step, as an input is.
    let moving: Vec<ExprId> = (system.states.iter().zip(variables))
        .filter(|(s, _)| system.graph.as_constant(s.derivative) != Some(0.0))
        .map(|(_, v)| *v)
        .collect();
    let number: HashMap<ExprId, usize> = variables.iter().enumerate().map(|(i, v)| (*v, i)).collect();
    let mut rows = Vec::new();
    each_state(system, |system, state| {
        let slope = system.states[state].derivative;
        let graph = &mut system.graph;
        let sum = match affine(graph, slope, &moving, |_| false) {
            Ok(sum) => sum,
            Err(NotAffine(at)) => {
                let crosses = matches!(graph.node(at).op, Op::Take(_) | Op::Couple(_) | Op::Convolve(_));
                let fault = if crosses { fault::other_units } else { fault::nonlinear };
                return Err(fault(scheme, &system.states[state]).into());
            }
        };
        let mut coefficients = BTreeMap::new();
        for (variable, coefficient) in sum.coefficients {
            let other = number[&variable];
            if !steady(graph, coefficient) {
                return Err(fault::factor_changes(scheme, &system.states[state], &system.states[other]).into());
            }
            coefficients.insert(other, coefficient);
        }
        if let Some(rest) = sum.rest {
            for op in graph.reachable([rest]).into_iter().map(|id| graph.node(id).op) {
                let what = match op {
                    Op::Time => "the time",
                    Op::Past { .. } | Op::CouplePast { .. } => "the past of a variable",
                    _ => continue,
                };
                return Err(fault::rest_changes(scheme, &system.states[state], what).into());
            }
        }
        rows.push(Row { coefficients, rest: sum.rest });
        Ok(slope)
    })?;
    Ok(rows)
}

/// The states that the equation of `state` depends on, through others too, itself included, ascending.
fn reads(rows: &[Row], state: usize) -> Vec<usize> {
    let mut seen = BTreeSet::from([state]);
    let mut open = vec![state];
    while let Some(next) = open.pop() {
        open.extend(rows[next].coefficients.keys().filter(|other| seen.insert(**other)));
    }
    seen.into_iter().collect()
}

/// Products of entries in the product of two matrices with these equations: the paths of two steps between states.
fn products(rows: &[Row], block: &[usize]) -> usize {
    let sizes: HashMap<usize, usize> = block.iter().map(|s| (*s, reads(rows, *s).len())).collect();
    block.iter().flat_map(|s| reads(rows, *s)).map(|s| sizes[&s]).sum()
}

/// The row of a state: what it has of the others and of itself, and of what is constant over the step.
fn combine(
    graph: &mut ExprGraph,
    flow: &Flow,
    row: usize,
    block: &[usize],
    rows: &[Row],
    variables: &[ExprId],
) -> ExprId {
    let one = graph.constant(1.0);
    let mut terms = Vec::new();
    for (column, state) in block.iter().enumerate() {
        let factor = match flow.growth.get(&(row, column)) {
            Some(growth) if row == column => graph.sum(one, *growth),
            Some(growth) => *growth,
            None if row == column => one,
            None => continue,
        };
        terms.push(graph.product(factor, variables[*state]));
    }
    // What parameters alone make up is summed first, so that it is computed before the first step.
    let drives: Vec<ExprId> = (block.iter().enumerate())
        .filter_map(|(column, state)| Some((*flow.integral.get(&(row, column))?, rows[*state].rest?)))
        .map(|(integral, rest)| graph.product(integral, rest))
        .collect();
    let (fixed, changing): (Vec<ExprId>, Vec<ExprId>) = drives.into_iter().partition(|d| steady(graph, *d));
    let constant = fixed.into_iter().reduce(|a, b| graph.sum(a, b));
    let terms = terms.into_iter().chain(changing).chain(constant);
    terms.reduce(|a, b| graph.sum(a, b)).expect("a state has a share in itself")
}

/// Whether an expression depends on numbers, parameters and the step size only.
fn steady(graph: &ExprGraph, id: ExprId) -> bool {
    let mut reached = graph.reachable([id]).into_iter().map(|id| graph.node(id).op);
    reached.all(|op| matches!(op, Op::Constant(_) | Op::Parameter(_) | Op::StepSize | Op::Call(_)))
}

/// An equation that reads its own state only.
fn alone(graph: &mut ExprGraph, row: &Row, state: usize, x: ExprId) -> ExprId {
    let dt = graph.step_size();
    let (mut next, duration) = match row.coefficients.get(&state) {
        Some(rate) => {
            let exponent = graph.product(*rate, dt);
            let factor = graph.call(&elementary::EXP, &[exponent]);
            (graph.product(factor, x), effective_step(graph, *rate))
        }
        None => (x, dt),
    };
    if let Some(rest) = row.rest {
        let change = graph.product(duration, rest);
        next = graph.sum(next, change);
    }
    next
}
