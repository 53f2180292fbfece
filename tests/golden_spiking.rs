//! Networks of spiking neurons against the numbers of other tools: `tests/golden/spiking/NAME.yaml` is the model,
//! `NAME_spikes.csv` every spike (step or bin, unit), `NAME.csv` states at some steps, `NAME_final.csv` the state at the end.
#![allow(clippy::unwrap_used)]

mod support;

use support::networks::{AFTER, BEFORE, Network, compare_states, record, table};

/// Every spike has the step or bin of its table, and every state its number.
fn compare(network: &Network) -> nullcline::runtime::observe::Recording {
    let (name, recording) = (network.file, record(network.file));
    let train = network.spikes.as_ref().unwrap();
    let (found, expected) = (train.found(&recording), train.expected(name));
    let first = found.iter().zip(&expected).position(|(a, b)| a != b);
    assert_eq!(first.map(|at| (found[at], expected[at])), None, "{name}: first spike that differs");
    assert_eq!(found.len(), expected.len(), "{name}: number of spikes");
    for (states, tolerance) in network.states {
        compare_states(states, &recording, *tolerance);
    }
    recording
}

/// RectiPy tests before the step.
///
/// `ik_n5` and `ik_n50` name no input: their array `u` is the recovery. It was drawn behind what the cases do hold, from NumPy's
/// `default_rng(seed)` as in the others: |normal| weights, uniform thresholds (excitabilities, weights of the input), then
/// 250 + 60 normal and 1 + 0.5 normal. Mean and deviation are the least-squares fit to the first potentials, to 1e-12; with
/// them all spikes and states come out.
#[test]
fn neurons_that_are_tested_before_the_step_have_the_spikes_and_states_of_rectipy() {
    BEFORE.iter().for_each(|network| _ = compare(network));
}

/// States are compared in steps with a bin of their own. The tool's inputs are summed in another order; its description allows 1e-6.
#[test]
fn neurons_that_are_tested_after_the_step_have_the_spikes_and_states_of_neurornntools() {
    for network in AFTER {
        let (name, recording) = (network.file, compare(network));
        let (_, end) = table(&format!("{name}_final.csv"));
        for (unit, row) in end.iter().enumerate() {
            for (k, state) in ["v", "y"].into_iter().enumerate() {
                let found = *support::column(&recording, &format!("{state}[{unit}]")).last().unwrap();
                support::near(&format!("{name}: {state}[{unit}] at the end"), found, row[k], 1e-7);
            }
        }
    }
}
