//! Behaviour of the equation reader.

use super::*;
use crate::source::{FileId, Span};
use crate::syntax::ast::{ExprKind, LhsKind, Subscript, UnaryOp};

fn text(written: &str) -> MappedText {
    MappedText::at(written, Span::new(FileId(0), 0, written.len()))
}

/// An expression with every operation in parentheses, so that its tree can be seen.
fn tree(written: &str) -> String {
    fn show(expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Number(value) => format!("{value}"),
            ExprKind::Imaginary(value) => format!("{value}j"),
            ExprKind::Name(name) => name.clone(),
            ExprKind::Unary(UnaryOp::Negate, a) => format!("(-{})", show(a)),
            ExprKind::Unary(UnaryOp::Plus, a) => format!("(+{})", show(a)),
            ExprKind::Unary(UnaryOp::Not, a) => format!("(not {})", show(a)),
            ExprKind::Binary(op, a, b) => format!("({} {} {})", show(a), op.symbol(), show(b)),
            ExprKind::Conditional { test, then, otherwise } => {
                format!("({} if {} else {})", show(then), show(test), show(otherwise))
            }
            ExprKind::Call(name, arguments) => {
                format!("{name}({})", arguments.iter().map(show).collect::<Vec<_>>().join(", "))
            }
            ExprKind::Index(base, subscripts) => {
                let show_one = |subscript: &Subscript| match subscript {
                    Subscript::At(at) => show(at),
                    Subscript::Range(from, to, _) => {
                        format!(
                            "{}:{}",
                            from.as_ref().map_or(String::new(), show),
                            to.as_ref().map_or(String::new(), show)
                        )
                    }
                };
                format!("{}[{}]", show(base), subscripts.iter().map(show_one).collect::<Vec<_>>().join(", "))
            }
        }
    }
    match parse_expression(&text(written)) {
        Ok(expr) => show(&expr),
        Err(faults) => format!("error {}", faults.0[0].code),
    }
}

#[test]
fn operators_bind_as_the_manual_says() {
    for (written, expected) in [
        ("-x^2", "(-(x ^ 2))"),
        ("2^-x", "(2 ^ (-x))"),
        ("2**-x**2", "(2 ^ (-(x ^ 2)))"),
        ("a^b^c", "(a ^ (b ^ c))"),
        ("2^-x*y", "((2 ^ (-x)) * y)"),
        ("-a*b", "((-a) * b)"),
        ("a*-b", "(a * (-b))"),
        ("a - -b", "(a - (-b))"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b * c % d @ e", "((((a / b) * c) % d) @ e)"),
        ("a + b * c", "(a + (b * c))"),
        ("a + b < c * d", "((a + b) < (c * d))"),
        ("a < b and not c == d or e", "(((a < b) and (not (c == d))) or e)"),
        ("not not a", "(not (not a))"),
        ("a or b and c", "(a or (b and c))"),
        ("(a < b) < c", "((a < b) < c)"),
        ("a if c else b", "(a if c else b)"),
        ("a + 1 if c > 0 and d else b if e else f", "((a + 1) if ((c > 0) and d) else (b if e else f))"),
        ("f(x)^2", "(f(x) ^ 2)"),
        ("f()", "f()"),
        ("x(t - tau)", "x((t - tau))"),
        ("x[0] + x[1:], ", "error unexpected-comma"),
        ("x[0]^2 + y[1:3, :]", "((x[0] ^ 2) + y[1:3, :])"),
        ("x[:2][i]", "x[:2][i]"),
        ("a\n  + b\r\n\t* c", "(a + (b * c))"),
        ("notx + ifa * dt", "(notx + (ifa * dt))"),
        ("not(a)", "(not a)"),
        ("α_1 * τ₂", "(α_1 * τ₂)"),
        ("(((a)))", "a"),
    ] {
        assert_eq!(tree(written), expected, "{written}");
    }
}

#[test]
fn numbers_of_every_form_are_read() {
    for (written, expected) in [
        ("1", 1.0),
        ("1.0", 1.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 1e-3),
        ("5.e-1", 0.5),
        ("0x10", 16.0),
        ("1_000", 1000.0),
    ] {
        let read = parse_expression(&text(written)).expect("a number");
        assert_eq!(read.kind, ExprKind::Number(expected), "{written}");
    }
    for (written, expected) in [("2j", 2.0), ("1e-3j", 1e-3), ("1.5J", 1.5)] {
        let read = parse_expression(&text(written)).expect("a number");
        assert_eq!(read.kind, ExprKind::Imaginary(expected), "{written}");
    }
}

#[test]
fn every_form_of_the_left_side_is_read() {
    for (written, kind, variable, subscripts) in [
        ("x' = 1", LhsKind::Derivative, "x", 0),
        ("d/dt * x = 1", LhsKind::Derivative, "x", 0),
        ("d/dt*x=1", LhsKind::Derivative, "x", 0),
        ("d/dt x = 1", LhsKind::Derivative, "x", 0),
        ("d/dt(x) = 1", LhsKind::Derivative, "x", 0),
        ("dx/dt = 1", LhsKind::Derivative, "x", 0),
        ("dV_m/dt = 1", LhsKind::Derivative, "V_m", 0),
        ("d = 1", LhsKind::Value, "d", 0),
        ("d' = 1", LhsKind::Derivative, "d", 0),
        ("x = 1", LhsKind::Value, "x", 0),
        ("x[2] = 1", LhsKind::Value, "x", 1),
        ("x[0, 1:3] = 1", LhsKind::Value, "x", 2),
        ("x[2]' = 1", LhsKind::Derivative, "x", 1),
        ("x'[2:] = 1", LhsKind::Derivative, "x", 1),
        ("index(x, 2) = 1", LhsKind::Value, "x", 1),
        ("index_2d(x, 2, i) = 1", LhsKind::Value, "x", 2),
        ("index_range(x, 0, 2) = 1", LhsKind::Value, "x", 1),
        ("index_axis(x, 2, 1) = 1", LhsKind::Value, "x", 2),
    ] {
        let read = parse_equation(&text(written)).unwrap_or_else(|faults| panic!("{written}: {faults:?}"));
        assert_eq!(read.lhs.kind, kind, "{written}");
        assert_eq!(&*read.lhs.variable.text, variable, "{written}");
        assert_eq!(read.lhs.subscripts.len(), subscripts, "{written}");
        let span = read.lhs.variable.span;
        assert_eq!(&written[span.start as usize..span.end as usize], variable, "{written}");
    }
    for refused in ["dt/dt = 1 +", "x/dt = 1", "f(x) = 1", "x' y = 1", "d/dt * 2 = 1", "x[ = 1", "index(1, 2) = 1"] {
        assert!(parse_equation(&text(refused)).is_err(), "{refused}");
    }
}

#[test]
fn places_of_subexpressions_are_exact() {
    let written = "x' = -a  * sin( b + 1 ) ";
    let read = parse_equation(&text(written)).expect("an equation");
    let shown = |span: Span| &written[span.start as usize..span.end as usize];
    assert_eq!(shown(read.span), "x' = -a  * sin( b + 1 )");
    let ExprKind::Binary(_, left, right) = &read.rhs.kind else { panic!("a product") };
    assert_eq!(shown(left.span), "-a");
    assert_eq!(shown(right.span), "sin( b + 1 )");
}

#[test]
fn hostile_input_is_refused_in_bounded_time_and_stack() {
    for (written, code) in [
        ("(".repeat(100_000), "equation-too-long"),
        ("(".repeat(15_000), "nested-too-deeply"),
        ("x[".repeat(7_000), "nested-too-deeply"),
        ("f(".repeat(7_000), "nested-too-deeply"),
        ("-".repeat(15_000) + "a", "nested-too-deeply"),
        ("not ".repeat(15_000) + "a", "nested-too-deeply"),
        ("a^".repeat(7_000) + "a", "nested-too-deeply"),
        ("a if b else ".repeat(3_000) + "a", "nested-too-deeply"),
        ("a+".repeat(7_000) + "a", "too-many-operations"),
        (format!("f({})", "a,".repeat(7_000)), "missing-operand"),
    ] {
        let faults = parse_expression(&text(&written)).expect_err("refused");
        assert_eq!(faults.0[0].code, code, "{}..", &written[..20]);
    }
    let deep = format!("{}a{}", "(".repeat(MAX_NESTING - 1), ")".repeat(MAX_NESTING - 1));
    assert_eq!(tree(&deep), "a");
    let deep = format!("{}a{}", "f(x[".repeat(90), "])".repeat(90));
    assert!(parse_expression(&text(&deep)).is_ok());
    assert!(parse_expression(&text(&format!("f({}a)", "a,".repeat(9_000)))).is_ok());
}
