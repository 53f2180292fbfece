//! The labels of a circuit as a tree, in which paths are looked up.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Result, model as fault};
use crate::model::{Population, VariableRef};
use crate::source::Name;

/// The selector that stands for every label at its place.
pub(super) const ALL: &str = "all";

/// The labels of one circuit.
#[derive(Debug, Default)]
pub(super) struct Tree {
    index: HashMap<Arc<str>, usize>,
    places: Vec<Place>,
}

/// What a label stands for.
#[derive(Debug)]
enum Place {
    /// A population, by index.
    Population(usize),
    /// A sub-circuit.
    Circuit(Tree),
}

impl Tree {
    pub(super) fn add_population(&mut self, label: Arc<str>, population: usize) {
        self.index.insert(label, self.places.len());
        self.places.push(Place::Population(population));
    }

    pub(super) fn add_circuit(&mut self, label: Arc<str>, tree: Tree) {
        self.index.insert(label, self.places.len());
        self.places.push(Place::Circuit(tree));
    }

    /// The sub-circuit of that label.
    pub(super) fn circuit(&self, label: &str) -> Option<&Tree> {
        match self.index.get(label).map(|i| &self.places[*i]) {
            Some(Place::Circuit(tree)) => Some(tree),
            _ => None,
        }
    }

    /// All populations that a path of labels (and `all`) leads to.
    pub(super) fn populations(&self, labels: &[&str], found: &mut Vec<usize>) {
        let Some((label, rest)) = labels.split_first() else {
            return;
        };
        let mut enter = |place: &Place| match place {
            Place::Population(index) if rest.is_empty() => found.push(*index),
            Place::Population(_) => {}
            Place::Circuit(tree) => tree.populations(rest, found),
        };
        if *label == ALL {
            self.places.iter().for_each(enter);
        } else if let Some(index) = self.index.get(*label) {
            enter(&self.places[*index]);
        }
    }

    /// The populations that the path of a node leads to; at least one.
    pub(super) fn nodes(&self, path: &Name) -> Result<Vec<usize>> {
        let labels: Vec<&str> = path.text.split('/').collect();
        let mut found = Vec::new();
        self.populations(&labels, &mut found);
        if found.is_empty() {
            let fault = self.unknown_label(path, &labels);
            return Err(fault.unwrap_or_else(|| fault::not_a_node(path)).into());
        }
        Ok(found)
    }

    /// The variables that `node/operator/variable` or `node/variable` leads to; at least one.
    pub(super) fn variables(&self, path: &Name, populations: &[Population]) -> Result<Vec<VariableRef>> {
        let parts: Vec<&str> = path.text.split('/').collect();
        let mut found = Vec::new();
        for behind in [2, 1] {
            let Some(count) = parts.len().checked_sub(behind).filter(|n| *n > 0) else {
                continue;
            };
            let mut nodes = Vec::new();
            self.populations(&parts[..count], &mut nodes);
            for node in nodes {
                found.extend(variable_of(node, &populations[node], &parts[count..], path)?);
            }
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Err(self.unknown(path, &parts, populations).into())
    }

    /// What is wrong with a path that leads nowhere.
    fn unknown(&self, path: &Name, parts: &[&str], populations: &[Population]) -> Diagnostic {
        // The longest beginning that leads to nodes tells what the rest was meant to be.
        for count in (1..=parts.len()).rev() {
            let mut nodes = Vec::new();
            self.populations(&parts[..count], &mut nodes);
            let Some(first) = nodes.first() else { continue };
            let population = &populations[*first];
            let operators = || population.operators.iter().map(|o| &*o.name);
            return match &parts[count..] {
                [] => fault::path_ends_at_node(path, population),
                [variable] => fault::unknown_variable_of_node(path, variable, population),
                [operator, variable] => match population.operators.iter().find(|o| *o.name == **operator) {
                    Some(operator) => fault::unknown_variable(path, variable, operator),
                    None => fault::unknown_operator(path, operator, &population.path, operators()),
                },
                _ => fault::path_too_long(path),
            };
        }
        self.unknown_label(path, parts).unwrap_or_else(|| fault::path_ends_at_circuit(path))
    }

    /// The first label of the path that does not exist.
    fn unknown_label(&self, path: &Name, labels: &[&str]) -> Option<Diagnostic> {
        let mut tree = self;
        for (depth, label) in labels.iter().enumerate() {
            match tree.index.get(*label).map(|i| &tree.places[*i]) {
                Some(Place::Circuit(inner)) => tree = inner,
                Some(Place::Population(_)) => return None,
                None if *label == ALL => return None,
                None => {
                    let mut known: Vec<&str> = tree.index.keys().map(|l| &**l).collect();
                    known.sort_unstable();
                    return Some(fault::unknown_label(path, label, &labels[..depth], &known));
                }
            }
        }
        None
    }
}

/// The variable of a population that `operator/variable` or an unambiguous `variable` means.
pub(super) fn variable_of(
    index: usize,
    population: &Population,
    parts: &[&str],
    path: &Name,
) -> Result<Option<VariableRef>> {
    let (wanted, name) = match parts {
        [operator, variable] => (Some(*operator), *variable),
        [variable] => (None, *variable),
        _ => return Ok(None),
    };
    let mut found = None;
    for (o, operator) in population.operators.iter().enumerate() {
        if wanted.is_some_and(|w| w != &*operator.name) {
            continue;
        }
        let Some(v) = operator.variables.iter().position(|v| &*v.name == name) else {
            continue;
        };
        let this = VariableRef { population: index, operator: o, variable: v };
        if let Some(VariableRef { operator: first, .. }) = found {
            let first = &population.operators[first].name;
            return Err(fault::ambiguous_variable(path, name, population, first, &operator.name).into());
        }
        found = Some(this);
    }
    Ok(found)
}
