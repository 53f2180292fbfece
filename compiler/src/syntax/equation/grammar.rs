//! The parser that pest derives from `equation.pest`.
#![allow(missing_docs, reason = "the derive makes undocumented public rules")]

/// See `equation.pest`.
#[derive(pest_derive::Parser)]
#[grammar = "syntax/equation.pest"]
pub struct EquationGrammar;
