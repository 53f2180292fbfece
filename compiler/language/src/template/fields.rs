//! Reading YAML mappings whose keys are known beforehand.

use crate::diagnostic::{Diagnostics, template as fault};
use crate::source::Name;
use crate::syntax::yaml::{Entry, Node, Value};

/// The entry of `key`, if present and not null.
pub(super) fn get<'n>(entries: &'n [Entry], key: &str) -> Option<&'n Entry> {
    entries.iter().find(|e| &*e.key.text == key && e.value.value != Value::Null)
}

/// Reports every key that is not one of `allowed`.
pub(super) fn only(entries: &[Entry], allowed: &[&str], owner: &str, out: &mut Diagnostics) {
    for entry in entries.iter().filter(|e| !allowed.contains(&&*e.key.text)) {
        out.push(fault::unknown_key(&entry.key, owner, allowed));
    }
}

/// The entries of a mapping (none for null), or a report that `what` is not one.
pub(super) fn mapping<'n>(node: &'n Node, what: &str, out: &mut Diagnostics) -> Option<&'n [Entry]> {
    match &node.value {
        Value::Mapping(entries) => Some(entries),
        Value::Null => Some(&[]),
        _ => {
            out.push(fault::wrong_form(node, what, "a mapping `key: value`"));
            None
        }
    }
}

/// The items of a sequence (none for null), or a report that `what` is not one.
pub(super) fn sequence<'n>(node: &'n Node, what: &str, out: &mut Diagnostics) -> Option<&'n [Node]> {
    match &node.value {
        Value::Sequence(items) => Some(items),
        Value::Null => Some(&[]),
        _ => {
            out.push(fault::wrong_form(node, what, "a list"));
            None
        }
    }
}

/// The text of a scalar, or a report that `what` is not one.
pub(super) fn text(node: &Node, what: &str, out: &mut Diagnostics) -> Option<Name> {
    match &node.value {
        Value::Scalar(scalar) => Some(Name::new(scalar.text.as_str().trim(), node.span)),
        _ => {
            out.push(fault::wrong_form(node, what, "a text"));
            None
        }
    }
}

/// The text of the `description` key.
pub(super) fn description(entries: &[Entry], out: &mut Diagnostics) -> Option<String> {
    let entry = get(entries, "description")?;
    text(&entry.value, "a description", out).map(|name| name.text.to_string())
}
