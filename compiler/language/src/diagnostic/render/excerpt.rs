//! The parts of the sources that a diagnostic shows.
//!
//! ariadne gets short excerpts with harmless characters instead of whole files: a file may have a line of megabytes,
//! control characters that would reach the terminal, or line separators that our line numbers do not count.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use ariadne::{Cache, Source};

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, SourceMap, Span};

/// Lines beyond this many bytes are cut around the places of interest.
const MAX_LINE: usize = 160;

/// Bytes shown on each side of a place in a cut line.
const MARGIN: usize = 50;

/// Files further apart than this many bytes between two places of one diagnostic are shown as two excerpts.
const MAX_EXCERPT: usize = 1 << 16;

/// One excerpt: the file and a number within it.
pub(super) type ExcerptId = usize;

/// A run of lines of one file.
struct Excerpt {
    name: String,
    file: FileId,
    /// The bytes of the file that it shows.
    range: Range<usize>,
    /// Line breaks before the excerpt, for the line numbers.
    padding: usize,
    source: Source<String>,
    /// Whether its first line lacks its start.
    cut: bool,
}

/// The excerpts of one diagnostic.
pub(super) struct Excerpts<'s> {
    sources: &'s SourceMap,
    excerpts: Vec<Excerpt>,
    primary: Span,
}

impl<'s> Excerpts<'s> {
    pub(super) fn new(sources: &'s SourceMap, diagnostic: &Diagnostic) -> Excerpts<'s> {
        let mut ranges: BTreeMap<FileId, Vec<Range<usize>>> = BTreeMap::new();
        let spans = std::iter::once(diagnostic.span).chain(diagnostic.related.iter().map(|(span, _)| *span));
        for span in spans {
            let Some(file) = sources.file(span.file) else {
                continue;
            };
            let bytes = within(&file.text, span);
            let range = lines(&file.text, &bytes);
            let found = ranges.entry(span.file).or_default();
            match found.iter_mut().find(|other| {
                other.start.min(range.start) + MAX_EXCERPT > other.end.max(range.end) && !clips(other) && !clips(&range)
            }) {
                Some(other) => *other = other.start.min(range.start)..other.end.max(range.end),
                None => found.push(range),
            }
        }
        let mut excerpts = Vec::new();
        for (id, ranges) in ranges {
            let Some(file) = sources.file(id) else {
                continue;
            };
            for range in ranges {
                let at_line_start = range.start == 0 || file.text.as_bytes()[range.start - 1] == b'\n';
                let text = harmless(&file.text[range.clone()]);
                // ariadne numbers the lines in its margin from the start of the text it is given.
                let padding = file.line_column(range.start as u32).line - 1;
                let source = Source::from("\n".repeat(padding) + &text);
                excerpts.push(Excerpt {
                    name: file.name.clone(),
                    file: id,
                    range,
                    padding,
                    source,
                    cut: !at_line_start,
                });
            }
        }
        Excerpts { sources, excerpts, primary: diagnostic.span }
    }

    /// A span as bytes of its excerpt, or `None` when it points into no text.
    pub(super) fn place(&self, span: Span) -> Option<(ExcerptId, Range<usize>)> {
        let bytes = within(&self.sources.file(span.file)?.text, span);
        let holds = |e: &Excerpt| e.file == span.file && e.range.start <= bytes.start && bytes.start <= e.range.end;
        let id = self.excerpts.iter().position(holds)?;
        let Excerpt { range, padding, .. } = &self.excerpts[id];
        let end = bytes.end.min(range.end).max(bytes.start);
        Some((id, bytes.start - range.start + padding..end - range.start + padding))
    }

    /// ariadne's text with the true position of the diagnostic, where a line was cut.
    pub(super) fn restore_positions(&self, text: &str) -> String {
        let Some((id, bytes)) = self.place(self.primary) else {
            return text.to_string();
        };
        let excerpt = &self.excerpts[id];
        let Some((_, line, column)) = excerpt.source.get_byte_line(bytes.start).filter(|_| excerpt.cut) else {
            return text.to_string();
        };
        let start = excerpt.range.start;
        let before = self.sources.file(excerpt.file).and_then(|file| file.text.get(start..start + column));
        let shown = before.map_or(0, |before| before.chars().count()) + 1;
        let printed = format!("{}:{}:{shown}", excerpt.name, line + 1);
        text.replacen(&printed, &self.sources.describe(self.primary), 1)
    }
}

impl Cache<ExcerptId> for &mut Excerpts<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &ExcerptId) -> Result<&Source<String>, impl fmt::Debug> {
        self.excerpts.get(*id).map(|excerpt| &excerpt.source).ok_or("no such excerpt")
    }

    fn display<'a>(&self, id: &'a ExcerptId) -> Option<impl fmt::Display + 'a> {
        self.excerpts.get(*id).map(|excerpt| excerpt.name.clone())
    }
}

/// Whether a range does not end with whole lines of bearable length.
fn clips(range: &Range<usize>) -> bool {
    range.len() > MAX_EXCERPT
}

/// The bytes of a span, moved into the text and onto character boundaries.
fn within(text: &str, span: Span) -> Range<usize> {
    let down = |at: usize| (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let start = down(span.start as usize);
    let end = down(span.end as usize).max(start);
    // A caret on a line break, or past the last line, is drawn at the end of the line before it.
    if end == start && start == text.len() && text.ends_with('\n') {
        let last = text.trim_end().len();
        return last..last;
    }
    start..end
}

/// The lines that hold `bytes`, cut where they are too long.
fn lines(text: &str, bytes: &Range<usize>) -> Range<usize> {
    let floor = |at: usize| (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let mut start = text[..bytes.start].rfind('\n').map_or(0, |newline| newline + 1);
    if start == 0 && text.starts_with('\u{feff}') && bytes.start >= 3 {
        start = 3;
    }
    let last = if bytes.is_empty() { bytes.start } else { floor(bytes.end - 1) };
    let mut end = text[last..].find('\n').map_or(text.len(), |newline| last + newline).max(bytes.start);
    if text[start..end].split('\n').any(|line| line.len() > MAX_LINE) {
        start = start.max(floor(bytes.start.saturating_sub(MARGIN)));
        end = end.min(floor(bytes.start + MARGIN * 2).max(bytes.start));
    }
    start..end
}

/// The text with every character that would disturb a terminal replaced by one of the same length in bytes.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if (c as u32) < 0x20 || c as u32 == 0x7f => ' ',
            '\u{80}'..='\u{9f}' => '·',
            '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{feff}' => '\u{fffd}',
            c => c,
        })
        .collect()
}
