//! The inputs of embedded models: variables that nothing in the circuit drives become fields that the program sets.

use std::collections::HashSet;

use crate::diagnostic::Result;
use crate::ir::lower::{Drive, Signal};
use crate::ir::vectorise::{Vectorise, vectorise};
use crate::model::{Circuit, Role, VariableRef};
use crate::source::Name;
use crate::syntax::ast::{ExprKind, UnaryOp};
use crate::syntax::equation::parse_expression;
use crate::syntax::text::MappedText;

/// Endings of files that hold samples.
const FILES: &[&str] = &[".csv", ".tsv", ".txt", ".dat", ".npy"];

/// What drives a circuit from outside.
#[derive(Default)]
pub(super) struct Inputs {
    pub drives: Vec<Drive>,
    /// For each series, the value that its column has before it is set.
    pub defaults: Vec<f64>,
}

impl Inputs {
    /// The inputs of the settings: numbers and expressions of `t` are part of the model, samples become a field. So do the
    /// variables that `fields` names, and inputs that nothing drives.
    pub fn new(circuit: &Circuit, settings: &[(Name, MappedText)], fields: &[Name]) -> Result<Inputs> {
        let mut inputs = Inputs::default();
        let mut driven: HashSet<VariableRef> = circuit.projections.iter().map(|p| p.target).collect();
        for (path, spec) in settings {
            let text = spec.as_str().trim();
            let signal = if FILES.iter().any(|ending| text.ends_with(ending)) {
                None
            } else {
                let expr = parse_expression(spec)?;
                Some(match &expr.kind {
                    ExprKind::Number(number) => Signal::Constant(*number),
                    ExprKind::Unary(UnaryOp::Negate, operand) => match operand.kind {
                        ExprKind::Number(number) => Signal::Constant(-number),
                        _ => Signal::Expression(expr),
                    },
                    _ => Signal::Expression(expr),
                })
            };
            for found in circuit.driven(path)? {
                driven.insert(found.variable);
                let signal = signal.clone().unwrap_or_else(|| inputs.series(0.0));
                inputs.drives.push(Drive { target: found.variable, unit: found.index, signal });
            }
        }
        for path in fields {
            for found in circuit.driven(path)? {
                let value = circuit.variable(found.variable).value.first().map_or(0.0, |v| v.re);
                driven.insert(found.variable);
                let signal = inputs.series(value);
                inputs.drives.push(Drive { target: found.variable, unit: found.index, signal });
            }
        }
        let alone = alone(circuit);
        for (at, variable) in circuit.variables() {
            let operators = &circuit.populations[at.population].operators;
            let fed = (operators.iter().enumerate()).any(|(o, other)| {
                o != at.operator && other.variables.iter().any(|w| w.output && w.name == variable.name)
            });
            let free = variable.role == Role::Input && !variable.complex && !fed && !driven.contains(&at);
            let same = variable.value.iter().all(|v| Some(v) == variable.value.first());
            if free && same && alone.contains(&at.population) {
                let value = variable.value.first().map_or(0.0, |v| v.re);
                let signal = inputs.series(value);
                inputs.drives.push(Drive { target: at, unit: None, signal });
            }
        }
        Ok(inputs)
    }

    fn series(&mut self, value: f64) -> Signal {
        self.defaults.push(value);
        Signal::Series { series: self.defaults.len() - 1, column: 0 }
    }
}

/// Populations that are not merged with others: the inputs of merged nodes stay parameters, one list for all of them.
fn alone(circuit: &Circuit) -> HashSet<usize> {
    let grouping = vectorise(circuit, Vectorise::Auto, &[]);
    grouping.groups.into_iter().filter(|g| g.len() == 1).flatten().collect()
}
