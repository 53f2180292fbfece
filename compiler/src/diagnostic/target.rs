//! Faults of a target: what it cannot do.

use super::Diagnostic;
use crate::ir::prim::Prim;
use crate::kernel::ir::Precision;
use crate::kernel::target::Target;
use crate::source::Span;

/// The target does not compute in this precision.
pub fn precision(target: &Target, precision: Precision) -> Diagnostic {
    let known: Vec<&str> = target.floats.iter().map(|p| p.name()).collect();
    Diagnostic::error(
        "target-precision",
        Span::NOWHERE,
        format!("target `{}` does not compute in {}", target.name, precision.name()),
        "",
    )
    .with_help(format!("use `--precision {}`", known.join("` or `--precision ")))
}

/// The target cannot move values between elements in this way.
pub fn missing_crossing(target: &Target, what: &str) -> Diagnostic {
    Diagnostic::error(
        "target-crossing",
        Span::NOWHERE,
        format!("target `{}` has no kernel for {what}", target.name),
        "",
    )
    .with_help("use `--engine jit` or `--engine block`")
}

/// The target has no such function and no way to express it.
pub fn missing_function(target: &Target, prim: &Prim) -> Diagnostic {
    Diagnostic::error(
        "target-function",
        Span::NOWHERE,
        format!("target `{}` has no function `{}`", target.name, prim.name),
        "",
    )
}
