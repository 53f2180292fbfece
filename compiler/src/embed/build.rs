//! For build scripts: models of a crate as Rust source in `OUT_DIR`.
//!
//! ```no_run
//! // In the function `main` of build.rs:
//! nullcline_compiler::build::compile("models/*.yaml");
//! ```
//!
//! In the crate, `include!(concat!(env!("OUT_DIR"), "/models.rs"));` brings in a module for each model.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Embed, Embedding, Form, Reads, embed, put_helps};
use crate::backend::rust::{Long, format};
use crate::diagnostic::{Diagnostics, render};
use crate::source::{Name, SourceMap, Span};
use crate::template::library::FileLibrary;

/// Compiles the models that match a pattern; a build script that cannot go on ends with errors for cargo to show.
///
/// The pattern is a path from the crate's directory, whose last part may have `*` for any text.
pub fn compile(pattern: &str) {
    Config::new().compile(&[pattern]);
}

/// How to compile models in a build script.
#[derive(Clone, Debug)]
pub struct Config {
    /// Without it, the crate of the build script.
    root: Option<PathBuf>,
    out: Option<PathBuf>,
    index: String,
    template: Option<String>,
    scheme: Option<String>,
    precision: Option<String>,
    dt: Option<f64>,
    inputs: Vec<String>,
    template_path: Vec<PathBuf>,
    runtime: Option<String>,
    std: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl Config {
    /// The settings of the files, in the crate of the build script.
    pub fn new() -> Config {
        Config {
            root: std::env::var("CARGO_MANIFEST_DIR").ok().map(PathBuf::from),
            out: None,
            index: "models.rs".to_string(),
            template: None,
            scheme: None,
            precision: None,
            dt: None,
            inputs: Vec::new(),
            template_path: Vec::new(),
            runtime: Some("::nullcline_runtime".to_string()),
            std: true,
        }
    }

    /// Starts paths from this directory rather than that of the crate.
    pub fn root(mut self, directory: impl Into<PathBuf>) -> Config {
        self.root = Some(directory.into());
        self
    }

    /// Writes to this directory rather than `OUT_DIR`.
    pub fn out_dir(mut self, directory: impl Into<PathBuf>) -> Config {
        self.out = Some(directory.into());
        self
    }

    /// The name of the file that has all models in it; `models.rs` unless given.
    pub fn index(mut self, file: impl Into<String>) -> Config {
        self.index = file.into();
        self
    }

    /// The template to compile of each file.
    pub fn template(mut self, name: impl Into<String>) -> Config {
        self.template = Some(name.into());
        self
    }

    /// The integration scheme.
    pub fn scheme(mut self, name: impl Into<String>) -> Config {
        self.scheme = Some(name.into());
        self
    }

    /// `f32` or `f64`.
    pub fn precision(mut self, name: impl Into<String>) -> Config {
        self.precision = Some(name.into());
        self
    }

    /// The step size.
    pub fn dt(mut self, dt: f64) -> Config {
        self.dt = Some(dt);
        self
    }

    /// A variable that becomes an input, besides those that nothing drives.
    pub fn input(mut self, path: impl Into<String>) -> Config {
        self.inputs.push(path.into());
        self
    }

    /// A directory in which templates are looked for.
    pub fn template_path(mut self, directory: impl Into<PathBuf>) -> Config {
        self.template_path.push(directory.into());
        self
    }

    /// The path of the runtime, as in `::nullcline::runtime`.
    pub fn runtime(mut self, path: impl Into<String>) -> Config {
        self.runtime = Some(path.into());
        self
    }

    /// Code that depends on nothing.
    pub fn standalone(mut self) -> Config {
        self.runtime = None;
        self
    }

    /// Code that depends on nothing, the standard library included.
    pub fn no_std(mut self) -> Config {
        self.std = false;
        self.standalone()
    }

    /// Compiles the models that match any of the patterns, and tells cargo what they were made from. When a model is at
    /// fault, cargo gets an error with its place, and the build script ends.
    pub fn compile(&self, patterns: &[&str]) {
        match self.made(patterns) {
            Ok(made) => {
                made.files.iter().for_each(|file| println!("cargo::rerun-if-changed={file}"));
                let lines = made.warnings.iter().flat_map(|w| w.lines());
                lines.for_each(|line| println!("cargo::warning={line}"));
            }
            Err(faults) => {
                for fault in &faults {
                    for line in fault.lines() {
                        println!("cargo::error={line}");
                    }
                }
                std::process::exit(1);
            }
        }
    }

    /// As [`Config::compile`], without a word to cargo: the files that the models were made from, or a message for each
    /// model at fault.
    pub fn try_compile(&self, patterns: &[&str]) -> Result<Vec<String>, Vec<String>> {
        self.made(patterns).map(|made| made.files)
    }

    fn made(&self, patterns: &[&str]) -> Result<Made, Vec<String>> {
        let out = match &self.out {
            Some(out) => out.clone(),
            None => {
                std::env::var("OUT_DIR").map(PathBuf::from).map_err(|_| vec!["`OUT_DIR` is not set".to_string()])?
            }
        };
        let unset = "`CARGO_MANIFEST_DIR` is not set: build with cargo, or name a directory with `Config::root`";
        let root = self.root.as_deref().ok_or_else(|| vec![unset.to_string()])?;
        let (mut files, mut warnings) = (Vec::new(), Vec::new());
        let (mut faults, mut modules) = (Vec::new(), Vec::<(String, PathBuf)>::new());
        let mut index = String::new();
        for pattern in patterns {
            let found = matching(root, pattern).map_err(|fault| vec![fault])?;
            if let Some(directory) = root.join(pattern).parent().filter(|_| pattern.contains('*')) {
                files.push(directory.display().to_string());
            }
            for path in found {
                let (made, read) = match self.one(&path, root) {
                    Ok(done) => done,
                    Err(fault) => {
                        faults.push(fault);
                        continue;
                    }
                };
                files.extend(read);
                if let Some((name, other)) = modules.iter().find(|(name, _)| *name == made.embedding.name) {
                    let [path, other] = [&path, other].map(|p| p.strip_prefix(root).unwrap_or(p).display().to_string());
                    let help = "rename one of the circuits, or compile it with an `out_dir` and an `index` of its own";
                    faults.push(format!("`{other}` and `{path}` both become the module `{name}`\n  help: {help}"));
                    continue;
                }
                modules.push((made.embedding.name.clone(), path));
                index.push_str(&self.written(&made.embedding, &out).map_err(|fault| vec![fault])?);
                warnings.extend(made.warnings);
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        write(&out.join(&self.index), index.as_bytes()).map_err(|fault| vec![fault])?;
        files.sort();
        files.dedup();
        Ok(Made { files, warnings })
    }

    /// Compiles a model, and returns it with the files that it was made from.
    fn one(&self, path: &Path, root: &Path) -> Result<(One, Vec<String>), String> {
        let mut sources = SourceMap::new();
        let mut directories = vec![root.to_path_buf()];
        directories.extend(self.template_path.iter().map(|d| root.join(d)));
        let library = Reads::of(FileLibrary::with_template_path(directories));
        let mut name = |text: &String| {
            let file = sources.add("build script", text.as_str());
            Name::new(text.as_str(), Span::new(file, 0, text.len()))
        };
        let wish = Embed {
            path: path.display().to_string(),
            template: self.template.clone(),
            scheme: self.scheme.as_ref().map(&mut name),
            precision: self.precision.as_ref().map(&mut name),
            dt: self.dt,
            inputs: self.inputs.iter().map(&mut name).collect(),
            runtime: self
                .runtime
                .as_ref()
                .map(|path| path.parse().map_err(|_| format!("`{path}` is no path")))
                .transpose()?,
            std: self.std,
            long: Long::Files,
        };
        let said = |sources: &SourceMap, mut faults: Diagnostics| {
            put_helps(&mut faults, Form::Build);
            let text = render(&faults, sources, false);
            text.replace(&format!("{}/", root.display()), "").trim_end().to_string()
        };
        let mut embedding = embed(&mut sources, &library, &wish).map_err(|faults| said(&sources, faults))?;
        let warnings = std::mem::take(&mut embedding.warnings);
        let warnings = (!warnings.is_empty()).then(|| said(&sources, warnings));
        Ok((One { embedding, warnings }, library.files()))
    }

    /// Writes the files of a model, and returns the module that includes them.
    fn written(&self, made: &Embedding, out: &Path) -> Result<String, String> {
        let file = format!("{}.rs", made.name);
        write(&out.join(&file), format(&made.source.items)?.as_bytes())?;
        for (name, contents) in &made.source.files {
            write(&out.join(name), contents)?;
        }
        let (name, doc) = (&made.name, &made.doc[0]);
        // A path, so that what the file includes is found beside it.
        let whole = out.join(&file);
        Ok(format!("/// {doc}\n#[path = {:?}]\npub mod {name};\n", whole.display().to_string()))
    }
}

/// What became of all models.
struct Made {
    /// The files that they were made from.
    files: Vec<String>,
    /// What is odd about them.
    warnings: Vec<String>,
}

/// What became of a model.
struct One {
    embedding: Embedding,
    /// What is odd about it.
    warnings: Option<String>,
}

/// The files that a pattern means, in the order of their names.
fn matching(root: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let whole = root.join(pattern);
    if !pattern.contains('*') {
        return Ok(vec![whole]);
    }
    let (directory, last) = (whole.parent().unwrap_or(Path::new("")), whole.file_name().unwrap_or_default());
    let last = last.to_string_lossy().into_owned();
    let entries = fs::read_dir(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let mut found: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    found.retain(|path| path.file_name().is_some_and(|name| matches(&last, &name.to_string_lossy())));
    found.sort();
    if found.is_empty() { Err(format!("no file matches `{pattern}`")) } else { Ok(found) }
}
/// Whether a name is a pattern with any text in the places of `*`.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(start) else { return false };
    (0..=name.len()).filter(|at| name.is_char_boundary(*at)).any(|at| matches(rest, &name[at..]))
}

/// Writes a file, unless it is what is to be written.
fn write(path: &Path, contents: &[u8]) -> Result<(), String> {
    if fs::read(path).is_ok_and(|old| old == contents) {
        return Ok(());
    }
    fs::write(path, contents).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_any_text_in_place_of_stars() {
        assert!(matches("*.yaml", "a.yaml") && matches("a*b*.yaml", "axxb.yaml") && matches("a", "a"));
        assert!(!matches("*.yaml", "a.yml") && !matches("a*", "ba"));
    }
}
