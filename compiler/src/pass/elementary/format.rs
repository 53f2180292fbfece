//! What the formulas need to know of a number format.

use super::term::Term;
use crate::ir::prim::bits::{ALTERNATE, RAISE, WHOLE, WHOLE_SINGLE};
use crate::kernel::ir::Precision;

/// A number format.
pub struct Format {
    /// Its name elsewhere.
    pub precision: Precision,
    /// A whole number added to this has its value in the low bits.
    pub whole: f64,
    /// Exponent bias.
    pub bias: f64,
    /// Smallest normal number.
    pub smallest: f64,
    /// Largest number.
    pub largest: f64,
}

/// IEEE binary64.
pub static DOUBLE: Format =
    Format { precision: Precision::F64, whole: WHOLE, bias: 1023.0, smallest: f64::MIN_POSITIVE, largest: f64::MAX };

/// IEEE binary32.
pub static SINGLE: Format = Format {
    precision: Precision::F32,
    whole: WHOLE_SINGLE,
    bias: 127.0,
    smallest: f32::MIN_POSITIVE as f64,
    largest: f32::MAX as f64,
};

/// A whole number, and the same number in the low bits of another.
#[derive(Clone, Copy)]
pub struct Whole<'s> {
    /// The number.
    pub number: Term<'s>,
    /// [`Format::whole`], the offset and the number.
    pub shifted: Term<'s>,
}

impl Format {
    /// Relative size of what is lost by rounding to nearest.
    pub fn epsilon(&self) -> f64 {
        match self.precision {
            Precision::F64 => f64::EPSILON / 2.0,
            Precision::F32 => f64::from(f32::EPSILON) / 2.0,
        }
    }

    /// The whole number nearest to `x * factor - less`, also shifted by `offset`; at most `limit`, which replaces NaN.
    ///
    /// In double precision the addition of a large number rounds. In single precision a rounding instruction does, as
    /// shader compilers may cancel the addition with the subtraction that follows.
    pub fn nearest<'s>(&self, x: Term<'s>, factor: f64, less: f64, offset: f64, limit: Option<f64>) -> Whole<'s> {
        let large = self.whole + offset;
        let least = |x: Term<'s>, limit: f64| if limit.is_finite() { x.min(limit) } else { x };
        let limit = limit.unwrap_or(f64::INFINITY);
        match self.precision {
            Precision::F64 => {
                let sum = if less == 0.0 { x.fma(factor, large) } else { x.fma(factor, -less) + large };
                let shifted = least(sum, large + limit);
                Whole { number: shifted - large, shifted }
            }
            Precision::F32 => {
                let scaled = if less == 0.0 { x * factor } else { x.fma(factor, -less) };
                let number = least(scaled.round(), limit);
                Whole { number, shifted: number + large }
            }
        }
    }
}

impl<'s> Whole<'s> {
    /// `2^k`, for a number shifted by the bias and `k` of a normal power.
    pub fn power_of_two(self) -> Term<'s> {
        self.shifted.apply(&RAISE)
    }

    /// `y (-1)^k`
    pub fn alternate(self, y: Term<'s>) -> Term<'s> {
        y.apply_to(&ALTERNATE, self.shifted)
    }
}
