//! Operators from Rust values.

use std::sync::Arc;

use super::name;
use crate::diagnostic::{Diagnostics, Result, event as event_fault, template as fault};
use crate::source::{Name, Span};
use crate::syntax::equation::{parse_equation, parse_expression};
use crate::syntax::text::MappedText;
use crate::template::event::is_event_name;
use crate::template::variable::is_identifier;
use crate::template::{Declared, EventTemplate, Literal, OperatorTemplate, Order, Reset, VariableTemplate};

/// Builds an [`OperatorTemplate`].
#[derive(Clone, Debug)]
pub struct OperatorBuilder {
    name: Name,
    description: Option<String>,
    equations: Vec<String>,
    variables: Vec<VariableTemplate>,
    events: Vec<EventText>,
}

/// An event before its expressions are parsed.
#[derive(Clone, Debug)]
struct EventText {
    name: Name,
    when: String,
    resets: Vec<(Name, String)>,
    refractory: Option<String>,
    order: Order,
    hold: Option<Vec<Name>>,
}

impl OperatorBuilder {
    /// An operator without equations.
    pub fn new(operator: &str) -> OperatorBuilder {
        let (name, description) = (name(operator), None);
        OperatorBuilder { name, description, equations: Vec::new(), variables: Vec::new(), events: Vec::new() }
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
            Literal::Drawn(_) | Literal::Profile(_) => (None, None),
        };
        let complex = match &value {
            Literal::Number(n) => n.im != 0.0,
            Literal::List(list) => list.iter().any(|n| n.im != 0.0),
            Literal::Matrix { .. } | Literal::Drawn(_) | Literal::Profile(_) => false,
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

    /// Makes the list of the variable declared last one of values for each unit of a population; else it is a vector that every
    /// unit has.
    pub fn per_unit(mut self) -> OperatorBuilder {
        self.variables.iter_mut().next_back().into_iter().for_each(|v| v.length = None);
        self
    }

    /// Gives the variable declared last a unit, for people.
    pub fn unit(mut self, unit: &str) -> OperatorBuilder {
        self.variables.iter_mut().next_back().into_iter().for_each(|v| v.unit = Some(unit.to_string()));
        self
    }

    /// Declares an event, which happens when the condition holds.
    pub fn event(mut self, event: &str, when: &str) -> OperatorBuilder {
        let (name, when, order) = (name(event), when.to_string(), Order::default());
        self.events.push(EventText { name, when, resets: Vec::new(), refractory: None, order, hold: None });
        self
    }

    /// Lets the event declared last set a state variable.
    pub fn reset(self, variable: &str, value: &str) -> OperatorBuilder {
        self.last_event(|event| event.resets.push((name(variable), value.to_string())))
    }

    /// Keeps the event declared last from happening again for a time, a number or an expression.
    pub fn refractory(self, time: &str) -> OperatorBuilder {
        self.last_event(|event| event.refractory = Some(time.to_string()))
    }

    /// The states that keep their value during the refractory time of the event declared last, instead of those that its
    /// condition names.
    pub fn hold(self, variables: &[&str]) -> OperatorBuilder {
        self.last_event(|event| event.hold = Some(variables.iter().map(|v| name(v)).collect()))
    }

    /// Tests the condition of the event declared last before the step instead of after it.
    pub fn before(self) -> OperatorBuilder {
        self.last_event(|event| event.order = Order::Before)
    }

    fn last_event(mut self, change: impl FnOnce(&mut EventText)) -> OperatorBuilder {
        if let Some(event) = self.events.last_mut() {
            change(event);
        }
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
        let events: Vec<EventTemplate> = self.events.iter().filter_map(|event| self.parsed(event, &mut out)).collect();
        let OperatorBuilder { name, description, variables, .. } = self;
        let (equations, events) = (equations.into(), events.into());
        out.into_result(Arc::new(OperatorTemplate { name, description, equations, variables, events }))
    }

    fn parsed(&self, event: &EventText, out: &mut Diagnostics) -> Option<EventTemplate> {
        let mut expression = |text: &str| match parse_expression(&MappedText::at(text, Span::NOWHERE)) {
            Ok(expr) => Some(expr),
            Err(faults) => {
                let note = format!("in `{text}` of event `{}` of operator `{}`", event.name, self.name);
                out.0.extend(faults.into_iter().map(|fault| fault.with_note(note.clone())));
                None
            }
        };
        let when = expression(&event.when);
        let resets: Vec<Option<Reset>> = (event.resets.iter())
            .map(|(variable, value)| Some(Reset { variable: variable.clone(), value: expression(value)? }))
            .collect();
        let refractory = event.refractory.as_ref().map(|text| expression(text));
        let sound = is_event_name(&event.name, out);
        if let Some(variable) = self.variables.iter().find(|v| v.name.text == event.name.text) {
            out.push(event_fault::event_named_like_variable(&event.name, variable.span));
        }
        let resets = resets.into_iter().collect::<Option<Vec<Reset>>>()?;
        let (name, order, hold) = (event.name.clone(), event.order, event.hold.clone());
        let span = Span::NOWHERE;
        sound.then_some(EventTemplate {
            name,
            when: when?,
            resets,
            refractory: refractory.unwrap_or(None),
            order,
            hold,
            span,
        })
    }
}
