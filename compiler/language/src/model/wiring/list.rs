//! Connections given one by one.

use std::collections::HashSet;
use std::sync::Arc;

use super::{End, Ends, Graph, rows};
use crate::diagnostic::{Result, model as fault};
use crate::source::Span;
use crate::template::connectivity::{Connectivity, Pairs, Table};

/// The pairs, by target, those of a target in the order listed.
pub(super) fn pairs(ends: Ends, pairs: &Pairs) -> Graph {
    let mut next = vec![0u32; ends.targets + 1];
    for target in pairs.targets.iter() {
        next[*target as usize + 1] += 1;
    }
    for i in 0..ends.targets {
        next[i + 1] += next[i];
    }
    let starts: Arc<[u32]> = next.as_slice().into();
    let with_order = pairs.weights.is_some() || pairs.delays.is_some();
    let mut order = with_order.then(|| vec![0u32; pairs.targets.len()]);
    let mut units = super::zeros(pairs.targets.len());
    let new = Arc::get_mut(&mut units).expect("just made, so not shared yet");
    for (e, (source, target)) in pairs.sources.iter().zip(pairs.targets.iter()).enumerate() {
        let at = &mut next[*target as usize];
        new[*at as usize] = *source;
        if let Some(order) = &mut order {
            order[*at as usize] = e as u32;
        }
        *at += 1;
    }
    Graph { end: End::Target, starts, units, others: ends.sources, order }
}

/// For each pair, by target, its place in the list.
pub fn order(pairs: &Pairs) -> Vec<u32> {
    let mut order: Vec<u32> = (0..pairs.targets.len() as u32).collect();
    order.sort_by_key(|e| pairs.targets[*e as usize]);
    order
}

/// The entries of a matrix that are not 0.
pub(super) fn mask(ends: Ends, autapses: bool, mask: &Table) -> Graph {
    rows((End::Target, ends.targets, ends.sources), 0.0, |i, units| {
        let row = &mask.data[i as usize * mask.columns..][..mask.columns];
        let present = |(j, entry): &(usize, &f64)| **entry != 0.0 && (autapses || *j != i as usize);
        units.extend(row.iter().enumerate().filter(present).map(|(j, _)| j as u32));
    })
}

/// Checks that the units of pairs exist, and that no pair is there that was refused.
pub(super) fn check_pairs(pairs: &Pairs, connectivity: &Connectivity, ends: Ends, span: Span) -> Result<()> {
    for (end, units, count) in [("source", &pairs.sources, ends.sources), ("target", &pairs.targets, ends.targets)] {
        if let Some(row) = units.iter().position(|unit| *unit as usize >= count) {
            return Err(fault::pair_out_of_range(span, row + 1, end, units[row], count).into());
        }
    }
    let each = || pairs.sources.iter().zip(pairs.targets.iter());
    if ends.same
        && connectivity.autapses == Some(false)
        && let Some(row) = each().position(|(source, target)| source == target)
    {
        return Err(fault::pair_refused(span, row + 1, "autapses").into());
    }
    if connectivity.multapses == Some(false) {
        let mut seen = HashSet::with_capacity(pairs.sources.len());
        if let Some(row) = each().position(|pair| !seen.insert(pair)) {
            return Err(fault::pair_refused(span, row + 1, "multapses").into());
        }
    }
    Ok(())
}
