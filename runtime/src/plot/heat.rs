//! A group of many elements as an image, element by time.

use super::palette::{self, MISSING};
use super::panel::{Panel, drawable};
use super::scene::Pixels;
use crate::observe::Recording;

/// The image of a panel with at most so many pixels; several samples or elements in one pixel are averaged, and a pixel
/// between two samples shows the earlier one. The first element is the lowest row.
pub fn image(
    recording: &Recording,
    panel: &Panel,
    time: (f64, f64),
    most: (usize, usize),
) -> Pixels {
    let elements = panel.columns.len();
    let width = most.0.max(1);
    let height = elements.min(most.1).max(1);
    let (lowest, highest) = panel.limits();
    let samples = bins(&recording.times, time, width);
    let mut colours = vec![MISSING; width * height];
    let mut means = vec![0.0; width];
    for row in 0..height {
        let members = row * elements / height
            ..((row + 1) * elements / height).max(row * elements / height + 1);
        means.iter_mut().zip(&samples).for_each(|(mean, bin)| {
            let values = members
                .clone()
                .flat_map(|member| &recording.columns[panel.columns[member]][bin.clone()]);
            let (mut sum, mut count) = (0.0, 0u32);
            for &value in values.filter(|value| drawable(**value)) {
                sum += (value - lowest) / (highest - lowest);
                count += 1;
            }
            *mean = sum / f64::from(count);
        });
        let line = &mut colours[(height - 1 - row) * width..][..width];
        for (colour, &mean) in line.iter_mut().zip(&means) {
            // Without any value the mean is NaN, and the pixel stays empty.
            if mean.is_finite() {
                *colour = palette::heat(mean);
            }
        }
    }
    Pixels {
        width,
        height,
        colours,
    }
}

/// For each of `width` steps of time, the samples in it; for a step without, the last sample before.
fn bins(times: &[f64], (start, end): (f64, f64), width: usize) -> Vec<std::ops::Range<usize>> {
    let mut next = 0;
    (0..width)
        .map(|step| {
            let until = start + (end - start) * (step + 1) as f64 / width as f64;
            let first = next;
            while next < times.len() && (times[next] < until || step + 1 == width) {
                next += 1;
            }
            if first == next {
                first.saturating_sub(1)..first.max(1).min(times.len())
            } else {
                first..next
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::bins;

    #[test]
    fn every_sample_is_in_one_step_and_empty_steps_hold_the_last() {
        assert_eq!(bins(&[0.0, 1.0, 2.0, 3.0], (0.0, 3.0), 2), [0..2, 2..4]);
        assert_eq!(bins(&[0.0, 2.0], (0.0, 2.0), 4), [0..1, 0..1, 0..1, 1..2]);
    }
}
