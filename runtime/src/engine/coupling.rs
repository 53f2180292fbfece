//! Kernels that move values between elements: takes, and weighted sums over connections.
//!
//! Each sum is made in the order of its entries, product and sum rounded one after the other, whatever the layout of the
//! weights and the number of threads.

use std::sync::Arc;

use rayon::prelude::*;

use super::{Memory, Real, isa::Isa};
use crate::program::{Connection, Kernel};

/// Targets whose sums are made side by side: a block of sums stays in registers or the first-level cache.
const BLOCK: usize = 64;

/// Entries below which threads cost more than they save.
const FEWEST_FOR_THREADS: usize = 1 << 16;

/// A kernel that is no straight-line code, with its weights in the number format of the program.
pub struct Coupling<T> {
    kind: Kind<T>,
    source: usize,
    target: usize,
    /// Results before they are copied to the target.
    sums: Vec<T>,
    isa: Isa,
}

enum Kind<T> {
    Take(Arc<[u32]>),
    /// Every target connected to every source, in order; weights source by source, each for all targets of a block.
    Dense(Vec<T>),
    /// One weight or one per entry.
    Sparse(Arc<Connection>, Vec<T>),
}

impl<T: Real> Coupling<T> {
    /// Prepares a kernel; `None` for straight-line code.
    pub fn new(kernel: &Kernel) -> Option<Coupling<T>> {
        let (kind, source, target) = match kernel {
            Kernel::Pointwise { .. } => return None,
            Kernel::Take { table, source, target } => (Kind::Take(table.clone()), source, target),
            Kernel::Couple { connection, source, target } => {
                let weights: Vec<T> = connection.weights.iter().map(|w| T::from_f64(*w)).collect();
                let kind = match dense_sources(connection) {
                    Some(sources) if weights.len() > 1 => Kind::Dense(by_block(&weights, sources)),
                    _ => Kind::Sparse(connection.clone(), weights),
                };
                (kind, source, target)
            }
        };
        let (source, target) = (*source as usize, *target as usize);
        Some(Coupling { kind, source, target, sums: Vec::new(), isa: Isa::detect() })
    }

    /// Runs the kernel.
    pub fn run(&mut self, memory: &mut Memory<T>) {
        let targets = memory.slot(self.target, 0).len();
        self.sums.resize(targets, T::default());
        let values = memory.slot(self.source, 0);
        let entries = match &self.kind {
            Kind::Take(table) => table.len(),
            Kind::Dense(weights) => weights.len(),
            Kind::Sparse(connection, _) => connection.sources.len(),
        };
        let (kind, isa) = (&self.kind, self.isa);
        let block = |(index, sums): (usize, &mut [T])| kind.block(isa, index * BLOCK, sums, values);
        if entries < FEWEST_FOR_THREADS {
            self.sums.chunks_mut(BLOCK).enumerate().for_each(block);
        } else {
            self.sums.par_chunks_mut(BLOCK).enumerate().for_each(block);
        }
        memory.slot_mut(self.target, 0).copy_from_slice(&self.sums);
    }
}

impl<T: Real> Kind<T> {
    /// The results of targets from `first` on.
    fn block(&self, isa: Isa, first: usize, sums: &mut [T], values: &[T]) {
        match self {
            Kind::Take(table) => {
                for (sum, index) in sums.iter_mut().zip(&table[first..]) {
                    *sum = values[*index as usize];
                }
            }
            Kind::Dense(weights) => {
                let weights = &weights[first * values.len()..];
                isa.run(|| dense(sums, weights, values));
            }
            Kind::Sparse(connection, weights) => {
                for (i, sum) in sums.iter_mut().enumerate() {
                    let entries = connection.starts[first + i] as usize..connection.starts[first + i + 1] as usize;
                    let sources = &connection.sources[entries.clone()];
                    *sum = match weights[..] {
                        [weight] => sources.iter().fold(T::default(), |s, j| s.add(weight.mul(values[*j as usize]))),
                        _ => {
                            let weighted = sources.iter().zip(&weights[entries]);
                            weighted.fold(T::default(), |s, (j, w)| s.add(w.mul(values[*j as usize])))
                        }
                    };
                }
            }
        }
    }
}

/// Adds up source by source for all targets of a block; `weights` holds them in that order.
#[inline(always)]
fn dense<T: Real>(sums: &mut [T], weights: &[T], values: &[T]) {
    if let Ok(sums) = <&mut [T; BLOCK]>::try_from(&mut *sums) {
        let mut total = [T::default(); BLOCK];
        for (weights, value) in weights.as_chunks::<BLOCK>().0.iter().zip(values) {
            for (sum, weight) in total.iter_mut().zip(weights) {
                *sum = sum.add(weight.mul(*value));
            }
        }
        *sums = total;
        return;
    }
    sums.fill(T::default());
    for (weights, value) in weights.chunks_exact(sums.len()).zip(values) {
        for (sum, weight) in sums.iter_mut().zip(weights) {
            *sum = sum.add(weight.mul(*value));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_weights_give_the_same_sums_as_sparse_ones() {
        let (targets, sources) = (150, 37);
        let number = |i: usize| ((i * 7919 % 1009) as f64 / 1009.0) - 0.4;
        let weights: Vec<f64> = (0..targets * sources).map(number).collect();
        let values: Vec<f64> = (0..sources).map(|j| number(j * 31 + 5)).collect();
        let connection = Connection {
            starts: (0..=targets as u32).map(|i| i * sources as u32).collect(),
            sources: (0..targets * sources).map(|e| (e % sources) as u32).collect(),
            weights: weights.clone().into(),
        };
        assert_eq!(dense_sources(&connection), Some(sources));
        let dense = Kind::Dense(by_block(&weights, sources));
        let sparse = Kind::Sparse(Arc::new(connection), weights);
        for first in (0..targets).step_by(BLOCK) {
            let count = BLOCK.min(targets - first);
            let (mut a, mut b) = (vec![0.0; count], vec![1.0; count]);
            dense.block(Isa::detect(), first, &mut a, &values);
            sparse.block(Isa::detect(), first, &mut b, &values);
            assert_eq!(a, b);
        }
    }
}
