//! Comparing a model with a golden trajectory that another description of the same model produced.

use std::collections::BTreeMap;
use std::fs;

use nullcline::runtime::io::Series;
use nullcline::{Model, PreHistory};
use serde_json::Value;

/// Largest distance to the golden column, relative to the largest number in it.
const TOLERANCE: f64 = 1e-9;

/// A current that is switched on for a while.
#[derive(Clone, Copy)]
pub struct Pulse<'a> {
    /// What it drives.
    pub path: &'a str,
    /// Its height.
    pub value: f64,
    /// Its first step.
    pub from: f64,
    /// The first step after it.
    pub to: f64,
}

impl Pulse<'_> {
    /// Replaces the model's inputs by the pulse, as samples that hold for a step. (An expression of `t` would be evaluated
    /// at the end of a step too, and so begin half a step early.)
    pub fn drive(&self, model: &mut Model) {
        let (duration, dt) = (model.settings.duration.unwrap(), model.settings.dt.unwrap());
        let steps = (duration / dt).round() as usize;
        let on = |k: usize| (self.from..self.to).contains(&(k as f64 * dt));
        let data: Vec<f64> = (0..steps).map(|k| if on(k) { self.value } else { 0.0 }).collect();
        model.settings.inputs.clear();
        model.drive_samples(self.path, Series { rows: steps, columns: 1, data, times: None, names: None });
    }
}

/// A golden case and how the model at hand calls its variables.
pub struct Golden<'a> {
    /// Name of the case.
    pub case: &'a str,
    /// (column, path in the model).
    pub outputs: &'a [(&'a str, &'a str)],
    /// The input, as samples that hold during a step.
    pub pulse: Option<Pulse<'a>>,
}

fn text(file: &str) -> String {
    fs::read_to_string(format!("{}/tests/golden/pyrates/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The columns of a case by name.
pub fn numbers(case: &str) -> BTreeMap<String, Vec<f64>> {
    let csv = text(&format!("{case}.csv"));
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
    for line in lines {
        for (column, field) in columns.iter_mut().zip(line.split(',')) {
            column.push(field.parse().unwrap());
        }
    }
    names.into_iter().map(str::to_string).zip(columns).collect()
}

impl Golden<'_> {
    /// Runs the model by the case's settings with each fixed-step solver and compares all outputs.
    pub fn compare(&self, mut model: Model) {
        let case: Value = serde_json::from_str(&text(&format!("{}.json", self.case))).unwrap();
        let number = |key: &str| case["run"][key].as_f64().unwrap();
        let (duration, dt) = (number("T"), number("dt"));
        model.settings.duration = Some(duration);
        model.settings.dt = Some(dt);
        model.settings.sample_every = Some(number("sampling_step"));
        model.settings.inputs.clear();
        model.settings.record.clear();
        for (column, path) in self.outputs {
            model.record(column, path);
        }
        if let Some(pulse) = self.pulse {
            pulse.drive(&mut model);
        }
        let expected = numbers(self.case);
        for solver in ["euler", "heun"] {
            if case["solvers"].get(solver).is_none() {
                continue;
            }
            super::scheme(&mut model, solver);
            let recording = super::run_after(&model, PreHistory::Zero);
            for (label, found) in recording.labels.iter().zip(&recording.columns) {
                let expected = &expected[&format!("{}@{solver}", label.name)];
                assert_eq!(found.len(), expected.len(), "{} {solver}: rows", self.case);
                let scale = expected.iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
                let distance = found.iter().zip(expected).fold(0.0f64, |d, (x, y)| d.max((x - y).abs()));
                let off = distance / scale;
                assert!(off <= TOLERANCE, "{}@{solver} {}: off by {off:.1e}", self.case, label.name);
            }
        }
    }
}
