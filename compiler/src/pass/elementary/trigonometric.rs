//! Sine and cosine.
//!
//! `sin x = (-1)^n sin r` with `r = x - n pi`, `|r| <= pi/2`; for the cosine `r` is taken from the odd multiples of `pi/2`. Pi
//! is a sum of three parts; with fused multiplication the first difference is exact, so `r` keeps its relative accuracy
//! beside multiples of pi (W. Cody, W. Waite, "Software manual for the elementary functions", 1980). One polynomial over
//! the whole half period costs less than two over quarters and the choice between them.
//! Polynomials: tools/minimax.py, `sin` and, as a start, `sin32`.

use std::f64::consts::{self, FRAC_1_PI};

use super::format::{Format, Whole};
use super::term::Term;
use crate::kernel::ir::Precision;

/// Pi in three parts.
const PI: [f64; 3] = [consts::PI, 1.2246467991473532e-16, -2.9947698097183397e-33];
const PI_SINGLE: [f64; 3] = [3.1415927410125732, -8.742277657347586e-08, -3.4302490200117637e-15];

/// Pi in parts of 30 digits (single: 12), so that products with numbers of 23 (12) are exact also where `fma` rounds them.
/// Angles beyond 2^24 (single: 2^13) lose up to half of what lies between neighbouring numbers.
const LOOSE_PI: [f64; 4] =
    [3.1415926553308964, -1.7411031384001463e-09, -7.006868793909636e-19, -2.2702237215044403e-28];
const LOOSE_PI_SINGLE: [f64; 4] =
    [3.1416015625, -8.907169103622437e-06, -1.7412276065442711e-09, 1.2446743939339977e-13];

/// `p` in `sin r = r + r z p(z)`, `z = r^2`, for |r| <= pi/2; relative error of the sine 2^-60.8.
/// The last coefficient is a millionth above the fitted one, within that error, which makes the cosine of 0 exactly 1. The
/// second to fourth are moved by parts of 1e-16, for the reason that [`TAIL_SINGLE`] gives: without it the cosine errs by up to
/// 1.62 units in the last place where its argument is a little above 1/2.
const TAIL: [f64; 8] = [
    -0.16666666666666666,
    0.00833333333333327,
    -0.0001984126984121805,
    2.7557319211689892e-06,
    -2.5052106904314158e-08,
    1.605894099373259e-10,
    -7.643019053269035e-13,
    2.72141777997732e-15,
];

/// The same for single precision; relative error 2^-26.0. Not the best fit (2^-31), but its coefficients moved until the largest
/// error of the sine and the cosine at any argument up to 1e5 is least, in this arrangement of roundings: 1.49 units in the
/// last place. The best fit has 1.70: the cosine of arguments below pi/4 has an `r` larger than they are, which is rounded
/// twice, the second time always up.
const TAIL_SINGLE: [f64; 5] =
    [-0.1666666716337204, 0.008333312347531319, -0.0001983976981136948, 2.755481546046212e-06, -2.5501940115191246e-08];

/// `p` in `tan r = r + r z p(z)`, `z = r^2`, for |r| <= pi/4; relative error 2^-55.9.
const TAN: [f64; 14] = [
    0.3333333333333277,
    0.1333333333341806,
    0.053968253924476836,
    0.021869489668279004,
    0.008863218278838337,
    0.003592297299627691,
    0.0014547073931643203,
    0.0005952782308551602,
    0.00022175171648263124,
    0.00013781222037039244,
    -2.8185905828046474e-05,
    9.109141417685161e-05,
    -4.575258669226785e-05,
    2.107172618325744e-05,
];

/// The same for single precision; error 2^-29.1.
const TAN_SINGLE: [f64; 7] = [
    0.3333335220813751,
    0.13332577049732208,
    0.05406970903277397,
    0.02123182825744152,
    0.010965597815811634,
    -7.404244388453662e-05,
    0.004456544294953346,
];

impl Format {
    /// Largest argument: beyond it neighbouring numbers are so far apart that a sine says nothing, and the value is NaN.
    fn largest_angle(&self) -> f64 {
        match self.precision {
            Precision::F64 => 1_099_511_627_776.0, // 2^40
            Precision::F32 => 1_048_576.0,         // 2^20
        }
    }

    /// Pi as a sum.
    fn pi(&self) -> &'static [f64] {
        match (self.precision, self.strict) {
            (Precision::F64, true) => &PI,
            (Precision::F32, true) => &PI_SINGLE,
            (Precision::F64, false) => &LOOSE_PI,
            (Precision::F32, false) => &LOOSE_PI_SINGLE,
        }
    }

    /// `sin(a - m pi scale) (-1)^n`
    fn reduced_sine<'s>(&self, a: Term<'s>, m: Term<'s>, scale: f64, n: Whole<'s>) -> Term<'s> {
        let tail: &[f64] = match self.precision {
            Precision::F64 => &TAIL,
            Precision::F32 => &TAIL_SINGLE,
        };
        let r = self.pi().iter().fold(a, |r, part| self.keep(m.fma(-scale * part, r)));
        let z = r * r;
        // The first terms are the largest by far; they are added last, so that the others' errors stay small.
        let rest = match self.precision {
            Precision::F64 => z.fma(z.polynomial(&tail[2..]), tail[1]),
            Precision::F32 => z.polynomial(&tail[1..]),
        };
        let c = z.fma(tail[0], z * z * rest);
        // Rounding may pass 1 by a unit; NaN, which the limits swallow, fails the comparison.
        let y = n.alternate(r.fma(c, r).min(1.0).max(-1.0));
        a.lt(self.largest_angle()).select(y, f64::NAN)
    }
}

/// `sin x`; NaN for |x| > 2^40 (single: 2^20).
pub fn sin<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let a = x.abs();
    let n = format.nearest(a, FRAC_1_PI, 0.0, 0.0, None);
    format.reduced_sine(a, n.number, 1.0, n).xorsign(x)
}

/// `cos x`; NaN for |x| > 2^40 (single: 2^20).
pub fn cos<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let a = x.abs();
    // cos(a) = (-1)^(n + 1) sin(a - (2 n + 1) pi / 2)
    let n = format.nearest(a, FRAC_1_PI, 0.5, 1.0, None);
    format.reduced_sine(a, n.number.fma(2.0, 1.0), 0.5, n)
}

/// `tan x`; NaN for |x| > 2^40 (single: 2^20). Between odd multiples of pi/4 it is `tan r` and `-1 / tan r` in turn, with
/// `r = x - n pi/2`.
pub fn tan<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let tail: &[f64] = match format.precision {
        Precision::F64 => &TAN,
        Precision::F32 => &TAN_SINGLE,
    };
    let a = x.abs();
    let n = format.nearest(a, 2.0 * FRAC_1_PI, 0.0, 0.0, None);
    let r = format.pi().iter().fold(a, |r, part| format.keep(n.number.fma(-0.5 * part, r)));
    let z = r * r;
    let t = (r * z).fma(z.polynomial(tail), r);
    let odd = n.alternate(x.number(1.0)).lt(0.0);
    let y = odd.select(-1.0, t) / odd.select(t, 1.0);
    a.gt(format.largest_angle()).select(f64::NAN, y).xorsign(x)
}
