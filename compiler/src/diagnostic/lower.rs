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

/// Something in a profile that has no value at a distance.
pub fn not_of_distance(span: Span) -> Diagnostic {
    let message = "a number by distance is an expression of the distance `d` and real numbers";
    Diagnostic::error("not-of-distance", span, message, "has no value here")
        .with_help("for instance `exp(-d^2/(2*0.1^2))`")
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
        .with_help("elements of an algebraic vector cannot be computed from each other; use a variable of its own")
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

/// A value of another shape than the variable or the elements it is for.
pub fn shape_into(name: &str, wanted: &str, found: &str, span: Span, declared: Span) -> Diagnostic {
    let message = format!("`{name}` takes {wanted}, but the value is {found}");
    Diagnostic::error("shape", span, message, format!("this is {found}"))
        .with_related(declared, format!("{wanted} expected"))
        .with_note("a list in an operator is a vector; one with a number for each unit is `{value: [..], per: unit}`")
        .with_help(format!("declare `{name}: variable(0.0, LENGTH)`, or reduce the value with `vsum`, `mean` or `[i]`"))
}

/// Values of different shapes in one operation.
pub fn shapes(a: &str, b: &str, span: Span) -> Diagnostic {
    let message = format!("{a} and {b} do not go together");
    Diagnostic::error("shape", span, message, "operands differ in shape")
}

/// A vector was needed.
pub fn not_a_vector(span: Span) -> Diagnostic {
    Diagnostic::error("shape", span, "expected a vector, found a single value", "one element")
        .with_help("declare a vector with `variable(0.0, LENGTH)`")
}

/// A vector was needed, something else with several elements found.
pub fn not_a_vector_but(found: &str, span: Span) -> Diagnostic {
    let message = format!("expected a vector, found {found}");
    Diagnostic::error("shape", span, message, format!("this is {found}"))
        .with_help("take a row `w[i, :]` or a column `w[:, j]` of a matrix")
}

/// A matrix was needed.
pub fn not_a_matrix(found: &str, span: Span) -> Diagnostic {
    let message = format!("expected a matrix, found {found}");
    Diagnostic::error("shape", span, message, format!("this is {found}"))
        .with_help("declare a matrix with `w: {vtype: constant, shape: [2, 3], value: [[1, 2, 3], [4, 5, 6]]}`")
}

/// A single value was needed.
pub fn not_single(found: &str, span: Span) -> Diagnostic {
    let message = format!("expected a single value, found {found}");
    Diagnostic::error("shape", span, message, format!("this is {found}"))
        .with_help("take one element `x[i]`, or reduce it with `vsum` or `mean`")
}

/// A rate of a Poisson process that expects a number of events per step that cannot be drawn.
pub fn poisson_rate(mean: f64, largest: f64, span: Span) -> Diagnostic {
    if mean < 0.0 {
        return Diagnostic::error("poisson-rate", span, "a rate of events is never negative", "this is negative")
            .with_help("take its absolute value, or `max(rate, 0)`");
    }
    let message = format!("{mean} events are expected in a step, and at most {largest} are drawn");
    Diagnostic::error("poisson-rate", span, message, "this rate is too high for the step size")
        .with_help("choose a smaller `dt`, or use the normal limit `rate + noise(sqrt(rate))`")
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

/// A range outside the vector, or an empty one.
pub fn subscript_bounds(from: i64, to: i64, length: usize, span: Span) -> Diagnostic {
    let message = format!("the range {from}:{to} of {length} elements");
    let message = if from >= to { format!("{message} is empty") } else { format!("{message} leaves them") };
    Diagnostic::error("subscript", span, message, format!("bounds are 0 to {length}, the first below the second"))
}

/// More subscripts than the value has axes.
pub fn too_many_subscripts(shape: &str, found: usize, span: Span) -> Diagnostic {
    let message = format!("{shape} cannot have {found} subscripts");
    Diagnostic::error("subscript", span, message, "too many subscripts")
        .with_help("vectors take one subscript `x[i]`, matrices one or two `w[i, j]`")
}

/// An axis that the value does not have.
pub fn unknown_axis(axis: i64, shape: &str, span: Span) -> Diagnostic {
    let message = format!("{shape} has no axis {axis}");
    Diagnostic::error("axis", span, message, "no such axis")
        .with_help("axis 0 is along the rows, axis 1 of a matrix along the columns")
}

/// An element with two equations.
pub fn element_assigned_twice(name: &str, span: Span) -> Diagnostic {
    let message = format!("an element of `{name}` is defined twice");
    Diagnostic::error("element-twice", span, message, "defined before").with_help("give each element one equation")
}

/// A matrix product whose work belongs elsewhere.
pub fn matrix_product_too_large(span: Span) -> Diagnostic {
    Diagnostic::error("matrix-product", span, "the matrix product has too many terms", "used here")
        .with_help("connect populations with a weight matrix instead")
}

/// Interpolation points that are not ascending.
pub fn not_increasing(span: Span) -> Diagnostic {
    Diagnostic::error("interpolation", span, "the points of an interpolation must increase", "not increasing")
        .with_help("sort the points, and give a jump two points that differ a little")
}

/// Interpolation points that may change.
pub fn points_not_constant(span: Span) -> Diagnostic {
    let message = "the points of an interpolation must be a constant vector";
    Diagnostic::error("interpolation", span, message, "this may change")
        .with_help("declare them as a list, `ts: [0.0, 1.0, 5.0]`, that nothing drives")
}

/// `round` to impossible decimals.
pub fn round_digits(digits: i64, span: Span) -> Diagnostic {
    Diagnostic::error("round", span, format!("cannot round to {digits} decimals"), "expected -22 to 22")
}

/// Random numbers in an extrinsic input.
pub fn noise_in_signal(span: Span) -> Diagnostic {
    Diagnostic::error("noise", span, "an extrinsic input has no random numbers of its own", "used here")
        .with_help("add `randn()` in the operator's equation, or read samples from a file")
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

/// An edge between variables of different shapes.
pub fn edge_shapes(source: (&str, &str), target: (&str, &str), span: Span) -> Diagnostic {
    let message = format!("an edge joins `{}`, {}, and `{}`, {}", source.0, source.1, target.0, target.1);
    Diagnostic::error("vector-edge", span, message, "source and target differ in shape")
        .with_help("edges pass vectors element by element; both ends must have the same length")
}

/// A model too large for its indices.
pub fn too_large(name: &str, elements: usize, most: usize, span: Span) -> Diagnostic {
    let message = format!("`{name}` has {elements} elements, more than the {most} that are possible");
    Diagnostic::error("too-large", span, message, "too large")
}
