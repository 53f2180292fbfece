//! From a circuit template to the circuit: every node by itself, every edge with both ends found.

use std::collections::HashMap;
use std::sync::Arc;

use super::edge_operators::EdgePrototype;
use super::population::operators;
use super::tree::Tree;
use super::{Circuit, Operator, Population};
use crate::diagnostic::{Diagnostics, Result, model as fault};
use crate::template::{CircuitTemplate, EdgeTemplate, NodeTemplate};

/// Most nodes that a circuit may have.
const MAX_POPULATIONS: usize = 1 << 20;

/// Instantiates a circuit: sub-circuits are flattened depth first, paths resolved, values filled in.
pub fn instantiate(template: &CircuitTemplate) -> Result<Circuit> {
    let mut builder = Builder::default();
    builder.circuit.name = template.name.text.to_string();
    let tree = builder.populations(template, "");
    if !builder.full {
        builder.projections(template, &tree);
    }
    let Builder { circuit, out, .. } = builder;
    out.into_result(circuit)
}

/// What is built so far.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) circuit: Circuit,
    pub(super) out: Diagnostics,
    /// Operators of node templates, by the address of the template, which lives as long as the whole circuit template.
    nodes: HashMap<*const NodeTemplate, Arc<[Operator]>>,
    /// The same for edge templates; `None` after a fault.
    pub(super) edges: HashMap<*const EdgeTemplate, Option<Arc<EdgePrototype>>>,
    full: bool,
}

impl Builder {
    /// Adds the nodes of a circuit and of all circuits in it.
    fn populations(&mut self, template: &CircuitTemplate, prefix: &str) -> Tree {
        let mut tree = Tree::default();
        for (label, node) in &template.nodes {
            if self.circuit.populations.len() >= MAX_POPULATIONS {
                if !self.full {
                    self.out.push(fault::too_many_nodes(label, MAX_POPULATIONS));
                }
                self.full = true;
                return tree;
            }
            let operators = self.nodes.entry(Arc::as_ptr(node)).or_insert_with(|| operators(&node.operators).into());
            tree.add_population(label.text.clone(), self.circuit.populations.len());
            self.circuit.populations.push(Population {
                path: format!("{prefix}{label}").into(),
                size: node.size,
                operators: operators.to_vec(),
                span: label.span,
            });
        }
        for (label, circuit) in &template.circuits {
            let inner = self.populations(circuit, &format!("{prefix}{label}/"));
            tree.add_circuit(label.text.clone(), inner);
            if self.full {
                break;
            }
        }
        tree
    }

    /// Adds the edges of a circuit, then those of the circuits in it.
    fn projections(&mut self, template: &CircuitTemplate, tree: &Tree) {
        for edge in &template.edges {
            self.edge(edge, tree);
        }
        for matrix in &template.matrices {
            self.matrix(matrix, tree);
        }
        for (label, circuit) in &template.circuits {
            if let Some(inner) = tree.circuit(&label.text) {
                self.projections(circuit, inner);
            }
        }
    }
}
