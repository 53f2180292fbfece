//! Simulation: drives a loaded model through time and hands rows to a sink.

mod clock;
mod finite;
mod reduce;
mod run;
mod simulation;
mod state;

pub use clock::Clock;
pub use simulation::{Column, Interrupt, PreHistory, RunError, Schedule, Simulation, Summary};
pub use state::{Part, State};
