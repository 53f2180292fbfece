//! The elementary-function library: functions as formulas of basic operations, so that every engine and target that
//! computes those rightly rounded computes the same bits.
//!
//! Formulas are free of branches: both sides of a case are computed and one is selected. What they promise is measured by
//! `tests/accuracy.rs` and written down in docs/accuracy.md.

mod erf;
mod exp;
mod format;
mod hyperbolic;
mod inverse;
mod log;
mod power;
mod term;
mod transfer;
mod trigonometric;

use crate::ir::expr::{ExprGraph, ExprId};
use crate::ir::prim::Prim;
use crate::ir::prim::elementary::{
    ACOS, ACOSH, ASIN, ASINH, ATAN, ATAN2, ATANH, COS, COSH, ERF, EXP, EXP2, EXPM1, LOG, LOG1P, LOG2, LOG10, POW, SIN,
    SINH, TAN, TANH,
};
use crate::ir::prim::transfer::{SIGMOID, SOFTPLUS};
use crate::kernel::ir::Precision;
pub use format::Format;
use format::{DOUBLE, LOOSE_DOUBLE, LOOSE_SINGLE, SINGLE};
use term::Formula;

/// A function and its formula.
pub struct Row {
    /// The function.
    pub prim: &'static Prim,
    formula: Formula,
}

/// All formulas.
pub static ROWS: &[Row] = &[
    Row { prim: &EXP, formula: |f, a| exp::exp(f, a[0]) },
    Row { prim: &EXPM1, formula: |f, a| exp::expm1(f, a[0]) },
    Row { prim: &EXP2, formula: |f, a| exp::exp2(f, a[0]) },
    Row { prim: &LOG, formula: |f, a| log::log(f, a[0]) },
    Row { prim: &LOG1P, formula: |f, a| log::log1p(f, a[0]) },
    Row { prim: &LOG2, formula: |f, a| log::log2(f, a[0]) },
    Row { prim: &LOG10, formula: |f, a| log::log10(f, a[0]) },
    Row { prim: &POW, formula: |f, a| power::pow(f, a[0], a[1]) },
    Row { prim: &SIN, formula: |f, a| trigonometric::sin(f, a[0]) },
    Row { prim: &COS, formula: |f, a| trigonometric::cos(f, a[0]) },
    Row { prim: &TAN, formula: |f, a| trigonometric::tan(f, a[0]) },
    Row { prim: &ASIN, formula: |f, a| inverse::asin(f, a[0]) },
    Row { prim: &ACOS, formula: |f, a| inverse::acos(f, a[0]) },
    Row { prim: &ATAN, formula: |f, a| inverse::atan(f, a[0]) },
    Row { prim: &ATAN2, formula: |f, a| inverse::atan2(f, a[0], a[1]) },
    Row { prim: &SINH, formula: |f, a| hyperbolic::sinh(f, a[0]) },
    Row { prim: &COSH, formula: |f, a| hyperbolic::cosh(f, a[0]) },
    Row { prim: &TANH, formula: |f, a| hyperbolic::tanh(f, a[0]) },
    Row { prim: &ASINH, formula: |f, a| inverse::asinh(f, a[0]) },
    Row { prim: &ACOSH, formula: |f, a| inverse::acosh(f, a[0]) },
    Row { prim: &ATANH, formula: |f, a| inverse::atanh(f, a[0]) },
    Row { prim: &SIGMOID, formula: |f, a| transfer::sigmoid(f, a[0]) },
    Row { prim: &SOFTPLUS, formula: |f, a| transfer::softplus(f, a[0]) },
    Row { prim: &ERF, formula: |f, a| erf::erf(f, a[0]) },
];

/// The format of formulas for targets of this precision; `strict` as in [`Target`](crate::kernel::target::Target).
pub fn format(precision: Precision, strict: bool) -> &'static Format {
    match (precision, strict) {
        (Precision::F64, true) => &DOUBLE,
        (Precision::F32, true) => &SINGLE,
        (Precision::F64, false) => &LOOSE_DOUBLE,
        (Precision::F32, false) => &LOOSE_SINGLE,
    }
}

/// The value of `prim` at `args` in other functions, of which the basic operations are the last resort: by the library's
/// formula for this format, or by the row's definition. `None` where there is neither.
pub fn expand(graph: &mut ExprGraph, prim: &Prim, args: &[ExprId], format: &Format) -> Option<ExprId> {
    if let Some(row) = ROWS.iter().find(|row| row.prim == prim) {
        return Some(term::write(graph, format, row.formula, args));
    }
    prim.expand.map(|expand| expand(graph, args))
}
