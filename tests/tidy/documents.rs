//! The documents speak of things that exist.

use super::files::{self, File, read, root};

/// The commands that README promises, as `.ci/run` runs them.
const TESTS: &str = "cargo test --workspace";
const MAIN_JOB: &str = "cargo run --release -- run templates/jansen_rit.yaml --plot jansen_rit.svg";

fn documents() -> Vec<File> {
    files::ending_in(".md").into_iter().filter(|f| !f.path.starts_with("tests/golden/")).collect()
}

/// Pieces of a Markdown text between single backticks, outside blocks.
fn quoted(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut pieces = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            pieces.extend(line.split('`').skip(1).step_by(2).map(str::to_string));
        }
    }
    pieces
}

#[test]
fn the_tests_of_readme_are_those_that_ci_runs() {
    let readme = read("README.md");
    assert!(readme.lines().any(|line| line == TESTS), "README.md does not give `{TESTS}`");
    assert!(readme.lines().any(|line| line == MAIN_JOB), "README.md does not give `{MAIN_JOB}`");
    let ci = read(".ci/run");
    let step = |command: &str| ci.lines().any(|line| line.trim_start().strip_prefix("step ") == Some(command));
    assert!(step(TESTS), ".ci/run does not run `{TESTS}`");
    assert!(step("cargo fmt --all --check"));
    assert!(step("cargo clippy --workspace --all-targets -- -D warnings"));
    assert!(step("cargo build --no-default-features"));
}

#[test]
fn files_named_in_readme_and_architecture_exist() {
    for document in ["README.md", "ARCHITECTURE.md"] {
        for piece in quoted(&read(document)) {
            let folders =
                ["src/", "compiler/", "runtime/", "macros/", "templates/", "tests/", "docs/", ".ci/", "fuzz/"];
            if folders.iter().any(|folder| piece.starts_with(folder)) && !piece.contains(['*', '<', ' ', '{']) {
                assert!(root().join(&piece).exists(), "{document}: there is no `{piece}`");
            }
        }
    }
}

#[test]
fn the_map_of_rooms_names_every_room() {
    let map = read("ARCHITECTURE.md");
    for part in ["compiler", "runtime"] {
        for line in read(&format!("{part}/src/lib.rs")).lines() {
            if let Some(room) = line.strip_prefix("pub mod ").and_then(|l| l.strip_suffix(';')) {
                assert!(
                    map.contains(&format!("`{part}/src/{room}")),
                    "ARCHITECTURE.md does not name {part}'s `{room}`"
                );
            }
        }
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    for file in documents() {
        let folder = root().join(&file.path).parent().unwrap().to_path_buf();
        for (at, _) in file.text.match_indices("](") {
            let target = file.text[at + 2..].split(')').next().unwrap();
            let target = target.split('#').next().unwrap();
            if !target.is_empty() && !target.contains("://") {
                assert!(folder.join(target).exists(), "{}: no `{target}`", file.path);
            }
        }
    }
}

#[test]
fn every_page_of_the_book_is_in_its_table_of_contents() {
    let contents = read("docs/src/SUMMARY.md");
    for file in documents() {
        if let Some(page) = file.path.strip_prefix("docs/src/")
            && page != "SUMMARY.md"
        {
            assert!(contents.contains(&format!("({page})")), "docs/src/SUMMARY.md does not list {page}");
        }
    }
}

#[test]
fn manifests_and_licence_files_agree() {
    assert!(read("Cargo.toml").contains("license = \"MIT OR Apache-2.0\""));
    assert!(read("LICENSE-MIT").starts_with("MIT License"));
    assert!(read("LICENSE-APACHE").contains("Apache License"));
    assert!(read("README.md").contains("MIT OR Apache-2.0"));
}
