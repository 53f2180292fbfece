//! nullcline: neural-model templates in, simulations out.
//!
//! [`Model`] reads a template, [`Model::simulation`] compiles it and loads it on an engine, [`Simulation`] runs it.

mod batch;
mod device;
mod engine;
mod error;
mod input;
mod lowered;
mod model;
mod oracle;
mod ptx;
mod record;
mod session;
mod shader;

pub use batch::Batch;
pub use device::{DeviceInfo, KINDS, Kind, Place};
pub use engine::{ENGINES, Engine};
pub use error::Error;
pub use model::{Compiled, Model, Prepared};
#[cfg(feature = "ndarray")]
pub use ndarray;
pub use nullcline_compiler as compiler;
pub use nullcline_compiler::template::builder::{CircuitBuilder, EdgeBuilder, Link, NodeBuilder, OperatorBuilder};
pub use nullcline_compiler::template::connectivity::Connectivity;
pub use nullcline_compiler::template::distribution::{Distribution, Law};
pub use nullcline_compiler::template::{Complex, Literal};
pub use nullcline_runtime as runtime;
pub use nullcline_runtime::sim::{Interrupt, PreHistory, Schedule, Simulation, State, Summary};
pub use ptx::PtxOptions;
pub use session::Session;
pub use shader::SHADERS;

/// The examples of the documents, run as tests.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/src/rust.md")]
    struct Book;
}
