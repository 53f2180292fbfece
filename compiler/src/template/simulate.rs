//! The `simulate:` section: settings that turn a model file into a whole experiment.

use crate::source::Name;
use crate::syntax::text::MappedText;
use crate::template::Literal;

/// Settings of a simulation as written in a file or on the command line; `None` means not given.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Simulate {
    /// The template to run when the file defines several circuits.
    pub template: Option<Name>,
    /// Simulated time, in time units of the model.
    pub duration: Option<f64>,
    /// Step size.
    pub dt: Option<f64>,
    /// Integration scheme by name.
    pub scheme: Option<Name>,
    /// Time between recorded rows; a multiple of `dt`.
    pub sample_every: Option<f64>,
    /// Rows before this time are dropped.
    pub cutoff: Option<f64>,
    /// Whether the state at t = duration is a row too.
    pub include_end: Option<bool>,
    /// `f32` or `f64`.
    pub precision: Option<Name>,
    /// Seed of all random numbers.
    pub seed: Option<u64>,
    /// Values of variables: (path, value).
    pub set: Vec<(Name, Literal)>,
    /// Extrinsic inputs: (path, specification), see [`crate::model`].
    pub inputs: Vec<(Name, MappedText)>,
    /// Recorded variables: (column name, path).
    pub record: Vec<(Name, Name)>,
}
