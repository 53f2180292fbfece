//! Operators from Rust values.

use std::sync::Arc;

use super::name;
use crate::diagnostic::{Diagnostics, Result, template as fault};
use crate::source::{Name, Span};
use crate::syntax::equation::parse_equation;
use crate::syntax::text::MappedText;
use crate::template::variable::is_identifier;
use crate::template::{Declared, Literal, OperatorTemplate, VariableTemplate};

/// Builds an [`OperatorTemplate`].
#[derive(Clone, Debug)]
pub struct OperatorBuilder {
    name: Name,
    description: Option<String>,
    equations: Vec<String>,
    variables: Vec<VariableTemplate>,
}

impl OperatorBuilder {
    /// An operator without equations.
    pub fn new(operator: &str) -> OperatorBuilder {
        OperatorBuilder { name: name(operator), description: None, equations: Vec::new(), variables: Vec::new() }
    }

    /// Says what it is, for people.
    pub fn description(mut self, text: &str) -> OperatorBuilder {
        self.description = Some(text.to_string());
        self
    }

    /// Adds an equation.
    pub fn equation(mut self, text: &str) -> OperatorBuilder {
        self.equations.push(text.to_string());
        self
    }

    /// Declares a variable that an equation defines, with its initial value: a list for a vector.
    pub fn state(self, variable: &str, value: impl Into<Literal>) -> OperatorBuilder {
        self.declare(variable, Declared::Variable, value)
    }

    /// Declares a variable with an algebraic equation.
    pub fn algebraic(self, variable: &str) -> OperatorBuilder {
        self.declare(variable, Declared::Variable, 0.0)
    }

    /// Declares the variable that feeds inputs of the same name, with its initial value.
    pub fn output(self, variable: &str, value: impl Into<Literal>) -> OperatorBuilder {
        self.declare(variable, Declared::Output, value)
    }

    /// Declares an input with its value while nothing drives it.
    pub fn input(self, variable: &str, value: impl Into<Literal>) -> OperatorBuilder {
        self.declare(variable, Declared::Input, value)
    }

    /// Declares a parameter.
    pub fn parameter(self, variable: &str, value: impl Into<Literal>) -> OperatorBuilder {
        self.declare(variable, Declared::Constant, value)
    }

    fn declare(mut self, variable: &str, declared: Declared, value: impl Into<Literal>) -> OperatorBuilder {
        let value = value.into();
        let (length, columns) = match &value {
            Literal::Number(_) => (None, None),
            Literal::List(list) => (Some(list.len()), None),
            Literal::Matrix { rows, columns, .. } => (Some(rows * columns), Some(*columns)),
            Literal::Drawn(_) => (None, None),
        };
        let complex = match &value {
            Literal::Number(n) => n.im != 0.0,
            Literal::List(list) => list.iter().any(|n| n.im != 0.0),
            Literal::Matrix { .. } | Literal::Drawn(_) => false,
        };
        let (name, unit, description, span) = (name(variable), None, None, Span::NOWHERE);
        self.variables.push(VariableTemplate {
            name,
            declared,
            complex,
            length,
            columns,
            value,
            unit,
            description,
            span,
        });
        self
    }

    /// Makes the variable declared last complex, whatever its value.
    pub fn complex(mut self) -> OperatorBuilder {
        self.variables.iter_mut().next_back().into_iter().for_each(|v| v.complex = true);
        self
    }

    /// Makes the variable declared last a vector of this length, every element with its value.
    pub fn length(mut self, length: usize) -> OperatorBuilder {
        self.variables.iter_mut().next_back().into_iter().for_each(|v| v.length = Some(length));
        self
    }

    /// Gives the variable declared last a unit, for people.
    pub fn unit(mut self, unit: &str) -> OperatorBuilder {
        self.variables.iter_mut().next_back().into_iter().for_each(|v| v.unit = Some(unit.to_string()));
        self
    }

    /// Parses the equations.
    pub fn build(self) -> Result<Arc<OperatorTemplate>> {
        let mut out = Diagnostics::new();
        let mut equations = Vec::new();
        for text in &self.equations {
            match parse_equation(&MappedText::at(text.as_str(), Span::NOWHERE)) {
                Ok(equation) => equations.push(equation),
                Err(faults) => {
                    let note = format!("in the equation `{text}` of operator `{}`", self.name);
                    out.0.extend(faults.into_iter().map(|fault| fault.with_note(note.clone())));
                }
            }
        }
        for (i, variable) in self.variables.iter().enumerate() {
            if !is_identifier(&variable.name.text) {
                out.push(fault::not_an_identifier(&variable.name));
            } else if matches!(&*variable.name.text, "pi" | "t") {
                out.push(fault::reserved_name(&variable.name));
            }
            if let Some(first) = self.variables[..i].iter().find(|v| v.name.text == variable.name.text) {
                out.push(fault::duplicate("variable", &variable.name, first.span));
            }
            if variable.columns.is_some() && variable.declared != Declared::Constant {
                out.push(fault::matrix_variable(variable.span, &format!("`{}`", variable.name)));
            }
            if variable.length == Some(0) {
                out.push(fault::wrong_length(variable.span, &format!("`{}`", variable.name), "0"));
            }
        }
        let outputs: Vec<&Name> =
            self.variables.iter().filter(|v| v.declared == Declared::Output).map(|v| &v.name).collect();
        if let [first, second, ..] = outputs[..] {
            out.push(fault::several_outputs(first, second));
        }
        let OperatorBuilder { name, description, variables, .. } = self;
        out.into_result(Arc::new(OperatorTemplate { name, description, equations: equations.into(), variables }))
    }
}
