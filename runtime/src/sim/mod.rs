//! Simulation: drives a loaded model through time and hands rows to a sink.

mod clock;
mod simulation;

pub use clock::Clock;
pub use simulation::{Column, Interrupt, PreHistory, RunError, Schedule, Simulation, Summary};
