//! The elementary-function library keeps its accuracy: every formula against double-double reference values.
//!
//! The table of docs/accuracy.md is written by this test: `NULLCLINE_BLESS=1 cargo test --test accuracy`.

mod double_double;
mod program;
#[path = "../../../tests/support/random.rs"]
mod random;
mod reference;
mod special;

use std::f64::consts::FRAC_PI_2;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use double_double::Double2;
use nullcline_compiler::ir::prim::{Prim, table};
use nullcline_compiler::kernel::ir::Precision;
use program::Program;
use random::Random;
use reference::{Reference, scale};

/// Points per function and precision.
const POINTS: usize = 200_000;

/// Reference values.
enum Exact {
    One(fn(f64) -> Reference),
    Two(fn(f64, f64) -> Reference),
}

/// One function: where it is measured and what it promises.
struct Case {
    name: &'static str,
    exact: Exact,
    /// Largest error in units in the last place.
    bound: f64,
    /// Intervals of arguments in which points are uniform, one per argument; by half of the points.
    dense: &'static [(f64, f64)],
    /// Intervals in which exponents are uniform; by the others. In single precision those of the format, if smaller.
    wide: &'static [(f64, f64)],
}

const ALL: (f64, f64) = (f64::MIN, f64::MAX);
const POSITIVE: (f64, f64) = (0.0, f64::MAX);

use Exact::{One, Two};

#[rustfmt::skip]
static CASES: &[Case] = &[
    Case { name: "exp", exact: One(reference::exp), bound: 1.0, dense: &[(-745.0, 712.0)], wide: &[(-745.0, 712.0)] },
    Case { name: "expm1", exact: One(reference::expm1), bound: 2.5, dense: &[(-2.0, 2.0)], wide: &[(-745.0, 712.0)] },
    Case { name: "log", exact: One(reference::log), bound: 1.0, dense: &[(0.5, 2.0)], wide: &[POSITIVE] },
    Case { name: "sin", exact: One(reference::sin), bound: 1.5, dense: &[(-10.0, 10.0)], wide: &[(-1e5, 1e5)] },
    Case { name: "cos", exact: One(reference::cos), bound: 1.5, dense: &[(-10.0, 10.0)], wide: &[(-1e5, 1e5)] },
    Case { name: "tanh", exact: One(reference::tanh), bound: 2.5, dense: &[(-3.0, 3.0)], wide: &[ALL] },
    Case { name: "sinh", exact: One(reference::sinh), bound: 2.5, dense: &[(-3.0, 3.0)], wide: &[(-712.0, 712.0)] },
    Case { name: "cosh", exact: One(reference::cosh), bound: 2.5, dense: &[(-3.0, 3.0)], wide: &[(-712.0, 712.0)] },
    Case { name: "exp2", exact: One(reference::exp2), bound: 1.5, dense: &[(-1030.0, 1030.0)], wide: &[(-1030.0, 1030.0)] },
    Case { name: "log1p", exact: One(reference::log1p), bound: 2.5, dense: &[(-0.9, 2.0)], wide: &[(-1.0, f64::MAX)] },
    Case { name: "log2", exact: One(reference::log2), bound: 2.5, dense: &[(0.5, 2.0)], wide: &[POSITIVE] },
    Case { name: "log10", exact: One(reference::log10), bound: 2.5, dense: &[(0.5, 2.0)], wide: &[POSITIVE] },
    Case { name: "tan", exact: One(reference::tan), bound: 2.5, dense: &[(-10.0, 10.0)], wide: &[(-1e5, 1e5)] },
    Case { name: "asin", exact: One(reference::asin), bound: 2.5, dense: &[(-1.0, 1.0)], wide: &[(-1.0, 1.0)] },
    Case { name: "acos", exact: One(reference::acos), bound: 2.5, dense: &[(-1.0, 1.0)], wide: &[(-1.0, 1.0)] },
    Case { name: "atan", exact: One(reference::atan), bound: 2.5, dense: &[(-4.0, 4.0)], wide: &[ALL] },
    Case { name: "atan2", exact: Two(reference::atan2), bound: 2.5, dense: &[(-4.0, 4.0), (-4.0, 4.0)], wide: &[(-1e15, 1e15), (-1e15, 1e15)] },
    Case { name: "asinh", exact: One(reference::asinh), bound: 2.5, dense: &[(-4.0, 4.0)], wide: &[ALL] },
    Case { name: "acosh", exact: One(reference::acosh), bound: 2.5, dense: &[(1.0, 4.0)], wide: &[(1.0, f64::MAX)] },
    Case { name: "atanh", exact: One(reference::atanh), bound: 2.5, dense: &[(-1.0, 1.0)], wide: &[(-1.0, 1.0)] },
    Case { name: "softplus", exact: One(reference::softplus), bound: 2.5, dense: &[(-40.0, 40.0)], wide: &[ALL] },
    Case { name: "erf", exact: One(reference::erf), bound: 2.5, dense: &[(-6.0, 6.0)], wide: &[ALL] },
    Case { name: "pow", exact: Two(reference::pow), bound: 1.1, dense: &[(0.0, 10.0), (-30.0, 30.0)], wide: &[POSITIVE, (-1100.0, 1100.0)] },
    Case { name: "sigmoid", exact: One(reference::sigmoid), bound: 2.5, dense: &[(-40.0, 40.0)], wide: &[ALL] },
];

/// Where a formula is known to err most: intervals that get the points of every tenth place.
///
/// Sine and cosine next to their extrema, where the rest of the reduction and the polynomial round most, and the cosine where
/// its argument is smaller than the rest; tanh on both sides of its turn, and below a power of two, where its divisor is.
#[rustfmt::skip]
const HARD: &[(&str, &[(f64, f64)])] = &[
    ("sin", &[(1.4, 1.8), (1.4, 1.8), (624.9, 625.2), (52_578.0, 52_582.0), (99_000.0, 100_000.0)]),
    ("cos", &[(0.5, 0.58), (0.5, 0.58), (2.6, 2.64), (32_617.0, 32_618.0), (99_000.0, 100_000.0)]),
    ("tanh", &[(0.19, 0.26), (0.0306, 0.0314), (0.1, 0.19)]),
];

impl Random {
    /// A normal number within the interval, its bits uniform.
    fn wide(&mut self, (low, high): (f64, f64), single: bool) -> f64 {
        loop {
            let bits = self.next();
            let x = if single { f64::from(f32::from_bits(bits as u32)) } else { f64::from_bits(bits) };
            // Where the interval is short the larger exponents are out; their points move inside.
            let x = if x.abs() > high.abs().max(low.abs()) { 1.0 / x } else { x };
            let normal = if single { (x as f32).is_normal() } else { x.is_normal() };
            if normal && x >= low && x <= high {
                return x;
            }
        }
    }
}

/// What was measured.
struct Measured {
    worst: f64,
    at: Vec<f64>,
    operations: usize,
    depth: usize,
}

/// Distance of `got` from the exact value, in units in the last place of the latter; 0 where both overflow or both are
/// below the normal numbers (there formulas may flush).
fn error(got: f64, exact: Reference, single: bool) -> f64 {
    let (digits, least, most) = if single { (23, -126, 128) } else { (52, -1022, 1024) };
    let (_, exponent) = libm::frexp(exact.value.hi);
    if exact.value.hi == 0.0 {
        return if got == 0.0 { 0.0 } else { f64::INFINITY };
    }
    let exponent = exponent - 1;
    let total = exponent + exact.exponent;
    if total < least {
        // Twice the least normal number: `exp` flushes a little above it.
        return if got.abs() <= 2.0 * scale(1.0, least) { 0.0 } else { f64::INFINITY };
    }
    if got.is_infinite() {
        // An infinity stands for the power of two above the largest number.
        let over = exact.value.scaled(if exact.value.hi < 0.0 { -1.0 } else { 1.0 });
        let beyond = scale(1.0, most - exact.exponent);
        let right = (got > 0.0) == (exact.value.hi > 0.0);
        let distance = (beyond - over.hi) / scale(1.0, exponent - digits);
        return if right { distance.max(0.0) } else { f64::INFINITY };
    }
    if got == 0.0 && total == least {
        // The same margin.
        return 0.0;
    }
    let near = scale(got, -exact.exponent);
    ((exact.value - near).hi / scale(1.0, exponent - digits)).abs()
}

fn measure(case: &Case, prim: &'static Prim, precision: Precision) -> Measured {
    let single = precision == Precision::F32;
    let mut program = Program::new(prim, precision);
    let mut random = Random(prim.name.bytes().fold(1, |h, b| h * 31 + u64::from(b)));
    let mut measured = Measured { worst: 0.0, at: vec![], operations: program.operations(), depth: program.depth() };
    let hard = HARD.iter().find(|(name, _)| *name == case.name).map_or(&[][..], |(_, intervals)| intervals);
    for i in 0..POINTS {
        let at: Vec<f64> = if i % 10 == 0 && !hard.is_empty() {
            vec![random.within(hard[i / 10 % hard.len()])]
        } else if i % 2 == 0 {
            case.dense.iter().map(|range| random.within(*range)).collect()
        } else {
            case.wide.iter().map(|range| random.wide(*range, single)).collect()
        };
        let at: Vec<f64> = at.into_iter().map(|x| if single { f64::from(x as f32) } else { x }).collect();
        let exact = match case.exact {
            // Double precision is reference enough, and faster.
            _ if single => Double2::from((prim.eval)(&at)).into(),
            One(f) => f(at[0]),
            Two(f) => f(at[0], at[1]),
        };
        let got = program.evaluate(&at);
        let error = error(got, exact, single);
        // A NaN is worse than anything.
        let error = if error.is_nan() { f64::INFINITY } else { error };
        if error > measured.worst {
            measured.worst = error;
            measured.at = at;
        }
    }
    measured
}

fn row(name: &str) -> &'static Prim {
    table().find(|p| p.name == name).expect("a row of the table")
}

/// Measures every case in both precisions, on as many threads as there are processors.
fn measure_all() -> Vec<(&'static Case, Precision, Measured)> {
    let jobs: Vec<_> = CASES.iter().flat_map(|c| [(c, Precision::F64), (c, Precision::F32)]).collect();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((case, precision)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let measured = measure(case, row(case.name), *precision);
                    results.lock().expect("no thread panics with the lock").push((*case, *precision, measured));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("all threads have ended");
    results.sort_by_key(|(case, precision, _)| {
        (CASES.iter().position(|c| c.name == case.name), *precision == Precision::F32)
    });
    results
}

/// The part of docs/accuracy.md after this line is the table.
const HEAD: &str = "| function | precision | max ulp | at | promised | operations | depth |";

fn document(results: &[(&Case, Precision, Measured)]) -> String {
    let mut text = format!("{HEAD}\n|---|---|---:|---|---:|---:|---:|\n");
    for (case, precision, m) in results {
        let at: Vec<String> =
            m.at.iter()
                .map(|x| if x.abs() < 1e-4 || x.abs() > 1e6 { format!("{x:.5e}") } else { format!("{x:.6}") })
                .collect();
        text += &format!(
            "| {} | {} | {:.3} | {} | {} | {} | {} |\n",
            case.name,
            precision.name(),
            m.worst,
            at.join(", "),
            case.bound,
            m.operations,
            m.depth
        );
    }
    text
}

#[test]
fn formulas_keep_their_accuracy() {
    let results = measure_all();
    for (case, precision, m) in &results {
        println!(
            "{:9} {} {:3} operations, depth {:3}: {:.3} ulp at {:?}",
            case.name,
            precision.name(),
            m.operations,
            m.depth,
            m.worst,
            m.at
        );
    }
    for (case, precision, m) in &results {
        assert!(m.worst <= case.bound, "{} ({}): {} ulp at {:?}", case.name, precision.name(), m.worst, m.at);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/accuracy.md");
    let text = std::fs::read_to_string(path).expect("docs/accuracy.md exists");
    let (prose, table) = text.split_at(text.find(HEAD).expect("docs/accuracy.md has the table"));
    let measured = document(&results);
    if std::env::var_os("NULLCLINE_BLESS").is_some() {
        std::fs::write(path, format!("{prose}{measured}")).expect("docs/accuracy.md can be written");
    } else {
        assert!(
            table == measured,
            "docs/accuracy.md is out of date: run with NULLCLINE_BLESS=1. Measured:\n{measured}"
        );
    }
}

#[test]
fn every_function_with_a_formula_is_measured() {
    for row in nullcline_compiler::pass::elementary::ROWS {
        assert!(CASES.iter().any(|c| c.name == row.prim.name), "{}", row.prim.name);
    }
}

#[test]
fn sine_and_cosine_never_exceed_1() {
    for precision in [Precision::F64, Precision::F32] {
        let single = precision == Precision::F32;
        for name in ["sin", "cos"] {
            let mut program = Program::new(row(name), precision);
            let mut random = Random(7);
            for i in 0..POINTS {
                // About the extrema, up to the largest argument.
                let near = (random.within((-1.0, 1.0)) * 300_000.0).round() * FRAC_PI_2;
                let x = if i % 2 == 0 { near + random.within((-1e-3, 1e-3)) } else { random.wide((-1e6, 1e6), single) };
                let x = if single { f64::from(x as f32) } else { x };
                let y = program.evaluate(&[x]);
                assert!(y.abs() <= 1.0, "{name}({x}) = {y}");
            }
        }
    }
}
