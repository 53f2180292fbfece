//! Faults of equations.

use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// The forms of left sides, for helps.
const LEFT_SIDES: &str =
    "write `x' = ..` or `d/dt * x = ..` for a differential equation, `x = ..` for an algebraic one";

/// What is left when nothing more precise is known.
pub fn unreadable_equation(span: Span, expected: Vec<&'static str>) -> Diagnostic {
    let fault =
        Diagnostic::error("unreadable-equation", span, "this equation cannot be read", "not understood from here");
    if expected.is_empty() { fault } else { fault.with_note(format!("expected {}", expected.join(" or "))) }
}

/// A text that should hold an equation is empty.
pub fn missing_equation(span: Span) -> Diagnostic {
    Diagnostic::error("missing-equation", span, "this equation is empty", "expected an equation").with_help(LEFT_SIDES)
}

/// A text that should hold an expression is empty.
pub fn missing_expression(span: Span) -> Diagnostic {
    Diagnostic::error("missing-expression", span, "this expression is empty", "expected a value")
        .with_help("write a number, a name, or an expression such as `2*sin(t)`")
}

/// An equation without `=`.
pub fn missing_equals(span: Span) -> Diagnostic {
    Diagnostic::error("missing-equals", span, "this equation has no `=`", "expected `left = right`")
        .with_help(LEFT_SIDES)
}

/// `x == 1` as an equation.
pub fn comparison_for_equation(span: Span) -> Diagnostic {
    Diagnostic::error(
        "comparison-for-equation",
        span,
        "`==` compares two values and does not define a variable",
        "expected `=`",
    )
    .with_help("write a single `=`")
}

/// Nothing before `=`.
pub fn missing_left_side(span: Span) -> Diagnostic {
    Diagnostic::error("missing-left-side", span, "nothing stands before `=`", "expected a variable before this")
        .with_help(LEFT_SIDES)
}

/// Nothing after `=`.
pub fn missing_right_side(span: Span) -> Diagnostic {
    Diagnostic::error("missing-right-side", span, "nothing stands after `=`", "expected an expression after this")
        .with_help("write the value after `=`, for example `x' = -x / tau`")
}

/// A left side of no known form.
pub fn bad_left_side(span: Span, written: &str) -> Diagnostic {
    Diagnostic::error(
        "bad-left-side",
        span,
        format!("`{}` cannot stand on the left of `=`", shortened(written)),
        "expected one variable or its derivative",
    )
    .with_note("besides whole variables, elements can be written: `x[i] = ..` or `index(x, i) = ..`")
    .with_help(LEFT_SIDES)
}

/// `x += 1`.
pub fn augmented_assignment(span: Span, left: &str, operator: &str) -> Diagnostic {
    let left = shortened(left.trim());
    let plain = operator.trim_end_matches('=');
    Diagnostic::error(
        "augmented-assignment",
        span,
        format!("equations define variables, `{operator}` would change one"),
        "expected `=`",
    )
    .with_help(format!("write `{left}' = ..` for a rate of change, or define a new variable as `{left} {plain} ..`"))
}

/// `x'' = f`.
pub fn second_derivative(span: Span, variable: &str) -> Diagnostic {
    Diagnostic::error(
        "second-derivative",
        span,
        "second derivatives are not part of the language",
        "only the first derivative can be defined",
    )
    .with_help(format!(
        "introduce a variable for the first derivative: `{variable}' = {variable}_dot` and `{variable}_dot' = ..`"
    ))
}

/// `x'` on the right side.
pub fn derivative_on_the_right(span: Span, variable: &str) -> Diagnostic {
    Diagnostic::error(
        "derivative-on-the-right",
        span,
        format!("the derivative of `{variable}` cannot be used as a value"),
        "`'` belongs on the left of `=`",
    )
    .with_help(format!(
        "give the right side of `{variable}' = ..` a name of its own, `d{variable} = ..`, and use `d{variable}` in both places"
    ))
}

/// A reserved word as a variable.
pub fn reserved_word(span: Span, word: &str) -> Diagnostic {
    Diagnostic::error(
        "reserved-word",
        span,
        format!("`{word}` is a word of the language and cannot name a variable"),
        "expected a variable",
    )
    .with_help(format!("choose another name, for example `{word}_`"))
}

/// A character the language does not know.
pub fn unknown_character(span: Span, character: char, meant: Option<&str>) -> Diagnostic {
    let named = match character {
        c if c.is_control() || c.is_whitespace() => format!("U+{:04X}", character as u32),
        c => format!("`{c}`"),
    };
    let fault = Diagnostic::error(
        "unknown-character",
        span,
        format!("{named} is not a character of the equation language"),
        "not known",
    );
    match (character, meant) {
        (_, Some(meant)) => fault.with_help(format!("write `{meant}`")),
        ('.', _) => {
            fault.with_help("names hold letters, digits and `_`; a decimal number needs a digit beside its point")
        }
        ('#', _) => fault.with_help("put comments outside the text of the equation"),
        ('"', _) => fault.with_help("equations hold numbers, not text: drop the quotes"),
        (';', _) => fault.with_help("write every equation as its own item of the list `equations`"),
        ('?', _) => fault.with_help("write a choice as `a if test else b`"),
        ('$' | '\\', _) => fault.with_help("write the name alone: `alpha` or `α`"),
        _ => fault,
    }
}

/// An operator the language lacks.
pub fn unsupported_operator(span: Span, operator: &str, help: &str) -> Diagnostic {
    Diagnostic::error(
        "unsupported-operator",
        span,
        format!("there is no operator `{operator}` in equations"),
        "not an operator here",
    )
    .with_help(help)
}

/// `2x`, `a b`, `(a)(b)`.
pub fn implicit_product(span: Span, left: &str, right: &str) -> Diagnostic {
    let help = match (left, right) {
        (_, "(") if left != ")" && left != "]" => format!("write `{left} * (..)` for a product"),
        (_, "(") => "write `(..) * (..)` for a product".to_string(),
        (_, "[") => "write `x[i]` with the name of a variable before the bracket".to_string(),
        (")" | "]", _) => format!("write `..{left} * {right}` for a product"),
        _ => format!("write `{left} * {right}` for a product"),
    };
    Diagnostic::error(
        "missing-operator",
        span,
        format!("an operator is missing between `{left}` and `{right}`"),
        "expected an operator in here",
    )
    .with_help(help)
}

/// A value is missing; `place` says where ("after `+`"), `before` is the word before the gap.
pub fn missing_operand(span: Span, place: &str, before: Option<&str>) -> Diagnostic {
    let fault = Diagnostic::error(
        "missing-operand",
        span,
        format!("a value is missing {place}"),
        "expected a number, a name or `(`",
    );
    match before {
        Some("(") => fault.with_help("write an expression between the brackets, or remove them"),
        Some("[") => fault.with_help("write an index counted from 0, `x[0]`, or a range, `x[0:3]`"),
        Some(",") => fault.with_help("remove the comma, or write the missing argument"),
        Some(word) => fault.with_help(format!("write a value after `{word}`, or remove `{word}`")),
        None => fault.with_help("write a value in front, or remove the operator"),
    }
}

/// `(` without `)`.
pub fn unclosed_bracket(span: Span, open: &str) -> Diagnostic {
    let close = if open == "[" { "]" } else { ")" };
    Diagnostic::error(
        "unclosed-bracket",
        span,
        format!("this `{open}` is never closed"),
        format!("no `{close}` follows for it"),
    )
    .with_help(format!("add the missing `{close}`"))
}

/// `)` without `(`.
pub fn unopened_bracket(span: Span, close: &str) -> Diagnostic {
    let open = if close == "]" { "[" } else { "(" };
    Diagnostic::error(
        "unopened-bracket",
        span,
        format!("this `{close}` closes nothing"),
        format!("no `{open}` is open here"),
    )
    .with_help(format!("remove it, or add the missing `{open}` before it"))
}

/// `( .. ]`, in YAML too.
pub fn mismatched_bracket(span: Span, close: &str, open_span: Span, open: &str) -> Diagnostic {
    let needed = match open {
        "[" => "]",
        "{" => "}",
        _ => ")",
    };
    Diagnostic::error(
        "mismatched-bracket",
        span,
        format!("`{open}` is closed by `{close}`"),
        format!("expected `{needed}`"),
    )
    .with_related(open_span, "opened here")
    .with_help(format!("write `{needed}`"))
}

/// `a < b < c`.
pub fn chained_comparison(span: Span, first: Span) -> Diagnostic {
    Diagnostic::error("chained-comparison", span, "comparisons cannot be chained", "second comparison")
        .with_related(first, "first comparison")
        .with_help("write `a < b and b < c`")
}

/// `x = y = z`, or `=` for `==`.
pub fn assignment_in_expression(span: Span) -> Diagnostic {
    Diagnostic::error(
        "assignment-in-expression",
        span,
        "`=` cannot stand inside an expression",
        "an equation has one `=` only",
    )
    .with_help("write `==` to compare two values; write two definitions as two equations")
}

/// `f(x, axis=1)`.
pub fn named_argument(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error("named-argument", span, "functions take their arguments by position", "named argument")
        .with_help(format!("remove `{name} =` and put the value at its position, or write `==` to compare"))
}

/// `a if c` without `else`.
pub fn missing_else(span: Span) -> Diagnostic {
    Diagnostic::error("missing-else", span, "this `if` has no `else`", "which value otherwise?")
        .with_help("write `a if test else b`")
}

/// `else` without `if`.
pub fn else_without_if(span: Span) -> Diagnostic {
    Diagnostic::error("else-without-if", span, "this `else` belongs to no `if`", "no `if` before it")
        .with_help("write `a if test else b`")
}

/// `a + not b`.
pub fn not_needs_parentheses(span: Span) -> Diagnostic {
    Diagnostic::error(
        "not-needs-parentheses",
        span,
        "`not` binds looser than the operator before it",
        "needs parentheses",
    )
    .with_help("write `(not a)`")
}

/// `a not b`.
pub fn misplaced_not(span: Span) -> Diagnostic {
    Diagnostic::error("misplaced-not", span, "`not` cannot stand between two values", "expected an operator")
        .with_help("write `a and not b`, or `a != b`")
}

/// `[1, 2]` in an equation.
pub fn list_in_equation(span: Span) -> Diagnostic {
    Diagnostic::error("list-in-equation", span, "lists cannot be written inside equations", "expected a value")
        .with_help("declare a variable with the list as its value, and use its name; `[ ]` selects elements: `x[0]`")
}

/// `a, b` outside of calls.
pub fn unexpected_comma(span: Span) -> Diagnostic {
    Diagnostic::error("unexpected-comma", span, "`,` separates arguments of functions only", "not inside a call")
        .with_help("write decimal numbers with a point, `0.5`; write several equations as several list items")
}

/// `:` outside of subscripts.
pub fn unexpected_colon(span: Span) -> Diagnostic {
    Diagnostic::error("unexpected-colon", span, "`:` stands in subscripts only", "not inside `[ ]`")
        .with_help("write `x[0:3]` for a range of elements")
}

/// `x[a:b:c]`.
pub fn range_with_step(span: Span) -> Diagnostic {
    Diagnostic::error("range-with-step", span, "ranges have no step", "second `:`").with_help("write `x[from:to]`")
}

/// A number beyond the largest.
pub fn number_too_large(span: Span, written: &str) -> Diagnostic {
    Diagnostic::error(
        "number-too-large",
        span,
        format!("`{}` is larger than any number of double precision", shortened(written)),
        "becomes infinite",
    )
    .with_note("the largest is about 1.8e308")
}

/// Brackets, signs, powers or conditionals nest beyond the limit.
pub fn nested_too_deeply(span: Span, limit: usize) -> Diagnostic {
    Diagnostic::error(
        "nested-too-deeply",
        span,
        format!("this expression nests more than {limit} levels deep"),
        "too deep from here",
    )
    .with_help("give inner parts names of their own, as further equations")
}

/// A chain of operators beyond the limit.
pub fn too_many_operations(span: Span, limit: u32) -> Diagnostic {
    Diagnostic::error(
        "too-many-operations",
        span,
        format!("this expression chains more than {limit} operations"),
        "too long",
    )
    .with_help("split it into several equations, or keep the terms in a vector and write `vsum(x)`")
}

/// More words than the limit.
pub fn equation_too_long(span: Span, limit: usize) -> Diagnostic {
    Diagnostic::error("equation-too-long", span, format!("this equation has more than {limit} words"), "too long")
        .with_help("split it into several equations, or keep long lists of numbers in a variable")
}

/// At most 40 characters of what was written, on one line.
fn shortened(written: &str) -> String {
    let line: String = written.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(40) {
        Some((end, _)) => format!("{}..", &line[..end]),
        None => line,
    }
}
