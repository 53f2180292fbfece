//! Random expressions print to text that reads back as the same tree, wherever the printer leaves parentheses out.

#[path = "../../tests/support/random.rs"]
mod random;

use nullcline_compiler::source::{FileId, Name, Span};
use nullcline_compiler::syntax::ast::{BinaryOp, Expr, ExprKind, Subscript, UnaryOp};
use nullcline_compiler::syntax::text::MappedText;
use nullcline_compiler::syntax::{equation, print};

use random::Random;

impl Random {
    fn expr(&mut self, depth: usize) -> Expr {
        let form = if depth == 0 { self.below(3) } else { self.below(14) };
        let inner = |random: &mut Random| Box::new(random.expr(depth - 1));
        let kind = match form {
            0 => ExprKind::Name(["x", "τ", "v_m", "d", "dt"][self.below(5)].to_string()),
            1 => {
                let exponent = self.below(40) as i32 - 20;
                ExprKind::Number(self.below(100_000) as f64 * 10f64.powi(exponent))
            }
            2 => ExprKind::Imaginary(self.below(100) as f64 / 8.0),
            3 => ExprKind::Unary(UnaryOp::Negate, inner(self)),
            4 => ExprKind::Unary(UnaryOp::Not, inner(self)),
            5 => ExprKind::Unary(UnaryOp::Plus, inner(self)),
            6 => ExprKind::Conditional { test: inner(self), then: inner(self), otherwise: inner(self) },
            7 => {
                let arguments = (0..self.below(4)).map(|_| self.expr(depth - 1)).collect();
                ExprKind::Call(Name::new("f", Span::NOWHERE), arguments)
            }
            8 => {
                let subscript = match self.below(3) {
                    0 => Subscript::At(self.expr(depth - 1)),
                    1 => Subscript::Range(None, Some(self.expr(depth - 1)), Span::NOWHERE),
                    _ => Subscript::Range(Some(self.expr(depth - 1)), None, Span::NOWHERE),
                };
                ExprKind::Index(inner(self), vec![subscript])
            }
            _ => {
                let row = self.below(BinaryOp::TABLE.len());
                ExprKind::Binary(BinaryOp::TABLE[row].0, inner(self), inner(self))
            }
        };
        Expr { kind, span: Span::NOWHERE }
    }
}

/// The same tree without places.
fn bare(expr: &Expr) -> Expr {
    let inner = |e: &Expr| Box::new(bare(e));
    let kind = match &expr.kind {
        ExprKind::Unary(op, a) => ExprKind::Unary(*op, inner(a)),
        ExprKind::Binary(op, a, b) => ExprKind::Binary(*op, inner(a), inner(b)),
        ExprKind::Conditional { test, then, otherwise } => {
            ExprKind::Conditional { test: inner(test), then: inner(then), otherwise: inner(otherwise) }
        }
        ExprKind::Call(name, arguments) => {
            ExprKind::Call(Name::new(name.text.clone(), Span::NOWHERE), arguments.iter().map(bare).collect())
        }
        ExprKind::Index(base, list) => ExprKind::Index(
            inner(base),
            list.iter()
                .map(|subscript| match subscript {
                    Subscript::At(at) => Subscript::At(bare(at)),
                    Subscript::Range(from, to, _) => {
                        Subscript::Range(from.as_ref().map(bare), to.as_ref().map(bare), Span::NOWHERE)
                    }
                })
                .collect(),
        ),
        other => other.clone(),
    };
    Expr { kind, span: Span::NOWHERE }
}

#[test]
fn printed_expressions_read_back_as_the_same_tree() {
    let mut random = Random(1);
    for _ in 0..20_000 {
        let depth = random.below(6);
        let expr = random.expr(depth);
        let printed = print::expression(&expr);
        let text = MappedText::at(printed.as_str(), Span::new(FileId(0), 0, printed.len()));
        let read = equation::parse_expression(&text).unwrap_or_else(|faults| panic!("{printed}\n{faults:?}"));
        assert_eq!(bare(&read), expr, "{printed}");
    }
}

#[test]
fn parentheses_are_kept_only_where_they_matter() {
    for (written, printed) in [
        ("((a + b)) * (c * d)", "(a + b) * (c * d)"),
        ("(a * b) * c", "a * b * c"),
        ("a - (b - c)", "a - (b - c)"),
        ("(-a)^2 + -(a**2)", "(-a)^2 + -a^2"),
        ("2^(-x)", "2^-x"),
        ("(a^b)^c", "(a^b)^c"),
        ("not (a < b)", "not a < b"),
        ("(a if b else c) + 1", "(a if b else c) + 1"),
        ("1e-20 + 1000000 + 0.001", "1e-20 + 1000000 + 0.001"),
    ] {
        let text = MappedText::at(written, Span::new(FileId(0), 0, written.len()));
        let read = equation::parse_expression(&text).expect("readable");
        assert_eq!(print::expression(&read), printed);
    }
}
