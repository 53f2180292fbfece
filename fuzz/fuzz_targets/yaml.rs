//! Any text as a YAML document: read, then printed or reported.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nullcline_compiler::diagnostic::render;
use nullcline_compiler::source::SourceMap;
use nullcline_compiler::syntax::{print, yaml};

fuzz_target!(|text: &str| {
    let mut sources = SourceMap::new();
    let file = sources.add("fuzz.yaml", text);
    match yaml::parse(&sources, file) {
        Ok(root) => drop(print::document(&root)),
        Err(faults) => drop(render(&faults, &sources, false)),
    }
});
