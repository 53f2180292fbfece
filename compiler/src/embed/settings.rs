//! Settings by name.

use crate::diagnostic::{Result, settings as fault};
use crate::kernel::ir::Precision;
use crate::scheme::{self, Scheme};
use crate::source::Name;

/// The scheme of this name; the first of the table unless one is named.
pub fn scheme(name: Option<&Name>) -> Result<&'static Scheme> {
    let Some(name) = name else { return Ok(&scheme::TABLE[0]) };
    let known: Vec<&str> = scheme::TABLE.iter().map(|s| s.name).collect();
    scheme::lookup(&name.text).ok_or_else(|| fault::unknown_choice("integration scheme", name, &known).into())
}

/// The precision of this name; double unless one is named.
pub fn precision(name: Option<&Name>) -> Result<Precision> {
    let Some(name) = name else { return Ok(Precision::F64) };
    Precision::lookup(&name.text).ok_or_else(|| fault::unknown_choice("precision", name, &["f32", "f64"]).into())
}

/// Whether delayed quantities were 0 before time 0.
pub fn zero_history(name: Option<&Name>) -> Result<bool> {
    match name.map(|n| &*n.text) {
        None | Some("initial") => Ok(false),
        Some("zero") => Ok(true),
        Some(_) => match name {
            Some(name) => Err(fault::unknown_choice("pre-history", name, &["initial", "zero"]).into()),
            None => Ok(false),
        },
    }
}
