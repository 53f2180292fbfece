//! Merge keys: `<<: *defaults`.

use std::collections::HashSet;

use super::{Entry, Node, Value};
use crate::diagnostic::{Diagnostics, syntax};

/// `entries` with the mappings of `merges` in the places where their `<<` stood. Keys written out win, then the earlier
/// of the merged mappings.
pub(super) fn merge(entries: Vec<Entry>, merges: Vec<(usize, Node)>, faults: &mut Diagnostics) -> Vec<Entry> {
    if merges.is_empty() {
        return entries;
    }
    let mut taken: HashSet<_> = entries.iter().map(|entry| entry.key.text.clone()).collect();
    let mut merges = merges.into_iter().peekable();
    let mut merged = Vec::with_capacity(entries.len());
    let mut entries = entries.into_iter().enumerate();
    loop {
        let next = entries.next();
        let index = next.as_ref().map_or(usize::MAX, |(index, _)| *index);
        while let Some((_, node)) = merges.next_if(|(at, _)| *at <= index) {
            let parts = match node.value {
                Value::Sequence(parts) => parts,
                _ => [node].into(),
            };
            for part in parts.iter() {
                match &part.value {
                    Value::Mapping(more) => {
                        merged.extend(more.iter().filter(|entry| taken.insert(entry.key.text.clone())).cloned());
                    }
                    Value::Null => {}
                    _ => faults.push(syntax::merge_needs_mapping(part.span)),
                }
            }
        }
        match next {
            Some((_, entry)) => merged.push(entry),
            None => return merged,
        }
    }
}
