//! From a circuit template to the circuit: every node by itself, every edge with both ends found.

use std::collections::HashMap;
use std::sync::Arc;

use super::edge_operators::EdgePrototype;
use super::population::{Operators, operators};
use super::tree::Tree;
use super::{Circuit, Population};
use crate::diagnostic::{Diagnostics, Result, model as fault};
use crate::template::{CircuitTemplate, EdgeTemplate, NodeTemplate};

/// Most nodes that a circuit may have.
const MAX_POPULATIONS: usize = 1 << 20;

/// Instantiates a circuit: sub-circuits are flattened depth first, paths resolved, values filled in and drawn.
pub fn instantiate(template: &CircuitTemplate) -> Result<Circuit> {
    if node_count(template, &mut HashMap::new()) > MAX_POPULATIONS {
        return Err(fault::too_many_nodes(&template.name, MAX_POPULATIONS).into());
    }
    let mut builder = Builder::default();
    builder.circuit.name = template.name.text.to_string();
    builder.circuit.seed = template.seed.unwrap_or(0);
    let own = builder.circuit.seed;
    let tree = builder.populations(template, "", own);
    builder.projections(template, &tree, own);
    let Builder { circuit, out, .. } = builder;
    out.into_result(circuit)
}

/// What is built so far.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) circuit: Circuit,
    pub(super) out: Diagnostics,
    /// Operators of node templates, by the address of the template, which lives as long as the whole circuit template.
    nodes: HashMap<*const NodeTemplate, Arc<Operators>>,
    /// The same for edge templates; `None` after a fault.
    pub(super) edges: HashMap<*const EdgeTemplate, Option<Arc<EdgePrototype>>>,
    /// How many edges with random numbers there are between two ends.
    pub(super) streams: HashMap<String, u32>,
}

/// How many nodes the circuit has, with those of the circuits in it. Each template is counted once.
fn node_count(template: &CircuitTemplate, known: &mut HashMap<*const CircuitTemplate, usize>) -> usize {
    // A circuit without nodes of its own still takes a visit.
    let mut count = template.nodes.len().max(1);
    for (_, circuit) in &template.circuits {
        let inner = match known.get(&Arc::as_ptr(circuit)) {
            Some(inner) => *inner,
            None => {
                let inner = node_count(circuit, known);
                known.insert(Arc::as_ptr(circuit), inner);
                inner
            }
        };
        count = count.saturating_add(inner);
    }
    count
}

impl Builder {
    /// Adds the nodes of a circuit and of all circuits in it.
    fn populations(&mut self, template: &CircuitTemplate, prefix: &str, seed: u64) -> Tree {
        let mut tree = Tree::default();
        for (label, node) in &template.nodes {
            let operators = self
                .nodes
                .entry(Arc::as_ptr(node))
                .or_insert_with(|| Arc::new(operators(&node.operators, Some(node.size.unwrap_or(1)), &mut self.out)));
            tree.add_population(label.text.clone(), self.circuit.populations.len());
            let path = format!("{prefix}{label}");
            self.circuit.populations.push(Population {
                operators: operators.drawn_at(&path, node.size.unwrap_or(1), seed),
                path: path.into(),
                size: node.size,
                span: label.span,
            });
        }
        for (label, circuit) in &template.circuits {
            let inner = self.populations(circuit, &format!("{prefix}{label}/"), circuit.seed.unwrap_or(seed));
            tree.add_circuit(label.text.clone(), inner);
        }
        tree
    }

    /// Adds the edges of a circuit, then those of the circuits in it.
    fn projections(&mut self, template: &CircuitTemplate, tree: &Tree, seed: u64) {
        for edge in &template.edges {
            self.edge(edge, tree, seed);
        }
        for matrix in &template.matrices {
            self.matrix(matrix, tree, seed);
        }
        for (label, circuit) in &template.circuits {
            if let Some(inner) = tree.circuit(&label.text) {
                self.projections(circuit, inner, circuit.seed.unwrap_or(seed));
            }
        }
    }
}
