//! The YAML scanner's complaints in the user's words.

use crate::diagnostic::{Diagnostic, did_you_mean, syntax};
use crate::source::Span;

/// The diagnostic for the complaint `info` at byte `at` of `text`. `innermost` is where the innermost open `[` or `{`
/// stands; `span` makes spans from byte ranges of `text`.
pub(super) fn explain(
    text: &str,
    at: usize,
    innermost: Option<usize>,
    info: &str,
    span: impl Fn(usize, usize) -> Span,
) -> Diagnostic {
    let character = text[at..].chars().next();
    let one = || span(at, at + character.filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8));
    let word = |from: usize| {
        let end = text[from..].find([' ', '\t', '\n', '\r', ',', ']', '}']).map_or(text.len(), |n| from + n);
        (from, end)
    };
    let has = |part: &str| info.contains(part);
    if let Some(tab) = tab_in_indentation(text, at) {
        return syntax::tab_in_indentation(span(tab, tab + 1));
    }
    if has("quoted scalar, found unexpected") || has("indentation in quoted scalar") {
        let quote = text[at..].chars().next().unwrap_or('"');
        return syntax::unclosed_quote(one(), quote);
    }
    if has("unknown anchor") {
        let (from, to) = word(at);
        let anchors = text[..at].split([' ', '\n', '\t']).filter_map(|word| word.strip_prefix('&'));
        let near = did_you_mean(text[from..to].trim_start_matches('*'), anchors.map(str::trim_end));
        return syntax::unknown_anchor(span(from, to), &text[from..to], near);
    }
    if has("trailing content after") {
        let (from, to) = word(at);
        if let Some(open) = innermost.filter(|_| text[at..].starts_with(['"', '\''])) {
            return syntax::missing_comma(
                span(from, to),
                Some((span(open, open + 1), text[open..open + 1].to_string())),
            );
        }
        return syntax::text_after_quote(span(from, to));
    }
    if has("unexpected character: ") {
        return syntax::reserved_indicator(one(), character.unwrap_or('%'));
    }
    if has("expected ',' or") {
        if let Some(open) = innermost.filter(|_| at >= text.trim_end().len()) {
            return syntax::unclosed_flow(span(open, open + 1), &text[open..open + 1]);
        }
        let (from, to) = word(at);
        let related = innermost.map(|open| (span(open, open + 1), text[open..open + 1].to_string()));
        return syntax::missing_comma(span(from, to.max(from)), related);
    }
    if has("misplaced bracket") {
        return syntax::unopened_flow(one(), character.unwrap_or(']'));
    }
    if has("recursion limit") {
        return syntax::yaml_nested_too_deeply(one(), super::MAX_DEPTH);
    }
    if has("escape") || has("hexadecimal number") || has("Unicode character") {
        let valid = "0abt\tnvfre \"/\\N_LPxuU\n\r";
        let mut escapes = text[at..].match_indices('\\').map(|(index, _)| at + index);
        let mut past = at;
        let bad = escapes.find(|&index| {
            let fresh = index >= past;
            past = if fresh { index + 2 } else { past };
            fresh && text[index + 1..].chars().next().is_some_and(|c| !valid.contains(c) || "xuU".contains(c))
        });
        return syntax::bad_escape(
            bad.map_or_else(one, |at| span(at, at + 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8))),
        );
    }
    if has("mapping values are not allowed") || has("illegal placement of ':'") {
        return syntax::unexpected_mapping_colon(one());
    }
    if has("simple key expect") || has("mapping keys are not allowed") {
        let (mut from, mut to) = line_content(text, at);
        let above = text[..from].trim_end().len();
        if text[from..to].contains(": ") && above > 0 {
            // The line that made the scanner wait for a colon is the one above.
            let line = line_content(text, (0..above).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0));
            if !text[line.0..line.1].contains(':') {
                (from, to) = line;
            }
        }
        return syntax::not_a_key(span(from, to));
    }
    if has("block scalar") && !has("indented line") {
        return syntax::bad_block_scalar(one());
    }
    let starts_entry = || text[at..].lines().next().is_some_and(|line| line.contains(": ") || line.ends_with(':'));
    if let Some(open) = innermost.filter(|_| has("indentation in flow") || (has("expected key") && starts_entry())) {
        return syntax::unclosed_flow(span(open, open + 1), &text[open..open + 1]);
    }
    if has("indentation") || has("indented") || has("did not find expected key") || has("expected '-' indicator") {
        let (from, to) = line_content(text, at);
        let before = text[..from].trim_end().lines().next_back().unwrap_or("");
        if before.trim_start().starts_with('#') && !text[from..to].contains(':') {
            return syntax::comment_in_text(span(from, to));
        }
        return syntax::bad_indentation(span(from, to));
    }
    if has("block sequence entries are not allowed") || has("plain scalar cannot start with '-'") {
        return syntax::misplaced_dash(one());
    }
    if has("node content") || has("end of plain scalar") {
        if let Some(open) = innermost.filter(|_| character.is_none()) {
            return syntax::unclosed_flow(span(open, open + 1), &text[open..open + 1]);
        }
        return syntax::yaml_missing_value(one(), character);
    }
    if has("comment intercepting") {
        return syntax::comment_in_text(one());
    }
    if has("directive") || has("TAG") || has("handle") || has("document start") || has("document-start") {
        return syntax::unsupported_directive(one());
    }
    syntax::unreadable_yaml(one(), info)
}

/// The innermost `[` or `{` that is open at byte `at`, when none is at byte `from`. The parser cannot tell: its scanner
/// reads ahead of it.
pub(super) fn open_bracket(text: &str, from: usize, at: usize) -> Option<usize> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut before = ' ';
    let mut comment = false;
    for (index, character) in text[from..at.max(from)].char_indices() {
        match (quote, character) {
            _ if comment => comment = character != '\n',
            (Some(end), c) if c == end && before != '\\' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if matches!(before, ' ' | '[' | '{' | ',' | ':' | '\n') => quote = Some(character),
            (None, '#') if matches!(before, ' ' | '\n') => comment = true,
            (None, '[' | '{') => open.push(from + index),
            (None, ']' | '}') => drop(open.pop()),
            _ => {}
        }
        before = character;
    }
    open.pop()
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
