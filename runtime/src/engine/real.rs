//! The two number formats. Numbers below the normal ones are flushed, see [`super::flush`].

use crate::flush::{Flushed, narrow};

/// Whether the processor flushes results while an engine runs.
const HARDWARE: bool = cfg!(target_arch = "x86_64");

use super::lanes::Lanes;
use super::pages::Plain;

/// A floating-point number of a program.
pub trait Real: Lanes + Plain + PartialOrd {
    /// Bytes of one number.
    const BYTES: usize;

    /// Rounds, and flushes.
    fn from_f64(value: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
    /// `a + b`
    fn add(self, b: Self) -> Self;
    /// `a - b`
    fn sub(self, b: Self) -> Self;
    /// `a * b`
    fn mul(self, b: Self) -> Self;
    /// `a / b`
    fn div(self, b: Self) -> Self;
    /// `a * b + c` with one rounding.
    fn fma(self, b: Self, c: Self) -> Self;
    /// `-a`
    fn neg(self) -> Self;
    /// `|a|`
    fn abs(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Largest whole number not above.
    fn floor(self) -> Self;
    /// Smallest whole number not below.
    fn ceil(self) -> Self;
    /// Nearest whole number, ties to even.
    fn round(self) -> Self;
    /// Whole part.
    fn trunc(self) -> Self;
    /// [`Unary::Raise`](crate::program::Unary::Raise)
    fn raise(self) -> Self;
    /// [`Unary::Exponent`](crate::program::Unary::Exponent)
    fn exponent(self) -> Self;
    /// [`Unary::Mantissa`](crate::program::Unary::Mantissa)
    fn mantissa(self) -> Self;
    /// [`Binary::XorSign`](crate::program::Binary::XorSign)
    fn xor_sign(self, b: Self) -> Self;
    /// [`Binary::Alternate`](crate::program::Binary::Alternate)
    fn alternate(self, b: Self) -> Self;
}

/// The layout of a number format, for the operations on bits.
pub struct Layout<B> {
    /// Digits of the significand after the point.
    pub digits: u32,
    /// Bits of the largest number below sqrt(1/2).
    pub root: B,
    /// Added to a number's bits, carries into the exponent where its significand is above that of `root`.
    pub carry: B,
    /// `2^digits`, whose low bits hold a whole number added to it.
    pub whole: B,
    /// That number with the exponent's bias added.
    pub whole_biased: B,
}

/// Double precision.
pub const DOUBLE: Layout<u64> = Layout {
    digits: 52,
    root: 0x3fe6_a09e_667f_3bcc,
    carry: 0x3ff0_0000_0000_0000 - 0x3fe6_a09e_667f_3bcc,
    whole: 0x4330_0000_0000_0000,
    whole_biased: 0x4330_0000_0000_0000 + 1023,
};

/// Single precision.
pub const SINGLE: Layout<u32> = Layout {
    digits: 23,
    root: 0x3f35_04f3,
    carry: 0x3f80_0000 - 0x3f35_04f3,
    whole: 0x4b00_0000,
    whole_biased: 0x4b00_0000 + 127,
};

macro_rules! real {
    ($type:ty, $bits:ty, $layout:expr, $from:expr) => {
        impl Real for $type {
            const BYTES: usize = size_of::<$type>();

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                $from(value)
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn add(self, b: Self) -> Self {
                if HARDWARE { self + b } else { (self + b).flushed() }
            }
            #[inline(always)]
            fn sub(self, b: Self) -> Self {
                if HARDWARE { self - b } else { (self - b).flushed() }
            }
            #[inline(always)]
            fn mul(self, b: Self) -> Self {
                if HARDWARE { self * b } else { self.flushed_mul(b) }
            }
            #[inline(always)]
            fn div(self, b: Self) -> Self {
                if HARDWARE { self / b } else { self.flushed_div(b) }
            }
            #[inline(always)]
            fn fma(self, b: Self, c: Self) -> Self {
                if HARDWARE { self.mul_add(b, c) } else { self.flushed_fma(b, c) }
            }
            #[inline(always)]
            fn neg(self) -> Self {
                -self
            }
            #[inline(always)]
            fn abs(self) -> Self {
                <$type>::abs(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                <$type>::sqrt(self)
            }
            #[inline(always)]
            fn floor(self) -> Self {
                <$type>::floor(self)
            }
            #[inline(always)]
            fn ceil(self) -> Self {
                <$type>::ceil(self)
            }
            #[inline(always)]
            fn round(self) -> Self {
                self.round_ties_even()
            }
            #[inline(always)]
            fn trunc(self) -> Self {
                <$type>::trunc(self)
            }
            #[inline(always)]
            fn raise(self) -> Self {
                <$type>::from_bits(self.to_bits() << $layout.digits)
            }
            #[inline(always)]
            fn exponent(self) -> Self {
                let high = self.to_bits().wrapping_add($layout.carry) >> $layout.digits;
                <$type>::from_bits(high | $layout.whole) - <$type>::from_bits($layout.whole_biased)
            }
            #[inline(always)]
            fn mantissa(self) -> Self {
                let low = self.to_bits().wrapping_add($layout.carry) & !(<$bits>::MAX << $layout.digits);
                <$type>::from_bits(low + $layout.root)
            }
            #[inline(always)]
            fn xor_sign(self, b: Self) -> Self {
                <$type>::from_bits(self.to_bits() ^ (b.to_bits() & (1 << (<$bits>::BITS - 1))))
            }
            #[inline(always)]
            fn alternate(self, b: Self) -> Self {
                <$type>::from_bits(self.to_bits() ^ (b.to_bits() << (<$bits>::BITS - 1)))
            }
        }
    };
}

real!(f32, u32, SINGLE, narrow);
real!(f64, u64, DOUBLE, f64::flushed);
