//! Reference arithmetic: unevaluated sums of two doubles, about 104 significant bits (T. J. Dekker, "A floating-point
//! technique for extending the available precision", Numerische Mathematik 18, 1971; Y. Hida, X. Li, D. Bailey, "Library
//! for double-double and quad-double arithmetic", 2008).

use std::ops::{Add, Div, Mul, Neg, Sub};

/// `hi + lo`, with `|lo|` at most half a unit in the last place of `hi`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Double2 {
    pub hi: f64,
    pub lo: f64,
}

/// The exact sum.
pub fn two_sum(a: f64, b: f64) -> Double2 {
    let hi = a + b;
    let from_b = hi - a;
    Double2 { hi, lo: (a - (hi - from_b)) + (b - from_b) }
}

/// The exact product.
pub fn two_product(a: f64, b: f64) -> Double2 {
    let hi = a * b;
    Double2 { hi, lo: a.mul_add(b, -hi) }
}

fn fast_two_sum(a: f64, b: f64) -> Double2 {
    let hi = a + b;
    Double2 { hi, lo: b - (hi - a) }
}

impl Double2 {
    pub const fn new(hi: f64, lo: f64) -> Double2 {
        Double2 { hi, lo }
    }

    pub fn abs(self) -> Double2 {
        if self.hi < 0.0 { -self } else { self }
    }

    pub fn sqrt(self) -> Double2 {
        if self.hi == 0.0 {
            return self;
        }
        let root = self.hi.sqrt();
        let rest = self - two_product(root, root);
        fast_two_sum(root, rest.hi / (2.0 * root))
    }

    /// Exact product with a power of two.
    pub fn scaled(self, power: f64) -> Double2 {
        Double2 { hi: self.hi * power, lo: self.lo * power }
    }
}

impl From<f64> for Double2 {
    fn from(hi: f64) -> Double2 {
        Double2 { hi, lo: 0.0 }
    }
}

impl Neg for Double2 {
    type Output = Double2;

    fn neg(self) -> Double2 {
        Double2 { hi: -self.hi, lo: -self.lo }
    }
}

impl<T: Into<Double2>> Add<T> for Double2 {
    type Output = Double2;

    fn add(self, other: T) -> Double2 {
        let other = other.into();
        let (high, low) = (two_sum(self.hi, other.hi), two_sum(self.lo, other.lo));
        let sum = fast_two_sum(high.hi, high.lo + low.hi);
        fast_two_sum(sum.hi, sum.lo + low.lo)
    }
}

impl<T: Into<Double2>> Sub<T> for Double2 {
    type Output = Double2;

    fn sub(self, other: T) -> Double2 {
        self + -other.into()
    }
}

impl<T: Into<Double2>> Mul<T> for Double2 {
    type Output = Double2;

    fn mul(self, other: T) -> Double2 {
        let other = other.into();
        let product = two_product(self.hi, other.hi);
        fast_two_sum(product.hi, product.lo + (self.hi * other.lo + self.lo * other.hi))
    }
}

impl<T: Into<Double2>> Div<T> for Double2 {
    type Output = Double2;

    fn div(self, other: T) -> Double2 {
        let other = other.into();
        let first = self.hi / other.hi;
        let rest = self - other * first;
        let second = rest.hi / other.hi;
        let rest = rest - other * second;
        fast_two_sum(first, second) + rest.hi / other.hi
    }
}
