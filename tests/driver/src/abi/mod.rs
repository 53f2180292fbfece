//! The functions of the driver, by the names and with the arguments of its interface (CUDA Driver API).
//!
//! All pointers are the caller's: each function reads and writes through those that the interface says, in the sizes it says, and
//! not after it returns. What can be told to be wrong without reading through them is refused.
#![allow(non_snake_case, missing_docs, clippy::missing_safety_doc)] // names and meanings are not ours

mod blas;
mod context;
mod graph;
mod launch;
mod memory;
mod module;
mod stream;

pub use blas::*;
pub use context::*;
pub use graph::*;
pub use launch::*;
pub use memory::*;
pub use module::*;
pub use stream::*;

use std::ffi::c_void;

use crate::codes::{self, Code};

/// What the interface calls `CUcontext`, `CUmodule` and so on: a number that only this library understands.
pub type Handle = *mut c_void;

/// A handle of a number.
fn handle(number: usize) -> Handle {
    std::ptr::without_provenance_mut(number)
}

/// Writes what a call gives back.
///
/// # Safety
///
/// `to` is null, or the place of a `T`.
unsafe fn give<T>(to: *mut T, value: T) -> Result<(), Code> {
    if to.is_null() {
        return Err(codes::ERROR_INVALID_VALUE);
    }
    // SAFETY: it is not null, so the caller's promise is that of a place.
    unsafe { to.write(value) };
    Ok(())
}

/// Writes text, cut to fit, with a 0 behind it.
///
/// # Safety
///
/// `to` is null, or the place of so many bytes.
unsafe fn give_text(to: *mut u8, room: usize, text: &str) -> Result<usize, Code> {
    let Some(most) = room.checked_sub(1).filter(|_| !to.is_null()) else { return Err(codes::ERROR_INVALID_VALUE) };
    let count = text.len().min(most);
    // SAFETY: at most `room` bytes with the 0.
    unsafe {
        to.copy_from_nonoverlapping(text.as_ptr(), count);
        to.add(count).write(0);
    }
    Ok(count)
}
