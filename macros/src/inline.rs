//! Models in the macro: equations and variables as statements.
//!
//! The statements are written down as the operator template that they are, token by token, so that a place in that text is
//! a token of the user.

use nullcline_compiler::diagnostic::Severity;
use nullcline_compiler::embed::{Form, embed, put_helps};
use nullcline_compiler::source::{FileId, SourceMap};
use nullcline_compiler::template::library::MemoryLibrary;
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use crate::arguments::{Arguments, Source};
use crate::fault::Fault;
use crate::file::{module, wish};

/// Name of the file that the statements are written to.
const FILE: &str = "model.yaml";

/// The module of a model in the macro.
pub fn expand(arguments: &Arguments, runtime: TokenStream) -> Result<TokenStream, Vec<Fault>> {
    let Source::Inline { name, body } = &arguments.source else { return Ok(TokenStream::new()) };
    let mut text = Text::default();
    write(&mut text, &name.to_string(), name.span(), body.clone()).map_err(|fault| vec![fault])?;
    let library = MemoryLibrary::new().with(FILE, text.text.clone());
    let mut sources = SourceMap::new();
    let (wish, settings) = wish(&mut sources, arguments, FILE.to_string(), None, runtime);
    match embed(&mut sources, &library, &wish) {
        Ok(mut embedding) => {
            if let Some(first) = embedding.doc.first_mut() {
                *first = format!("The model `{name}`.");
            }
            Ok(module(arguments, &embedding, &[]))
        }
        Err(mut faults) => {
            put_helps(&mut faults, Form::Inline);
            let errors = faults.into_iter().filter(|d| d.severity == Severity::Error);
            Err(errors
                .map(|fault| {
                    let own = |file: FileId| sources.file(file).is_some_and(|f| f.name.ends_with(FILE));
                    let tokens = match own(fault.span.file) {
                        true => text.tokens(fault.span.start as usize, fault.span.end as usize),
                        false => settings.span(fault.span.file).map(|span| (span, span)),
                    };
                    Fault::of(tokens.unwrap_or((Span::call_site(), Span::call_site())), fault)
                })
                .collect())
        }
    }
}

/// A text and the token that each piece of it is.
#[derive(Default)]
struct Text {
    text: String,
    pieces: Vec<(usize, usize, Span)>,
    /// Whether tokens stand between quotes.
    quoted: bool,
}

impl Text {
    /// Adds what no token is.
    fn plain(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a token.
    fn token(&mut self, text: &str, span: Span) {
        let start = self.text.len();
        match self.quoted {
            true => self.text.push_str(&text.replace('\\', "\\\\").replace('"', "\\\"")),
            false => self.text.push_str(text),
        }
        self.pieces.push((start, self.text.len(), span));
    }

    /// The first and the last token between two places.
    fn tokens(&self, start: usize, end: usize) -> Option<(Span, Span)> {
        let inside = || self.pieces.iter().filter(|p| p.1 > start && p.0 < end.max(start + 1));
        // Where nothing stands, the token before.
        let first = inside().next().or_else(|| self.pieces.iter().rfind(|p| p.1 <= start)).or(self.pieces.first())?;
        let last = inside().next_back().unwrap_or(first);
        Some((first.2, last.2))
    }

    /// Adds tokens, with spaces between words.
    fn stream(&mut self, tokens: impl IntoIterator<Item = TokenTree>) {
        let mut joint = true;
        for token in tokens {
            let span = token.span();
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::None => ("", ""),
                    };
                    self.token(open, group.span_open());
                    self.stream(group.stream());
                    self.token(close, group.span_close());
                    joint = false;
                }
                TokenTree::Punct(punct) => {
                    self.token(&punct.as_char().to_string(), span);
                    // `-1` must stay a number, and YAML wants a space behind these.
                    if matches!(punct.as_char(), ':' | ',') {
                        self.plain(" ");
                    }
                    joint = true;
                }
                other => {
                    if !joint {
                        self.plain(" ");
                    }
                    self.token(&other.to_string(), span);
                    joint = false;
                }
            }
        }
    }
}

/// Writes the statements as an operator template.
fn write(text: &mut Text, name: &str, span: Span, body: TokenStream) -> Result<(), Fault> {
    let (mut equations, mut variables) = (Vec::new(), Vec::new());
    let mut statement: Vec<TokenTree> = Vec::new();
    for token in body {
        match &token {
            TokenTree::Punct(end) if end.as_char() == ';' => {
                let done = std::mem::take(&mut statement);
                match &done[..] {
                    [] => {}
                    [TokenTree::Ident(_), TokenTree::Punct(colon), ..] if colon.as_char() == ':' => {
                        variables.push(done)
                    }
                    _ => equations.push(done),
                }
            }
            _ => statement.push(token),
        }
    }
    if let Some(last) = statement.last() {
        return Err(Fault::at(last.span(), "expected `;` after this statement"));
    }
    if equations.is_empty() {
        let message = "there are no equations\n  = help: write them as statements: `d/dt x = -x/tau;`";
        return Err(Fault::at(span, message));
    }
    text.token(name, span);
    text.plain(":\n  base: OperatorTemplate\n  equations:\n");
    for equation in equations {
        // In quotes no character of an equation means anything to YAML.
        text.plain("    - \"");
        text.quoted = true;
        match derivative(&equation) {
            Some((variable, at, rest)) => {
                text.token(&format!("{variable}'"), at);
                text.plain(" ");
                text.stream(equation[rest..].iter().cloned());
            }
            None => text.stream(equation),
        }
        text.quoted = false;
        text.plain("\"\n");
    }
    if !variables.is_empty() {
        text.plain("  variables:\n");
    }
    for variable in variables {
        let mut tokens = variable.into_iter();
        text.plain("    ");
        text.stream(tokens.next());
        text.plain(": ");
        text.stream(tokens.skip(1));
        text.plain("\n");
    }
    Ok(())
}

/// The variable whose derivative an equation says: `d/dt x =`, `d/dt * x =`, `dx/dt =`; its place, and where the rest begins.
fn derivative(equation: &[TokenTree]) -> Option<(String, Span, usize)> {
    let is = |at: usize, text: &str| equation.get(at).is_some_and(|token| token.to_string() == text);
    let name = |at: usize| match equation.get(at) {
        Some(TokenTree::Ident(ident)) => Some((ident.to_string(), ident.span())),
        _ => None,
    };
    if is(0, "d") && is(1, "/") && is(2, "dt") {
        let at = if is(3, "*") { 4 } else { 3 };
        let (variable, span) = name(at)?;
        return Some((variable, span, at + 1));
    }
    let (whole, span) = name(0)?;
    let variable = whole.strip_prefix('d').filter(|v| !v.is_empty())?;
    (is(1, "/") && is(2, "dt") && is(3, "=")).then(|| (variable.to_string(), span, 3))
}
