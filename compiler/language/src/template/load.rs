//! The way in: from a file to the circuit to run.

use std::sync::Arc;

use super::fields::get;
use super::library::Library;
use super::resolve::{Key, Kind, Loader};
use super::simulate::{Simulate, simulate};
use super::{CircuitTemplate, NodeTemplate, OperatorTemplate, OperatorUse};
use crate::diagnostic::{Diagnostics, Result, template as fault};
use crate::source::{Name, SourceMap, Span};

/// Label of the node that is made around a lone node or operator template.
pub(super) const LONE_LABEL: &str = "p";

/// A file ready to be instantiated.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The circuit to run.
    pub circuit: Arc<CircuitTemplate>,
    /// The settings of the file.
    pub simulate: Simulate,
    /// Warnings.
    pub warnings: Diagnostics,
}

/// All that a file defines.
#[derive(Clone, Debug, Default)]
pub struct LoadedFile {
    /// Every template as a circuit (a node or operator by itself stands in one), with its kind; none when one of the file's
    /// templates is at fault. Edge templates are read and checked but make no circuit.
    pub circuits: Vec<(Name, Kind, Arc<CircuitTemplate>)>,
    /// The settings of the file.
    pub simulate: Simulate,
    /// Faults and warnings of all templates, also of those that nothing uses.
    pub diagnostics: Diagnostics,
}

/// Reads the template file `path` and chooses what to run: `template` if given, else what `simulate: template:` names, else
/// the only circuit, else the only node, else the only operator.
pub fn load(sources: &mut SourceMap, library: &dyn Library, path: &str, template: Option<&str>) -> Result<Loaded> {
    let mut loader = Loader::new(sources, library);
    let found = open_and_choose(&mut loader, path, template);
    let out = std::mem::take(&mut loader.out);
    match found {
        Some((circuit, simulate)) if !out.has_errors() => Ok(Loaded { circuit, simulate, warnings: out }),
        _ => Err(out),
    }
}

fn open_and_choose(
    loader: &mut Loader<'_>,
    path: &str,
    template: Option<&str>,
) -> Option<(Arc<CircuitTemplate>, Simulate)> {
    let file = loader.open(path, None, Span::NOWHERE)?;
    let settings = loader.simulate(file);
    let key = match (template, &settings.template) {
        (Some(name), _) => {
            let id = loader.sources.add("<template>", name);
            let name = Name::new(name, Span::new(id, 0, name.len()));
            loader.named(file, &name.text, &name)
        }
        (None, Some(name)) => loader.locate(file, name),
        (None, None) => loader.only_template(file),
    }?;
    Some((loader.as_circuit(&key)?, settings))
}

/// Reads every template of the file `path`. Nothing is chosen, and a fault in one template hides none in another.
pub fn load_all(sources: &mut SourceMap, library: &dyn Library, path: &str) -> LoadedFile {
    let mut loader = Loader::new(sources, library);
    let mut read = LoadedFile::default();
    if let Some(file) = loader.open(path, None, Span::NOWHERE) {
        read.simulate = loader.simulate(file);
        if let Some(name) = &read.simulate.template {
            loader.locate(file, name);
        }
        for key in loader.keys(file) {
            let Some(kind) = loader.kind(&key) else { continue };
            if kind == Kind::Edge {
                loader.edge_template(&key);
                continue;
            }
            if let Some(circuit) = loader.as_circuit(&key) {
                let name = loader.entry(&key).key;
                read.circuits.push((name, kind, circuit));
            }
        }
        // What a faulty template lacks would only cause further complaints about whatever uses it.
        if loader.out.has_errors() {
            read.circuits.clear();
        }
    }
    read.diagnostics = std::mem::take(&mut loader.out);
    read
}

impl Loader<'_> {
    fn keys(&self, file: usize) -> Vec<Key> {
        self.files[file].templates().map(|e| Key { file, name: e.key.text.clone() }).collect()
    }

    fn simulate(&mut self, file: usize) -> Simulate {
        let file = self.files[file].clone();
        match get(&file.entries, "simulate") {
            Some(entry) => simulate(&entry.value, &mut self.out),
            None => Simulate::default(),
        }
    }

    /// The template that a file without a choice stands for.
    fn only_template(&mut self, file: usize) -> Option<Key> {
        let keys = self.keys(file);
        let kinds: Vec<Option<Kind>> = keys.iter().map(|key| self.kind(key)).collect();
        for kind in [Kind::Circuit, Kind::Node, Kind::Operator] {
            let of_kind: Vec<&Key> =
                keys.iter().zip(&kinds).filter(|(_, k)| **k == Some(kind)).map(|(k, _)| k).collect();
            match of_kind.as_slice() {
                [] => {}
                [only] => return Some((*only).clone()),
                several => {
                    let names: Vec<Name> = several.iter().map(|key| self.entry(key).key).collect();
                    let path = self.files[file].path.clone();
                    self.out.push(fault::several_templates(&names, kind, &path));
                    return None;
                }
            }
        }
        if !self.out.has_errors() {
            let opened = self.files[file].clone();
            self.out.push(fault::no_template(Span::new(opened.id, 0, 0), &opened.path));
        }
        None
    }

    /// A template as a circuit of its own.
    fn as_circuit(&mut self, key: &Key) -> Option<Arc<CircuitTemplate>> {
        let node = match self.kind(key)? {
            Kind::Circuit => return self.circuit(key),
            Kind::Node => self.node(key),
            Kind::Operator => Arc::new(lone_node(&self.operator(key).template)),
            Kind::Edge => {
                let name = self.entry(key).key;
                self.out.push(fault::edge_is_not_runnable(&name));
                return None;
            }
        };
        Some(Arc::new(CircuitTemplate {
            name: node.name.clone(),
            description: node.description.clone(),
            nodes: vec![(Name::new(LONE_LABEL, node.name.span), node)],
            circuits: Vec::new(),
            edges: Vec::new(),
            matrices: Vec::new(),
            seed: None,
        }))
    }
}

fn lone_node(operator: &Arc<OperatorTemplate>) -> NodeTemplate {
    let operators =
        vec![OperatorUse { name: operator.name.clone(), template: operator.clone(), overrides: Vec::new() }];
    NodeTemplate { name: operator.name.clone(), description: operator.description.clone(), operators, size: None }
}
