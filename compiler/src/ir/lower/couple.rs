//! Couplings: weighted sums over the connections of a variable.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use nullcline_runtime::program::Window;

use super::connect::{Connected, Delay, Delays, Entries, Entry, Sparse};
use super::drivers::each_part;
use super::{GroupVariable, Lowering};
use crate::ir::complex::{self, Value};
use crate::ir::expr::{ConnectionId, ExprId, Op, SpaceId};
use crate::ir::system::{Connection, Convolution, Values};

impl Lowering<'_> {
    /// What connections bring to a variable of the same shape as their source.
    pub(super) fn connected_value(&mut self, at: GroupVariable, connected: &Connected) -> Value {
        let name = format!("{}<-{}", self.name(at), self.name(connected.source));
        let entries = match &connected.entries {
            Entries::Each(entries) => entries,
            Entries::Sparse(sparse) => return self.sparse_value(at, &name, connected.source, sparse),
            Entries::Convolved { window, weights, delay } => {
                let target = self.space(at);
                let source = self.delayed(connected.source, *delay);
                return each_part(source, |part| self.convolve(&name, part, target, (*window, weights)));
            }
            Entries::All { sources, weight, delay, .. } => {
                let source = self.delayed(connected.source, *delay);
                return each_part(source, |part| self.weigh_all(&name, part, sources.clone(), *weight));
            }
        };
        let (target, length) = (self.space(at), self.variable(at).length);
        if target != SpaceId::SCALAR
            && let Some(sparse) = of_many_delays(entries, self.system.size(self.units(at)))
        {
            return self.sparse_value(at, &name, connected.source, &sparse);
        }
        let mut sum: Option<Value> = None;
        for (delay, entries) in by_delay(entries) {
            let entries = match length {
                None => entries,
                Some(length) => Cow::Owned(element_by_element(&entries, length as u32)),
            };
            let source = self.delayed(connected.source, delay);
            let value = each_part(source, |part| self.weigh(&name, part, target, &entries));
            sum = Some(match sum {
                Some(sum) => complex::add(&mut self.system.graph, sum, value),
                None => value,
            });
        }
        sum.unwrap_or_else(|| Value::Real(self.system.graph.constant(0.0)))
    }

    /// What connections in arrays bring: one sum for each of a few delays, shorter ones first, or one over the past where
    /// there are many.
    fn sparse_value(&mut self, at: GroupVariable, name: &str, source: GroupVariable, sparse: &Sparse) -> Value {
        let (target, length) = (self.space(at), self.variable(at).length);
        if let Delays::Each(steps) = &sparse.delays
            && distinct(steps).len() > FEW_DELAYS
        {
            return self.past_sum(at, name, source, sparse, steps);
        }
        let mut sum: Option<Value> = None;
        for (delay, part) in sparse.by_delay() {
            let part = length.map_or_else(|| part.clone(), |length| part.element_by_element(length as u32));
            let value = self.delayed(source, delay);
            let value = each_part(value, |value| {
                let source = self.system.graph.space(value);
                let Rows { starts, units, weights } = part.clone();
                // A scalar source has one element, whichever unit was meant.
                let sources = if source == SpaceId::SCALAR { units.iter().map(|_| 0).collect() } else { units };
                let connection = Connection::new(name, (source, target), starts, sources, weights);
                self.system.couple(connection, value)
            });
            sum = Some(match sum {
                Some(sum) => complex::add(&mut self.system.graph, sum, value),
                None => value,
            });
        }
        sum.unwrap_or_else(|| Value::Real(self.system.graph.constant(0.0)))
    }

    /// One sum over connections each of which reads its own past.
    fn past_sum(
        &mut self,
        at: GroupVariable,
        name: &str,
        source: GroupVariable,
        sparse: &Sparse,
        steps: &Arc<[u32]>,
    ) -> Value {
        let (target, length) = (self.space(at), self.variable(at).length);
        let from = self.space(source);
        let rows = Rows { starts: sparse.starts.clone(), units: sparse.units.clone(), weights: sparse.weights.clone() };
        let (rows, delays) = match length.map(|length| length as u32) {
            None => (rows, steps.clone()),
            Some(length) => {
                let places = Rows { units: (0..steps.len() as u32).collect(), ..rows.clone() };
                let places = places.element_by_element(length).units;
                let delays = places.iter().map(|place| steps[(place / length) as usize]).collect();
                (rows.element_by_element(length), delays)
            }
        };
        let (re, im) = self.history(source);
        let mut sum = |history| {
            let Rows { starts, units, weights } = rows.clone();
            let delays = Some(delays.clone());
            let connection = Connection { delays, ..Connection::new(name, (from, target), starts, units, weights) };
            self.system.couple_past(connection, history)
        };
        match im {
            None => Value::Real(sum(re)),
            Some(im) => Value::Complex(sum(re), sum(im)),
        }
    }

    fn delayed(&mut self, source: GroupVariable, delay: Delay) -> Value {
        match delay {
            Delay::Steps(0) => self.values[&source],
            Delay::Steps(steps) => self.past_value(source, steps),
            Delay::Gamma { order, rate } => self.gamma_value(source, order, rate),
        }
    }

    /// A kernel that slides over `value`.
    fn convolve(
        &mut self,
        name: &str,
        value: ExprId,
        target: SpaceId,
        (window, weights): (Window, &Arc<[f64]>),
    ) -> ExprId {
        let source = self.system.graph.space(value);
        let weights = weights.clone();
        let convolution = Convolution { name: name.to_string(), source, target, window, weights, members: 1 };
        if source != SpaceId::SCALAR && target != SpaceId::SCALAR {
            return self.system.convolve(convolution, value);
        }
        let mut listed = convolution.listed();
        if source == SpaceId::SCALAR {
            // A scalar source has one element, whichever unit was meant.
            listed.sources = listed.sources.iter().map(|_| 0).collect();
        }
        self.system.couple(listed, value)
    }

    /// Everyone gets the same sum: O(sources + targets) instead of their product.
    fn weigh_all(&mut self, name: &str, value: ExprId, sources: Range<u32>, weight: f64) -> ExprId {
        let source = self.system.graph.space(value);
        let connection = self.all_connection(name, source, sources, weight);
        self.system.graph.add(Op::Couple(connection), vec![value], SpaceId::SCALAR)
    }

    /// The connections from some sources to everyone.
    pub(super) fn all_connection(
        &mut self,
        name: &str,
        source: SpaceId,
        sources: Range<u32>,
        weight: f64,
    ) -> ConnectionId {
        let from = |s: u32| if source == SpaceId::SCALAR { 0 } else { s };
        let (ends, starts) = ((source, SpaceId::SCALAR), [0, sources.len() as u32]);
        let all = Connection::new(name, ends, starts, sources.map(from).collect::<Vec<_>>(), Values::Uniform(weight));
        self.system.add_connection(all)
    }

    /// `sum_e weight_e * value[source_e]` for every target.
    fn weigh(&mut self, name: &str, value: ExprId, target: SpaceId, entries: &[Entry]) -> ExprId {
        let source = self.system.graph.space(value);
        if target == SpaceId::SCALAR && source == SpaceId::SCALAR {
            let terms: Vec<ExprId> = entries
                .iter()
                .map(|e| {
                    let weight = self.system.add_parameter(name, SpaceId::SCALAR, Values::Uniform(e.weight));
                    self.system.graph.product(weight, value)
                })
                .collect();
            let graph = &mut self.system.graph;
            return terms.into_iter().reduce(|a, b| graph.sum(a, b)).expect("a coupling has entries");
        }
        let connection = self.connection(name, source, target, entries);
        let target = self.system.connections[connection.index()].target;
        self.system.graph.add(Op::Couple(connection), vec![value], target)
    }

    /// The connections between two index sets; to all targets at once where all get the same sum.
    pub(super) fn connection(
        &mut self,
        name: &str,
        source: SpaceId,
        target: SpaceId,
        entries: &[Entry],
    ) -> ConnectionId {
        let (sources, targets) = (self.system.size(source), self.system.size(target));
        if let Some(weight) = uniform_all_to_all(entries, sources, targets) {
            return self.all_connection(name, source, 0..sources as u32, weight);
        }
        let connection = by_target(name, source, target, targets, entries);
        self.system.add_connection(connection)
    }
}

/// Most delays that are summed one by one: each such sum is as fast as one without delay, but takes a pass of its own.
const FEW_DELAYS: usize = 4;

/// The different delays, ascending.
fn distinct(steps: &[u32]) -> Vec<u32> {
    let mut seen = Vec::new();
    for step in steps {
        if let Err(place) = seen.binary_search(step) {
            seen.insert(place, *step);
        }
    }
    seen
}

/// Connections by target, if they have more than a few delays, all of whole steps.
fn of_many_delays(entries: &[Entry], targets: usize) -> Option<Sparse> {
    let steps = entries.iter().map(|e| match e.delay {
        Delay::Steps(steps) => Some(steps),
        Delay::Gamma { .. } => None,
    });
    let steps = steps.collect::<Option<Vec<u32>>>()?;
    if distinct(&steps).len() <= FEW_DELAYS {
        return None;
    }
    let mut next = vec![0u32; targets + 1];
    for entry in entries {
        next[entry.target as usize + 1] += 1;
    }
    for i in 0..targets {
        next[i + 1] += next[i];
    }
    let starts = next.as_slice().into();
    let (mut units, mut delays) = (vec![0; entries.len()], vec![0; entries.len()]);
    let mut weights = vec![0.0; entries.len()];
    for (entry, steps) in entries.iter().zip(steps) {
        let at = next[entry.target as usize] as usize;
        next[entry.target as usize] += 1;
        (units[at], delays[at], weights[at]) = (entry.source, steps, entry.weight);
    }
    let (units, weights) = (units.into(), Values::from_each(weights));
    Some(Sparse { starts, units, weights, delays: Delays::Each(delays.into()) })
}

/// Connections in arrays that have one delay.
#[derive(Clone)]
pub(super) struct Rows {
    /// First connection of each unit, and the number of connections.
    pub starts: Arc<[u32]>,
    /// The unit at the other end of each.
    pub units: Arc<[u32]>,
    /// Weight of each.
    pub weights: Values,
}

impl Sparse {
    /// The connections of each delay, in ascending order of the delays.
    pub(super) fn by_delay(&self) -> Vec<(Delay, Rows)> {
        let all = || Rows { starts: self.starts.clone(), units: self.units.clone(), weights: self.weights.clone() };
        let steps = match &self.delays {
            Delays::Same(delay) => return vec![(*delay, all())],
            Delays::Each(steps) => steps,
        };
        let parts = distinct(steps).into_iter().map(|kind| {
            let (mut starts, mut units, mut weights) = (vec![0u32], Vec::new(), Vec::new());
            for row in self.starts.windows(2) {
                for e in (row[0] as usize..row[1] as usize).filter(|e| steps[*e] == kind) {
                    units.push(self.units[e]);
                    if let Values::Each(each) = &self.weights {
                        weights.push(each[e]);
                    }
                }
                starts.push(units.len() as u32);
            }
            let weights = match &self.weights {
                Values::Uniform(weight) => Values::Uniform(*weight),
                Values::Each(_) => Values::from_each(weights),
            };
            (Delay::Steps(kind), Rows { starts: starts.into(), units: units.into(), weights })
        });
        parts.collect()
    }
}

impl Rows {
    /// Connections of units as connections of the elements of their vectors, each to its like.
    fn element_by_element(&self, length: u32) -> Rows {
        let (mut starts, mut units, mut weights) = (vec![0u32], Vec::new(), Vec::new());
        for row in self.starts.windows(2) {
            for k in 0..length {
                for e in row[0] as usize..row[1] as usize {
                    units.push(self.units[e] * length + k);
                    weights.push(self.weights.at(e));
                }
                starts.push(units.len() as u32);
            }
        }
        Rows { starts: starts.into(), units: units.into(), weights: Values::from_each(weights) }
    }
}

/// The weight that every source passes to every target exactly once, if there is one.
fn uniform_all_to_all(entries: &[Entry], sources: usize, targets: usize) -> Option<f64> {
    let weight = entries.first()?.weight;
    let full = entries.len() == sources * targets
        && targets > 1
        && entries
            .iter()
            .enumerate()
            .all(|(k, e)| e.weight == weight && e.target as usize == k / sources && e.source as usize == k % sources);
    full.then_some(weight)
}

/// Entries by target; those of one target keep their order.
fn by_target(name: &str, source: SpaceId, target: SpaceId, targets: usize, entries: &[Entry]) -> Connection {
    let mut starts = vec![0u32; targets + 1];
    for entry in entries {
        starts[entry.target as usize + 1] += 1;
    }
    for i in 0..targets {
        starts[i + 1] += starts[i];
    }
    let mut next = starts.clone();
    let mut sources = vec![0u32; entries.len()];
    let mut weights = vec![0.0; entries.len()];
    for entry in entries {
        let at = next[entry.target as usize] as usize;
        next[entry.target as usize] += 1;
        // A scalar source has one element, whichever unit was meant.
        sources[at] = if source == SpaceId::SCALAR { 0 } else { entry.source };
        weights[at] = entry.weight;
    }
    Connection::new(name, (source, target), starts, sources, Values::from_each(weights))
}

/// The connections with each kind of delay, in the order of first appearance.
pub(super) fn by_delay(entries: &[Entry]) -> Vec<(Delay, Cow<'_, [Entry]>)> {
    let Some(first) = entries.first() else { return Vec::new() };
    if entries.iter().all(|e| e.delay == first.delay) {
        return vec![(first.delay, Cow::Borrowed(entries))];
    }
    let mut kinds: Vec<(Delay, Vec<Entry>)> = Vec::new();
    let mut known = HashMap::new();
    for entry in entries {
        let key = match entry.delay {
            Delay::Steps(steps) => (u64::from(steps), 0),
            // An order of 0 makes no filter chain.
            Delay::Gamma { order, rate } => (rate.to_bits(), order),
        };
        let at = *known.entry(key).or_insert_with(|| {
            kinds.push((entry.delay, Vec::new()));
            kinds.len() - 1
        });
        kinds[at].1.push(*entry);
    }
    kinds.into_iter().map(|(delay, entries)| (delay, Cow::Owned(entries))).collect()
}

/// Connections of units as connections of the elements of their vectors, each to its like.
fn element_by_element(entries: &[Entry], length: u32) -> Vec<Entry> {
    let each = |entry: &Entry| {
        let entry = *entry;
        (0..length).map(move |k| Entry {
            target: entry.target * length + k,
            source: entry.source * length + k,
            ..entry
        })
    };
    entries.iter().flat_map(each).collect()
}
