//! Models of which other tools computed numbers: whole runs in the interpreter have the bits of the reference, and those
//! numbers.

use std::collections::HashSet;

use nullcline::compiler::pass::vectorise::Vectorise;
use nullcline::runtime::observe::Recording;
use nullcline::runtime::sim::RunError;
use nullcline::{Engine, Interrupt, PreHistory};

use super::interpreter::{INTERPRETERS, REFERENCE};
use super::support::runs::{Run, runs};
use super::support::{networks, pyrates};
use super::{bits_of, difference, support};

/// Most steps where every kernel has a launch of its own, which takes an interpreter a hundred times as long.
const KERNEL_BY_KERNEL: u64 = 150;

/// Every golden model once, those with several solvers with the first. Of the last ones nothing is compared here: the numbers of
/// one are read in `tests/golden_rates.rs`, those of others are of adaptive solvers.
pub fn golden_models() -> impl Iterator<Item = Run> {
    let mut seen = HashSet::new();
    let first = move |run: &Run| seen.insert(run.name.split('@').next().unwrap().to_string());
    let without =
        |name: String, model, history| Run { name, model, history, columns: vec![], tolerance: 0.0, spikes: None };
    let name = "rectipy/activations".to_string();
    let activations = without(name.clone(), networks::model(&name), PreHistory::Initial);
    let adaptive = pyrates::cases().into_iter().filter_map(move |name| {
        let case = pyrates::case(&name);
        let ours = pyrates::map(&case["solvers"]).keys().any(|solver| pyrates::excluded(&name, solver).is_none());
        let run = || {
            let model = pyrates::model(&name, &case, "euler", Vectorise::Always);
            without(format!("pyrates/{name}"), model, pyrates::history(&name, &case))
        };
        (!ours).then(run)
    });
    runs().0.into_iter().filter(first).chain([activations]).chain(adaptive)
}

/// What a model records within so many steps. In single precision some overflow on the way; what was recorded until then
/// counts.
pub fn record(run: &Run, engine: &'static Engine, most: u64) -> Recording {
    let name = &run.name;
    let compiled = run.model.compile(engine).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut prepared = compiled.load().unwrap_or_else(|e| panic!("{name}: {e}"));
    prepared.schedule.steps = prepared.schedule.steps.min(most);
    let mut simulation = prepared.simulation.with_pre_history(run.history);
    let mut recording = simulation.recording();
    match simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue) {
        Ok(_) | Err(RunError::Diverged(..)) => recording,
        Err(error) => panic!("{name}: {error}"),
    }
}

/// Fails unless a recording has the numbers of another tool; returns how many numbers and spikes there are.
fn compare(run: &Run, recording: &Recording) -> (usize, usize) {
    let name = &run.name;
    for (column, numbers) in &run.columns {
        let values = support::column(recording, column);
        let scale = values.iter().fold(1.0f64, |m, v| m.max(v.abs()));
        for (row, number) in numbers {
            support::near(&format!("{name}: {column} in row {row}"), values[*row], *number, run.tolerance * scale);
        }
    }
    let Some((train, expected)) = &run.spikes else { return (run.columns.iter().map(|c| c.1.len()).sum(), 0) };
    let found = train.found(recording);
    let first = found.iter().zip(expected).position(|(a, b)| a != b);
    assert_eq!(first.map(|at| (found[at], expected[at])), None, "{name}: first spike that differs");
    assert_eq!(found.len(), expected.len(), "{name}: number of spikes");
    (run.columns.iter().map(|c| c.1.len()).sum(), found.len())
}

#[test]
fn golden_models_have_the_bits_of_the_reference_and_the_golden_numbers() {
    let (mut models, mut steps, mut numbers, mut spikes) = (0, 0.0, 0, 0);
    for mut run in golden_models() {
        for precision in ["f64", "f32"] {
            run.model.settings.precision = Some(run.model.name("precision", precision));
            for (engine, most) in [(&INTERPRETERS[0], u64::MAX), (&INTERPRETERS[1], KERNEL_BY_KERNEL)] {
                let (found, expected) = (record(&run, engine, most), record(&run, &REFERENCE, most));
                let apart = difference(&bits_of(&found), &bits_of(&expected));
                assert_eq!(apart, None, "{}, {precision}, {}: first that differs", run.name, engine.name);
                if precision == "f64" && most == u64::MAX {
                    let compared = compare(&run, &found);
                    (numbers, spikes) = (numbers + compared.0, spikes + compared.1);
                }
            }
        }
        let settings = &run.model.settings;
        (models, steps) = (models + 1, steps + (settings.duration.unwrap() / settings.dt.unwrap()).round());
    }
    println!(
        "{models} models, {steps} steps in each precision, the first {KERNEL_BY_KERNEL} also kernel by kernel; {numbers} golden \
         numbers, {spikes} golden spikes"
    );
    assert!(models >= 54 && numbers > 10_000 && spikes == 2624, "{models} models, {numbers} numbers, {spikes} spikes");
}
