//! Every row of the function table keeps its promises: derivative, expansion, documented special values.

#[path = "../../tests/support/random.rs"]
mod random;

use std::collections::HashSet;
use std::f64::consts::{FRAC_PI_2, FRAC_PI_3, LN_2, PI};

use nullcline_compiler::ir::complex;
use nullcline_compiler::ir::evaluate::evaluate;
use nullcline_compiler::ir::expr::{ExprGraph, ExprId, InputId, Op, SpaceId};
use nullcline_compiler::ir::prim::{Prim, bits, lookup, surrogate, table};

use random::Random;

impl Random {
    fn point(&mut self, prim: &Prim) -> Vec<f64> {
        prim.domain.iter().map(|d| self.within(*d)).collect()
    }
}

const POINTS: usize = 200;

/// Inputs that stand for the arguments.
fn arguments(g: &mut ExprGraph, count: usize) -> Vec<ExprId> {
    (0..count as u32).map(|i| g.add(Op::Input(InputId(i)), vec![], SpaceId::SCALAR)).collect()
}

fn value(g: &ExprGraph, root: ExprId, inputs: &[f64]) -> f64 {
    evaluate(g, root, |op| match op {
        Op::Input(id) => inputs[id.index()],
        other => panic!("{other:?} is no leaf of this graph"),
    })
}

fn eval(name: &str, args: &[f64]) -> f64 {
    let prim = table().find(|p| p.name == name).expect("a row of the table");
    (prim.eval)(args)
}

#[test]
fn every_row_is_well_formed() {
    let mut names = HashSet::new();
    for p in table() {
        assert!((1..=3).contains(&p.arity), "{}", p.name);
        assert_eq!(p.domain.len(), p.arity, "{}", p.name);
        assert!(p.domain.iter().all(|(low, high)| low < high), "{}", p.name);
        assert!(!p.doc.is_empty(), "{}", p.name);
        for name in p.aliases.iter().chain([&p.name]) {
            assert!(names.insert(*name), "`{name}` means two rows");
            assert_eq!(lookup(name), p.callable.then_some(p), "{name}");
        }
        let mut g = ExprGraph::new();
        let args = arguments(&mut g, p.arity);
        let call = g.call(p, &args);
        assert_eq!((p.partial)(&mut g, &args, call).len(), p.arity, "{}", p.name);
    }
    for row in complex::PARTS {
        for name in row.aliases.iter().chain([&row.name]) {
            assert!(names.insert(*name), "`{name}` means two rows");
        }
    }
    for row in complex::EXTENSIONS {
        let prim = table().find(|p| p.name == row.name).expect("an extension extends a row");
        assert_eq!(row.arity, prim.arity, "{}", row.name);
    }
}

#[test]
fn operators_are_not_callable_and_aliases_are() {
    for name in ["add", "fma", "lt", "eq", "and", "not", "nothing"] {
        assert_eq!(lookup(name), None);
    }
    for (alias, name) in [
        ("absv", "abs"),
        ("maxi", "max"),
        ("mini", "min"),
        ("where", "select"),
        ("mod", "rem"),
        ("ln", "log"),
        ("arctan2", "atan2"),
        ("power", "pow"),
        ("logistic", "sigmoid"),
        ("no_op", "identity"),
    ] {
        assert_eq!(lookup(alias).map(|p| p.name), Some(name));
    }
}

#[test]
fn partial_derivatives_agree_with_central_differences() {
    const STEP: f64 = 1.0 / 131_072.0;
    let mut random = Random(1);
    // A surrogate's derivative is not that of its value; bits are never differentiated.
    for p in table().filter(|p| !surrogate::ROWS.contains(p) && !bits::ROWS.contains(p)) {
        let mut g = ExprGraph::new();
        let args = arguments(&mut g, p.arity);
        let call = g.call(p, &args);
        let partials = (p.partial)(&mut g, &args, call);
        for _ in 0..POINTS {
            let at = random.point(p);
            for (i, partial) in partials.iter().enumerate() {
                let difference = |step: f64| {
                    let (mut above, mut below) = (at.clone(), at.clone());
                    above[i] += step;
                    below[i] -= step;
                    ((p.eval)(&above) - (p.eval)(&below)) / (above[i] - below[i])
                };
                let (near, far) = (difference(STEP), difference(2.0 * STEP));
                // The truncation error grows with the square of the step, so `far - near` is three times that of
                // `near`. Each value is off by at most 4 ulp, which the division by the step enlarges. The last term is
                // the rounding of the partial itself, whose terms may be larger than their sum.
                let size = (p.eval)(&at).abs() + near.abs() + 1.0;
                let tolerance = (far - near).abs() + 4.0 * f64::EPSILON * (p.eval)(&at).abs() / STEP + 1e-12 * size;
                assert!(tolerance < 1e-6 * size, "{} at {at:?}: the test says nothing", p.name);
                let exact = value(&g, *partial, &at);
                assert!(
                    (exact - near).abs() <= tolerance,
                    "d {} / d argument {i} at {at:?}: {exact}, central difference {near}",
                    p.name
                );
            }
        }
    }
}

#[test]
fn expansions_agree_with_reference_values() {
    // Every expansion is a chain of at most eight roundings or function values of 2 ulp without cancellation.
    const BOUND: f64 = 16.0 * f64::EPSILON;
    let mut random = Random(2);
    for p in table() {
        let Some(expand) = p.expand else { continue };
        let mut g = ExprGraph::new();
        let args = arguments(&mut g, p.arity);
        let root = expand(&mut g, &args);
        for _ in 0..POINTS {
            let at = random.point(p);
            let (expanded, reference) = (value(&g, root, &at), (p.eval)(&at));
            assert!(
                (expanded - reference).abs() <= BOUND * reference.abs(),
                "{} at {at:?}: {expanded}, reference {reference}",
                p.name
            );
        }
    }
}

#[test]
fn expansions_keep_documented_special_values() {
    const NAN: f64 = f64::NAN;
    let cases: &[(&str, &[f64], f64)] = &[
        ("min", &[NAN, 1.0], 1.0),
        ("min", &[1.0, NAN], 1.0),
        ("max", &[NAN, 1.0], 1.0),
        ("max", &[1.0, NAN], 1.0),
        ("max", &[NAN, NAN], NAN),
        ("sign", &[0.0], 0.0),
        ("sign", &[-0.0], 0.0),
        ("sign", &[NAN], NAN),
        ("trunc", &[-1.7], -1.0),
        ("trunc", &[1.7], 1.0),
        ("ceil", &[-1.7], -1.0),
        ("rem", &[7.0, 3.0], 1.0),
        ("rem", &[-7.0, 3.0], 2.0),
        ("rem", &[7.0, -3.0], -2.0),
        ("rem", &[-7.0, -3.0], -1.0),
        ("rem", &[6.0, 3.0], 0.0),
        // 0.1 is a little more than a tenth, so 10 times it exceeds 1 and 9 fit, though the quotient rounds to 10.
        ("rem", &[1.0, 0.1], 1.0 % 0.1),
        ("relu", &[0.0], 0.0),
        ("relu", &[NAN], NAN),
        ("relu", &[-2.0], 0.0),
        ("heaviside", &[0.0], 1.0),
        ("heaviside", &[-1e-300], 0.0),
        ("superspike", &[0.0], 1.0),
        ("clip", &[5.0, -1.0, 1.0], 1.0),
        ("clip", &[-5.0, -1.0, 1.0], -1.0),
        ("clip", &[NAN, -1.0, 1.0], NAN),
        ("sigmoid", &[-800.0], 0.0),
        ("sigmoid", &[800.0], 1.0),
        ("softplus", &[1000.0], 1000.0),
        ("softplus", &[-1000.0], 0.0),
        ("softplus", &[0.0], LN_2),
        ("sinc", &[0.0], 1.0),
        ("tanh", &[400.0], 1.0),
        ("tanh", &[-400.0], -1.0),
        ("atan2", &[0.0, 0.0], 0.0),
        ("atan2", &[0.0, -1.0], PI),
        ("atan2", &[1.0, 0.0], FRAC_PI_2),
        ("atan2", &[-1.0, 0.0], -FRAC_PI_2),
        ("identity", &[2.5], 2.5),
    ];
    for (name, at, expected) in cases {
        let p = table().find(|p| p.name == *name).expect("a row of the table");
        let mut g = ExprGraph::new();
        let args = arguments(&mut g, p.arity);
        let root = p.expand.expect("a row with an expansion")(&mut g, &args);
        for got in [(p.eval)(at), value(&g, root, at)] {
            let same = got == *expected || (got.is_nan() && expected.is_nan());
            assert!(same, "{name}{at:?} = {got}, expected {expected}");
        }
    }
}

#[test]
fn rows_without_expansion_have_known_values() {
    // Constants of analysis; erf from M. Abramowitz, I. Stegun, Handbook of Mathematical Functions, table 7.1.
    for (name, at, expected) in [
        ("exp", vec![1.0], std::f64::consts::E),
        ("expm1", vec![1e-20], 1e-20),
        ("log", vec![2.0], LN_2),
        ("log1p", vec![1e-20], 1e-20),
        ("sin", vec![PI / 6.0], 0.5),
        ("cos", vec![FRAC_PI_3], 0.5),
        ("atan", vec![1.0], FRAC_PI_2 / 2.0),
        ("pow", vec![2.0, 0.5], std::f64::consts::SQRT_2),
        ("pow", vec![-2.0, 3.0], -8.0),
        ("pow", vec![0.0, 0.0], 1.0),
        ("erf", vec![0.5], 0.5204998778),
        ("erf", vec![1.0], 0.8427007929),
        ("sqrt", vec![2.0], std::f64::consts::SQRT_2),
        ("round", vec![0.5], 0.0),
        ("round", vec![1.5], 2.0),
        ("round", vec![-2.5], -2.0),
        ("and", vec![2.0, f64::NAN], 1.0),
        ("and", vec![2.0, 0.0], 0.0),
        ("or", vec![0.0, -0.0], 0.0),
        ("or", vec![0.0, -3.0], 1.0),
        ("not", vec![0.5], 0.0),
        ("not", vec![0.0], 1.0),
        ("lt", vec![1.0, f64::NAN], 0.0),
        ("ne", vec![1.0, f64::NAN], 1.0),
        ("le", vec![1.0, 1.0], 1.0),
        ("ge", vec![0.0, 1.0], 0.0),
        ("select", vec![0.0, 1.0, 2.0], 2.0),
        ("select", vec![-0.5, 1.0, 2.0], 1.0),
        ("select", vec![f64::NAN, 1.0, 2.0], 1.0),
    ] {
        let got = eval(name, &at);
        // The table of erf has ten digits.
        let tolerance = if name == "erf" { 1e-10 } else { 2.0 * f64::EPSILON };
        assert!((got - expected).abs() <= tolerance * expected.abs(), "{name}{at:?} = {got}");
    }
}

#[test]
fn fma_rounds_once_in_both_precisions() {
    let fma = table().find(|p| p.name == "fma").expect("a row of the table");
    // (1 + e)^2 - (1 + 2e) = e^2 exactly, which a rounded product loses.
    let e = f64::EPSILON;
    assert_eq!(fma.evaluate(&[1.0 + e, 1.0 + e, -(1.0 + 2.0 * e)], false), e * e);
    // The exact sum lies 2^-70 below the middle of two single-precision numbers; rounded to double first, it would fall on
    // the middle and from there to the even neighbour above.
    let (a, b) = (1.0 + 2f64.powi(-23), 2f64.powi(-24) * (1.0 - 2f64.powi(-23)));
    let c = 1.0 + 2f64.powi(-23);
    assert_eq!(fma.evaluate(&[a, b, c], true), c);
}

#[test]
fn derivative_of_pow_is_finite_where_the_power_is() {
    let p = lookup("pow").expect("a row of the table");
    let mut g = ExprGraph::new();
    let args = arguments(&mut g, 2);
    let call = g.call(p, &args);
    let partials = (p.partial)(&mut g, &args, call);
    for (at, by_base, by_exponent) in [
        ([0.0, 2.0], 0.0, 0.0),
        ([0.0, 1.0], 1.0, 0.0),
        ([0.0, 0.0], 0.0, 0.0),
        ([-2.0, 3.0], 12.0, 0.0),
        ([1.0, 5.0], 5.0, 0.0),
    ] {
        assert_eq!(value(&g, partials[0], &at), by_base, "{at:?}");
        assert_eq!(value(&g, partials[1], &at), by_exponent, "{at:?}");
    }
}

#[test]
fn derivative_of_sinc_is_smooth_through_zero() {
    let p = lookup("sinc").expect("a row of the table");
    let mut g = ExprGraph::new();
    let args = arguments(&mut g, 1);
    let call = g.call(p, &args);
    let partial = (p.partial)(&mut g, &args, call)[0];
    assert_eq!(value(&g, partial, &[0.0]), 0.0);
    for x in [1e-9f64, -1e-4, 4.9e-3, 5.1e-3, -0.02] {
        // Taylor series of (x cos x - sin x) / x^2; the next term is below 1e-11 of the first.
        let series = -x / 3.0 + x.powi(3) / 30.0 - x.powi(5) / 840.0;
        let got = value(&g, partial, &[x]);
        assert!((got - series).abs() <= 1e-10 * series.abs(), "{x}: {got} {series}");
    }
}

#[test]
fn surrogate_of_superspike_is_that_of_the_paper() {
    let p = lookup("superspike").expect("a row of the table");
    let mut g = ExprGraph::new();
    let args = arguments(&mut g, 1);
    let call = g.call(p, &args);
    let partial = (p.partial)(&mut g, &args, call)[0];
    for (x, expected) in [(0.0, 1.0), (1.0, 0.25), (-1.0, 0.25), (3.0, 0.0625)] {
        assert_eq!(value(&g, partial, &[x]), expected);
    }
}
