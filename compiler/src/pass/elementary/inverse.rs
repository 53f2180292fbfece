//! Inverse trigonometric and hyperbolic functions.
//!
//! Polynomials: tools/minimax.py, `atan` and `asin`.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, SQRT_2};

use super::format::Format;
use super::log::log1p_with_exponent;
use super::term::Term;
use crate::kernel::ir::Precision;

/// `p` in `atan r = r + r z p(z)`, `z = r^2`, for |r| <= tan(pi / 8); relative error of the last term 2^-59.4.
const ATAN: [f64; 11] = [
    -0.33333333333333204,
    0.19999999999955093,
    -0.14285714280330436,
    0.11111110789587028,
    -0.09090897922428948,
    0.07692062989995313,
    -0.06663134190788328,
    0.058481001459644376,
    -0.05040222171861514,
    0.038087153819506156,
    -0.017931261077309635,
];

/// The same for single precision; error 2^-30.5.
const ATAN_SINGLE: [f64; 5] =
    [-0.33333316445350647, 0.1999853253364563, -0.14244510233402252, 0.10600165277719498, -0.060927070677280426];

/// `p` in `asin r = r + r z p(z)`, `z = r^2`, for |r| <= 1/2; relative error of the last term 2^-55.8.
const ASIN: [f64; 12] = [
    0.16666666666665647,
    0.07500000000296114,
    0.0446428568547873,
    0.030381958242480897,
    0.022371776162031273,
    0.017359469231608613,
    0.013887273310979819,
    0.012157348444940336,
    0.006573907627314771,
    0.019414845165003546,
    -0.016062617860565707,
    0.03181110606216482,
];

/// The same for single precision; error 2^-27.5.
const ASIN_SINGLE: [f64; 5] =
    [0.16666750609874725, 0.07495344430208206, 0.045466504991054535, 0.02419232949614525, 0.04215198755264282];

impl Format {
    /// `r + r z p(z)`, `z = r^2`
    fn odd_series<'s>(&self, r: Term<'s>, z: Term<'s>, double: &[f64], single: &[f64]) -> Term<'s> {
        let tail = match self.precision {
            Precision::F64 => double,
            Precision::F32 => single,
        };
        (r * z).fma(z.polynomial(tail), r)
    }
}

/// Angle of `(x, y)` for `x, y >= 0`: of the vector turned back by 0, 45 or 90 degrees, whichever leaves a small angle.
fn first_quadrant<'s>(format: &Format, y: Term<'s>, x: Term<'s>, equal: Option<Term<'s>>) -> Term<'s> {
    let steep = y.gt(x * (SQRT_2 + 1.0));
    // Two infinities are equal.
    let middle = y.ge(x * (SQRT_2 - 1.0));
    let difference = y - x;
    // Of two infinities the difference is none.
    let difference = equal.map_or(difference, |equal| equal.select(0.0, difference));
    let over = steep.select(-x, middle.select(difference, y));
    let under = steep.select(y, middle.select(y + x, x));
    let turned = steep.select(FRAC_PI_2, middle.select(FRAC_PI_4, 0.0));
    let r = over / under;
    let angle = turned + format.odd_series(r, r * r, &ATAN, &ATAN_SINGLE);
    // At the origin.
    if equal.is_some() { under.equals(0.0).select(0.0, angle) } else { angle }
}

/// `atan x`
pub fn atan<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    first_quadrant(format, x.abs(), x.number(1.0), None).xorsign(x)
}

/// Angle of the point `(x, y)`; the coordinates are scaled first, so that their sum is finite and their difference a normal
/// number.
pub fn atan2<'s>(format: &Format, y: Term<'s>, x: Term<'s>) -> Term<'s> {
    let (large, up_scale) = match format.precision {
        Precision::F64 => (1.267_650_600_228_229_4e30, 1_152_921_504_606_846_976.0), // 2^100, 2^60
        Precision::F32 => (1_073_741_824.0, 1_073_741_824.0),                        // 2^30
    };
    let (up, along) = (y.abs(), x.abs());
    // What this takes below the normal numbers is nothing beside the other coordinate.
    let scale = up.max(along).gt(large).select(0.25, up_scale);
    let (up, along) = (up * scale, along * scale);
    let angle = first_quadrant(format, up, along, Some(up.equals(along)));
    mirrored(x, angle).xorsign(y)
}

/// `angle`, or `pi - angle` where `x` has the sign bit.
fn mirrored<'s>(x: Term<'s>, angle: Term<'s>) -> Term<'s> {
    let side = x.number(1.0).xorsign(x);
    side.fma(angle, side.lt(0.0).select(PI, 0.0))
}

/// `asin a` for `a <= 1/2`, `asin sqrt((1 - a) / 2)` above, and whether it is the latter.
fn half_sine<'s>(format: &Format, a: Term<'s>) -> (Term<'s>, Term<'s>) {
    let large = a.gt(0.5);
    let z = large.select(a.fma(-0.5, 0.5), a * a);
    let r = large.select(z.sqrt(), a);
    (large, format.odd_series(r, z, &ASIN, &ASIN_SINGLE))
}

/// `asin x`; above 1/2 by `pi/2 - 2 asin sqrt((1 - x) / 2)`.
pub fn asin<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let (large, p) = half_sine(format, x.abs());
    large.select(p.fma(-2.0, FRAC_PI_2), p).xorsign(x)
}

/// `acos x`; above 1/2 by `2 asin sqrt((1 - x) / 2)`.
pub fn acos<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let (large, p) = half_sine(format, x.abs());
    mirrored(x, large.select(p + p, p.number(FRAC_PI_2) - p))
}

impl Format {
    /// Beyond this `x^2 + 1` is `x^2`, and `log(1 + x)` is `log x`.
    fn square_alone(&self) -> f64 {
        match self.precision {
            Precision::F64 => 1_152_921_504_606_846_976.0, // 2^60
            Precision::F32 => 1_073_741_824.0,             // 2^30
        }
    }
}

/// `asinh x`: `log(1 + a + a^2 / (1 + sqrt(1 + a^2)))`, of which nothing cancels; `log(2 a)` for the largest.
pub fn asinh<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let a = x.abs();
    let square = a * a;
    let excess = a + square / ((square + 1.0).sqrt() + 1.0);
    let large = a.gt(format.square_alone());
    log1p_with_exponent(format, large.select(a, excess), Some(large.select(1.0, 0.0))).xorsign(x)
}

/// `acosh x`: `log(1 + u + sqrt(u (u + 2)))` with `u = x - 1`; `log(2 x)` for the largest.
pub fn acosh<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let u = x.lt(1.0).select(f64::NAN, x - 1.0);
    let excess = u + u.fma(u, u + u).sqrt();
    let large = x.gt(format.square_alone());
    log1p_with_exponent(format, large.select(x, excess), Some(large.select(1.0, 0.0)))
}

/// `atanh x`: `log(1 + 2 a / (1 - a)) / 2`
pub fn atanh<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let a = x.abs();
    let ratio = (a + a) / (a.number(1.0) - a);
    (log1p_with_exponent(format, ratio, None) * 0.5).xorsign(x)
}
