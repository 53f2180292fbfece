//! Where the rows of a run go.

use std::io;
use std::path::{Path, PathBuf};

use nullcline::runtime::io::{Fault as FileFault, FileSink, check, check_extension, stream};
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
pub struct Open<'a> {
    /// Tables: rows and spikes go straight there, so that a run of any length needs no memory.
    streams: Vec<Box<dyn FileSink>>,
    /// What is drawn at the end, and where.
    drawn: Option<(Recording, &'a [PathBuf])>,
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
        // Before any of them is opened.
        self.tables.iter().try_for_each(|path| check(labels, events, path))?;
        let streams = self.tables.iter().map(|path| stream(path, labels, events)).collect::<Result<_, _>>()?;
        let recording = || Recording::new(labels.to_vec()).with_events(events.to_vec());
        Ok(Open { streams, drawn: (!self.plots.is_empty()).then(|| (recording(), self.plots)) })
    }
}

impl Open<'_> {
    /// Completes every file; one that fails keeps no other from being written.
    pub fn finish(self, title: &str) -> Vec<Result<PathBuf, FileFault>> {
        let mut written = Vec::new();
        for stream in self.streams {
            match stream.finish() {
                Ok(paths) => written.extend(paths.into_iter().map(Ok)),
                Err(fault) => written.push(Err(fault)),
            }
        }
        if let Some((recording, plots)) = &self.drawn {
            let options = plot::Options { title: Some(title.to_string()), ..plot::Options::default() };
            written.extend(plots.iter().map(|path| plot::save(recording, path, &options).map(|()| path.clone())));
        }
        written
    }
}

impl Sink for Open<'_> {
    fn expect(&mut self, rows: u64) {
        self.streams.iter_mut().for_each(|stream| stream.expect(rows));
        if let Some((recording, _)) = &mut self.drawn {
            recording.expect(rows);
        }
    }

    fn likes(&self) -> u64 {
        let streams = self.streams.iter().map(|stream| stream.likes());
        streams.chain(self.drawn.iter().map(|(recording, _)| recording.likes())).max().unwrap_or(1)
    }

    fn rows(&mut self, times: &[f64], values: &[f64]) -> io::Result<()> {
        self.streams.iter_mut().try_for_each(|stream| stream.rows(times, values))?;
        self.drawn.as_mut().map_or(Ok(()), |(recording, _)| recording.rows(times, values))
    }

    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        self.streams.iter_mut().try_for_each(|stream| stream.row(time, values))?;
        self.drawn.as_mut().map_or(Ok(()), |(recording, _)| recording.row(time, values))
    }

    fn spike(&mut self, event: usize, time: f64, unit: u32) -> io::Result<()> {
        self.streams.iter_mut().try_for_each(|stream| stream.spike(event, time, unit))?;
        self.drawn.as_mut().map_or(Ok(()), |(recording, _)| recording.spike(event, time, unit))
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
