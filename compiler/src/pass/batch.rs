//! Batching: one step for many members, which differ in the values of parameters, initial states and weights.
//!
//! It comes after every decision about arithmetic, and only widens index sets: scalars that differ from member to member
//! get an index set with one element per member, and every array is repeated, member by member. So the numbers of a member
//! are those of a run of its own, bit for bit.

use std::collections::HashMap;
use std::sync::Arc;

use super::Step;
use crate::ir::event::Recorded;
use crate::ir::expr::{ConnectionId, ExprGraph, ExprId, FanoutId, Op, ParameterId, SpaceId, StateId, TableId};
use crate::ir::system::{Connection, Fanout, System, Table, Values};

/// A place that holds a value which members may have each their own of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Slot {
    /// The initial value of a state: one element, or all.
    State(StateId, Option<usize>),
    /// The value of a parameter: one element, or all.
    Parameter(ParameterId, Option<usize>),
    /// The weight of a connection: one entry, or all.
    Weight(ConnectionId, Option<usize>),
    /// The weight of a fanout: one entry, or all.
    Delivered(FanoutId, Option<usize>),
}

/// A value that differs between members.
#[derive(Clone, PartialEq, Debug)]
pub struct Variation {
    /// Where it is held.
    pub slots: Vec<Slot>,
    /// Its value for each member.
    pub values: Vec<f64>,
}

/// The places of a value, from two steps that were made with the values `a` and `b` in it and are the same otherwise.
/// `None` if more than values differs: then equations were made from the value.
pub fn slots((a, first): (f64, &Step), (b, second): (f64, &Step)) -> Option<Vec<Slot>> {
    if !same_structure(first, second) {
        return None;
    }
    let mut slots = Vec::new();
    let mut compare = |x: &Values, y: &Values, slot: &dyn Fn(Option<usize>) -> Slot| -> Option<()> {
        let is_value = |x: f64, y: f64| x.to_bits() == a.to_bits() && y.to_bits() == b.to_bits();
        match (x, y) {
            (Values::Uniform(x), Values::Uniform(y)) if x.to_bits() == y.to_bits() => {}
            (Values::Uniform(x), Values::Uniform(y)) if is_value(*x, *y) => slots.push(slot(None)),
            (Values::Each(x), Values::Each(y)) if x.len() == y.len() => {
                for (element, (x, y)) in x.iter().zip(&**y).enumerate().filter(|(_, (x, y))| x.to_bits() != y.to_bits())
                {
                    is_value(*x, *y).then(|| slots.push(slot(Some(element))))?;
                }
            }
            _ => return None,
        }
        Some(())
    };
    let (x, y) = (&first.system, &second.system);
    for (i, (x, y)) in x.states.iter().zip(&y.states).enumerate() {
        compare(&x.initial, &y.initial, &|e| Slot::State(StateId(i as u32), e))?;
    }
    for (i, (x, y)) in x.parameters.iter().zip(&y.parameters).enumerate() {
        compare(&x.values, &y.values, &|e| Slot::Parameter(ParameterId(i as u32), e))?;
    }
    for (i, (x, y)) in x.connections.iter().zip(&y.connections).enumerate() {
        compare(&x.weights, &y.weights, &|e| Slot::Weight(ConnectionId(i as u32), e))?;
    }
    for (i, (x, y)) in x.fanouts.iter().zip(&y.fanouts).enumerate() {
        compare(&x.weights, &y.weights, &|e| Slot::Delivered(FanoutId(i as u32), e))?;
    }
    Some(slots)
}

/// Whether two steps differ in values at most.
fn same_structure(a: &Step, b: &Step) -> bool {
    let (x, y) = (&a.system, &b.system);
    let nodes = |g: &ExprGraph| (0..g.len() as u32).map(|i| g.node(ExprId(i)).clone()).collect::<Vec<_>>();
    let entries = |s: &System| {
        let of = |c: &Connection| (c.source, c.target, c.starts.clone(), c.sources.clone(), c.delays.clone());
        s.connections.iter().map(of).collect::<Vec<_>>()
    };
    let sent = |s: &System| {
        let of = |f: &Fanout| (f.source, f.target, f.starts.clone(), f.targets.clone());
        s.fanouts.iter().map(of).collect::<Vec<_>>()
    };
    (&a.next, &a.observables, &x.histories) == (&b.next, &b.observables, &y.histories)
        && (&a.spikes, &a.pre_history, &x.recorded) == (&b.spikes, &b.pre_history, &y.recorded)
        && (&x.spaces, &x.tables, &x.inputs, &x.randoms) == (&y.spaces, &y.tables, &y.inputs, &y.randoms)
        && (x.states.len(), x.parameters.len()) == (y.states.len(), y.parameters.len())
        && x.parameters.iter().zip(&y.parameters).all(|(p, q)| p.space == q.space)
        && entries(x) == entries(y)
        && sent(x) == sent(y)
        && x.convolutions == y.convolutions
        && nodes(&x.graph) == nodes(&y.graph)
}

/// The step of `members` members side by side. With `shared` connections whose weights all members have are kept once.
pub fn batch(mut step: Step, members: usize, variations: &[Variation], shared: bool) -> Step {
    let sizes: Vec<usize> = step.system.spaces.iter().map(|s| s.size).collect();
    for space in step.system.spaces.iter_mut().skip(1) {
        space.size *= members;
    }
    let all = step.system.add_space("members", members);
    let lifted = |space: SpaceId| if space == SpaceId::SCALAR { all } else { space };
    let own = Own::new(members, variations);

    let system = &mut step.system;
    for (i, state) in system.states.iter_mut().enumerate() {
        let id = StateId(i as u32);
        own.repeat(&mut state.initial, sizes[state.space.index()], |e| Slot::State(id, e));
        state.space = lifted(state.space);
    }
    for (i, parameter) in system.parameters.iter_mut().enumerate() {
        let id = ParameterId(i as u32);
        let varied = own.repeat(&mut parameter.values, sizes[parameter.space.index()], |e| Slot::Parameter(id, e));
        if varied {
            parameter.space = lifted(parameter.space);
        }
    }
    for input in system.inputs.iter_mut().filter(|i| i.space != SpaceId::SCALAR) {
        input.columns = input.columns.repeat(members);
    }
    // Members share their noise, as runs of their own with one seed do.
    for random in system.randoms.iter_mut().filter(|r| r.space != SpaceId::SCALAR) {
        random.units = random.units.repeat(members).into();
    }
    for history in &mut system.histories {
        history.space = lifted(history.space);
    }
    let each = |member: usize| {
        let strides = system.events.iter().map(|e| sizes[e.space.index()]).collect::<Vec<usize>>();
        let recorded = system.recorded.iter();
        let recorded =
            recorded.map(move |r| Recorded { first: r.first + member * strides[r.event.index()], ..r.clone() });
        recorded.collect::<Vec<Recorded>>()
    };
    system.recorded = (0..members).flat_map(each).collect();
    for event in &mut system.events {
        event.space = lifted(event.space);
    }
    for table in &mut system.tables {
        let stride = sizes[table.source.index()] as u32;
        table.indices = offset(members, stride, &table.indices).collect();
        table.source = lifted(table.source);
    }
    widen(&mut step, &own, (&sizes, all), shared);
    step
}

/// Gives every expression that differs between members its index set.
fn widen(step: &mut Step, own: &Own<'_>, (sizes, all): (&[usize], SpaceId), shared: bool) {
    let members = own.members;
    let parameters: Vec<SpaceId> = step.system.parameters.iter().map(|p| p.space).collect();
    let histories: Vec<SpaceId> = step.system.histories.iter().map(|h| h.space).collect();
    let mut connections = step.system.connections.clone();
    for (i, connection) in connections.iter_mut().enumerate() {
        let entries = connection.sources.len();
        let id = ConnectionId(i as u32);
        let varied = own.values.keys().any(|slot| matches!(slot, Slot::Weight(of, _) if *of == id));
        if shared && !varied && connection.delays.is_none() {
            connection.members = members as u32;
        } else {
            own.repeat(&mut connection.weights, entries, |e| Slot::Weight(id, e));
            connection.starts = rows(members, &connection.starts);
            connection.delays = connection.delays.as_ref().map(|delays| delays.repeat(members).into());
        }
        if connection.target == SpaceId::SCALAR {
            connection.target = all;
        }
    }
    for convolution in &mut step.system.convolutions {
        convolution.members *= members as u32;
    }
    let mut fanouts = std::mem::take(&mut step.system.fanouts);
    for (i, fanout) in fanouts.iter_mut().enumerate() {
        own.repeat(&mut fanout.weights, fanout.targets.len(), |e| Slot::Delivered(FanoutId(i as u32), e));
        fanout.starts = rows(members, &fanout.starts);
        fanout.targets = offset(members, sizes_of(sizes, fanout.target), &fanout.targets).collect();
        for space in [&mut fanout.source, &mut fanout.target] {
            if *space == SpaceId::SCALAR {
                *space = all;
            }
        }
    }
    step.system.fanouts = fanouts;
    // Which connections have a source of their own for each member; a scalar that all share stays one element.
    let mut own_source: HashMap<ConnectionId, ConnectionId> = HashMap::new();
    let mut shared_source: HashMap<ConnectionId, ConnectionId> = HashMap::new();
    let mut used: Vec<Connection> = Vec::new();
    let ends: Vec<(SpaceId, SpaceId)> = step.system.fanouts.iter().map(|f| (f.source, f.target)).collect();
    let first = step.system.tables.len();
    let lengths: Vec<usize> = step.system.tables.iter().map(|t| t.indices.len()).collect();
    let mut spread = Spread { members, sizes, all, first, tables: Vec::new(), known: HashMap::new() };
    step.rewrite(|graph, node| {
        let lifted = if node.space == SpaceId::SCALAR { all } else { node.space };
        match node.op {
            // A scalar that all members share stays one element.
            Op::Take(id) if graph.space(node.args[0]) == SpaceId::SCALAR => {
                let table = spread.same(lengths[id.index()]);
                Some(graph.add(Op::Take(table), node.args.clone(), lifted))
            }
            // Both ends are grids, so they are no scalars.
            Op::Convolve(_) => Some(graph.add(node.op, node.args.clone(), node.space)),
            Op::State(_) | Op::Past { .. } | Op::Take(_) => Some(graph.add(node.op, node.args.clone(), lifted)),
            Op::Parameter(id) => Some(graph.add(node.op, Vec::new(), parameters[id.index()])),
            Op::Deliver(id) => {
                let (source, target) = ends[id.index()];
                let mut args = node.args.clone();
                for (arg, space) in args.iter_mut().zip([target, source, source]) {
                    *arg = spread.over(graph, *arg, space);
                }
                Some(graph.add(node.op, args, lifted))
            }
            Op::Couple(id) | Op::CouplePast { connection: id, .. } => {
                let source = match node.op {
                    Op::CouplePast { history, .. } => histories[history.index()],
                    _ => graph.space(node.args[0]),
                };
                let known = if source == SpaceId::SCALAR { &mut shared_source } else { &mut own_source };
                let new = *known.entry(id).or_insert_with(|| {
                    let mut connection = connections[id.index()].clone();
                    let stride = if source == SpaceId::SCALAR { 0 } else { sizes_of(sizes, connection.source) };
                    match connection.members {
                        1 => connection.sources = offset(members, stride, &connection.sources).collect(),
                        _ => connection.stride = stride,
                    }
                    connection.source = source;
                    used.push(connection);
                    ConnectionId(used.len() as u32 - 1)
                });
                let (op, args) = match node.op {
                    Op::CouplePast { history, .. } => {
                        let current = node.args.iter().map(|current| spread.over(graph, *current, source));
                        (Op::CouplePast { connection: new, history }, current.collect())
                    }
                    _ => (Op::Couple(new), node.args.clone()),
                };
                Some(graph.add(op, args, lifted))
            }
            Op::Call(prim) => {
                // Values of the members meet those of their units.
                let units = node.args.iter().map(|a| graph.space(*a)).find(|s| *s != SpaceId::SCALAR && *s != all)?;
                let mut args = node.args.clone();
                for arg in &mut args {
                    *arg = spread.over(graph, *arg, units);
                }
                Some(graph.call(prim, &args))
            }
            Op::Constant(_) | Op::Time | Op::StepSize | Op::Input(_) | Op::Random(_) => None,
            Op::Event(_) | Op::Happened(_) => unreachable!("events are written out before"),
        }
    });
    // What was one number for all units of an array is now one for each member.
    let graph = &mut step.system.graph;
    for (state, next) in step.system.states.iter().zip(&mut step.next) {
        *next = spread.over(graph, *next, state.space);
    }
    for (history, before) in step.system.histories.iter_mut().zip(&mut step.pre_history) {
        history.value = spread.over(graph, history.value, history.space);
        *before = spread.over(graph, *before, history.space);
    }
    step.system.connections = used;
    step.system.tables.extend(spread.tables);
}

/// Gives values of the members to all their units.
struct Spread<'a> {
    members: usize,
    sizes: &'a [usize],
    all: SpaceId,
    /// Number of tables there are without those made here.
    first: usize,
    tables: Vec<Table>,
    known: HashMap<SpaceId, TableId>,
}

impl Spread<'_> {
    /// A table that takes the only element of a scalar so many times.
    fn same(&mut self, count: usize) -> TableId {
        let same = |t: &Table| t.source == SpaceId::SCALAR && t.indices.len() == count;
        if let Some(at) = self.tables.iter().position(same) {
            return TableId((self.first + at) as u32);
        }
        let indices = vec![0; count].into();
        self.add(Table { name: "everywhere".to_string(), source: SpaceId::SCALAR, indices })
    }

    fn add(&mut self, table: Table) -> TableId {
        self.tables.push(table);
        TableId((self.first + self.tables.len() - 1) as u32)
    }

    /// `value` over `space`, if it has one element for each member and the space has more.
    fn over(&mut self, graph: &mut ExprGraph, value: ExprId, space: SpaceId) -> ExprId {
        if graph.space(value) != self.all || space == self.all {
            return value;
        }
        let table = self.known.get(&space).copied().unwrap_or_else(|| {
            let size = sizes_of(self.sizes, space);
            let indices = (0..self.members as u32).flat_map(|m| (0..size).map(move |_| m)).collect();
            self.add(Table { name: "member".to_string(), source: self.all, indices })
        });
        self.known.insert(space, table);
        graph.add(Op::Take(table), vec![value], space)
    }
}

/// The rows of the first member, then those of the next.
fn rows(members: usize, starts: &[u32]) -> Arc<[u32]> {
    let entries = starts.last().copied().unwrap_or(0);
    let ends = starts.iter().skip(1);
    let each = (0..members as u32).flat_map(|m| ends.clone().map(move |end| m * entries + end));
    std::iter::once(0).chain(each).collect()
}

fn sizes_of(sizes: &[usize], space: SpaceId) -> u32 {
    sizes[space.index()] as u32
}

/// The indices of the first member, then those of the next, which begin `stride` further on, and so on.
fn offset(members: usize, stride: u32, indices: &[u32]) -> impl Iterator<Item = u32> {
    (0..members as u32).flat_map(move |m| indices.iter().map(move |i| i + m * stride))
}

/// The values of members, by slot.
struct Own<'a> {
    members: usize,
    values: HashMap<Slot, &'a [f64]>,
}

impl<'a> Own<'a> {
    fn new(members: usize, variations: &'a [Variation]) -> Own<'a> {
        let values = variations.iter().flat_map(|v| v.slots.iter().map(|slot| (*slot, &v.values[..])));
        Own { members, values: values.collect() }
    }

    /// Repeats values for each member, who may have their own; returns whether any has.
    fn repeat(&self, values: &mut Values, size: usize, slot: impl Fn(Option<usize>) -> Slot) -> bool {
        if let Some(own) = self.values.get(&slot(None)) {
            *values = Values::Each(own.iter().flat_map(|v| std::iter::repeat_n(*v, size)).collect());
            return true;
        }
        let Values::Each(each) = values else { return false };
        let mut repeated = each.repeat(self.members);
        let mut varied = false;
        for element in 0..size {
            let Some(own) = self.values.get(&slot(Some(element))) else { continue };
            own.iter().enumerate().for_each(|(m, v)| repeated[m * size + element] = *v);
            varied = true;
        }
        *values = Values::Each(repeated.into());
        varied
    }
}
