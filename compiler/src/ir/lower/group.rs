//! Groups: the populations, or the edges, that are computed side by side.

use super::{GroupVariable, Lowering, part};
use crate::diagnostic::{Result, lower as fault};
use crate::ir::complex::Value;
use crate::ir::expr::{ExprId, SpaceId, StateId};
use crate::ir::system::{Location, System};
use crate::model::{Operator, Role, Variable};
use crate::source::Span;
use crate::template::Complex;

/// Operators with the same equations, for all units of an index set.
pub(super) struct Group<'a> {
    /// Name for text forms.
    pub name: String,
    /// The index set of its units.
    pub space: SpaceId,
    /// For each member, its operators and its number of units.
    pub members: Vec<(&'a [Operator], usize)>,
}

impl<'a> Lowering<'a> {
    pub(super) fn add_population_group(&mut self, members: &[usize]) {
        let circuit = self.circuit;
        let first = &circuit.populations[members[0]];
        let name = match members {
            [_] => first.path.to_string(),
            [.., last] => format!("{}..{}", first.path, circuit.populations[*last].path),
            [] => unreachable!("a group has members"),
        };
        let mut units = 0;
        for member in members {
            self.placement[*member] = (self.groups.len(), units);
            units += circuit.populations[*member].size.unwrap_or(1);
        }
        let members = members.iter().map(|m| {
            let population = &circuit.populations[*m];
            (&population.operators[..], population.size.unwrap_or(1))
        });
        let members = members.collect();
        // A single plain node needs no index set of its own; a population of one unit keeps its axis.
        let plain = units == 1 && first.size.is_none();
        let space = if plain { SpaceId::SCALAR } else { self.system.add_space(name.clone(), units) };
        self.groups.push(Group { name, space, members });
    }

    /// Adds a group of edge operators over `space` and returns its index.
    pub(super) fn add_edge_group(
        &mut self,
        name: String,
        space: SpaceId,
        members: Vec<(&'a [Operator], usize)>,
    ) -> usize {
        self.groups.push(Group { name, space, members });
        self.groups.len() - 1
    }

    /// The operators of a group; all members have the same.
    pub(super) fn operators(&self, group: usize) -> &'a [Operator] {
        self.groups[group].members[0].0
    }

    /// A variable, as the first member of its group declares it.
    pub(super) fn variable(&self, (group, operator, variable): GroupVariable) -> &'a Variable {
        &self.operators(group)[operator].variables[variable]
    }

    /// `node/operator/variable`, for text forms and messages.
    pub(super) fn name(&self, at: GroupVariable) -> String {
        let operator = &self.operators(at.0)[at.1];
        format!("{}/{}/{}", self.groups[at.0].name, operator.name, self.variable(at).name)
    }

    /// The index set of a variable's elements.
    pub(super) fn space(&mut self, at: GroupVariable) -> SpaceId {
        let space = self.groups[at.0].space;
        match self.variable(at).length {
            Some(length) => self.vector_space(space, length),
            None => space,
        }
    }

    /// The index set of `length` elements for each unit of `space`, unit by unit.
    pub(super) fn vector_space(&mut self, space: SpaceId, length: usize) -> SpaceId {
        if let Some(known) = self.vector_spaces.get(&(space, length)) {
            return *known;
        }
        let name = format!("{}*{length}", self.system.spaces[space.index()].name);
        let new = self.system.add_space(name, self.system.size(space) * length);
        self.vector_spaces.insert((space, length), new);
        new
    }

    /// The values a variable was given, one per element of its space; `None` in `keep` for units that lose theirs.
    pub(super) fn given(&self, (group, operator, variable): GroupVariable, keep: Option<&[bool]>) -> Vec<Complex> {
        let mut given = Vec::new();
        for (operators, units) in &self.groups[group].members {
            let variable = &operators[operator].variables[variable];
            let length = variable.length.unwrap_or(1);
            let value = &variable.value;
            let elements = (0..units * length).map(|e| match value.len() {
                1 => value[0],
                n if n == units * length => value[e],
                n if n == *units => value[e / length],
                n if n == length => value[e % length],
                // The model stage has checked the number of values.
                _ => Complex::default(),
            });
            given.extend(elements);
        }
        if let Some(keep) = keep {
            let length = given.len() / keep.len();
            for (e, value) in given.iter_mut().enumerate() {
                if !keep[e / length] {
                    *value = Complex::default();
                }
            }
        }
        given
    }

    /// A parameter that holds the values a variable was given.
    pub(super) fn own_value(&mut self, at: GroupVariable, keep: Option<&[bool]>) -> Value {
        let given = self.given(at, keep);
        let space = self.space(at);
        let name = self.name(at);
        if self.variable(at).complex {
            let re = self.system.add_parameter(format!("{name}.re"), space, part(&given, false));
            let im = self.system.add_parameter(format!("{name}.im"), space, part(&given, true));
            return Value::Complex(re, im);
        }
        Value::Real(self.system.add_parameter(name, space, part(&given, false)))
    }

    /// Adds the states of a group; their derivatives come when all values are known.
    pub(super) fn add_states(
        &mut self,
        group: usize,
        states: &mut Vec<(GroupVariable, StateId, Option<StateId>)>,
    ) -> Result<()> {
        for (o, operator) in self.operators(group).iter().enumerate() {
            for (v, variable) in operator.variables.iter().enumerate() {
                if variable.role != Role::State {
                    continue;
                }
                let at = (group, o, v);
                let (given, space, name) = (self.given(at, None), self.space(at), self.name(at));
                if variable.complex {
                    let (re, x) = self.system.add_state(format!("{name}.re"), space, part(&given, false));
                    let (im, y) = self.system.add_state(format!("{name}.im"), space, part(&given, true));
                    self.values.insert(at, Value::Complex(x, y));
                    states.push((at, re, Some(im)));
                } else {
                    let (id, x) = self.system.add_state(name, space, part(&given, false));
                    self.values.insert(at, Value::Real(x));
                    states.push((at, id, None));
                }
            }
        }
        Ok(())
    }

    /// Checks that a value can be assigned to a variable: an array only to an array of the same extent, a complex number
    /// only to a complex variable.
    pub(super) fn fit(&mut self, at: GroupVariable, value: Value, span: Span) -> Result<Value> {
        let variable = self.variable(at);
        if let (Value::Complex(..), false) = (value, variable.complex) {
            return Err(fault::complex_into_real(&variable.name, span, variable.span).into());
        }
        let space = self.space(at);
        let unit_space = self.groups[at.0].space;
        let fits = |s: SpaceId| s == SpaceId::SCALAR || s == space || s == unit_space;
        let parts = match value {
            Value::Real(re) => vec![re],
            Value::Complex(re, im) => vec![re, im],
        };
        if !parts.iter().all(|p| fits(self.system.graph.space(*p))) {
            return Err(fault::vector_into_scalar(&variable.name, span, variable.span).into());
        }
        let mut fitted = parts.iter().map(|p| self.spread(*p, unit_space, variable.length)).collect::<Vec<ExprId>>();
        if variable.complex && fitted.len() == 1 {
            fitted.push(self.system.graph.constant(0.0));
        }
        Ok(match fitted[..] {
            [re, im] => Value::Complex(re, im),
            _ => Value::Real(fitted[0]),
        })
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

    pub(super) fn set_derivative(&mut self, _at: GroupVariable, re: StateId, im: Option<StateId>, value: Value) {
        let (x, y) = match value {
            Value::Real(x) => (x, None),
            Value::Complex(x, y) => (x, Some(y)),
        };
        self.system.states[re.index()].derivative = x;
        if let (Some(im), Some(y)) = (im, y) {
            self.system.states[im.index()].derivative = y;
        }
    }
}

impl System {
    /// Where a variable of the circuit is, by (population, operator, variable).
    pub fn location(&self, at: crate::model::VariableRef) -> Option<&Location> {
        self.locations.get(&(at.population, at.operator, at.variable))
    }
}
