//! Lists of launches as graphs: the driver is told once, and then makes all launches of a list in one call.

use std::ffi::c_void;
use std::ptr::{from_ref, null_mut};

use cudarc::driver::{DriverError, sys};

use super::super::{Launch, List};
use crate::code::Entry;

/// The functions of the driver that graphs take. They came with CUDA 12.0.
const FUNCTIONS: [&str; 6] = [
    "cuGraphCreate",
    "cuGraphAddKernelNode_v2",
    "cuGraphInstantiateWithFlags",
    "cuGraphLaunch",
    "cuGraphDestroy",
    "cuGraphExecDestroy",
];

/// Whether the driver has them. There is one.
pub(super) fn known() -> bool {
    // SAFETY: the symbols are looked for and not used.
    FUNCTIONS.iter().all(|name| unsafe { sys::culib().get::<*const c_void>(name.as_bytes()) }.is_ok())
}

/// Graphs by the numbers of their lists.
#[derive(Default)]
pub(super) struct Graphs(Vec<(u64, sys::CUgraphExec)>);

impl Graphs {
    /// Launches a list, after all launches made so far.
    ///
    /// # Safety
    ///
    /// The context is current on this thread. The functions, by the indices of their entries, take as many arguments as the
    /// launches have, all of 64 bits, and touch no memory but what lives as long as they may run.
    pub unsafe fn launch(
        &mut self,
        functions: &[sys::CUfunction],
        entries: &[Entry],
        list: &List,
    ) -> Result<(), DriverError> {
        let known = self.0.iter().find(|(number, _)| *number == list.number);
        let graph = match known {
            Some((_, graph)) => *graph,
            None => {
                // SAFETY: the caller's promise.
                let graph = unsafe { put_together(functions, entries, list) }?;
                self.0.push((list.number, graph));
                graph
            }
        };
        // SAFETY: the graph was put together in this context and is destroyed only by `forget` and `clear`. The default stream
        // is that of all launches and copies.
        unsafe { sys::cuGraphLaunch(graph, null_mut()) }.result()
    }

    /// Destroys the graph of a list.
    pub fn forget(&mut self, number: u64) {
        for (_, graph) in self.0.extract_if(.., |(known, _)| *known == number) {
            // SAFETY: nobody else has it; the driver waits with it until a launch that is under way has ended.
            let _ = unsafe { sys::cuGraphExecDestroy(graph) };
        }
    }

    /// Destroys all graphs.
    pub fn clear(&mut self) {
        for (_, graph) in self.0.drain(..) {
            // SAFETY: as above.
            let _ = unsafe { sys::cuGraphExecDestroy(graph) };
        }
    }
}

/// A graph of a node for each launch, each behind the one before.
///
/// # Safety
///
/// See [`Graphs::launch`].
unsafe fn put_together(
    functions: &[sys::CUfunction],
    entries: &[Entry],
    list: &List,
) -> Result<sys::CUgraphExec, DriverError> {
    let (mut graph, mut executable) = (null_mut(), null_mut());
    // SAFETY: writes the graph to the address it is given.
    unsafe { sys::cuGraphCreate(&mut graph, 0) }.result()?;
    let mut last: Option<sys::CUgraphNode> = None;
    let done = list.launches.iter().try_for_each(|launch| {
        // SAFETY: the caller's promise; the graph is the one above.
        last = Some(unsafe { add(graph, last, functions[launch.entry], &entries[launch.entry], launch) }?);
        Ok(())
    });
    // SAFETY: the graph is whole; the executable graph is a copy of it, which is written to the address that is given.
    let done = done.and_then(|()| unsafe { sys::cuGraphInstantiateWithFlags(&mut executable, graph, 0) }.result());
    // SAFETY: it was created above and nobody else has it.
    let destroyed = unsafe { sys::cuGraphDestroy(graph) }.result();
    done.and(destroyed).map(|()| executable)
}

/// Adds a launch behind a node.
///
/// # Safety
///
/// See [`Graphs::launch`]; the node is one of the graph.
unsafe fn add(
    graph: sys::CUgraph,
    last: Option<sys::CUgraphNode>,
    function: sys::CUfunction,
    entry: &Entry,
    launch: &Launch,
) -> Result<sys::CUgraphNode, DriverError> {
    let mut places: Vec<*mut c_void> = launch.arguments.iter().map(|a| from_ref(a).cast_mut().cast()).collect();
    let told = sys::CUDA_KERNEL_NODE_PARAMS {
        func: function,
        gridDimX: launch.groups,
        gridDimY: 1,
        gridDimZ: 1,
        blockDimX: entry.group,
        blockDimY: 1,
        blockDimZ: 1,
        sharedMemBytes: 0,
        kernelParams: places.as_mut_ptr(),
        extra: null_mut(),
        kern: null_mut(),
        ctx: null_mut(),
    };
    let before = last.as_slice();
    let mut node = null_mut();
    // SAFETY: the caller's promise; the driver copies what it is told, arguments included, before it returns.
    unsafe { sys::cuGraphAddKernelNode_v2(&mut node, graph, before.as_ptr(), before.len(), &told) }.result()?;
    Ok(node)
}
