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
    Diagnostic::error(
        "record-measure",
        text.span,
        message,
        "expected a path, `mean(path)`, `sum(path)` or `rate(event)`",
    )
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

/// A window of a rate that is no time.
pub fn malformed_window(text: &Name, window: &str) -> Diagnostic {
    let message = format!("`{window}` is no length of a window");
    Diagnostic::error("record-window", text.span, message, "expected `rate(event)` or `rate(event, LENGTH)`")
        .with_help("spikes are counted in a window that ends at the row; without a length it begins at the row before")
}

/// A window of a rate that is not made of steps.
pub fn window_not_whole(text: &Name, length: f64, dt: f64) -> Diagnostic {
    let message = format!("the window of {length} has no whole number of steps of {dt}, or too many");
    let steps = (length / dt).round().clamp(1.0, 1e6);
    Diagnostic::error("record-window", text.span, message, "not a multiple of the step size")
        .with_help(format!("use `rate(event, {})`", steps * dt))
}

/// `edge(..)` with too few or too many parts.
pub fn malformed_edge(text: &Name) -> Diagnostic {
    let message = format!("`{text}` does not say which variable of which edge");
    Diagnostic::error("record-edge", text.span, message, "expected `edge(source, target, operator/variable)`")
        .with_help("source and target are the paths of the edge: `edge(pre/clock/tick, post/synapse/g, stdp_op/w)`")
}

/// Events of operators on edges.
pub fn event_of_edge(text: &Name) -> Diagnostic {
    Diagnostic::error("record-edge", text.span, "events on edges are not recorded", "an event of an edge's operator")
        .with_help("record the event that it follows, at the edge's source or target")
}

/// A mean or sum of an event, which has times instead of values.
pub fn measure_of_event(text: &Name, path: &Name) -> Diagnostic {
    let message = format!("`{path}` is an event, which has no values");
    Diagnostic::error("record-measure", text.span, message, "an event")
        .with_help(format!("record its spikes, `{path}`, or their rate, `rate({path})`"))
}

/// A rate of something that is no event.
pub fn rate_of_variable(text: &Name, path: &Name) -> Diagnostic {
    let message = format!("`{path}` is no event, so it has no rate");
    Diagnostic::error("record-measure", text.span, message, "not an event")
        .with_help(format!("record its mean, `mean({path})`, or the rate of an event"))
}
