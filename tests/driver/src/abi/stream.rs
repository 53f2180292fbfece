//! Streams and events.

use super::{Handle, give, handle};
use crate::codes;
use crate::context::{LEGACY, Object, Stream, Work};
use crate::state::call;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamCreate(stream: *mut Handle, flags: u32) -> i32 {
    call("cuStreamCreate", |state| {
        if flags > 1 {
            return Err(codes::ERROR_INVALID_VALUE);
        }
        let added = state.add(Object::Stream(Stream { blocking: flags == 0, capture: None }))?;
        // SAFETY: as the interface says (see the top of `abi`); so below.
        unsafe { give(stream, handle(added)) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamDestroy_v2(stream: Handle) -> i32 {
    call("cuStreamDestroy_v2", |state| {
        let (script, context) = state.current()?;
        context.stream(stream.addr())?;
        context.finish(script, stream.addr())?;
        context.objects.remove(&stream.addr());
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamSynchronize(stream: Handle) -> i32 {
    call("cuStreamSynchronize", |state| {
        let (script, context) = state.current()?;
        if stream.addr() == LEGACY {
            context.forbid_captures(true, codes::ERROR_STREAM_CAPTURE_IMPLICIT)?;
        } else if let capture @ Some(_) = &mut context.stream(stream.addr())?.capture {
            *capture = Some(None);
            return Err(codes::ERROR_STREAM_CAPTURE_UNSUPPORTED);
        }
        context.finish(script, stream.addr())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventCreate(event: *mut Handle, _flags: u32) -> i32 {
    call("cuEventCreate", |state| {
        let added = state.add(Object::Event { recorded: 0, happened: 0 })?;
        // SAFETY: as above.
        unsafe { give(event, handle(added)) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventDestroy_v2(event: Handle) -> i32 {
    call("cuEventDestroy_v2", |state| {
        let (_, context) = state.current()?;
        match context.objects.get(&event.addr()) {
            Some(Object::Event { .. }) => context.objects.remove(&event.addr()).map_or(Ok(()), |_| Ok(())),
            _ => Err(codes::ERROR_INVALID_HANDLE),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventRecord(event: Handle, stream: Handle) -> i32 {
    call("cuEventRecord", |state| {
        let (script, context) = state.current()?;
        let Some(Object::Event { recorded, .. }) = context.objects.get_mut(&event.addr()) else {
            return Err(codes::ERROR_INVALID_HANDLE);
        };
        *recorded += 1;
        let number = *recorded;
        context.submit(script, stream.addr(), Work::Record(event.addr(), number))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamWaitEvent(stream: Handle, event: Handle, _flags: u32) -> i32 {
    call("cuStreamWaitEvent", |state| {
        let (script, context) = state.current()?;
        let Some(Object::Event { recorded, .. }) = context.objects.get(&event.addr()) else {
            return Err(codes::ERROR_INVALID_HANDLE);
        };
        let number = *recorded;
        context.submit(script, stream.addr(), Work::Wait(event.addr(), number))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventQuery(event: Handle) -> i32 {
    let mut ready = true;
    let code = call("cuEventQuery", |state| match state.current()?.1.objects.get(&event.addr()) {
        Some(Object::Event { recorded, happened }) => {
            ready = happened == recorded;
            Ok(())
        }
        _ => Err(codes::ERROR_INVALID_HANDLE),
    });
    if code == 0 && !ready { codes::ERROR_NOT_READY.0 } else { code }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuEventSynchronize(event: Handle) -> i32 {
    call("cuEventSynchronize", |state| {
        let (script, context) = state.current()?;
        match context.objects.get(&event.addr()) {
            // More than is asked for: streams have no order among them that could be relied on.
            Some(Object::Event { .. }) => context.finish_all(script),
            _ => Err(codes::ERROR_INVALID_HANDLE),
        }
    })
}
