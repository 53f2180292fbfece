//! Source text, positions in it, and the map from one to the other.
//!
//! Every name, number and equation the compiler holds carries a [`Span`]: a byte range in one file of a [`SourceMap`].
//! Text that comes from elsewhere than a file (a command-line option, a builder call) is added as a source of its own,
//! named after where it came from (`--set`), so that its diagnostics point into it too.

use std::fmt;
use std::sync::Arc;

/// Index of a file in a [`SourceMap`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileId(pub u32);

/// Byte range `start..end` of one source file. `end >= start`; an empty range marks a position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file, or [`Span::NOWHERE`]'s id for things that no text defines.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of things no text defines (a model made by builder calls, a built-in).
    pub const NOWHERE: Span = Span { file: FileId(u32::MAX), start: 0, end: 0 };

    /// The range `start..end` of `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Span {
        debug_assert!(start <= end);
        Span { file, start: start as u32, end: end as u32 }
    }

    /// Whether this span points into no text.
    pub fn is_nowhere(self) -> bool {
        self.file == Span::NOWHERE.file
    }

    /// The smallest span that covers both; `self` when they lie in different files.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_nowhere() { write!(f, "nowhere") } else { write!(f, "{}:{}..{}", self.file.0, self.start, self.end) }
    }
}

/// A name with the place it was written at.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Name {
    /// The identifier itself.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

impl Name {
    /// A name written at `span`.
    pub fn new(text: impl Into<Arc<str>>, span: Span) -> Name {
        Name { text: text.into(), span }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One text: a file, or anything else a user wrote.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// What the user calls it: a path as given, or `--set`, `<builder>`, ..
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
    /// Byte offset at which each line starts.
    line_starts: Vec<u32>,
}

/// Line and column of a position, both counted from 1; the column counts characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// All the texts of one compilation.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> SourceMap {
        SourceMap::default()
    }

    /// Adds a text and returns its id. The same name may be added twice; the ids differ.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1))
            .collect();
        self.files.push(SourceFile { name: name.into(), text, line_starts });
        FileId(self.files.len() as u32 - 1)
    }

    /// The file with this id, or `None` for [`Span::NOWHERE`].
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files, in the order they were added.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, f)| (FileId(i as u32), f))
    }

    /// The text that `span` covers.
    pub fn slice(&self, span: Span) -> &str {
        self.file(span.file).and_then(|f| f.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }

    /// Line and column of the start of `span`, or `None` when it points into no text.
    pub fn line_column(&self, span: Span) -> Option<LineColumn> {
        self.file(span.file).map(|f| f.line_column(span.start))
    }

    /// `file:line:column` of the start of `span`; the empty string when it points into no text.
    pub fn describe(&self, span: Span) -> String {
        match (self.file(span.file), self.line_column(span)) {
            (Some(file), Some(at)) => format!("{}:{}:{}", file.name, at.line, at.column),
            _ => String::new(),
        }
    }
}

impl SourceFile {
    /// Line and column of a byte offset; an offset past the end means the end.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let offset = offset.min(self.text.len() as u32);
        let line = self.line_starts.partition_point(|&start| start <= offset) - 1;
        let start = self.line_starts[line] as usize;
        let column = self.text.get(start..offset as usize).map_or(0, |s| s.chars().count());
        LineColumn { line: line + 1, column: column + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let mut map = SourceMap::new();
        let file = map.add("m.yaml", "a: 1\nτ: 2\n");
        let at = |start| map.line_column(Span::new(file, start, start)).map(|p| (p.line, p.column));
        assert_eq!(at(0), Some((1, 1)));
        assert_eq!(at(5), Some((2, 1)));
        assert_eq!(at(7), Some((2, 2)));
        assert_eq!(at(999), Some((3, 1)));
        assert_eq!(map.line_column(Span::NOWHERE), None);
        assert_eq!(map.describe(Span::new(file, 7, 8)), "m.yaml:2:2");
    }
}
