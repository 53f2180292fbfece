//! Windows: which source units a unit of a convolution reads, by arithmetic instead of a list.

/// A kernel that slides over a grid of sources. Units of a grid are numbered row by row, the channels of a place side by
/// side: unit `(row * columns + column) * channels + channel`.
///
/// A tap is a place of the kernel and a source channel, numbered likewise. Tap `(p, q, a)` of the target `(y, x, b)` reads the
/// source `(y * stride[0] + p - origin[0], x * stride[1] + q - origin[1], a)`: modulo rows and columns where the grid is
/// periodic, else nothing where there is no such place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Window {
    /// Rows, columns and channels of the sources.
    pub source: [u32; 3],
    /// Rows, columns and channels of the targets.
    pub target: [u32; 3],
    /// Rows and columns of the kernel.
    pub kernel: [u32; 2],
    /// Rows and columns of the sources from one target to the next.
    pub stride: [u32; 2],
    /// Row and column of the kernel that lie on the first source for the first target.
    pub origin: [u32; 2],
    /// Whether opposite sides of the grid are joined; else it is surrounded by zeros.
    pub periodic: bool,
}

impl Window {
    /// Number of source units.
    pub fn sources(&self) -> usize {
        self.source.iter().map(|n| *n as usize).product()
    }

    /// Number of target units.
    pub fn targets(&self) -> usize {
        self.target.iter().map(|n| *n as usize).product()
    }

    /// Number of taps of a target.
    pub fn taps(&self) -> usize {
        self.kernel[0] as usize * self.kernel[1] as usize * self.source[2] as usize
    }

    /// Number of weights: `target[2]` times [`Self::taps`]. Those of a target channel lie side by side.
    pub fn weights(&self) -> usize {
        self.taps() * self.target[2] as usize
    }

    /// The weight of a tap of a target.
    pub fn weight(&self, target: usize, tap: usize) -> usize {
        target % self.target[2] as usize * self.taps() + tap
    }

    /// The row (`axis` 0) or column (1) of the sources that lies under `place` of the kernel for a target's row or column.
    pub fn under(&self, axis: usize, target: usize, place: usize) -> Option<usize> {
        let at = (target * self.stride[axis] as usize + place) as i64 - i64::from(self.origin[axis]);
        let size = i64::from(self.source[axis]);
        match self.periodic {
            true => Some(at.rem_euclid(size) as usize),
            false => (0..size).contains(&at).then_some(at as usize),
        }
    }

    /// The source unit that a tap of a target reads.
    pub fn read(&self, target: usize, tap: usize) -> Option<usize> {
        let (channels, columns) = (self.source[2] as usize, self.kernel[1] as usize);
        let place = target / self.target[2] as usize;
        let (y, x) = (place / self.target[1] as usize, place % self.target[1] as usize);
        let row = self.under(0, y, tap / channels / columns)?;
        let column = self.under(1, x, tap / channels % columns)?;
        Some((row * self.source[1] as usize + column) * channels + tap % channels)
    }

    /// Number of taps of all targets that read a source.
    pub fn reads(&self) -> u64 {
        let along = |axis: usize| -> u64 {
            let pairs = (0..self.target[axis] as usize).map(|target| {
                (0..self.kernel[axis] as usize).filter(|place| self.under(axis, target, *place).is_some()).count()
            });
            pairs.sum::<usize>() as u64
        };
        along(0) * along(1) * u64::from(self.source[2]) * u64::from(self.target[2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAME: Window = Window {
        source: [3, 4, 2],
        target: [3, 4, 1],
        kernel: [3, 3],
        stride: [1, 1],
        origin: [1, 1],
        periodic: false,
    };

    #[test]
    fn taps_outside_of_the_grid_read_nothing() {
        // Target (0, 0): the kernel's first row and column are outside, its centre is source (0, 0).
        assert_eq!(SAME.read(0, 0), None);
        assert_eq!((SAME.read(0, 8), SAME.read(0, 9)), (Some(0), Some(1)));
        // Rows 2 + 3 + 2, columns 2 + 3 + 3 + 2, two channels.
        assert_eq!(SAME.reads(), 7 * 10 * 2);
        let counted = (0..SAME.targets()).flat_map(|i| (0..SAME.taps()).filter_map(move |tap| SAME.read(i, tap)));
        assert_eq!(counted.count(), 140);
    }

    #[test]
    fn a_periodic_grid_goes_round() {
        let torus = Window { periodic: true, ..SAME };
        // Row -1 is row 2, column -1 is column 3.
        assert_eq!(torus.read(0, 0), Some((2 * 4 + 3) * 2));
        assert_eq!(torus.reads(), 12 * 18);
    }

    #[test]
    fn strides_skip_sources() {
        let window = Window { target: [2, 2, 3], stride: [2, 2], origin: [0, 0], kernel: [1, 1], ..SAME };
        // Target (1, 1) of channel 2 reads source (2, 2).
        assert_eq!(window.read(3 * 3 + 2, 1), Some((2 * 4 + 2) * 2 + 1));
        assert_eq!(window.weight(3 * 3 + 2, 1), 2 * 2 + 1);
    }
}
