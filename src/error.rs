//! What can go wrong, in the words of the compiler or of the runtime.

use std::fmt;

use nullcline_compiler::diagnostic::{Diagnostics, render};
use nullcline_compiler::source::SourceMap;
use nullcline_runtime::artifact::DeviceError;
use nullcline_runtime::io::Fault;

/// Why a model could not be read, compiled or run.
#[derive(Debug)]
pub enum Error {
    /// The model is at fault; its texts come along so that messages can point into them.
    Model(Diagnostics, Box<SourceMap>),
    /// A file could not be read or written.
    File(Fault),
    /// A device failed.
    Device(DeviceError),
}

impl Error {
    /// Diagnostics with their sources.
    pub fn model(diagnostics: impl Into<Diagnostics>, sources: &SourceMap) -> Error {
        Error::Model(diagnostics.into(), Box::new(sources.clone()))
    }

    /// The whole message, with colours or without.
    pub fn render(&self, color: bool) -> String {
        match self {
            Error::Model(diagnostics, sources) => render(diagnostics, sources, color),
            Error::File(fault) => format!("error: {fault}"),
            Error::Device(error) => format!("error: {error}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Error {}

/// Faults without a text to point into, such as those of builders.
impl From<Diagnostics> for Error {
    fn from(diagnostics: Diagnostics) -> Error {
        Error::model(diagnostics, &SourceMap::new())
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        Error::File(fault)
    }
}

impl From<DeviceError> for Error {
    fn from(error: DeviceError) -> Error {
        Error::Device(error)
    }
}
