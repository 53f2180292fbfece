//! Scheduling: partitions the expressions of a step into kernels and gives values that cross kernels a buffer.
//!
//! What depends on parameters and the step size only is computed once, by the setup phase. The kernels of each phase are
//! made in [`phase`].

mod delivery;
mod phase;

use std::collections::{HashMap, HashSet};

use super::Step;
use crate::ir::expr::{ExprGraph, ExprId, HistoryId, Op, SpaceId, StateId};
use crate::ir::system::{Mark, System};
use crate::kernel::ir::{Buffer, BufferId, BufferRole, Module, Precision};
use crate::kernel::layout::history_passes;
use crate::template::Order;

/// Makes the module of a step.
pub fn schedule(step: Step, precision: Precision) -> Module {
    let roots = step.roots();
    let mut scheduler = Scheduler::new(&step.system, precision);
    scheduler.allocate(&step, &roots);
    let setup = scheduler.hoist(&roots);

    let states = step.next.iter().enumerate().map(|(i, e)| (BufferRole::State(StateId(i as u32)), *e));
    let histories = step.system.histories.iter().enumerate();
    let histories: Vec<_> = histories.map(|(i, h)| (BufferRole::History(HistoryId(i as u32)), h.value)).collect();
    let pre_history = step.pre_history.iter().enumerate();
    let pre_history: Vec<_> = pre_history.map(|(i, e)| (BufferRole::History(HistoryId(i as u32)), *e)).collect();
    let spikes = step.spikes.iter().map(|(event, e)| (BufferRole::Event(*event), *e));
    let observables = step.observables.iter().enumerate();
    let observables: Vec<_> = observables.map(|(i, o)| (BufferRole::Observed(i as u32), o.value)).collect();

    scheduler.module.setup = scheduler.phase("setup", &setup);
    scheduler.hoisted = setup.iter().map(|(role, id)| (*id, scheduler.buffers[role])).collect();
    scheduler.module.remember = scheduler.phase("remember", &pre_history);
    scheduler.module.step = scheduler.phase("step", &states.chain(histories).chain(spikes).collect::<Vec<_>>());
    scheduler.module.observe = scheduler.phase("observe", &observables);
    let mut module = scheduler.module;
    module.history_passes = history_passes(&step.system.graph, &step.system.histories);
    debug_assert_eq!(crate::kernel::verify::verify(&module), Ok(()));
    module
}

/// A value to be computed, and the buffer it goes to.
type Root = (BufferRole, ExprId);

struct Scheduler<'a> {
    system: &'a System,
    graph: &'a ExprGraph,
    module: Module,
    /// Buffer of each role.
    buffers: HashMap<BufferRole, BufferId>,
    /// Expressions that the setup phase has put into buffers; empty while that phase itself is made.
    hoisted: HashMap<ExprId, BufferId>,
    /// The values of equations.
    marks: HashMap<ExprId, &'a Mark>,
}

impl<'a> Scheduler<'a> {
    fn new(system: &'a System, precision: Precision) -> Scheduler<'a> {
        let module = Module {
            tables: system.tables.iter().map(|t| t.indices.clone()).collect(),
            connections: system.connections.clone(),
            convolutions: system.convolutions.clone(),
            fanouts: system.fanouts.clone(),
            ..Module::empty(system.name.clone(), precision)
        };
        // The first of several equations with one value stands for all.
        let marks = system.marks.iter().rev().map(|mark| (mark.value, mark)).collect();
        let (buffers, hoisted) = (HashMap::new(), HashMap::new());
        Scheduler { system, graph: &system.graph, module, buffers, hoisted, marks }
    }

    /// The buffer with this role, made on first use.
    fn buffer(&mut self, role: BufferRole, name: &str, space: SpaceId) -> BufferId {
        *self.buffers.entry(role).or_insert_with(|| {
            self.module.buffers.push(Buffer { name: name.to_string(), role, len: self.system.size(space) });
            BufferId(self.module.buffers.len() as u32 - 1)
        })
    }

    /// Makes the buffers of all states, of the parameters and inputs that are read, of histories and observables.
    fn allocate(&mut self, step: &Step, roots: &[ExprId]) {
        for (i, state) in self.system.states.iter().enumerate() {
            let id = self.buffer(BufferRole::State(StateId(i as u32)), &state.name, state.space);
            self.module.initial.push((id, state.initial.clone()));
        }
        for id in self.graph.reachable(roots.iter().copied()) {
            match self.graph.node(id).op {
                Op::Parameter(p) => {
                    let parameter = &self.system.parameters[p.index()];
                    let buffer = self.buffer(BufferRole::Parameter(p), &parameter.name, parameter.space);
                    self.module.initial.push((buffer, parameter.values.clone()));
                }
                Op::Input(i) => {
                    let input = &self.system.inputs[i.index()];
                    let buffer = self.buffer(BufferRole::Input(i), &input.name, input.space);
                    self.module.inputs.push((buffer, input.clone()));
                }
                Op::Random(r) => {
                    let random = &self.system.randoms[r.index()];
                    let buffer = self.buffer(BufferRole::Random(r), &random.name, random.space);
                    self.module.randoms.push((buffer, random.clone()));
                }
                _ => {}
            }
        }
        for (i, history) in self.system.histories.iter().enumerate() {
            let id = self.buffer(BufferRole::History(HistoryId(i as u32)), &history.name, history.space);
            self.module.histories.push((id, history.clone()));
        }
        for recorded in &self.system.recorded {
            let event = &self.system.events[recorded.event.index()];
            let buffer = self.buffer(BufferRole::Event(recorded.event), &event.name, event.space);
            let delay = u64::from(event.order == Order::After);
            self.module.events.push((buffer, recorded.clone(), delay));
        }
        for (i, observable) in step.observables.iter().enumerate() {
            let space = self.graph.space(observable.value);
            self.buffer(BufferRole::Observed(i as u32), &observable.name, space);
        }
    }

    /// The largest expressions that depend on parameters and the step size only, with the buffers they are kept in.
    fn hoist(&mut self, roots: &[ExprId]) -> Vec<Root> {
        let mut invariant: HashSet<ExprId> = HashSet::new();
        let mut wanted: Vec<ExprId> = Vec::new();
        for id in self.graph.reachable(roots.iter().copied()) {
            let node = self.graph.node(id);
            let steady = match node.op {
                Op::Constant(_) | Op::Parameter(_) | Op::StepSize => true,
                Op::Call(_) | Op::Take(_) | Op::Couple(_) | Op::Convolve(_) | Op::Deliver(_) => {
                    node.args.iter().all(|a| invariant.contains(a))
                }
                Op::Time | Op::State(_) | Op::Input(_) | Op::Random(_) => false,
                Op::Past { .. } | Op::CouplePast { .. } => false,
                Op::Event(_) | Op::Happened(_) => unreachable!("events are written out before"),
            };
            if steady {
                invariant.insert(id);
            } else {
                wanted.extend(node.args.iter().filter(|a| invariant.contains(a)));
            }
        }
        wanted.extend(roots.iter().filter(|r| invariant.contains(r)));
        wanted.retain(|id| !is_leaf(self.graph.node(*id).op));
        wanted.sort_unstable();
        wanted.dedup();
        let hoisted = wanted.into_iter().enumerate().map(|(i, id)| {
            let role = BufferRole::Derived(id);
            let name = self.marks.get(&id).map_or_else(|| format!("derived_{i}"), |mark| mark.name.clone());
            self.buffer(role, &name, self.graph.space(id));
            (role, id)
        });
        hoisted.collect()
    }
}

/// Whether an expression is computed where it is used, from a buffer or from nothing.
fn is_leaf(op: Op) -> bool {
    !matches!(op, Op::Call(_)) && !crosses(op)
}

/// Whether an operation takes values from other elements, so that it is a kernel of its own.
fn crosses(op: Op) -> bool {
    matches!(op, Op::Take(_) | Op::Couple(_) | Op::Convolve(_) | Op::CouplePast { .. } | Op::Deliver(_))
}
