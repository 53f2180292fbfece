//! What the formulas need to know of a number format.

use super::term::Term;
use crate::ir::prim::bits::{ALTERNATE, KEEP, RAISE, WHOLE, WHOLE_SINGLE};
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
    /// Whether the target computes what is written, see [`Target`](crate::kernel::target::Target).
    pub strict: bool,
}

/// IEEE binary64.
pub static DOUBLE: Format = Format {
    precision: Precision::F64,
    whole: WHOLE,
    bias: 1023.0,
    smallest: f64::MIN_POSITIVE,
    largest: f64::MAX,
    strict: true,
};

/// IEEE binary32.
pub static SINGLE: Format = Format {
    precision: Precision::F32,
    whole: WHOLE_SINGLE,
    bias: 127.0,
    smallest: f32::MIN_POSITIVE as f64,
    largest: f32::MAX as f64,
    strict: true,
};

/// The same for targets that may compute something else than is written.
pub static LOOSE_DOUBLE: Format = Format { strict: false, ..DOUBLE };
/// The same in single precision.
pub static LOOSE_SINGLE: Format = Format { strict: false, ..SINGLE };

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
    /// In double precision the addition of a large number rounds. In single precision, and where a compiler may cancel the
    /// addition with the subtraction that follows, a rounding instruction does.
    pub fn nearest<'s>(&self, x: Term<'s>, factor: f64, less: f64, offset: f64, limit: Option<f64>) -> Whole<'s> {
        let large = self.whole + offset;
        let least = |x: Term<'s>, limit: f64| if limit.is_finite() { x.min(limit) } else { x };
        let limit = limit.unwrap_or(f64::INFINITY);
        match self.precision {
            Precision::F64 if self.strict => {
                let sum = if less == 0.0 { x.fma(factor, large) } else { x.fma(factor, -less) + large };
                let shifted = least(sum, large + limit);
                Whole { number: shifted - large, shifted }
            }
            _ => {
                let scaled = if less == 0.0 { x * factor } else { x.fma(factor, -less) };
                let number = least(scaled.round(), limit);
                Whole { number, shifted: number + large }
            }
        }
    }
}

impl Format {
    /// The same number, so that sums it is part of are computed as written.
    pub fn keep<'s>(&self, x: Term<'s>) -> Term<'s> {
        if self.strict { x } else { x.apply(&KEEP) }
    }

    /// `a b + c`, exactly, where `-c` is near `a b`.
    ///
    /// Where `fma` may round the product, that is made of products of halves, which are exact (T. J. Dekker, "A
    /// floating-point technique for extending the available precision", Numerische Mathematik 18, 1971).
    pub fn remainder<'s>(&self, a: Term<'s>, b: Term<'s>, c: Term<'s>) -> Term<'s> {
        if self.strict {
            return a.fma(b, c);
        }
        let (a, b) = (self.halves(a), self.halves(b));
        (((a[0] * b[0] + c) + a[0] * b[1]) + a[1] * b[0]) + a[1] * b[1]
    }

    /// A number as the sum of two with half its digits.
    fn halves<'s>(&self, x: Term<'s>) -> [Term<'s>; 2] {
        let shift = if self.precision == Precision::F64 { 134_217_729.0 } else { 4097.0 };
        let scaled = self.keep(x * shift);
        let high = scaled - self.keep(scaled - x);
        [high, x - high]
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
