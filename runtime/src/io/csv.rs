//! Recordings as comma-separated tables (RFC 4180 quoting, `\n` line ends).
//!
//! Rows are a table `t,NAME,...`, spikes a table `t,event,unit` with a line for each. Where both are recorded, the spikes
//! of `NAME.csv` are in `NAME.spikes.csv`.

use super::tables::{spikes_in_order, tables_of};
use super::{AtomicFile, Fault, FileSink, number};
use crate::observe::{Label, Recording, Sink, Spikes};
use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes rows and spikes to `.csv` files while they are computed. The files appear with [`finish`](FileSink::finish).
pub struct CsvSink {
    rows: Option<AtomicFile>,
    spikes: Option<AtomicFile>,
    columns: usize,
    /// Names of the events, as fields.
    events: Vec<String>,
}

impl CsvSink {
    /// Opens the files and writes their headers.
    pub fn create(path: impl AsRef<Path>, labels: &[Label], events: &[Spikes]) -> Result<CsvSink, Fault> {
        let path = path.as_ref();
        super::check_names(labels, path)?;
        let open = |path: &Path, header: String| -> Result<AtomicFile, Fault> {
            let mut file = AtomicFile::create(path)?;
            file.write_all(header.as_bytes()).map_err(|error| Fault::write_os(path, &error))?;
            Ok(file)
        };
        let files = tables_of(path, labels, events);
        let names = labels.iter().fold("t".to_string(), |header, label| header + "," + &csv_field(&label.name));
        let rows = files.rows.map(|path| open(&path, names + "\n")).transpose()?;
        let spikes = files.spikes.map(|path| open(&path, "t,event,unit\n".to_string())).transpose()?;
        let events = events.iter().map(|event| csv_field(&event.label.name).into_owned()).collect();
        Ok(CsvSink { rows, spikes, columns: labels.len(), events })
    }
}

impl FileSink for CsvSink {
    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, Fault> {
        let files: Vec<AtomicFile> = self.rows.into_iter().chain(self.spikes).collect();
        let paths = files.iter().map(|file| file.path().to_owned()).collect();
        files.into_iter().try_for_each(AtomicFile::finish)?;
        Ok(paths)
    }
}

impl Sink for CsvSink {
    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        let Some(file) = &mut self.rows else { return Ok(()) };
        if values.len() != self.columns {
            let cause = format!("found a row of {} values, expected {}", values.len(), self.columns);
            return Err(Fault::write(file.path(), cause).into());
        }
        row(file, time, values.iter().copied()).map_err(|error| Fault::write_os(file.path(), &error).into())
    }

    fn spike(&mut self, event: usize, time: f64, unit: u32) -> io::Result<()> {
        let Some(file) = &mut self.spikes else { return Ok(()) };
        spike(file, time, &self.events[event], unit).map_err(|error| Fault::write_os(file.path(), &error).into())
    }
}

/// Writes a whole recording: spikes in order of time, then of event.
pub fn write(recording: &Recording, path: &Path) -> Result<(), Fault> {
    let mut sink = CsvSink::create(path, &recording.labels, &recording.spikes)?;
    let fill = |sink: &mut CsvSink| -> io::Result<()> {
        for (index, &time) in recording.times.iter().enumerate() {
            let values: Vec<f64> = recording.columns.iter().map(|column| column[index]).collect();
            sink.row(time, &values)?;
        }
        spikes_in_order(&recording.spikes).try_for_each(|(event, time, unit)| sink.spike(event, time, unit))
    };
    fill(&mut sink).map_err(|error| Fault::write_os(path, &error))?;
    Box::new(sink).finish().map(drop)
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

fn row(out: &mut impl Write, time: f64, values: impl Iterator<Item = f64>) -> io::Result<()> {
    number::write(out, time)?;
    for value in values {
        out.write_all(b",")?;
        number::write(out, value)?;
    }
    out.write_all(b"\n")
}

fn spike(out: &mut impl Write, time: f64, event: &str, unit: u32) -> io::Result<()> {
    number::write(out, time)?;
    writeln!(out, ",{event},{unit}")
}
