//! Every name in an equation or event is a variable of its operator, `t`, `pi`, `E`, `I`, or the noise `xi` or `xi_NAME`.
//!
//! Forbidden: `x' = -x/tu` where `tau` is declared and `tu` is not.

use super::{BUILT_IN, Scope, is_white_noise};
use crate::diagnostic::{Diagnostics, model as fault};
use crate::source::Name;
use crate::syntax::ast::ExprKind;
use crate::template::EventTemplate;
use crate::template::expression::{subscript_parts, walk};

pub(super) fn check(scope: &Scope<'_>, out: &mut Diagnostics) {
    let known: Vec<&str> = scope.operator.variables.iter().map(|v| &*v.name).collect();
    for equation in scope.operator.equations.iter() {
        let defined = &equation.lhs.variable;
        if !scope.declares(&defined.text) {
            out.push(fault::undeclared_variable(defined, &scope.operator.name, &known));
        }
        let subscripts = equation.lhs.subscripts.iter().flat_map(subscript_parts);
        for expr in std::iter::once(&equation.rhs).chain(subscripts) {
            walk(expr, &mut |e| {
                let ExprKind::Name(name) = &e.kind else {
                    return;
                };
                let built_in = BUILT_IN.contains(&name.as_str()) || is_white_noise(name);
                if scope.declares(name) || built_in || **name == *defined.text {
                    return;
                }
                let function = scope.functions.arity(name).is_some();
                let name = Name::new(name.as_str(), e.span);
                out.push(fault::unknown_name(&name, &scope.operator.name, &known, function));
            });
        }
    }
    for expr in scope.operator.events.iter().flat_map(EventTemplate::expressions) {
        walk(expr, &mut |e| {
            let ExprKind::Name(name) = &e.kind else { return };
            if !scope.declares(name) && !BUILT_IN.contains(&name.as_str()) {
                let function = scope.functions.arity(name).is_some();
                let name = Name::new(name.as_str(), e.span);
                out.push(fault::unknown_name(&name, &scope.operator.name, &known, function));
            }
        });
    }
}
