//! Inputs and constants have no equation.
//!
//! Forbidden: `tau' = 1.0` where `tau: 10.0`; `inp = x` where `inp: input`.

use super::Scope;
use crate::diagnostic::{Diagnostics, model as fault};
use crate::model::Role;

pub(super) fn check(scope: &Scope<'_>, out: &mut Diagnostics) {
    for equation in scope.operator.equations.iter() {
        let Some(variable) = scope.operator.variables.iter().find(|v| v.name == equation.lhs.variable.text) else {
            continue;
        };
        match variable.role {
            Role::Input | Role::Parameter | Role::Event => out.push(fault::assigned(&equation.lhs, variable)),
            Role::State | Role::Output => {}
        }
    }
}
