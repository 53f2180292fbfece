//! Deliveries: what spiking sources send, added in place. Work is done for their connections only.

use std::sync::Arc;

use super::weights;
use crate::engine::{Memory, Real};
use crate::program::Fanout;

/// Connections that spikes travel along.
pub struct Deliver<T> {
    fanout: Arc<Fanout>,
    weights: Vec<T>,
    spikes: usize,
    factor: Option<usize>,
    target: usize,
    /// Sources that send in this step, with their factors.
    sending: Vec<(u32, T)>,
}

impl<T: Real> Deliver<T> {
    pub(super) fn new(fanout: Arc<Fanout>, spikes: usize, factor: Option<usize>, target: usize) -> Deliver<T> {
        let weights = weights(&fanout.weights);
        Deliver { fanout, weights, spikes, factor, target, sending: Vec::new() }
    }

    pub(super) fn run(&mut self, memory: &mut Memory<T>) {
        self.sending.clear();
        for (source, spike) in memory.slot(self.spikes, 0).iter().enumerate() {
            if *spike != T::default() {
                let factor = self.factor.map_or(T::default(), |f| memory.slot(f, 0)[source]);
                self.sending.push((source as u32, factor));
            }
        }
        let target = memory.slot_mut(self.target, 0);
        for (source, factor) in &self.sending {
            let source = *source as usize;
            let entries = self.fanout.starts[source] as usize..self.fanout.starts[source + 1] as usize;
            let targets = &self.fanout.targets[entries.clone()];
            match (&self.weights[..], self.factor) {
                ([weight], None) => targets.iter().for_each(|i| {
                    let cell = &mut target[*i as usize];
                    *cell = cell.add(*weight);
                }),
                ([weight], Some(_)) => targets.iter().for_each(|i| {
                    let cell = &mut target[*i as usize];
                    *cell = weight.fma(*factor, *cell);
                }),
                (weights, factored) => targets.iter().zip(&weights[entries]).for_each(|(i, weight)| {
                    let cell = &mut target[*i as usize];
                    *cell = if factored.is_some() { weight.fma(*factor, *cell) } else { cell.add(*weight) };
                }),
            }
        }
    }
}
