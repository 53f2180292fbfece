//! Walking over equations.

use crate::syntax::ast::{Expr, ExprKind, Subscript};

/// The direct parts of an expression, in the order written.
pub fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Imaginary(_) | ExprKind::Name(_) => Vec::new(),
        ExprKind::Unary(_, a) => vec![a],
        ExprKind::Binary(_, a, b) => vec![a, b],
        ExprKind::Conditional { test, then, otherwise } => vec![then, test, otherwise],
        ExprKind::Call(_, arguments) => arguments.iter().collect(),
        ExprKind::Index(of, subscripts) => {
            std::iter::once(&**of).chain(subscripts.iter().flat_map(subscript_parts)).collect()
        }
    }
}

/// The expressions inside a subscript.
pub fn subscript_parts(subscript: &Subscript) -> Vec<&Expr> {
    match subscript {
        Subscript::At(at) => vec![at],
        Subscript::Range(from, to, _) => from.iter().chain(to).collect(),
    }
}

/// Visits the direct parts of an expression for change.
pub fn for_each_child(expr: &mut Expr, visit: &mut dyn FnMut(&mut Expr)) {
    match &mut expr.kind {
        ExprKind::Number(_) | ExprKind::Imaginary(_) | ExprKind::Name(_) => {}
        ExprKind::Unary(_, a) => visit(a),
        ExprKind::Binary(_, a, b) => {
            visit(a);
            visit(b);
        }
        ExprKind::Conditional { test, then, otherwise } => {
            visit(then);
            visit(test);
            visit(otherwise);
        }
        ExprKind::Call(_, arguments) => arguments.iter_mut().for_each(visit),
        ExprKind::Index(of, subscripts) => {
            visit(of);
            for subscript in subscripts {
                match subscript {
                    Subscript::At(at) => visit(at),
                    Subscript::Range(from, to, _) => from.iter_mut().chain(to.iter_mut()).for_each(&mut *visit),
                }
            }
        }
    }
}

/// Number of nodes of an expression.
pub fn size(expr: &Expr) -> usize {
    1 + children(expr).into_iter().map(size).sum::<usize>()
}

/// Every expression inside `expr` and itself, outermost first, in the order written.
pub fn walk<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e Expr)) {
    visit(expr);
    for child in children(expr) {
        walk(child, visit);
    }
}
