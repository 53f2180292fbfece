//! Events of a system: conditions on the state, and what happens to states where they hold.
//!
//! [`Op::Event`] is an event of this step, [`Op::Happened`] one of the step before; both are 1 or 0 and constant over a step,
//! whatever its stages. The pass [`events`](crate::pass::events) writes them out.

use std::sync::Arc;

use super::expr::{ConnectionId, EventId, ExprGraph, ExprId, FanoutId, Op, SpaceId, StateId, TableId};
use super::prim::arith;
use super::system::System;
use crate::template::Order;

/// A state variable that an event changes or holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Affected {
    /// The state.
    pub state: StateId,
    /// For a vector: the table that repeats the event for the elements of its unit.
    pub repeat: Option<TableId>,
}

/// An event of the units of an index set.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Path, for text forms and hidden states: `net/lif/spike`.
    pub name: String,
    /// Its index set.
    pub space: SpaceId,
    /// Whether it is tested on the state after or before the step.
    pub order: Order,
    /// The condition.
    pub when: ExprId,
    /// The fewest steps from one event of a unit to the next.
    pub refractory: Option<ExprId>,
    /// What keeps its value while the unit cannot have the event again.
    pub held: Vec<Affected>,
    /// New values of states, all computed from what holds before the first of them is set.
    pub resets: Vec<(Affected, ExprId)>,
    /// Which event of its operator it is: the second one sees the resets of the first.
    pub rank: usize,
}

/// What leads from an event to a jump.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Through {
    /// Multiplication by a number, element by element.
    Weight(ExprId),
    /// Connections, by target.
    Connection(ConnectionId),
    /// Connections, by source.
    Fanout(FanoutId),
}

/// Events that add to a state: `state += through(spike * factor)`, some steps later.
#[derive(Clone, PartialEq, Debug)]
pub struct Jump {
    /// The state.
    pub state: StateId,
    /// The event, at the sources: 1 where it happens.
    pub spike: ExprId,
    /// What it is multiplied by at the sources: an expression of the state that the event was tested on.
    pub factor: Option<ExprId>,
    /// The weights.
    pub through: Through,
    /// Whole steps from the event to the jump.
    pub delay: u32,
}

/// An event to be recorded: some elements of its index set.
#[derive(Clone, PartialEq, Debug)]
pub struct Recorded {
    /// The event.
    pub event: EventId,
    /// First element.
    pub first: usize,
    /// Number of elements.
    pub count: usize,
    /// The number of the first one in its population.
    pub unit: usize,
}

impl System {
    /// Adds an event whose condition and effects are set later, and returns the expression that is 1 where it happens.
    pub fn add_event(&mut self, name: impl Into<String>, space: SpaceId, order: Order) -> (EventId, ExprId) {
        let id = EventId(self.events.len() as u32);
        let when = self.graph.constant(0.0);
        let (held, resets) = (Vec::new(), Vec::new());
        self.events.push(Event { name: name.into(), space, order, when, refractory: None, held, resets, rank: 0 });
        (id, self.graph.add(Op::Event(id), Vec::new(), space))
    }

    /// The spike train of an event: `1/dt` during the step in which equations see it, 0 otherwise. An event that is tested
    /// after the step is seen in the next one.
    pub fn spike_train(&mut self, event: EventId) -> ExprId {
        let Event { space, order, .. } = self.events[event.index()];
        let happens = match order {
            Order::After => Op::Happened(event),
            Order::Before => Op::Event(event),
        };
        let graph = &mut self.graph;
        let happens = graph.add(happens, Vec::new(), space);
        let (one, zero, dt) = (graph.constant(1.0), graph.constant(0.0), graph.step_size());
        let height = graph.quotient(one, dt);
        graph.call(&arith::SELECT, &[happens, height, zero])
    }

    /// Every expression of events and jumps.
    pub fn event_expressions(&mut self) -> impl Iterator<Item = &mut ExprId> {
        let of_events = self.events.iter_mut().flat_map(|event| {
            let resets = event.resets.iter_mut().map(|reset| &mut reset.1);
            std::iter::once(&mut event.when).chain(&mut event.refractory).chain(resets)
        });
        let of_jumps = self.jumps.iter_mut().flat_map(|jump| std::iter::once(&mut jump.spike).chain(&mut jump.factor));
        of_events.chain(of_jumps)
    }

    /// For each event the events of the same moment that its condition needs: what it reads as the spike train of an event
    /// tested after the step happens, at that time, in the same step.
    pub fn event_needs(&self) -> Vec<Vec<EventId>> {
        let needs = self.events.iter().map(|event| {
            let mut found: Vec<EventId> = Vec::new();
            let after = event.order == Order::After;
            for id in self.graph.reachable([event.when]) {
                match self.graph.node(id).op {
                    Op::Happened(needed) if after => found.push(needed),
                    Op::Event(needed) => found.push(needed),
                    // One step before the end of the step is its start.
                    Op::Past { history, steps: 1 } if after => {
                        let value = self.histories[history.index()].value;
                        let read = self.graph.reachable([value]).into_iter();
                        found.extend(read.filter_map(|id| match self.graph.node(id).op {
                            Op::Event(needed) => Some(needed),
                            _ => None,
                        }));
                    }
                    _ => {}
                }
            }
            found.sort_unstable();
            found.dedup();
            found
        });
        needs.collect()
    }

    /// The same value for every element of an index set.
    pub fn everywhere(&mut self, value: ExprId, space: SpaceId) -> ExprId {
        if self.graph.space(value) == space {
            return value;
        }
        let indices: Arc<[u32]> = vec![0; self.size(space)].into();
        let table = self.add_table("everywhere", SpaceId::SCALAR, indices);
        self.graph.add(Op::Take(table), vec![value], space)
    }
}

impl ExprGraph {
    /// An event for the elements of a state's index set.
    pub fn repeated(&mut self, event: ExprId, affected: Affected, space: SpaceId) -> ExprId {
        match affected.repeat {
            Some(table) => self.add(Op::Take(table), vec![event], space),
            None => event,
        }
    }
}
