//! Plain measures of a recorded column. Non-finite samples do not count.

use std::ops::Range;

use crate::artifact::{DeviceError, KeptRows, Levels, Rise, Rises, Totals};

/// A swing smaller than this part of the values is rounding, not an oscillation.
const RESOLUTION: f64 = 1e-10;

/// Mean of the finite values; none without any.
pub fn mean(values: &[f64]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0usize);
    for &value in values.iter().filter(|value| value.is_finite()) {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

/// Largest minus smallest finite value; none without any.
pub fn peak_to_peak(values: &[f64]) -> Option<f64> {
    let (lowest, highest) = extent(values)?;
    Some(highest - lowest)
}

/// Smallest and largest finite value.
pub(crate) fn extent(values: &[f64]) -> Option<(f64, f64)> {
    values.iter().filter(|value| value.is_finite()).fold(None, |extent, &value| match extent {
        None => Some((value, value)),
        Some((lowest, highest)) => Some((f64::min(lowest, value), f64::max(highest, value))),
    })
}

/// Frequency of an oscillation in cycles per time unit, from its upward crossings of the mean.
///
/// Crossings are placed between samples by linear interpolation; the result is the number of periods between the first
/// and the last crossing by the time between them. None with fewer than two crossings, or when the values vary by rounding
/// only. A wave that crosses its mean twice per period counts double; drop transients first (`Recording::since`).
pub fn frequency(times: &[f64], values: &[f64]) -> Option<f64> {
    let levels = crossings(extent(values)?, mean(values)?)?;
    rises(values, &levels).frequency(times, &levels)
}

/// The frequency of an oscillation, unless it loses more than half of its swing from one half of the rows to the other.
///
/// Counted are full swings: rises through the middle of the range that follow a fall below its lowest quarter. Ripples on
/// the way, which may cross any one level several times in a period, do not count.
pub fn sustained_frequency(times: &[f64], values: &[f64]) -> Option<f64> {
    let (before, after) = values.split_at(values.len() / 2);
    let [crossings, swings] = sustained(extent(before)?, extent(after)?, mean(values)?)?;
    rises(values, &crossings).frequency(times, &crossings)?;
    rises(values, &swings).frequency(times, &swings)
}

/// [`sustained_frequency`] of each column of rows that a device keeps, from `times` of `rows`; none for those that are not
/// finite.
///
/// The numbers are those of the rows; only whether there are crossings of the mean may depend on how the device rounds a mean.
pub fn sustained_frequencies(
    kept: &mut dyn KeptRows,
    rows: Range<usize>,
    times: &[f64],
) -> Result<Vec<Option<f64>>, DeviceError> {
    let half = rows.start + rows.len() / 2;
    if half == rows.start {
        let columns = if rows.is_empty() { 0 } else { kept.totals(rows)?.sums.len() };
        return Ok(vec![None; columns]);
    }
    let (before, after) = (kept.totals(rows.start..half)?, kept.totals(half..rows.end)?);
    let columns = before.sums.len();
    let levels: Vec<Option<[Levels; 2]>> = (0..columns)
        .map(|column| {
            let range = |totals: &Totals| (totals.lowest[column], totals.highest[column]);
            let sum = before.sums[column] + after.sums[column];
            let mean = sum / rows.len() as f64;
            if sum.is_finite() { sustained(range(&before), range(&after), mean) } else { None }
        })
        .collect();
    // Columns without levels are asked with any, and their answers dropped.
    let none = Levels { low: 0.0, middle: 0.0 };
    let mut of = |which: usize| {
        let levels: Vec<Levels> = levels.iter().map(|levels| levels.map_or(none, |l| l[which])).collect();
        kept.rises(rows.clone(), &levels)
    };
    let (crossings, swings) = (of(0)?, of(1)?);
    let measured = levels.iter().zip(crossings.iter().zip(&swings)).map(|(levels, (crossings, swings))| {
        let [crossed, swung] = (*levels)?;
        crossings.frequency(times, &crossed)?;
        swings.frequency(times, &swung)
    });
    Ok(measured.collect())
}

/// The levels of upward crossings of the mean; none where values vary by rounding only.
fn crossings((lowest, highest): (f64, f64), mean: f64) -> Option<Levels> {
    let varies = highest - lowest > RESOLUTION * f64::max(lowest.abs(), highest.abs());
    varies.then_some(Levels { low: f64::INFINITY, middle: mean })
}

/// The levels of crossings and of full swings, from the ranges of both halves and the mean; none where the second half has less
/// than half of the swing of the first.
fn sustained(before: (f64, f64), after: (f64, f64), mean: f64) -> Option<[Levels; 2]> {
    let (lowest, highest) = (f64::min(before.0, after.0), f64::max(before.1, after.1));
    let crossings = crossings((lowest, highest), mean)?;
    if after.1 - after.0 <= 0.5 * (before.1 - before.0) {
        return None;
    }
    let swings = Levels { low: 0.75 * lowest + 0.25 * highest, middle: 0.5 * lowest + 0.5 * highest };
    Some([crossings, swings])
}

/// Rises through levels. Comparisons with a NaN are false: a gap is no rise.
fn rises(values: &[f64], levels: &Levels) -> Rises {
    let (mut armed, mut found) = (false, Rises::default());
    for (row, pair) in values.windows(2).enumerate() {
        let (before, after) = (pair[0], pair[1]);
        armed |= before < levels.low;
        let through = before < levels.middle && after >= levels.middle;
        if armed && through && before.is_finite() && after.is_finite() {
            let rise = Rise { row, before, after };
            found = Rises { count: found.count + 1, first: found.first.or(Some(rise)), last: Some(rise) };
            armed = false;
        }
    }
    found
}

impl Rises {
    /// Rises per time, each placed between its rows by linear interpolation; none with fewer than two.
    fn frequency(&self, times: &[f64], levels: &Levels) -> Option<f64> {
        let time = |rise: Rise| {
            let (from, to) = (times[rise.row], times[rise.row + 1]);
            from + (to - from) * (levels.middle - rise.before) / (rise.after - rise.before)
        };
        let duration = time(self.last?) - time(self.first?);
        (self.count >= 2 && duration > 0.0).then(|| (self.count - 1) as f64 / duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn sampled(wave: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<f64>) {
        let times: Vec<f64> = (0..5000).map(|k| k as f64 * 1e-3).collect();
        let values = times.iter().map(|&t| wave(t)).collect();
        (times, values)
    }

    #[test]
    fn the_frequency_of_a_sine_is_found_between_samples() {
        let (times, values) = sampled(|t| 3.0 + (TAU * 10.938 * t + 0.3).sin());
        assert!((frequency(&times, &values).unwrap() - 10.938).abs() < 1e-3);
    }

    #[test]
    fn a_constant_or_settled_column_has_no_frequency() {
        let (times, constant) = sampled(|_| 2.1027);
        assert_eq!(frequency(&times, &constant), None);
        let (times, settled) = sampled(|t| 2.1027 + 1e-13 * (TAU * 7.0 * t).sin());
        assert_eq!(frequency(&times, &settled), None);
    }

    #[test]
    fn one_crossing_is_no_oscillation() {
        let (times, values) = sampled(|t| t);
        assert_eq!(frequency(&times, &values), None);
        assert_eq!(frequency(&[], &[]), None);
    }

    #[test]
    fn gaps_do_not_count() {
        let (times, mut values) = sampled(|t| (TAU * 4.0 * t).sin());
        values[100] = f64::NAN;
        values[101] = f64::INFINITY;
        assert!((frequency(&times, &values).unwrap() - 4.0).abs() < 1e-3);
        assert_eq!(peak_to_peak(&[1.0, f64::NAN, 4.0]), Some(3.0));
        assert_eq!(mean(&[1.0, f64::NAN, 4.0]), Some(2.5));
        assert_eq!(mean(&[f64::NAN]), None);
    }
}
