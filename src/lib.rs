//! nullcline: neural-model templates in, simulations out.
//!
//! [`Model`] reads a template, [`Model::simulation`] compiles it and loads it on an engine, [`Simulation`] runs it.

mod batch;
mod cost;
mod device;
#[cfg(feature = "cli")]
mod embed;
mod engine;
mod error;
mod input;
mod lowered;
mod manifest;
mod model;
mod oracle;
mod ptx;
mod session;
mod shader;

pub use batch::Batch;
pub use cost::{Choice, Estimate};
pub use device::{Auto, DeviceInfo, KINDS, Kind, Listed, Place};
#[cfg(feature = "cli")]
pub use embed::{EmbedOptions, Embedded};
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

#[doc(hidden)]
pub use nullcline_macros as macros;

/// Embeds a model as a module with the struct `Model`: see `nullcline_macros::model`.
///
/// ```
/// nullcline::model!(decay {
///     d/dt x = -x/tau;
///     x: output(1.0);
///     tau: 2.0;
/// }, dt = 1e-3, scheme = rk4);
///
/// let mut model = decay::Model::default();
/// model.parameters_mut().tau = 1.0;
/// model.run(1000);
/// assert!((model.outputs().x - (-1.0f64).exp()).abs() < 1e-9);
/// ```
#[macro_export]
macro_rules! model {
    ($($tokens:tt)*) => {
        $crate::macros::model_at! { [$crate::runtime] $($tokens)* }
    };
}

/// The examples of the documents, run as tests.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/src/rust.md")]
    struct Book;
}
