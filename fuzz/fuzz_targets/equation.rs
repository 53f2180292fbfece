//! Any text as an equation: read, then printed and read again, or reported.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nullcline_compiler::diagnostic::render;
use nullcline_compiler::source::{SourceMap, Span};
use nullcline_compiler::syntax::text::MappedText;
use nullcline_compiler::syntax::{equation, print};

fuzz_target!(|text: &str| {
    let mut sources = SourceMap::new();
    let file = sources.add("--set", text);
    let mapped = MappedText::at(text, Span::new(file, 0, text.len()));
    equation::tokens(&mapped);
    match equation::parse_equation(&mapped) {
        Ok(read) => {
            let printed = print::equation(&read);
            let again = MappedText::at(printed.as_str(), Span::NOWHERE);
            assert!(equation::parse_equation(&again).is_ok(), "{printed}");
        }
        Err(faults) => drop(render(&faults, &sources, false)),
    }
});
