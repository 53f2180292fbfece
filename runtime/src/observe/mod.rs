//! Recording: rows of values at sample times and spikes, kept in memory or streamed to a [`Sink`].

mod measure;
mod recording;
mod sink;
mod spectrum;
mod spikes;

#[cfg(feature = "plot")]
pub(crate) use measure::extent;
pub use measure::{frequency, mean, peak_to_peak, sustained_frequencies, sustained_frequency};
pub use recording::Recording;
#[cfg(feature = "io")]
pub(crate) use recording::groups_of;
pub use sink::{Sink, Tee};
pub use spectrum::{spectral_peak, spectral_peaks};
pub use spikes::Spikes;

/// What a column of a recording holds.
#[derive(Clone, PartialEq, Debug)]
pub struct Label {
    /// Full name, as in a table's header: `psp`, `x[node]`, `x[3]`, `z.re`.
    pub name: String,
    /// The name given by the user without element and part: `psp`, `x`, `z`. Columns that belong together share it.
    pub group: String,
    /// Unit, if the model states one.
    pub unit: Option<String>,
}

impl Label {
    /// The label of a column that is a group of its own and has no unit.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Label { group: name.clone(), name, unit: None }
    }

    /// The same label in another group.
    pub fn in_group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// The same label with a unit.
    pub fn with_unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }
}
