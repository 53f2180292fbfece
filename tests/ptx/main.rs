//! The PTX of every model, executed by an interpreter, gives the bits of the reference; and an assembler takes it.
#![allow(clippy::unwrap_used)]

mod assemble;
#[cfg(feature = "cuda")]
mod device;
#[cfg(all(feature = "cuda", target_os = "linux"))]
mod driver;
#[cfg(all(feature = "cuda", target_os = "linux"))]
mod faults;
mod golden;
#[cfg(all(feature = "cuda", target_os = "linux"))]
mod graphs;
mod hosts;
#[path = "../support/ptx/mod.rs"]
mod interpreter;
mod kept;
mod lists;
mod members;
#[path = "../support/models.rs"]
mod models;
mod networks;
mod products;
#[cfg(all(feature = "cuda", target_os = "linux"))]
mod program;
mod refusals;
mod registers;
mod rows;
#[path = "../support/mod.rs"]
mod support;
mod watched;

use std::path::Path;

use nullcline::compiler::kernel::ir::Module;
use nullcline::runtime::observe::Recording;
use nullcline::runtime::sim::RunError;
use nullcline::{Engine, Interrupt, Model, PtxOptions};

use interpreter::{INTERPRETERS, REFERENCE};

/// Steps of each model: enough for delays to come round, few enough for an interpreter.
const STEPS: u64 = 200;

/// The bits of every recorded number, columns and then spikes; which NaN a NaN is does not count.
fn bits(model: &Model, engine: &'static Engine, every: u64) -> Vec<Vec<u64>> {
    let mut prepared = model.compile(engine).unwrap_or_else(|e| panic!("{e}")).load().unwrap_or_else(|e| panic!("{e}"));
    prepared.schedule.steps = prepared.schedule.steps.min(STEPS);
    prepared.schedule.every = every;
    prepared.schedule.cutoff = 0.0;
    let mut recording = prepared.simulation.recording();
    match prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue) {
        Ok(_) | Err(RunError::Diverged(..)) => {}
        Err(error) => panic!("{error}"),
    }
    bits_of(&recording)
}

/// The bits of every number of a recording, columns and then spikes; which NaN a NaN is does not count.
fn bits_of(recording: &Recording) -> Vec<Vec<u64>> {
    let canonical = |v: &f64| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() };
    let columns = recording.columns.iter().map(|column| column.iter().map(canonical).collect());
    let spikes = recording.spikes.iter().flat_map(|spikes| {
        let times = spikes.times.iter().map(canonical).collect();
        [times, spikes.ids.iter().map(|id| u64::from(*id)).collect()]
    });
    columns.chain(spikes).collect()
}

/// Column and row of the first number that differs, or the first column that is longer in one.
fn difference(found: &[Vec<u64>], expected: &[Vec<u64>]) -> Option<(usize, usize)> {
    assert_eq!(found.len(), expected.len(), "columns");
    found.iter().zip(expected).enumerate().find_map(|(column, (found, expected))| {
        let first = found.iter().zip(expected).position(|(a, b)| a != b);
        let first = first.or_else(|| (found.len() != expected.len()).then(|| found.len().min(expected.len())));
        first.map(|row| (column, row))
    })
}

fn compare(name: &str, model: &mut Model) -> usize {
    let mut compared = 0;
    for precision in ["f64", "f32"] {
        let precision = model.name("precision", precision);
        model.settings.precision = Some(precision.clone());
        for (engine, every) in INTERPRETERS.iter().zip([7, 1]) {
            let expected = bits(model, &REFERENCE, every);
            let found = bits(model, engine, every);
            let apart = difference(&found, &expected);
            assert_eq!(apart, None, "{name}, {precision}, {}: first that differs", engine.name);
            compared += expected.len();
        }
    }
    compared
}

/// Hands over every shipped template and every model of the suite, of large networks small ones.
fn every_model(take: &mut dyn FnMut(&str, &mut Model)) {
    for (name, mut model) in models::models().chain(models::small_networks()) {
        let stem = Path::new(&name).file_stem().unwrap();
        take(stem.to_str().unwrap(), &mut model);
    }
}

/// The kernels of a model.
fn module(model: &mut Model, precision: &str) -> Module {
    let precision = model.name("precision", precision);
    model.settings.precision = Some(precision);
    model.compile(&INTERPRETERS[0]).unwrap_or_else(|e| panic!("{e}")).module
}

#[test]
fn every_model_gives_the_bits_of_the_reference() {
    let (mut models, mut compared) = (0, 0);
    every_model(&mut |name, model| {
        models += 1;
        compared += compare(name, model);
    });
    println!("{models} models, {compared} columns");
    assert!(models >= 60 && compared > 400, "{models} models, {compared} columns");
}

#[test]
fn the_library_is_written_as_ptx() {
    let (mut count, mut bytes) = (0, 0);
    let start = std::time::Instant::now();
    for (name, model) in models::models().filter(|(name, _)| name.contains("/templates/")) {
        let written = model.ptx(PtxOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let text = std::str::from_utf8(&written[0].1).unwrap();
        assert!(text.contains(".target sm_60") && text.contains("' = "), "{name} shows its equations");
        count += 1;
        bytes += text.len();
    }
    println!("{count} templates, {bytes} bytes of PTX, {:.2} s", start.elapsed().as_secs_f64());
    assert!(count > 20);
}
