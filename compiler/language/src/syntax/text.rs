//! Text assembled from several places, which still knows where each piece was written.
//!
//! An equation may be spread over the lines of a YAML block scalar, contain escapes, or be edited by a child template
//! (`replace`, `append`). [`MappedText`] keeps, for runs of its bytes, where they came from.

use std::sync::Arc;

use crate::source::Span;

/// A string whose byte ranges can be traced back to source spans.
#[derive(Clone, Debug)]
pub struct MappedText(Form);

#[derive(Clone, Debug)]
enum Form {
    /// What `span` covers of a file, which is `whole`. Nearly all texts are of this form, numbers by the million.
    Lying { whole: Arc<str>, span: Span },
    /// Put together from pieces.
    Assembled(Box<Assembled>),
}

#[derive(Clone, PartialEq, Debug, Default)]
struct Assembled {
    text: String,
    /// Runs in ascending order: (start in `text`, source span). A run whose source span has the same length as the run
    /// maps byte by byte; any other run maps as a whole.
    runs: Vec<(usize, Span)>,
}

impl Default for MappedText {
    fn default() -> MappedText {
        MappedText::new()
    }
}

impl PartialEq for MappedText {
    fn eq(&self, other: &MappedText) -> bool {
        match (&self.0, &other.0) {
            (Form::Assembled(a), Form::Assembled(b)) => a == b,
            _ => self.as_str() == other.as_str() && (0..2).all(|index| self.run(index) == other.run(index)),
        }
    }
}

impl MappedText {
    /// An empty text.
    pub fn new() -> MappedText {
        MappedText(Form::Assembled(Box::default()))
    }

    /// A text that stands at `span`, byte by byte when the lengths agree. An empty text keeps its place too.
    pub fn at(text: impl Into<String>, span: Span) -> MappedText {
        MappedText(Form::Assembled(Box::new(Assembled { text: text.into(), runs: vec![(0, span)] })))
    }

    /// What stands at `span` of a file whose text is `whole`, byte by byte. The ends must be boundaries of characters.
    pub fn lying(whole: Arc<str>, span: Span) -> MappedText {
        debug_assert!(whole.get(span.start as usize..span.end as usize).is_some());
        MappedText(Form::Lying { whole, span })
    }

    /// Appends a piece that was written at `span`.
    pub fn push(&mut self, piece: &str, span: Span) {
        if piece.is_empty() {
            return;
        }
        if let Form::Lying { span, .. } = self.0 {
            *self = MappedText::at(self.as_str(), span);
        }
        let Form::Assembled(own) = &mut self.0 else { return };
        let start = own.text.len();
        own.text.push_str(piece);
        if let Some((last_start, last)) = own.runs.last_mut() {
            let exact = (last.end - last.start) as usize == start - *last_start;
            let exact_piece = (span.end - span.start) as usize == piece.len();
            if exact && exact_piece && last.file == span.file && last.end == span.start && !span.is_nowhere() {
                last.end = span.end;
                return;
            }
        }
        own.runs.push((start, span));
    }

    /// Appends the bytes `from..to` of another mapped text, keeping their places.
    pub fn push_range(&mut self, other: &MappedText, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            let index = other.run_at(at);
            let end = other.run(index + 1).map_or(other.as_str().len(), |r| r.0).min(to);
            self.push(&other.as_str()[at..end], other.span(at, end));
            at = end;
        }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Lying { whole, span } => &whole[span.start as usize..span.end as usize],
            Form::Assembled(own) => &own.text,
        }
    }

    fn run(&self, index: usize) -> Option<(usize, Span)> {
        match &self.0 {
            Form::Lying { span, .. } => (index == 0).then_some((0, *span)),
            Form::Assembled(own) => own.runs.get(index).copied(),
        }
    }

    /// Where the bytes `start..end` were written. An empty range is the position before `start`.
    pub fn span(&self, start: usize, end: usize) -> Span {
        if self.run(0).is_none() {
            return Span::NOWHERE;
        }
        let end = end.max(start);
        let first = self.place(start);
        if end == start {
            return Span { end: first.start, ..first };
        }
        first.to(self.place(end - 1))
    }

    /// The whole text's place.
    pub fn whole(&self) -> Span {
        self.span(0, self.as_str().len())
    }

    /// Index of the run that holds byte `at` (the last run for positions past the end).
    fn run_at(&self, at: usize) -> usize {
        match &self.0 {
            Form::Lying { .. } => 0,
            Form::Assembled(own) => own.runs.partition_point(|run| run.0 <= at).saturating_sub(1),
        }
    }

    /// The source span of the single byte `at`, or of its whole run when that does not map byte by byte.
    fn place(&self, at: usize) -> Span {
        let index = self.run_at(at);
        let (start, span) = self.run(index).unwrap_or((0, Span::NOWHERE));
        let end = self.run(index + 1).map_or(self.as_str().len(), |r| r.0);
        if span.is_nowhere() || (span.end - span.start) as usize != end - start {
            return span;
        }
        let offset = (at.min(end) - start) as u32;
        Span { file: span.file, start: span.start + offset, end: (span.start + offset + 1).min(span.end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    #[test]
    fn pieces_keep_their_places() {
        let file = FileId(0);
        let mut text = MappedText::new();
        text.push("x' = ", Span::new(file, 10, 15));
        text.push("-x", Span::new(file, 40, 42));
        text.push("\n", Span::new(file, 50, 54));
        assert_eq!(text.as_str(), "x' = -x\n");
        assert_eq!(text.span(0, 2), Span::new(file, 10, 12));
        assert_eq!(text.span(6, 7), Span::new(file, 41, 42));
        assert_eq!(text.span(7, 8), Span::new(file, 50, 54));
        let mut copy = MappedText::new();
        copy.push_range(&text, 1, 7);
        assert_eq!(copy.as_str(), "' = -x");
        assert_eq!(copy.span(5, 6), Span::new(file, 41, 42));
    }

    #[test]
    fn neighbouring_pieces_become_one_run() {
        let file = FileId(3);
        let mut text = MappedText::at("ab", Span::new(file, 0, 2));
        text.push("cd", Span::new(file, 2, 4));
        assert_eq!(text, MappedText::at("abcd", Span::new(file, 0, 4)));
    }

    #[test]
    fn texts_that_lie_in_a_file_are_equal_to_copies_and_grow_like_them() {
        let span = |from, to| Span::new(FileId(1), from, to);
        let mut text = MappedText::lying("k: ab".into(), span(3, 5));
        assert_eq!(text, MappedText::at("ab", span(3, 5)));
        assert_ne!(text, MappedText::at("ab", span(2, 4)));
        assert_eq!((text.as_str(), text.span(1, 2)), ("ab", span(4, 5)));
        text.push("c", span(7, 8));
        assert_eq!((text.as_str(), text.span(1, 3)), ("abc", span(4, 8)));
    }
}
