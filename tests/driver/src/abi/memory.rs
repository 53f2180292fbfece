//! Memory: allocation and copies.

use std::ffi::c_void;

use super::{Handle, give};
use crate::codes::{self, Code};
use crate::context::{LEGACY, Work};
use crate::state::{State, call};

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> i32 {
    call("cuMemGetInfo_v2", |state| {
        let memory = state.script.memory;
        let (_, context) = state.current()?;
        // SAFETY: as the interface says (see the top of `abi`); so below.
        unsafe {
            give(free, context.machine.free_bytes())?;
            give(total, memory)
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAlloc_v2(address: *mut u64, bytes: usize) -> i32 {
    call("cuMemAlloc_v2", |state| {
        let (_, context) = state.current()?;
        context.forbid_captures(false, codes::ERROR_STREAM_CAPTURE_UNSUPPORTED)?;
        if bytes == 0 {
            return Err(codes::ERROR_INVALID_VALUE);
        }
        let found = context.machine.allocate(bytes).ok_or(codes::ERROR_OUT_OF_MEMORY)?;
        // What a device finds in new memory is anything.
        context.machine.bytes_mut(found, bytes).map_err(|_| codes::ERROR_UNKNOWN)?.fill(0xA5);
        // SAFETY: as above.
        unsafe { give(address, found) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemFree_v2(address: u64) -> i32 {
    call("cuMemFree_v2", |state| {
        let (script, context) = state.current()?;
        context.forbid_captures(false, codes::ERROR_STREAM_CAPTURE_UNSUPPORTED)?;
        context.finish_all(script)?;
        if address == 0 || context.machine.free(address) { Ok(()) } else { Err(codes::ERROR_INVALID_VALUE) }
    })
}

/// Refuses addresses that are not those of so many bytes of one allocation.
fn check(state: &mut State, address: u64, bytes: usize) -> Result<(), Code> {
    let (_, context) = state.current()?;
    context.machine.bytes(address, bytes).map(|_| ()).map_err(|_| codes::ERROR_INVALID_VALUE)
}

/// Bytes of the caller.
///
/// # Safety
///
/// `from` is null, or the place of so many bytes.
unsafe fn read(from: *const u8, bytes: usize) -> Result<Vec<u8>, Code> {
    if from.is_null() {
        return Err(codes::ERROR_INVALID_VALUE);
    }
    // SAFETY: it is not null, so the caller's promise is that of a place.
    Ok(unsafe { std::slice::from_raw_parts(from, bytes) }.to_vec())
}

fn submit(state: &mut State, stream: usize, work: Work) -> Result<(), Code> {
    let (script, context) = state.current()?;
    context.submit(script, stream, work)
}

/// Waits for a stream and hands over what is at an address then.
///
/// # Safety
///
/// `to` is null, or the place of so many bytes.
unsafe fn fetch(state: &mut State, stream: usize, to: *mut u8, from: u64, bytes: usize) -> Result<(), Code> {
    check(state, from, bytes)?;
    let (script, context) = state.current()?;
    if stream == LEGACY {
        context.forbid_captures(true, codes::ERROR_STREAM_CAPTURE_IMPLICIT)?;
    } else if context.stream(stream)?.capture.is_some() {
        return Err(codes::ERROR_NOT_SUPPORTED);
    }
    context.finish(script, stream)?;
    let found = context.machine.bytes(from, bytes).map_err(|_| codes::ERROR_INVALID_VALUE)?;
    if to.is_null() {
        return Err(codes::ERROR_INVALID_VALUE);
    }
    // SAFETY: it is not null, so the caller's promise is that of a place; what is copied is the library's own.
    unsafe { to.copy_from_nonoverlapping(found.as_ptr(), bytes) };
    Ok(())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyHtoD_v2(to: u64, from: *const c_void, bytes: usize) -> i32 {
    call("cuMemcpyHtoD_v2", |state| {
        if bytes == 0 {
            return Ok(());
        }
        check(state, to, bytes)?;
        // SAFETY: as above.
        let bytes = unsafe { read(from.cast(), bytes) }?;
        submit(state, LEGACY, Work::Write(to, bytes))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyHtoDAsync_v2(to: u64, from: *const c_void, bytes: usize, stream: Handle) -> i32 {
    call("cuMemcpyHtoDAsync_v2", |state| {
        check(state, to, bytes)?;
        // SAFETY: as above; memory that is not locked is copied before the call returns.
        let bytes = unsafe { read(from.cast(), bytes) }?;
        submit(state, stream.addr(), Work::Write(to, bytes))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoH_v2(to: *mut c_void, from: u64, bytes: usize) -> i32 {
    call("cuMemcpyDtoH_v2", |state| {
        if bytes == 0 {
            return Ok(());
        }
        // SAFETY: as above.
        unsafe { fetch(state, LEGACY, to.cast(), from, bytes) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoHAsync_v2(to: *mut c_void, from: u64, bytes: usize, stream: Handle) -> i32 {
    // SAFETY: as above; to memory that is not locked the call returns when all is there.
    call("cuMemcpyDtoHAsync_v2", |state| unsafe { fetch(state, stream.addr(), to.cast(), from, bytes) })
}

fn copy(state: &mut State, stream: usize, to: u64, from: u64, count: usize) -> Result<(), Code> {
    check(state, to, count)?;
    check(state, from, count)?;
    submit(state, stream, Work::Copy { to, from, count })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyDtoD_v2(to: u64, from: u64, bytes: usize) -> i32 {
    call("cuMemcpyDtoD_v2", |state| copy(state, LEGACY, to, from, bytes))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyDtoDAsync_v2(to: u64, from: u64, bytes: usize, stream: Handle) -> i32 {
    call("cuMemcpyDtoDAsync_v2", |state| copy(state, stream.addr(), to, from, bytes))
}

fn fill(state: &mut State, stream: usize, to: u64, bytes: Vec<u8>) -> Result<(), Code> {
    if bytes.is_empty() {
        return Ok(());
    }
    check(state, to, bytes.len())?;
    submit(state, stream, Work::Write(to, bytes))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD8_v2(to: u64, value: u8, count: usize) -> i32 {
    call("cuMemsetD8_v2", |state| fill(state, LEGACY, to, vec![value; count]))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD8Async(to: u64, value: u8, count: usize, stream: Handle) -> i32 {
    call("cuMemsetD8Async", |state| fill(state, stream.addr(), to, vec![value; count]))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD32_v2(to: u64, value: u32, count: usize) -> i32 {
    call("cuMemsetD32_v2", |state| {
        if !to.is_multiple_of(4) {
            return Err(codes::ERROR_INVALID_VALUE);
        }
        fill(state, LEGACY, to, value.to_le_bytes().repeat(count))
    })
}
