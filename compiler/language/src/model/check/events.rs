//! Events set and hold state variables of their operator, each once, and their refractory times are times.
//!
//! Forbidden: `reset: {v: 0.0}` where `v` is no state; `reset: [v = 0.0, v = 1.0]`; `hold: v` without `refractory`;
//! `refractory: -1.0`.

use super::Scope;
use crate::diagnostic::{Diagnostics, event as fault, model as model_fault};
use crate::model::Role;
use crate::source::Name;
use crate::syntax::ast::{Expr, ExprKind, UnaryOp};

pub(super) fn check(scope: &Scope<'_>, out: &mut Diagnostics) {
    for event in scope.operator.events.iter() {
        for (k, reset) in event.resets.iter().enumerate() {
            state(scope, &reset.variable, "the event resets", out);
            if let Some(first) = event.resets[..k].iter().find(|r| r.variable.text == reset.variable.text) {
                out.push(fault::reset_twice(&reset.variable, first.variable.span));
            }
        }
        for name in event.hold.iter().flatten() {
            state(scope, name, "the event holds", out);
        }
        match (&event.refractory, &event.hold) {
            (Some(refractory), _) => {
                if let Some(wrong) = number(scope, refractory).filter(|time| !time.is_finite() || *time < 0.0) {
                    out.push(fault::bad_refractory(&event.name, refractory.span, wrong));
                }
            }
            (None, Some(hold)) => {
                let span = hold.first().map_or(event.span, |name| name.span);
                out.push(fault::hold_without_refractory(&event.name, span));
            }
            (None, None) => {}
        }
    }
}

/// Reports a name that is no state variable of the operator.
fn state(scope: &Scope<'_>, name: &Name, what: &str, out: &mut Diagnostics) {
    match scope.operator.variables.iter().find(|v| v.name == name.text) {
        Some(variable) if variable.role == Role::State => {}
        Some(variable) => {
            let kind = match variable.role {
                Role::Output => "computed from other variables",
                Role::Input => "an input",
                Role::Event => "an event",
                Role::State | Role::Parameter => "a constant",
            };
            out.push(fault::not_a_state(name, what, kind, variable.span));
        }
        None => {
            let known: Vec<&str> = scope.operator.variables.iter().map(|v| &*v.name).collect();
            out.push(model_fault::undeclared_variable(name, &scope.operator.name, &known));
        }
    }
}

/// The smallest value of a number or parameter.
fn number(scope: &Scope<'_>, expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Number(number) => Some(*number),
        ExprKind::Unary(UnaryOp::Negate, operand) => number(scope, operand).map(|n| -n),
        ExprKind::Name(name) => {
            let variable = scope.operator.variables.iter().find(|v| *v.name == **name)?;
            let values = variable.value.iter().map(|n| n.re);
            (variable.role == Role::Parameter).then(|| values.fold(f64::INFINITY, f64::min))
        }
        _ => None,
    }
}
