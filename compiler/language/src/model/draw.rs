//! Drawn numbers: the seed of the structure and a place in the circuit decide them, so they depend on nothing else.

use std::f64::consts::{PI, TAU};
use std::fmt::{self, Display, Formatter};

use nullcline_runtime::random::philox;

use super::{Values, threads};
use crate::template::distribution::{Distribution, Law};

/// Random numbers of one place in the circuit: 2^32 elements with 2^32 blocks of 128 bits each.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stream {
    seed: u64,
    place: u64,
}

impl Stream {
    /// The stream of a place: the path of a variable, the ends of an edge.
    pub fn new(seed: u64, place: &str) -> Stream {
        /// FNV-1a (RFC 9923).
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        Stream { seed, place: OFFSET }.of(place)
    }

    /// A stream of its own for something at this place.
    pub fn of(self, what: &str) -> Stream {
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        // A byte that no text has ends each part.
        Stream { place: step(what.bytes().fold(self.place, step), 0xff), ..self }
    }

    /// The stream with another seed, if one is given.
    pub fn reseeded(self, seed: Option<u64>) -> Stream {
        Stream { seed: seed.unwrap_or(self.seed), ..self }
    }

    fn words(&self, element: u32, block: u32) -> [u32; 4] {
        let halves = |x: u64| [x as u32, (x >> 32) as u32];
        let place = halves(self.place);
        philox([element, block, place[0], place[1]], halves(self.seed))
    }

    /// The numbers of an element, in order.
    pub fn element(self, element: u32) -> Draws {
        Draws { stream: self, element, block: 0, left: None }
    }
}

impl Display for Stream {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:016x}", self.seed, self.place)
    }
}

/// The random numbers of one element of a stream.
pub struct Draws {
    stream: Stream,
    element: u32,
    block: u32,
    left: Option<u64>,
}

impl Draws {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        if let Some(left) = self.left.take() {
            return left;
        }
        let words = self.stream.words(self.element, self.block);
        self.block += 1;
        self.left = Some(u64::from(words[2]) << 32 | u64::from(words[3]));
        u64::from(words[0]) << 32 | u64::from(words[1])
    }

    /// A number in [0, 1), a multiple of 2^-53.
    pub fn unit(&mut self) -> f64 {
        const UNIT: f64 = 1.0 / (1u64 << 53) as f64;
        (self.bits() >> 11) as f64 * UNIT
    }

    /// A number in (0, 1], a multiple of 2^-53.
    pub fn positive(&mut self) -> f64 {
        1.0 - self.unit()
    }

    /// A whole number below `n`; the bias of the product is below `n / 2^64`.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// A standard normal number (G. Box, M. Muller, Ann. Math. Stat. 29, 610-611, 1958).
    fn normal(&mut self) -> f64 {
        let (u, v) = (self.positive(), self.unit());
        libm::sqrt(-2.0 * libm::log(u)) * libm::cos(TAU * v)
    }

    /// A number of the gamma law with scale 1 (G. Marsaglia, W. Tsang, ACM Trans. Math. Softw. 26, 363-372, 2000).
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let power = libm::pow(self.positive(), 1.0 / shape);
            return self.gamma(shape + 1.0) * power;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && libm::log(self.positive()) < 0.5 * x * x + d * (1.0 - v + libm::log(v)) {
                return d * v;
            }
        }
    }

    fn law(&mut self, law: Law) -> f64 {
        match law {
            Law::Uniform { low, high } => low + (high - low) * self.unit(),
            Law::Normal { mean, sd } => mean + sd * self.normal(),
            Law::LogNormal { mu, sigma } => libm::exp(mu + sigma * self.normal()),
            Law::Lorentzian { center, half_width } => center + half_width * libm::tan(PI * (self.unit() - 0.5)),
            Law::Exponential { mean } => -mean * libm::log(self.positive()),
            Law::Gamma { shape, scale } => scale * self.gamma(shape),
        }
    }
}

/// The numbers of a distribution, one for each of `count` elements.
pub fn draw(distribution: &Distribution, stream: Stream, count: usize) -> Vec<f64> {
    let stream = stream.reseeded(distribution.seed);
    let law = distribution.law;
    let (low, high) = (distribution.min.unwrap_or(f64::NEG_INFINITY), distribution.max.unwrap_or(f64::INFINITY));
    if distribution.quantiles {
        // Of the part of the law between the bounds.
        let (from, share) = (law.share(f64::NEG_INFINITY, low.next_down()), law.share(low, high));
        let at = |j: usize| from + share * (j + 1) as f64 / (count + 1) as f64;
        return (0..count).map(|j| law.quantile(at(j)).clamp(low, high)).collect();
    }
    // A distribution has a share of at least 1e-3 between its bounds, so this many draws do not all miss them.
    const MOST_DRAWS: usize = 1 << 20;
    let one = |element: usize| {
        let mut draws = stream.element(element as u32);
        let mut drawn = draws.law(law);
        for _ in 0..MOST_DRAWS {
            if (low..=high).contains(&drawn) {
                break;
            }
            drawn = draws.law(law);
        }
        drawn
    };
    threads::each(count, one)
}

/// As [`draw`], shared.
pub(super) fn values(distribution: &Distribution, stream: Stream, count: usize) -> Values {
    Values::Each(draw(distribution, stream, count).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: usize = 20_000;

    /// Kolmogorov and Smirnov: the largest gap between the drawn shares and the law exceeds 2.2/sqrt(n) with a
    /// probability of 2 exp(-2 * 2.2^2) = 1.2e-4.
    #[test]
    fn drawn_numbers_follow_their_laws() {
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
            let mut drawn = draw(&Distribution::new(law), Stream::new(1, "p/op/x"), COUNT);
            drawn.sort_by(f64::total_cmp);
            let gap = |(i, x): (usize, &f64)| (law.cumulative(*x) - i as f64 / COUNT as f64).abs();
            let gap = drawn.iter().enumerate().map(gap).fold(0.0, f64::max);
            assert!(gap < 2.2 / (COUNT as f64).sqrt(), "{law:?}: {gap}");
        }
    }

    #[test]
    fn bounds_hold_and_elements_stand_alone() {
        let law = Distribution::new(Law::Normal { mean: 0.0, sd: 1.0 }).min(-0.5).max(1.0);
        let stream = Stream::new(7, "p/op/x");
        let many = draw(&law, stream, 1000);
        assert!(many.iter().all(|x| (-0.5..=1.0).contains(x)));
        assert_eq!(draw(&law, stream, 10), many[..10]);
        assert_ne!(draw(&law, Stream::new(7, "p/op/y"), 10), many[..10]);
        assert_ne!(draw(&law, Stream::new(8, "p/op/x"), 10), many[..10]);
        assert_eq!(draw(&law.seed(7), Stream::new(8, "p/op/x"), 10), many[..10]);
    }

    /// E. Montbrio, D. Pazo, A. Roxin, Phys. Rev. X 5, 021028 (2015): eta_j = center + half_width *
    /// tan(pi/2 (2j - n - 1)/(n + 1)).
    #[test]
    fn lorentzian_quantiles_are_those_of_the_paper() {
        let law = Distribution::new(Law::Lorentzian { center: -5.0, half_width: 0.5 }).quantiles();
        let n = 7;
        for (j, eta) in draw(&law, Stream::new(0, ""), n).into_iter().enumerate() {
            let (j, n) = (j as f64 + 1.0, n as f64);
            let expected = -5.0 + 0.5 * (PI / 2.0 * (2.0 * j - n - 1.0) / (n + 1.0)).tan();
            assert!((eta - expected).abs() < 1e-14 * expected.abs(), "{j}: {eta}");
        }
    }
}
