//! The block engine: executes each operation for a block of elements before the next.
//!
//! The operations are loops over arrays of fixed length, which the compiler turns into vector instructions; they are
//! compiled for several instruction sets and chosen at run time. Needs no code generation and runs everywhere.

mod allocate;
mod operations;

use super::coupling::{Coupling, Sending};
use super::isa::Isa;
use super::{Memory, Real};
use crate::artifact::{DeviceError, Executable, Explanation, Feeds, Phase, Spike};
use crate::program::{Kernel, Precision, Program};
use allocate::{Code, allocate};
use operations::Uniform;

/// Elements of a block: registers of 1 KiB in double precision, so that some thirty of them stay in the first-level cache.
const WIDE: usize = 128;
/// Elements of a block for small kernels.
const NARROW: usize = 8;

/// A program in the block engine.
pub struct BlockEngine<T: Real> {
    memory: Memory<T>,
    kernels: Vec<Loaded<T>>,
    phases: [Vec<u32>; 4],
    /// Space for the registers of the kernel being run.
    registers: Vec<T>,
    isa: Isa,
    sending: Sending,
    /// How the connections of the step are executed.
    explanations: Vec<Explanation>,
}

enum Loaded<T> {
    Pointwise { extent: usize, code: Code },
    Coupling(Coupling<T>),
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
            _ => Coupling::new(kernel).map(Loaded::Coupling),
        });
        let kernels: Vec<Loaded<T>> = kernels.collect();
        let registers = kernels.iter().map(|k| if let Loaded::Pointwise { code, .. } = k { code.registers } else { 0 });
        let explained = program.phase(Phase::Step).iter().filter_map(|at| match &kernels[*at as usize] {
            Loaded::Coupling(coupling) => coupling.explain(&program.kernels[*at as usize]),
            Loaded::Pointwise { .. } => None,
        });
        let explanations = explained.collect();
        Ok(BlockEngine {
            memory: Memory::new(program)?,
            registers: vec![T::default(); registers.max().unwrap_or(0) * WIDE],
            kernels,
            phases: program.phases.clone(),
            isa: Isa::detect(),
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

    fn run_kernel(&mut self, index: usize, step: u64, dt: f64) {
        let uniform = Uniform { step, time: T::from_f64(step as f64 * dt), dt: T::from_f64(dt) };
        let memory = &mut self.memory;
        if matches!(self.kernels[index], Loaded::Pointwise { .. }) {
            self.sending.clear();
        }
        match &mut self.kernels[index] {
            Loaded::Pointwise { extent, code } if *extent == 1 => {
                operations::run::<T, 1>(self.isa, code, *extent, &mut self.registers, memory, &uniform);
            }
            Loaded::Pointwise { extent, code } if *extent <= NARROW => {
                operations::run::<T, NARROW>(self.isa, code, *extent, &mut self.registers, memory, &uniform);
            }
            Loaded::Pointwise { extent, code } => {
                operations::run::<T, WIDE>(self.isa, code, *extent, &mut self.registers, memory, &uniform);
            }
            Loaded::Coupling(coupling) => coupling.run(memory, &mut self.sending, step),
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
        self.sending.clear();
        for at in 0..self.phases[phase as usize].len() {
            let kernel = self.phases[phase as usize][at];
            self.run_kernel(kernel as usize, step, dt);
        }
        if phase == Phase::Remember {
            self.wrote(None);
        }
        Ok(())
    }

    fn collect(
        &mut self,
        (first, count): (u64, u64),
        dt: f64,
        feeds: &Feeds,
        events: &[usize],
        out: &mut Vec<Spike>,
    ) -> Result<(), DeviceError> {
        for step in first..first + count {
            feeds.apply(step, |buffer, values| self.memory.write(buffer, 0, values))?;
            self.run(Phase::Step, step, dt)?;
            self.memory.spikes(step, events, out)?;
        }
        Ok(())
    }
}
