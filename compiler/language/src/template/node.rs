//! Nodes: the operators that act together in a unit or population.

use std::sync::Arc;

use super::edge::is_data_file;
use super::edit::required_text;
use super::fields::{description, get, mapping, only};
use super::resolve::{Base, Key, Kind, Loader};
use super::value::count;
use super::variable::override_value;
use super::{Literal, NodeTemplate, OperatorUse, Override};
use crate::diagnostic::template as fault;
use crate::source::Name;
use crate::syntax::yaml::{Entry, Node, Value};

const KEYS: &[&str] = &["base", "description", "operators", "n"];

/// Most units of a population: one variable of so many takes 2 GiB.
const MAX_UNITS: u64 = 1 << 28;

/// A row or a column of numbers as a list.
pub(super) fn flat(value: Literal) -> Literal {
    match value {
        Literal::Matrix { rows, columns, data } if rows == 1 || columns == 1 => data.into(),
        other => other,
    }
}

impl Loader<'_> {
    /// The node `key`, whose kind is known to be node.
    pub(super) fn node(&mut self, key: &Key) -> Arc<NodeTemplate> {
        if let Some(done) = self.nodes.get(key) {
            return done.clone();
        }
        let entry = self.entry(key);
        let fields = self.fields(&entry);
        let node = Arc::new(self.node_fields(key.file, &entry.key, &fields));
        self.nodes.insert(key.clone(), node.clone());
        node
    }

    /// A node from its fields: a template, or written in place in a circuit.
    pub(super) fn node_fields(&mut self, home: usize, name: &Name, fields: &[Entry]) -> NodeTemplate {
        let owner = format!("node `{name}`");
        only(fields, KEYS, &owner, &mut self.out);
        let parent = match self.base_of(home, fields) {
            Base::Parent(parent) => Some(self.node(&parent)),
            Base::Kind => None,
        };
        let operators = match (get(fields, "operators"), &parent) {
            (Some(written), _) => self.operator_uses(home, &written.value, &owner),
            (None, Some(parent)) => parent.operators.clone(),
            (None, None) => {
                self.out.push(fault::missing_key(name.span, &owner, "operators", "operators: [NAME_OF_AN_OPERATOR]"));
                Vec::new()
            }
        };
        let size = get(fields, "n").and_then(|n| {
            let units = count(&n.value, "`n`", 1, &mut self.out)?;
            if units > MAX_UNITS {
                self.out.push(fault::too_many_units(n.value.span, MAX_UNITS));
                return None;
            }
            Some(units as usize)
        });
        let own_description = description(fields, &mut self.out);
        NodeTemplate {
            name: name.clone(),
            description: own_description.or_else(|| parent.as_ref().and_then(|p| p.description.clone())),
            operators,
            size: size.or(parent.as_ref().and_then(|p| p.size)),
        }
    }

    /// The value of `operators`: a name, a list of names or a map from names to values.
    pub(super) fn operator_uses(&mut self, home: usize, node: &Node, owner: &str) -> Vec<OperatorUse> {
        let mut written: Vec<(Name, Option<Node>)> = Vec::new();
        match &node.value {
            Value::Null => {}
            Value::Scalar(_) => written.extend(required_text(node, "`operators`", &mut self.out).map(|n| (n, None))),
            Value::Mapping(entries) => written.extend(entries.iter().map(|e| (e.key.clone(), Some(e.value.clone())))),
            Value::Sequence(items) => {
                for item in items.iter() {
                    match &item.value {
                        // `- op: {x: 1}` beside plain names.
                        Value::Mapping(entries) => {
                            written.extend(entries.iter().map(|e| (e.key.clone(), Some(e.value.clone()))));
                        }
                        _ => written.extend(required_text(item, "an operator", &mut self.out).map(|n| (n, None))),
                    }
                }
            }
        }
        let mut uses: Vec<OperatorUse> = Vec::new();
        for (reference, values) in written {
            let Some(key) = self.locate_kind(home, &reference, Kind::Operator) else {
                continue;
            };
            let template = self.operator(&key).template.clone();
            let name = Name::new(template.name.text.clone(), reference.span);
            if let Some(first) = uses.iter().find(|u| u.name.text == name.text) {
                self.out.push(fault::duplicate_operator(&name, first.name.span, owner));
                continue;
            }
            let mut overrides: Vec<Override> = Vec::new();
            let what = format!("the values of operator `{name}`");
            for entry in values.as_ref().and_then(|v| mapping(v, &what, &mut self.out)).unwrap_or(&[]) {
                if &*entry.key.text == "t" {
                    continue;
                }
                if !template.variables.iter().any(|v| v.name.text == entry.key.text) {
                    self.out.push(fault::unused_override(&entry.key, &template));
                    continue;
                }
                let what = format!("`{}`", entry.key);
                let value = match &entry.value.value {
                    Value::Scalar(scalar) if is_data_file(scalar.text.as_str()) => {
                        let file = Name::new(scalar.text.as_str().trim(), entry.value.span);
                        self.data_matrix(home, &file).map(flat)
                    }
                    _ => override_value(&entry.value, &what, &mut self.out),
                };
                if let Some(value) = value {
                    overrides.push(Override { variable: entry.key.clone(), value, span: entry.value.span });
                }
            }
            uses.push(OperatorUse { name, template, overrides });
        }
        uses
    }
}
