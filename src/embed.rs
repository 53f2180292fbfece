//! Models as Rust source: a module to include, or a crate that depends on nothing.

mod program;

use nullcline_compiler::backend::manifest;
use nullcline_compiler::backend::notes::{marks, notes};
use nullcline_compiler::backend::rust::{self, Event, Interface, Long, Options, RUST, Recorded, format, snake, source};
use nullcline_compiler::embed::describe;
use nullcline_compiler::kernel::ir::BufferId;
use nullcline_compiler::pass;
use nullcline_runtime::artifact::DeviceError;
use nullcline_runtime::sim::PreHistory;

use crate::engine::Engine;
use crate::error::Error;
use crate::model::{Compiled, Model};

/// Generated code runs by itself, so this engine compiles but loads nothing.
static GENERATED: Engine = Engine {
    name: "rust",
    target: &RUST,
    device: "cpu",
    load: |_, _| Err(DeviceError("generated Rust is compiled, not loaded".to_string())),
    doc: "",
};

/// What to make of a model.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EmbedOptions {
    /// Whether the source depends on nothing, rather than on `nullcline-runtime`.
    pub standalone: bool,
    /// Whether it does without the standard library.
    pub no_std: bool,
}

/// A model as Rust source.
#[derive(Clone, PartialEq, Debug)]
pub struct Embedded {
    /// Name of the module, and beginning of the names of its files.
    pub name: String,
    /// The source of the module.
    pub source: String,
    /// A program that prints the trajectory that the model's settings ask for, except for the import of the model.
    program: String,
    /// Files that the module and the program include: name and contents.
    pub files: Vec<(String, Vec<u8>)>,
    /// What there is in the module, as JSON, and the file of its long lists: see [`manifest`].
    pub manifest: manifest::Manifest,
}

impl Embedded {
    /// The manifest of a crate of this model that depends on nothing.
    pub fn cargo_toml(&self) -> String {
        let Embedded { name, .. } = self;
        let version = "version = \"0.1.0\"\nedition = \"2024\"\nrust-version = \"1.88\"\npublish = false";
        let profile = "[profile.release]\ncodegen-units = 1";
        // A workspace of its own, wherever it is put.
        format!("[package]\nname = \"{name}\"\n{version}\n\n[workspace]\n\n{profile}\n")
    }

    /// A program that prints the trajectory that the model's settings ask for; `model` is the path of the struct `Model`.
    pub fn program(&self, model: &str) -> String {
        let doc = "//! Prints what a run of the model records, as comma-separated values.";
        let files = if self.program.contains("File::") { "use std::env;\nuse std::fs::File;\n" } else { "" };
        format!("{doc}\n\n{files}use std::io::{{self, BufWriter, Write}};\n\nuse {model};\n\n{}", self.program)
    }
}

impl Model {
    /// The model with its settings as Rust source.
    pub fn embed(&self, options: EmbedOptions) -> Result<Embedded, Error> {
        let failed = |d| Error::model(d, &self.sources);
        let lowered = self.lowered().map_err(failed)?;
        let mut system = lowered.system.clone();
        system.marks = marks(&self.circuit, &system, false);
        let slopes = pass::slopes(system, lowered.scheme, lowered.precision, &RUST).map_err(failed)?;
        let compiled = self.compile_marked(&GENERATED, false)?;
        let notes = notes(&self.circuit, &compiled.system, &compiled.module);
        let recorded = recorded(&compiled);
        let events = compiled.events.iter();
        let events: Vec<Event> = events.map(|l| Event { name: l.name.clone(), group: l.group.clone() }).collect();
        let name = snake(&self.circuit.name);
        let doc = describe(&self.sources, &self.circuit, compiled.scheme, &compiled.module);
        let interface = Interface {
            module: &compiled.module,
            slopes: &slopes,
            notes: &notes,
            recorded: &recorded,
            events: &events,
            dt: compiled.dt,
            zero_history: compiled.pre_history == PreHistory::Zero,
            seed: compiled.seed,
            doc: &doc,
        };
        let runtime = (!options.standalone).then(|| "nullcline_runtime".parse().expect("a name is a token"));
        let options = Options { runtime, std: !options.no_std, long: Long::Files, stem: name.clone() };
        let generated = source(&interface, &options);
        let text = format(&generated.items).expect("the printer makes items");
        let mut files = generated.files;
        let program = program::program(&name, &interface, &compiled, &mut files)?;
        let text = header(&doc) + &text;
        let artifact = rust::artifact(&compiled.module, &text);
        let mut about = compiled.about(self, &format!("{name}.rs"), &format!("{name}.bin"));
        about.fields = rust::buffer_places(&compiled.module);
        let places = rust::recorded_places(&recorded);
        about.columns.iter_mut().for_each(|column| column.field = places.get(&column.name).cloned());
        let manifest = manifest::manifest(&artifact, &about);
        Ok(Embedded { name, source: text, program, files, manifest })
    }
}

/// The first lines of a file.
fn header(doc: &[String]) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let first = doc.first().map(|d| &**d).unwrap_or_default();
    format!("// {first} Generated by nullcline {version}; changes will be lost.\n\n")
}

/// Columns that belong together as one quantity.
fn recorded(compiled: &Compiled) -> Vec<Recorded> {
    let mut recorded: Vec<Recorded> = Vec::new();
    for column in &compiled.columns {
        let label = (&*column.label.name, &*column.label.group, column.label.unit.as_deref());
        Recorded::collect(&mut recorded, label, (BufferId(column.buffer as u32), column.element));
    }
    recorded
}
