//! Every function called exists and gets as many arguments as it takes. `x(t - tau)` is the delayed variable `x`.
//!
//! Forbidden: `x' = sigmoi(x)`, `x' = exp(x, 2)`, `x' = x(tau)`.

use super::Scope;
use crate::diagnostic::{Diagnostics, model as fault};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind};
use crate::template::expression::walk;

pub(super) fn check(scope: &Scope<'_>, out: &mut Diagnostics) {
    for expr in scope.expressions() {
        walk(expr, &mut |e| {
            let ExprKind::Call(name, arguments) = &e.kind else {
                return;
            };
            let declared = scope.declares(&name.text);
            if declared && delayed(arguments).is_some() {
                return;
            }
            match scope.functions.arity(&name.text) {
                None if declared => out.push(fault::variable_called(name)),
                None => out.push(fault::unknown_function(name, &scope.functions.names())),
                Some(arity) if (arity.least..=arity.most).contains(&arguments.len()) => {}
                Some(arity) => out.push(fault::function_arity(name, arity, arguments.len())),
            }
        });
    }
}

/// The delay in `x(t - tau)`.
pub(super) fn delayed(arguments: &[Expr]) -> Option<&Expr> {
    let [Expr { kind: ExprKind::Binary(BinaryOp::Subtract, time, delay), .. }] = arguments else {
        return None;
    };
    // `t - a - b` is `(t - a) - b`.
    let mut first = &**time;
    while let ExprKind::Binary(BinaryOp::Subtract | BinaryOp::Add, left, _) = &first.kind {
        first = left;
    }
    matches!(&first.kind, ExprKind::Name(name) if name == "t").then_some(delay)
}
