//! Every declared variable occurs in an equation (a warning).
//!
//! Forbidden: `k: 2.0` where no equation mentions `k`.

use std::collections::HashSet;

use super::Scope;
use crate::diagnostic::{Diagnostics, model as fault};
use crate::syntax::ast::ExprKind;
use crate::template::expression::{subscript_parts, walk};

pub(super) fn check(scope: &Scope<'_>, out: &mut Diagnostics) {
    let mut used: HashSet<&str> = HashSet::new();
    for equation in scope.operator.equations.iter() {
        used.insert(&equation.lhs.variable.text);
        let subscripts = equation.lhs.subscripts.iter().flat_map(subscript_parts);
        for expr in std::iter::once(&equation.rhs).chain(subscripts) {
            walk(expr, &mut |e| {
                match &e.kind {
                    ExprKind::Name(name) => used.insert(name),
                    ExprKind::Call(name, _) => used.insert(&name.text),
                    _ => false,
                };
            });
        }
    }
    for variable in scope.operator.variables.iter().filter(|v| !v.output && !used.contains(&*v.name)) {
        out.push(fault::unused_variable(variable, &scope.operator.name));
    }
}
