//! Shapes of values, and moving elements between them.
//!
//! A value of a vector lies over the space of all elements of all units ([`Lowering::vector_space`]); a value that is the
//! same for all elements may also lie over the units, or over [`SpaceId::SCALAR`].

use std::fmt;
use std::sync::Arc;

use super::drivers::each_part;
use super::{GroupVariable, Lowering};
use crate::diagnostic::{Result, lower as fault};
use crate::ir::complex::Value;
use crate::ir::expr::{ExprId, SpaceId};
use crate::ir::system::{Connection, Values};
use crate::model::Variable;
use crate::source::Span;

/// What one unit has of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// One number.
    Single,
    /// A vector of this length.
    Vector(usize),
    /// A matrix of so many rows and columns, row by row.
    Matrix(usize, usize),
}

impl Shape {
    /// The shape a variable was declared with.
    pub fn of(variable: &Variable) -> Shape {
        match (variable.length, variable.columns) {
            (None, _) => Shape::Single,
            (Some(length), None) => Shape::Vector(length),
            (Some(length), Some(columns)) => Shape::Matrix(length / columns, columns),
        }
    }

    /// Number of elements of a vector or matrix.
    pub fn length(self) -> Option<usize> {
        match self {
            Shape::Single => None,
            Shape::Vector(length) => Some(length),
            Shape::Matrix(rows, columns) => Some(rows * columns),
        }
    }

    /// Number of elements.
    pub fn elements(self) -> usize {
        self.length().unwrap_or(1)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Single => write!(f, "a single value"),
            Shape::Vector(length) => write!(f, "a vector of {length}"),
            Shape::Matrix(rows, columns) => write!(f, "a {rows} x {columns} matrix"),
        }
    }
}

/// A value with its shape.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Operand {
    pub value: Value,
    pub shape: Shape,
}

impl Operand {
    /// A number for each unit, or for all.
    pub fn single(value: Value) -> Operand {
        Operand { value, shape: Shape::Single }
    }
}

impl Lowering<'_> {
    /// The index set of the units around `at`; equations outside of operators have one unit.
    pub(super) fn units(&self, at: GroupVariable) -> SpaceId {
        self.groups.get(at.0).map_or(SpaceId::SCALAR, |g| g.space)
    }

    /// The space of all elements of a shape.
    fn shape_space(&mut self, at: GroupVariable, shape: Shape) -> SpaceId {
        let units = self.units(at);
        match shape.length() {
            None => units,
            Some(length) => self.vector_space(units, length),
        }
    }

    /// Brings operands to one shape: single values are repeated for the elements of vectors.
    pub(super) fn align(&mut self, at: GroupVariable, args: &[Operand], span: Span) -> Result<(Vec<Value>, Shape)> {
        let mut shape = Shape::Single;
        for arg in args.iter().filter(|a| a.shape != Shape::Single) {
            if shape != Shape::Single && shape != arg.shape {
                return Err(fault::shapes(&shape.to_string(), &arg.shape.to_string(), span).into());
            }
            shape = arg.shape;
        }
        let values = args.iter().map(|a| each_part(a.value, |p| self.spread(p, self.units(at), shape.length())));
        Ok((values.collect(), shape))
    }

    /// A value per unit as a value per element of a vector; other values stay.
    pub(super) fn spread(&mut self, value: ExprId, units: SpaceId, length: Option<usize>) -> ExprId {
        let Some(length) = length else { return value };
        if self.system.graph.space(value) != units || units == SpaceId::SCALAR {
            return value;
        }
        let space = self.vector_space(units, length);
        let indices = (0..self.system.size(space)).map(|e| (e / length) as u32).collect();
        self.system.take("repeat", value, space, indices)
    }

    /// Picks elements: `table[k]` is the element of `from` that becomes element `k` of `to`.
    pub(super) fn gather(&mut self, at: GroupVariable, from: Operand, table: &[usize], to: Shape) -> Operand {
        let (units, source) = (self.units(at), self.shape_space(at, from.shape));
        let target = self.shape_space(at, to);
        let length = from.shape.elements();
        let indices = (0..self.system.size(units)).flat_map(|u| table.iter().map(move |t| (u * length + t) as u32));
        let indices: Arc<[u32]> = indices.collect();
        let value = each_part(from.value, |part| match self.system.graph.space(part) {
            space if space == source => self.system.take("elements", part, target, indices.clone()),
            // The same for all elements.
            _ => self.spread(part, units, to.length()),
        });
        Operand { value, shape: to }
    }

    /// Puts the elements of an operand at `places` of a shape; all other elements are 0.
    pub(super) fn scatter(&mut self, at: GroupVariable, from: Operand, places: &[usize], to: Shape) -> Value {
        let target = self.shape_space(at, to);
        let units = self.units(at);
        let (elements, length) = (from.shape.elements(), to.elements());
        each_part(from.value, |part| {
            let source = self.system.graph.space(part);
            let (mut starts, mut sources) = (vec![0u32], Vec::new());
            let mut taken = vec![None; length];
            for (k, place) in places.iter().enumerate() {
                taken[*place] = Some(k);
            }
            for unit in 0..self.system.size(units) {
                for from in &taken {
                    sources.extend(from.map(|k| match source {
                        SpaceId::SCALAR => 0,
                        space if space == units => unit as u32,
                        _ => (unit * elements + k % elements) as u32,
                    }));
                    starts.push(sources.len() as u32);
                }
            }
            let weights = Values::Uniform(1.0);
            let connection = Connection::new("place", (source, target), starts, sources, weights);
            self.system.couple(connection, part)
        })
    }

    /// `weight * sum` over each row of `columns` elements; `to` has as many elements as there are rows.
    pub(super) fn sum_rows(
        &mut self,
        at: GroupVariable,
        from: Operand,
        columns: usize,
        to: Shape,
        weight: f64,
    ) -> Operand {
        let (source, target) = (self.shape_space(at, from.shape), self.shape_space(at, to));
        let units = self.units(at);
        let value = each_part(from.value, |part| {
            if self.system.graph.space(part) == source && from.shape != Shape::Single {
                let elements = self.system.size(source) as u32;
                let starts: Vec<u32> = (0..=elements).step_by(columns).collect();
                let sources: Vec<u32> = (0..elements).collect();
                let weights = Values::Uniform(weight);
                let connection = Connection::new("sum", (source, target), starts, sources, weights);
                return self.system.couple(connection, part);
            }
            let count = self.system.graph.constant(columns as f64 * weight);
            let sum = self.system.graph.product(count, part);
            self.spread(sum, units, to.length())
        });
        Operand { value, shape: to }
    }
}
