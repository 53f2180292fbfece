//! Logarithms.
//!
//! `log x = k ln 2 + log(1 + f)` with `x = 2^k (1 + f)`, `sqrt(1/2) < 1 + f <= sqrt(2)`, and with `s = f / (2 + f)`
//! `log(1 + f) = f - f^2/2 + s (f^2/2 + s^2 p(s^2))`, where nothing that is rounded early is large (the identity is that of
//! W. J. Cody and of FDLIBM). Polynomials: tools/minimax.py, `log` and `log32`.
//!
//! Subnormal arguments count as 0, so that the value does not depend on whether the processor flushes them.

use super::format::Format;
use super::term::Term;
use crate::ir::prim::bits::{EXPONENT, MANTISSA};
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
        let s = f / (f + 2.0);
        let z = s * s;
        let half_square = f * 0.5 * f;
        let correction = s.fma(z.fma(z.polynomial(self.log_tail()), half_square), k * low);
        k.fma(high, f - (half_square - correction))
    }

    /// The exponent to use for `x`: `k`, but such that its sum with finite numbers is the logarithm where that is none.
    fn log_exponent<'s>(&self, x: Term<'s>, k: Term<'s>) -> Term<'s> {
        let null = x.gt(-self.smallest).select(f64::NEG_INFINITY, f64::NAN);
        let k = x.lt(self.smallest).select(null, k);
        x.lt(f64::INFINITY).select(k, x)
    }
}

/// `log x`
pub fn log<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let k = format.log_exponent(x, x.apply(&EXPONENT));
    format.join_log(k, x.apply(&MANTISSA) - 1.0)
}
