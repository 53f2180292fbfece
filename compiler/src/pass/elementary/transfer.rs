//! Transfer functions that deserve better than their definition.

use super::exp::Scaled;
use super::format::Format;
use super::term::Term;
use crate::kernel::ir::Precision;

/// `p` in `log((1 + s) / (1 - s)) = 2 s + s z p(z)`, `z = s^2`, for s <= 1/3; relative error of the last term 2^-58.2.
const SOFTPLUS: [f64; 10] = [
    0.6666666666666642,
    0.40000000000124275,
    0.28571428551349143,
    0.22222223780566078,
    0.18181749867829966,
    0.15386445145173425,
    0.1330235675000732,
    0.12095946708819015,
    0.08381475952746292,
    0.16946504143751914,
];

/// The same for single precision; error 2^-31.9.
const SOFTPLUS_SINGLE: [f64; 5] =
    [0.6666667461395264, 0.399989515542984, 0.2861509919166565, 0.21445238590240479, 0.24240000545978546];

/// `1 / (1 + e^-x)`; 0 where it would be subnormal.
pub fn sigmoid<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let (lowest, highest) = match format.precision {
        Precision::F64 => (-708.39, 37.5),
        Precision::F32 => (-87.33, 17.4),
    };
    // e^-x = s (1 - m); the sum 1 + s is ready before m is.
    let Scaled { s, m } = format.scaled_exp(x, -1.0, 0.0, None);
    let minus_one = x.number(-1.0);
    let y = minus_one / s.fma(m, minus_one - s);
    x.gt(highest).select(1.0, x.lt(lowest).select(0.0, y))
}

/// `log(1 + e^x)`: `max(x, 0) + log(1 + e^-|x|)`. With `e` the exponential and `s = e / (2 + e)`, at most 1/3, the logarithm is
/// `e - s (e - s^2 p(s^2))`: it needs no exponent taken out.
pub fn softplus<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let (tail, highest): (&[f64], _) = match format.precision {
        Precision::F64 => (&SOFTPLUS, 708.39),
        Precision::F32 => (&SOFTPLUS_SINGLE, 87.33),
    };
    let a = x.abs();
    let Scaled { s, m } = format.scaled_exp(a, -1.0, 0.0, None);
    let e = a.gt(highest).select(0.0, s.fma(-m, s));
    let s = e / (e + 2.0);
    let z = s * s;
    let log = s.fma(z.fma(z.polynomial(tail), -e), e);
    x.max(0.0) + log
}
