//! Which kernels can run all their steps at once.

use std::collections::HashSet;

use crate::artifact::{Phase, Role};
use crate::program::{Body, Kernel, Op, Program};

/// The kernels of the step with their extents, if each could run all its steps before the next begins: all are
/// straight-line code without past values, and none reads what another stores.
pub fn independent(program: &Program) -> Option<Vec<(usize, &Body)>> {
    if !(program.layout.feeds.is_empty() && program.layout.randoms.is_empty()) {
        return None;
    }
    let mut bodies = Vec::new();
    for kernel in program.phase(Phase::Step) {
        let Kernel::Pointwise { extent, body } = &program.kernels[*kernel as usize] else { return None };
        bodies.push((*extent, body));
    }
    for (at, (_, body)) in bodies.iter().enumerate() {
        let others = bodies.iter().enumerate().filter(|(other, _)| *other != at);
        let stored_elsewhere: HashSet<u32> = others.flat_map(|(_, (_, b))| b.stores.iter().map(|s| s.0)).collect();
        let own: HashSet<u32> = body.stores.iter().map(|s| s.0).collect();
        for op in &body.values {
            match op {
                Op::Past { .. } => return None,
                Op::Load { buffer, scalar }
                    if stored_elsewhere.contains(buffer) || (*scalar && own.contains(buffer)) =>
                {
                    return None;
                }
                _ => {}
            }
        }
        let role = |buffer: u32| program.layout.buffers[buffer as usize].role;
        if body.stores.iter().any(|s| role(s.0) != Role::State) {
            return None;
        }
    }
    Some(bodies)
}
