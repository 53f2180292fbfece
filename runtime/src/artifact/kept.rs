//! Rows that stay where they are computed: what is asked of them instead of their numbers.

use std::f64::consts::TAU;
use std::ops::Range;

use super::{DeviceError, Feeds, Rows, Totals};

/// Recorded rows on a device.
///
/// What it answers is meant for columns that are finite throughout; a column that is not has a sum that says so, and other
/// answers without meaning.
pub trait KeptRows {
    /// Number of rows kept so far.
    fn rows(&self) -> usize;

    /// Alternates between keeping a row behind those that are kept and running `every` steps, `count` times.
    fn record(&mut self, rows: &Rows<'_>, dt: f64, feeds: &Feeds) -> Result<(), DeviceError>;

    /// Sums and extremes of each column over some rows, at least one.
    fn totals(&mut self, rows: Range<usize>) -> Result<Totals, DeviceError>;

    /// The rises of each column through its levels in some rows.
    fn rises(&mut self, rows: Range<usize>, levels: &[Levels]) -> Result<Vec<Rises>, DeviceError>;

    /// Where the power spectrum of each column is highest, in some rows: that of the numbers a [`Frame`] makes of them, times
    /// [`hann_window`], with zeros behind them up to [`transform_length`].
    fn peaks(&mut self, rows: Range<usize>, frames: &[Frame]) -> Result<Vec<Peak>, DeviceError>;
}

/// What counts as a rise.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Levels {
    /// It follows a value below this, since the rise before.
    pub low: f64,
    /// From a row with less to one with at least this.
    pub middle: f64,
}

/// The rises of a column.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Rises {
    /// Their number.
    pub count: u64,
    /// The first.
    pub first: Option<Rise>,
    /// The last.
    pub last: Option<Rise>,
}

/// From one row to the next.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rise {
    /// The row before it, counted from the first row asked for.
    pub row: usize,
    /// The value there.
    pub before: f64,
    /// The value in the next row.
    pub after: f64,
}

/// How a column is shifted and scaled before its spectrum is computed: `scale (x - mean)`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Frame {
    /// Its mean.
    pub mean: f64,
    /// One by its swing.
    pub scale: f64,
}

/// The highest bin of a power spectrum that is not at its ends, and its neighbours.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Peak {
    /// The bin.
    pub bin: usize,
    /// The power in the bin before, in it, and in the one behind.
    pub power: [f64; 3],
}

/// The length of the transform of so many rows: a power of two, at least twice as many.
pub fn transform_length(rows: usize) -> usize {
    (2 * rows).next_power_of_two()
}

/// Hann's window, which tapers the ends of so many rows.
pub fn hann_window(rows: usize) -> impl Iterator<Item = f64> {
    (0..rows).map(move |k| 0.5 - 0.5 * (TAU * (k as f64 + 0.5) / rows as f64).cos())
}
