//! Batches: every member has the numbers of a run of its own.
#![allow(clippy::unwrap_used)]

#[path = "support/models.rs"]
mod models;

use std::num::NonZeroUsize;

use nullcline::compiler::model::Role;
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::observe::Recording;
use nullcline::{Batch, ENGINES, Engine, Interrupt, Model, Prepared};

/// Steps of each model: enough for delays to come round.
const STEPS: u64 = 150;

fn record(mut prepared: Prepared, threads: usize) -> Recording {
    prepared.simulation.set_threads(NonZeroUsize::new(threads).unwrap());
    prepared.schedule.steps = prepared.schedule.steps.min(STEPS);
    prepared.schedule.every = 1;
    prepared.schedule.cutoff = 0.0;
    let mut recording = Recording::new(prepared.simulation.labels());
    let simulation = prepared.simulation.with_independent_columns();
    let mut simulation = simulation;
    simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    recording
}

fn bits(column: &[f64]) -> Vec<u64> {
    column.iter().map(|v| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() }).collect()
}

/// Compares the members of a batch, compiled in pieces of `most`, with runs of their own; returns whether any piece had
/// several members.
fn compare(batch: &Batch, engine: &'static Engine, most: usize, what: &str) -> bool {
    let (mut from, mut several) = (0, false);
    while from < batch.members() {
        let piece = batch.piece(from, most);
        several |= piece.len() > 1;
        let together = record(batch.simulation(piece.clone()).unwrap(), 1 + most % 3);
        let width = together.columns.len() / piece.len();
        for (k, member) in piece.clone().enumerate() {
            let alone = record(batch.member(member).unwrap().compile(engine).unwrap().load().unwrap(), 1);
            assert_eq!(alone.columns.len(), width, "{what}");
            for (c, column) in alone.columns.iter().enumerate() {
                let (label, found) = (&together.labels[k * width + c].name, &together.columns[k * width + c]);
                assert_eq!(*label, format!("{}[{member}]", alone.labels[c].name), "{what}");
                assert_eq!(bits(found), bits(column), "{what}, {}, {label}", engine.name);
            }
        }
        from = piece.end;
    }
    several
}

/// Every parameter and state of a model that can be varied, by its path, with its first number.
fn variable_paths(model: &Model) -> Vec<(String, f64)> {
    let mut paths = Vec::new();
    for population in &model.circuit.populations {
        for operator in &population.operators {
            for variable in operator.variables.iter().filter(|v| v.role != Role::Output) {
                let value = variable.value.first().map_or(0.0, |v| v.re);
                paths.push((format!("{}/{}/{}", population.path, operator.name, variable.name), value));
            }
        }
    }
    paths
}

#[test]
fn members_of_every_model_equal_runs_of_their_own_bit_for_bit() {
    let (mut count, mut together) = (0, 0);
    for (index, (name, mut model)) in models::models().enumerate() {
        // rk4 for every other model.
        if index % 2 == 0 {
            model.settings.scheme = Some(model.name("scheme", "rk4"));
        }
        // As many values as can be varied together, up to four.
        let mut varied: Vec<(String, Vec<f64>)> = Vec::new();
        for (path, value) in variable_paths(&model) {
            let one = (path, vec![value + 0.01, value, value * 1.01 + 0.02]);
            let alone = model.batch_on(std::slice::from_ref(&one), Engine::auto());
            let usable =
                alone.is_ok_and(|b| b.piece(0, 3).len() == 3 && b.member(2).unwrap().compile(Engine::auto()).is_ok());
            if usable {
                varied.push(one);
            }
            if varied.len() == 4 {
                break;
            }
        }
        count += 1;
        if varied.is_empty() {
            continue;
        }
        // All members at once and split, each on an engine of its own; the slow reference for some models.
        let others = if index % 4 == 0 { &["block", "oracle"][..] } else { &["block"] };
        let split = others.iter().map(|name| (2, Engine::lookup(name).unwrap()));
        for (most, engine) in std::iter::once((3, Engine::auto())).chain(split) {
            let batch = model.batch_on(&varied, engine).unwrap_or_else(|e| panic!("{name}: {e}"));
            together += usize::from(compare(&batch, engine, most, &name));
        }
    }
    println!("{count} models, {together} batches with several members");
    assert!(count >= 120 && together >= 200, "{count} models, {together} batches");
}

fn model(yaml: &str) -> Model {
    Model::load(&MemoryLibrary::new().with("m.yaml", yaml), "m.yaml", None).unwrap()
}

const LOOP: &str = "
rate:
  base: OperatorTemplate
  equations: x' = (-x + tanh(drive + u))/tau
  variables: {x: output(0.1), u: input(0.0), drive: 0.5, tau: 10.0}
unit: {base: NodeTemplate, operators: [rate]}
loop:
  base: CircuitTemplate
  nodes: {e: unit, i: unit}
  edges:
    - [e/rate/x, i/rate/u, null, {weight: 2.0}]
    - [i/rate/x, e/rate/u, null, {weight: -2.0, delay: 5.0}]
simulate: {duration: 20.0, dt: 0.1, scheme: heun}
";

#[test]
fn weights_initial_states_and_inputs_can_be_varied() {
    let mut model = model(LOOP);
    model.drive("i/rate/drive", "0.25");
    let varied = [
        ("e/rate/x -> i/rate/u: weight", vec![2.0, 0.0, -1.0]),
        ("e/rate/x", vec![0.1, 0.2, 0.3]),
        ("i/rate/drive", vec![0.5, -0.5, 0.0]),
    ];
    for engine in ENGINES.iter().filter(|e| e.device == "cpu") {
        let batch = model.batch_on(&varied, engine).unwrap();
        assert_eq!(batch.piece(0, 10), 0..3);
        assert!(compare(&batch, engine, 3, "loop"));
    }
}

#[test]
fn members_with_different_delays_run_one_after_another() {
    let model = model(LOOP);
    let delay = ("i/rate/x -> e/rate/u: delay", vec![5.0, 5.0, 1.0, 1.0]);
    let batch = model.batch(&[delay, ("e/rate/drive", vec![0.1, 0.2, 0.3, 0.4])]).unwrap();
    assert_eq!((batch.piece(0, 10), batch.piece(2, 10), batch.piece(1, 10)), (0..2, 2..4, 1..2));
    assert!(compare(&batch, Engine::auto(), 10, "delays"));
}

#[test]
fn what_members_share_reaches_all_their_units() {
    let model = model(
        "
cell: {base: OperatorTemplate, equations: \"v' = -k*v + m\", variables: {v: output(0.5), k: 1.0, m: input(0.0)}}
hold: {base: OperatorTemplate, equations: [\"x' = 0\", \"m = c*x\"], variables: {m: output, x: variable(0.2), c: 3.0}}
many: {base: NodeTemplate, n: 3, operators: cell}
one: {base: NodeTemplate, operators: hold}
net:
  base: CircuitTemplate
  nodes: {a: many, b: one}
  edges: [[b/hold/c, a/cell/m, null, {weight: 0.3}]]
simulate: {duration: 1.0, dt: 0.1, record: {v: a/cell/v}}
",
    );
    for engine in ENGINES.iter().filter(|e| e.device == "cpu") {
        let batch = model.batch_on(&[("a/cell/k", vec![1.0, 2.0])], engine).unwrap();
        assert!(compare(&batch, engine, 2, "a shared scalar"));
    }
}

#[test]
fn a_member_that_diverges_leaves_the_others_alone() {
    let model = model(
        "
grow: {base: OperatorTemplate, equations: \"x' = a*x*x\", variables: {x: output(1.0), a: 0.0}}
one: {base: NodeTemplate, operators: [grow]}
net: {base: CircuitTemplate, nodes: {p: one}}
simulate: {duration: 100.0, dt: 0.1}
",
    );
    let batch = model.batch(&[("a", vec![-1.0, 5.0, 0.0])]).unwrap();
    let recording = record(batch.simulation(0..3).unwrap(), 2);
    assert_eq!(recording.column("x[2]").unwrap().last(), Some(&1.0));
    assert!(!recording.column("x[1]").unwrap().last().unwrap().is_finite());
    assert!(compare(&batch, Engine::auto(), 3, "grow"));
}

#[test]
fn what_cannot_be_varied_is_refused() {
    let model = model(LOOP);
    let refused = |path: &str, values: Vec<f64>| model.batch(&[(path, values)]).err().unwrap().to_string();
    assert!(refused("e/rate/u", vec![1.0, 2.0]).contains("error[batch-no-effect]"));
    assert!(refused("e/rate/nothing", vec![1.0, 2.0]).contains("nothing"));
    assert!(refused("e/rate/drive", vec![1.0, f64::NAN]).contains("error[batch-values]"));
    let counts = model.batch(&[("e/rate/drive", vec![1.0, 2.0]), ("e/rate/tau", vec![1.0])]);
    assert!(counts.err().unwrap().to_string().contains("1 values for 2 members"));
    let mut driven = model.clone();
    driven.drive("all/rate/drive", "0.25");
    let partly = driven.batch(&[("e/rate/drive", vec![1.0, 2.0])]).err().unwrap().to_string();
    assert!(partly.contains("error[batch-input]"), "{partly}");
    let delays = model.batch(&[("i/rate/x -> e/rate/u: delay", vec![1.0, 2.0])]).unwrap();
    assert!(delays.compile(0..2).err().unwrap().to_string().contains("error[batch-members]"));
}
