//! Series of numbers that drive a model from outside.

use super::{Fault, extension, npy, table, unknown_extension};
use std::path::Path;

/// A table of numbers, one row per sample.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Series {
    /// Number of samples.
    pub rows: usize,
    /// Number of values per sample, without the time.
    pub columns: usize,
    /// The values, row by row: `rows * columns` numbers.
    pub data: Vec<f64>,
    /// Time of each sample, if the file has a first column named `t` or `time`.
    pub times: Option<Vec<f64>>,
    /// Names of the columns without the time, if the file has a header.
    pub names: Option<Vec<String>>,
}

impl Series {
    /// The values of one row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.data[row * self.columns..][..self.columns]
    }

    /// The values of one column.
    pub fn column(&self, column: usize) -> impl Iterator<Item = f64> {
        self.data.iter().skip(column).step_by(self.columns.max(1)).copied()
    }
}

/// Reads a series from a `.csv` (also `.tsv`, `.txt`, `.dat`) or `.npy` file.
///
/// Text: fields separated by comma, semicolon, tab or spaces (decided by the first row); `#` starts a comment; a first row
/// whose first field is no number is a header; a first column named `t` or `time` becomes `times`. Numpy arrays have one axis
/// (samples) or two (samples, values), of real numbers.
pub fn read_series(path: impl AsRef<Path>) -> Result<Series, Fault> {
    let path = path.as_ref();
    let kind = extension(path);
    match kind.as_deref() {
        Some("npy" | "csv" | "tsv" | "txt" | "dat") => {}
        Some("npz") => {
            let fault = Fault::read(path, "an archive of several arrays, expected one array");
            return Err(fault.with_help("save the array alone: `numpy.save(\"input.npy\", archive[\"NAME\"])`"));
        }
        _ => {
            let fault = Fault::read(path, unknown_extension(path, ".csv or .npy"));
            return Err(fault.with_help("save the series as text with one row per sample, or with `numpy.save`"));
        }
    }
    let bytes = std::fs::read(path).map_err(|error| Fault::read_os(path, &error))?;
    let series = if kind.as_deref() == Some("npy") {
        let matrix = npy::decode(&bytes).map_err(|(cause, help)| Fault::read(path, cause).with_help(help))?;
        Series { rows: matrix.rows, columns: matrix.columns, data: matrix.data, ..Series::default() }
    } else {
        table::parse(path, &bytes)?
    };
    if series.data.is_empty() {
        return Err(Fault::read(path, "the file has no values").with_help("give at least one row with one number"));
    }
    Ok(series)
}
