//! Backends: a printer and a target description for each form of output. A printer decides nothing; every choice has been
//! made by the passes.

pub mod manifest;
pub mod notes;
#[cfg(feature = "engines")]
pub mod program;
#[cfg(feature = "ptx")]
pub mod ptx;
#[cfg(feature = "rust")]
pub mod rust;
#[cfg(feature = "naga")]
pub mod shader;
#[cfg(feature = "wgsl")]
pub mod wgsl;
