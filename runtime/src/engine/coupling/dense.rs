//! Weighted sums where every target is connected to every source: a matrix times a vector.
//!
//! The weights are kept by blocks of targets, in each source by source, so that the sums of a block are made side by side
//! in registers, each in the order of the sources.

use rayon::prelude::*;

use super::{FEWEST_FOR_THREADS, weights};
use crate::engine::{Memory, Real};
use crate::isa::Isa;
use crate::program::Connection;

/// Targets whose sums are made side by side.
const BLOCK: usize = 64;

/// Every target connected to every source, in order.
pub struct Dense<T> {
    /// Block of targets by block, in each source by source, for each source all targets of the block.
    weights: Vec<T>,
    source: usize,
    target: usize,
    /// Results before they are copied to the target.
    sums: Vec<T>,
    isa: Isa,
}

impl<T: Real> Dense<T> {
    /// The kernel, if the connection is of this kind.
    pub(super) fn new(connection: &Connection, (source, target): (usize, usize)) -> Option<Dense<T>> {
        let sources = dense_sources(connection)?;
        if connection.weights.len() < 2 {
            return None;
        }
        let weights = by_block(&weights(&connection.weights), sources);
        Some(Dense { weights, source, target, sums: Vec::new(), isa: Isa::detect() })
    }

    pub(super) fn run(&mut self, memory: &mut Memory<T>) {
        self.sums.resize(memory.slot(self.target, 0).len(), T::default());
        let values = memory.slot(self.source, 0);
        let (weights, isa) = (&self.weights[..], self.isa);
        let block = |(index, sums): (usize, &mut [T])| {
            let weights = &weights[index * BLOCK * values.len()..];
            isa.run(|| dense(sums, weights, values));
        };
        if weights.len() < FEWEST_FOR_THREADS {
            self.sums.chunks_mut(BLOCK).enumerate().for_each(block);
        } else {
            self.sums.par_chunks_mut(BLOCK).enumerate().for_each(block);
        }
        memory.slot_mut(self.target, 0).copy_from_slice(&self.sums);
    }
}

/// Adds up source by source for all targets of a block; `weights` holds them in that order.
#[inline(always)]
fn dense<T: Real>(sums: &mut [T], weights: &[T], values: &[T]) {
    if let Ok(sums) = <&mut [T; BLOCK]>::try_from(&mut *sums) {
        let mut total = [T::default(); BLOCK];
        for (weights, value) in weights.as_chunks::<BLOCK>().0.iter().zip(values) {
            for (sum, weight) in total.iter_mut().zip(weights) {
                *sum = weight.fma(*value, *sum);
            }
        }
        *sums = total;
        return;
    }
    sums.fill(T::default());
    for (weights, value) in weights.chunks_exact(sums.len()).zip(values) {
        for (sum, weight) in sums.iter_mut().zip(weights) {
            *sum = weight.fma(*value, *sum);
        }
    }
}

/// The number of sources, if every target is connected to all of them in order.
fn dense_sources(connection: &Connection) -> Option<usize> {
    let targets = connection.starts.len() - 1;
    let sources = connection.sources.len().checked_div(targets)?;
    let regular = connection.starts.iter().enumerate().all(|(i, s)| *s as usize == i * sources);
    (regular && connection.sources.iter().enumerate().all(|(e, j)| *j as usize == e % sources)).then_some(sources)
}

/// Row-major weights as blocks of targets, in each source by source.
fn by_block<T: Real>(weights: &[T], sources: usize) -> Vec<T> {
    let mut ordered = Vec::with_capacity(weights.len());
    for rows in weights.chunks(BLOCK * sources) {
        let targets = rows.len() / sources;
        ordered.extend((0..sources).flat_map(|j| (0..targets).map(move |i| rows[i * sources + j])));
    }
    ordered
}
