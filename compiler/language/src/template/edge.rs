//! Edges: templates of what stands on an edge, and the edges of a circuit as written.

use std::sync::Arc;

use super::connectivity::Connectivity;
use super::edit::required_text;
use super::event::jumps;
use super::fields::{description, get, mapping, only};
use super::resolve::{Base, Key, Kind, Loader};
use super::value::{literal, parse_number};
use super::{Complex, EdgeSource, EdgeTemplate, EdgeUse, Literal};
use crate::diagnostic::template as fault;
use crate::source::{Name, Span};
use crate::syntax::yaml::{Entry, Node, Value};

const TEMPLATE_KEYS: &[&str] = &["base", "description", "operators"];
const EDGE_KEYS: &[&str] =
    &["source", "target", "template", "variables", "weight", "delay", "spread", "connectivity", "on_spike"];

/// The attributes of an edge.
pub(super) struct Attributes {
    pub(super) weight: Literal,
    pub(super) delay: Option<Literal>,
    pub(super) spread: Option<Literal>,
    pub(super) connectivity: Option<Arc<Connectivity>>,
    /// What events at the source do to the target, as written.
    pub(super) on_spike: Option<Entry>,
    pub(super) sources: Vec<(Name, EdgeSource)>,
    pub(super) overrides: Vec<(Name, Literal)>,
}

impl Loader<'_> {
    /// The edge template `key`, whose kind is known to be edge.
    pub(super) fn edge_template(&mut self, key: &Key) -> Arc<EdgeTemplate> {
        if let Some(done) = self.edges.get(key) {
            return done.clone();
        }
        let entry = self.entry(key);
        let fields = self.fields(&entry);
        let owner = format!("edge template `{}`", entry.key);
        only(&fields, TEMPLATE_KEYS, &owner, &mut self.out);
        let parent = match self.base_of(key.file, &fields) {
            Base::Parent(parent) => Some(self.edge_template(&parent)),
            Base::Kind => None,
        };
        let operators = match (get(&fields, "operators"), &parent) {
            (Some(written), _) => self.operator_uses(key.file, &written.value, &owner),
            (None, Some(parent)) => parent.operators.clone(),
            (None, None) => {
                let example = "operators: [NAME_OF_AN_OPERATOR]";
                self.out.push(fault::missing_key(entry.key.span, &owner, "operators", example));
                Vec::new()
            }
        };
        let own_description = description(&fields, &mut self.out);
        let description = own_description.or_else(|| parent.and_then(|p| p.description.clone()));
        let edge = Arc::new(EdgeTemplate { name: entry.key.clone(), description, operators });
        self.edges.insert(key.clone(), edge.clone());
        edge
    }

    /// One item of `edges`: `[source, target, template, {attributes}]` or a mapping. With `on_spike` an edge for each of
    /// its statements.
    pub(super) fn edge(&mut self, home: usize, node: &Node) -> Vec<EdgeUse> {
        match self.edge_with_statements(home, node) {
            Some((edge, Some(on_spike))) => jumps(&edge, &on_spike, &mut self.out),
            Some((edge, None)) => vec![edge],
            None => Vec::new(),
        }
    }

    fn edge_with_statements(&mut self, home: usize, node: &Node) -> Option<(EdgeUse, Option<Entry>)> {
        match &node.value {
            Value::Sequence(items) => self.edge_list(home, items, node.span),
            Value::Mapping(entries) => self.edge_mapping(home, entries, node.span),
            _ => {
                self.out.push(fault::wrong_form(node, "an edge", "`[source, target, template, {weight: 1.0}]`"));
                None
            }
        }
    }

    fn edge_list(&mut self, home: usize, items: &[Node], span: Span) -> Option<(EdgeUse, Option<Entry>)> {
        let is_attributes = |node: &Node| matches!(node.value, Value::Mapping(_));
        let (source, target, template, attributes) = match items {
            [source, target] => (source, target, None, None),
            [source, target, last] if is_attributes(last) => (source, target, None, Some(last)),
            [source, target, template] => (source, target, Some(template), None),
            [source, target, template, attributes] => (source, target, Some(template), Some(attributes)),
            _ => {
                self.out.push(fault::edge_items(span, items.len()));
                return None;
            }
        };
        let source = required_text(source, "the source of an edge", &mut self.out);
        let target = required_text(target, "the target of an edge", &mut self.out);
        let template = self.edge_template_reference(home, template);
        let entries = match attributes {
            Some(node) => mapping(node, "the attributes of an edge", &mut self.out).unwrap_or(&[]),
            None => &[],
        };
        let attributes = self.attributes(home, &entries.iter().collect::<Vec<_>>(), template.as_ref().ok()?.as_deref());
        Some(assemble(source?, target?, template.ok()?, attributes, span))
    }

    fn edge_mapping(&mut self, home: usize, entries: &[Entry], span: Span) -> Option<(EdgeUse, Option<Entry>)> {
        let template = self.edge_template_reference(home, get(entries, "template").map(|e| &e.value));
        let mut end = |key: &str| match get(entries, key) {
            Some(entry) => required_text(&entry.value, key, &mut self.out),
            None => {
                self.out.push(fault::missing_key(span, "this edge", key, &format!("{key}: node/operator/variable")));
                None
            }
        };
        let (source, target) = (end("source"), end("target"));
        let mut attributes: Vec<&Entry> = entries
            .iter()
            .filter(|e| !matches!(&*e.key.text, "source" | "target" | "template" | "variables"))
            .collect();
        if let Some(variables) = get(entries, "variables") {
            attributes.extend(mapping(&variables.value, "`variables`", &mut self.out).unwrap_or(&[]));
        }
        let attributes = self.attributes(home, &attributes, template.as_ref().ok()?.as_deref());
        Some(assemble(source?, target?, template.ok()?, attributes, span))
    }

    /// The template of an edge, if it has one; `Err` after a fault.
    pub(super) fn edge_template_reference(
        &mut self,
        home: usize,
        node: Option<&Node>,
    ) -> Result<Option<Arc<EdgeTemplate>>, ()> {
        let Some(node) = node.filter(|n| n.value != Value::Null) else {
            return Ok(None);
        };
        let reference = required_text(node, "the template of an edge", &mut self.out).ok_or(())?;
        // `operators: []` on an edge template is PyRates' way to write "no template".
        let key = self.locate_kind(home, &reference, Kind::Edge).ok_or(())?;
        Ok(Some(self.edge_template(&key)).filter(|template| !template.operators.is_empty()))
    }

    /// Reads `weight`, `delay`, `spread`, `connectivity`, and what concerns the operators of the edge template.
    pub(super) fn attributes(
        &mut self,
        home: usize,
        entries: &[&Entry],
        template: Option<&EdgeTemplate>,
    ) -> Attributes {
        let mut read = Attributes {
            weight: Literal::Number(Complex { re: 1.0, im: 0.0 }),
            delay: None,
            spread: None,
            connectivity: None,
            on_spike: None,
            sources: Vec::new(),
            overrides: Vec::new(),
        };
        for entry in entries {
            let key = &*entry.key.text;
            match key {
                "weight" | "weights" => {
                    if let Some(weight) = self.numbers_of_connections(home, &entry.value, "`weight`") {
                        read.weight = weight;
                    }
                }
                "delay" | "delays" if entry.value.value != Value::Null => {
                    read.delay = self.numbers_of_connections(home, &entry.value, "`delay`");
                }
                "spread" if entry.value.value != Value::Null => {
                    read.spread = self.numbers_of_connections(home, &entry.value, "`spread`");
                }
                "delay" | "delays" | "spread" => {}
                "connectivity" if entry.value.value != Value::Null => {
                    read.connectivity = self.connectivity(home, &entry.value).map(Arc::new);
                }
                "connectivity" => {}
                "on_spike" => read.on_spike = Some((*entry).clone()),
                _ => match template {
                    None => self.out.push(fault::edge_key_without_template(&entry.key, EDGE_KEYS)),
                    Some(template) => self.operator_attribute(home, entry, template, &mut read),
                },
            }
        }
        read
    }

    /// `EDGE/OP/VAR: source`, `OP/VAR: path/to/variable`, `VAR: 0.5`.
    fn operator_attribute(&mut self, home: usize, entry: &Entry, template: &EdgeTemplate, read: &mut Attributes) {
        let Some(name) = edge_variable(&entry.key, template) else {
            self.out.push(fault::unknown_edge_variable(&entry.key, template));
            return;
        };
        if let Value::Scalar(scalar) = &entry.value.value
            && parse_number(scalar.text.as_str()).is_none()
            && !is_data_file(scalar.text.as_str())
        {
            let Some(path) = required_text(&entry.value, "the source of an edge input", &mut self.out) else {
                return;
            };
            let source = if &*path.text == "source" { EdgeSource::OwnSource } else { EdgeSource::Path(path) };
            if let Some((first, _)) = read.sources.iter().find(|(n, _)| n.text == name.text) {
                self.out.push(fault::duplicate("source of the edge input", &name, first.span));
                return;
            }
            read.sources.push((name, source));
            return;
        }
        let what = format!("`{name}`");
        // In a list of edges from a matrix, a matrix holds one value per edge.
        if let Some(value) = self.numbers(home, &entry.value, &what) {
            read.overrides.push((name, value));
        }
    }

    /// Numbers in place, or the name of a data file that holds them.
    pub(super) fn numbers(&mut self, home: usize, node: &Node, what: &str) -> Option<Literal> {
        if let Value::Scalar(scalar) = &node.value {
            let text = scalar.text.as_str().trim();
            if is_data_file(text) {
                return self.data_matrix(home, &Name::new(text, node.span));
            }
        }
        let read = literal(node, what, &mut self.out)?;
        let complex = match &read {
            Literal::Number(n) => n.im != 0.0,
            Literal::List(list) => list.iter().any(|n| n.im != 0.0),
            Literal::Matrix { .. } | Literal::Drawn(_) | Literal::Profile(_) => false,
        };
        if complex {
            self.out.push(fault::complex_refused(node.span, what));
            return None;
        }
        Some(read)
    }
}

/// Whether a text names a file of numbers.
pub(super) fn is_data_file(text: &str) -> bool {
    text.trim_end().ends_with(".csv") || text.trim_end().ends_with(".npy")
}

fn assemble(
    source: Name,
    target: Name,
    template: Option<Arc<EdgeTemplate>>,
    attributes: Attributes,
    span: Span,
) -> (EdgeUse, Option<Entry>) {
    let Attributes { weight, delay, spread, connectivity, on_spike, sources, overrides } = attributes;
    (EdgeUse { source, target, template, weight, delay, spread, connectivity, sources, overrides, span }, on_spike)
}

/// The `operator/variable` of an edge template that `key` means: with or without the template's and the operator's name.
pub(super) fn edge_variable(key: &Name, template: &EdgeTemplate) -> Option<Name> {
    let parts: Vec<&str> = key.text.split('/').collect();
    let rest = match parts.as_slice() {
        [edge, rest @ ..] if rest.len() == 2 && *edge == &*template.name.text => rest,
        all => all,
    };
    let (operator, variable) = match rest {
        [variable] => (None, *variable),
        [operator, variable] => (Some(*operator), *variable),
        _ => return None,
    };
    let mut found = template
        .operators
        .iter()
        .filter(|o| operator.is_none_or(|name| name == &*o.name.text))
        .filter(|o| o.template.variables.iter().any(|v| *v.name.text == *variable));
    let operator = found.next()?;
    match found.next() {
        None => Some(Name::new(format!("{}/{variable}", operator.name), key.span)),
        Some(_) => None,
    }
}
