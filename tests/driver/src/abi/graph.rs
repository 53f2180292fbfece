//! Graphs: launches that are put together or captured once, and launched together.

use std::ffi::c_void;

use super::launch::launch;
use super::{Handle, give, handle};
use crate::codes;
use crate::context::{LEGACY, Node, Object, order};
use crate::state::call;

/// What a node launches, as the interface lays it out (`CUDA_KERNEL_NODE_PARAMS_v2`).
#[repr(C)]
pub struct Kernel {
    function: Handle,
    grid: [u32; 3],
    block: [u32; 3],
    shared: u32,
    arguments: *mut *mut c_void,
    extra: *mut *mut c_void,
    kernel: Handle,
    context: Handle,
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGraphCreate(graph: *mut Handle, flags: u32) -> i32 {
    call("cuGraphCreate", |state| {
        if flags != 0 {
            return Err(codes::ERROR_INVALID_VALUE);
        }
        let added = state.add(Object::Graph(Vec::new()))?;
        // SAFETY: as the interface says (see the top of `abi`); so below.
        unsafe { give(graph, handle(added)) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGraphAddKernelNode_v2(
    node: *mut Handle,
    graph: Handle,
    before: *const Handle,
    count: usize,
    kernel: *const Kernel,
) -> i32 {
    call("cuGraphAddKernelNode_v2", |state| {
        if kernel.is_null() || before.is_null() && count > 0 {
            return Err(codes::ERROR_INVALID_VALUE);
        }
        // SAFETY: as above: one description, and so many nodes.
        let (kernel, after) = unsafe {
            let after: Vec<usize> = (0..count).map(|index| before.add(index).read().addr()).collect();
            (&*kernel, after)
        };
        if !kernel.kernel.is_null() || !kernel.context.is_null() {
            return Err(codes::ERROR_NOT_SUPPORTED);
        }
        let (shape, places) = ([kernel.grid, kernel.block], (kernel.arguments, kernel.extra));
        // SAFETY: as above.
        let work = unsafe { launch(state, kernel.function, shape, kernel.shared, places) }?;
        let added = state.handle();
        let Some(Object::Graph(nodes)) = state.current()?.1.objects.get_mut(&graph.addr()) else {
            return Err(codes::ERROR_INVALID_HANDLE);
        };
        if after.iter().any(|before| nodes.iter().all(|node| node.handle != *before)) {
            return Err(codes::ERROR_INVALID_VALUE);
        }
        nodes.push(Node { handle: added, work, after });
        // SAFETY: as above.
        unsafe { give(node, handle(added)) }
    })
}

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
        let mut nodes: Vec<Node> = Vec::new();
        for work in captured.ok_or(codes::ERROR_STREAM_CAPTURE_INVALIDATED)? {
            let after = nodes.last().map(|node| node.handle).into_iter().collect();
            nodes.push(Node { handle: state.handle(), work, after });
        }
        let added = state.add(Object::Graph(nodes))?;
        // SAFETY: as above.
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
        let Some(Object::Graph(nodes)) = state.current()?.1.objects.get(&graph.addr()) else {
            return Err(codes::ERROR_INVALID_HANDLE);
        };
        let work = order(nodes.clone());
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
        let work = work.clone();
        context.graphs += 1;
        work.into_iter().try_for_each(|work| context.submit(script, stream.addr(), work))
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
