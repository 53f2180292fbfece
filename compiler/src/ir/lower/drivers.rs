//! What drives inputs: outputs of the same node, connections, extrinsic signals; all of them are added up.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Drive, GroupVariable, Lowering, Signal};
use crate::diagnostic::{Diagnostics, Result, lower as fault};
use crate::ir::complex::{self, Value};
use crate::ir::expr::{ExprId, SpaceId};
use crate::ir::system::{Connection, Input, Values};
use crate::model::{EdgeInput, EdgeOperators, Projection, Role, VariableRef, Weights};
use crate::template::Literal;

/// One summand of an input.
pub(super) enum Driver<'a> {
    /// An output of the same name in the same node.
    Own(GroupVariable),
    /// For an input of an edge operator: a variable at the edge's source or target unit.
    Taken {
        /// The variable.
        source: GroupVariable,
        /// Its element for each edge.
        indices: Arc<[u32]>,
    },
    /// Connections.
    Connected(Connected),
    /// An extrinsic signal.
    Signal {
        /// The signal.
        drive: &'a Drive,
        /// The units it reaches.
        units: std::ops::Range<usize>,
    },
}

/// Connections from one variable to another.
pub(super) struct Connected {
    /// The variable read: of a population, or the output of edge operators.
    pub source: GroupVariable,
    /// The connections, in the order written.
    pub entries: Vec<Entry>,
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
        self.entries.iter().any(|e| e.delay == Delay::Steps(0)).then_some(self.source)
    }
}

/// What projections must share to be handled together.
#[derive(PartialEq, Eq, Hash)]
struct Bundle {
    target: GroupVariable,
    source: GroupVariable,
    /// Edge operators by the address of their equations, and the variables their inputs read.
    edge: Vec<usize>,
    inputs: Vec<((usize, usize), Option<GroupVariable>, bool)>,
    /// Set for connections between scalars, which stay apart so that their operators need no array.
    alone: Option<usize>,
}

impl<'a> Lowering<'a> {
    pub(super) fn collect_drivers(&mut self, drives: &'a [Drive]) -> Result<()> {
        let mut faults = Diagnostics::new();
        for group in 0..self.groups.len() {
            self.link_operators(group);
        }
        let mut bundles: Vec<(Bundle, Vec<&'a Projection>)> = Vec::new();
        let mut known: HashMap<Bundle, usize> = HashMap::new();
        for (index, projection) in self.circuit.projections.iter().enumerate() {
            let bundle = || self.bundle(index, projection);
            let at = *known.entry(bundle()).or_insert_with(|| {
                bundles.push((bundle(), Vec::new()));
                bundles.len() - 1
            });
            bundles[at].1.push(projection);
        }
        for (bundle, projections) in bundles {
            faults.absorb(self.connect(bundle, &projections));
        }
        for drive in drives {
            let (target, first) = self.place(drive.target);
            let units = self.circuit.populations[drive.target.population].size.unwrap_or(1);
            let units = drive.unit.map_or(first..first + units, |u| first + u..first + u + 1);
            self.drivers.entry(target).or_default().push(Driver::Signal { drive, units });
        }
        faults.into_result(())
    }

    /// Outputs feed the inputs of the same name of the other operators.
    fn link_operators(&mut self, group: usize) {
        let operators = self.operators(group);
        for (o, operator) in operators.iter().enumerate() {
            for (v, variable) in operator.variables.iter().enumerate().filter(|(_, v)| v.role == Role::Input) {
                for (p, other) in operators.iter().enumerate().filter(|(p, _)| *p != o) {
                    let output = other.variables.iter().position(|w| w.output && w.name == variable.name);
                    if let Some(w) = output {
                        self.drivers.entry((group, o, v)).or_default().push(Driver::Own((group, p, w)));
                    }
                }
            }
        }
    }

    /// A variable of the circuit as a variable of its group, and the first of its units there.
    fn place(&self, at: VariableRef) -> (GroupVariable, usize) {
        let (group, first) = self.placement[at.population];
        ((group, at.operator, at.variable), first)
    }

    fn bundle(&self, index: usize, projection: &Projection) -> Bundle {
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
    fn connect(&mut self, bundle: Bundle, projections: &[&'a Projection]) -> Result<()> {
        let mut entries = Vec::new();
        let mut ends = Vec::new();
        let mut counts = Vec::with_capacity(projections.len());
        for projection in projections {
            let before = entries.len();
            self.expand(projection, &mut entries, &mut ends)?;
            counts.push(entries.len() - before);
        }
        let mut source = bundle.source;
        if let Some(edge) = projections[0].edge.as_deref() {
            source = self.connect_edge_operators(&bundle, edge, projections, &counts, &ends)?;
            for (e, entry) in entries.iter_mut().enumerate() {
                entry.source = e as u32;
            }
        }
        let connected = Connected { source, entries };
        self.drivers.entry(bundle.target).or_default().push(Driver::Connected(connected));
        Ok(())
    }

    /// Lists the connections of a projection, and their (source, target) units.
    fn expand(&self, projection: &Projection, entries: &mut Vec<Entry>, ends: &mut Vec<(u32, u32)>) -> Result<()> {
        let units = |v: VariableRef| self.circuit.populations[v.population].size.unwrap_or(1);
        let (sources, targets) = (units(projection.source), units(projection.target));
        let (first_source, first_target) = (self.place(projection.source).1, self.place(projection.target).1);
        for i in 0..targets {
            for j in 0..sources {
                let at = i * sources + j;
                let weight = match &projection.weights {
                    Weights::Scalar(w) => *w,
                    // A zero in a matrix makes no connection; a single edge of weight 0 is kept, as it was written.
                    Weights::Matrix(w) if w[at] == 0.0 => continue,
                    Weights::Matrix(w) => w[at],
                };
                let entry = Entry {
                    target: (first_target + i) as u32,
                    source: (first_source + j) as u32,
                    weight,
                    delay: self.delay(projection, at)?,
                };
                ends.push((entry.source, entry.target));
                entries.push(entry);
            }
        }
        Ok(())
    }

    /// The delay of one connection: order and rate of the gamma kernel, or whole steps, halves to even.
    fn delay(&self, projection: &Projection, at: usize) -> Result<Delay> {
        let number = |literal: &Option<Literal>| match literal {
            None => Some(0.0),
            Some(Literal::Number(c)) => Some(c.re),
            Some(Literal::List(v)) => v.get(at).map(|c| c.re),
            Some(Literal::Matrix { data, .. }) => data.get(at).copied(),
        };
        let (Some(delay), Some(spread)) = (number(&projection.delay), number(&projection.spread)) else {
            return Err(fault::delay_shape(projection.span).into());
        };
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
        let members = projections.iter().zip(counts);
        let members = members.filter_map(|(p, n)| p.edge.as_deref().map(|e| (&e.operators[..], *n))).collect();
        let group = self.add_edge_group(name, space, members);
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

    /// The value of an input or parameter: the sum of its drivers; units without any keep what they were given.
    pub(super) fn driven_value(&mut self, at: GroupVariable) -> Result<Value> {
        let Some(drivers) = self.drivers.remove(&at) else { return Ok(self.own_value(at, None)) };
        let units: usize = self.groups[at.0].members.iter().map(|m| m.1).sum();
        let mut undriven = vec![true; units];
        for driver in &drivers {
            match driver {
                Driver::Own(_) | Driver::Taken { .. } => undriven.fill(false),
                Driver::Connected(c) => c.entries.iter().for_each(|e| undriven[e.target as usize] = false),
                Driver::Signal { units, .. } => undriven[units.clone()].fill(false),
            }
        }
        let mut sum = undriven.iter().any(|u| *u).then(|| self.own_value(at, Some(&undriven)));
        for (index, driver) in drivers.iter().enumerate() {
            let value = self.driver_value(at, index, driver)?;
            sum = Some(match sum {
                Some(sum) => complex::add(&mut self.system.graph, sum, value),
                None => value,
            });
        }
        let value = sum.expect("a driven variable has a driver");
        let span = self.variable(at).span;
        self.drivers.insert(at, drivers);
        self.fit(at, value, span)
    }

    fn driver_value(&mut self, at: GroupVariable, index: usize, driver: &Driver<'a>) -> Result<Value> {
        let space = self.groups[at.0].space;
        match driver {
            Driver::Own(source) => Ok(self.values[source]),
            Driver::Taken { source, indices } => {
                let name = format!("{}<-{}", self.name(at), self.name(*source));
                let value = self.values[source];
                Ok(each_part(value, |part| self.system.take(&name, part, space, indices.clone())))
            }
            Driver::Signal { drive, units } => self.signal_value(at, index, drive, units.clone()),
            Driver::Connected(connected) => self.connected_value(at, connected),
        }
    }

    fn signal_value(
        &mut self,
        at: GroupVariable,
        index: usize,
        drive: &Drive,
        units: std::ops::Range<usize>,
    ) -> Result<Value> {
        let space = self.groups[at.0].space;
        let size = self.system.size(space);
        let everywhere = units.len() == size;
        let signal = match &drive.signal {
            Signal::Constant(value) => {
                let name = format!("{}<-input_{index}", self.name(at));
                let values = (0..size).map(|u| if units.contains(&u) { *value } else { 0.0 });
                return Ok(Value::Real(self.system.add_parameter(name, space, Values::from_each(values.collect()))));
            }
            Signal::Expression(expr) => self.signal_expression(expr)?,
            Signal::Series { series, column } => {
                let columns = (0..size).map(|u| units.contains(&u).then_some(*column)).collect();
                let name = format!("{}<-series_{series}.{column}", self.name(at));
                return Ok(Value::Real(self.system.add_input(Input { name, space, series: *series, columns })));
            }
        };
        if everywhere {
            return Ok(Value::Real(signal));
        }
        let mask = (0..size).map(|u| f64::from(u8::from(units.contains(&u)))).collect();
        let name = format!("{}<-mask_{index}", self.name(at));
        let mask = self.system.add_parameter(name, space, Values::Each(mask));
        Ok(Value::Real(self.system.graph.product(mask, signal)))
    }

    fn connected_value(&mut self, at: GroupVariable, connected: &Connected) -> Result<Value> {
        if self.variable(at).length.is_some() || self.variable(connected.source).length.is_some() {
            let span = self.variable(at).span;
            return Err(fault::vector_connection(&self.name(connected.source), &self.name(at), span).into());
        }
        // One coupling for each kind of delay, in the order of first appearance.
        let mut kinds: Vec<(Delay, Vec<Entry>)> = Vec::new();
        for entry in &connected.entries {
            match kinds.iter_mut().find(|(delay, _)| *delay == entry.delay) {
                Some((_, entries)) => entries.push(*entry),
                None => kinds.push((entry.delay, vec![*entry])),
            }
        }
        let mut sum: Option<Value> = None;
        for (delay, entries) in kinds {
            let source = match delay {
                Delay::Steps(0) => self.values[&connected.source],
                Delay::Steps(steps) => self.past_value(connected.source, steps),
                Delay::Gamma { order, rate } => self.gamma_value(connected.source, order, rate),
            };
            let name = format!("{}<-{}", self.name(at), self.name(connected.source));
            let value = each_part(source, |part| self.weigh(&name, part, self.groups[at.0].space, &entries));
            sum = Some(match sum {
                Some(sum) => complex::add(&mut self.system.graph, sum, value),
                None => value,
            });
        }
        Ok(sum.unwrap_or_else(|| Value::Real(self.system.graph.constant(0.0))))
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
        let (sources, targets) = (self.system.size(source), self.system.size(target));
        if let Some(weight) = uniform_all_to_all(entries, sources, targets) {
            // Everyone gets the same sum: O(sources + targets) instead of their product.
            let all = Connection {
                name: name.to_string(),
                source,
                target: SpaceId::SCALAR,
                starts: vec![0, sources as u32],
                sources: (0..sources as u32).collect(),
                weights: Values::Uniform(weight),
            };
            return self.system.couple(all, value);
        }
        let connection = by_target(name, source, target, targets, entries);
        self.system.couple(connection, value)
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
    Connection { name: name.to_string(), source, target, starts, sources, weights: Values::from_each(weights) }
}

/// Applies `f` to the real and imaginary part.
pub(super) fn each_part(value: Value, mut f: impl FnMut(ExprId) -> ExprId) -> Value {
    match value {
        Value::Real(re) => Value::Real(f(re)),
        Value::Complex(re, im) => Value::Complex(f(re), f(im)),
    }
}
