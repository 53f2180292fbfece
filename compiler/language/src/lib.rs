//! The language of neural-model templates: from text to a circuit whose paths are resolved and whose values are filled in.
//!
//! Data flow, each arrow a function of its input alone: text -> [`syntax`] -> [`template`] -> [`model`]. Whatever is wrong
//! becomes a [`diagnostic`] with a place in a [`source`].
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod diagnostic;
pub mod model;
pub mod source;
pub mod syntax;
pub mod template;
