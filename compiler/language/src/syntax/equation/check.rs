//! Faults of equations, found on their words before the grammar runs.
//!
//! An expression alternates between places where a value must stand and places where an operator must stand. Walking
//! the words with that one bit and a stack of open brackets finds every fault at the word where a reader would see it.

use super::token::{Token, TokenKind};
use super::{MAX_NESTING, MAX_TOKENS};
use crate::diagnostic::{Diagnostic, Diagnostics, Result, syntax};
use crate::source::Span;
use crate::syntax::text::MappedText;

/// Characters that look like those of the language, and what was meant.
const LOOKALIKES: &[(char, &str)] = &[
    ('×', "*"),
    ('·', "*"),
    ('∙', "*"),
    ('⋅', "*"),
    ('∗', "*"),
    ('−', "-"),
    ('–', "-"),
    ('—', "-"),
    ('÷', "/"),
    ('∕', "/"),
    ('⁄', "/"),
    ('≤', "<="),
    ('≥', ">="),
    ('≠', "!="),
    ('²', "^2"),
    ('³', "^3"),
    ('√', "sqrt(..)"),
    ('∂', "d"),
    ('′', "'"),
    ('’', "'"),
    ('‘', "'"),
    ('´', "'"),
    ('`', "'"),
    ('（', "("),
    ('）', ")"),
    ('，', ","),
    ('＝', "="),
    ('∧', "and"),
    ('∨', "or"),
    ('¬', "not"),
    ('{', "("),
    ('}', ")"),
];

/// Operators that the language lacks, and what to write instead.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("//", "write `floor(a / b)`"),
    ("<<", "write `a * 2^b`"),
    (">>", "write `floor(a / 2^b)`"),
    ("&", "write `and`"),
    ("&&", "write `and`"),
    ("|", "write `or`"),
    ("||", "write `or`"),
    ("~", "write `not`"),
    ("!", "write `not`"),
];

/// Comparisons: not to be chained.
const COMPARISONS: &[&str] = &["<", "<=", ">", ">=", "==", "!="];

/// Checks an equation.
pub(super) fn equation(text: &MappedText, words: &[Token]) -> Result<()> {
    let words = Words { text, words };
    words.characters()?;
    let Some(equals) = (0..words.words.len()).find(|&i| words.is(i, "=")) else {
        return Err(words.without_equals().into());
    };
    words.left_side(equals)?;
    Walk::new(&words, equals + 1, words.words.len()).run()?;
    Ok(())
}

/// Checks an expression.
pub(super) fn expression(text: &MappedText, words: &[Token]) -> Result<()> {
    let words = Words { text, words };
    words.characters()?;
    if words.words.is_empty() {
        return Err(syntax::missing_expression(text.whole()).into());
    }
    Walk::new(&words, 0, words.words.len()).run()?;
    Ok(())
}

/// The words of one text.
struct Words<'t> {
    text: &'t MappedText,
    words: &'t [Token],
}

impl Words<'_> {
    fn str(&self, index: usize) -> &str {
        self.words.get(index).map_or("", |word| &self.text.as_str()[word.range.clone()])
    }

    fn is(&self, index: usize, what: &str) -> bool {
        self.str(index) == what
    }

    fn kind(&self, index: usize) -> Option<TokenKind> {
        self.words.get(index).map(|word| word.kind)
    }

    /// Where the words `from..to` stand.
    fn span(&self, from: usize, to: usize) -> Span {
        match (self.words.get(from), self.words.get(to.max(from + 1) - 1)) {
            (Some(first), Some(last)) => self.text.span(first.range.start, last.range.end),
            _ => self.text.whole(),
        }
    }

    /// The text of the words `from..to`, as written.
    fn written(&self, from: usize, to: usize) -> &str {
        match (self.words.get(from), self.words.get(to.max(from + 1) - 1)) {
            (Some(first), Some(last)) => &self.text.as_str()[first.range.start..last.range.end],
            _ => "",
        }
    }

    /// Unknown characters, all of them at once, and the limit on the length.
    fn characters(&self) -> Result<()> {
        if self.words.len() > MAX_TOKENS {
            return Err(syntax::equation_too_long(self.text.whole(), MAX_TOKENS).into());
        }
        let mut faults = Diagnostics::new();
        for (index, _) in self.words.iter().enumerate().filter(|(_, word)| word.kind == TokenKind::Unknown).take(8) {
            let character = self.str(index).chars().next().unwrap_or(' ');
            let meant = LOOKALIKES.iter().find(|(lookalike, _)| *lookalike == character).map(|(_, meant)| *meant);
            faults.push(syntax::unknown_character(self.span(index, index + 1), character, meant));
        }
        faults.into_result(())
    }

    /// The fault of an equation without `=`.
    fn without_equals(&self) -> Diagnostic {
        if self.words.is_empty() {
            return syntax::missing_equation(self.text.whole());
        }
        let augmented = |i: &usize| matches!(self.str(*i), "+=" | "-=" | "*=" | "/=" | "**=" | "//=" | "%=" | "^=");
        if let Some(at) = (0..self.words.len()).find(augmented) {
            return syntax::augmented_assignment(self.span(at, at + 1), self.written(0, at), self.str(at));
        }
        if let Some(at) = (0..self.words.len()).find(|&i| self.is(i, "==")) {
            return syntax::comparison_for_equation(self.span(at, at + 1));
        }
        syntax::missing_equals(self.text.whole())
    }

    /// Checks the words before the first `=`.
    fn left_side(&self, equals: usize) -> Result<()> {
        let augmented = |i: &usize| matches!(self.str(*i), "+=" | "-=" | "*=" | "/=" | "**=" | "//=" | "%=" | "^=");
        if let Some(at) = (0..equals).find(augmented) {
            return Err(syntax::augmented_assignment(self.span(at, at + 1), self.written(0, at), self.str(at)).into());
        }
        if equals == 0 {
            return Err(syntax::missing_left_side(self.span(0, 1)).into());
        }
        let prime = |i: usize| self.kind(i) == Some(TokenKind::Prime);
        if let Some(first) = (0..equals).find(|&i| prime(i) && prime(i + 1)) {
            let variable = if first > 0 { self.str(first - 1) } else { "x" };
            return Err(syntax::second_derivative(self.span(first.saturating_sub(1), first + 2), variable).into());
        }
        if let Some(keyword) = (0..equals).find(|&i| self.kind(i) == Some(TokenKind::Keyword)) {
            return Err(syntax::reserved_word(self.span(keyword, keyword + 1), self.str(keyword)).into());
        }
        let bad = || syntax::bad_left_side(self.span(0, equals), self.written(0, equals));
        let name = |i: usize| i < equals && self.kind(i) == Some(TokenKind::Name);
        let is = |i: usize, what: &str| i < equals && self.is(i, what);
        // One past the subscripts that start at `i`, after checking them; `i` when there are none.
        let subscripts = |i: usize| {
            if is(i, "[") { self.bracketed(i, equals) } else { Ok(i) }
        };
        let end = if is(0, "d") && is(1, "/") && is(2, "dt") {
            let bracket = is(3, "(");
            let at = if bracket || is(3, "*") { 4 } else { 3 };
            if is(at, "d") && is(at + 1, "/") {
                return Err(syntax::second_derivative(self.span(0, equals), self.str(equals - 1)).into());
            }
            if !name(at) {
                return Err(bad().into());
            }
            let end = subscripts(at + 1)?;
            match (bracket, is(end, ")")) {
                (true, true) => end + 1,
                (true, false) => return Err(bad().into()),
                (false, _) => end,
            }
        } else if name(0) && is(1, "/") && is(2, "dt") && self.str(0).len() > 1 && self.str(0).starts_with('d') {
            3
        } else if name(0) && is(1, "(") {
            self.bracketed(1, equals)?
        } else if name(0) {
            let primed = usize::from(is(1, "'"));
            let end = subscripts(1 + primed)?;
            if primed == 0 && end > 1 && is(end, "'") { end + 1 } else { end }
        } else {
            return Err(bad().into());
        };
        if end < equals && (self.str(0) == "d2" || self.written(0, equals).contains("dt2")) {
            return Err(syntax::second_derivative(self.span(0, equals), "x").into());
        }
        if end == equals { Ok(()) } else { Err(bad().into()) }
    }

    /// Checks the bracket that opens at `open` and returns the index past its end.
    fn bracketed(&self, open: usize, end: usize) -> Result<usize> {
        let mut depth = 0usize;
        for index in open..end {
            match self.kind(index) {
                Some(TokenKind::Open) => depth += 1,
                Some(TokenKind::Close) => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                let mut walk = Walk::new(self, open, index + 1);
                walk.open(if self.is(open, "[") { Bracket::Index } else { Bracket::Call });
                walk.at += 1;
                walk.run()?;
                return Ok(index + 1);
            }
        }
        Err(syntax::unclosed_bracket(self.span(open, open + 1), self.str(open)).into())
    }
}

/// What an open bracket is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    /// The expression itself: no bracket.
    None,
    /// `( .. )`
    Group,
    /// `f( .. )`
    Call,
    /// `x[ .. ]`
    Index,
}

/// The state inside one bracket.
struct Frame {
    bracket: Bracket,
    /// The word that opened it.
    open: usize,
    /// The last comparison that a further comparison would chain to.
    comparison: Option<usize>,
    /// `if`s whose `else` is still to come.
    conditionals: Vec<usize>,
    /// Whether the subscript has its `:`.
    colon: bool,
    /// Signs, powers and `else`s that nest in each other at this point.
    nesting: usize,
    /// The part of `nesting` that `else` made, which ends with the bracket only.
    else_nesting: usize,
}

/// A walk along the words `at..end` of an expression.
struct Walk<'w> {
    words: &'w Words<'w>,
    at: usize,
    start: usize,
    end: usize,
    frames: Vec<Frame>,
    /// Whether a value must come next.
    value: bool,
    /// Nesting of all frames together.
    depth: usize,
}

/// What a check says of one word.
type Checked = std::result::Result<(), Box<Diagnostic>>;

impl<'w> Walk<'w> {
    fn new(words: &'w Words<'w>, start: usize, end: usize) -> Walk<'w> {
        let mut walk = Walk { words, at: start, start, end, frames: Vec::new(), value: true, depth: 0 };
        walk.open(Bracket::None);
        walk
    }

    fn open(&mut self, bracket: Bracket) {
        let (open, conditionals) = (self.at, Vec::new());
        let frame = Frame { bracket, open, comparison: None, conditionals, colon: false, nesting: 0, else_nesting: 0 };
        self.frames.push(frame);
        self.depth += 1;
        self.value = true;
    }

    /// The innermost frame.
    fn frame(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("the frame of the expression itself is never closed")
    }

    fn nest(&mut self) {
        self.frame().nesting += 1;
        self.depth += 1;
    }

    /// Ends the nesting of signs and powers; that of `else` stays.
    fn unnest(&mut self) {
        let frame = self.frame();
        let ended = frame.nesting - frame.else_nesting;
        frame.nesting = frame.else_nesting;
        self.depth -= ended;
    }

    fn here(&self) -> Span {
        self.words.span(self.at, self.at + 1)
    }

    fn word(&self) -> &'w str {
        self.words.str(self.at)
    }

    /// The word before this one, within the expression.
    fn before(&self) -> Option<usize> {
        (self.at > self.start).then(|| self.at - 1)
    }

    /// Where a value is missing: "after `+`", "before `)`", ..
    fn missing_value(&self) -> Box<Diagnostic> {
        let at_end = self.at >= self.end;
        let span = if at_end { self.words.span(self.end - 1, self.end) } else { self.here() };
        let place = match (self.before(), at_end) {
            (None, _) => format!("before `{}`", self.word()),
            (Some(before), true) => format!("after `{}`", self.words.str(before)),
            (Some(before), false) => {
                format!("between `{}` and `{}`", self.words.str(before), self.word())
            }
        };
        Box::new(syntax::missing_operand(span, &place, self.before().map(|b| self.words.str(b))))
    }

    fn run(mut self) -> Result<()> {
        if self.start >= self.end {
            return Err(syntax::missing_right_side(self.words.span(self.start.saturating_sub(1), self.start)).into());
        }
        while self.at < self.end {
            let step = if self.value { self.value_place() } else { self.operator_place() };
            step.map_err(|fault| *fault)?;
            if self.depth > MAX_NESTING {
                return Err(syntax::nested_too_deeply(self.here(), MAX_NESTING).into());
            }
            self.at += 1;
        }
        if let Some(frame) = self.frames.iter().skip(1).last() {
            let open = frame.open;
            return Err(syntax::unclosed_bracket(self.words.span(open, open + 1), self.words.str(open)).into());
        }
        if self.value {
            return Err((*self.missing_value()).into());
        }
        self.conditionals_done().map_err(|fault| *fault)?;
        Ok(())
    }

    /// Every `if` of the innermost bracket must have had its `else`.
    fn conditionals_done(&self) -> Checked {
        match self.frames.last().and_then(|frame| frame.conditionals.last()) {
            Some(&at) => Err(Box::new(syntax::missing_else(self.words.span(at, at + 1)))),
            None => Ok(()),
        }
    }

    /// A word where a value must stand.
    fn value_place(&mut self) -> Checked {
        let before = self.before();
        let before_kind = before.and_then(|index| self.words.kind(index));
        match self.words.kind(self.at) {
            Some(TokenKind::Number | TokenKind::Name) => self.value = false,
            Some(TokenKind::Keyword) if self.word() == "not" => {
                if before_kind == Some(TokenKind::Operator) {
                    return Err(Box::new(syntax::not_needs_parentheses(self.here())));
                }
                self.frame().comparison = None;
                self.nest();
            }
            Some(TokenKind::Operator) if matches!(self.word(), "+" | "-") => self.nest(),
            Some(TokenKind::Operator) if matches!(self.word(), "~" | "!") => {
                return Err(self.unsupported());
            }
            Some(TokenKind::Operator) if self.word() == "=" => {
                return Err(Box::new(syntax::assignment_in_expression(self.here())));
            }
            Some(TokenKind::Open) if self.word() == "(" => self.open(Bracket::Group),
            Some(TokenKind::Open) => return Err(Box::new(syntax::list_in_equation(self.here()))),
            Some(TokenKind::Close) => {
                let empty_call = self.frame().bracket == Bracket::Call && before == Some(self.frame().open);
                let open_range = self.frame().bracket == Bracket::Index && before_kind == Some(TokenKind::Colon);
                if self.frames.len() > 1 && !empty_call && !open_range && self.matches_bracket() {
                    return Err(self.missing_value());
                }
                return self.close();
            }
            Some(TokenKind::Colon) if self.frame().bracket == Bracket::Index => {
                let at_start = matches!(before_kind, Some(TokenKind::Open | TokenKind::Comma));
                if !at_start {
                    return self.colon();
                }
                self.frame().colon = true;
            }
            Some(TokenKind::Comma)
                if self.frame().bracket == Bracket::Index && before_kind == Some(TokenKind::Colon) =>
            {
                self.frame().colon = false;
            }
            Some(TokenKind::Colon) => return self.colon(),
            _ => return Err(self.missing_value()),
        }
        Ok(())
    }

    /// A word where an operator must stand.
    fn operator_place(&mut self) -> Checked {
        let before = self.at - 1;
        match self.words.kind(self.at) {
            Some(TokenKind::Number | TokenKind::Name) => {
                let span = self.words.span(before, self.at + 1);
                Err(Box::new(syntax::implicit_product(span, self.words.str(before), self.word())))
            }
            Some(TokenKind::Keyword) => self.keyword(),
            Some(TokenKind::Operator) => self.operator(),
            Some(TokenKind::Open) if self.word() == "[" => {
                if self.words.kind(before) == Some(TokenKind::Number) {
                    return Err(Box::new(syntax::implicit_product(
                        self.words.span(before, self.at + 1),
                        self.words.str(before),
                        "[",
                    )));
                }
                self.open(Bracket::Index);
                Ok(())
            }
            Some(TokenKind::Open) => {
                if self.words.kind(before) != Some(TokenKind::Name) {
                    let span = self.words.span(before, self.at + 1);
                    return Err(Box::new(syntax::implicit_product(span, self.words.str(before), "(")));
                }
                self.open(Bracket::Call);
                Ok(())
            }
            Some(TokenKind::Close) => {
                if self.matches_bracket() {
                    self.conditionals_done()?;
                }
                self.close()
            }
            Some(TokenKind::Comma) => {
                self.conditionals_done()?;
                let here = self.here();
                self.unnest();
                let frame = self.frame();
                if !matches!(frame.bracket, Bracket::Call | Bracket::Index) {
                    return Err(Box::new(syntax::unexpected_comma(here)));
                }
                (frame.colon, frame.comparison) = (false, None);
                self.value = true;
                Ok(())
            }
            Some(TokenKind::Colon) => self.colon(),
            Some(TokenKind::Prime) => {
                let span = self.words.span(before, self.at + 1);
                Err(Box::new(syntax::derivative_on_the_right(span, self.words.str(before))))
            }
            _ => Err(self.missing_value()),
        }
    }

    /// `and`, `or`, `not`, `if`, `else` where an operator must stand.
    fn keyword(&mut self) -> Checked {
        let at = self.at;
        match self.word() {
            "not" => return Err(Box::new(syntax::misplaced_not(self.here()))),
            "if" => self.frame().conditionals.push(at),
            "else" => {
                if self.frame().conditionals.pop().is_none() {
                    return Err(Box::new(syntax::else_without_if(self.here())));
                }
                self.unnest();
                self.frame().else_nesting += 1;
                self.nest();
            }
            _ => {}
        }
        self.unnest();
        self.frame().comparison = None;
        self.value = true;
        Ok(())
    }

    /// An operator where one must stand.
    fn operator(&mut self) -> Checked {
        let word = self.word();
        let here = self.here();
        if word == "=" {
            let call = self.frame().bracket == Bracket::Call;
            let named = call && self.at >= 2 && matches!(self.words.str(self.at - 2), "(" | ",");
            let (name, span) = (self.words.str(self.at - 1), self.words.span(self.at - 1, self.at + 1));
            return Err(Box::new(if named {
                syntax::named_argument(span, name)
            } else {
                syntax::assignment_in_expression(here)
            }));
        }
        if UNSUPPORTED.iter().any(|row| row.0 == word) {
            return Err(self.unsupported());
        }
        if word.ends_with('=') && !COMPARISONS.contains(&word) {
            return Err(Box::new(syntax::augmented_assignment(here, "x", word)));
        }
        if matches!(word, "**" | "^") {
            self.nest();
        } else {
            self.unnest();
        }
        if COMPARISONS.contains(&word) {
            let at = self.at;
            if let Some(first) = self.frame().comparison.replace(at) {
                let first = self.words.span(first, first + 1);
                return Err(Box::new(syntax::chained_comparison(here, first)));
            }
        }
        self.value = true;
        Ok(())
    }

    /// The fault of an operator that the language lacks.
    fn unsupported(&self) -> Box<Diagnostic> {
        let help = UNSUPPORTED.iter().find(|row| row.0 == self.word()).map_or("", |row| row.1);
        Box::new(syntax::unsupported_operator(self.here(), self.word(), help))
    }

    /// `:`, which only subscripts have, and only one each.
    fn colon(&mut self) -> Checked {
        let here = self.here();
        let frame = self.frame();
        if frame.bracket != Bracket::Index {
            return Err(Box::new(syntax::unexpected_colon(here)));
        }
        if std::mem::replace(&mut frame.colon, true) {
            return Err(Box::new(syntax::range_with_step(here)));
        }
        frame.comparison = None;
        self.conditionals_done()?;
        self.unnest();
        self.value = true;
        Ok(())
    }

    /// Whether the closing bracket at this word is the one that the innermost bracket needs.
    fn matches_bracket(&self) -> bool {
        let open = self.frames.last().map_or("", |frame| self.words.str(frame.open));
        self.frames.len() > 1 && (open == "(") == (self.word() == ")")
    }

    /// Closes the innermost bracket.
    fn close(&mut self) -> Checked {
        if self.frames.len() == 1 {
            return Err(Box::new(syntax::unopened_bracket(self.here(), self.word())));
        }
        if !self.matches_bracket() {
            let open = self.frame().open;
            let (open, written) = (self.words.span(open, open + 1), self.words.str(open));
            return Err(Box::new(syntax::mismatched_bracket(self.here(), self.word(), open, written)));
        }
        if let Some(frame) = self.frames.pop() {
            self.depth -= 1 + frame.nesting;
        }
        self.value = false;
        Ok(())
    }
}
