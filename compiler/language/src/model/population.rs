//! Nodes become populations: values filled in, roles decided.

use std::collections::HashSet;

use super::draw::draw;
use crate::diagnostic::{Diagnostics, model as fault, template as template_fault};
use crate::model::{Operator, Role, Stream, Variable};
use crate::source::Span;
use crate::syntax::ast::LhsKind;
use crate::template::distribution::Distribution;
use crate::template::{Complex, Declared, EventTemplate, Literal, OperatorUse, VariableTemplate};

/// The operators of a node template, and which of their values each node draws for itself.
pub(super) struct Operators {
    pub operators: Vec<Operator>,
    pub drawn: Vec<Drawn>,
}

/// A value that is drawn.
pub(super) struct Drawn {
    pub operator: usize,
    pub variable: usize,
    pub law: Distribution,
    pub span: Span,
}

impl Operators {
    /// The operators of the node of `units` units at a path.
    pub fn drawn_at(&self, path: &str, units: usize, seed: u64) -> Vec<Operator> {
        let mut operators = self.operators.clone();
        for Drawn { operator, variable, law, .. } in &self.drawn {
            let operator = &mut operators[*operator];
            let variable = &mut operator.variables[*variable];
            let stream = Stream::new(seed, &format!("{path}/{}/{}", operator.name, variable.name));
            variable.value = drawn(law, stream, units * variable.length.unwrap_or(1));
        }
        operators
    }
}

/// Numbers of a distribution as values.
pub(super) fn drawn(law: &Distribution, stream: Stream, count: usize) -> Vec<Complex> {
    draw(law, stream, count).into_iter().map(Complex::from).collect()
}

/// The operators of a node of `units` units; of an edge template, whose units only its edges know, when that is `None`.
pub(super) fn operators(uses: &[OperatorUse], units: Option<usize>, out: &mut Diagnostics) -> Operators {
    let mut drawn = Vec::new();
    let operators = uses.iter().enumerate().map(|(o, used)| {
        let operator = operator(used, units, out);
        // Events come after the declared variables.
        for (v, template) in used.template.variables.iter().enumerate() {
            // The last value that was given counts.
            let given = used.overrides.iter().rfind(|given| given.variable.text == template.name.text);
            let (value, span) = given.map_or((&template.value, template.span), |given| (&given.value, given.span));
            if let Literal::Drawn(law) = value {
                drawn.push(Drawn { operator: o, variable: v, law: *law, span });
            }
        }
        operator
    });
    let operators = operators.collect();
    Operators { operators, drawn }
}

fn operator(used: &OperatorUse, units: Option<usize>, out: &mut Diagnostics) -> Operator {
    let template = &used.template;
    // Shared, so that equal nodes are recognised by it.
    let equations = template.equations.clone();
    let of_kind = |kind: LhsKind| -> HashSet<&str> {
        equations.iter().filter(|e| e.lhs.kind == kind).map(|e| &*e.lhs.variable.text).collect()
    };
    let (differential, algebraic) = (of_kind(LhsKind::Derivative), of_kind(LhsKind::Value));
    let mut variables: Vec<Variable> = template
        .variables
        .iter()
        .map(|v| {
            let name = &*v.name.text;
            variable(v, differential.contains(name), algebraic.contains(name))
        })
        .collect();
    variables.extend(template.events.iter().map(event));
    for variable in &mut variables {
        // A declared list has one value per element, also where there happen to be as many units.
        if let (Some(units), Some(length)) = (units, variable.length)
            && units == length
            && variable.value.len() == length
        {
            variable.value = variable.value.repeat(units);
        }
    }
    for given in &used.overrides {
        if let Some(variable) = variables.iter_mut().find(|v| v.name == given.variable.text) {
            if !shape_fits(variable, &given.value) {
                out.push(template_fault::matrix_variable(given.span, &format!("`{}`", given.variable)));
                continue;
            }
            set(variable, &given.value);
            let length = variable.length.unwrap_or(1);
            if let Some(units) = units
                && !takes(variable.value.len(), units, length)
            {
                out.push(fault::wrong_override_count(given, units, length, variable.value.len()));
            }
        }
    }
    let events = template.events.clone();
    Operator { name: used.name.text.clone(), variables, equations, events, span: template.name.span }
}

/// The variable that an event is for equations and edges.
fn event(template: &EventTemplate) -> Variable {
    Variable {
        name: template.name.text.clone(),
        role: Role::Event,
        output: false,
        complex: false,
        length: None,
        columns: None,
        value: vec![Complex::default()],
        unit: None,
        description: None,
        span: template.span,
    }
}

fn variable(template: &VariableTemplate, differential: bool, algebraic: bool) -> Variable {
    // An input or constant keeps its role when an equation assigns to it; that is a fault which a check reports.
    let role = match template.declared {
        Declared::Input => Role::Input,
        Declared::Constant => Role::Parameter,
        Declared::Output | Declared::Variable if differential => Role::State,
        Declared::Output | Declared::Variable if algebraic => Role::Output,
        Declared::Output | Declared::Variable => Role::Parameter,
    };
    Variable {
        name: template.name.text.clone(),
        role,
        output: template.declared == Declared::Output,
        complex: template.complex,
        length: template.length,
        columns: template.columns,
        value: values(&template.value),
        unit: template.unit.clone(),
        description: template.description.clone(),
        span: template.span,
    }
}

/// Whether a value is no matrix, or one of the variable's shape.
pub(super) fn shape_fits(variable: &Variable, value: &Literal) -> bool {
    match value {
        Literal::Matrix { rows, columns, .. } => {
            variable.columns == Some(*columns) && variable.length == Some(rows * columns)
        }
        Literal::Number(_) | Literal::List(_) | Literal::Drawn(_) => true,
        Literal::Profile(_) => false,
    }
}

/// Gives a variable a value.
pub(super) fn set(variable: &mut Variable, value: &Literal) {
    variable.value = values(value);
    variable.complex |= variable.value.iter().any(|n| n.im != 0.0);
}

/// Whether a variable of `length` elements in each of `units` units takes so many values: one, one per unit, one per element,
/// or one per element of each unit.
pub(super) fn takes(values: usize, units: usize, length: usize) -> bool {
    values == 1 || values == units || values == length || values == units.saturating_mul(length)
}

/// One value per element of each unit, unit by unit, from as many as [`takes`] allows.
pub fn expand(value: &[Complex], units: usize, length: usize) -> impl Iterator<Item = Complex> {
    (0..units * length).map(move |e| match value.len() {
        1 => value[0],
        n if n == units * length => value[e],
        n if n == units => value[e / length],
        n if n == length => value[e % length],
        // A check refuses other numbers of values.
        _ => Complex::default(),
    })
}

/// The numbers of a literal, row by row.
pub(super) fn values(value: &Literal) -> Vec<Complex> {
    match value {
        Literal::Number(n) => vec![*n],
        Literal::List(list) => list.clone(),
        Literal::Matrix { data, .. } => data.iter().map(|re| Complex { re: *re, im: 0.0 }).collect(),
        // Until it is drawn, where the place of the variable is known.
        Literal::Drawn(_) => vec![Complex::default()],
        // Only connections have a distance; nothing takes no numbers.
        Literal::Profile(_) => Vec::new(),
    }
}
