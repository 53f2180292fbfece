//! Circuits from nodes, sub-circuits and edges.

use std::sync::Arc;

use super::{Link, name};
use crate::diagnostic::{Diagnostics, Result, template as fault};
use crate::source::Name;
use crate::template::circuit::{MINIMUM_WEIGHT, is_label};
use crate::template::{CircuitTemplate, EdgeMatrix, NodeTemplate};

/// Builds a [`CircuitTemplate`].
#[derive(Clone, Debug)]
pub struct CircuitBuilder {
    circuit: CircuitTemplate,
    out: Diagnostics,
}

impl CircuitBuilder {
    /// An empty circuit.
    pub fn new(circuit: &str) -> CircuitBuilder {
        let circuit = CircuitTemplate {
            name: name(circuit),
            description: None,
            nodes: Vec::new(),
            circuits: Vec::new(),
            edges: Vec::new(),
            matrices: Vec::new(),
            seed: None,
        };
        CircuitBuilder { circuit, out: Diagnostics::new() }
    }

    /// Goes on from a circuit: nodes of the same label replace its own.
    pub fn from_template(template: &CircuitTemplate) -> CircuitBuilder {
        CircuitBuilder { circuit: template.clone(), out: Diagnostics::new() }
    }

    /// Says what it is, for people.
    pub fn description(mut self, text: &str) -> CircuitBuilder {
        self.circuit.description = Some(text.to_string());
        self
    }

    /// Sets the seed of drawn values and connections.
    pub fn seed(mut self, seed: u64) -> CircuitBuilder {
        self.circuit.seed = Some(seed);
        self
    }

    /// Adds a node, or replaces the one of that label.
    pub fn node(mut self, label: &str, node: &Arc<NodeTemplate>) -> CircuitBuilder {
        let label = self.label(label);
        if let Some((first, _)) = self.circuit.circuits.iter().find(|(l, _)| l.text == label.text) {
            self.out.push(fault::duplicate("label", &label, first.span));
        }
        match self.circuit.nodes.iter_mut().find(|(l, _)| l.text == label.text) {
            Some(old) => *old = (label, node.clone()),
            None => self.circuit.nodes.push((label, node.clone())),
        }
        self
    }

    /// Adds a circuit inside this one, or replaces the one of that label.
    pub fn circuit(mut self, label: &str, circuit: &Arc<CircuitTemplate>) -> CircuitBuilder {
        let label = self.label(label);
        if let Some((first, _)) = self.circuit.nodes.iter().find(|(l, _)| l.text == label.text) {
            self.out.push(fault::duplicate("label", &label, first.span));
        }
        match self.circuit.circuits.iter_mut().find(|(l, _)| l.text == label.text) {
            Some(old) => *old = (label, circuit.clone()),
            None => self.circuit.circuits.push((label, circuit.clone())),
        }
        self
    }

    /// Adds an edge.
    pub fn edge(mut self, link: Link) -> CircuitBuilder {
        let edge = self.out.absorb(link.build());
        self.circuit.edges.extend(edge);
        self
    }

    /// Adds an edge for each entry of a matrix `[target][source]` between nodes of a list, in order, except where its size
    /// is 1e-6 or less. Source and target are `operator/variable` in each node.
    #[cfg(feature = "ndarray")]
    pub fn edges_from_matrix(
        self,
        source_var: &str,
        target_var: &str,
        nodes: &[&str],
        weights: &ndarray::ArrayView2<'_, f64>,
    ) -> CircuitBuilder {
        self.matrix(Link::new(source_var, target_var).weight(weights), nodes, nodes)
    }

    /// Adds an edge for each pair of source and target nodes; weight, delay, spread and values of the edge may be matrices
    /// `[target][source]`. Source and target of the link are `operator/variable` in each node.
    pub fn matrix(mut self, link: Link, sources: &[&str], targets: &[&str]) -> CircuitBuilder {
        if let Some(edge) = self.out.absorb(link.build()) {
            let names = |labels: &[&str]| -> Vec<Name> { labels.iter().map(|l| name(l)).collect() };
            let (source_nodes, target_nodes) = (names(sources), names(targets));
            self.circuit.matrices.push(EdgeMatrix { source_nodes, target_nodes, edge, minimum: MINIMUM_WEIGHT });
        }
        self
    }

    /// The circuit.
    pub fn build(mut self) -> Result<Arc<CircuitTemplate>> {
        if self.circuit.nodes.is_empty() && self.circuit.circuits.is_empty() {
            self.out.push(fault::empty_circuit(&self.circuit.name));
        }
        self.out.into_result(Arc::new(self.circuit))
    }

    fn label(&mut self, label: &str) -> Name {
        let label = name(label);
        if !is_label(&label.text) {
            self.out.push(fault::bad_label(&label));
        }
        label
    }
}
