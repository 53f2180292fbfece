//! The arguments of the macro.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};

use crate::fault::Fault;

/// Where the model stands.
pub enum Source {
    /// In a file, and one of the templates in it.
    File { path: String, span: Span, template: Option<String> },
    /// In the macro: the name of the model, and its equations and variables.
    Inline { name: Ident, body: TokenStream },
}

/// A setting with the place of its value.
pub type Setting = (String, Span);

/// Everything that a user wrote.
pub struct Arguments {
    pub source: Source,
    pub scheme: Option<Setting>,
    pub precision: Option<Setting>,
    pub dt: Option<(f64, Span)>,
    pub name: Option<Ident>,
    pub inputs: Vec<Setting>,
    pub std: bool,
    /// The settings read so far.
    given: Vec<String>,
}

/// The settings there are.
const KEYS: &str = "`scheme`, `precision`, `dt`, `name`, `inputs`, `std`";

impl Arguments {
    /// Reads them.
    pub fn read(input: TokenStream) -> Result<Arguments, Fault> {
        let mut parts = Vec::new();
        let mut part: Vec<TokenTree> = Vec::new();
        for token in input {
            match &token {
                TokenTree::Punct(comma) if comma.as_char() == ',' => parts.push(std::mem::take(&mut part)),
                _ => part.push(token),
            }
        }
        if !part.is_empty() {
            parts.push(part);
        }
        let mut parts = parts.into_iter();
        let expected = "expected the path of a template file, or a name with equations: `model!(\"models/column.yaml\")`, \
                        `model!(oscillator { d/dt x = -x; x: output(1.0); }, dt = 1e-3)`";
        let first = parts.next().unwrap_or_default();
        let source = match &first[..] {
            [TokenTree::Literal(literal)] => {
                let path = text(literal).ok_or_else(|| Fault::at(literal.span(), expected))?;
                Source::File { path, span: literal.span(), template: None }
            }
            [TokenTree::Ident(name), TokenTree::Group(body)] if body.delimiter() == Delimiter::Brace => {
                Source::Inline { name: name.clone(), body: body.stream() }
            }
            other => return Err(Fault::at(other.first().map_or_else(Span::call_site, TokenTree::span), expected)),
        };
        let (scheme, precision, dt, name) = (None, None, None, None);
        let mut read =
            Arguments { source, scheme, precision, dt, name, inputs: Vec::new(), std: true, given: Vec::new() };
        for part in parts {
            read.add(&part)?;
        }
        Ok(read)
    }

    fn add(&mut self, part: &[TokenTree]) -> Result<(), Fault> {
        let (key, value) = match part {
            [] => return Ok(()),
            [TokenTree::Ident(name)] => {
                return match &mut self.source {
                    Source::File { template: template @ None, .. } => {
                        *template = Some(name.to_string());
                        Ok(())
                    }
                    _ => Err(Fault::at(name.span(), format!("expected a setting: {KEYS}"))),
                };
            }
            [TokenTree::Ident(key), TokenTree::Punct(equals), value @ ..] if equals.as_char() == '=' => (key, value),
            [first, ..] => {
                let message = format!("expected the name of a template, or a setting `key = value`: {KEYS}");
                return Err(Fault::at(first.span(), message));
            }
        };
        let wrong = |expected: &str| {
            let span = value.first().map_or_else(|| key.span(), TokenTree::span);
            Fault::at(span, format!("expected {expected} as the value of `{key}`"))
        };
        if self.given.contains(&key.to_string()) {
            return Err(Fault::at(key.span(), format!("`{key}` is set twice")));
        }
        self.given.push(key.to_string());
        match &*key.to_string() {
            "scheme" => self.scheme = Some(word(value).ok_or_else(|| wrong("the name of a scheme, as in `heun`,"))?),
            "precision" => self.precision = Some(word(value).ok_or_else(|| wrong("`f32` or `f64`"))?),
            "dt" => {
                let (number, span) = word(value).ok_or_else(|| wrong("a number"))?;
                let number = number.replace('_', "").parse::<f64>().ok().filter(|n| *n > 0.0 && n.is_finite());
                self.dt = Some((number.ok_or_else(|| wrong("a positive number"))?, span));
            }
            "name" => match value {
                [TokenTree::Ident(name)] => self.name = Some(name.clone()),
                _ => return Err(wrong("a name")),
            },
            "std" => match word(value) {
                Some((word, _)) if word == "true" => self.std = true,
                Some((word, _)) if word == "false" => self.std = false,
                _ => return Err(wrong("`true` or `false`")),
            },
            "inputs" => match value {
                [TokenTree::Group(list)] if list.delimiter() == Delimiter::Bracket => {
                    for token in list.stream() {
                        match &token {
                            TokenTree::Literal(literal) => {
                                let path = text(literal).ok_or_else(|| wrong("a list of paths in quotes"))?;
                                self.inputs.push((path, literal.span()));
                            }
                            TokenTree::Punct(comma) if comma.as_char() == ',' => {}
                            _ => return Err(wrong("a list of paths in quotes")),
                        }
                    }
                }
                _ => return Err(wrong("a list of paths in quotes")),
            },
            unknown => {
                return Err(Fault::at(key.span(), format!("there is no setting `{unknown}`; expected one of {KEYS}")));
            }
        }
        Ok(())
    }
}

/// The text of a string literal, raw or not.
fn text(literal: &proc_macro2::Literal) -> Option<String> {
    let written = literal.to_string();
    if let Some(raw) = written.strip_prefix('r') {
        return Some(raw.trim_matches('#').strip_prefix('"')?.strip_suffix('"')?.to_string());
    }
    let inner = written.strip_prefix('"')?.strip_suffix('"')?;
    // Paths need no escapes but those of quotes and backslashes.
    Some(inner.replace("\\\"", "\"").replace("\\\\", "\\"))
}

/// A value of one token: a name, a number or a text.
fn word(value: &[TokenTree]) -> Option<Setting> {
    match value {
        [TokenTree::Ident(name)] => Some((name.to_string(), name.span())),
        [TokenTree::Literal(literal)] => Some((text(literal).unwrap_or_else(|| literal.to_string()), literal.span())),
        _ => None,
    }
}
