//! Discretisation: replaces derivatives by the expressions of one step of a scheme.

mod affine;
mod coupled;
mod exact;
mod exponential;
mod matrix;
mod milstein;
mod noise;
mod runge_kutta;

pub(super) use runge_kutta::seen_from;

use super::{Observable, Step};
use crate::diagnostic::{Diagnostics, Result};
use crate::ir::expr::{ExprId, Op, StateId};
use crate::ir::system::System;
use crate::scheme::{Method, Scheme};

/// Writes out one step of `scheme` for every state of the system.
///
/// Within a step, extrinsic inputs, random numbers and events keep their value; time is that of the stage; past values are those
/// at the stage's time minus the delay, between two stored steps by linear interpolation. Fails for equations that the
/// scheme cannot take.
pub fn discretise(system: System, observables: Vec<Observable>, scheme: &'static Scheme) -> Result<Step> {
    let (mut system, observables) = coupled::with_present(system, observables);
    noise::check(&mut system, scheme)?;
    let next = match &scheme.method {
        Method::RungeKutta(method) => runge_kutta::runge_kutta(&mut system, method),
        Method::Milstein => milstein::milstein(&mut system, scheme)?,
        Method::ExponentialEuler => exponential::exponential_euler(&mut system, scheme)?,
        Method::Exact => exact::exact(&mut system, scheme)?,
    };
    Ok(Step { system, scheme, next, observables, spikes: Vec::new(), pre_history: Vec::new() })
}

/// The expressions that read the states.
fn variables(system: &mut System) -> Vec<ExprId> {
    let spaces: Vec<_> = system.states.iter().map(|s| s.space).collect();
    let read = |(state, space)| system.graph.add(Op::State(StateId(state as u32)), Vec::new(), space);
    spaces.into_iter().enumerate().map(read).collect()
}

/// The result for every state, or what is wrong with any of them.
fn each_state(system: &mut System, mut next: impl FnMut(&mut System, usize) -> Result<ExprId>) -> Result<Vec<ExprId>> {
    let mut faults = Diagnostics::new();
    let found = (0..system.states.len()).filter_map(|state| faults.absorb(next(system, state))).collect();
    faults.into_result(found)
}
