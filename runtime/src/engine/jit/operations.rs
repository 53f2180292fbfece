//! Each operation as instructions.

use super::allocate::Place;
use super::assembler::{Mask, MaskRegister, Opcode, Operand, Vector, Width};
use super::code::Generator;
use super::kinds::Kind;
use super::pool::Entry;
use super::sequence::{Step, operands};
use super::table::{self, predicate};
use crate::engine::real::{DOUBLE, SINGLE};
use crate::program::{Binary, Op, Precision, Unary};

/// The mask register that no value stays in.
const SCRATCH_MASK: MaskRegister = 1;

/// The bits of a number format's layout, as wide as a pool entry's lanes.
struct Bits {
    digits: u8,
    lane: u8,
    sign: u64,
    root: u64,
    carry: u64,
    whole: u64,
    whole_biased: u64,
    significand: u64,
}

fn layout(precision: Precision) -> Bits {
    match precision {
        Precision::F64 => Bits {
            digits: DOUBLE.digits as u8,
            lane: 64,
            sign: 1 << 63,
            root: DOUBLE.root,
            carry: DOUBLE.carry,
            whole: DOUBLE.whole,
            whole_biased: DOUBLE.whole_biased,
            significand: (1 << DOUBLE.digits) - 1,
        },
        Precision::F32 => Bits {
            digits: SINGLE.digits as u8,
            lane: 32,
            sign: 1 << 31,
            root: u64::from(SINGLE.root),
            carry: u64::from(SINGLE.carry),
            whole: u64::from(SINGLE.whole),
            whole_biased: u64::from(SINGLE.whole_biased),
            significand: (1 << SINGLE.digits) - 1,
        },
    }
}

impl Generator<'_> {
    /// Computes one value for one copy.
    pub fn value(&mut self, at: usize, copy: usize) {
        let step = self.body.steps[at];
        if let Some(place) = self.uniform_place(&step) {
            self.allocator.set_place(at, copy, place);
            return;
        }
        if let Some(state) = self.liveness.state_read(at) {
            let home = self.allocator.home(state, copy);
            self.allocator.set_place(at, copy, home);
            return;
        }
        let mut read: Vec<usize> = Vec::new();
        for operand in operands(&step) {
            match self.liveness.is_lazy(operand as usize) {
                true => read.extend(operands(&self.body.steps[operand as usize]).map(|o| o as usize)),
                false => read.push(operand as usize),
            }
        }
        read.sort_unstable();
        read.dedup();
        let dying: Vec<usize> = read.iter().copied().filter(|o| self.liveness.dies(*o, at)).collect();
        if let Step::Truth(op) = step {
            return self.truth_value(op, (at, copy), &dying);
        }
        // An operation of one instruction reads its operands before it writes the result.
        let atomic = is_atomic(&step);
        if atomic {
            dying.iter().for_each(|o| self.allocator.release(*o, copy));
        }
        let result = match self.home_for(at, copy, &step, atomic) {
            Some(home) => {
                self.allocator.set_place(at, copy, Place::Register(home));
                home
            }
            None => {
                let prefer = self.preferred(&step, copy);
                let (register, spill) = self.allocator.claim((at, copy), prefer, &self.liveness);
                if let Some(spill) = spill {
                    let slot = self.operand(Place::Frame(spill.slot));
                    self.put_whole(slot, spill.register);
                }
                register
            }
        };
        self.compute(&step, result, copy);
        if !atomic {
            dying.iter().for_each(|o| self.allocator.release(*o, copy));
        }
    }

    /// The home of the state whose next value this is, if it is a register that nothing reads any more.
    fn home_for(&self, at: usize, copy: usize, step: &Step, atomic: bool) -> Option<Vector> {
        let state = self.liveness.state_advanced(at)?;
        let Place::Register(home) = self.allocator.home(state, copy) else { return None };
        let Some(current) = self.liveness.states[state].current else { return Some(home) };
        let last_read_here = operands(step).any(|o| o as usize == current);
        // Lazy comparisons are part of operations of several instructions.
        let free = if atomic && last_read_here {
            self.liveness.dies(current, at)
        } else {
            at > 0 && self.liveness.dies(current, at - 1)
        };
        free.then_some(home)
    }

    /// The register an operation would like its result in: that of an operand it overwrites.
    fn preferred(&self, step: &Step, copy: usize) -> Option<Vector> {
        let Step::Op(Op::Fma(a, b, c)) = *step else { return None };
        [c, a, b].into_iter().find_map(|o| match self.allocator.place(o as usize, copy) {
            Place::Register(register) if self.allocator.is_free(register) => Some(register),
            _ => None,
        })
    }

    pub(super) fn of(&self, value: u32, copy: usize) -> Operand {
        self.operand(self.allocator.place(value as usize, copy))
    }

    fn compute(&mut self, step: &Step, result: Vector, copy: usize) {
        let op = match *step {
            Step::Op(op) => op,
            Step::Pack(lanes, count) => {
                let lanes: Vec<Operand> = lanes[..count as usize].iter().map(|l| self.of(*l, copy)).collect();
                return self.pack(result, &lanes);
            }
            Step::Word(op) => return self.word(op, result, copy),
            Step::FromWord(word) => return self.number_of_word(result, self.of(word, copy)),
            Step::FromTruth(truth) => return self.number_of_truth(result, self.mask_of(truth, copy)),
            Step::Truth(_) => unreachable!("masks have registers of their own"),
            Step::Lane(vector, lane) => {
                let vector = self.of(vector, copy);
                return self.lane(result, vector, lane);
            }
        };
        match op {
            Op::Load { buffer, .. } => {
                let from = self.element(buffer, copy);
                self.fetch(result, from);
            }
            Op::Past { buffer, steps, .. } => {
                let from = self.ring_element(Entry::PastAddress(buffer, steps), copy);
                self.fetch(result, from);
            }
            Op::Unary(f, a) => {
                let a = self.of(a, copy);
                self.unary(f, result, a);
            }
            Op::Binary(f, a, b) => {
                let (a, b) = (self.of(a, copy), self.of(b, copy));
                self.binary(f, result, a, b);
            }
            Op::Fma(a, b, c) => {
                let (a, b, c) = (self.of(a, copy), self.of(b, copy), self.of(c, copy));
                self.fma(result, a, b, c);
            }
            Op::Select(condition, b, c) => {
                let (then, otherwise) = (self.of(b, copy), self.of(c, copy));
                if self.body.kinds[condition as usize] == Kind::Truth {
                    let mask = self.mask_of(condition, copy);
                    return self.choose_by(mask, result, then, otherwise);
                }
                match self.body.steps[condition as usize] {
                    Step::Op(Op::Binary(f, a, b)) if self.liveness.is_lazy(condition as usize) => {
                        let (a, b) = (self.of(a, copy), self.of(b, copy));
                        self.choose(comparison(f), a, b, result, then, otherwise);
                    }
                    _ => {
                        let (condition, zero) = (self.of(condition, copy), self.constant(0.0));
                        self.choose(predicate::NOT_EQUAL, condition, zero, result, then, otherwise);
                    }
                }
            }
            Op::Constant(_) | Op::Time | Op::StepSize => unreachable!("these have a place without code"),
        }
    }

    /// `result = op(a, b)` in the width of the kernel.
    fn arithmetic(&mut self, op: fn(Precision, Width) -> Opcode, result: Vector, a: Operand, b: Operand) {
        let first = self.in_register(a, 0);
        let (p, w) = (self.shape.precision, self.width);
        self.asm.vector(op(p, w), w, result, first, b, Mask::None);
    }

    fn commutative(&mut self, op: fn(Precision, Width) -> Opcode, result: Vector, a: Operand, b: Operand) {
        match (a, b) {
            (Operand::Memory(_), Operand::Register(_)) => self.arithmetic(op, result, b, a),
            _ => self.arithmetic(op, result, a, b),
        }
    }

    fn unary(&mut self, f: Unary, result: Vector, a: Operand) {
        let (p, w) = (self.shape.precision, self.width);
        let bits = layout(p);
        match f {
            Unary::Neg => {
                let sign = self.pattern(bits.sign);
                let a = self.in_register(a, 0);
                self.packed(table::xor(p), result, a, sign);
            }
            Unary::Abs => {
                let rest = self.pattern(bits.sign - 1);
                let a = self.in_register(a, 0);
                self.packed(table::and(p), result, a, rest);
            }
            Unary::Sqrt => {
                let a = self.in_register(a, 0);
                let upper = if w == Width::Scalar { a } else { 0 };
                self.asm.vector(table::sqrt(p, w), w, result, upper, Operand::Register(a), Mask::None);
            }
            // Immediates of the rounding instructions: nearest even 0, down 1, up 2, truncate 3; 8: no exception.
            Unary::Round => self.round(result, a, 8),
            Unary::Floor => self.round(result, a, 9),
            Unary::Ceil => self.round(result, a, 10),
            Unary::Trunc => self.round(result, a, 11),
            Unary::Not => {
                let zero = self.constant(0.0);
                self.truth(predicate::EQUAL, result, a, zero);
            }
            Unary::Raise => self.shift(table::LEFT, bits.digits, result, a),
            Unary::Exponent => {
                let (carry, whole, biased) =
                    (self.pattern(bits.carry), self.pattern(bits.whole), self.pattern(bits.whole_biased));
                let a = self.in_register(a, 0);
                self.packed(table::add_lanes(p), 0, a, carry);
                self.shift(table::RIGHT, bits.digits, 0, Operand::Register(0));
                self.packed(table::or(p), 0, 0, whole);
                self.asm.vector(table::sub(p, w), w, result, 0, biased, Mask::None);
            }
            Unary::Mantissa => {
                let (carry, digits, root) =
                    (self.pattern(bits.carry), self.pattern(bits.significand), self.pattern(bits.root));
                let a = self.in_register(a, 0);
                self.packed(table::add_lanes(p), 0, a, carry);
                self.packed(table::and(p), 0, 0, digits);
                self.packed(table::add_lanes(p), result, 0, root);
            }
        }
    }

    fn round(&mut self, result: Vector, a: Operand, immediate: u8) {
        let (p, w) = (self.shape.precision, self.width);
        let a = self.in_register(a, 0);
        let upper = if w == Width::Scalar { a } else { 0 };
        let a = Operand::Register(a);
        self.asm.vector_immediate(table::round(p, w), w, result, upper, a, Mask::None, immediate);
    }

    /// Shifts lanes; in this form the result's register is the one named by the second field.
    fn shift(&mut self, direction: u8, count: u8, result: Vector, a: Operand) {
        let a = self.in_register(a, 0);
        let width = if self.width == Width::Scalar { Width::Ymm } else { self.width };
        let op = table::shift_lanes(self.shape.precision);
        self.asm.vector_immediate(op, width, direction, result, Operand::Register(a), Mask::None, count);
    }

    fn binary(&mut self, f: Binary, result: Vector, a: Operand, b: Operand) {
        let p = self.shape.precision;
        match f {
            Binary::Add => self.commutative(table::add, result, a, b),
            Binary::Mul => self.commutative(table::mul, result, a, b),
            Binary::Sub => self.arithmetic(table::sub, result, a, b),
            Binary::Div => self.arithmetic(table::div, result, a, b),
            Binary::Min | Binary::Max => {
                // The instruction gives b when either is NaN; where b is NaN it must be a.
                let op = if f == Binary::Min { table::min } else { table::max };
                self.arithmetic(op, 1, a, b);
                self.choose(predicate::UNORDERED, b, b, result, a, Operand::Register(1));
            }
            Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge | Binary::Eq | Binary::Ne => {
                self.truth(comparison(f), result, a, b);
            }
            Binary::And => {
                let zero = self.constant(0.0);
                self.truth(predicate::NOT_EQUAL, 1, b, zero);
                // a is true: what b is; else 0.
                self.choose(predicate::NOT_EQUAL, a, zero, result, Operand::Register(1), zero);
            }
            Binary::Or => {
                let (zero, one) = (self.constant(0.0), self.constant(1.0));
                self.truth(predicate::NOT_EQUAL, 1, b, zero);
                self.choose(predicate::NOT_EQUAL, a, zero, result, one, Operand::Register(1));
            }
            Binary::XorSign => {
                let sign = self.pattern(layout(p).sign);
                let b = self.in_register(b, 0);
                self.packed(table::and(p), 1, b, sign);
                let a = self.in_register(a, 0);
                self.packed(table::xor(p), result, a, Operand::Register(1));
            }
            Binary::Alternate => {
                self.shift(table::LEFT, layout(p).lane - 1, 1, b);
                let a = self.in_register(a, 0);
                self.packed(table::xor(p), result, a, Operand::Register(1));
            }
        }
    }

    /// 1 where the comparison holds, else 0.
    fn truth(&mut self, predicate: u8, result: Vector, a: Operand, b: Operand) {
        let (p, w) = (self.shape.precision, self.width);
        let one = self.constant(1.0);
        let first = self.in_register(a, 0);
        if self.shape.evex {
            self.asm.vector_immediate(table::compare(p, w), w, 1, first, b, Mask::None, predicate);
            // A masked copy clears the elements whose bit is not set.
            let width = if w == Width::Scalar { Width::Ymm } else { w };
            self.asm.vector(table::copy(p), width, result, 0, one, Mask::Zero(SCRATCH_MASK));
        } else {
            self.asm.vector_immediate(table::compare(p, w), w, 0, first, b, Mask::None, predicate);
            self.packed(table::and(p), result, 0, one);
        }
    }

    /// `then` where the comparison of a and b holds, else `otherwise`. `then` or `otherwise` may be scratch register 1.
    fn choose(&mut self, predicate: u8, a: Operand, b: Operand, result: Vector, then: Operand, otherwise: Operand) {
        let (p, w) = (self.shape.precision, self.width);
        let width = if w == Width::Scalar { Width::Ymm } else { w };
        let first = self.in_register(a, 0);
        if self.shape.evex {
            self.asm.vector_immediate(table::compare(p, w), w, 1, first, b, Mask::None, predicate);
            let otherwise = self.in_register(otherwise, 0);
            self.asm.vector(table::blend_mask(p), width, result, otherwise, then, Mask::Merge(SCRATCH_MASK));
        } else {
            self.asm.vector_immediate(table::compare(p, w), w, 0, first, b, Mask::None, predicate);
            // The mask is in scratch 0; `otherwise` must be in a register. Reads come before the write.
            let otherwise = match otherwise {
                Operand::Register(register) => register,
                Operand::Memory(_) => {
                    let scratch = if then == Operand::Register(1) { result } else { 1 };
                    self.fetch(scratch, otherwise);
                    scratch
                }
            };
            self.asm.vector_immediate(table::blend_variable(p), width, result, otherwise, then, Mask::None, 0);
        }
    }

    /// `result = a * b + c`; the instruction overwrites one of its operands.
    fn fma(&mut self, result: Vector, a: Operand, b: Operand, c: Operand) {
        let (p, w) = (self.shape.precision, self.width);
        let here = Operand::Register(result);
        let (a, b) = if b == here && a != here { (b, a) } else { (a, b) };
        if c == here {
            let (a, b) = if matches!(a, Operand::Memory(_)) { (b, a) } else { (a, b) };
            let a = self.in_register(a, 0);
            self.asm.vector(table::fma231(p, w), w, result, a, b, Mask::None);
        } else if a == here {
            match (b, c) {
                (Operand::Register(b), c) => self.asm.vector(table::fma213(p, w), w, result, b, c, Mask::None),
                (b, c) => {
                    let c = self.in_register(c, 0);
                    self.asm.vector(table::fma132(p, w), w, result, c, b, Mask::None);
                }
            }
        } else {
            self.fetch(result, c);
            let (a, b) = if matches!(a, Operand::Memory(_)) { (b, a) } else { (a, b) };
            let a = self.in_register(a, 0);
            self.asm.vector(table::fma231(p, w), w, result, a, b, Mask::None);
        }
    }

    /// Scalars as the lanes of a vector; the last one fills the lanes that are left over.
    fn pack(&mut self, result: Vector, lanes: &[Operand]) {
        let p = self.shape.precision;
        let at = |lane: usize| lanes[lane.min(lanes.len() - 1)];
        let half = if p == Precision::F64 { 2 } else { 4 };
        if lanes.len() > half {
            self.pack_half(0, &std::array::from_fn::<Operand, 4, _>(|i| at(half + i % half))[..half]);
            self.spread_half(result, &std::array::from_fn::<Operand, 4, _>(|i| at(i % half))[..half]);
            let upper = Operand::Register(0);
            self.asm.vector_immediate(table::insert_half(p), Width::Ymm, result, result, upper, Mask::None, 1);
        } else {
            self.pack_half(0, &std::array::from_fn::<Operand, 4, _>(|i| at(i % half))[..half]);
            let lower = Operand::Register(0);
            self.asm.vector_immediate(table::insert_half(p), Width::Ymm, result, 0, lower, Mask::None, 1);
        }
    }

    /// Two or four scalars in the lower half of `result`, which is none of them, by way of scratch registers 0 and 1.
    fn pack_half(&mut self, result: Vector, lanes: &[Operand]) {
        let p = self.shape.precision;
        let first = self.scalar_in_register(lanes[0], 0);
        let second = self.scalar_in_register(lanes[1], 1);
        self.asm.vector(table::interleave(p), Width::Scalar, 0, first, Operand::Register(second), Mask::None);
        for (lane, operand) in lanes.iter().enumerate().skip(2) {
            self.insert(0, lane, *operand);
        }
        if result != 0 {
            self.packed(table::copy(p), result, 0, Operand::Register(0));
        }
    }

    /// As `pack_half`, but leaves scratch register 0 as it is.
    fn spread_half(&mut self, result: Vector, lanes: &[Operand]) {
        let p = self.shape.precision;
        let first = self.scalar_in_register(lanes[0], 1);
        self.packed(table::copy(p), result, 0, Operand::Register(first));
        let second = self.scalar_in_register(lanes[1], 1);
        self.asm.vector(table::interleave(p), Width::Scalar, result, result, Operand::Register(second), Mask::None);
        for (lane, operand) in lanes.iter().enumerate().skip(2) {
            self.insert(result, lane, *operand);
        }
    }

    /// Puts a scalar of single precision into a lane of the lower half.
    fn insert(&mut self, result: Vector, lane: usize, scalar: Operand) {
        let place = (lane as u8) << 4;
        self.asm.vector_immediate(table::insert_lane(), Width::Scalar, result, result, scalar, Mask::None, place);
    }

    /// A scalar operand in a register, whatever the width of the value being computed.
    fn scalar_in_register(&mut self, operand: Operand, scratch: Vector) -> Vector {
        let width = std::mem::replace(&mut self.width, Width::Scalar);
        let register = self.in_register(operand, scratch);
        self.width = width;
        register
    }

    /// One lane of a vector as a scalar.
    fn lane(&mut self, result: Vector, vector: Operand, lane: u8) {
        let p = self.shape.precision;
        let half = if p == Precision::F64 { 2 } else { 4 };
        // The vector is read whole.
        let width = std::mem::replace(&mut self.width, Width::Ymm);
        let vector = self.in_register(vector, 0);
        let mut source = vector;
        if lane >= half {
            // The register field names the source here.
            self.asm.vector_immediate(
                table::extract_half(p),
                Width::Ymm,
                vector,
                0,
                Operand::Register(0),
                Mask::None,
                1,
            );
            source = 0;
        }
        match lane % half {
            0 => self.packed(table::copy(p), result, 0, Operand::Register(source)),
            lane => {
                let source = Operand::Register(source);
                self.asm.vector_immediate(table::permute(p), Width::Scalar, result, 0, source, Mask::None, lane);
            }
        }
        self.width = width;
    }

    /// Stores a whole register in the stack frame.
    fn put_whole(&mut self, to: Operand, register: Vector) {
        self.packed(table::store(self.shape.precision, Width::Ymm), register, 0, to);
    }
}

/// Whether an operation is one instruction that reads all operands before it writes.
fn is_atomic(step: &Step) -> bool {
    use Binary::{Add, Div, Mul, Sub};
    match step {
        Step::Op(Op::Fma(..) | Op::Binary(Add | Sub | Mul | Div, ..)) => true,
        Step::Op(Op::Unary(f, _)) => !matches!(f, Unary::Not),
        _ => false,
    }
}

pub(super) fn comparison(f: Binary) -> u8 {
    match f {
        Binary::Lt => predicate::LESS,
        Binary::Le => predicate::LESS_EQUAL,
        Binary::Gt => predicate::GREATER,
        Binary::Ge => predicate::GREATER_EQUAL,
        Binary::Eq => predicate::EQUAL,
        Binary::Ne => predicate::NOT_EQUAL,
        _ => unreachable!("called for comparisons only"),
    }
}
