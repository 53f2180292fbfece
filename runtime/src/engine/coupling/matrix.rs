//! Connections as matrices, where most sources reach most targets.

use crate::engine::Real;
use crate::program::Connection;

/// What is known of a connection that may be stored as a matrix.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Matrix {
    /// Rows.
    pub targets: usize,
    /// Columns.
    pub sources: usize,
    /// Whether every place has an entry. Where not, a weight of 0 marks those that have none.
    pub full: bool,
}

impl Matrix {
    /// The shape, if a target has each source at most once, in ascending order, and at least one place in `sparsest` is an
    /// entry.
    pub fn of<T: Real>(connection: &Connection, sparsest: usize) -> Option<Matrix> {
        let targets = connection.starts.len() - 1;
        let sources = connection.sources.iter().max().map_or(0, |last| *last as usize + 1);
        let entries = connection.sources.len();
        if entries == 0 || targets * sources > entries.saturating_mul(sparsest) {
            return None;
        }
        let full = targets * sources == entries;
        // A weight of 0 in an entry could not be told from no entry.
        let marked = full || connection.weights.iter().all(|w| T::from_f64(*w) != T::default());
        let ascending = connection.starts.windows(2).all(|row| {
            let sources = &connection.sources[row[0] as usize..row[1] as usize];
            sources.windows(2).all(|pair| pair[0] < pair[1])
        });
        (marked && ascending).then_some(Matrix { targets, sources, full })
    }

    /// Where an entry lies if the matrix is stored by blocks of `block` targets, the last one padded to a multiple of `unit`,
    /// in each source by source.
    pub fn place(&self, block: usize, unit: usize, target: usize, source: usize) -> usize {
        let first = target / block * block;
        let width = self.width(block, unit, first);
        first * self.sources + source * width + (target - first)
    }

    /// Targets of the block from `first` on, padded.
    pub fn width(&self, block: usize, unit: usize, first: usize) -> usize {
        block.min((self.targets - first).next_multiple_of(unit))
    }

    /// Places in all blocks.
    pub fn places(&self, block: usize, unit: usize) -> usize {
        let first = (self.targets - 1) / block * block;
        (first + self.width(block, unit, first)) * self.sources
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(starts: &[u32], sources: &[u32], weights: &[f64]) -> Connection {
        Connection {
            name: String::new(),
            starts: starts.into(),
            sources: sources.into(),
            weights: weights.into(),
            delays: None,
            members: 1,
            stride: 0,
        }
    }

    #[test]
    fn matrices_are_recognised() {
        let full = connection(&[0, 2, 4], &[0, 1, 0, 1], &[0.0, 1.0, 2.0, 3.0]);
        assert_eq!(Matrix::of::<f64>(&full, 1), Some(Matrix { targets: 2, sources: 2, full: true }));
        let gap = connection(&[0, 2, 3], &[0, 1, 1], &[0.5]);
        assert_eq!(Matrix::of::<f64>(&gap, 2), Some(Matrix { targets: 2, sources: 2, full: false }));
        assert_eq!(Matrix::of::<f64>(&gap, 1), None, "not every place has an entry");
        let tiny = connection(&[0, 2, 3], &[0, 1, 1], &[1.0, 1e-60, 1.0]);
        assert!(
            Matrix::of::<f64>(&tiny, 2).is_some() && Matrix::of::<f32>(&tiny, 2).is_none(),
            "0 in single precision"
        );
        let twice = connection(&[0, 2, 4], &[0, 0, 0, 1], &[1.0]);
        assert_eq!(Matrix::of::<f64>(&twice, 2), None, "one source twice");
    }

    #[test]
    fn every_entry_has_a_place_of_its_own() {
        let matrix = Matrix { targets: 21, sources: 3, full: true };
        let (block, unit) = (8, 4);
        let mut taken = vec![false; matrix.places(block, unit)];
        for target in 0..21 {
            for source in 0..3 {
                assert!(!std::mem::replace(&mut taken[matrix.place(block, unit, target, source)], true));
            }
        }
        assert_eq!(taken.len(), 24 * 3);
    }
}
