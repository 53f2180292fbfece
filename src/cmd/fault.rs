//! What ends a command early: a message and an exit code.

use nullcline::Error;
use nullcline::runtime::io;

use super::print;

/// All went well.
pub const DONE: u8 = 0;
/// The model or the run is at fault.
pub const FAILED: u8 = 1;
/// The arguments are at fault.
pub const USAGE: u8 = 2;
/// Stopped by Ctrl-C, as shells report it: 128 and the number of the signal.
pub const STOPPED: u8 = 130;

/// Why a command ends early.
pub struct Fault {
    /// The whole message.
    pub message: String,
    /// The exit code.
    pub code: u8,
}

impl Fault {
    /// A fault of the model or the run.
    pub fn failed(message: impl Into<String>) -> Fault {
        Fault { message: message.into(), code: FAILED }
    }

    /// A fault of the arguments.
    pub fn usage(message: impl Into<String>) -> Fault {
        Fault { message: message.into(), code: USAGE }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::failed(error.render(print::colors_on_stderr()))
    }
}

impl From<io::Fault> for Fault {
    fn from(fault: io::Fault) -> Fault {
        Fault::failed(print::labelled_error(&fault))
    }
}
