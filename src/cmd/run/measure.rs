//! Measures of what was recorded, in bounded memory.

use std::io;

use nullcline::runtime::observe::{Label, Recording, Sink, Spikes, sustained_frequency};

/// Most numbers that are kept to find frequencies; of a longer run the last ones.
const MOST_KEPT: usize = 1 << 22;

/// Lowest, mean and highest value of every column while rows come in, and the last rows.
pub struct Measures {
    /// Number of rows.
    pub rows: u64,
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
    /// No rows yet.
    pub fn new(labels: &[Label], events: &[Spikes]) -> Measures {
        let columns = labels.len();
        let events = events.iter().map(|e| Counted { label: e.label.clone(), units: e.units, count: 0 });
        Measures {
            rows: 0,
            lowest: vec![f64::INFINITY; columns],
            highest: vec![f64::NEG_INFINITY; columns],
            sums: vec![0.0; columns],
            counts: vec![0; columns],
            last: Recording::new(labels.to_vec()),
            events: events.collect(),
        }
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.sums.len()
    }

    /// The recorded events with the number of their spikes.
    pub fn events(&self) -> &[Counted] {
        &self.events
    }

    /// The measures of the first `most` columns.
    pub fn columns_up_to(&self, most: usize) -> impl Iterator<Item = Measured<'_>> {
        let half = self.last.times.len() / 2;
        self.last.labels.iter().enumerate().take(most).map(move |(k, label)| {
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
        self.rows += 1;
        for (k, &value) in values.iter().enumerate().filter(|(_, v)| v.is_finite()) {
            self.lowest[k] = self.lowest[k].min(value);
            self.highest[k] = self.highest[k].max(value);
            self.sums[k] += value;
            self.counts[k] += 1;
        }
        if (self.last.times.len() + 1) * (values.len() + 1) > MOST_KEPT {
            self.forget();
        }
        self.last.row(time, values)
    }
}

#[cfg(test)]
mod tests {
    use nullcline::runtime::observe::frequency;

    use super::*;

    fn measured(wave: impl Fn(f64) -> f64, rows: usize) -> Measures {
        let mut measures = Measures::new(&[Label::new("x")], &[]);
        for k in 0..rows {
            let t = k as f64 * 1e-2;
            measures.row(t, &[wave(t)]).unwrap();
        }
        measures
    }

    #[test]
    fn an_oscillation_has_a_frequency_and_a_decay_has_none() {
        let wave = |t: f64| (std::f64::consts::TAU * 3.0 * t).sin();
        let frequency = |m: &Measures| m.columns_up_to(1).next().and_then(|c| c.frequency);
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
        let full = measures.columns_up_to(1).next().and_then(|c| c.frequency);
        assert!((full.unwrap() - 1.0).abs() < 1e-3, "{full:?}");
    }

    #[test]
    fn a_long_run_is_measured_in_bounded_memory() {
        let measures = measured(|t| t, MOST_KEPT);
        let column = measures.columns_up_to(1).next().unwrap();
        assert_eq!(column.lowest, Some(0.0));
        assert_eq!(measures.rows, MOST_KEPT as u64);
        assert!(measures.last.times.len() <= MOST_KEPT / 2);
    }
}
