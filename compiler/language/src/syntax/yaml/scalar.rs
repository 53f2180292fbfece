//! The places of the pieces of a scalar.
//!
//! The scanner returns scalars unescaped and folded. Here its text is laid beside the source again: words stand in both
//! alike, white space between them is folded or stripped of indentation, escapes become single characters.

use crate::source::{FileId, Span};
use crate::syntax::text::MappedText;

/// How a scalar was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    /// Plain, or a block scalar without its header.
    Bare,
    /// `'..'`
    Single,
    /// `".."`
    Double,
}

/// Whether a text stands in the source as it is meant, as most do. `source` is as for [`mapped`].
pub(super) fn lies(text: &str, source: &str, style: Style) -> bool {
    let closed = |rest: &str| match style {
        Style::Single => rest.starts_with('\'') && !rest.starts_with("''"),
        Style::Double => rest.starts_with('"'),
        Style::Bare => true,
    };
    source.strip_prefix(text).is_some_and(closed) && !(style != Style::Bare && text.contains(['\\', '\'']))
}

/// `text` with the places of its pieces. `source` starts at byte `offset` of `file` with the scalar's content (for
/// quoted styles after the opening quote); it may go on past the scalar's end. Also the length of source used.
pub(super) fn mapped(text: &str, source: &str, style: Style, file: FileId, offset: usize) -> (MappedText, usize) {
    let span = |from: usize, to: usize| Span::new(file, offset + from, offset + to);
    if lies(text, source, style) {
        return (MappedText::at(text, span(0, text.len())), text.len());
    }
    let mut mapped = MappedText::new();
    let (mut at, mut from) = (0, 0);
    while at < text.len() || (style == Style::Double && source[from..].starts_with('\\')) {
        let (rest, written) = (&text[at..], &source[from..]);
        let gap = blank(written);
        let spaces = blank(rest);
        let (took, used) = if style == Style::Double && written.starts_with('\\') {
            escape(rest, written)
        } else if gap > 0 && rest.starts_with(&written[..gap]) && (spaces <= gap || !written[..gap].contains('\n')) {
            (gap, gap)
        } else if gap > 0 {
            // Folded: `n` line breaks became `n - 1`, or one space; or indentation was taken away. Escaped white space
            // after the gap is not part of it.
            (if style == Style::Double { folded(rest, &written[..gap]) } else { spaces }, gap)
        } else if style == Style::Single && written.starts_with("''") && rest.starts_with('\'') {
            (1, 2)
        } else {
            let same = same_word(rest, written, style);
            (same, same)
        };
        if took == 0 && used == 0 {
            // Not laid out as expected: the rest maps as a whole, as long as it is plausible.
            // A run of the same length would map byte by byte.
            let same = |end: &usize| !source.is_char_boundary(*end) || end - from == rest.len();
            let end = (from + rest.len() + 1..source.len()).find(|end| !same(end)).unwrap_or(source.len());
            let end = if end - from == rest.len() { from } else { end };
            mapped.push(rest, span(from, end));
            return (mapped, end);
        }
        mapped.push(&rest[..took], span(from, from + used));
        at += took;
        from += used;
    }
    // A gap that left nothing in the text may still stand before the closing quote.
    if style != Style::Bare {
        from += blank(&source[from..]);
    }
    (mapped, from)
}

/// Length of the white space at the start.
fn blank(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t', '\n', '\r']).len()
}

/// Length of the run of equal bytes without white space or escapes at the start of both.
fn same_word(rest: &str, written: &str, style: Style) -> usize {
    let end = rest
        .char_indices()
        .zip(written.chars())
        .find(|((_, a), b)| {
            a != b
                || matches!(a, ' ' | '\t' | '\n' | '\r')
                || (style == Style::Double && *a == '\\')
                || (style == Style::Single && *a == '\'')
        })
        .map(|((at, _), _)| at);
    end.unwrap_or(rest.len().min(written.len()))
}

/// What a gap with line breaks leaves in a double-quoted text.
fn folded(rest: &str, gap: &str) -> usize {
    let breaks = gap.matches('\n').count();
    let left = if breaks == 1 { 1 } else { breaks.saturating_sub(1) };
    left.min(blank(rest))
}

/// One escape: the bytes of text it makes and the bytes of source it takes.
fn escape(rest: &str, written: &str) -> (usize, usize) {
    let mut characters = written.char_indices().skip(1);
    let Some((_, kind)) = characters.next() else {
        return (0, 0);
    };
    let (digits, line) = match kind {
        'x' => (2, false),
        'u' => (4, false),
        'U' => (8, false),
        '\n' | '\r' => (0, true),
        _ => (0, false),
    };
    if line {
        return (0, 1 + blank(&written[1..]));
    }
    let used = characters.nth(digits).map_or(written.len(), |(at, _)| at);
    (rest.chars().next().map_or(0, char::len_utf8), used)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, source: &str, style: Style) -> Vec<String> {
        let (mapped, _) = mapped(text, source, style, FileId(0), 0);
        assert_eq!(mapped.as_str(), text);
        text.char_indices()
            .map(|(at, c)| {
                let span = mapped.span(at, at + c.len_utf8());
                source[span.start as usize..span.end as usize].to_string()
            })
            .collect()
    }

    #[test]
    fn folded_lines_map_word_by_word() {
        assert_eq!(pieces("a bc", "a\n   bc", Style::Bare), ["a", "\n   ", "b", "c"]);
        assert_eq!(pieces("a\nb\n", "a\r\n  b\r\n", Style::Bare), ["a", "\r\n  ", "b", "\r\n"]);
    }

    #[test]
    fn escapes_map_to_what_was_written() {
        assert_eq!(pieces("it's", "it''s' # c", Style::Single), ["i", "t", "''", "s"]);
        assert_eq!(pieces("a\tτb", "a\\t\\u03c4b\"", Style::Double), ["a", "\\t", "\\u03c4", "b"]);
        assert_eq!(pieces("a b", "a\n  b\"", Style::Double), ["a", "\n  ", "b"]);
        assert_eq!(pieces("ab", "a\\\n  b\"", Style::Double), ["a", "b"]);
        assert_eq!(pieces("a  -τ", "a \\ -τ\"", Style::Double), ["a", " ", "\\ ", "-", "τ"]);
    }

    #[test]
    fn quoted_scalars_end_at_their_quote() {
        assert_eq!(mapped("a", "a'  # it's", Style::Single, FileId(0), 0).1, 1);
        assert_eq!(mapped("it's", "it''s' x", Style::Single, FileId(0), 0).1, 5);
        assert_eq!(mapped("", "' x", Style::Single, FileId(0), 0).1, 0);
    }
}
