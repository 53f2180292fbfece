//! States in files: where a run begins, and where it ended.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use nullcline::runtime::artifact::DeviceError;
use nullcline::runtime::io::{AtomicFile, Fault as FileFault};
use nullcline::runtime::sim::{Simulation, State};

use crate::cmd::fault::Fault;
use crate::cmd::print;

/// Reads a state.
pub fn load(path: &Path) -> Result<State, Fault> {
    let read = fs::read(path).map_err(|error| FileFault::read_os(path, &error));
    let text = read.and_then(|bytes| String::from_utf8(bytes).map_err(|_| foreign(path, "it is not text")));
    let state = text.and_then(|text| text.parse().map_err(|cause: String| foreign(path, &cause)));
    state.map_err(|fault| Fault::failed(print::labelled_error(fault)))
}

/// Writes the state of a simulation.
pub fn save(simulation: &mut Simulation, path: &Path) -> Result<PathBuf, FileFault> {
    let state = simulation.state().map_err(|error| FileFault::write(path, error.to_string()))?;
    let mut file = AtomicFile::create(path)?;
    write!(file, "{state}").map_err(|error| FileFault::write_os(path, &error))?;
    file.finish().map(|()| path.to_path_buf())
}

/// A state of another model.
pub fn does_not_fit(path: &Path, error: &DeviceError) -> Fault {
    let fault = FileFault::read(path, error.to_string());
    let help = "go on with the model, and the `--dt`, that the state was saved with; parameters may differ";
    Fault::failed(print::labelled_error(fault.with_help(help)))
}

fn foreign(path: &Path, cause: &str) -> FileFault {
    FileFault::read(path, cause).with_help("write a state with `--save-state FILE`")
}
