//! The nullcline runtime: what compiled models need to run, be recorded and be looked at.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod artifact;
pub mod code;
#[cfg(feature = "engines")]
pub mod device;
#[cfg(feature = "engines")]
pub mod engine;
pub mod flush;
#[cfg(feature = "io")]
pub mod io;
pub mod isa;
pub mod observe;
#[cfg(feature = "plot")]
pub mod plot;
pub mod program;
pub mod random;
pub mod sim;
