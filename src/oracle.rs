//! The reference interpreter as an engine.

use nullcline_compiler::kernel::interpret::Interpreter;
use nullcline_compiler::kernel::ir::{BufferId, Module};
use nullcline_runtime::artifact::{DeviceError, Executable, Phase};

/// A module in the reference interpreter.
pub struct Oracle(Interpreter);

impl Oracle {
    /// Loads a module.
    pub fn new(module: Module) -> Oracle {
        Oracle(Interpreter::new(module))
    }
}

impl Executable for Oracle {
    fn engine(&self) -> &str {
        "oracle"
    }

    fn device(&self) -> &str {
        "cpu"
    }

    fn write(&mut self, buffer: usize, first: usize, values: &[f64]) -> Result<(), DeviceError> {
        let id = BufferId(buffer as u32);
        if self.0.module().buffers.get(buffer).is_none() || first + values.len() > self.0.read(id).len() {
            return Err(DeviceError(format!("{} values do not fit buffer {buffer} from {first} on", values.len())));
        }
        self.0.write(id, first, values);
        Ok(())
    }

    fn read(&self, buffer: usize, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        if buffer >= self.0.module().buffers.len() {
            return Err(DeviceError(format!("there is no buffer {buffer}")));
        }
        out.clear();
        out.extend_from_slice(self.0.read(BufferId(buffer as u32)));
        Ok(())
    }

    fn run(&mut self, phase: Phase, step: u64, dt: f64) -> Result<(), DeviceError> {
        self.0.run(phase, step, dt);
        Ok(())
    }
}
