//! The reference workloads beside C programs written by hand, compiled and run alternately on this machine.
//!
//! `cargo bench --bench workloads` prints CPU seconds (medians) and the ratio to C: `cc -O3 -march=native` keeping IEEE
//! rules, and with `-ffast-math`. Single thread. docs/performance.md explains the numbers.
#![allow(clippy::unwrap_used, missing_docs)]

mod beside;

use beside::{compile, cpu_seconds, median, run_program};
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::observe::Recording;
use nullcline::{Engine, Interrupt, Model};

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
    /// A column of the last row, and what it must be (relative 1e-8).
    golden: (&'static str, f64),
}

fn main() {
    let workloads = [
        Workload {
            name: "w1: one Jansen-Rit column, 1e6 steps",
            program: ("w1", &["1000000", "1"]),
            model: column,
            batch: false,
            golden: ("y0", 0.120635603293),
        },
        Workload {
            name: "w5: 10,000 mean fields, 1e4 Euler steps",
            program: ("w5", &["0", "10000", "10000", "1"]),
            model: || mean_fields("euler"),
            batch: false,
            golden: ("r", 1.36752604273),
        },
        Workload {
            name: "w5: 10,000 mean fields, 1e4 rk4 steps",
            program: ("w5", &["1", "10000", "10000", "1"]),
            model: || mean_fields("rk4"),
            batch: false,
            golden: ("r", 1.92323776565),
        },
        Workload {
            name: "w5 as a batch, compilation included, Euler",
            program: ("w5", &["0", "10000", "10000", "1"]),
            model: || mean_field("euler"),
            batch: true,
            golden: ("r[9999]", 1.36752604273),
        },
        Workload {
            name: "w5 as a batch, compilation included, rk4",
            program: ("w5", &["1", "10000", "10000", "1"]),
            model: || mean_field("rk4"),
            batch: true,
            golden: ("r[9999]", 1.92323776565),
        },
    ];
    println!("{:<42}{:>9}{:>9}{:>9}{:>8}{:>8}", "CPU seconds", "C strict", "C fast", "here", "/strict", "/fast");
    for workload in workloads {
        let strict = compile(workload.program.0, &[]);
        let fast = compile(workload.program.0, &["-ffast-math"]);
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            times[0].push(run_program(&strict, workload.program.1));
            times[1].push(run_program(&fast, workload.program.1));
            times[2].push(run_here(&workload));
        }
        let [strict, fast, here] = times.map(median);
        let name = workload.name;
        println!("{name:<42}{strict:>9.4}{fast:>9.4}{here:>9.4}{:>8.2}{:>8.2}", here / strict, here / fast);
    }
}

/// CPU seconds of the simulation alone, recording included; of a batch with its compilation.
fn run_here(workload: &Workload) -> f64 {
    let library = MemoryLibrary::new().with("w.yaml", (workload.model)());
    let model = Model::load(&library, "w.yaml", None).unwrap();
    let mut start = cpu_seconds();
    let mut prepared = if workload.batch {
        let batch = model.batch(&[("eta", etas())]).unwrap();
        batch.simulation(0..batch.members()).unwrap()
    } else {
        model.compile(Engine::auto()).unwrap().load().unwrap()
    };
    let mut recording = Recording::new(prepared.simulation.labels());
    if !workload.batch {
        start = cpu_seconds();
    }
    prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    let seconds = cpu_seconds() - start;
    let (name, expected) = workload.golden;
    let found = *recording.columns[recording.labels.iter().position(|l| l.name == name).unwrap()].last().unwrap();
    assert!((found / expected - 1.0).abs() < 1e-8, "{}: {found}, expected {expected}", workload.name);
    seconds
}

/// Jansen and Rit's column as one operator; y1 - y2 is recorded every 10 steps, y0 for the check.
fn column() -> String {
    "
column:
  base: OperatorTemplate
  equations:
    - y0' = y3
    - y1' = y4
    - y2' = y5
    - y3' = A*a*S(y1 - y2) - 2*a*y3 - a^2*y0
    - y4' = A*a*(p + 0.8*C*S(C*y0)) - 2*a*y4 - a^2*y1
    - y5' = B*b*0.25*C*S(0.25*C*y0) - 2*b*y5 - b^2*y2
    - v = y1 - y2
  variables: {v: output, y0: variable, y1: variable, y2: variable, y3: variable, y4: variable, y5: variable,
    p: 220.0, A: 3.25, B: 22.0, a: 100.0, b: 50.0, C: 135.0}
functions:
  S: {args: [x], expr: 5.0/(1 + exp(0.56*(6.0 - x)))}
simulate: {duration: 100.0, dt: 1e-4, scheme: euler, sample_every: 1e-3, include_end: true, record: {v: v, y0: y0}}
"
    .to_string()
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
