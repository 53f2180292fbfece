//! What must not be there.

use super::files::{self, code_lines};

/// Longest file that needs no reason.
const LONGEST: usize = 500;

/// Longer Rust files, and why they are one file.
const LONG: &[(&str, &str)] = &[
    (
        "compiler/language/src/syntax/equation/check.rs",
        "one state machine over the tokens; its faults refer to each other's cases",
    ),
    ("compiler/language/src/diagnostic/template.rs", "one constructor per fault of one stage, a list without logic"),
    (
        "compiler/language/src/syntax/equation/grammar/rules.rs",
        "written by pest from the grammar, and held equal to it by a test",
    ),
];

/// Ways of touching the world, and the only files of the compiler and the runtime that may use them.
const WORLD: &[(&str, &[&str], &str)] = &[
    ("println!", &["compiler/src/embed/build.rs"], "libraries do not print"),
    ("eprintln!", &[], "libraries do not print"),
    ("dbg!", &[], "libraries do not print"),
    ("std::process::exit", &["compiler/src/embed/build.rs"], "libraries do not end the program"),
    ("std::process::Command", &[], "no model text and no pass runs a program"),
    ("std::net", &[], "nothing is fetched"),
    ("std::env::var", &["compiler/src/embed/build.rs", "macros/src/file.rs"], "settings are arguments"),
    (
        "std::fs",
        &["compiler/language/src/template/library.rs", "runtime/src/io/", "compiler/src/embed/build.rs"],
        "files are read through `Library` and written through `io`",
    ),
    (
        "std::time",
        &["runtime/src/sim/", "runtime/src/device/wgpu/"],
        "only the simulation loop looks at a clock, to report it, and a device, to know how much to submit at a time",
    ),
    (
        "unsafe ",
        &[
            "runtime/src/engine/",
            "runtime/src/device/cuda.rs",
            "runtime/src/device/cuda/",
            "runtime/src/flush.rs",
            "runtime/src/isa.rs",
            "compiler/src/backend/rust/dispatch.rs",
        ],
        "only engines need it: vector instructions chosen at run time (printed ones too), machine code, memory of buffers, and the driver of CUDA",
    ),
];

/// The part of a Rust file before its unit tests.
fn before_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod ").map_or(text, |at| &text[..at])
}

fn is_library(path: &str) -> bool {
    let library = ["compiler/language/src/", "compiler/src/", "runtime/src/", "macros/src/"]
        .iter()
        .any(|part| path.starts_with(part));
    library && path.ends_with(".rs") && !path.ends_with("tests.rs")
}

#[test]
fn libraries_touch_the_world_where_the_list_says() {
    let mut wrong = Vec::new();
    for file in files::all().into_iter().filter(|f| is_library(&f.path)) {
        for (line, code) in code_lines(before_tests(&file.text)) {
            for (what, allowed, reason) in WORLD {
                if code.contains(what) && !allowed.iter().any(|place| file.path.starts_with(place)) {
                    wrong.push(format!("{}:{line}: `{what}`: {reason}", file.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_says_why_it_is_sound() {
    let mut wrong = Vec::new();
    for file in files::ending_in(".rs").into_iter().filter(|f| f.path.starts_with("runtime/src/")) {
        let lines: Vec<&str> = file.text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            if code.starts_with("//") || !code.contains("unsafe {") && !code.starts_with("unsafe impl") {
                continue;
            }
            // One reason may stand above a few neighbouring lines, or at the end of the line itself.
            let near = &lines[index.saturating_sub(8)..=index];
            if !near.iter().any(|l| l.contains("SAFETY") || l.contains("# Safety")) {
                wrong.push(format!("{}:{}", file.path, index + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "`unsafe` without a `SAFETY:` comment:\n{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_to_do_in_silence() {
    // In two pieces, so that this file does not find itself.
    let unfinished = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!(")];
    for file in files::ending_in(".rs") {
        for (line, code) in code_lines(&file.text) {
            for what in unfinished {
                assert!(!code.contains(what), "{}:{line}: `{what}`", file.path);
            }
            assert!(
                code.trim() != concat!("#[ign", "ore]"),
                "{}:{line}: a test is ignored without a reason",
                file.path
            );
        }
    }
}

#[test]
fn files_are_short_or_say_why_not() {
    for file in files::ending_in(".rs") {
        let lines = file.text.lines().count();
        let listed = LONG.iter().find(|(path, _)| *path == file.path);
        match listed {
            None => assert!(lines <= LONGEST, "{} has {lines} lines", file.path),
            Some(_) => assert!(lines > LONGEST, "{} has {lines} lines: no longer a long file", file.path),
        }
    }
    for (path, reason) in LONG {
        assert!(files::root().join(path).is_file() && !reason.is_empty(), "{path}");
    }
}

#[test]
fn names_say_what_is_inside() {
    for file in files::all() {
        let names = file.path.trim_end_matches(".rs").split('/').map(str::to_lowercase);
        for name in names {
            let empty = ["utils", "util", "helpers", "helper", "misc", "common"];
            assert!(!empty.contains(&name.as_str()), "{}: `{name}` says nothing", file.path);
        }
    }
}

#[test]
fn no_path_of_a_machine() {
    let places = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("C:\\", "Users")];
    for file in files::all() {
        for place in places {
            let found = file.text.lines().position(|line| line.contains(place));
            assert!(found.is_none(), "{}:{}: `{place}`", file.path, found.unwrap_or(0) + 1);
        }
    }
}
