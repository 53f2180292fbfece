//! Connections of neighbours.

use super::super::draw::Stream;
use super::{End, Ends, Graph, rows};

/// Each unit with the one of the same number.
pub(super) fn one_to_one(ends: Ends, autapses: bool) -> Graph {
    rows((End::Target, ends.targets, ends.sources), 1.0, |i, units| {
        if autapses {
            units.push(i);
        }
    })
}

/// The nearest units, up to `reach` steps to both sides, on a ring or a line.
pub(super) fn neighbours(ends: Ends, autapses: bool, reach: u32, ring: bool) -> Graph {
    let n = ends.sources as i64;
    // On a ring nobody is met from both sides.
    let reach = i64::from(reach).min(n);
    let (before, after) = if ring { (reach.min((n - 1) / 2), reach.min(n / 2)) } else { (reach, reach) };
    rows((End::Target, ends.targets, ends.sources), 2.0 * reach as f64, |i, units| {
        let (i, first) = (i64::from(i), units.len());
        let near = (i - before..=i + after).filter(|j| ring || (0..n).contains(j));
        units.extend(near.filter(|j| autapses || *j != i).map(|j| j.rem_euclid(n) as u32));
        units[first..].sort_unstable();
    })
}

/// A directed small world (D. Watts, S. Strogatz, Nature 393, 440-442, 1998): every target keeps `k` different sources; of
/// the nearest ones on a ring, each is replaced with probability `p` by one that is not its source yet.
pub(super) fn small_world(ends: Ends, autapses: bool, k: u32, p: f64, stream: Stream) -> Graph {
    let n = ends.sources as i64;
    rows((End::Target, ends.targets, ends.sources), f64::from(k), |i, units| {
        let mut draws = stream.element(i);
        let (first, half) = (units.len(), i64::from(k / 2));
        let around = |step: i64| (i64::from(i) + step).rem_euclid(n) as u32;
        units.extend((1..=half).flat_map(|step| [around(-step), around(step)]));
        // With all others as sources already, there is nothing to replace one by.
        let free = n - i64::from(k) - i64::from(!autapses);
        for e in first..units.len() {
            if draws.unit() >= p || free <= 0 {
                continue;
            }
            units[e] = loop {
                let drawn = draws.below(n as u64) as u32;
                if (autapses || drawn != i) && !units[first..].contains(&drawn) {
                    break drawn;
                }
            };
        }
        units[first..].sort_unstable();
    })
}
