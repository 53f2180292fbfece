//! Weighted sums where most sources reach most targets: a matrix times a vector.
//!
//! The weights are kept by blocks of targets, in each source by source, so that the sums of a block are made side by side
//! in registers, each in the order of the sources, while the weights stream by.

use rayon::prelude::*;

use super::matrix::Matrix;
use super::{FEWEST_FOR_THREADS, weight};
use crate::engine::isa::Isa;
use crate::engine::pages::Pages;
use crate::engine::{Memory, Real};
use crate::program::Connection;

/// A matrix with fewer entries in this many places is better kept as a list: an entry of a list costs about four places.
pub const SPARSEST: usize = 3;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Most sources connected to most targets.
pub struct Dense<T> {
    matrix: Matrix,
    /// Block of targets by block, in each source by source, for each source all targets of the block.
    weights: Pages<T>,
    /// Targets of a block.
    block: usize,
    source: usize,
    target: usize,
    /// Results before they are copied to the target, padded.
    sums: Vec<T>,
    isa: Isa,
}

impl<T: Real> Dense<T> {
    /// The kernel, if the connection is of this kind.
    pub(super) fn new(connection: &Connection, (source, target): (usize, usize)) -> Option<Dense<T>> {
        let matrix = Matrix::of::<T>(connection, SPARSEST)?;
        let isa = Isa::detect();
        // As many sums as registers hold beside a weight and a value: eight vectors of 512 bits, eight of 256.
        let lines = if isa.has_wide_vectors() { 8 } else { 4 };
        let unit = LINE / T::BYTES;
        let block = lines * unit;
        let mut weights = Pages::zeroed(matrix.places(block, unit));
        let all = weights.all_mut();
        for target in 0..matrix.targets {
            for entry in connection.starts[target] as usize..connection.starts[target + 1] as usize {
                let place = matrix.place(block, unit, target, connection.sources[entry] as usize);
                all[place] = weight(connection, entry);
            }
        }
        let sums = vec![T::default(); matrix.targets.next_multiple_of(unit)];
        Some(Dense { matrix, weights, block, source, target, sums, isa })
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
        if weights.len() < FEWEST_FOR_THREADS {
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
    match sums.len() {
        8 => fixed::<T, FULL, 8>(sums, weights, values),
        16 => fixed::<T, FULL, 16>(sums, weights, values),
        24 => fixed::<T, FULL, 24>(sums, weights, values),
        32 => fixed::<T, FULL, 32>(sums, weights, values),
        40 => fixed::<T, FULL, 40>(sums, weights, values),
        48 => fixed::<T, FULL, 48>(sums, weights, values),
        56 => fixed::<T, FULL, 56>(sums, weights, values),
        64 => fixed::<T, FULL, 64>(sums, weights, values),
        80 => fixed::<T, FULL, 80>(sums, weights, values),
        96 => fixed::<T, FULL, 96>(sums, weights, values),
        112 => fixed::<T, FULL, 112>(sums, weights, values),
        128 => fixed::<T, FULL, 128>(sums, weights, values),
        width => unreachable!("blocks are one to eight lines wide, not {width} numbers"),
    }
}

/// Adds up source by source for all targets of a block; `weights` holds them in that order.
#[inline(always)]
fn fixed<T: Real, const FULL: bool, const WIDTH: usize>(sums: &mut [T], weights: &[T], values: &[T]) {
    let mut total = [T::default(); WIDTH];
    for (weights, value) in weights.as_chunks::<WIDTH>().0.iter().zip(values) {
        for (sum, weight) in total.iter_mut().zip(weights) {
            let added = weight.fma(*value, *sum);
            *sum = if FULL || *weight != T::default() { added } else { *sum };
        }
    }
    sums.copy_from_slice(&total);
}
