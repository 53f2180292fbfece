//! Recordings as one JSON object: `{"t": [..], "columns": {NAME: [..]}, "units": {NAME: UNIT}}`, and with events
//! `"spikes": {NAME: {"times": [..], "ids": [..], "units": N}}`.

use super::{AtomicFile, Fault};
use crate::observe::Recording;
use std::io::{self, Write};
use std::path::Path;

/// Writes a whole recording. Numbers are in shortest round-trip form; JSON has no other numbers than finite ones, so the
/// rest becomes `null`. The columns keep their order.
pub fn write(recording: &Recording, path: &Path) -> Result<(), Fault> {
    let mut file = AtomicFile::create(path)?;
    object(&mut file, recording).map_err(|error| Fault::write_os(path, &error))?;
    file.finish()
}

// Printed piecewise because a map of serde_json would copy every number and sort the names.
fn object(out: &mut impl Write, recording: &Recording) -> io::Result<()> {
    out.write_all(b"{\"t\":")?;
    serde_json::to_writer(&mut *out, &recording.times)?;
    out.write_all(b",\"columns\":{")?;
    for (index, (label, column)) in recording.labels.iter().zip(&recording.columns).enumerate() {
        out.write_all(if index == 0 { b"" } else { b"," })?;
        serde_json::to_writer(&mut *out, &label.name)?;
        out.write_all(b":")?;
        serde_json::to_writer(&mut *out, column)?;
    }
    out.write_all(b"},\"units\":{")?;
    let units = recording.labels.iter().filter_map(|label| Some((&label.name, label.unit.as_ref()?)));
    for (index, (name, unit)) in units.enumerate() {
        out.write_all(if index == 0 { b"" } else { b"," })?;
        serde_json::to_writer(&mut *out, name)?;
        out.write_all(b":")?;
        serde_json::to_writer(&mut *out, unit)?;
    }
    out.write_all(b"}")?;
    for (index, spikes) in recording.spikes.iter().enumerate() {
        out.write_all(if index == 0 { b",\"spikes\":{" } else { b"," })?;
        serde_json::to_writer(&mut *out, &spikes.label.name)?;
        out.write_all(b":{\"times\":")?;
        serde_json::to_writer(&mut *out, &spikes.times)?;
        out.write_all(b",\"ids\":")?;
        serde_json::to_writer(&mut *out, &spikes.ids)?;
        write!(out, ",\"units\":{}}}", spikes.units)?;
    }
    out.write_all(if recording.spikes.is_empty() { b"}\n" } else { b"}}\n" })
}
