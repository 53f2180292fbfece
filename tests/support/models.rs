//! The models that every engine and every printer is tested with.

use std::fs;
use std::path::{Path, PathBuf};

use nullcline::Model;
use nullcline::compiler::template::library::FileLibrary;

/// Folders left out: documents with faults, parts of others, and networks of thousands of units, which have a test of
/// their own.
const WITHOUT: &[&str] = &["errors", "parts", "networks"];

/// Every shipped template and every model of the suite, with a duration and a step size if it has none.
pub fn models() -> impl Iterator<Item = (String, Model)> {
    paths().map(|path| {
        let name = path.display().to_string();
        let mut model = Model::load(&FileLibrary::new(), &name, None).unwrap_or_else(|e| panic!("{e}"));
        model.settings.duration.get_or_insert(4.0);
        model.settings.dt.get_or_insert(0.01);
        (name, model)
    })
}

/// The files of these models.
pub fn paths() -> impl Iterator<Item = PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    ["templates", "tests/suite"].iter().for_each(|folder| walk(&root.join(folder), &mut paths));
    paths.sort();
    paths.into_iter()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !WITHOUT.iter().any(|name| path.ends_with(name)) {
                walk(&path, paths);
            }
        } else if path.extension().is_some_and(|e| e == "yaml") {
            paths.push(path);
        }
    }
}
