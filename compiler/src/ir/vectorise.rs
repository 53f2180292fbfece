//! Vectorisation: nodes with the same equations become one index set.
//!
//! A handful of single nodes (a cortical column) stays scalar, so that the whole step becomes one kernel without loops;
//! many equal nodes become arrays. What is computed depends on it in rounding at most: a product that arrays share is
//! computed once rather than fused into each of their sums, and weighted sums over arrays are not fused at all.

use std::collections::HashMap;

use crate::model::{Circuit, Operator, Population, Role};

/// When to merge equal nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Vectorise {
    /// When there are at least [`FEWEST`] of them.
    #[default]
    Auto,
    /// Whenever there are two.
    Always,
    /// Never; sized populations are arrays all the same.
    Never,
}

/// The fewest equal nodes worth an array: below, loads and loop overhead outweigh what one kernel for all saves.
pub const FEWEST: usize = 8;

/// The populations of a circuit, sorted into groups with the same equations.
#[derive(Clone, PartialEq, Debug)]
pub struct Grouping {
    /// For each group, its populations in order.
    pub groups: Vec<Vec<usize>>,
}

/// Groups the populations of a circuit. Groups listed in `split` (as indices of a population in them) stay apart: their
/// members depend on each other algebraically, so that they cannot be computed side by side.
pub fn vectorise(circuit: &Circuit, when: Vectorise, split: &[usize]) -> Grouping {
    let fewest = match when {
        Vectorise::Auto => FEWEST,
        Vectorise::Always => 2,
        Vectorise::Never => usize::MAX,
    };
    let mut by_structure: HashMap<Structure<'_>, usize> = HashMap::new();
    let mut candidates: Vec<Vec<usize>> = Vec::new();
    for (index, population) in circuit.populations.iter().enumerate() {
        let fresh = candidates.len();
        let group = match population.size {
            Some(_) => fresh,
            None => *by_structure.entry(structure(population)).or_insert(fresh),
        };
        if group == fresh {
            candidates.push(Vec::new());
        }
        candidates[group].push(index);
    }
    let mut groups = Vec::new();
    for members in candidates {
        if members.len() >= fewest && !members.iter().any(|m| split.contains(m)) {
            groups.push(members);
        } else {
            groups.extend(members.into_iter().map(|m| vec![m]));
        }
    }
    groups.sort_by_key(|g| g[0]);
    Grouping { groups }
}

/// What makes two nodes equal: their operators by name, with the same equations and the same kinds of variables.
type Structure<'a> = Vec<OperatorStructure<'a>>;

/// Name, address of the equations, variables.
type OperatorStructure<'a> = (&'a str, usize, Vec<(&'a str, Role, bool, bool, Option<usize>)>);

fn structure(population: &Population) -> Structure<'_> {
    population.operators.iter().map(operator_structure).collect()
}

fn operator_structure(op: &Operator) -> OperatorStructure<'_> {
    let variables = op.variables.iter().map(|v| (&*v.name, v.role, v.output, v.complex, v.length)).collect();
    // Instances of one template share its equations, so their address identifies them.
    (&op.name, op.equations.as_ptr() as usize, variables)
}
