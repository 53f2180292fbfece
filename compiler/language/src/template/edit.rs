//! Edits of inherited equations: `replace`, `remove`, `append`, `prepend`, `add`.
//!
//! The terms to replace or remove are matched token by token, never inside a name or a number; spaces do not count.
//! A name does not match where a prime follows: `replace: {x: y}` leaves the left side `x' =` alone.

use std::sync::Arc;

use super::fields::{mapping, only, text};
use crate::diagnostic::{Diagnostics, template as fault};
use crate::source::Span;
use crate::syntax::equation::{TokenKind, tokens};
use crate::syntax::text::MappedText;
use crate::syntax::yaml::{Entry, Node, Value};

/// The keys of an edit, in the order in which they act on each equation.
pub(super) const EDITS: &[&str] = &["replace", "remove", "append", "prepend", "add"];

/// A scalar as text with its places, or a report.
pub(super) fn mapped(node: &Node, what: &str, out: &mut Diagnostics) -> Option<MappedText> {
    if let Value::Scalar(scalar) = &node.value {
        return Some(scalar.text.clone());
    }
    out.push(fault::wrong_form(node, what, "a text"));
    None
}

/// One text or a list of texts.
pub(super) fn texts(node: &Node, what: &str, out: &mut Diagnostics) -> Vec<MappedText> {
    match &node.value {
        Value::Sequence(items) => items.iter().filter_map(|item| mapped(item, what, out)).collect(),
        Value::Null => Vec::new(),
        _ => mapped(node, what, out).into_iter().collect(),
    }
}

/// Applies the edits to the equations; the flag tells which of the results differ from what was inherited.
pub(super) fn edit(equations: Vec<MappedText>, edits: &[Entry], out: &mut Diagnostics) -> Vec<(MappedText, bool)> {
    only(edits, EDITS, "the edit of the equations", out);
    let mut equations: Vec<(MappedText, bool)> = equations.into_iter().map(|text| (text, false)).collect();
    let mut in_order: Vec<&Entry> = edits.iter().collect();
    in_order.sort_by_key(|e| EDITS.iter().position(|k| *k == &*e.key.text));
    for entry in in_order {
        match &*entry.key.text {
            "replace" => {
                let Some(pairs) = mapping(&entry.value, "`replace`", out) else {
                    continue;
                };
                for pair in pairs {
                    let Some(new) = mapped(&pair.value, "the replacement", out) else {
                        continue;
                    };
                    substitute(&mut equations, &pair.key.text, &new, pair.key.span, out);
                }
            }
            "remove" => {
                for term in texts(&entry.value, "the term to remove", out) {
                    substitute(&mut equations, term.as_str(), &MappedText::new(), term.whole(), out);
                }
            }
            "append" => {
                let Some(tail) = mapped(&entry.value, "`append`", out) else {
                    continue;
                };
                for (equation, edited) in &mut equations {
                    equation.push(" ", tail.whole());
                    equation.push_range(&tail, 0, tail.as_str().len());
                    *edited = true;
                }
            }
            "prepend" => {
                let Some(head) = mapped(&entry.value, "`prepend`", out) else {
                    continue;
                };
                for (equation, edited) in &mut equations {
                    *equation = prepended(equation, &head);
                    *edited = true;
                }
            }
            "add" => equations.extend(texts(&entry.value, "an added equation", out).into_iter().map(|t| (t, true))),
            _ => {}
        }
    }
    equations
}

/// The equation with `head` put in front of its right-hand side.
fn prepended(equation: &MappedText, head: &MappedText) -> MappedText {
    let text = equation.as_str();
    let at = text.find('=').map_or(0, |at| at + 1);
    let mut result = MappedText::new();
    result.push_range(equation, 0, at);
    result.push(" ", head.whole());
    result.push_range(head, 0, head.as_str().len());
    result.push(" ", head.whole());
    result.push_range(equation, at, text.len());
    result
}

fn substitute(equations: &mut [(MappedText, bool)], old: &str, new: &MappedText, span: Span, out: &mut Diagnostics) {
    let pattern = MappedText::at(old, Span::NOWHERE);
    let pattern: Vec<&str> = tokens(&pattern).iter().map(|t| &old[t.range.clone()]).collect();
    if pattern.is_empty() {
        out.push(fault::empty_term(span));
        return;
    }
    let mut hits = 0;
    for (equation, edited) in equations.iter_mut() {
        let text = equation.as_str();
        let found = tokens(equation);
        let piece = |i: usize| found.get(i).map(|t| &text[t.range.clone()]);
        let mut result = MappedText::new();
        let mut copied = 0;
        let mut i = 0;
        let before = hits;
        while i + pattern.len() <= found.len() {
            let matches = pattern.iter().enumerate().all(|(k, want)| piece(i + k) == Some(want));
            let primed = found.get(i + pattern.len()).is_some_and(|next| next.kind == TokenKind::Prime);
            if matches && !primed {
                let last = i + pattern.len() - 1;
                result.push_range(equation, copied, found[i].range.start);
                result.push_range(new, 0, new.as_str().len());
                copied = found[last].range.end;
                hits += 1;
                i = last + 1;
            } else {
                i += 1;
            }
        }
        if hits > before {
            result.push_range(equation, copied, text.len());
            *equation = result;
            *edited = true;
        }
    }
    if hits == 0 {
        let now: Vec<&str> = equations.iter().map(|(text, _)| text.as_str()).collect();
        out.push(fault::unused_edit(span, old, &now));
    }
}

/// The parts of `equations:` as a child template writes it.
pub(super) enum Equations {
    /// A text or a list: these and no others.
    Replaced(Vec<MappedText>),
    /// A map of edits.
    Edited(Arc<[Entry]>),
}

/// Reads the value of the key `equations`.
pub(super) fn equations(node: &Node, out: &mut Diagnostics) -> Equations {
    match &node.value {
        Value::Mapping(edits) => Equations::Edited(edits.clone()),
        _ => Equations::Replaced(texts(node, "an equation", out)),
    }
}

/// A text that must not be empty.
pub(super) fn required_text(node: &Node, what: &str, out: &mut Diagnostics) -> Option<crate::source::Name> {
    let name = text(node, what, out)?;
    if name.text.is_empty() {
        out.push(fault::wrong_form(node, what, "a text"));
        return None;
    }
    Some(name)
}
