//! What the compiler says of a model: errors and warnings with a place, an expectation and a help one can type.
//!
//! Each fault has one constructor function in the submodule of its stage, so that its wording stands in one place.

pub mod event;
pub mod model;
pub mod syntax;
pub mod template;

mod render;
mod suggest;

pub use render::{render, render_short};
pub use suggest::{did_you_mean, list_names};

use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The model can be used; something about it is likely not what was meant.
    Warning,
    /// The model cannot be used.
    Error,
}

/// One message: what was found, where, what was expected, and how to mend it.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Stable identifier of the fault, in kebab-case (`unknown-variable`).
    pub code: &'static str,
    /// One sentence: what is wrong.
    pub message: String,
    /// The place it is about.
    pub span: Span,
    /// A few words at that place.
    pub label: String,
    /// Other places that matter, each with a few words.
    pub related: Vec<(Span, String)>,
    /// Facts that explain.
    pub notes: Vec<String>,
    /// What to type instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `span`, with `label` as the words under the caret.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            span,
            label: label.into(),
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// A warning at `span`.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, message, label) }
    }

    /// Adds the help.
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Adds the help if there is one.
    pub fn with_help_if(mut self, help: Option<String>) -> Diagnostic {
        self.help = help.or(self.help);
        self
    }

    /// Adds a note.
    pub fn with_note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    /// Adds another place.
    pub fn with_related(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.related.push((span, label.into()));
        self
    }
}

/// A collection of diagnostics in the order they were found. As the `Err` of a [`Result`] it holds at least one error.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

/// The result of a compiler stage.
pub type Result<T> = std::result::Result<T, Diagnostics>;

impl Diagnostics {
    /// None yet.
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Takes the value of a result, or keeps its diagnostics and goes on without.
    pub fn absorb<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(more) => {
                self.0.extend(more.0);
                None
            }
        }
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok(value)` when there is no error (warnings are dropped), else all of them.
    pub fn into_result<T>(self, value: T) -> Result<T> {
        if self.has_errors() { Err(self) } else { Ok(value) }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Diagnostics {
        Diagnostics(vec![diagnostic])
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
