//! Recordings as one JSON object: `{"t": [..], "columns": {NAME: [..]}, "units": {NAME: UNIT}}`, and with events
//! `"spikes": {NAME: {"times": [..], "ids": [..], "units": N}}`.

use super::spool::Spool;
use super::{AtomicFile, Fault, FileSink};
use crate::observe::{Label, Recording, Sink, Spikes};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes a whole recording. Numbers are in shortest round-trip form; JSON has no other numbers than finite ones, so the
/// rest becomes `null`. The columns keep their order.
pub fn write(recording: &Recording, path: &Path) -> Result<(), Fault> {
    let mut file = AtomicFile::create(path)?;
    let mut numbers = |part: Part, out: &mut AtomicFile| match part {
        Part::Times => Ok(serde_json::to_writer(out, &recording.times)?),
        Part::Column(column) => Ok(serde_json::to_writer(out, &recording.columns[column])?),
        Part::SpikeTimes(event) => Ok(serde_json::to_writer(out, &recording.spikes[event].times)?),
        Part::SpikeIds(event) => Ok(serde_json::to_writer(out, &recording.spikes[event].ids)?),
    };
    object(&mut file, &recording.labels, &recording.spikes, &mut numbers)
        .map_err(|error| Fault::write_os(path, &error))?;
    file.finish()
}

/// Writes rows and spikes while they are computed, in bounded memory: the columns wait as text in a [`Spool`] until the end.
/// The file appears with [`finish`](FileSink::finish).
pub struct JsonSink {
    file: AtomicFile,
    labels: Vec<Label>,
    /// No spikes: labels and units.
    events: Vec<Spikes>,
    spool: Spool,
    /// Whether a stream has numbers, so that a comma comes before the next.
    begun: Vec<bool>,
}

impl JsonSink {
    /// Opens the file.
    pub fn create(path: &Path, labels: &[Label], events: &[Spikes]) -> Result<JsonSink, Fault> {
        let streams = Part::SpikeTimes(events.len()).stream(labels.len());
        Ok(JsonSink {
            file: AtomicFile::create(path)?,
            labels: labels.to_vec(),
            events: events.iter().map(|event| Spikes::new(event.label.clone(), event.units)).collect(),
            spool: Spool::beside(path, streams),
            begun: vec![false; streams],
        })
    }

    fn add(&mut self, part: Part, number: impl Into<serde_json::Value>) -> io::Result<()> {
        let stream = part.stream(self.labels.len());
        let mut text = if self.begun[stream] { vec![b','] } else { Vec::new() };
        self.begun[stream] = true;
        serde_json::to_writer(&mut text, &number.into())?;
        self.spool.add(stream, &text).map_err(|error| Fault::write_os(self.file.path(), &error).into())
    }
}

impl Sink for JsonSink {
    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        if values.len() != self.labels.len() {
            let cause = format!("found a row of {} values, expected {}", values.len(), self.labels.len());
            return Err(Fault::write(self.file.path(), cause).into());
        }
        self.add(Part::Times, time)?;
        (0..values.len()).try_for_each(|column| self.add(Part::Column(column), values[column]))
    }

    fn spike(&mut self, event: usize, time: f64, unit: u32) -> io::Result<()> {
        self.add(Part::SpikeTimes(event), time)?;
        self.add(Part::SpikeIds(event), unit)
    }
}

impl FileSink for JsonSink {
    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, Fault> {
        let JsonSink { mut file, labels, events, mut spool, .. } = *self;
        let path = file.path().to_owned();
        let mut numbers = |part: Part, out: &mut AtomicFile| {
            out.write_all(b"[")?;
            spool.copy(part.stream(labels.len()), out)?;
            out.write_all(b"]")
        };
        object(&mut file, &labels, &events, &mut numbers).map_err(|error| Fault::write_os(&path, &error))?;
        file.finish()?;
        Ok(vec![path])
    }
}

/// A list of numbers.
#[derive(Clone, Copy)]
enum Part {
    Times,
    Column(usize),
    SpikeTimes(usize),
    SpikeIds(usize),
}

impl Part {
    /// Its place among all, with so many columns.
    fn stream(self, columns: usize) -> usize {
        match self {
            Part::Times => 0,
            Part::Column(column) => 1 + column,
            Part::SpikeTimes(event) => 1 + columns + 2 * event,
            Part::SpikeIds(event) => 2 + columns + 2 * event,
        }
    }
}

// Printed piecewise because a map of serde_json would copy every number and sort the names.
fn object(
    out: &mut AtomicFile,
    labels: &[Label],
    events: &[Spikes],
    numbers: &mut dyn FnMut(Part, &mut AtomicFile) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(b"{\"t\":")?;
    numbers(Part::Times, out)?;
    out.write_all(b",\"columns\":{")?;
    for (index, label) in labels.iter().enumerate() {
        out.write_all(if index == 0 { b"" } else { b"," })?;
        serde_json::to_writer(&mut *out, &label.name)?;
        out.write_all(b":")?;
        numbers(Part::Column(index), out)?;
    }
    out.write_all(b"},\"units\":{")?;
    let units = labels.iter().filter_map(|label| Some((&label.name, label.unit.as_ref()?)));
    for (index, (name, unit)) in units.enumerate() {
        out.write_all(if index == 0 { b"" } else { b"," })?;
        serde_json::to_writer(&mut *out, name)?;
        out.write_all(b":")?;
        serde_json::to_writer(&mut *out, unit)?;
    }
    out.write_all(b"}")?;
    for (event, spikes) in events.iter().enumerate() {
        out.write_all(if event == 0 { b",\"spikes\":{" } else { b"," })?;
        serde_json::to_writer(&mut *out, &spikes.label.name)?;
        out.write_all(b":{\"times\":")?;
        numbers(Part::SpikeTimes(event), out)?;
        out.write_all(b",\"ids\":")?;
        numbers(Part::SpikeIds(event), out)?;
        write!(out, ",\"units\":{}}}", spikes.units)?;
    }
    out.write_all(if events.is_empty() { b"}\n" } else { b"}}\n" })
}
