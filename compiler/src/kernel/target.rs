//! What a target can do. Passes ask the description; nothing else depends on which target it is.

use super::ir::Precision;
use crate::ir::prim::Prim;

/// A target description.
#[derive(Debug)]
pub struct Target {
    /// Name on the command line.
    pub name: &'static str,
    /// Number formats it computes in.
    pub floats: &'static [Precision],
    /// Whether it has this pointwise function itself; a call of any other is replaced by its expansion.
    pub has: fn(&Prim) -> bool,
}

/// The reference interpreter: has every function.
pub static ORACLE: Target = Target { name: "oracle", floats: &[Precision::F32, Precision::F64], has: |_| true };
