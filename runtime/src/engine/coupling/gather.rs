//! Weighted sums over few connections of many, target by target.
//!
//! With 512-bit vectors the entries of as many targets as a vector holds are interleaved and added up side by side, each
//! target in the order of its entries; targets with about as many entries are put together.

use std::sync::Arc;

use rayon::prelude::*;

use super::{FEWEST_FOR_THREADS, Why, density, weights};
use crate::engine::lanes::NONE;
use crate::engine::team::threads;
use crate::engine::{Memory, Real};
use crate::isa::{Isa, Work};
use crate::program::Connection;

/// Targets that one thread handles at a time.
const BLOCK: usize = 64;

/// Any connections.
pub struct Gather<T> {
    form: Form<T>,
    /// Networks side by side that have these connections, source elements from one to the next, targets of one.
    members: usize,
    stride: usize,
    targets: usize,
    source: usize,
    target: usize,
    /// Results before they are copied to the target: block by block, in each member by member.
    sums: Vec<T>,
}

enum Form<T> {
    /// Entry after entry.
    Listed { connection: Arc<Connection>, weights: Vec<T>, isa: Isa },
    /// Vector by vector of targets.
    Interleaved(Interleaved<T>),
}

/// Targets in vectors, their entries interleaved.
struct Interleaved<T> {
    /// The target of each lane: targets with as many entries are neighbours.
    order: Vec<u32>,
    /// First entry of each vector.
    starts: Vec<usize>,
    indices: Vec<u32>,
    /// One for all, or one for each index.
    weights: Vec<T>,
    /// One more than the largest index.
    sources: usize,
}

impl<T: Real> Gather<T> {
    pub(super) fn new(connection: Arc<Connection>, (source, target): (usize, usize)) -> Gather<T> {
        let isa = Isa::detect();
        let (members, stride) = (connection.members as usize, connection.stride as usize);
        let targets = connection.starts.len() - 1;
        let form = match Interleaved::new(&connection, isa) {
            Some(interleaved) => Form::Interleaved(interleaved),
            None => Form::Listed { weights: weights(&connection.weights), connection, isa },
        };
        let sums = vec![T::default(); members * targets.next_multiple_of(BLOCK)];
        Gather { form, members, stride, targets, source, target, sums }
    }

    pub(super) fn run(&mut self, memory: &mut Memory<T>) {
        let values = memory.slot(self.source, 0);
        let (form, sums, stride) = (&self.form, &mut self.sums, self.stride);
        let entries = match form {
            Form::Listed { connection, .. } => connection.sources.len(),
            Form::Interleaved(all) => all.indices.len(),
        };
        let block = |(index, sums): (usize, &mut [T])| {
            for (member, sums) in sums.chunks_exact_mut(BLOCK).enumerate() {
                let values = &values[member * stride..];
                match form {
                    Form::Listed { connection, weights, isa } => {
                        isa.run(Listed { connection, weights, first: index * BLOCK, sums, values });
                    }
                    Form::Interleaved(all) => all.block(index * BLOCK, sums, values),
                }
            }
        };
        let of_block = self.members * BLOCK;
        if self.members * entries < FEWEST_FOR_THREADS || threads() == 1 {
            sums.chunks_exact_mut(of_block).enumerate().for_each(block);
        } else {
            sums.par_chunks_exact_mut(of_block).enumerate().for_each(block);
        }
        let target = memory.slot_mut(self.target, 0);
        for (index, sums) in sums.chunks_exact(of_block).enumerate() {
            let own = index * BLOCK..self.targets.min((index + 1) * BLOCK);
            for (target, sums) in target.chunks_exact_mut(self.targets).zip(sums.chunks_exact(BLOCK)) {
                match form {
                    Form::Listed { .. } => target[own.clone()].copy_from_slice(&sums[..own.len()]),
                    Form::Interleaved(all) => {
                        all.order[own.clone()].iter().zip(sums).for_each(|(i, sum)| target[*i as usize] = *sum);
                    }
                }
            }
        }
    }

    /// What it does, and why.
    pub(super) fn why(&self, connection: &Connection) -> Why {
        let lists = size_of_val(&*connection.starts) + size_of_val(&*connection.sources);
        if connection.starts.len() == 2 {
            return ("one sum", lists, "all targets get the same sum, or there is one".to_string());
        }
        let density = density(connection);
        match &self.form {
            Form::Listed { weights, .. } => {
                ("list of entries", lists + size_of_val(&**weights), format!("{density}; no vectors that gather"))
            }
            Form::Interleaved(all) => {
                let bytes = size_of_val(&*all.indices) + size_of_val(&*all.weights);
                ("interleaved lists", bytes, format!("{density}; {} targets side by side", T::LANES))
            }
        }
    }
}

/// What is compiled for several instruction sets.
struct Listed<'a, T> {
    connection: &'a Connection,
    weights: &'a [T],
    first: usize,
    sums: &'a mut [T],
    values: &'a [T],
}

impl<T: Real> Work for Listed<'_, T> {
    #[inline(always)]
    fn run(self) {
        listed(self.connection, self.weights, self.first, self.sums, self.values);
    }
}

/// The sums of targets from `first` on.
#[inline(always)]
fn listed<T: Real>(connection: &Connection, weights: &[T], first: usize, sums: &mut [T], values: &[T]) {
    let targets = connection.starts.len() - 1;
    for (i, sum) in sums.iter_mut().enumerate().take(targets - first.min(targets)) {
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

impl<T: Real> Interleaved<T> {
    /// The form, where vectors can gather and there is enough to do for them.
    fn new(connection: &Connection, isa: Isa) -> Option<Interleaved<T>> {
        let (targets, lanes) = (connection.starts.len() - 1, T::LANES);
        let sources = connection.sources.iter().max().map_or(0, |last| *last as usize + 1);
        if !isa.has_wide_vectors() || targets < lanes || sources > i32::MAX as usize {
            return None;
        }
        let entries = |target: usize| connection.starts[target] as usize..connection.starts[target + 1] as usize;
        let mut order: Vec<u32> = (0..targets as u32).collect();
        order.sort_by_key(|target| entries(*target as usize).len());
        let longest = order.chunks(lanes).map(|targets| entries(targets[targets.len() - 1] as usize).len());
        let mut starts = vec![0];
        starts.extend(longest.scan(0, |sum, length| {
            *sum += length * lanes;
            Some(*sum)
        }));
        let places = starts[starts.len() - 1];
        let each = connection.weights.len() > 1;
        let mut indices = vec![NONE; places];
        let mut weights = vec![T::default(); if each { places } else { 1 }];
        if let [one] = connection.weights[..] {
            weights[0] = T::from_f64(one);
        }
        for (vector, targets) in order.chunks(lanes).enumerate() {
            for (lane, target) in targets.iter().enumerate() {
                for (k, entry) in entries(*target as usize).enumerate() {
                    let place = starts[vector] + k * lanes + lane;
                    indices[place] = connection.sources[entry];
                    if each {
                        weights[place] = T::from_f64(connection.weights[entry]);
                    }
                }
            }
        }
        Some(Interleaved { order, starts, indices, weights, sources })
    }

    /// The sums of lanes from `first` on.
    fn block(&self, first: usize, sums: &mut [T], values: &[T]) {
        assert!(self.sources <= values.len());
        let vectors = self.starts.windows(2).skip(first / T::LANES);
        for (sums, range) in sums.chunks_mut(T::LANES).zip(vectors) {
            let indices = &self.indices[range[0]..range[1]];
            let weights = if self.weights.len() > 1 { &self.weights[range[0]..range[1]] } else { &self.weights };
            // SAFETY: `new` found wide vectors, made whole vectors of indices, with as many weights or one, and none of the
            // indices is beyond `sources`, which was compared with the values above.
            #[cfg(target_arch = "x86_64")]
            unsafe {
                T::gather(sums, weights, indices, values);
            }
            #[cfg(not(target_arch = "x86_64"))]
            let _ = (sums, weights, indices);
        }
    }
}
