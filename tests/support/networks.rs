//! Networks in files under `tests/golden` beside the numbers that other tools computed for them.

use std::fs;

use nullcline::compiler::template::library::{FileLibrary, MemoryLibrary};
use nullcline::runtime::io::{Series, read_series};
use nullcline::runtime::observe::Recording;
use nullcline::{Interrupt, Model};

/// A network with the tables of its states, each with the tolerance that the case allows in double precision.
pub struct Network {
    /// Its file, without ending.
    pub file: &'static str,
    /// Tables of states by row: file and tolerance.
    pub states: &'static [(&'static str, f64)],
    /// Its spikes, in the table `FILE_spikes.csv`.
    pub spikes: Option<Train>,
}

/// Recorded spikes.
pub struct Train {
    /// The event.
    pub event: &'static str,
    /// Step or bin of a time.
    pub place: fn(f64) -> i64,
}

impl Train {
    /// Step or bin, and unit, of recorded spikes in this order.
    pub fn found(&self, recording: &Recording) -> Vec<(i64, u32)> {
        let spikes = recording.spikes_of(self.event).unwrap();
        let place = |(time, unit): (&f64, &u32)| ((self.place)(*time), *unit);
        let mut found: Vec<(i64, u32)> = spikes.times.iter().zip(&spikes.ids).map(place).collect();
        found.sort_unstable();
        found
    }

    /// The same of the table of a network.
    pub fn expected(&self, file: &str) -> Vec<(i64, u32)> {
        table(&format!("{file}_spikes.csv")).1.iter().map(|row| (row[0] as i64, row[1] as u32)).collect()
    }
}

const fn rates(file: &'static str, states: &'static [(&'static str, f64)]) -> Network {
    Network { file, states, spikes: None }
}

/// Networks of rate neurons. The cases allow 1e-10 for sums in another order.
pub const RATES: &[Network] = &[
    rates("rectipy/li_tanh_n50", &[("rectipy/li_tanh_n50", 1e-10)]),
    rates("rectipy/li_sigmoid_n50", &[("rectipy/li_sigmoid_n50", 1e-10)]),
    rates("rectipy/layers", &[("rectipy/layers", 1e-10)]),
    rates("rectipy/feedback", &[("rectipy/feedback", 1e-10), ("rectipy/feedback_final", 1e-10)]),
    rates("rectipy/sampling", &[("rectipy/sampling_s1_c0", 1e-12)]),
];

/// Neurons that are tested before the step. The cases name the change that a shift of the potential by 1e-12 makes, at most
/// 2e-9: a thousand times less than rounding may do to these.
pub const BEFORE: &[Network] = &[
    before("spiking/lif_n5", &[("spiking/lif_n5", 1e-9)], |t| (t / 0.01).round() as i64),
    before("spiking/lif_n50", &[("spiking/lif_n50", 1e-9)], |t| (t / 0.01).round() as i64),
    before("spiking/qif_n5", &[("spiking/qif_n5", 1e-9)], |t| (t / 0.001).round() as i64),
    before("spiking/qif_sfa_n50", &[("spiking/qif_sfa_n50", 2e-6)], |t| (t / 0.001).round() as i64),
    before("spiking/ik_n5", &[("spiking/ik_n5", 1e-9)], |t| (t / 0.05).round() as i64),
    before("spiking/ik_n50", &[("spiking/ik_n50", 1e-9)], |t| (t / 0.1).round() as i64),
];

const fn before(file: &'static str, states: &'static [(&'static str, f64)], place: fn(f64) -> i64) -> Network {
    Network { file, states, spikes: Some(Train { event: "z", place }) }
}

/// Neurons that are tested after the step. Their tool records spikes in bins of a step, `int(i*dt/dt)`, which rounding sometimes
/// puts one too low.
pub const AFTER: &[Network] = &[
    after("spiking/lif_clamped", &[("spiking/lif_clamped", 1e-9)]),
    after("spiking/eif", &[("spiking/eif", 1e-9)]),
    after("spiking/eif_ei", &[("spiking/eif_ei", 1e-9)]),
];

const fn after(file: &'static str, states: &'static [(&'static str, f64)]) -> Network {
    Network {
        file,
        states,
        spikes: Some(Train { event: "spike", place: |t| ((t / 0.1 - 1.0).round() * 0.1 / 0.1) as i64 }),
    }
}

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

/// The model in `NAME.yaml`.
pub fn model(name: &str) -> Model {
    super::load(&FileLibrary::new(), &place(&format!("{name}.yaml")), None)
}

/// Five leaky integrators of the shipped templates, case `li_tanh` or `li_sigmoid`, and what is known of their recording:
/// five columns of inputs, then five of potentials, before each step.
pub fn leaky_integrators(case: &str) -> (Model, Series) {
    let (operators, rate) = match case {
        "li_tanh" => (
            "leaky_integrator_tanh/leak: {tau: 2.0, k: 1.3, eta: 0.1}, leaky_integrator_tanh/tanh_rate: {}",
            "tanh_rate",
        ),
        _ => (
            "leaky_integrator_tanh/leak: {tau: 1.5, k: 2.0, eta: -0.3},
             leaky_integrator_sigmoid/sigmoid_rate: {r_max: 1.7, s: 2.5, v0: 0.2}",
            "sigmoid_rate",
        ),
    };
    let yaml = format!(
        "net:
          base: CircuitTemplate
          nodes: {{p: {{n: 5, operators: {{{operators}}}}}}}
          edges: [[p/{rate}/r, p/leak/r_in, null, {{weight: weights.csv}}]]"
    );
    let weights = fs::read(place(&format!("rectipy/{case}_weights.csv"))).unwrap();
    let library = MemoryLibrary::new().with("net.yaml", yaml).with("weights.csv", weights);
    let mut model = super::load(&library, "net.yaml", None);
    (model.settings.dt, model.settings.duration) = (Some(0.01), Some(2.0));
    super::scheme(&mut model, "euler");
    let golden = read_series(place(&format!("rectipy/{case}.csv"))).unwrap();
    let inputs = (0..golden.rows).flat_map(|k| golden.row(k)[..5].to_vec()).collect();
    model.drive_samples("p/leak/I", Series { rows: golden.rows, columns: 5, data: inputs, ..Series::default() });
    model.record("v", "p/leak/v");
    (model, golden)
}

/// Runs `NAME.yaml` and records what it says.
pub fn record(name: &str) -> Recording {
    let model = model(name);
    let mut prepared = model.simulation().unwrap_or_else(|e| panic!("{name}:\n{e}"));
    let mut recording = prepared.simulation.recording();
    let done = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
    done.unwrap_or_else(|e| panic!("{name}: {e}"));
    recording
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
