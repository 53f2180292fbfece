//! The elementary-function library: functions as formulas of basic operations, so that every engine and target that
//! computes those rightly rounded computes the same bits.
//!
//! Formulas are free of branches: both sides of a case are computed and one is selected. What they promise is measured by
//! `tests/accuracy.rs` and written down in docs/accuracy.md.

mod exp;
mod format;
mod hyperbolic;
mod log;
mod term;
mod transfer;
mod trigonometric;

use crate::ir::expr::{ExprGraph, ExprId};
use crate::ir::prim::Prim;
use crate::ir::prim::elementary::{COS, COSH, EXP, EXPM1, LOG, SIN, SINH, TANH};
use crate::ir::prim::transfer::SIGMOID;
use crate::kernel::ir::Precision;
use format::{DOUBLE, Format, SINGLE};
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
    Row { prim: &LOG, formula: |f, a| log::log(f, a[0]) },
    Row { prim: &SIN, formula: |f, a| trigonometric::sin(f, a[0]) },
    Row { prim: &COS, formula: |f, a| trigonometric::cos(f, a[0]) },
    Row { prim: &TANH, formula: |f, a| hyperbolic::tanh(f, a[0]) },
    Row { prim: &SINH, formula: |f, a| hyperbolic::sinh(f, a[0]) },
    Row { prim: &COSH, formula: |f, a| hyperbolic::cosh(f, a[0]) },
    Row { prim: &SIGMOID, formula: |f, a| transfer::sigmoid(f, a[0]) },
];

/// The value of `prim` at `args` in other functions, of which the basic operations are the last resort: by the library's
/// formula for this precision, or by the row's definition. `None` where there is neither.
pub fn expand(graph: &mut ExprGraph, prim: &Prim, args: &[ExprId], precision: Precision) -> Option<ExprId> {
    if let Some(row) = ROWS.iter().find(|row| row.prim == prim) {
        let format = match precision {
            Precision::F64 => &DOUBLE,
            Precision::F32 => &SINGLE,
        };
        return Some(term::write(graph, format, row.formula, args));
    }
    prim.expand.map(|expand| expand(graph, args))
}
