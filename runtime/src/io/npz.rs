//! Recordings as numpy archives.
//!
//! `t` has the times; each group is an array of its own name: shape `(rows,)` for one column, `(rows, elements)` for
//! several, complex where its columns are pairs `NAME.re`, `NAME.im`. `names` lists the columns as a table's header would,
//! `units` their units (empty: none). An event NAME has `NAME.times`, `NAME.ids` (who) and `NAME.units` (how many could). Members are stored, not compressed: simulated doubles hardly shrink.

use super::{AtomicFile, Fault, npy};
use crate::observe::{Label, Recording};
use std::io::{self, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Members that describe the others; no group may have such a name.
const RESERVED: [&str; 3] = ["t", "names", "units"];

/// Refuses groups that would be named like a member of our own.
pub fn check_names(labels: &[Label], path: &Path) -> Result<(), Fault> {
    let Some(Label { group, .. }) = labels.iter().find(|label| RESERVED.contains(&&*label.group)) else {
        return Ok(());
    };
    let fault = Fault::write(path, format!("a column is named `{group}`, which the format uses itself"));
    Err(fault.with_help(format!("record it under another name: `--record {group}_1=path`")))
}

/// Writes a whole recording.
pub fn write(recording: &Recording, path: &Path) -> Result<(), Fault> {
    check_names(&recording.labels, path)?;
    let groups = recording.groups();
    let file = AtomicFile::create(path)?;
    archive(file, recording, &groups).map_err(|error| Fault::write_os(path, &error))?.finish()
}

/// Writes columns that have no time, each an array of its own name.
pub fn save_columns(names: &[String], columns: &[Vec<f64>], path: &Path) -> Result<(), Fault> {
    let write = |file: AtomicFile| -> io::Result<AtomicFile> {
        let mut zip = ZipWriter::new(file);
        for (name, column) in names.iter().zip(columns) {
            let shape = [column.len()];
            member(&mut zip, name, "<f8", &shape, column.len(), |out| numbers(out, column.iter().copied()))?;
        }
        Ok(zip.finish()?)
    };
    write(AtomicFile::create(path)?).map_err(|error| Fault::write_os(path, &error))?.finish()
}

fn archive(file: AtomicFile, recording: &Recording, groups: &[(&str, Vec<usize>)]) -> io::Result<AtomicFile> {
    let mut zip = ZipWriter::new(file);
    let rows = recording.times.len();
    member(&mut zip, "t", "<f8", &[rows], rows, |out| numbers(out, recording.times.iter().copied()))?;
    for (name, columns) in groups {
        let complex = is_complex(&recording.labels, columns);
        let elements = if complex { columns.len() / 2 } else { columns.len() };
        let shape: &[usize] = if elements == 1 { &[rows] } else { &[rows, elements] };
        let descr = if complex { "<c16" } else { "<f8" };
        member(&mut zip, name, descr, shape, rows * columns.len(), |out| {
            numbers(out, (0..rows).flat_map(|row| columns.iter().map(move |&column| recording.columns[column][row])))
        })?;
    }
    for spikes in &recording.spikes {
        let (name, count) = (&spikes.label.name, spikes.len());
        member(&mut zip, &format!("{name}.times"), "<f8", &[count], count, |out| {
            numbers(out, spikes.times.iter().copied())
        })?;
        let ids = |out: &mut ZipWriter<AtomicFile>, ids: &[u32]| {
            out.write_all(&ids.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<u8>>())
        };
        member(&mut zip, &format!("{name}.ids"), "<u4", &[count], count.div_ceil(2), |out| ids(out, &spikes.ids))?;
        member(&mut zip, &format!("{name}.units"), "<u4", &[], 1, |out| ids(out, &[spikes.units as u32]))?;
    }
    strings(&mut zip, "names", recording.labels.iter().map(|label| label.name.as_str()))?;
    strings(&mut zip, "units", recording.labels.iter().map(|label| label.unit.as_deref().unwrap_or("")))?;
    Ok(zip.finish()?)
}

/// True where the columns are pairs of real and imaginary part, side by side.
fn is_complex(labels: &[Label], columns: &[usize]) -> bool {
    let (pairs, rest) = columns.as_chunks::<2>();
    rest.is_empty()
        && !pairs.is_empty()
        && pairs.iter().all(|&[re, im]| {
            let stem = labels[re].name.strip_suffix(".re");
            stem.is_some() && stem == labels[im].name.strip_suffix(".im")
        })
}

fn member(
    zip: &mut ZipWriter<AtomicFile>,
    name: &str,
    descr: &str,
    shape: &[usize],
    doubles: usize,
    data: impl FnOnce(&mut ZipWriter<AtomicFile>) -> io::Result<()>,
) -> io::Result<()> {
    // The zip format needs to know beforehand that a member passes 4 GiB; the margin covers the header.
    let large = doubles >= (1 << 29) - (1 << 13);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(large);
    zip.start_file(format!("{name}.npy"), options)?;
    zip.write_all(&npy::header(descr, shape))?;
    data(zip)
}

fn numbers(out: &mut impl Write, values: impl Iterator<Item = f64>) -> io::Result<()> {
    let mut block = Vec::with_capacity(1 << 15);
    for value in values {
        block.extend_from_slice(&value.to_le_bytes());
        if block.len() == block.capacity() {
            out.write_all(&block)?;
            block.clear();
        }
    }
    out.write_all(&block)
}

/// An array of text: four bytes per character, as long as the longest.
fn strings<'a>(
    zip: &mut ZipWriter<AtomicFile>,
    name: &str,
    texts: impl ExactSizeIterator<Item = &'a str> + Clone,
) -> io::Result<()> {
    // Some readers refuse text of no characters.
    let width = texts.clone().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
    let doubles = (texts.len() * width).div_ceil(2);
    member(zip, name, &format!("<U{width}"), &[texts.len()], doubles, |out| {
        for text in texts {
            let padded = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(width);
            out.write_all(&padded.flat_map(u32::to_le_bytes).collect::<Vec<u8>>())?;
        }
        Ok(())
    })
}
