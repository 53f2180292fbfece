//! Equations as expressions of the graph.

use super::shape::{Operand, Shape};
use super::{GroupVariable, Lowering};
use crate::diagnostic::{Result, lower as fault};
use crate::ir::complex::{self, Value};
use crate::ir::expr::ExprId;
use crate::ir::prim::{Prim, arith, elementary};
use crate::model::check::is_white_noise;
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, UnaryOp};

/// Constants every equation knows, unless its operator declares a variable of that name.
pub const CONSTANTS: &[(&str, f64, &str)] =
    &[("pi", std::f64::consts::PI, "circle constant"), ("E", std::f64::consts::E, "base of the natural logarithm")];

/// The imaginary unit, unless an operator declares a variable of that name.
pub const IMAGINARY_UNIT: &str = "I";

/// Time, also when an operator declares it.
pub const TIME: &str = "t";

impl Lowering<'_> {
    /// The value of an expression in the operator of `at`.
    pub(super) fn expression(&mut self, at: GroupVariable, expr: &Expr) -> Result<Operand> {
        match &expr.kind {
            ExprKind::Number(number) => Ok(Operand::single(Value::Real(self.system.graph.constant(*number)))),
            ExprKind::Imaginary(number) => {
                let (re, im) = (self.system.graph.constant(0.0), self.system.graph.constant(*number));
                Ok(Operand::single(Value::Complex(re, im)))
            }
            ExprKind::Name(name) => self.named(at, name, expr.span),
            ExprKind::Unary(op, operand) => {
                let operand = self.expression(at, operand)?;
                match op {
                    UnaryOp::Negate => {
                        Ok(Operand { value: complex::neg(&mut self.system.graph, operand.value), ..operand })
                    }
                    UnaryOp::Plus => Ok(operand),
                    UnaryOp::Not => self.apply(at, &arith::NOT, &[operand], expr.span),
                }
            }
            ExprKind::Binary(op, left, right) => {
                let (left, right) = (self.expression(at, left)?, self.expression(at, right)?);
                match binary(*op) {
                    Some(prim) => self.apply(at, prim, &[left, right], expr.span),
                    None => self.matrix_product(at, left, right, expr.span),
                }
            }
            ExprKind::Conditional { test, then, otherwise } => {
                let test = self.expression(at, test)?;
                let (then, otherwise) = (self.expression(at, then)?, self.expression(at, otherwise)?);
                self.apply(at, &arith::SELECT, &[test, then, otherwise], expr.span)
            }
            ExprKind::Call(name, args) => self.call(at, name, args, expr.span),
            ExprKind::Index(base, subscripts) => self.index(at, base, subscripts, expr.span),
        }
    }

    /// An expression of time and numbers only, as an extrinsic input.
    pub(super) fn signal_expression(&mut self, expr: &Expr) -> Result<ExprId> {
        // No operator: a group without variables stands for the missing scope.
        match self.expression((usize::MAX, 0, 0), expr)? {
            Operand { value: Value::Real(value), shape: Shape::Single } => Ok(value),
            Operand { value: Value::Complex(..), .. } => Err(fault::complex_signal(expr.span).into()),
            Operand { shape, .. } => Err(fault::not_single(&shape.to_string(), expr.span).into()),
        }
    }

    /// The variables names mean in the operator of `at`.
    pub(super) fn find(&self, (group, operator, _): GroupVariable, name: &str) -> Option<GroupVariable> {
        if group == usize::MAX {
            return None;
        }
        let variables = &self.operators(group)[operator].variables;
        variables.iter().position(|v| &*v.name == name).map(|v| (group, operator, v))
    }

    fn named(&mut self, at: GroupVariable, name: &str, span: Span) -> Result<Operand> {
        if name == TIME {
            return Ok(Operand::single(Value::Real(self.system.graph.time())));
        }
        if let Some(variable) = self.find(at, name) {
            let value = *self.values.get(&variable).ok_or_else(|| fault::unordered(name, span))?;
            return Ok(Operand { value, shape: Shape::of(self.variable(variable)) });
        }
        if let Some((_, value, _)) = CONSTANTS.iter().find(|c| c.0 == name) {
            return Ok(Operand::single(Value::Real(self.system.graph.constant(*value))));
        }
        if name == IMAGINARY_UNIT {
            let (re, im) = (self.system.graph.constant(0.0), self.system.graph.constant(1.0));
            return Ok(Operand::single(Value::Complex(re, im)));
        }
        if is_white_noise(name) {
            return self.shared_noise(at, name, span);
        }
        let scope = if at.0 == usize::MAX { Vec::new() } else { self.names_in_scope(at) };
        Err(fault::unknown_name(name, &scope, span).into())
    }

    fn names_in_scope(&self, (group, operator, _): GroupVariable) -> Vec<&str> {
        self.operators(group)[operator].variables.iter().map(|v| &*v.name).collect()
    }

    /// A pointwise function of operands of any shapes and kinds.
    pub(super) fn apply(
        &mut self,
        at: GroupVariable,
        prim: &'static Prim,
        args: &[Operand],
        span: Span,
    ) -> Result<Operand> {
        let (values, shape) = self.align(at, args, span)?;
        let value = complex::call(&mut self.system.graph, prim, &values)
            .map_err(|unsupported| fault::unsupported_complex(unsupported.function, span))?;
        Ok(Operand { value, shape })
    }
}

/// The function behind an operator; the matrix product has none.
pub(super) fn binary(op: BinaryOp) -> Option<&'static Prim> {
    Some(match op {
        BinaryOp::Add => &arith::ADD,
        BinaryOp::Subtract => &arith::SUB,
        BinaryOp::Multiply => &arith::MUL,
        BinaryOp::Divide => &arith::DIV,
        BinaryOp::Remainder => &arith::REM,
        BinaryOp::Power => &elementary::POW,
        BinaryOp::Less => &arith::LT,
        BinaryOp::LessEqual => &arith::LE,
        BinaryOp::Greater => &arith::GT,
        BinaryOp::GreaterEqual => &arith::GE,
        BinaryOp::Equal => &arith::EQ,
        BinaryOp::NotEqual => &arith::NE,
        BinaryOp::And => &arith::AND,
        BinaryOp::Or => &arith::OR,
        BinaryOp::MatrixProduct => return None,
    })
}
