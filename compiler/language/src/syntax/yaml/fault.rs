//! The YAML scanner's complaints in the user's words.

use granit_parser::ErrorKind;

use crate::diagnostic::{Diagnostic, syntax};
use crate::source::Span;

/// The diagnostic for the complaint `kind` at byte `at` of `text`. `innermost` is where the innermost open `[` or `{`
/// stands; `span` makes spans from byte ranges of `text`.
pub(super) fn explain(
    text: &str,
    at: usize,
    innermost: Option<usize>,
    kind: &ErrorKind,
    span: impl Fn(usize, usize) -> Span,
) -> Diagnostic {
    use ErrorKind as K;
    let character = text[at..].chars().next();
    let one = || span(at, at + character.filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8));
    let word = |from: usize| {
        let end = text[from..].find([' ', '\t', '\n', '\r', ',', ']', '}']).map_or(text.len(), |n| from + n);
        (from, end)
    };
    let unclosed = |open: usize| syntax::unclosed_flow(span(open, open + 1), &text[open..open + 1]);
    let related = || innermost.map(|open| (span(open, open + 1), text[open..open + 1].to_string()));
    if let Some(tab) = tab_in_indentation(text, at) {
        return syntax::tab_in_indentation(span(tab, tab + 1));
    }
    match kind {
        K::UnclosedQuotedScalar | K::DocumentIndicatorInQuotedScalar | K::InvalidQuotedScalarIndent => {
            let open = if text[at..].starts_with(['"', '\'']) { at } else { open_quote(text, at).unwrap_or(at) };
            syntax::unclosed_quote(span(open, open + 1), text[open..].chars().next().unwrap_or('"'))
        }
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => {
            let (from, to) = word(at);
            if innermost.is_some() && text[at..].starts_with(['"', '\'']) {
                return syntax::missing_comma(span(from, to), related());
            }
            syntax::text_after_quote(span(from, to))
        }
        K::UnexpectedCharacter { .. } => syntax::reserved_indicator(one(), character.unwrap_or('%')),
        K::ExpectedFlowMappingSeparator | K::ExpectedFlowSequenceSeparator => {
            if let Some(open) = innermost.filter(|_| at >= text.trim_end().len()) {
                return unclosed(open);
            }
            let (from, to) = word(at);
            syntax::missing_comma(span(from, to), related())
        }
        K::UnclosedFlowCollection { .. } if text[at..].starts_with(['[', '{']) => unclosed(at),
        K::MismatchedFlowCollectionEnd { open, close } => {
            let place = mismatched_close(text, at, *close).unwrap_or(at);
            syntax::mismatched_bracket(span(place, place + 1), &close.to_string(), span(at, at + 1), &open.to_string())
        }
        K::MisplacedFlowCollectionEnd => syntax::unopened_flow(one(), character.unwrap_or(']')),
        K::RecursionLimitExceeded => syntax::yaml_nested_too_deeply(one(), super::MAX_DEPTH),
        K::UnknownQuotedScalarEscape
        | K::InvalidQuotedScalarHexEscape
        | K::InvalidLowSurrogateHexEscape
        | K::InvalidLowSurrogate
        | K::MissingLowSurrogate
        | K::UnpairedLowSurrogate
        | K::InvalidUnicodeEscape => {
            let valid = "0abt\tnvfre \"/\\N_LPxuU\n\r";
            let mut escapes = text[at..].match_indices('\\').map(|(index, _)| at + index);
            let mut past = at;
            let bad = escapes.find(|&index| {
                let fresh = index >= past;
                past = if fresh { index + 2 } else { past };
                fresh && text[index + 1..].chars().next().is_some_and(|c| !valid.contains(c) || "xuU".contains(c))
            });
            syntax::bad_escape(
                bad.map_or_else(one, |at| span(at, at + 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8))),
            )
        }
        K::MappingValueNotAllowed | K::InvalidColonPlacement | K::FlowMappingValueAdjacentCollection => {
            let (start, _) = line_content(text, at);
            let column = |at: usize| at - text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            match innermost.filter(|open| *open < start) {
                // An entry further down, where no list goes on.
                Some(open) if column(start) <= column(line_content(text, open).0) => unclosed(open),
                Some(_) => syntax::missing_comma(span(start, word(start).1), related()),
                None => syntax::unexpected_mapping_colon(one()),
            }
        }
        K::SimpleKeyExpected | K::InvalidSimpleKey | K::MappingKeyNotAllowed => {
            let (mut from, mut to) = line_content(text, at);
            let above = text[..from].trim_end().len();
            if text[from..to].contains(": ") && above > 0 {
                // The line that made the scanner wait for a colon is the one above.
                let line = line_content(text, (0..above).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0));
                if !text[line.0..line.1].contains(':') {
                    (from, to) = line;
                }
            }
            syntax::not_a_key(span(from, to))
        }
        K::ZeroBlockScalarIndent | K::InvalidBlockScalarHeader | K::TabAtBlockScalarStart => {
            syntax::bad_block_scalar(one())
        }
        K::InvalidIndentation
        | K::InvalidFlowScalarIndent
        | K::InvalidBlockScalarIndent
        | K::ExpectedBlockMappingKey
        | K::ExpectedBlockSequenceEntry => {
            let line = text[at..].lines().next().unwrap_or("");
            if let Some(open) = innermost.filter(|_| line.contains(": ") || line.ends_with(':')) {
                return unclosed(open);
            }
            let (from, to) = line_content(text, at);
            let before = text[..from].trim_end().lines().next_back().unwrap_or("");
            if before.trim_start().starts_with('#') && !text[from..to].contains(':') {
                return syntax::comment_in_text(span(from, to));
            }
            syntax::bad_indentation(span(from, to))
        }
        K::BlockSequenceEntryNotAllowed
        | K::BlockEntryInFlowCollection
        | K::InvalidBlockEntryWhitespace
        | K::PlainScalarStartsWithDashFlowIndicator => syntax::misplaced_dash(one()),
        K::ExpectedNodeContent
        | K::UnexpectedEndOfPlainScalar
        | K::UnexpectedEof
        | K::UnexpectedEofFlowSequence
        | K::UnexpectedEofFlowMapping
        | K::UnexpectedEofImplicitFlowMapping => match innermost.filter(|_| character.is_none()) {
            Some(open) => unclosed(open),
            None => syntax::yaml_missing_value(one(), character),
        },
        K::CommentInterceptedScalar => syntax::comment_in_text(one()),
        K::DuplicateVersionDirective
        | K::UnsupportedYamlMajorVersion
        | K::DuplicateTagDirective
        | K::ExpectedDocumentStart
        | K::MissingDocumentEndBeforeDirective
        | K::UndeclaredTagHandle
        | K::InvalidDirectiveTerminator
        | K::InvalidDirectiveName
        | K::MissingDirectiveName
        | K::MissingYamlVersion
        | K::MissingYamlVersionSeparator
        | K::ExpectedTagDirectiveBang
        | K::InvalidTagDirectiveTerminator => syntax::unsupported_directive(one()),
        other => syntax::unreadable_yaml(one(), &other.to_string()),
    }
}

/// The innermost `[` or `{` that is open at byte `at`, when none is at byte `from`. The parser cannot tell: its scanner
/// reads ahead of it.
pub(super) fn open_bracket(text: &str, from: usize, at: usize) -> Option<usize> {
    Opened::new().read(text, from, at).brackets.pop()
}

/// The quote that is open at byte `at`.
fn open_quote(text: &str, at: usize) -> Option<usize> {
    Opened::new().read(text, 0, at).quote.map(|(at, _)| at)
}

/// Where the bracket at byte `open` is closed by the wrong one.
fn mismatched_close(text: &str, open: usize, close: char) -> Option<usize> {
    let mut opened = Opened::new();
    let mut characters = text[open..].char_indices().map(|(index, character)| (open + index, character));
    characters.find_map(|(at, character)| {
        let here = character == close && opened.quote.is_none() && !opened.comment && opened.brackets == [open];
        opened.step(at, character);
        here.then_some(at)
    })
}

/// What is open at a place of a text.
struct Opened {
    brackets: Vec<usize>,
    quote: Option<(usize, char)>,
    comment: bool,
    before: char,
}

impl Opened {
    fn new() -> Opened {
        Opened { brackets: Vec::new(), quote: None, comment: false, before: ' ' }
    }

    fn read(mut self, text: &str, from: usize, to: usize) -> Opened {
        for (index, character) in text[from..to.max(from)].char_indices() {
            self.step(from + index, character);
        }
        self
    }

    fn step(&mut self, at: usize, character: char) {
        match (self.quote, character) {
            _ if self.comment => self.comment = character != '\n',
            (Some((_, end)), c) if c == end && self.before != '\\' => self.quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if matches!(self.before, ' ' | '[' | '{' | ',' | ':' | '\n') => {
                self.quote = Some((at, character));
            }
            (None, '#') if matches!(self.before, ' ' | '\n') => self.comment = true,
            (None, '[' | '{') => self.brackets.push(at),
            (None, ']' | '}') => drop(self.brackets.pop()),
            _ => {}
        }
        self.before = character;
    }
}

/// The first tab in the indentation of the line of `at`, or of the line before when `at` starts its line.
fn tab_in_indentation(text: &str, at: usize) -> Option<usize> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let before = text[..start.saturating_sub(1)].rfind('\n').map_or(0, |newline| newline + 1);
    let next = text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1);
    [start, before, next].into_iter().find_map(|line| {
        let rest = &text[line..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if rest[blank..].starts_with(['\n', '\r']) {
            return None;
        }
        rest[..blank].find('\t').map(|tab| line + tab)
    })
}

/// What the line of `at` holds besides its indentation.
fn line_content(text: &str, at: usize) -> (usize, usize) {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    let line = &text[start..end];
    let from = start + line.len() - line.trim_start().len();
    (from, from.max(start + line.trim_end().len()))
}
