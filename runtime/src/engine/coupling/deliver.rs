//! Deliveries: what spiking sources send, added in place. Work is done for their connections only.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::{FEWEST_FOR_THREADS, Why, weights};
use crate::engine::team::threads;
use crate::engine::{Memory, Real};
use crate::isa::{Isa, Work};
use crate::program::Fanout;

/// Sources that are looked at together: most groups have no spike.
const GROUP: usize = 64;

/// Connections that spikes travel along.
pub struct Deliver<T> {
    fanout: Arc<Fanout>,
    weights: Vec<T>,
    /// Whether the targets of every source ascend, so that threads can share them by ranges.
    ascending: bool,
    spikes: usize,
    factor: Option<usize>,
    target: usize,
    factors: Vec<T>,
}

/// The sources that send, by buffer of spikes, while these do not change.
#[derive(Default)]
pub struct Sending {
    known: Vec<(usize, Vec<u32>)>,
    /// Lists to be used again.
    spare: Vec<Vec<u32>>,
}

impl Sending {
    /// Buffers may have changed.
    pub fn clear(&mut self) {
        self.spare.extend(self.known.drain(..).map(|(_, list)| list));
    }

    /// A buffer changes.
    fn forget(&mut self, buffer: usize) {
        if let Some(at) = self.known.iter().position(|k| k.0 == buffer) {
            self.spare.push(self.known.swap_remove(at).1);
        }
    }

    /// The elements of a buffer that are not 0, ascending.
    fn of<T: Real>(&mut self, buffer: usize, memory: &Memory<T>) -> &[u32] {
        let at = self.known.iter().position(|k| k.0 == buffer).unwrap_or_else(|| {
            let mut list = self.spare.pop().unwrap_or_default();
            list.clear();
            match memory.is_words(buffer) {
                true => scan(Isa::detect(), memory.word_slot(buffer), &mut list),
                false => scan(Isa::detect(), memory.slot(buffer, 0), &mut list),
            }
            self.known.push((buffer, list));
            self.known.len() - 1
        });
        &self.known[at].1
    }
}

impl<T: Real> Deliver<T> {
    pub(super) fn new(fanout: Arc<Fanout>, spikes: usize, factor: Option<usize>, target: usize) -> Deliver<T> {
        let weights = weights(&fanout.weights);
        let ascending = fanout.starts.windows(2).all(|row| {
            let targets = &fanout.targets[row[0] as usize..row[1] as usize];
            targets.windows(2).all(|pair| pair[0] <= pair[1])
        });
        Deliver { fanout, weights, ascending, spikes, factor, target, factors: Vec::new() }
    }

    /// What it does, and why.
    pub(super) fn why(&self) -> Why {
        let lists = size_of_val(&*self.fanout.starts) + size_of_val(&*self.fanout.targets);
        let reason = "spikes: work for the sources that send only".to_string();
        ("push by spike", lists + size_of_val(&*self.weights), reason)
    }

    pub(super) fn run(&mut self, memory: &mut Memory<T>, sending: &mut Sending) {
        sending.forget(self.target);
        let sources = sending.of(self.spikes, memory);
        if sources.is_empty() {
            return;
        }
        self.factors.clear();
        if let Some(factor) = self.factor {
            let factor = memory.slot(factor, 0);
            self.factors.extend(sources.iter().map(|j| factor[*j as usize]));
        }
        let this = &*self;
        let target = memory.slot_mut(self.target, 0);
        let threads = threads();
        let events = || sources.iter().map(|j| this.entries(*j).len()).sum::<usize>();
        if threads > 1 && this.ascending && events() >= FEWEST_FOR_THREADS {
            // Every target gets what is sent to it from one thread, in the same order.
            let share = target.len().div_ceil(threads);
            let parts = target.par_chunks_mut(share).enumerate();
            parts.for_each(|(part, target)| this.push(sources, target, (part * share) as u32, true));
        } else {
            this.push(sources, target, 0, false);
        }
    }

    fn entries(&self, source: u32) -> Range<usize> {
        self.fanout.starts[source as usize] as usize..self.fanout.starts[source as usize + 1] as usize
    }

    /// Adds what the sources send to the targets from `first` on; those are all there are unless this is a `part` of them.
    fn push(&self, sources: &[u32], target: &mut [T], first: u32, part: bool) {
        Isa::detect().run(Push { deliver: self, sources, target, first, part });
    }

    /// Asks for the list of the targets of a source, which is seldom in the first caches.
    #[inline(always)]
    fn prefetch(&self, source: u32) {
        /// Entries of a cache line, and the most that are asked for: more follow each other long enough for the processor to see
        /// it.
        const LINE: usize = 16;
        const MOST: usize = 512;
        #[cfg(target_arch = "x86_64")]
        for entry in self.fanout.targets[self.entries(source)].iter().take(MOST).step_by(LINE) {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: all processors of this kind have the instruction, and it reads nothing that the program sees.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(entry).cast()) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (source, LINE, MOST);
    }
}

/// What some sources send, as it is compiled for several instruction sets.
struct Push<'a, T> {
    deliver: &'a Deliver<T>,
    sources: &'a [u32],
    target: &'a mut [T],
    first: u32,
    part: bool,
}

impl<T: Real> Work for Push<'_, T> {
    #[inline(always)]
    fn run(self) {
        /// Sources whose lists are asked for before they are needed.
        const AHEAD: usize = 4;
        let Push { deliver, sources, target, first, part } = self;
        let Deliver { fanout, weights, factors, .. } = deliver;
        sources.iter().take(AHEAD).for_each(|source| deliver.prefetch(*source));
        for (k, source) in sources.iter().enumerate() {
            if let Some(later) = sources.get(k + AHEAD) {
                deliver.prefetch(*later);
            }
            let mut entries = deliver.entries(*source);
            if part {
                let targets = &fanout.targets[entries.clone()];
                let from = targets.partition_point(|i| *i < first);
                let to = targets.partition_point(|i| *i < first + target.len() as u32);
                entries = entries.start + from..entries.start + to;
            }
            let targets = &fanout.targets[entries.clone()];
            let cell = |i: &u32| (*i - first) as usize;
            match (&weights[..], factors.get(k)) {
                ([weight], None) => targets.iter().for_each(|i| {
                    let cell = &mut target[cell(i)];
                    *cell = cell.add(*weight);
                }),
                (weights, None) => targets.iter().zip(&weights[entries]).for_each(|(i, weight)| {
                    let cell = &mut target[cell(i)];
                    *cell = cell.add(*weight);
                }),
                ([weight], Some(factor)) => targets.iter().for_each(|i| {
                    let cell = &mut target[cell(i)];
                    *cell = weight.fma(*factor, *cell);
                }),
                (weights, Some(factor)) => targets.iter().zip(&weights[entries]).for_each(|(i, weight)| {
                    let cell = &mut target[cell(i)];
                    *cell = weight.fma(*factor, *cell);
                }),
            }
        }
    }
}

/// Appends the indices of the values that are not 0.
pub fn scan<V: Copy + PartialEq + Default>(isa: Isa, values: &[V], found: &mut Vec<u32>) {
    isa.run(Scan { values, found });
}

/// What is compiled for several instruction sets.
struct Scan<'a, V> {
    values: &'a [V],
    found: &'a mut Vec<u32>,
}

impl<V: Copy + PartialEq + Default> Work for Scan<'_, V> {
    #[inline(always)]
    fn run(self) {
        scan_here(self.values, self.found);
    }
}

#[inline(always)]
fn scan_here<V: Copy + PartialEq + Default>(values: &[V], found: &mut Vec<u32>) {
    let zero = V::default();
    let (groups, rest) = values.as_chunks::<GROUP>();
    for (at, group) in groups.iter().enumerate() {
        let mut any = false;
        for value in group {
            any |= *value != zero;
        }
        if any {
            let mut bits = 0u64;
            for (k, value) in group.iter().enumerate() {
                bits |= u64::from(*value != zero) << k;
            }
            while bits != 0 {
                found.push((at * GROUP) as u32 + bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
    }
    let first = values.len() - rest.len();
    let spiking = rest.iter().enumerate().filter(|(_, value)| **value != zero);
    found.extend(spiking.map(|(k, _)| (first + k) as u32));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_that_is_not_zero_is_found() {
        for len in [0, 1, 63, 64, 65, 200, 256] {
            for every in [1, 3, 64, 100] {
                let values: Vec<f64> = (0..len).map(|i| if i % every == every - 1 { f64::NAN } else { -0.0 }).collect();
                let mut found = Vec::new();
                scan(Isa::detect(), &values, &mut found);
                let expected: Vec<u32> = (0..len as u32).filter(|i| *i as usize % every == every - 1).collect();
                assert_eq!(found, expected, "{len} values, every {every}");
            }
        }
    }
}
