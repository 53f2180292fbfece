//! Logarithms.
//!
//! `log x = k ln 2 + log(1 + f)` with `x = 2^k (1 + f)`, `sqrt(1/2) < 1 + f <= sqrt(2)`, and with `s = f / (2 + f)`
//! `log(1 + f) = f - f^2/2 + s (f^2/2 + s^2 p(s^2))`, where nothing that is rounded early is large (the identity is that of
//! W. J. Cody and of FDLIBM). Polynomials: tools/minimax.py, `log` and `log32`.
//!
//! Subnormal arguments count as 0, as everywhere.

use std::f64::consts::{LOG2_E, LOG10_E};

use super::format::Format;
use super::term::Term;
use crate::ir::prim::bits::{EXPONENT, MANTISSA, RAISE};
use crate::kernel::ir::Precision;

/// `p` in `log((1 + s) / (1 - s)) = 2 s + s z p(z)`, `z = s^2`, for s <= 3 - 2 sqrt(2); relative error of the last term 2^-58.4.
const TAIL: [f64; 7] = [
    0.6666666666666731,
    0.3999999999943331,
    0.28571428739054006,
    0.22222198857797737,
    0.18183551778200502,
    0.153143260046876,
    0.14793570328083452,
];

/// The same for single precision; relative error 2^-29.2.
const TAIL_SINGLE: [f64; 3] = [0.6666677594184875, 0.39977553486824036, 0.29871731996536255];

/// `log 2 / log 10` in two parts, as [`super::exp::LN_2`]; both positive, so that an infinite exponent keeps its sign.
const LOG10_2: [f64; 2] = [0.30102999566395283, 2.8363394551044964e-14];
const LOG10_2_SINGLE: [f64; 2] = [0.301025390625, 4.605039066518657e-06];

impl Format {
    fn log_tail(&self) -> &'static [f64] {
        match self.precision {
            Precision::F64 => &TAIL,
            Precision::F32 => &TAIL_SINGLE,
        }
    }

    /// `k ln 2 + log(1 + f)`
    fn join_log<'s>(&self, k: Term<'s>, f: Term<'s>) -> Term<'s> {
        let [high, low] = self.ln_2();
        k.fma(high, self.near_log(f, k * low))
    }

    /// `log(1 + f) + correction`
    fn near_log<'s>(&self, f: Term<'s>, correction: Term<'s>) -> Term<'s> {
        let s = f / (f + 2.0);
        let z = s * s;
        let half_square = f * 0.5 * f;
        let rest = s.fma(z.fma(z.polynomial(self.log_tail()), half_square), correction);
        f - (half_square - rest)
    }

    /// The exponent to use for `x`: `k`, but such that its sum with finite numbers is the logarithm where that is none.
    fn log_exponent<'s>(&self, x: Term<'s>, k: Term<'s>) -> Term<'s> {
        x.lt(f64::INFINITY).select(self.null_exponent(x, k), x)
    }

    /// The same but for infinity and NaN.
    fn null_exponent<'s>(&self, x: Term<'s>, k: Term<'s>) -> Term<'s> {
        let null = x.gt(-self.smallest).select(f64::NEG_INFINITY, f64::NAN);
        x.lt(self.smallest).select(null, k)
    }
}

/// `log x`
pub fn log<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let k = format.log_exponent(x, x.apply(&EXPONENT));
    format.join_log(k, x.apply(&MANTISSA) - 1.0)
}

/// `log(1 + x)`
pub fn log1p<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    // The sum of zeros of both signs has lost the sign, which is that of x.
    log1p_with_exponent(format, x, None).abs().xorsign(x)
}

/// `log(1 + x) + extra ln 2`; `-0` counts as 0.
pub(super) fn log1p_with_exponent<'s>(format: &Format, x: Term<'s>, extra: Option<Term<'s>>) -> Term<'s> {
    let sum = format.keep(x + 1.0);
    // What the sum has lost, exactly where it matters; for x itself small that is all of x, and f becomes x.
    let lost = x - (sum - 1.0);
    let k = sum.apply(&EXPONENT);
    // A number this large has lost nothing that counts.
    let down = (-k.min(format.bias - 3.0) + (format.whole + format.bias)).apply(&RAISE);
    let f = lost.fma(down, sum.apply(&MANTISSA) - 1.0);
    let k = format.null_exponent(sum, k);
    let y = format.join_log(extra.map_or(k, |extra| k + extra), f);
    // The infinite sum has lost everything.
    x.lt(f64::INFINITY).select(y, x)
}

/// `log x / ln 2`: exact for powers of two.
pub fn log2<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let k = format.log_exponent(x, x.apply(&EXPONENT));
    format.near_log(x.apply(&MANTISSA) - 1.0, x.number(0.0)).fma(LOG2_E, k)
}

/// `log x / ln 10`
pub fn log10<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let k = format.log_exponent(x, x.apply(&EXPONENT));
    let [high, low] = match format.precision {
        Precision::F64 => LOG10_2,
        Precision::F32 => LOG10_2_SINGLE,
    };
    let near = format.near_log(x.apply(&MANTISSA) - 1.0, x.number(0.0));
    k.fma(high, near.fma(LOG10_E, k * low))
}
