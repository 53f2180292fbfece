//! Values in the form that suits them: numbers, truth values in mask registers, small whole numbers in words of 16 bits.
//!
//! With AVX-512 a comparison makes a mask, and what is computed of masks only never becomes a number. Whole numbers whose
//! bounds are known ([`super::whole`]) are added and compared as words, an eighth or a half of the work, where the buffer
//! they come from holds words.

use super::sequence::{Sequence, Step, TruthOp, WordOp, operands};
use super::whole::{self, Bounds, Contents};
use crate::program::{Binary, Body, Op, Unary};

/// The form of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Floating-point numbers.
    Number,
    /// Bits in a mask register.
    Truth,
    /// Whole numbers of 16 bits.
    Word,
}

/// Mask registers that values may be in at the same time; one more is scratch, and one cannot be used.
pub const MASKS: usize = 6;

/// Gives every value of a body its form. `contents` bounds what buffers hold, `words` says which of them hold words.
pub fn kinds(body: &Body, copies: usize, contents: &Contents, words: &dyn Fn(u32) -> bool) -> Sequence {
    let found = whole::values(body, contents);
    let typed = Typing::new(body, &found, words, true).finish();
    match most_masks(&typed) * copies <= MASKS {
        true => typed,
        false => Typing::new(body, &found, words, false).finish(),
    }
}

/// The most masks that hold something that is read later.
fn most_masks(sequence: &Sequence) -> usize {
    let mut last = vec![0; sequence.steps.len()];
    for (at, step) in sequence.steps.iter().enumerate() {
        operands(step).for_each(|o| last[o as usize] = at);
    }
    let mut ends = vec![0; sequence.steps.len() + 1];
    let (mut held, mut most) = (0usize, 0);
    for (at, kind) in sequence.kinds.iter().enumerate() {
        if *kind == Kind::Truth {
            held += 1;
            ends[last[at].max(at)] += 1;
        }
        most = most.max(held);
        // An operation's operands leave after its result has come.
        held -= ends[at];
    }
    most
}

struct Typing<'a> {
    body: &'a Body,
    bounds: &'a [Option<Bounds>],
    words: &'a dyn Fn(u32) -> bool,
    /// Whether comparisons make masks; otherwise all but what lies in buffers of words are numbers.
    masks: bool,
    sequence: Sequence,
    /// Each value of the body in each form it has been asked for.
    numbers: Vec<Option<u32>>,
    truths: Vec<Option<u32>>,
    whole: Vec<Option<u32>>,
}

impl<'a> Typing<'a> {
    fn new(body: &'a Body, bounds: &'a [Option<Bounds>], words: &'a dyn Fn(u32) -> bool, masks: bool) -> Typing<'a> {
        let none = vec![None; body.values.len()];
        let (numbers, truths, whole) = (none.clone(), none.clone(), none);
        let mut typing = Typing { body, bounds, words, masks, sequence: Sequence::default(), numbers, truths, whole };
        for at in 0..body.values.len() as u32 {
            typing.value(at);
        }
        typing
    }

    fn finish(mut self) -> Sequence {
        for (buffer, value) in &self.body.stores {
            let value = match (self.words)(*buffer) {
                true => self.word(*value),
                false => self.number(*value),
            };
            self.sequence.stores.push((*buffer, value));
        }
        self.sequence
    }

    /// A value in the form it is computed in.
    fn value(&mut self, at: u32) {
        let slot = at as usize;
        match self.body.values[slot] {
            Op::Load { buffer, scalar: false } if (self.words)(buffer) => {
                self.whole[slot] = Some(self.push(Step::Word(WordOp::Load(buffer)), Kind::Word));
            }
            Op::Binary(f, a, b) if self.masks && is_comparison(f) => {
                let op = match self.are_words(&[a, b]) {
                    true => TruthOp::CompareWords(f, self.word(a), self.word(b)),
                    false => TruthOp::Compare(f, self.number(a), self.number(b)),
                };
                self.truths[slot] = Some(self.push(Step::Truth(op), Kind::Truth));
            }
            Op::Binary(f @ (Binary::And | Binary::Or), a, b) if self.masks => {
                let (a, b) = (self.truth(a), self.truth(b));
                let op = if f == Binary::And { TruthOp::And(a, b) } else { TruthOp::Or(a, b) };
                self.truths[slot] = Some(self.push(Step::Truth(op), Kind::Truth));
            }
            Op::Unary(Unary::Not, a) if self.masks => {
                let a = self.truth(a);
                self.truths[slot] = Some(self.push(Step::Truth(TruthOp::Not(a)), Kind::Truth));
            }
            Op::Binary(f @ (Binary::Add | Binary::Sub | Binary::Min | Binary::Max), a, b)
                if self.masks && self.bounds[slot].is_some() && self.are_words(&[a, b]) =>
            {
                let op = WordOp::Binary(f, self.word(a), self.word(b));
                self.whole[slot] = Some(self.push(Step::Word(op), Kind::Word));
            }
            Op::Select(condition, a, b) if self.masks => {
                let words = self.bounds[slot].is_some() && self.are_words(&[a, b]);
                let condition = self.truth(condition);
                if words {
                    let op = WordOp::Select(condition, self.word(a), self.word(b));
                    self.whole[slot] = Some(self.push(Step::Word(op), Kind::Word));
                } else {
                    let op = Op::Select(condition, self.number(a), self.number(b));
                    self.numbers[slot] = Some(self.push(Step::Op(op), Kind::Number));
                }
            }
            op => {
                let (count, read) = super::sequence::of_operation(&op);
                let mut given = [0; 3];
                for (to, from) in given.iter_mut().zip(&read[..count]) {
                    *to = self.number(*from);
                }
                let op = super::sequence::with_operands(&op, given);
                self.numbers[slot] = Some(self.push(Step::Op(op), Kind::Number));
            }
        }
    }

    fn push(&mut self, step: Step, kind: Kind) -> u32 {
        self.sequence.push_kind(step, kind)
    }

    /// Whether values can be had as words for nothing, and one of them lies in words.
    fn are_words(&self, values: &[u32]) -> bool {
        let whole = |v: &u32| self.whole[*v as usize].is_some() && !self.is_leaf(*v);
        let leaf = |v: &u32| self.is_leaf(*v) && self.bounds[*v as usize].is_some();
        values.iter().all(|v| whole(v) || leaf(v)) && values.iter().any(whole)
    }

    /// Whether a value is the same for all elements and lies in the pool.
    fn is_leaf(&self, value: u32) -> bool {
        matches!(self.body.values[value as usize], Op::Constant(_) | Op::Load { scalar: true, .. })
    }

    /// Whether a value is 0 or 1 by what computes it.
    fn is_flag(&self, value: u32) -> bool {
        match self.body.values[value as usize] {
            Op::Unary(Unary::Not, _) | Op::Binary(Binary::And | Binary::Or, ..) => true,
            Op::Binary(f, ..) => is_comparison(f),
            _ => false,
        }
    }

    fn number(&mut self, value: u32) -> u32 {
        let slot = value as usize;
        if let Some(known) = self.numbers[slot] {
            return known;
        }
        let step = match (self.whole[slot], self.truths[slot]) {
            (Some(word), _) => Step::FromWord(word),
            (None, Some(truth)) => Step::FromTruth(truth),
            (None, None) => unreachable!("values are computed in order"),
        };
        let number = self.push(step, Kind::Number);
        self.numbers[slot] = Some(number);
        number
    }

    fn truth(&mut self, value: u32) -> u32 {
        let slot = value as usize;
        if let Some(known) = self.truths[slot] {
            return known;
        }
        let op = match self.whole[slot] {
            Some(word) if !self.is_leaf(value) => {
                let zero = self.push(Step::Word(WordOp::Number(0)), Kind::Word);
                TruthOp::CompareWords(Binary::Ne, word, zero)
            }
            _ => {
                let (value, zero) = (self.number(value), self.push(Step::Op(Op::Constant(0.0)), Kind::Number));
                TruthOp::Compare(Binary::Ne, value, zero)
            }
        };
        let truth = self.push(Step::Truth(op), Kind::Truth);
        self.truths[slot] = Some(truth);
        truth
    }

    fn word(&mut self, value: u32) -> u32 {
        let slot = value as usize;
        if let Some(known) = self.whole[slot] {
            return known;
        }
        let op = match (self.body.values[slot], self.truths[slot]) {
            (Op::Constant(number), _) => WordOp::Number(number as i16),
            (Op::Load { buffer, scalar: true }, _) => WordOp::Scalar(buffer),
            // A number that is a condition too is a mask, but not of its own value.
            (_, Some(truth)) if self.is_flag(value) => WordOp::FromTruth(truth),
            _ => WordOp::FromNumber(self.number(value)),
        };
        let word = self.push(Step::Word(op), Kind::Word);
        self.whole[slot] = Some(word);
        word
    }
}

fn is_comparison(f: Binary) -> bool {
    matches!(f, Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge | Binary::Eq | Binary::Ne)
}
