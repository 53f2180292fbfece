//! Groups: the populations, or the edges, that are computed side by side.

use super::drivers::each_part;
use super::shape::{Operand, Shape};
use super::{GroupVariable, Lowering, part};
use crate::diagnostic::{Result, lower as fault};
use crate::ir::complex::Value;
use crate::ir::expr::{SpaceId, StateId};
use crate::ir::system::{Location, System, Values};
use crate::model::expand;
use crate::model::{Operator, Role, Variable};
use crate::source::Span;
use crate::syntax::ast::{Equation, LhsKind};
use crate::template::Complex;

/// Operators with the same equations, for all units of an index set.
pub(super) struct Group<'a> {
    /// Name for text forms.
    pub name: String,
    /// The index set of its units.
    pub space: SpaceId,
    /// The populations or edges.
    pub members: Vec<Member<'a>>,
}

/// One population, or the edges of one projection.
pub(super) struct Member<'a> {
    /// Its operators.
    pub operators: &'a [Operator],
    /// Numbers of (operator, variable) that take the place of those in `operators`.
    pub own: &'a [((usize, usize), f64)],
    /// Numbers of each unit, or of each element of each, that take the place of all others.
    pub each: Vec<((usize, usize), Values)>,
    /// Number of its units.
    pub units: usize,
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
            Member { operators: &population.operators, own: &[], each: Vec::new(), units: population.size.unwrap_or(1) }
        });
        let members = members.collect();
        // A single plain node needs no index set of its own; a population of one unit keeps its axis.
        let plain = units == 1 && first.size.is_none();
        let space = if plain { SpaceId::SCALAR } else { self.system.add_space(name.clone(), units) };
        self.groups.push(Group { name, space, members });
    }

    /// Adds a group of edge operators over `space` and returns its index.
    pub(super) fn add_edge_group(&mut self, name: String, space: SpaceId, members: Vec<Member<'a>>) -> usize {
        self.groups.push(Group { name, space, members });
        self.groups.len() - 1
    }

    /// The operators of a group; all members have the same.
    pub(super) fn operators(&self, group: usize) -> &'a [Operator] {
        self.groups[group].members[0].operators
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

    /// The equations that define a variable: one, or one for each of some elements.
    pub(super) fn equations(&self, (group, operator, variable): GroupVariable, kind: LhsKind) -> Vec<&'a Equation> {
        let operator = &self.operators(group)[operator];
        let name = &*operator.variables[variable].name;
        operator.equations.iter().filter(|e| e.lhs.kind == kind && &*e.lhs.variable.text == name).collect()
    }

    /// Whether anything drives a variable.
    pub(super) fn is_driven(&self, at: GroupVariable) -> bool {
        self.drivers.contains_key(&at)
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

    /// The values a variable was given, one per element of its space, and 0 for elements that are not to keep theirs.
    pub(super) fn given(&self, (group, operator, variable): GroupVariable, keep: Option<&[bool]>) -> Vec<Complex> {
        let mut given = Vec::new();
        for Member { operators, own, each, units } in &self.groups[group].members {
            let declared = &operators[operator].variables[variable];
            let length = declared.length.unwrap_or(1);
            if let Some((_, values)) = each.iter().find(|(at, _)| *at == (operator, variable)) {
                given.extend((0..units * length).map(|e| Complex { re: values.at(e), im: 0.0 }));
                continue;
            }
            match own.iter().rev().find(|(at, _)| *at == (operator, variable)) {
                Some((_, re)) => given.resize(given.len() + units * length, Complex { re: *re, im: 0.0 }),
                None => given.extend(expand(&declared.value, *units, length)),
            }
        }
        if let Some(keep) = keep {
            for (value, keep) in given.iter_mut().zip(keep) {
                if !keep {
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

    /// Checks that a value can be assigned to a variable: a vector only to a vector of the same length, a complex number
    /// only to a complex variable.
    pub(super) fn fit(&mut self, at: GroupVariable, from: Operand, span: Span) -> Result<Value> {
        let variable = self.variable(at);
        if let (Value::Complex(..), false) = (from.value, variable.complex) {
            return Err(fault::complex_into_real(&variable.name, span, variable.span).into());
        }
        let shape = Shape::of(variable);
        if from.shape != Shape::Single && from.shape != shape {
            let (found, wanted) = (from.shape.to_string(), shape.to_string());
            return Err(fault::shape_into(&variable.name, &wanted, &found, span, variable.span).into());
        }
        let units = self.units(at);
        let fitted = each_part(from.value, |p| self.spread(p, units, shape.length()));
        Ok(match fitted {
            Value::Real(re) if variable.complex => Value::Complex(re, self.system.graph.constant(0.0)),
            other => other,
        })
    }

    pub(super) fn set_derivative(&mut self, at: GroupVariable, re: StateId, im: Option<StateId>, value: Value) {
        let (x, y) = match value {
            Value::Real(x) => (x, None),
            Value::Complex(x, y) => (x, Some(y)),
        };
        let span = self.equations(at, LhsKind::Derivative).first().map_or(self.variable(at).span, |e| e.span);
        for (id, derivative) in [(Some(re), Some(x)), (im, y)] {
            let Some(id) = id else { continue };
            let state = &mut self.system.states[id.index()];
            state.span = span;
            state.derivative = derivative.unwrap_or(state.derivative);
        }
    }
}

impl System {
    /// Where a variable of the circuit is, by (population, operator, variable).
    pub fn location(&self, at: crate::model::VariableRef) -> Option<&Location> {
        self.locations.get(&(at.population, at.operator, at.variable))
    }
}
