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
pub mod model;
pub mod pass;
pub mod scheme;
pub mod source;
pub mod syntax;
pub mod template;

#[cfg(feature = "build")]
pub use embed::build;
