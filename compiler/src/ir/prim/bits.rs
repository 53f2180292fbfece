//! The layout of floating-point numbers: what the elementary-function library needs beyond arithmetic.
//!
//! Equations cannot call these rows. Each is one to four integer instructions (shift, and, or, xor, add) on lanes as wide
//! as the number, none converts between integers and numbers, and every bit pattern has a defined result. They are exact.
//! Constants in double | single precision: significand digits after the point 52 | 23, bias 1023 | 127.

use super::{Partial, Prim};

/// A whole number added to this has its value in the low bits of the significand of the sum: `1.5 * 2^52`.
pub const WHOLE: f64 = 6_755_399_441_055_744.0;

/// [`WHOLE`] in single precision: `1.5 * 2^23`.
pub const WHOLE_SINGLE: f64 = 12_582_912.0;

/// Digits of the significand after the point.
pub const DIGITS: u32 = 52;
/// [`DIGITS`] in single precision.
pub const DIGITS_SINGLE: u32 = 23;
/// The sign bit.
pub const SIGN: u64 = 1 << 63;
/// [`SIGN`] in single precision.
pub const SIGN_SINGLE: u32 = 1 << 31;

/// Bits of the largest number below sqrt(1/2); significands are taken from just above it.
pub const ROOT: u64 = 0x3fe6_a09e_667f_3bcc;
/// [`ROOT`] in single precision.
pub const ROOT_SINGLE: u32 = 0x3f35_04f3;
/// Adding this carries into the exponent where the significand is above that of [`ROOT`].
pub const CARRY: u64 = 0x3ff0_0000_0000_0000 - ROOT;
/// [`CARRY`] in single precision.
pub const CARRY_SINGLE: u32 = 0x3f80_0000 - ROOT_SINGLE;
/// Bits of `2^52`, whose low bits hold a whole number added to it.
pub const TWO_52: u64 = 0x4330_0000_0000_0000;
/// That number with the bias added.
pub const TWO_52_BIASED: f64 = 4_503_599_627_370_496.0 + 1023.0;
/// Bits of `2^23` likewise.
pub const TWO_23: u32 = 0x4b00_0000;
/// That number with the bias added.
pub const TWO_23_BIASED: f32 = 8_388_608.0 + 127.0;

/// Piecewise constant, or nothing that is ever differentiated: derivatives are taken before these rows appear.
const FLAT: Partial = super::arith::FLAT;

/// Power of two.
pub static RAISE: Prim = Prim::function(
    "raise",
    "2^k of 1.5 * 2^52 + 1023 + k (single: 1.5 * 2^23 + 127 + k): the low bits become the exponent; sign and digits 0",
    &[(WHOLE + 3.0, WHOLE + 2000.0)],
    |a| f64::from_bits(a[0].to_bits() << DIGITS),
    FLAT,
)
.operator()
.single(|a| f32::from_bits(a[0].to_bits() << DIGITS_SINGLE));

/// Exponent.
pub static EXPONENT: Prim = Prim::function(
    "exponent",
    "the whole k with x = m 2^k, sqrt(1/2) < m <= sqrt(2), for x positive and normal; else whole and at most 2048",
    &[(0.1, 100.0)],
    |a| f64::from_bits((a[0].to_bits().wrapping_add(CARRY) >> DIGITS) | TWO_52) - TWO_52_BIASED,
    FLAT,
)
.operator()
.single(|a| f32::from_bits((a[0].to_bits().wrapping_add(CARRY_SINGLE) >> DIGITS_SINGLE) | TWO_23) - TWO_23_BIASED);

/// Significand.
pub static MANTISSA: Prim = Prim::function(
    "mantissa",
    "the m with x = m 2^k, sqrt(1/2) < m <= sqrt(2), k whole, for x positive and normal; else in that interval too",
    &[(0.8, 1.3)],
    |a| f64::from_bits((a[0].to_bits().wrapping_add(CARRY) & !(u64::MAX << DIGITS)) + ROOT),
    |g, _, _| vec![g.constant(1.0)],
)
.operator()
.single(|a| f32::from_bits((a[0].to_bits().wrapping_add(CARRY_SINGLE) & !(u32::MAX << DIGITS_SINGLE)) + ROOT_SINGLE));

/// Change of sign by another number.
pub static XORSIGN: Prim = Prim::function(
    "xorsign",
    "a with its sign changed if the sign bit of b is set",
    &[(-3.0, 3.0), (0.5, 3.0)],
    |a| f64::from_bits(a[0].to_bits() ^ (a[1].to_bits() & SIGN)),
    |g, _, _| vec![g.constant(1.0), g.constant(0.0)],
)
.operator()
.single(|a| f32::from_bits(a[0].to_bits() ^ (a[1].to_bits() & SIGN_SINGLE)));

/// Change of sign by parity.
pub static ALTERNATE: Prim = Prim::function(
    "alternate",
    "a (-1)^k with b = 1.5 * 2^52 + k (single: 1.5 * 2^23 + k): the lowest bit of b changes the sign of a",
    &[(-3.0, 3.0), (WHOLE, WHOLE + 8.0)],
    |a| f64::from_bits(a[0].to_bits() ^ (a[1].to_bits() << 63)),
    |g, _, _| vec![g.constant(1.0), g.constant(0.0)],
)
.operator()
.single(|a| f32::from_bits(a[0].to_bits() ^ (a[1].to_bits() << 31)));

/// The number itself.
pub static KEEP: Prim = Prim::function(
    "keep",
    "a, as a number of which the target's compiler knows nothing else",
    &[(-3.0, 3.0)],
    |a| a[0],
    |g, _, _| vec![g.constant(1.0)],
)
.operator()
.means(|_, a| a[0]);

/// All rows of this file.
pub static ROWS: &[&Prim] = &[&RAISE, &EXPONENT, &MANTISSA, &XORSIGN, &ALTERNATE, &KEEP];

#[cfg(test)]
mod tests {
    use super::*;

    const SQRT_HALF: f64 = std::f64::consts::FRAC_1_SQRT_2;
    const SQRT_2: f64 = std::f64::consts::SQRT_2;

    #[test]
    fn exponent_and_mantissa_make_up_the_number() {
        for single in [false, true] {
            let (least, most) = if single { (-126, 127) } else { (-1022, 1023) };
            for k in least..=most {
                for m in [1.0, 1.25, 1.375, 1.4375, 1.5, 1.96875] {
                    let x = m * 2f64.powi(k);
                    let (e, m) = (EXPONENT.evaluate(&[x], single), MANTISSA.evaluate(&[x], single));
                    assert!(SQRT_HALF < m && m <= SQRT_2, "{x}: {m}");
                    // In two steps, as 2^1024 overflows.
                    assert_eq!(m * 2f64.powf(e - 1.0) * 2.0, x);
                }
            }
        }
    }

    #[test]
    fn raise_makes_every_normal_power_of_two() {
        for k in -1022..=1023 {
            assert_eq!(RAISE.evaluate(&[WHOLE + 1023.0 + f64::from(k)], false), 2f64.powi(k));
        }
        for k in -126..=127 {
            assert_eq!(RAISE.evaluate(&[WHOLE_SINGLE + 127.0 + f64::from(k)], true), 2f64.powi(k));
        }
        // Next to the range, 0 and infinity.
        assert_eq!(RAISE.evaluate(&[WHOLE], false), 0.0);
        assert_eq!(RAISE.evaluate(&[WHOLE + 2047.0], false), f64::INFINITY);
    }

    #[test]
    fn signs_change_by_sign_bit_and_by_parity() {
        for (single, whole) in [(false, WHOLE), (true, WHOLE_SINGLE)] {
            assert_eq!(XORSIGN.evaluate(&[2.0, -0.0], single), -2.0);
            assert_eq!(XORSIGN.evaluate(&[-2.0, -3.0], single), 2.0);
            assert_eq!(XORSIGN.evaluate(&[2.0, 0.0], single), 2.0);
            for (k, expected) in [(0.0, 2.0), (1.0, -2.0), (-1.0, -2.0), (-4.0, 2.0), (1001.0, -2.0)] {
                assert_eq!(ALTERNATE.evaluate(&[2.0, whole + k], single), expected);
            }
        }
    }
}
