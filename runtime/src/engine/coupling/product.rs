//! Weighted sums of many networks with one matrix: a matrix times a matrix, whose columns are the members.
//!
//! The weights lie as those of a single network do, line of targets by line, in each source by source. While the weights of
//! a few lines stream by, the sums of several members are made side by side in registers, each in the order of the sources:
//! a weight that has been read serves all of them. The lines are done for all members before the next ones, so that the
//! matrix comes from memory once. Libraries of matrix products cut sums into pieces and add these up, so they do not give the
//! bits of a member on its own.

use rayon::prelude::*;

use super::dense::{SPARSEST, by_lines};
use super::matrix::Matrix;
use super::{FEWEST_FOR_THREADS, Why};
use crate::engine::pages::Pages;
use crate::engine::team::threads;
use crate::engine::{Memory, Real};
use crate::isa::Isa;
use crate::program::Connection;

/// Lines whose sums are made side by side, and members: with 512-bit vectors 16 of 32 registers hold sums, else 8 of 16.
const LINES: usize = 2;
const MEMBERS: usize = 8;

/// One matrix for several members.
pub struct Product<T> {
    matrix: Matrix,
    members: usize,
    /// Source elements from one member to the next.
    stride: usize,
    weights: Pages<T>,
    /// Lines side by side, and members.
    tile: (usize, usize),
    source: usize,
    target: usize,
    /// What the sources hold: by some members, source by source, for each source all of those members, the last ones padded.
    values: Vec<T>,
    /// Results before they are copied to the target: by some lines, member by member.
    sums: Vec<T>,
    isa: Isa,
}

impl<T: Real> Product<T> {
    /// The kernel, if the connection is of this kind.
    pub(super) fn new(connection: &Connection, (source, target): (usize, usize)) -> Option<Product<T>> {
        let matrix = Matrix::of::<T>(connection, SPARSEST).filter(|m| m.targets > 1)?;
        let isa = Isa::detect();
        let tile = if isa.has_wide_vectors() { (LINES, MEMBERS) } else { (1, MEMBERS / 2) };
        let (members, stride) = (connection.members as usize, connection.stride as usize);
        let weights = by_lines(connection, &matrix);
        let groups = matrix.targets.div_ceil(tile.0 * T::LANES);
        let padded = members.next_multiple_of(tile.1);
        let values = vec![T::default(); padded * matrix.sources];
        let sums = vec![T::default(); groups * tile.0 * T::LANES * padded];
        Some(Product { matrix, members, stride, weights, tile, source, target, values, sums, isa })
    }

    /// What it does, and why.
    pub(super) fn why(&self) -> Why {
        let (members, side_by_side) = (self.members, self.tile.1);
        let reason = format!("one matrix for {members} members, read once a step; {side_by_side} members side by side");
        ("matrix product", size_of_val(self.weights.all()), reason)
    }

    pub(super) fn run(&mut self, memory: &mut Memory<T>) {
        let (matrix, isa, (side_by_side, together)) = (self.matrix, self.isa, self.tile);
        let source = memory.slot(self.source, 0);
        for (block, values) in self.values.chunks_exact_mut(matrix.sources * together).enumerate() {
            for member in 0..together.min(self.members - block * together) {
                let from = &source[(block * together + member) * self.stride..][..matrix.sources];
                values.iter_mut().skip(member).step_by(together).zip(from).for_each(|(to, from)| *to = *from);
            }
        }
        let (weights, values) = (self.weights.all(), &self.values[..]);
        let line = T::LANES * matrix.sources;
        let group = |(at, sums): (usize, &mut [T])| {
            let weights = &weights[at * side_by_side * line..];
            let weights = &weights[..weights.len().min(side_by_side * line)];
            match matrix.full {
                true => lines::<T, true>(isa, weights, values, sums, matrix.sources),
                false => lines::<T, false>(isa, weights, values, sums, matrix.sources),
            }
        };
        let of_group = self.sums.len() / matrix.targets.div_ceil(side_by_side * T::LANES);
        if self.members * weights.len() < FEWEST_FOR_THREADS || threads() == 1 {
            self.sums.chunks_exact_mut(of_group).enumerate().for_each(group);
        } else {
            self.sums.par_chunks_exact_mut(of_group).enumerate().for_each(group);
        }
        let wide = side_by_side * T::LANES;
        let target = memory.slot_mut(self.target, 0);
        for (at, sums) in self.sums.chunks_exact(of_group).enumerate() {
            let count = wide.min(matrix.targets - at * wide);
            let members = target.chunks_exact_mut(matrix.targets).zip(sums.chunks_exact(wide));
            members.for_each(|(target, sums)| target[at * wide..][..count].copy_from_slice(&sums[..count]));
        }
    }
}

/// The sums of some lines for all members.
fn lines<T: Real, const FULL: bool>(isa: Isa, weights: &[T], values: &[T], sums: &mut [T], sources: usize) {
    let lanes = T::LANES;
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => {
            let tiles = values.chunks_exact(sources * MEMBERS).zip(sums.chunks_exact_mut(LINES * lanes * MEMBERS));
            for (values, sums) in tiles {
                if weights.len() == LINES * lanes * sources {
                    // SAFETY: `detect` found these instructions on this machine.
                    unsafe { tile_512::<T, FULL, LINES>(weights, values, sums, sources) }
                    continue;
                }
                let (line, _) = sums.split_at_mut(lanes * MEMBERS);
                // SAFETY: as above.
                unsafe { tile_512::<T, FULL, 1>(weights, values, line, sources) }
                // The sums of the last line lie where those of the first of two would.
                for member in (1..MEMBERS).rev() {
                    sums.copy_within(member * lanes..(member + 1) * lanes, member * LINES * lanes);
                }
            }
        }
        _ => {
            let tiles = values.chunks_exact(sources * MEMBERS / 2).zip(sums.chunks_exact_mut(lanes * MEMBERS / 2));
            for (values, sums) in tiles {
                match isa {
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => unsafe { tile_256::<T, FULL>(weights, values, sums, sources) },
                    _ => narrow::<T, FULL>(weights, values, sums, sources),
                }
            }
        }
    }
}

// A function of its own for each: the sums of one that has several kinds in it are not kept in registers.

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
fn tile_512<T: Real, const FULL: bool, const LINES: usize>(
    weights: &[T],
    values: &[T],
    sums: &mut [T],
    sources: usize,
) {
    match T::LANES {
        8 => fixed::<T, FULL, 8, LINES, MEMBERS>(weights, values, sums, sources),
        _ => fixed::<T, FULL, 16, LINES, MEMBERS>(weights, values, sums, sources),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn tile_256<T: Real, const FULL: bool>(weights: &[T], values: &[T], sums: &mut [T], sources: usize) {
    narrow::<T, FULL>(weights, values, sums, sources);
}

#[inline(always)]
fn narrow<T: Real, const FULL: bool>(weights: &[T], values: &[T], sums: &mut [T], sources: usize) {
    match T::LANES {
        8 => fixed::<T, FULL, 8, 1, { MEMBERS / 2 }>(weights, values, sums, sources),
        _ => fixed::<T, FULL, 16, 1, { MEMBERS / 2 }>(weights, values, sums, sources),
    }
}

/// Adds up source by source, for some members all targets of some lines.
#[inline(always)]
fn fixed<T: Real, const FULL: bool, const LANES: usize, const LINES: usize, const MEMBERS: usize>(
    weights: &[T],
    values: &[T],
    sums: &mut [T],
    sources: usize,
) {
    let all = weights.as_chunks::<LANES>().0;
    let streams: [&[[T; LANES]]; LINES] = std::array::from_fn(|line| &all[line * sources..][..sources]);
    let mut total = [[[T::default(); LANES]; LINES]; MEMBERS];
    for (j, values) in values.as_chunks::<MEMBERS>().0.iter().enumerate().take(sources) {
        for (total, value) in total.iter_mut().zip(values) {
            for (total, stream) in total.iter_mut().zip(&streams) {
                for (sum, weight) in total.iter_mut().zip(&stream[j]) {
                    let added = weight.fma(*value, *sum);
                    *sum = if FULL || *weight != T::default() { added } else { *sum };
                }
            }
        }
    }
    sums.copy_from_slice(total.as_flattened().as_flattened());
}
