//! Events: writes out what they do in a step, so that the passes after this one see expressions only.
//!
//! What happens in a step, in this order:
//!
//! 1. states advance by the scheme; states that an event holds during its refractory time keep their value;
//! 2. events are tested: on the new state, or, with the order `before`, on the state at the start of the step;
//! 3. states jump where events send them something, unless they are held;
//! 4. events reset states; all right sides of an event see what holds before its resets, and the second event of an
//!    operator sees what the first one left.
//!
//! Two hidden states are added where they are needed: `NAME.refractory`, the number of further steps in which the event
//! cannot happen, and `NAME.happened`, whether it happened in the last step.

use std::collections::{HashMap, HashSet};

use super::{Step, discretise};
use crate::ir::event::{Affected, Through};
use crate::ir::expr::{EventId, ExprGraph, ExprId, HistoryId, Op, StateId};
use crate::ir::prim::arith;
use crate::ir::system::{System, Values};
use crate::template::Order;

/// Writes out the events of a step whose states have been advanced by the scheme.
pub fn events(mut step: Step) -> Step {
    step.pre_history = step.system.histories.iter().map(|h| h.value).collect();
    if step.system.events.is_empty() {
        return step;
    }
    let countdowns = countdowns(&mut step);
    let mut next = step.next.clone();
    hold(&mut step.system, &countdowns, &mut next);
    let new = next.clone();
    let conditions = conditions(&mut step.system, &countdowns, &new);
    if !step.system.jumps.is_empty() {
        jump(&mut step.system, &new, &mut next);
        hold(&mut step.system, &countdowns, &mut next);
    }
    reset(&mut step.system, &mut next);
    for (event, countdown) in countdowns.iter().enumerate() {
        if let Some((state, left)) = *countdown {
            next[state.index()] = count_down(&mut step.system, event, left, &new);
        }
    }
    step.next = next;
    settle(&mut step, conditions);
    step
}

/// The number of steps left of each refractory time: a state and the expression that reads it.
fn countdowns(step: &mut Step) -> Vec<Option<(StateId, ExprId)>> {
    let events = 0..step.system.events.len();
    let add = |at: usize| {
        let event = &step.system.events[at];
        event.refractory?;
        let (name, space) = (format!("{}.refractory", event.name), event.space);
        let (state, left) = step.system.add_state(name, space, Values::Uniform(0.0));
        step.next.push(left);
        Some((state, left))
    };
    events.map(add).collect()
}

/// States that are held in their refractory time keep their value.
fn hold(system: &mut System, countdowns: &[Option<(StateId, ExprId)>], next: &mut [ExprId]) {
    for (event, countdown) in countdowns.iter().enumerate() {
        let Some((_, left)) = *countdown else { continue };
        let zero = system.graph.constant(0.0);
        let waiting = system.graph.call(&arith::GT, &[left, zero]);
        for affected in system.events[event].held.clone() {
            let now = &mut next[affected.state.index()];
            *now = choose(system, affected, waiting, None, *now);
        }
    }
}

/// `then` where an event's flag is set, or without it the value at the start of the step; `otherwise` elsewhere.
fn choose(system: &mut System, affected: Affected, flag: ExprId, then: Option<ExprId>, otherwise: ExprId) -> ExprId {
    let space = system.states[affected.state.index()].space;
    let flag = system.graph.repeated(flag, affected, space);
    let then = then.unwrap_or_else(|| system.graph.add(Op::State(affected.state), Vec::new(), space));
    system.graph.call(&arith::SELECT, &[flag, then, otherwise])
}

/// What expressions of the state at the start of a step are at its end, when the states are `next`.
fn at_the_end(system: &mut System, of: &[ExprId], next: &[ExprId]) -> HashMap<ExprId, ExprId> {
    if of.is_empty() {
        return HashMap::new();
    }
    discretise::seen_from(system, of, next, 1.0, |graph, node| match node.op {
        Op::Happened(id) => Some(graph.add(Op::Event(id), Vec::new(), node.space)),
        _ => None,
    })
}

/// Whether each event happens, in terms of other events.
fn conditions(system: &mut System, countdowns: &[Option<(StateId, ExprId)>], new: &[ExprId]) -> Vec<ExprId> {
    let whens: Vec<ExprId> = system.events.iter().map(|e| e.when).collect();
    let after: Vec<ExprId> = system.events.iter().filter(|e| e.order == Order::After).map(|e| e.when).collect();
    let image = at_the_end(system, &after, new);
    let zero = system.graph.constant(0.0);
    let each = whens.iter().zip(countdowns).enumerate().map(|(at, (when, countdown))| {
        let when = if system.events[at].order == Order::After { image[when] } else { *when };
        let Some((_, left)) = *countdown else { return when };
        let free = system.graph.call(&arith::LE, &[left, zero]);
        system.graph.call(&arith::AND, &[when, free])
    });
    each.collect()
}

/// States jump where events send them something.
fn jump(system: &mut System, new: &[ExprId], next: &mut [ExprId]) {
    let jumps = system.jumps.clone();
    let factors: Vec<ExprId> = jumps.iter().filter_map(|j| j.factor).collect();
    let image = at_the_end(system, &factors, new);
    let mut histories: HashMap<ExprId, HistoryId> = HashMap::new();
    for jump in jumps {
        let mut sent = match jump.factor {
            Some(factor) => system.graph.product(jump.spike, image[&factor]),
            None => jump.spike,
        };
        if jump.delay > 0 {
            let history = *histories.entry(sent).or_insert_with(|| {
                let name = format!("{}.events_{}", system.states[jump.state.index()].name, system.histories.len());
                let history = system.add_history(name, system.graph.space(sent));
                system.histories[history.index()].value = sent;
                history
            });
            sent = system.past(history, jump.delay);
        }
        let base = next[jump.state.index()];
        if let Through::Fanout(fanout) = jump.through {
            // What is sent later holds event and factor in one.
            let args = match jump.factor {
                Some(_) if jump.delay > 0 => vec![base, sent, sent],
                Some(factor) => vec![base, jump.spike, image[&factor]],
                None => vec![base, sent],
            };
            let target = system.fanouts[fanout.index()].target;
            next[jump.state.index()] = system.graph.add(Op::Deliver(fanout), args, target);
            continue;
        }
        let amount = match jump.through {
            Through::Weight(weight) => system.graph.product(weight, sent),
            Through::Connection(connection) => {
                let target = system.connections[connection.index()].target;
                system.graph.add(Op::Couple(connection), vec![sent], target)
            }
            Through::Fanout(_) => unreachable!("delivered above"),
        };
        next[jump.state.index()] = system.graph.sum(base, amount);
    }
}

/// Events reset states: the first event of every operator, then the second of every operator, and so on.
fn reset(system: &mut System, next: &mut [ExprId]) {
    let last = system.events.iter().map(|e| e.rank).max().unwrap_or(0);
    for rank in 0..=last {
        let of_rank = system.events.iter().enumerate().filter(|(_, e)| e.rank == rank);
        let resets: Vec<(usize, Affected, ExprId)> =
            of_rank.flat_map(|(at, e)| e.resets.iter().map(move |(affected, value)| (at, *affected, *value))).collect();
        let values: Vec<ExprId> = resets.iter().map(|r| r.2).collect();
        let image = at_the_end(system, &values, next);
        for (at, affected, value) in resets {
            let event = system.events[at].space;
            let happens = system.graph.add(Op::Event(EventId(at as u32)), Vec::new(), event);
            let now = &mut next[affected.state.index()];
            *now = choose(system, affected, happens, Some(image[&value]), *now);
        }
    }
}

/// The steps left after this one: one less than the refractory time after an event, else one less than before it.
fn count_down(system: &mut System, event: usize, left: ExprId, new: &[ExprId]) -> ExprId {
    let (steps, space) = match system.events[event].refractory {
        Some(steps) => (at_the_end(system, &[steps], new)[&steps], system.events[event].space),
        None => return left,
    };
    let graph = &mut system.graph;
    let (zero, one) = (graph.constant(0.0), graph.constant(1.0));
    let happens = graph.add(Op::Event(EventId(event as u32)), Vec::new(), space);
    let (begin, less) = (graph.difference(steps, one), graph.difference(left, one));
    let less = graph.call(&arith::MAX, &[less, zero]);
    graph.call(&arith::SELECT, &[happens, begin, less])
}

/// Replaces all that stands for an event by what it is.
fn settle(step: &mut Step, conditions: Vec<ExprId>) {
    // Histories that jumps have added are among them now.
    step.pre_history = step.system.histories.iter().map(|h| h.value).collect();
    let mut roots = step.roots();
    roots.extend(&conditions);
    let read: HashSet<EventId> = (step.system.graph.reachable(roots).into_iter())
        .filter_map(|id| match step.system.graph.node(id).op {
            Op::Happened(event) => Some(event),
            _ => None,
        })
        .collect();
    let count = step.system.events.len() as u32;
    let mut flags: HashMap<EventId, ExprId> = HashMap::new();
    for event in (0..count).map(EventId).filter(|e| read.contains(e)) {
        let (name, space) = (format!("{}.happened", step.system.events[event.index()].name), space_of(step, event));
        let (_, flag) = step.system.add_state(name, space, Values::Uniform(0.0));
        let happens = step.system.graph.add(Op::Event(event), Vec::new(), space);
        step.next.push(happens);
        flags.insert(event, flag);
    }

    // Before time 0 nothing happened.
    let zero = step.system.graph.constant(0.0);
    let never: Vec<ExprId> = (0..count).map(|e| step.system.everywhere(zero, space_of(step, EventId(e)))).collect();
    let image = step.system.graph.rewrite(step.pre_history.iter().copied(), |_, node| match node.op {
        Op::Event(event) | Op::Happened(event) => Some(never[event.index()]),
        _ => None,
    });
    step.pre_history.iter_mut().for_each(|id| *id = image[id]);

    let spikes = resolved(&mut step.system, conditions, &flags);
    let mut recorded: Vec<EventId> = step.system.recorded.iter().map(|r| r.event).collect();
    recorded.sort_unstable();
    recorded.dedup();
    step.spikes = recorded.into_iter().map(|event| (event, spikes[event.index()])).collect();
    step.rewrite(|_, node| replacement(node.op, &spikes, &flags));
}

fn space_of(step: &Step, event: EventId) -> crate::ir::expr::SpaceId {
    step.system.events[event.index()].space
}

fn replacement(op: Op, spikes: &[ExprId], flags: &HashMap<EventId, ExprId>) -> Option<ExprId> {
    match op {
        Op::Event(event) => Some(spikes[event.index()]),
        Op::Happened(event) => flags.get(&event).copied(),
        _ => None,
    }
}

/// The conditions with the events they need put in. Lowering has refused events that need each other.
fn resolved(system: &mut System, conditions: Vec<ExprId>, flags: &HashMap<EventId, ExprId>) -> Vec<ExprId> {
    let mut spikes = conditions.clone();
    let mut left: Vec<usize> = (0..conditions.len()).collect();
    let needs: Vec<Vec<usize>> = conditions.iter().map(|c| events_in(&system.graph, *c)).collect();
    let mut done = vec![false; conditions.len()];
    while !left.is_empty() {
        let (ready, waiting): (Vec<usize>, Vec<usize>) =
            left.iter().partition(|at| needs[**at].iter().all(|need| done[*need]));
        debug_assert!(!ready.is_empty(), "events that need each other are refused");
        if ready.is_empty() {
            break;
        }
        let roots: Vec<ExprId> = ready.iter().map(|at| conditions[*at]).collect();
        let image = system.graph.rewrite(roots, |_, node| replacement(node.op, &spikes, flags));
        for at in ready {
            spikes[at] = image[&conditions[at]];
            done[at] = true;
        }
        left = waiting;
    }
    spikes
}

/// The events of this step that an expression reads.
fn events_in(graph: &ExprGraph, expr: ExprId) -> Vec<usize> {
    let read = graph.reachable([expr]).into_iter().filter_map(|id| match graph.node(id).op {
        Op::Event(event) => Some(event.index()),
        _ => None,
    });
    read.collect()
}
