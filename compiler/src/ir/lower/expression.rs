//! Equations as expressions of the graph.

use super::{GroupVariable, Lowering};
use crate::diagnostic::{Result, lower as fault};
use crate::ir::complex::{self, Value};
use crate::ir::expr::{ExprId, SpaceId};
use crate::ir::prim::{Prim, arith, elementary};
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
    pub(super) fn expression(&mut self, at: GroupVariable, expr: &Expr) -> Result<Value> {
        let value = match &expr.kind {
            ExprKind::Number(number) => Value::Real(self.system.graph.constant(*number)),
            ExprKind::Imaginary(number) => {
                let (re, im) = (self.system.graph.constant(0.0), self.system.graph.constant(*number));
                Value::Complex(re, im)
            }
            ExprKind::Name(name) => self.named(at, name, expr.span)?,
            ExprKind::Unary(op, operand) => {
                let operand = self.expression(at, operand)?;
                match op {
                    UnaryOp::Negate => complex::neg(&mut self.system.graph, operand),
                    UnaryOp::Plus => operand,
                    UnaryOp::Not => self.apply(&arith::NOT, &[operand], expr.span)?,
                }
            }
            ExprKind::Binary(op, left, right) => {
                let (left, right) = (self.expression(at, left)?, self.expression(at, right)?);
                let prim = binary(*op).ok_or_else(|| fault::matrix_product(expr.span))?;
                self.apply(prim, &[left, right], expr.span)?
            }
            ExprKind::Conditional { test, then, otherwise } => {
                let test = self.expression(at, test)?;
                let (then, otherwise) = (self.expression(at, then)?, self.expression(at, otherwise)?);
                self.apply(&arith::SELECT, &[test, then, otherwise], expr.span)?
            }
            ExprKind::Call(name, args) => self.call(at, name, args, expr.span)?,
            ExprKind::Index(base, subscripts) => self.index(at, base, subscripts, expr.span)?,
        };
        Ok(value)
    }

    /// An expression of time and numbers only, as an extrinsic input.
    pub(super) fn signal_expression(&mut self, expr: &Expr) -> Result<ExprId> {
        // No operator: a group without variables stands for the missing scope.
        match self.expression((usize::MAX, 0, 0), expr)? {
            Value::Real(value) => Ok(value),
            Value::Complex(..) => Err(fault::complex_signal(expr.span).into()),
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

    fn named(&mut self, at: GroupVariable, name: &str, span: Span) -> Result<Value> {
        if name == TIME {
            return Ok(Value::Real(self.system.graph.time()));
        }
        if let Some(variable) = self.find(at, name) {
            let known = self.values.get(&variable).copied();
            return known.ok_or_else(|| fault::unordered(name, span).into());
        }
        if let Some((_, value, _)) = CONSTANTS.iter().find(|c| c.0 == name) {
            return Ok(Value::Real(self.system.graph.constant(*value)));
        }
        if name == IMAGINARY_UNIT {
            let (re, im) = (self.system.graph.constant(0.0), self.system.graph.constant(1.0));
            return Ok(Value::Complex(re, im));
        }
        let scope = if at.0 == usize::MAX { Vec::new() } else { self.names_in_scope(at) };
        Err(fault::unknown_name(name, &scope, span).into())
    }

    fn names_in_scope(&self, (group, operator, _): GroupVariable) -> Vec<&str> {
        self.operators(group)[operator].variables.iter().map(|v| &*v.name).collect()
    }

    /// A pointwise function of values of any spaces and kinds.
    pub(super) fn apply(&mut self, prim: &'static Prim, args: &[Value], span: Span) -> Result<Value> {
        let args = self.align(args, span)?;
        complex::call(&mut self.system.graph, prim, &args)
            .map_err(|unsupported| fault::unsupported_complex(unsupported.function, span).into())
    }

    /// Brings values to one space: per-unit values are repeated for the elements of vectors.
    pub(super) fn align(&mut self, args: &[Value], span: Span) -> Result<Vec<Value>> {
        let mut space = SpaceId::SCALAR;
        for arg in args {
            for part in parts(*arg) {
                space = self.wider(space, self.system.graph.space(part), span)?;
            }
        }
        let units = self.vector_spaces.iter().find(|(_, s)| **s == space).map(|((units, length), _)| (*units, *length));
        let Some((units, length)) = units else { return Ok(args.to_vec()) };
        Ok(args.iter().map(|a| super::drivers::each_part(*a, |p| self.spread(p, units, Some(length)))).collect())
    }

    fn wider(&self, a: SpaceId, b: SpaceId, span: Span) -> Result<SpaceId> {
        let vector_of = |space: SpaceId| self.vector_spaces.iter().find(|(_, s)| **s == space).map(|(key, _)| *key);
        match (a, b) {
            (a, b) if a == b || b == SpaceId::SCALAR => Ok(a),
            (SpaceId::SCALAR, b) => Ok(b),
            (a, b) => match (vector_of(a), vector_of(b)) {
                (Some((units, _)), _) if units == b => Ok(a),
                (_, Some((units, _))) if units == a => Ok(b),
                (Some((_, n)), Some((_, m))) => Err(fault::vector_lengths(n, m, span).into()),
                _ => Err(fault::vector_lengths(self.system.size(a), self.system.size(b), span).into()),
            },
        }
    }
}

fn parts(value: Value) -> Vec<ExprId> {
    match value {
        Value::Real(re) => vec![re],
        Value::Complex(re, im) => vec![re, im],
    }
}

/// The function behind an operator; the matrix product has none.
fn binary(op: BinaryOp) -> Option<&'static Prim> {
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
