//! Kernels that move values between elements, on systems put together by hand: what they compute, and that every engine,
//! every number of threads and every batch computes the same bits.
#![allow(clippy::unwrap_used)]

#[path = "../support/ptx/mod.rs"]
mod ptx;
#[path = "../support/random.rs"]
mod random;

use std::num::NonZeroUsize;

use nullcline::compiler::ir::expr::{FanoutId, Op, ParameterId, SpaceId, StateId};
use nullcline::compiler::ir::prim::{arith, lookup};
use nullcline::compiler::ir::system::{Connection, Fanout, System, Values};
use nullcline::compiler::kernel::ir::{Body, BufferRole, Module, Precision};
use nullcline::compiler::kernel::target::{Target, basic};
use nullcline::compiler::kernel::verify::verify;
use nullcline::compiler::pass::batch::{Slot, Variation, batch};
use nullcline::compiler::pass::{Step, contract, discretise, events, legalise, prune, schedule, simplify};
use nullcline::compiler::scheme;
use nullcline::runtime::artifact::{Executable, Feeds, Phase};
use nullcline::{ENGINES, Engine, Simulation};

use random::Random;

mod delivery;
mod sums;

const DT: f64 = 0.125;
const STEPS: u64 = 40;

impl Random {
    /// Rows of up to `most` ends each, some of them twice.
    fn rows(&mut self, rows: usize, most: usize, size: usize) -> (Vec<u32>, Vec<u32>) {
        let (mut starts, mut ends) = (vec![0], Vec::new());
        for _ in 0..rows {
            ends.extend((0..self.below(most + 1)).map(|_| self.below(size) as u32));
            starts.push(ends.len() as u32);
        }
        (starts, ends)
    }

    fn units(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.unit()).collect()
    }
}

fn engines() -> impl Iterator<Item = &'static Engine> {
    let jit = |e: &&Engine| e.name != "jit" || Engine::auto().name == "jit";
    ENGINES.iter().filter(|e| e.device == "cpu").filter(jit).chain(&ptx::INTERPRETERS)
}

fn module(step: Step, engine: &Engine, precision: Precision) -> Module {
    let module = schedule::schedule(arithmetic(step, engine, precision), precision);
    assert_eq!(verify(&module), Ok(()), "{module}");
    module
}

fn arithmetic(step: Step, engine: &Engine, precision: Precision) -> Step {
    let step = simplify::simplify(prune::prune(events::events(step)));
    contract::contract(legalise::legalise(step, engine.target, precision).unwrap(), engine.target)
}

/// The states after each step, state by state.
fn states(module: Module, engine: &Engine) -> Vec<Vec<f64>> {
    states_with(module, engine, 2)
}

/// The same with so many threads.
fn states_with(module: Module, engine: &Engine, threads: usize) -> Vec<Vec<f64>> {
    let buffers: Vec<usize> =
        (0..module.buffers.len()).filter(|b| matches!(module.buffers[*b].role, BufferRole::State(_))).collect();
    let ring = module.layout().buffers.iter().map(|b| b.slots as u64).max().unwrap_or(1);
    let passes = module.history_passes;
    let mut loaded: Box<dyn Executable> = (engine.load)(module, 0).unwrap();
    loaded.set_threads(NonZeroUsize::new(threads).unwrap());
    loaded.run(Phase::Setup, 0, DT).unwrap();
    for slot in (0..passes).flat_map(|_| 0..ring) {
        loaded.run(Phase::Remember, slot, 0.0).unwrap();
    }
    let mut rows = Vec::new();
    for step in 0..STEPS {
        loaded.advance(step, 1, DT, &Feeds::default()).unwrap();
        let mut row = Vec::new();
        for buffer in &buffers {
            let mut values = Vec::new();
            loaded.read(*buffer, &mut values).unwrap();
            row.extend(values);
        }
        rows.push(row);
    }
    rows
}

fn bits(rows: &[Vec<f64>]) -> Vec<Vec<u64>> {
    rows.iter().map(|row| row.iter().map(|v| v.to_bits()).collect()).collect()
}

/// Runs a step on every engine in both precisions, checks that all agree, and returns the states in double precision.
fn everywhere(step: &Step, what: &str) -> Vec<Vec<f64>> {
    let oracle = Engine::lookup("oracle").unwrap();
    for precision in [Precision::F32, Precision::F64] {
        let expected = bits(&states(module(step.clone(), oracle, precision), oracle));
        for engine in engines() {
            // Others than the engines of this process have no threads, and take their time.
            let teams: &[usize] = if ENGINES.iter().any(|e| std::ptr::eq(e, engine)) { &[1, 3] } else { &[1] };
            for threads in teams.iter().copied() {
                let module = module(step.clone(), engine, precision);
                let found = bits(&states_with(module, engine, threads));
                assert!(found == expected, "{what}, {}, {}, {threads} threads", engine.name, precision.name());
            }
        }
    }
    #[cfg(feature = "wgpu")]
    on_a_graphics_processor(step, what);
    states(module(step.clone(), oracle, Precision::F64), oracle)
}

/// A few thousand operations, each rounded once or twice.
#[cfg(feature = "wgpu")]
fn on_a_graphics_processor(step: &Step, what: &str) {
    let Some(device) = nullcline::runtime::device::wgpu::adapters().into_iter().next() else {
        println!("skipped: {what}, there is no graphics processor");
        return;
    };
    let (oracle, engine) = (Engine::lookup("oracle").unwrap(), Engine::lookup("wgpu").unwrap());
    for (precision, tolerance) in [(Precision::F32, 5e-4), (Precision::F64, 1e-12)] {
        if precision == Precision::F64 && !device.double {
            continue;
        }
        let expected = states(module(step.clone(), oracle, precision), oracle);
        let found = states(module(step.clone(), engine, precision), engine);
        for (at, (found, expected)) in found.iter().flatten().zip(expected.iter().flatten()).enumerate() {
            let near = (found - expected).abs() <= tolerance * (1.0 + expected.abs());
            assert!(near, "{what}, {}, number {at}: found {found}, expected {expected}", precision.name());
        }
    }
}

#[track_caller]
fn close(found: &[Vec<f64>], expected: &[Vec<f64>], what: &str) {
    for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (i, (a, b)) in found.iter().zip(expected).enumerate() {
            // A few thousand operations, each rounded once.
            assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{what}, step {step}, element {i}: {a} is not {b}");
        }
    }
}
