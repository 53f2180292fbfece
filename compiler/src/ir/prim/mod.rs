//! The function table: every pointwise function is one row.
//!
//! From a row come name lookup, constant folding, the interpreter, forward and reverse mode, the manual's table and the
//! row's tests. No pass and no printer names a function; they read the row.

pub mod arith;
pub mod bits;
pub mod elementary;
pub mod surrogate;
pub mod transfer;

use std::fmt;
use std::hash::{Hash, Hasher};

use super::expr::{ExprGraph, ExprId};

/// Partial derivatives of a call: gets the arguments and the call itself, returns one expression per argument.
pub type Partial = fn(&mut ExprGraph, &[ExprId], ExprId) -> Vec<ExprId>;

/// The same value in terms of other functions.
pub type Expand = fn(&mut ExprGraph, &[ExprId]) -> ExprId;

/// One pointwise function.
pub struct Prim {
    /// Name in equations and in text forms.
    pub name: &'static str,
    /// Other names for it in equations.
    pub aliases: &'static [&'static str],
    /// Number of arguments.
    pub arity: usize,
    /// Reference value in double precision.
    pub eval: fn(&[f64]) -> f64,
    /// Value in single precision where rounding the double-precision value would differ; `None`: round `eval`.
    pub eval_single: Option<fn(&[f32]) -> f32>,
    /// Partial derivatives.
    pub partial: Partial,
    /// Definition in terms of other rows; `None` for those every target must have or replace by its own means.
    pub expand: Option<Expand>,
    /// Intervals from which tests draw arguments, one per argument: the function is differentiable almost everywhere
    /// inside.
    pub domain: &'static [(f64, f64)],
    /// One line for the manual.
    pub doc: &'static str,
    /// Whether equations may call it by name; operators of the grammar are not called.
    pub callable: bool,
}

/// All rows, by file.
pub fn table() -> impl Iterator<Item = &'static Prim> {
    [arith::ROWS, elementary::ROWS, transfer::ROWS, surrogate::ROWS, bits::ROWS].into_iter().flatten().copied()
}

/// The row an equation means by `name`.
pub fn lookup(name: &str) -> Option<&'static Prim> {
    table().find(|p| p.callable && (p.name == name || p.aliases.contains(&name)))
}

impl Prim {
    /// A function that equations call by `name`; it has as many arguments as `domain` has intervals.
    pub const fn function(
        name: &'static str,
        doc: &'static str,
        domain: &'static [(f64, f64)],
        eval: fn(&[f64]) -> f64,
        partial: Partial,
    ) -> Prim {
        let arity = domain.len();
        Prim { name, aliases: &[], arity, eval, eval_single: None, partial, expand: None, domain, doc, callable: true }
    }

    /// The same row with other names.
    pub const fn alias(mut self, aliases: &'static [&'static str]) -> Prim {
        self.aliases = aliases;
        self
    }

    /// The same row, written as an operator in equations and so not called by name.
    pub const fn operator(mut self) -> Prim {
        self.callable = false;
        self
    }

    /// The same row with its own value in single precision.
    pub const fn single(mut self, eval: fn(&[f32]) -> f32) -> Prim {
        self.eval_single = Some(eval);
        self
    }

    /// The same row with a definition in terms of others.
    pub const fn means(mut self, expand: Expand) -> Prim {
        self.expand = Some(expand);
        self
    }

    /// Value in the given precision: in single precision arguments and result are single-precision numbers.
    pub fn evaluate(&self, args: &[f64], single: bool) -> f64 {
        if !single {
            return (self.eval)(args);
        }
        match self.eval_single {
            Some(eval) => {
                // Arity is at most three, see `every_row_is_well_formed`.
                let mut narrow = [0f32; 3];
                for (n, a) in narrow.iter_mut().zip(args) {
                    *n = *a as f32;
                }
                f64::from(eval(&narrow[..args.len()]))
            }
            // Rounding twice is innocuous for + - * / sqrt: double has more than twice the digits of single, plus two
            // (S. A. Figueroa, "When is double rounding innocuous?", ACM SIGNUM 30(3), 1995).
            None => f64::from((self.eval)(args) as f32),
        }
    }
}

impl PartialEq for Prim {
    fn eq(&self, other: &Prim) -> bool {
        std::ptr::eq(self, other) || self.name == other.name
    }
}

impl Eq for Prim {}

impl Hash for Prim {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for Prim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
