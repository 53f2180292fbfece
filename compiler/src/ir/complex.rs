//! Complex numbers as pairs of real expressions.
//!
//! A real argument stays real: `sqrt(x)` of a real `x` is the real square root, NaN below 0, and only an argument that is
//! complex by its form (`0j` in it, or a complex variable) selects the row here. Products, quotients and magnitudes use
//! the plain formulas, as array libraries do, without scaling: squares of magnitudes above 1e154 overflow and below 1e-154
//! vanish (1e19 and 1e-19 in single precision). Branch cuts lie on the negative real axis, whose points take the value
//! from above: -0 as an imaginary part counts as 0.

use super::expr::{ExprGraph, ExprId, Op};
use super::prim::Prim;
use super::prim::arith::{ABS, AND, EQ, GE, LT, NE, NEG, OR, SELECT, SQRT};
use super::prim::elementary::{ATAN2, COS, COSH, EXP, LOG, POW, SIN, SINH, TAN, TANH};

/// A real or complex expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// A real number.
    Real(ExprId),
    /// Real and imaginary part.
    Complex(ExprId, ExprId),
}

use Value::{Complex, Real};

impl Value {
    /// Whether it has an imaginary part.
    pub fn is_complex(self) -> bool {
        matches!(self, Complex(..))
    }

    /// Real and imaginary part, which is 0 for a real number.
    pub fn parts(self, g: &mut ExprGraph) -> (ExprId, ExprId) {
        match self {
            Real(a) => (a, g.constant(0.0)),
            Complex(a, b) => (a, b),
        }
    }
}

/// The function has no complex extension here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnsupportedComplex {
    /// Name of the function's row.
    pub function: &'static str,
}

/// A function of complex arguments.
pub struct Row {
    /// Name; that of the [`Prim`] it extends, if it extends one.
    pub name: &'static str,
    /// Other names for it in equations.
    pub aliases: &'static [&'static str],
    /// Number of arguments.
    pub arity: usize,
    /// Builds the value. Real arguments are welcome among the complex ones.
    pub apply: fn(&mut ExprGraph, &[Value]) -> Value,
    /// One line for the manual.
    pub doc: &'static str,
}

const fn row(name: &'static str, arity: usize, apply: fn(&mut ExprGraph, &[Value]) -> Value, doc: &'static str) -> Row {
    Row { name, aliases: &[], arity, apply, doc }
}

const fn part(
    name: &'static str,
    aliases: &'static [&'static str],
    apply: fn(&mut ExprGraph, &[Value]) -> Value,
    doc: &'static str,
) -> Row {
    Row { name, aliases, arity: 1, apply, doc }
}

/// Complex extensions of function rows, by the row's name.
pub static EXTENSIONS: &[Row] = &[
    row("add", 2, |g, a| add(g, a[0], a[1]), "a + b"),
    row("sub", 2, |g, a| sub(g, a[0], a[1]), "a - b"),
    row("mul", 2, |g, a| mul(g, a[0], a[1]), "a * b"),
    row("div", 2, |g, a| div(g, a[0], a[1]), "a / b"),
    row("neg", 1, |g, a| neg(g, a[0]), "-a"),
    row("pow", 2, |g, a| pow(g, a[0], a[1]), "products for an integer constant b, else exp(b log a); 0 for a = 0"),
    row("eq", 2, |g, a| Real(equal(g, a[0], a[1])), "1 if both parts are equal"),
    row("ne", 2, |g, a| Real(differ(g, a[0], a[1])), "1 if a part differs"),
    row("select", 3, select, "a if c is not 0, else b"),
    row("identity", 1, |_, a| a[0], "z itself"),
    row("abs", 1, |g, a| Real(magnitude(g, a[0])), "sqrt(re^2 + im^2), real"),
    row("exp", 1, |g, a| exp(g, a[0]), "e^re (cos im + i sin im)"),
    row("log", 1, |g, a| log(g, a[0]), "principal value log|z| + i arg z"),
    row("sqrt", 1, |g, a| sqrt(g, a[0]), "principal value, real part >= 0"),
    row("sin", 1, |g, a| sin(g, a[0]), "sin re cosh im + i cos re sinh im"),
    row("cos", 1, |g, a| cos(g, a[0]), "cos re cosh im - i sin re sinh im"),
    row("tan", 1, |g, a| tan(g, a[0]), "-i tanh(i z)"),
    row("sinh", 1, |g, a| sinh(g, a[0]), "sinh re cos im + i cosh re sin im"),
    row("cosh", 1, |g, a| cosh(g, a[0]), "cosh re cos im + i sinh re sin im"),
    row("tanh", 1, |g, a| tanh(g, a[0]), "sinh z / cosh z"),
    row("sigmoid", 1, |g, a| sigmoid(g, a[0]), "1 / (1 + exp(-z)), re > -700"),
];

/// Functions that concern the parts of a number; real arguments may be given too.
pub static PARTS: &[Row] = &[
    part("real", &["re"], |g, a| Real(a[0].parts(g).0), "real part"),
    part("imag", &["im"], |g, a| Real(a[0].parts(g).1), "imaginary part"),
    part("conj", &["conjugate"], conjugate, "complex conjugate"),
    part("arg", &["angle"], |g, a| Real(argument(g, a[0])), "angle in [-pi, pi]"),
];

/// The row of [`PARTS`] that an equation means by `name`.
pub fn lookup(name: &str) -> Option<&'static Row> {
    PARTS.iter().find(|r| r.name == name || r.aliases.contains(&name))
}

/// A function of the table on real or complex arguments, as many as its arity.
pub fn call(g: &mut ExprGraph, prim: &'static Prim, args: &[Value]) -> Result<Value, UnsupportedComplex> {
    let real: Option<Vec<ExprId>> = args
        .iter()
        .map(|a| match *a {
            Real(a) => Some(a),
            Complex(..) => None,
        })
        .collect();
    if let Some(args) = real {
        return Ok(Real(g.call(prim, &args)));
    }
    let row = EXTENSIONS.iter().find(|r| r.name == prim.name);
    let row = row.ok_or(UnsupportedComplex { function: prim.name })?;
    Ok((row.apply)(g, args))
}

/// `a + b`
pub fn add(g: &mut ExprGraph, a: Value, b: Value) -> Value {
    match (a, b) {
        (Real(a), Real(b)) => Real(g.sum(a, b)),
        (Real(a), Complex(c, d)) => Complex(g.sum(a, c), d),
        (Complex(a, b), Real(c)) => Complex(g.sum(a, c), b),
        (Complex(a, b), Complex(c, d)) => Complex(g.sum(a, c), g.sum(b, d)),
    }
}

/// `a - b`
pub fn sub(g: &mut ExprGraph, a: Value, b: Value) -> Value {
    match (a, b) {
        (Real(a), Real(b)) => Real(g.difference(a, b)),
        (Real(a), Complex(c, d)) => Complex(g.difference(a, c), g.negative(d)),
        (Complex(a, b), Real(c)) => Complex(g.difference(a, c), b),
        (Complex(a, b), Complex(c, d)) => Complex(g.difference(a, c), g.difference(b, d)),
    }
}

/// `-a`
pub fn neg(g: &mut ExprGraph, a: Value) -> Value {
    match a {
        Real(a) => Real(g.negative(a)),
        Complex(a, b) => Complex(g.negative(a), g.negative(b)),
    }
}

/// `a * b`
pub fn mul(g: &mut ExprGraph, a: Value, b: Value) -> Value {
    match (a, b) {
        (Real(a), Real(b)) => Real(g.product(a, b)),
        (Real(s), Complex(a, b)) | (Complex(a, b), Real(s)) => Complex(g.product(s, a), g.product(s, b)),
        (Complex(a, b), Complex(c, d)) => {
            let (ac, bd) = (g.product(a, c), g.product(b, d));
            let (ad, bc) = (g.product(a, d), g.product(b, c));
            Complex(g.difference(ac, bd), g.sum(ad, bc))
        }
    }
}

/// `a / b`, by the conjugate of `b`.
pub fn div(g: &mut ExprGraph, a: Value, b: Value) -> Value {
    match (a, b) {
        (Real(a), Real(b)) => Real(g.quotient(a, b)),
        (Complex(a, b), Real(c)) => Complex(g.quotient(a, c), g.quotient(b, c)),
        (a, Complex(c, d)) => {
            let minus_d = g.negative(d);
            let scale = square_magnitude(g, c, d);
            let numerator = mul(g, a, Complex(c, minus_d));
            div(g, numerator, Real(scale))
        }
    }
}

/// `a ^ b`: products for an integer constant `b`, else `exp(b log a)`, and 0 for `a = 0`.
pub fn pow(g: &mut ExprGraph, a: Value, b: Value) -> Value {
    if let (Real(a), Real(b)) = (a, b) {
        return Real(g.call(&POW, &[a, b]));
    }
    if let Some(n) = integer(g, b) {
        return power(g, a, n);
    }
    let (zero, one) = (g.constant(0.0), g.constant(1.0));
    let null = equal(g, a, Real(zero));
    let base = choose(g, null, Real(one), a);
    let (re, im) = base.parts(g);
    let log = log(g, Complex(re, im));
    let exponent = mul(g, b, log);
    let power = exp(g, exponent);
    choose(g, null, Real(zero), power)
}

/// The integer a value is, if it is a small one: beyond 64 the rounding of the products exceeds that of `exp` and `log`.
fn integer(g: &ExprGraph, value: Value) -> Option<i32> {
    let Real(id) = value else { return None };
    let node = g.node(id);
    let number = if node.op == Op::Call(&NEG) { -g.as_constant(node.args[0])? } else { g.as_constant(id)? };
    (number.fract() == 0.0 && number.abs() <= 64.0).then_some(number as i32)
}

/// `a ^ n` by squaring.
fn power(g: &mut ExprGraph, a: Value, n: i32) -> Value {
    let one = g.constant(1.0);
    let mut result = None;
    let (mut square, mut rest) = (a, n.unsigned_abs());
    while rest > 0 {
        if rest & 1 == 1 {
            result = Some(match result {
                None => square,
                Some(product) => mul(g, product, square),
            });
        }
        rest >>= 1;
        if rest > 0 {
            square = mul(g, square, square);
        }
    }
    match result {
        None => Real(one),
        Some(product) if n < 0 => div(g, Real(one), product),
        Some(product) => product,
    }
}

/// `re^2 + im^2`
fn square_magnitude(g: &mut ExprGraph, re: ExprId, im: ExprId) -> ExprId {
    let (rr, ii) = (g.product(re, re), g.product(im, im));
    g.sum(rr, ii)
}

/// `|z|`
pub fn magnitude(g: &mut ExprGraph, z: Value) -> ExprId {
    match z {
        Real(a) => g.call(&ABS, &[a]),
        Complex(a, b) => {
            let square = square_magnitude(g, a, b);
            g.call(&SQRT, &[square])
        }
    }
}

/// Angle of `z`, 0 for 0.
pub fn argument(g: &mut ExprGraph, z: Value) -> ExprId {
    let (a, b) = z.parts(g);
    g.call(&ATAN2, &[b, a])
}

fn conjugate(g: &mut ExprGraph, a: &[Value]) -> Value {
    match a[0] {
        Real(a) => Real(a),
        Complex(a, b) => Complex(a, g.negative(b)),
    }
}

fn equal(g: &mut ExprGraph, a: Value, b: Value) -> ExprId {
    let ((a, b), (c, d)) = (a.parts(g), b.parts(g));
    let (re, im) = (g.call(&EQ, &[a, c]), g.call(&EQ, &[b, d]));
    g.call(&AND, &[re, im])
}

fn differ(g: &mut ExprGraph, a: Value, b: Value) -> ExprId {
    let ((a, b), (c, d)) = (a.parts(g), b.parts(g));
    let (re, im) = (g.call(&NE, &[a, c]), g.call(&NE, &[b, d]));
    g.call(&OR, &[re, im])
}

/// `a if condition else b` for a real condition.
fn choose(g: &mut ExprGraph, condition: ExprId, a: Value, b: Value) -> Value {
    let ((a, b), (c, d)) = (a.parts(g), b.parts(g));
    Complex(g.call(&SELECT, &[condition, a, c]), g.call(&SELECT, &[condition, b, d]))
}

fn select(g: &mut ExprGraph, a: &[Value]) -> Value {
    let condition = match a[0] {
        Real(condition) => condition,
        Complex(re, im) => g.call(&OR, &[re, im]),
    };
    match (a[1], a[2]) {
        (Real(a), Real(b)) => Real(g.call(&SELECT, &[condition, a, b])),
        (a, b) => choose(g, condition, a, b),
    }
}

/// `f(re) p(im) + i h(re) q(im)`, the form that addition theorems give.
fn addition_theorem(g: &mut ExprGraph, z: Value, [f, p]: [&'static Prim; 2], [h, q]: [&'static Prim; 2]) -> Value {
    let (a, b) = z.parts(g);
    let (fa, pb) = (g.call(f, &[a]), g.call(p, &[b]));
    let (ha, qb) = (g.call(h, &[a]), g.call(q, &[b]));
    Complex(g.product(fa, pb), g.product(ha, qb))
}

fn exp(g: &mut ExprGraph, z: Value) -> Value {
    addition_theorem(g, z, [&EXP, &COS], [&EXP, &SIN])
}

fn log(g: &mut ExprGraph, z: Value) -> Value {
    let (magnitude, argument) = (magnitude(g, z), argument(g, z));
    Complex(g.call(&LOG, &[magnitude]), argument)
}

/// With `m = sqrt((|z| + |re|) / 2)`, a sum without cancellation: `m + i im / 2m` for re >= 0, else `|im| / 2m +- i m`.
fn sqrt(g: &mut ExprGraph, z: Value) -> Value {
    let (a, b) = z.parts(g);
    let (zero, one, half) = (g.constant(0.0), g.constant(1.0), g.constant(0.5));
    let (size, abs_a, abs_b) = (magnitude(g, z), g.call(&ABS, &[a]), g.call(&ABS, &[b]));
    let sum = g.sum(size, abs_a);
    let half_sum = g.product(half, sum);
    let m = g.call(&SQRT, &[half_sum]);
    let twice = g.sum(m, m);
    let null = g.call(&EQ, &[m, zero]);
    let divisor = g.call(&SELECT, &[null, one, twice]);
    let right = Complex(m, g.quotient(b, divisor));
    let (below, minus_m) = (g.call(&LT, &[b, zero]), g.negative(m));
    let left = Complex(g.quotient(abs_b, divisor), g.call(&SELECT, &[below, minus_m, m]));
    let on_right = g.call(&GE, &[a, zero]);
    choose(g, on_right, right, left)
}

fn sin(g: &mut ExprGraph, z: Value) -> Value {
    addition_theorem(g, z, [&SIN, &COSH], [&COS, &SINH])
}

fn cos(g: &mut ExprGraph, z: Value) -> Value {
    // The conjugate of cos re cosh im + i sin re sinh im.
    let conj = addition_theorem(g, z, [&COS, &COSH], [&SIN, &SINH]);
    conjugate(g, &[conj])
}

fn tan(g: &mut ExprGraph, z: Value) -> Value {
    // i z = -im + i re, and -i (p + i q) = q - i p.
    let (a, b) = z.parts(g);
    let turned = Complex(g.negative(b), a);
    let (p, q) = tanh(g, turned).parts(g);
    Complex(q, g.negative(p))
}

fn sinh(g: &mut ExprGraph, z: Value) -> Value {
    addition_theorem(g, z, [&SINH, &COS], [&COSH, &SIN])
}

fn cosh(g: &mut ExprGraph, z: Value) -> Value {
    addition_theorem(g, z, [&COSH, &COS], [&SINH, &SIN])
}

/// With `t = tanh re`, `u = tan im`: `(t (1 + u^2) + i u / cosh^2 re) / (1 + t^2 u^2)`, where a large `re` saturates
/// instead of giving inf / inf.
fn tanh(g: &mut ExprGraph, z: Value) -> Value {
    let (a, b) = z.parts(g);
    let one = g.constant(1.0);
    let (t, u, c) = (g.call(&TANH, &[a]), g.call(&TAN, &[b]), g.call(&COSH, &[a]));
    let tu = g.product(t, u);
    let denominator = square_magnitude(g, one, tu);
    let secant_square = square_magnitude(g, one, u);
    let re = g.product(t, secant_square);
    let by_cosh = g.quotient(u, c);
    let im = g.quotient(by_cosh, c);
    Complex(g.quotient(re, denominator), g.quotient(im, denominator))
}

fn sigmoid(g: &mut ExprGraph, z: Value) -> Value {
    let one = Real(g.constant(1.0));
    let exponent = neg(g, z);
    let exponential = exp(g, exponent);
    let denominator = add(g, one, exponential);
    div(g, one, denominator)
}
