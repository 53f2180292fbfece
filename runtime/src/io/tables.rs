//! Recordings as tables: one of rows, one of spikes.

use crate::observe::{Label, Spikes};
use std::path::{Path, PathBuf};

/// The files of a recording.
pub struct Tables {
    /// The table of rows, unless nothing but events is recorded.
    pub rows: Option<PathBuf>,
    /// The table of spikes, if events are recorded.
    pub spikes: Option<PathBuf>,
}

/// Where a recording goes that is written to `path`: where rows and spikes are recorded, the spikes of `NAME.csv` are in
/// `NAME.spikes.csv`.
pub fn tables_of(path: &Path, labels: &[Label], events: &[Spikes]) -> Tables {
    match (labels, events) {
        (_, []) => Tables { rows: Some(path.to_owned()), spikes: None },
        ([], _) => Tables { rows: None, spikes: Some(path.to_owned()) },
        _ => {
            let ending = super::extension(path).unwrap_or_default();
            Tables { rows: Some(path.to_owned()), spikes: Some(path.with_extension(format!("spikes.{ending}"))) }
        }
    }
}

/// The spikes of all events in order of time, then of event: event, time, unit.
pub fn spikes_in_order(events: &[Spikes]) -> impl Iterator<Item = (usize, f64, u32)> {
    let mut next = vec![0; events.len()];
    std::iter::from_fn(move || {
        let time_of = |event: usize, at: usize| events[event].times.get(at).copied();
        let first = next.iter().enumerate().filter_map(|(event, at)| Some((event, time_of(event, *at)?)));
        let (event, time) = first.min_by(|a, b| a.1.total_cmp(&b.1))?;
        next[event] += 1;
        Some((event, time, events[event].ids[next[event] - 1]))
    })
}
