//! Generated Rust: its numbers, its lints, what it does without the standard library, and the program that writes it.
#![allow(clippy::unwrap_used)]

#[path = "../support/models.rs"]
mod shipped;

mod builder;
mod crates;
mod equality;
mod lints;
mod program;
mod rerun;
mod soft;
