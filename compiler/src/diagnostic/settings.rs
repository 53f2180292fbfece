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

/// A call that is no measure.
pub fn unknown_measure(text: &Name, name: &str) -> Diagnostic {
    let message = format!("`{name}` is nothing that can be recorded of a variable");
    Diagnostic::error("record-measure", text.span, message, "expected a path, `mean(path)` or `sum(path)`")
        .with_help("define it as a variable of the operator, and record that")
}

/// A range that is none.
pub fn malformed_range(text: &Name) -> Diagnostic {
    let message = format!("`{text}` has no range of units");
    Diagnostic::error("record-range", text.span, message, "expected `path[from:to]` or `path[from:to:every]`")
        .with_help("units are counted from 0, and `to` is not among them: `v[0:10]` are the first ten")
}

/// A range past the last unit.
pub fn out_of_range(text: &Name, (from, to): (usize, usize), units: usize) -> Diagnostic {
    let message = format!("there are {units} units, counted from 0, and no {from}:{to} among them");
    Diagnostic::error("record-range", text.span, message, "out of range").with_help(format!("use `[0:{units}]`"))
}
