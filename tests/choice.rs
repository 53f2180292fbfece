//! Which engine a run gets when none is asked for, and what is said about it.
#![allow(clippy::unwrap_used)]

use std::num::NonZeroUsize;

use nullcline::compiler::pass::vectorise::Vectorise;
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::device::Cpu;
use nullcline::{Choice, Engine, Model};

/// Units that are nodes of their own, simulated for so many steps.
fn units(n: usize, steps: u64) -> Model {
    let nodes: String = (0..n).map(|k| format!("    u{k}: unit\n")).collect();
    let text = format!(
        "
op:
  base: OperatorTemplate
  equations: [x' = -x/tau + y, y' = sigmoid(5*(x - y)) - y^2]
  variables: {{x: output(0.1), y: variable(0.2), tau: 2.0}}
unit: {{base: NodeTemplate, operators: [op]}}
net:
  base: CircuitTemplate
  nodes:
{nodes}simulate: {{duration: {steps}.0, dt: 1.0, scheme: rk4, sample_every: {steps}.0}}
"
    );
    let mut model = Model::load(&MemoryLibrary::new().with("m.yaml", text), "m.yaml", None).unwrap();
    model.vectorise = Vectorise::Never;
    model
}

fn choice(model: &Model) -> Choice {
    model.compile(Engine::auto()).unwrap().choose(Some(NonZeroUsize::MIN)).choice.unwrap()
}

/// Whether this machine can run machine code; says so where it cannot.
fn jit() -> bool {
    let available = Cpu::fastest() != Cpu::Block;
    if !available {
        println!("skipped: needs a processor with AVX2 and FMA");
    }
    available
}

#[test]
fn a_short_run_of_a_large_circuit_is_not_worth_machine_code() {
    assert_eq!(choice(&units(60, 2)).engine().name, "block");
}

#[test]
fn a_long_run_is() {
    if jit() {
        assert_eq!(choice(&units(1, 10_000_000)).engine().name, "jit");
        assert_eq!(choice(&units(60, 10_000_000)).engine().name, "jit");
    }
}

#[test]
fn estimates_grow_with_the_run_and_with_the_circuit() {
    if !jit() {
        return;
    }
    let of = |n, steps, engine: &str| {
        let found = choice(&units(n, steps)).estimates.into_iter().find(|e| e.engine.name == engine).unwrap();
        (found.load, found.run)
    };
    for engine in ["jit", "block"] {
        let (small, longer, larger) = (of(1, 1000, engine), of(1, 100_000, engine), of(20, 1000, engine));
        assert!((longer.1 / small.1 - 100.0).abs() < 5.0, "{engine}: {small:?}, a hundred times the steps {longer:?}");
        assert_eq!(longer.0, small.0, "{engine}: the code is the same");
        assert!(
            larger.0 > small.0 && larger.1 > 5.0 * small.1,
            "{engine}: {small:?}, twenty times the units {larger:?}"
        );
    }
}

#[test]
fn the_engine_that_takes_the_least_time_comes_first_and_is_run() {
    for steps in [1, 100_000_000] {
        let compiled = units(3, steps).compile(Engine::auto()).unwrap().choose(None);
        let choice = compiled.choice.clone().unwrap();
        let total: Vec<f64> = choice.estimates.iter().map(|e| e.load + e.run).collect();
        assert!(total.is_sorted(), "{total:?}");
        assert_eq!(compiled.engine.name, choice.estimates[0].engine.name);
        let prepared = compiled.load().unwrap();
        assert_eq!(prepared.simulation.executable().engine(), choice.engine().name);
        assert_eq!(prepared.choice.unwrap().to_string(), choice.to_string());
    }
}

#[test]
fn an_engine_that_was_asked_for_is_kept() {
    let block = Engine::lookup("block").unwrap();
    let prepared = units(1, 1_000_000).compile(block).unwrap().load().unwrap();
    assert_eq!(prepared.simulation.executable().engine(), "block");
    assert!(prepared.choice.is_none());
    let oracle = Engine::lookup("oracle").unwrap();
    let compiled = units(1, 1_000_000).compile(oracle).unwrap().choose(None);
    assert_eq!(compiled.engine.name, "oracle", "the interpreter is the reference, not one to choose");
}
