//! Elementary functions. Reference values come from pure-Rust code, so they do not depend on the platform's C library.
//!
//! Rows without an expansion are the base that a target's elementary-function library provides; the other expansions use
//! these only. Outside the stated domain the value is NaN.

use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10, LOG2_E, LOG10_E, PI};

use super::super::expr::{ExprGraph, ExprId};
use super::Prim;
use super::arith::{ABS, AND, EQ, GT, LT, SELECT, SIGN, SQRT};

/// `1 / x`
fn reciprocal(g: &mut ExprGraph, x: ExprId) -> ExprId {
    let one = g.constant(1.0);
    g.quotient(one, x)
}

/// `factor * x`
fn scaled(g: &mut ExprGraph, factor: f64, x: ExprId) -> ExprId {
    let factor = g.constant(factor);
    g.product(factor, x)
}

/// `x + shift`
fn shifted(g: &mut ExprGraph, x: ExprId, shift: f64) -> ExprId {
    let shift = g.constant(shift);
    g.sum(x, shift)
}

/// `x * x + shift`
fn square_plus(g: &mut ExprGraph, x: ExprId, shift: f64) -> ExprId {
    let square = g.product(x, x);
    shifted(g, square, shift)
}

/// `(1 - x) * (1 + x)`: unlike `1 - x * x` without cancellation near 1.
fn one_minus_square(g: &mut ExprGraph, x: ExprId) -> ExprId {
    let one = g.constant(1.0);
    let (below, above) = (g.difference(one, x), g.sum(one, x));
    g.product(below, above)
}

/// Extends a function given for `|x|` to an odd function: `sign(x) * f(|x|)`.
fn odd(g: &mut ExprGraph, x: ExprId, f: fn(&mut ExprGraph, ExprId) -> ExprId) -> ExprId {
    let (magnitude, sign) = (g.call(&ABS, &[x]), g.call(&SIGN, &[x]));
    let value = f(g, magnitude);
    g.product(sign, value)
}

/// Exponential.
pub static EXP: Prim = Prim::function("exp", "e^x", &[(-5.0, 5.0)], |a| libm::exp(a[0]), |_, _, value| vec![value]);

/// Exponential less one.
pub static EXPM1: Prim = Prim::function(
    "expm1",
    "e^x - 1, accurate near 0",
    &[(-5.0, 5.0)],
    |a| libm::expm1(a[0]),
    |g, _, value| vec![shifted(g, value, 1.0)],
);

/// Natural logarithm.
pub static LOG: Prim = Prim::function(
    "log",
    "natural logarithm, x >= 0",
    &[(0.1, 10.0)],
    |a| libm::log(a[0]),
    |g, a, _| vec![reciprocal(g, a[0])],
)
.alias(&["ln"]);

/// Logarithm of one more.
pub static LOG1P: Prim = Prim::function(
    "log1p",
    "log(1 + x), accurate near 0, x >= -1",
    &[(-0.9, 5.0)],
    |a| libm::log1p(a[0]),
    |g, a, _| {
        let shifted = shifted(g, a[0], 1.0);
        vec![reciprocal(g, shifted)]
    },
);

/// Decimal logarithm.
pub static LOG10: Prim = Prim::function(
    "log10",
    "logarithm to base 10, x >= 0",
    &[(0.1, 10.0)],
    |a| libm::log10(a[0]),
    |g, a, _| {
        let inverse = reciprocal(g, a[0]);
        vec![scaled(g, LOG10_E, inverse)]
    },
)
.means(|g, a| {
    let (log, base) = (g.call(&LOG, a), g.constant(LN_10));
    g.quotient(log, base)
});

/// Binary logarithm.
pub static LOG2: Prim = Prim::function(
    "log2",
    "logarithm to base 2, x >= 0",
    &[(0.1, 10.0)],
    |a| libm::log2(a[0]),
    |g, a, _| {
        let inverse = reciprocal(g, a[0]);
        vec![scaled(g, LOG2_E, inverse)]
    },
)
.means(|g, a| {
    let (log, base) = (g.call(&LOG, a), g.constant(LN_2));
    g.quotient(log, base)
});

/// Power of two.
pub static EXP2: Prim =
    Prim::function("exp2", "2^x", &[(-5.0, 5.0)], |a| libm::exp2(a[0]), |g, _, value| vec![scaled(g, LN_2, value)])
        .means(|g, a| {
            let exponent = scaled(g, LN_2, a[0]);
            g.call(&EXP, &[exponent])
        });

/// Sine.
pub static SIN: Prim =
    Prim::function("sin", "sine, x in radians", &[(-7.0, 7.0)], |a| libm::sin(a[0]), |g, a, _| vec![g.call(&COS, a)]);

/// Cosine.
pub static COS: Prim = Prim::function(
    "cos",
    "cosine, x in radians",
    &[(-7.0, 7.0)],
    |a| libm::cos(a[0]),
    |g, a, _| {
        let sin = g.call(&SIN, a);
        vec![g.negative(sin)]
    },
);

/// Tangent.
pub static TAN: Prim = Prim::function(
    "tan",
    "tangent, x in radians",
    &[(-1.4, 1.4)],
    |a| libm::tan(a[0]),
    |g, _, value| vec![square_plus(g, value, 1.0)],
)
.means(|g, a| {
    let (sin, cos) = (g.call(&SIN, a), g.call(&COS, a));
    g.quotient(sin, cos)
});

/// Secant.
pub static SEC: Prim = Prim::function(
    "sec",
    "1 / cos(x)",
    &[(-1.4, 1.4)],
    |a| 1.0 / libm::cos(a[0]),
    |g, a, value| {
        let tan = g.call(&TAN, a);
        vec![g.product(value, tan)]
    },
)
.means(|g, a| {
    let cos = g.call(&COS, a);
    reciprocal(g, cos)
});

/// Cosecant.
pub static CSC: Prim = Prim::function(
    "csc",
    "1 / sin(x), x not 0",
    &[(0.2, 2.9)],
    |a| 1.0 / libm::sin(a[0]),
    |g, a, value| {
        let cot = g.call(&COT, a);
        let product = g.product(value, cot);
        vec![g.negative(product)]
    },
)
.means(|g, a| {
    let sin = g.call(&SIN, a);
    reciprocal(g, sin)
});

/// Cotangent.
pub static COT: Prim = Prim::function(
    "cot",
    "cos(x) / sin(x), x not 0",
    &[(0.2, 2.9)],
    |a| libm::cos(a[0]) / libm::sin(a[0]),
    |g, _, value| {
        let slope = square_plus(g, value, 1.0);
        vec![g.negative(slope)]
    },
)
.means(|g, a| {
    let (sin, cos) = (g.call(&SIN, a), g.call(&COS, a));
    g.quotient(cos, sin)
});

/// Unnormalised cardinal sine.
pub static SINC: Prim = Prim::function(
    "sinc",
    "sin(x) / x, 1 at 0",
    &[(-7.0, 7.0)],
    |a| {
        if a[0] == 0.0 { 1.0 } else { libm::sin(a[0]) / a[0] }
    },
    |g, a, value| {
        // (cos x - sinc x) / x cancels near 0; there the series -x/3 + x^3/30, whose next term is 2e-12 of the first.
        let (magnitude, bound) = (g.call(&ABS, a), g.constant(5e-3));
        let near = g.call(&LT, &[magnitude, bound]);
        let (one, cos) = (g.constant(1.0), g.call(&COS, a));
        let divisor = g.call(&SELECT, &[near, one, a[0]]);
        let difference = g.difference(cos, value);
        let far_slope = g.quotient(difference, divisor);
        let square = g.product(a[0], a[0]);
        let cubic = scaled(g, 1.0 / 30.0, square);
        let bracket = shifted(g, cubic, -1.0 / 3.0);
        let near_slope = g.product(a[0], bracket);
        vec![g.call(&SELECT, &[near, near_slope, far_slope])]
    },
)
.means(|g, a| {
    let (zero, one) = (g.constant(0.0), g.constant(1.0));
    let null = g.call(&EQ, &[a[0], zero]);
    let divisor = g.call(&SELECT, &[null, one, a[0]]);
    let sin = g.call(&SIN, a);
    let ratio = g.quotient(sin, divisor);
    g.call(&SELECT, &[null, one, ratio])
});

/// Inverse sine.
pub static ASIN: Prim = Prim::function(
    "asin",
    "inverse sine, -1 <= x <= 1",
    &[(-0.9, 0.9)],
    |a| libm::asin(a[0]),
    |g, a, _| {
        let square = one_minus_square(g, a[0]);
        let root = g.call(&SQRT, &[square]);
        vec![reciprocal(g, root)]
    },
)
.alias(&["arcsin"])
.means(|g, a| {
    let square = one_minus_square(g, a[0]);
    let adjacent = g.call(&SQRT, &[square]);
    g.call(&ATAN2, &[a[0], adjacent])
});

/// Inverse cosine.
pub static ACOS: Prim = Prim::function(
    "acos",
    "inverse cosine, -1 <= x <= 1",
    &[(-0.9, 0.9)],
    |a| libm::acos(a[0]),
    |g, a, _| {
        let square = one_minus_square(g, a[0]);
        let root = g.call(&SQRT, &[square]);
        let inverse = reciprocal(g, root);
        vec![g.negative(inverse)]
    },
)
.alias(&["arccos"])
.means(|g, a| {
    let square = one_minus_square(g, a[0]);
    let opposite = g.call(&SQRT, &[square]);
    g.call(&ATAN2, &[opposite, a[0]])
});

/// Inverse tangent.
pub static ATAN: Prim = Prim::function(
    "atan",
    "inverse tangent",
    &[(-5.0, 5.0)],
    |a| libm::atan(a[0]),
    |g, a, _| {
        let square = square_plus(g, a[0], 1.0);
        vec![reciprocal(g, square)]
    },
)
.alias(&["arctan"]);

/// Angle of a point.
pub static ATAN2: Prim = Prim::function(
    "atan2",
    "angle of the point (x, y) = (b, a) in [-pi, pi]; the expansion takes a = -0 as 0",
    &[(-3.0, 3.0), (-3.0, 3.0)],
    |a| libm::atan2(a[0], a[1]),
    |g, a, _| {
        let (y, x) = (a[0], a[1]);
        let (xx, yy) = (g.product(x, x), g.product(y, y));
        let square = g.sum(xx, yy);
        let along = g.quotient(x, square);
        let across = g.quotient(y, square);
        vec![along, g.negative(across)]
    },
)
.alias(&["arctan2"])
.means(|g, a| {
    let (y, x) = (a[0], a[1]);
    let (zero, one) = (g.constant(0.0), g.constant(1.0));
    let (up, down) = (g.constant(PI), g.constant(-PI));
    let (x_null, y_null) = (g.call(&EQ, &[x, zero]), g.call(&EQ, &[y, zero]));
    let origin = g.call(&AND, &[x_null, y_null]);
    let divisor = g.call(&SELECT, &[origin, one, x]);
    let ratio = g.quotient(y, divisor);
    let angle = g.call(&ATAN, &[ratio]);
    let y_negative = g.call(&LT, &[y, zero]);
    let half_turn = g.call(&SELECT, &[y_negative, down, up]);
    let turned = g.sum(angle, half_turn);
    let left = g.call(&LT, &[x, zero]);
    g.call(&SELECT, &[left, turned, angle])
});

/// Hyperbolic sine.
pub static SINH: Prim =
    Prim::function("sinh", "hyperbolic sine", &[(-4.0, 4.0)], |a| libm::sinh(a[0]), |g, a, _| vec![g.call(&COSH, a)])
        .means(|g, a| {
            odd(g, a[0], |g, x| {
                // With e = exp(x) - 1: (e + e / (e + 1)) / 2, without cancellation for x >= 0.
                let e = g.call(&EXPM1, &[x]);
                let above = shifted(g, e, 1.0);
                let ratio = g.quotient(e, above);
                let sum = g.sum(e, ratio);
                scaled(g, 0.5, sum)
            })
        });

/// Hyperbolic cosine.
pub static COSH: Prim =
    Prim::function("cosh", "hyperbolic cosine", &[(-4.0, 4.0)], |a| libm::cosh(a[0]), |g, a, _| vec![g.call(&SINH, a)])
        .means(|g, a| {
            let magnitude = g.call(&ABS, a);
            let growing = g.call(&EXP, &[magnitude]);
            let decaying = reciprocal(g, growing);
            let sum = g.sum(growing, decaying);
            scaled(g, 0.5, sum)
        });

/// Hyperbolic tangent.
pub static TANH: Prim = Prim::function(
    "tanh",
    "hyperbolic tangent",
    &[(-4.0, 4.0)],
    |a| libm::tanh(a[0]),
    |g, _, value| vec![one_minus_square(g, value)],
)
.means(|g, a| {
    odd(g, a[0], |g, x| {
        // With e = exp(-2x) - 1: -e / (e + 2); for x >= 0 nothing overflows or cancels.
        let exponent = scaled(g, -2.0, x);
        let e = g.call(&EXPM1, &[exponent]);
        let (numerator, denominator) = (g.negative(e), shifted(g, e, 2.0));
        g.quotient(numerator, denominator)
    })
});

/// Inverse hyperbolic sine.
pub static ASINH: Prim = Prim::function(
    "asinh",
    "inverse hyperbolic sine",
    &[(-5.0, 5.0)],
    |a| libm::asinh(a[0]),
    |g, a, _| {
        let square = square_plus(g, a[0], 1.0);
        let root = g.call(&SQRT, &[square]);
        vec![reciprocal(g, root)]
    },
)
.alias(&["arcsinh"])
.means(|g, a| {
    odd(g, a[0], |g, x| {
        // log(x + r) with r = sqrt(x^2 + 1), and r - 1 = x^2 / (1 + r).
        let square = g.product(x, x);
        let radicand = shifted(g, square, 1.0);
        let root = g.call(&SQRT, &[radicand]);
        let denominator = shifted(g, root, 1.0);
        let excess = g.quotient(square, denominator);
        let sum = g.sum(x, excess);
        g.call(&LOG1P, &[sum])
    })
});

/// Inverse hyperbolic cosine.
pub static ACOSH: Prim = Prim::function(
    "acosh",
    "inverse hyperbolic cosine, x >= 1",
    &[(1.1, 6.0)],
    |a| libm::acosh(a[0]),
    |g, a, _| {
        let (below, above) = (shifted(g, a[0], -1.0), shifted(g, a[0], 1.0));
        let product = g.product(below, above);
        let root = g.call(&SQRT, &[product]);
        vec![reciprocal(g, root)]
    },
)
.alias(&["arccosh"])
.means(|g, a| {
    // log(x + sqrt(x^2 - 1)) with u = x - 1, exact near 1.
    let u = shifted(g, a[0], -1.0);
    let above = shifted(g, a[0], 1.0);
    let radicand = g.product(u, above);
    let root = g.call(&SQRT, &[radicand]);
    let sum = g.sum(u, root);
    g.call(&LOG1P, &[sum])
});

/// Inverse hyperbolic tangent.
pub static ATANH: Prim = Prim::function(
    "atanh",
    "inverse hyperbolic tangent, -1 <= x <= 1",
    &[(-0.9, 0.9)],
    |a| libm::atanh(a[0]),
    |g, a, _| {
        let square = one_minus_square(g, a[0]);
        vec![reciprocal(g, square)]
    },
)
.alias(&["arctanh"])
.means(|g, a| {
    odd(g, a[0], |g, x| {
        let one = g.constant(1.0);
        let (twice, denominator) = (g.sum(x, x), g.difference(one, x));
        let ratio = g.quotient(twice, denominator);
        let log = g.call(&LOG1P, &[ratio]);
        scaled(g, 0.5, log)
    })
});

/// Power.
pub static POW: Prim = Prim::function(
    "pow",
    "a^b, 1 for b = 0; a < 0 needs an integer b; the derivative by b is 0 for a <= 0",
    &[(0.2, 4.0), (-3.0, 3.0)],
    |a| libm::pow(a[0], a[1]),
    |g, a, value| {
        let (zero, one) = (g.constant(0.0), g.constant(1.0));
        // b a^(b-1); for b = 0 the exponent 1 keeps a = 0 from giving 0 * inf.
        let constant = g.call(&EQ, &[a[1], zero]);
        let lower = shifted(g, a[1], -1.0);
        let exponent = g.call(&SELECT, &[constant, one, lower]);
        let power = g.call(&POW, &[a[0], exponent]);
        let by_base = g.product(a[1], power);
        let positive = g.call(&GT, &[a[0], zero]);
        let base = g.call(&SELECT, &[positive, a[0], one]);
        let log = g.call(&LOG, &[base]);
        vec![by_base, g.product(value, log)]
    },
)
.alias(&["power"]);

/// Error function.
pub static ERF: Prim = Prim::function(
    "erf",
    "error function, 2/sqrt(pi) times the integral of exp(-s^2) from 0 to x",
    &[(-3.0, 3.0)],
    |a| libm::erf(a[0]),
    |g, a, _| {
        let square = g.product(a[0], a[0]);
        let exponent = g.negative(square);
        let bell = g.call(&EXP, &[exponent]);
        vec![scaled(g, FRAC_2_SQRT_PI, bell)]
    },
);

/// All rows of this file.
pub static ROWS: &[&Prim] = &[
    &EXP, &EXPM1, &LOG, &LOG1P, &LOG10, &LOG2, &EXP2, &SIN, &COS, &TAN, &SEC, &CSC, &COT, &SINC, &ASIN, &ACOS, &ATAN,
    &ATAN2, &SINH, &COSH, &TANH, &ASINH, &ACOSH, &ATANH, &POW, &ERF,
];
