//! What becomes of the columns of each member: numbers, computed while rows come in.

use std::io;

use clap::ValueEnum;
use nullcline::runtime::artifact::{DeviceError, KeptRows, Totals};
use nullcline::runtime::observe::{Sink, spectral_peak, spectral_peaks, sustained_frequencies, sustained_frequency};

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
    /// Frequencies and spectral peaks, if the device found them.
    measured: Option<[Vec<Option<f64>>; 2]>,
}

impl Reducer {
    /// For so many columns.
    pub fn new(columns: usize, keep: bool) -> Reducer {
        Reducer { totals: Totals::new(columns), trace: keep.then(Default::default), measured: None }
    }

    /// What the reductions ask of rows that a device keeps.
    pub fn of_kept(kept: &mut dyn KeptRows, times: &[f64], reductions: &[Reduction]) -> Result<Reducer, DeviceError> {
        let asked = |reduction| reductions.contains(&reduction);
        let (rows, half) = (times.len(), times.len() / 2);
        let frequencies = match asked(Reduction::Frequency) {
            true => sustained_frequencies(kept, half..rows, &times[half..])?,
            false => Vec::new(),
        };
        let peaks = match interval(times) {
            Some(interval) if asked(Reduction::SpectralPeak) => spectral_peaks(kept, interval)?,
            _ => Vec::new(),
        };
        Ok(Reducer { totals: kept.totals(0..rows)?, trace: None, measured: Some([frequencies, peaks]) })
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
        let found = |which: usize, of_trace: &dyn Fn() -> Option<f64>| match &self.measured {
            Some(measured) => measured[which].get(column).copied().flatten(),
            None => of_trace(),
        };
        out.extend(reductions.iter().map(|reduction| match reduction {
            Reduction::Mean => totals.mean(column),
            Reduction::Max => totals.highest[column],
            Reduction::Min => totals.lowest[column],
            Reduction::Final => last,
            Reduction::PeakToPeak => totals.highest[column] - totals.lowest[column],
            Reduction::Frequency => {
                found(0, &|| sustained_frequency(&times[half..], &trace[half..])).unwrap_or(f64::NAN)
            }
            Reduction::SpectralPeak => {
                found(1, &|| interval(times).and_then(|i| spectral_peak(i, &trace))).unwrap_or(f64::NAN)
            }
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

/// From one row to the next, on average; none where there is one row at most.
fn interval(times: &[f64]) -> Option<f64> {
    match times {
        [first, .., end] => Some((end - first) / (times.len() - 1) as f64),
        _ => None,
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
