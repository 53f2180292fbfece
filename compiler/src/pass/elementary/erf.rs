//! Error function.
//!
//! `erf x = x + x p(x^2)` up to 1; above, `1 - e^-q` with a polynomial `q` for `-log(erfc x)`, which is wanted with an absolute
//! error that may grow as `1 / erfc`. Polynomials: tools/minimax.py, `erf` and `erfexp`.

use super::exp::Scaled;
use super::format::Format;
use super::term::Term;
use crate::kernel::ir::Precision;

/// `p` in `erf x = x + x p(x^2)` for |x| <= 1; relative error 2^-55.6.
const RATIO: [f64; 14] = [
    0.1283791670955126,
    -0.3761263890318416,
    0.11283791670977232,
    -0.02686617064986603,
    0.0052239776782365376,
    -0.000854833053231739,
    0.00012055482854910003,
    -1.4929943747826765e-05,
    1.654635148923925e-06,
    -1.7501016406663914e-07,
    2.5137836996719247e-08,
    -7.29462381036069e-09,
    2.1674708900411483e-09,
    -3.1933741994794743e-10,
];

/// The same for single precision; error 2^-28.1.
const RATIO_SINGLE: [f64; 8] = [
    0.12837916612625122,
    -0.3761262893676758,
    0.1128363236784935,
    -0.026856612414121628,
    0.005196320358663797,
    -0.0008128194604068995,
    8.721451013116166e-05,
    -2.5126239506789716e-06,
];

/// `q` in `erf x = 1 - e^-q(x - 1)` where erf is not yet 1; error of erf 2^-56.2.
const EXPONENT: [f64; 18] = [
    1.8496055099332482,
    2.6389675142347886,
    0.8431072563589328,
    0.041561098032845356,
    -0.010033825247534161,
    0.0019779015855301047,
    -0.00023731775233627457,
    -2.6293082884523613e-05,
    2.719328138322935e-05,
    -9.664120584783608e-06,
    2.1251415321957566e-06,
    -2.001170591179989e-07,
    -6.038951996880472e-08,
    3.42613183763079e-08,
    -8.742002527302328e-09,
    1.357114135463396e-09,
    -1.2317585040920674e-10,
    5.04024391147598e-12,
];

/// The same for single precision; error 2^-26.9.
const EXPONENT_SINGLE: [f64; 9] = [
    1.8496055603027344,
    2.638967514038086,
    0.8431069254875183,
    0.04156433418393135,
    -0.010048840194940567,
    0.0020154870580881834,
    -0.00029230950167402625,
    2.2792728486820124e-05,
    -1.7269759666760365e-07,
];

/// `erf x`
pub fn erf<'s>(format: &Format, x: Term<'s>) -> Term<'s> {
    // Above `last` the rounded value is 1.
    let (ratio, exponent, last): (&[f64], &[f64], _) = match format.precision {
        Precision::F64 => (&RATIO, &EXPONENT, 5.93),
        Precision::F32 => (&RATIO_SINGLE, &EXPONENT_SINGLE, 3.95),
    };
    let a = x.abs();
    let near = a.fma((a * a).polynomial(ratio), a);
    let q = (a - 1.0).polynomial(exponent);
    let Scaled { s, m } = format.scaled_exp(q, -1.0, 0.0, None);
    // 1 - s (1 - m)
    let far = s.fma(m, format.keep(q.number(1.0) - s));
    let far = a.gt(last).select(1.0, far);
    a.lt(1.0).select(near, far).xorsign(x)
}
