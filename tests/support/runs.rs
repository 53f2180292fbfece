//! Every golden model as one list: what to run, and the numbers that other tools computed for it.

use nullcline::compiler::pass::vectorise::Vectorise;
use nullcline::runtime::observe::Recording;
use nullcline::{Engine, Interrupt, Model, PreHistory};

use super::networks::{self, AFTER, BEFORE, RATES, Train};
use super::{golden, pyrates};

/// A run of a golden model.
pub struct Run {
    /// Its name, for people.
    pub name: String,
    /// The model with its settings.
    pub model: Model,
    /// What holds before time 0.
    pub history: PreHistory,
    /// Known numbers: a recorded column, and (row, value) for some rows.
    pub columns: Vec<(String, Vec<(usize, f64)>)>,
    /// How far from them double precision may be, relative to the largest number of each column, and at least 1.
    pub tolerance: f64,
    /// Known spikes, all of them: (step or bin, unit) in this order, and how to read a recording's.
    pub spikes: Option<(&'static Train, Vec<(i64, u32)>)>,
}

/// All runs, and what is left out, with the reason.
pub fn runs() -> (Vec<Run>, Vec<(String, &'static str)>) {
    let (mut runs, mut left_out) = (Vec::new(), Vec::new());
    for case_name in pyrates::cases() {
        let case = pyrates::case(&case_name);
        let numbers = golden::numbers(&case_name);
        for solver in pyrates::map(&case["solvers"]).keys() {
            let name = format!("pyrates/{case_name}@{solver}");
            if let Some(why) = pyrates::excluded(&case_name, solver) {
                left_out.push((name, why));
                continue;
            }
            let model = pyrates::model(&case_name, &case, solver, Vectorise::Always);
            let history = pyrates::history(&case_name, &case);
            let columns = (numbers.iter())
                .filter_map(|(column, values)| Some((column.strip_suffix(&format!("@{solver}"))?, values)))
                .map(|(column, values)| (column.to_string(), values.iter().copied().enumerate().collect()));
            let columns = columns.collect();
            runs.push(Run { name, model, history, columns, tolerance: pyrates::TOLERANCE, spikes: None });
        }
    }
    for case in ["li_tanh", "li_sigmoid"] {
        let (model, golden) = networks::leaky_integrators(case);
        let columns = (0..5).map(|i| (format!("v[{i}]"), golden.column(5 + i).enumerate().collect()));
        let (name, history) = (format!("rectipy/{case}"), PreHistory::Initial);
        runs.push(Run { name, model, history, columns: columns.collect(), tolerance: 1e-12, spikes: None });
    }
    for network in RATES.iter().chain(BEFORE).chain(AFTER) {
        let mut columns = Vec::new();
        for (states, _) in network.states {
            let (names, rows) = networks::table(&format!("{states}.csv"));
            columns.extend(names.iter().enumerate().skip(1).map(|(k, name)| {
                let values = rows.iter().map(|row| (row[0] as usize, row[k]));
                (name.clone(), values.collect())
            }));
        }
        let spikes = network.spikes.as_ref().map(|train| (train, train.expected(network.file)));
        let (name, model) = (network.file.to_string(), networks::model(network.file));
        let tolerance = network.states.iter().fold(0.0, |most: f64, (_, tolerance)| most.max(*tolerance));
        runs.push(Run { name, model, history: PreHistory::Initial, columns, tolerance, spikes });
    }
    (runs, left_out)
}

impl Run {
    /// What the run records on an engine.
    pub fn record(&self, engine: &'static Engine) -> Recording {
        let what = format!("{}, {}", self.name, engine.name);
        let compiled = self.model.compile(engine).unwrap_or_else(|e| panic!("{what}: {e}"));
        let prepared = compiled.load().unwrap_or_else(|e| panic!("{what}: {e}"));
        let mut simulation = prepared.simulation.with_pre_history(self.history);
        let mut recording = simulation.recording();
        let done = simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
        done.unwrap_or_else(|e| panic!("{what}: {e}"));
        recording
    }
}
