//! The reference workloads beside C programs written by hand, compiled and run alternately on this machine.
//!
//! `cargo bench --bench workloads` prints CPU seconds (medians), the ratio to C (`cc -O3 -march=native` keeping IEEE rules,
//! and with `-ffast-math`), and what share of the multiply-adds one core can do, measured in the same run, the operations
//! of the step make. Single thread. docs/performance.md explains the numbers.
#![allow(clippy::unwrap_used, missing_docs)]

mod beside;

use std::num::NonZeroUsize;

use beside::columns::{column, population};
use beside::peak::{Peak, operations};
use beside::{compile, cpu_seconds, median, prepare, run_program};
use nullcline::runtime::observe::Recording;
use nullcline::{Engine, Interrupt};

/// Alternations of C and nullcline.
const ROUNDS: usize = 7;

/// One workload.
struct Workload {
    name: &'static str,
    /// C source and arguments.
    program: (&'static str, &'static [&'static str]),
    /// The model as YAML, with its settings.
    model: fn() -> String,
    /// Whether the model is one mean field, whose `eta` a batch varies.
    batch: bool,
    /// A column of the last row, and what it must be (relative 1e-8): a published number, or what the C program prints.
    golden: (&'static str, Option<f64>),
}

fn main() {
    let workloads = [
        Workload {
            name: "w1: one Jansen-Rit column, 1e6 steps",
            program: ("w1", &["1000000", "1"]),
            model: column,
            batch: false,
            golden: ("y0", Some(0.120635603293)),
        },
        Workload {
            name: "10,000 Jansen-Rit columns, 1e3 steps",
            program: ("columns", &["10000", "1000"]),
            model: columns,
            batch: false,
            golden: ("y0", None),
        },
        Workload {
            name: "w5: 10,000 mean fields, 1e4 Euler steps",
            program: ("w5", &["0", "10000", "10000", "1"]),
            model: || mean_fields("euler"),
            batch: false,
            golden: ("r", Some(1.36752604273)),
        },
        Workload {
            name: "w5: 10,000 mean fields, 1e4 rk4 steps",
            program: ("w5", &["1", "10000", "10000", "1"]),
            model: || mean_fields("rk4"),
            batch: false,
            golden: ("r", Some(1.92323776565)),
        },
        Workload {
            name: "w5 as a batch, compilation included, Euler",
            program: ("w5", &["0", "10000", "10000", "1"]),
            model: || mean_field("euler"),
            batch: true,
            golden: ("r[9999]", Some(1.36752604273)),
        },
        Workload {
            name: "w5 as a batch, compilation included, rk4",
            program: ("w5", &["1", "10000", "10000", "1"]),
            model: || mean_field("rk4"),
            batch: true,
            golden: ("r[9999]", Some(1.92323776565)),
        },
    ];
    let peak = Peak::measure();
    let head = ["C strict", "C fast", "here", "/strict", "/fast", "of peak"];
    println!(
        "{:<42}{:>9}{:>9}{:>9}{:>8}{:>8}{:>9}",
        "CPU seconds", head[0], head[1], head[2], head[3], head[4], head[5]
    );
    for workload in workloads {
        let strict = compile(workload.program.0, &[]);
        let fast = compile(workload.program.0, &["-ffast-math"]);
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        let mut operations = 0.0;
        for _ in 0..ROUNDS {
            let (seconds, value) = run_program(&strict, workload.program.1);
            times[0].push(seconds);
            times[1].push(run_program(&fast, workload.program.1).0);
            let (seconds, done) = run_here(&workload, value);
            times[2].push(seconds);
            operations = done;
        }
        let [strict, fast, here] = times.map(median);
        let (name, share) = (workload.name, operations / here / peak.operations * 100.0);
        println!(
            "{name:<42}{strict:>9.4}{fast:>9.4}{here:>9.4}{:>8.2}{:>8.2}{share:>7.0} %",
            here / strict,
            here / fast
        );
    }
}

/// CPU seconds of the simulation alone, recording included, of a batch with its compilation; and its operations.
fn run_here(workload: &Workload, value: Option<f64>) -> (f64, f64) {
    let model = beside::model((workload.model)());
    let mut start = cpu_seconds();
    let (mut prepared, operations) = if workload.batch {
        let batch = model.batch(&[("eta", etas())]).unwrap();
        let compiled = batch.compile(0..batch.members()).unwrap();
        let operations = operations(&compiled.module);
        let mut prepared = compiled.load().unwrap();
        prepared.simulation.set_threads(NonZeroUsize::MIN);
        (prepared, operations)
    } else {
        (prepare(&model), operations(&model.compile(Engine::auto()).unwrap().module))
    };
    let mut recording = Recording::new(prepared.simulation.labels());
    if !workload.batch {
        start = cpu_seconds();
    }
    let summary = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    let seconds = cpu_seconds() - start;
    let (name, expected) = workload.golden;
    let expected = expected.or(value).expect("a published value, or one of the C program");
    let found = *recording.columns[recording.labels.iter().position(|l| l.name == name).unwrap()].last().unwrap();
    assert!((found / expected - 1.0).abs() < 1e-8, "{}: {found}, expected {expected}", workload.name);
    (seconds, operations * summary.steps as f64)
}

/// 10,000 columns, of which the last one is recorded at the end.
fn columns() -> String {
    population(10_000, 1000).replace("sample_every: 1e-3", "sample_every: 0.1").replace("'y0'", "'y0[9999]'")
}

/// The parameter of 10,000 mean fields.
fn etas() -> Vec<f64> {
    (0..10_000).map(|k| -10.0 + 15.0 * f64::from(k) / 9999.0).collect()
}

/// One mean field.
fn mean_field(scheme: &str) -> String {
    format!(
        "
field:
  base: OperatorTemplate
  equations: [r' = 1/pi + 2*r*v, v' = v^2 + eta + 15*r - (pi*r)^2]
  variables: {{r: output(0.1), v: variable(-1.0), eta: 0.0}}
unit: {{base: NodeTemplate, operators: [field]}}
net: {{base: CircuitTemplate, nodes: {{p: unit}}}}
simulate: {{duration: 10.0, dt: 1e-3, scheme: {scheme}, sample_every: 10.0, include_end: true}}
"
    )
}

/// Montbrio, Pazo and Roxin's mean field, 10,000 times, with `eta` from -10 to 5; the last one is recorded.
fn mean_fields(scheme: &str) -> String {
    let eta: Vec<String> = etas().iter().map(|eta| format!("{eta:?}")).collect();
    format!(
        "
field:
  base: OperatorTemplate
  equations: [r' = 1/pi + 2*r*v, v' = v^2 + eta + 15*r - (pi*r)^2]
  variables: {{r: output(0.1), v: variable(-1.0), eta: 0.0}}
fields: {{base: NodeTemplate, n: 10000, operators: {{field: {{eta: [{}]}}}}}}
net: {{base: CircuitTemplate, nodes: {{p: fields}}}}
simulate: {{duration: 10.0, dt: 1e-3, scheme: {scheme}, sample_every: 10.0, include_end: true, record: {{r: 'r[9999]'}}}}
",
        eta.join(", ")
    )
}
