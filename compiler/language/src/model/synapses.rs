//! The connections of a projection as arrays, by target or by source.

use std::sync::Arc;

use nullcline_runtime::program::Window;

use super::draw;
use super::threads;
use super::wiring::{End, Ends, Graph, Places};
use super::{Circuit, ConnectionNumbers, Projection, Values, Weights};
use crate::template::Literal;
use crate::template::connectivity::Rule;
use crate::template::profile::Profile;

/// The connections of a projection, listed by the units of one of its ends: those of unit `i` are
/// `starts[i]..starts[i + 1]`, in ascending order of the units at the other end, except that pairs from a list keep their
/// order where they are listed by target.
#[derive(Clone, PartialEq, Debug)]
pub struct Synapses {
    /// First connection of each unit, and the number of connections.
    pub starts: Arc<[u32]>,
    /// The unit at the other end of each connection.
    pub units: Arc<[u32]>,
    /// Weight of each; where weights, delays or spreads are a [`Profile`], the distance of its units.
    pub weights: Values,
    /// Delay of each in time units.
    pub delays: Values,
    /// Spread of the delay of each in time units.
    pub spreads: Values,
}

/// The size of a projection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Footprint {
    /// Number of connections.
    pub connections: u64,
    /// Bytes of the arrays that list them, with weights in double precision; engines may keep others.
    pub bytes: u64,
}

impl Circuit {
    /// The connections of a projection by target. A 0 in a matrix of weights makes no connection.
    ///
    /// They are generated anew each time, and are the same each time. Whoever holds them shares the arrays.
    pub fn by_target(&self, projection: &Projection) -> Synapses {
        self.synapses(projection, End::Target)
    }

    /// The connections of a projection by source; see [`Circuit::by_target`].
    pub fn by_source(&self, projection: &Projection) -> Synapses {
        self.synapses(projection, End::Source)
    }

    /// Variables (operator, variable) on a projection that have numbers of their own for each connection, with these numbers
    /// in the order of [`Circuit::by_target`], those of a vector side by side.
    pub fn of_connections(&self, projection: &Projection) -> Vec<((usize, usize), Values)> {
        let Some(edge) = projection.edge.as_deref().filter(|edge| !edge.each.is_empty()) else { return Vec::new() };
        let Synapses { starts, units, .. } = self.by_target(projection);
        let ends = self.ends(projection);
        let each = edge.each.iter().map(|given| {
            let (o, v) = given.variable;
            let values = match &given.numbers {
                ConnectionNumbers::Drawn(law, stream) => {
                    let length = edge.operators[o].variables[v].length.unwrap_or(1);
                    draw::values(law, *stream, units.len() * length)
                }
                ConnectionNumbers::Matrix(matrix) => {
                    let rows = starts.windows(2).enumerate();
                    let numbers = rows.flat_map(|(i, row)| {
                        let sources = &units[row[0] as usize..row[1] as usize];
                        sources.iter().map(move |j| matrix[i * ends.sources + *j as usize])
                    });
                    Values::from_each(numbers.collect())
                }
                ConnectionNumbers::List(list) => {
                    let pairs = projection.wiring.as_ref().and_then(|wiring| match &wiring.connectivity.rule {
                        Rule::Pairs(pairs) => Some(super::wiring::order_of_pairs(pairs)),
                        _ => None,
                    });
                    // A check refuses lists of another length.
                    let number = |at: usize| list.get(at).copied().unwrap_or_default();
                    let place = |e: usize| pairs.as_ref().map_or(e, |order| order[e] as usize);
                    Values::from_each((0..units.len()).map(|e| number(place(e))).collect())
                }
            };
            (given.variable, values)
        });
        each.collect()
    }

    /// The window and weights of a projection that is a convolution and nothing else: without operators, with one weight
    /// that multiplies the kernel and one delay.
    pub fn convolution(&self, projection: &Projection) -> Option<(Window, Arc<[f64]>)> {
        let (Some(wiring), Weights::Scalar(factor)) = (&projection.wiring, &projection.weights) else { return None };
        let ends = self.ends(projection);
        let one = |time: &Option<Literal>| matches!(time, None | Some(Literal::Number(_)));
        let autapses = wiring.connectivity.allows_autapses() || !ends.same;
        if projection.edge.is_some() || !autapses || !one(&projection.delay) || !one(&projection.spread) {
            return None;
        }
        let (window, weights) = wiring.convolution(ends.sources)?;
        Some((window, weights.iter().map(|weight| factor * weight).collect()))
    }

    /// How many connections a projection has, and what their arrays take.
    pub fn footprint(&self, projection: &Projection) -> Footprint {
        let ends = self.ends(projection);
        if let Some((window, weights)) = self.convolution(projection) {
            return Footprint { connections: window.reads(), bytes: size_of_val(&*weights) as u64 };
        }
        let connections = match (&projection.wiring, &projection.weights) {
            (Some(wiring), _) => wiring.graph(ends).units.len(),
            (None, Weights::Matrix(matrix)) => matrix.iter().filter(|w| **w != 0.0).count(),
            // One sum reaches everyone, so no pair is listed.
            (None, _) => return Footprint { connections: (ends.sources * ends.targets) as u64, bytes: 0 },
        };
        let rule = projection.wiring.as_ref().map(|w| &w.connectivity.rule);
        let listed = match rule {
            Some(Rule::Pairs(pairs)) => pairs.weights.is_some(),
            rule => matches!(rule, Some(Rule::Conv2d(_))),
        };
        let weights = if listed || !matches!(projection.weights, Weights::Scalar(_)) { size_of::<f64>() } else { 0 };
        let delays = matches!(rule, Some(Rule::Pairs(pairs)) if pairs.delays.is_some());
        let delays =
            if delays || !matches!(projection.delay, None | Some(Literal::Number(_))) { size_of::<u32>() } else { 0 };
        let bytes = connections * (size_of::<u32>() + weights + delays) + (ends.targets + 1) * size_of::<u32>();
        Footprint { connections: connections as u64, bytes: bytes as u64 }
    }

    pub(super) fn ends(&self, projection: &Projection) -> Ends {
        let units = |p: usize| self.populations[p].size.unwrap_or(1);
        let (source, target) = (projection.source.population, projection.target.population);
        Ends { sources: units(source), targets: units(target), same: source == target }
    }

    fn synapses(&self, projection: &Projection, end: End) -> Synapses {
        let ends = self.ends(projection);
        let graph = match &projection.wiring {
            Some(wiring) => wiring.graph(ends),
            None => dense(ends, &projection.weights),
        };
        let (listed_weights, listed_delays) = listed(projection, ends, &graph);
        let weights = listed_weights.unwrap_or_else(|| weights(projection, ends, &graph));
        let delays = listed_delays.unwrap_or_else(|| times(projection, &projection.delay, "delay", ends, &graph));
        let spreads = times(projection, &projection.spread, "spread", ends, &graph);
        if graph.end == end {
            return Synapses { starts: graph.starts, units: graph.units, weights, delays, spreads };
        }
        let each = [&weights, &delays, &spreads].iter().any(|v| matches!(v, Values::Each(_)));
        let (turned, places) = graph.turned(each);
        let moved = |values: Values| match (values, &places) {
            (Values::Each(each), Some(places)) => {
                let moved: Vec<f64> = threads::each(places.len(), |i| each[places[i] as usize]);
                Values::Each(moved.into())
            }
            (values, _) => values,
        };
        let (weights, delays, spreads) = (moved(weights), moved(delays), moved(spreads));
        Synapses { starts: turned.starts, units: turned.units, weights, delays, spreads }
    }
}

/// Every pair, except where the weight is 0.
fn dense(ends: Ends, weights: &Weights) -> Graph {
    let count = ends.sources;
    super::wiring::rows((End::Target, ends.targets, count), count as f64, |i, units| match weights {
        Weights::Matrix(matrix) => {
            let row = &matrix[i as usize * count..][..count];
            units.extend((0..count as u32).zip(row).filter(|(_, w)| **w != 0.0).map(|(j, _)| j));
        }
        _ => units.extend(0..count as u32),
    })
}

/// Weights and delays that come with the connections: those of a list of pairs, of a kernel. The weight of the edge
/// multiplies them.
fn listed(projection: &Projection, ends: Ends, graph: &Graph) -> (Option<Values>, Option<Values>) {
    let (Some(wiring), Some(order)) = (&projection.wiring, &graph.order) else { return (None, None) };
    let (pairs, kernel);
    let (weights, delays) = match &wiring.connectivity.rule {
        Rule::Pairs(listed) => {
            pairs = listed;
            (&pairs.weights, &pairs.delays)
        }
        _ => {
            kernel = wiring.convolution(ends.sources).map(|(_, weights)| weights);
            (&kernel, &None)
        }
    };
    let ordered = |given: &Option<Arc<[f64]>>, factor: f64| {
        given.as_ref().map(|given| Values::from_each(order.iter().map(|e| factor * given[*e as usize]).collect()))
    };
    let factor = if let Weights::Scalar(weight) = projection.weights { weight } else { 1.0 };
    (ordered(weights, factor), ordered(delays, 1.0))
}

fn weights(projection: &Projection, ends: Ends, graph: &Graph) -> Values {
    match &projection.weights {
        Weights::Scalar(weight) => Values::Uniform(*weight),
        // Every pair is there: the matrix itself is the list.
        Weights::Matrix(matrix) if graph.end == End::Target && graph.units.len() == matrix.len() => {
            let same = matrix.first().filter(|first| matrix.iter().all(|w| w.to_bits() == first.to_bits()));
            same.map_or_else(|| Values::Each(matrix.clone()), |w| Values::Uniform(*w))
        }
        Weights::Matrix(matrix) => gather(matrix, ends, graph),
        Weights::Drawn(law) => {
            let stream = projection.wiring.as_ref().map(|w| w.stream.of("weight"));
            stream.map_or(Values::Uniform(0.0), |stream| draw::values(law, stream, graph.units.len()))
        }
        Weights::Profile(profile) => distances(profile, ends, graph),
    }
}

/// The distances of connected units.
fn distances(profile: &Profile, ends: Ends, graph: &Graph) -> Values {
    let places = Places::new(ends, profile.space, profile.length);
    let mut each = Vec::with_capacity(graph.units.len());
    for (i, row) in graph.starts.windows(2).enumerate() {
        let i = i as u32;
        each.extend(graph.units[row[0] as usize..row[1] as usize].iter().map(|j| match graph.end {
            End::Target => places.between(*j, i),
            End::Source => places.between(i, *j),
        }));
    }
    Values::from_each(each)
}

/// Delays or spreads, in time units.
fn times(projection: &Projection, given: &Option<Literal>, what: &str, ends: Ends, graph: &Graph) -> Values {
    match given {
        None => Values::Uniform(0.0),
        Some(Literal::Number(time)) => Values::Uniform(time.re),
        Some(Literal::List(list)) => gather(&list.iter().map(|n| n.re).collect::<Vec<_>>(), ends, graph),
        Some(Literal::Matrix { data, .. }) => gather(data, ends, graph),
        Some(Literal::Profile(profile)) => distances(profile, ends, graph),
        Some(Literal::Drawn(law)) => {
            let stream = projection.wiring.as_ref().map(|w| w.stream.of(what));
            stream.map_or(Values::Uniform(0.0), |stream| draw::values(law, stream, graph.units.len()))
        }
    }
}

/// The entries of a matrix `[target][source]` at the connections.
fn gather(matrix: &[f64], ends: Ends, graph: &Graph) -> Values {
    let mut each = Vec::with_capacity(graph.units.len());
    for (i, row) in graph.starts.windows(2).enumerate() {
        each.extend(graph.units[row[0] as usize..row[1] as usize].iter().map(|j| match graph.end {
            End::Target => matrix[i * ends.sources + *j as usize],
            End::Source => matrix[*j as usize * ends.sources + i],
        }));
    }
    Values::from_each(each)
}
