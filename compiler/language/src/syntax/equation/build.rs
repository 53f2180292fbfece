//! From the pairs of the grammar to the tree, with operator precedence.

use pest::Parser;
use pest::iterators::Pair;
use pest::pratt_parser::{Assoc, Op, PrattParser};
use std::sync::LazyLock;

use super::MAX_HEIGHT;
use super::grammar::{EquationGrammar, Rule};
use crate::diagnostic::{Diagnostic, Result, syntax};
use crate::source::{Name, Span};
use crate::syntax::ast::{BinaryOp, Equation, Expr, ExprKind, Lhs, LhsKind, Subscript, UnaryOp};
use crate::syntax::text::MappedText;

/// A tree and its height, or the fault found while building it. Faults are boxed: they pass through every level.
type Built = std::result::Result<(Expr, u32), Box<Diagnostic>>;

/// Binding strengths, loosest first; the order of [`BinaryOp::TABLE`].
static PRATT: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    let left = |rule| Op::infix(rule, Assoc::Left);
    PrattParser::new()
        .op(left(Rule::or))
        .op(left(Rule::and))
        .op(Op::prefix(Rule::not))
        .op(left(Rule::less)
            | left(Rule::less_equal)
            | left(Rule::greater)
            | left(Rule::greater_equal)
            | left(Rule::equal)
            | left(Rule::not_equal))
        .op(left(Rule::add) | left(Rule::subtract))
        .op(left(Rule::multiply) | left(Rule::divide) | left(Rule::remainder) | left(Rule::matrix_product))
        .op(Op::prefix(Rule::minus) | Op::prefix(Rule::plus))
        .op(Op::infix(Rule::power, Assoc::Right))
});

/// The tree of an equation whose words have been checked.
pub(super) fn equation(text: &MappedText) -> Result<Equation> {
    let pair = parse(Rule::only_equation, text)?;
    let span = span_of(&pair, text);
    let mut inner = pair.into_inner();
    let (Some(left), Some(right)) = (inner.next(), inner.next()) else {
        return Err(syntax::unreadable_equation(text.whole(), Vec::new()).into());
    };
    let lhs = left_side(left, text)?;
    let (rhs, _) = expression_pair(right, text).map_err(|fault| *fault)?;
    Ok(Equation { lhs, rhs, span })
}

/// The tree of an expression whose words have been checked.
pub(super) fn expression(text: &MappedText) -> Result<Expr> {
    let pair = parse(Rule::only_expression, text)?;
    Ok(expression_pair(pair, text).map_err(|fault| *fault)?.0)
}

/// Runs the grammar and turns its error into a diagnostic.
fn parse<'t>(rule: Rule, text: &'t MappedText) -> Result<Pair<'t, Rule>> {
    let fault = match EquationGrammar::parse(rule, text.as_str()) {
        Ok(mut pairs) => match pairs.next() {
            Some(pair) => return Ok(pair),
            None => return Err(syntax::unreadable_equation(text.whole(), Vec::new()).into()),
        },
        Err(fault) => fault,
    };
    let at = match fault.location {
        pest::error::InputLocation::Pos(at) => at,
        pest::error::InputLocation::Span((start, _)) => start,
    };
    let end = text.as_str()[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    let expected = match &fault.variant {
        pest::error::ErrorVariant::ParsingError { positives, .. } => {
            let mut words: Vec<&'static str> = positives.iter().filter_map(|rule| in_words(*rule)).collect();
            words.sort_unstable();
            words.dedup();
            words
        }
        pest::error::ErrorVariant::CustomError { .. } => Vec::new(),
    };
    Err(syntax::unreadable_equation(text.span(at, end), expected).into())
}

/// What a user calls the thing that a rule matches.
fn in_words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::name => "a name",
        Rule::number | Rule::decimal | Rule::hexadecimal => "a number",
        Rule::expression | Rule::chain | Rule::postfix | Rule::call => "an expression",
        Rule::arguments => "`(`",
        Rule::subscripts => "`[`",
        Rule::colon => "`:`",
        Rule::EOI => "the end of the equation",
        Rule::left => "a variable",
        rule if operator(rule).is_some() => "an operator",
        _ => return None,
    })
}

/// Where a pair was written.
fn span_of(pair: &Pair<'_, Rule>, text: &MappedText) -> Span {
    let span = pair.as_span();
    // The grammar's spans may include trailing white space; the reader's caret should not.
    text.span(span.start(), span.start() + span.as_str().trim_end().len())
}

/// A name pair.
fn name(pair: &Pair<'_, Rule>, text: &MappedText) -> Name {
    Name::new(pair.as_str(), span_of(pair, text))
}

/// The left side of an equation.
fn left_side(pair: Pair<'_, Rule>, text: &MappedText) -> Result<Lhs> {
    let span = span_of(&pair, text);
    let unreadable = || syntax::bad_left_side(span, pair.as_str().trim());
    let form = pair.clone().into_inner().next().ok_or_else(unreadable)?;
    let rule = form.as_rule();
    let kind = match rule {
        Rule::derivative | Rule::fraction | Rule::prime => LhsKind::Derivative,
        _ => LhsKind::Value,
    };
    if rule == Rule::name {
        return Ok(Lhs { kind, variable: name(&form, text), subscripts: Vec::new(), span });
    }
    let mut parts = form.into_inner().filter(|pair| pair.as_rule() != Rule::time_step).collect::<Vec<_>>().into_iter();
    let mut first = parts.next().ok_or_else(unreadable)?;
    if first.as_rule() == Rule::target {
        parts = first.into_inner().collect::<Vec<_>>().into_iter();
        first = parts.next().ok_or_else(unreadable)?;
    }
    let mut variable = name(&first, text);
    let mut written = Vec::new();
    match (rule, parts.next()) {
        (Rule::fraction, _) => {
            let rest = variable.text.strip_prefix('d').filter(|rest| super::is_name(rest)).ok_or_else(unreadable)?;
            let start = first.as_span().start() + 1;
            variable = Name::new(rest, text.span(start, first.as_span().end()));
        }
        (Rule::index_call, Some(arguments)) => return index_call(&variable, arguments, span, text),
        (_, Some(list)) => written = subscripts(list, text).map_err(|fault| *fault)?.0,
        (_, None) => {}
    }
    Ok(Lhs { kind, variable, subscripts: written, span })
}

/// `index(x, i) =` and its relatives as element writes.
fn index_call(function: &Name, arguments: Pair<'_, Rule>, span: Span, text: &MappedText) -> Result<Lhs> {
    let refuse = || syntax::bad_left_side(span, &format!("{}(..)", function.text));
    let mut values = Vec::new();
    for argument in arguments.into_inner() {
        values.push(expression_pair(argument, text).map_err(|fault| *fault)?.0);
    }
    let mut values = values.into_iter();
    let variable = match values.next() {
        Some(Expr { kind: ExprKind::Name(name), span }) => Name::new(name, span),
        _ => return Err(refuse().into()),
    };
    let rest: Vec<Expr> = values.collect();
    let all = || Subscript::Range(None, None, function.span);
    let subscripts = match (&*function.text, rest.as_slice()) {
        ("index", [i]) => vec![Subscript::At(i.clone())],
        ("index", [i, j]) | ("index_2d", [i, j]) => {
            vec![Subscript::At(i.clone()), Subscript::At(j.clone())]
        }
        ("index_range", [from, to]) => {
            vec![Subscript::Range(Some(from.clone()), Some(to.clone()), from.span.to(to.span))]
        }
        ("index_axis", []) => vec![all()],
        ("index_axis", [i]) => vec![Subscript::At(i.clone())],
        ("index_axis", [i, Expr { kind: ExprKind::Number(axis), .. }]) if *axis == 0.0 => {
            vec![Subscript::At(i.clone())]
        }
        ("index_axis", [i, Expr { kind: ExprKind::Number(axis), .. }]) if *axis == 1.0 => {
            vec![all(), Subscript::At(i.clone())]
        }
        _ => return Err(refuse().into()),
    };
    Ok(Lhs { kind: LhsKind::Value, variable, subscripts, span })
}

/// `expression`: a chain, possibly with `if .. else ..`.
fn expression_pair(pair: Pair<'_, Rule>, text: &MappedText) -> Built {
    let span = span_of(&pair, text);
    let mut inner = pair.into_inner().filter(|pair| !matches!(pair.as_rule(), Rule::if_word | Rule::else_word));
    let mut next = |build: fn(Pair<'_, Rule>, &MappedText) -> Built| match inner.next() {
        Some(pair) => build(pair, text).map(Some),
        None => Ok(None),
    };
    let (then, height) = next(chain)?.ok_or_else(|| unreadable(span))?;
    let Some((test, test_height)) = next(chain)? else {
        return Ok((then, height));
    };
    let (otherwise, else_height) = next(expression_pair)?.ok_or_else(|| unreadable(span))?;
    let kind = ExprKind::Conditional { test: Box::new(test), then: Box::new(then), otherwise: Box::new(otherwise) };
    grown(Expr { kind, span }, height.max(test_height).max(else_height))
}

/// A chain of operands and operators, put together by precedence.
fn chain(pair: Pair<'_, Rule>, text: &MappedText) -> Built {
    PRATT
        .map_primary(|pair| postfix(pair, text))
        .map_prefix(|sign, operand| {
            let (operand, height) = operand?;
            let op = match sign.as_rule() {
                Rule::minus => UnaryOp::Negate,
                Rule::plus => UnaryOp::Plus,
                _ => UnaryOp::Not,
            };
            let span = span_of(&sign, text).to(operand.span);
            grown(Expr { kind: ExprKind::Unary(op, Box::new(operand)), span }, height)
        })
        .map_infix(|left, sign, right| {
            let ((left, left_height), (right, right_height)) = (left?, right?);
            let span = left.span.to(right.span);
            let Some(op) = operator(sign.as_rule()) else {
                return Err(unreadable(span));
            };
            let kind = ExprKind::Binary(op, Box::new(left), Box::new(right));
            grown(Expr { kind, span }, left_height.max(right_height))
        })
        .parse(pair.into_inner())
}

/// The operator that a rule stands for.
fn operator(rule: Rule) -> Option<BinaryOp> {
    Some(match rule {
        Rule::power => BinaryOp::Power,
        Rule::less_equal => BinaryOp::LessEqual,
        Rule::greater_equal => BinaryOp::GreaterEqual,
        Rule::not_equal => BinaryOp::NotEqual,
        Rule::equal => BinaryOp::Equal,
        Rule::less => BinaryOp::Less,
        Rule::greater => BinaryOp::Greater,
        Rule::add => BinaryOp::Add,
        Rule::subtract => BinaryOp::Subtract,
        Rule::multiply => BinaryOp::Multiply,
        Rule::divide => BinaryOp::Divide,
        Rule::remainder => BinaryOp::Remainder,
        Rule::matrix_product => BinaryOp::MatrixProduct,
        Rule::and => BinaryOp::And,
        Rule::or => BinaryOp::Or,
        _ => return None,
    })
}

/// An atom with its subscripts.
fn postfix(pair: Pair<'_, Rule>, text: &MappedText) -> Built {
    let whole = span_of(&pair, text);
    let mut inner = pair.into_inner();
    let first = inner.next().ok_or_else(|| unreadable(whole))?;
    let mut built = atom(first, text)?;
    for list in inner {
        let span = built.0.span.to(span_of(&list, text));
        let (subscripts, height) = subscripts(list, text)?;
        built = grown(Expr { kind: ExprKind::Index(Box::new(built.0), subscripts), span }, built.1.max(height))?;
    }
    Ok(built)
}

/// A number, a name, a call or an expression in parentheses.
fn atom(pair: Pair<'_, Rule>, text: &MappedText) -> Built {
    let span = span_of(&pair, text);
    match pair.as_rule() {
        Rule::number => Ok((Expr { kind: number(pair.as_str(), span)?, span }, 1)),
        Rule::name => Ok((Expr { kind: ExprKind::Name(pair.as_str().to_string()), span }, 1)),
        Rule::call => {
            let mut inner = pair.into_inner();
            let (Some(function), Some(list)) = (inner.next(), inner.next()) else {
                return Err(unreadable(span));
            };
            let mut arguments = Vec::new();
            let mut height = 0;
            for argument in list.into_inner() {
                let (argument, argument_height) = expression_pair(argument, text)?;
                arguments.push(argument);
                height = height.max(argument_height);
            }
            grown(Expr { kind: ExprKind::Call(name(&function, text), arguments), span }, height)
        }
        Rule::expression => expression_pair(pair, text),
        _ => Err(unreadable(span)),
    }
}

/// The subscripts of one pair of brackets and the height of the highest.
fn subscripts(pair: Pair<'_, Rule>, text: &MappedText) -> std::result::Result<(Vec<Subscript>, u32), Box<Diagnostic>> {
    let mut found = Vec::new();
    let mut height = 0;
    for subscript in pair.into_inner() {
        let span = span_of(&subscript, text);
        let (mut from, mut to, mut range) = (None, None, false);
        for part in subscript.into_inner() {
            let rule = part.as_rule();
            if rule == Rule::colon {
                range = true;
                continue;
            }
            let inner = part.into_inner().next().ok_or_else(|| unreadable(span))?;
            let (bound, bound_height) = expression_pair(inner, text)?;
            height = height.max(bound_height);
            *(if rule == Rule::from { &mut from } else { &mut to }) = Some(bound);
        }
        found.push(match (range, from) {
            (true, from) => Subscript::Range(from, to, span),
            (false, Some(at)) => Subscript::At(at),
            (false, None) => {
                return Err(Box::new(syntax::missing_operand(span, "between `[` and `]`", None)));
            }
        });
    }
    Ok((found, height))
}

/// One more level on top of `height`, unless the tree becomes too high.
fn grown(expr: Expr, height: u32) -> Built {
    if height >= MAX_HEIGHT {
        return Err(Box::new(syntax::too_many_operations(expr.span, MAX_HEIGHT)));
    }
    Ok((expr, height + 1))
}

/// The value of a number.
fn number(written: &str, span: Span) -> std::result::Result<ExprKind, Box<Diagnostic>> {
    let plain: String = written.chars().filter(|c| *c != '_').collect();
    let (value, imaginary) = if let Some(digits) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        let value = digits.chars().try_fold(0.0, |sum: f64, c| c.to_digit(16).map(|d| sum * 16.0 + f64::from(d)));
        (value, false)
    } else if let Some(real) = plain.strip_suffix(['j', 'J']) {
        (real.parse().ok(), true)
    } else {
        (plain.parse().ok(), false)
    };
    match value {
        Some(value) if value.is_infinite() => Err(Box::new(syntax::number_too_large(span, written))),
        Some(value) if imaginary => Ok(ExprKind::Imaginary(value)),
        Some(value) => Ok(ExprKind::Number(value)),
        None => Err(unreadable(span)),
    }
}

/// The general fault, for places that the grammar cannot reach.
fn unreadable(span: Span) -> Box<Diagnostic> {
    Box::new(syntax::unreadable_equation(span, Vec::new()))
}
