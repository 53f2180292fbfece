//! Recording: rows of small models and of ensembles are recorded by the launches that run the steps.

use std::sync::atomic::{AtomicUsize, Ordering};

use nullcline::compiler::backend::ptx::{self, PTX};
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::code::Entry;
use nullcline::runtime::device::Launcher;
use nullcline::{Engine, Interrupt, Model};

use super::bits_of;
use super::interpreter::{Machine, REFERENCE};
use super::watched::Watched;

/// Launches made.
static LAUNCHES: AtomicUsize = AtomicUsize::new(0);

static COUNTING: Engine = Engine {
    name: "ptx, counted",
    target: &PTX,
    device: "cpu",
    load: |module, _| {
        let artifact = ptx::artifact(&module, &ptx::Options::default());
        let launched = |_: &Entry| {
            LAUNCHES.fetch_add(1, Ordering::Relaxed);
        };
        let machine = Watched { machine: Machine::new(&artifact.code)?, launched, product: None };
        Ok(Box::new(Launcher::new(artifact, "ptx", machine)?))
    },
    doc: "executes PTX",
};

/// Units by themselves, of which a state, something computed of it, an input and its delayed value are recorded.
const ALONE: &str = "
op:
  base: OperatorTemplate
  equations: [\"x' = -k*x + u + 0.1*randn()\", \"z = x^2 + past(x, 0.3)\"]
  variables: {x: variable(0.5), z: variable, k: 1.0, u: input(0.0)}
unit: {base: NodeTemplate, operators: [op]}
net: {base: CircuitTemplate, nodes: {a: unit}}
simulate: {duration: 3.0, dt: 0.01, seed: 7, inputs: {a/op/u: \"sin(t)\"}, record: {x: a/op/x, z: a/op/z, u: a/op/u}}
";

/// Units that read each other and a common input; columns of all units, of some, and of their mean.
const TOGETHER: &str = "
op:
  base: OperatorTemplate
  equations: [\"x' = -k*x + tanh(r) + m\", \"z = x - r\"]
  variables: {x: output(0.5), z: variable, k: 1.0, r: input(0.0), m: input(0.0)}
unit: {base: NodeTemplate, n: 5, operators: {op: {x: {uniform: [0.0, 1.0]}}}}
net:
  base: CircuitTemplate
  nodes: {a: unit}
  edges: [[a/op/x, a/op/r, null, {weight: 0.4, delay: 0.05, connectivity: {fixed_indegree: {k: 2}}}]]
simulate: {duration: 3.0, dt: 0.01, inputs: {a/op/m: \"sin(t)\"}, record: {z: a/op/z, x: a/op/x, m: a/op/m}}
";

fn model(text: &str, precision: &str) -> Model {
    let library = MemoryLibrary::new().with("m.yaml", text);
    let mut model = Model::load(&library, "m.yaml", None).unwrap_or_else(|e| panic!("{e}"));
    model.settings.precision = Some(model.name("precision", precision));
    model
}

/// What members record, and by how many launches after the first row.
fn record(model: &Model, (members, every): (usize, u64), engine: &'static Engine) -> (Vec<Vec<u64>>, usize) {
    let values: Vec<f64> = (0..members).map(|m| 1.0 + m as f64 / members as f64).collect();
    let batch = model.batch_on(&[("a/op/k", values)], engine).unwrap_or_else(|e| panic!("{e}"));
    let mut prepared = batch.simulation(0..members).unwrap_or_else(|e| panic!("{e}"));
    prepared.schedule.every = every;
    let mut recording = prepared.simulation.recording();
    // What is done once: parameters, histories.
    prepared.simulation.state().unwrap();
    let before = LAUNCHES.load(Ordering::Relaxed);
    let run = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
    run.unwrap_or_else(|e| panic!("{e}"));
    (bits_of(&recording), LAUNCHES.load(Ordering::Relaxed) - before)
}

#[test]
fn rows_need_no_launches_of_their_own() {
    for text in [ALONE, TOGETHER] {
        for precision in ["f64", "f32"] {
            let model = model(text, precision);
            // One network, some in one block, and more than fit one.
            for members in [1, 4, 300] {
                for every in [1, 7, 150, 300] {
                    let run = (members, every);
                    let (expected, _) = record(&model, run, &REFERENCE);
                    let (found, launches) = record(&model, run, &COUNTING);
                    assert!(found == expected, "{members} members, {precision}, every {every} steps\n{text}");
                    // 300 steps fit one launch; a simulation hands over what it has recorded now and then. A row that is not
                    // followed by all of its steps is left to other launches.
                    let (rows, columns) = (found[0].len(), found.len());
                    let rest = if 300 % every == 0 { 0 } else { 12 };
                    let most = rows.div_ceil((1 << 18) / columns) + rest;
                    assert!(launches <= most, "{launches} launches for {rows} rows of {columns} columns");
                }
            }
        }
    }
}
