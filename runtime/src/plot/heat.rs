//! A group of many elements as an image, element by time.

use super::palette::{self, MISSING};
use super::panel::{Panel, drawable};
use super::scene::Pixels;
use crate::observe::Recording;

/// The image of a panel with at most so many pixels.
///
/// Of several samples or elements in one pixel it shows the value farthest from the mean of all, so that single events
/// stay visible; a pixel between two samples shows the earlier one. The first element is the lowest row.
pub fn image(recording: &Recording, panel: &Panel, time: (f64, f64), most: (usize, usize)) -> Pixels {
    let elements = panel.columns.len();
    let width = most.0.max(1);
    let height = elements.min(most.1).max(1);
    let samples = bins(&recording.times, time, width);
    let centre = mean_level(recording, panel);
    let mut colours = Vec::with_capacity(width * height);
    for row in (0..height).rev() {
        let members = &panel.columns[row * elements / height..(row + 1) * elements / height];
        colours.extend(samples.iter().map(|bin| {
            let values = members.iter().flat_map(|&column| &recording.columns[column][bin.clone()]);
            let levels = values.filter_map(|&value| level(value, panel));
            let farthest = levels.max_by(|a, b| (a - centre).abs().total_cmp(&(b - centre).abs()));
            farthest.map_or(MISSING, palette::heat)
        }));
    }
    Pixels { width, height, colours }
}

/// Where a value is between the panel's limits, from 0 to 1.
fn level(value: f64, panel: &Panel) -> Option<f64> {
    let (lowest, highest) = panel.limits();
    drawable(value).then(|| (value - lowest) / (highest - lowest))
}

fn mean_level(recording: &Recording, panel: &Panel) -> f64 {
    let values = panel.columns.iter().flat_map(|&column| &recording.columns[column]);
    let (sum, count) = values
        .filter_map(|&value| level(value, panel))
        .fold((0.0, 0.0), |(sum, count), level| (sum + level, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
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
            if first == next { first.saturating_sub(1)..first.max(1).min(times.len()) } else { first..next }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Label;
    use crate::plot::panel;

    #[test]
    fn a_single_event_among_many_samples_and_elements_stays_visible() {
        let labels = (0..100).map(|index| Label::new(index.to_string()).in_group("z")).collect();
        let mut recording = Recording::new(labels);
        recording.times = (0..1000).map(f64::from).collect();
        recording.columns = vec![vec![0.0; 1000]; 100];
        recording.columns[42][777] = 1.0;
        let panels = panel::arrange(&recording, &Recording::default());
        let image = image(&recording, &panels[0], (0.0, 1000.0), (10, 10));
        let bright: Vec<usize> = (0..100).filter(|&pixel| image.colours[pixel] == palette::heat(1.0)).collect();
        // Row 4 from below of ten, column 7.
        assert_eq!(bright, [57]);
    }

    #[test]
    fn every_sample_is_in_one_step_and_empty_steps_hold_the_last() {
        assert_eq!(bins(&[0.0, 1.0, 2.0, 3.0], (0.0, 3.0), 2), [0..2, 2..4]);
        assert_eq!(bins(&[0.0, 2.0], (0.0, 2.0), 4), [0..1, 0..1, 0..1, 1..2]);
    }
}
