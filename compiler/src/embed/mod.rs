//! Embedding: from a template file to Rust source, for macros and build scripts.

#[cfg(feature = "build")]
pub mod build;
#[cfg(feature = "rust")]
mod helps;
#[cfg(feature = "rust")]
mod inputs;
#[cfg(feature = "rust")]
mod read;
pub mod settings;
#[cfg(feature = "rust")]
mod source;

#[cfg(feature = "rust")]
pub use helps::{Form, put_helps};
#[cfg(feature = "rust")]
pub use read::Reads;
#[cfg(feature = "rust")]
pub use source::{Embed, Embedding, describe, embed};
