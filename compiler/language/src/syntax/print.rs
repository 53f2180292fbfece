//! Text form of abstract syntax.
//!
//! Equations are printed with the fewest parentheses that keep their tree: reading the text gives the tree again.

use std::fmt::Write;

use super::ast::{BinaryOp, Equation, Expr, ExprKind, Lhs, LhsKind, Subscript, UnaryOp};
use super::yaml::{Node, Value};

/// Binding strength of `a if c else b`.
const CONDITIONAL: u8 = 0;
/// Binding strength of `not`.
const NOT: u8 = 3;
/// Binding strength of the operators of arithmetic that bind loosest; `not` cannot stand to their right.
const ARITHMETIC: u8 = 4;
/// Binding strength of signs.
const SIGN: u8 = 7;
/// Binding strength of names, numbers, calls and anything in brackets.
const ATOM: u8 = 9;

/// An equation: `d/dt * x = ..` is written `x' = ..`.
pub fn equation(equation: &Equation) -> String {
    format!("{} = {}", left_side(&equation.lhs), expression(&equation.rhs))
}

/// The left side of an equation.
pub fn left_side(lhs: &Lhs) -> String {
    let mut text = lhs.variable.text.to_string();
    if lhs.kind == LhsKind::Derivative {
        text.push('\'');
    }
    if !lhs.subscripts.is_empty() {
        subscripts(&lhs.subscripts, &mut text);
    }
    text
}

/// An expression.
pub fn expression(expr: &Expr) -> String {
    let mut text = String::new();
    write_expression(expr, &mut text);
    text
}

/// How tightly the outermost form of an expression binds.
fn strength(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Conditional { .. } => CONDITIONAL,
        ExprKind::Unary(UnaryOp::Not, _) => NOT,
        ExprKind::Unary(..) => SIGN,
        ExprKind::Binary(op, ..) => op.precedence(),
        // Made by a rewrite: written as a sign and a number.
        ExprKind::Number(value) | ExprKind::Imaginary(value) if value.is_sign_negative() => SIGN,
        _ => ATOM,
    }
}

/// An operand that must bind at least as tightly as `least`.
fn operand(expr: &Expr, least: u8, text: &mut String) {
    if strength(expr) < least {
        text.push('(');
        write_expression(expr, text);
        text.push(')');
    } else {
        write_expression(expr, text);
    }
}

fn write_expression(expr: &Expr, text: &mut String) {
    match &expr.kind {
        ExprKind::Number(value) => text.push_str(&number(*value)),
        ExprKind::Imaginary(value) => {
            text.push_str(&number(*value));
            text.push('j');
        }
        ExprKind::Name(name) => text.push_str(name),
        ExprKind::Unary(op, inner) => {
            let (sign, least) = match op {
                UnaryOp::Negate => ("-", SIGN),
                UnaryOp::Plus => ("+", SIGN),
                UnaryOp::Not => ("not ", NOT),
            };
            text.push_str(sign);
            operand(inner, least, text);
        }
        ExprKind::Binary(op, left, right) => binary(*op, left, right, text),
        ExprKind::Conditional { test, then, otherwise } => {
            operand(then, CONDITIONAL + 1, text);
            text.push_str(" if ");
            operand(test, CONDITIONAL + 1, text);
            text.push_str(" else ");
            operand(otherwise, CONDITIONAL, text);
        }
        ExprKind::Call(function, arguments) => {
            text.push_str(&function.text);
            text.push('(');
            for (index, argument) in arguments.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                write_expression(argument, text);
            }
            text.push(')');
        }
        ExprKind::Index(base, list) => {
            let number = matches!(base.kind, ExprKind::Number(_) | ExprKind::Imaginary(_));
            operand(base, if number { ATOM + 1 } else { ATOM }, text);
            subscripts(list, text);
        }
    }
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr, text: &mut String) {
    let precedence = op.precedence();
    let (left_least, right_least) = match op {
        // Right associative, and a sign may stand in the exponent.
        BinaryOp::Power => (precedence + 1, SIGN),
        // Comparisons do not chain, so both sides need more.
        _ if precedence == ARITHMETIC => (precedence + 1, precedence + 1),
        _ => (precedence, precedence + 1),
    };
    operand(left, left_least, text);
    // Powers are written close, as in print.
    match op {
        BinaryOp::Power => text.push('^'),
        _ => {
            // Writing to a string cannot fail.
            let _ = write!(text, " {} ", op.symbol());
        }
    }
    operand(right, right_least, text);
}

/// `[a, b:c]`
fn subscripts(list: &[Subscript], text: &mut String) {
    text.push('[');
    for (index, subscript) in list.iter().enumerate() {
        text.push_str(if index > 0 { ", " } else { "" });
        match subscript {
            Subscript::At(at) => write_expression(at, text),
            Subscript::Range(from, to, _) => {
                from.iter().for_each(|from| write_expression(from, text));
                text.push(':');
                to.iter().for_each(|to| write_expression(to, text));
            }
        }
    }
    text.push(']');
}

/// The shortest text that reads back as the same number.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-4..1e15).contains(&size) { format!("{value}") } else { format!("{value:e}") }
}

/// A YAML tree, one key or item a line, indented by two spaces; texts stay as they are. Aliases and merge keys show
/// what they stand for.
pub fn document(root: &Node) -> String {
    let mut text = String::new();
    match &root.value {
        Value::Sequence(_) | Value::Mapping(_) => block(root, 0, &mut text),
        _ => inline(root, &mut text),
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// A value below its key.
fn block(node: &Node, indent: usize, text: &mut String) {
    let pad = "  ".repeat(indent);
    match &node.value {
        Value::Sequence(items) => {
            for item in items.iter() {
                text.push_str(&pad);
                text.push('-');
                after(item, indent, text);
            }
        }
        Value::Mapping(entries) => {
            for entry in entries.iter() {
                text.push_str(&pad);
                text.push_str(&quoted_if_needed(&entry.key.text, true));
                text.push(':');
                after(&entry.value, indent, text);
            }
        }
        _ => inline(node, text),
    }
}

/// A value behind its key or dash.
fn after(node: &Node, indent: usize, text: &mut String) {
    let nested = |n: &Node| matches!(n.value, Value::Sequence(_) | Value::Mapping(_));
    let children_flat = match &node.value {
        Value::Sequence(items) => items.iter().all(|item| !nested(item)) && !items.iter().any(is_long_text),
        Value::Mapping(entries) => entries.is_empty(),
        _ => true,
    };
    if children_flat {
        text.push(' ');
        inline(node, text);
        text.push('\n');
    } else {
        text.push('\n');
        block(node, indent + 1, text);
    }
}

/// Texts with spaces, such as equations, get lines of their own.
fn is_long_text(node: &Node) -> bool {
    node.as_text().is_some_and(|text| text.contains(' '))
}

/// A value on one line.
fn inline(node: &Node, text: &mut String) {
    match &node.value {
        Value::Null => text.push_str("null"),
        Value::Scalar(scalar) => text.push_str(&quoted_if_needed(scalar.text.as_str(), !scalar.quoted)),
        Value::Sequence(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                inline(item, text);
            }
            text.push(']');
        }
        Value::Mapping(entries) => {
            text.push('{');
            for (index, entry) in entries.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                text.push_str(&quoted_if_needed(&entry.key.text, true));
                text.push_str(": ");
                inline(&entry.value, text);
            }
            text.push('}');
        }
    }
}

/// A text as YAML; in double quotes when it would read as something else. `plain` says that it was written plain.
fn quoted_if_needed(written: &str, plain: bool) -> String {
    let number_like = written.parse::<f64>().is_ok() || matches!(written, "~" | "null" | "Null" | "NULL");
    let special = written.is_empty()
        || written.starts_with(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '/' | '.' | '-' | '+' | '('))
        || written.starts_with(['-', '.']) && !number_like
        || written.ends_with([' ', ':'])
        || written.contains([',', '[', ']', '{', '}', '#', '"', '\\'])
        || written.contains(": ")
        || written.contains(char::is_control);
    if special || (number_like && !plain) { format!("{written:?}") } else { written.to_string() }
}
