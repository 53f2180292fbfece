//! What every row of every table must say.

use std::collections::HashSet;

use nullcline::ENGINES;
use nullcline::compiler::ir::complex::PARTS;
use nullcline::compiler::ir::lower::functions::FUNCTIONS;
use nullcline::compiler::ir::prim::{Prim, table};
use nullcline::compiler::scheme::TABLE;

use super::files;

#[track_caller]
fn assert_documented<'a>(what: &str, rows: impl Iterator<Item = (&'a str, &'a str)>) {
    let mut names = HashSet::new();
    for (name, doc) in rows {
        assert!(!doc.is_empty(), "{what} `{name}` has no doc");
        assert!(!doc.ends_with('.'), "{what} `{name}`: its doc is a phrase, without a full stop: {doc}");
        assert!(names.insert(name), "{what} `{name}` is there twice");
    }
    assert!(!names.is_empty(), "no {what}");
}

#[test]
fn every_function_has_a_line_for_the_manual() {
    assert_documented("function", table().map(|p| (p.name, p.doc)));
    assert_documented("function of complex numbers", PARTS.iter().map(|r| (r.name, r.doc)));
    assert_documented("function of whole expressions", FUNCTIONS.iter().map(|f| (f.name, f.doc)));
}

#[test]
fn every_function_has_one_interval_per_argument_to_be_tested_in() {
    for Prim { name, arity, domain, .. } in table() {
        assert_eq!(*arity, domain.len(), "{name}");
    }
}

#[test]
fn every_scheme_has_a_line_for_the_manual_and_a_source_with_a_year() {
    assert_documented("scheme", TABLE.iter().map(|s| (s.name, s.doc)));
    for scheme in TABLE {
        assert!(has_year(scheme.citation), "scheme `{}`: {}", scheme.name, scheme.citation);
    }
}

#[test]
fn every_engine_has_a_line_for_the_manual() {
    assert_documented("engine", ENGINES.iter().map(|e| (e.name, e.doc)));
}

#[test]
fn every_check_says_what_it_forbids() {
    for file in files::ending_in(".rs") {
        if file.path.starts_with("compiler/language/src/model/check/") {
            let example = file.text.lines().any(|line| line.starts_with("//! Forbidden: `"));
            assert!(example, "{} gives no example of what it forbids", file.path);
        }
    }
}

/// Whether a text holds a year in parentheses.
pub fn has_year(text: &str) -> bool {
    let years = text.match_indices('(').map(|(at, _)| &text[at + 1..]);
    years.into_iter().any(|rest| {
        rest.len() > 4 && rest.as_bytes()[..4].iter().all(u8::is_ascii_digit) && rest[4..].starts_with([')', ',', ';'])
    })
}
