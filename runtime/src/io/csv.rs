//! Recordings as comma-separated tables (RFC 4180 quoting, `\n` line ends).

use super::{AtomicFile, Fault, number};
use crate::observe::{Label, Recording, Sink};
use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

/// Writes rows to a `.csv` file while they are computed. The file appears with [`finish`](CsvSink::finish).
pub struct CsvSink {
    file: AtomicFile,
    columns: usize,
}

impl CsvSink {
    /// Opens the file and writes the header `t,NAME,...`.
    pub fn create(path: impl AsRef<Path>, labels: &[Label]) -> Result<CsvSink, Fault> {
        let path = path.as_ref();
        super::check_names(labels, path)?;
        let mut file = AtomicFile::create(path)?;
        header(&mut file, labels).map_err(|error| Fault::write_os(path, &error))?;
        Ok(CsvSink { file, columns: labels.len() })
    }

    /// Completes the file.
    pub fn finish(self) -> Result<(), Fault> {
        self.file.finish()
    }
}

impl Sink for CsvSink {
    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        if values.len() != self.columns {
            let cause = format!("found a row of {} values, expected {}", values.len(), self.columns);
            return Err(Fault::write(self.file.path(), cause).into());
        }
        row(&mut self.file, time, values.iter().copied())
            .map_err(|error| Fault::write_os(self.file.path(), &error).into())
    }
}

/// Writes a whole recording.
pub fn write(recording: &Recording, path: &Path) -> Result<(), Fault> {
    let mut file = AtomicFile::create(path)?;
    table(&mut file, recording).map_err(|error| Fault::write_os(path, &error))?;
    file.finish()
}

fn table(out: &mut impl Write, recording: &Recording) -> io::Result<()> {
    header(out, &recording.labels)?;
    for (index, &time) in recording.times.iter().enumerate() {
        row(out, time, recording.columns.iter().map(|column| column[index]))?;
    }
    Ok(())
}

/// A text as a field: quoted where it must be.
pub fn csv_field(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        return Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")));
    }
    Cow::Borrowed(text)
}

/// A line of numbers.
pub fn csv_row(values: &[f64]) -> String {
    let mut line = Vec::new();
    if let [first, rest @ ..] = values {
        // Writing to a vector cannot fail.
        let _ = row(&mut line, *first, rest.iter().copied());
    }
    String::from_utf8_lossy(&line).into_owned()
}

fn header(out: &mut impl Write, labels: &[Label]) -> io::Result<()> {
    out.write_all(b"t")?;
    for label in labels {
        write!(out, ",{}", csv_field(&label.name))?;
    }
    out.write_all(b"\n")
}

fn row(out: &mut impl Write, time: f64, values: impl Iterator<Item = f64>) -> io::Result<()> {
    number::write(out, time)?;
    for value in values {
        out.write_all(b",")?;
        number::write(out, value)?;
    }
    out.write_all(b"\n")
}
