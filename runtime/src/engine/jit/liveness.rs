//! What is known of a body before code is made: which values are needed, where each is read last, which are the same for
//! all elements, and in the fused form which are states.

use std::collections::{HashMap, HashSet};

use super::assembler::Width;
use super::code::{Places, Shape};
use super::sequence::{Sequence, Step, of_operation, operands};
use crate::program::{Binary, Body, Op};

/// A state of the fused form.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// Its buffer.
    pub buffer: u32,
    /// The value that reads it, if any does.
    pub current: Option<usize>,
    /// The value it has next.
    pub next: usize,
}

/// The findings.
pub struct Liveness {
    /// Positions at which each value is read, ascending; stores come after all values.
    pub uses: Vec<Vec<usize>>,
    /// States of the fused form.
    pub states: Vec<State>,
    /// The first state that each value reads, and that has each value next.
    reads: HashMap<usize, usize>,
    nexts: HashMap<usize, usize>,
    needed: Vec<bool>,
    lazy: Vec<bool>,
    /// Buffers of which every load reads the same number for all elements.
    uniform: HashMap<u32, bool>,
    values: usize,
}

/// In place of a state's next value where a body only reads it.
const STAYS: usize = usize::MAX;

impl Liveness {
    /// Examines a body.
    pub fn new(body: &Sequence, shape: Shape, places: &dyn Places) -> Liveness {
        let states = if shape.fused { states(body) } else { Vec::new() };
        Liveness::with_states(body, shape, places, states)
    }

    /// Examines a body that reads states but does not change them.
    pub fn observing(body: &Sequence, shape: Shape, places: &dyn Places, states: &[State]) -> Liveness {
        let loads = loads(body);
        let current = |buffer: u32| loads.get(&buffer).copied();
        let states = states.iter().map(|s| State { buffer: s.buffer, current: current(s.buffer), next: STAYS });
        Liveness::with_states(body, shape, places, states.collect())
    }

    fn with_states(body: &Sequence, shape: Shape, places: &dyn Places, states: Vec<State>) -> Liveness {
        let count = body.steps.len();
        let mut needed = vec![false; count];
        for (_, value) in &body.stores {
            needed[*value as usize] = true;
        }
        for at in (0..count).rev() {
            if needed[at] {
                operands(&body.steps[at]).for_each(|o| needed[o as usize] = true);
            }
        }
        let mut lazy: Vec<bool> = body.steps.iter().map(is_comparison).collect();
        for (_, op) in body.steps.iter().enumerate().filter(|(at, _)| needed[*at]) {
            let condition = if let Step::Op(Op::Select(c, _, _)) = op { Some(*c) } else { None };
            let others = operands(op).enumerate().filter(|(i, o)| !(*i == 0 && condition == Some(*o)));
            others.for_each(|(_, o)| lazy[o as usize] = false);
        }
        for (_, value) in &body.stores {
            lazy[*value as usize] = false;
        }
        let mut uses = vec![Vec::new(); count];
        for (at, op) in body.steps.iter().enumerate().filter(|(at, _)| needed[*at] && !lazy[*at]) {
            for operand in operands(op) {
                if lazy[operand as usize] {
                    // A lazy comparison's operands are read where the choice is.
                    operands(&body.steps[operand as usize]).for_each(|o| uses[o as usize].push(at));
                } else {
                    uses[operand as usize].push(at);
                }
            }
        }
        for (_, value) in &body.stores {
            uses[*value as usize].push(count);
        }
        let stored: HashSet<u32> = body.stores.iter().map(|s| s.0).chain(states.iter().map(|s| s.buffer)).collect();
        let mut uniform = HashMap::new();
        for op in &body.steps {
            // In a kernel for one element, whatever it does not store is a number like any other.
            if let Step::Op(Op::Load { buffer, scalar } | Op::Past { buffer, scalar, .. }) = op {
                let single = shape.width == Width::Scalar && !stored.contains(buffer) && !places.is_ring(*buffer);
                uniform.insert(*buffer, *scalar || single);
            }
        }
        let (mut reads, mut nexts) = (HashMap::new(), HashMap::new());
        for (at, state) in states.iter().enumerate().rev() {
            reads.extend(state.current.map(|value| (value, at)));
            nexts.insert(state.next, at);
        }
        Liveness { uses, states, reads, nexts, needed, lazy, uniform, values: count }
    }

    /// Whether a value needs no code where it stands.
    pub fn is_skipped(&self, at: usize) -> bool {
        !self.needed[at] || self.lazy[at]
    }

    /// Whether a comparison is made where the choice that reads it is.
    pub fn is_lazy(&self, at: usize) -> bool {
        self.lazy[at]
    }

    /// Whether a load reads the same number for all elements.
    pub fn is_uniform_load(&self, op: &Op) -> bool {
        match op {
            Op::Load { buffer, scalar } | Op::Past { buffer, scalar, .. } => {
                *scalar || self.uniform.get(buffer) == Some(&true)
            }
            _ => false,
        }
    }

    /// The state that a value reads.
    pub fn state_read(&self, at: usize) -> Option<usize> {
        self.reads.get(&at).copied()
    }

    /// The state that has a value next.
    pub fn state_advanced(&self, at: usize) -> Option<usize> {
        self.nexts.get(&at).copied()
    }

    /// Whether nothing reads a value after position `at`.
    pub fn dies(&self, value: usize, at: usize) -> bool {
        self.uses[value].last().is_none_or(|last| *last <= at)
    }

    /// The first position after `at` where a value is read.
    pub fn next_use(&self, value: usize, at: usize) -> usize {
        let uses = &self.uses[value];
        uses.get(uses.partition_point(|u| *u <= at)).copied().unwrap_or(self.values + 1)
    }
}

fn states(body: &Sequence) -> Vec<State> {
    let loads = loads(body);
    let state = |(buffer, next): &(u32, u32)| State {
        buffer: *buffer,
        current: loads.get(buffer).copied(),
        next: *next as usize,
    };
    body.stores.iter().map(state).collect()
}

/// The first value that reads each buffer.
fn loads(body: &Sequence) -> HashMap<u32, usize> {
    let mut loads = HashMap::new();
    for (at, step) in body.steps.iter().enumerate() {
        if let Step::Op(Op::Load { buffer, .. }) = step {
            loads.entry(*buffer).or_insert(at);
        }
    }
    loads
}

fn is_comparison(step: &Step) -> bool {
    use Binary::{Eq, Ge, Gt, Le, Lt, Ne};
    matches!(step, Step::Op(Op::Binary(Lt | Le | Gt | Ge | Eq | Ne, ..)))
}

/// The largest number of values that have to be in registers at the same time, without those that lie in the pool.
pub fn most_live(body: &Body) -> usize {
    let mut last = vec![0; body.values.len()];
    for (at, op) in body.values.iter().enumerate() {
        let (count, read) = of_operation(op);
        read[..count].iter().for_each(|o| last[*o as usize] = at);
    }
    body.stores.iter().for_each(|s| last[s.1 as usize] = body.values.len());
    let mut ends = vec![0usize; body.values.len() + 1];
    let (mut live, mut most) = (0usize, 0);
    for (at, op) in body.values.iter().enumerate() {
        live -= ends[at].min(live);
        let pooled = matches!(op, Op::Constant(_) | Op::Time | Op::StepSize | Op::Load { .. });
        if last[at] > at && !pooled {
            live += 1;
            ends[last[at]] += 1;
        }
        most = most.max(live);
    }
    most
}
