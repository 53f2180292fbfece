//! Recording: the expression behind every recorded column.

use super::Observable;
use crate::ir::expr::{ExprId, Op};
use crate::ir::system::System;
use crate::kernel::ir::{BufferId, BufferRole, Module};
use crate::model::Circuit;
use crate::model::record::Recorded;

/// A recorded column.
#[derive(Clone, PartialEq, Debug)]
pub struct Place {
    /// Its name: `x`, `x[3]`, `z.re`.
    pub name: String,
    /// The name that columns which belong together share.
    pub group: String,
    /// Unit.
    pub unit: Option<String>,
    /// What is recorded.
    pub value: ExprId,
    /// Its element.
    pub element: usize,
}

/// The columns of what is recorded, in order, and the quantities that have to be computed for them: those that are no
/// states.
pub fn places(circuit: &Circuit, system: &System, recorded: &[Recorded]) -> (Vec<Place>, Vec<Observable>) {
    let (mut places, mut observables): (Vec<Place>, Vec<Observable>) = (Vec::new(), Vec::new());
    for Recorded { name, group, unit, variable, index } in recorded {
        let Some(location) = system.location(*variable) else { continue };
        let elements = match index {
            Some(index) => {
                let chosen = circuit.extent(*variable).1;
                let first = location.first + index * chosen;
                first..first + chosen
            }
            None => location.first..location.first + location.count,
        };
        let several = elements.len() > 1;
        for (i, element) in elements.enumerate() {
            let name = if several { format!("{name}[{i}]") } else { name.clone() };
            let parts = match location.im {
                None => vec![("", location.re)],
                Some(im) => vec![(".re", location.re), (".im", im)],
            };
            for (suffix, value) in parts {
                let (name, group, unit) = (format!("{name}{suffix}"), group.clone(), unit.clone());
                places.push(Place { name, group, unit, value, element });
                let is_state = matches!(system.graph.node(value).op, Op::State(_));
                if !is_state && !observables.iter().any(|o| o.value == value) {
                    observables.push(Observable { name: format!("observed_{}", observables.len()), value });
                }
            }
        }
    }
    (places, observables)
}

/// Where a column is found in the buffers: the buffer and the element of it.
pub fn located(
    system: &System,
    module: &Module,
    observables: &[Observable],
    value: ExprId,
    element: usize,
) -> (BufferId, usize) {
    let role = match system.graph.node(value).op {
        Op::State(state) => BufferRole::State(state),
        _ => {
            let index = observables.iter().position(|o| o.value == value);
            BufferRole::Observed(index.expect("every recorded value is a state or observed") as u32)
        }
    };
    let buffer = module.buffer(role).expect("states and observables have buffers");
    let scalar = module.buffers[buffer.index()].len == 1;
    (buffer, if scalar { 0 } else { element })
}
