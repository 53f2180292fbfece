//! Devices: what takes a compiled model and runs it. A new one is a file here and a row where the facade lists engines.

pub mod blas;
mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
mod launch;
#[cfg(feature = "wgpu")]
pub mod wgpu;

pub use cpu::Cpu;
pub use launch::{Driver, Launch, Launcher, List};

use crate::artifact::{DeviceError, Executable};
use crate::program::Program;

/// A place where compiled models run.
pub trait Device {
    /// Name for people: `cpu`.
    fn name(&self) -> &str;

    /// Loads a model: memory for its buffers, with their initial values, and code for its kernels.
    ///
    /// Fails when the device is not there, lacks what the model needs, or has not enough memory.
    fn load(&self, program: &Program) -> Result<Box<dyn Executable>, DeviceError>;
}
