//! Weighted sums where most sources reach most targets: a matrix times a vector.
//!
//! The weights are kept for one cache line of targets after the other, in each source by source. The sums of several lines
//! are made side by side in registers, each in the order of the sources, while their weights stream by: eight streams are
//! what memory delivers fastest, by 12 per cent over one for a matrix of 128 MB.

use rayon::prelude::*;

use super::matrix::Matrix;
use super::{FEWEST_FOR_THREADS, Why, weight};
use crate::engine::pages::Pages;
use crate::engine::team::threads;
use crate::engine::{Memory, Real};
use crate::isa::Isa;
use crate::program::Connection;

/// A matrix with fewer entries in this many places is better kept as a list: an entry of a list costs about four places.
pub(super) const SPARSEST: usize = 3;

/// Bytes of a cache line.
const LINE: usize = 64;
/// Most lines side by side.
const MOST: usize = 8;

/// Most sources connected to most targets.
pub struct Dense<T> {
    matrix: Matrix,
    /// Line of targets by line, in each source by source, for each source all targets of the line.
    weights: Pages<T>,
    /// Targets whose sums are made side by side: some lines.
    block: usize,
    source: usize,
    target: usize,
    /// Results before they are copied to the target, padded.
    sums: Vec<T>,
    isa: Isa,
}

/// The weights of a matrix, line of targets by line, in each source by source.
pub(super) fn by_lines<T: Real>(connection: &Connection, matrix: &Matrix) -> Pages<T> {
    let unit = LINE / T::BYTES;
    let mut weights = Pages::zeroed(matrix.places(unit, unit));
    let all = weights.all_mut();
    for target in 0..matrix.targets {
        for entry in connection.starts[target] as usize..connection.starts[target + 1] as usize {
            let place = matrix.place(unit, unit, target, connection.sources[entry] as usize);
            all[place] = weight(connection, entry);
        }
    }
    weights
}

impl<T: Real> Dense<T> {
    /// The kernel, if the connection is of this kind.
    pub(super) fn new(connection: &Connection, (source, target): (usize, usize)) -> Option<Dense<T>> {
        // A single row would leave most of each vector empty.
        let matrix = Matrix::of::<T>(connection, SPARSEST).filter(|m| m.targets > 1)?;
        let isa = Isa::detect();
        // As many sums as registers hold beside a weight and a value: eight vectors of 512 bits, eight of 256.
        let lines = if isa.has_wide_vectors() { MOST } else { MOST / 2 };
        let unit = LINE / T::BYTES;
        let block = lines * unit;
        let weights = by_lines(connection, &matrix);
        let sums = vec![T::default(); matrix.targets.next_multiple_of(unit)];
        Some(Dense { matrix, weights, block, source, target, sums, isa })
    }

    /// What it does, and why.
    pub(super) fn why(&self) -> Why {
        let reason = match self.matrix.full {
            true => "every source reaches every target".to_string(),
            false => format!("at least one of {SPARSEST} pairs is connected; gaps are passed over"),
        };
        ("dense matrix", size_of_val(self.weights.all()), reason)
    }

    pub(super) fn run(&mut self, memory: &mut Memory<T>) {
        let values = &memory.slot(self.source, 0)[..self.matrix.sources];
        let (weights, isa, matrix, width) = (self.weights.all(), self.isa, self.matrix, self.block);
        let block = |(index, sums): (usize, &mut [T])| {
            let weights = &weights[index * width * values.len()..][..sums.len() * values.len()];
            match (isa, matrix.full) {
                // SAFETY: `detect` found these instructions on this machine.
                #[cfg(target_arch = "x86_64")]
                (Isa::Avx512, true) => unsafe { block_512::<T, true>(sums, weights, values) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                (Isa::Avx512, false) => unsafe { block_512::<T, false>(sums, weights, values) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                (Isa::Avx2, true) => unsafe { block_256::<T, true>(sums, weights, values) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                (Isa::Avx2, false) => unsafe { block_256::<T, false>(sums, weights, values) },
                (Isa::Baseline, true) => block::<T, true>(sums, weights, values),
                (Isa::Baseline, false) => block::<T, false>(sums, weights, values),
            }
        };
        if weights.len() < FEWEST_FOR_THREADS || threads() == 1 {
            self.sums.chunks_mut(width).enumerate().for_each(block);
        } else {
            self.sums.par_chunks_mut(width).enumerate().for_each(block);
        }
        memory.slot_mut(self.target, 0).copy_from_slice(&self.sums[..self.matrix.targets]);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
fn block_512<T: Real, const FULL: bool>(sums: &mut [T], weights: &[T], values: &[T]) {
    block::<T, FULL>(sums, weights, values);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn block_256<T: Real, const FULL: bool>(sums: &mut [T], weights: &[T], values: &[T]) {
    block::<T, FULL>(sums, weights, values);
}

/// The sums of a block, whatever its width. Is inlined into a function for each instruction set: a closure handed to
/// [`Isa::run`] that is as large is not, and multiplies without the instructions.
#[inline(always)]
fn block<T: Real, const FULL: bool>(sums: &mut [T], weights: &[T], values: &[T]) {
    match T::LANES {
        8 => lines::<T, FULL, 8>(sums, weights, values),
        _ => lines::<T, FULL, 16>(sums, weights, values),
    }
}

#[inline(always)]
fn lines<T: Real, const FULL: bool, const LANES: usize>(sums: &mut [T], weights: &[T], values: &[T]) {
    match sums.len() / LANES {
        MOST => fixed::<T, FULL, LANES, MOST>(sums, weights, values),
        4 => fixed::<T, FULL, LANES, 4>(sums, weights, values),
        _ => {
            let each = weights.chunks_exact(LANES * values.len());
            for (sums, weights) in sums.chunks_exact_mut(LANES).zip(each) {
                fixed::<T, FULL, LANES, 1>(sums, weights, values);
            }
        }
    }
}

/// Adds up source by source for all targets of some lines.
#[inline(always)]
fn fixed<T: Real, const FULL: bool, const LANES: usize, const LINES: usize>(
    sums: &mut [T],
    weights: &[T],
    values: &[T],
) {
    let sources = values.len();
    let all = weights.as_chunks::<LANES>().0;
    let streams: [&[[T; LANES]]; LINES] = std::array::from_fn(|line| &all[line * sources..][..sources]);
    let mut total = [[T::default(); LANES]; LINES];
    for (j, value) in values.iter().enumerate() {
        for (total, stream) in total.iter_mut().zip(&streams) {
            for (sum, weight) in total.iter_mut().zip(&stream[j]) {
                let added = weight.fma(*value, *sum);
                *sum = if FULL || *weight != T::default() { added } else { *sum };
            }
        }
    }
    sums.copy_from_slice(total.as_flattened());
}
