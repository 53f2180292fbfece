//! The operations over blocks, compiled for several instruction sets.

use std::ops::Range;

use super::allocate::{Code, Instruction};
use crate::engine::{Memory, Real};
use crate::isa::{Isa, Work};
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

/// Runs a kernel over some of its elements, `B` at a time.
///
/// # Safety
///
/// Other threads may meanwhile run this kernel for other elements, and do nothing else with the buffers of the view.
pub(super) unsafe fn run<T: Real, const B: usize>(
    isa: Isa,
    code: &Code,
    elements: Range<usize>,
    registers: &mut [T],
    view: &View<'_, T>,
    uniform: &Uniform<T>,
) {
    isa.run(Blocks::<T, B> { code, elements, registers, view, uniform });
}

/// What is compiled for several instruction sets.
struct Blocks<'a, T, const B: usize> {
    code: &'a Code,
    elements: Range<usize>,
    registers: &'a mut [T],
    view: &'a View<'a, T>,
    uniform: &'a Uniform<T>,
}

impl<T: Real, const B: usize> Work for Blocks<'_, T, B> {
    #[inline(always)]
    fn run(self) {
        run_here::<T, B>(self.code, self.elements, self.registers, self.view, self.uniform);
    }
}

#[inline(always)]
fn run_here<T: Real, const B: usize>(
    code: &Code,
    elements: Range<usize>,
    registers: &mut [T],
    view: &View<'_, T>,
    uniform: &Uniform<T>,
) {
    let (blocks, _) = registers.as_chunks_mut::<B>();
    for first in elements.clone().step_by(B) {
        let count = B.min(elements.end - first);
        for instruction in &code.instructions {
            match instruction {
                Instruction::Compute(register, op) => {
                    let (left, rest) = blocks.split_at_mut(*register as usize);
                    let (out, right) = rest.split_first_mut().expect("`allocate` counts the registers");
                    // The result's register is none of the operands'.
                    let block =
                        |r: u32| if r < *register { &left[r as usize] } else { &right[(r - register - 1) as usize] };
                    compute(out, op, block, view, uniform, first, count);
                }
                Instruction::Store(buffer, register) => {
                    let slot = view.memory.current_slot(*buffer as usize, uniform.step);
                    // SAFETY: these are elements of this thread, see `run`.
                    unsafe { view.store(*buffer as usize, slot, first, &blocks[*register as usize][..count]) };
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
    view: &View<'_, T>,
    uniform: &Uniform<T>,
    first: usize,
    count: usize,
) {
    match *op {
        Op::Constant(value) => out.fill(T::from_f64(value)),
        Op::Time => out.fill(uniform.time),
        Op::StepSize => out.fill(uniform.dt),
        Op::Load { buffer, scalar } => load(out, view, buffer as usize, 0, scalar, first, count),
        Op::Past { buffer, scalar, steps } => {
            let slot = view.memory.past_slot(buffer as usize, uniform.step, steps);
            load(out, view, buffer as usize, slot, scalar, first, count);
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
    view: &View<'_, T>,
    buffer: usize,
    slot: usize,
    scalar: bool,
    first: usize,
    count: usize,
) {
    if scalar {
        // SAFETY: a kernel stores none of the buffers whose first element it reads for all.
        let values = unsafe { view.slice(buffer, slot, 0, 1) };
        out.fill(values[0]);
        return;
    }
    // SAFETY: these are elements of this thread, see `run`.
    let values = unsafe { view.slice(buffer, slot, first, count) };
    match <&[T; B]>::try_from(values) {
        Ok(values) => *out = *values,
        Err(_) => out[..values.len()].copy_from_slice(values),
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
