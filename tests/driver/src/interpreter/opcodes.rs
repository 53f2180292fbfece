//! What each instruction that computes does: one row per opcode. An opcode without a row is refused.

use super::flush;
use super::parse::Kind::{self, B32, B64, F32, F64, Pred, Raw32, Raw64};

/// Operands as bits, in the order they are written; unused ones are 0.
pub type Compute = fn([u64; 3]) -> u64;

/// An instruction that computes one register from others.
pub struct Row {
    pub name: &'static str,
    pub result: Kind,
    pub operands: &'static [Kind],
    pub compute: Compute,
}

const fn row(name: &'static str, result: Kind, operands: &'static [Kind], compute: Compute) -> Row {
    Row { name, result, operands, compute }
}

/// The NaN that single-precision instructions give (PTX ISA 8.8, section 9.7.3: "NaN payloads are not supported").
const NAN_SINGLE: u32 = 0x7fff_ffff;

fn f32_of(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

fn f32_bits(value: f32) -> u64 {
    u64::from(if value.is_nan() { NAN_SINGLE } else { value.to_bits() })
}

fn f64_of(bits: u64) -> f64 {
    f64::from_bits(bits)
}

macro_rules! single {
    ($f:expr) => {
        |[a, b, c]| {
            let f: fn(f32, f32, f32) -> f32 = $f;
            f32_bits(f(f32_of(a), f32_of(b), f32_of(c)))
        }
    };
}

macro_rules! double {
    ($f:expr) => {
        |[a, b, c]| {
            let f: fn(f64, f64, f64) -> f64 = $f;
            f(f64_of(a), f64_of(b), f64_of(c)).to_bits()
        }
    };
}

macro_rules! compare {
    ($of:ident, $f:expr) => {
        |[a, b, c]| {
            let f: fn(_, _, bool) -> bool = $f;
            u64::from(f($of(a), $of(b), c != 0))
        }
    };
}

macro_rules! short {
    ($f:expr) => {
        |[a, b, c]| {
            let f: fn(u32, u32, u32) -> u32 = $f;
            u64::from(f(a as u32, b as u32, c as u32))
        }
    };
}

fn u32_of(bits: u64) -> u32 {
    bits as u32
}

fn u64_of(bits: u64) -> u64 {
    bits
}

/// Shifts by more than the width give 0.
fn shl32(a: u32, by: u32) -> u32 {
    a.checked_shl(by).unwrap_or(0)
}

const S1: &[Kind] = &[F32];
const S2: &[Kind] = &[F32, F32];
const S3: &[Kind] = &[F32, F32, F32];
const D1: &[Kind] = &[F64];
const D2: &[Kind] = &[F64, F64];
const D3: &[Kind] = &[F64, F64, F64];
const I2: &[Kind] = &[B32, B32];
const I3: &[Kind] = &[B32, B32, B32];
const L2: &[Kind] = &[B64, B64];
const L3: &[Kind] = &[B64, B64, B64];

/// Every opcode that computes.
pub static ROWS: &[Row] = &[
    // Single precision.
    row("neg.f32", F32, S1, single!(|a, _, _| -a)),
    row("abs.f32", F32, S1, single!(|a, _, _| a.abs())),
    row("cvt.rmi.f32.f32", F32, S1, single!(|a, _, _| a.floor())),
    row("cvt.rpi.f32.f32", F32, S1, single!(|a, _, _| a.ceil())),
    row("cvt.rni.f32.f32", F32, S1, single!(|a, _, _| a.round_ties_even())),
    row("cvt.rzi.f32.f32", F32, S1, single!(|a, _, _| a.trunc())),
    row("setp.lt.f32", Pred, S2, compare!(f32_of, |a, b, _| a < b)),
    row("setp.le.f32", Pred, S2, compare!(f32_of, |a, b, _| a <= b)),
    row("setp.gt.f32", Pred, S2, compare!(f32_of, |a, b, _| a > b)),
    row("setp.ge.f32", Pred, S2, compare!(f32_of, |a, b, _| a >= b)),
    row("setp.eq.f32", Pred, S2, compare!(f32_of, |a, b, _| a == b)),
    row("setp.neu.f32", Pred, S2, compare!(f32_of, |a, b, _| a != b)),
    row("setp.nan.f32", Pred, S2, compare!(f32_of, |a: f32, b: f32, _| a.is_nan() || b.is_nan())),
    row("setp.lt.or.f32", Pred, &[F32, F32, Pred], compare!(f32_of, |a, b, c| a < b || c)),
    row("setp.gt.or.f32", Pred, &[F32, F32, Pred], compare!(f32_of, |a, b, c| a > b || c)),
    row("selp.f32", F32, &[F32, F32, Pred], |[a, b, c]| if c != 0 { a } else { b }),
    row("mov.f32", F32, S1, |[a, ..]| a),
    // Single precision, numbers below the normal ones as zero.
    row("add.rn.ftz.f32", F32, S2, single!(flush::add)),
    row("sub.rn.ftz.f32", F32, S2, single!(flush::sub)),
    row("mul.rn.ftz.f32", F32, S2, single!(flush::mul)),
    row("div.rn.ftz.f32", F32, S2, single!(flush::div)),
    row("fma.rn.ftz.f32", F32, S3, single!(flush::fma)),
    row("sqrt.rn.ftz.f32", F32, S1, single!(flush::sqrt)),
    row("cvt.rn.ftz.f32.f64", F32, D1, |[a, ..]| f32_bits(flush::narrow(f64_of(a)))),
    // Approximations, here by the functions that they approximate.
    row("div.approx.ftz.f32", F32, S2, single!(|a, b, _| a / b)),
    row("sqrt.approx.ftz.f32", F32, S1, single!(|a, _, _| a.sqrt())),
    row("rcp.approx.ftz.f32", F32, S1, single!(|a, _, _| 1.0 / a)),
    row("ex2.approx.ftz.f32", F32, S1, single!(|a, _, _| a.exp2())),
    row("lg2.approx.ftz.f32", F32, S1, single!(|a, _, _| a.log2())),
    row("sin.approx.ftz.f32", F32, S1, single!(|a, _, _| a.sin())),
    row("cos.approx.ftz.f32", F32, S1, single!(|a, _, _| a.cos())),
    row("tanh.approx.f32", F32, S1, single!(|a, _, _| a.tanh())),
    // Double precision.
    row("add.rn.f64", F64, D2, double!(|a, b, _| a + b)),
    row("sub.rn.f64", F64, D2, double!(|a, b, _| a - b)),
    row("mul.rn.f64", F64, D2, double!(|a, b, _| a * b)),
    row("div.rn.f64", F64, D2, double!(|a, b, _| a / b)),
    row("fma.rn.f64", F64, D3, double!(|a, b, c| a.mul_add(b, c))),
    row("sqrt.rn.f64", F64, D1, double!(|a, _, _| a.sqrt())),
    row("neg.f64", F64, D1, double!(|a, _, _| -a)),
    row("abs.f64", F64, D1, double!(|a, _, _| a.abs())),
    row("cvt.rmi.f64.f64", F64, D1, double!(|a, _, _| a.floor())),
    row("cvt.rpi.f64.f64", F64, D1, double!(|a, _, _| a.ceil())),
    row("cvt.rni.f64.f64", F64, D1, double!(|a, _, _| a.round_ties_even())),
    row("cvt.rzi.f64.f64", F64, D1, double!(|a, _, _| a.trunc())),
    row("setp.lt.f64", Pred, D2, compare!(f64_of, |a, b, _| a < b)),
    row("setp.le.f64", Pred, D2, compare!(f64_of, |a, b, _| a <= b)),
    row("setp.gt.f64", Pred, D2, compare!(f64_of, |a, b, _| a > b)),
    row("setp.ge.f64", Pred, D2, compare!(f64_of, |a, b, _| a >= b)),
    row("setp.eq.f64", Pred, D2, compare!(f64_of, |a, b, _| a == b)),
    row("setp.neu.f64", Pred, D2, compare!(f64_of, |a, b, _| a != b)),
    row("setp.nan.f64", Pred, D2, compare!(f64_of, |a: f64, b: f64, _| a.is_nan() || b.is_nan())),
    row("setp.lt.or.f64", Pred, &[F64, F64, Pred], compare!(f64_of, |a, b, c| a < b || c)),
    row("setp.gt.or.f64", Pred, &[F64, F64, Pred], compare!(f64_of, |a, b, c| a > b || c)),
    row("selp.f64", F64, &[F64, F64, Pred], |[a, b, c]| if c != 0 { a } else { b }),
    row("mov.f64", F64, D1, |[a, ..]| a),
    // Conversions.
    row("cvt.f64.f32", F64, S1, |[a, ..]| f64::from(f32_of(a)).to_bits()),
    row("cvt.rn.f64.u64", F64, &[B64], |[a, ..]| (a as f64).to_bits()),
    row("cvt.u64.u32", B64, &[B32], |[a, ..]| a & 0xffff_ffff),
    row("cvt.u32.u64", B32, &[B64], |[a, ..]| a & 0xffff_ffff),
    // Integers of 32 bits.
    row("mov.u32", B32, &[B32], |[a, ..]| a),
    row("mov.b32", Raw32, &[Raw32], |[a, ..]| a),
    row("add.u32", B32, I2, short!(|a, b, _| a.wrapping_add(b))),
    row("sub.u32", B32, I2, short!(|a, b, _| a.wrapping_sub(b))),
    row("min.u32", B32, I2, short!(|a, b, _| a.min(b))),
    row("mul.lo.u32", B32, I2, short!(|a, b, _| a.wrapping_mul(b))),
    row("mul.hi.u32", B32, I2, short!(|a, b, _| ((u64::from(a) * u64::from(b)) >> 32) as u32)),
    row("div.u32", B32, I2, short!(|a, b, _| a.checked_div(b).unwrap_or(u32::MAX))),
    row("mad.lo.u32", B32, I3, short!(|a, b, c| a.wrapping_mul(b).wrapping_add(c))),
    row("shl.b32", B32, I2, short!(|a, b, _| shl32(a, b))),
    row("shr.u32", B32, I2, short!(|a, b, _| a.checked_shr(b).unwrap_or(0))),
    row("and.b32", B32, I2, short!(|a, b, _| a & b)),
    row("or.b32", B32, I2, short!(|a, b, _| a | b)),
    row("xor.b32", B32, I2, short!(|a, b, _| a ^ b)),
    row("brev.b32", B32, &[B32], short!(|a, _, _| a.reverse_bits())),
    row("clz.b32", B32, &[B32], short!(|a, _, _| a.leading_zeros())),
    row("selp.b32", B32, &[B32, B32, Pred], |[a, b, c]| if c != 0 { a } else { b }),
    row("setp.lt.u32", Pred, I2, compare!(u32_of, |a, b, _| a < b)),
    row("setp.ge.u32", Pred, I2, compare!(u32_of, |a, b, _| a >= b)),
    row("setp.eq.u32", Pred, I2, compare!(u32_of, |a, b, _| a == b)),
    row("setp.ne.u32", Pred, I2, compare!(u32_of, |a, b, _| a != b)),
    // Integers of 64 bits.
    row("mov.u64", B64, &[B64], |[a, ..]| a),
    row("mov.b64", Raw64, &[Raw64], |[a, ..]| a),
    row("cvta.to.global.u64", B64, &[B64], |[a, ..]| a),
    row("add.u64", B64, L2, |[a, b, _]| a.wrapping_add(b)),
    row("sub.u64", B64, L2, |[a, b, _]| a.wrapping_sub(b)),
    row("min.u64", B64, L2, |[a, b, _]| a.min(b)),
    row("mul.hi.u64", B64, L2, |[a, b, _]| ((u128::from(a) * u128::from(b)) >> 64) as u64),
    row("rem.u64", B64, L2, |[a, b, _]| a.checked_rem(b).unwrap_or(u64::MAX)),
    row("mad.lo.u64", B64, L3, |[a, b, c]| a.wrapping_mul(b).wrapping_add(c)),
    row("mul.wide.u32", B64, I2, |[a, b, _]| (a & 0xffff_ffff) * (b & 0xffff_ffff)),
    row("shl.b64", B64, &[B64, B32], |[a, b, _]| a.checked_shl(b as u32).unwrap_or(0)),
    row("shr.u64", B64, &[B64, B32], |[a, b, _]| a.checked_shr(b as u32).unwrap_or(0)),
    row("and.b64", B64, L2, |[a, b, _]| a & b),
    row("or.b64", B64, L2, |[a, b, _]| a | b),
    row("xor.b64", B64, L2, |[a, b, _]| a ^ b),
    row("selp.b64", B64, &[B64, B64, Pred], |[a, b, c]| if c != 0 { a } else { b }),
    row("setp.eq.u64", Pred, L2, compare!(u64_of, |a, b, _| a == b)),
    row("setp.ge.u64", Pred, L2, compare!(u64_of, |a, b, _| a >= b)),
    // Truth values.
    row("and.pred", Pred, &[Pred, Pred], |[a, b, _]| a & b),
    row("or.pred", Pred, &[Pred, Pred], |[a, b, _]| a | b),
    row("not.pred", Pred, &[Pred], |[a, ..]| a ^ 1),
];

/// The row of an opcode.
pub fn lookup(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}
