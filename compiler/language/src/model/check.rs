//! Semantic checks of a circuit, one per file. Each says in its documentation what it forbids, with an example.

use std::collections::HashSet;

use super::{Circuit, Operator};
use crate::diagnostic::Diagnostics;
use crate::syntax::ast::Expr;
use crate::template::EventTemplate;
use crate::template::expression::subscript_parts;

mod assignment;
mod cycles;
mod definitions;
mod events;
mod functions;
mod names;
mod outputs;
mod timing;
mod unused;
mod values;

/// How many arguments a function takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arity {
    /// At least so many.
    pub least: usize,
    /// At most so many.
    pub most: usize,
}

/// The functions that equations may call.
pub trait Functions {
    /// The arity of a function, if there is one of that name.
    fn arity(&self, name: &str) -> Option<Arity>;
    /// All names, for suggestions.
    fn names(&self) -> Vec<&str>;
}

/// What a check of one operator sees.
struct Scope<'a> {
    operator: &'a Operator,
    functions: &'a dyn Functions,
}

impl Scope<'_> {
    /// Every expression of its equations and events.
    fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let of_equations = self.operator.equations.iter().flat_map(|equation| {
            std::iter::once(&equation.rhs).chain(equation.lhs.subscripts.iter().flat_map(subscript_parts))
        });
        of_equations.chain(self.operator.events.iter().flat_map(EventTemplate::expressions))
    }

    fn declares(&self, name: &str) -> bool {
        self.operator.variables.iter().any(|v| *v.name == *name)
    }
}

/// Names that every equation knows: the time and three constants.
pub const BUILT_IN: &[&str] = &["t", "pi", "E", "I"];

/// Whether a name means white noise, `xi` or `xi_NAME`, unless its operator declares a variable of that name.
pub fn is_white_noise(name: &str) -> bool {
    name == "xi" || name.strip_prefix("xi_").is_some_and(|rest| !rest.is_empty())
}

/// Checks of one operator by itself.
const OF_OPERATORS: &[fn(&Scope<'_>, &mut Diagnostics)] = &[
    names::check,
    functions::check,
    definitions::check,
    assignment::check,
    outputs::check,
    events::check,
    unused::check,
];

/// Checks of the whole circuit.
const OF_CIRCUITS: &[fn(&Circuit, &mut Diagnostics)] = &[values::check, timing::check, cycles::check];

/// All faults and warnings of a circuit. An operator that many nodes share is reported once.
pub fn check(circuit: &Circuit, functions: &dyn Functions) -> Diagnostics {
    let mut out = Diagnostics::new();
    let mut seen = HashSet::new();
    let of_nodes = circuit.populations.iter().flat_map(|p| &p.operators);
    // Most edges share their operators with the one before.
    let mut last = None;
    let of_edges = circuit.projections.iter().filter_map(|p| p.edge.as_ref());
    let of_edges = of_edges.map(|e| &e.operators).filter(|o| last.replace(o.as_ptr()) != Some(o.as_ptr()));
    let of_edges = of_edges.flat_map(|operators| operators.iter());
    for operator in of_nodes.chain(of_edges) {
        let known = !seen.insert((operator.equations.as_ptr(), operator.events.as_ptr()));
        if known && !(operator.equations.is_empty() && operator.events.is_empty()) {
            continue;
        }
        for check in OF_OPERATORS {
            check(&Scope { operator, functions }, &mut out);
        }
    }
    for check in OF_CIRCUITS {
        check(circuit, &mut out);
    }
    let mut reported = HashSet::new();
    out.0.retain(|d| reported.insert((d.code, d.span, d.message.clone())));
    out
}
