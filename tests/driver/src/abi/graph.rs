//! Graphs: launches that are captured once and launched together.

use super::{Handle, give, handle};
use crate::codes;
use crate::context::{LEGACY, Object};
use crate::state::call;

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamBeginCapture_v2(stream: Handle, mode: u32) -> i32 {
    call("cuStreamBeginCapture_v2", |state| {
        let (_, context) = state.current()?;
        if stream.addr() == LEGACY {
            return Err(codes::ERROR_STREAM_CAPTURE_UNSUPPORTED);
        }
        let stream = context.stream(stream.addr())?;
        if mode > 2 || stream.capture.is_some() {
            return Err(codes::ERROR_INVALID_VALUE);
        }
        stream.capture = Some(Some(Vec::new()));
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamEndCapture(stream: Handle, graph: *mut Handle) -> i32 {
    call("cuStreamEndCapture", |state| {
        let capture = state.current()?.1.stream(stream.addr())?.capture.take();
        let captured = capture.ok_or(codes::ERROR_STREAM_CAPTURE_UNMATCHED)?;
        let added = state.add(Object::Graph(captured.ok_or(codes::ERROR_STREAM_CAPTURE_INVALIDATED)?))?;
        // SAFETY: as the interface says (see the top of `abi`); so below.
        unsafe { give(graph, handle(added)) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamIsCapturing(stream: Handle, status: *mut u32) -> i32 {
    call("cuStreamIsCapturing", |state| {
        let capturing = match stream.addr() {
            LEGACY => 0,
            number => match &state.current()?.1.stream(number)?.capture {
                None => 0,
                Some(Some(_)) => 1,
                Some(None) => 2,
            },
        };
        // SAFETY: as above.
        unsafe { give(status, capturing) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGraphInstantiateWithFlags(executable: *mut Handle, graph: Handle, _flags: u64) -> i32 {
    call("cuGraphInstantiateWithFlags", |state| {
        let Some(Object::Graph(work)) = state.current()?.1.objects.get(&graph.addr()) else {
            return Err(codes::ERROR_INVALID_HANDLE);
        };
        let work = work.clone();
        let added = state.add(Object::Executable(work))?;
        // SAFETY: as above.
        unsafe { give(executable, handle(added)) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuGraphLaunch(executable: Handle, stream: Handle) -> i32 {
    call("cuGraphLaunch", |state| {
        let (script, context) = state.current()?;
        let Some(Object::Executable(work)) = context.objects.get(&executable.addr()) else {
            return Err(codes::ERROR_INVALID_HANDLE);
        };
        work.clone().into_iter().try_for_each(|work| context.submit(script, stream.addr(), work))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuGraphDestroy(graph: Handle) -> i32 {
    call("cuGraphDestroy", |state| {
        let (_, context) = state.current()?;
        match context.objects.get(&graph.addr()) {
            Some(Object::Graph(_)) => context.objects.remove(&graph.addr()).map_or(Ok(()), |_| Ok(())),
            _ => Err(codes::ERROR_INVALID_HANDLE),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuGraphExecDestroy(executable: Handle) -> i32 {
    call("cuGraphExecDestroy", |state| {
        let (_, context) = state.current()?;
        match context.objects.get(&executable.addr()) {
            Some(Object::Executable(_)) => context.objects.remove(&executable.addr()).map_or(Ok(()), |_| Ok(())),
            _ => Err(codes::ERROR_INVALID_HANDLE),
        }
    })
}
