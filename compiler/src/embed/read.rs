//! Which files a model was made from.

use std::cell::RefCell;
use std::io::Result;

use crate::template::library::{Library, SHIPPED};

/// A library that remembers what was read from it.
pub struct Reads<L> {
    library: L,
    read: RefCell<Vec<String>>,
}

impl<L: Library> Reads<L> {
    /// Remembers what is read from `library`.
    pub fn of(library: L) -> Reads<L> {
        Reads { library, read: RefCell::new(Vec::new()) }
    }

    /// The paths of the files that were read, without shipped ones, each once.
    pub fn files(&self) -> Vec<String> {
        self.read.borrow().clone()
    }
}

impl<L: Library> Library for Reads<L> {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        let content = self.library.read(path, limit)?;
        let mut read = self.read.borrow_mut();
        if !path.starts_with(SHIPPED) && !read.iter().any(|known| known == path) {
            read.push(path.to_string());
        }
        Ok(content)
    }

    fn directories(&self) -> Vec<String> {
        self.library.directories()
    }
}
