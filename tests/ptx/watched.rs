//! An interpreter that says what it is asked for.

use nullcline::runtime::artifact::DeviceError;
use nullcline::runtime::code::Entry;
use nullcline::runtime::device::Driver;
use nullcline::runtime::device::blas::Call;
use nullcline::runtime::program::Precision;

use super::interpreter::Machine;

/// What a library of products does.
pub type Product = fn(&mut Machine, &Call, Precision, [u64; 3]) -> Result<(), DeviceError>;

/// An interpreter, perhaps with a library.
pub struct Watched {
    /// The interpreter.
    pub machine: Machine,
    /// Called before each launch.
    pub launched: fn(&Entry),
    /// The library.
    pub product: Option<Product>,
}

impl Driver for Watched {
    fn device(&self) -> &str {
        self.machine.device()
    }

    fn allocate(&mut self, bytes: usize) -> Result<u64, DeviceError> {
        self.machine.allocate(bytes)
    }

    fn upload(&mut self, address: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.machine.upload(address, bytes)
    }

    fn download(&self, address: u64, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.machine.download(address, bytes)
    }

    fn launch(&mut self, index: usize, entry: &Entry, groups: u32, arguments: &[u64]) -> Result<(), DeviceError> {
        (self.launched)(entry);
        self.machine.launch(index, entry, groups, arguments)
    }

    fn multiply(&mut self, call: &Call, precision: Precision, addresses: [u64; 3]) -> Option<Result<(), DeviceError>> {
        self.product.map(|product| product(&mut self.machine, call, precision, addresses))
    }
}
