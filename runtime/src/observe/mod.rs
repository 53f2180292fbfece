//! Recording: rows of values at sample times, kept in memory or streamed to a [`Sink`].

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

/// Receives rows as they are computed.
pub trait Sink {
    /// Takes the row at `time`, one value per label. An error stops the simulation after this row.
    fn row(&mut self, time: f64, values: &[f64]) -> std::io::Result<()>;
}

/// A recording in memory.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Recording {
    /// One label per column.
    pub labels: Vec<Label>,
    /// Time of each row.
    pub times: Vec<f64>,
    /// Values column by column; each as long as `times`.
    pub columns: Vec<Vec<f64>>,
}
