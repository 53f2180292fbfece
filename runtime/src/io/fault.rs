//! What went wrong with a file, for the user.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A fault in reading or writing a file: which file, where in it, why, and what to do.
///
/// `Display` gives the message and, on further lines, the help.
#[derive(Debug)]
pub struct Fault {
    /// The file.
    pub path: PathBuf,
    /// Line and column (of characters), counted from one, where the content of a text file is at fault.
    pub place: Option<(usize, usize)>,
    /// What was found, and what was expected.
    pub cause: String,
    /// What to type or to change.
    pub help: Option<String>,
    action: Action,
    kind: io::ErrorKind,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Read,
    Write,
}

impl Fault {
    /// A fault that keeps `path` from being written.
    pub fn write(path: &Path, cause: impl Into<String>) -> Fault {
        Fault::new(Action::Write, path, cause.into())
    }

    /// A fault that keeps `path` from being read.
    pub fn read(path: &Path, cause: impl Into<String>) -> Fault {
        Fault::new(Action::Read, path, cause.into())
    }

    /// The operating system refused to write.
    pub fn write_os(path: &Path, error: &io::Error) -> Fault {
        Fault::write(path, "").with_os(error, "choose a directory you may write to, or change its permissions")
    }

    /// The operating system refused to read.
    pub fn read_os(path: &Path, error: &io::Error) -> Fault {
        let fault = Fault::read(path, "").with_os(error, "change the file's permissions: `chmod u+r FILE`");
        match error.kind() {
            io::ErrorKind::NotFound => fault.with_help(format!(
                "check the name; it is looked up from the working directory{}",
                std::env::current_dir().map(|here| format!(" `{}`", here.display())).unwrap_or_default()
            )),
            _ => fault,
        }
    }

    fn new(action: Action, path: &Path, cause: String) -> Fault {
        let kind = match action {
            Action::Read => io::ErrorKind::InvalidData,
            Action::Write => io::ErrorKind::InvalidInput,
        };
        Fault { path: path.to_owned(), place: None, cause, help: None, action, kind }
    }

    fn with_os(mut self, error: &io::Error, permission_help: &str) -> Fault {
        self.kind = error.kind();
        self.cause = match error.kind() {
            io::ErrorKind::NotFound => "no such file".into(),
            io::ErrorKind::PermissionDenied => "permission denied".into(),
            io::ErrorKind::StorageFull => "the disk is full".into(),
            io::ErrorKind::IsADirectory => "it is a directory, expected a file".into(),
            _ => error.to_string(),
        };
        self.help = match error.kind() {
            io::ErrorKind::PermissionDenied => Some(permission_help.into()),
            io::ErrorKind::StorageFull => {
                Some("free some space, or write fewer rows: `--sample-every`, `--cutoff`".into())
            }
            _ => None,
        };
        self
    }

    /// The same fault with this help.
    pub fn with_help(mut self, help: impl Into<String>) -> Fault {
        self.help = Some(help.into());
        self
    }

    /// The same fault with the help to use another extension.
    pub(crate) fn with_renamed(self, path: &Path, extension: &str) -> Fault {
        let suggestion = path.with_extension(extension);
        self.with_help(format!("write `{}`", suggestion.display()))
    }

    /// The same fault at a line and column.
    pub(crate) fn at(mut self, line: usize, column: usize) -> Fault {
        self.place = Some((line, column));
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match (self.place, self.action) {
            (Some((line, column)), _) => write!(f, "{path}:{line}:{column}: {}", self.cause)?,
            (None, Action::Read) => write!(f, "cannot read `{path}`: {}", self.cause)?,
            (None, Action::Write) => write!(f, "cannot write `{path}`: {}", self.cause)?,
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> io::Error {
        io::Error::new(fault.kind, fault)
    }
}
