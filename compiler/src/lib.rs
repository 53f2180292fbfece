//! The nullcline compiler: neural-model templates to specialised simulation code.
//!
//! Data flow, each arrow a function of its input alone:
//! text -> [`syntax`] -> [`template`] -> [`model`] -> [`ir`] -> [`pass`] -> [`kernel`] -> backend.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod backend;
pub mod diagnostic;
pub mod embed;
pub mod ir;
pub mod kernel;
pub mod pass;
pub mod scheme;

pub use nullcline_language::{model, source, syntax, template};

#[cfg(feature = "build")]
pub use embed::build;
