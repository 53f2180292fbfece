//! Which columns are shown together.

use super::palette;
use crate::observe::{Recording, extent};

/// A group with more columns than there are line colours is an image.
const MAX_LINES: usize = palette::LINES;
/// Groups share a panel while the common axis leaves the flatter one at least this part of the height.
const MIN_SHARE: f64 = 0.25;
/// Smaller differences cannot be divided into steps without underflow; they count as none.
const SMALLEST: f64 = 1e-290;
/// Larger values cannot be placed without overflow; they leave gaps.
const LARGEST: f64 = 1e300;

/// How a panel shows its columns.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// One line per column.
    Lines,
    /// One row of an image per column.
    Heat,
    /// One row per unit, a mark for each spike.
    Raster,
    /// One line per event: how many spikes there are.
    Rates,
}

/// Columns on one pair of axes.
#[derive(Clone, PartialEq, Debug)]
pub struct Panel {
    /// Names of the groups.
    pub groups: Vec<String>,
    /// Their unit.
    pub unit: Option<String>,
    /// Indices of the columns; of the events, for spikes.
    pub columns: Vec<usize>,
    /// What they are drawn as.
    pub kind: Kind,
    /// Lowest and highest finite value; none without any.
    pub extent: Option<(f64, f64)>,
}

impl Panel {
    /// Axis limits of the values: the extent with a margin, and a sensible one where there is no span.
    pub fn limits(&self) -> (f64, f64) {
        let (lowest, highest) = self.extent.unwrap_or((0.0, 0.0));
        let size = f64::max(lowest.abs(), highest.abs());
        let span = highest - lowest;
        if span <= f64::max(size * 1e-9, SMALLEST) {
            // Constant but for rounding: the value in the middle of an axis as wide as the value is large.
            let half = if size <= SMALLEST { 1.0 } else { size * 0.5 };
            return (lowest - half, highest + half);
        }
        match self.kind {
            Kind::Lines => (lowest - span * 0.05, highest + span * 0.05),
            Kind::Rates => (lowest, highest + span * 0.05),
            Kind::Heat | Kind::Raster => (lowest, highest),
        }
    }

    /// Names for the axis of values; none where the unit says what the axis is and a legend names the lines.
    pub fn names(&self) -> String {
        let told_by_legend = self.groups.len() > 1 && self.unit.is_some();
        if told_by_legend { String::new() } else { self.groups.join(", ") }
    }

    fn accepts(&self, other: &Panel) -> bool {
        let lines = self.kind == Kind::Lines && other.kind == Kind::Lines;
        if !lines || self.unit != other.unit || self.columns.len() + other.columns.len() > MAX_LINES {
            return false;
        }
        let (Some(one), Some(two)) = (self.extent, other.extent) else {
            return self.extent == other.extent;
        };
        let common = f64::max(one.1, two.1) - f64::min(one.0, two.0);
        f64::min(one.1 - one.0, two.1 - two.0) >= MIN_SHARE * common
    }

    fn absorb(&mut self, other: Panel) {
        self.groups.extend(other.groups);
        self.columns.extend(other.columns);
        self.extent = match (self.extent, other.extent) {
            (Some(one), Some(two)) => Some((f64::min(one.0, two.0), f64::max(one.1, two.1))),
            (one, two) => one.or(two),
        };
    }
}

/// True for a value that has a place on an axis.
pub fn drawable(value: f64) -> bool {
    value.abs() <= LARGEST
}

/// The panels of a recording, from top to bottom: spikes of every group of events, their rates, and what else there is.
pub fn arrange(recording: &Recording, rates: &Recording) -> Vec<Panel> {
    let mut panels: Vec<Panel> = Vec::new();
    let mut rasters: Vec<(&str, Vec<usize>)> = Vec::new();
    for (index, spikes) in recording.spikes.iter().enumerate() {
        let group = spikes.label.group.as_str();
        match rasters.iter_mut().find(|(name, _)| *name == group) {
            Some((_, events)) => events.push(index),
            None => rasters.push((group, vec![index])),
        }
    }
    for (group, events) in rasters {
        let units: usize = events.iter().map(|&event| recording.spikes[event].units).sum();
        let highest =
            events.iter().filter_map(|&event| extent(&rates.columns[event])).fold(0.0, |m, e| f64::max(m, e.1));
        let panel =
            |kind, extent| Panel { groups: vec![group.to_owned()], unit: None, columns: events.clone(), kind, extent };
        panels.push(panel(Kind::Raster, Some((0.0, units as f64))));
        panels.push(panel(Kind::Rates, Some((0.0, highest))));
    }
    for (group, columns) in recording.groups() {
        let extents = columns.iter().filter_map(|&column| {
            let values = &recording.columns[column];
            match extent(values) {
                Some((lowest, highest)) if drawable(lowest) && drawable(highest) => Some((lowest, highest)),
                _ => extent(&values.iter().copied().filter(|&value| drawable(value)).collect::<Vec<_>>()),
            }
        });
        let panel = Panel {
            groups: vec![group.to_owned()],
            unit: recording.labels[columns[0]].unit.clone(),
            kind: if columns.len() > MAX_LINES { Kind::Heat } else { Kind::Lines },
            extent: extents.reduce(|one, two| (f64::min(one.0, two.0), f64::max(one.1, two.1))),
            columns,
        };
        match panels.iter_mut().find(|other| other.accepts(&panel)) {
            Some(other) => other.absorb(panel),
            None => panels.push(panel),
        }
    }
    panels
}
