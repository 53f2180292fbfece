//! Generated Rust computes the same bits as the reference interpreter.
#![allow(clippy::unwrap_used)]

#[path = "support/models.rs"]
mod shipped;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use nullcline::runtime::observe::Recording;
use nullcline::runtime::sim::RunError;
use nullcline::{EmbedOptions, Engine, Interrupt, Model};

/// Steps of each model.
const STEPS: f64 = 300.0;

/// Every template and every model of the suite, in both precisions, to be run for a few steps with a row for each.
fn models() -> Vec<(String, Model)> {
    let mut models = Vec::new();
    for (name, mut model) in shipped::models() {
        for precision in ["f64", "f32"] {
            let (dt, duration) = (model.settings.dt.unwrap(), model.settings.duration.unwrap());
            model.settings.duration = Some(duration.min(STEPS * dt));
            (model.settings.sample_every, model.settings.cutoff) = (None, None);
            model.settings.precision = Some(model.name("precision", precision));
            models.push((format!("{name}, {precision}"), model.clone()));
        }
    }
    models
}

/// The recorded rows of the reference interpreter, as far as they are finite.
fn expected(model: &Model) -> Vec<Vec<f64>> {
    let mut prepared = model.compile(Engine::lookup("oracle").unwrap()).unwrap().load().unwrap();
    let mut recording = Recording::new(prepared.simulation.labels());
    match prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue) {
        Ok(_) | Err(RunError::Diverged(..)) => {}
        Err(error) => panic!("{error}"),
    }
    (0..recording.times.len()).map(|row| recording.columns.iter().map(|c| c[row]).collect()).collect()
}

#[test]
fn generated_rust_equals_the_reference_bit_for_bit() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("embed");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let models = models();
    let (mut main, mut calls) = (String::from("#![deny(warnings)]\n"), String::new());
    for (index, (name, model)) in models.iter().enumerate() {
        let made =
            model.embed(EmbedOptions { standalone: true, no_std: false }).unwrap_or_else(|e| panic!("{name}: {e}"));
        let place = folder.join(format!("m{index}"));
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("model.rs"), &made.source).unwrap();
        fs::write(place.join("program.rs"), made.program("super::model::Model").replace("fn main", "pub fn main"))
            .unwrap();
        for (file, bytes) in &made.files {
            fs::write(place.join(file), bytes).unwrap();
        }
        fs::write(place.join("mod.rs"), "pub mod model;\npub mod program;\n").unwrap();
        writeln!(main, "pub mod m{index};").unwrap();
        writeln!(calls, "    println!(\"model\");\n    m{index}::program::main().unwrap();").unwrap();
    }
    writeln!(main, "pub fn all() {{\n{calls}}}").unwrap();
    fs::write(folder.join("lib.rs"), main).unwrap();
    fs::write(folder.join("main.rs"), "fn main() {\n    models::all();\n}\n").unwrap();
    let rustc = |arguments: &[&str]| {
        let rustc = std::env::var("RUSTC").unwrap_or("rustc".to_string());
        let done = Command::new(rustc)
            .args(["--edition", "2024", "-C", "opt-level=1"])
            .args(arguments)
            .current_dir(&folder)
            .status();
        assert!(done.unwrap().success(), "{arguments:?}");
    };
    rustc(&["--crate-type", "rlib", "--crate-name", "models", "lib.rs"]);
    rustc(&["--extern", "models=libmodels.rlib", "main.rs"]);
    let out = Command::new(folder.join("main")).output().unwrap();
    assert!(out.status.success());
    let out = String::from_utf8(out.stdout).unwrap();
    let found: Vec<&str> = out.split("model\n").skip(1).collect();
    assert_eq!(found.len(), models.len());
    let mut compared = 0;
    for ((name, model), text) in models.iter().zip(found) {
        let single = name.ends_with("f32");
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(1)
            .map(|line| {
                line.split(',')
                    .skip(1)
                    .map(|v| if single { f64::from(v.parse::<f32>().unwrap()) } else { v.parse().unwrap() })
                    .collect()
            })
            .collect();
        let canonical = |v: &f64| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() };
        for (row, expected) in expected(model).iter().enumerate() {
            let (found, expected): (Vec<u64>, Vec<u64>) =
                (rows[row].iter().map(canonical).collect(), expected.iter().map(canonical).collect());
            assert!(found == expected, "{name}, row {row}: {:?}, expected {:?}", rows[row], expected);
            compared += found.len();
        }
    }
    println!("{} models, {compared} numbers", models.len());
    assert!(models.len() >= 120 && compared > 50_000, "{} models, {compared} numbers", models.len());
}

#[test]
fn a_standalone_crate_prints_what_a_run_records() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standalone");
    let _ = fs::remove_dir_all(&folder);
    let nullcline = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_nullcline")).args(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let (model, to) = (concat!(env!("CARGO_MANIFEST_DIR"), "/templates/jansen_rit.yaml"), folder.to_str().unwrap());
    nullcline(&["compile", model, "--target", "rust", "--standalone", "--scheme", "euler", "-o", to]);

    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.join("jansen_rit.json")).unwrap()).unwrap();
    let buffer = manifest["buffers"].as_array().unwrap().iter().find(|b| b["name"] == "p/column/C").unwrap();
    assert_eq!((&buffer["role"], &buffer["initial"]), (&"parameter".into(), &135.0.into()));
    assert_eq!((&manifest["scheme"], &manifest["columns"][0]["name"]), (&"euler".into(), &"psp".into()));

    let cargo = std::env::var("CARGO").unwrap_or("cargo".to_string());
    let run = Command::new(cargo).args(["run", "--quiet", "--release"]).current_dir(&folder).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(String::from_utf8_lossy(&run.stderr), "", "warnings");
    let table = folder.join("expected.csv");
    nullcline(&["run", model, "--scheme", "euler", "--out", table.to_str().unwrap()]);
    assert_eq!(String::from_utf8(run.stdout).unwrap(), fs::read_to_string(table).unwrap());
}
