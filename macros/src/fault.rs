//! Errors of the build.

use nullcline_compiler::diagnostic::Diagnostic;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

/// A message with the tokens it is about.
pub struct Fault {
    message: String,
    from: Span,
    to: Span,
}

impl Fault {
    /// A message about one token.
    pub fn at(span: Span, message: impl Into<String>) -> Fault {
        Fault { message: message.into(), from: span, to: span }
    }

    /// What the compiler says of something that stands in the macro itself, about the tokens from the first to the last.
    pub fn of((from, to): (Span, Span), diagnostic: Diagnostic) -> Fault {
        let mut message = diagnostic.message;
        if !diagnostic.label.is_empty() {
            message = format!("{message}: {}", diagnostic.label);
        }
        for note in &diagnostic.notes {
            message.push_str(&format!("\n  = note: {note}"));
        }
        if let Some(help) = &diagnostic.help {
            message.push_str(&format!("\n  = help: {help}"));
        }
        Fault { message, from, to }
    }

    /// The error as code.
    pub fn into_tokens(self) -> TokenStream {
        let (message, from, to) = (&self.message, self.from, self.to);
        // The error covers everything from the span of the first token to that of the last one.
        let name = quote_spanned!(from=> ::core::compile_error);
        let mut group = proc_macro2::Group::new(proc_macro2::Delimiter::Brace, quote!(#message));
        group.set_span(to);
        let bang = quote_spanned!(to=> !);
        let group = TokenTree::Group(group);
        quote!(#name #bang #group)
    }
}
