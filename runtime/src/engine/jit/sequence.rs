//! What the generator turns into code: the operations of a body, and moves between scalars and the lanes of a vector.

use super::kinds::Kind;
use crate::program::{Binary, Body, Op};

/// Most lanes of a packed vector: single precision in 256 bits.
pub const MOST_LANES: usize = 8;

/// One value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Step {
    /// An operation; operands are indices of steps.
    Op(Op),
    /// A vector of scalars: the first `count` entries.
    Pack([u32; MOST_LANES], u8),
    /// One lane of a vector.
    Lane(u32, u8),
    /// A mask.
    Truth(TruthOp),
    /// Words.
    Word(WordOp),
    /// The number of a word.
    FromWord(u32),
    /// 1 where a mask is set, else 0.
    FromTruth(u32),
}

/// How a mask is made.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum TruthOp {
    /// A comparison of numbers.
    Compare(Binary, u32, u32),
    /// A comparison of words.
    CompareWords(Binary, u32, u32),
    /// Both.
    And(u32, u32),
    /// One at least.
    Or(u32, u32),
    /// Not.
    Not(u32),
}

/// How words are made.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum WordOp {
    /// An element of a buffer that holds words.
    Load(u32),
    /// A number.
    Number(i16),
    /// The only element of a buffer of numbers.
    Scalar(u32),
    /// Sum, difference, smaller or larger one.
    Binary(Binary, u32, u32),
    /// `b` where the mask `a` is set, else `c`.
    Select(u32, u32, u32),
    /// 1 where a mask is set, else 0.
    FromTruth(u32),
    /// The word of a number that is one.
    FromNumber(u32),
}

/// Straight-line code.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sequence {
    /// Values in order.
    pub steps: Vec<Step>,
    /// Whether a value is a vector although the kernel works on scalars.
    pub wide: Vec<bool>,
    /// The form of each value.
    pub kinds: Vec<Kind>,
    /// Stores after all of them: (buffer, value).
    pub stores: Vec<(u32, u32)>,
}

impl Sequence {
    /// The operations as they are.
    pub fn plain(body: &Body) -> Sequence {
        Sequence {
            steps: body.values.iter().map(|op| Step::Op(*op)).collect(),
            wide: vec![false; body.values.len()],
            kinds: vec![Kind::Number; body.values.len()],
            stores: body.stores.clone(),
        }
    }

    /// Adds a value.
    pub fn push(&mut self, step: Step, wide: bool) -> u32 {
        self.steps.push(step);
        self.wide.push(wide);
        self.kinds.push(Kind::Number);
        self.steps.len() as u32 - 1
    }

    /// Adds a value of some form.
    pub fn push_kind(&mut self, step: Step, kind: Kind) -> u32 {
        let at = self.push(step, false);
        self.kinds[at as usize] = kind;
        at
    }
}

/// The values a step reads.
pub fn operands(step: &Step) -> impl Iterator<Item = u32> + use<> {
    let mut list = [0; MOST_LANES];
    let count = match *step {
        Step::Pack(lanes, count) => {
            list = lanes;
            count as usize
        }
        Step::Lane(vector, _) => {
            list[0] = vector;
            1
        }
        Step::FromWord(a)
        | Step::FromTruth(a)
        | Step::Truth(TruthOp::Not(a))
        | Step::Word(WordOp::FromTruth(a) | WordOp::FromNumber(a)) => {
            list[0] = a;
            1
        }
        Step::Truth(
            TruthOp::Compare(_, a, b) | TruthOp::CompareWords(_, a, b) | TruthOp::And(a, b) | TruthOp::Or(a, b),
        )
        | Step::Word(WordOp::Binary(_, a, b)) => {
            list[..2].copy_from_slice(&[a, b]);
            2
        }
        Step::Word(WordOp::Select(a, b, c)) => {
            list[..3].copy_from_slice(&[a, b, c]);
            3
        }
        Step::Word(WordOp::Load(_) | WordOp::Number(_) | WordOp::Scalar(_)) => 0,
        Step::Op(op) => {
            let (count, read) = of_operation(&op);
            list[..3].copy_from_slice(&read);
            count
        }
    };
    list.into_iter().take(count)
}

/// The number of operands of an operation, and the operands.
pub fn of_operation(op: &Op) -> (usize, [u32; 3]) {
    match *op {
        Op::Constant(_) | Op::Time | Op::StepSize | Op::Load { .. } | Op::Past { .. } => (0, [0; 3]),
        Op::Unary(_, a) => (1, [a, 0, 0]),
        Op::Binary(_, a, b) => (2, [a, b, 0]),
        Op::Fma(a, b, c) | Op::Select(a, b, c) => (3, [a, b, c]),
    }
}

/// An operation with other operands.
pub fn with_operands(op: &Op, read: [u32; 3]) -> Op {
    match *op {
        Op::Unary(f, _) => Op::Unary(f, read[0]),
        Op::Binary(f, ..) => Op::Binary(f, read[0], read[1]),
        Op::Fma(..) => Op::Fma(read[0], read[1], read[2]),
        Op::Select(..) => Op::Select(read[0], read[1], read[2]),
        leaf => leaf,
    }
}
