//! Profiles: numbers of connections by the distance of their units.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use super::connectivity::Space;
use super::edit::mapped;
use super::expression::walk;
use super::fields::{get, mapping};
use super::function::inline_expression;
use super::resolve::Loader;
use crate::diagnostic::{Diagnostics, Result, template as fault};
use crate::source::{Name, Span};
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::equation::parse_expression;
use crate::syntax::print;
use crate::syntax::text::MappedText;
use crate::syntax::yaml::{Node, Value};
use crate::template::Literal;

/// The key of a profile, and its name in messages.
const KEY: &str = "distance";

/// What the distance is called in the expression.
pub const DISTANCE: &str = "d";

/// Names that an expression of the distance may use.
const KNOWN: &[&str] = &[DISTANCE, "pi", "E"];

/// A number for each connection: an expression of the distance `d` of its units.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    /// Where units are.
    pub space: Space,
    /// Extent of the line, circumference of the ring, width of the grid.
    pub length: f64,
    /// The number at distance `d`.
    pub value: Expr,
}

impl Profile {
    /// An expression of the distance `d` in a space of the given extent.
    pub fn new(space: Space, length: f64, value: &str) -> Result<Profile> {
        if !(length.is_finite() && length > 0.0) {
            return Err(fault::not_positive(Span::NOWHERE, "`length`", true).into());
        }
        let value = parse_expression(&MappedText::at(value, Span::NOWHERE))?;
        check(&value)?;
        Ok(Profile { space, length, value })
    }
}

/// `1 - d on a ring of 2`
impl Display for Profile {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let space = match self.space {
            Space::Line => "line",
            Space::Ring => "ring",
            Space::Grid { torus: false } => "grid",
            Space::Grid { torus: true } => "torus",
        };
        write!(f, "{} on a {space} of {}", print::expression(&self.value), self.length)
    }
}

/// The expression knows the distance and constants only.
fn check(value: &Expr) -> Result<()> {
    let mut out = Diagnostics::new();
    walk(value, &mut |part| match &part.kind {
        ExprKind::Name(name) if !KNOWN.contains(&&**name) => {
            out.push(fault::unknown_choice(&Name::new(&**name, part.span), "a name in a profile", KNOWN));
        }
        _ => {}
    });
    out.into_result(())
}

impl Loader<'_> {
    /// Numbers of connections: those of [`Loader::numbers`], or `{distance: {space: ring, value: "exp(-d)"}}`.
    pub(super) fn numbers_of_connections(&mut self, home: usize, node: &Node, what: &str) -> Option<Literal> {
        let Value::Mapping(entries) = &node.value else { return self.numbers(home, node, what) };
        let Some(entry) = get(entries, KEY) else { return self.numbers(home, node, what) };
        if let Some(other) = entries.iter().find(|e| &*e.key.text != KEY) {
            self.out.push(fault::unknown_key(&other.key, what, &[KEY]));
            return None;
        }
        let owner = format!("`{KEY}`");
        let entries = mapping(&entry.value, &owner, &mut self.out)?;
        let (space, length) = self.space(entries, &["value"], &owner)?;
        let Some(value) = get(entries, "value") else {
            self.out.push(fault::missing_key(entry.key.span, &owner, "value", "value: \"exp(-d/0.2)\""));
            return None;
        };
        let text = mapped(&value.value, "`value`", &mut self.out)?;
        let mut value = self.out.absorb(parse_expression(&text))?;
        let file = self.files[home].clone();
        inline_expression(&mut value, &|name: &str| file.functions.get(name).cloned(), &mut self.out);
        self.out.absorb(check(&value))?;
        Some(Literal::Profile(Arc::new(Profile { space, length, value })))
    }
}
