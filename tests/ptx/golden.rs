//! Models of which other tools computed numbers: whole runs in the interpreter have the bits of the reference, and those
//! numbers.

use nullcline::runtime::observe::Recording;
use nullcline::runtime::sim::RunError;
use nullcline::{Engine, Interrupt};

use super::interpreter::{INTERPRETERS, REFERENCE};
use super::support::golden_models::{GoldenModel, golden_models};
use super::{bits_of, difference};

/// Most steps where every kernel has a launch of its own, which takes an interpreter a hundred times as long.
const KERNEL_BY_KERNEL: u64 = 150;

/// What a model records within so many steps. In single precision some overflow on the way; what was recorded until then counts.
fn record(golden: &GoldenModel, engine: &'static Engine, most: u64) -> Recording {
    let name = &golden.name;
    let compiled = golden.model.compile(engine).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut prepared = compiled.load().unwrap_or_else(|e| panic!("{name}: {e}"));
    prepared.schedule.steps = prepared.schedule.steps.min(most);
    let mut simulation = prepared.simulation.with_pre_history(golden.history);
    let mut recording = simulation.recording();
    match simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue) {
        Ok(_) | Err(RunError::Diverged(..)) => recording,
        Err(error) => panic!("{name}: {error}"),
    }
}

#[test]
fn golden_models_have_the_bits_of_the_reference_and_the_golden_numbers() {
    let (mut models, mut steps, mut spikes, mut compared) = (0, 0.0, 0, 0);
    for mut golden in golden_models() {
        let settings = &golden.model.settings;
        steps += (settings.duration.unwrap() / settings.dt.unwrap()).round();
        for precision in ["f64", "f32"] {
            golden.model.settings.precision = Some(golden.model.name("precision", precision));
            for (engine, most) in [(&INTERPRETERS[0], u64::MAX), (&INTERPRETERS[1], KERNEL_BY_KERNEL)] {
                let (found, expected) = (record(&golden, engine, most), record(&golden, &REFERENCE, most));
                let apart = difference(&bits_of(&found), &bits_of(&expected));
                assert_eq!(apart, None, "{}, {precision}, {}: first that differs", golden.name, engine.name);
                if let (Some(compare), "f64", u64::MAX) = (&golden.compare, precision, most) {
                    compare(&found);
                    compared += 1;
                    spikes += found.spikes.iter().map(|s| s.times.len()).sum::<usize>();
                }
            }
        }
        models += 1;
    }
    println!(
        "{models} models, {steps} steps in each precision, {spikes} spikes; the first {KERNEL_BY_KERNEL} steps also kernel by \
         kernel; {compared} have golden numbers"
    );
    assert!(models >= 54 && compared >= 53 && spikes > 2600, "{models} models, {compared} compared, {spikes} spikes");
}
