//! Weighted sums over connections whose entries have delays of their own.

use std::sync::Arc;

use rayon::prelude::*;

use super::{FEWEST_FOR_THREADS, weights};
use crate::engine::{Memory, Real};
use crate::program::Connection;

/// Targets that one thread handles at a time.
const BLOCK: usize = 16;

/// Connections with delays: each entry reads its slot of a ring.
pub struct Past<T> {
    connection: Arc<Connection>,
    weights: Vec<T>,
    delays: Arc<[u32]>,
    history: usize,
    current: Option<usize>,
    target: usize,
    /// Results before they are copied to the target.
    sums: Vec<T>,
    /// Where the values of each delay begin.
    starts: Vec<usize>,
}

impl<T: Real> Past<T> {
    pub(super) fn new(connection: Arc<Connection>, history: usize, current: Option<usize>, target: usize) -> Past<T> {
        let weights = weights(&connection.weights);
        let delays = connection.delays.clone().unwrap_or_else(|| vec![0; connection.sources.len()].into());
        let longest = delays.iter().copied().max().unwrap_or(0) as usize;
        let starts = vec![0; longest + 1];
        Past { connection, weights, delays, history, current, target, sums: Vec::new(), starts }
    }

    pub(super) fn run(&mut self, memory: &mut Memory<T>, step: u64) {
        self.sums.resize(memory.slot(self.target, 0).len(), T::default());
        for (delay, start) in self.starts.iter_mut().enumerate() {
            let slot = memory.past_slot(self.history, step, delay as u32);
            *start = match self.current {
                Some(current) if delay == 0 => memory.place(current, 0).start,
                _ => memory.place(self.history, slot).start,
            };
        }
        let (all, starts) = (memory.all(), &self.starts[..]);
        let (connection, weights, delays) = (&*self.connection, &self.weights[..], &self.delays[..]);
        let block = |(index, sums): (usize, &mut [T])| {
            for (i, sum) in sums.iter_mut().enumerate() {
                let row = index * BLOCK + i;
                let entries = connection.starts[row] as usize..connection.starts[row + 1] as usize;
                let places = connection.sources[entries.clone()].iter().zip(&delays[entries.clone()]);
                let values = places.map(|(source, delay)| all[starts[*delay as usize] + *source as usize]);
                *sum = match weights {
                    [weight] => values.fold(T::default(), |s, v| weight.fma(v, s)),
                    _ => values.zip(&weights[entries]).fold(T::default(), |s, (v, w)| w.fma(v, s)),
                };
            }
        };
        if connection.sources.len() < FEWEST_FOR_THREADS {
            self.sums.chunks_mut(BLOCK).enumerate().for_each(block);
        } else {
            self.sums.par_chunks_mut(BLOCK).enumerate().for_each(block);
        }
        memory.slot_mut(self.target, 0).copy_from_slice(&self.sums);
    }
}
