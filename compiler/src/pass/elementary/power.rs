//! Powers.
//!
//! `a^b = e^(b log a)`; an error of the logarithm is multiplied by as much as 745, so the logarithm and its product with `b`
//! are sums of two numbers. With `a = 2^k m`, `m` near 1, `f = m - 1` and `s = f / (2 + f)`:
//! `log m = 2 s + s z (2/3 + z q(z))`, `z = s^2`, of which only `q` is computed in one number.
//! Sums and products of two numbers: T. J. Dekker, "A floating-point technique for extending the available precision",
//! Numerische Mathematik 18, 1971. Polynomials: tools/minimax.py, `pow` and `pow32`.
//!
//! Special cases are those of IEEE 754 `pow`. Subnormal bases count as 0, results below those of `exp` are 0.

use super::format::Format;
use super::term::Term;
use crate::ir::prim::arith::{AND, NE, OR};
use crate::ir::prim::bits::{EXPONENT, MANTISSA};
use crate::kernel::ir::Precision;

/// `q`, for s <= 3 - 2 sqrt(2); error relative to the logarithm 2^-65.8.
const TAIL: [f64; 8] = [
    0.3999999999999998,
    0.2857142857144286,
    0.22222222218006363,
    0.1818181881979337,
    0.1538455994053945,
    0.1333621090766037,
    0.11676788500208532,
    0.11973938955694861,
];

/// The same for single precision; error 2^-35.0.
const TAIL_SINGLE: [f64; 3] = [0.4000014662742615, 0.2854750454425812, 0.23410779237747192];

/// 2/3 in two parts.
const TWO_THIRDS: [f64; 2] = [0.6666666666666666, 3.700743415417188e-17];
const TWO_THIRDS_SINGLE: [f64; 2] = [0.6666666865348816, -1.9868215517249155e-08];

/// `high + low`, where `low` is small against `high`.
#[derive(Clone, Copy)]
struct Pair<'s> {
    high: Term<'s>,
    low: Term<'s>,
}

impl<'s> Pair<'s> {
    /// The exact sum of `a` and `b`, of which `a` is larger or 0, and a small number.
    fn sum(format: &Format, a: Term<'s>, b: Term<'s>, small: Term<'s>) -> Pair<'s> {
        let high = format.keep(a + b);
        Pair { high, low: (b - (high - a)) + small }
    }

    fn times(self, format: &Format, other: Pair<'s>) -> Pair<'s> {
        let high = format.keep(self.high * other.high);
        let error = format.remainder(self.high, other.high, -high);
        Pair { high, low: self.high.fma(other.low, self.low.fma(other.high, error)) }
    }

    fn times_one(self, format: &Format, factor: Term<'s>) -> Pair<'s> {
        let high = format.keep(self.high * factor);
        Pair { high, low: self.low.fma(factor, format.remainder(self.high, factor, -high)) }
    }
}

/// Logarithm of a positive normal number.
fn log<'s>(format: &Format, x: Term<'s>, k: Term<'s>) -> Pair<'s> {
    let ([two_thirds, two_thirds_low], tail): (_, &[f64]) = match format.precision {
        Precision::F64 => (TWO_THIRDS, &TAIL),
        Precision::F32 => (TWO_THIRDS_SINGLE, &TAIL_SINGLE),
    };
    let one = x.number(1.0);
    let f = x.apply(&MANTISSA) - 1.0;
    // The quotient of f and 2 + f, whose sum is not exact, by the exact remainder.
    let divisor = format.keep(f + 2.0);
    let divisor_low = f - (divisor - 2.0);
    let inverse = one / divisor;
    let high = f * inverse;
    let remainder = -high.fma(divisor_low, format.remainder(high, divisor, -f));
    let s = Pair { high, low: remainder * inverse };
    let z = s.times(format, s);
    let w = z.high * z.high.polynomial(tail);
    let c = Pair::sum(format, x.number(two_thirds), w, x.number(two_thirds_low));
    let third = s.times(format, z.times(format, c));
    let near = Pair::sum(format, s.high + s.high, third.high, s.low.fma(2.0, third.low));
    let [ln_2, ln_2_low] = format.ln_2();
    Pair::sum(format, k * ln_2, near.high, k.fma(ln_2_low, near.low))
}

/// `a^b`
pub fn pow<'s>(format: &Format, a: Term<'s>, b: Term<'s>) -> Term<'s> {
    // With an exponent of this size every power but that of 1 is 0 or infinite, and products with it are finite.
    let enough = match format.precision {
        Precision::F64 => 18_446_744_073_709_551_616.0, // 2^64
        Precision::F32 => 4_294_967_296.0,              // 2^32
    };
    let magnitude = a.abs();
    // NaN of either argument passes through both selections.
    let bounded = b.gt(enough).select(enough, b);
    let bounded = bounded.lt(-enough).select(-enough, bounded);
    let k = magnitude.lt(f64::INFINITY).select(magnitude.apply(&EXPONENT), magnitude);
    let product = log(format, magnitude, k).times_one(format, bounded);
    let power = format.exp_of_sum(product.high, product.low);

    let null = magnitude.lt(format.smallest);
    let extreme = null.apply_to(&OR, magnitude.equals(f64::INFINITY));
    let rising = b.gt(0.0);
    let known = extreme.apply_to(&AND, b.equals(b));
    let power = known.select(null.equals(rising).select(0.0, f64::INFINITY), power);

    let whole = b.round().equals(b);
    let half = b * 0.5;
    let odd = whole.apply_to(&AND, half.round().apply_to(&NE, half));
    let power = power.xorsign(odd.select(a, 1.0));
    // A negative base that is finite and not 0 has powers of whole exponents only.
    let regular = a.lt(-0.0).apply_to(&AND, extreme.equals(0.0));
    let power = regular.apply_to(&AND, whole.equals(0.0)).select(f64::NAN, power);
    let one = a.equals(1.0).apply_to(&OR, b.equals(0.0));
    one.select(1.0, power)
}
