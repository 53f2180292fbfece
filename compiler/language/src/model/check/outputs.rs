//! What is declared `output` has an equation.
//!
//! Forbidden: `y: output` where no equation defines `y`.

use super::Scope;
use crate::diagnostic::{Diagnostics, model as fault};

pub(super) fn check(scope: &Scope<'_>, out: &mut Diagnostics) {
    for variable in scope.operator.variables.iter().filter(|v| v.output) {
        if !scope.operator.equations.iter().any(|e| e.lhs.variable.text == variable.name) {
            out.push(fault::undefined_output(variable, &scope.operator.name));
        }
    }
}
