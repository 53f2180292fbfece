//! Spikes as marks, and how many there are.

use super::palette::{self, Colour};
use super::panel::Panel;
use super::scene::{Mark, Pixels};
use crate::observe::{Label, Recording, Spikes};

/// Fewest and most bins of the rate: enough to see a rhythm, few enough to see it is one.
const BINS: (usize, usize) = (20, 200);
/// Spikes per bin, where there are not many.
const SPIKES_PER_BIN: usize = 5;
/// With more units than this their rows are too low for lines, and spikes become pixels.
const MOST_ROWS: usize = 64;
/// Most lines, for the sake of readers and files.
const MOST_LINES: usize = 4000;
/// What is left of a row between lines.
const LINE_SHARE: f64 = 0.8;

/// The rates of all events as columns: spikes per unit and time in bins of a round width, each at the middle of its bin.
pub fn rates(recording: &Recording, (start, end): (f64, f64)) -> Recording {
    let labels: Vec<Label> = recording.spikes.iter().map(|spikes| spikes.label.clone()).collect();
    let mut rates = Recording::new(labels);
    let spikes: usize = recording.spikes.iter().map(Spikes::len).sum();
    let width = bin_width(end - start, (spikes / SPIKES_PER_BIN).clamp(BINS.0, BINS.1));
    let bins = ((end - start) / width).round().max(1.0) as usize;
    rates.times = (0..bins).map(|bin| start + (bin as f64 + 0.5) * width).collect();
    rates.columns = recording.spikes.iter().map(|spikes| spikes.rate(start, width, bins)).collect();
    rates
}

/// The largest of 1, 2, 5 times a power of ten that makes at least so many bins.
fn bin_width(span: f64, bins: usize) -> f64 {
    let most = span / bins as f64 * (1.0 + 1e-9);
    let power = 10f64.powf(most.log10().floor());
    let factor = [5.0, 2.0, 1.0].into_iter().find(|factor| factor * power <= most);
    factor.unwrap_or(1.0) * power
}

/// Where a raster is drawn.
pub struct Area {
    /// Upper left corner.
    pub at: (f64, f64),
    /// Width and height.
    pub size: (f64, f64),
    /// First and last time.
    pub time: (f64, f64),
}

impl Area {
    /// The place of a time between 0 and 1.
    fn across(&self, time: f64) -> f64 {
        (time - self.time.0) / (self.time.1 - self.time.0)
    }
}

/// The spikes of a panel, the first unit of the first event in the lowest row: lines where rows are high enough, else an
/// image with a pixel for each spike.
pub fn raster(recording: &Recording, panel: &Panel, area: &Area) -> Vec<Mark> {
    let events: Vec<&Spikes> = panel.columns.iter().map(|&event| &recording.spikes[event]).collect();
    let units: usize = events.iter().map(|event| event.units).sum();
    let count: usize = events.iter().map(|event| event.len()).sum();
    let mut first = 0;
    let mut placed = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let colour = palette::line(index);
        let spikes = event.times.iter().zip(&event.ids);
        placed.extend(spikes.map(|(time, id)| (area.across(*time), first + *id as usize, colour)));
        first += event.units;
    }
    placed.retain(|(across, ..)| (0.0..=1.0).contains(across));
    if units <= MOST_ROWS && count <= MOST_LINES {
        return placed.into_iter().map(|spike| line(area, units, spike)).collect();
    }
    vec![Mark::Image { at: area.at, size: area.size, pixels: image(area, units, &placed) }]
}

fn line(area: &Area, units: usize, (across, row, colour): (f64, usize, Colour)) -> Mark {
    let row_height = area.size.1 / units.max(1) as f64;
    let x = area.at.0 + across * area.size.0;
    let middle = area.at.1 + area.size.1 - (row as f64 + 0.5) * row_height;
    let half = row_height * LINE_SHARE / 2.0;
    Mark::Line { points: vec![(x, middle - half), (x, middle + half)], colour, width: 1.0 }
}

fn image(area: &Area, units: usize, placed: &[(f64, usize, Colour)]) -> Pixels {
    let (width, height) = (area.size.0 as usize, units.clamp(1, area.size.1 as usize));
    let mut colours = vec![palette::MISSING; width * height];
    for &(across, row, colour) in placed {
        let x = ((across * width as f64) as usize).min(width - 1);
        let y = height - 1 - (row * height / units.max(1)).min(height - 1);
        colours[y * width + x] = colour;
    }
    Pixels { width, height, colours }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::panel::{Kind, arrange};

    fn network(units: usize, times: &[f64], ids: &[u32]) -> Recording {
        let spikes = Spikes { times: times.to_vec(), ids: ids.to_vec(), ..Spikes::new(Label::new("spike"), units) };
        Recording::new(vec![]).with_events(vec![spikes])
    }

    const AREA: Area = Area { at: (10.0, 20.0), size: (100.0, 50.0), time: (0.0, 10.0) };

    #[test]
    fn bins_have_round_widths() {
        assert_eq!([1000.0, 1.0, 0.3, 300.0].map(|span| bin_width(span, 200)), [5.0, 0.005, 0.001, 1.0]);
        let rates = rates(&network(2, &[0.1, 0.2, 99.9], &[0, 1, 0]), (0.0, 100.0));
        assert_eq!((rates.times.len(), rates.times[0]), (20, 2.5));
        // Two spikes of two units in five units of time.
        assert_eq!((rates.columns[0][0], rates.columns[0][19]), (0.2, 0.1));
    }

    #[test]
    fn few_units_have_lines_and_many_have_pixels() {
        let panel = |recording: &Recording| {
            let panels = arrange(recording, &rates(recording, (0.0, 10.0)));
            assert_eq!(panels.iter().map(|p| p.kind).collect::<Vec<_>>(), [Kind::Raster, Kind::Rates]);
            panels[0].clone()
        };
        let few = network(5, &[5.0, 12.0], &[4, 0]);
        let marks = raster(&few, &panel(&few), &AREA);
        let [Mark::Line { points, .. }] = &marks[..] else { panic!("{marks:?}") };
        assert_eq!(points, &[(60.0, 21.0), (60.0, 29.0)]);
        let many = network(1000, &[0.0, 10.0], &[0, 999]);
        let marks = raster(&many, &panel(&many), &AREA);
        let [Mark::Image { pixels, .. }] = &marks[..] else { panic!("{marks:?}") };
        let drawn: Vec<usize> = (0..5000).filter(|&at| pixels.colours[at] == palette::line(0)).collect();
        assert_eq!(drawn, [99, 4900]);
    }
}
