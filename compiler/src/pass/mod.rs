//! The passes, in the order of [`compile`]: each is a function from one form to the next.

pub mod batch;
pub mod contract;
pub mod discretise;
pub mod elementary;
pub mod legalise;
pub mod place;
pub mod prune;
pub mod schedule;
pub mod simplify;

/// The first of them, which decides the shape of the system that lowering builds and so lives beside it.
pub use crate::ir::vectorise;

use std::collections::HashMap;

use crate::diagnostic::Result;
use crate::ir::expr::{ExprGraph, ExprId, Node};
use crate::ir::system::System;
use crate::kernel::ir::{Module, Precision};
use crate::kernel::target::Target;
use crate::scheme::Scheme;

/// A quantity to record.
#[derive(Clone, PartialEq, Debug)]
pub struct Observable {
    /// Name for buffers and text forms.
    pub name: String,
    /// Its value at the start of a step.
    pub value: ExprId,
}

/// A system together with what one step does to it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The system; its graph also holds the expressions of the step.
    pub system: System,
    /// The scheme.
    pub scheme: &'static Scheme,
    /// For each state, its value after the step.
    pub next: Vec<ExprId>,
    /// What is recorded.
    pub observables: Vec<Observable>,
}

impl Step {
    /// What the next step needs of this one: next states and histories.
    pub fn dynamics(&self) -> Vec<ExprId> {
        self.next.iter().copied().chain(self.system.histories.iter().map(|h| h.value)).collect()
    }

    /// Every expression whose value is wanted: next states, histories, observables.
    pub fn roots(&self) -> Vec<ExprId> {
        self.dynamics().into_iter().chain(self.observables.iter().map(|o| o.value)).collect()
    }

    /// Rewrites everything wanted by `rule` (see [`ExprGraph::rewrite`]).
    pub fn rewrite(&mut self, rule: impl FnMut(&mut ExprGraph, &Node) -> Option<ExprId>) {
        let roots = self.roots();
        let image = self.system.graph.rewrite(roots, rule);
        self.rename(&image);
    }

    /// Replaces everything wanted by its image.
    fn rename(&mut self, image: &HashMap<ExprId, ExprId>) {
        let wanted = (self.next.iter_mut())
            .chain(self.system.histories.iter_mut().map(|h| &mut h.value))
            .chain(self.observables.iter_mut().map(|o| &mut o.value));
        for id in wanted {
            *id = image[id];
        }
    }
}

/// Takes a system to the kernels of one target.
pub fn compile(
    system: System,
    observables: Vec<Observable>,
    scheme: &'static Scheme,
    precision: Precision,
    target: &Target,
) -> Result<Module> {
    let step = arithmetic(system, observables, scheme, precision, target)?;
    Ok(schedule::schedule(step, precision))
}

/// The passes that decide which operations one step has; those after them only arrange these.
pub fn arithmetic(
    system: System,
    observables: Vec<Observable>,
    scheme: &'static Scheme,
    precision: Precision,
    target: &Target,
) -> Result<Step> {
    let step = discretise::discretise(system, observables, scheme)?;
    let step = prune::prune(step);
    let step = simplify::simplify(step);
    let step = legalise::legalise(step, target, precision)?;
    Ok(contract::contract(step, target))
}

/// Takes a system to the kernels that step `members` members at once (see [`batch`]).
pub fn compile_batch(step: Step, members: usize, variations: &[batch::Variation], precision: Precision) -> Module {
    schedule::schedule(batch::batch(step, members, variations), precision)
}
