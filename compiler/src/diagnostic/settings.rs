//! Faults of the settings by which a model is run or embedded.

use super::{Diagnostic, did_you_mean, list_names};
use crate::source::{Name, Span};

/// A setting that has no default.
pub fn missing(what: &str, key: &str, example: &str) -> Diagnostic {
    let message = format!("no {what} is given");
    Diagnostic::error("missing-setting", Span::NOWHERE, message, "")
        .with_help(format!("use `--{key} {example}`, or `{key}: {example}` in the file's `simulate:` section"))
}

/// A word that is none of those expected.
pub fn unknown_choice(what: &str, found: &Name, known: &[&str]) -> Diagnostic {
    let near = did_you_mean(&found.text, known.iter().copied()).map(|n| format!("did you mean `{n}`?"));
    Diagnostic::error("unknown-choice", found.span, format!("unknown {what} `{found}`"), "not known")
        .with_help(format!("expected one of {}", list_names(known.iter().copied(), 20)))
        .with_help_if(near)
}

/// Nothing to be recorded.
pub fn nothing_recorded() -> Diagnostic {
    Diagnostic::error("record", Span::NOWHERE, "the circuit has no output and no state to record", "")
        .with_help("use `--record NAME=path/to/variable`")
}
