//! How the functions that the target has are written.
//!
//! Truth values are numbers, as everywhere in kernels. Comparisons are written so that NaN behaves as the rows say also
//! where a driver takes `!=` for an ordered comparison, and nothing depends on a test `x != x`.

use crate::ir::prim::{Prim, arith, bits};
use crate::kernel::ir::Precision;

/// `0`, `1` and `2` in braces stand for the arguments.
static SPELLINGS: &[(&Prim, &str)] = &[
    (&arith::NEG, "-{0}"),
    (&arith::ABS, "abs({0})"),
    (&arith::SQRT, "sqrt({0})"),
    (&arith::FLOOR, "floor({0})"),
    (&arith::CEIL, "ceil({0})"),
    (&arith::ROUND, "round({0})"),
    (&arith::TRUNC, "trunc({0})"),
    (&arith::NOT, "truth(is_zero({0}))"),
    (&arith::ADD, "{0} + {1}"),
    (&arith::SUB, "{0} - {1}"),
    (&arith::MUL, "{0} * {1}"),
    (&arith::DIV, "{0} / {1}"),
    (&arith::MIN, "least({0}, {1})"),
    (&arith::MAX, "largest({0}, {1})"),
    (&arith::LT, "truth({0} < {1})"),
    (&arith::LE, "truth({0} <= {1})"),
    (&arith::GT, "truth({0} > {1})"),
    (&arith::GE, "truth({0} >= {1})"),
    (&arith::EQ, "truth({0} == {1})"),
    (&arith::NE, "truth(!({0} == {1}))"),
    (&arith::AND, "truth(!(is_zero({0}) || is_zero({1})))"),
    (&arith::OR, "truth(!(is_zero({0}) && is_zero({1})))"),
    (&arith::FMA, "fma({0}, {1}, {2})"),
    (&arith::SELECT, "select({1}, {2}, is_zero({0}))"),
    (&bits::RAISE, "raise({0})"),
    (&bits::EXPONENT, "exponent({0})"),
    (&bits::MANTISSA, "mantissa({0})"),
    (&bits::XORSIGN, "xorsign({0}, {1})"),
    (&bits::ALTERNATE, "alternate({0}, {1})"),
    (&bits::KEEP, "keep({0})"),
];

/// How a function is written; `None` where the target lacks it.
pub fn spelling(prim: &Prim) -> Option<&'static str> {
    SPELLINGS.iter().find(|row| row.0 == prim).map(|row| row.1)
}

/// A call with the names of its arguments.
pub fn call(prim: &Prim, args: &[String]) -> String {
    let mut text = spelling(prim).expect("`legalise` leaves only functions that the target has").to_string();
    for (i, arg) in args.iter().enumerate() {
        text = text.replace(&format!("{{{i}}}"), arg);
    }
    text
}

/// A number.
pub fn literal(value: f64, precision: Precision) -> String {
    match precision {
        Precision::F32 => {
            let single = value as f32;
            // The languages have no infinities, no NaN, and need not keep numbers below the normal ones.
            if single.is_normal() || single.to_bits() == 0 { format!("{single:e}f") } else { bits_of(single) }
        }
        Precision::F64 if value.is_normal() || value.to_bits() == 0 => format!("{value:e}lf"),
        Precision::F64 => format!("bitcast<f64>({}lu + u64(nothing))", value.to_bits()),
    }
}

/// As the bits of an integer that no compiler folds into a constant expression.
fn bits_of(value: f32) -> String {
    format!("bitcast<f32>({:#x}u + nothing)", value.to_bits())
}

/// What the spellings call, in single precision. Constants as in the rows of the layout of numbers.
const SINGLE: &str = "\
fn is_nan(a: f32) -> bool {
    return (bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u;
}
fn raise(a: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(a) << 23u);
}
fn exponent(a: f32) -> f32 {
    return f32(i32((bitcast<u32>(a) + 0x4afb0du) >> 23u) - 127);
}
fn mantissa(a: f32) -> f32 {
    return bitcast<f32>(((bitcast<u32>(a) + 0x4afb0du) & 0x7fffffu) + 0x3f3504f3u);
}
fn xorsign(a: f32, b: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(a) ^ (bitcast<u32>(b) & 0x80000000u));
}
fn alternate(a: f32, b: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(a) ^ (bitcast<u32>(b) << 31u));
}
fn keep(a: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(a) ^ clock.zero);
}
";

/// The same in double precision.
const DOUBLE: &str = "\
fn is_nan(a: f64) -> bool {
    return (bitcast<u64>(a) & 0x7ffffffffffffffflu) > 0x7ff0000000000000lu;
}
fn raise(a: f64) -> f64 {
    return bitcast<f64>(bitcast<u64>(a) << 52u);
}
fn exponent(a: f64) -> f64 {
    return f64(i32((bitcast<u64>(a) + 0x95f619980c434lu) >> 52u) - 1023);
}
fn mantissa(a: f64) -> f64 {
    return bitcast<f64>(((bitcast<u64>(a) + 0x95f619980c434lu) & 0xffffffffffffflu) + 0x3fe6a09e667f3bcclu);
}
fn xorsign(a: f64, b: f64) -> f64 {
    return bitcast<f64>(bitcast<u64>(a) ^ (bitcast<u64>(b) & 0x8000000000000000lu));
}
fn alternate(a: f64, b: f64) -> f64 {
    return bitcast<f64>(bitcast<u64>(a) ^ (bitcast<u64>(b) << 63u));
}
fn keep(a: f64) -> f64 {
    return bitcast<f64>(bitcast<u64>(a) ^ u64(clock.zero));
}
";

/// Common to both.
const EITHER: &str = "\
var<private> nothing: u32 = 0u;
fn truth(a: bool) -> real {
    return select(real(0), real(1), a);
}
fn is_zero(a: real) -> bool {
    return a == real(0);
}
fn least(a: real, b: real) -> real {
    return select(b, a, a < b || is_nan(b));
}
fn largest(a: real, b: real) -> real {
    return select(b, a, a > b || is_nan(b));
}
fn element(group: vec3<u32>, groups: vec3<u32>, local: u32, size: u32) -> u32 {
    return (group.y * groups.x + group.x) * size + local;
}
";

/// The functions that the spellings and the entries call.
pub fn prelude(precision: Precision) -> String {
    let own = if precision == Precision::F64 { DOUBLE } else { SINGLE };
    format!("alias real = {};\n{own}{EITHER}", precision.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_so_that_they_read_back() {
        assert_eq!(literal(1.0, Precision::F32), "1e0f");
        assert_eq!(literal(-2.5e-7, Precision::F32), "-2.5e-7f");
        assert_eq!(literal(0.1, Precision::F64), "1e-1lf");
        assert_eq!(literal(f64::INFINITY, Precision::F32), "bitcast<f32>(0x7f800000u + nothing)");
        assert_eq!(literal(1e-40, Precision::F32), "bitcast<f32>(0x116c2u + nothing)");
        assert_eq!(literal(-0.0, Precision::F32), "bitcast<f32>(0x80000000u + nothing)");
    }
}
