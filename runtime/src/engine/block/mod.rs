//! The block engine: executes each operation for a block of elements before the next.
//!
//! The operations are loops over arrays of fixed length, which the compiler turns into vector instructions; they are
//! compiled for several instruction sets and chosen at run time. Needs no code generation and runs everywhere.

mod allocate;
mod operations;

use std::num::NonZeroUsize;

use rayon::prelude::*;

use super::coupling::{Coupling, Sending};
use super::independent::independent;
use super::team::{FEWEST_VALUES, Team, shares_entries, threads};
use super::{Memory, Real};
use crate::artifact::{self, DeviceError, EventBuffer, Executable, Explanation, Feeds, Phase, Rows, Spike};
use crate::isa::Isa;
use crate::program::{Kernel, Precision, Program};
use allocate::{Code, allocate};
use operations::{Scratch, Steps, View};

/// Elements of a block: registers of 1 KiB in double precision, so that some thirty of them stay in the first-level cache.
const WIDE: usize = 128;
/// Elements of a block for small kernels.
const NARROW: usize = 8;

/// A program in the block engine.
pub struct BlockEngine<T: Real> {
    memory: Memory<T>,
    kernels: Vec<Loaded<T>>,
    phases: [Vec<u32>; 4],
    /// Space for the kernel being run.
    scratch: Scratch<T>,
    /// Whether each kernel of the step can run all its steps before the next.
    independent: bool,
    isa: Isa,
    team: Team,
    /// Who sends spikes, as far as it was looked up.
    sending: Sending,
    /// How the connections of the step are executed.
    explanations: Vec<Explanation>,
    /// Whether any kernel shares its work between threads.
    shares: bool,
}

enum Loaded<T> {
    Pointwise { extent: usize, code: Code },
    Coupling(Box<Coupling<T>>),
}

/// Loads a program.
pub fn load(program: &Program) -> Result<Box<dyn Executable>, DeviceError> {
    Ok(match program.precision {
        Precision::F32 => Box::new(BlockEngine::<f32>::new(program)?),
        Precision::F64 => Box::new(BlockEngine::<f64>::new(program)?),
    })
}

impl<T: Real> BlockEngine<T> {
    fn new(program: &Program) -> Result<BlockEngine<T>, DeviceError> {
        let kernels = program.kernels.iter().filter_map(|kernel| match kernel {
            Kernel::Pointwise { extent, body } => Some(Loaded::Pointwise { extent: *extent, code: allocate(body) }),
            _ => Coupling::new(kernel).map(|coupling| Loaded::Coupling(Box::new(coupling))),
        });
        let kernels: Vec<Loaded<T>> = kernels.collect();
        let explained = program.phase(Phase::Step).iter().filter_map(|at| match &kernels[*at as usize] {
            Loaded::Coupling(coupling) => coupling.explain(&program.kernels[*at as usize]),
            Loaded::Pointwise { .. } => None,
        });
        let explanations = explained.collect();
        let shared = |kernel: &Loaded<T>| kernel.shares(1);
        Ok(BlockEngine {
            memory: Memory::new(program)?,
            scratch: Scratch::default(),
            independent: independent(program).is_some(),
            shares: kernels.iter().any(shared) || program.kernels.iter().any(shares_entries),
            kernels,
            phases: program.phases.clone(),
            isa: Isa::detect(),
            team: Team::new(),
            sending: Sending::default(),
            explanations,
        })
    }

    /// Tells couplings that something else than a step has written to a buffer, or to any.
    fn wrote(&mut self, buffer: Option<usize>) {
        for kernel in &mut self.kernels {
            if let Loaded::Coupling(coupling) = kernel {
                coupling.wrote(buffer);
            }
        }
    }

    fn run_phase(&mut self, phase: Phase, step: u64, dt: f64) {
        self.sending.clear();
        for at in 0..self.phases[phase as usize].len() {
            let kernel = self.phases[phase as usize][at];
            self.run_kernel(kernel as usize, Steps { steps: step..step + 1, dt });
        }
        if phase == Phase::Remember {
            self.wrote(None);
        }
    }

    fn run_kernel(&mut self, index: usize, steps: Steps) {
        let (isa, scratch) = (self.isa, &mut self.scratch);
        let shares = threads() > 1 && self.kernels[index].shares(steps.steps.end - steps.steps.start);
        match &mut self.kernels[index] {
            Loaded::Pointwise { extent, code } => {
                self.sending.clear();
                let (view, all) = (View::new(&mut self.memory), 0..*extent);
                match *extent {
                    // SAFETY: no other thread has the buffers.
                    1 => unsafe { operations::run::<T, 1>(isa, code, all, scratch, &view, steps) },
                    // SAFETY: as above.
                    2..=NARROW => unsafe { operations::run::<T, NARROW>(isa, code, all, scratch, &view, steps) },
                    _ if shares => {
                        let part = (extent.div_ceil(threads() * 4)).next_multiple_of(WIDE);
                        (0..extent.div_ceil(part)).into_par_iter().for_each(|k| {
                            let (elements, steps) = (k * part..((k + 1) * part).min(*extent), steps.clone());
                            let mut scratch = Scratch::default();
                            // SAFETY: the parts are disjoint.
                            unsafe { operations::run::<T, WIDE>(isa, code, elements, &mut scratch, &view, steps) };
                        });
                    }
                    // SAFETY: no other thread has the buffers.
                    _ => unsafe { operations::run::<T, WIDE>(isa, code, all, scratch, &view, steps) },
                }
            }
            Loaded::Coupling(coupling) => coupling.run(&mut self.memory, &mut self.sending, steps.steps.start),
        }
    }

    /// Whether so many steps are shared between threads.
    fn shares_steps(&self, count: u64) -> bool {
        let count = if self.independent { count } else { 1 };
        self.shares || self.kernels.iter().any(|kernel| kernel.shares(count))
    }
}

impl<T> Loaded<T> {
    /// Whether straight-line code has enough to do for several threads in so many steps.
    fn shares(&self, steps: u64) -> bool {
        match self {
            Loaded::Pointwise { extent, code } => {
                (code.instructions.len() as u64 * *extent as u64).saturating_mul(steps) >= FEWEST_VALUES
            }
            Loaded::Coupling(_) => false,
        }
    }
}

impl<T: Real> Executable for BlockEngine<T> {
    fn engine(&self) -> &str {
        "block"
    }

    fn device(&self) -> &str {
        "cpu"
    }

    fn explain(&self) -> Vec<Explanation> {
        self.explanations.clone()
    }

    fn write(&mut self, buffer: usize, first: usize, values: &[f64]) -> Result<(), DeviceError> {
        self.wrote(Some(buffer));
        self.memory.write(buffer, first, values)
    }

    fn read(&self, buffer: usize, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        self.memory.read(buffer, out)
    }

    fn gather(&self, places: &[(usize, usize)], out: &mut Vec<f64>) -> Result<(), DeviceError> {
        self.memory.gather(places, out)
    }

    fn run(&mut self, phase: Phase, step: u64, dt: f64) -> Result<(), DeviceError> {
        let team = self.team.clone();
        team.run(self.shares, || {
            self.run_phase(phase, step, dt);
            Ok(())
        })
    }

    fn advance(&mut self, first: u64, count: u64, dt: f64, feeds: &Feeds) -> Result<(), DeviceError> {
        let team = self.team.clone();
        team.run(self.shares_steps(count), || {
            if self.independent {
                for at in 0..self.phases[Phase::Step as usize].len() {
                    let kernel = self.phases[Phase::Step as usize][at];
                    self.run_kernel(kernel as usize, Steps { steps: first..first + count, dt });
                }
                return Ok(());
            }
            for step in first..first + count {
                feeds.apply(step, |buffer, values| self.memory.write(buffer, 0, values))?;
                self.run_phase(Phase::Step, step, dt);
            }
            Ok(())
        })
    }

    fn record(&mut self, rows: &Rows<'_>, dt: f64, feeds: &Feeds, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        let gather = &mut |engine: &Self| engine.memory.gather_stretches(rows.places.stretches(), out);
        artifact::record_by_row(self, rows, dt, feeds, gather)
    }

    fn collect(
        &mut self,
        (first, count): (u64, u64),
        dt: f64,
        feeds: &Feeds,
        events: &[EventBuffer],
        out: &mut Vec<Spike>,
    ) -> Result<(), DeviceError> {
        let team = self.team.clone();
        team.run(self.shares, || {
            let mut found = Vec::new();
            for step in first..first + count {
                feeds.apply(step, |buffer, values| self.memory.write(buffer, 0, values))?;
                self.run_phase(Phase::Step, step, dt);
                self.memory.spikes(step, events, &mut found, out)?;
            }
            Ok(())
        })
    }

    fn set_threads(&mut self, threads: NonZeroUsize) {
        self.team = Team::of(threads);
    }
}
