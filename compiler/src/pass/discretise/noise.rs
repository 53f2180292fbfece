//! White noise in derivatives: what a scheme makes of it, and where it makes no sense.
//!
//! White noise is a standard normal number divided by the root of the step size, so a step of Euler's method adds
//! `g dW` with `dW` of variance `dt`, and a step of Heun's averages `g` over both ends of the step (W. Ruemelin, SIAM J.
//! Numer. Anal. 19, 604-613, 1982). That holds where noise is added or multiplied by something, and nowhere else.

use super::affine::{Affine, NotAffine, affine};
use crate::diagnostic::{Diagnostics, Result, scheme as fault};
use crate::ir::expr::{ExprId, Op};
use crate::ir::system::System;
use crate::scheme::{Method, Noise, Scheme};

/// Refuses noise that the scheme cannot take, and noise that no scheme can.
pub(super) fn check(system: &mut System, scheme: &Scheme) -> Result<()> {
    if system.noises.is_empty() {
        return Ok(());
    }
    let mut faults = Diagnostics::new();
    for state in 0..system.states.len() {
        faults.absorb(check_state(system, scheme, state));
    }
    faults.into_result(())
}

fn check_state(system: &mut System, scheme: &Scheme, state: usize) -> Result<()> {
    let slope = system.states[state].derivative;
    let several_stages = match &scheme.method {
        Method::RungeKutta(method) => method.weights.len() > 1,
        _ => true,
    };
    for id in system.graph.reachable([slope]) {
        if let Op::Past { history, .. } | Op::CouplePast { history, .. } = system.graph.node(id).op
            && several_stages
            && !noises_in(system, system.histories[history.index()].value).is_empty()
        {
            let history = &system.histories[history.index()].name;
            return Err(fault::noise_delayed(scheme, &system.states[state], history).into());
        }
    }
    let noises = noises_in(system, slope);
    if noises.is_empty() {
        return Ok(());
    }
    if scheme.noise == Noise::Refused {
        return Err(fault::noise_refused(scheme, &system.states[state]).into());
    }
    // Takes and couplings pass on a weighted sum of noises, which is a noise again.
    let mut passed: Vec<ExprId> = noises;
    for id in system.graph.reachable([slope]) {
        let node = system.graph.node(id);
        if matches!(node.op, Op::Take(_) | Op::Couple(_) | Op::Convolve(_)) {
            let argument = node.args[0];
            if take_apart(system, state, argument, &passed)?.coefficients.is_empty() {
                continue;
            }
            passed.push(id);
        }
    }
    take_apart(system, state, slope, &passed).map(|_| ())
}

/// The noises of an equation, each with what it is multiplied by.
pub(super) fn gains(system: &mut System, scheme: &Scheme, state: usize) -> Result<Vec<(usize, ExprId)>> {
    let noises: Vec<ExprId> = system.noises.iter().map(|n| n.value).collect();
    let slope = system.states[state].derivative;
    match affine(&mut system.graph, slope, &noises, |_| false) {
        Ok(sum) => {
            let numbered = sum.coefficients.iter();
            Ok(numbered.filter_map(|(v, gain)| Some((noises.iter().position(|n| n == v)?, *gain))).collect())
        }
        Err(NotAffine(_)) => Err(fault::noise_of_others(scheme, &system.states[state]).into()),
    }
}

fn take_apart(system: &mut System, state: usize, of: ExprId, noises: &[ExprId]) -> Result<Affine> {
    affine(&mut system.graph, of, noises, |_| false)
        .map_err(|NotAffine(_)| fault::noise_nonlinear(&system.states[state]).into())
}

/// The noises an expression depends on.
fn noises_in(system: &System, of: ExprId) -> Vec<ExprId> {
    let reachable = system.graph.reachable([of]);
    system.noises.iter().map(|n| n.value).filter(|n| reachable.binary_search(n).is_ok()).collect()
}
