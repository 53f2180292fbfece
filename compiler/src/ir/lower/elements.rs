//! What the equations of a variable say about it: one equation for all of it, or one for each of some elements.

use super::{GroupVariable, Lowering};
use crate::diagnostic::{Result, lower as fault};
use crate::ir::complex::Value;
use crate::ir::expr::SpaceId;
use crate::ir::prim::arith;
use crate::ir::system::Values;
use crate::syntax::ast::{Equation, LhsKind, Subscript};

impl<'a> Lowering<'a> {
    /// The equations of one kind for a variable, in order.
    pub(super) fn equations(
        &self,
        (group, operator, variable): GroupVariable,
        kind: LhsKind,
    ) -> impl Iterator<Item = &'a Equation> {
        let operator = &self.operators(group)[operator];
        let name = &*operator.variables[variable].name;
        operator.equations.iter().filter(move |e| e.lhs.kind == kind && &*e.lhs.variable.text == name)
    }

    /// The value that the equations of one kind give a variable; `None` without any. Elements that have no equation keep
    /// their own value, or have no derivative.
    pub(super) fn assigned(&mut self, at: GroupVariable, kind: LhsKind) -> Result<Option<Value>> {
        let equations: Vec<&Equation> = self.equations(at, kind).collect();
        let Some(&first) = equations.first() else { return Ok(None) };
        if first.lhs.subscripts.is_empty() {
            let value = self.expression(at, &first.rhs)?;
            return self.fit(at, value, first.rhs.span).map(Some);
        }
        let mut whole = match kind {
            LhsKind::Derivative => Value::Real(self.system.graph.constant(0.0)),
            LhsKind::Value => self.own_value(at, None),
        };
        for equation in equations {
            let index = self.written_element(at, equation)?;
            let value = self.expression(at, &equation.rhs)?;
            let value = self.fit_element(at, value, equation)?;
            let chosen = self.element_mask(at, index);
            whole = self.apply(&arith::SELECT, &[chosen, value, whole], equation.span)?;
        }
        self.fit(at, whole, first.rhs.span).map(Some)
    }

    /// The element that an equation writes.
    fn written_element(&mut self, at: GroupVariable, equation: &Equation) -> Result<usize> {
        let lhs = &equation.lhs;
        let Some(length) = self.variable(at).length else { return Err(fault::not_a_vector(lhs.span).into()) };
        let [Subscript::At(subscript)] = &lhs.subscripts[..] else {
            return Err(fault::unsupported_subscript(lhs.span).into());
        };
        let number = self.steady_number(at, subscript).filter(|n| n.fract() == 0.0);
        let number = number.ok_or_else(|| fault::subscript_not_constant(subscript.span))?;
        if !(0.0..length as f64).contains(&number) {
            return Err(fault::subscript_range(number, length, subscript.span).into());
        }
        Ok(number as usize)
    }

    /// Checks that a value is one number per unit.
    fn fit_element(&mut self, at: GroupVariable, value: Value, equation: &Equation) -> Result<Value> {
        let variable = self.variable(at);
        if let (Value::Complex(..), false) = (value, variable.complex) {
            return Err(fault::complex_into_real(&variable.name, equation.rhs.span, variable.span).into());
        }
        let (Value::Real(number) | Value::Complex(number, _)) = value;
        let space = self.system.graph.space(number);
        if space != SpaceId::SCALAR && space != self.groups[at.0].space {
            return Err(fault::vector_into_scalar(&variable.name, equation.rhs.span, variable.span).into());
        }
        Ok(value)
    }

    /// 1 at one element of each unit's vector, else 0.
    fn element_mask(&mut self, at: GroupVariable, index: usize) -> Value {
        let (space, length) = (self.space(at), self.variable(at).length.unwrap_or(1));
        let each = (0..self.system.size(space)).map(|e| f64::from(e % length == index)).collect();
        let name = format!("{}.is_element_{index}", self.name(at));
        Value::Real(self.system.add_parameter(name, space, Values::from_each(each)))
    }
}
