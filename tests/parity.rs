//! Every engine computes the same bits as the reference interpreter, on every shipped template and every model of the
//! suite, in both precisions.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use nullcline::compiler::template::library::FileLibrary;
use nullcline::runtime::sim::RunError;
use nullcline::{ENGINES, Engine, Interrupt, Model};

/// Steps of each model: enough for delays to come round, few enough for the slowest engine.
const STEPS: u64 = 400;

fn files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    files
}

/// The bits of every recorded number; which NaN a NaN is does not count.
fn bits(model: &Model, engine: &'static Engine) -> Vec<Vec<u64>> {
    let mut prepared = model.compile(engine).unwrap_or_else(|e| panic!("{e}")).load().unwrap();
    prepared.schedule.steps = prepared.schedule.steps.min(STEPS);
    prepared.schedule.every = 1;
    prepared.schedule.cutoff = 0.0;
    let mut recording = prepared.simulation.recording();
    match prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue) {
        Ok(_) | Err(RunError::Diverged(..)) => {}
        Err(error) => panic!("{error}"),
    }
    let canonical = |v: &f64| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() };
    let mut bits: Vec<Vec<u64>> =
        recording.columns.iter().map(|column| column.iter().map(canonical).collect()).collect();
    for spikes in &recording.spikes {
        bits.push(spikes.times.iter().map(canonical).collect());
        bits.push(spikes.ids.iter().map(|id| u64::from(*id)).collect());
    }
    bits
}

#[test]
fn every_engine_equals_the_reference_bit_for_bit() {
    let oracle = Engine::lookup("oracle").unwrap();
    let (mut models, mut compared) = (0, 0);
    let folders = ["templates", "tests/suite", "tests/suite/events"];
    for path in folders.into_iter().flat_map(files) {
        let name = path.display().to_string();
        let mut model = Model::load(&FileLibrary::new(), &name, None).unwrap_or_else(|e| panic!("{e}"));
        model.settings.duration.get_or_insert(1.0);
        model.settings.dt.get_or_insert(0.01);
        models += 1;
        for precision in ["f64", "f32"] {
            let precision = model.name("precision", precision);
            model.settings.precision = Some(precision.clone());
            let expected = bits(&model, oracle);
            for engine in ENGINES.iter().filter(|e| e.name != "oracle") {
                if engine.name == "jit" && Engine::auto().name != "jit" {
                    println!("skipped: jit, this processor has no AVX2");
                    continue;
                }
                let found = bits(&model, engine);
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
    println!("{models} models, {compared} columns");
    assert!(models >= 60 && compared > 400, "{models} models, {compared} columns");
}
