//! Embedding: from a template file to Rust source, for macros and build scripts.

pub mod settings;
