//! Packing: equal operations on different scalars become one operation on a vector.
//!
//! A model of a few single nodes evaluates the same function several times per step, such as the three sigmoids of a
//! Jansen-Rit column. Starting from operations that are typical for such functions, operations are bundled as long as
//! they are the same in every lane, towards operands and towards users; what does not match is packed into a vector or
//! taken out of one (superword-level parallelism: Larsen, Amarasinghe, PLDI 2000). Each lane rounds as the scalar did, so
//! the bits do not change.

use std::collections::HashMap;

use super::sequence::{MOST_LANES, Sequence, Step, of_operation, with_operands};
use crate::program::{Binary, Body, Op, Unary};

/// Bodies with more values are left alone: the search compares pairs of values.
const MOST_VALUES: usize = 4096;

/// Packs a body of scalars into vectors of at most `lanes` lanes, where that takes fewer instructions.
pub fn pack(body: &Body, lanes: usize) -> Sequence {
    let plain = || Sequence::plain(body);
    if body.values.len() > MOST_VALUES {
        return plain();
    }
    let mut packer = Packer::new(body, lanes.min(MOST_LANES));
    packer.bundle_seeds();
    if packer.gain() <= 0 {
        return plain();
    }
    packer.emit().unwrap_or_else(plain)
}

/// Values that are computed as the lanes of one vector.
struct Bundle {
    lanes: Vec<u32>,
}

struct Packer<'a> {
    body: &'a Body,
    lanes: usize,
    /// For each value, the values it depends on, as bits.
    ancestors: Vec<Vec<u64>>,
    users: Vec<Vec<u32>>,
    bundles: Vec<Bundle>,
    /// Bundle and lane of each value.
    member: HashMap<u32, (usize, usize)>,
}

/// How a bundle gets one of its operands.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    /// The same value in all lanes.
    Same,
    /// Another bundle, lane by lane.
    Bundle,
    /// Scalars that have to be packed.
    Gather,
}

impl<'a> Packer<'a> {
    fn new(body: &'a Body, lanes: usize) -> Packer<'a> {
        let count = body.values.len();
        let mut ancestors: Vec<Vec<u64>> = Vec::with_capacity(count);
        let mut users = vec![Vec::new(); count];
        for (at, op) in body.values.iter().enumerate() {
            let mut own = vec![0u64; count.div_ceil(64)];
            let (n, read) = of_operation(op);
            for operand in &read[..n] {
                own[*operand as usize / 64] |= 1 << (operand % 64);
                for (word, other) in own.iter_mut().zip(&ancestors[*operand as usize]) {
                    *word |= other;
                }
                users[*operand as usize].push(at as u32);
            }
            ancestors.push(own);
        }
        Packer { body, lanes, ancestors, users, bundles: Vec::new(), member: HashMap::new() }
    }

    fn op(&self, value: u32) -> &Op {
        &self.body.values[value as usize]
    }

    fn depends(&self, value: u32, on: u32) -> bool {
        self.ancestors[value as usize][on as usize / 64] >> (on % 64) & 1 == 1
    }

    /// Whether values can be lanes of one vector: the same operation, none needing another, none bundled yet.
    fn alike(&self, values: &[u32]) -> bool {
        let kind = std::mem::discriminant(self.op(values[0]));
        let same = |v: &u32| {
            std::mem::discriminant(self.op(*v)) == kind && function(self.op(*v)) == function(self.op(values[0]))
        };
        !is_leaf(self.op(values[0]))
            && values.iter().all(same)
            && values.iter().all(|v| !self.member.contains_key(v))
            && (0..values.len()).all(|i| {
                (0..values.len()).all(|j| i == j || (values[i] != values[j] && !self.depends(values[i], values[j])))
            })
    }

    /// Starts from the operations on bits of exponentials and logarithms, from divisions and roots.
    fn bundle_seeds(&mut self) {
        let is_seed = |op: &Op| {
            matches!(op, Op::Unary(Unary::Raise | Unary::Exponent | Unary::Sqrt, _) | Op::Binary(Binary::Div, ..))
        };
        let mut open: Vec<Vec<u32>> = Vec::new();
        for value in (0..self.body.values.len() as u32).filter(|v| is_seed(self.op(*v))) {
            let fits =
                |group: &Vec<u32>| group.len() < self.lanes && self.alike(&[group.as_slice(), &[value]].concat());
            match open.iter().position(fits) {
                Some(at) => open[at].push(value),
                None => open.push(vec![value]),
            }
        }
        // Raising to a power comes first: what surrounds it leads to the divisions of a sigmoid.
        open.sort_by_key(|group| !matches!(self.op(group[0]), Op::Unary(Unary::Raise, _)));
        for group in open.into_iter().filter(|g| g.len() > 1) {
            if self.alike(&group) {
                self.grow(group);
            }
        }
    }

    /// Bundles values, then their operands and users as far as these are alike.
    fn grow(&mut self, seed: Vec<u32>) {
        let mut queue = vec![self.bundles.len()];
        self.add(seed);
        while let Some(at) = queue.pop() {
            let lanes = self.bundles[at].lanes.clone();
            let (count, _) = of_operation(self.op(lanes[0]));
            for position in 0..count {
                let tuple = self.operand(&lanes, position);
                if self.is_worth_it(&tuple) {
                    queue.push(self.bundles.len());
                    self.add(tuple);
                }
            }
            for tuple in self.users_alike(&lanes) {
                if self.is_worth_it(&tuple) {
                    queue.push(self.bundles.len());
                    self.add(tuple);
                }
            }
        }
    }

    fn add(&mut self, lanes: Vec<u32>) {
        for (lane, value) in lanes.iter().enumerate() {
            self.member.insert(*value, (self.bundles.len(), lane));
        }
        self.bundles.push(Bundle { lanes });
    }

    /// The operands of lanes at a position.
    fn operand(&self, lanes: &[u32], position: usize) -> Vec<u32> {
        lanes.iter().map(|v| of_operation(self.op(*v)).1[position]).collect()
    }

    /// Users of the lanes that do the same with them.
    fn users_alike(&self, lanes: &[u32]) -> Vec<Vec<u32>> {
        let mut found = Vec::new();
        for first in &self.users[lanes[0] as usize] {
            let (count, read) = of_operation(self.op(*first));
            for position in (0..count).filter(|p| read[*p] == lanes[0]) {
                let mut tuple = vec![*first];
                for lane in &lanes[1..] {
                    let user = self.users[*lane as usize].iter().copied().find(|u| {
                        let (n, read) = of_operation(self.op(*u));
                        position < n && read[position] == *lane && !tuple.contains(u) && self.alike(&[tuple[0], *u])
                    });
                    tuple.extend(user);
                }
                if tuple.len() == lanes.len() && !found.contains(&tuple) {
                    found.push(tuple);
                }
            }
        }
        found
    }

    /// Whether bundling values saves instructions: at most one of their operands has to be packed.
    fn is_worth_it(&self, values: &[u32]) -> bool {
        if values.iter().all(|v| *v == values[0]) || !self.alike(values) {
            return false;
        }
        let (count, _) = of_operation(self.op(values[0]));
        let gathers = (0..count).filter(|p| {
            let tuple = self.operand(values, *p);
            self.source(&tuple) == Source::Gather && !self.alike(&tuple)
        });
        gathers.count() <= 1
    }

    fn source(&self, tuple: &[u32]) -> Source {
        if tuple.iter().all(|v| *v == tuple[0]) {
            return Source::Same;
        }
        let bundled = self.member.get(&tuple[0]).is_some_and(|(bundle, _)| self.bundles[*bundle].lanes == tuple);
        if bundled { Source::Bundle } else { Source::Gather }
    }

    /// Instructions saved, less those that pack and take out.
    fn gain(&self) -> i64 {
        let mut gain = 0i64;
        for bundle in &self.bundles {
            let width = bundle.lanes.len() as i64;
            gain += width - 1;
            let (count, _) = of_operation(self.op(bundle.lanes[0]));
            for position in 0..count {
                let tuple = self.operand(&bundle.lanes, position);
                let computed = !is_leaf(self.op(tuple[0]));
                match self.source(&tuple) {
                    Source::Gather => gain -= width,
                    Source::Same if computed => gain -= 1,
                    Source::Same | Source::Bundle => {}
                }
            }
            for value in &bundle.lanes {
                let outside = |u: &u32| !self.member.contains_key(u);
                let stored = self.body.stores.iter().any(|s| s.1 == *value);
                gain -= i64::from(stored || self.users[*value as usize].iter().any(outside));
            }
        }
        gain
    }

    /// The packed code, or `None` when bundles need each other in a circle.
    fn emit(&self) -> Option<Sequence> {
        let mut emitter = Emitter {
            packer: self,
            out: Sequence::default(),
            scalar: HashMap::new(),
            vector: HashMap::new(),
            gathered: HashMap::new(),
            open: vec![false; self.body.values.len()],
        };
        for value in 0..self.body.values.len() as u32 {
            match self.member.get(&value) {
                Some((bundle, _)) => emitter.bundle(*bundle).map(drop)?,
                None => emitter.scalar(value).map(drop)?,
            }
        }
        for (buffer, value) in &self.body.stores {
            let value = emitter.scalar(*value)?;
            emitter.out.stores.push((*buffer, value));
        }
        Some(emitter.out)
    }
}

struct Emitter<'a, 'b> {
    packer: &'a Packer<'b>,
    out: Sequence,
    /// Steps of values as scalars.
    scalar: HashMap<u32, u32>,
    /// Steps of bundles.
    vector: HashMap<usize, u32>,
    /// Steps of packed scalars.
    gathered: HashMap<Vec<u32>, u32>,
    /// Values whose operands are being emitted.
    open: Vec<bool>,
}

impl Emitter<'_, '_> {
    fn scalar(&mut self, value: u32) -> Option<u32> {
        if let Some(known) = self.scalar.get(&value) {
            return Some(*known);
        }
        let step = match self.packer.member.get(&value) {
            Some((bundle, lane)) => Step::Lane(self.bundle(*bundle)?, *lane as u8),
            None => {
                self.enter(value)?;
                let op = *self.packer.op(value);
                let (count, mut read) = of_operation(&op);
                for operand in &mut read[..count] {
                    *operand = self.scalar(*operand)?;
                }
                self.open[value as usize] = false;
                Step::Op(with_operands(&op, read))
            }
        };
        let at = self.out.push(step, false);
        self.scalar.insert(value, at);
        Some(at)
    }

    fn bundle(&mut self, bundle: usize) -> Option<u32> {
        if let Some(known) = self.vector.get(&bundle) {
            return Some(*known);
        }
        let packer = self.packer;
        let lanes = &packer.bundles[bundle].lanes;
        lanes.iter().try_for_each(|v| self.enter(*v))?;
        let op = *packer.op(lanes[0]);
        let (count, mut read) = of_operation(&op);
        for (position, operand) in read[..count].iter_mut().enumerate() {
            *operand = self.vector(&packer.operand(lanes, position))?;
        }
        lanes.iter().for_each(|v| self.open[*v as usize] = false);
        let at = self.out.push(Step::Op(with_operands(&op, read)), true);
        self.vector.insert(bundle, at);
        Some(at)
    }

    /// A vector of values.
    fn vector(&mut self, tuple: &[u32]) -> Option<u32> {
        let source = self.packer.source(tuple);
        if source == Source::Bundle {
            return self.bundle(self.packer.member[&tuple[0]].0);
        }
        if let Some(known) = self.gathered.get(tuple) {
            return Some(*known);
        }
        let op = *self.packer.op(tuple[0]);
        let at = match op {
            // The pool holds whole vectors of what is the same everywhere.
            Op::Constant(_) | Op::Time | Op::StepSize if source == Source::Same => self.out.push(Step::Op(op), true),
            _ => {
                let mut lanes = [0; MOST_LANES];
                for (lane, value) in lanes.iter_mut().zip(tuple) {
                    *lane = self.scalar(*value)?;
                }
                self.out.push(Step::Pack(lanes, tuple.len() as u8), true)
            }
        };
        self.gathered.insert(tuple.to_vec(), at);
        Some(at)
    }

    /// Notes that a value's operands are being emitted; `None` if they already are, which is a circle.
    fn enter(&mut self, value: u32) -> Option<()> {
        let open = &mut self.open[value as usize];
        if std::mem::replace(open, true) { None } else { Some(()) }
    }
}

fn is_leaf(op: &Op) -> bool {
    of_operation(op).0 == 0
}

/// Which function an operation applies.
fn function(op: &Op) -> (Option<Unary>, Option<Binary>) {
    match op {
        Op::Unary(f, _) => (Some(*f), None),
        Op::Binary(f, ..) => (None, Some(*f)),
        _ => (None, None),
    }
}
