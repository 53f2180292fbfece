//! Exponentials.
//!
//! `e^(c x) = 2^k e^(c r)` with `k` the whole number nearest to `c x / ln 2` and `r = x - k (ln 2) / c`, where ln 2 is a sum
//! of a part short enough for exact products and the rest, so `r` is rounded once (W. Cody, W. Waite, "Software manual for
//! the elementary functions", 1980). Polynomials: tools/minimax.py, `exp` and `exp32`.

use std::f64::consts::{self, LOG2_E};

use super::format::{Format, Whole};
use super::term::Term;
use crate::kernel::ir::Precision;

/// `ln 2` in two parts; the first has 42 digits, so its products with exponents are exact. Single: 16 digits.
pub(super) const LN_2: [f64; 2] = [0.6931471805598903, 5.497923018708371e-14];
pub(super) const LN_2_SINGLE: [f64; 2] = [0.693145751953125, 1.428606765330187e-06];

/// `q` in `e^r = 1 + r + r^2 q(r)` for |r| <= (ln 2) / 2; error of `e^r` 2^-57.3.
const TAIL: [f64; 10] = [
    0.500000000000001,
    0.16666666666666693,
    0.04166666666653531,
    0.008333333333309408,
    0.0013888888942398892,
    0.0001984126991340559,
    2.480149426743934e-05,
    2.7557219352032153e-06,
    2.7629863427409925e-07,
    2.5117013419594536e-08,
];

/// The same for single precision; error of `e^r` 2^-27.5.
const TAIL_SINGLE: [f64; 5] =
    [0.5, 0.1666652262210846, 0.041666220873594284, 0.008368490263819695, 0.0013949691783636808];

/// `q` where `r` is between -0.415 and 0.585 times ln 2, so that `e^r` is between 3/4 and 3/2: next to 1 below and above,
/// where `r` and `e^r - 1` are small against the last place of `e^r`. Error of `e^r` 2^-57.4.
const SKEW_TAIL: [f64; 10] = [
    0.4999999999999999,
    0.1666666666666771,
    0.04166666666668582,
    0.008333333332437106,
    0.0013888888884901842,
    0.00019841272454820623,
    2.4801577042576494e-05,
    2.755412834005174e-06,
    2.758972183727555e-07,
    2.646790733616844e-08,
];
const SKEW: f64 = 0.085;

/// The same for single precision; error of `e^r` 2^-28.1.
const SKEW_TAIL_SINGLE: [f64; 5] =
    [0.5000001788139343, 0.16666573286056519, 0.04165831208229065, 0.00836006086319685, 0.001464739558286965];

/// `e^(c x) = s (1 + c m)`
pub(super) struct Scaled<'s> {
    /// The power of two times that of the offset.
    pub s: Term<'s>,
    /// `(e^(c r) - 1) / c`
    pub m: Term<'s>,
}

impl Format {
    fn exp_tail(&self) -> &'static [f64] {
        match self.precision {
            Precision::F64 => &TAIL,
            Precision::F32 => &TAIL_SINGLE,
        }
    }

    /// `ln 2` in two parts.
    pub(super) fn ln_2(&self) -> [f64; 2] {
        match self.precision {
            Precision::F64 => LN_2,
            Precision::F32 => LN_2_SINGLE,
        }
    }

    /// `x - k (ln 2) / c`
    pub(super) fn without_powers_of_two<'s>(&self, x: Term<'s>, k: Whole<'s>, c: f64) -> Term<'s> {
        let [high, low] = self.ln_2();
        k.number.fma(-low / c, self.keep(k.number.fma(-high / c, x)))
    }

    /// `e^(c x)` in parts, the power of two times `2^offset`; `c` is 1, -1, 2 or -2. Exponents are at most `limit`: beyond it
    /// `m` grows without bound; without limit `x` must be bounded.
    pub(super) fn scaled_exp<'s>(&self, x: Term<'s>, c: f64, offset: f64, limit: Option<f64>) -> Scaled<'s> {
        let k = self.nearest(x, c * LOG2_E, 0.0, self.bias + offset, limit);
        let r = self.without_powers_of_two(x, k, c);
        Scaled { s: k.power_of_two(), m: (r * r).fma(r.polynomial(&self.scaled_tail(c)), r) }
    }

    /// The same without limit, and `r` not rounded before it enters `m`: for sums in which `m` is larger than the result.
    pub(super) fn careful_exp<'s>(&self, x: Term<'s>, c: f64, offset: f64) -> Scaled<'s> {
        let k = self.nearest(x, c * LOG2_E, 0.0, self.bias + offset, None);
        let [high, low] = self.ln_2();
        let near = self.keep(k.number.fma(-high / c, x));
        let rest = k.number * (-low / c);
        let r = near + rest;
        Scaled { s: k.power_of_two(), m: near + (r * r).fma(r.polynomial(&self.scaled_tail(c)), rest) }
    }

    /// `(e^(c r) - 1 - c r) / (c r^2)` as a polynomial of `r`.
    fn scaled_tail(&self, c: f64) -> Vec<f64> {
        let powers = std::iter::successors(Some(c), |power| Some(power * c));
        self.exp_tail().iter().zip(powers).map(|(q, power)| q * power).collect()
    }
}

impl Format {
    /// Coefficients for [`SKEW`], and the exponent of two below which the halved power is no normal number.
    fn skew_tail(&self) -> (&'static [f64], f64) {
        match self.precision {
            Precision::F64 => (&SKEW_TAIL, -1021.41),
            Precision::F32 => (&SKEW_TAIL_SINGLE, -125.41),
        }
    }

    /// `2^k e^r`, 0 where `small`; `k` comes shifted by the bias less 1, for the power is halved and the rest doubled:
    /// 2^1024 would overflow before its product with less than 1.
    fn join_exp<'s>(&self, k: Whole<'s>, r: Term<'s>, small: Term<'s>) -> Term<'s> {
        let m = (r * r).fma(r.polynomial(self.skew_tail().0), r);
        small.select(0.0, m.fma(2.0, 2.0) * k.power_of_two())
    }

    /// `e^(high + low)`
    pub(super) fn exp_of_sum<'s>(&self, high: Term<'s>, low: Term<'s>) -> Term<'s> {
        let k = self.nearest(high, LOG2_E, SKEW, self.bias - 1.0, Some(self.bias + 1.0));
        let [ln_2, ln_2_low] = self.ln_2();
        let r = self.keep(k.number.fma(-ln_2, high)) + k.number.fma(-ln_2_low, low);
        self.join_exp(k, r, high.lt(self.skew_tail().1 * consts::LN_2))
    }
}

/// `e^x`; 0 where it is below `2^-1021.4` (single: `2^-125.4`).
pub fn exp<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let k = format.nearest(x, LOG2_E, SKEW, format.bias - 1.0, Some(format.bias + 1.0));
    let r = format.without_powers_of_two(x, k, 1.0);
    format.join_exp(k, r, x.lt(format.skew_tail().1 * consts::LN_2))
}

/// `2^x`; 0 where it is below `2^-1021.4` (single: `2^-125.4`).
pub fn exp2<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let k = format.nearest(x, 1.0, SKEW, format.bias - 1.0, Some(format.bias + 1.0));
    let r = (x - k.number) * consts::LN_2;
    format.join_exp(k, r, x.lt(format.skew_tail().1))
}

/// `e^x - 1`
pub fn expm1<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    let half = expm1_over_power(format, x, 1.0);
    let lowest = match format.precision {
        Precision::F64 => -37.5,
        Precision::F32 => -17.4,
    };
    let y = x.lt(lowest).select(-1.0, half + half);
    // Halves of the smallest numbers are no normal ones, and zero has lost its sign.
    x.abs().lt(format.epsilon()).select(x, y)
}

/// `(e^x - 1) / 2^power` for `x > -100` (single: -80); finite where that is, for power 1 or 2.
pub(super) fn expm1_over_power<'s>(format: &Format, x: Term<'s>, power: f64) -> Term<'s> {
    let Scaled { s, m } = format.scaled_exp(x, 1.0, -power, Some(format.bias + power));
    s.fma(m, format.keep(s - (-power).exp2()))
}
