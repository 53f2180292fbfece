//! Machine code in memory that can be executed.

use memmap2::{Mmap, MmapMut};

use crate::artifact::DeviceError;

/// A kernel as the processor runs it: `(buffers, pool, first byte, byte to stop at, steps or bytes to the next turn,
/// first step)`.
type Entry = unsafe extern "sysv64" fn(*mut u8, *const u8, usize, usize, u64, u64);

/// Code that can be called.
pub struct Executable {
    code: Mmap,
}

impl Executable {
    /// Puts code into executable memory.
    pub fn new(code: &[u8]) -> Result<Executable, DeviceError> {
        let fault = |what: &str, error: std::io::Error| DeviceError(format!("cannot {what} memory for code: {error}"));
        let mut memory = MmapMut::map_anon(code.len()).map_err(|e| fault("reserve", e))?;
        memory.copy_from_slice(code);
        let code = memory.make_exec().map_err(|e| fault("make executable", e))?;
        Ok(Executable { code })
    }

    /// Calls the code.
    ///
    /// # Safety
    ///
    /// `buffers` and `pool` must be what the code was generated for, `first..stop` a range of bytes within a buffer's padded
    /// length, and nothing else may access those bytes meanwhile.
    pub unsafe fn call(&self, buffers: *mut u8, pool: *const u8, range: (usize, usize), steps: u64, first_step: u64) {
        // SAFETY: the mapping holds a function of this type from its first byte on, and lives as long as `self`.
        let entry: Entry = unsafe { std::mem::transmute(self.code.as_ptr()) };
        // SAFETY: handed on to the caller.
        unsafe { entry(buffers, pool, range.0, range.1, steps, first_step) }
    }
}
