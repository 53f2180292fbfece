//! Where template files come from. Trait [`Library`] is the only way in which the compiler reads files.
//!
//! A reference is looked for next to the file it stands in, then in the directories of [`Library::directories`] in order
//! (working directory, `--template-path`, the shipped templates).

mod shipped;

pub use shipped::SHIPPED_TEMPLATES;

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::PathBuf;

/// Largest template file that is read.
pub const MAX_TEMPLATE_BYTES: u64 = 16 << 20;
/// Largest data file (`.csv`, `.npy`) that is read.
pub const MAX_DATA_BYTES: u64 = 1 << 30;
/// Most template files that one model may consist of.
pub const MAX_FILES: usize = 1000;

/// Directory under which the templates that ship with nullcline are found.
pub const SHIPPED: &str = "<shipped>";

/// A source of files. Paths use `/`; a relative path is relative to the working directory.
pub trait Library {
    /// The content of the file at `path`; [`ErrorKind::NotFound`] when there is none, [`ErrorKind::FileTooLarge`] when it
    /// has more than `limit` bytes.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>>;

    /// Directories in which references are looked for after the directory of the file they stand in. The empty string is
    /// the working directory.
    fn directories(&self) -> Vec<String>;
}

/// Files held in memory: for tests, builder calls and build scripts.
#[derive(Clone, Debug, Default)]
pub struct MemoryLibrary {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryLibrary {
    /// An empty library.
    pub fn new() -> MemoryLibrary {
        MemoryLibrary::default()
    }

    /// Adds a file.
    pub fn with(mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> MemoryLibrary {
        self.files.insert(normalise(&path.into()), content.into());
        self
    }
}

impl Library for MemoryLibrary {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        match self.files.get(&normalise(path)) {
            Some(content) => within(content.clone(), limit),
            None => shipped(path, limit),
        }
    }

    fn directories(&self) -> Vec<String> {
        vec![String::new(), SHIPPED.to_string()]
    }
}

/// The files of the machine, and the shipped templates.
#[derive(Clone, Debug, Default)]
pub struct FileLibrary {
    template_path: Vec<PathBuf>,
}

impl FileLibrary {
    /// Looks in the working directory and the shipped templates.
    pub fn new() -> FileLibrary {
        FileLibrary::default()
    }

    /// Looks also in these directories (`--template-path`), before the shipped templates.
    pub fn with_template_path(template_path: Vec<PathBuf>) -> FileLibrary {
        FileLibrary { template_path }
    }
}

impl Library for FileLibrary {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        if path.starts_with(SHIPPED) {
            return shipped(path, limit);
        }
        let file = std::fs::File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(Error::from(ErrorKind::IsADirectory));
        }
        let mut content = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut content)?;
        within(content, limit)
    }

    fn directories(&self) -> Vec<String> {
        let path = self.template_path.iter().map(|p| p.to_string_lossy().into_owned());
        std::iter::once(String::new()).chain(path).chain([SHIPPED.to_string()]).collect()
    }
}

fn within(content: Vec<u8>, limit: u64) -> Result<Vec<u8>> {
    if content.len() as u64 > limit { Err(Error::from(ErrorKind::FileTooLarge)) } else { Ok(content) }
}

fn shipped(path: &str, limit: u64) -> Result<Vec<u8>> {
    let name = path.strip_prefix(SHIPPED).map(|p| p.trim_start_matches('/'));
    let found = SHIPPED_TEMPLATES.iter().find(|(file, _)| Some(*file) == name);
    found.map_or(Err(Error::from(ErrorKind::NotFound)), |(_, text)| within(text.as_bytes().to_vec(), limit))
}

/// The directory part of a path, without the final `/`; empty for a bare file name.
pub fn directory_of(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(at) => &path[..at],
        None => "",
    }
}

/// `directory/path`, or `path` itself when it is absolute; without `.` and inner `..` parts.
pub fn join(directory: &str, path: &str) -> String {
    if path.starts_with('/') || directory.is_empty() {
        return normalise(path);
    }
    normalise(&format!("{directory}/{path}"))
}

fn normalise(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_dots_but_keep_leading_parents() {
        assert_eq!(join("a/b", "../c.yaml"), "a/c.yaml");
        assert_eq!(join("", "../c.yaml"), "../c.yaml");
        assert_eq!(join("a", "/b/./c"), "/b/c");
        assert_eq!(directory_of("a/b.yaml"), "a");
        assert_eq!(directory_of("/b.yaml"), "/");
        assert_eq!(directory_of("b.yaml"), "");
    }

    #[test]
    fn a_file_past_the_limit_is_refused() {
        let library = MemoryLibrary::new().with("a.yaml", "12345");
        assert_eq!(library.read("./a.yaml", 5).map_err(|e| e.kind()), Ok(b"12345".to_vec()));
        assert_eq!(library.read("a.yaml", 4).map_err(|e| e.kind()), Err(ErrorKind::FileTooLarge));
        assert_eq!(library.read("b.yaml", 4).map_err(|e| e.kind()), Err(ErrorKind::NotFound));
    }
}
