//! Measures of what was recorded, in bounded memory.

use std::io;

use nullcline::runtime::observe::{Label, Recording, Sink, Spikes, sustained_frequency};

/// Most numbers that are kept to find frequencies; of a longer run the last ones.
const MOST_KEPT: usize = 1 << 22;

/// Lowest, mean and highest value of the first columns while rows come in, and the last rows of these.
pub struct Measures {
    /// Number of rows.
    pub rows: u64,
    /// Number of all columns.
    columns: usize,
    lowest: Vec<f64>,
    highest: Vec<f64>,
    sums: Vec<f64>,
    counts: Vec<u64>,
    last: Recording,
    events: Vec<Counted>,
}

/// The spikes of a recorded event.
pub struct Counted {
    /// The event.
    pub label: Label,
    /// Number of units that could have it.
    pub units: usize,
    /// Number of spikes.
    pub count: u64,
}

/// Measures of one column; none of them counts values that are not finite.
pub struct Measured<'a> {
    /// The column.
    pub label: &'a Label,
    /// Lowest value.
    pub lowest: Option<f64>,
    /// Mean value.
    pub mean: Option<f64>,
    /// Highest value.
    pub highest: Option<f64>,
    /// Frequency in the second half of the rows, if there is an oscillation that does not die out.
    pub frequency: Option<f64>,
}

impl Measures {
    /// No rows yet; only the first `most` columns will be measured, as no more are shown.
    pub fn new(labels: &[Label], events: &[Spikes], most: usize) -> Measures {
        let measured = labels.len().min(most);
        let events = events.iter().map(|e| Counted { label: e.label.clone(), units: e.units, count: 0 });
        Measures {
            rows: 0,
            columns: labels.len(),
            lowest: vec![f64::INFINITY; measured],
            highest: vec![f64::NEG_INFINITY; measured],
            sums: vec![0.0; measured],
            counts: vec![0; measured],
            last: Recording::new(labels[..measured].to_vec()),
            events: events.collect(),
        }
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The recorded events with the number of their spikes.
    pub fn events(&self) -> &[Counted] {
        &self.events
    }

    /// The measures of the columns that are measured.
    pub fn measured(&self) -> impl Iterator<Item = Measured<'_>> {
        let half = self.last.times.len() / 2;
        self.last.labels.iter().enumerate().map(move |(k, label)| {
            let known = self.counts[k] > 0;
            Measured {
                label,
                lowest: known.then_some(self.lowest[k]),
                mean: known.then(|| self.sums[k] / self.counts[k] as f64),
                highest: known.then_some(self.highest[k]),
                frequency: sustained_frequency(&self.last.times[half..], &self.last.columns[k][half..]),
            }
        })
    }

    /// Takes the values of a row that are measured.
    fn take(&mut self, values: &[f64]) {
        let extremes = self.lowest.iter_mut().zip(&mut self.highest);
        let totals = self.sums.iter_mut().zip(&mut self.counts);
        for ((value, (lowest, highest)), (sum, count)) in values.iter().zip(extremes).zip(totals) {
            let finite = value.is_finite();
            *lowest = if finite && *value < *lowest { *value } else { *lowest };
            *highest = if finite && *value > *highest { *value } else { *highest };
            *sum += if finite { *value } else { 0.0 };
            *count += u64::from(finite);
        }
    }

    /// Keeps memory bounded: forgets the older half of the rows.
    fn forget(&mut self) {
        let half = self.last.times.len().div_ceil(2);
        self.last.times.drain(..half);
        self.last.columns.iter_mut().for_each(|column| drop(column.drain(..half)));
    }
}

impl Sink for Measures {
    fn spike(&mut self, event: usize, _time: f64, _unit: u32) -> io::Result<()> {
        self.events[event].count += 1;
        Ok(())
    }

    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        self.rows(&[time], values)
    }

    fn rows(&mut self, times: &[f64], values: &[f64]) -> io::Result<()> {
        self.rows += times.len() as u64;
        let measured = self.sums.len();
        if measured == 0 {
            return Ok(());
        }
        for row in values.chunks_exact(self.columns) {
            self.take(&row[..measured]);
        }
        if (self.last.times.len() + times.len()) * (measured + 1) > MOST_KEPT {
            self.forget();
        }
        if measured == self.columns {
            return self.last.rows(times, values);
        }
        let shown: Vec<f64> =
            values.chunks_exact(self.columns).flat_map(|row| row[..measured].iter().copied()).collect();
        self.last.rows(times, &shown)
    }
}

#[cfg(test)]
mod tests {
    use nullcline::runtime::observe::frequency;

    use super::*;

    fn measured(wave: impl Fn(f64) -> f64, rows: usize) -> Measures {
        let mut measures = Measures::new(&[Label::new("x")], &[], 1);
        for k in 0..rows {
            let t = k as f64 * 1e-2;
            measures.row(t, &[wave(t)]).unwrap();
        }
        measures
    }

    #[test]
    fn an_oscillation_has_a_frequency_and_a_decay_has_none() {
        let wave = |t: f64| (std::f64::consts::TAU * 3.0 * t).sin();
        let frequency = |m: &Measures| m.measured().next().and_then(|c| c.frequency);
        assert!((frequency(&measured(wave, 2000)).unwrap() - 3.0).abs() < 1e-3);
        assert_eq!(frequency(&measured(|t| (-t).exp() * wave(t), 2000)), None);
        assert_eq!(frequency(&measured(|_| 1.0, 2000)), None);
    }

    #[test]
    fn a_ripple_that_crosses_the_mean_counts_no_period() {
        // One high and one low hump per second, the low one just above the mean.
        let wave = |t: f64| {
            let phase = std::f64::consts::TAU * t;
            phase.cos() + 1.1 * (2.0 * phase).cos()
        };
        let measures = measured(wave, 2000);
        let by_mean = frequency(&measures.last.times, &measures.last.columns[0]);
        assert!((by_mean.unwrap() - 2.0).abs() < 0.05, "{by_mean:?}");
        let full = measures.measured().next().and_then(|c| c.frequency);
        assert!((full.unwrap() - 1.0).abs() < 1e-3, "{full:?}");
    }

    #[test]
    fn columns_that_are_not_shown_are_counted_only() {
        let labels = ["x", "y", "z"].map(Label::new);
        let mut measures = Measures::new(&labels, &[], 2);
        measures.rows(&[0.0, 1.0], &[1.0, 2.0, 3.0, 3.0, f64::NAN, 5.0]).unwrap();
        measures.row(2.0, &[5.0, 6.0, 7.0]).unwrap();
        assert_eq!((measures.rows, measures.columns()), (3, 3));
        let found: Vec<_> = measures.measured().map(|m| (m.lowest, m.mean, m.highest)).collect();
        assert_eq!(found, [(Some(1.0), Some(3.0), Some(5.0)), (Some(2.0), Some(4.0), Some(6.0))]);
    }

    #[test]
    fn a_long_run_is_measured_in_bounded_memory() {
        let measures = measured(|t| t, MOST_KEPT);
        let column = measures.measured().next().unwrap();
        assert_eq!(column.lowest, Some(0.0));
        assert_eq!(measures.rows, MOST_KEPT as u64);
        assert!(measures.last.times.len() <= MOST_KEPT / 2);
    }
}
