//! Values are finite numbers: one, one per unit, or one per element of a vector.
//!
//! Forbidden: `eta: [1.0, 2.0]` for a population of three units.

use std::collections::HashSet;
use std::sync::Arc;

use crate::diagnostic::{Diagnostics, model as fault};
use crate::model::population::takes;
use crate::model::{Circuit, ConnectionNumbers, Variable, Weights};

pub(super) fn check(circuit: &Circuit, out: &mut Diagnostics) {
    for population in &circuit.populations {
        for operator in &population.operators {
            for variable in &operator.variables {
                one(variable, population.size.unwrap_or(1), &population.path, out);
            }
        }
    }
    let mut seen = HashSet::new();
    // Most edges share their operators with the one before.
    let mut last = None;
    for projection in &circuit.projections {
        let finite = match &projection.weights {
            Weights::Scalar(weight) => weight.is_finite(),
            Weights::Matrix(matrix) => matrix.iter().all(|w| w.is_finite()),
            // Those by distance are looked at when they are computed.
            Weights::Drawn(_) | Weights::Profile(_) => true,
        };
        if !finite {
            out.push(fault::weight_not_finite(projection.span));
        }
        let Some(edge) = &projection.edge else { continue };
        let units = |p: usize| circuit.populations[p].size.unwrap_or(1);
        let pairs = units(projection.source.population) * units(projection.target.population);
        let own = edge.own.iter().filter(|(_, number)| !number.is_finite());
        for ((o, v), _) in own {
            out.push(fault::variable_not_finite(&edge.operators[*o].variables[*v]));
        }
        for given in &edge.each {
            let ConnectionNumbers::List(list) = &given.numbers else { continue };
            let connections = circuit.footprint(projection).connections;
            if list.len() as u64 != connections {
                let (o, v) = given.variable;
                let variable = &edge.operators[o].variables[v];
                out.push(fault::wrong_connection_count(variable, given.span, connections, list.len()));
            }
        }
        let key = (Arc::as_ptr(&edge.operators), pairs);
        if last.replace(key) == Some(key) || !seen.insert(key) {
            continue;
        }
        for operator in edge.operators.iter() {
            for variable in &operator.variables {
                one(variable, pairs, "the edge", out);
            }
        }
    }
}

fn one(variable: &Variable, units: usize, place: &str, out: &mut Diagnostics) {
    if variable.value.iter().any(|n| !n.re.is_finite() || !n.im.is_finite()) {
        out.push(fault::variable_not_finite(variable));
    }
    let length = variable.length.unwrap_or(1);
    let found = variable.value.len();
    if !takes(found, units, length) {
        out.push(fault::wrong_value_count(variable, place, units, length, found));
    }
}
