//! Circuits: nodes, sub-circuits and edges by label, inherited and merged.

use std::sync::Arc;

use super::edge::Attributes;
use super::edit::required_text;
use super::fields::{description, get, mapping, only, sequence};
use super::resolve::{Base, Key, Kind, Loader};
use super::value::{count, real};
use super::{CircuitTemplate, EdgeMatrix, EdgeUse};
use crate::diagnostic::{event as event_fault, template as fault};
use crate::source::{Name, Span};
use crate::syntax::yaml::{Entry, Node, Value};

const KEYS: &[&str] = &["base", "description", "nodes", "circuits", "edges", "matrices", "connections", "seed"];

/// Deepest nesting of circuits.
const MAX_NESTING: usize = 64;

/// Weights up to this size make no edge in PyRates' `add_edges_from_matrix`.
pub(super) const MINIMUM_WEIGHT: f64 = 1e-6;

impl Loader<'_> {
    /// The circuit `key`, whose kind is known to be circuit; `None` when it contains itself.
    pub(super) fn circuit(&mut self, key: &Key) -> Option<Arc<CircuitTemplate>> {
        if let Some(done) = self.circuits.get(key) {
            return done.clone();
        }
        let entry = self.entry(key);
        if let Some(start) = self.open_circuits.iter().position(|(k, _)| k == key) {
            let path: Vec<String> = self.open_circuits[start..].iter().map(|(k, _)| k.name.to_string()).collect();
            let span = self.open_circuits.get(start + 1).map_or(entry.key.span, |(_, span)| *span);
            self.out.push(fault::circuit_contains_itself(span, &entry.key, &path));
            return None;
        }
        if self.open_circuits.len() >= MAX_NESTING {
            self.out.push(fault::nested_too_deep(&entry.key, MAX_NESTING));
            return None;
        }
        self.open_circuits.push((key.clone(), entry.key.span));
        let fields = self.fields(&entry);
        let circuit = Arc::new(self.circuit_fields(key.file, &entry.key, &fields));
        self.open_circuits.pop();
        self.circuits.insert(key.clone(), Some(circuit.clone()));
        Some(circuit)
    }

    fn circuit_fields(&mut self, home: usize, name: &Name, fields: &[Entry]) -> CircuitTemplate {
        only(fields, KEYS, &format!("circuit `{name}`"), &mut self.out);
        let parent = match self.base_of(home, fields) {
            Base::Parent(parent) => self.circuit(&parent),
            Base::Kind => None,
        };
        let mut circuit = match parent.as_deref() {
            Some(parent) => CircuitTemplate { name: name.clone(), ..parent.clone() },
            None => CircuitTemplate {
                name: name.clone(),
                description: None,
                nodes: Vec::new(),
                circuits: Vec::new(),
                edges: Vec::new(),
                matrices: Vec::new(),
                seed: None,
            },
        };
        if let Some(own) = description(fields, &mut self.out) {
            circuit.description = Some(own);
        }
        if let Some(seed) = get(fields, "seed") {
            circuit.seed = count(&seed.value, "`seed`", 0, &mut self.out);
        }
        if let Some(nodes) = get(fields, "nodes") {
            self.circuit_nodes(home, &nodes.value, &mut circuit);
        }
        if let Some(circuits) = get(fields, "circuits") {
            self.sub_circuits(home, &circuits.value, &mut circuit);
        }
        for key in ["edges", "connections"] {
            let Some(edges) = get(fields, key) else {
                continue;
            };
            for edge in sequence(&edges.value, &format!("`{key}`"), &mut self.out).unwrap_or(&[]) {
                circuit.edges.extend(self.edge(home, edge));
            }
        }
        if let Some(matrices) = get(fields, "matrices") {
            for matrix in sequence(&matrices.value, "`matrices`", &mut self.out).unwrap_or(&[]) {
                circuit.matrices.extend(self.edge_matrix(home, matrix));
            }
        }
        if circuit.nodes.is_empty() && circuit.circuits.is_empty() && !self.out.has_errors() {
            self.out.push(fault::empty_circuit(name));
        }
        circuit
    }

    fn circuit_nodes(&mut self, home: usize, node: &Node, circuit: &mut CircuitTemplate) {
        for entry in mapping(node, "`nodes`", &mut self.out).unwrap_or(&[]) {
            let label = entry.key.clone();
            if !self.is_label(&label) {
                continue;
            }
            if let Some((first, _)) = circuit.circuits.iter().find(|(l, _)| l.text == label.text) {
                self.out.push(fault::duplicate("label", &label, first.span));
                continue;
            }
            let template = match &entry.value.value {
                Value::Mapping(fields) => self.inline_node(home, &label, fields),
                _ => required_text(&entry.value, &format!("node `{label}`"), &mut self.out)
                    .and_then(|reference| self.locate_kind(home, &reference, Kind::Node))
                    .map(|key| self.node(&key)),
            };
            let Some(template) = template else { continue };
            match circuit.nodes.iter_mut().find(|(l, _)| l.text == label.text) {
                Some(inherited) => *inherited = (label, template),
                None => circuit.nodes.push((label, template)),
            }
        }
    }

    /// A node written in place: `p: {operators: [..], n: 10}`, with or without `base`.
    fn inline_node(&mut self, home: usize, label: &Name, fields: &[Entry]) -> Option<Arc<super::NodeTemplate>> {
        if let Some(base) = get(fields, "base") {
            let base = required_text(&base.value, "`base`", &mut self.out)?;
            if Kind::ALL.iter().any(|k| k.base() == &*base.text) {
                if &*base.text != Kind::Node.base() {
                    let found = Kind::ALL.into_iter().find(|k| k.base() == &*base.text).unwrap_or(Kind::Node);
                    self.out.push(fault::wrong_kind(&base, found, Kind::Node, label));
                    return None;
                }
            } else {
                self.locate_kind(home, &base, Kind::Node)?;
            }
        }
        Some(Arc::new(self.node_fields(home, label, fields)))
    }

    fn sub_circuits(&mut self, home: usize, node: &Node, circuit: &mut CircuitTemplate) {
        for entry in mapping(node, "`circuits`", &mut self.out).unwrap_or(&[]) {
            let label = entry.key.clone();
            if !self.is_label(&label) {
                continue;
            }
            if let Some((first, _)) = circuit.nodes.iter().find(|(l, _)| l.text == label.text) {
                self.out.push(fault::duplicate("label", &label, first.span));
                continue;
            }
            let reference = required_text(&entry.value, &format!("circuit `{label}`"), &mut self.out);
            let Some(key) = reference.and_then(|r| self.locate_kind(home, &r, Kind::Circuit)) else {
                continue;
            };
            if let Some((_, span)) = self.open_circuits.last_mut() {
                // Where a cycle, if there is one, leaves this circuit.
                *span = entry.value.span;
            }
            let Some(template) = self.circuit(&key) else {
                continue;
            };
            match circuit.circuits.iter_mut().find(|(l, _)| l.text == label.text) {
                Some(inherited) => *inherited = (label, template),
                None => circuit.circuits.push((label, template)),
            }
        }
    }

    fn is_label(&mut self, label: &Name) -> bool {
        let sound = is_label(&label.text);
        if !sound {
            self.out.push(fault::bad_label(label));
        }
        sound
    }

    /// One item of `matrices`.
    fn edge_matrix(&mut self, home: usize, node: &Node) -> Option<EdgeMatrix> {
        let entries = mapping(node, "an item of `matrices`", &mut self.out)?;
        let template = self.edge_template_reference(home, get(entries, "template").map(|e| &e.value));
        let mut end = |key: &str| match get(entries, key) {
            Some(entry) => required_text(&entry.value, key, &mut self.out),
            None => {
                self.out.push(fault::missing_key(node.span, "this matrix", key, &format!("{key}: operator/variable")));
                None
            }
        };
        let (source, target) = (end("source_var"), end("target_var"));
        let source_nodes = match get(entries, "source_nodes") {
            Some(entry) => self.labels(&entry.value, "`source_nodes`"),
            None => {
                let example = "source_nodes: [a, b]";
                self.out.push(fault::missing_key(node.span, "this matrix", "source_nodes", example));
                None
            }
        };
        let target_nodes = match get(entries, "target_nodes") {
            Some(entry) => self.labels(&entry.value, "`target_nodes`"),
            None => source_nodes.clone(),
        };
        let minimum = match get(entries, "minimum") {
            Some(entry) => real(&entry.value, "`minimum`", &mut self.out)?,
            None => MINIMUM_WEIGHT,
        };
        let own = ["source_var", "target_var", "source_nodes", "target_nodes", "template", "minimum", "edge_attr"];
        let mut attributes: Vec<&Entry> = entries.iter().filter(|e| !own.contains(&&*e.key.text)).collect();
        if let Some(more) = get(entries, "edge_attr") {
            attributes.extend(mapping(&more.value, "`edge_attr`", &mut self.out).unwrap_or(&[]));
        }
        if let Some(entry) = attributes.iter().find(|e| &*e.key.text == "connectivity") {
            self.out.push(fault::connectivity_of_nodes(&entry.key));
            return None;
        }
        let attributes = self.attributes(home, &attributes, template.as_ref().ok()?.as_deref());
        if let Some(on_spike) = &attributes.on_spike {
            self.out.push(event_fault::on_spike_in_matrix(on_spike.key.span));
        }
        let Attributes { weight, delay, spread, sources, overrides, .. } = attributes;
        let (source, target, template) = (source?, target?, template.ok()?);
        let span: Span = node.span;
        let edge =
            EdgeUse { source, target, template, weight, delay, spread, connectivity: None, sources, overrides, span };
        Some(EdgeMatrix { source_nodes: source_nodes?, target_nodes: target_nodes?, edge, minimum })
    }

    /// A label or a list of labels.
    fn labels(&mut self, node: &Node, what: &str) -> Option<Vec<Name>> {
        match &node.value {
            Value::Sequence(items) => items.iter().map(|item| required_text(item, what, &mut self.out)).collect(),
            _ => required_text(node, what, &mut self.out).map(|label| vec![label]),
        }
    }
}

/// Whether a text can be a part of a path.
pub(super) fn is_label(text: &str) -> bool {
    !text.is_empty() && text != "all" && !text.contains(['/', '[', ']']) && !text.contains(char::is_whitespace)
}
