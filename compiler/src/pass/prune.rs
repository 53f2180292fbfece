//! Pruning: connections that carry nothing are removed.

use std::collections::HashMap;

use super::Step;
use crate::ir::expr::{ConnectionId, Op};
use crate::ir::system::{Connection, Values};

/// Drops connection entries of weight 0, and connections without entries.
///
/// An entry of weight 0 contributes nothing by definition, also when its source is not finite.
pub fn prune(mut step: Step) -> Step {
    for connection in &mut step.system.connections {
        drop_zero_entries(connection);
    }
    let empty: HashMap<ConnectionId, bool> = (step.system.connections.iter().enumerate())
        .map(|(i, c)| (ConnectionId(i as u32), c.sources.is_empty()))
        .collect();
    step.rewrite(|graph, node| match node.op {
        Op::Couple(id) if empty[&id] => Some(graph.constant(0.0)),
        _ => None,
    });
    step
}

fn drop_zero_entries(connection: &mut Connection) {
    let dropped = match &connection.weights {
        Values::Uniform(weight) => *weight == 0.0,
        Values::Each(weights) => weights.contains(&0.0),
    };
    // Most have none, and may have so many entries that no list of them should be made.
    if !dropped {
        return;
    }
    let kept: Vec<usize> = (0..connection.sources.len()).filter(|e| connection.weights.at(*e) != 0.0).collect();
    connection.starts = connection.starts.iter().map(|s| kept.partition_point(|k| k < &(*s as usize)) as u32).collect();
    connection.weights = Values::from_each(kept.iter().map(|k| connection.weights.at(*k)).collect());
    connection.sources = kept.iter().map(|k| connection.sources[*k]).collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::expr::SpaceId;

    #[test]
    fn entries_without_weight_are_dropped_row_by_row() {
        let mut connection = Connection {
            name: "c".into(),
            source: SpaceId(1),
            target: SpaceId(1),
            starts: [0, 2, 2, 4].into(),
            sources: [0, 1, 0, 2].into(),
            weights: Values::Each([0.0, 2.0, 3.0, 0.0].into()),
        };
        drop_zero_entries(&mut connection);
        assert_eq!(*connection.starts, [0, 1, 1, 2]);
        assert_eq!(*connection.sources, [1, 0]);
        assert_eq!(connection.weights, Values::Each([2.0, 3.0].into()));
    }
}
