//! The reference workloads beside C programs written by hand, compiled and run alternately on this machine.
//!
//! `cargo bench --bench workloads` prints CPU seconds (medians), the ratio to C (`cc -O3 -march=native` keeping IEEE rules,
//! and with `-ffast-math`), and what share of the multiply-adds one core can do, measured in the same run, the operations
//! of the step make. Then what recording everything costs beside recording one variable. Single thread. docs/performance.md
//! explains the numbers.
#![allow(clippy::unwrap_used, missing_docs)]

mod beside;

use std::num::NonZeroUsize;
use std::process::Command;

use beside::{compile, cpu_seconds, median, run_program};
use nullcline::compiler::ir::prim::arith;
use nullcline::compiler::kernel::ir::{Body, Module, Stmt, ValueOp};
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::observe::{Recording, Sink};
use nullcline::{Engine, Interrupt, Model, Prepared};

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
    let peak = peak();
    println!("one core: {:.1} GFLOP/s of multiply-adds, {:.1} GB/s read from memory\n", peak.0, peak.1);
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
        let (name, share) = (workload.name, operations / here / peak.0 / 1e9 * 100.0);
        println!(
            "{name:<42}{strict:>9.4}{fast:>9.4}{here:>9.4}{:>8.2}{:>8.2}{share:>7.0} %",
            here / strict,
            here / fast
        );
    }
    recording();
}

/// A model that is recorded in two ways: name, text, one variable, all variables.
type Recorded = (&'static str, fn() -> String, &'static str, &'static str);

/// What recording every variable costs beside recording one: CPU seconds of both, and their ratio.
fn recording() {
    println!("\n{:<42}{:>9}{:>9}{:>8}", "CPU seconds", "one", "all", "ratio");
    let cases: [Recorded; 2] = [
        ("w1, a row every 10 steps", column, "{v: v}", "{y0: y0, y1: y1, y2: y2, y3: y3, y4: y4, y5: y5, v: v}"),
        (
            "100 columns, a row every 10 steps",
            || population(100, 10_000),
            "{v: v}",
            "{y0: y0, y1: y1, y2: y2, y3: y3, y4: y4, y5: y5, v: v}",
        ),
    ];
    for (name, model, one, all) in cases {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (times, record) in times.iter_mut().zip([one, all]) {
                let text = model();
                let (head, _) = text.split_once("record: ").unwrap();
                let library = MemoryLibrary::new().with("w.yaml", format!("{head}record: {record}}}\n"));
                let mut prepared = prepare(&Model::load(&library, "w.yaml", None).unwrap());
                let mut sums = Sums(0.0);
                let start = cpu_seconds();
                prepared.simulation.run(&prepared.schedule, &mut sums, &mut |_| Interrupt::Continue).unwrap();
                times.push(cpu_seconds() - start);
                assert!(sums.0.is_finite());
            }
        }
        let [one, all] = times.map(median);
        println!("{name:<42}{one:>9.4}{all:>9.4}{:>8.2}", all / one);
    }
}

/// A sink that looks at every number and keeps none.
struct Sums(f64);

impl Sink for Sums {
    fn row(&mut self, _time: f64, values: &[f64]) -> std::io::Result<()> {
        // Eight sums side by side: one alone waits for itself longer than recording takes.
        let (eights, rest) = values.as_chunks::<8>();
        let mut sums = [0.0; 8];
        for eight in eights {
            for (sum, value) in sums.iter_mut().zip(eight) {
                *sum += value;
            }
        }
        self.0 += sums.iter().chain(rest).sum::<f64>();
        Ok(())
    }
}

fn prepare(model: &Model) -> Prepared {
    let mut prepared = model.compile(Engine::auto()).unwrap().load().unwrap();
    prepared.simulation.set_threads(NonZeroUsize::MIN);
    prepared
}

/// Floating-point operations of one step of a module, a multiply-add counting as two.
fn operations(module: &Module) -> f64 {
    let of_kernel = |kernel: &usize| {
        let Body::Pointwise(body) = &module.kernels[*kernel].body else { return 0 };
        let calls = body.iter().map(|stmt| match stmt {
            Stmt::Let(_, ValueOp::Call(prim, _)) if **prim == arith::FMA => 2,
            Stmt::Let(_, ValueOp::Call(..)) => 1,
            _ => 0,
        });
        calls.sum::<usize>() * module.kernels[*kernel].extent
    };
    module.step.iter().map(of_kernel).sum::<usize>() as f64
}

/// GFLOP/s of multiply-adds and GB/s of reading memory, of one core.
fn peak() -> (f64, f64) {
    let out = Command::new(compile("peak", &[])).output().unwrap();
    let out = String::from_utf8(out.stdout).unwrap();
    let numbers: Vec<f64> = out.split_whitespace().skip(1).map(|n| n.parse().unwrap()).collect();
    (numbers[0], numbers[1])
}

/// CPU seconds of the simulation alone, recording included, of a batch with its compilation; and its operations.
fn run_here(workload: &Workload, value: Option<f64>) -> (f64, f64) {
    let library = MemoryLibrary::new().with("w.yaml", (workload.model)());
    let model = Model::load(&library, "w.yaml", None).unwrap();
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

/// Jansen and Rit's column as an operator.
const COLUMN: &str = "
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
";

/// One column; y1 - y2 is recorded every 10 steps, y0 for the check.
fn column() -> String {
    format!(
        "{COLUMN}simulate: {{duration: 100.0, dt: 1e-4, scheme: euler, sample_every: 1e-3, include_end: true, \
         record: {{v: v, y0: y0}}}}\n"
    )
}

/// Columns that differ in their input, for so many steps.
fn population(n: usize, steps: usize) -> String {
    let inputs: Vec<String> = (0..n).map(|k| format!("{:?}", 120.0 + 200.0 * k as f64 / (n - 1) as f64)).collect();
    let (inputs, duration) = (inputs.join(", "), steps as f64 * 1e-4);
    format!(
        "{COLUMN}columns: {{base: NodeTemplate, n: {n}, operators: {{column: {{p: [{inputs}]}}}}}}
net: {{base: CircuitTemplate, nodes: {{c: columns}}}}
simulate: {{duration: {duration:?}, dt: 1e-4, scheme: euler, sample_every: 1e-3, include_end: true, record: {{y0: 'y0'}}}}
"
    )
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
