//! Fixed numbers of connections.

use std::collections::HashSet;

use super::super::draw::Stream;
use super::{End, Ends, Graph, rows};

/// Exactly `k` connections of each unit at `end`.
pub(super) fn fixed(end: End, ends: Ends, (autapses, multapses): (bool, bool), k: u32, stream: Stream) -> Graph {
    let other = match end {
        End::Source => End::Target,
        End::Target => End::Source,
    };
    let partners = ends.partners(other, autapses);
    let whole = |i: u32, unit: u64| unit as u32 + u32::from(!autapses && unit >= u64::from(i));
    rows((end, ends.count(end), ends.count(other)), f64::from(k), |i, units| {
        if partners == 0 {
            return;
        }
        let mut draws = stream.element(i);
        let first = units.len();
        if multapses {
            units.extend((0..k).map(|_| whole(i, draws.below(partners))));
        } else {
            let mut chosen = HashSet::with_capacity(k as usize);
            distinct(u64::from(k), partners, |n| draws.below(n), &mut chosen);
            units.extend(chosen.into_iter().map(|unit| whole(i, unit)));
        }
        // Memory is read in order then, and the order of a set means nothing.
        units[first..].sort_unstable();
    })
}

/// Exactly `n` connections in all.
pub(super) fn total(ends: Ends, (autapses, multapses): (bool, bool), n: u32, stream: Stream) -> Graph {
    let partners = ends.partners(End::Source, autapses);
    let pairs = partners * ends.targets as u64;
    let mut draws = stream.element(0);
    let mut chosen: Vec<u64> = if pairs == 0 {
        Vec::new()
    } else if multapses {
        (0..n).map(|_| draws.below(pairs)).collect()
    } else {
        let mut chosen = HashSet::with_capacity(n as usize);
        distinct(u64::from(n), pairs, |n| draws.below(n), &mut chosen);
        chosen.into_iter().collect()
    };
    chosen.sort_unstable();
    let starts = (0..=ends.targets as u64).map(|i| chosen.partition_point(|c| *c < i * partners) as u32).collect();
    let unit = |chosen: &u64| {
        let (i, j) = (chosen / partners, chosen % partners);
        j as u32 + u32::from(!autapses && j >= i)
    };
    let units = chosen.iter().map(unit).collect();
    Graph { end: End::Target, starts, units, others: ends.sources, order: None }
}

/// `k` different numbers below `n`, each set of them equally likely (R. Floyd, in J. Bentley, Commun. ACM 30, 754-757,
/// 1987).
fn distinct(k: u64, n: u64, mut below: impl FnMut(u64) -> u64, chosen: &mut HashSet<u64>) {
    for last in n.saturating_sub(k)..n {
        let drawn = below(last + 1);
        if !chosen.insert(drawn) {
            chosen.insert(last);
        }
    }
}
