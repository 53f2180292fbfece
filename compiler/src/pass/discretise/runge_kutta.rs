//! Explicit Runge-Kutta methods: stages of slopes.

use std::collections::HashMap;

use super::coupled::Between;
use crate::ir::expr::{ExprGraph, ExprId, Node, Op, StateId};
use crate::ir::system::{History, Mark, System};
use crate::scheme::RungeKutta;

/// The value of every state after one step.
pub(super) fn runge_kutta(system: &mut System, method: &RungeKutta) -> Vec<ExprId> {
    let mut stages: Vec<Vec<ExprId>> = Vec::new();
    let marks = system.marks.clone();
    for index in 0..method.weights.len() {
        let slopes = stage(system, method, index, &stages, &marks);
        stages.push(slopes);
    }
    (0..system.states.len())
        .map(|state| {
            let slopes: Vec<ExprId> = stages.iter().map(|s| s[state]).collect();
            advance(system, state, method.weights, &slopes)
        })
        .collect()
}

/// The slopes of one stage: derivatives at the stage's time and state. Values with a mark have one in each stage.
fn stage(
    system: &mut System,
    method: &RungeKutta,
    index: usize,
    earlier: &[Vec<ExprId>],
    marks: &[Mark],
) -> Vec<ExprId> {
    let derivatives: Vec<ExprId> = system.states.iter().map(|s| s.derivative).collect();
    if index == 0 {
        return derivatives;
    }
    let states: Vec<ExprId> = (0..system.states.len())
        .map(|state| {
            let slopes: Vec<ExprId> = earlier.iter().map(|s| s[state]).collect();
            advance(system, state, method.stages[index], &slopes)
        })
        .collect();
    let image = seen_from(system, &derivatives, &states, method.time(index), |_, _| None);
    for mark in marks {
        if let Some(value) = image.get(&mark.value).copied().filter(|value| *value != mark.value) {
            let (name, equation) = (format!("{}_{}", mark.name, index + 1), mark.equation.clone());
            system.marks.push(Mark { value, name, equation: format!("{equation}, stage {}", index + 1) });
        }
    }
    derivatives.iter().map(|d| image[d]).collect()
}

/// What expressions are at a moment within the step, `offset` (0 to 1) steps after its start, when the states are `states`
/// then. `rule` comes first.
pub(in crate::pass) fn seen_from(
    system: &mut System,
    of: &[ExprId],
    states: &[ExprId],
    offset: f64,
    mut rule: impl FnMut(&mut ExprGraph, &Node) -> Option<ExprId>,
) -> HashMap<ExprId, ExprId> {
    let time = stage_time(&mut system.graph, offset);
    let histories = &system.histories;
    let mut between = Between::new(&mut system.connections, offset);
    system.graph.rewrite(of.iter().copied(), |graph, node| {
        rule(graph, node).or_else(|| match node.op {
            Op::State(id) => Some(states[id.index()]),
            Op::Time => Some(time),
            Op::CouplePast { connection, history } => {
                Some(between.past(graph, connection, (history, histories[history.index()].value), node))
            }
            Op::Past { history, steps } => Some(past_at(graph, &histories[history.index()], node.op, steps, offset)),
            _ => None,
        })
    })
}

/// `y + dt sum_j a_j k_j`, with slopes of equal coefficient added up first.
fn advance(system: &mut System, state: usize, coefficients: &[f64], slopes: &[ExprId]) -> ExprId {
    let graph = &mut system.graph;
    let mut terms: Vec<(f64, ExprId)> = Vec::new();
    for (a, slope) in coefficients.iter().zip(slopes).filter(|(a, _)| **a != 0.0) {
        match terms.iter_mut().find(|(b, _)| b == a) {
            Some((_, sum)) => *sum = graph.sum(*sum, *slope),
            None => terms.push((*a, *slope)),
        }
    }
    let id = StateId(state as u32);
    let mut value = graph.add(Op::State(id), Vec::new(), system.states[state].space);
    let dt = graph.step_size();
    for (a, slope) in terms {
        let a = graph.constant(a);
        let factor = graph.product(a, dt);
        let change = graph.product(factor, slope);
        value = graph.sum(value, change);
    }
    value
}

/// `t + c dt`
fn stage_time(graph: &mut ExprGraph, offset: f64) -> ExprId {
    let (time, dt, c) = (graph.time(), graph.step_size(), graph.constant(offset));
    let ahead = graph.product(c, dt);
    graph.sum(time, ahead)
}

/// A past value as seen from `offset` (0 to 1) steps after the start of the step.
fn past_at(graph: &mut ExprGraph, history: &History, older: Op, steps: u32, offset: f64) -> ExprId {
    if offset == 0.0 {
        return graph.add(older, Vec::new(), history.space);
    }
    let newer = match older {
        // What is one step old at the end of the step is what holds at its start.
        Op::Past { .. } if steps == 1 => history.value,
        Op::Past { history: id, .. } => {
            graph.add(Op::Past { history: id, steps: steps - 1 }, Vec::new(), history.space)
        }
        _ => unreachable!("called for past values only"),
    };
    if offset == 1.0 {
        return newer;
    }
    let older = graph.add(older, Vec::new(), history.space);
    let (c, rest) = (graph.constant(offset), graph.constant(1.0 - offset));
    let (a, b) = (graph.product(rest, older), graph.product(c, newer));
    graph.sum(a, b)
}
