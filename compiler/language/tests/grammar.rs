//! The parser of equations is what pest makes of their grammar.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use quote::quote;

/// What pest's generator makes of the grammar.
fn parser() -> String {
    let grammar = include_str!("../src/syntax/equation.pest");
    let tokens = pest_generator::derive_parser(
        quote! {
            #[grammar_inline = #grammar]
            /// See `equation.pest`.
            pub struct EquationGrammar;
        },
        false,
    );
    let file = syn::parse2(quote! {
        /// See `equation.pest`.
        pub struct EquationGrammar;
        #tokens
    });
    format!(
        "// Written by a test from `equation.pest`: NULLCLINE_BLESS=1 cargo test -p nullcline-language --test grammar\n\n{}",
        prettyplease::unparse(&file.unwrap())
    )
}

#[test]
fn the_parser_is_that_of_the_grammar() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/syntax/equation/grammar/rules.rs");
    let expected = parser();
    if std::env::var_os("NULLCLINE_BLESS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(found == expected, "{} is not what the grammar says", path.display());
}
