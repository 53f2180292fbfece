//! What becomes of the columns of each member: numbers, computed while rows come in.

use std::io;

use clap::ValueEnum;
use nullcline::runtime::artifact::Totals;
use nullcline::runtime::observe::{Sink, spectral_peak, sustained_frequency};

/// A number made of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Reduction {
    /// Mean of the rows
    Mean,
    /// Highest value
    Max,
    /// Lowest value
    Min,
    /// Value after the last step
    Final,
    /// Frequency in the second half of the rows, as `run` prints it; nan without an oscillation
    Frequency,
    /// Highest minus lowest value
    PeakToPeak,
    /// Frequency where the power spectrum is highest
    SpectralPeak,
}

impl Reduction {
    /// Its name on the command line and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Reduction::Mean => "mean",
            Reduction::Max => "max",
            Reduction::Min => "min",
            Reduction::Final => "final",
            Reduction::Frequency => "frequency",
            Reduction::PeakToPeak => "peak-to-peak",
            Reduction::SpectralPeak => "spectral-peak",
        }
    }

    /// Whether rows are needed, not only the state after the last step.
    pub fn needs_rows(self) -> bool {
        self != Reduction::Final
    }

    /// Whether all rows of a member must be kept until its end.
    pub fn needs_trace(self) -> bool {
        matches!(self, Reduction::Frequency | Reduction::SpectralPeak)
    }
}

/// The columns of some members while they run.
pub struct Reducer {
    /// Sums and extremes.
    pub totals: Totals,
    /// Times and, row by row, values, if anything needs them.
    trace: Option<(Vec<f64>, Vec<f64>)>,
}

impl Reducer {
    /// For so many columns.
    pub fn new(columns: usize, keep: bool) -> Reducer {
        Reducer { totals: Totals::new(columns), trace: keep.then(Default::default) }
    }

    /// Whether a column was finite throughout.
    pub fn is_finite(&self, column: usize) -> bool {
        self.totals.is_finite(column)
    }

    /// One column's numbers; `last` is its value after the last step.
    pub fn reduce(&self, column: usize, last: f64, reductions: &[Reduction], out: &mut Vec<f64>) {
        let trace = self.column(column);
        let (times, totals) = (self.times(), &self.totals);
        let half = times.len() / 2;
        out.extend(reductions.iter().map(|reduction| match reduction {
            Reduction::Mean => totals.mean(column),
            Reduction::Max => totals.highest[column],
            Reduction::Min => totals.lowest[column],
            Reduction::Final => last,
            Reduction::PeakToPeak => totals.highest[column] - totals.lowest[column],
            Reduction::Frequency => sustained_frequency(&times[half..], &trace[half..]).unwrap_or(f64::NAN),
            Reduction::SpectralPeak => match times {
                [first, .., end] => {
                    let interval = (end - first) / (times.len() - 1) as f64;
                    spectral_peak(interval, &trace).unwrap_or(f64::NAN)
                }
                _ => f64::NAN,
            },
        }));
    }

    /// Times of the rows kept.
    pub fn times(&self) -> &[f64] {
        self.trace.as_ref().map_or(&[], |t| &t.0)
    }

    /// The kept rows of a column.
    pub fn column(&self, column: usize) -> Vec<f64> {
        let values = self.trace.as_ref().map_or(&[][..], |t| &t.1);
        values.iter().skip(column).step_by(self.totals.sums.len().max(1)).copied().collect()
    }
}

impl Sink for Reducer {
    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        self.totals.add(values);
        if let Some((times, trace)) = &mut self.trace {
            times.push(time);
            trace.extend_from_slice(values);
        }
        Ok(())
    }
}
