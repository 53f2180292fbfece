//! Procedural macros of nullcline.
//!
//! The crate is the place of `model!`, the macro that will embed a model as typed Rust code; it defines no macro yet.
