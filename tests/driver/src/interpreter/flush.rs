//! Single precision where numbers below the normal ones count as zero (`.ftz`).
//!
//! Operands and results are rounded as if exponents had no lower bound, and become a zero of their sign if they are then
//! below the smallest normal number. Whether processors of all generations do so for results that only rounding makes normal is
//! not documented.

const LEAST: f32 = f32::MIN_POSITIVE;

/// Numbers near the least normal one times this are rounded as if exponents had no lower bound, and none of them overflows.
const SCALE: f32 = 18_446_744_073_709_551_616.0;

/// An operand as an instruction sees it.
fn operand(value: f32) -> f32 {
    if value.abs() < LEAST { 0f32.copysign(value) } else { value }
}

/// A result; `scaled` is the same times [`SCALE`].
fn result(value: f32, scaled: impl FnOnce() -> f32) -> f32 {
    let size = value.abs();
    let below = size < LEAST || size == LEAST && scaled().abs() < LEAST * SCALE;
    if below { 0f32.copysign(value) } else { value }
}

/// The smaller factor times [`SCALE`], and the larger one, so that their product does not overflow where it matters.
fn scale(a: f32, b: f32) -> (f32, f32) {
    if a.abs() < b.abs() { (a * SCALE, b) } else { (b * SCALE, a) }
}

/// Sums are exact near the least normal number.
fn exact(value: f32) -> f32 {
    result(value, || value * SCALE)
}

/// `a + b`
pub fn add(a: f32, b: f32, _: f32) -> f32 {
    exact(operand(a) + operand(b))
}

/// `a - b`
pub fn sub(a: f32, b: f32, _: f32) -> f32 {
    exact(operand(a) - operand(b))
}

/// `a b`
pub fn mul(a: f32, b: f32, _: f32) -> f32 {
    let (a, b) = (operand(a), operand(b));
    result(a * b, || {
        let (small, large) = scale(a, b);
        small * large
    })
}

/// `a / b`
pub fn div(a: f32, b: f32, _: f32) -> f32 {
    let (a, b) = (operand(a), operand(b));
    result(a / b, || a * SCALE / b)
}

/// `a b + c`, rounded once.
pub fn fma(a: f32, b: f32, c: f32) -> f32 {
    let (a, b, c) = (operand(a), operand(b), operand(c));
    result(a.mul_add(b, c), || {
        let (small, large) = scale(a, b);
        small.mul_add(large, c * SCALE)
    })
}

/// The square root; that of a normal number is far above the least one.
pub fn sqrt(a: f32, _: f32, _: f32) -> f32 {
    operand(a).sqrt()
}

/// A number of double precision, rounded once.
pub fn narrow(value: f64) -> f32 {
    // Halfway to the next number below the least normal one, were there one: 2^-24 of it away. A tie rounds up, to the even one.
    const HALFWAY: f64 = LEAST as f64 * (1.0 - f32::EPSILON as f64 / 4.0);
    if value.abs() < HALFWAY { 0f32.copysign(value as f32) } else { value as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_below_the_normal_ones_are_zeros_of_their_sign() {
        assert_eq!(add(-LEAST / 2.0, -0.0, 0.0).to_bits(), (-0f32).to_bits());
        assert_eq!(add(LEAST / 2.0, LEAST / 2.0, 0.0), 0.0);
        assert_eq!(sub(1.5 * LEAST, LEAST, 0.0), 0.0);
        assert_eq!(add(LEAST, LEAST, 0.0), 2.0 * LEAST);
        assert_eq!(sqrt(-LEAST / 2.0, 0.0, 0.0).to_bits(), (-0f32).to_bits());
        let tie = 2f64.powi(-126) * (1.0 - 2f64.powi(-25));
        assert_eq!((narrow(tie), narrow(tie.next_down()), narrow(-1e-39).to_bits()), (LEAST, 0.0, (-0f32).to_bits()));
    }

    #[test]
    fn results_that_reach_the_normal_numbers_by_want_of_smaller_ones_are_zero() {
        // (1 - 2^-24) 2^-126 is halfway between two subnormal numbers, of which the upper one is normal.
        let below_one = 1f32.next_down();
        assert_eq!(below_one * LEAST, LEAST);
        assert_eq!(mul(below_one, LEAST, 0.0), 0.0);
        assert_eq!(fma(-LEAST, below_one, 0.0).to_bits(), (-0f32).to_bits());
        assert_eq!(div(LEAST, 1f32.next_up(), 0.0), 0.0);
        // (1 + 2^-23)(1 - 2^-24) is above 1.
        assert_eq!(mul(LEAST * 1f32.next_up(), below_one, 0.0), LEAST);
        assert_eq!(fma(LEAST, 0.5, LEAST / 2.0), 0.0);
    }
}
