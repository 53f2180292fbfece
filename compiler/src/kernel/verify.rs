//! Legality of a module: what every pass that makes one must keep, and every engine may rely on.

use super::ir::{Body, BufferId, BufferRole, Index, Module, Stmt, ValueOp};

/// Checks a module and says what is wrong with it: the first broken rule, by kernel.
///
/// Rules: buffers and kernels that are named exist; values are numbered in order and used after they are assigned;
/// calls have as many arguments as their function; a load or store at the kernel's element fits the buffer's length, a
/// load at zero reads a scalar; connection and table lengths agree with their buffers and stay in bounds; a state is
/// stored by at most one kernel of the step, after every kernel that reads it at another element, and before those that
/// deliver to it.
pub fn verify(module: &Module) -> Result<(), String> {
    for kernel in &module.kernels {
        verify_kernel(module, kernel.extent, &kernel.body).map_err(|why| format!("kernel `{}`: {why}", kernel.name))?;
    }
    for list in [&module.setup, &module.remember, &module.step, &module.observe] {
        if list.iter().any(|k| *k >= module.kernels.len()) {
            return Err("a phase names a kernel that does not exist".to_string());
        }
    }
    verify_state_order(module)
}

fn verify_kernel(module: &Module, extent: usize, body: &Body) -> Result<(), String> {
    let buffer =
        |id: BufferId| module.buffers.get(id.index()).ok_or_else(|| format!("buffer {} does not exist", id.index()));
    match body {
        Body::Pointwise(stmts) => {
            let mut assigned = 0u32;
            for stmt in stmts {
                match stmt {
                    Stmt::Let(value, op) => {
                        if value.0 != assigned {
                            return Err(format!("value %{} assigned out of order", value.0));
                        }
                        match op {
                            ValueOp::Load { buffer: id, index } | ValueOp::Past { buffer: id, index, .. } => {
                                let found = buffer(*id)?;
                                let fits = match index {
                                    Index::Element => found.len == extent,
                                    Index::Zero => found.len == 1,
                                };
                                if !fits {
                                    return Err(format!("load of `{}` does not fit {extent} elements", found.name));
                                }
                            }
                            ValueOp::Call(prim, args) => {
                                if args.len() != prim.arity || args.iter().any(|a| a.0 >= assigned) {
                                    return Err(format!("call of `{}` at %{assigned}", prim.name));
                                }
                            }
                            ValueOp::Constant(_) | ValueOp::Time | ValueOp::StepSize => {}
                        }
                        assigned += 1;
                    }
                    Stmt::Store(id, value) => {
                        let found = buffer(*id)?;
                        if found.len != extent || value.0 >= assigned {
                            return Err(format!("store to `{}` does not fit {extent} elements", found.name));
                        }
                    }
                }
            }
        }
        Body::Take { table, source, target } => {
            let (source, target) = (buffer(*source)?, buffer(*target)?);
            let table = module.tables.get(*table).ok_or("a table does not exist")?;
            if table.len() != extent || target.len != extent || table.iter().any(|i| *i as usize >= source.len) {
                return Err("index table does not fit its buffers".to_string());
            }
        }
        Body::Couple { connection, source, target } => {
            let (source, target) = (buffer(*source)?, buffer(*target)?);
            let connection = module.connections.get(*connection).ok_or("a connection does not exist")?;
            let (members, stride) = (connection.members as usize, connection.stride as usize);
            let before = members.saturating_sub(1) * stride;
            let fits = target.len == extent
                && members > 0
                && extent.is_multiple_of(members)
                && before <= source.len
                && listed(&connection.starts, &connection.sources, (extent / members, source.len - before));
            if !fits {
                return Err(format!("connection `{}` does not fit its buffers", connection.name));
            }
        }
        Body::Convolve { convolution, source, target } => {
            let (source, target) = (buffer(*source)?, buffer(*target)?);
            let convolution = module.convolutions.get(*convolution).ok_or("a convolution does not exist")?;
            let (window, members) = (&convolution.window, convolution.members as usize);
            let fits = target.len == extent
                && extent == members * window.targets()
                && source.len == members * window.sources()
                && convolution.weights.len() == window.weights();
            if !fits {
                return Err(format!("convolution `{}` does not fit its buffers", convolution.name));
            }
        }
        Body::CouplePast { connection, history, current, target } => {
            let (source, target) = (buffer(*history)?, buffer(*target)?);
            let current = current.map(buffer).transpose()?;
            let connection = module.connections.get(*connection).ok_or("a connection does not exist")?;
            let slots = module.slots(*history);
            let delays = connection.delays.as_deref().unwrap_or(&[]);
            let fits = target.len == extent
                && listed(&connection.starts, &connection.sources, (extent, source.len))
                && connection.members == 1
                && delays.len() == connection.sources.len()
                && delays.iter().all(|d| (*d as usize) < slots && (*d > 0 || current.is_some()))
                && current.is_none_or(|c| c.len == source.len);
            if !fits {
                return Err(format!("connection `{}` does not fit its buffers", connection.name));
            }
        }
        Body::Deliver { spikes, factor, target, .. } if target == spikes || factor.as_ref() == Some(target) => {
            return Err("a delivery reads what it adds to".to_string());
        }
        Body::Deliver { fanout, spikes, factor, target } => {
            let (spikes, target) = (buffer(*spikes)?, buffer(*target)?);
            let factor = factor.map(buffer).transpose()?;
            let fanout = module.fanouts.get(*fanout).ok_or("a fanout does not exist")?;
            let fits = target.len == extent
                && listed(&fanout.starts, &fanout.targets, (spikes.len, extent))
                && factor.is_none_or(|f| f.len == spikes.len);
            if !fits {
                return Err(format!("fanout `{}` does not fit its buffers", fanout.name));
            }
        }
    }
    Ok(())
}

/// Whether `starts` divide `ends` into rows, and all ends exist.
fn listed(starts: &[u32], ends: &[u32], (rows, size): (usize, usize)) -> bool {
    starts.len() == rows + 1
        && starts.first() == Some(&0)
        && starts.last() == Some(&(ends.len() as u32))
        && starts.is_sorted()
        && ends.iter().all(|e| (*e as usize) < size)
}

/// States are updated in place, so no kernel may read one after another kernel has stored it.
fn verify_state_order(module: &Module) -> Result<(), String> {
    let is_state = |b: &BufferId| matches!(module.buffers[b.index()].role, BufferRole::State(_));
    let mut stored: Vec<BufferId> = Vec::new();
    for index in &module.step {
        let kernel = &module.kernels[*index];
        let (reads, writes): (Vec<BufferId>, Vec<BufferId>) = match &kernel.body {
            Body::Pointwise(stmts) => stmts.iter().fold(Default::default(), |mut found, stmt| {
                match stmt {
                    Stmt::Let(_, ValueOp::Load { buffer, .. }) => found.0.push(*buffer),
                    Stmt::Store(buffer, _) => found.1.push(*buffer),
                    Stmt::Let(..) => {}
                }
                found
            }),
            Body::Take { source, target, .. }
            | Body::Couple { source, target, .. }
            | Body::Convolve { source, target, .. } => (vec![*source], vec![*target]),
            Body::CouplePast { current, target, .. } => (current.iter().copied().collect(), vec![*target]),
            // Deliveries act on the new state.
            Body::Deliver { target, .. } if stored.contains(target) || !is_state(target) => continue,
            Body::Deliver { target, .. } => {
                let name = &module.buffers[target.index()].name;
                return Err(format!("`{}` delivers to `{name}` before it was stored", kernel.name));
            }
        };
        if let Some(late) = reads.iter().chain(&writes).find(|b| is_state(b) && stored.contains(b)) {
            return Err(format!(
                "`{}` uses state `{}` after it was stored",
                kernel.name,
                module.buffers[late.index()].name
            ));
        }
        stored.extend(writes.into_iter().filter(|b| is_state(b)));
    }
    Ok(())
}
