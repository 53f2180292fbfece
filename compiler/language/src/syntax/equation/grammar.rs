//! The parser of `equation.pest`.
//!
//! It is written by pest's generator and kept in the tree, since the generator takes longer to build than this crate's
//! other dependencies together, and every crate with a model in it would have to build it. A test holds the two equal.

#[rustfmt::skip]
#[allow(missing_docs, dead_code, clippy::all, clippy::pedantic, reason = "not written by hand")]
mod rules;

pub use rules::{EquationGrammar, Rule};
