//! A variable has one equation; its elements may have one each.
//!
//! Forbidden: `x' = -x` together with `x' = 1.0` or `x = 2.0`.

use super::Scope;
use crate::diagnostic::{Diagnostics, model as fault};
use crate::syntax::ast::Equation;
use crate::syntax::print::left_side;

pub(super) fn check(scope: &Scope<'_>, out: &mut Diagnostics) {
    let equations: &[Equation] = &scope.operator.equations;
    for (i, equation) in equations.iter().enumerate() {
        let clash = equations[..i].iter().find(|before| {
            before.lhs.variable.text == equation.lhs.variable.text
                && (before.lhs.kind != equation.lhs.kind
                    || before.lhs.subscripts.is_empty()
                    || equation.lhs.subscripts.is_empty()
                    || left_side(&before.lhs) == left_side(&equation.lhs))
        });
        if let Some(first) = clash {
            out.push(fault::two_equations(&equation.lhs, &first.lhs));
        }
    }
}
