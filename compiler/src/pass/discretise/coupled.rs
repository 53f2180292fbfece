//! Couplings whose entries have delays of their own.

use std::collections::HashMap;

use crate::ir::expr::{ConnectionId, ExprGraph, ExprId, HistoryId, Node, Op};
use crate::ir::system::{Connection, System, Values};
use crate::pass::Observable;

/// Gives couplings of the past that have entries without delay the value those read as an argument.
pub(super) fn with_present(mut system: System, mut observables: Vec<Observable>) -> (System, Vec<Observable>) {
    let instant: Vec<bool> = system.connections.iter().map(|c| delays(c).contains(&0)).collect();
    // The value may itself have been made from such a coupling of another history: one round for each of these.
    for _ in 0..=system.histories.len() {
        let values: Vec<ExprId> = system.histories.iter().map(|h| h.value).collect();
        let of_events: Vec<ExprId> = system.event_expressions().map(|e| *e).collect();
        let derivatives = system.states.iter().map(|s| s.derivative).chain(of_events);
        let roots: Vec<ExprId> =
            derivatives.chain(values.iter().copied()).chain(observables.iter().map(|o| o.value)).collect();
        let mut changed = false;
        let image = system.graph.rewrite(roots, |graph, node| match node.op {
            Op::CouplePast { connection, history } if node.args.is_empty() && instant[connection.index()] => {
                changed = true;
                Some(graph.add(node.op, vec![values[history.index()]], node.space))
            }
            _ => None,
        });
        if !changed {
            break;
        }
        let wanted = (system.states.iter_mut().map(|s| &mut s.derivative))
            .chain(system.histories.iter_mut().map(|h| &mut h.value))
            .chain(observables.iter_mut().map(|o| &mut o.value));
        for id in wanted {
            *id = image[id];
        }
        system.event_expressions().for_each(|id| *id = image[id]);
        system.follow(&image);
    }
    (system, observables)
}

fn delays(connection: &Connection) -> &[u32] {
    connection.delays.as_deref().unwrap_or(&[])
}

/// Couplings of the past as seen from a stage within the step: between two stored steps by linear interpolation.
pub(super) struct Between<'a> {
    connections: &'a mut Vec<Connection>,
    /// From 0 to 1 steps after the start of the step.
    offset: f64,
    known: HashMap<ConnectionId, Parts>,
}

/// The entries of a connection, as far as there are any.
#[derive(Clone, Copy)]
struct Parts {
    /// Those with a delay.
    older: Option<ConnectionId>,
    /// The same, one step later.
    newer: Option<ConnectionId>,
    /// Whether one of those has no delay then.
    present: bool,
    /// Those without delay.
    instant: Option<ConnectionId>,
}

impl<'a> Between<'a> {
    pub(super) fn new(connections: &'a mut Vec<Connection>, offset: f64) -> Between<'a> {
        Between { connections, offset, known: HashMap::new() }
    }

    /// What `node`, a coupling of the past, is at the stage; `value` is what the history holds at the start of the step, the
    /// node's argument that value at the stage.
    pub(super) fn past(
        &mut self,
        graph: &mut ExprGraph,
        connection: ConnectionId,
        (history, value): (HistoryId, ExprId),
        node: &Node,
    ) -> ExprId {
        if self.offset == 0.0 {
            return graph.add(node.op, node.args.clone(), node.space);
        }
        let parts = match self.known.get(&connection) {
            Some(parts) => *parts,
            None => self.divide(connection),
        };
        let mut terms = Vec::new();
        if let (Some(older), Some(newer)) = (parts.older, parts.newer) {
            let present = if parts.present { vec![value] } else { Vec::new() };
            let newer = graph.add(Op::CouplePast { connection: newer, history }, present, node.space);
            terms.push(if self.offset == 1.0 {
                newer
            } else {
                let older = graph.add(Op::CouplePast { connection: older, history }, Vec::new(), node.space);
                let (c, rest) = (graph.constant(self.offset), graph.constant(1.0 - self.offset));
                let (a, b) = (graph.product(rest, older), graph.product(c, newer));
                graph.sum(a, b)
            });
        }
        if let (Some(instant), Some(now)) = (parts.instant, node.args.first()) {
            terms.push(graph.add(Op::Couple(instant), vec![*now], node.space));
        }
        terms.into_iter().reduce(|a, b| graph.sum(a, b)).unwrap_or_else(|| graph.constant(0.0))
    }

    fn divide(&mut self, id: ConnectionId) -> Parts {
        let connection = self.connections[id.index()].clone();
        let mut push = |connection: Connection| {
            self.connections.push(connection);
            ConnectionId(self.connections.len() as u32 - 1)
        };
        let zeros = delays(&connection).iter().filter(|d| **d == 0).count();
        let (older, instant) = match zeros {
            0 => (Some(id), None),
            n if n == connection.sources.len() => (None, Some(push(Connection { delays: None, ..connection.clone() }))),
            _ => {
                let instant = Connection { delays: None, ..part(&connection, |delay| delay == 0) };
                (Some(push(part(&connection, |delay| delay > 0))), Some(push(instant)))
            }
        };
        let mut present = false;
        let newer = older.map(|older| {
            let mut later = self.connections[older.index()].clone();
            let less = delays(&later).iter().map(|d| d - 1).collect::<Vec<_>>();
            present = less.contains(&0);
            later.delays = Some(less.into());
            self.connections.push(later);
            ConnectionId(self.connections.len() as u32 - 1)
        });
        let parts = Parts { older, newer, present, instant };
        self.known.insert(id, parts);
        parts
    }
}

/// The entries of a connection with certain delays.
fn part(connection: &Connection, wanted: impl Fn(u32) -> bool) -> Connection {
    let delays = delays(connection);
    let kept: Vec<usize> = (0..delays.len()).filter(|e| wanted(delays[*e])).collect();
    let starts: Vec<u32> =
        connection.starts.iter().map(|s| kept.partition_point(|k| k < &(*s as usize)) as u32).collect();
    Connection {
        starts: starts.into(),
        sources: kept.iter().map(|k| connection.sources[*k]).collect(),
        weights: match &connection.weights {
            Values::Uniform(weight) => Values::Uniform(*weight),
            Values::Each(each) => Values::Each(kept.iter().map(|k| each[*k]).collect()),
        },
        delays: Some(kept.iter().map(|k| delays[*k]).collect()),
        ..connection.clone()
    }
}
