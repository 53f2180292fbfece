//! What a module looks like to the runtime.

use nullcline_runtime::artifact::{Buffer, EventBuffer, Feed, Layout, RandomFeed, Role};

use super::ir::{BufferId, BufferRole, Module};
use crate::ir::expr::{ExprGraph, Op};

impl Module {
    /// The layout of its buffers, with the same indices as in the module.
    pub fn layout(&self) -> Layout {
        let buffers = self.buffers.iter().enumerate().map(|(i, b)| Buffer {
            name: b.name.clone(),
            role: role(b.role),
            len: b.len,
            slots: self.slots(BufferId(i as u32)),
        });
        let feeds = self.inputs.iter().map(|(buffer, input)| Feed {
            buffer: buffer.index(),
            series: input.series,
            columns: input.columns.clone(),
        });
        let randoms = self.randoms.iter().map(|(buffer, random)| RandomFeed {
            buffer: buffer.index(),
            site: random.site,
            part: random.part,
            units: random.units.clone(),
        });
        let events = self.events.iter().map(|(buffer, recorded, delay)| EventBuffer {
            buffer: buffer.index(),
            first: recorded.first,
            count: recorded.count,
            unit: recorded.unit,
            delay: *delay,
        });
        Layout {
            name: self.name.clone(),
            buffers: buffers.collect(),
            feeds: feeds.collect(),
            randoms: randoms.collect(),
            events: events.collect(),
            history_passes: self.history_passes,
        }
    }
}

fn role(role: BufferRole) -> Role {
    match role {
        BufferRole::State(_) => Role::State,
        BufferRole::Parameter(_) => Role::Parameter,
        BufferRole::Input(_) | BufferRole::Random(_) => Role::Input,
        BufferRole::History(_) => Role::History,
        BufferRole::Observed(_) => Role::Observed,
        BufferRole::Event(_) => Role::Event,
        BufferRole::Derived(_) | BufferRole::Scratch(_) | BufferRole::Argument(..) => Role::Internal,
    }
}

/// How many times pre-histories have to be filled in until those that read others hold: one more than the longest chain
/// of histories that read each other, at most their number.
pub fn history_passes(graph: &ExprGraph, histories: &[crate::ir::system::History]) -> usize {
    if histories.is_empty() {
        return 0;
    }
    let reads: Vec<Vec<usize>> = histories
        .iter()
        .map(|h| {
            let nodes = graph.reachable([h.value]);
            let past = nodes.into_iter().filter_map(|id| match graph.node(id).op {
                Op::Past { history, .. } | Op::CouplePast { history, .. } => Some(history.index()),
                _ => None,
            });
            past.collect()
        })
        .collect();
    let mut depth = vec![1usize; histories.len()];
    for _ in 0..histories.len() {
        let next: Vec<usize> =
            reads.iter().map(|r| 1 + r.iter().map(|h| depth[*h]).max().unwrap_or(0).min(histories.len() - 1)).collect();
        if next == depth {
            break;
        }
        depth = next;
    }
    depth.into_iter().max().unwrap_or(1)
}
