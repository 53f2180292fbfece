//! Complex functions against closed forms and identities.

use nullcline_compiler::ir::complex::{self, UnsupportedComplex, Value};
use nullcline_compiler::ir::evaluate::evaluate;
use nullcline_compiler::ir::expr::ExprGraph;
use nullcline_compiler::ir::prim::{Prim, table};
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

type Pair = (f64, f64);

fn prim(name: &str) -> &'static Prim {
    table().find(|p| p.name == name).expect("a row of the table")
}

fn of(g: &mut ExprGraph, (re, im): Pair) -> Value {
    Value::Complex(g.constant(re), g.constant(im))
}

fn number(g: &mut ExprGraph, z: Value) -> Pair {
    let (re, im) = z.parts(g);
    let leaf = |op| panic!("{op:?} is no leaf of this graph");
    (evaluate(g, re, leaf), evaluate(g, im, leaf))
}

/// The value of a function of the table on numbers, the last ones of which may be real.
fn apply(name: &str, args: &[Pair], real: &[f64]) -> Pair {
    let mut g = ExprGraph::new();
    let mut values: Vec<Value> = args.iter().map(|z| of(&mut g, *z)).collect();
    values.extend(real.iter().map(|x| Value::Real(g.constant(*x))));
    let z = complex::call(&mut g, prim(name), &values).expect("a function with an extension");
    number(&mut g, z)
}

fn unary(name: &str, z: Pair) -> Pair {
    apply(name, &[z], &[])
}

fn mul(a: Pair, b: Pair) -> Pair {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

fn add(a: Pair, b: Pair) -> Pair {
    (a.0 + b.0, a.1 + b.1)
}

/// Compares within some roundings of numbers of this size.
#[track_caller]
fn close(a: Pair, b: Pair) {
    let size = 1f64.max(b.0.hypot(b.1));
    let distance = (a.0 - b.0).hypot(a.1 - b.1);
    assert!(distance <= 32.0 * f64::EPSILON * size, "{a:?} is not {b:?}");
}

const SAMPLES: [Pair; 8] =
    [(0.3, 0.7), (-1.2, 0.4), (-0.5, -2.5), (2.0, -1.0), (1.5, 0.0), (-1.5, 0.0), (0.0, 1.25), (0.0, -0.75)];

#[test]
fn closed_forms() {
    close(unary("exp", (0.0, PI)), (-1.0, 0.0));
    close(unary("sqrt", (-1.0, 0.0)), (0.0, 1.0));
    close(unary("sqrt", (0.0, 2.0)), (1.0, 1.0));
    close(unary("sqrt", (-3.0, -4.0)), (1.0, -2.0));
    close(unary("sqrt", (0.0, 0.0)), (0.0, 0.0));
    close(unary("log", (0.0, 1.0)), (0.0, FRAC_PI_2));
    close(unary("log", (-1.0, 0.0)), (0.0, PI));
    close(unary("abs", (3.0, -4.0)), (5.0, 0.0));
    close(apply("div", &[(1.0, 2.0), (3.0, -4.0)], &[]), (-0.2, 0.4));
    close(apply("pow", &[(1.0, 1.0)], &[8.0]), (16.0, 0.0));
    close(apply("pow", &[(1.0, 1.0)], &[-2.0]), (0.0, -0.5));
    close(apply("pow", &[(2.0, 3.0)], &[0.0]), (1.0, 0.0));
    close(apply("pow", &[(0.0, 0.0)], &[0.5]), (0.0, 0.0));
    // i^i = exp(-pi/2)
    close(apply("pow", &[(0.0, 1.0), (0.0, 1.0)], &[]), ((-FRAC_PI_2).exp(), 0.0));
    close(unary("tanh", (0.0, FRAC_PI_4)), (0.0, 1.0));
    close(unary("tanh", (800.0, 0.3)), (1.0, 0.0));
    close(unary("sigmoid", (0.0, 0.0)), (0.5, 0.0));
    close(unary("sigmoid", (600.0, 1.0)), (1.0, 0.0));
    close(unary("sigmoid", (-600.0, 1.0)), (0.0, 0.0));
}

#[test]
fn identities_hold_in_the_whole_plane() {
    for z in SAMPLES {
        let (sin, cos, exp) = (unary("sin", z), unary("cos", z), unary("exp", z));
        let (sinh, cosh) = (unary("sinh", z), unary("cosh", z));
        close(add(mul(sin, sin), mul(cos, cos)), (1.0, 0.0));
        close(add(sinh, cosh), exp);
        close(mul(unary("tan", z), cos), sin);
        close(mul(unary("tanh", z), cosh), sinh);
        // Euler: exp(i z) = cos z + i sin z.
        close(unary("exp", (-z.1, z.0)), add(cos, (-sin.1, sin.0)));
        close(unary("log", exp), z);
        close(unary("exp", unary("log", z)), z);
        let root = unary("sqrt", z);
        assert!(root.0 >= 0.0);
        close(mul(root, root), z);
        close(apply("pow", &[z], &[3.0]), mul(z, mul(z, z)));
        close(apply("pow", &[z], &[0.5]), root);
        close(mul(unary("sigmoid", z), add((1.0, 0.0), unary("exp", (-z.0, -z.1)))), (1.0, 0.0));
        for w in SAMPLES {
            close(mul(apply("div", &[z, w], &[]), w), z);
            close(apply("mul", &[z, w], &[]), mul(z, w));
            close(apply("add", &[z, w], &[]), add(z, w));
            close(add(apply("sub", &[z, w], &[]), w), z);
        }
    }
    for x in [0.1, 2.0, -7.5] {
        close(unary("abs", unary("exp", (0.0, x))), (1.0, 0.0));
    }
}

#[test]
fn real_and_complex_arguments_mix() {
    let z = (0.5, -1.5);
    for x in [2.0, -0.75] {
        for name in ["add", "sub", "mul", "div"] {
            let mixed = apply(name, &[z], &[x]);
            close(mixed, apply(name, &[z, (x, 0.0)], &[]));
            let mut g = ExprGraph::new();
            let (real, complex) = (Value::Real(g.constant(x)), of(&mut g, z));
            let swapped = complex::call(&mut g, prim(name), &[real, complex]).expect("an extension");
            close(number(&mut g, swapped), apply(name, &[(x, 0.0), z], &[]));
        }
    }
}

#[test]
fn real_arguments_stay_real() {
    let mut g = ExprGraph::new();
    let x = Value::Real(g.constant(-4.0));
    let root = complex::call(&mut g, prim("sqrt"), &[x]).expect("a real call");
    assert!(!root.is_complex());
    assert!(number(&mut g, root).0.is_nan());
    // A real function without an extension is fine as long as its arguments are real.
    let erf = complex::call(&mut g, prim("erf"), &[x]).expect("a real call");
    assert!(!erf.is_complex());
}

#[test]
fn parts_of_complex_and_real_numbers() {
    for (name, of_complex, of_real) in [
        ("real", (3.0, 0.0), (-2.0, 0.0)),
        ("imag", (-4.0, 0.0), (0.0, 0.0)),
        ("conj", (3.0, 4.0), (-2.0, 0.0)),
        ("angle", ((-4f64).atan2(3.0), 0.0), (PI, 0.0)),
    ] {
        let row = complex::lookup(name).expect("a row of the parts");
        let mut g = ExprGraph::new();
        let (z, x) = (of(&mut g, (3.0, -4.0)), Value::Real(g.constant(-2.0)));
        let (z, x) = ((row.apply)(&mut g, &[z]), (row.apply)(&mut g, &[x]));
        assert!(!x.is_complex(), "{name}");
        close(number(&mut g, z), of_complex);
        close(number(&mut g, x), of_real);
    }
}

#[test]
fn comparison_and_choice_see_both_parts() {
    assert_eq!(apply("eq", &[(1.0, 2.0), (1.0, 2.0)], &[]), (1.0, 0.0));
    assert_eq!(apply("eq", &[(1.0, 2.0), (1.0, 3.0)], &[]), (0.0, 0.0));
    assert_eq!(apply("ne", &[(1.0, 2.0), (1.0, 3.0)], &[]), (1.0, 0.0));
    assert_eq!(apply("select", &[(0.0, 1.0), (5.0, 6.0)], &[7.0]), (5.0, 6.0));
    assert_eq!(apply("select", &[(0.0, 0.0), (5.0, 6.0)], &[7.0]), (7.0, 0.0));
}

#[test]
fn functions_without_extension_are_named() {
    let mut g = ExprGraph::new();
    let z = of(&mut g, (1.0, 1.0));
    for name in ["lt", "erf", "max", "floor"] {
        let p = prim(name);
        let got = complex::call(&mut g, p, &vec![z; p.arity]);
        assert_eq!(got, Err(UnsupportedComplex { function: p.name }));
    }
}
