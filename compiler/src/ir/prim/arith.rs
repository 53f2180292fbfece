//! Arithmetic, rounding, comparison and choice: what every target has as instructions.
//!
//! Conventions. Piecewise constant functions have derivative 0 everywhere; at a kink the derivative is that of the branch
//! the value comes from. Comparisons with NaN are false, except `ne`. NaN is not 0, so it counts as true.

use super::{Expand, Partial, Prim};

/// An interval for arguments without a special place.
const ANY: (f64, f64) = (-3.0, 3.0);

const fn truth(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

/// Partial derivatives of a piecewise constant function.
pub(super) const FLAT: Partial = |g, args, _| vec![g.constant(0.0); args.len()];

/// `a + b`
pub static ADD: Prim =
    Prim::function("add", "a + b", &[ANY, ANY], |a| a[0] + a[1], |g, _, _| vec![g.constant(1.0); 2]).operator();

/// `a - b`
pub static SUB: Prim =
    Prim::function("sub", "a - b", &[ANY, ANY], |a| a[0] - a[1], |g, _, _| vec![g.constant(1.0), g.constant(-1.0)])
        .operator();

/// `a * b`
pub static MUL: Prim =
    Prim::function("mul", "a * b", &[ANY, ANY], |a| a[0] * a[1], |_, a, _| vec![a[1], a[0]]).operator();

/// `a / b`
pub static DIV: Prim = Prim::function(
    "div",
    "a / b, b not 0",
    &[ANY, (0.5, 3.0)],
    |a| a[0] / a[1],
    |g, a, value| {
        let one = g.constant(1.0);
        let ratio = g.quotient(value, a[1]);
        vec![g.quotient(one, a[1]), g.negative(ratio)]
    },
)
.operator();

/// `-a`
pub static NEG: Prim = Prim::function("neg", "-a", &[ANY], |a| -a[0], |g, _, _| vec![g.constant(-1.0)]).operator();

/// `a * b + c`, rounded once.
pub static FMA: Prim = Prim::function(
    "fma",
    "a * b + c with one rounding",
    &[ANY, ANY, ANY],
    |a| a[0].mul_add(a[1], a[2]),
    |g, a, _| vec![a[1], a[0], g.constant(1.0)],
)
.operator()
.single(|a| a[0].mul_add(a[1], a[2]));

/// `|x|`
pub static ABS: Prim =
    Prim::function("abs", "|x|; derivative sign(x)", &[ANY], |a| a[0].abs(), |g, a, _| vec![g.call(&SIGN, a)])
        .alias(&["absv"]);

/// Square root.
pub static SQRT: Prim = Prim::function(
    "sqrt",
    "square root, x >= 0; NaN below",
    &[(0.1, 5.0)],
    |a| a[0].sqrt(),
    |g, _, value| {
        let half = g.constant(0.5);
        vec![g.quotient(half, value)]
    },
);

/// The smaller of two.
pub static MIN: Prim = Prim::function(
    "min",
    "the smaller of a and b, elementwise; of equal ones (0 and -0 too) b; if one is NaN the other (IEEE 754 minNum)",
    &[ANY, ANY],
    |a| if a[0] < a[1] || a[1].is_nan() { a[0] } else { a[1] },
    |g, a, _| {
        let first = g.call(&LT, a);
        vec![first, g.call(&NOT, &[first])]
    },
)
.alias(&["mini", "minimum"])
.means(|g, a| {
    let (less, nan) = (g.call(&LT, a), g.call(&NE, &[a[1], a[1]]));
    let first = g.call(&OR, &[less, nan]);
    g.call(&SELECT, &[first, a[0], a[1]])
});

/// The larger of two.
pub static MAX: Prim = Prim::function(
    "max",
    "the larger of a and b, elementwise; of equal ones (0 and -0 too) b; if one is NaN the other (IEEE 754 maxNum)",
    &[ANY, ANY],
    |a| if a[0] > a[1] || a[1].is_nan() { a[0] } else { a[1] },
    |g, a, _| {
        let first = g.call(&GT, a);
        vec![first, g.call(&NOT, &[first])]
    },
)
.alias(&["maxi", "maximum"])
.means(|g, a| {
    let (greater, nan) = (g.call(&GT, a), g.call(&NE, &[a[1], a[1]]));
    let first = g.call(&OR, &[greater, nan]);
    g.call(&SELECT, &[first, a[0], a[1]])
});

/// Largest integer not above.
pub static FLOOR: Prim = Prim::function("floor", "largest integer <= x; derivative 0", &[ANY], |a| a[0].floor(), FLAT);

/// Smallest integer not below.
pub static CEIL: Prim = Prim::function("ceil", "smallest integer >= x; derivative 0", &[ANY], |a| a[0].ceil(), FLAT)
    .alias(&["ceiling"])
    .means(|g, a| {
        let mirrored = g.negative(a[0]);
        let below = g.call(&FLOOR, &[mirrored]);
        g.negative(below)
    });

/// Nearest integer.
pub static ROUND: Prim =
    Prim::function("round", "nearest integer, ties to even; derivative 0", &[ANY], |a| a[0].round_ties_even(), FLAT);

/// Integer part.
pub static TRUNC: Prim =
    Prim::function("trunc", "integer part, towards 0; derivative 0", &[ANY], |a| a[0].trunc(), FLAT).means(|g, a| {
        let zero = g.constant(0.0);
        let negative = g.call(&LT, &[a[0], zero]);
        let (up, down) = (g.call(&CEIL, a), g.call(&FLOOR, a));
        g.call(&SELECT, &[negative, up, down])
    });

/// Sign.
pub static SIGN: Prim = Prim::function(
    "sign",
    "1 above 0, -1 below, 0 at 0, NaN of NaN; derivative 0",
    &[ANY],
    |a| match a[0] {
        x if x > 0.0 => 1.0,
        x if x < 0.0 => -1.0,
        0.0 => 0.0,
        x => x,
    },
    FLAT,
)
.means(|g, a| {
    let (zero, one, minus_one) = (g.constant(0.0), g.constant(1.0), g.constant(-1.0));
    let (above, below) = (g.call(&GT, &[a[0], zero]), g.call(&LT, &[a[0], zero]));
    let null = g.call(&EQ, &[a[0], zero]);
    let rest = g.call(&SELECT, &[null, zero, a[0]]);
    let rest = g.call(&SELECT, &[below, minus_one, rest]);
    g.call(&SELECT, &[above, one, rest])
});

/// Remainder of floored division, computed from the exact remainder as Python does.
fn floored_remainder(a: f64, b: f64) -> f64 {
    let r = a % b;
    if r == 0.0 {
        0f64.copysign(b)
    } else if (r < 0.0) != (b < 0.0) {
        r + b
    } else {
        r
    }
}

/// `a - floor(a/b) b`, repaired where the quotient was rounded up to an integer. Rounding is monotonic, so a quotient is
/// never rounded below an integer it exceeds; the fused product leaves the difference exact while |a/b| < 2^53 (2^24 in
/// single precision).
const REMAINDER_BY_FLOOR: Expand = |g, a| {
    let zero = g.constant(0.0);
    let ratio = g.quotient(a[0], a[1]);
    let whole = g.call(&FLOOR, &[ratio]);
    let negated = g.negative(whole);
    let r = g.call(&FMA, &[negated, a[1], a[0]]);
    let (r_negative, b_negative) = (g.call(&LT, &[r, zero]), g.call(&LT, &[a[1], zero]));
    let signs_differ = g.call(&NE, &[r_negative, b_negative]);
    let not_null = g.call(&NE, &[r, zero]);
    let overshot = g.call(&AND, &[signs_differ, not_null]);
    let repaired = g.sum(r, a[1]);
    g.call(&SELECT, &[overshot, repaired, r])
};

/// Remainder with the sign of the divisor.
pub static REM: Prim = Prim::function(
    "rem",
    "a - floor(a/b) b, the remainder with the sign of b (Python's %); b finite and not 0",
    &[(-7.0, 7.0), (1.2, 2.7)],
    |a| floored_remainder(a[0], a[1]),
    |g, a, _| {
        let ratio = g.quotient(a[0], a[1]);
        let whole = g.call(&FLOOR, &[ratio]);
        vec![g.constant(1.0), g.negative(whole)]
    },
)
.alias(&["mod"])
.means(REMAINDER_BY_FLOOR);

/// `a < b`
pub static LT: Prim = Prim::function("lt", "1 if a < b, else 0", &[ANY, ANY], |a| truth(a[0] < a[1]), FLAT).operator();

/// `a <= b`
pub static LE: Prim =
    Prim::function("le", "1 if a <= b, else 0", &[ANY, ANY], |a| truth(a[0] <= a[1]), FLAT).operator();

/// `a > b`
pub static GT: Prim = Prim::function("gt", "1 if a > b, else 0", &[ANY, ANY], |a| truth(a[0] > a[1]), FLAT)
    .operator()
    .means(|g, a| g.call(&LT, &[a[1], a[0]]));

/// `a >= b`
pub static GE: Prim = Prim::function("ge", "1 if a >= b, else 0", &[ANY, ANY], |a| truth(a[0] >= a[1]), FLAT)
    .operator()
    .means(|g, a| g.call(&LE, &[a[1], a[0]]));

/// `a == b`
pub static EQ: Prim =
    Prim::function("eq", "1 if a == b, else 0", &[ANY, ANY], |a| truth(a[0] == a[1]), FLAT).operator();

/// `a != b`
pub static NE: Prim =
    Prim::function("ne", "1 if a != b, else 0", &[ANY, ANY], |a| truth(a[0] != a[1]), FLAT).operator();

/// Both true.
pub static AND: Prim = Prim::function(
    "and",
    "1 if neither a nor b is 0, else 0",
    &[ANY, ANY],
    |a| truth(a[0] != 0.0 && a[1] != 0.0),
    FLAT,
)
.operator();

/// One true.
pub static OR: Prim =
    Prim::function("or", "0 if a and b are 0, else 1", &[ANY, ANY], |a| truth(a[0] != 0.0 || a[1] != 0.0), FLAT)
        .operator();

/// Not true.
pub static NOT: Prim = Prim::function("not", "1 if a is 0, else 0", &[ANY], |a| truth(a[0] == 0.0), FLAT).operator();

/// `a if c else b`
pub static SELECT: Prim = Prim::function(
    "select",
    "a if c is not 0, else b",
    &[ANY, ANY, ANY],
    |a| if a[0] != 0.0 { a[1] } else { a[2] },
    |g, a, _| {
        let (zero, one) = (g.constant(0.0), g.constant(1.0));
        vec![zero, g.call(&SELECT, &[a[0], one, zero]), g.call(&SELECT, &[a[0], zero, one])]
    },
)
.alias(&["where"]);

/// All rows of this file.
pub static ROWS: &[&Prim] = &[
    &ADD, &SUB, &MUL, &DIV, &NEG, &FMA, &ABS, &SQRT, &MIN, &MAX, &FLOOR, &CEIL, &ROUND, &TRUNC, &SIGN, &REM, &LT, &LE,
    &GT, &GE, &EQ, &NE, &AND, &OR, &NOT, &SELECT,
];
