//! Every engine computes the same bits as the reference interpreter, on every shipped template and every model of the
//! suite, in both precisions. Devices whose language promises less stay within what it promises.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "wgpu")]
#[path = "support/bounds.rs"]
mod bounds;

#[path = "support/models.rs"]
mod models;

#[cfg(feature = "wgpu")]
#[path = "support/promises.rs"]
mod promises;

use std::num::NonZeroUsize;

#[cfg(feature = "wgpu")]
use nullcline::PreHistory;
use nullcline::runtime::observe::Recording;
use nullcline::runtime::sim::RunError;
use nullcline::{ENGINES, Engine, Interrupt, Model};

use models::{models, small_networks};

/// Steps of each model: enough for delays to come round, few enough for the slowest engine.
const STEPS: u64 = 400;

/// The bits of every recorded number, columns and then spikes; which NaN a NaN is does not count.
fn bits(model: &Model, engine: &'static Engine, threads: usize) -> Vec<Vec<u64>> {
    let canonical = |v: &f64| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() };
    let recording = record(model, engine, threads);
    let columns = recording.columns.iter().map(|column| column.iter().map(canonical).collect());
    let spikes = recording.spikes.iter().flat_map(|spikes| {
        let times = spikes.times.iter().map(canonical).collect();
        [times, spikes.ids.iter().map(|id| u64::from(*id)).collect()]
    });
    columns.chain(spikes).collect()
}

/// The first steps of a model.
fn record(model: &Model, engine: &'static Engine, threads: usize) -> Recording {
    let mut prepared = model.compile(engine).unwrap_or_else(|e| panic!("{e}")).load().unwrap();
    prepared.simulation.set_threads(NonZeroUsize::new(threads).unwrap());
    prepared.schedule.steps = prepared.schedule.steps.min(STEPS);
    prepared.schedule.every = 1;
    prepared.schedule.cutoff = 0.0;
    let mut recording = prepared.simulation.recording();
    match prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue) {
        Ok(_) | Err(RunError::Diverged(..)) => {}
        Err(error) => panic!("{error}"),
    }
    recording
}

#[test]
fn every_engine_equals_the_reference_bit_for_bit() {
    let oracle = Engine::lookup("oracle").unwrap();
    let (mut count, mut compared, mut runs) = (0, 0, 0);
    for (name, mut model) in models().chain(small_networks()) {
        count += 1;
        for precision in ["f64", "f32"] {
            let precision = model.name("precision", precision);
            model.settings.precision = Some(precision.clone());
            let expected = bits(&model, oracle, 1);
            for engine in ENGINES.iter().filter(|e| e.device == "cpu" && e.name != "oracle") {
                if engine.name == "jit" && Engine::auto().name != "jit" {
                    println!("skipped: jit, this processor has no AVX2");
                    continue;
                }
                // 1, 2 and 3 threads in turn.
                runs += 1;
                let found = bits(&model, engine, 1 + runs % 3);
                assert_eq!(found.len(), expected.len(), "{name}, {}: columns", engine.name);
                for (column, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let first = found.iter().zip(expected).position(|(a, b)| a != b);
                    assert_eq!(
                        first, None,
                        "{name}, {}, {}, column {column}: first row that differs",
                        engine.name, precision
                    );
                    assert_eq!(found.len(), expected.len(), "{name}, {}", engine.name);
                    compared += 1;
                }
            }
        }
    }
    println!("{count} models, {compared} columns");
    assert!(count >= 120 && compared > 400, "{count} models, {compared} columns");
}

#[cfg(feature = "wgpu")]
#[test]
fn a_graphics_processor_stays_within_what_its_language_promises() {
    use promises::{REFERENCE, Start};

    let Some(device) = nullcline::runtime::device::wgpu::adapters().into_iter().next() else {
        println!("skipped: wgpu, there is no graphics processor and no software one");
        return;
    };
    let engine = Engine::lookup("wgpu").unwrap();
    let precisions = if device.double { &["f32", "f64"][..] } else { &["f32"] };
    // Of models without events, and of those with: rounding decides at which step an event happens, and once it may happen at
    // either of two, nothing is certain of what follows.
    let (mut compared, mut undecided, mut equal, mut runs, mut spikes) = ([0; 2], [0; 2], 0, 0, 0);
    for (name, mut model) in models().chain(small_networks()) {
        let kind = usize::from(!model.compile(&REFERENCE).unwrap_or_else(|e| panic!("{e}")).system.events.is_empty());
        for precision in precisions {
            model.settings.precision = Some(model.name("precision", precision));
            let name = format!("{name}, {precision}");
            let start = Start { name: &name, model: &model, history: PreHistory::Initial, steps: STEPS };
            let tally = start.compare(engine);
            runs += 1;
            compared[kind] += tally.compared;
            undecided[kind] += tally.undecided;
            equal += tally.equal;
            spikes += tally.spikes;
        }
    }
    println!(
        "{runs} runs on {}: {compared:?} numbers within bounds (models without and with events), {equal} of them equal, {undecided:?} undecided, {spikes} spikes",
        device.name
    );
    assert!(runs >= 60 && compared[0] > 10 * undecided[0], "{compared:?} compared, {undecided:?} undecided");
    assert!(spikes > 20, "{spikes} spikes");
    assert!(compared[1] > undecided[1], "{compared:?} compared, {undecided:?} undecided");
}
