//! Weighted sums over any connections, target by target.

use std::sync::Arc;

use rayon::prelude::*;

use super::{FEWEST_FOR_THREADS, weights};
use crate::engine::{Memory, Real};
use crate::isa::Isa;
use crate::program::Connection;

/// Targets that one thread handles at a time.
const BLOCK: usize = 64;

/// Any connections: the entries of a target are added up one after the other.
pub struct Gather<T> {
    connection: Arc<Connection>,
    weights: Vec<T>,
    source: usize,
    target: usize,
    /// Results before they are copied to the target.
    sums: Vec<T>,
    isa: Isa,
}

impl<T: Real> Gather<T> {
    pub(super) fn new(connection: Arc<Connection>, (source, target): (usize, usize)) -> Gather<T> {
        let weights = weights(&connection.weights);
        Gather { connection, weights, source, target, sums: Vec::new(), isa: Isa::detect() }
    }

    pub(super) fn run(&mut self, memory: &mut Memory<T>) {
        self.sums.resize(memory.slot(self.target, 0).len(), T::default());
        let values = memory.slot(self.source, 0);
        let (connection, weights, isa) = (&*self.connection, &self.weights[..], self.isa);
        let block = |(index, sums): (usize, &mut [T])| {
            isa.run(|| block(connection, weights, index * BLOCK, sums, values));
        };
        if connection.sources.len() < FEWEST_FOR_THREADS {
            self.sums.chunks_mut(BLOCK).enumerate().for_each(block);
        } else {
            self.sums.par_chunks_mut(BLOCK).enumerate().for_each(block);
        }
        memory.slot_mut(self.target, 0).copy_from_slice(&self.sums);
    }
}

/// The sums of targets from `first` on.
#[inline(always)]
fn block<T: Real>(connection: &Connection, weights: &[T], first: usize, sums: &mut [T], values: &[T]) {
    for (i, sum) in sums.iter_mut().enumerate() {
        let entries = connection.starts[first + i] as usize..connection.starts[first + i + 1] as usize;
        let sources = &connection.sources[entries.clone()];
        *sum = match weights {
            [weight] => sources.iter().fold(T::default(), |s, j| weight.fma(values[*j as usize], s)),
            _ => {
                let weighted = sources.iter().zip(&weights[entries]);
                weighted.fold(T::default(), |s, (j, w)| w.fma(values[*j as usize], s))
            }
        };
    }
}
