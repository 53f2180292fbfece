//! The generated pages of the book are what the tables say, and its examples are sound.
//!
//! `NULLCLINE_BLESS=1 cargo test --test book` rewrites the pages; read them after.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nullcline::compiler::ir::complex::PARTS;
use nullcline::compiler::ir::lower::functions::FUNCTIONS;
use nullcline::compiler::ir::prim::table;
use nullcline::compiler::scheme::TABLE;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a page with what it should be, or rewrites it.
#[track_caller]
fn assert_page(name: &str, expected: &str) {
    let path = root().join("docs/src/reference").join(name);
    let found = fs::read_to_string(&path).unwrap_or_default();
    if found == expected {
        return;
    }
    let bless = std::env::var_os("NULLCLINE_BLESS").is_some_and(|value| value == "1");
    assert!(bless, "{name} is not what the tables say; NULLCLINE_BLESS=1 rewrites it");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, expected).unwrap();
}

/// Text for a cell of a table: a bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn code(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[test]
fn functions() {
    let mut rows: BTreeMap<&str, (String, &[&str], &str)> = BTreeMap::new();
    for row in table().filter(|p| p.callable) {
        rows.insert(row.name, (row.arity.to_string(), row.aliases, row.doc));
    }
    for row in PARTS {
        rows.insert(row.name, (row.arity.to_string(), row.aliases, row.doc));
    }
    for row in FUNCTIONS {
        let arity = match row.arity {
            (least, most) if least == most => least.to_string(),
            (least, usize::MAX) => format!("{least} or more"),
            (least, most) => format!("{least} to {most}"),
        };
        // A pointwise function of the same name is a case of this one.
        let aliases = rows.get(row.name).map_or(&[][..], |(_, aliases, _)| aliases);
        rows.insert(row.name, (arity, aliases, row.doc));
    }
    let mut page = "# Functions\n\n\
        Functions of numbers work element by element on vectors, and on populations unit by unit.\n\n\
        | function | arguments | also | value |\n|---|---|---|---|\n"
        .to_string();
    for (name, (arity, aliases, doc)) in rows {
        writeln!(page, "| `{name}` | {arity} | {} | {} |", code(aliases), cell(doc)).unwrap();
    }
    assert_page("functions.md", &page);
}

#[test]
fn schemes() {
    let mut page = "# Integration schemes\n\n\
        Chosen by `scheme` in the section `simulate`, or by `--scheme`. Orders are measured by tests, not only stated; \
        [noise](../language/noise.md) has a chapter of its own.\n\n\
        | scheme | order | step | white noise | source |\n|---|---|---|---|---|\n"
        .to_string();
    for row in TABLE {
        let order = row.order.map_or("exact".to_string(), |order| order.to_string());
        let (name, doc, noise, source) = (row.name, cell(row.doc), row.noise.describe(), cell(row.citation));
        writeln!(page, "| `{name}` | {order} | {doc} | {noise} | {source} |").unwrap();
    }
    assert_page("schemes.md", &page);
}

#[test]
fn templates() {
    let list = Command::new(env!("CARGO_BIN_EXE_nullcline")).arg("list").output().unwrap();
    let mut page = "# Templates that ship\n\n\
        `nullcline run NAME` runs one, `nullcline show NAME` prints its source and equations; files of your own build on them with \
        `base: neurons/lif/lif`.\n\n| name | |\n|---|---|\n"
        .to_string();
    for line in String::from_utf8(list.stdout).unwrap().lines() {
        let (name, description) = line.split_once(' ').unwrap();
        writeln!(page, "| `{name}` | {} |", cell(description.trim())).unwrap();
    }
    assert_page("templates.md", &page);
}

#[test]
fn checks() {
    let mut page = "# What is checked\n\n\
        `nullcline check` and every other command ask this of a model, after its text was read and its paths were resolved.\n"
        .to_string();
    let mut files: Vec<PathBuf> =
        fs::read_dir(root().join("compiler/language/src/model/check")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
        let doc = lines.collect::<Vec<_>>().join("\n");
        let name = file.file_stem().unwrap().to_str().unwrap().replace('_', " ");
        let (first, rest) = name.split_at(1);
        write!(page, "\n## {}{rest}\n\n{doc}\n", first.to_uppercase()).unwrap();
    }
    assert_page("checks.md", &page);
}

#[test]
fn diagnostics() {
    let folder = root().join("compiler/tests/malformed");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "txt"));
    files.sort();
    // The shortest example of each code.
    let mut examples: BTreeMap<String, String> = BTreeMap::new();
    for file in files {
        for example in fs::read_to_string(&file).unwrap().split("\n\n") {
            let Some((severity, rest)) = example.split_once('[') else { continue };
            let Some((code, _)) = rest.split_once(']') else { continue };
            if !["error", "warning"].contains(&severity) {
                continue;
            }
            let kept = examples.entry(code.to_string()).or_insert_with(|| example.trim_end().to_string());
            if example.trim_end().len() < kept.len() {
                *kept = example.trim_end().to_string();
            }
        }
    }
    let mut page = "# Messages\n\n\
        Every message has a code, which stays the same when its wording changes. Here is an example of each.\n"
        .to_string();
    for (code, example) in examples {
        write!(page, "\n## {code}\n\n````text\n{example}\n````\n").unwrap();
    }
    assert_page("diagnostics.md", &page);
}

/// Blocks of a Markdown text that begin with this fence.
fn blocks<'a>(text: &'a str, fence: &str) -> Vec<&'a str> {
    let open = format!("```{fence}\n");
    let starts = text.match_indices(&open).filter(|(at, _)| *at == 0 || text[..*at].ends_with('\n'));
    starts.map(|(at, _)| text[at + open.len()..].split("```").next().unwrap()).collect()
}

/// Every page, README included.
fn pages() -> Vec<(String, String)> {
    fn walk(folder: &Path, pages: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, pages);
            } else if path.extension().is_some_and(|e| e == "md") {
                pages.push(path);
            }
        }
    }
    let mut paths = vec![root().join("README.md")];
    walk(&root().join("docs/src"), &mut paths);
    paths.sort();
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_string();
    paths.into_iter().map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

/// A directory of its own for a test.
fn place(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn nullcline(folder: &Path, line: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nullcline"));
    let done = command.args(line).current_dir(folder).output().unwrap();
    (
        done.status.success(),
        format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr)),
    )
}

#[test]
fn models_in_the_book_run() {
    let folder = place("book_models");
    let mut count = 0;
    for (page, text) in pages() {
        for block in blocks(&text, "yaml") {
            count += 1;
            let file = format!("{count}.yaml");
            fs::write(folder.join(&file), block).unwrap();
            let (sound, said) = nullcline(&folder, &["run", &file]);
            assert!(sound && !said.contains("warning["), "{page}:\n{block}\n{said}");
        }
    }
    assert!(count >= 10, "{count} models");
}

#[test]
fn refused_models_in_the_book_are_refused_as_shown() {
    let folder = place("book_faults");
    for (page, text) in pages() {
        let shown = blocks(&text, "yaml,refused");
        let messages: Vec<&str> = blocks(&text, "text").into_iter().filter(|b| b.starts_with("error[")).collect();
        for (block, message) in shown.iter().zip(&messages) {
            fs::write(folder.join("model.yaml"), block).unwrap();
            let (sound, said) = nullcline(&folder, &["check", "model.yaml"]);
            assert!(!sound && said.contains(message.trim_end()), "{page}:\n{block}\nshown:\n{message}\nsaid:\n{said}");
        }
        assert!(
            page.ends_with("diagnostics.md") || shown.len() <= messages.len(),
            "{page}: a fault without its message"
        );
    }
}
