//! What a target can do. Passes ask the description; nothing else depends on which target it is.

use super::ir::Precision;
use crate::ir::expr::Op;
use crate::ir::prim::{Prim, arith, bits};

/// A target description.
#[derive(Debug)]
pub struct Target {
    /// Name on the command line.
    pub name: &'static str,
    /// Number formats it computes in.
    pub floats: &'static [Precision],
    /// Whether it has this pointwise function itself; a call of any other is replaced by its expansion.
    pub has: fn(&Prim) -> bool,
    /// The formats whose numbers below the normal ones it keeps; in others they count as zero.
    pub subnormals: &'static [Precision],
    /// Whether it computes what is written: `fma` rounds once, and its compiler does not take `(a + b) - a` for `b`.
    pub strict: bool,
    /// Whether one table of weights may serve many: the places of a grid, the members of a batch. Without, each connection is
    /// listed.
    pub shares_weights: bool,
    /// Whether it has this operation, one of those that take values from other elements.
    pub crosses: fn(Op) -> bool,
}

/// Whether a row is one of the basic operations every target has: arithmetic, comparison, choice, and what the
/// elementary-function library needs of the layout of numbers.
pub fn basic(prim: &Prim) -> bool {
    let composed = [&arith::SIGN, &arith::REM, &bits::KEEP].contains(&prim);
    !composed && arith::ROWS.iter().chain(bits::ROWS).any(|p| *p == prim)
}

/// The reference interpreter: has the basic operations.
pub static ORACLE: Target = Target {
    name: "oracle",
    floats: &[Precision::F32, Precision::F64],
    has: basic,
    shares_weights: true,
    crosses: |_| true,
    subnormals: &[],
    strict: true,
};
