//! Transfer functions that deserve better than their definition.

use super::exp::Scaled;
use super::format::Format;
use super::term::Term;
use crate::kernel::ir::Precision;

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
