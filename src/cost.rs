//! What a run would take on each engine of the processor, and which to choose.
//!
//! An engine executes an operation for a block of elements at a time. With `n` elements, `k` operations and blocks of `b`
//! a kernel takes `ceil(n / b) * k * (o + b * e)`: `o` for each operation on a block, `e` for each element in it. The
//! constants were measured by `cargo bench --bench engines`, which prints estimates beside measured times, on an Intel
//! Xeon with AVX-512 (Sapphire Rapids); other machines are slower or faster by a factor that the engines share.

use std::fmt;

use nullcline_compiler::ir::prim::arith;
use nullcline_compiler::kernel::ir::{Body, Index, Module, Phase, Precision, Stmt, ValueOp};
use nullcline_runtime::device::Cpu;
use nullcline_runtime::isa::Isa;
use nullcline_runtime::sim::Schedule;

use crate::engine::{ENGINES, Engine};

/// What a run would take on an engine.
#[derive(Clone, Debug)]
pub struct Estimate {
    /// The engine.
    pub engine: &'static Engine,
    /// Seconds until it is loaded.
    pub load: f64,
    /// Seconds of stepping and recording.
    pub run: f64,
}

/// The choice between the engines of the processor for a run.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What the run would take on each engine that can do it, fastest first.
    pub estimates: Vec<Estimate>,
    /// The engines that cannot do it, and why.
    pub refused: Vec<(&'static str, String)>,
}

impl Choice {
    /// The engine of the least time.
    pub fn engine(&self) -> &'static Engine {
        self.estimates[0].engine
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let best = &self.estimates[0];
        write!(f, "{} to load, {} to run", Seconds(best.load), Seconds(best.run))?;
        for other in &self.estimates[1..] {
            write!(f, "; {} {} + {}", other.engine.name, Seconds(other.load), Seconds(other.run))?;
        }
        self.refused.iter().try_for_each(|(name, why)| write!(f, "; {name}: {why}"))
    }
}

/// A time to two digits, in the unit that suits it.
struct Seconds(f64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scaled, unit) = match self.0 {
            s if s >= 0.995 => (s, "s"),
            s if s >= 0.995e-3 => (s * 1e3, "ms"),
            s => (s * 1e6, "us"),
        };
        match scaled {
            x if x >= 9.95 => write!(f, "{x:.0} {unit}"),
            x => write!(f, "{x:.1} {unit}"),
        }
    }
}

/// How fast an engine is.
struct Speed {
    /// Name of the engine.
    name: &'static str,
    /// Elements of a block, of so many elements of so many bytes.
    block: fn(usize, usize) -> usize,
    /// Seconds for an operation on a block, whatever its elements.
    operation: f64,
    /// Seconds for an operation on an element, in double precision.
    element: f64,
    /// Seconds from one kernel to the next.
    kernel: f64,
    /// Seconds to load anything.
    load: f64,
    /// Seconds to load one operation.
    load_operation: f64,
    /// Whether it makes all steps of an element before those of the next, where it can.
    steps_inside: bool,
    /// How many times as long an operation takes in a step of more than so many: code beyond the caches.
    long: &'static [(f64, f64)],
}

/// The engines of the processor.
const SPEEDS: [Speed; 2] = [
    Speed {
        name: "jit",
        block: |n, size| match n {
            1 => 1,
            _ if Isa::detect().has_wide_vectors() => 64 / size,
            _ => 32 / size,
        },
        operation: 0.16e-9,
        element: 0.0,
        kernel: 5e-9,
        load: 250e-6,
        load_operation: 0.6e-6,
        steps_inside: true,
        long: &[(4096.0, 2.0), (50_000.0, 7.0)],
    },
    Speed {
        name: "block",
        block: |n, _| match n {
            1 => 1,
            2..=8 => 8,
            _ => 128,
        },
        operation: 2.6e-9,
        element: 0.065e-9,
        kernel: 20e-9,
        load: 50e-6,
        load_operation: 0.1e-6,
        steps_inside: true,
        long: &[],
    },
];

/// Seconds for a byte of a buffer that is made ready.
const FILL: f64 = 0.25e-9;
/// Quotients and square roots take as long as so many other operations.
const DIVISION: f64 = 8.0;
/// Seconds for a term of a sum over connections: an index, a weight and a value.
const TERM: f64 = 0.6e-9;
/// A term of a convolution.
const TAP: f64 = 0.08e-9;
/// Seconds for an element of a table that is looked up.
const LOOK_UP: f64 = 0.5e-9;
/// Seconds for a number from a generator: half of a pair.
const RANDOM: f64 = 15e-9;
/// Seconds for a recorded number: it is copied, looked at, and handed over.
const RECORDED: f64 = 1.2e-9;
/// The share of the units that spike in a step, where deliveries are concerned: 10 Hz at steps of 0.1 ms.
const SPIKING: f64 = 1e-3;
/// Operations on elements in one call from which on threads share them, as in the engines.
const SHARED: f64 = 262_144.0;
/// Bytes of buffers that machine code can address.
const REACH: usize = i32::MAX as usize - (1 << 20);
/// Bytes of the second-level cache; steps that touch more come from memory, unless all steps of an element can be made
/// before those of the next.
const CACHE: usize = 2_000_000;
/// Bytes per second between memory and one core.
const BANDWIDTH: f64 = 12e9;

/// A kernel, as far as time is concerned.
struct Pointwise {
    extent: usize,
    operations: f64,
    /// Loads and stores of elements.
    moved: usize,
}

/// What a phase consists of.
#[derive(Default)]
struct Work {
    kernels: Vec<Pointwise>,
    /// Seconds for the rest, which engines share.
    rest: f64,
    /// Whether nothing passes between elements, and nothing comes or goes between steps.
    independent: bool,
}

/// Chooses the engine for a run of a module.
pub fn choose(module: &Module, schedule: &Schedule, columns: usize, threads: usize) -> Choice {
    let (step, observe) = (work(module, Phase::Step), work(module, Phase::Observe));
    let rows = schedule.rows() as f64;
    let (mut estimates, mut refused) = (Vec::new(), Vec::new());
    for speed in &SPEEDS {
        let Some(engine) = ENGINES.iter().find(|e| e.name == speed.name) else { continue };
        if let Some(why) = cannot(speed, module) {
            refused.push((speed.name, why));
            continue;
        }
        let run = schedule.steps as f64 * step.seconds(module, speed, threads)
            + rows * (observe.seconds(module, speed, threads) + columns as f64 * RECORDED);
        let operations: f64 =
            (module.kernels.iter()).filter_map(|k| pointwise(&k.body, k.extent)).map(|k| k.operations).sum();
        estimates.push(Estimate {
            engine,
            load: speed.load + operations * speed.load_operation + bytes(module) as f64 * FILL,
            run,
        });
    }
    estimates.sort_by(|a, b| (a.load + a.run).total_cmp(&(b.load + b.run)));
    Choice { estimates, refused }
}

/// Why an engine cannot run a module here.
fn cannot(speed: &Speed, module: &Module) -> Option<String> {
    if speed.name != "jit" {
        return None;
    }
    if Cpu::fastest() == Cpu::Block {
        return Some("needs a processor with AVX2 and FMA".to_string());
    }
    (bytes(module) > REACH).then(|| "buffers exceed 2 GiB".to_string())
}

/// Bytes of all buffers, about.
fn bytes(module: &Module) -> usize {
    let slots = |id: usize| module.histories.iter().find(|h| h.0.index() == id).map_or(1, |h| h.1.depth as usize + 1);
    module.buffers.iter().enumerate().map(|(id, buffer)| buffer.len * slots(id)).sum::<usize>() * size(module)
}

fn size(module: &Module) -> usize {
    if module.precision == Precision::F64 { 8 } else { 4 }
}

fn work(module: &Module, phase: Phase) -> Work {
    let mut work = Work::default();
    for kernel in module.phase(phase).iter().map(|at| &module.kernels[*at]) {
        match &kernel.body {
            Body::Pointwise(_) => work.kernels.extend(pointwise(&kernel.body, kernel.extent)),
            Body::Take { .. } => work.rest += kernel.extent as f64 * LOOK_UP,
            Body::Couple { connection, .. } | Body::CouplePast { connection, .. } => {
                let connection = &module.connections[*connection];
                work.rest += f64::from(connection.members) * connection.sources.len() as f64 * TERM;
            }
            Body::Convolve { convolution, .. } => {
                let convolution = &module.convolutions[*convolution];
                let terms = f64::from(convolution.members) * convolution.window.reads() as f64;
                work.rest += terms * TAP;
            }
            Body::Deliver { fanout, .. } => work.rest += module.fanouts[*fanout].targets.len() as f64 * TERM * SPIKING,
        }
    }
    if phase == Phase::Step {
        work.rest += module.randoms.iter().map(|(b, _)| module.buffers[b.index()].len as f64 * RANDOM).sum::<f64>();
    }
    work.independent = work.rest == 0.0 && module.inputs.is_empty() && module.events.is_empty();
    work
}

fn pointwise(body: &Body, extent: usize) -> Option<Pointwise> {
    let Body::Pointwise(body) = body else { return None };
    let (mut operations, mut moved) = (0.0, 0);
    for stmt in body {
        operations += match stmt {
            Stmt::Let(_, ValueOp::Constant(_) | ValueOp::StepSize | ValueOp::Time) => 0.0,
            Stmt::Let(_, ValueOp::Call(prim, _)) if **prim == arith::DIV || **prim == arith::SQRT => DIVISION,
            Stmt::Let(..) | Stmt::Store(..) => 1.0,
        };
        moved += usize::from(match stmt {
            Stmt::Store(..) => true,
            Stmt::Let(_, ValueOp::Load { index, .. } | ValueOp::Past { index, .. }) => *index == Index::Element,
            Stmt::Let(..) => false,
        });
    }
    Some(Pointwise { extent, operations, moved })
}

impl Work {
    /// Seconds on an engine.
    fn seconds(&self, module: &Module, speed: &Speed, threads: usize) -> f64 {
        let size = size(module);
        let all: f64 = self.kernels.iter().map(|k| k.operations).sum();
        let slower = speed.long.iter().rev().find(|(most, _)| all > *most).map_or(1.0, |(_, times)| *times);
        let moved: usize = self.kernels.iter().map(|k| k.moved * k.extent * size).sum();
        let from_memory =
            if moved > CACHE && !(speed.steps_inside && self.independent) { moved as f64 / BANDWIDTH } else { 0.0 };
        let each = self.kernels.iter().map(|kernel| {
            let block = (speed.block)(kernel.extent, size);
            let one = speed.operation + block as f64 * speed.element * size as f64 / 8.0;
            let time = kernel.extent.div_ceil(block) as f64 * kernel.operations * slower * one;
            let shared = if kernel.operations * kernel.extent as f64 >= SHARED { threads as f64 } else { 1.0 };
            speed.kernel + time / shared
        });
        each.sum::<f64>() + from_memory + self.rest
    }
}
