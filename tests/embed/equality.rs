//! Generated Rust computes the same bits as the reference interpreter: code that depends on nothing and code that depends
//! on the runtime, step by step, in lanes and driven by a simulation; and its derivatives.

use std::fmt::Write;

use nullcline::compiler::backend::rust::RUST;
use nullcline::compiler::kernel::interpret::Interpreter;
use nullcline::compiler::kernel::ir::{BufferId, BufferRole, Phase};
use nullcline::compiler::pass;
use nullcline::runtime::observe::Recording;
use nullcline::runtime::sim::RunError;
use nullcline::{EmbedOptions, Engine, Interrupt, Model};

use super::crates::Sources;
use super::shipped;

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

/// What the reference interpreter records, rows as far as they are finite.
fn expected(model: &Model) -> Recording {
    let mut prepared = model.compile(Engine::lookup("oracle").unwrap()).unwrap().load().unwrap();
    let mut recording = prepared.simulation.recording();
    match prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue) {
        Ok(_) | Err(RunError::Diverged(..)) => {}
        Err(error) => panic!("{error}"),
    }
    recording
}

fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

/// Compares rows and spikes with what was printed, and returns how many numbers and spikes there were.
fn compare(name: &str, expected: &Recording, rows: &str, spikes: &str) -> (usize, usize) {
    let single = name.ends_with("f32");
    let number = |v: &str| if single { f64::from(v.parse::<f32>().unwrap()) } else { v.parse().unwrap() };
    let rows: Vec<Vec<u64>> =
        rows.lines().skip(1).map(|line| line.split(',').skip(1).map(|v| bits(number(v))).collect()).collect();
    for row in 0..expected.times.len() {
        let expected: Vec<u64> = expected.columns.iter().map(|c| bits(c[row])).collect();
        assert!(rows.get(row).is_some_and(|found| *found == expected), "{name}, row {row}");
    }
    // A run that diverges ends; generated code goes on.
    let end = expected.times.last().copied().unwrap_or(f64::INFINITY);
    let diverged = expected.columns.iter().any(|c| c.last().is_some_and(|v| !v.is_finite()));
    let mut lines: Vec<(f64, String, u32)> = Vec::new();
    for line in spikes.lines().skip(1) {
        let [t, event, unit] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{name}: {line}") };
        lines.push((t.parse().unwrap(), event.to_string(), unit.parse().unwrap()));
    }
    let mut count = 0;
    for event in &expected.spikes {
        let found: Vec<(u64, u32)> = lines
            .iter()
            .filter(|l| l.1 == event.label.name && (!diverged || l.0 < end))
            .map(|l| (bits(l.0), l.2))
            .collect();
        let times = event.times.iter().filter(|t| !diverged || **t < end);
        let expected: Vec<(u64, u32)> = times.zip(&event.ids).map(|(t, id)| (bits(*t), *id)).collect();
        assert_eq!(found, expected, "{name}, spikes of {}", event.label.name);
        count += expected.len();
    }
    (expected.times.len() * expected.columns.len(), count)
}

/// The parts of a text that begin with a line `# name`.
fn sections(text: &str) -> Vec<(&str, &str)> {
    text.split("# ").skip(1).map(|section| section.split_once('\n').unwrap()).collect()
}

#[test]
fn code_that_depends_on_nothing_equals_the_reference() {
    let mut sources = Sources::new("embed");
    sources.lib = "#![deny(warnings)]\n".to_string();
    let models = models();
    let mut calls = String::new();
    for (name, model) in &models {
        let options = EmbedOptions { standalone: true, no_std: false };
        let made = model.embed(options).unwrap_or_else(|e| panic!("{name}: {e}"));
        let program = made.program("super::model::Model").replace("fn main", "pub fn main");
        // Spikes beside rows go to a file, for each model one.
        let file = format!("{}.spikes.csv", calls.len());
        let program = program.replace(&format!("{}.spikes.csv", made.name), &file);
        let at = sources.add(&made, &[("program", program)]);
        writeln!(calls, "    println!(\"# rows\");\n    {at}::program::main().unwrap();\n    spikes({file:?});")
            .unwrap();
    }
    let spikes = "fn spikes(file: &str) {\n    if let Ok(text) = std::fs::read_to_string(file) {\n        print!(\"# spikes\\n{text}\");\n    }\n}\n";
    writeln!(sources.lib, "{spikes}pub fn all() {{\n{calls}}}").unwrap();
    sources.write("models");
    sources.rustc(&["-C", "opt-level=1", "--crate-type", "rlib", "--crate-name", "models", "lib.rs"]);
    sources.rustc(&["--extern", "models=libmodels.rlib", "main.rs"]);
    let out = sources.run("main");
    let mut found = sections(&out).into_iter().peekable();
    let (mut numbers, mut spikes) = (0, 0);
    for (name, model) in &models {
        let (_, rows) = found.next().unwrap();
        let aside = found.next_if(|s| s.0 == "spikes").map(|s| s.1);
        let expected = expected(model);
        // Spikes alone take the place of rows.
        let done = match aside {
            None if !expected.spikes.is_empty() => compare(name, &expected, "", rows),
            aside => compare(name, &expected, rows, aside.unwrap_or_default()),
        };
        (numbers, spikes) = (numbers + done.0, spikes + done.1);
    }
    assert!(found.next().is_none());
    println!("{} models, {numbers} numbers, {spikes} spikes", models.len());
    assert!(models.len() >= 240 && numbers > 50_000 && spikes > 100, "{} models, {numbers}, {spikes}", models.len());
}

/// Rows and spikes of a simulation, a batch against single models, and the derivatives of the first state.
const CHECKS: &str = r##"
use nullcline_runtime::sim::{Interrupt, Schedule};

use super::model::Model;

pub fn all(steps: u64, every: u64, include_end: bool) {
    let mut simulation = Model::default().simulation();
    let mut recording = simulation.recording();
    let schedule = Schedule { steps, every, cutoff: 0.0, include_end };
    let _ = simulation.run(&schedule, &mut recording, &mut |_| Interrupt::Continue);
    println!("# rows\nt");
    for (row, t) in recording.times.iter().enumerate() {
        let values: Vec<String> = recording.columns.iter().map(|c| format!(",{}", c[row])).collect();
        println!("{t}{}", values.concat());
    }
    println!("# spikes\nt,event,unit");
    for spikes in &recording.spikes {
        for (t, id) in spikes.times.iter().zip(&spikes.ids) {
            println!("{t},{},{id}", spikes.label.name);
        }
    }
    let ahead = |k: u64| {
        let mut model = Model::default();
        model.run(k % 5);
        model
    };
    let mut together: Vec<Model> = (0..37).map(ahead).collect();
    let mut alone = together.clone();
    Model::run_batch(&mut together, 20);
    for (k, (one, other)) in together.iter_mut().zip(&mut alone).enumerate() {
        other.run(20);
        assert_eq!(format!("{:?}", one.state), format!("{:?}", other.state), "member {k}");
        assert_eq!((one.steps_done(), format!("{:?}", one.outputs())), (other.steps_done(), format!("{:?}", other.outputs())));
    }
    let mut model = Model::default();
    let state = model.state.clone();
    println!("# slope\n{:?}", model.derivative(0.0, &state));
}
"##;

/// The numbers of a struct as `Debug` prints it.
fn numbers_of(text: &str) -> Vec<u64> {
    let words = text.split(['{', '}', '[', ']', ',', ' ', ':', '\n']).filter(|w| !w.is_empty());
    words
        .filter(|w| {
            w.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) || ["NaN", "inf"].contains(w)
        })
        .map(|w| bits(w.parse().unwrap()))
        .collect()
}

/// The derivatives of the initial state by the interpreter; nothing for a model whose equations read the past or draw numbers.
fn slopes(model: &Model) -> Option<Vec<u64>> {
    let compiled = model.compile(Engine::lookup("oracle").unwrap()).unwrap();
    let precision = compiled.module.precision;
    let module = pass::slopes(compiled.system.clone(), compiled.scheme, precision, &RUST).unwrap();
    if !module.histories.is_empty() || !module.randoms.is_empty() {
        return None;
    }
    let mut interpreter = Interpreter::new(module);
    for phase in [Phase::Setup, Phase::Step] {
        interpreter.run(phase, 0, compiled.dt);
    }
    let module = interpreter.module();
    // The model has fields for the states of its steps only.
    let states = compiled.module.buffers.iter().filter(|b| matches!(b.role, BufferRole::State(_)));
    let mut values = Vec::new();
    for state in states {
        let buffer = module.buffers.iter().position(|b| b.role == state.role)?;
        let number = |v: &f64| match precision {
            nullcline::compiler::kernel::ir::Precision::F32 => bits((*v as f32).to_string().parse().unwrap()),
            _ => bits(*v),
        };
        values.extend(interpreter.read(BufferId(buffer as u32)).iter().map(number));
    }
    Some(values)
}

#[test]
fn code_with_the_runtime_equals_the_reference() {
    let mut sources = Sources::new("embed_runtime");
    sources.lib = "#![forbid(unsafe_code)]\n#![deny(warnings)]\n".to_string();
    let mut calls = String::new();
    // Each model once, in one precision or the other.
    let every_other = models().into_iter().enumerate().filter(|(i, _)| (i / 2) % 2 == i % 2).map(|(_, m)| m);
    let models: Vec<(String, Model)> = every_other.filter(|(_, m)| m.settings.inputs.is_empty()).collect();
    for (name, model) in &models {
        let options = EmbedOptions { standalone: false, no_std: false };
        let made = model.embed(options).unwrap_or_else(|e| panic!("{name}: {e}"));
        let schedule = model.compile(Engine::auto()).unwrap().schedule;
        let at = sources.add(&made, &[("checks", CHECKS.to_string())]);
        let (steps, every, end) = (schedule.steps, schedule.every, schedule.include_end);
        writeln!(calls, "    {at}::checks::all({steps}, {every}, {end});").unwrap();
    }
    writeln!(sources.lib, "pub fn all() {{\n{calls}}}").unwrap();
    sources.write("models");
    sources.runtime();
    let runtime = ["--extern", "nullcline_runtime=libnullcline_runtime.rlib", "-L", "."];
    sources.rustc(
        &[&["-C", "opt-level=1", "--crate-type", "rlib", "--crate-name", "models", "lib.rs"][..], &runtime].concat(),
    );
    sources.rustc(&[&["--extern", "models=libmodels.rlib", "main.rs"][..], &runtime].concat());
    let out = sources.run("main");
    let mut found = sections(&out).into_iter();
    let (mut numbers, mut spikes, mut slopes_compared) = (0, 0, 0);
    for (name, model) in &models {
        let parts: Vec<(&str, &str)> = found.by_ref().take(3).collect();
        let [("rows", rows), ("spikes", events), ("slope", slope)] = parts[..] else { panic!("{name}: {parts:?}") };
        let done = compare(name, &expected(model), rows, events);
        (numbers, spikes) = (numbers + done.0, spikes + done.1);
        if let Some(expected) = slopes(model) {
            assert_eq!(numbers_of(slope), expected, "{name}: {slope}");
            slopes_compared += expected.len();
        }
    }
    println!("{} models, {numbers} numbers, {spikes} spikes, {slopes_compared} derivatives", models.len());
    assert!(models.len() >= 100 && numbers > 20_000 && spikes > 50 && slopes_compared > 150);
}
