//! The table of malformed documents: `malformed/NAME.yaml` and, beside it, the rendered diagnostics `NAME.txt`.
//!
//! `NULLCLINE_BLESS=1 cargo test -p nullcline-compiler --test malformed` rewrites the renderings; read them after.
//! Every stage that can refuse a document is asked in turn, as [`STAGES`] lists them.

use std::fs;
use std::path::{Path, PathBuf};

use nullcline_compiler::diagnostic::{Diagnostics, render};
use nullcline_compiler::ir::lower::functions::KnownFunctions;
use nullcline_compiler::ir::lower::{Options, lower};
use nullcline_compiler::model::check::check;
use nullcline_compiler::model::instantiate;
use nullcline_compiler::pass::discretise::discretise;
use nullcline_compiler::pass::vectorise::Vectorise;
use nullcline_compiler::scheme;
use nullcline_compiler::source::{FileId, SourceMap};
use nullcline_compiler::syntax::yaml::{Node, Value};
use nullcline_compiler::syntax::{equation, yaml};
use nullcline_compiler::template::library::MemoryLibrary;
use nullcline_compiler::template::{load, load_all};

/// One stage: what it says of a file. The first stage with something to say ends the run.
type Stage = fn(&mut SourceMap, FileId) -> Diagnostics;

/// The stages in order.
const STAGES: &[Stage] = &[document, equations, templates, circuits, choice, lowering, scheme];

/// The YAML document itself.
fn document(sources: &mut SourceMap, file: FileId) -> Diagnostics {
    yaml::parse(sources, file).err().unwrap_or_default()
}

/// Every text under a key `equations`, read as an equation.
fn equations(sources: &mut SourceMap, file: FileId) -> Diagnostics {
    fn collect(node: &Node, inside: bool, found: &mut Diagnostics) {
        match &node.value {
            Value::Null => {}
            Value::Scalar(scalar) if inside => {
                found.absorb(equation::parse_equation(&scalar.text));
            }
            Value::Scalar(_) => {}
            Value::Sequence(items) => items.iter().for_each(|item| collect(item, inside, found)),
            Value::Mapping(entries) => {
                entries.iter().for_each(|entry| collect(&entry.value, &*entry.key.text == "equations", found));
            }
        }
    }
    let mut found = Diagnostics::new();
    if let Ok(root) = yaml::parse(sources, file) {
        collect(&root, false, &mut found);
    }
    found
}

/// A library that holds the one file.
fn library(sources: &SourceMap, file: FileId) -> (MemoryLibrary, String) {
    let file = sources.file(file).expect("the case was added");
    let library = MemoryLibrary::new().with(file.name.as_str(), file.text.as_bytes());
    (library, file.name.clone())
}

/// Every template of the file.
fn templates(sources: &mut SourceMap, file: FileId) -> Diagnostics {
    let (library, name) = library(sources, file);
    load_all(sources, &library, &name).diagnostics
}

/// Every template of the file as a circuit.
fn circuits(sources: &mut SourceMap, file: FileId) -> Diagnostics {
    let (library, name) = library(sources, file);
    let mut found = Diagnostics::new();
    for (_, _, template) in load_all(sources, &library, &name).circuits {
        if let Some(circuit) = found.absorb(instantiate(&template)) {
            found.0.extend(check(&circuit, &KnownFunctions));
        }
    }
    let mut seen = Vec::new();
    found.0.retain(|d| {
        let place = (d.code, d.span.start);
        !seen.contains(&place) && {
            seen.push(place);
            true
        }
    });
    found
}

/// What the file stands for as a whole, and the paths of its settings.
fn choice(sources: &mut SourceMap, file: FileId) -> Diagnostics {
    let (library, name) = library(sources, file);
    let loaded = match load(sources, &library, &name, None) {
        Ok(loaded) => loaded,
        Err(faults) => return faults,
    };
    let mut found = Diagnostics::new();
    if let Some(mut circuit) = found.absorb(instantiate(&loaded.circuit)) {
        for (path, value) in &loaded.simulate.set {
            found.absorb(circuit.set(path, value));
        }
        for (_, path) in &loaded.simulate.record {
            found.absorb(circuit.find(path));
        }
        for (path, _) in &loaded.simulate.inputs {
            found.absorb(circuit.driven(path));
        }
    }
    found
}

/// The equations of the system.
fn lowering(sources: &mut SourceMap, file: FileId) -> Diagnostics {
    let (library, name) = library(sources, file);
    let mut found = Diagnostics::new();
    if let Some(circuit) = load(sources, &library, &name, None).ok().and_then(|l| instantiate(&l.circuit).ok()) {
        found.absorb(lower(&circuit, &[], &Options { dt: 0.1, vectorise: Vectorise::Auto }));
    }
    found
}

/// One step of the scheme the file asks for.
fn scheme(sources: &mut SourceMap, file: FileId) -> Diagnostics {
    let (library, name) = library(sources, file);
    let mut found = Diagnostics::new();
    let Ok(loaded) = load(sources, &library, &name, None) else { return found };
    let wanted = loaded.simulate.scheme.as_ref().and_then(|s| scheme::lookup(&s.text));
    let Ok(circuit) = instantiate(&loaded.circuit) else { return found };
    let system = lower(&circuit, &[], &Options { dt: 0.1, vectorise: Vectorise::Auto });
    if let (Some(scheme), Ok(system)) = (wanted, system) {
        found.absorb(discretise(system, Vec::new(), scheme));
    }
    found
}

#[test]
fn malformed_documents_are_reported_as_the_table_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/malformed");
    let bless = std::env::var_os("NULLCLINE_BLESS").is_some_and(|value| value == "1");
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the table is there")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    cases.sort();
    assert!(cases.len() >= 40, "only {} cases", cases.len());
    let mut differing = Vec::new();
    for case in cases {
        let name = case.file_name().expect("a file").to_string_lossy().into_owned();
        let mut sources = SourceMap::new();
        let file = sources.add(name.clone(), fs::read_to_string(&case).expect("text"));
        let found = STAGES.iter().map(|stage| stage(&mut sources, file)).find(|found| !found.is_empty());
        let rendered = render(&found.unwrap_or_default(), &sources, false);
        assert!(!rendered.is_empty(), "{name} is not refused");
        let beside = case.with_extension("txt");
        if bless {
            fs::write(&beside, &rendered).expect("the rendering can be written");
        } else if fs::read_to_string(&beside).ok().as_deref() != Some(&rendered) {
            differing.push(format!("{name} now renders as\n{rendered}"));
        }
    }
    assert!(differing.is_empty(), "NULLCLINE_BLESS=1 accepts this:\n{}", differing.join("\n"));
}
