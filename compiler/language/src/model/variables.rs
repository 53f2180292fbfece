//! The variables of a circuit.

use super::{Circuit, Variable, VariableRef};

impl Circuit {
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
