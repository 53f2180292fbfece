//! What people want to know of the buffers of a module: looked up in the circuit it was made from.

use crate::ir::expr::Op;
use crate::ir::system::{Mark, System};
use crate::kernel::ir::{BufferRole, Module};
use crate::model::{Circuit, Role};
use crate::syntax::ast::{Equation, LhsKind};
use crate::syntax::print;

/// What people want to know of a buffer.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Note {
    /// Unit.
    pub unit: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// The equation that says what it is.
    pub equation: Option<String>,
    /// Paths of the nodes that its elements belong to, where these are several.
    pub elements: Vec<String>,
}

/// The values of algebraic equations, and with `derivatives` those of derivatives, which a reader of code wants to find there.
/// Of equal nodes the first has its say.
pub fn marks(circuit: &Circuit, system: &System, derivatives: bool) -> Vec<Mark> {
    let mut variables: Vec<_> = system.locations.iter().filter(|(_, location)| location.im.is_none()).collect();
    variables.sort_by_key(|(at, location)| (location.first, **at));
    let mut marks = Vec::new();
    for ((p, o, v), location) in variables {
        let population = &circuit.populations[*p];
        let operator = &population.operators[*o];
        let variable = &operator.variables[*v];
        let (kind, value) = match (variable.role, system.graph.node(location.re).op) {
            (Role::Output, Op::Call(_)) => (LhsKind::Value, location.re),
            (Role::State, Op::State(id)) if derivatives => (LhsKind::Derivative, system.states[id.index()].derivative),
            _ => continue,
        };
        let defines =
            |e: &&Equation| e.lhs.variable.text == variable.name && e.lhs.kind == kind && e.lhs.subscripts.is_empty();
        if let Some(equation) = operator.equations.iter().find(defines) {
            let name = format!("{}/{}/{}", population.path, operator.name, variable.name);
            marks.push(Mark { value, name, equation: print::equation(equation) });
        }
    }
    marks
}

/// The notes of the buffers of a module.
pub fn notes(circuit: &Circuit, system: &System, module: &Module) -> Vec<Note> {
    let mut notes = vec![Note::default(); module.buffers.len()];
    let mut variables: Vec<_> = system.locations.iter().collect();
    // Several variables may share a buffer: the first one describes it.
    variables.sort_by_key(|(at, location)| (location.first, **at));
    for ((p, o, v), location) in variables {
        let role = match system.graph.node(location.re).op {
            Op::State(id) => BufferRole::State(id),
            Op::Parameter(id) => BufferRole::Parameter(id),
            Op::Input(id) => BufferRole::Input(id),
            _ => continue,
        };
        let Some(buffer) = module.buffer(role) else { continue };
        let population = &circuit.populations[*p];
        let operator = &population.operators[*o];
        let variable = &operator.variables[*v];
        let note = &mut notes[buffer.index()];
        if note.elements.last() != Some(&population.path.to_string()) {
            note.elements.push(population.path.to_string());
        }
        if note.elements.len() > 1 {
            continue;
        }
        note.unit = variable.unit.clone();
        note.description = variable.description.clone();
        let equation = operator.equations.iter().find(|e| {
            e.lhs.variable.text == variable.name && e.lhs.kind == LhsKind::Derivative && e.lhs.subscripts.is_empty()
        });
        note.equation = equation.map(print::equation);
    }
    for note in &mut notes {
        if note.elements.len() < 2 {
            note.elements.clear();
        }
    }
    notes
}
