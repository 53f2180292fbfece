//! Rows follow.

use super::Prim;

/// All rows of this file.
pub static ROWS: &[&Prim] = &[];
