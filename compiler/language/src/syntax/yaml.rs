//! YAML 1.2 documents as a tree in which every key and value knows its place.
//!
//! Scalars stay text: what `0.1`, `input` or `true` means is decided by whoever reads the key they stand under.

mod fault;
mod load;
mod merge;
mod scalar;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::diagnostic::{Result, syntax};
use crate::source::{FileId, Name, SourceMap, Span};
use crate::syntax::text::MappedText;

/// How deeply mappings and sequences may nest.
pub const MAX_DEPTH: usize = 64;

/// How large a file may be.
pub const MAX_FILE_BYTES: usize = 64 << 20;

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
    /// `[a, b]` or a block sequence. Shared with its copies, so that aliases and templates of many numbers cost nothing.
    Sequence(Arc<[Node]>),
    /// `{a: b}` or a block mapping, in the order written, keys distinct.
    Mapping(Arc<[Entry]>),
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

/// Reads the one document of a file. An empty file is [`Value::Null`].
///
/// Aliases are expanded (their copies keep the places of the original) and merge keys `<<` are applied. Of the faults
/// found, those of the YAML syntax itself end the reading; duplicate keys, tags and the like are collected.
pub fn parse(sources: &SourceMap, file: FileId) -> Result<Node> {
    let Some(source) = sources.file(file) else {
        return Ok(Node { value: Value::Null, span: Span::NOWHERE });
    };
    if source.text.len() > MAX_FILE_BYTES {
        return Err(syntax::file_too_large(Span::new(file, 0, 0), source.text.len(), MAX_FILE_BYTES).into());
    }
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    let offset = source.text.len() - text.len();
    // YAML forbids them, and the scanner would take U+0000 for the end of the text.
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    if let Some((at, character)) = text.char_indices().find(|(_, c)| control(*c)) {
        let span = Span::new(file, offset + at, offset + at + character.len_utf8());
        return Err(syntax::control_character(span, character).into());
    }
    load::Loader::new(&source.text, offset, file).load()
}

impl Node {
    /// What a user calls it: "a mapping", "a list", "text", "nothing".
    pub fn kind_name(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar(scalar) if !scalar.quoted && scalar.text.as_str().parse::<f64>().is_ok() => "a number",
            Value::Scalar(_) => "text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// The entries of a mapping.
    pub fn as_mapping(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items of a sequence.
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The scalar.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text of a scalar.
    pub fn as_text(&self) -> Option<&str> {
        self.as_scalar().map(|scalar| scalar.text.as_str())
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// The value under `key` of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_mapping()?.iter().find(|entry| &*entry.key.text == key).map(|entry| &entry.value)
    }
}
