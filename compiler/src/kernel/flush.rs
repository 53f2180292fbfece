//! Numbers below the normal ones count as zero.
//!
//! Every number that enters a kernel and every result of an operation is rounded as if exponents had no lower bound, and
//! becomes a zero of its sign if it is then below the smallest normal number. So kernels never meet a subnormal number, and
//! what processors do with one does not matter. This is what x86 processors compute with FTZ and DAZ set (Intel 64 and
//! IA-32 Architectures Software Developer's Manual, volume 1, sections 4.9.1.5 and 10.2.3: underflow is detected after
//! rounding), where arithmetic on subnormal numbers would take a hundred cycles.

use super::ir::Precision;
use crate::ir::prim::{Prim, arith};

/// Numbers next to the least normal one are scaled by this to be rounded as if exponents had no lower bound: large enough
/// to make the digits of a product's lower half normal, small enough that nothing of that size overflows.
const SCALE: f64 = 18_446_744_073_709_551_616.0;

/// A number as a kernel sees it.
pub fn number(value: f64, precision: Precision) -> f64 {
    // Halfway to the next number below, were there one: 2^-24 of it away. A tie rounds up, to the even one.
    const LEAST_SINGLE: f64 = f32::MIN_POSITIVE as f64 * (1.0 - f32::EPSILON as f64 / 4.0);
    let least = if precision == Precision::F32 { LEAST_SINGLE } else { f64::MIN_POSITIVE };
    if value.abs() < least {
        return 0f64.copysign(value);
    }
    if precision == Precision::F32 { f64::from(value as f32) } else { value }
}

/// The result of an operation on numbers that kernels see.
pub fn operation(prim: &Prim, args: &[f64], precision: Precision) -> f64 {
    let single = precision == Precision::F32;
    let least = if single { f64::from(f32::MIN_POSITIVE) } else { f64::MIN_POSITIVE };
    let result = prim.evaluate(args, single);
    let size = result.abs();
    if size < least || size == least && is_below(prim, args, single, least) {
        return 0f64.copysign(result);
    }
    result
}

/// Whether a result is the smallest normal number only because there is no other near it. Sums are exact there.
fn is_below(prim: &Prim, args: &[f64], single: bool, least: f64) -> bool {
    let mut scaled = [0.0; 3];
    scaled[..args.len()].copy_from_slice(args);
    if *prim == arith::MUL || *prim == arith::FMA {
        let smaller = if args[0].abs() < args[1].abs() { 0 } else { 1 };
        scaled[smaller] *= SCALE;
        // The third argument of a fused multiply-add; without one this is 0.
        scaled[2] *= SCALE;
    } else if *prim == arith::DIV {
        scaled[0] *= SCALE;
    } else {
        return false;
    }
    prim.evaluate(&scaled[..args.len()], single).abs() < least * SCALE
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: f64 = f64::MIN_POSITIVE;

    #[test]
    fn numbers_below_the_normal_ones_are_zeros_of_their_sign() {
        let single = |x| number(x, Precision::F32).to_bits();
        assert_eq!(number(1e-310, Precision::F64).to_bits(), 0f64.to_bits());
        assert_eq!(number(-1e-310, Precision::F64).to_bits(), (-0f64).to_bits());
        assert_eq!(number(LEAST, Precision::F64), LEAST);
        assert!(number(f64::NAN, Precision::F64).is_nan());
        assert_eq!(single(-1e-39), (-0f64).to_bits());
        // 2^-126 (1 - 2^-25) rounds to 2^-126 (a tie, to even), what is below it does not.
        let tie = 2f64.powi(-126) * (1.0 - 2f64.powi(-25));
        assert_eq!(single(tie), 2f64.powi(-126).to_bits());
        assert_eq!(single(tie.next_down()), 0f64.to_bits());
    }

    #[test]
    fn results_that_reach_the_normal_numbers_by_want_of_smaller_ones_are_zero() {
        // (1 - 2^-53) 2^-1022 is halfway between two subnormal numbers, of which the upper one is normal.
        let below_one = 1.0 - 2f64.powi(-53);
        assert_eq!(below_one * LEAST, LEAST);
        assert_eq!(operation(&arith::MUL, &[below_one, LEAST], Precision::F64), 0.0);
        assert_eq!(operation(&arith::MUL, &[-LEAST, below_one], Precision::F64).to_bits(), (-0f64).to_bits());
        assert_eq!(operation(&arith::FMA, &[below_one, LEAST, 0.0], Precision::F64), 0.0);
        // 1 / (1 + 2^-52) is 1 - 2^-52 + 2^-104, in range 1 - 2^-52.
        assert_eq!(operation(&arith::DIV, &[LEAST, 1.0f64.next_up()], Precision::F64), 0.0);
        // (1 - 2^-53)(1 + 2^-52) is above 1.
        assert_eq!(operation(&arith::MUL, &[LEAST * 1.0f64.next_up(), below_one], Precision::F64), LEAST);
        let (least, below_one) = (f64::from(f32::MIN_POSITIVE), f64::from(1.0f32.next_down()));
        assert_eq!(f64::from((least * below_one) as f32), least);
        assert_eq!(operation(&arith::MUL, &[least, below_one], Precision::F32), 0.0);
        assert_eq!(operation(&arith::FMA, &[least, below_one, 0.0], Precision::F32), 0.0);
        assert_eq!(operation(&arith::SUB, &[1.5 * least, 0.75 * least], Precision::F32), 0.0);
    }
}
