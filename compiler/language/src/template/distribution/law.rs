//! Shares and quantiles of the laws.

use std::f64::consts::{PI, SQRT_2};

use super::Law;

impl Law {
    /// The probability of a number up to `x`.
    pub fn cumulative(&self, x: f64) -> f64 {
        // A law without width is a step.
        let step = |at: f64| f64::from(u8::from(x >= at));
        match *self {
            Law::Uniform { low, high } if low == high => step(low),
            Law::Uniform { low, high } => ((x - low) / (high - low)).clamp(0.0, 1.0),
            Law::Normal { mean, sd: 0.0 } => step(mean),
            Law::Normal { mean, sd } => normal((x - mean) / sd),
            Law::LogNormal { .. } if x <= 0.0 => 0.0,
            Law::LogNormal { mu, sigma: 0.0 } => step(libm::exp(mu)),
            Law::LogNormal { mu, sigma } => normal((libm::log(x) - mu) / sigma),
            Law::Lorentzian { center, half_width: 0.0 } => step(center),
            Law::Lorentzian { center, half_width } => 0.5 + libm::atan((x - center) / half_width) / PI,
            Law::Exponential { mean } => -libm::expm1(-x.max(0.0) / mean),
            Law::Gamma { shape, scale } => incomplete_gamma(shape, x.max(0.0) / scale),
        }
    }

    /// The probability of a number between two bounds.
    pub fn share(&self, low: f64, high: f64) -> f64 {
        // A bound that a law without width sits on belongs to it.
        let below = if low == f64::NEG_INFINITY { 0.0 } else { self.cumulative(low.next_down()) };
        let up_to = if high == f64::INFINITY { 1.0 } else { self.cumulative(high) };
        up_to - below
    }

    /// The number that a share `p` of the law, `0 < p < 1`, does not exceed.
    pub fn quantile(&self, p: f64) -> f64 {
        match *self {
            Law::Uniform { low, high } => low + (high - low) * p,
            Law::Normal { mean, sd } => mean + sd * standard_normal(p),
            Law::LogNormal { mu, sigma } => libm::exp(mu + sigma * standard_normal(p)),
            Law::Lorentzian { center, half_width } => center + half_width * libm::tan(PI * (p - 0.5)),
            Law::Exponential { mean } => -mean * libm::log1p(-p),
            Law::Gamma { shape, scale } => scale * invert(|x| incomplete_gamma(shape, x), p, 0.0, shape + 1.0),
        }
    }
}

/// The standard normal distribution up to `z`.
fn normal(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

fn standard_normal(p: f64) -> f64 {
    match p {
        0.5 => 0.0,
        // The lower half keeps its digits: an upper tail is 1 minus something small.
        p if p > 0.5 => -standard_normal(1.0 - p),
        p => -invert(|y| -normal(-y), -p, 0.0, 1.0),
    }
}

/// The `x >= low` with `f(x) = p` of an increasing `f`, by bisection to the last bit; `first` is a guess of its size.
fn invert(f: impl Fn(f64) -> f64, p: f64, low: f64, first: f64) -> f64 {
    let (mut low, mut high) = (low, first);
    while f(high) < p && high < f64::MAX / 4.0 {
        (low, high) = (high, 2.0 * high);
    }
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if f(middle) < p { low = middle } else { high = middle }
    }
}

/// The regularised lower incomplete gamma function: its series below `a + 1`, its continued fraction above.
///
/// NIST Digital Library of Mathematical Functions, 8.7.1 and 8.9.2.
fn incomplete_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x == f64::INFINITY {
        return 1.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * f64::EPSILON * 0.25 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return front * sum;
    }
    // Lentz's evaluation, modified by Thompson and Barnett (J. Comput. Phys. 64, 490-509, 1986).
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / f64::MIN_POSITIVE, 1.0 / b);
    let mut fraction = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        fraction *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    1.0 - front * fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Closed forms: a gamma law of shape 1 is exponential, of shape 2 `1 - (1 + x) exp(-x)`.
    #[test]
    fn gamma_laws_of_whole_shape_have_closed_forms() {
        for x in [0.01f64, 0.5, 1.0, 1.9, 2.1, 3.5, 10.0, 40.0] {
            let one = Law::Gamma { shape: 1.0, scale: 1.0 }.cumulative(x);
            let two = Law::Gamma { shape: 2.0, scale: 2.0 }.cumulative(2.0 * x);
            assert!((one + (-x).exp_m1()).abs() < 1e-15, "{x}: {one}");
            assert!((two - (1.0 - (1.0 + x) * (-x).exp())).abs() < 1e-15, "{x}: {two}");
        }
    }

    #[test]
    fn quantiles_undo_shares() {
        let laws = [
            Law::Uniform { low: -1.0, high: 3.0 },
            Law::Normal { mean: 1.0, sd: 2.0 },
            Law::LogNormal { mu: 0.3, sigma: 0.7 },
            Law::Lorentzian { center: -5.0, half_width: 1.0 },
            Law::Exponential { mean: 0.2 },
            Law::Gamma { shape: 0.4, scale: 3.0 },
            Law::Gamma { shape: 7.0, scale: 0.1 },
        ];
        for law in laws {
            for p in [1e-6, 0.01, 0.3, 0.5, 0.77, 0.999] {
                let found = law.cumulative(law.quantile(p));
                // The quantile is exact to a few units in the last place, which the slope of the law hardly enlarges.
                assert!((found - p).abs() < 1e-13, "{law:?} at {p}: {found}");
            }
        }
    }

    /// Table values of the standard normal distribution (NIST Handbook of Mathematical Functions, table 26.1).
    #[test]
    fn normal_quantiles_are_those_of_tables() {
        let law = Law::Normal { mean: 0.0, sd: 1.0 };
        for (p, z) in [(0.975, 1.959_963_984_540_054), (0.5, 0.0), (0.001, -3.090_232_306_167_814)] {
            assert!((law.quantile(p) - z).abs() < 1e-14, "{p}: {}", law.quantile(p));
        }
    }
}
