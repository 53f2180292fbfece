//! Networks of spiking neurons against the numbers of other tools: `tests/golden/spiking/NAME.yaml` is the model,
//! `NAME_spikes.csv` every spike (step or bin, unit), `NAME.csv` states at some steps, `NAME_final.csv` the state at the end.
#![allow(clippy::unwrap_used)]

mod support;

use support::networks::{TESTED_AFTER, TESTED_BEFORE, compare, record};

/// `ik_n5` and `ik_n50` name no input: their array `u` is the recovery. It was drawn behind what the cases do hold, from NumPy's
/// `default_rng(seed)` as in the others: |normal| weights, uniform thresholds (excitabilities, weights of the input), then
/// 250 + 60 normal and 1 + 0.5 normal. Mean and deviation are the least-squares fit to the first potentials, to 1e-12; with
/// them all spikes and states come out.
#[test]
fn neurons_that_are_tested_before_the_step_have_the_spikes_and_states_of_rectipy() {
    for (name, ..) in TESTED_BEFORE {
        compare(name, &record(name));
    }
}

#[test]
fn neurons_that_are_tested_after_the_step_have_the_spikes_and_states_of_neurornntools() {
    for name in TESTED_AFTER {
        compare(name, &record(name));
    }
}
