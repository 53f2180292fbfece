//! Generated sources as crates.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nullcline::Embedded;

/// A library with a module for each model, in a folder of the build directory.
pub struct Sources {
    pub folder: PathBuf,
    /// The file `lib.rs`.
    pub lib: String,
    count: usize,
}

impl Sources {
    /// An empty library.
    pub fn new(name: &str) -> Sources {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Sources { folder, lib: String::new(), count: 0 }
    }

    /// Adds a model with other files beside it (name of the module, text); returns the path of its module.
    pub fn add(&mut self, made: &Embedded, others: &[(&str, String)]) -> String {
        let name = format!("m{}", self.count);
        self.count += 1;
        let place = self.folder.join(&name);
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("model.rs"), &made.source).unwrap();
        let mut modules = "pub mod model;\n".to_string();
        for (module, text) in others {
            fs::write(place.join(format!("{module}.rs")), text).unwrap();
            writeln!(modules, "pub mod {module};").unwrap();
        }
        for (file, bytes) in &made.files {
            fs::write(place.join(file), bytes).unwrap();
        }
        fs::write(place.join("mod.rs"), modules).unwrap();
        writeln!(self.lib, "pub mod {name};").unwrap();
        name
    }

    /// Writes the library and a program that calls `all` of it.
    pub fn write(&self, name: &str) {
        fs::write(self.folder.join("lib.rs"), &self.lib).unwrap();
        fs::write(self.folder.join("main.rs"), format!("fn main() {{\n    {name}::all();\n}}\n")).unwrap();
    }

    /// Compiles with these arguments.
    pub fn rustc(&self, arguments: &[&str]) {
        let rustc = std::env::var("RUSTC").unwrap_or("rustc".to_string());
        let done = Command::new(rustc).args(["--edition", "2024"]).args(arguments).current_dir(&self.folder).output();
        let done = done.unwrap();
        assert!(done.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Compiles the part of the runtime that generated code needs, into the folder.
    pub fn runtime(&self) {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/runtime/src/lib.rs");
        let name = ["--crate-name", "nullcline_runtime"];
        self.rustc(
            &[&["-C", "opt-level=1", "--crate-type", "rlib", "--cap-lints", "allow", source][..], &name].concat(),
        );
    }

    /// What a program of the folder prints.
    pub fn run(&self, program: &str) -> String {
        let out = Command::new(self.folder.join(program)).current_dir(&self.folder).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }
}
