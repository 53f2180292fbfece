//! Faults found when equations become expressions.

use super::{Diagnostic, did_you_mean, list_names};
use crate::source::Span;

/// A name no variable or constant has.
pub fn unknown_name(name: &str, known: &[&str], span: Span) -> Diagnostic {
    let help = did_you_mean(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    Diagnostic::error("unknown-name", span, format!("unknown name `{name}`"), "not declared here")
        .with_help(format!("known here: {}", list_names(known.iter().copied(), 8)))
        .with_help_if(help)
}

/// A function no row has.
pub fn unknown_function(name: &str, known: &[&str], span: Span) -> Diagnostic {
    let help = did_you_mean(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    Diagnostic::error("unknown-function", span, format!("unknown function `{name}`"), "no such function")
        .with_help_if(help)
}

/// A call with too few or too many arguments.
pub fn argument_count(name: &str, fewest: usize, most: usize, found: usize, span: Span) -> Diagnostic {
    let expected = match (fewest, most) {
        (a, b) if a == b => format!("{a}"),
        (a, usize::MAX) => format!("at least {a}"),
        (a, b) => format!("{a} to {b}"),
    };
    let s = if most == 1 { "" } else { "s" };
    let message = format!("`{name}` takes {expected} argument{s}, found {found}");
    Diagnostic::error("argument-count", span, message, format!("{found} given"))
}

/// Algebraic variables that depend on each other in a circle.
pub fn algebraic_cycle(path: &[String], span: Span) -> Diagnostic {
    let mut circle: Vec<&str> = path.iter().map(String::as_str).collect();
    circle.extend(circle.first().copied());
    let message = match path {
        [one] => format!("`{one}` is defined by itself"),
        _ => "algebraic variables depend on each other in a cycle".to_string(),
    };
    Diagnostic::error("algebraic-cycle", span, message, "part of the cycle")
        .with_note(format!("the cycle: {}", circle.join(" needs ")))
        .with_help("make one of them a state (`x' = ...`) or read its past (`past(x, tau)`)")
}

/// A variable read before it is known: the model stage refuses such models.
pub fn unordered(name: &str, span: Span) -> Diagnostic {
    let message = format!("`{name}` has no value here");
    Diagnostic::error("no-value", span, message, "read before it is defined")
}

/// A complex value for a real variable.
pub fn complex_into_real(name: &str, span: Span, declared: Span) -> Diagnostic {
    let message = format!("complex value for the real variable `{name}`");
    Diagnostic::error("complex-into-real", span, message, "this is complex")
        .with_related(declared, "declared real here")
        .with_help(format!("declare `{name}: variable(complex)`, or take `real(...)` or `imag(...)` of the value"))
}

/// A complex value for an extrinsic input.
pub fn complex_signal(span: Span) -> Diagnostic {
    Diagnostic::error("complex-input", span, "an extrinsic input is a real number", "this is complex")
        .with_help("take `real(...)` or `imag(...)` of it")
}

/// A function that has no complex form.
pub fn unsupported_complex(function: &str, span: Span) -> Diagnostic {
    let message = format!("`{function}` does not take complex numbers");
    Diagnostic::error("complex-argument", span, message, "has a complex argument")
        .with_help("take `real(...)`, `imag(...)` or `abs(...)` of the argument")
}

/// A vector for a variable with one element.
pub fn vector_into_scalar(name: &str, span: Span, declared: Span) -> Diagnostic {
    let message = format!("`{name}` has one element, but the value is a vector or has another length");
    Diagnostic::error("shape", span, message, "this is a vector")
        .with_related(declared, "declared here")
        .with_help(format!("declare `{name}: variable(0.0, LENGTH)`, or reduce the value with `vsum` or `mean`"))
}

/// Vectors of different lengths in one operation.
pub fn vector_lengths(a: usize, b: usize, span: Span) -> Diagnostic {
    let message = format!("vectors of {a} and {b} elements do not go together");
    Diagnostic::error("shape", span, message, "operands differ in length")
}

/// A vector was needed.
pub fn not_a_vector(span: Span) -> Diagnostic {
    Diagnostic::error("shape", span, "expected a vector, found a single value", "one element")
        .with_help("declare a vector with `variable(0.0, LENGTH)`")
}

/// A subscript that is not a number known beforehand.
pub fn subscript_not_constant(span: Span) -> Diagnostic {
    Diagnostic::error("subscript", span, "a subscript must be a whole number that does not change", "this may change")
        .with_help("use a number or a constant of the operator")
}

/// A subscript outside the vector.
pub fn subscript_range(found: f64, length: usize, span: Span) -> Diagnostic {
    let message = format!("element {found} of a vector with {length} elements");
    let label = format!("elements are 0 to {}", length.saturating_sub(1));
    Diagnostic::error("subscript", span, message, label)
}

/// A form of subscript that is not supported.
pub fn unsupported_subscript(span: Span) -> Diagnostic {
    let message = "ranges and several subscripts are not supported";
    Diagnostic::error("subscript", span, message, "one subscript expected").with_help("write `x[i]` with one number")
}

/// `a @ b`.
pub fn matrix_product(span: Span) -> Diagnostic {
    Diagnostic::error("matrix-product", span, "the matrix product `@` is not supported in equations", "used here")
        .with_help("connect populations with a weight matrix instead")
}

/// A variable called like a function.
pub fn called_variable(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("called-variable", span, format!("`{name}` is a variable, not a function"), "called here")
        .with_help(format!("write `{name}(t - tau)` for its past, or `{name} * (...)` for a product"))
}

/// `past` of something that is not a variable.
pub fn past_of_expression(span: Span) -> Diagnostic {
    Diagnostic::error("past", span, "`past` takes the name of a variable", "not a variable of this operator")
        .with_help("define the expression as a variable (`y = ...`) and use `past(y, tau)`")
}

/// A delay that may change.
pub fn delay_not_constant(span: Span) -> Diagnostic {
    let message = "a delay must be a number, or a constant that is the same for all units";
    Diagnostic::error("delay", span, message, "this may change or differ between units")
}

/// A delay that is negative, not finite, or far too long.
pub fn delay_length(delay: f64, dt: f64, span: Span) -> Diagnostic {
    let message = format!("a delay of {delay} cannot be kept with steps of {dt}");
    Diagnostic::error("delay", span, message, "delay given here")
        .with_help("delays are in time units of the model, positive, and at most 100 million steps long")
}

/// `past` with less than one step.
pub fn delay_below_step(delay: f64, dt: f64, span: Span) -> Diagnostic {
    let message = format!("a delay of {delay} is shorter than one step of {dt}");
    Diagnostic::error("delay", span, message, "delay given here").with_help(format!("use `--dt {delay}` or smaller"))
}

/// A list of delays that does not fit its weights.
pub fn delay_shape(span: Span) -> Diagnostic {
    Diagnostic::error("delay", span, "delays and weights differ in number", "this edge")
        .with_help("give one delay, or one for each weight")
}

/// An edge operator that reads a population of several units which is neither source nor target.
pub fn edge_input_population(span: Span) -> Diagnostic {
    let message = "an edge operator can read a population of several units only at the edge's own ends";
    Diagnostic::error("edge-input", span, message, "this edge")
}

/// An edge between vector variables.
pub fn vector_connection(source: &str, target: &str, span: Span) -> Diagnostic {
    let message = format!("an edge joins `{source}` and `{target}`, of which one is a vector");
    Diagnostic::error("vector-edge", span, message, "edges between vector variables are not supported")
        .with_help("use a population (`n: LENGTH`) instead of a vector")
}
