//! Faults of the syntax stage.

mod equation;
mod yaml;

pub use equation::*;
pub use yaml::*;
