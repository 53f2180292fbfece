//! Hyperbolic functions, by the exponential less one: nothing cancels near 0.

use super::exp::{Scaled, expm1_over_power};
use super::format::Format;
use super::term::Term;
use crate::kernel::ir::Precision;

/// Where `tanh` turns from the exponential of a negative number to that of a positive one: about where both err alike.
const TURN: f64 = 0.21;

/// `tanh x`
pub fn tanh<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    // Above this the rounded value is 1.
    let saturated = match format.precision {
        Precision::F64 => 19.1,
        Precision::F32 => 9.1,
    };
    let a = x.abs();
    // w / (w + 2) with w = e^2b - 1 and e^2b = s (1 + 2 m) / 2, where b is a or -a. For large a an error of w is almost none of
    // the quotient; for small a the divisor is better a little below 2, where numbers are denser, than above.
    let b = a.xorsign(a - TURN);
    let Scaled { s, m } = format.careful_exp(b, 2.0, 1.0);
    let w = s.fma(m, format.keep(s.fma(0.5, -1.0)));
    a.gt(saturated).select(1.0, (w / (w + 2.0)).abs()).xorsign(x)
}

/// `sinh x`
pub fn sinh<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    // With w = (e^a - 1) / 4: 2 (w + w / (4 w + 1)). The quotient is at most 1/4 and negligible where its divisor overflows.
    let a = x.abs();
    let w = expm1_over_power(format, a, 2.0);
    let half = w + w / w.fma(4.0, 1.0).min(format.largest);
    a.lt(format.epsilon()).select(x, (half + half).xorsign(x))
}

/// `cosh x`
pub fn cosh<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    // With e = e^a / 4: 2 (e + 1 / (16 e)).
    let Scaled { s, m } = format.scaled_exp(x.abs(), 1.0, -2.0, Some(format.bias + 2.0));
    let e = s.fma(m, s);
    let half = e + e.number(0.0625) / e;
    half + half
}
