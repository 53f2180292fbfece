//! Connections: projections with the same ends and operators are handled together.

use std::ops::Range;
use std::sync::Arc;

use nullcline_runtime::program::Window;

use super::drivers::Driver;
use super::events::Jumping;
use super::group::Member;
use super::shape::Shape;
use super::{GroupVariable, Lowering};
use crate::diagnostic::{Diagnostics, Result, lower as fault};
use crate::ir::expr::SpaceId;
use crate::model::{EdgeInput, EdgeOperators, Projection, Role, Synapses, Values, VariableRef, Weights};
use crate::source::Span;
use crate::template::Literal;

/// Most connections between two variables.
const MAX_CONNECTIONS: usize = 1 << 27;

/// Connections from one variable to another.
pub(super) struct Connected {
    /// The variable read: of a population, or the output of edge operators.
    pub source: GroupVariable,
    /// The connections.
    pub entries: Entries,
}

/// The connections of one variable to another.
pub(super) enum Entries {
    /// One by one, in the order written.
    Each(Vec<Entry>),
    /// Many, as arrays.
    Sparse(Sparse),
    /// By a kernel that slides over a grid.
    Convolved {
        /// Which sources each target reads.
        window: Window,
        /// The weights of each target channel, tap by tap.
        weights: Arc<[f64]>,
        /// Delay of each connection.
        delay: Delay,
    },
    /// From each of these source units to every unit of the target.
    All {
        /// Source units.
        sources: Range<u32>,
        /// Number of target units.
        targets: usize,
        /// Weight of each connection.
        weight: f64,
        /// Delay of each connection.
        delay: Delay,
    },
}

/// Connections between two populations as arrays: by target where values are passed on, so that those of target `i` are
/// `starts[i]..starts[i + 1]`.
pub(super) struct Sparse {
    /// First connection of each unit, and the number of connections.
    pub starts: Arc<[u32]>,
    /// The unit at the other end of each.
    pub units: Arc<[u32]>,
    /// Weight of each.
    pub weights: Values,
    /// Delay of each.
    pub delays: Delays,
}

/// Delays of many connections.
pub(super) enum Delays {
    /// All have the same.
    Same(Delay),
    /// Whole steps of each.
    Each(Arc<[u32]>),
}

/// One connection.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Entry {
    /// Unit of the target.
    pub target: u32,
    /// Unit (or edge) of the source.
    pub source: u32,
    /// Weight.
    pub weight: f64,
    /// How it is delayed.
    pub delay: Delay,
}

/// How a connection is delayed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Delay {
    /// Whole steps.
    Steps(u32),
    /// A chain of `order` equal first-order filters with this rate (a gamma-distributed delay).
    Gamma {
        /// Number of filters.
        order: u32,
        /// Rate of each.
        rate: f64,
    },
}

impl Connected {
    /// The source, if any connection passes it on within the same instant.
    pub fn instant_source(&self) -> Option<GroupVariable> {
        let instant = match &self.entries {
            Entries::Each(entries) => entries.iter().any(|e| e.delay == Delay::Steps(0)),
            Entries::Sparse(sparse) => match &sparse.delays {
                Delays::Same(delay) => *delay == Delay::Steps(0),
                Delays::Each(steps) => steps.contains(&0),
            },
            Entries::All { delay, .. } | Entries::Convolved { delay, .. } => *delay == Delay::Steps(0),
        };
        instant.then_some(self.source)
    }

    /// Visits the target units, some more than once.
    pub fn for_each_target(&self, mut visit: impl FnMut(usize)) {
        match &self.entries {
            Entries::Each(entries) => entries.iter().for_each(|e| visit(e.target as usize)),
            Entries::Sparse(sparse) => {
                let connected = sparse.starts.windows(2).enumerate().filter(|(_, row)| row[0] < row[1]);
                connected.for_each(|(unit, _)| visit(unit));
            }
            Entries::All { targets, .. } => (0..*targets).for_each(visit),
            Entries::Convolved { window, .. } => {
                let connected = |target: &usize| (0..window.taps()).any(|tap| window.read(*target, tap).is_some());
                (0..window.targets()).filter(connected).for_each(visit);
            }
        }
    }
}

/// What projections must share to be handled together.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Bundle {
    target: GroupVariable,
    source: GroupVariable,
    /// Edge operators by the address of their equations, and the variables their inputs read.
    edge: Vec<usize>,
    inputs: Vec<((usize, usize), Option<GroupVariable>, bool)>,
    /// Set for connections between scalars, which stay apart so that their operators need no array.
    alone: Option<usize>,
}

impl<'a> Lowering<'a> {
    /// Whether two projections are surely of one bundle; a quick test.
    pub(super) fn belong_together(&self, a: &Projection, b: &Projection) -> bool {
        let place = |v| self.place(v).0;
        let alike = match (&a.edge, &b.edge) {
            (None, None) => true,
            (Some(x), Some(y)) => {
                // Other inputs than the source depend on where the ends are.
                let plain = |e: &EdgeOperators| e.sources.iter().all(|(_, input)| *input == EdgeInput::Source);
                let within = |p: &Projection| p.source.population == p.target.population;
                let same = Arc::ptr_eq(&x.operators, &y.operators) && x.sources == y.sources;
                let scalar = |v: VariableRef| self.groups[self.place(v).0.0].space == SpaceId::SCALAR;
                same && plain(x) && within(a) == within(b) && !(scalar(a.source) && scalar(a.target))
            }
            _ => false,
        };
        alike && place(a.source) == place(b.source) && place(a.target) == place(b.target)
    }

    pub(super) fn bundle(&self, index: usize, projection: &Projection) -> Bundle {
        let (target, _) = self.place(projection.target);
        let (source, _) = self.place(projection.source);
        let scalar = |v: GroupVariable| self.groups[v.0].space == SpaceId::SCALAR;
        let edge = projection.edge.as_deref();
        let same_population = projection.source.population == projection.target.population;
        let inputs = edge.map(|e| {
            e.sources.iter().map(|(at, input)| match input {
                EdgeInput::Source => (*at, None, same_population),
                EdgeInput::Variable(v) => {
                    let at_target = v.population == projection.target.population;
                    (*at, Some(self.place(*v).0), at_target)
                }
            })
        });
        Bundle {
            target,
            source,
            edge: edge.map_or(Vec::new(), |e| e.operators.iter().map(|o| o.equations.as_ptr() as usize).collect()),
            inputs: inputs.map_or(Vec::new(), Iterator::collect),
            alone: (edge.is_some() && scalar(target) && scalar(source)).then_some(index),
        }
    }

    /// Turns the projections of a bundle into a driver of its target.
    pub(super) fn connect(&mut self, bundle: Bundle, projections: &[&'a Projection]) -> Result<()> {
        if let [one] = projections
            && let Some(entries) = self.all_to_all(&bundle, one)?
        {
            self.drive(&bundle, Connected { source: bundle.source, entries }, None, one.span);
            return Ok(());
        }
        if projections.iter().all(|p| self.between_populations(p)) {
            for projection in projections {
                if let Some(entries) = self.convolved(&bundle, projection)? {
                    self.drive(&bundle, Connected { source: bundle.source, entries }, None, projection.span);
                    continue;
                }
                self.check_size(projection)?;
                // Jumps start from the few sources that have an event.
                let synapses = match self.variable(bundle.target).role {
                    Role::State => self.circuit.by_source(projection),
                    _ => self.circuit.by_target(projection),
                };
                let synapses = self.with_profiles(projection, synapses)?;
                let entries = Entries::Sparse(self.sparse(projection, synapses)?);
                self.drive(&bundle, Connected { source: bundle.source, entries }, None, projection.span);
            }
            return Ok(());
        }
        // Only edge operators ask for the ends.
        let with_ends = projections[0].edge.is_some();
        let mut entries = Vec::with_capacity(projections.len());
        let mut ends = Vec::with_capacity(if with_ends { projections.len() } else { 0 });
        let mut counts = Vec::with_capacity(projections.len());
        for projection in projections {
            let before = entries.len();
            self.expand(projection, &mut entries, &mut ends)?;
            counts.push(entries.len() - before);
        }
        let mut source = bundle.source;
        let mut through_edges = None;
        if let Some(edge) = projections[0].edge.as_deref() {
            source = self.connect_edge_operators(&bundle, edge, projections, &counts, &ends)?;
            for (e, entry) in entries.iter_mut().enumerate() {
                entry.source = e as u32;
            }
            through_edges = Some((bundle.source, ends.iter().map(|(from, _)| *from).collect()));
        }
        let connected = Connected { source, entries: Entries::Each(entries) };
        self.drive(&bundle, connected, through_edges, projections[0].span);
        Ok(())
    }

    /// Connects to the target: a state jumps at events, everything else is driven.
    fn drive(
        &mut self,
        bundle: &Bundle,
        connected: Connected,
        through_edges: Option<(GroupVariable, Arc<[u32]>)>,
        span: Span,
    ) {
        let target = bundle.target;
        if self.variable(target).role == Role::State {
            self.jumps.push(Jumping { target, connected, through_edges, span });
        } else {
            self.drivers.entry(target).or_default().push(Driver::Connected(connected));
        }
    }

    /// A projection with one weight from every unit to every unit of the target's group: the same sum reaches them all,
    /// so nothing needs to be listed.
    fn all_to_all(&self, bundle: &Bundle, projection: &Projection) -> Result<Option<Entries>> {
        let (sources, targets) = (self.unit_count(projection.source), self.unit_count(projection.target));
        let number = |literal: &Option<Literal>| match literal {
            None => Some(0.0),
            Some(Literal::Number(c)) => Some(c.re),
            Some(_) => None,
        };
        let Weights::Scalar(weight) = projection.weights else { return Ok(None) };
        let (Some(delay), Some(spread)) = (number(&projection.delay), number(&projection.spread)) else {
            return Ok(None);
        };
        let plain = projection.edge.is_none() && projection.wiring.is_none();
        let single = Shape::of(self.variable(bundle.target)) == Shape::Single;
        if !plain || !single || targets < 2 || targets != self.system.size(self.units(bundle.target)) {
            return Ok(None);
        }
        let first = self.place(projection.source).1;
        let sources = first as u32..(first + sources) as u32;
        Ok(Some(Entries::All { sources, targets, weight, delay: self.delay(projection, delay, spread)? }))
    }

    /// A projection that is a convolution and nothing else, onto a variable with one number for each unit.
    fn convolved(&self, bundle: &Bundle, projection: &Projection) -> Result<Option<Entries>> {
        let target = self.variable(bundle.target);
        if target.role == Role::State || Shape::of(target) != Shape::Single {
            return Ok(None);
        }
        let Some((window, weights)) = self.circuit.convolution(projection) else { return Ok(None) };
        let number = |literal: &Option<Literal>| match literal {
            Some(Literal::Number(c)) => c.re,
            _ => 0.0,
        };
        let delay = self.delay(projection, number(&projection.delay), number(&projection.spread))?;
        Ok(Some(Entries::Convolved { window, weights, delay }))
    }

    fn unit_count(&self, at: VariableRef) -> usize {
        self.circuit.populations[at.population].size.unwrap_or(1)
    }

    /// Whether a projection without operators connects two populations, so that its connections may stay in arrays.
    fn between_populations(&self, projection: &Projection) -> bool {
        let sized = |at: VariableRef| self.circuit.populations[at.population].size.is_some();
        // Delays in chains of filters are few; those of each connection alone are not.
        let number = |literal: &Option<Literal>| matches!(literal, None | Some(Literal::Number(_)));
        let numbers = number(&projection.spread) && (projection.spread.is_none() || number(&projection.delay));
        projection.edge.is_none() && sized(projection.source) && sized(projection.target) && numbers
    }

    /// The connections of a projection by one of its ends (see [`Circuit::by_target`] and [`Circuit::by_source`]) with
    /// their delays in steps. A population is a group of its own, so its units keep their numbers.
    ///
    /// [`Circuit::by_target`]: crate::model::Circuit::by_target
    /// [`Circuit::by_source`]: crate::model::Circuit::by_source
    pub(super) fn sparse(&self, projection: &Projection, synapses: Synapses) -> Result<Sparse> {
        let Synapses { starts, units, weights, delays, spreads } = synapses;
        let one = |e: usize| self.delay(projection, delays.at(e), spreads.at(e));
        let delays = match (&delays, &spreads) {
            (Values::Uniform(_), Values::Uniform(_)) => Delays::Same(one(0)?),
            _ => {
                let steps = (0..units.len()).map(|e| match one(e)? {
                    Delay::Steps(steps) => Ok(steps),
                    Delay::Gamma { .. } => unreachable!("spreads of their own are listed one by one"),
                });
                let steps = steps.collect::<Result<Vec<u32>>>()?;
                match steps.first() {
                    Some(first) if steps.iter().all(|s| s == first) => Delays::Same(Delay::Steps(*first)),
                    _ => Delays::Each(steps.into()),
                }
            }
        };
        Ok(Sparse { starts, units, weights, delays })
    }

    /// Lists the connections of a projection, and their (source, target) units.
    fn expand(&self, projection: &Projection, entries: &mut Vec<Entry>, ends: &mut Vec<(u32, u32)>) -> Result<()> {
        let (first_source, first_target) = (self.place(projection.source).1, self.place(projection.target).1);
        let mut add = |target: usize, source: u32, weight: f64, (delay, spread): (f64, f64)| -> Result<()> {
            let delay = self.delay(projection, delay, spread)?;
            let entry =
                Entry { target: (first_target + target) as u32, source: first_source as u32 + source, weight, delay };
            if projection.edge.is_some() {
                ends.push((entry.source, entry.target));
            }
            entries.push(entry);
            Ok(())
        };
        // Most edges are between single units, and there may be millions of them.
        if let (1, 1, Weights::Scalar(weight), None) = (
            self.unit_count(projection.source),
            self.unit_count(projection.target),
            &projection.weights,
            &projection.wiring,
        ) {
            let number = |literal: &Option<Literal>| match literal {
                None => Ok(0.0),
                Some(Literal::Number(c)) => Ok(c.re),
                Some(Literal::List(list)) if list.len() == 1 => Ok(list[0].re),
                Some(_) => Err(Diagnostics::from(fault::delay_shape(projection.span))),
            };
            return add(0, 0, *weight, (number(&projection.delay)?, number(&projection.spread)?));
        }
        self.check_size(projection)?;
        let synapses = self.with_profiles(projection, self.circuit.by_target(projection))?;
        for (i, row) in synapses.starts.windows(2).enumerate() {
            for e in row[0] as usize..row[1] as usize {
                let timing = (synapses.delays.at(e), synapses.spreads.at(e));
                add(i, synapses.units[e], synapses.weights.at(e), timing)?;
            }
        }
        Ok(())
    }

    /// A wiring was checked when the edge was made; pairs of units are as many as populations make them.
    fn check_size(&self, projection: &Projection) -> Result<()> {
        let pairs = self.unit_count(projection.source).saturating_mul(self.unit_count(projection.target));
        if projection.wiring.is_none() && pairs > MAX_CONNECTIONS {
            let name = self.circuit.path(projection.target);
            return Err(fault::too_large(&name, pairs, MAX_CONNECTIONS, projection.span).into());
        }
        Ok(())
    }

    /// The delay of one connection: order and rate of the gamma kernel, or whole steps, halves to even.
    fn delay(&self, projection: &Projection, delay: f64, spread: f64) -> Result<Delay> {
        if spread > 0.0 && delay > 0.0 {
            let order = (delay / spread).powi(2).round_ties_even();
            if order >= 1.0 {
                return Ok(Delay::Gamma { order: order as u32, rate: order / delay });
            }
        }
        let steps = (delay / self.options.dt).round_ties_even();
        // A ring longer than this is a wrong unit, not a delay.
        const LONGEST: f64 = 1e8;
        if !(0.0..=LONGEST).contains(&steps) {
            return Err(fault::delay_length(delay, self.options.dt, projection.span).into());
        }
        Ok(Delay::Steps(steps as u32))
    }

    /// Adds the operators of equal edges as a group of their own, and returns the variable they pass on.
    fn connect_edge_operators(
        &mut self,
        bundle: &Bundle,
        edge: &'a EdgeOperators,
        projections: &[&'a Projection],
        counts: &[usize],
        ends: &[(u32, u32)],
    ) -> Result<GroupVariable> {
        let name = format!("edge_{}", self.groups.len());
        let scalar = bundle.alone.is_some();
        let space = if scalar { SpaceId::SCALAR } else { self.system.add_space(name.clone(), ends.len()) };
        let members = projections.iter().zip(counts).filter_map(|(p, n)| {
            let edge = p.edge.as_deref()?;
            let each = self.circuit.of_connections(p);
            Some(Member { operators: &edge.operators, own: &edge.own, each, units: *n })
        });
        let members = members.collect();
        let group = self.add_edge_group(name, space, members);
        let mut first = 0;
        for (projection, count) in projections.iter().zip(counts) {
            self.edge_placement.insert(std::ptr::from_ref(*projection), (group, first, *count));
            first += count;
        }
        self.link_operators(group);
        for (k, ((o, v), input)) in edge.sources.iter().enumerate() {
            // Units of the variable for each edge; the edges of one bundle agree on which end it is.
            let mut indices = Vec::with_capacity(ends.len());
            let mut edges = ends.iter();
            for (projection, count) in projections.iter().zip(counts) {
                let input = projection.edge.as_deref().map_or(*input, |e| e.sources[k].1);
                for (pre, post) in edges.by_ref().take(*count) {
                    indices.push(match input {
                        EdgeInput::Source => *pre,
                        EdgeInput::Variable(v) if v.population == projection.target.population => *post,
                        EdgeInput::Variable(v) if v.population == projection.source.population => *pre,
                        EdgeInput::Variable(v) => match self.circuit.populations[v.population].size {
                            None => self.place(v).1 as u32,
                            Some(_) => return Err(fault::edge_input_population(projection.span).into()),
                        },
                    });
                }
            }
            let source = match input {
                EdgeInput::Source => bundle.source,
                EdgeInput::Variable(v) => self.place(*v).0,
            };
            let taken = Driver::Taken { source, indices: indices.into() };
            self.drivers.entry((group, *o, *v)).or_default().push(taken);
        }
        Ok((group, edge.output.0, edge.output.1))
    }
}
