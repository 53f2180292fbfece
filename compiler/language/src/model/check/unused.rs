//! Every declared variable occurs in an equation (a warning).
//!
//! Forbidden: `k: 2.0` where no equation mentions `k`.

use std::collections::HashSet;

use super::Scope;
use crate::diagnostic::{Diagnostics, model as fault};
use crate::model::Role;
use crate::syntax::ast::ExprKind;
use crate::template::expression::walk;

pub(super) fn check(scope: &Scope<'_>, out: &mut Diagnostics) {
    let mut used: HashSet<&str> = HashSet::new();
    for equation in scope.operator.equations.iter() {
        used.insert(&equation.lhs.variable.text);
    }
    for event in scope.operator.events.iter() {
        used.extend(event.resets.iter().map(|r| &r.variable).chain(event.hold.iter().flatten()).map(|n| &*n.text));
    }
    for expr in scope.expressions() {
        walk(expr, &mut |e| {
            match &e.kind {
                ExprKind::Name(name) => used.insert(name),
                ExprKind::Call(name, _) => used.insert(&name.text),
                _ => false,
            };
        });
    }
    // An event may be for edges and recordings only.
    let declared = scope.operator.variables.iter().filter(|v| !v.output && v.role != Role::Event);
    for variable in declared.filter(|v| !used.contains(&*v.name)) {
        out.push(fault::unused_variable(variable, &scope.operator.name));
    }
}
