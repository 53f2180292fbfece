//! Weighted sums over connections whose entries have delays of their own.
//!
//! Where most sources reach most targets, the past of each source is kept in a ring of its own, so that what all targets
//! read of one source lies in the first-level cache while they read it. Weights and delays are kept source by source, and
//! the sums of all targets grow side by side, each in the order of the sources.

use std::sync::Arc;

use rayon::prelude::*;

use super::matrix::Matrix;
use super::{FEWEST_FOR_THREADS, Why, density, weight, weights};
use crate::engine::lanes::Delay;
use crate::engine::pages::Pages;
use crate::engine::team::threads;
use crate::engine::{Memory, Real};
use crate::isa::{Isa, Work};
use crate::program::Connection;

/// Targets that one thread handles at a time when entries are a list.
const BLOCK: usize = 16;
/// Most targets whose sums grow side by side: they share the first-level cache with the ring of a source.
const WIDEST: usize = 1024;
/// A matrix with fewer entries in this many places is better kept as a list.
const SPARSEST: usize = 4;
/// Most numbers in the rings of all sources.
const MOST: usize = 1 << 24;

/// Connections with delays.
pub struct Past<T> {
    form: Form<T>,
    longest: u32,
    history: usize,
    current: Option<usize>,
    target: usize,
    /// Results before they are copied to the target.
    sums: Vec<T>,
}

enum Form<T> {
    /// Entry after entry, each from its slot of the history.
    Listed { connection: Arc<Connection>, weights: Vec<T>, delays: Arc<[u32]>, starts: Vec<usize> },
    /// Source after source.
    Short(Rings<T, u8>),
    /// The same with long delays.
    Long(Rings<T, u16>),
}

/// Sources with rings of their own.
struct Rings<T, D> {
    matrix: Matrix,
    /// Targets of a block.
    block: usize,
    /// By blocks, source by source; 0 where there is no entry.
    weights: Pages<T>,
    delays: Pages<D>,
    /// For each source `length` values: that of step `s` at `s mod length`.
    rings: Pages<T>,
    length: usize,
    /// The rings hold all values of the steps before this one.
    ready: Option<u64>,
    isa: Isa,
}

impl<T: Real> Past<T> {
    pub(super) fn new(connection: Arc<Connection>, history: usize, current: Option<usize>, target: usize) -> Past<T> {
        let delays = connection.delays.clone().unwrap_or_else(|| vec![0; connection.sources.len()].into());
        let longest = delays.iter().copied().max().unwrap_or(0);
        // A weight of 0 marks places without an entry.
        let marked = connection.weights.iter().all(|w| T::from_f64(*w) != T::default());
        let matrix = Matrix::of::<T>(&connection, SPARSEST).filter(|_| marked);
        let length = (longest as usize + 1).next_power_of_two();
        let form = match matrix.filter(|m| m.sources * length <= MOST) {
            Some(matrix) if length - 1 <= u8::MOST => Form::Short(Rings::new(&connection, &delays, matrix, length)),
            Some(matrix) if length - 1 <= u16::MOST => Form::Long(Rings::new(&connection, &delays, matrix, length)),
            _ => {
                let starts = vec![0; longest as usize + 1];
                Form::Listed { weights: weights(&connection.weights), connection, delays, starts }
            }
        };
        Past { form, longest, history, current, target, sums: Vec::new() }
    }

    /// Something else than the steps wrote to a buffer, or to any.
    pub(super) fn wrote(&mut self, buffer: Option<usize>) {
        if buffer.is_none_or(|b| b == self.history) {
            match &mut self.form {
                Form::Listed { .. } => {}
                Form::Short(rings) => rings.ready = None,
                Form::Long(rings) => rings.ready = None,
            }
        }
    }

    pub(super) fn run(&mut self, memory: &mut Memory<T>, step: u64) {
        let places = (self.history, self.current, self.longest);
        match &mut self.form {
            Form::Listed { connection, weights, delays, starts } => {
                self.sums.resize(memory.slot(self.target, 0).len(), T::default());
                listed(memory, places, step, (connection, weights, delays), starts, &mut self.sums);
            }
            Form::Short(rings) => rings.run(memory, places, step, &mut self.sums),
            Form::Long(rings) => rings.run(memory, places, step, &mut self.sums),
        }
        let target = memory.slot_mut(self.target, 0);
        target.copy_from_slice(&self.sums[..target.len()]);
    }

    /// What it does, and why.
    pub(super) fn why(&self, connection: &Connection) -> Why {
        let (density, longest) = (density(connection), self.longest);
        let rings = |bytes: usize, length: usize| {
            let reason = format!("{density}, delays up to {longest} steps: a ring of {length} values for each source");
            ("matrix with delays", bytes, reason)
        };
        match &self.form {
            Form::Listed { weights, .. } => {
                let lists = 2 * size_of_val(&*connection.sources) + size_of_val(&*connection.starts);
                let reason = format!("{density}, delays up to {longest} steps");
                ("list of entries with delays", lists + size_of_val(&**weights), reason)
            }
            Form::Short(all) => rings(all.bytes(), all.length),
            Form::Long(all) => rings(all.bytes(), all.length),
        }
    }
}

fn listed<T: Real>(
    memory: &Memory<T>,
    (history, current, _): (usize, Option<usize>, u32),
    step: u64,
    (connection, weights, delays): (&Connection, &[T], &[u32]),
    starts: &mut [usize],
    sums: &mut [T],
) {
    for (delay, start) in starts.iter_mut().enumerate() {
        let slot = memory.past_slot(history, step, delay as u32);
        *start = match current {
            Some(current) if delay == 0 => memory.place(current, 0).start,
            _ => memory.place(history, slot).start,
        };
    }
    let (all, starts) = (memory.all(), &starts[..]);
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
    if connection.sources.len() < FEWEST_FOR_THREADS || threads() == 1 {
        sums.chunks_mut(BLOCK).enumerate().for_each(block);
    } else {
        sums.par_chunks_mut(BLOCK).enumerate().for_each(block);
    }
}

impl<T: Real, D: Delay> Rings<T, D> {
    fn new(connection: &Connection, delays: &[u32], matrix: Matrix, length: usize) -> Rings<T, D> {
        let block = matrix.targets.next_multiple_of(T::LANES).min(WIDEST);
        let places = matrix.places(block, T::LANES);
        let (mut by_source, mut delays_by_source) = (Pages::<T>::zeroed(places), Pages::<D>::zeroed(places));
        for target in 0..matrix.targets {
            let entries = connection.starts[target] as usize..connection.starts[target + 1] as usize;
            for (entry, (source, delay)) in
                entries.clone().zip(connection.sources[entries.clone()].iter().zip(&delays[entries]))
            {
                let place = matrix.place(block, T::LANES, target, *source as usize);
                by_source.all_mut()[place] = weight(connection, entry);
                delays_by_source.all_mut()[place] = D::from_steps(*delay);
            }
        }
        let rings = Pages::zeroed(matrix.sources * length);
        let isa = Isa::detect();
        Rings { matrix, block, weights: by_source, delays: delays_by_source, rings, length, ready: None, isa }
    }

    fn run(
        &mut self,
        memory: &Memory<T>,
        (history, current, longest): (usize, Option<usize>, u32),
        step: u64,
        sums: &mut Vec<T>,
    ) {
        let known = self.ready.filter(|ready| *ready <= step && step - ready < u64::from(longest));
        let missing = known.map_or(u64::from(longest), |ready| step - ready) as u32;
        for back in (1..=missing).rev() {
            let slot = memory.past_slot(history, step, back);
            self.store(step.wrapping_sub(u64::from(back)), memory.slot(history, slot));
        }
        if let Some(current) = current {
            self.store(step, memory.slot(current, 0));
        }
        self.ready = Some(step);

        let (block, sources, isa) = (self.block, self.matrix.sources, self.isa);
        let (weights, delays, ring) = (self.weights.all(), self.delays.all(), (self.rings.all(), self.length));
        // The length divides 2^32.
        let now = step as u32;
        sums.clear();
        sums.resize(self.matrix.targets.next_multiple_of(T::LANES), T::default());
        let threads = if weights.len() < FEWEST_FOR_THREADS { 1 } else { threads() };
        // Threads share the targets of a block.
        let share = self.matrix.targets.div_ceil(threads).next_multiple_of(T::LANES).min(block);
        let add = |first: usize, (part, sums): (usize, &mut [T]), stride: usize| {
            let from = first * sources + part * share;
            let (weights, delays) = (&weights[from..], &delays[from..]);
            #[cfg(target_arch = "x86_64")]
            if isa == Isa::Avx512 {
                // SAFETY: the processor has these instructions; parts are whole vectors, with a weight and a delay for each of
                // their sums and each source.
                return unsafe { T::add_past(sums, weights, delays, stride, ring, now) };
            }
            isa.run(AddPast { sums, weights, delays, stride, ring, now });
        };
        for (index, sums) in sums.chunks_mut(block).enumerate() {
            let (first, stride) = (index * block, sums.len());
            match threads {
                1 => add(first, (0, sums), stride),
                _ => sums.par_chunks_mut(share).enumerate().for_each(|part| add(first, part, stride)),
            }
        }
    }

    fn bytes(&self) -> usize {
        size_of_val(self.weights.all()) + size_of_val(self.delays.all()) + size_of_val(self.rings.all())
    }

    /// Puts the values of a step into the rings.
    fn store(&mut self, step: u64, values: &[T]) {
        let at = step as usize & (self.length - 1);
        for (ring, value) in self.rings.all_mut().chunks_exact_mut(self.length).zip(values) {
            ring[at] = *value;
        }
    }
}

/// What is compiled for several instruction sets.
struct AddPast<'a, T, D> {
    sums: &'a mut [T],
    weights: &'a [T],
    delays: &'a [D],
    stride: usize,
    ring: (&'a [T], usize),
    now: u32,
}

impl<T: Real, D: Delay> Work for AddPast<'_, T, D> {
    #[inline(always)]
    fn run(self) {
        add_past(self.sums, self.weights, self.delays, self.stride, self.ring, self.now);
    }
}

/// As [`Lanes::add_past`](crate::engine::lanes::Lanes::add_past), without gathering vectors.
#[inline(always)]
fn add_past<T: Real, D: Delay>(
    sums: &mut [T],
    weights: &[T],
    delays: &[D],
    stride: usize,
    (rings, length): (&[T], usize),
    now: u32,
) {
    for (j, ring) in rings.chunks_exact(length).enumerate() {
        let row = weights[j * stride..].iter().zip(&delays[j * stride..]);
        for (sum, (weight, delay)) in sums.iter_mut().zip(row) {
            if *weight != T::default() {
                *sum = weight.fma(ring[now.wrapping_sub(delay.steps()) as usize & (length - 1)], *sum);
            }
        }
    }
}
