//! Finding templates: which file a reference means, which kind of template a name is, each read once.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::fields::{get, mapping, text};
use super::function::{Functions, functions};
use super::library::{Library, MAX_DATA_BYTES, MAX_FILES, MAX_TEMPLATE_BYTES, directory_of, join};
use super::operator::OperatorDraft;
use super::{CircuitTemplate, EdgeTemplate, NodeTemplate};
use crate::diagnostic::{Diagnostics, template as fault};
use crate::source::{FileId, Name, SourceMap, Span};
use crate::syntax::yaml::{self, Entry, Value};

/// The four kinds of templates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Equations and variables.
    Operator,
    /// Operators that act together.
    Node,
    /// Operators between a source and a target.
    Edge,
    /// Nodes, sub-circuits and edges.
    Circuit,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Operator, Kind::Node, Kind::Edge, Kind::Circuit];

    /// What `base:` calls it.
    pub fn base(self) -> &'static str {
        match self {
            Kind::Operator => "OperatorTemplate",
            Kind::Node => "NodeTemplate",
            Kind::Edge => "EdgeTemplate",
            Kind::Circuit => "CircuitTemplate",
        }
    }

    /// What messages call it, with its article.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Operator => "an operator",
            Kind::Node => "a node",
            Kind::Edge => "an edge template",
            Kind::Circuit => "a circuit",
        }
    }
}

/// Longest chain of parents that is followed.
const MAX_ANCESTORS: usize = 200;

/// Keys at the top level of a file that name no template.
pub(super) const SECTIONS: &[&str] = &["aliases", "simulate", "functions"];

/// A template file.
pub(super) struct TemplateFile {
    pub(super) path: String,
    pub(super) id: FileId,
    pub(super) entries: Arc<[Entry]>,
    pub(super) functions: Functions,
}

impl TemplateFile {
    /// The entries that define templates.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| !SECTIONS.contains(&&*e.key.text))
    }
}

/// A template by the file it stands in and its name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Key {
    pub(super) file: usize,
    pub(super) name: Arc<str>,
}

/// What `base` says.
pub(super) enum Base {
    /// One of the four built-in kinds.
    Kind,
    /// A parent template.
    Parent(Key),
}

/// Reads templates from files. Each file and each template is read once; each fault is reported once.
pub(super) struct Loader<'a> {
    pub(super) sources: &'a mut SourceMap,
    pub(super) library: &'a dyn Library,
    pub(super) out: Diagnostics,
    pub(super) files: Vec<Rc<TemplateFile>>,
    by_path: HashMap<String, Option<usize>>,
    /// Kind of each template and the number of its ancestors.
    kinds: HashMap<Key, Option<(Kind, usize)>>,
    pub(super) operators: HashMap<Key, Rc<OperatorDraft>>,
    pub(super) nodes: HashMap<Key, Arc<NodeTemplate>>,
    pub(super) edges: HashMap<Key, Arc<EdgeTemplate>>,
    pub(super) circuits: HashMap<Key, Option<Arc<CircuitTemplate>>>,
    /// Circuits being read, outermost first: one of them inside itself would never end.
    pub(super) open_circuits: Vec<(Key, Span)>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(sources: &'a mut SourceMap, library: &'a dyn Library) -> Loader<'a> {
        Loader {
            sources,
            library,
            out: Diagnostics::new(),
            files: Vec::new(),
            by_path: HashMap::new(),
            kinds: HashMap::new(),
            operators: HashMap::new(),
            nodes: HashMap::new(),
            edges: HashMap::new(),
            circuits: HashMap::new(),
            open_circuits: Vec::new(),
        }
    }

    /// Opens the template file `path`, looked for from `directory` (none: from the search directories alone).
    /// `span` is where it was asked for. A fault in the file is reported at the first request.
    pub(super) fn open(&mut self, path: &str, directory: Option<&str>, span: Span) -> Option<usize> {
        let spellings = match path.rsplit('/').next() {
            Some(last) if last.ends_with(".yaml") || last.ends_with(".yml") => {
                vec![path.to_string()]
            }
            _ => vec![format!("{path}.yaml"), format!("{path}.yml"), path.to_string()],
        };
        let mut tried = Vec::new();
        for directory in self.search(directory, path) {
            for spelling in &spellings {
                let full = join(&directory, spelling);
                if let Some(known) = self.by_path.get(&full) {
                    return *known;
                }
                match self.library.read(&full, MAX_TEMPLATE_BYTES) {
                    Ok(content) => {
                        let file = self.read_file(&full, content, span);
                        self.by_path.insert(full, file);
                        return file;
                    }
                    Err(error) if is_absent(&error) => tried.push(full),
                    Err(error) => {
                        self.out.push(fault::unreadable_file(span, &full, &error, MAX_TEMPLATE_BYTES));
                        self.by_path.insert(full, None);
                        return None;
                    }
                }
            }
        }
        self.out.push(fault::file_not_found(span, path, &tried));
        None
    }

    /// Directories in which `path` is looked for, each once.
    fn search(&self, directory: Option<&str>, path: &str) -> Vec<String> {
        if path.starts_with('/') {
            return vec![String::new()];
        }
        let mut search: Vec<String> = directory.map(str::to_string).into_iter().collect();
        for next in self.library.directories() {
            if !search.contains(&next) {
                search.push(next);
            }
        }
        search
    }

    fn read_file(&mut self, path: &str, content: Vec<u8>, span: Span) -> Option<usize> {
        if self.files.len() >= MAX_FILES {
            self.out.push(fault::too_many_files(span, MAX_FILES));
            return None;
        }
        let text = match String::from_utf8(content) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                self.out.push(fault::not_utf8(span, path, at));
                return None;
            }
        };
        let id = self.sources.add(path, text);
        let root = self.out.absorb(yaml::parse(self.sources, id))?;
        let entries = match root.value {
            Value::Mapping(entries) => entries,
            Value::Null => Arc::default(),
            _ => {
                self.out.push(fault::not_a_template_file(root.span, path));
                return None;
            }
        };
        let functions = match get(&entries, "functions") {
            Some(section) => functions(&section.value, &mut self.out),
            None => Functions::new(),
        };
        self.files.push(Rc::new(TemplateFile { path: path.to_string(), id, entries, functions }));
        Some(self.files.len() - 1)
    }

    /// The content of a data file that is named in file `home`.
    pub(super) fn data(&mut self, home: usize, name: &Name) -> Option<(String, Vec<u8>)> {
        let directory = directory_of(&self.files[home].path).to_string();
        let mut tried = Vec::new();
        for directory in self.search(Some(&directory), &name.text) {
            let full = join(&directory, &name.text);
            match self.library.read(&full, MAX_DATA_BYTES) {
                Ok(content) => return Some((full, content)),
                Err(error) if is_absent(&error) => tried.push(full),
                Err(error) => {
                    self.out.push(fault::unreadable_file(name.span, &full, &error, MAX_DATA_BYTES));
                    return None;
                }
            }
        }
        self.out.push(fault::file_not_found(name.span, &name.text, &tried));
        None
    }

    /// The template that `reference`, written in file `home`, means.
    pub(super) fn locate(&mut self, home: usize, reference: &Name) -> Option<Key> {
        let file = self.files[home].clone();
        let text = &*reference.text;
        if file.templates().any(|e| *e.key.text == *text) {
            return Some(Key { file: home, name: reference.text.clone() });
        }
        let (path, name) = if let Some((path, name)) = text.rsplit_once('/') {
            (path.to_string(), name)
        } else if let Some((path, name)) = text.rsplit_once('.') {
            (path.replace('.', "/"), name)
        } else {
            let names: Vec<&str> = file.templates().map(|e| &*e.key.text).collect();
            self.out.push(fault::unknown_template(reference, text, &file.path, &names));
            return None;
        };
        if path.is_empty() || name.is_empty() {
            self.out.push(fault::malformed_reference(reference));
            return None;
        }
        let directory = directory_of(&file.path).to_string();
        let found = self.open(&path, Some(&directory), reference.span)?;
        self.named(found, name, reference)
    }

    /// The template `name` of an open file.
    pub(super) fn named(&mut self, file: usize, name: &str, reference: &Name) -> Option<Key> {
        let opened = self.files[file].clone();
        match opened.templates().find(|e| &*e.key.text == name) {
            Some(entry) => Some(Key { file, name: entry.key.text.clone() }),
            None => {
                let names: Vec<&str> = opened.templates().map(|e| &*e.key.text).collect();
                self.out.push(fault::unknown_template(reference, name, &opened.path, &names));
                None
            }
        }
    }

    /// The entry that defines `key`.
    pub(super) fn entry(&self, key: &Key) -> Entry {
        let file = &self.files[key.file];
        let found = file.entries.iter().find(|e| e.key.text == key.name);
        found.cloned().expect("keys are made by `locate` and `named` from entries of the file")
    }

    /// The kind of a template: what the chain of its bases ends with. A broken chain is reported once.
    pub(super) fn kind(&mut self, key: &Key) -> Option<Kind> {
        let mut chain: Vec<(Key, Name)> = Vec::new();
        let mut at = key.clone();
        let kind = loop {
            if let Some(known) = self.kinds.get(&at) {
                break *known;
            }
            let entry = self.entry(&at);
            if let Some(start) = chain.iter().position(|(k, _)| *k == at) {
                let cycle: Vec<&Name> = chain[start..].iter().map(|(_, name)| name).collect();
                self.out.push(fault::inheritance_cycle(&cycle));
                break None;
            }
            chain.push((at.clone(), entry.key.clone()));
            let Value::Mapping(fields) = &entry.value.value else {
                self.out.push(fault::not_a_template(&entry));
                break None;
            };
            let Some(base) = get(fields, "base") else {
                self.out.push(fault::missing_base(&entry.key, likely_kind(fields)));
                break None;
            };
            let Some(base) = text(&base.value, "`base`", &mut self.out) else {
                break None;
            };
            if let Some(kind) = Kind::ALL.into_iter().find(|k| k.base() == &*base.text) {
                break Some((kind, 0));
            }
            match self.base(at.file, &base) {
                Some(parent) => at = parent,
                None => break None,
            }
        };
        let above = kind.map_or(0, |(_, above)| above);
        let kind = kind.map(|(kind, _)| kind);
        for (generation, (key, name)) in chain.into_iter().rev().enumerate() {
            let ancestors = above + generation + 1;
            if ancestors == MAX_ANCESTORS {
                self.out.push(fault::too_many_ancestors(&name, MAX_ANCESTORS));
            }
            let kind = kind.filter(|_| ancestors < MAX_ANCESTORS);
            self.kinds.insert(key, kind.map(|kind| (kind, ancestors)));
        }
        self.kinds.get(key).copied().flatten().map(|(kind, _)| kind)
    }

    /// The parent that `base`, which is none of the built-in kinds, refers to.
    fn base(&mut self, home: usize, base: &Name) -> Option<Key> {
        let faults = self.out.0.len();
        let found = self.locate(home, base);
        if found.is_none()
            && let Some(last) = self.out.0[faults..].last_mut()
        {
            fault::suggest_kinds(last, base);
        }
        found
    }

    /// What the `base` of a template with sound kind is.
    pub(super) fn base_of(&mut self, home: usize, fields: &[Entry]) -> Base {
        let base = get(fields, "base").and_then(|base| text(&base.value, "`base`", &mut self.out));
        match base {
            Some(base) if !Kind::ALL.iter().any(|k| k.base() == &*base.text) => {
                self.locate(home, &base).map_or(Base::Kind, Base::Parent)
            }
            _ => Base::Kind,
        }
    }

    /// Locates a template that must be of kind `wanted`.
    pub(super) fn locate_kind(&mut self, home: usize, reference: &Name, wanted: Kind) -> Option<Key> {
        let key = self.locate(home, reference)?;
        let kind = self.kind(&key)?;
        if kind != wanted {
            let defined = self.entry(&key).key;
            self.out.push(fault::wrong_kind(reference, kind, wanted, &defined));
            return None;
        }
        Some(key)
    }

    /// The fields of a template's mapping.
    pub(super) fn fields(&mut self, entry: &Entry) -> Vec<Entry> {
        let what = format!("template `{}`", entry.key);
        mapping(&entry.value, &what, &mut self.out).unwrap_or(&[]).to_vec()
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | IsADirectory | NotADirectory)
}

/// The kind that the keys of a template speak for.
fn likely_kind(fields: &[Entry]) -> Kind {
    let has = |key| get(fields, key).is_some();
    if has("nodes") || has("circuits") || has("edges") {
        Kind::Circuit
    } else if has("operators") {
        Kind::Node
    } else {
        Kind::Operator
    }
}
