//! What drives inputs: outputs of the same node, connections, extrinsic signals; all of them are added up.

use std::collections::HashMap;
use std::sync::Arc;

use super::connect::{Bundle, Connected};
use super::shape::{Operand, Shape};
use super::{Drive, GroupVariable, Lowering, Signal};
use crate::diagnostic::{Diagnostics, Result, lower as fault};
use crate::ir::complex::{self, Value};
use crate::ir::expr::ExprId;
use crate::ir::system::{Input, Values};
use crate::model::{Projection, Role, VariableRef};

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
        /// The elements it reaches.
        elements: std::ops::Range<usize>,
    },
}

impl<'a> Lowering<'a> {
    pub(super) fn collect_drivers(&mut self, drives: &'a [Drive]) -> Result<()> {
        let mut faults = Diagnostics::new();
        for group in 0..self.groups.len() {
            self.link_operators(group);
        }
        let mut bundles: Vec<(Bundle, Vec<&'a Projection>)> = Vec::new();
        let mut known: HashMap<Bundle, usize> = HashMap::new();
        // Most projections belong with the one before.
        let mut last: Option<(&'a Projection, usize)> = None;
        for (index, projection) in self.circuit.projections.iter().enumerate() {
            let at = match last {
                Some((before, at)) if self.belong_together(before, projection) => at,
                _ => {
                    let bundle = self.bundle(index, projection);
                    *known.entry(bundle.clone()).or_insert_with(|| {
                        bundles.push((bundle, Vec::new()));
                        bundles.len() - 1
                    })
                }
            };
            bundles[at].1.push(projection);
            last = Some((projection, at));
        }
        for (bundle, projections) in bundles {
            faults.absorb(self.connect(bundle, &projections));
        }
        for drive in drives {
            let (target, first) = self.place(drive.target);
            let size = self.circuit.populations[drive.target.population].size;
            let length = self.variable(target).length.unwrap_or(1);
            let (first, count) = match (size, drive.unit) {
                (_, None) => (first * length, size.unwrap_or(1) * length),
                (Some(_), Some(unit)) => ((first + unit) * length, length),
                // An element of a plain node's vector.
                (None, Some(element)) => (first * length + element, 1),
            };
            self.drivers.entry(target).or_default().push(Driver::Signal { drive, elements: first..first + count });
        }
        faults.into_result(())
    }

    /// Outputs feed the inputs of the same name of the other operators.
    pub(super) fn link_operators(&mut self, group: usize) {
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
    pub(super) fn place(&self, at: VariableRef) -> (GroupVariable, usize) {
        let (group, first) = self.placement[at.population];
        ((group, at.operator, at.variable), first)
    }

    /// The value of an input or parameter: the sum of its drivers; units without any keep what they were given.
    pub(super) fn driven_value(&mut self, at: GroupVariable) -> Result<Value> {
        let Some(drivers) = self.drivers.remove(&at) else { return Ok(self.own_value(at, None)) };
        let units: usize = self.groups[at.0].members.iter().map(|m| m.units).sum();
        let length = self.variable(at).length.unwrap_or(1);
        let mut undriven = vec![true; units * length];
        for driver in &drivers {
            match driver {
                Driver::Own(_) | Driver::Taken { .. } => undriven.fill(false),
                Driver::Connected(c) => {
                    c.for_each_target(|unit| undriven[unit * length..(unit + 1) * length].fill(false));
                }
                Driver::Signal { elements, .. } => undriven[elements.clone()].fill(false),
            }
        }
        let span = self.variable(at).span;
        let mut sum = undriven.iter().any(|u| *u).then(|| self.own_value(at, Some(&undriven)));
        for (index, driver) in drivers.iter().enumerate() {
            let value = self.driver_value(at, index, driver)?;
            let value = self.fit(at, value, span)?;
            sum = Some(match sum {
                Some(sum) => complex::add(&mut self.system.graph, sum, value),
                None => value,
            });
        }
        let value = sum.expect("a driven variable has a driver");
        self.drivers.insert(at, drivers);
        Ok(value)
    }

    fn driver_value(&mut self, at: GroupVariable, index: usize, driver: &Driver<'a>) -> Result<Operand> {
        let own = Shape::of(self.variable(at));
        match driver {
            Driver::Own(source) => Ok(Operand { value: self.values[source], shape: Shape::of(self.variable(*source)) }),
            Driver::Taken { source, indices } => {
                self.check_shapes(*source, at)?;
                let (name, space) = (format!("{}<-{}", self.name(at), self.name(*source)), self.space(at));
                let indices: Arc<[u32]> = match own.length() {
                    None => indices.clone(),
                    Some(n) => indices.iter().flat_map(|i| (0..n).map(move |k| i * n as u32 + k as u32)).collect(),
                };
                let value = self.values[source];
                let value = each_part(value, |part| self.system.take(&name, part, space, indices.clone()));
                Ok(Operand { value, shape: own })
            }
            Driver::Signal { drive, elements } => {
                Ok(Operand { value: self.signal_value(at, index, drive, elements.clone())?, shape: own })
            }
            Driver::Connected(connected) => {
                self.check_shapes(connected.source, at)?;
                Ok(Operand { value: self.connected_value(at, connected), shape: own })
            }
        }
    }

    /// Edges pass vectors element by element, so both ends must have the same shape.
    pub(super) fn check_shapes(&self, source: GroupVariable, target: GroupVariable) -> Result<()> {
        let (from, to) = (Shape::of(self.variable(source)), Shape::of(self.variable(target)));
        if from == to {
            return Ok(());
        }
        let (source_name, target_name) = (self.name(source), self.name(target));
        let ends = ((&*source_name, &*from.to_string()), (&*target_name, &*to.to_string()));
        Err(fault::edge_shapes(ends.0, ends.1, self.variable(target).span).into())
    }

    fn signal_value(
        &mut self,
        at: GroupVariable,
        index: usize,
        drive: &Drive,
        elements: std::ops::Range<usize>,
    ) -> Result<Value> {
        let space = self.space(at);
        let size = self.system.size(space);
        let everywhere = elements.len() == size;
        let signal = match &drive.signal {
            Signal::Constant(value) => {
                let name = format!("{}<-input_{index}", self.name(at));
                let values = (0..size).map(|u| if elements.contains(&u) { *value } else { 0.0 });
                return Ok(Value::Real(self.system.add_parameter(name, space, Values::from_each(values.collect()))));
            }
            Signal::Expression(expr) => self.signal_expression(expr)?,
            Signal::Series { series, column } => {
                let columns = (0..size).map(|u| elements.contains(&u).then_some(*column)).collect();
                let name = format!("{}<-series_{series}.{column}", self.name(at));
                return Ok(Value::Real(self.system.add_input(Input { name, space, series: *series, columns })));
            }
        };
        if everywhere {
            return Ok(Value::Real(signal));
        }
        let mask = (0..size).map(|u| f64::from(u8::from(elements.contains(&u)))).collect::<Vec<_>>();
        let name = format!("{}<-mask_{index}", self.name(at));
        let mask = self.system.add_parameter(name, space, Values::Each(mask.into()));
        Ok(Value::Real(self.system.graph.product(mask, signal)))
    }
}

/// Applies `f` to the real and imaginary part.
pub(super) fn each_part(value: Value, mut f: impl FnMut(ExprId) -> ExprId) -> Value {
    match value {
        Value::Real(re) => Value::Real(f(re)),
        Value::Complex(re, im) => Value::Complex(f(re), f(im)),
    }
}
