//! Events: the entries of an operator's `events` map.

use super::edit::{mapped, required_text};
use super::fields::{get, only};
use super::variable::is_identifier;
use super::{Complex, EdgeTemplate, EdgeUse, EventTemplate, Literal, Order, Reset};
use crate::diagnostic::{Diagnostics, Result, event as event_fault, template as fault};
use crate::source::{Name, Span};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::syntax::equation::{is_name, parse_expression};
use crate::syntax::text::MappedText;
use crate::syntax::yaml::{Entry, Node, Value};

const KEYS: &[&str] = &["when", "reset", "refractory", "order", "hold"];

/// Reads one entry of `events` into the events inherited so far: an event of its own, changes of an inherited one, or, when
/// nothing is given, its removal. `finish` is applied to every expression.
pub(super) fn event(
    entry: &Entry,
    events: &mut Vec<EventTemplate>,
    finish: &mut dyn FnMut(&mut Expr, &mut Diagnostics),
    out: &mut Diagnostics,
) {
    let name = entry.key.clone();
    let inherited = events.iter().position(|e| e.name.text == name.text);
    if !is_event_name(&name, out) {
        return;
    }
    let span = name.span.to(entry.value.span);
    let owner = format!("event `{name}`");
    let mut expression = |text: &MappedText, out: &mut Diagnostics| {
        let mut expr = out.absorb(parse_expression(text))?;
        finish(&mut expr, out);
        Some(expr)
    };
    let fields = match &entry.value.value {
        Value::Null => {
            match inherited {
                Some(at) => drop(events.remove(at)),
                None => out.push(fault::missing_key(name.span, &owner, "when", "when: v >= theta")),
            }
            return;
        }
        Value::Mapping(fields) => fields.to_vec(),
        // `spike: v >= theta`
        _ => {
            let Some(when) = mapped(&entry.value, &owner, out).and_then(|text| expression(&text, out)) else { return };
            match inherited {
                Some(at) => events[at].when = when,
                None => events.push(EventTemplate::new(name, when, span)),
            }
            return;
        }
    };
    only(&fields, KEYS, &owner, out);
    let text =
        |key: &str, out: &mut Diagnostics| get(&fields, key).and_then(|e| mapped(&e.value, &format!("`{key}`"), out));
    let faults = out.0.len();
    let when = text("when", out).and_then(|when| expression(&when, out));
    let mut read = match (inherited, when) {
        (Some(at), when) => {
            let mut known = events[at].clone();
            known.when = when.unwrap_or(known.when);
            EventTemplate { span, ..known }
        }
        (None, Some(when)) => EventTemplate::new(name.clone(), when, span),
        (None, None) => {
            if out.0.len() == faults {
                out.push(fault::missing_key(name.span, &owner, "when", "when: v >= theta"));
            }
            return;
        }
    };
    if let Some(refractory) = text("refractory", out) {
        read.refractory = expression(&refractory, out).or(read.refractory);
    }
    if let Some(order) = get(&fields, "order").and_then(|e| required_text(&e.value, "`order`", out)) {
        match Order::ALL.into_iter().find(|o| o.name() == &*order.text) {
            Some(order) => read.order = order,
            None => out.push(fault::unknown_choice(&order, "order", &Order::ALL.map(Order::name))),
        }
    }
    if let Some(hold) = get(&fields, "hold") {
        read.hold = Some(match &hold.value.value {
            Value::Sequence(items) => items.iter().filter_map(|i| required_text(i, "a held variable", out)).collect(),
            _ => required_text(&hold.value, "`hold`", out).into_iter().collect(),
        });
    }
    // `reset:` without a value takes an inherited reset away.
    if let Some(reset) = fields.iter().find(|e| &*e.key.text == "reset") {
        read.resets.clear();
        for (variable, text) in statements(&reset.value, out) {
            if let Some(mut value) = out.absorb(text) {
                finish(&mut value, out);
                read.resets.push(Reset { variable, value });
            }
        }
    }
    match inherited {
        Some(at) => events[at] = read,
        None => events.push(read),
    }
}

/// Whether an event can be called so.
pub(super) fn is_event_name(name: &Name, out: &mut Diagnostics) -> bool {
    if !is_identifier(&name.text) {
        out.push(fault::not_an_identifier(name));
        return false;
    }
    if matches!(&*name.text, "pi" | "t") {
        out.push(fault::reserved_name(name));
        return false;
    }
    true
}

/// `{v: v_r, u: u + d}`, or statements: `v = v_r`, `[v = v_r, u += d]`.
fn statements(node: &Node, out: &mut Diagnostics) -> Vec<(Name, Result<Expr>)> {
    match &node.value {
        Value::Null => Vec::new(),
        Value::Mapping(entries) => {
            let mut each = Vec::new();
            for entry in entries.iter() {
                if let Some(text) = mapped(&entry.value, &format!("the value of `{}`", entry.key), out) {
                    each.push((entry.key.clone(), parse_expression(&text)));
                }
            }
            each
        }
        Value::Sequence(items) => {
            let texts: Vec<MappedText> = items.iter().filter_map(|item| mapped(item, "a statement", out)).collect();
            texts.iter().filter_map(|text| out.absorb(statement(text))).map(|(v, e)| (v, Ok(e))).collect()
        }
        Value::Scalar(scalar) => out.absorb(statement(&scalar.text)).map(|(v, e)| (v, Ok(e))).into_iter().collect(),
    }
}

/// `VARIABLE = EXPRESSION`, or with `+=`, `-=`, `*=`, `/=`.
pub(super) fn statement(text: &MappedText) -> Result<(Name, Expr)> {
    let written = text.as_str();
    let not_one = || event_fault::not_a_statement(text.whole(), written.trim());
    let at = written.find('=').ok_or_else(not_one)?;
    let mut left = MappedText::new();
    let change = written[..at].chars().next_back().and_then(|symbol| {
        [('+', BinaryOp::Add), ('-', BinaryOp::Subtract), ('*', BinaryOp::Multiply), ('/', BinaryOp::Divide)]
            .into_iter()
            .find(|(known, _)| *known == symbol)
    });
    left.push_range(text, 0, if change.is_some() { at - 1 } else { at });
    let name = left.as_str().trim();
    if !is_name(name) || written[at + 1..].starts_with('=') {
        return Err(not_one().into());
    }
    let begin = left.as_str().find(name).unwrap_or(0);
    let variable = Name::new(name, text.span(begin, begin + name.len()));
    let mut right = MappedText::new();
    right.push_range(text, at + 1, written.len());
    let value = parse_expression(&right)?;
    Ok(match change {
        None => (variable, value),
        Some((_, op)) => {
            let old = Expr { kind: ExprKind::Name(name.to_string()), span: variable.span };
            let span: Span = text.whole();
            (variable, Expr { kind: ExprKind::Binary(op, Box::new(old), Box::new(value)), span })
        }
    })
}

/// The edges that the statements of `on_spike` stand for, each `STATE += weight`, with a number or the output of the edge's
/// operators as a further factor. `edge` leads to the operator of the states, or to one of them.
pub(super) fn jumps(edge: &EdgeUse, on_spike: &Entry, out: &mut Diagnostics) -> Vec<EdgeUse> {
    let texts = super::edit::texts(&on_spike.value, "a statement of `on_spike`", out);
    let output = edge.template.as_deref().and_then(output);
    texts.iter().filter_map(|text| out.absorb(jump(edge, text, output))).collect()
}

/// The output of an edge template.
fn output(template: &EdgeTemplate) -> Option<&str> {
    let variables = template.operators.iter().flat_map(|o| &o.template.variables);
    variables.rev().find(|v| v.declared == super::Declared::Output).map(|v| &*v.name.text)
}

fn jump(edge: &EdgeUse, text: &MappedText, output: Option<&str>) -> Result<EdgeUse> {
    let wrong = || event_fault::on_spike_form(text.whole(), text.as_str().trim(), output);
    let (state, value) = statement(text)?;
    // `x += e` is read as `x = x + e`.
    let (sign, amount) = match &value.kind {
        ExprKind::Binary(BinaryOp::Add, left, amount) if is_name_of(left, &state.text) => (1.0, amount),
        ExprKind::Binary(BinaryOp::Subtract, left, amount) if is_name_of(left, &state.text) => (-1.0, amount),
        _ => return Err(wrong().into()),
    };
    let mut factors = Factors { number: sign, names: Vec::new() };
    if !factors.collect(amount) {
        return Err(wrong().into());
    }
    let mut expected: Vec<&str> = std::iter::once("weight").chain(output).collect();
    expected.sort_unstable();
    factors.names.sort_unstable();
    if factors.names != expected {
        return Err(wrong().into());
    }
    let path = &*edge.target.text;
    let target = match path.rsplit_once('/') {
        Some((_, last)) if last == &*state.text => edge.target.clone(),
        _ => Name::new(format!("{path}/{state}"), edge.target.span),
    };
    let weight = scaled(&edge.weight, factors.number).ok_or_else(wrong)?;
    Ok(EdgeUse { target, weight, ..edge.clone() })
}

fn is_name_of(expr: &Expr, name: &str) -> bool {
    matches!(&expr.kind, ExprKind::Name(found) if found == name)
}

/// The factors of a product.
struct Factors<'e> {
    number: f64,
    names: Vec<&'e str>,
}

impl<'e> Factors<'e> {
    /// Whether an expression is a product of numbers and names.
    fn collect(&mut self, expr: &'e Expr) -> bool {
        match &expr.kind {
            ExprKind::Number(number) => self.number *= number,
            ExprKind::Name(name) => self.names.push(name),
            ExprKind::Unary(UnaryOp::Negate, operand) => {
                self.number = -self.number;
                return self.collect(operand);
            }
            ExprKind::Binary(BinaryOp::Multiply, left, right) => return self.collect(left) && self.collect(right),
            _ => return false,
        }
        true
    }
}

/// `factor` times a weight; none of weights that are yet to be drawn.
fn scaled(weight: &Literal, factor: f64) -> Option<Literal> {
    if factor == 1.0 {
        return Some(weight.clone());
    }
    let times = |n: &Complex| Complex { re: n.re * factor, im: n.im * factor };
    Some(match weight {
        Literal::Number(n) => Literal::Number(times(n)),
        Literal::List(list) => Literal::List(list.iter().map(times).collect()),
        Literal::Matrix { rows, columns, data } => {
            Literal::Matrix { rows: *rows, columns: *columns, data: data.iter().map(|n| n * factor).collect() }
        }
        Literal::Drawn(_) | Literal::Profile(_) => return None,
    })
}
