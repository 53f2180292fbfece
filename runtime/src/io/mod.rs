//! Files: recordings out (`.csv`, `.npz`, `.json`, with the feature `parquet` also `.parquet`), series in (`.csv`, `.npy`).

mod atomic;
mod csv;
mod fault;
mod json;
mod npy;
mod npz;
mod number;
#[cfg(feature = "parquet")]
mod parquet;
mod series;
mod spool;
mod table;
mod tables;

pub use atomic::AtomicFile;
pub use csv::{CsvSink, csv_field, csv_row};
pub use fault::Fault;
pub use series::{Series, read_series};

use crate::observe::{Label, Recording, Sink, Spikes};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Writes a recording in the format that the path's extension names.
///
/// The file appears only when it is complete: after a fault an older file of that name is untouched.
pub fn save(recording: &Recording, path: impl AsRef<Path>) -> Result<(), Fault> {
    let path = path.as_ref();
    let format = Format::of(path)?;
    if let Some(cause) = recording.inconsistency() {
        return Err(Fault::write(path, cause));
    }
    check(&recording.labels, &recording.spikes, path)?;
    match format {
        Format::Csv => csv::write(recording, path),
        Format::Npz => npz::write(recording, path),
        Format::Json => json::write(recording, path),
        #[cfg(feature = "parquet")]
        Format::Parquet => parquet::write(recording, path),
    }
}

/// Writes columns of equal length that have no time, in a format for arrays: `.npz` or `.parquet`.
pub fn save_columns(names: &[String], columns: &[Vec<f64>], path: impl AsRef<Path>) -> Result<(), Fault> {
    let path = path.as_ref();
    match Format::of(path)? {
        Format::Npz => npz::save_columns(names, columns, path),
        #[cfg(feature = "parquet")]
        Format::Parquet => parquet::save_columns(names, columns, path),
        Format::Csv | Format::Json => {
            Err(Fault::write(path, unknown_extension(path, ".npz or .parquet")).with_renamed(path, "npz"))
        }
    }
}

/// Writes rows and spikes to files while they are computed, in memory that does not grow with their number.
pub trait FileSink: Sink {
    /// Completes the files, which appear only now, and says where they are. Dropped without it, they never existed.
    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, Fault>;
}

/// Opens the files of a recording that is yet to be computed, in the format that the path's extension names: they will hold
/// what [`save`] would write.
pub fn stream(path: impl AsRef<Path>, labels: &[Label], events: &[Spikes]) -> Result<Box<dyn FileSink>, Fault> {
    let path = path.as_ref();
    check(labels, events, path)?;
    Ok(match Format::of(path)? {
        Format::Csv => Box::new(CsvSink::create(path, labels, events)?),
        Format::Npz => Box::new(npz::NpzSink::create(path, labels, events)?),
        Format::Json => Box::new(json::JsonSink::create(path, labels, events)?),
        #[cfg(feature = "parquet")]
        Format::Parquet => Box::new(parquet::ParquetSink::create(path, labels, events)?),
    })
}

/// Refuses, before anything is computed, a path that [`save`] would refuse for its extension.
pub fn check_extension(path: impl AsRef<Path>) -> Result<(), Fault> {
    Format::of(path.as_ref()).map(drop)
}

/// Refuses, before anything is computed, a path and labels that [`save`] would refuse.
pub fn check(labels: &[Label], events: &[Spikes], path: impl AsRef<Path>) -> Result<(), Fault> {
    let path = path.as_ref();
    let format = Format::of(path)?;
    check_names(labels.iter().chain(events.iter().map(|event| &event.label)), path)?;
    match format {
        Format::Npz => npz::check_names(labels, path),
        _ => Ok(()),
    }
}

/// The formats of recordings.
const KNOWN: &str = if cfg!(feature = "parquet") { ".csv, .npz, .json or .parquet" } else { ".csv, .npz or .json" };

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Npz,
    Json,
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Format {
    fn of(path: &Path) -> Result<Format, Fault> {
        match extension(path).as_deref() {
            Some("csv") => Ok(Format::Csv),
            Some("npz") => Ok(Format::Npz),
            Some("json") => Ok(Format::Json),
            #[cfg(feature = "parquet")]
            Some("parquet") => Ok(Format::Parquet),
            #[cfg(not(feature = "parquet"))]
            Some("parquet") => {
                let fault = Fault::write(path, "this program was built without the feature `parquet`");
                let other = path.with_extension("npz");
                Err(fault.with_help(format!("write `{}`, or build with `--features parquet`", other.display())))
            }
            _ => Err(Fault::write(path, unknown_extension(path, KNOWN)).with_renamed(path, "csv")),
        }
    }
}

/// The extension in lower case.
pub(crate) fn extension(path: &Path) -> Option<String> {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase())
}

/// The cause of a fault over the extension, naming those that would do.
pub(crate) fn unknown_extension(path: &Path, expected: &str) -> String {
    match extension(path) {
        Some(found) => format!("unknown extension `.{found}`, expected {expected}"),
        None => format!("the name has no extension, expected {expected}"),
    }
}

/// Every name must find one column again, and `t` is the time.
fn check_names<'a>(labels: impl IntoIterator<Item = &'a Label>, path: &Path) -> Result<(), Fault> {
    let mut seen = HashSet::new();
    for label in labels {
        if label.name == "t" {
            let fault = Fault::write(path, "a column is named `t`, which is the name of the time");
            return Err(fault.with_help("record the variable under another name: `--record NAME=path`"));
        }
        if !seen.insert(&label.name) {
            let fault = Fault::write(path, format!("two columns are named `{}`", label.name));
            return Err(fault.with_help("record one of them under another name: `--record NAME=path`"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
