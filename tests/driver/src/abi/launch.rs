//! Launches of entries.

use std::ffi::c_void;

use super::Handle;
use crate::codes::{self, Code};
use crate::context::{Launch, Object, Work};
use crate::state::{State, call};

/// Most threads of a block.
const MOST_THREADS: u32 = 1024;

/// The launch that arguments of a call describe; its own arguments are copied.
///
/// # Safety
///
/// `arguments` is null, or as many places of 64 bits as the entry has parameters.
pub(super) unsafe fn launch(
    state: &mut State,
    function: Handle,
    [grid, block]: [[u32; 3]; 2],
    shared: u32,
    (arguments, extra): (*mut *mut c_void, *mut *mut c_void),
) -> Result<Work, Code> {
    let (_, context) = state.current()?;
    let Some(Object::Function { module, index }) = context.objects.get(&function.addr()) else {
        return Err(codes::ERROR_INVALID_HANDLE);
    };
    let Some(Object::Module(code)) = context.objects.get(module) else { return Err(codes::ERROR_INVALID_HANDLE) };
    let entry = &code.functions[*index];
    if !extra.is_null() || grid[1..] != [1, 1] || block[1..] != [1, 1] {
        return Err(codes::ERROR_NOT_SUPPORTED);
    }
    let (blocks, threads) = (grid[0], block[0]);
    let most = MOST_THREADS.min(entry.most_threads() as u32);
    if blocks == 0 || blocks > i32::MAX as u32 || threads == 0 || threads > most || shared > 0 {
        return Err(codes::ERROR_INVALID_VALUE);
    }
    let mut copied = Vec::with_capacity(entry.parameters());
    for index in 0..entry.parameters() {
        // SAFETY: the caller's promise, for the places that are there.
        let place = if arguments.is_null() { std::ptr::null() } else { unsafe { arguments.add(index).read() } };
        if place.is_null() || !place.cast::<u64>().is_aligned() {
            return Err(codes::ERROR_INVALID_VALUE);
        }
        // SAFETY: as above.
        copied.push(unsafe { place.cast::<u64>().read() });
    }
    let (module, code, function) = (*module, code.clone(), *index);
    Ok(Work::Launch(Launch { module, code, function, blocks, threads, arguments: copied }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuLaunchKernel(
    function: Handle,
    grid_x: u32,
    grid_y: u32,
    grid_z: u32,
    block_x: u32,
    block_y: u32,
    block_z: u32,
    shared: u32,
    stream: Handle,
    arguments: *mut *mut c_void,
    extra: *mut *mut c_void,
) -> i32 {
    call("cuLaunchKernel", |state| {
        let shape = [[grid_x, grid_y, grid_z], [block_x, block_y, block_z]];
        // SAFETY: as the interface says (see the top of `abi`).
        let work = unsafe { launch(state, function, shape, shared, (arguments, extra)) }?;
        let (script, context) = state.current()?;
        context.submit(script, stream.addr(), work)
    })
}
