//! Networks in files under `tests/golden` beside the numbers that other tools computed for them: `NAME.yaml` is the model,
//! `NAME.csv` its states at some steps, `NAME_spikes.csv` every spike (step or bin, unit), `NAME_final.csv` the state at the
//! end.

use std::fs;

use nullcline::Model;
use nullcline::compiler::template::library::{FileLibrary, MemoryLibrary};
use nullcline::runtime::io::{Series, read_series};
use nullcline::runtime::observe::Recording;

/// Networks of rate neurons, by RectiPy.
pub const RATES: [&str; 8] = [
    "rectipy/activations",
    "rectipy/feedback",
    "rectipy/layers",
    "rectipy/li_sigmoid",
    "rectipy/li_sigmoid_n50",
    "rectipy/li_tanh",
    "rectipy/li_tanh_n50",
    "rectipy/sampling",
];

/// Networks of spiking neurons that are tested before the step, by RectiPy: name, step size, tolerance of states.
///
/// The cases name the change that a shift of the potential by 1e-12 makes, at most 2e-9: a thousand times less than rounding
/// may do to these.
pub const TESTED_BEFORE: [(&str, f64, f64); 6] = [
    ("spiking/lif_n5", 0.01, 1e-9),
    ("spiking/lif_n50", 0.01, 1e-9),
    ("spiking/qif_n5", 0.001, 1e-9),
    ("spiking/qif_sfa_n50", 0.001, 2e-6),
    ("spiking/ik_n5", 0.05, 1e-9),
    ("spiking/ik_n50", 0.1, 1e-9),
];

/// Networks of spiking neurons that are tested after the step, by NeuroRNNTools, in steps of [`BIN`].
pub const TESTED_AFTER: [&str; 3] = ["spiking/lif_clamped", "spiking/eif", "spiking/eif_ei"];
const BIN: f64 = 0.1;

fn place(file: &str) -> String {
    format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// Names and rows of a file.
pub fn table(file: &str) -> (Vec<String>, Vec<Vec<f64>>) {
    let text = fs::read_to_string(place(file)).unwrap();
    let mut lines = text.lines();
    let names = lines.next().unwrap().split(',').map(str::to_string).collect();
    let rows = lines.map(|line| line.split(',').map(|field| field.parse().unwrap()).collect());
    (names, rows.collect())
}

/// A network with its settings.
pub fn model(name: &str) -> Model {
    match name {
        "rectipy/li_tanh" | "rectipy/li_sigmoid" => five_leaky_integrators(name),
        _ => super::load(&FileLibrary::new(), &place(&format!("{name}.yaml")), None),
    }
}

/// Runs a network and records what it says.
pub fn record(name: &str) -> Recording {
    super::run(&model(name))
}

/// Compares a recording of a network with its numbers.
pub fn compare(name: &str, recording: &Recording) {
    match name {
        "rectipy/activations" => compare_activations(recording),
        "rectipy/sampling" => compare_means(recording),
        "rectipy/li_tanh" | "rectipy/li_sigmoid" => compare_leaky_integrators(name, recording),
        "rectipy/feedback" => {
            compare_states(name, recording, 1e-10);
            compare_states("rectipy/feedback_final", recording, 1e-10);
        }
        // The cases allow 1e-10 for sums in another order.
        _ if name.starts_with("rectipy/") => compare_states(name, recording, 1e-10),
        _ => match TESTED_BEFORE.iter().find(|case| case.0 == name) {
            Some((_, dt, tolerance)) => {
                compare_spikes(name, recording, "z", |t| (t / dt).round() as i64);
                compare_states(name, recording, *tolerance);
            }
            None => compare_bins(name, recording),
        },
    }
}

/// Every state of `NAME.csv` to `tolerance`, relative to the largest number of its column, and at least 1.
pub fn compare_states(name: &str, recording: &Recording, tolerance: f64) {
    let (names, rows) = table(&format!("{name}.csv"));
    for (k, column) in names.iter().enumerate().skip(1) {
        let values = super::column(recording, column);
        let scale = values.iter().fold(1.0f64, |m, v| m.max(v.abs()));
        for row in &rows {
            let (at, expected) = (row[0] as usize, row[k]);
            let apart = (values[at] - expected).abs() / scale;
            assert!(apart <= tolerance, "{name}: {column} in row {at}: {} instead of {expected}", values[at]);
        }
    }
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

/// The tool records spikes in bins of a step, `int(i*dt/dt)`, which rounding sometimes puts one too low; so here. States are
/// compared in steps with a bin of their own. Its inputs are summed in another order; its description allows 1e-6.
fn compare_bins(name: &str, recording: &Recording) {
    compare_spikes(name, recording, "spike", |t| ((t / BIN - 1.0).round() * BIN / BIN) as i64);
    compare_states(name, recording, 1e-9);
    let (_, end) = table(&format!("{name}_final.csv"));
    for (unit, row) in end.iter().enumerate() {
        for (k, state) in ["v", "y"].into_iter().enumerate() {
            let found = *super::column(recording, &format!("{state}[{unit}]")).last().unwrap();
            super::near(&format!("{name}: {state}[{unit}] at the end"), found, row[k], 1e-7);
        }
    }
}

/// The case allows 1e-12 relative; two of the nine vectors hold numbers of which `exp` overflows.
fn compare_activations(recording: &Recording) {
    let (names, rows) = table("rectipy/activations.csv");
    assert_eq!((names.len(), rows.len()), (1 + 6 * 7, 9));
    for (k, name) in names.iter().enumerate().skip(1) {
        for (found, row) in super::column(recording, name).iter().zip(&rows) {
            super::near(name, *found, row[k], 1e-12 * row[k].abs());
        }
    }
}

/// RectiPy's `run` averages over rows; what it averages are the rows here. Its `sampling_steps` are none of ours: a row here is
/// a state, and means are taken of recordings.
fn compare_means(recording: &Recording) {
    for (every, cutoff) in [(1, 0), (10, 0), (10, 25), (7, 3), (200, 0)] {
        let (names, rows) = table(&format!("rectipy/sampling_s{every}_c{cutoff}.csv"));
        assert_eq!(rows.len(), (cutoff..103).filter(|t| t % every == 0).count());
        for (k, name) in names.iter().enumerate().skip(1) {
            let values = super::column(recording, name);
            let mut from = cutoff;
            for row in &rows {
                let to = row[0] as usize;
                let mean = values[from..=to].iter().sum::<f64>() / (to + 1 - from) as f64;
                super::near(&format!("{name} to row {to}"), mean, row[k], 1e-12);
                from = to + 1;
            }
        }
    }
}

/// Five of them, of shipped operators; the file of numbers has five columns of input, then five of potentials.
fn five_leaky_integrators(name: &str) -> Model {
    let (rate, operators) = match name {
        "rectipy/li_tanh" => (
            "tanh_rate",
            "leaky_integrator_tanh/leak: {tau: 2.0, k: 1.3, eta: 0.1}, leaky_integrator_tanh/tanh_rate: {}",
        ),
        _ => (
            "sigmoid_rate",
            "leaky_integrator_tanh/leak: {tau: 1.5, k: 2.0, eta: -0.3},
             leaky_integrator_sigmoid/sigmoid_rate: {r_max: 1.7, s: 2.5, v0: 0.2}",
        ),
    };
    let yaml = format!(
        "net:
          base: CircuitTemplate
          nodes: {{p: {{n: 5, operators: {{{operators}}}}}}}
          edges: [[p/{rate}/r, p/leak/r_in, null, {{weight: weights.csv}}]]"
    );
    let weights = fs::read(place(&format!("{name}_weights.csv"))).unwrap();
    let library = MemoryLibrary::new().with("net.yaml", yaml).with("weights.csv", weights);
    let mut model = super::load(&library, "net.yaml", None);
    (model.settings.dt, model.settings.duration) = (Some(0.01), Some(2.0));
    super::scheme(&mut model, "euler");
    let golden = read_series(place(&format!("{name}.csv"))).unwrap();
    let inputs = (0..golden.rows).flat_map(|k| golden.row(k)[..5].to_vec()).collect();
    model.drive_samples("p/leak/I", Series { rows: golden.rows, columns: 5, data: inputs, ..Series::default() });
    model.record("v", "p/leak/v");
    model
}

fn compare_leaky_integrators(name: &str, recording: &Recording) {
    let golden = read_series(place(&format!("{name}.csv"))).unwrap();
    assert_eq!(recording.times.len(), golden.rows);
    for i in 0..5 {
        for (found, expected) in super::column(recording, &format!("v[{i}]")).iter().zip(golden.column(5 + i)) {
            super::near(name, *found, expected, 1e-12);
        }
    }
}
