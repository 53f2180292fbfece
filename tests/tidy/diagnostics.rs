//! Every fault has an example: a malformed document, or a test that names its code.

use std::collections::BTreeSet;

use super::files::{self, code_lines};

/// Faults that no test provokes, and why. The list may only become shorter.
const WITHOUT: &[(&str, &str)] = &[
    ("argument-count", LAST_RESORT),
    ("called-variable", LAST_RESORT),
    ("expression-too-large", HUGE),
    ("file-too-large", HUGE),
    ("matrix-product", HUGE),
    ("nested-too-deep", HUGE),
    ("not-a-value", BY_MESSAGE),
    ("not-real", LIBRARY),
    ("not-settable", LIBRARY),
    ("not-streamed", LIBRARY),
    ("not-writable", LIBRARY),
    ("operators-of-one-name", LIBRARY),
    ("target-function", LAST_RESORT),
    ("target-precision", LAST_RESORT),
    ("too-large", HUGE),
    ("too-many-ancestors", HUGE),
    ("too-many-edges", HUGE),
    ("too-many-files", HUGE),
    ("too-many-nodes", HUGE),
    ("unreadable-equation", LAST_RESORT),
    ("unreadable-yaml", LAST_RESORT),
    ("unused-override", LIBRARY),
    ("written-twice", LIBRARY),
];

const BY_MESSAGE: &str = "tests/cli.rs and tests/suite know it by its message";
const HUGE: &str = "needs a document beyond a limit of memory or depth";
const LAST_RESORT: &str = "what is left when no better message applies; nothing known leads there";
const LIBRARY: &str = "of the library alone; tests/session.rs asks for refusal, not for the code";

/// Codes given to diagnostics in the sources.
fn codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for file in files::ending_in(".rs") {
        if !(["compiler/language/src/", "compiler/src/"].iter().any(|part| file.path.starts_with(part))
            || file.path.starts_with("src/"))
            || file.path.contains("tests")
        {
            continue;
        }
        let code: String = code_lines(&file.text).map(|(_, line)| format!("{line}\n")).collect();
        for constructor in ["Diagnostic::error(", "Diagnostic::warning("] {
            for (at, _) in code.match_indices(constructor) {
                let rest = code[at + constructor.len()..].trim_start();
                codes.extend(rest.strip_prefix('"').and_then(|rest| rest.split('"').next()).map(str::to_string));
            }
        }
    }
    codes.remove("code"); // the documentation's word for it
    codes
}

#[test]
fn every_fault_has_an_example() {
    let tests: String = files::all()
        .into_iter()
        .filter(|f| {
            f.path.starts_with("tests/") || f.path.starts_with("compiler/tests/") || f.path.ends_with("tests.rs")
        })
        .filter(|f| f.path != "tests/tidy/diagnostics.rs")
        .map(|f| f.text)
        .collect();
    let codes = codes();
    assert!(codes.len() > 100, "{} codes", codes.len());
    let without: BTreeSet<&str> = codes
        .iter()
        .map(String::as_str)
        .filter(|code| !tests.contains(&format!("[{code}]")) && !tests.contains(&format!("\"{code}\"")))
        .collect();
    let listed: BTreeSet<&str> = WITHOUT.iter().map(|(code, _)| *code).collect();
    let missing: Vec<&&str> = without.difference(&listed).collect();
    let spare: Vec<&&str> = listed.difference(&without).collect();
    assert!(missing.is_empty(), "no document of compiler/tests/malformed provokes {missing:?}");
    assert!(spare.is_empty(), "no longer without an example: {spare:?}");
    assert!(WITHOUT.iter().all(|(_, reason)| reason.len() > 10));
}
