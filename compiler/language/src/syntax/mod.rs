//! Text to abstract syntax: YAML documents with positions, and the equation language inside them.
//!
//! Nothing here knows what a template is or which names exist. Parsing goes on after a fault so that one run reports
//! all of them, and never touches a file.

pub mod ast;
pub mod equation;
pub mod print;
pub mod text;
pub mod yaml;
