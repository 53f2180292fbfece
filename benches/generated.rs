//! Generated Rust beside C programs written by hand, and beside the engines where a matrix is multiplied.
//!
//! `cargo bench --bench generated [NAME]` writes each model as standalone Rust, compiles it (`rustc -C opt-level=3`, for any
//! processor of the kind: it chooses when it runs) with a program around it, runs that and the reference alternately, and
//! prints CPU seconds (medians) and the ratio. C is `cc -O3 -march=native`, with `-ffast-math` where that is said. Single
//! thread. docs/performance.md explains the numbers.
#![allow(clippy::unwrap_used, missing_docs)]

mod beside;

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;

use beside::{compile, cpu_seconds, median, run_program};
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::{EmbedOptions, Engine, Model};

/// Alternations of the reference and generated Rust.
const ROUNDS: usize = 7;

/// What a workload is measured against.
enum Reference {
    /// A program: source, options and arguments.
    C(&'static str, &'static [&'static str], &'static [&'static str]),
    /// The default engine, for so many steps.
    Engine(u64),
}

/// One workload.
struct Workload {
    name: &'static str,
    reference: Reference,
    /// The library that has the model as `w.yaml`, with its settings.
    library: fn() -> MemoryLibrary,
    /// The function `work` of the program: what is timed, after `let mut` of what it needs. Returns CPU seconds and a value.
    work: &'static str,
    /// What the value must be (relative 1e-8), unless the reference prints it.
    golden: Option<f64>,
    /// The highest ratio that is good enough.
    bar: f64,
}

fn main() {
    let column = "let mut rows = vec![Outputs::default(); 100_000];
        let mut model = Model::default();
        let start = cpu();
        model.run_into(10, &mut rows);
        (cpu() - start, model.state.y0)";
    let columns = "let member = |k: u32| Model::new(Parameters { p: 120.0 + 200.0 * f64::from(k) / 9999.0, ..Parameters::default() });
        let mut models: Vec<Model> = (0..10_000).map(member).collect();
        let start = cpu();
        Model::run_batch(&mut models, 1000);
        (cpu() - start, models[9999].state.y0)";
    let neurons = "let mut model = Model::default();
        let mut spikes = Vec::with_capacity(1 << 20);
        let start = cpu();
        model.run_spiking(STEPS, |spike| spikes.push((spike.step, spike.unit)));
        (cpu() - start, spikes.len() as f64)";
    let rates = "let mut model = Model::default();
        let start = cpu();
        model.run(1000);
        (cpu() - start, model.outputs().first.into())";
    let workloads = [
        Workload {
            name: "w1: one Jansen-Rit column, 1e6 steps",
            reference: Reference::C("w1", &[], &["1000000", "1"]),
            library: || library(COLUMN),
            work: column,
            golden: Some(0.120635603293),
            bar: 1.1,
        },
        Workload {
            name: "10,000 columns, 1e3 steps, libm",
            reference: Reference::C("columns", &[], &["10000", "1000"]),
            library: || library(COLUMN),
            work: columns,
            golden: None,
            bar: 0.4,
        },
        Workload {
            name: "1,000 Izhikevich neurons, 1e4 steps",
            reference: Reference::C("izhikevich", &[], &["1000", "10000"]),
            library: || izhikevich(1000),
            work: neurons,
            golden: None,
            bar: 1.1,
        },
        Workload {
            name: "100,000 Izhikevich neurons, 1e3 steps",
            reference: Reference::C("izhikevich", &[], &["100000", "1000"]),
            library: || izhikevich(100_000),
            work: neurons,
            golden: None,
            bar: 1.1,
        },
        Workload {
            name: "w3: 1000 rate units, f64, C fast",
            reference: Reference::C("w3", &["-ffast-math"], &["1000", "1000"]),
            library: || rate_units("f64"),
            work: rates,
            golden: Some(-0.318823307035),
            bar: f64::INFINITY,
        },
        Workload {
            name: "w3: the same beside the engine",
            reference: Reference::Engine(1000),
            library: || rate_units("f64"),
            work: rates,
            golden: Some(-0.318823307035),
            bar: f64::INFINITY,
        },
        Workload {
            name: "w3: 1000 rate units, f32, C fast",
            reference: Reference::C("w3", &["-ffast-math", "-DREAL=float"], &["1000", "1000"]),
            library: || rate_units("f32"),
            work: rates,
            golden: Some(-0.318823307035),
            bar: f64::INFINITY,
        },
        Workload {
            name: "w3: the same beside the engine, f32",
            reference: Reference::Engine(1000),
            library: || rate_units("f32"),
            work: rates,
            golden: Some(-0.318823307035),
            bar: f64::INFINITY,
        },
    ];
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    println!("{:<42}{:>11}{:>9}{:>8}{:>6}", "CPU seconds", "reference", "here", "ratio", "bar");
    for (index, workload) in workloads.iter().enumerate() {
        if wanted.as_ref().is_some_and(|w| !workload.name.contains(&**w)) {
            continue;
        }
        let model = Model::load(&(workload.library)(), "w.yaml", None).unwrap();
        let here = build(&format!("generated_{index}"), &model, workload);
        let mut reference: Box<dyn FnMut() -> (f64, Option<f64>)> = match workload.reference {
            Reference::C(source, options, arguments) => {
                let program = compile(source, options);
                Box::new(move || run_program(&program, arguments))
            }
            Reference::Engine(steps) => Box::new(move || (engine(&model, steps), None)),
        };
        let (mut there, mut times) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (seconds, printed) = reference();
            there.push(seconds);
            let (seconds, found) = run_program(&here, &[]);
            times.push(seconds);
            let (found, expected) = (found.unwrap(), workload.golden.or(printed).unwrap());
            // Single precision is as near as the sums of a thousand products are.
            let tolerance = if workload.name.contains("f32") { 1e-4 } else { 1e-8 };
            let error = (found / expected - 1.0).abs();
            assert!(error < tolerance, "{}: {found}, expected {expected}", workload.name);
        }
        let (there, here) = (median(there), median(times));
        let bar = if workload.bar.is_finite() { workload.bar.to_string() } else { String::new() };
        println!("{:<42}{there:>11.4}{here:>9.4}{:>8.2}{bar:>6}", workload.name, here / there);
    }
}

/// The program around the model, compiled.
fn build(name: &str, model: &Model, workload: &Workload) -> String {
    let made = model.embed(EmbedOptions { standalone: true, no_std: false }).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("model.rs"), &made.source).unwrap();
    for (file, contents) in &made.files {
        fs::write(folder.join(file), contents).unwrap();
    }
    let steps = match workload.reference {
        Reference::C(_, _, [_, steps]) => steps,
        _ => "0",
    };
    let program = PROGRAM.replace("WORK", workload.work).replace("STEPS", steps);
    fs::write(folder.join("main.rs"), program).unwrap();
    let rustc = std::env::var("RUSTC").unwrap_or("rustc".to_string());
    let options = ["--edition", "2024", "-C", "opt-level=3", "-C", "codegen-units=1", "-A", "warnings", "main.rs"];
    assert!(Command::new(rustc).args(options).current_dir(&folder).status().unwrap().success());
    folder.join("main").display().to_string()
}

/// CPU seconds of steps on the default engine.
fn engine(model: &Model, steps: u64) -> f64 {
    let mut prepared = model.compile(Engine::auto()).unwrap().load().unwrap();
    prepared.simulation.set_threads(NonZeroUsize::MIN);
    let start = cpu_seconds();
    prepared.simulation.advance(steps).unwrap();
    cpu_seconds() - start
}

/// A program that prints what the C programs print.
const PROGRAM: &str = r#"
mod model;

use model::*;

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

unsafe extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

/// CPU seconds of this process so far.
fn cpu() -> f64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: `time` is valid for writing; 2 is the clock of the process.
    unsafe { clock_gettime(2, &raw mut time) };
    time.seconds as f64 + time.nanoseconds as f64 * 1e-9
}

fn work() -> (f64, f64) {
    WORK
}

fn main() {
    let (seconds, value) = work();
    println!("T {seconds} {seconds}\nV {value:?}");
}
"#;

/// Jansen and Rit's column as an operator.
const COLUMN: &str =
    concat!(include_str!("beside/column.yaml"), "simulate: {duration: 1.0, dt: 1e-4, scheme: euler, record: {v: v}}\n");

fn library(text: &str) -> MemoryLibrary {
    MemoryLibrary::new().with("w.yaml", text)
}

/// Neurons that differ in their input, whose spikes are recorded.
fn izhikevich(n: usize) -> MemoryLibrary {
    let inputs: Vec<String> = (0..n).map(|k| format!("{:?}", 4.0 + 16.0 * k as f64 / (n - 1) as f64)).collect();
    let inputs = inputs.join(", ");
    library(&format!(
        "
neuron:
  base: OperatorTemplate
  equations: [\"v' = 0.04*v*v + 5*v + 140 - u + i\", \"u' = a*(b*v - u)\"]
  variables: {{v: output(-65.0), u: variable(-13.0), i: 0.0, a: 0.02, b: 0.2}}
  events: {{spike: {{when: v >= 30, reset: {{v: -65, u: u + 8}}}}}}
neurons: {{base: NodeTemplate, n: {n}, operators: {{neuron: {{i: [{inputs}]}}}}}}
net: {{base: CircuitTemplate, nodes: {{p: neurons}}}}
simulate: {{duration: 1.0, dt: 0.1, scheme: euler, record: {{spike: p/neuron/spike}}}}
"
    ))
}

/// Counter-based SplitMix64, as in `c/common.h`.
fn unit(seed: u64, index: usize) -> f64 {
    let mut z = seed.wrapping_add((index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 11) as f64 / 9_007_199_254_740_992.0
}

/// A thousand rate units with a dense matrix.
fn rate_units(precision: &str) -> MemoryLibrary {
    const N: usize = 1000;
    let numbers = |seed, first: usize, scale: f64| {
        let each = (first..first + N).map(|e| format!("{:?}", scale * (2.0 * unit(seed, e) - 1.0)));
        each.collect::<Vec<String>>().join(", ")
    };
    let scale = 0.9 * (3.0 / N as f64).sqrt();
    let rows: Vec<String> = (0..N).map(|row| numbers(31, row * N, scale)).collect();
    let (drive, initial) = (numbers(32, 0, 1.0), numbers(33, 0, 1.0));
    library(&format!(
        "
rate:
  base: OperatorTemplate
  equations: [\"x' = u - x + b*sin(2*pi*t/10)\", r = tanh(x)]
  variables: {{x: variable(0.0), r: output, u: input(0.0), b: 0.0}}
units: {{base: NodeTemplate, n: {N}, operators: {{rate: {{b: [{drive}], x: [{initial}]}}}}}}
net:
  base: CircuitTemplate
  nodes: {{p: units}}
  edges: [[p/rate/r, p/rate/u, null, {{weight: J.csv}}]]
simulate: {{duration: 1.0, dt: 0.1, scheme: euler, precision: {precision}, record: {{first: 'p/rate/x[0]'}}}}
"
    ))
    .with("J.csv", rows.join("\n"))
}
