//! Recordings as numpy archives.
//!
//! `t` has the times; each group is an array of its own name: shape `(rows,)` for one column, `(rows, elements)` for
//! several, complex where its columns are pairs `NAME.re`, `NAME.im`. `names` lists the columns as a table's header would,
//! `units` their units (empty: none). An event NAME has `NAME.times`, `NAME.ids` (who) and `NAME.units` (how many could). Members are stored, not compressed: simulated doubles hardly shrink.

use super::spool::Spool;
use super::{AtomicFile, Fault, FileSink, npy};
use crate::observe::{Label, Recording, Sink, Spikes, groups_of};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
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
    let outline = Outline::of(&recording.labels, &recording.spikes, recording.times.len());
    let file = AtomicFile::create(path)?;
    let ids = |out: &mut Archive, ids: &[u32]| {
        out.write_all(&ids.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<u8>>())
    };
    let written = archive(file, &outline, &mut |part, out| match part {
        Part::Times => numbers(out, recording.times.iter().copied()),
        Part::Group(group) => {
            let columns: Vec<&[f64]> = outline.groups[group].1.iter().map(|c| &*recording.columns[*c]).collect();
            let rows = 0..recording.times.len();
            numbers(out, rows.flat_map(|row| columns.iter().map(move |column| column[row])))
        }
        Part::SpikeTimes(event) => numbers(out, recording.spikes[event].times.iter().copied()),
        Part::SpikeIds(event) => ids(out, &recording.spikes[event].ids),
    });
    written.map_err(|error| Fault::write_os(path, &error))?.finish()
}

/// Writes rows and spikes to an archive while they are computed, in bounded memory: arrays of an archive follow each other,
/// so their numbers wait in a [`Spool`] until the end. The file appears with [`finish`](FileSink::finish), and its arrays are as
/// long as what was computed, however a run ends.
pub struct NpzSink {
    file: AtomicFile,
    labels: Vec<Label>,
    /// Columns of each group.
    groups: Vec<Vec<usize>>,
    /// No spikes: labels and units.
    events: Vec<Spikes>,
    /// Number of spikes of each event.
    counts: Vec<usize>,
    rows: usize,
    spool: Spool,
}

impl NpzSink {
    /// Opens the file.
    pub fn create(path: &Path, labels: &[Label], events: &[Spikes]) -> Result<NpzSink, Fault> {
        check_names(labels, path)?;
        let groups: Vec<Vec<usize>> = groups_of(labels).into_iter().map(|(_, columns)| columns).collect();
        let spool = Spool::beside(path, 1 + groups.len() + 2 * events.len());
        Ok(NpzSink {
            file: AtomicFile::create(path)?,
            labels: labels.to_vec(),
            groups,
            events: events.iter().map(|event| Spikes::new(event.label.clone(), event.units)).collect(),
            counts: vec![0; events.len()],
            rows: 0,
            spool,
        })
    }

    fn fault(&self, error: &io::Error) -> io::Error {
        Fault::write_os(self.file.path(), error).into()
    }

    fn add(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        self.spool.add(0, &time.to_le_bytes())?;
        for (group, columns) in self.groups.iter().enumerate() {
            for column in columns {
                self.spool.add(1 + group, &values[*column].to_le_bytes())?;
            }
        }
        Ok(())
    }
}

impl Sink for NpzSink {
    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        if values.len() != self.labels.len() {
            let cause = format!("found a row of {} values, expected {}", values.len(), self.labels.len());
            return Err(Fault::write(self.file.path(), cause).into());
        }
        self.rows += 1;
        self.add(time, values).map_err(|error| self.fault(&error))
    }

    fn spike(&mut self, event: usize, time: f64, unit: u32) -> io::Result<()> {
        self.counts[event] += 1;
        let stream = 1 + self.groups.len() + 2 * event;
        let added = self.spool.add(stream, &time.to_le_bytes());
        added.and_then(|()| self.spool.add(stream + 1, &unit.to_le_bytes())).map_err(|error| self.fault(&error))
    }
}

impl FileSink for NpzSink {
    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, Fault> {
        let NpzSink { file, labels, groups, events, counts, rows, mut spool } = *self;
        let path = file.path().to_owned();
        let mut outline = Outline::of(&labels, &events, rows);
        outline.counts = counts;
        let written = archive(file, &outline, &mut |part, out| {
            let spikes = 1 + groups.len();
            let stream = match part {
                Part::Times => 0,
                Part::Group(group) => 1 + group,
                Part::SpikeTimes(event) => spikes + 2 * event,
                Part::SpikeIds(event) => spikes + 2 * event + 1,
            };
            spool.copy(stream, out)
        });
        written.map_err(|error| Fault::write_os(&path, &error))?.finish()?;
        Ok(vec![path])
    }
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

/// An archive being written.
type Archive = ZipWriter<AtomicFile>;

/// What an archive has beside its numbers.
struct Outline<'a> {
    labels: &'a [Label],
    groups: Vec<(&'a str, Vec<usize>)>,
    events: &'a [Spikes],
    /// Number of spikes of each event.
    counts: Vec<usize>,
    rows: usize,
}

impl<'a> Outline<'a> {
    fn of(labels: &'a [Label], events: &'a [Spikes], rows: usize) -> Outline<'a> {
        let counts = events.iter().map(Spikes::len).collect();
        Outline { labels, groups: groups_of(labels), events, counts, rows }
    }
}

/// The numbers of a member.
enum Part {
    Times,
    Group(usize),
    SpikeTimes(usize),
    SpikeIds(usize),
}

/// Writes all members; `write` gives the numbers of one.
fn archive(
    file: AtomicFile,
    outline: &Outline,
    write: &mut dyn FnMut(Part, &mut Archive) -> io::Result<()>,
) -> io::Result<AtomicFile> {
    let mut zip = ZipWriter::new(file);
    let rows = outline.rows;
    member(&mut zip, "t", "<f8", &[rows], rows, |out| write(Part::Times, out))?;
    for (group, (name, columns)) in outline.groups.iter().enumerate() {
        let complex = is_complex(outline.labels, columns);
        let elements = if complex { columns.len() / 2 } else { columns.len() };
        let shape: &[usize] = if elements == 1 { &[rows] } else { &[rows, elements] };
        let descr = if complex { "<c16" } else { "<f8" };
        member(&mut zip, name, descr, shape, rows * columns.len(), |out| write(Part::Group(group), out))?;
    }
    for (event, (spikes, &count)) in outline.events.iter().zip(&outline.counts).enumerate() {
        let name = &spikes.label.name;
        member(&mut zip, &format!("{name}.times"), "<f8", &[count], count, |out| write(Part::SpikeTimes(event), out))?;
        let doubles = count.div_ceil(2);
        member(&mut zip, &format!("{name}.ids"), "<u4", &[count], doubles, |out| write(Part::SpikeIds(event), out))?;
        let units = (spikes.units as u32).to_le_bytes();
        member(&mut zip, &format!("{name}.units"), "<u4", &[], 1, |out| out.write_all(&units))?;
    }
    strings(&mut zip, "names", outline.labels.iter().map(|label| label.name.as_str()))?;
    strings(&mut zip, "units", outline.labels.iter().map(|label| label.unit.as_deref().unwrap_or("")))?;
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
    zip: &mut Archive,
    name: &str,
    descr: &str,
    shape: &[usize],
    doubles: usize,
    data: impl FnOnce(&mut Archive) -> io::Result<()>,
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
fn strings<'a>(zip: &mut Archive, name: &str, texts: impl ExactSizeIterator<Item = &'a str> + Clone) -> io::Result<()> {
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
