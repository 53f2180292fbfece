//! Deliveries: they add to a buffer that their base was stored in before.
//!
//! Deliveries that feed nothing but the next one form a chain on one buffer. A chain that ends in the next value of a state
//! and in nothing else works on the state's own buffer, after all other kernels of the phase, so that nothing is copied.

use std::collections::{HashMap, HashSet};

use super::{Root, Scheduler, crosses};
use crate::ir::expr::{ExprId, Op, SpaceId};
use crate::kernel::ir::{Body, BufferId, BufferRole};

/// What the deliveries of a phase are made of.
#[derive(Default)]
pub(super) struct Chains {
    /// Deliveries that only feed the next one.
    links: HashSet<ExprId>,
    /// Chains that work on the buffers of states after all other kernels, by their last delivery.
    pub last: Vec<(ExprId, BufferRole)>,
    /// Where the last chains find their spikes and factors.
    arguments: HashMap<(ExprId, SpaceId), BufferId>,
}

/// How a kernel that crosses elements gets an operand.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Demand {
    /// From a buffer as it is.
    Source,
    /// From the buffer that the kernel adds to.
    Base(SpaceId),
    /// From a buffer with an element for each of an index set.
    Argument(SpaceId),
}

impl Scheduler<'_> {
    /// Finds the chains of a phase, and what takes the place of the roots that are delivered last: their bases, spikes and
    /// factors.
    pub(super) fn chains(&mut self, roots: &[Root]) -> (Chains, Vec<Root>) {
        let mut uses: HashMap<ExprId, u32> = HashMap::new();
        let mut bases: HashMap<ExprId, u32> = HashMap::new();
        for id in self.graph.reachable(roots.iter().map(|r| r.1)) {
            let node = self.graph.node(id);
            node.args.iter().for_each(|a| *uses.entry(*a).or_default() += 1);
            if matches!(node.op, Op::Deliver(_)) {
                *bases.entry(node.args[0]).or_default() += 1;
            }
        }
        roots.iter().for_each(|r| *uses.entry(r.1).or_default() += 1);
        let delivers = |id: ExprId| matches!(self.graph.node(id).op, Op::Deliver(_)) && !self.hoisted.contains_key(&id);
        let once = |id: &ExprId| uses[id] == 1 && delivers(*id);
        let links = bases.keys().filter(|id| once(id)).copied().collect();
        let mut chains = Chains { links, ..Chains::default() };
        let in_place = |root: &Root| {
            let BufferRole::State(state) = root.0 else { return false };
            once(&root.1) && self.graph.space(root.1) == self.system.states[state.index()].space
        };
        chains.last = roots.iter().filter(|r| in_place(r)).map(|r| (r.1, r.0)).collect();

        let mut wanted = Vec::new();
        for root in roots {
            wanted.push(if in_place(root) { (root.0, self.operands(&chains, root.1)[0].0) } else { *root });
        }
        for (end, _) in chains.last.clone() {
            for (value, demand) in self.operands(&chains, end) {
                let Demand::Argument(space) = demand else { continue };
                let fits = self.graph.space(value) == space;
                let kept = |role: BufferRole| matches!(role, BufferRole::State(_) | BufferRole::Event(_));
                let stored = wanted.iter().find(|r| fits && r.1 == value && kept(r.0));
                let steady = !matches!(self.graph.node(value).op, Op::State(_));
                let buffer = match (self.source(value).filter(|_| fits && steady), stored) {
                    (Some(buffer), _) => buffer,
                    // The state or the flags have this value when the last deliveries are made.
                    (None, Some(state)) if chains.last.iter().all(|l| l.1 != state.0) => self.buffers[&state.0],
                    _ => {
                        let root = (BufferRole::Argument(value, space), value);
                        if !wanted.contains(&root) {
                            wanted.push(root);
                        }
                        self.argument(value, space)
                    }
                };
                chains.arguments.insert((value, space), buffer);
            }
        }
        (chains, wanted)
    }

    /// The operands of a kernel that crosses elements; for a delivery those of its chain.
    pub(super) fn operands(&self, chains: &Chains, id: ExprId) -> Vec<(ExprId, Demand)> {
        let node = self.graph.node(id);
        match node.op {
            Op::CouplePast { history, .. } => {
                let space = self.system.histories[history.index()].space;
                node.args.iter().map(|a| (*a, Demand::Argument(space))).collect()
            }
            Op::Deliver(fanout) => {
                let fanout = &self.system.fanouts[fanout.index()];
                let mut operands = match chains.links.contains(&node.args[0]) {
                    true => self.operands(chains, node.args[0]),
                    false => vec![(node.args[0], Demand::Base(fanout.target))],
                };
                operands.extend(node.args[1..].iter().map(|a| (*a, Demand::Argument(fanout.source))));
                operands
            }
            _ => node.args.iter().map(|a| (*a, Demand::Source)).collect(),
        }
    }

    /// How many levels before a kernel that crosses elements its operand must be there: two if another kernel has to put
    /// it where it is demanded.
    pub(super) fn distance(&self, operand: ExprId, demand: Demand) -> u32 {
        let node = self.graph.node(operand);
        match demand {
            Demand::Source => 1,
            Demand::Base(space) => 1 + u32::from(node.space != space || crosses(node.op)),
            Demand::Argument(space) => 1 + u32::from(node.space != space),
        }
    }

    /// Whether an operand must be stored by a kernel one level before it is demanded.
    pub(super) fn is_placed(&self, operand: ExprId, demand: Demand) -> bool {
        match demand {
            Demand::Source => false,
            Demand::Base(_) => true,
            Demand::Argument(space) => {
                self.graph.space(operand) != space || (self.at_hand(operand) && self.source(operand).is_none())
            }
        }
    }

    /// The buffer that holds a value at every element of an index set.
    pub(super) fn argument(&mut self, value: ExprId, space: SpaceId) -> BufferId {
        self.buffer(BufferRole::Argument(value, space), &format!("argument_{}_{}", value.0, space.0), space)
    }

    /// The kernels of a chain that adds to `target`; `place` says where spikes and factors are.
    pub(super) fn chain_kernels(
        &mut self,
        chains: &Chains,
        (phase, end): (&str, ExprId),
        target: BufferId,
        place: &dyn Fn(&Self, ExprId, SpaceId) -> BufferId,
    ) -> Vec<usize> {
        let node = self.graph.node(end).clone();
        let Op::Deliver(fanout) = node.op else { unreachable!("a chain is made of deliveries") };
        let mut kernels = match chains.links.contains(&node.args[0]) {
            true => self.chain_kernels(chains, (phase, node.args[0]), target, place),
            false => Vec::new(),
        };
        let (fanout, system) = (fanout.index(), self.system);
        let source = system.fanouts[fanout].source;
        let spikes = place(self, node.args[1], source);
        let factor = node.args.get(2).map(|factor| place(self, *factor, source));
        let name = format!("{phase} {}", system.fanouts[fanout].name);
        kernels.push(self.push_kernel(&name, node.space, Body::Deliver { fanout, spikes, factor, target }));
        kernels
    }

    /// The kernels of the chains that come last.
    pub(super) fn last_kernels(&mut self, chains: &Chains, phase: &str) -> Vec<usize> {
        let mut kernels = Vec::new();
        for (end, role) in &chains.last {
            let target = self.buffers[role];
            let place = |_: &Self, value: ExprId, space: SpaceId| chains.arguments[&(value, space)];
            kernels.extend(self.chain_kernels(chains, (phase, *end), target, &place));
        }
        kernels
    }
}
