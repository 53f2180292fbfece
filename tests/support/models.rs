//! The models that every engine and every printer is tested with.

use std::fs;
use std::path::{Path, PathBuf};

use nullcline::Model;
use nullcline::compiler::template::library::{FileLibrary, MemoryLibrary};

/// Folders left out: documents with faults, parts of others, and networks of thousands of units, of which there are
/// [`small_networks`].
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

/// The shipped networks, smaller: of thousands of units a fortieth, more densely connected, of a hundred a square of 6 by 6.
#[allow(dead_code)] // not every test program has the time
pub fn small_networks() -> impl Iterator<Item = (String, Model)> {
    const SMALLER: usize = 40;
    let mut paths = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/networks"), &mut paths);
    paths.sort();
    paths.into_iter().map(|path| {
        let mut text = fs::read_to_string(&path).unwrap();
        for (key, least) in [("n: ", 100), ("k: ", SMALLER)] {
            let pieces: Vec<String> = (text.split(key).enumerate())
                .map(|(at, piece)| {
                    let digits = piece.len() - piece.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                    match piece[..digits].parse::<usize>() {
                        Ok(100) if at > 0 && key == "n: " => format!("36{}", &piece[digits..]),
                        Ok(number) if at > 0 && number >= least => format!("{}{}", number / SMALLER, &piece[digits..]),
                        _ => piece.to_string(),
                    }
                })
                .collect();
            text = pieces.join(key);
        }
        let text = text.replace("p: 0.02", "p: 0.3");
        let name = format!("small {}", path.file_stem().unwrap().to_str().unwrap());
        let library = MemoryLibrary::new().with("network.yaml", text);
        let model = Model::load(&library, "network.yaml", None).unwrap_or_else(|e| panic!("{name}: {e}"));
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
