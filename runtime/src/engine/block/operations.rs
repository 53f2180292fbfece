//! The operations over blocks, compiled for several instruction sets.

use std::ops::Range;

use super::allocate::{Code, Instruction, Operand};
use crate::engine::{Memory, Real};
use crate::isa::{Isa, Work};
use crate::program::{Binary, Op, Unary};

/// Steps to run.
#[derive(Clone)]
pub(super) struct Steps {
    /// Which.
    pub steps: Range<u64>,
    /// The step size.
    pub dt: f64,
}

/// Space for the values of a kernel being run.
#[derive(Default)]
pub(super) struct Scratch<T> {
    registers: Vec<T>,
    uniforms: Vec<T>,
}

/// The buffers, for several threads that work on different elements.
pub(super) struct View<'a, T> {
    /// Where they are; their contents are reached by the pointer only.
    memory: &'a Memory<T>,
    all: *mut T,
}

// SAFETY: `run` says which elements a thread may touch.
unsafe impl<T: Real> Sync for View<'_, T> {}

impl<'a, T: Real> View<'a, T> {
    /// A view of all buffers.
    pub fn new(memory: &'a mut Memory<T>) -> View<'a, T> {
        let all = memory.all_mut().as_mut_ptr();
        View { memory, all }
    }

    /// Elements of a slot from `first` on, at most `most`.
    ///
    /// # Safety
    ///
    /// Nothing may write these elements while the slice lives.
    #[inline(always)]
    unsafe fn slice(&self, buffer: usize, slot: usize, first: usize, most: usize) -> &[T] {
        let place = self.memory.place(buffer, slot);
        assert!(first < place.len(), "kernels read within buffers");
        // SAFETY: the place lies within the allocation; the rest is handed on to the caller.
        unsafe { std::slice::from_raw_parts(self.all.add(place.start + first), most.min(place.len() - first)) }
    }

    /// Replaces elements of a slot from `first` on.
    ///
    /// # Safety
    ///
    /// Nothing else may access these elements meanwhile.
    #[inline(always)]
    unsafe fn store(&self, buffer: usize, slot: usize, first: usize, values: &[T]) {
        let place = self.memory.place(buffer, slot);
        assert!(first + values.len() <= place.len(), "kernels write within buffers");
        // SAFETY: the place lies within the allocation; the rest is handed on to the caller.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.all.add(place.start + first), values.len()) };
    }
}

/// Runs a kernel over some of its elements, `B` at a time: all steps of a block before the next block.
///
/// # Safety
///
/// Other threads may meanwhile run this kernel for other elements, and do nothing else with the buffers of the view.
pub(super) unsafe fn run<T: Real, const B: usize>(
    isa: Isa,
    code: &Code,
    elements: Range<usize>,
    scratch: &mut Scratch<T>,
    view: &View<'_, T>,
    steps: Steps,
) {
    let Scratch { registers, uniforms } = scratch;
    if registers.len() < code.registers * B {
        registers.resize(code.registers * B, T::default());
    }
    uniforms.resize(code.uniforms.len(), T::default());
    for at in 0..code.uniforms.len() {
        uniforms[at] = uniform(&code.uniforms[at], uniforms, view, &steps);
    }
    isa.run(Blocks::<T, B> { code, elements, registers, uniforms, view, steps });
}

/// What is compiled for several instruction sets.
struct Blocks<'a, T, const B: usize> {
    code: &'a Code,
    elements: Range<usize>,
    registers: &'a mut [T],
    uniforms: &'a mut [T],
    view: &'a View<'a, T>,
    steps: Steps,
}

impl<T: Real, const B: usize> Work for Blocks<'_, T, B> {
    #[inline(always)]
    fn run(self) {
        let Blocks { code, elements, registers, uniforms, view, steps } = self;
        let (blocks, _) = registers.as_chunks_mut::<B>();
        for first in elements.clone().step_by(B) {
            let count = B.min(elements.end - first);
            for step in steps.steps.clone() {
                let now = Steps { steps: step..step + 1, dt: steps.dt };
                for at in &code.changing {
                    uniforms[*at as usize] = uniform(&code.uniforms[*at as usize], uniforms, view, &now);
                }
                for instruction in &code.instructions {
                    execute(*instruction, blocks, uniforms, view, step, first..first + count);
                }
            }
        }
    }
}

/// A value that is the same for all elements, in the first of the steps.
#[inline(always)]
fn uniform<T: Real>(op: &Op, known: &[T], view: &View<'_, T>, steps: &Steps) -> T {
    let at = |value: u32| known[value as usize];
    let mut out = [T::default()];
    match *op {
        Op::Constant(value) => return T::from_f64(value),
        Op::Time => return T::from_f64(steps.steps.start as f64 * steps.dt),
        Op::StepSize => return T::from_f64(steps.dt),
        // SAFETY: a kernel stores none of the buffers whose first element it reads for all.
        Op::Load { buffer, .. } => return unsafe { view.slice(buffer as usize, 0, 0, 1)[0] },
        Op::Past { buffer, steps: back, .. } => {
            let slot = view.memory.past_slot(buffer as usize, steps.steps.start, back);
            // SAFETY: as above.
            return unsafe { view.slice(buffer as usize, slot, 0, 1)[0] };
        }
        Op::Unary(f, a) => unary(&mut out, f, &[at(a)]),
        Op::Binary(f, a, b) => binary(&mut out, f, Value::Block(&[at(a)]), Value::Block(&[at(b)])),
        Op::Fma(a, b, c) => return at(a).fma(at(b), at(c)),
        Op::Select(a, b, c) => return if at(a) != T::default() { at(b) } else { at(c) },
    }
    out[0]
}

/// An operand: a number for each element, or one for all.
#[derive(Clone, Copy)]
enum Value<'a, T, const B: usize> {
    Block(&'a [T; B]),
    Uniform(T),
}

/// The registers beside that of the result, and the uniform values.
struct Others<'a, T, const B: usize> {
    left: &'a [[T; B]],
    register: u32,
    right: &'a [[T; B]],
    uniforms: &'a [T],
}

/// The register of the result, and all that it is computed from: it is none of the operands'.
#[inline(always)]
fn split<'a, T, const B: usize>(
    blocks: &'a mut [[T; B]],
    register: u32,
    uniforms: &'a [T],
) -> (&'a mut [T; B], Others<'a, T, B>) {
    let (left, rest) = blocks.split_at_mut(register as usize);
    let (out, right) = rest.split_first_mut().expect("`allocate` counts the registers");
    (out, Others { left, register, right, uniforms })
}

impl<'a, T: Real, const B: usize> Others<'a, T, B> {
    #[inline(always)]
    fn block(&self, register: u32) -> &'a [T; B] {
        match register < self.register {
            true => &self.left[register as usize],
            false => &self.right[(register - self.register - 1) as usize],
        }
    }

    #[inline(always)]
    fn value(&self, operand: Operand) -> Value<'a, T, B> {
        match operand {
            Operand::Register(register) => Value::Block(self.block(register)),
            Operand::Uniform(at) => Value::Uniform(self.uniforms[at as usize]),
        }
    }
}

#[inline(always)]
fn execute<T: Real, const B: usize>(
    instruction: Instruction,
    blocks: &mut [[T; B]],
    uniforms: &[T],
    view: &View<'_, T>,
    step: u64,
    elements: Range<usize>,
) {
    let number = |at: u32| uniforms[at as usize];
    match instruction {
        Instruction::Fill(register, at) => blocks[register as usize].fill(number(at)),
        Instruction::Load { register, buffer, back } => {
            let buffer = buffer as usize;
            let slot = back.map_or(0, |back| view.memory.past_slot(buffer, step, back));
            // SAFETY: these are elements of this thread, see `run`.
            let values = unsafe { view.slice(buffer, slot, elements.start, elements.len()) };
            let out = &mut blocks[register as usize];
            match <&[T; B]>::try_from(values) {
                Ok(values) => *out = *values,
                Err(_) => out[..values.len()].copy_from_slice(values),
            }
        }
        Instruction::Unary(register, f, a) => {
            let (out, others) = split(blocks, register, uniforms);
            unary(out, f, others.block(a));
        }
        Instruction::Binary(register, f, a, b) => {
            let (out, others) = split(blocks, register, uniforms);
            binary(out, f, others.value(a), others.value(b));
        }
        Instruction::Fma(register, a, b, c) => {
            let (out, others) = split(blocks, register, uniforms);
            fma(out, others.block(a), others.value(b), others.value(c));
        }
        Instruction::Cubic { register, x, y, coefficients } => {
            let (out, others) = split(blocks, register, uniforms);
            let (x, y, [c0, c1, c2, c3]) = (others.block(x), others.block(y), coefficients.map(number));
            for i in 0..B {
                out[i] = c3.fma(x[i], c2).fma(y[i], c1.fma(x[i], c0));
            }
        }
        Instruction::Select(register, a, b, c) => {
            let (out, others) = split(blocks, register, uniforms);
            select(out, others.block(a), others.value(b), others.value(c));
        }
        Instruction::Store(buffer, register) => {
            let slot = view.memory.current_slot(buffer as usize, step);
            let values = &blocks[register as usize][..elements.len()];
            // SAFETY: these are elements of this thread, see `run`.
            unsafe { view.store(buffer as usize, slot, elements.start, values) };
        }
    }
}

/// A loop over elements, one for each kind of the two operands, which are numbers in its body.
macro_rules! each {
    ($out:ident, ($x:ident, $y:ident), $i:ident => $value:expr) => {
        match ($x, $y) {
            (Value::Block($x), Value::Block($y)) => {
                for $i in 0..B {
                    let ($x, $y) = ($x[$i], $y[$i]);
                    $out[$i] = $value;
                }
            }
            (Value::Block($x), Value::Uniform($y)) => {
                for $i in 0..B {
                    let $x = $x[$i];
                    $out[$i] = $value;
                }
            }
            (Value::Uniform($x), Value::Block($y)) => {
                for $i in 0..B {
                    let $y = $y[$i];
                    $out[$i] = $value;
                }
            }
            (Value::Uniform($x), Value::Uniform($y)) => {
                for $i in 0..B {
                    $out[$i] = $value;
                }
            }
        }
    };
}

#[inline(always)]
fn fma<T: Real, const B: usize>(out: &mut [T; B], a: &[T; B], b: Value<'_, T, B>, c: Value<'_, T, B>) {
    each!(out, (b, c), i => a[i].fma(b, c));
}

#[inline(always)]
fn select<T: Real, const B: usize>(out: &mut [T; B], a: &[T; B], b: Value<'_, T, B>, c: Value<'_, T, B>) {
    each!(out, (b, c), i => if a[i] != T::default() { b } else { c });
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
fn binary<T: Real, const B: usize>(out: &mut [T; B], f: Binary, a: Value<'_, T, B>, b: Value<'_, T, B>) {
    macro_rules! both {
        ($value:expr) => {
            each!(out, (a, b), i => $value(a, b))
        };
    }
    let zero = T::default();
    match f {
        Binary::Add => both!(T::add),
        Binary::Sub => both!(T::sub),
        Binary::Mul => both!(T::mul),
        Binary::Div => both!(T::div),
        Binary::Min => both!(|a: T, b: T| if a < b || is_nan(b) { a } else { b }),
        Binary::Max => both!(|a: T, b: T| if a > b || is_nan(b) { a } else { b }),
        Binary::Lt => both!(|a: T, b: T| truth(a < b)),
        Binary::Le => both!(|a: T, b: T| truth(a <= b)),
        Binary::Gt => both!(|a: T, b: T| truth(a > b)),
        Binary::Ge => both!(|a: T, b: T| truth(a >= b)),
        Binary::Eq => both!(|a: T, b: T| truth(a == b)),
        Binary::Ne => both!(|a: T, b: T| truth(a != b)),
        Binary::And => both!(|a: T, b: T| truth(a != zero && b != zero)),
        Binary::Or => both!(|a: T, b: T| truth(a != zero || b != zero)),
        Binary::XorSign => both!(T::xor_sign),
        Binary::Alternate => both!(T::alternate),
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
