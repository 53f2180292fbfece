//! The equation language: text to [`Equation`] and [`Expr`].
//!
//! Three steps: [`tokens`] cuts the text into words and never fails; `check` looks for faults on the words, where they
//! can be named as a user would name them, and limits the nesting; the pest grammar and `build` make the tree.

mod build;
mod check;
mod grammar;
mod token;

#[cfg(test)]
mod tests;

pub use token::{Token, TokenKind, tokens};

use crate::diagnostic::Result;
use crate::syntax::ast::{Equation, Expr};
use crate::syntax::text::MappedText;

/// The words that cannot be names of variables.
pub const RESERVED_WORDS: &[&str] = &["and", "or", "not", "if", "else"];

/// How deeply brackets, signs, powers and conditionals may nest.
pub const MAX_NESTING: usize = 200;

/// How high the tree of one expression may become. A sum of `n` terms is `n` high, because sums are evaluated in the
/// order written; everything that walks trees may recurse this deep.
pub const MAX_HEIGHT: u32 = 500;

/// How many words one equation may have.
pub const MAX_TOKENS: usize = 20_000;

/// Reads one equation, `lhs = rhs`.
pub fn parse_equation(text: &MappedText) -> Result<Equation> {
    let words = tokens(text);
    check::equation(text, &words)?;
    build::equation(text)
}

/// Reads one expression.
pub fn parse_expression(text: &MappedText) -> Result<Expr> {
    let words = tokens(text);
    check::expression(text, &words)?;
    build::expression(text)
}

/// Whether `text` can be the name of a variable in an equation.
pub fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(token::starts_name)
        && characters.all(token::continues_name)
        && !RESERVED_WORDS.contains(&text)
}
