//! What the compiler cannot check about the repository: who may depend on whom, what must be absent, what every row and
//! every template must say, and that the documents speak of things that exist.
#![allow(clippy::unwrap_used)]

mod absent;
mod diagnostics;
mod documents;
mod files;
mod layers;
mod rows;
mod templates;
