//! Networks of spiking neurons against the numbers of other tools: `tests/golden/spiking/NAME.yaml` is the model,
//! `NAME_spikes.csv` every spike (step or bin, unit), `NAME.csv` states at some steps, `NAME_final.csv` the state at the end.
#![allow(clippy::unwrap_used)]

mod support;

use nullcline::runtime::observe::Recording;
use support::networks::{compare_states, record, table};

fn run(name: &str) -> Recording {
    record(&format!("spiking/{name}"))
}

/// Every spike is where `place` puts its time.
fn compare_spikes(name: &str, recording: &Recording, event: &str, place: impl Fn(f64) -> i64) {
    let spikes = recording.spikes_of(event).unwrap();
    let mut found: Vec<(i64, u32)> = spikes.times.iter().zip(&spikes.ids).map(|(t, unit)| (place(*t), *unit)).collect();
    found.sort_unstable();
    let expected: Vec<(i64, u32)> =
        table(&format!("spiking/{name}_spikes.csv")).1.iter().map(|row| (row[0] as i64, row[1] as u32)).collect();
    let first = found.iter().zip(&expected).position(|(a, b)| a != b);
    assert_eq!(first.map(|at| (found[at], expected[at])), None, "{name}: first spike that differs");
    assert_eq!(found.len(), expected.len(), "{name}: number of spikes");
}

/// RectiPy tests before the step; its cases name the change that a shift of the potential by 1e-12 makes, at most 2e-9:
/// a thousand times less than rounding may do to these.
///
/// `ik_n5` and `ik_n50` name no input: their array `u` is the recovery. It was drawn behind what the cases do hold, from NumPy's
/// `default_rng(seed)` as in the others: |normal| weights, uniform thresholds (excitabilities, weights of the input), then
/// 250 + 60 normal and 1 + 0.5 normal. Mean and deviation are the least-squares fit to the first potentials, to 1e-12; with
/// them all spikes and states come out.
#[test]
fn neurons_that_are_tested_before_the_step_have_the_spikes_and_states_of_rectipy() {
    let cases = [
        ("lif_n5", 0.01, 1e-9),
        ("lif_n50", 0.01, 1e-9),
        ("qif_n5", 0.001, 1e-9),
        ("qif_sfa_n50", 0.001, 2e-6),
        ("ik_n5", 0.05, 1e-9),
        ("ik_n50", 0.1, 1e-9),
    ];
    for (name, dt, tolerance) in cases {
        let recording = run(name);
        compare_spikes(name, &recording, "z", |t| (t / dt).round() as i64);
        compare_states(&format!("spiking/{name}"), &recording, tolerance);
    }
}

/// The tool records spikes in bins of a step, `int(i*dt/dt)`, which rounding sometimes puts one too low; so here. States are
/// compared in steps with a bin of their own. Its inputs are summed in another order; its description allows 1e-6.
#[test]
fn neurons_that_are_tested_after_the_step_have_the_spikes_and_states_of_neurornntools() {
    for name in ["lif_clamped", "eif", "eif_ei"] {
        let recording = run(name);
        let dt = 0.1;
        compare_spikes(name, &recording, "spike", |t| ((t / dt - 1.0).round() * dt / dt) as i64);
        compare_states(&format!("spiking/{name}"), &recording, 1e-9);
        let (_, end) = table(&format!("spiking/{name}_final.csv"));
        for (unit, row) in end.iter().enumerate() {
            for (k, state) in ["v", "y"].into_iter().enumerate() {
                let found = *support::column(&recording, &format!("{state}[{unit}]")).last().unwrap();
                support::near(&format!("{name}: {state}[{unit}] at the end"), found, row[k], 1e-7);
            }
        }
    }
}
