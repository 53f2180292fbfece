//! Reference values: elementary functions in double-double arithmetic, to about 2^-96.
//!
//! Each stands on two series with a known remainder (exponential, sine); inverse functions are one Newton step from a
//! double-precision value, which squares its error.

use std::f64::consts;

use super::double_double::{Double2, two_product};

const PI: [f64; 4] = [consts::PI, 1.2246467991473532e-16, -2.9947698097183397e-33, 1.1124542208633653e-49];
const LN_2: [f64; 3] = [consts::LN_2, 2.3190468138462996e-17, 5.707708438416212e-34];
const LN_10: Double2 = Double2::new(consts::LN_10, -2.1707562233822494e-16);
const TWO_OVER_ROOT_PI: Double2 = Double2::new(consts::FRAC_2_SQRT_PI, 1.533545961316588e-17);
const HALF_PI: Double2 = Double2::new(PI[0] / 2.0, PI[1] / 2.0);
const LN_2_SHORT: Double2 = Double2::new(LN_2[0], LN_2[1]);

/// `value * 2^exponent`; `value` keeps away from the ends of the exponent range.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    pub value: Double2,
    pub exponent: i32,
}

impl From<Double2> for Reference {
    fn from(value: Double2) -> Reference {
        Reference { value, exponent: 0 }
    }
}

/// `x * 2^k`, exact where the result is normal.
pub fn scale(x: f64, k: i32) -> f64 {
    let half = k / 2;
    x * 2f64.powi(half) * 2f64.powi(k - half)
}

fn d(x: f64) -> Double2 {
    x.into()
}

fn one() -> Double2 {
    d(1.0)
}

/// `e^r - 1` for |r| <= 0.35: Taylor series at r / 512, then nine times `(1 + a)^2 - 1 = 2 a + a^2`. The remainder of the
/// series is below 2^-110 of its value.
fn expm1_near_0(r: Double2) -> Double2 {
    const HALVINGS: i32 = 9;
    if r.hi.abs() < 1e-40 {
        return r;
    }
    let r = r.scaled(1.0 / 512.0);
    let mut sum = d(0.0);
    for n in (2..=10).rev() {
        sum = (sum + 1.0) * r / f64::from(n);
    }
    let mut a = (sum + 1.0) * r;
    for _ in 0..HALVINGS {
        a = a.scaled(2.0) + a * a;
    }
    a
}

fn minus_multiple(x: Double2, n: f64, parts: &[f64]) -> Double2 {
    parts.iter().fold(x, |r, part| r - two_product(n, *part))
}

/// `x = k ln 2 + r`
fn exponent_and_rest(x: Double2) -> (f64, Double2) {
    // Beyond the range of any format the value only has to be beyond it, too.
    let x = if x.hi.abs() > 2000.0 { d(2000f64.copysign(x.hi)) } else { x };
    let k = (x.hi / LN_2[0]).round();
    (k, minus_multiple(x, k, &LN_2))
}

fn exp_dd(x: Double2) -> Reference {
    let (k, r) = exponent_and_rest(x);
    Reference { value: expm1_near_0(r) + 1.0, exponent: k as i32 }
}

pub fn exp(x: f64) -> Reference {
    exp_dd(d(x))
}

pub fn exp2(x: f64) -> Reference {
    let k = x.round();
    Reference { value: expm1_near_0(LN_2_SHORT * (x - k)) + 1.0, exponent: k as i32 }
}

fn expm1_dd(x: Double2) -> Reference {
    let (k, r) = exponent_and_rest(x);
    if k == 0.0 {
        return expm1_near_0(r).into();
    }
    if k.abs() > 120.0 {
        // 1 is below the last place, or all there is.
        return if k > 0.0 { exp_dd(x) } else { d(-1.0).into() };
    }
    let power = 2f64.powi(k as i32);
    (expm1_near_0(r).scaled(power) + (power - 1.0)).into()
}

pub fn expm1(x: f64) -> Reference {
    expm1_dd(d(x))
}

/// `log(1 + w)` for |w| <= 1/2 or so: `y + log((1 + w) e^-y)` with `y` from double precision.
fn log1p_near_0(w: Double2) -> Double2 {
    let y = libm::log1p(w.hi);
    let e = expm1_near_0(d(-y));
    let rest = w + (w + 1.0) * e;
    d(y) + (rest - rest * rest * 0.5)
}

/// The power of two by which a positive number comes near 1.
fn exponent(x: f64) -> i32 {
    let (m, k) = libm::frexp(x);
    if m < consts::FRAC_1_SQRT_2 { k - 1 } else { k }
}

/// `log(v 2^extra)`
fn log_dd(v: Double2) -> Double2 {
    let k = exponent(v.hi);
    let near = Double2::new(scale(v.hi, -k), scale(v.lo, -k));
    let log = log1p_near_0(near - 1.0);
    if k == 0 { log } else { LN_2_SHORT * f64::from(k) + log }
}

pub fn log(x: f64) -> Reference {
    log_dd(d(x)).into()
}

pub fn log2(x: f64) -> Reference {
    let k = exponent(x);
    (log1p_near_0(d(scale(x, -k)) - 1.0) / LN_2_SHORT + f64::from(k)).into()
}

pub fn log10(x: f64) -> Reference {
    (log_dd(d(x)) / LN_10).into()
}

fn log1p_dd(x: Double2) -> Double2 {
    if x.hi.abs() < 0.25 { log1p_near_0(x) } else { log_dd(x + 1.0) }
}

pub fn log1p(x: f64) -> Reference {
    log1p_dd(d(x)).into()
}

/// Sine and cosine for |r| <= pi / 4, by their Taylor series; the remainders are below 2^-110.
fn sin_cos_near_0(r: Double2) -> (Double2, Double2) {
    let z = -(r * r);
    let (mut s, mut c) = (d(0.0), d(0.0));
    for n in (1..=14).rev() {
        let n = 2.0 * f64::from(n);
        s = (s + 1.0) * z / (n * (n + 1.0));
        c = (c + 1.0) * z / (n * (n - 1.0));
    }
    (r + r * s, c + 1.0)
}

fn sin_cos_dd(x: Double2) -> (Double2, Double2) {
    let n = (x.hi / HALF_PI.hi).round();
    let parts = PI.map(|p| p / 2.0);
    let (s, c) = sin_cos_near_0(minus_multiple(x, n, &parts));
    match n.rem_euclid(4.0) as u32 {
        0 => (s, c),
        1 => (c, -s),
        2 => (-s, -c),
        _ => (-c, s),
    }
}

pub fn sin(x: f64) -> Reference {
    sin_cos_dd(d(x)).0.into()
}

pub fn cos(x: f64) -> Reference {
    sin_cos_dd(d(x)).1.into()
}

pub fn tan(x: f64) -> Reference {
    let (s, c) = sin_cos_dd(d(x));
    (s / c).into()
}

fn atan_dd(x: Double2) -> Double2 {
    if x.hi.abs() > 1e17 {
        return (if x.hi > 0.0 { HALF_PI } else { -HALF_PI }) - one() / x;
    }
    let y = libm::atan(x.hi);
    let (s, c) = sin_cos_dd(d(y));
    d(y) + (x * c - s) / (c + x * s)
}

pub fn atan(x: f64) -> Reference {
    atan_dd(d(x)).into()
}

pub fn atan2(y: f64, x: f64) -> Reference {
    // Quotients that underflow or overflow do not occur in the tests.
    let angle = if y.abs() <= x.abs() {
        atan_dd(d(y) / x)
    } else {
        (if (x < 0.0) == (y < 0.0) { HALF_PI } else { -HALF_PI }) - atan_dd(d(x) / y)
    };
    let turned = match (x < 0.0 && y.abs() <= x.abs(), y < 0.0) {
        (true, true) => angle - HALF_PI.scaled(2.0),
        (true, false) => angle + HALF_PI.scaled(2.0),
        (false, _) if y.abs() > x.abs() && (x < 0.0) == (y < 0.0) && y < 0.0 => angle - HALF_PI.scaled(2.0),
        (false, _) if y.abs() > x.abs() && (x < 0.0) != (y < 0.0) && y > 0.0 => angle + HALF_PI.scaled(2.0),
        _ => angle,
    };
    turned.into()
}

fn asin_dd(x: Double2) -> Double2 {
    if x.hi.abs() > 0.75 {
        let complement = acos_dd(x.abs());
        let y = HALF_PI - complement;
        return if x.hi < 0.0 { -y } else { y };
    }
    let y = libm::asin(x.hi);
    let (s, c) = sin_cos_dd(d(y));
    d(y) + (x - s) / c
}

fn acos_dd(x: Double2) -> Double2 {
    if x.hi > 0.5 {
        return asin_dd(((one() - x) * 0.5).sqrt()).scaled(2.0);
    }
    if x.hi < -0.5 {
        return HALF_PI.scaled(2.0) - acos_dd(-x);
    }
    HALF_PI - asin_dd(x)
}

pub fn asin(x: f64) -> Reference {
    asin_dd(d(x)).into()
}

pub fn acos(x: f64) -> Reference {
    acos_dd(d(x)).into()
}

pub fn sinh(x: f64) -> Reference {
    let e = expm1_dd(d(x.abs()));
    let signed = |v: Double2| if x < 0.0 { -v } else { v };
    if e.exponent != 0 {
        return Reference { value: signed(e.value), exponent: e.exponent - 1 };
    }
    signed((e.value + e.value / (e.value + 1.0)).scaled(0.5)).into()
}

pub fn cosh(x: f64) -> Reference {
    let e = exp(x.abs());
    if e.exponent > 120 {
        return Reference { value: e.value, exponent: e.exponent - 1 };
    }
    let e = e.value.scaled(2f64.powi(e.exponent));
    (e + one() / e).scaled(0.5).into()
}

pub fn tanh(x: f64) -> Reference {
    let value = if x.abs() > 40.0 {
        one()
    } else {
        let e = expm1_dd(d(2.0 * x.abs())).value;
        e / (e + 2.0)
    };
    (if x < 0.0 { -value } else { value }).into()
}

pub fn asinh(x: f64) -> Reference {
    let a = d(x.abs());
    let value = if a.hi > 1e30 {
        log_dd(a) + LN_2_SHORT
    } else {
        let square = a * a;
        log1p_dd(a + square / ((square + 1.0).sqrt() + 1.0))
    };
    (if x < 0.0 { -value } else { value }).into()
}

pub fn acosh(x: f64) -> Reference {
    if x > 1e30 {
        return (log_dd(d(x)) + LN_2_SHORT).into();
    }
    let u = d(x) - 1.0;
    log1p_dd(u + (u * (u + 2.0)).sqrt()).into()
}

pub fn atanh(x: f64) -> Reference {
    let a = d(x.abs());
    let value = log1p_dd(a.scaled(2.0) / (one() - a)).scaled(0.5);
    (if x < 0.0 { -value } else { value }).into()
}

pub fn sigmoid(x: f64) -> Reference {
    let e = exp(x);
    if e.exponent < -120 {
        return e;
    }
    if e.exponent > 120 {
        return one().into();
    }
    let e = e.value.scaled(2f64.powi(e.exponent));
    (e / (e + 1.0)).into()
}

pub fn softplus(x: f64) -> Reference {
    let e = exp(-x.abs());
    if e.exponent < -120 {
        return if x > 0.0 { d(x).into() } else { e };
    }
    let tail = log1p_dd(e.value.scaled(2f64.powi(e.exponent)));
    (if x > 0.0 { tail + x } else { tail }).into()
}

/// By `erf x = 2 / sqrt(pi) e^-x^2 sum 2^n x^(2n+1) / (2n+1)!!`, whose terms are positive; above 2 the complement, below
/// 2^-7 there, needs no more than double precision.
pub fn erf(x: f64) -> Reference {
    let a = x.abs();
    let value = if a > 2.0 {
        one() - libm::erfc(a)
    } else {
        let square = two_product(a, a);
        let mut term = d(a);
        let mut sum = term;
        let mut n = 1.0;
        while term.hi > sum.hi * 1e-33 {
            n += 2.0;
            term = term * square * 2.0 / n;
            sum = sum + term;
        }
        let bell = exp_dd(-square);
        TWO_OVER_ROOT_PI * sum * bell.value.scaled(2f64.powi(bell.exponent))
    };
    (if x < 0.0 { -value } else { value }).into()
}

/// `a^b` for positive `a`.
pub fn pow(a: f64, b: f64) -> Reference {
    exp_dd(log_dd(d(a)) * b)
}
