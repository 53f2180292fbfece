//! Where the power spectrum of a column is highest.

use std::f64::consts::PI;

use crate::artifact::{DeviceError, Frame, KeptRows, Peak, hann_window, transform_length};

/// The frequency of the highest peak in the power spectrum, for samples `interval` apart.
///
/// The mean is removed, a Hann window tapers the ends, and the peak is placed between the frequencies of a transform of at
/// least twice the length by a parabola through its neighbours. None when there are fewer than eight samples, one is not
/// finite, or the values vary by rounding only.
pub fn spectral_peak(interval: f64, values: &[f64]) -> Option<f64> {
    let count = values.len();
    let range = super::measure::extent(values)?;
    if values.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let frame = frame(count, range, super::mean(values)?)?;
    let mut signal = vec![(0.0, 0.0); transform_length(count)];
    for (place, (value, window)) in signal.iter_mut().zip(values.iter().zip(hann_window(count))) {
        place.0 = window * (frame.scale * (value - frame.mean));
    }
    transform(&mut signal);
    let power: Vec<f64> = signal[..=signal.len() / 2].iter().map(|(re, im)| re * re + im * im).collect();
    let bin = (1..signal.len() / 2).max_by(|a, b| power[*a].total_cmp(&power[*b]))?;
    let peak = Peak { bin, power: [power[bin - 1], power[bin], power[bin + 1]] };
    Some(place(&peak, signal.len(), interval))
}

/// [`spectral_peak`] of each column of rows that a device keeps; none for those that are not finite.
///
/// The device transforms in the precision of its rows, or in double precision.
pub fn spectral_peaks(kept: &mut dyn KeptRows, interval: f64) -> Result<Vec<Option<f64>>, DeviceError> {
    let count = kept.rows();
    if count == 0 {
        return Ok(Vec::new());
    }
    let totals = kept.totals(0..count)?;
    let frames: Vec<Option<Frame>> = (0..totals.sums.len())
        .map(|column| frame(count, (totals.lowest[column], totals.highest[column]), totals.mean(column)))
        .collect();
    if frames.iter().all(Option::is_none) {
        return Ok(vec![None; frames.len()]);
    }
    let none = Frame { mean: 0.0, scale: 0.0 };
    let asked: Vec<Frame> = frames.iter().map(|frame| frame.unwrap_or(none)).collect();
    let peaks = kept.peaks(0..count, &asked)?;
    let placed =
        frames.iter().zip(&peaks).map(|(frame, peak)| frame.map(|_| place(peak, transform_length(count), interval)));
    Ok(placed.collect())
}

/// What becomes of values before the transform; none where they are too few, or vary by rounding only.
fn frame(count: usize, (lowest, highest): (f64, f64), mean: f64) -> Option<Frame> {
    let swing = highest - lowest;
    let varies = swing > 1e-10 * f64::max(lowest.abs(), highest.abs());
    (count >= 8 && varies && mean.is_finite()).then(|| Frame { mean, scale: 1.0 / swing })
}

/// The frequency of a peak: at the top of the parabola through the logarithms of three bins.
fn place(peak: &Peak, length: usize, interval: f64) -> f64 {
    let [left, top, right] = peak.power.map(|p| f64::max(p, f64::MIN_POSITIVE).ln());
    let bend = left - 2.0 * top + right;
    let shift = if bend < 0.0 { (0.5 * (left - right) / bend).clamp(-0.5, 0.5) } else { 0.0 };
    (peak.bin as f64 + shift) / (length as f64 * interval)
}

/// The discrete Fourier transform in place; the length is a power of two (Cooley and Tukey, 1965).
fn transform(signal: &mut [(f64, f64)]) {
    let length = signal.len();
    let unused = usize::BITS - length.trailing_zeros();
    for k in 1..length {
        let mirrored = k.reverse_bits() >> unused;
        if k < mirrored {
            signal.swap(k, mirrored);
        }
    }
    let mut half = 1;
    while half < length {
        let turns: Vec<(f64, f64)> = (0..half).map(|k| (-PI * k as f64 / half as f64).sin_cos()).collect();
        for block in signal.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for ((a, b), (sin, cos)) in low.iter_mut().zip(high).zip(&turns) {
                let turned = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
                *b = (a.0 - turned.0, a.1 - turned.1);
                *a = (a.0 + turned.0, a.1 + turned.1);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    #[test]
    fn the_stronger_of_two_sines_is_found_between_the_frequencies_of_the_transform() {
        let wave = |t: f64| 5.0 + (TAU * 10.938 * t).sin() + 0.5 * (TAU * 31.0 * t).sin();
        let values: Vec<f64> = (0..3000).map(|k| wave(k as f64 * 1e-3)).collect();
        assert!((spectral_peak(1e-3, &values).unwrap() - 10.938).abs() < 2e-3);
    }

    #[test]
    fn what_does_not_vary_has_no_peak() {
        assert_eq!(spectral_peak(1e-3, &[2.5; 100]), None);
        assert_eq!(spectral_peak(1e-3, &[1.0, 2.0]), None);
        assert_eq!(spectral_peak(1e-3, &[1.0, 2.0, f64::NAN, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]), None);
    }

    #[test]
    fn the_transform_of_a_pulse_is_flat_and_that_of_a_wave_a_pulse() {
        let mut pulse = vec![(0.0, 0.0); 8];
        pulse[0].0 = 1.0;
        transform(&mut pulse);
        assert!(pulse.iter().all(|z| (z.0 - 1.0).abs() < 1e-15 && z.1.abs() < 1e-15));
        let mut wave: Vec<(f64, f64)> = (0..8).map(|k| ((TAU * 3.0 * f64::from(k) / 8.0).cos(), 0.0)).collect();
        transform(&mut wave);
        let expected = |k: usize| if k == 3 || k == 5 { 4.0 } else { 0.0 };
        assert!(wave.iter().enumerate().all(|(k, z)| (z.0 - expected(k)).abs() < 1e-13 && z.1.abs() < 1e-13));
    }
}
