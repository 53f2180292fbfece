//! Running models in tests, and the measures that the tests read off their recordings.
#![allow(dead_code, clippy::unwrap_used)] // each test program uses a part

pub mod golden;
pub mod networks;
pub mod pyrates;
pub mod runs;

use nullcline::compiler::template::library::{FileLibrary, Library};
use nullcline::compiler::template::{Complex, Literal};
use nullcline::runtime::observe::Recording;
use nullcline::{Interrupt, Model, PreHistory};

/// The shipped template `name`, read from its file.
pub fn shipped(name: &str) -> Model {
    let path = format!("{}/templates/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    load(&FileLibrary::new(), &path, None)
}

/// A model, or a test failure that shows the diagnostics.
pub fn load(library: &dyn Library, path: &str, template: Option<&str>) -> Model {
    Model::load(library, path, template).unwrap_or_else(|e| panic!("{path}:\n{e}"))
}

/// Gives numbers to variables.
pub fn set(model: &mut Model, values: &[(&str, f64)]) {
    for &(path, re) in values {
        let value = Literal::Number(Complex { re, im: 0.0 });
        model.set(path, &value).unwrap_or_else(|e| panic!("{path}:\n{e}"));
    }
}

/// Chooses the integration scheme.
pub fn scheme(model: &mut Model, name: &str) {
    let name = model.name("<scheme>", name);
    model.settings.scheme = Some(name);
}

/// Runs a model as its settings say.
pub fn run(model: &Model) -> Recording {
    run_after(model, PreHistory::Initial)
}

/// Runs a model after a given past.
pub fn run_after(model: &Model, history: PreHistory) -> Recording {
    let prepared = model.simulation().unwrap_or_else(|e| panic!("{e}"));
    let mut simulation = prepared.simulation.with_pre_history(history);
    let mut recording = Recording::new(simulation.labels());
    let done = simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
    done.unwrap_or_else(|e| panic!("{e}"));
    recording
}

/// A recorded column.
pub fn column<'a>(recording: &'a Recording, name: &str) -> &'a [f64] {
    let names: Vec<&str> = recording.labels.iter().map(|l| l.name.as_str()).collect();
    recording.column(name).unwrap_or_else(|| panic!("no column `{name}` among {names:?}"))
}

/// The last value of a column.
pub fn last(recording: &Recording, name: &str) -> f64 {
    *column(recording, name).last().unwrap()
}

/// The value of a column in the row at time `t`.
pub fn at(recording: &Recording, name: &str, t: f64) -> f64 {
    let row = recording.times.iter().position(|time| (time - t).abs() <= 1e-9 * t.abs().max(1.0));
    column(recording, name)[row.unwrap_or_else(|| panic!("no row at t = {t}"))]
}

/// Checks that two numbers are no further apart than `tolerance`.
#[track_caller]
pub fn near(what: &str, found: f64, expected: f64, tolerance: f64) {
    let distance = (found - expected).abs();
    assert!(distance <= tolerance, "{what}: found {found}, expected {expected} +- {tolerance}");
}

/// Maxima per time unit of a periodic column with one maximum per cycle, or two, from the first to the last of the kind
/// that the column shows first. Each is placed at the top of the parabola through the three samples around it.
pub fn rate_of_maxima(times: &[f64], values: &[f64], two: bool) -> f64 {
    let tops = (1..values.len() - 1).filter(|&k| values[k - 1] < values[k] && values[k] >= values[k + 1]);
    let tops: Vec<f64> = tops
        .map(|k| {
            let (before, here, after) = (values[k - 1], values[k], values[k + 1]);
            let shift = (before - after) / (before - 2.0 * here + after) / 2.0;
            times[k] + shift * (times[k + 1] - times[k])
        })
        .collect();
    let last = if two { (tops.len() - 1) / 2 * 2 } else { tops.len() - 1 };
    last as f64 / (tops[last] - tops[0])
}
