//! The files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders whose files are ours; everything else beside the top-level files is a build product or a guest.
const FOLDERS: &[&str] =
    &[".ci", "benches", "compiler", "docs", "examples", "fuzz", "macros", "runtime", "src", "templates", "tests"];

/// Folders inside those that hold products.
const PRODUCTS: &[&str] = &["target", "corpus", "artifacts", "book"];

/// A file: its path from the root, with `/`, and its text.
pub struct File {
    pub path: String,
    pub text: String,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file of the repository, in the order of their paths.
pub fn all() -> Vec<File> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        // `.git` is a file in a linked working tree.
        if path.is_file() && !path.ends_with(".git") {
            paths.push(path);
        }
    }
    for folder in FOLDERS {
        walk(&root().join(folder), &mut paths);
    }
    let mut files: Vec<File> = paths
        .into_iter()
        .filter_map(|path| {
            let text = String::from_utf8(fs::read(&path).unwrap()).ok()?;
            let path = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            Some(File { path, text })
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 100, "the walk lost its way");
    files
}

/// Every file with this ending.
pub fn ending_in(ending: &str) -> Vec<File> {
    all().into_iter().filter(|f| f.path.ends_with(ending)).collect()
}

/// One file.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_file() {
            paths.push(path);
        } else if !PRODUCTS.iter().any(|name| path.ends_with(name)) {
            walk(&path, paths);
        }
    }
}

/// The lines of Rust text that are no comments, with their numbers from 1.
pub fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}
