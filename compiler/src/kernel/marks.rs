//! Where devices mark recorded events: a ring of rows of bits, a row for each step, so that events need not be read back
//! step by step.

use nullcline_runtime::code::Marks;

use super::ir::{Body, BufferId, Module, Stmt};

/// Bytes of the ring: enough for thousands of steps of small networks and some of large ones, and read back in no time.
const BYTES: usize = 4 << 20;

/// Most rows: as many steps as a simulation runs before it looks up.
const ROWS: usize = 4096;

/// The ring of a module; none where nothing is recorded, or an event is no pointwise function.
pub fn marks(module: &Module) -> Option<Marks> {
    let mut recorded: Vec<BufferId> = module.events.iter().map(|event| event.0).collect();
    recorded.sort_unstable();
    recorded.dedup();
    let stored = |buffer: &BufferId| {
        let stores = |stmt: &Stmt| matches!(stmt, Stmt::Store(to, _) if to == buffer);
        module.step.iter().any(|kernel| match &module.kernels[*kernel].body {
            Body::Pointwise(body) => body.iter().any(stores),
            _ => false,
        })
    };
    if recorded.is_empty() || !recorded.iter().all(stored) {
        return None;
    }
    let mut words = 0;
    let mut buffers = Vec::new();
    for buffer in recorded {
        buffers.push((buffer.0, words));
        words += module.buffers[buffer.index()].len.div_ceil(32);
    }
    let rows = (BYTES / (4 * words)).clamp(1, ROWS);
    Some(Marks { rows: 1 << rows.ilog2(), words, buffers })
}
