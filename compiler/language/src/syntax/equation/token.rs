//! Words of equations.

use std::ops::Range;

use super::RESERVED_WORDS;
use crate::syntax::text::MappedText;

/// One word of an equation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// What sort of word it is.
    pub kind: TokenKind,
    /// The bytes of the text it takes.
    pub range: Range<usize>,
}

/// The sorts of words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenKind {
    /// `1`, `.5`, `1e-3`, `0x10`, `2j`.
    Number,
    /// A variable, a function, `pi`, `t`, ..
    Name,
    /// `and or not if else`.
    Keyword,
    /// An operator, supported or not, `=` among them.
    Operator,
    /// `(` or `[`.
    Open,
    /// `)` or `]`.
    Close,
    /// `,`.
    Comma,
    /// `:`.
    Colon,
    /// `'`, the sign of the derivative.
    Prime,
    /// A character the language does not know.
    Unknown,
}

/// Operators of more than one character, longest first. Those the language lacks are here so that they are reported
/// as what they are.
const LONG_OPERATORS: &[&str] =
    &["**=", "//=", "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "+=", "-=", "*=", "/=", "%=", "^=", "&&", "||"];

/// Cuts a text into its words. White space separates words and is not among them. Never fails: a character the
/// language does not know is a word of its own.
pub fn tokens(text: &MappedText) -> Vec<Token> {
    words(text.as_str())
}

/// [`tokens`] of a plain string.
pub(super) fn words(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        if is_space(character) {
            at += character.len_utf8();
            continue;
        }
        let rest = &text[at..];
        let (kind, length) = if let Some(length) = number_length(rest) {
            (TokenKind::Number, length)
        } else if starts_name(character) {
            let length = rest.find(|c| !continues_name(c)).unwrap_or(rest.len());
            let keyword = RESERVED_WORDS.contains(&&rest[..length]);
            (if keyword { TokenKind::Keyword } else { TokenKind::Name }, length)
        } else if let Some(operator) = LONG_OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
            (TokenKind::Operator, operator.len())
        } else {
            let kind = match character {
                '(' | '[' => TokenKind::Open,
                ')' | ']' => TokenKind::Close,
                ',' => TokenKind::Comma,
                ':' => TokenKind::Colon,
                '\'' => TokenKind::Prime,
                '+' | '-' | '*' | '/' | '%' | '@' | '^' | '<' | '>' | '=' | '&' | '|' | '~' | '!' => {
                    TokenKind::Operator
                }
                _ => TokenKind::Unknown,
            };
            (kind, character.len_utf8())
        };
        found.push(Token { kind, range: at..at + length });
        at += length;
    }
    found
}

/// White space of equations, newlines among it.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n' | '\u{A0}')
}

/// Whether a name can start with this character.
pub(super) fn starts_name(character: char) -> bool {
    character == '_' || character.is_alphabetic()
}

/// Whether a name can go on with this character: letters of any script, digits, subscript digits, underscore.
pub(super) fn continues_name(character: char) -> bool {
    starts_name(character) || character.is_ascii_digit() || ('\u{2080}'..='\u{2089}').contains(&character)
}

/// Length of the number at the start of `text`, if there is one.
fn number_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if let Some(rest) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let length = digits_length(rest.as_bytes(), u8::is_ascii_hexdigit);
        if length > 0 && !rest[length..].starts_with(continues_name) {
            return Some(2 + length);
        }
    }
    let whole = digits_length(bytes, u8::is_ascii_digit);
    let mut end = whole;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits_length(&bytes[end + 1..], u8::is_ascii_digit);
        if whole == 0 && fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    } else if whole == 0 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits_length(bytes.get(end + 1 + sign..).unwrap_or(&[]), u8::is_ascii_digit);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    if matches!(bytes.get(end), Some(b'j' | b'J')) && !text[end + 1..].starts_with(continues_name) {
        end += 1;
    }
    Some(end)
}

/// Length of a run of digits with single underscores between them.
fn digits_length(bytes: &[u8], is_digit: fn(&u8) -> bool) -> usize {
    let mut length = 0;
    loop {
        match bytes.get(length) {
            Some(byte) if is_digit(byte) => length += 1,
            Some(b'_') if length > 0 && bytes.get(length + 1).is_some_and(is_digit) => length += 2,
            _ => return length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        words(text).into_iter().map(|word| &text[word.range]).collect()
    }

    #[test]
    fn words_are_cut_as_long_as_possible() {
        assert_eq!(cut("x' = -x**2//y"), ["x", "'", "=", "-", "x", "**", "2", "//", "y"]);
        assert_eq!(cut("τ_1<=a.b"), ["τ_1", "<=", "a", ".", "b"]);
        assert_eq!(cut("x₁ = 2x"), ["x₁", "=", "2", "x"]);
        assert_eq!(cut(""), [""; 0]);
    }

    #[test]
    fn numbers_take_fraction_exponent_and_imaginary_unit() {
        for number in
            ["1", "1.0", ".5", "5.", "1e-3", "5.e-1", "0x10", "0XfF", "1_000", "2j", "1e-3j", "1E+5", "0x_1"].iter()
        {
            let expected: &[&str] = if *number == "0x_1" { &["0", "x_1"] } else { &[number] };
            assert_eq!(cut(number), expected, "{number}");
        }
        assert_eq!(cut("1e"), ["1", "e"]);
        assert_eq!(cut("2jx"), ["2", "jx"]);
        assert_eq!(cut("1__0"), ["1", "__0"]);
        assert_eq!(cut("."), ["."]);
    }
}
