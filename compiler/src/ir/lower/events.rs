//! Events: their conditions and resets as expressions, and edges that make states jump.

use std::sync::Arc;

use super::connect::{Connected, Delay, Entries, Entry};
use super::couple::by_delay;
use super::shape::Shape;
use super::{GroupVariable, Lowering};
use crate::diagnostic::{Diagnostics, Result, event as fault};
use crate::ir::complex::Value;
use crate::ir::event::{Affected, Jump, Through};
use crate::ir::expr::{EventId, ExprId, Op, SpaceId, StateId};
use crate::ir::prim::arith;
use crate::ir::system::{Fanout, Values};
use crate::model::Role;
use crate::source::{Name, Span};
use crate::syntax::ast::ExprKind;
use crate::template::EventTemplate;
use crate::template::expression::walk;

/// Edges from an event to a state.
pub(super) struct Jumping {
    /// The state.
    pub target: GroupVariable,
    /// The connections; their source is the event, or the output of edge operators.
    pub connected: Connected,
    /// Behind edge operators: the event, and its unit for each edge.
    pub through_edges: Option<(GroupVariable, Arc<[u32]>)>,
    /// One of the edges.
    pub span: Span,
}

/// The state of each state variable: real part, imaginary part.
type States = [(GroupVariable, StateId, Option<StateId>)];

impl Lowering<'_> {
    /// Adds the events of a group; their conditions come when all values are known.
    pub(super) fn add_events(&mut self, group: usize) {
        let space = self.groups[group].space;
        for (o, operator) in self.operators(group).iter().enumerate() {
            for (rank, event) in operator.events.iter().enumerate() {
                let Some(v) = operator.variables.iter().position(|v| v.name == event.name.text) else { continue };
                let at = (group, o, v);
                let (id, _) = self.system.add_event(self.name(at), space, event.order);
                self.system.events[id.index()].rank = rank;
                let train = self.system.spike_train(id);
                self.events.insert(at, id);
                self.values.insert(at, Value::Real(train));
            }
        }
    }

    /// Gives the events their conditions and effects, now that all values are known.
    pub(super) fn finish_events(&mut self, states: &States) -> Result<()> {
        let mut faults = Diagnostics::new();
        for group in 0..self.groups.len() {
            for (o, operator) in self.operators(group).iter().enumerate() {
                for event in operator.events.iter() {
                    let v = operator.variables.iter().position(|v| v.name == event.name.text);
                    let Some(at) = v.map(|v| (group, o, v)) else { continue };
                    faults.absorb(self.finish_event(at, event, states));
                }
            }
        }
        for jumping in std::mem::take(&mut self.jumps) {
            faults.absorb(self.finish_jump(jumping, states));
        }
        faults.into_result(())?;
        self.check_event_cycles()
    }

    fn finish_event(&mut self, at: GroupVariable, event: &EventTemplate, states: &States) -> Result<()> {
        let id = self.events[&at];
        let space = self.system.events[id.index()].space;
        let when = self.expression(at, &event.when)?;
        let (Value::Real(when_re), Shape::Single) = (when.value, when.shape) else {
            let found = match when.value {
                Value::Complex(..) => "complex".to_string(),
                Value::Real(_) => when.shape.to_string(),
            };
            return Err(fault::not_a_condition(&event.name.text, &found, event.when.span).into());
        };
        // A condition is 1 or 0 from here on.
        let zero = self.system.graph.constant(0.0);
        let holds = self.system.graph.call(&arith::NE, &[when_re, zero]);
        let when = match self.system.graph.node(when_re).op {
            Op::Call(prim) if is_condition(prim.name) => when_re,
            _ => holds,
        };
        self.system.events[id.index()].when = self.system.everywhere(when, space);
        if let Some(time) = &event.refractory {
            let time_value = self.expression(at, time)?;
            let (Value::Real(value), Shape::Single) = (time_value.value, time_value.shape) else {
                return Err(fault::not_a_condition(&event.name.text, "no single time", time.span).into());
            };
            let graph = &mut self.system.graph;
            let dt = graph.step_size();
            let steps = graph.quotient(value, dt);
            let steps = graph.call(&arith::ROUND, &[steps]);
            let held = self.held(at, event);
            let held = held.iter().flat_map(|name| self.affected(at, name, id, states)).collect();
            let lowered = &mut self.system.events[id.index()];
            (lowered.refractory, lowered.held) = (Some(steps), held);
        }
        let mut resets = Vec::new();
        for reset in &event.resets {
            let Some(target) = self.find(at, &reset.variable.text) else { continue };
            let value = self.expression(at, &reset.value)?;
            let value = self.fit(target, value, reset.value.span)?;
            let parts = match value {
                Value::Real(re) => vec![re],
                Value::Complex(re, im) => vec![re, im],
            };
            resets.extend(self.affected(at, &reset.variable, id, states).into_iter().zip(parts));
        }
        self.system.events[id.index()].resets = resets;
        Ok(())
    }

    /// The states that keep their value during the refractory time: those given, or those that the condition names.
    fn held(&self, at: GroupVariable, event: &EventTemplate) -> Vec<Name> {
        if let Some(hold) = &event.hold {
            return hold.clone();
        }
        let mut names: Vec<Name> = Vec::new();
        walk(&event.when, &mut |e| {
            if let ExprKind::Name(name) = &e.kind
                && names.iter().all(|known| *known.text != **name)
                && self.find(at, name).is_some_and(|v| self.variable(v).role == Role::State)
            {
                names.push(Name::new(name.as_str(), e.span));
            }
        });
        names
    }

    /// The states of a variable of the event's operator.
    fn affected(&mut self, at: GroupVariable, name: &Name, event: EventId, states: &States) -> Vec<Affected> {
        let Some(variable) = self.find(at, &name.text) else { return Vec::new() };
        let Some((_, re, im)) = states.iter().find(|s| s.0 == variable).copied() else { return Vec::new() };
        let (units, length) = (self.units(at), self.variable(variable).length);
        let happens = self.system.graph.add(Op::Event(event), Vec::new(), units);
        let repeated = self.spread(happens, units, length);
        let repeat = match self.system.graph.node(repeated).op {
            Op::Take(table) => Some(table),
            _ => None,
        };
        [Some(re), im].into_iter().flatten().map(|state| Affected { state, repeat }).collect()
    }

    fn finish_jump(&mut self, jumping: Jumping, states: &States) -> Result<()> {
        let Jumping { target, connected, through_edges, span } = jumping;
        let source = connected.source;
        self.check_shapes(source, target)?;
        let Some((_, state, _)) = states.iter().find(|s| s.0 == target).copied() else { return Ok(()) };
        let (spike, factor) = match through_edges {
            None => (self.event_leaf(source), None),
            Some((event, units)) => {
                let (happens, space) = (self.event_leaf(event), self.units(source));
                let name = format!("{}<-{}", self.name(source), self.name(event));
                let value = match self.values[&source] {
                    Value::Real(value) => value,
                    Value::Complex(..) => {
                        let name = self.variable(target).name.clone();
                        let declared = self.variable(target).span;
                        return Err(crate::diagnostic::lower::complex_into_real(&name, span, declared).into());
                    }
                };
                (self.system.take(&name, happens, space, units), Some(value))
            }
        };
        let target_name = self.name(target);
        let name = format!("{target_name}<-{}", self.name(source));
        let from = match factor {
            Some(factor) => self.system.graph.space(spike).max(self.system.graph.space(factor)),
            None => self.system.graph.space(spike),
        };
        let (to, length) = (self.space(target), self.variable(target).length);
        debug_assert!(length.is_none(), "an event is single, and both ends have one shape");
        let add = |lowering: &mut Self, through, delay| {
            lowering.system.jumps.push(Jump { state, spike, factor, through, delay });
        };
        let steps = |delay: Delay| match delay {
            Delay::Steps(steps) => Ok(steps),
            Delay::Gamma { .. } => Err(Diagnostics::from(fault::spread_of_jump(&target_name, span))),
        };
        match &connected.entries {
            Entries::All { sources, weight, delay, .. } => {
                let delay = steps(*delay)?;
                let connection = self.all_connection(&name, from, sources.clone(), *weight);
                add(self, Through::Connection(connection), delay);
            }
            Entries::Convolved { .. } => unreachable!("connections to states are listed, see `convolved`"),
            Entries::Sparse(sparse) => {
                for (delay, rows) in sparse.by_delay() {
                    let delay = steps(delay)?;
                    let fanout = Fanout::new(&name, (from, to), rows.starts, rows.units, rows.weights);
                    let fanout = self.system.add_fanout(fanout);
                    add(self, Through::Fanout(fanout), delay);
                }
            }
            Entries::Each(entries) => {
                let mut kinds = Vec::new();
                for (delay, entries) in by_delay(entries) {
                    kinds.push((steps(delay)?, entries));
                }
                kinds.sort_by_key(|k| k.0);
                for (delay, entries) in kinds {
                    for through in self.through(&name, from, to, &entries) {
                        add(self, through, delay);
                    }
                }
            }
        }
        Ok(())
    }

    /// What leads from the sources to the targets: one number after the other between scalars, else connections.
    fn through(&mut self, name: &str, from: SpaceId, to: SpaceId, entries: &[Entry]) -> Vec<Through> {
        if from == SpaceId::SCALAR && to == SpaceId::SCALAR {
            let weights = entries
                .iter()
                .map(|e| Through::Weight(self.system.add_parameter(name, SpaceId::SCALAR, Values::Uniform(e.weight))));
            return weights.collect();
        }
        if from == SpaceId::SCALAR || to == SpaceId::SCALAR {
            return vec![Through::Connection(self.connection(name, from, to, entries))];
        }
        let mut entries = entries.to_vec();
        entries.sort_by_key(|e| e.source);
        let starts: Vec<u32> =
            (0..=self.system.size(from)).map(|j| entries.partition_point(|e| (e.source as usize) < j) as u32).collect();
        let targets: Vec<u32> = entries.iter().map(|e| e.target).collect();
        let weights = Values::from_each(entries.iter().map(|e| e.weight).collect());
        let fanout = Fanout::new(name, (from, to), starts, targets, weights);
        vec![Through::Fanout(self.system.add_fanout(fanout))]
    }

    /// 1 where an event happens in this step.
    fn event_leaf(&mut self, event: GroupVariable) -> ExprId {
        let units = self.units(event);
        self.system.graph.add(Op::Event(self.events[&event]), Vec::new(), units)
    }

    /// Events that are tested at the same moment may not need each other.
    fn check_event_cycles(&self) -> Result<()> {
        let needs = self.system.event_needs();
        let mut marks = vec![0u8; needs.len()];
        for root in 0..needs.len() {
            let mut path: Vec<(usize, usize)> = vec![(root, 0)];
            while let Some((event, next)) = path.last_mut() {
                let event = *event;
                marks[event] = marks[event].max(1);
                match needs[event].get(*next) {
                    None => {
                        marks[event] = 2;
                        path.pop();
                    }
                    Some(need) => {
                        *next += 1;
                        let need = need.index();
                        match marks[need] {
                            0 => path.push((need, 0)),
                            1 => {
                                let start = path.iter().position(|(e, _)| *e == need).unwrap_or(0);
                                let cycle: Vec<usize> = path[start..].iter().map(|(e, _)| *e).collect();
                                return Err(self.event_cycle(&cycle).into());
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn event_cycle(&self, cycle: &[usize]) -> crate::diagnostic::Diagnostic {
        let names: Vec<String> = cycle.iter().map(|e| self.system.events[*e].name.clone()).collect();
        let place = self.events.iter().find(|(_, id)| id.index() == cycle[0]).map(|(at, _)| self.variable(*at).span);
        fault::event_cycle(&names, place.unwrap_or(Span::NOWHERE))
    }
}

/// Whether a function gives 1 or 0.
fn is_condition(name: &str) -> bool {
    matches!(name, "lt" | "le" | "gt" | "ge" | "eq" | "ne" | "and" | "or" | "not")
}

#[cfg(test)]
mod tests {
    use super::is_condition;
    use crate::ir::prim;

    #[test]
    fn the_names_of_conditions_are_functions() {
        for name in ["lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"] {
            assert!(is_condition(name) && prim::table().any(|p| p.name == name), "{name}");
        }
    }
}
