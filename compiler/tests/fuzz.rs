//! Mutated documents and equations: nothing may panic or take long.
//!
//! `NULLCLINE_FUZZ=1000000 cargo test -p nullcline-compiler --release --test fuzz -- --ignored fuzz` runs it; the
//! corpus is every YAML file of the repository. The same entry points stand in `fuzz/` for cargo-fuzz.

#[path = "../../tests/support/random.rs"]
mod random;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nullcline_compiler::diagnostic::{Diagnostics, render, render_short};
use nullcline_compiler::ir::lower::functions::KnownFunctions;
use nullcline_compiler::ir::lower::{Options, lower};
use nullcline_compiler::kernel::ir::Precision;
use nullcline_compiler::kernel::target::ORACLE;
use nullcline_compiler::model::check::check as model_check;
use nullcline_compiler::model::{Population, instantiate};
use nullcline_compiler::pass::{self, vectorise::Vectorise};
use nullcline_compiler::scheme;
use nullcline_compiler::source::{FileId, SourceMap, Span};
use nullcline_compiler::syntax::text::MappedText;
use nullcline_compiler::syntax::yaml::{Node, Value};
use nullcline_compiler::syntax::{equation, print, yaml};
use nullcline_compiler::template::connectivity::Rule;
use nullcline_compiler::template::library::MemoryLibrary;
use nullcline_compiler::template::{NodeTemplate, load, load_all, to_yaml};

use random::Random;

/// Inputs of this size must be done within this time, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// Equations to start from, besides those in the corpus.
const EQUATIONS: &[&str] = &[
    "d/dt * V_m = (-V_m + R*I_ext) / tau",
    "x' = -x^2 + 2**-y % 3 if t > 5 and not (a >= b) or c != d else f(x, y[1:3, 0])",
    "index(x, 2) = sigmoid(a*(v - v_th))*1e-3 + 0x1F - 2.5j",
    "dr/dt = Δ/(π*τ^2) + 2.0*r*v/τ",
    "x = past(y, tau) @ x(t - tau) < 3 == 1_000",
];

/// Pieces that are likely to matter.
const PIECES: &[&str] = &[
    "'", "\"", "[", "]", "{", "}", ": ", "- ", "\n", "\r\n", "\t", "  ", "#", "&a ", "*a", "<<: ", "|", ">", "!!str ",
    "!x ", "%", "---\n", "...", "?", ",", "\\u03c4", "\\\n", "τ", "\u{feff}", "\u{85}", "\u{2028}", "😀", "~", "null",
    "(", ")", "^", "**", "=", "==", "<", "if ", " else ", " not ", " and ", "d/dt", "dt", "1e", "0x", ".", "1e999",
    "2j", "//", "+=", "≤", "\0",
];

impl Random {
    fn place(&mut self, text: &str) -> usize {
        let at = self.below(text.len() + 1);
        (at..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
    }

    fn range(&mut self, text: &str, longest: usize) -> std::ops::Range<usize> {
        let start = self.place(text);
        let end = (start + self.below(longest)).min(text.len());
        start..(end..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
    }

    fn mutate(&mut self, text: &mut String, other: &str) {
        match self.below(8) {
            0 | 1 => {
                let at = self.place(text);
                text.insert_str(at, PIECES[self.below(PIECES.len())]);
            }
            2 => {
                let range = self.range(text, 12);
                text.replace_range(range, PIECES[self.below(PIECES.len())]);
            }
            3 => {
                let range = self.range(text, 30);
                text.replace_range(range, "");
            }
            4 => {
                let piece = text[self.range(text, 60)].to_string();
                let at = self.place(text);
                text.insert_str(at, &piece);
            }
            5 => {
                let piece = other[self.range(other, 80)].to_string();
                let at = self.place(text);
                text.insert_str(at, &piece);
            }
            6 => {
                let mut bytes = text.clone().into_bytes();
                if !bytes.is_empty() {
                    let at = self.below(bytes.len());
                    bytes[at] = self.below(256) as u8;
                }
                *text = String::from_utf8_lossy(&bytes).into_owned();
            }
            _ => {
                let piece = PIECES[self.below(PIECES.len())].repeat(self.below(300));
                let at = self.place(text);
                text.insert_str(at, &piece);
            }
        }
    }
}

/// Every text of a tree.
fn texts<'n>(node: &'n Node, found: &mut Vec<&'n MappedText>) {
    match &node.value {
        Value::Null => {}
        Value::Scalar(scalar) => found.push(&scalar.text),
        Value::Sequence(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Mapping(entries) => entries.iter().for_each(|entry| texts(&entry.value, found)),
    }
}

fn show(faults: &Diagnostics, sources: &SourceMap) {
    for fault in &faults.0 {
        let file = sources.file(fault.span.file);
        assert!(fault.span.is_nowhere() || file.is_some_and(|f| f.text.is_char_boundary(fault.span.start as usize)));
    }
    assert!(!render(faults, sources, false).is_empty());
    assert!(!render_short(faults, sources).is_empty());
}

fn check_equation(text: &MappedText, sources: &SourceMap) {
    equation::tokens(text);
    match equation::parse_equation(text) {
        Ok(read) => {
            let printed = print::equation(&read);
            let again = MappedText::at(printed.as_str(), Span::new(FileId(0), 0, printed.len()));
            let again = equation::parse_equation(&again).unwrap_or_else(|faults| panic!("{printed}: {faults:?}"));
            assert_eq!(print::equation(&again), printed);
        }
        Err(faults) => show(&faults, sources),
    }
    if let Err(faults) = equation::parse_expression(text) {
        show(&faults, sources);
    }
}

/// Checks a document; returns whether it is sound YAML.
fn check_document(text: &str) -> bool {
    let mut sources = SourceMap::new();
    let file = sources.add("fuzz.yaml", text);
    match yaml::parse(&sources, file) {
        Ok(root) => {
            print::document(&root);
            let mut found = Vec::new();
            texts(&root, &mut found);
            found.truncate(200);
            found.into_iter().for_each(|text| check_equation(text, &sources));
            true
        }
        Err(faults) => {
            show(&faults, &sources);
            false
        }
    }
}

/// Reads a document as a model and takes it as far as kernels; none of it may panic.
fn check_model(text: &str) {
    let mut sources = SourceMap::new();
    let library = MemoryLibrary::new().with("fuzz.yaml", text);
    let read = load_all(&mut sources, &library, "fuzz.yaml");
    show_if_any(&read.diagnostics, &sources);
    for (_, _, template) in read.circuits.iter().take(8) {
        // Numbers for so many units are drawn, but not in the time a case has.
        let large =
            |node: &NodeTemplate| node.size.is_some_and(|n| n > 100_000) && format!("{node:?}").contains("Drawn");
        if template.nodes.iter().any(|(_, node)| large(node)) {
            continue;
        }
        let circuit = match instantiate(template) {
            Ok(circuit) => circuit,
            Err(faults) => {
                show(&faults, &sources);
                continue;
            }
        };
        let faults = model_check(&circuit, &KnownFunctions);
        show_if_any(&faults, &sources);
        // Large ones are sound, but make no kernels in the time a case has.
        let units = |p: &Population| p.size.unwrap_or(1);
        let elements = |p: &Population| {
            let length = p.operators.iter().flat_map(|o| &o.variables).map(|v| v.length.unwrap_or(1)).max();
            units(p).saturating_mul(length.unwrap_or(1))
        };
        let size = circuit.populations.iter().map(elements).fold(0usize, usize::saturating_add);
        let many = |rule: &Rule| match rule {
            Rule::FixedIndegree { k: n } | Rule::FixedOutdegree { k: n } | Rule::FixedTotal { n } => *n > 1000,
            _ => false,
        };
        let many = circuit.projections.iter().filter_map(|p| p.wiring.as_ref()).any(|w| many(&w.connectivity.rule));
        if faults.has_errors() || size > 2000 || many {
            continue;
        }
        if !read.diagnostics.has_errors()
            && let Ok(yaml) = to_yaml(template)
        {
            let again =
                load(&mut SourceMap::new(), &MemoryLibrary::new().with("m.yaml", yaml.as_str()), "m.yaml", None);
            let again = again.and_then(|l| instantiate(&l.circuit));
            assert!(again.is_ok(), "written as\n{yaml}\nwhich reads as {again:?}");
        }
        for (dt, vectorise) in [(0.1, Vectorise::Never), (1e-3, Vectorise::Always)] {
            match lower(&circuit, &[], &Options { dt, vectorise }) {
                Ok(system) => {
                    // Another scheme for each length of the text, so that all of them see documents.
                    let scheme = &scheme::TABLE[text.len() % scheme::TABLE.len()];
                    if let Err(faults) = pass::compile(system, Vec::new(), scheme, Precision::F64, &ORACLE) {
                        show(&faults, &sources);
                    }
                }
                Err(faults) => show(&faults, &sources),
            }
        }
    }
}

fn show_if_any(faults: &Diagnostics, sources: &SourceMap) {
    if !faults.is_empty() {
        show(faults, sources);
    }
}

fn check(text: &str, document: bool) {
    let start = Instant::now();
    let outcome = std::panic::catch_unwind(|| {
        if document {
            if check_document(text) {
                check_model(text);
            }
        } else {
            let mut sources = SourceMap::new();
            let file = sources.add("--set", text);
            check_equation(&MappedText::at(text, Span::new(file, 0, text.len())), &sources);
        }
    });
    assert!(outcome.is_ok(), "panicked on {text:?}");
    assert!(start.elapsed() < PATIENCE, "took {:?} for {text:?}", start.elapsed());
}

fn collect(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.extend(fs::read_to_string(&path).ok().filter(|text| text.len() < 20_000));
        }
    }
}

#[test]
#[ignore = "long; see the top of the file"]
fn fuzz() {
    let iterations = std::env::var("NULLCLINE_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let seed = std::env::var("NULLCLINE_FUZZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut corpus = Vec::new();
    for folder in ["tests/malformed", "../templates", "../tests"] {
        collect(&root.join(folder), &mut corpus);
    }
    corpus.sort();
    let mut random = Random(seed);
    for iteration in 0..iterations {
        let document = iteration % 2 == 0;
        let other = corpus[random.below(corpus.len())].clone();
        let mut text = if document {
            corpus[random.below(corpus.len())].clone()
        } else {
            EQUATIONS[random.below(EQUATIONS.len())].to_string()
        };
        for _ in 0..1 + random.below(6) {
            let equation = EQUATIONS[random.below(EQUATIONS.len())];
            random.mutate(&mut text, if document { &other } else { equation });
        }
        check(&text, document);
    }
}

#[test]
fn earlier_findings_stay_mended() {
    for (text, document) in FINDINGS {
        check(text, *document);
    }
}

/// What the fuzzer found, and whether it is a document (or an equation).
const FINDINGS: &[(&str, bool)] = &[
    ("", true),
    ("", false),
    ("a: \"\\", true),
    ("x[", false),
    ("'", true),
    ("x[1:3, 0]' = y", false),
    ("equations: \"a \\ -\u{feff}} b\"", true),
];
