//! Pruning: connections that carry nothing are removed.

use std::sync::Arc;

use super::Step;
use crate::ir::expr::Op;
use crate::ir::system::Values;

/// Drops entries of weight 0 of connections and fanouts, and those without entries; spikes that never come too.
///
/// An entry of weight 0 contributes nothing by definition, also when its source is not finite.
pub fn prune(mut step: Step) -> Step {
    for connection in &mut step.system.connections {
        let delays = connection.delays.as_mut().into_iter();
        let lists = std::iter::once(&mut connection.sources).chain(delays);
        drop_zero_entries(&mut connection.starts, &mut connection.weights, lists);
    }
    for fanout in &mut step.system.fanouts {
        drop_zero_entries(&mut fanout.starts, &mut fanout.weights, std::iter::once(&mut fanout.targets));
    }
    let unconnected: Vec<bool> = step.system.connections.iter().map(|c| c.sources.is_empty()).collect();
    let silent: Vec<bool> = step.system.fanouts.iter().map(|f| f.targets.is_empty()).collect();
    let convolutions = step.system.convolutions.iter();
    let without_weights: Vec<bool> = convolutions.map(|c| c.weights.iter().all(|w| *w == 0.0)).collect();
    step.rewrite(|graph, node| match node.op {
        Op::Couple(connection) | Op::CouplePast { connection, .. } if unconnected[connection.index()] => {
            Some(graph.constant(0.0))
        }
        Op::Convolve(convolution) if without_weights[convolution.index()] => Some(graph.constant(0.0)),
        Op::Deliver(fanout) if silent[fanout.index()] || graph.as_constant(node.args[1]) == Some(0.0) => {
            Some(node.args[0])
        }
        _ => None,
    });
    step
}

fn drop_zero_entries<'a>(
    starts: &mut Arc<[u32]>,
    weights: &mut Values,
    lists: impl Iterator<Item = &'a mut Arc<[u32]>>,
) {
    let entries = starts.last().map_or(0, |end| *end as usize);
    // Most have none, and there may be very many entries.
    let zeros = match weights {
        Values::Uniform(weight) => *weight == 0.0 && entries > 0,
        Values::Each(each) => each.contains(&0.0),
    };
    if !zeros {
        return;
    }
    let kept: Vec<usize> = (0..entries).filter(|e| weights.at(*e) != 0.0).collect();
    *starts = starts.iter().map(|s| kept.partition_point(|k| k < &(*s as usize)) as u32).collect();
    *weights = Values::from_each(kept.iter().map(|k| weights.at(*k)).collect());
    for list in lists {
        *list = kept.iter().map(|k| list[*k]).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_without_weight_are_dropped_row_by_row() {
        let (mut starts, mut sources) = (Arc::from([0, 2, 2, 4]), Arc::from([0, 1, 0, 2]));
        let mut weights = Values::Each([0.0, 2.0, 3.0, 0.0].into());
        drop_zero_entries(&mut starts, &mut weights, std::iter::once(&mut sources));
        assert_eq!(*starts, [0, 1, 1, 2]);
        assert_eq!(*sources, [1, 0]);
        assert_eq!(weights, Values::Each([2.0, 3.0].into()));
    }
}
