//! The places of units, and the distances between them.

use super::Ends;
use crate::template::connectivity::Space;

/// Where units are.
pub struct Places {
    space: Space,
    length: f64,
    ends: Ends,
    /// Units along a side of the grids.
    sides: (usize, usize),
}

impl Places {
    /// Units evenly placed in a space.
    pub fn new(ends: Ends, space: Space, length: f64) -> Places {
        let sides = (side(ends.sources).unwrap_or(1), side(ends.targets).unwrap_or(1));
        Places { space, length, ends, sides }
    }

    /// The distance between a source and a target unit.
    pub fn between(&self, source: u32, target: u32) -> f64 {
        // Unit `i` of `n` is at `(i + 1/2)/n`.
        let at = |i: usize, n: usize| (i as f64 + 0.5) / n as f64;
        let around = |d: f64| d.min(1.0 - d);
        let (source, target) = (source as usize, target as usize);
        let along = || (at(source, self.ends.sources) - at(target, self.ends.targets)).abs();
        match self.space {
            Space::Line => along() * self.length,
            Space::Ring => around(along()) * self.length,
            Space::Grid { torus } => {
                let (a, b) = self.sides;
                let x = (at(source % a, a) - at(target % b, b)).abs();
                let y = (at(source / a, a) - at(target / b, b)).abs();
                let (x, y) = if torus { (around(x), around(y)) } else { (x, y) };
                libm::sqrt(x * x + y * y) * self.length
            }
        }
    }
}

/// The side of the square that so many units fill.
pub(super) fn side(units: usize) -> Option<usize> {
    let side = units.isqrt();
    (side * side == units).then_some(side)
}
