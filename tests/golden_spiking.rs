//! Networks of spiking neurons against the numbers of other tools: `tests/golden/spiking/NAME.yaml` is the model,
//! `NAME_spikes.csv` every spike (step or bin, unit), `NAME.csv` states at some steps, `NAME_final.csv` the state at the end.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use nullcline::compiler::template::library::FileLibrary;
use nullcline::runtime::observe::Recording;
use nullcline::{Interrupt, Model};

fn folder() -> String {
    format!("{}/tests/golden/spiking", env!("CARGO_MANIFEST_DIR"))
}

/// Names and rows of a file.
fn table(file: &str) -> (Vec<String>, Vec<Vec<f64>>) {
    let text = fs::read_to_string(format!("{}/{file}", folder())).unwrap();
    let mut lines = text.lines();
    let names = lines.next().unwrap().split(',').map(str::to_string).collect();
    let rows = lines.map(|line| line.split(',').map(|field| field.parse().unwrap()).collect());
    (names, rows.collect())
}

fn run(name: &str) -> Recording {
    let path = format!("{}/{name}.yaml", folder());
    let model = Model::load(&FileLibrary::new(), &path, None).unwrap_or_else(|e| panic!("{name}:\n{e}"));
    let mut prepared = model.simulation().unwrap_or_else(|e| panic!("{name}:\n{e}"));
    let mut recording = prepared.simulation.recording();
    let done = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
    done.unwrap_or_else(|e| panic!("{name}: {e}"));
    recording
}

/// Every spike is where `place` puts its time.
fn compare_spikes(name: &str, recording: &Recording, event: &str, place: impl Fn(f64) -> i64) {
    let spikes = recording.spikes_of(event).unwrap();
    let mut found: Vec<(i64, u32)> = spikes.times.iter().zip(&spikes.ids).map(|(t, unit)| (place(*t), *unit)).collect();
    found.sort_unstable();
    let expected: Vec<(i64, u32)> =
        table(&format!("{name}_spikes.csv")).1.iter().map(|row| (row[0] as i64, row[1] as u32)).collect();
    let first = found.iter().zip(&expected).position(|(a, b)| a != b);
    assert_eq!(first.map(|at| (found[at], expected[at])), None, "{name}: first spike that differs");
    assert_eq!(found.len(), expected.len(), "{name}: number of spikes");
}

/// Every state of the table to `tolerance`, relative to the largest number of its column.
fn compare_states(name: &str, recording: &Recording, tolerance: f64) {
    let (names, rows) = table(&format!("{name}.csv"));
    for (k, column) in names.iter().enumerate().skip(1) {
        let values = support::column(recording, column);
        let scale = values.iter().fold(1.0f64, |m, v| m.max(v.abs()));
        for row in &rows {
            let (at, expected) = (row[0] as usize, row[k]);
            let apart = (values[at] - expected).abs() / scale;
            assert!(apart <= tolerance, "{name}: {column} in row {at}: {} instead of {expected}", values[at]);
        }
    }
}

/// RectiPy tests before the step; its cases name the change that a shift of the potential by 1e-12 makes, at most 2e-9:
/// a thousand times less than rounding may do to these.
#[test]
fn neurons_that_are_tested_before_the_step_have_the_spikes_and_states_of_rectipy() {
    for (name, dt, tolerance) in
        [("lif_n5", 0.01, 1e-9), ("lif_n50", 0.01, 1e-9), ("qif_n5", 0.001, 1e-9), ("qif_sfa_n50", 0.001, 2e-6)]
    {
        let recording = run(name);
        compare_spikes(name, &recording, "z", |t| (t / dt).round() as i64);
        compare_states(name, &recording, tolerance);
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
        compare_states(name, &recording, 1e-9);
        let (_, end) = table(&format!("{name}_final.csv"));
        for (unit, row) in end.iter().enumerate() {
            for (k, state) in ["v", "y"].into_iter().enumerate() {
                let found = *support::column(&recording, &format!("{state}[{unit}]")).last().unwrap();
                support::near(&format!("{name}: {state}[{unit}] at the end"), found, row[k], 1e-7);
            }
        }
    }
}
