//! The processor.

use super::Device;
use crate::artifact::{DeviceError, Executable};
use crate::engine::block;
use crate::program::Program;

/// The processor, with one of its engines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cpu {
    /// Each operation for a block of elements at a time; everywhere.
    Block,
    /// Machine code for each kernel; x86-64 with AVX2 or AVX-512.
    #[cfg(all(target_arch = "x86_64", feature = "jit"))]
    Jit,
}

impl Cpu {
    /// The fastest engine this processor can run.
    pub fn fastest() -> Cpu {
        #[cfg(all(target_arch = "x86_64", feature = "jit"))]
        if crate::engine::jit::is_available() {
            return Cpu::Jit;
        }
        Cpu::Block
    }
}

impl Device for Cpu {
    fn name(&self) -> &str {
        "cpu"
    }

    fn load(&self, program: &Program) -> Result<Box<dyn Executable>, DeviceError> {
        match self {
            Cpu::Block => block::load(program),
            #[cfg(all(target_arch = "x86_64", feature = "jit"))]
            Cpu::Jit => crate::engine::jit::load(program),
        }
    }
}
