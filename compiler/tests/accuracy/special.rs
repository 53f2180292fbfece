//! Special values: IEEE 754-2019, section 9.2.1, and what the formulas document beyond it.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, LN_2, PI};

use nullcline_compiler::kernel::ir::Precision;

use super::program::Program;
use super::row;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// Function, arguments, value; in both precisions, the value rounded.
#[rustfmt::skip]
const BOTH: &[(&str, &[f64], f64)] = &[
    ("exp", &[0.0], 1.0), ("exp", &[-0.0], 1.0), ("exp", &[INF], INF), ("exp", &[-INF], 0.0), ("exp", &[NAN], NAN),
    ("exp", &[1e30], INF), ("exp", &[-1e30], 0.0),
    ("expm1", &[0.0], 0.0), ("expm1", &[-0.0], -0.0), ("expm1", &[INF], INF), ("expm1", &[-INF], -1.0), ("expm1", &[NAN], NAN),
    ("expm1", &[1e30], INF), ("expm1", &[-1e30], -1.0), ("expm1", &[1e-30], 1e-30),
    ("exp2", &[0.0], 1.0), ("exp2", &[-5.0], 0.03125), ("exp2", &[100.0], 1.267_650_600_228_229_4e30), ("exp2", &[INF], INF),
    ("exp2", &[-INF], 0.0), ("exp2", &[NAN], NAN),
    ("log", &[1.0], 0.0), ("log", &[0.0], -INF), ("log", &[-0.0], -INF), ("log", &[-1.0], NAN), ("log", &[-INF], NAN),
    ("log", &[INF], INF), ("log", &[NAN], NAN), ("log", &[2.0], LN_2),
    ("log2", &[0.0], -INF), ("log2", &[-1.0], NAN), ("log2", &[INF], INF), ("log2", &[NAN], NAN), ("log2", &[8.0], 3.0),
    ("log2", &[0.25], -2.0), ("log2", &[1.0], 0.0),
    ("log10", &[0.0], -INF), ("log10", &[-1.0], NAN), ("log10", &[INF], INF), ("log10", &[NAN], NAN), ("log10", &[1.0], 0.0),
    ("log1p", &[0.0], 0.0), ("log1p", &[-0.0], -0.0), ("log1p", &[-1.0], -INF), ("log1p", &[-1.5], NAN), ("log1p", &[INF], INF),
    ("log1p", &[-INF], NAN), ("log1p", &[NAN], NAN), ("log1p", &[1e-30], 1e-30),
    ("sin", &[0.0], 0.0), ("sin", &[-0.0], -0.0), ("sin", &[INF], NAN), ("sin", &[-INF], NAN), ("sin", &[NAN], NAN),
    ("sin", &[1e20], NAN), ("sin", &[-1e-30], -1e-30),
    ("cos", &[0.0], 1.0), ("cos", &[-0.0], 1.0), ("cos", &[INF], NAN), ("cos", &[NAN], NAN), ("cos", &[1e20], NAN), ("cos", &[1e-30], 1.0),
    ("tan", &[0.0], 0.0), ("tan", &[-0.0], -0.0), ("tan", &[INF], NAN), ("tan", &[NAN], NAN), ("tan", &[1e20], NAN),
    ("asin", &[0.0], 0.0), ("asin", &[-0.0], -0.0), ("asin", &[1.0], FRAC_PI_2), ("asin", &[-1.0], -FRAC_PI_2), ("asin", &[1.5], NAN),
    ("asin", &[-INF], NAN), ("asin", &[NAN], NAN),
    ("acos", &[1.0], 0.0), ("acos", &[-1.0], PI), ("acos", &[0.0], FRAC_PI_2), ("acos", &[-1.5], NAN), ("acos", &[INF], NAN), ("acos", &[NAN], NAN),
    ("atan", &[0.0], 0.0), ("atan", &[-0.0], -0.0), ("atan", &[INF], FRAC_PI_2), ("atan", &[-INF], -FRAC_PI_2), ("atan", &[NAN], NAN),
    ("atan", &[1.0], FRAC_PI_4), ("atan", &[1e30], FRAC_PI_2),
    ("atan2", &[0.0, 1.0], 0.0), ("atan2", &[-0.0, 1.0], -0.0), ("atan2", &[0.0, -1.0], PI), ("atan2", &[-0.0, -1.0], -PI),
    ("atan2", &[0.0, 0.0], 0.0), ("atan2", &[-0.0, 0.0], -0.0), ("atan2", &[0.0, -0.0], PI), ("atan2", &[-0.0, -0.0], -PI),
    ("atan2", &[1.0, 0.0], FRAC_PI_2), ("atan2", &[-1.0, -0.0], -FRAC_PI_2), ("atan2", &[1.0, INF], 0.0), ("atan2", &[-1.0, INF], -0.0),
    ("atan2", &[1.0, -INF], PI), ("atan2", &[-1.0, -INF], -PI), ("atan2", &[INF, 1.0], FRAC_PI_2), ("atan2", &[-INF, -1.0], -FRAC_PI_2),
    ("atan2", &[INF, INF], FRAC_PI_4), ("atan2", &[INF, -INF], 3.0 * FRAC_PI_4), ("atan2", &[-INF, INF], -FRAC_PI_4),
    ("atan2", &[NAN, 1.0], NAN), ("atan2", &[1.0, NAN], NAN), ("atan2", &[3e38, 3e38], FRAC_PI_4),
    ("sinh", &[0.0], 0.0), ("sinh", &[-0.0], -0.0), ("sinh", &[INF], INF), ("sinh", &[-INF], -INF), ("sinh", &[NAN], NAN), ("sinh", &[-1e30], -INF),
    ("cosh", &[0.0], 1.0), ("cosh", &[INF], INF), ("cosh", &[-INF], INF), ("cosh", &[NAN], NAN), ("cosh", &[1e30], INF),
    ("tanh", &[0.0], 0.0), ("tanh", &[-0.0], -0.0), ("tanh", &[INF], 1.0), ("tanh", &[-INF], -1.0), ("tanh", &[NAN], NAN), ("tanh", &[1e-30], 1e-30),
    ("asinh", &[0.0], 0.0), ("asinh", &[-0.0], -0.0), ("asinh", &[INF], INF), ("asinh", &[-INF], -INF), ("asinh", &[NAN], NAN),
    ("acosh", &[1.0], 0.0), ("acosh", &[0.5], NAN), ("acosh", &[-1e10], NAN), ("acosh", &[INF], INF), ("acosh", &[NAN], NAN), ("acosh", &[-INF], NAN),
    ("atanh", &[0.0], 0.0), ("atanh", &[-0.0], -0.0), ("atanh", &[1.0], INF), ("atanh", &[-1.0], -INF), ("atanh", &[1.5], NAN),
    ("atanh", &[INF], NAN), ("atanh", &[NAN], NAN),
    ("sigmoid", &[0.0], 0.5), ("sigmoid", &[INF], 1.0), ("sigmoid", &[-INF], 0.0), ("sigmoid", &[NAN], NAN), ("sigmoid", &[-1e30], 0.0),
    ("sigmoid", &[1e30], 1.0),
    ("softplus", &[0.0], LN_2), ("softplus", &[INF], INF), ("softplus", &[-INF], 0.0), ("softplus", &[NAN], NAN), ("softplus", &[1e30], 1e30),
    ("softplus", &[-1e30], 0.0),
    ("erf", &[0.0], 0.0), ("erf", &[-0.0], -0.0), ("erf", &[INF], 1.0), ("erf", &[-INF], -1.0), ("erf", &[NAN], NAN), ("erf", &[-1e30], -1.0),
    ("pow", &[NAN, 0.0], 1.0), ("pow", &[INF, -0.0], 1.0), ("pow", &[0.0, 0.0], 1.0), ("pow", &[1.0, NAN], 1.0), ("pow", &[1.0, INF], 1.0),
    ("pow", &[-1.0, INF], 1.0), ("pow", &[-1.0, -INF], 1.0), ("pow", &[NAN, 1.0], NAN), ("pow", &[2.0, NAN], NAN), ("pow", &[-0.0, NAN], NAN),
    ("pow", &[0.0, 3.0], 0.0), ("pow", &[-0.0, 3.0], -0.0), ("pow", &[-0.0, 2.0], 0.0), ("pow", &[-0.0, 2.5], 0.0), ("pow", &[0.0, INF], 0.0),
    ("pow", &[0.0, -3.0], INF), ("pow", &[-0.0, -3.0], -INF), ("pow", &[-0.0, -2.0], INF), ("pow", &[-0.0, -2.5], INF), ("pow", &[0.0, -INF], INF),
    ("pow", &[INF, 2.0], INF), ("pow", &[INF, -2.0], 0.0), ("pow", &[-INF, 3.0], -INF), ("pow", &[-INF, 2.0], INF), ("pow", &[-INF, 0.5], INF),
    ("pow", &[-INF, -3.0], -0.0), ("pow", &[-INF, -2.0], 0.0), ("pow", &[-INF, INF], INF), ("pow", &[-INF, -INF], 0.0),
    ("pow", &[0.5, INF], 0.0), ("pow", &[0.5, -INF], INF), ("pow", &[-2.0, INF], INF), ("pow", &[2.0, -INF], 0.0),
    ("pow", &[-2.0, 3.0], -8.0), ("pow", &[-2.0, 2.0], 4.0), ("pow", &[-2.0, -3.0], -0.125), ("pow", &[-2.0, 0.5], NAN), ("pow", &[-1.0, 1e30], 1.0),
    ("pow", &[10.0, 3.0], 1000.0), ("pow", &[3.0, 5.0], 243.0), ("pow", &[2.0, -30.0], 9.313_225_746_154_785e-10), ("pow", &[1e30, 1e30], INF),
    ("pow", &[4.0, 0.5], 2.0),
];

/// The same for double precision: ends of ranges.
#[rustfmt::skip]
const DOUBLE: &[(&str, &[f64], f64)] = &[
    // The last argument that does not overflow is 709.78271289338397.., from log(2^1024).
    ("exp", &[709.783], INF), ("exp", &[-746.0], 0.0), ("exp", &[-708.5], 0.0), ("expm1", &[709.783], INF),
    ("exp2", &[1024.0], INF), ("exp2", &[1023.0], 8.98846567431158e307), ("exp2", &[-1022.0], 0.0),
    ("sinh", &[710.5], INF), ("cosh", &[-710.5], INF),
    // Subnormal numbers count as 0.
    ("log", &[5e-324], -INF), ("log2", &[1e-310], -INF), ("pow", &[1e-310, 0.5], 0.0),
    ("sin", &[5e-324], 0.0), ("tanh", &[-5e-324], -0.0), ("expm1", &[5e-324], 0.0), ("log1p", &[-5e-324], -0.0),
    ("asinh", &[5e-324], 0.0), ("atan", &[5e-324], 0.0), ("sinh", &[5e-324], 0.0), ("exp", &[5e-324], 1.0),
    ("log", &[f64::MAX], 709.782712893384), ("log", &[f64::MIN_POSITIVE], -708.3964185322641), ("log1p", &[f64::MAX], 709.782712893384),
    ("asinh", &[f64::MAX], 710.475860073944), ("acosh", &[f64::MAX], 710.475860073944),
    ("pow", &[f64::MAX, 1.0], f64::MAX), ("pow", &[2.0, 1023.0], 8.98846567431158e307), ("pow", &[2.0, 1024.0], INF), ("pow", &[-2.0, 1025.0], -INF),
    ("pow", &[-3.0, 9007199254740993.0], INF),
    ("sigmoid", &[-709.0], 0.0), ("softplus", &[-709.0], 0.0), ("atan2", &[f64::MAX, f64::MAX], FRAC_PI_4),
];

/// The same for single precision.
#[rustfmt::skip]
const SINGLE: &[(&str, &[f64], f64)] = &[
    ("exp", &[88.73], INF), ("exp", &[-104.0], 0.0), ("exp", &[-87.5], 0.0), ("exp2", &[128.0], INF), ("exp2", &[127.0], 1.7014118346046923e38),
    ("sinh", &[89.42], INF), ("cosh", &[-89.42], INF),
    ("log", &[1e-40], -INF), ("pow", &[1e-40, 0.5], 0.0), ("sin", &[1e-45], 0.0), ("tanh", &[-1e-45], -0.0), ("log1p", &[1e-45], 0.0),
    ("log", &[f32::MAX as f64], 88.722839), ("log", &[f32::MIN_POSITIVE as f64], -87.336545), ("asinh", &[f32::MAX as f64], 89.415986),
    ("pow", &[f32::MAX as f64, 1.0], f32::MAX as f64), ("pow", &[2.0, 128.0], INF), ("sigmoid", &[-88.0], 0.0),
];

fn mismatches(table: &[(&str, &[f64], f64)], precision: Precision) -> Vec<String> {
    let round = |x: f64| if precision == Precision::F32 { f64::from(x as f32) } else { x };
    let mut wrong = Vec::new();
    for (name, at, expected) in table {
        let at: Vec<f64> = at.iter().map(|x| round(*x)).collect();
        let (got, expected) = (Program::new(row(name), precision).evaluate(&at), round(*expected));
        let same = got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan();
        if !same {
            wrong.push(format!("{name}{at:?} = {got:?}, expected {expected:?} ({})", precision.name()));
        }
    }
    wrong
}

#[test]
fn special_values_are_those_of_the_standard() {
    let mut wrong = mismatches(BOTH, Precision::F64);
    wrong.extend(mismatches(BOTH, Precision::F32));
    wrong.extend(mismatches(DOUBLE, Precision::F64));
    wrong.extend(mismatches(SINGLE, Precision::F32));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
