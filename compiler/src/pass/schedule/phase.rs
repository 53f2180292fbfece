//! The kernels of one phase.
//!
//! Every expression gets a level, as late as its users allow; users come a level later where the value crosses from one
//! index set to another or goes through a coupling. One kernel computes all pointwise expressions of one level and index
//! set; a take or a coupling is a kernel of its own. What the phase is for is stored by the kernels of the last level,
//! arrays before scalars, so that everything else reads the state the phase started from. Deliveries onto states follow
//! ([`super::delivery`]).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::delivery::{Chains, Demand};
use super::{Root, Scheduler, crosses, is_leaf};
use crate::ir::expr::{ExprId, Op, SpaceId};
use crate::kernel::ir::{Body, BufferId, BufferRole, Index, Kernel, Named, Stmt, ValueId, ValueOp};

/// A phase being scheduled.
struct Plan {
    /// Expressions to compute, ascending.
    needed: Vec<ExprId>,
    /// Level of each of them.
    level: HashMap<ExprId, u32>,
    /// The last level.
    last: u32,
    /// Expressions read by another kernel than the one that computes them, with their buffers.
    kept: HashMap<ExprId, BufferId>,
    /// Operands of kernels that cross elements, with the level they are put in their buffers at.
    placed: Vec<(u32, Root)>,
}

/// What a kernel is made for: expressions it computes, values it stores.
type Contents = (Vec<ExprId>, Vec<Root>);

impl Scheduler<'_> {
    /// Makes the kernels that compute `roots` into their buffers, and returns their indices in order.
    pub(super) fn phase(&mut self, name: &str, roots: &[Root]) -> Vec<usize> {
        let (chains, roots) = self.chains(roots);
        let roots = &roots[..];
        let plan = self.plan(&chains, roots);
        // Kernels by level; arrays before scalars, because array kernels read scalar states.
        let mut groups: BTreeMap<(u32, bool, SpaceId), Contents> = BTreeMap::new();
        let key = |level: u32, space: SpaceId| (level, space == SpaceId::SCALAR, space);
        for id in &plan.needed {
            groups.entry(key(plan.level[id], self.graph.space(*id))).or_default().0.push(*id);
        }
        let last = roots.iter().map(|root| (plan.last, *root));
        for (level, root) in plan.placed.iter().copied().chain(last) {
            groups.entry(key(level, self.root_space(&root))).or_default().1.push(root);
        }
        let mut order = Vec::new();
        for ((level, _, space), (ids, stores)) in groups {
            let mut keep: Vec<ExprId> = Vec::new();
            for id in ids {
                if self.crosses(id) {
                    order.extend(self.crossing_kernels(&plan, &chains, name, id));
                } else if plan.kept.contains_key(&id) {
                    keep.push(id);
                }
            }
            if !(keep.is_empty() && stores.is_empty()) {
                order.push(self.pointwise_kernel(&plan, &format!("{name} {level}"), (level, space), &keep, &stores));
            }
        }
        order.extend(self.last_kernels(&chains, name));
        order
    }

    fn plan(&mut self, chains: &Chains, roots: &[Root]) -> Plan {
        let needed = self.needed(chains, roots);
        let earliest = self.earliest(chains, &needed);
        let last = (needed.iter().map(|id| earliest[id] + u32::from(self.crosses(*id))))
            .chain(roots.iter().filter(|r| self.broadcasts(r)).map(|r| earliest.get(&r.1).map_or(0, |l| l + 1)))
            .max()
            .unwrap_or(0);

        // As late as possible, users before what they use. `direct` use needs no buffer.
        let mut level: HashMap<ExprId, u32> = HashMap::new();
        let mut kept: HashSet<ExprId> = HashSet::new();
        let is_needed: HashSet<ExprId> = needed.iter().copied().collect();
        let limit = |level: &mut HashMap<ExprId, u32>, id: ExprId, at: u32| {
            let entry = level.entry(id).or_insert(at);
            *entry = (*entry).min(at);
        };
        for root in roots.iter().filter(|r| is_needed.contains(&r.1)) {
            let direct = !self.crosses(root.1) && !self.broadcasts(root);
            limit(&mut level, root.1, if direct { last } else { last - 1 });
        }
        let mut placed: Vec<(u32, Root)> = Vec::new();
        for id in needed.iter().rev() {
            let at = level[id];
            if self.crosses(*id) {
                for (operand, demand) in self.operands(chains, *id) {
                    if is_needed.contains(&operand) {
                        limit(&mut level, operand, at - self.distance(operand, demand));
                    }
                    if self.is_placed(operand, demand) {
                        let role = match demand {
                            Demand::Argument(space) => BufferRole::Argument(operand, space),
                            _ => BufferRole::Scratch(*id),
                        };
                        placed.push((at - 1, (role, operand)));
                    }
                }
                continue;
            }
            for arg in self.graph.node(*id).args.iter().filter(|a| is_needed.contains(a)) {
                limit(&mut level, *arg, if self.direct(*arg, *id) { at } else { at - 1 });
            }
        }
        for id in &needed {
            if self.crosses(*id) {
                let operands =
                    self.operands(chains, *id).into_iter().filter(|(operand, _)| is_needed.contains(operand));
                // What is stored by the kernel that computes it needs no other buffer.
                let beside =
                    |operand: ExprId, demand| self.is_placed(operand, demand) && level[&operand] + 1 == level[id];
                kept.extend(
                    operands.filter(|(operand, demand)| !beside(*operand, *demand)).map(|(operand, _)| operand),
                );
                continue;
            }
            for arg in self.graph.node(*id).args.iter().filter(|a| is_needed.contains(a)) {
                if !self.direct(*arg, *id) || level[arg] != level[id] {
                    kept.insert(*arg);
                }
            }
        }
        kept.extend(needed.iter().filter(|id| self.crosses(**id)));
        kept.extend(roots.iter().filter(|r| level.get(&r.1).is_some_and(|l| *l < last)).map(|r| r.1));
        let mut kept: Vec<ExprId> = kept.into_iter().collect();
        kept.sort_unstable();
        let kept = kept.into_iter().map(|id| {
            let name = self.marks.get(&id).map_or_else(|| format!("scratch_{}", id.0), |mark| mark.name.clone());
            (id, self.buffer(BufferRole::Scratch(id), &name, self.graph.space(id)))
        });
        let kept = kept.collect();
        for (_, (role, _)) in &placed {
            if let BufferRole::Argument(value, space) = *role {
                self.argument(value, space);
            }
        }
        // Two kernels may want the same value in the same place; the earlier one serves both.
        placed.sort_unstable_by_key(|(at, root)| (root.1, *at));
        let mut known = HashSet::new();
        placed.retain(|(_, root)| !matches!(root.0, BufferRole::Argument(..)) || known.insert(root.0));
        Plan { needed, level, last, kept, placed }
    }

    /// What has to be computed for the roots, ascending.
    fn needed(&self, chains: &Chains, roots: &[Root]) -> Vec<ExprId> {
        let mut seen: HashSet<ExprId> = HashSet::new();
        let mut stack: Vec<ExprId> = roots.iter().map(|r| r.1).filter(|id| !self.at_hand(*id)).collect();
        while let Some(id) = stack.pop() {
            if seen.insert(id) {
                let operands = self.operands(chains, id).into_iter();
                // A coupling reads its argument from a buffer, so a leaf without one is computed into one.
                let from_buffer = |demand| self.crosses(id) && demand == Demand::Source;
                let computed = operands.filter(|(operand, demand)| {
                    !self.at_hand(*operand) || (from_buffer(*demand) && self.source(*operand).is_none())
                });
                stack.extend(computed.map(|(operand, _)| operand));
            }
        }
        let mut needed: Vec<ExprId> = seen.into_iter().collect();
        needed.sort_unstable();
        needed
    }

    /// The first level each expression could have.
    fn earliest(&self, chains: &Chains, needed: &[ExprId]) -> HashMap<ExprId, u32> {
        let mut earliest: HashMap<ExprId, u32> = HashMap::new();
        for id in needed {
            let own = if self.crosses(*id) {
                let operands = self.operands(chains, *id).into_iter();
                let after = operands.map(|(operand, demand)| match earliest.get(&operand) {
                    Some(level) => level + self.distance(operand, demand),
                    None => u32::from(self.is_placed(operand, demand)),
                });
                after.max()
            } else {
                let args = self.graph.node(*id).args.iter();
                args.filter_map(|a| Some(earliest.get(a)? + u32::from(!self.direct(*a, *id)))).max()
            };
            earliest.insert(*id, own.unwrap_or(0));
        }
        earliest
    }

    /// Whether `user` can compute with `arg` in the same kernel.
    fn direct(&self, arg: ExprId, user: ExprId) -> bool {
        let (arg, user) = (self.graph.node(arg), self.graph.node(user));
        matches!(arg.op, Op::Call(_)) && matches!(user.op, Op::Call(_)) && arg.space == user.space
    }

    /// Whether an expression takes its value from other elements.
    fn crosses(&self, id: ExprId) -> bool {
        crosses(self.graph.node(id).op)
    }

    /// Whether a root stores a computed scalar in an array.
    fn broadcasts(&self, root: &Root) -> bool {
        !self.at_hand(root.1) && self.graph.space(root.1) != self.root_space(root)
    }

    /// Whether a value is there before the phase starts, or made where it is used.
    pub(super) fn at_hand(&self, id: ExprId) -> bool {
        is_leaf(self.graph.node(id).op) || self.hoisted.contains_key(&id)
    }

    /// The index set of the buffer a root is stored in.
    fn root_space(&self, root: &Root) -> SpaceId {
        match root.0 {
            BufferRole::State(id) => self.system.states[id.index()].space,
            BufferRole::History(id) => self.system.histories[id.index()].space,
            BufferRole::Event(id) => self.system.events[id.index()].space,
            BufferRole::Argument(_, space) => space,
            BufferRole::Scratch(delivery) => self.graph.space(delivery),
            _ => self.graph.space(root.1),
        }
    }

    /// The buffer that holds an expression from before the phase on.
    pub(super) fn source(&self, id: ExprId) -> Option<BufferId> {
        let role = match self.graph.node(id).op {
            Op::State(s) => BufferRole::State(s),
            Op::Parameter(p) => BufferRole::Parameter(p),
            Op::Input(i) => BufferRole::Input(i),
            Op::Random(r) => BufferRole::Random(r),
            _ => return self.hoisted.get(&id).copied(),
        };
        self.buffers.get(&role).copied()
    }

    /// The kernel of a take or a coupling, the kernels of a chain of deliveries.
    fn crossing_kernels(&mut self, plan: &Plan, chains: &Chains, phase: &str, id: ExprId) -> Vec<usize> {
        let node = self.graph.node(id).clone();
        let target = plan.kept[&id];
        let held = |this: &Self, value: ExprId| {
            let buffer = plan.kept.get(&value).copied().or_else(|| this.source(value));
            buffer.expect("`plan` makes sure that what is demanded has a buffer")
        };
        let place = |this: &Self, value: ExprId, space: SpaceId| match this.is_placed(value, Demand::Argument(space)) {
            true => this.buffers[&BufferRole::Argument(value, space)],
            false => held(this, value),
        };
        let (name, body) = match node.op {
            Op::Deliver(_) => return self.chain_kernels(chains, (phase, id), target, &place),
            Op::CouplePast { connection, history } => {
                let connection = connection.index();
                let space = self.system.histories[history.index()].space;
                let current = node.args.first().map(|current| place(self, *current, space));
                let history = self.buffers[&BufferRole::History(history)];
                let body = Body::CouplePast { connection, history, current, target };
                (self.system.connections[connection].name.clone(), body)
            }
            Op::Take(table) => {
                let (table, source) = (table.index(), held(self, node.args[0]));
                (self.system.tables[table].name.clone(), Body::Take { table, source, target })
            }
            Op::Couple(connection) => {
                let (connection, source) = (connection.index(), held(self, node.args[0]));
                (self.system.connections[connection].name.clone(), Body::Couple { connection, source, target })
            }
            Op::Convolve(convolution) => {
                let (convolution, source) = (convolution.index(), held(self, node.args[0]));
                (self.system.convolutions[convolution].name.clone(), Body::Convolve { convolution, source, target })
            }
            _ => unreachable!("called for what crosses elements only"),
        };
        vec![self.push_kernel(&format!("{phase} {name}"), node.space, body)]
    }

    /// The kernel over `space` that computes `keep` into their buffers and `stores` into theirs.
    fn pointwise_kernel(
        &mut self,
        plan: &Plan,
        name: &str,
        (level, space): (u32, SpaceId),
        keep: &[ExprId],
        stores: &[Root],
    ) -> usize {
        let computed =
            |id: ExprId| plan.level.get(&id) == Some(&level) && self.graph.space(id) == space && !self.crosses(id);
        // What this kernel computes: the part of its level that its stores need.
        let mut body = Vec::new();
        let mut values: HashMap<ExprId, ValueId> = HashMap::new();
        let mut named: Vec<Named> = Vec::new();
        let mut stack: Vec<ExprId> = stores.iter().map(|r| r.1).chain(keep.iter().copied()).collect();
        let mut used: HashSet<ExprId> = HashSet::new();
        while let Some(id) = stack.pop() {
            if used.insert(id) && computed(id) {
                stack.extend(&self.graph.node(id).args);
            }
        }
        let mut used: Vec<ExprId> = used.into_iter().collect();
        used.sort_unstable();
        for id in used {
            let node = self.graph.node(id);
            let index =
                if node.space == SpaceId::SCALAR && space != SpaceId::SCALAR { Index::Zero } else { Index::Element };
            let op = match node.op {
                Op::Constant(bits) => ValueOp::Constant(f64::from_bits(bits)),
                Op::Time => ValueOp::Time,
                Op::StepSize => ValueOp::StepSize,
                Op::Past { history, steps } => {
                    let buffer = self.buffers[&BufferRole::History(history)];
                    ValueOp::Past { buffer, index, steps }
                }
                Op::Call(prim) if computed(id) => ValueOp::Call(prim, node.args.iter().map(|a| values[a]).collect()),
                _ => {
                    let kept = plan.kept.get(&id).copied();
                    let buffer = self.source(id).or(kept).expect("what crosses kernels is kept in a buffer");
                    ValueOp::Load { buffer, index }
                }
            };
            let value = ValueId(values.len() as u32);
            if let (ValueOp::Call(..), Some(mark)) = (&op, self.marks.get(&id)) {
                let (name, equation) = (mark.name.clone(), mark.equation.clone());
                named.push(Named { kernel: self.module.kernels.len(), value, name, equation });
            }
            values.insert(id, value);
            body.push(Stmt::Let(value, op));
        }
        for id in keep {
            body.push(Stmt::Store(plan.kept[id], values[id]));
        }
        for (role, id) in stores {
            body.push(Stmt::Store(self.buffers[role], values[id]));
        }
        self.module.named.extend(named);
        self.push_kernel(name, space, Body::Pointwise(body))
    }

    pub(super) fn push_kernel(&mut self, name: &str, space: SpaceId, body: Body) -> usize {
        let index = self.module.kernels.len();
        self.module.kernels.push(Kernel { name: format!("{name} #{index}"), extent: self.system.size(space), body });
        index
    }
}
