//! What is recorded of a circuit: the variables that settings name, or its outputs.

use super::{Circuit, Found, Role, Variable, VariableRef};
use crate::diagnostic::{Diagnostics, Result, settings as fault};
use crate::source::Name;

/// A variable to record.
#[derive(Clone, PartialEq, Debug)]
pub struct Recorded {
    /// Name of its columns, up to the element.
    pub name: String,
    /// The name given by the user, which columns that belong together share.
    pub group: String,
    /// Unit, if the model states one.
    pub unit: Option<String>,
    /// The variable.
    pub variable: VariableRef,
    /// The unit of its population, or the element of a plain node's vector; all of them if there is none.
    pub index: Option<usize>,
}

impl Circuit {
    /// What `wanted` (name, path) means; without any, every output of the circuit, or, if it has none, every state.
    pub fn recorded(&self, wanted: &[(Name, Name)]) -> Result<Vec<Recorded>> {
        let mut recorded = Vec::new();
        let mut faults = Diagnostics::new();
        for (name, path) in wanted {
            let Some(found) = faults.absorb(self.find(path)) else { continue };
            let many = found.len() > 1;
            for Found { variable, index } in found {
                let node = &self.populations[variable.population].path;
                let full = if many { format!("{name}[{node}]") } else { name.to_string() };
                let unit = self.variable(variable).unit.clone();
                recorded.push(Recorded { name: full, group: name.to_string(), unit, variable, index });
            }
        }
        faults.into_result(())?;
        if wanted.is_empty() {
            recorded = self.outputs();
        }
        if recorded.is_empty() { Err(fault::nothing_recorded().into()) } else { Ok(recorded) }
    }

    /// Every output variable (or, in a circuit without any, every state), named by its shortest unambiguous path.
    fn outputs(&self) -> Vec<Recorded> {
        let mut all = self.variables();
        let is_output = |v: &Variable| v.output && matches!(v.role, Role::State | Role::Output);
        let any = all.iter().any(|(_, v)| is_output(v));
        all.retain(|(_, v)| if any { is_output(v) } else { v.role == Role::State });
        all.iter()
            .map(|(at, variable)| {
                let short = all.iter().filter(|(_, other)| other.name == variable.name).count() == 1;
                let name = if short { variable.name.to_string() } else { self.path(*at) };
                Recorded { name: name.clone(), group: name, unit: variable.unit.clone(), variable: *at, index: None }
            })
            .collect()
    }

    /// Every variable of every node, in order.
    pub fn variables(&self) -> Vec<(VariableRef, &Variable)> {
        let mut all = Vec::new();
        for (p, population) in self.populations.iter().enumerate() {
            for (o, operator) in population.operators.iter().enumerate() {
                for (v, variable) in operator.variables.iter().enumerate() {
                    all.push((VariableRef { population: p, operator: o, variable: v }, variable));
                }
            }
        }
        all
    }

    /// The variable at a position.
    pub fn variable(&self, at: VariableRef) -> &Variable {
        &self.populations[at.population].operators[at.operator].variables[at.variable]
    }

    /// Number of elements of a variable, and how many of them an index of a path chooses: all of a unit, or one of a plain
    /// node's vector.
    pub fn extent(&self, at: VariableRef) -> (usize, usize) {
        let length = self.variable(at).length.unwrap_or(1);
        match self.populations[at.population].size {
            Some(units) => (units * length, length),
            None => (length, 1),
        }
    }
}
