//! Every engine computes the same bits as the reference interpreter, on every shipped template and every model of the
//! suite, in both precisions. Devices whose language promises less stay within what it promises.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "wgpu")]
#[path = "support/bounds.rs"]
mod bounds;

#[path = "support/models.rs"]
mod models;

use std::num::NonZeroUsize;

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
mod wgpu {
    use nullcline::compiler::backend::wgsl::WGSL;
    use nullcline::runtime::device::wgpu::adapters;

    use super::bounds::{Bounds, WHOLE};
    use super::*;

    /// The reference interpreter with the operations of the device.
    static REFERENCE: Engine = Engine {
        name: "reference",
        target: &WGSL,
        device: "cpu",
        load: |module, index| (Engine::lookup("oracle").unwrap().load)(module, index),
        doc: "",
    };

    static BOUNDS: Engine = Engine {
        name: "bounds",
        target: &WHOLE,
        device: "cpu",
        load: |module, _| Ok(Box::new(Bounds::new(module))),
        doc: "",
    };

    /// The radius of every recorded number.
    fn radii(model: &Model) -> Recording {
        let mut prepared = model.compile(&BOUNDS).unwrap_or_else(|e| panic!("{e}")).load().unwrap();
        prepared.schedule.steps = prepared.schedule.steps.min(STEPS);
        prepared.schedule.every = 1;
        prepared.schedule.cutoff = 0.0;
        let mut simulation = prepared.simulation.with_independent_columns();
        let mut recording = Recording::new(simulation.labels());
        simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
        recording
    }

    /// Bounds wider than this part of a column's largest number say nothing.
    const USELESS: f64 = 0.1;

    #[test]
    fn a_graphics_processor_stays_within_what_its_language_promises() {
        let Some(device) = adapters().into_iter().next() else {
            println!("skipped: wgpu, there is no graphics processor and no software one");
            return;
        };
        let engine = Engine::lookup("wgpu").unwrap();
        let precisions = if device.double { &["f32", "f64"][..] } else { &["f32"] };
        // Of models without events, and of those with: rounding decides at which step an event happens, and once it may
        // happen at either of two, nothing is certain of what follows.
        let (mut compared, mut undecided, mut equal, mut runs) = ([0usize; 2], [0usize; 2], 0usize, 0);
        let mut spikes = 0;
        for (name, mut model) in models().chain(small_networks()) {
            let kind =
                usize::from(!model.compile(&REFERENCE).unwrap_or_else(|e| panic!("{e}")).system.events.is_empty());
            for precision in precisions {
                model.settings.precision = Some(model.name("precision", precision));
                let (expected, found) = (record(&model, &REFERENCE, 1), record(&model, engine, 1));
                let radii = radii(&model);
                runs += 1;
                assert_eq!(found.labels, expected.labels, "{name}");
                let mut certain = true;
                let columns = expected.columns.iter().zip(&found.columns).zip(&radii.columns);
                for (column, ((expected, found), radii)) in columns.enumerate() {
                    let largest = expected.iter().filter(|v| v.is_finite()).fold(0f64, |m, v| m.max(v.abs()));
                    let sound = |radius: &f64| 2.0 * radius <= USELESS * largest.max(f64::from(f32::MIN_POSITIVE));
                    let decided = radii.iter().position(|r| !sound(r)).unwrap_or(radii.len());
                    let rows = decided.min(expected.len());
                    assert!(found.len() >= rows, "{name}: {} rows, expected {}", found.len(), expected.len());
                    for (row, (expected, found)) in expected.iter().zip(found).enumerate().take(rows) {
                        // Both are as far as this from the same number at most.
                        let bound = 2.0 * radii[row];
                        let near = (found - expected).abs() <= bound || (found.is_nan() && expected.is_nan());
                        assert!(
                            near || found == expected,
                            "{name}, {precision}, column {column}, row {row}: found {found}, expected {expected} +- {bound:e}"
                        );
                        equal += usize::from(found.to_bits() == expected.to_bits());
                    }
                    compared[kind] += rows;
                    undecided[kind] += expected.len() - rows;
                    if rows == expected.len() {
                        assert_eq!(found.len(), expected.len(), "{name}");
                    } else {
                        certain = false;
                        println!("skipped: {name}, {precision}, column {column} from row {rows} on: rounding decides");
                    }
                }
                // Where no rounding changes a recorded number by much, none decides about an event.
                if certain && !expected.columns.is_empty() {
                    assert_eq!(found.spikes, expected.spikes, "{name}, {precision}");
                    spikes += expected.spikes.iter().map(|s| s.times.len()).sum::<usize>();
                }
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
}
