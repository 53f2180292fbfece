//! Deliveries: what spiking sources send, added in place. Work is done for their connections only.

use std::sync::Arc;

use rayon::prelude::*;

use super::{FEWEST_FOR_THREADS, Why, weights};
use crate::engine::{Memory, Real};
use crate::isa::Isa;
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
        let threads = rayon::current_num_threads();
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

    fn entries(&self, source: u32) -> std::ops::Range<usize> {
        self.fanout.starts[source as usize] as usize..self.fanout.starts[source as usize + 1] as usize
    }

    /// Adds what the sources send to the targets from `first` on; those are all there are unless this is a `part` of them.
    fn push(&self, sources: &[u32], target: &mut [T], first: u32, part: bool) {
        for (k, source) in sources.iter().enumerate() {
            let mut entries = self.entries(*source);
            if part {
                let targets = &self.fanout.targets[entries.clone()];
                let from = targets.partition_point(|i| *i < first);
                let to = targets.partition_point(|i| *i < first + target.len() as u32);
                entries = entries.start + from..entries.start + to;
            }
            let targets = &self.fanout.targets[entries.clone()];
            let cell = |i: &u32| (*i - first) as usize;
            match (&self.weights[..], self.factors.get(k)) {
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
fn scan<V: Copy + PartialEq + Default>(isa: Isa, values: &[V], found: &mut Vec<u32>) {
    let mut group = 0;
    while group < values.len() {
        let mut next = values.len();
        isa.run(|| next = first_group(values, group));
        let end = (next + GROUP).min(values.len());
        let spiking = (next..end).filter(|i| values[*i] != V::default());
        found.extend(spiking.map(|i| i as u32));
        group = end;
    }
}

/// The first element of the first group from `from` on that has a value that is not 0; the length if none has.
#[inline(always)]
fn first_group<V: Copy + PartialEq + Default>(values: &[V], from: usize) -> usize {
    let (groups, rest) = values[from..].as_chunks::<GROUP>();
    for (k, group) in groups.iter().enumerate() {
        let mut any = false;
        for value in group {
            any |= *value != V::default();
        }
        if any {
            return from + k * GROUP;
        }
    }
    if rest.is_empty() { values.len() } else { values.len() - rest.len() }
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
