//! Starting, devices, contexts, and the words for faults.

use std::ffi::{CStr, c_char};

use super::{Handle, give, give_text, handle};
use crate::codes::{self, Code};
use crate::state::{CURRENT, call};

/// What a device answers of itself: (number of the attribute, value); those that depend on the script are elsewhere.
const ATTRIBUTES: &[(i32, i32)] = &[
    (1, 1024),        // threads of a block
    (5, 0x7fff_ffff), // blocks
    (8, 48 << 10),    // bytes that a block shares
    (10, 32),         // threads of a warp
    (16, 4),          // multiprocessors
];

#[unsafe(no_mangle)]
pub extern "C" fn cuInit(flags: u32) -> i32 {
    call("cuInit", |state| {
        if flags != 0 {
            return Err(codes::ERROR_INVALID_VALUE);
        }
        if state.devices.is_empty() {
            return Err(codes::ERROR_NO_DEVICE);
        }
        state.started = true;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDriverGetVersion(version: *mut i32) -> i32 {
    // SAFETY: as the interface says (see the top of `abi`); so below.
    call("cuDriverGetVersion", |state| unsafe { give(version, state.script.version) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetCount(count: *mut i32) -> i32 {
    // SAFETY: as above.
    call("cuDeviceGetCount", |state| unsafe { give(count, state.devices.len() as i32) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGet(device: *mut i32, ordinal: i32) -> i32 {
    call("cuDeviceGet", |state| {
        state.device(ordinal)?;
        // SAFETY: as above.
        unsafe { give(device, ordinal) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetName(name: *mut u8, room: i32, device: i32) -> i32 {
    call("cuDeviceGetName", |state| {
        state.device(device)?;
        // SAFETY: as above.
        unsafe { give_text(name, usize::try_from(room).unwrap_or(0), "Stand-in") }.map(|_| ())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceTotalMem_v2(bytes: *mut usize, device: i32) -> i32 {
    call("cuDeviceTotalMem_v2", |state| {
        state.device(device)?;
        // SAFETY: as above.
        unsafe { give(bytes, state.script.memory) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetAttribute(value: *mut i32, attribute: i32, device: i32) -> i32 {
    call("cuDeviceGetAttribute", |state| {
        state.device(device)?;
        let known = ATTRIBUTES.iter().find(|row| row.0 == attribute).map(|row| row.1);
        let found = match attribute {
            75 => Some(state.script.sm as i32 / 10),
            76 => Some(state.script.sm as i32 % 10),
            // Pools of memory, of which drivers before 11.2 know nothing.
            115 if state.script.version >= 11020 => Some(1),
            _ => known,
        };
        // SAFETY: as above.
        unsafe { give(value, found.ok_or(codes::ERROR_INVALID_VALUE)?) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDevicePrimaryCtxRetain(context: *mut Handle, device: i32) -> i32 {
    call("cuDevicePrimaryCtxRetain", |state| {
        let retained = state.retain(device)?;
        // SAFETY: as above.
        unsafe { give(context, handle(retained)) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuDevicePrimaryCtxRelease_v2(device: i32) -> i32 {
    call("cuDevicePrimaryCtxRelease_v2", |state| state.release(device))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetCurrent(context: Handle) -> i32 {
    call("cuCtxSetCurrent", |state| {
        let number = context.addr();
        let open = state.devices.iter().filter_map(|d| d.context.as_ref()).any(|c| c.handle == number);
        if number != 0 && !open {
            return Err(codes::ERROR_INVALID_CONTEXT);
        }
        CURRENT.with_borrow_mut(|stack| {
            stack.pop();
            if number != 0 {
                stack.push(number);
            }
        });
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetCurrent(context: *mut Handle) -> i32 {
    call("cuCtxGetCurrent", |_| {
        let current = CURRENT.with_borrow(|stack| stack.last().copied());
        // SAFETY: as above.
        unsafe { give(context, handle(current.unwrap_or(0))) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSynchronize() -> i32 {
    call("cuCtxSynchronize", |state| {
        let (script, context) = state.current()?;
        context.forbid_captures(false, codes::ERROR_STREAM_CAPTURE_UNSUPPORTED)?;
        context.finish_all(script)
    })
}

/// # Safety
///
/// `to` is null, or the place of a pointer.
unsafe fn words(code: i32, to: *mut *const c_char, of: fn(Code) -> Option<&'static CStr>) -> i32 {
    let found = of(Code(code));
    // SAFETY: the caller's promise.
    let given = unsafe { give(to, found.map_or(std::ptr::null(), CStr::as_ptr)) };
    let known = found.map(|_| ()).ok_or(codes::ERROR_INVALID_VALUE);
    given.and(known).err().unwrap_or(codes::SUCCESS).0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorString(code: i32, text: *mut *const c_char) -> i32 {
    // SAFETY: as above.
    unsafe { words(code, text, Code::text) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorName(code: i32, name: *mut *const c_char) -> i32 {
    // SAFETY: as above.
    unsafe { words(code, name, Code::name) }
}
