//! Where the rows of a run go.

use std::io;
use std::path::{Path, PathBuf};

use nullcline::runtime::io::{CsvSink, Fault as FileFault, check, check_extension, csv_files, save};
use nullcline::runtime::observe::{Label, Recording, Sink, Spikes};
use nullcline::runtime::plot;

use crate::cmd::fault::Fault;
use crate::cmd::print;

/// The files to write.
pub struct Outputs<'a> {
    tables: &'a [PathBuf],
    plots: &'a [PathBuf],
}

/// The files being written.
pub enum Open<'a> {
    /// Nobody wants rows.
    Nothing,
    /// Rows and spikes go straight to their files, so that a run of any length needs no memory.
    Streamed(CsvSink, Vec<PathBuf>),
    /// Rows are kept until the end.
    Kept(Recording, &'a Outputs<'a>),
}

impl<'a> Outputs<'a> {
    /// Refuses what could not be written at the end.
    pub fn new(tables: &'a [PathBuf], plots: &'a [PathBuf]) -> Result<Outputs<'a>, Fault> {
        tables.iter().try_for_each(check_extension).map_err(refused)?;
        plots.iter().try_for_each(plot::check_extension).map_err(refused)?;
        for path in tables.iter().chain(plots) {
            writable(path).map_err(refused)?;
        }
        let all: Vec<&PathBuf> = tables.iter().chain(plots).collect();
        if let Some(twice) = (1..all.len()).find(|i| all[..*i].contains(&all[*i])) {
            let message = format!("`{}` is to be written twice", all[twice].display());
            return Err(Fault::usage(print::labelled_error(message)));
        }
        Ok(Outputs { tables, plots })
    }

    /// Opens what rows and spikes go to.
    pub fn open(&'a self, labels: &[Label], events: &[Spikes]) -> Result<Open<'a>, Fault> {
        self.tables.iter().try_for_each(|path| check(labels, events, path))?;
        match (self.tables, self.plots) {
            ([], []) => Ok(Open::Nothing),
            ([only], []) if is_csv(only) => {
                let files = csv_files(only, labels, events);
                let written = files.rows.into_iter().chain(files.spikes).collect();
                Ok(Open::Streamed(CsvSink::create(only, labels, events)?, written))
            }
            _ => Ok(Open::Kept(Recording::new(labels.to_vec()).with_events(events.to_vec()), self)),
        }
    }
}

impl Open<'_> {
    /// Completes every file; one that fails keeps no other from being written.
    pub fn finish(self, title: &str) -> Vec<Result<PathBuf, FileFault>> {
        match self {
            Open::Nothing => Vec::new(),
            Open::Streamed(sink, paths) => match sink.finish() {
                Ok(()) => paths.into_iter().map(Ok).collect(),
                Err(fault) => vec![Err(fault)],
            },
            Open::Kept(recording, outputs) => {
                let options = plot::Options { title: Some(title.to_string()), ..plot::Options::default() };
                let tables = outputs.tables.iter().flat_map(|path| match save(&recording, path) {
                    Ok(()) => written(path, &recording).into_iter().map(Ok).collect(),
                    Err(fault) => vec![Err(fault)],
                });
                let plots =
                    outputs.plots.iter().map(|path| plot::save(&recording, path, &options).map(|()| path.clone()));
                tables.chain(plots).collect()
            }
        }
    }
}

/// The files that a recording saved to `path` is in.
fn written(path: &Path, recording: &Recording) -> Vec<PathBuf> {
    if !is_csv(path) {
        return vec![path.to_path_buf()];
    }
    let files = csv_files(path, &recording.labels, &recording.spikes);
    files.rows.into_iter().chain(files.spikes).collect()
}

fn is_csv(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"))
}

impl Sink for Open<'_> {
    fn expect(&mut self, rows: u64) {
        match self {
            Open::Nothing => {}
            Open::Streamed(sink, _) => sink.expect(rows),
            Open::Kept(recording, _) => recording.expect(rows),
        }
    }

    fn rows(&mut self, times: &[f64], values: &[f64]) -> io::Result<()> {
        match self {
            Open::Nothing => Ok(()),
            Open::Streamed(sink, _) => sink.rows(times, values),
            Open::Kept(recording, _) => recording.rows(times, values),
        }
    }

    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        match self {
            Open::Nothing => Ok(()),
            Open::Streamed(sink, _) => sink.row(time, values),
            Open::Kept(recording, _) => recording.row(time, values),
        }
    }

    fn spike(&mut self, event: usize, time: f64, unit: u32) -> io::Result<()> {
        match self {
            Open::Nothing => Ok(()),
            Open::Streamed(sink, _) => sink.spike(event, time, unit),
            Open::Kept(recording, _) => recording.spike(event, time, unit),
        }
    }
}

/// What could not be written is a fault in the arguments.
pub fn refused(fault: FileFault) -> Fault {
    Fault::usage(print::labelled_error(&fault))
}

/// Whether the directory exists: found out before a long run, not after it.
pub fn writable(path: &Path) -> Result<(), FileFault> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
            let fault = FileFault::write(path, format!("directory `{}` does not exist", parent.display()));
            Err(fault.with_help(format!("create it: `mkdir -p {}`", parent.display())))
        }
        _ => Ok(()),
    }
}
