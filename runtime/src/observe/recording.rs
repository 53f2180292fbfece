//! Rows kept in memory.

use super::{Label, Sink, Spikes};
use std::io;

/// A recording in memory.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Recording {
    /// One label per column.
    pub labels: Vec<Label>,
    /// Time of each row.
    pub times: Vec<f64>,
    /// Values column by column; each as long as `times`.
    pub columns: Vec<Vec<f64>>,
    /// The recorded events.
    pub spikes: Vec<Spikes>,
}

impl Recording {
    /// A recording without rows, ready to be filled as a [`Sink`].
    pub fn new(labels: Vec<Label>) -> Self {
        let columns = vec![Vec::new(); labels.len()];
        Recording { labels, times: Vec::new(), columns, spikes: Vec::new() }
    }

    /// The same with room for `rows` rows.
    pub fn with_capacity(labels: Vec<Label>, rows: usize) -> Self {
        let columns = labels.iter().map(|_| Vec::with_capacity(rows)).collect();
        Recording { labels, times: Vec::with_capacity(rows), columns, spikes: Vec::new() }
    }

    /// The same with these events, whose spikes it is to keep.
    pub fn with_events(mut self, events: Vec<Spikes>) -> Self {
        self.spikes = events;
        self
    }

    /// The spikes of the event with this full name.
    pub fn spikes_of(&self, name: &str) -> Option<&Spikes> {
        self.spikes.iter().find(|spikes| spikes.label.name == name)
    }

    /// Number of rows and of columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.times.len(), self.columns.len())
    }

    /// True without rows or without columns, whatever spikes there are.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty() || self.columns.is_empty()
    }

    /// The column with this full name.
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        let index = self.labels.iter().position(|label| label.name == name)?;
        self.columns.get(index).map(Vec::as_slice)
    }

    /// The rows from `start` on, for instance to drop a transient before measuring.
    pub fn since(&self, start: f64) -> Recording {
        let first = self.times.iter().position(|&time| time >= start).unwrap_or(self.times.len());
        Recording {
            labels: self.labels.clone(),
            times: self.times[first..].to_vec(),
            columns: self.columns.iter().map(|column| column.get(first..).unwrap_or(&[]).to_vec()).collect(),
            spikes: self.spikes.iter().map(|spikes| spikes.since(start)).collect(),
        }
    }

    /// Groups in order of first appearance, each with the indices of its columns.
    pub fn groups(&self) -> Vec<(&str, Vec<usize>)> {
        groups_of(&self.labels)
    }

    /// What contradicts the promises of the fields (a label per column, all columns as long as `times`), if anything.
    #[cfg(feature = "io")]
    pub(crate) fn inconsistency(&self) -> Option<String> {
        if self.labels.len() != self.columns.len() {
            return Some(format!("found {} labels for {} columns", self.labels.len(), self.columns.len()));
        }
        let rows = self.times.len();
        let (label, column) = self.labels.iter().zip(&self.columns).find(|(_, column)| column.len() != rows)?;
        Some(format!("column `{}` has {} values, expected {rows} as there are times", label.name, column.len()))
    }
}

/// The groups of labels in order of first appearance, each with the indices of its columns.
pub(crate) fn groups_of(labels: &[Label]) -> Vec<(&str, Vec<usize>)> {
    let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (index, label) in labels.iter().enumerate() {
        let place = *places.entry(label.group.as_str()).or_insert_with(|| {
            groups.push((&label.group, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(index);
    }
    groups
}

/// Columns filled side by side: their values in one row are a cache line.
const SIDE: usize = 8;
/// Rows that go to a column at once.
const DEEP: usize = 64;

/// Most values that room is made for beforehand: a gigabyte.
const MOST_EXPECTED: u64 = 1 << 27;

/// Appends whole rows to their columns. Tile by tile, so that each cache line of rows is read once.
fn append_rows(columns: &mut [Vec<f64>], rows: &[f64]) {
    let width = columns.len();
    for (group, columns) in columns.chunks_mut(SIDE).enumerate() {
        let from = group * SIDE..group * SIDE + columns.len();
        for rows in rows.chunks(DEEP * width) {
            let mut tile = [[0.0; DEEP]; SIDE];
            for (at, row) in rows.chunks_exact(width).enumerate() {
                for (column, value) in tile.iter_mut().zip(&row[from.clone()]) {
                    column[at] = *value;
                }
            }
            let count = rows.len() / width;
            for (column, values) in columns.iter_mut().zip(&tile) {
                column.extend_from_slice(&values[..count]);
            }
        }
    }
}

impl Sink for Recording {
    fn expect(&mut self, rows: u64) {
        let rows = rows.min(MOST_EXPECTED / self.columns.len().max(1) as u64) as usize;
        // Where there is no room now, columns grow as they are filled.
        let _ = self.times.try_reserve(rows);
        let _ = self.columns.iter_mut().try_for_each(|column| column.try_reserve(rows));
    }

    fn likes(&self) -> u64 {
        // A column's values of so many rows are a cache line, which is then written whole.
        8
    }

    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        if values.len() != self.columns.len() {
            let message = format!("found a row of {} values, expected {}", values.len(), self.columns.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        self.times.push(time);
        for (column, &value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
        Ok(())
    }

    fn rows(&mut self, times: &[f64], values: &[f64]) -> io::Result<()> {
        let width = self.columns.len();
        if values.len() != width * times.len() {
            let message =
                format!("found {} rows of {} values in all, expected {width} each", times.len(), values.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        self.times.extend_from_slice(times);
        if width > 0 {
            append_rows(&mut self.columns, values);
        }
        Ok(())
    }

    fn spike(&mut self, event: usize, time: f64, unit: u32) -> io::Result<()> {
        // Made without events, it is for rows only.
        if self.spikes.is_empty() {
            return Ok(());
        }
        let Some(spikes) = self.spikes.get_mut(event) else {
            let message = format!("found a spike of event {event}, expected {} events", self.spikes.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        spikes.times.push(time);
        spikes.ids.push(unit);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_rows_at_once_are_the_same_as_one_by_one() {
        let expected = two_rows();
        let mut recording = Recording::new(expected.labels.clone());
        recording.rows(&[0.0, 0.1], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        assert_eq!(recording, expected);
        assert!(recording.rows(&[0.2], &[1.0, 2.0]).is_err());
        recording.rows(&[], &[]).unwrap();
        assert_eq!(recording, expected);
    }

    #[test]
    fn many_rows_of_many_columns_are_the_same_as_one_by_one() {
        // More than a tile of both, and not whole tiles.
        let (width, rows) = (SIDE + 3, DEEP + 7);
        let labels: Vec<Label> = (0..width).map(|k| Label::new(format!("x[{k}]"))).collect();
        let value = |row: usize, column: usize| (row * 1000 + column) as f64;
        let times: Vec<f64> = (0..rows).map(|row| row as f64).collect();
        let values: Vec<f64> = (0..rows).flat_map(|row| (0..width).map(move |column| value(row, column))).collect();
        let mut recording = Recording::new(labels);
        recording.expect(2 * rows as u64);
        recording.rows(&times, &values).unwrap();
        recording.rows(&times, &values).unwrap();
        for (column, found) in recording.columns.iter().enumerate() {
            let expected: Vec<f64> = (0..2 * rows).map(|row| value(row % rows, column)).collect();
            assert_eq!(*found, expected);
        }
    }

    fn two_rows() -> Recording {
        let mut recording = Recording::new(vec![
            Label::new("x[0]").in_group("x"),
            Label::new("psp").with_unit("mV"),
            Label::new("x[1]").in_group("x"),
        ]);
        recording.row(0.0, &[1.0, 2.0, 3.0]).unwrap();
        recording.row(0.1, &[4.0, 5.0, 6.0]).unwrap();
        recording
    }

    #[test]
    fn rows_become_columns_under_their_labels() {
        let recording = two_rows();
        assert_eq!(recording.shape(), (2, 3));
        assert_eq!(recording.column("psp"), Some(&[2.0, 5.0][..]));
        assert_eq!(recording.column("PSP"), None);
    }

    #[test]
    fn a_row_of_the_wrong_length_is_refused_and_leaves_no_trace() {
        let mut recording = two_rows();
        let error = recording.row(0.2, &[1.0]).unwrap_err();
        assert_eq!(error.to_string(), "found a row of 1 values, expected 3");
        assert_eq!(recording, two_rows());
    }

    #[test]
    fn groups_keep_the_order_of_first_appearance() {
        assert_eq!(two_rows().groups(), [("x", vec![0, 2]), ("psp", vec![1])]);
    }

    #[test]
    fn since_drops_the_rows_before() {
        assert_eq!(two_rows().since(0.05).columns, [[4.0], [5.0], [6.0]]);
        assert!(two_rows().since(1.0).is_empty());
    }
}
