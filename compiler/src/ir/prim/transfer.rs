//! Transfer functions: how models turn potentials into rates, and their building blocks.

use super::Prim;
use super::arith::{ABS, AND, EQ, GE, GT, LE, LT, MAX, SELECT};
use super::elementary::{EXP, EXPM1, LOG1P};

/// Logistic function.
pub static SIGMOID: Prim = Prim::function(
    "sigmoid",
    "logistic function 1 / (1 + exp(-x))",
    &[(-6.0, 6.0)],
    |a| 1.0 / (1.0 + libm::exp(-a[0])),
    |g, _, value| {
        let one = g.constant(1.0);
        let complement = g.difference(one, value);
        vec![g.product(value, complement)]
    },
)
.alias(&["logistic"])
.means(|g, a| {
    let one = g.constant(1.0);
    let exponent = g.negative(a[0]);
    let exp = g.call(&EXP, &[exponent]);
    let denominator = g.sum(one, exp);
    g.quotient(one, denominator)
});

/// Smooth rectifier.
pub static SOFTPLUS: Prim = Prim::function(
    "softplus",
    "log(1 + exp(x)), computed as max(x, 0) + log1p(exp(-|x|)) so that nothing overflows",
    &[(-6.0, 6.0)],
    |a| a[0].max(0.0) + libm::log1p(libm::exp(-a[0].abs())),
    |g, a, _| vec![g.call(&SIGMOID, a)],
)
.means(|g, a| {
    let zero = g.constant(0.0);
    let linear = g.call(&MAX, &[a[0], zero]);
    let magnitude = g.call(&ABS, a);
    let exponent = g.negative(magnitude);
    let exp = g.call(&EXP, &[exponent]);
    let log = g.call(&LOG1P, &[exp]);
    g.sum(linear, log)
});

/// Rectifier.
pub static RELU: Prim = Prim::function(
    "relu",
    "x above 0, else 0; NaN of NaN; derivative 0 at 0",
    &[(-3.0, 3.0)],
    |a| if a[0] <= 0.0 { 0.0 } else { a[0] },
    |g, a, _| {
        let zero = g.constant(0.0);
        vec![g.call(&GT, &[a[0], zero])]
    },
)
.means(|g, a| {
    let zero = g.constant(0.0);
    let below = g.call(&LE, &[a[0], zero]);
    g.call(&SELECT, &[below, zero, a[0]])
});

/// Unit step, 1 at 0: a spike is where a potential has reached its threshold, `heaviside(v - theta)` is `v >= theta`.
pub static HEAVISIDE: Prim = Prim::function(
    "heaviside",
    "unit step: 1 if x >= 0, else 0; derivative 0",
    &[(-3.0, 3.0)],
    |a| if a[0] >= 0.0 { 1.0 } else { 0.0 },
    super::arith::FLAT,
)
.alias(&["step"])
.means(|g, a| {
    let zero = g.constant(0.0);
    g.call(&GE, &[a[0], zero])
});

/// Limitation to an interval.
pub static CLIP: Prim = Prim::function(
    "clip",
    "x limited to lo <= x <= hi, for lo <= hi; NaN of NaN; derivative by x 1 at both ends",
    &[(-3.0, 3.0), (-2.0, -0.5), (0.5, 2.0)],
    |a| match (a[0], a[1], a[2]) {
        (x, _, hi) if x > hi => hi,
        (x, lo, _) if x < lo => lo,
        (x, ..) => x,
    },
    |g, a, _| {
        let (from, to) = (g.call(&GE, &[a[0], a[1]]), g.call(&LE, &[a[0], a[2]]));
        vec![g.call(&AND, &[from, to]), g.call(&LT, &[a[0], a[1]]), g.call(&GT, &[a[0], a[2]])]
    },
)
.alias(&["clamp"])
.means(|g, a| {
    let (below, above) = (g.call(&LT, &[a[0], a[1]]), g.call(&GT, &[a[0], a[2]]));
    let raised = g.call(&SELECT, &[below, a[1], a[0]]);
    g.call(&SELECT, &[above, a[2], raised])
});

/// Bell curve.
pub static GAUSSIAN: Prim = Prim::function(
    "gaussian",
    "exp(-x^2)",
    &[(-2.0, 2.0)],
    |a| libm::exp(-a[0] * a[0]),
    |g, a, value| {
        let factor = g.constant(-2.0);
        let slope = g.product(factor, a[0]);
        vec![g.product(slope, value)]
    },
)
.means(|g, a| {
    let square = g.product(a[0], a[0]);
    let exponent = g.negative(square);
    g.call(&EXP, &[exponent])
});

/// Nothing.
pub static IDENTITY: Prim =
    Prim::function("identity", "x itself", &[(-3.0, 3.0)], |a| a[0], |g, _, _| vec![g.constant(1.0)])
        .alias(&["no_op"])
        .means(|_, a| a[0]);

/// Relative growth.
pub static EXPREL: Prim = Prim::function(
    "exprel",
    "(e^x - 1)/x, 1 at 0",
    &[(-5.0, 5.0)],
    |a| if a[0] == 0.0 { 1.0 } else { libm::expm1(a[0]) / a[0] },
    |g, a, value| {
        // (e^x - f)/x, which is 1/2 at 0.
        let (zero, half) = (g.constant(0.0), g.constant(0.5));
        let exp = g.call(&EXP, a);
        let rest = g.difference(exp, value);
        let slope = g.quotient(rest, a[0]);
        let null = g.call(&EQ, &[a[0], zero]);
        vec![g.call(&SELECT, &[null, half, slope])]
    },
)
.means(|g, a| {
    let (zero, one) = (g.constant(0.0), g.constant(1.0));
    let growth = g.call(&EXPM1, a);
    let ratio = g.quotient(growth, a[0]);
    let null = g.call(&EQ, &[a[0], zero]);
    g.call(&SELECT, &[null, one, ratio])
});

/// All rows of this file.
pub static ROWS: &[&Prim] = &[&SIGMOID, &SOFTPLUS, &RELU, &HEAVISIDE, &CLIP, &GAUSSIAN, &IDENTITY, &EXPREL];
