//! YAML 1.2 documents as a tree in which every key and value knows its place.
//!
//! Scalars stay text: what `0.1`, `input` or `true` means is decided by whoever reads the key they stand under.

use crate::diagnostic::Result;
use crate::source::{Name, SourceMap, FileId, Span};
use crate::syntax::text::MappedText;

/// A value with its place.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of YAML values.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// An absent value, `~` or `null`.
    Null,
    /// Any other scalar.
    Scalar(Scalar),
    /// `[a, b]` or a block sequence.
    Sequence(Vec<Node>),
    /// `{a: b}` or a block mapping, in the order written, keys distinct.
    Mapping(Vec<Entry>),
}

/// A scalar, unresolved.
#[derive(Clone, PartialEq, Debug)]
pub struct Scalar {
    /// The text after unescaping and folding, with the place of each piece.
    pub text: MappedText,
    /// Whether it was quoted or a block scalar (then `"1"` was meant as text, as far as YAML is concerned).
    pub quoted: bool,
}

/// One `key: value` pair.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The key.
    pub key: Name,
    /// Its value.
    pub value: Node,
}
