//! Nodes become populations: values filled in, roles decided.

use std::collections::HashSet;

use crate::diagnostic::{Diagnostics, model as fault, template as template_fault};
use crate::model::{Operator, Role, Variable};
use crate::syntax::ast::LhsKind;
use crate::template::{Complex, Declared, EventTemplate, Literal, OperatorUse, VariableTemplate};

/// The operators of a node of `units` units; of an edge template, whose units only its edges know, when that is `None`.
pub(super) fn operators(uses: &[OperatorUse], units: Option<usize>, out: &mut Diagnostics) -> Vec<Operator> {
    uses.iter().map(|used| operator(used, units, out)).collect()
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
        Literal::Number(_) | Literal::List(_) => true,
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
pub(crate) fn expand(value: &[Complex], units: usize, length: usize) -> impl Iterator<Item = Complex> {
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
    }
}
