//! How PTX spells the functions of the table.
//!
//! Every rounding is explicit (`.rn`), so nothing is contracted; all results are those of IEEE 754, and so of every other
//! engine, bit for bit. Truth values live in predicates and become 1 or 0 where they are used as numbers.

use super::code::{Class, Code, Float};
use crate::ir::prim::{Prim, arith, bits, elementary, transfer};
use crate::kernel::ir::Precision;

/// A value of a pointwise body: a number, a truth value, or both where both are used.
#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    number: Option<String>,
    truth: Option<String>,
}

impl Value {
    /// A number in a register or as an immediate.
    pub fn number(register: String) -> Value {
        Value { number: Some(register), truth: None }
    }

    fn truth(predicate: String) -> Value {
        Value { number: None, truth: Some(predicate) }
    }

    /// Takes over the registers that another copy of the value has got.
    pub fn learn(&mut self, other: Value) {
        self.number = self.number.take().or(other.number);
        self.truth = self.truth.take().or(other.truth);
    }

    /// The number, computed from the truth value on first use.
    pub fn as_number(&mut self, code: &mut Code, float: Float) -> String {
        if let (None, Some(truth)) = (&self.number, &self.truth) {
            let op = format!("selp.f{}", float.width());
            self.number = Some(code.set(float.class(), &op, &[&float.immediate(1.0), &float.immediate(0.0), truth]));
        }
        self.number.clone().expect("a value is a number or a truth value")
    }

    /// The truth value: whether the number is not 0; NaN is not.
    pub fn as_truth(&mut self, code: &mut Code, float: Float) -> String {
        if let (None, Some(number)) = (&self.truth, &self.number) {
            let op = format!("setp.neu.f{}", float.width());
            self.truth = Some(code.set(Class::Predicate, &op, &[number, &float.immediate(0.0)]));
        }
        self.truth.clone().expect("a value is a number or a truth value")
    }
}

/// Ways of spelling a call.
#[derive(Clone, Copy, Debug)]
enum Spelling {
    /// One instruction that rounds, whose name ends in the number format.
    Instruction(&'static str),
    /// One instruction that changes the sign.
    Sign(&'static str),
    /// One instruction that converts a number to its own format and so rounds it to a whole one.
    Whole(&'static str),
    /// A comparison.
    Compare(&'static str),
    /// An instruction on predicates.
    Logic(&'static str),
    /// The smaller or larger of two. (`min` and `max` of PTX order -0 before 0, the table takes the second of equal ones.)
    Choose(&'static str),
    /// `a` where `c` holds, else `b`.
    Select,
    /// Integer instructions.
    Bits(fn(&mut Code, Layout, &[String]) -> String),
}

use Spelling::{Bits, Choose, Compare, Instruction, Logic, Select, Sign, Whole};

/// The functions with a spelling.
static SPELLINGS: &[(&Prim, Spelling)] = &[
    (&arith::ADD, Instruction("add.rn")),
    (&arith::SUB, Instruction("sub.rn")),
    (&arith::MUL, Instruction("mul.rn")),
    (&arith::DIV, Instruction("div.rn")),
    (&arith::FMA, Instruction("fma.rn")),
    (&arith::SQRT, Instruction("sqrt.rn")),
    (&arith::NEG, Sign("neg")),
    (&arith::ABS, Sign("abs")),
    (&arith::FLOOR, Whole("cvt.rmi")),
    (&arith::CEIL, Whole("cvt.rpi")),
    (&arith::ROUND, Whole("cvt.rni")),
    (&arith::TRUNC, Whole("cvt.rzi")),
    (&arith::MIN, Choose("lt")),
    (&arith::MAX, Choose("gt")),
    (&arith::LT, Compare("lt")),
    (&arith::LE, Compare("le")),
    (&arith::GT, Compare("gt")),
    (&arith::GE, Compare("ge")),
    (&arith::EQ, Compare("eq")),
    (&arith::NE, Compare("neu")),
    (&arith::AND, Logic("and")),
    (&arith::OR, Logic("or")),
    (&arith::NOT, Logic("not")),
    (&arith::SELECT, Select),
    (&bits::RAISE, Bits(raise)),
    (&bits::EXPONENT, Bits(exponent)),
    (&bits::MANTISSA, Bits(mantissa)),
    (&bits::XORSIGN, Bits(xorsign)),
    (&bits::ALTERNATE, Bits(alternate)),
];

fn spelling(prim: &Prim) -> Option<Spelling> {
    SPELLINGS.iter().find(|row| row.0 == prim).map(|row| row.1)
}

/// Whether PTX has a function with the table's result, to the bit.
pub(super) fn has(prim: &Prim) -> bool {
    spelling(prim).is_some()
}

/// What is done with the result of an instruction that approximates.
#[derive(Clone, Copy, Debug)]
enum After {
    Nothing,
    Scale(f64),
    /// `1 / (1 + y)`
    Logistic,
}

/// Single-precision functions by instructions that approximate, for `--fast-math`: a factor of the argument, the
/// instruction, what is done with the result, and the first processor that has it. Errors are those of the manual (PTX ISA 8.8,
/// section 9.7.3).
static APPROXIMATE: &[(&Prim, Option<f64>, &str, After, u32)] = &[
    // 2 ulp where 2^-126 <= |b| <= 2^126.
    (&arith::DIV, None, "div.approx.ftz", After::Nothing, 60),
    // Relative error at most 2^-23.
    (&arith::SQRT, None, "sqrt.approx.ftz", After::Nothing, 60),
    // Relative error at most 2^-22 of `ex2`, and that of the rounded argument: |x| 2^-24.
    (&elementary::EXP, Some(std::f64::consts::LOG2_E), "ex2.approx.ftz", After::Nothing, 60),
    // As that, and 1 ulp of the reciprocal.
    (&transfer::SIGMOID, Some(-std::f64::consts::LOG2_E), "ex2.approx.ftz", After::Logistic, 60),
    // Absolute error at most 2^-22 of `lg2` between 1/2 and 2, else a relative one.
    (&elementary::LOG, None, "lg2.approx.ftz", After::Scale(std::f64::consts::LN_2), 60),
    // Absolute error at most 2^-20.5 between -pi and pi; further out it grows with |x|.
    (&elementary::SIN, None, "sin.approx.ftz", After::Nothing, 60),
    (&elementary::COS, None, "cos.approx.ftz", After::Nothing, 60),
    // Relative error at most 2^-11.
    (&elementary::TANH, None, "tanh.approx", After::Nothing, 75),
];

/// Whether there is an instruction that approximates a function, on a processor.
pub(super) fn approximates(prim: &Prim, sm: u32) -> bool {
    APPROXIMATE.iter().any(|row| row.0 == prim && row.4 <= sm)
}

/// Writes an approximation.
fn approximate(code: &mut Code, float: Float, prim: &Prim, operands: &[&str]) -> Option<String> {
    let (_, before, op, after, _) = APPROXIMATE.iter().find(|row| row.0 == prim)?;
    let scale = |code: &mut Code, value: &str, by: f64| {
        code.set(float.class(), &format!("mul.rn.{}", float.rounding()), &[value, &float.immediate(by)])
    };
    let scaled = before.map(|by| scale(code, operands[0], by));
    let operands = match &scaled {
        Some(scaled) => &[scaled.as_str()][..],
        None => operands,
    };
    let value = code.set(float.class(), &format!("{op}.f32"), operands);
    Some(match after {
        After::Nothing => value,
        After::Scale(by) => scale(code, &value, *by),
        After::Logistic => {
            let add = format!("add.rn.{}", float.rounding());
            let whole = code.set(float.class(), &add, &[&value, &float.immediate(1.0)]);
            code.set(float.class(), "rcp.approx.ftz.f32", &[&whole])
        }
    })
}

/// Writes a call.
pub(super) fn call(code: &mut Code, float: Float, fast: bool, prim: &Prim, args: &mut [&mut Value]) -> Value {
    if fast && APPROXIMATE.iter().any(|row| row.0 == prim) {
        let numbers: Vec<String> = args.iter_mut().map(|a| a.as_number(code, float)).collect();
        let operands: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let value = approximate(code, float, prim, &operands);
        return Value::number(value.expect("the list has it"));
    }
    let spelling = spelling(prim).expect("`legalise` leaves only functions that the target has");
    let kind = format!("f{}", float.width());
    match spelling {
        Logic(op) => {
            let truths: Vec<String> = args.iter_mut().map(|a| a.as_truth(code, float)).collect();
            let truths: Vec<&str> = truths.iter().map(String::as_str).collect();
            return Value::truth(code.set(Class::Predicate, &format!("{op}.pred"), &truths));
        }
        Select => {
            let condition = args[0].as_truth(code, float);
            let (a, b) = (args[1].as_number(code, float), args[2].as_number(code, float));
            return Value::number(code.set(float.class(), &format!("selp.{kind}"), &[&a, &b, &condition]));
        }
        _ => {}
    }
    let numbers: Vec<String> = args.iter_mut().map(|a| a.as_number(code, float)).collect();
    let operands: Vec<&str> = numbers.iter().map(String::as_str).collect();
    match spelling {
        Instruction(op) => Value::number(code.set(float.class(), &format!("{op}.{}", float.rounding()), &operands)),
        Sign(op) => Value::number(code.set(float.class(), &format!("{op}.{kind}"), &operands)),
        Whole(op) => Value::number(code.set(float.class(), &format!("{op}.{kind}.{kind}"), &operands)),
        Compare(op) => Value::truth(code.set(Class::Predicate, &format!("setp.{op}.{kind}"), &operands)),
        Choose(op) => {
            let (a, b) = (operands[0], operands[1]);
            let nan = code.set(Class::Predicate, &format!("setp.nan.{kind}"), &[b, b]);
            let first = code.set(Class::Predicate, &format!("setp.{op}.or.{kind}"), &[a, b, &nan]);
            Value::number(code.set(float.class(), &format!("selp.{kind}"), &[a, b, &first]))
        }
        Bits(write) => Value::number(write(code, Layout::of(float), &numbers)),
        Logic(_) | Select => unreachable!("they are written above"),
    }
}

/// The layout of numbers, as hexadecimal immediates.
#[derive(Clone, Copy, Debug)]
struct Layout {
    float: Float,
    digits: u32,
    carry: u64,
    digits_mask: u64,
    root: u64,
    whole: u64,
    whole_biased: f64,
    sign: u64,
}

impl Layout {
    fn of(float: Float) -> Layout {
        match float.precision {
            Precision::F64 => Layout {
                float,
                digits: bits::DIGITS,
                carry: bits::CARRY,
                digits_mask: !(u64::MAX << bits::DIGITS),
                root: bits::ROOT,
                whole: bits::TWO_52,
                whole_biased: bits::TWO_52_BIASED,
                sign: bits::SIGN,
            },
            Precision::F32 => Layout {
                float,
                digits: bits::DIGITS_SINGLE,
                carry: bits::CARRY_SINGLE.into(),
                digits_mask: (!(u32::MAX << bits::DIGITS_SINGLE)).into(),
                root: bits::ROOT_SINGLE.into(),
                whole: bits::TWO_23.into(),
                whole_biased: bits::TWO_23_BIASED.into(),
                sign: bits::SIGN_SINGLE.into(),
            },
        }
    }

    /// An integer instruction on the bits: `op` ends in its type's letter.
    fn integer(self, code: &mut Code, op: &str, a: &str, b: &str) -> String {
        code.set(self.float.bits(), &format!("{op}{}", self.float.width()), &[a, b])
    }

    fn hex(self, value: u64) -> String {
        format!("0x{value:X}")
    }

    fn as_bits(self, code: &mut Code, number: &str) -> String {
        // An immediate is written by its bits already, with another prefix.
        let digits = number.strip_prefix("0d").or(number.strip_prefix("0f"));
        let number = &digits.map_or_else(|| number.to_string(), |digits| format!("0x{digits}"));
        code.set(self.float.bits(), &format!("mov.b{}", self.float.width()), &[number])
    }

    fn as_number(self, code: &mut Code, integer: &str) -> String {
        code.set(self.float.class(), &format!("mov.b{}", self.float.width()), &[integer])
    }
}

fn raise(code: &mut Code, l: Layout, args: &[String]) -> String {
    let x = l.as_bits(code, &args[0]);
    let x = l.integer(code, "shl.b", &x, &l.digits.to_string());
    l.as_number(code, &x)
}

fn exponent(code: &mut Code, l: Layout, args: &[String]) -> String {
    let x = l.as_bits(code, &args[0]);
    let x = l.integer(code, "add.u", &x, &l.hex(l.carry));
    let x = l.integer(code, "shr.u", &x, &l.digits.to_string());
    let x = l.integer(code, "or.b", &x, &l.hex(l.whole));
    let x = l.as_number(code, &x);
    let biased = l.float.immediate(l.whole_biased);
    code.set(l.float.class(), &format!("sub.rn.{}", l.float.rounding()), &[&x, &biased])
}

fn mantissa(code: &mut Code, l: Layout, args: &[String]) -> String {
    let x = l.as_bits(code, &args[0]);
    let x = l.integer(code, "add.u", &x, &l.hex(l.carry));
    let x = l.integer(code, "and.b", &x, &l.hex(l.digits_mask));
    let x = l.integer(code, "add.u", &x, &l.hex(l.root));
    l.as_number(code, &x)
}

fn xorsign(code: &mut Code, l: Layout, args: &[String]) -> String {
    let (a, b) = (l.as_bits(code, &args[0]), l.as_bits(code, &args[1]));
    let sign = l.integer(code, "and.b", &b, &l.hex(l.sign));
    let x = l.integer(code, "xor.b", &a, &sign);
    l.as_number(code, &x)
}

fn alternate(code: &mut Code, l: Layout, args: &[String]) -> String {
    let (a, b) = (l.as_bits(code, &args[0]), l.as_bits(code, &args[1]));
    let parity = l.integer(code, "shl.b", &b, &(l.float.width() - 1).to_string());
    let x = l.integer(code, "xor.b", &a, &parity);
    l.as_number(code, &x)
}
