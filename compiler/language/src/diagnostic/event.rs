//! Faults of events.

use super::{Diagnostic, list_names};
use crate::source::{Name, Span};

/// Something else where `x = ..` is needed.
pub fn not_a_statement(span: Span, found: &str) -> Diagnostic {
    let message = format!("`{found}` is no statement `variable = expression`");
    Diagnostic::error("statement", span, message, "expected `variable = expression`")
        .with_help("write `v = v_r` or `u += d`; a condition belongs to `when`")
}

/// An event and a variable of one name.
pub fn event_named_like_variable(event: &Name, variable: Span) -> Diagnostic {
    let message = format!("the event `{event}` has the name of a variable");
    Diagnostic::error("event-name", event.span, message, "this name is taken")
        .with_related(variable, "the variable")
        .with_help(format!("rename the event, or leave the variable out: `{event}` in an equation is its spike train"))
}

/// A reset of something that is no state, or one that is to be held; `kind` says what it is instead.
pub fn not_a_state(name: &Name, what: &str, kind: &str, declared: Span) -> Diagnostic {
    let help = match kind {
        "a constant" | "an input" => {
            format!("make it a state: `{name}: variable(0.0)` with the equation `{name}' = 0.0`")
        }
        _ => "choose variables with a differential equation".to_string(),
    };
    Diagnostic::error("not-a-state", name.span, format!("{what} `{name}`, which is {kind}"), "not a state variable")
        .with_related(declared, "declared here")
        .with_help(help)
}

/// Two values for one variable in the reset of one event.
pub fn reset_twice(second: &Name, first: Span) -> Diagnostic {
    let message = format!("the event resets `{second}` twice");
    Diagnostic::error("reset-twice", second.span, message, "second value")
        .with_related(first, "first value")
        .with_help("all right sides see the values before the reset: write one expression")
}

/// A refractory time that is none.
pub fn bad_refractory(event: &Name, span: Span, found: f64) -> Diagnostic {
    let message = format!("the refractory time of event `{}` is {found}; it must be a finite number, 0 or more", event);
    Diagnostic::error("refractory", span, message, "expected 0 or more")
}

/// What a refractory time or a hold is good for only with the other.
pub fn hold_without_refractory(event: &Name, span: Span) -> Diagnostic {
    let message = format!("event `{}` holds variables but has no refractory time", event);
    Diagnostic::error("hold", span, message, "held for how long?").with_help("add `refractory: 2.0`, in time units")
}

/// A condition that is a vector or complex.
pub fn not_a_condition(event: &str, found: &str, span: Span) -> Diagnostic {
    let message = format!("the condition of event `{event}` is {found}; it must be a single real value per unit");
    Diagnostic::error("condition", span, message, format!("this is {found}"))
        .with_help("test one element, `v[0] >= theta`, or a real part, `real(z) >= theta`")
}

/// A value for an event.
pub fn event_has_no_value(path: &Name) -> Diagnostic {
    let message = format!("`{path}` is an event, which cannot be given a value");
    Diagnostic::error("event-value", path.span, message, "an event")
        .with_help("change what its condition reads, or drive an input with `spikes(FILE)`")
}

/// `on_spike: ge = 1`, and the like.
pub fn on_spike_form(span: Span, found: &str, output: Option<&str>) -> Diagnostic {
    let example = match output {
        Some(output) => format!("ge += weight*{output}"),
        None => "ge += weight".to_string(),
    };
    let message = format!("`{found}` is no jump that an edge can make");
    Diagnostic::error("on-spike", span, message, format!("expected the form `{example}`"))
        .with_note("a number may stand before it: `ge += 0.5*weight`")
        .with_help(
            "what depends on more than the weight is the output of an edge template, or a reset of the target's event",
        )
}

/// `on_spike` in an item of `matrices`.
pub fn on_spike_in_matrix(span: Span) -> Diagnostic {
    let message = "the edges of a matrix take no `on_spike`";
    Diagnostic::error("on-spike", span, message, "not here")
        .with_help("let `target_var` be the state that jumps: an edge from an event adds its weight to it")
}

/// Events that need each other within one step.
pub fn event_cycle(names: &[String], span: Span) -> Diagnostic {
    let mut circle: Vec<&str> = names.iter().map(String::as_str).collect();
    circle.extend(circle.first().copied());
    Diagnostic::error(
        "event-cycle",
        span,
        "the conditions of events need each other within one step",
        "part of the cycle",
    )
    .with_note(format!("the cycle: {}", list_names(circle.iter().copied(), 12)))
    .with_help("let one of them read a state that the other one resets, or the past: `spike(t - tau)`")
}

/// A gamma-distributed delay of a jump.
pub fn spread_of_jump(target: &str, span: Span) -> Diagnostic {
    let message = format!("an edge that adds to the state `{target}` at events cannot have a spread delay");
    Diagnostic::error("jump-spread", span, message, "has a `spread`")
        .with_help("lead the spike train to an input of the target instead, or leave `spread` out")
}
