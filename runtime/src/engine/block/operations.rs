//! The operations over blocks, compiled for several instruction sets.

use super::allocate::{Code, Instruction};
use crate::engine::{Memory, Real};
use crate::isa::Isa;
use crate::program::{Binary, Op, Unary};

/// What is the same for all elements of a kernel.
pub(super) struct Uniform<T> {
    /// The step.
    pub step: u64,
    /// `step * dt`
    pub time: T,
    /// The step size.
    pub dt: T,
}

/// Runs a kernel over all its elements, `B` at a time.
pub(super) fn run<T: Real, const B: usize>(
    isa: Isa,
    code: &Code,
    extent: usize,
    registers: &mut [T],
    memory: &mut Memory<T>,
    uniform: &Uniform<T>,
) {
    isa.run(|| run_here::<T, B>(code, extent, registers, memory, uniform));
}

#[inline(always)]
fn run_here<T: Real, const B: usize>(
    code: &Code,
    extent: usize,
    registers: &mut [T],
    memory: &mut Memory<T>,
    uniform: &Uniform<T>,
) {
    let (blocks, _) = registers.as_chunks_mut::<B>();
    for first in (0..extent).step_by(B) {
        for instruction in &code.instructions {
            match instruction {
                Instruction::Compute(register, op) => {
                    let (left, rest) = blocks.split_at_mut(*register as usize);
                    let (out, right) = rest.split_first_mut().expect("`allocate` counts the registers");
                    // The result's register is none of the operands'.
                    let block =
                        |r: u32| if r < *register { &left[r as usize] } else { &right[(r - register - 1) as usize] };
                    compute(out, op, block, memory, uniform, first);
                }
                Instruction::Store(buffer, register) => {
                    let slot = memory.current_slot(*buffer as usize, uniform.step);
                    let place = memory.place(*buffer as usize, slot);
                    let count = B.min(extent - first);
                    let target = &mut memory.all_mut()[place.start + first..place.start + first + count];
                    target.copy_from_slice(&blocks[*register as usize][..count]);
                }
            }
        }
    }
}

#[inline(always)]
fn compute<'a, T: Real, const B: usize>(
    out: &mut [T; B],
    op: &Op,
    block: impl Fn(u32) -> &'a [T; B],
    memory: &Memory<T>,
    uniform: &Uniform<T>,
    first: usize,
) {
    match *op {
        Op::Constant(value) => out.fill(T::from_f64(value)),
        Op::Time => out.fill(uniform.time),
        Op::StepSize => out.fill(uniform.dt),
        Op::Load { buffer, scalar } => load(out, memory, buffer as usize, 0, scalar, first),
        Op::Past { buffer, scalar, steps } => {
            let slot = memory.past_slot(buffer as usize, uniform.step, steps);
            load(out, memory, buffer as usize, slot, scalar, first);
        }
        Op::Unary(f, a) => unary(out, f, block(a)),
        Op::Binary(f, a, b) => binary(out, f, block(a), block(b)),
        Op::Fma(a, b, c) => {
            let (a, b, c) = (block(a), block(b), block(c));
            for i in 0..B {
                out[i] = a[i].fma(b[i], c[i]);
            }
        }
        Op::Select(a, b, c) => {
            let (a, b, c) = (block(a), block(b), block(c));
            for i in 0..B {
                out[i] = if a[i] != T::default() { b[i] } else { c[i] };
            }
        }
    }
}

#[inline(always)]
fn load<T: Real, const B: usize>(
    out: &mut [T; B],
    memory: &Memory<T>,
    buffer: usize,
    slot: usize,
    scalar: bool,
    first: usize,
) {
    let values = memory.slot(buffer, slot);
    if scalar {
        out.fill(values[0]);
    } else if let Some(values) = values.get(first..first + B) {
        out.copy_from_slice(values);
    } else {
        let values = &values[first..];
        out[..values.len()].copy_from_slice(values);
    }
}

#[inline(always)]
fn unary<T: Real, const B: usize>(out: &mut [T; B], f: Unary, a: &[T; B]) {
    macro_rules! each {
        ($value:expr) => {
            for i in 0..B {
                out[i] = $value(a[i]);
            }
        };
    }
    match f {
        Unary::Neg => each!(T::neg),
        Unary::Abs => each!(T::abs),
        Unary::Sqrt => each!(T::sqrt),
        Unary::Floor => each!(T::floor),
        Unary::Ceil => each!(T::ceil),
        Unary::Round => each!(T::round),
        Unary::Trunc => each!(T::trunc),
        Unary::Not => each!(|a: T| truth(a == T::default())),
        Unary::Raise => each!(T::raise),
        Unary::Exponent => each!(T::exponent),
        Unary::Mantissa => each!(T::mantissa),
    }
}

#[inline(always)]
fn binary<T: Real, const B: usize>(out: &mut [T; B], f: Binary, a: &[T; B], b: &[T; B]) {
    macro_rules! each {
        ($value:expr) => {
            for i in 0..B {
                out[i] = $value(a[i], b[i]);
            }
        };
    }
    let zero = T::default();
    match f {
        Binary::Add => each!(T::add),
        Binary::Sub => each!(T::sub),
        Binary::Mul => each!(T::mul),
        Binary::Div => each!(T::div),
        Binary::Min => each!(|a: T, b: T| if a < b || is_nan(b) { a } else { b }),
        Binary::Max => each!(|a: T, b: T| if a > b || is_nan(b) { a } else { b }),
        Binary::Lt => each!(|a: T, b: T| truth(a < b)),
        Binary::Le => each!(|a: T, b: T| truth(a <= b)),
        Binary::Gt => each!(|a: T, b: T| truth(a > b)),
        Binary::Ge => each!(|a: T, b: T| truth(a >= b)),
        Binary::Eq => each!(|a: T, b: T| truth(a == b)),
        Binary::Ne => each!(|a: T, b: T| truth(a != b)),
        Binary::And => each!(|a: T, b: T| truth(a != zero && b != zero)),
        Binary::Or => each!(|a: T, b: T| truth(a != zero || b != zero)),
        Binary::XorSign => each!(T::xor_sign),
        Binary::Alternate => each!(T::alternate),
    }
}

#[inline(always)]
fn truth<T: Real>(holds: bool) -> T {
    T::from_f64(if holds { 1.0 } else { 0.0 })
}

#[inline(always)]
#[allow(clippy::eq_op)]
fn is_nan<T: Real>(value: T) -> bool {
    value != value
}
