//! Plain measures of a recorded column. Non-finite samples do not count.

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
    let (lowest, highest) = extent(values)?;
    if highest - lowest <= RESOLUTION * f64::max(lowest.abs(), highest.abs()) {
        return None;
    }
    let threshold = mean(values)?;
    let (mut first, mut last, mut crossings) = (None, 0.0, 0u32);
    for (time, value) in times.windows(2).zip(values.windows(2)) {
        // Comparisons with a NaN are false: a gap is no crossing.
        if value[0] < threshold && value[1] >= threshold && value[0].is_finite() && value[1].is_finite() {
            last = time[0] + (time[1] - time[0]) * (threshold - value[0]) / (value[1] - value[0]);
            first.get_or_insert(last);
            crossings += 1;
        }
    }
    let duration = last - first?;
    (crossings >= 2 && duration > 0.0).then(|| f64::from(crossings - 1) / duration)
}

/// The frequency of an oscillation, unless it loses more than half of its swing from one half of the rows to the other.
pub fn sustained_frequency(times: &[f64], values: &[f64]) -> Option<f64> {
    let (before, after) = values.split_at(values.len() / 2);
    let swing = peak_to_peak(after)?;
    // A swing of rounding errors is no oscillation; the other measure knows how large these are.
    frequency(times, values)?;
    if swing <= 0.5 * peak_to_peak(before)? {
        return None;
    }
    full_swings(times, values)
}

/// Full swings per time: rises through the middle of the range that follow a fall below its lowest quarter. Ripples on
/// the way, which may cross any one level several times in a period, do not count.
fn full_swings(times: &[f64], values: &[f64]) -> Option<f64> {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let (lowest, highest) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let (middle, low) = (0.5 * lowest + 0.5 * highest, 0.75 * lowest + 0.25 * highest);
    let (mut armed, mut rises) = (false, Vec::new());
    for (t, x) in times.windows(2).zip(values.windows(2)) {
        armed |= x[0] < low;
        if armed && x[0] < middle && x[1] >= middle {
            rises.push(t[0] + (t[1] - t[0]) * (middle - x[0]) / (x[1] - x[0]));
            armed = false;
        }
    }
    let duration = rises.last()? - rises.first()?;
    (duration > 0.0).then(|| (rises.len() - 1) as f64 / duration)
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
