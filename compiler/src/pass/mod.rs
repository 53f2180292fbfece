//! The passes, in the order of [`compile`]: each is a function from one form to the next.

#[cfg(feature = "edit")]
pub mod batch;
pub mod contract;
pub mod discretise;
pub mod elementary;
pub mod events;
pub mod legalise;
pub mod place;
pub mod prune;
pub mod record;
pub mod schedule;
pub mod simplify;

/// The first of them, which decides the shape of the system that lowering builds and so lives beside it.
pub use crate::ir::vectorise;

use std::collections::HashMap;

use crate::diagnostic::Result;
use crate::ir::expr::{EventId, ExprGraph, ExprId, Node};
use crate::ir::system::{State, System};
use crate::kernel::ir::{Body, BufferId, Module, Precision, Stmt};
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
    /// The events to be recorded, each with the expression that is 1 where it happens in this step.
    pub spikes: Vec<(EventId, ExprId)>,
    /// For each history, its value as long as no event happened: what holds before time 0.
    pub pre_history: Vec<ExprId>,
}

impl Step {
    /// What the next step needs of this one: next states and histories.
    pub fn dynamics(&self) -> Vec<ExprId> {
        self.next.iter().copied().chain(self.system.histories.iter().map(|h| h.value)).collect()
    }

    /// Every expression whose value is wanted: next states, histories, what is recorded, pre-histories.
    pub fn roots(&self) -> Vec<ExprId> {
        let recorded = self.observables.iter().map(|o| o.value).chain(self.spikes.iter().map(|s| s.1));
        self.dynamics().into_iter().chain(recorded).chain(self.pre_history.iter().copied()).collect()
    }

    /// Rewrites everything wanted by `rule` (see [`ExprGraph::rewrite`]).
    pub fn rewrite(&mut self, rule: impl FnMut(&mut ExprGraph, &Node) -> Option<ExprId>) {
        let roots = self.roots();
        let image = self.system.graph.rewrite(roots, rule);
        self.rename(&image);
    }

    /// Replaces everything wanted by its image.
    fn rename(&mut self, image: &HashMap<ExprId, ExprId>) {
        self.system.follow(image);
        let wanted = (self.next.iter_mut())
            .chain(self.system.histories.iter_mut().map(|h| &mut h.value))
            .chain(self.observables.iter_mut().map(|o| &mut o.value))
            .chain(self.spikes.iter_mut().map(|s| &mut s.1))
            .chain(&mut self.pre_history);
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
    let step = events::events(step);
    let step = prune::prune(step);
    let step = simplify::simplify(step);
    let step = legalise::legalise(step, target, precision)?;
    Ok(contract::contract(step, target))
}

/// Takes a system to kernels that compute derivatives: the step phase stores the derivative of each state in its place,
/// and does nothing else. Past values are those of the start of the step.
pub fn slopes(system: System, scheme: &'static Scheme, precision: Precision, target: &Target) -> Result<Module> {
    // Derivatives that read events read what is known of them at the start of the step: they are written out as what is
    // observed is.
    let slope = |s: &State| Observable { name: s.name.clone(), value: s.derivative };
    let observables = system.states.iter().map(slope).collect();
    let next = system.states.iter().map(|s| s.derivative).collect();
    let step = Step { system, scheme, next, observables, spikes: Vec::new(), pre_history: Vec::new() };
    let mut step = events::events(step);
    // The hidden states of events change at steps only.
    let still = step.system.graph.constant(0.0);
    let slopes = step.observables.drain(..).map(|o| o.value);
    step.next = slopes.chain(std::iter::repeat(still)).take(step.system.states.len()).collect();
    step.spikes.clear();
    let step = prune::prune(step);
    let step = legalise::legalise(simplify::simplify(step), target, precision)?;
    let mut module = schedule::schedule(contract::contract(step, target), precision);
    // Histories are read, not written.
    let rings: Vec<BufferId> = module.histories.iter().map(|h| h.0).collect();
    for kernel in &mut module.kernels {
        if let Body::Pointwise(body) = &mut kernel.body {
            body.retain(|stmt| !matches!(stmt, Stmt::Store(buffer, _) if rings.contains(buffer)));
        }
    }
    let kernels = &module.kernels;
    let stores = |kernel: &usize| match &kernels[*kernel].body {
        Body::Pointwise(body) => body.iter().any(|s| matches!(s, Stmt::Store(..))),
        _ => true,
    };
    module.step.retain(stores);
    module.remember.clear();
    Ok(module)
}

#[cfg(feature = "edit")]
/// Takes a step that `target` can do to the kernels that step `members` members at once (see [`batch`]).
pub fn compile_batch(
    step: Step,
    members: usize,
    variations: &[batch::Variation],
    precision: Precision,
    target: &Target,
) -> Module {
    schedule::schedule(batch::batch(step, members, variations, target.shares_weights), precision)
}
