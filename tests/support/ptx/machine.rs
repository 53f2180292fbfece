//! The interpreter of PTX below the launcher.

use nullcline::runtime::artifact::DeviceError;
use nullcline::runtime::code::Entry;
use nullcline::runtime::device::Driver;
use stand_in_driver::interpreter::{self, Fault, Function};

/// Bytes it pretends to have.
const ROOM: usize = 1 << 30;

/// A device that interprets the code of one artifact.
pub struct Machine {
    functions: Vec<Function>,
    machine: interpreter::Machine,
}

impl Machine {
    /// A device that has read a text.
    pub fn new(text: &str) -> Result<Machine, DeviceError> {
        let functions = interpreter::parse::parse(text).map_err(DeviceError)?.functions;
        Ok(Machine { functions, machine: interpreter::Machine::new(ROOM) })
    }
}

fn failed(fault: Fault) -> DeviceError {
    DeviceError(fault.to_string())
}

impl Driver for Machine {
    fn device(&self) -> &str {
        "interpreter"
    }

    fn allocate(&mut self, bytes: usize) -> Result<u64, DeviceError> {
        let free = self.machine.free_bytes();
        let full = || DeviceError(format!("{bytes} bytes were asked for, {free} are free"));
        self.machine.allocate(bytes).ok_or_else(full)
    }

    fn upload(&mut self, address: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.machine.bytes_mut(address, bytes.len()).map_err(failed)?.copy_from_slice(bytes);
        Ok(())
    }

    fn download(&self, address: u64, bytes: &mut [u8]) -> Result<(), DeviceError> {
        bytes.copy_from_slice(self.machine.bytes(address, bytes.len()).map_err(failed)?);
        Ok(())
    }

    fn launch(&mut self, index: usize, entry: &Entry, groups: u32, arguments: &[u64]) -> Result<(), DeviceError> {
        let function = &self.functions[index];
        if function.name() != entry.name {
            return Err(DeviceError(format!("`{}` is launched as `{}`", function.name(), entry.name)));
        }
        if entry.shared as usize > function.shared() {
            return Err(DeviceError(format!("`{}` shares {} bytes", entry.name, function.shared())));
        }
        self.machine.launch(function, (groups, entry.group), arguments).map_err(failed)
    }
}
