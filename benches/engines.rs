//! What the estimates say by which `--engine auto` chooses, beside what is measured.
//!
//! `cargo bench --bench engines` prints for models of several sizes, on each engine of the processor, the CPU time of loading
//! and of a step (least of several), estimated and measured. The constants of `src/cost.rs` come from here. Single thread.
#![allow(clippy::unwrap_used, missing_docs)]

mod beside;

use std::num::NonZeroUsize;

use beside::columns::{nodes, population};
use beside::cpu_seconds;
use nullcline::{Engine, Model};

fn main() {
    let mut cases: Vec<(String, Model, u64)> = Vec::new();
    for (n, steps) in
        [(1, 100_000), (2, 50_000), (8, 50_000), (100, 10_000), (1000, 2000), (10_000, 200), (100_000, 20)]
    {
        for precision in ["f64", "f32"] {
            let text = population(n, steps).replace("scheme: euler", &format!("scheme: euler, precision: {precision}"));
            cases.push((format!("{n} columns, {precision}"), beside::model(text), steps as u64));
        }
    }
    for (n, steps) in [(10, 10_000), (100, 1000), (1000, 50)] {
        let mut model = beside::model(nodes(n, steps));
        model.vectorise = nullcline::compiler::pass::vectorise::Vectorise::Never;
        cases.push((format!("{n} columns, each for itself"), model, steps as u64));
    }
    println!("{:<34}{:<8}{:>22}{:>22}", "CPU microseconds", "", "to load", "per step");
    println!("{:<34}{:<8}{:>11}{:>11}{:>11}{:>11}", "", "", "estimate", "measured", "estimate", "measured");
    for (name, model, steps) in cases {
        let compiled = model.compile(Engine::auto()).unwrap().choose(Some(NonZeroUsize::MIN));
        for estimate in &compiled.choice.as_ref().unwrap().estimates {
            let (mut load, mut step) = (f64::INFINITY, f64::INFINITY);
            for _ in 0..5 {
                let compiled = model.compile(estimate.engine).unwrap();
                let start = cpu_seconds();
                let mut prepared = compiled.load().unwrap();
                prepared.simulation.set_threads(NonZeroUsize::MIN);
                load = load.min(cpu_seconds() - start);
                prepared.simulation.advance(1).unwrap();
                let start = cpu_seconds();
                prepared.simulation.advance(steps).unwrap();
                step = step.min((cpu_seconds() - start) / steps as f64);
            }
            let estimated = estimate.run / steps as f64;
            let [a, b, c, d] = [estimate.load, load, estimated, step].map(|s| s * 1e6);
            println!("{name:<34}{:<8}{a:>11.1}{b:>11.1}{c:>11.3}{d:>11.3}", estimate.engine.name);
        }
    }
}
