//! Spikes: which unit had an event when.

use super::Label;

/// The spikes of one event of a population, in order of time, then of unit.
#[derive(Clone, PartialEq, Debug)]
pub struct Spikes {
    /// How the event is called.
    pub label: Label,
    /// Number of units that could have it.
    pub units: usize,
    /// When: the time of the state that met the event's condition.
    pub times: Vec<f64>,
    /// Who, as long as `times`.
    pub ids: Vec<u32>,
}

impl Spikes {
    /// No spikes yet of a population of so many units.
    pub fn new(label: Label, units: usize) -> Spikes {
        Spikes { label, units, times: Vec::new(), ids: Vec::new() }
    }

    /// Number of spikes.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// True without spikes.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The times of one unit.
    pub fn of(&self, unit: u32) -> impl Iterator<Item = f64> {
        self.times.iter().zip(&self.ids).filter(move |(_, id)| **id == unit).map(|(time, _)| *time)
    }

    /// The spikes from `start` on, for instance to drop a transient before measuring.
    pub fn since(&self, start: f64) -> Spikes {
        let first = self.times.partition_point(|time| *time < start);
        Spikes { times: self.times[first..].to_vec(), ids: self.ids[first..].to_vec(), ..self.clone() }
    }

    /// Spikes per unit and time between `from` (included) and `to` (excluded).
    pub fn mean_rate(&self, from: f64, to: f64) -> f64 {
        let count = self.times.iter().filter(|t| (from..to).contains(*t)).count();
        count as f64 / (self.units.max(1) as f64 * (to - from))
    }

    /// The population rate: for each of `bins` bins of `width` from time `from` on the spikes per unit and time in it.
    pub fn rate(&self, from: f64, width: f64, bins: usize) -> Vec<f64> {
        let mut counts = vec![0u64; bins];
        for time in &self.times {
            // A spike at the edge of a bin belongs to the bin that begins there, also when the quotient rounds down.
            let bin = ((time - from) / width + 1e-9).floor();
            if bin >= 0.0 && (bin as usize) < bins {
                counts[bin as usize] += 1;
            }
        }
        counts.into_iter().map(|count| count as f64 / (self.units.max(1) as f64 * width)).collect()
    }

    /// The coefficients of variation of the intervals of every unit with at least `fewest` spikes, at least three: standard
    /// deviation over mean, with the sample variance (divided by one less than the number of intervals).
    pub fn interval_variation(&self, fewest: usize) -> Vec<f64> {
        let mut trains: Vec<Vec<f64>> = vec![Vec::new(); self.units];
        for (time, id) in self.times.iter().zip(&self.ids) {
            if let Some(train) = trains.get_mut(*id as usize) {
                train.push(*time);
            }
        }
        let variation = |train: &Vec<f64>| {
            let intervals: Vec<f64> = train.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let count = intervals.len() as f64;
            let mean = intervals.iter().sum::<f64>() / count;
            let variance = intervals.iter().map(|i| (i - mean).powi(2)).sum::<f64>() / (count - 1.0);
            variance.sqrt() / mean
        };
        trains.iter().filter(|train| train.len() >= fewest.max(3)).map(variation).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_units() -> Spikes {
        let (times, ids) = (vec![0.1, 0.2, 0.2, 0.3, 0.5], vec![0, 0, 2, 0, 2]);
        Spikes { times, ids, ..Spikes::new(Label::new("spike"), 3) }
    }

    #[test]
    fn rates_are_per_unit_and_time() {
        let spikes = three_units();
        assert_eq!(spikes.mean_rate(0.0, 1.0), 5.0 / 3.0);
        let rates = spikes.rate(0.0, 0.1, 6);
        let expected = [0.0, 1.0, 2.0, 1.0, 0.0, 1.0].map(|count| count / 0.3);
        assert!(rates.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{rates:?}");
    }

    #[test]
    fn intervals_of_a_regular_train_do_not_vary() {
        let spikes = three_units();
        let variation = spikes.interval_variation(3);
        assert!(variation.len() == 1 && variation[0] < 1e-12, "{variation:?}");
        let times = vec![0.0, 1.0, 4.0];
        let irregular = Spikes { times, ids: vec![0; 3], ..Spikes::new(Label::new("spike"), 1) };
        // Intervals 1 and 3: mean 2, sample variance 2.
        assert!((irregular.interval_variation(3)[0] - 2f64.sqrt() / 2.0).abs() < 1e-15);
    }

    #[test]
    fn since_drops_the_spikes_before() {
        let late = three_units().since(0.2);
        assert_eq!((late.len(), late.ids), (4, vec![0, 2, 0, 2]));
        assert_eq!(three_units().of(2).collect::<Vec<_>>(), [0.2, 0.5]);
    }
}
