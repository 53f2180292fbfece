//! The direction of dependencies: rooms look down, never up.

use super::files::{self, File, code_lines};

/// The folders of the compiler: that of the language, which is a package of its own, and the rest.
const COMPILER: [&str; 2] = ["compiler/language/src/", "compiler/src/"];

/// The rooms of the compiler, lowest first. Rooms on one line do not see each other.
const ROOMS: &[&[&str]] = &[
    &["source"],
    &["diagnostic"],
    &["syntax"],
    &["template"],
    &["model"],
    &["ir"],
    &["ad", "scheme", "kernel"],
    &["pass"],
    &["backend"],
    &["embed"],
];

/// Files that belong to another room than their folder says. The constructors of diagnostics word the faults of a stage
/// and so name its types; they stand together for the sake of their wording, but nothing below their stage may use them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("diagnostic/syntax", "syntax"),
    ("diagnostic/template", "template"),
    ("diagnostic/model", "model"),
    ("diagnostic/lower", "ir"),
    ("diagnostic/target", "kernel"),
    ("diagnostic/settings", "template"),
    ("diagnostic/scheme", "scheme"),
];

/// The parts of the runtime, and what each may see of the others.
const RUNTIME: &[(&str, &[&str])] = &[
    ("random", &[]),
    ("flush", &[]),
    ("isa", &["flush"]),
    ("artifact", &["random"]),
    ("program", &["artifact"]),
    ("code", &["artifact", "program"]),
    ("device", &["artifact", "code", "engine", "flush", "program"]),
    ("engine", &["artifact", "flush", "isa", "program"]),
    ("observe", &["artifact"]),
    ("sim", &["artifact", "isa", "observe"]),
    ("io", &["observe"]),
    ("plot", &["io", "observe"]),
];

/// The room a path of modules or files (`diagnostic/model/x`) belongs to.
fn room(path: &str) -> &str {
    let below = |place: &str| path == place || path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'));
    let moved = ELSEWHERE.iter().find(|(place, _)| below(place));
    moved.map_or_else(|| path.split('/').next().unwrap_or(path), |(_, room)| *room)
}

fn floor(room: &str) -> Option<usize> {
    ROOMS.iter().position(|rooms| rooms.contains(&room))
}

/// `a::{b, c::{d, e}}` as `a/b`, `a/c/d`, `a/c/e`.
fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let name = tree.split(" as ").next().unwrap_or(tree).trim();
        paths.push(format!("{prefix}{name}").replace("::", "/"));
        return;
    };
    let inner = &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())];
    let prefix = format!("{prefix}{}", &tree[..open]);
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in inner.char_indices().chain([(inner.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inner[start..at].trim().is_empty() {
                    expand(&prefix, &inner[start..at], paths);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// What a file names of the crate `name`, as paths of modules.
fn named(file: &File, name: &str) -> Vec<String> {
    let code: String = code_lines(&file.text).map(|(_, line)| format!("{line}\n")).collect();
    let mut paths = Vec::new();
    for (at, found) in code.match_indices(&format!("{name}::")) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + found.len()..];
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let end = if code[..at].ends_with("use ") { rest.find(';') } else { rest.find(|c| !word(c)) };
        expand("", &rest[..end.unwrap_or(rest.len())], &mut paths);
    }
    paths
}

#[test]
fn rooms_of_the_compiler_look_down() {
    let mut wrong = Vec::new();
    for file in files::ending_in(".rs") {
        let Some(place) = COMPILER.iter().find_map(|folder| file.path.strip_prefix(folder)) else { continue };
        let place = place.trim_end_matches(".rs");
        if place == "lib" {
            continue;
        }
        let own = room(place);
        let own_floor = floor(own).unwrap_or_else(|| panic!("{}: no floor for room `{own}`", file.path));
        for path in named(&file, "crate") {
            let other = room(&path);
            let Some(other_floor) = floor(other) else { panic!("{}: `{path}` is in no room", file.path) };
            if other_floor > own_floor || (other_floor == own_floor && other != own) {
                wrong.push(format!("{} ({own}) uses `{path}` ({other})", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "lower rooms use higher ones:\n{}", wrong.join("\n"));
}

#[test]
fn the_runtime_knows_no_compiler() {
    for file in files::all() {
        if file.path.starts_with("runtime/") && (file.path.ends_with(".rs") || file.path.ends_with(".toml")) {
            for (krate, package) in
                [("nullcline_compiler", "nullcline-compiler"), ("nullcline_language", "nullcline-language")]
            {
                assert!(named(&file, krate).is_empty(), "{}", file.path);
                assert!(!file.text.contains(package), "{}", file.path);
            }
        }
    }
}

#[test]
fn the_compiler_sees_of_the_runtime_what_it_targets() {
    for file in files::ending_in(".rs") {
        if !COMPILER.iter().any(|folder| file.path.starts_with(folder)) {
            continue;
        }
        for path in named(&file, "nullcline_runtime") {
            let part = path.split('/').next().unwrap();
            assert!(
                ["artifact", "code", "program", "random"].contains(&part),
                "{} uses `{path}` of the runtime",
                file.path
            );
        }
    }
}

#[test]
fn parts_of_the_runtime_see_what_the_list_says() {
    for file in files::ending_in(".rs") {
        let Some(place) = file.path.strip_prefix("runtime/src/") else { continue };
        let own = place.trim_end_matches(".rs").split('/').next().unwrap();
        if own == "lib" {
            continue;
        }
        let row = RUNTIME.iter().find(|(part, _)| *part == own);
        let (_, seen) = row.unwrap_or_else(|| panic!("{}: `{own}` is not in the list", file.path));
        for path in named(&file, "crate") {
            let other = path.split('/').next().unwrap();
            assert!(other == own || seen.contains(&other), "{} uses `{path}`", file.path);
        }
    }
}

#[test]
fn the_command_line_sees_the_facade_only() {
    for file in files::ending_in(".rs") {
        if file.path.starts_with("src/cmd/") || file.path == "src/main.rs" {
            let around = ["nullcline_compiler", "nullcline_language", "nullcline_runtime"];
            assert!(around.iter().all(|name| named(&file, name).is_empty()), "{} goes around the facade", file.path);
        }
    }
}

#[test]
fn the_scan_reads_use_trees() {
    let text = "use crate::a::{b, c::{d as x, e}};\n// use crate::no;\nlet y = crate::f::g(1);\nuse mycrate::z;\n";
    let file = File { path: String::new(), text: text.to_string() };
    assert_eq!(named(&file, "crate"), ["a/b", "a/c/d", "a/c/e", "f/g"]);
    assert_eq!(room("diagnostic/model"), "model");
    assert_eq!(room("diagnostic/Diagnostics"), "diagnostic");
}
