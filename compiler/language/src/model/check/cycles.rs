//! Algebraic variables can be computed one after the other, also through inputs, edges without delay and edge operators.
//!
//! Forbidden: `m = 0.5*m + x`; `m = n` together with `n = m + x`; two nodes whose algebraic outputs feed each other.

use std::collections::HashSet;
use std::sync::Arc;

use super::functions::delayed;
use crate::diagnostic::{Diagnostics, model as fault};
use crate::model::{Circuit, EdgeInput, EdgeOperators, Operator, Role, VariableRef};
use crate::source::Span;
use crate::syntax::ast::{Equation, Expr, ExprKind, LhsKind};
use crate::template::Literal;
use crate::template::expression::{children, subscript_parts};

/// Most cycles that are reported.
const MOST: usize = 8;

/// A group of operators that feed each other by name: a node, or the operators of one edge.
struct Group<'a> {
    operators: &'a [Operator],
    /// Number of the first variable of each operator.
    starts: Vec<usize>,
    /// What messages call the place.
    place: &'a str,
}

/// All variables numbered, and which others each needs before it can be computed.
struct Graph<'a> {
    groups: Vec<Group<'a>>,
    needs: Vec<Vec<u32>>,
}

pub(super) fn check(circuit: &Circuit, out: &mut Diagnostics) {
    let mut graph = Graph { groups: Vec::new(), needs: Vec::new() };
    for population in &circuit.populations {
        graph.add(&population.operators, &population.path);
    }
    let number = |graph: &Graph<'_>, v: VariableRef| graph.groups[v.population].starts[v.operator] + v.variable;
    let is_state = |v: VariableRef| {
        circuit.populations[v.population].operators[v.operator].variables[v.variable].role == Role::State
    };
    let mut apart: HashSet<Vec<*const Equation>> = HashSet::new();
    let mut last: Option<&EdgeOperators> = None;
    for projection in &circuit.projections {
        if let Some(edge) = projection.edge.as_deref() {
            // What reads states only is in no cycle but its own, the same on every edge with these operators.
            let reads_states = edge.sources.iter().all(|(_, read)| match read {
                EdgeInput::Source => is_state(projection.source),
                EdgeInput::Variable(variable) => is_state(*variable),
            });
            if reads_states {
                let known = last.is_some_and(|last| Arc::ptr_eq(&last.operators, &edge.operators));
                last = Some(edge);
                let equations = || edge.operators.iter().map(|o| o.equations.as_ptr()).collect();
                if known || !apart.insert(equations()) {
                    continue;
                }
            }
        } else if is_state(projection.source) {
            continue;
        }
        let source = number(&graph, projection.source);
        let target = number(&graph, projection.target);
        let edge = projection.edge.as_deref().map(|edge| {
            let group = graph.groups.len();
            graph.add(&edge.operators, "an edge");
            for ((o, v), read) in edge.sources.iter() {
                let read = match read {
                    EdgeInput::Source => source,
                    EdgeInput::Variable(variable) => number(&graph, *variable),
                };
                let input = graph.groups[group].starts[*o] + v;
                graph.needs[input].push(read as u32);
            }
            graph.groups[group].starts[edge.output.0] + edge.output.1
        });
        if is_immediate(projection.delay.as_ref()) {
            graph.needs[target].push(edge.unwrap_or(source) as u32);
        }
    }
    for cycle in graph.cycles() {
        let steps: Vec<(String, Span)> = cycle.iter().map(|&v| graph.describe(v)).collect();
        out.push(fault::algebraic_cycle(&steps));
    }
}

/// Whether a value passes the edge within the same moment.
fn is_immediate(delay: Option<&Literal>) -> bool {
    match delay {
        None => true,
        Some(Literal::Number(n)) => n.re == 0.0,
        Some(Literal::List(list)) => list.iter().any(|n| n.re == 0.0),
        Some(Literal::Matrix { data, .. }) => data.contains(&0.0),
        // A drawn delay, or one by distance, may round to no step at all.
        Some(Literal::Drawn(_) | Literal::Profile(_)) => true,
    }
}

impl<'a> Graph<'a> {
    fn add(&mut self, operators: &'a [Operator], place: &'a str) {
        let mut starts = Vec::with_capacity(operators.len());
        for operator in operators {
            starts.push(self.needs.len());
            self.needs.resize(self.needs.len() + operator.variables.len(), Vec::new());
        }
        for (o, operator) in operators.iter().enumerate() {
            for equation in operator.equations.iter().filter(|e| e.lhs.kind == LhsKind::Value) {
                let at = |name: &str| operator.variables.iter().position(|v| *v.name == *name);
                let Some(defined) = at(&equation.lhs.variable.text) else {
                    continue;
                };
                let mut read = Vec::new();
                names(&equation.rhs, &mut read);
                equation.lhs.subscripts.iter().flat_map(subscript_parts).for_each(|e| names(e, &mut read));
                for name in read {
                    let Some(v) = at(name) else { continue };
                    // One element of a vector may be computed from another.
                    let elements = v == defined && !equation.lhs.subscripts.is_empty();
                    if !elements && matches!(operator.variables[v].role, Role::Output | Role::Input | Role::Parameter) {
                        self.needs[starts[o] + defined].push((starts[o] + v) as u32);
                    }
                }
            }
            for (v, input) in operator.variables.iter().enumerate().filter(|(_, v)| v.role == Role::Input) {
                for (other, feeding) in operators.iter().enumerate().filter(|(other, _)| *other != o) {
                    let feeds = |w: &crate::model::Variable| w.output && w.role == Role::Output && w.name == input.name;
                    if let Some(w) = feeding.variables.iter().position(feeds) {
                        self.needs[starts[o] + v].push((starts[other] + w) as u32);
                    }
                }
            }
        }
        self.groups.push(Group { operators, starts, place });
    }

    /// Some cycles of variables that need each other, by depth-first search without recursion.
    fn cycles(&self) -> Vec<Vec<usize>> {
        const NEW: u8 = 0;
        const OPEN: u8 = 1;
        const DONE: u8 = 2;
        let mut marks = vec![NEW; self.needs.len()];
        let mut found = Vec::new();
        for root in 0..self.needs.len() {
            if marks[root] != NEW {
                continue;
            }
            let mut path: Vec<(usize, usize)> = vec![(root, 0)];
            marks[root] = OPEN;
            while let Some((v, next)) = path.last_mut() {
                let v = *v;
                match self.needs[v].get(*next) {
                    None => {
                        marks[v] = DONE;
                        path.pop();
                    }
                    Some(&need) => {
                        *next += 1;
                        let need = need as usize;
                        if marks[need] == NEW {
                            marks[need] = OPEN;
                            path.push((need, 0));
                        } else if marks[need] == OPEN {
                            let start = path.iter().position(|(p, _)| *p == need).unwrap_or(0);
                            found.push(path[start..].iter().map(|(p, _)| *p).collect());
                            if found.len() == MOST {
                                return found;
                            }
                        }
                    }
                }
            }
        }
        found
    }

    /// The name of a variable with its place, and where it is defined.
    fn describe(&self, number: usize) -> (String, Span) {
        let starts_at = |g: &Group<'_>| g.starts.first().copied().unwrap_or(usize::MAX);
        let group = self.groups.iter().rev().find(|g| !g.starts.is_empty() && starts_at(g) <= number);
        let Some(group) = group else {
            return (String::new(), Span::NOWHERE);
        };
        let o = group.starts.iter().rposition(|s| *s <= number).unwrap_or(0);
        let operator = &group.operators[o];
        let variable = &operator.variables[number - group.starts[o]];
        let equation = operator.equations.iter().find(|e| e.lhs.variable.text == variable.name);
        let name = format!("{}/{}/{}", group.place, operator.name, variable.name);
        (name, equation.map_or(variable.span, |e| e.span))
    }
}

/// Names whose present value an expression needs: not what is delayed.
fn names<'e>(expr: &'e Expr, found: &mut Vec<&'e str>) {
    match &expr.kind {
        ExprKind::Name(name) => found.push(name),
        ExprKind::Call(function, arguments) if &*function.text == "past" => {
            arguments.iter().skip(1).for_each(|e| names(e, found));
        }
        ExprKind::Call(_, arguments) if delayed(arguments).is_some() => {
            arguments.iter().for_each(|e| names(e, found));
        }
        _ => children(expr).into_iter().for_each(|e| names(e, found)),
    }
}
