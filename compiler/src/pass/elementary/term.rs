//! Formulas as they are written on paper: terms with operators, of which each is one expression.

use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::format::Format;
use crate::ir::expr::{ExprGraph, ExprId};
use crate::ir::prim::{Prim, arith, bits};

/// A formula: from terms for the arguments to the term for the value.
pub type Formula = for<'s> fn(&Format, &[Term<'s>]) -> Term<'s>;

/// The graph that terms add to.
pub struct Sheet<'g> {
    graph: RefCell<&'g mut ExprGraph>,
}

/// An expression being composed. `+ - * /` and `-` round once each; nothing is contracted.
#[derive(Clone, Copy)]
pub struct Term<'s> {
    sheet: &'s Sheet<'s>,
    id: ExprId,
}

/// Writes a formula into a graph.
pub fn write(graph: &mut ExprGraph, format: &Format, formula: Formula, args: &[ExprId]) -> ExprId {
    let sheet = Sheet { graph: RefCell::new(graph) };
    within(&sheet, format, formula, args)
}

fn within<'s>(sheet: &'s Sheet<'s>, format: &Format, formula: Formula, args: &[ExprId]) -> ExprId {
    let args: Vec<Term<'s>> = args.iter().map(|id| Term { sheet, id: *id }).collect();
    formula(format, &args).id
}

impl<'s> Term<'s> {
    /// A number.
    pub fn number(self, value: f64) -> Term<'s> {
        self.wrap(|g| g.constant(value))
    }

    fn wrap(self, make: impl FnOnce(&mut ExprGraph) -> ExprId) -> Term<'s> {
        let id = make(&mut self.sheet.graph.borrow_mut());
        Term { sheet: self.sheet, id }
    }

    /// The value of a row at this term.
    pub fn apply(self, prim: &'static Prim) -> Term<'s> {
        self.wrap(|g| g.call(prim, &[self.id]))
    }

    /// The value of a row at this and another term.
    pub fn apply_to(self, prim: &'static Prim, other: impl Operand<'s>) -> Term<'s> {
        let other = other.term(self);
        self.wrap(|g| g.call(prim, &[self.id, other.id]))
    }

    /// `self * factor + summand`, rounded once.
    pub fn fma(self, factor: impl Operand<'s>, summand: impl Operand<'s>) -> Term<'s> {
        let (factor, summand) = (factor.term(self), summand.term(self));
        self.wrap(|g| g.call(&arith::FMA, &[self.id, factor.id, summand.id]))
    }

    /// `|self|`
    pub fn abs(self) -> Term<'s> {
        self.apply(&arith::ABS)
    }

    /// Square root.
    pub fn sqrt(self) -> Term<'s> {
        self.apply(&arith::SQRT)
    }

    /// Nearest whole number.
    pub fn round(self) -> Term<'s> {
        self.apply(&arith::ROUND)
    }

    /// `self < other`
    pub fn lt(self, other: impl Operand<'s>) -> Term<'s> {
        self.apply_to(&arith::LT, other)
    }

    /// `self > other`
    pub fn gt(self, other: impl Operand<'s>) -> Term<'s> {
        self.apply_to(&arith::GT, other)
    }

    /// `self >= other`
    pub fn ge(self, other: impl Operand<'s>) -> Term<'s> {
        self.apply_to(&arith::GE, other)
    }

    /// `self == other`
    pub fn equals(self, other: impl Operand<'s>) -> Term<'s> {
        self.apply_to(&arith::EQ, other)
    }

    /// The smaller; a NaN yields the other.
    pub fn min(self, other: impl Operand<'s>) -> Term<'s> {
        self.apply_to(&arith::MIN, other)
    }

    /// The larger; a NaN yields the other.
    pub fn max(self, other: impl Operand<'s>) -> Term<'s> {
        self.apply_to(&arith::MAX, other)
    }

    /// For a truth value: `yes` where it holds, `no` elsewhere.
    pub fn select(self, yes: impl Operand<'s>, no: impl Operand<'s>) -> Term<'s> {
        let (yes, no) = (yes.term(self), no.term(self));
        self.wrap(|g| g.call(&arith::SELECT, &[self.id, yes.id, no.id]))
    }

    /// This with its sign changed where `other` has the sign bit; of a magnitude, the magnitude with the sign of `other`.
    pub fn xorsign(self, other: impl Operand<'s>) -> Term<'s> {
        self.apply_to(&bits::XORSIGN, other)
    }

    /// `c[0] + c[1] self + c[2] self^2 + ..` by Estrin's scheme (G. Estrin, "Organization of computer systems: the fixed
    /// plus variable structure computer", 1960): pairs, then pairs of pairs, so that the depth is the logarithm of the
    /// degree.
    pub fn polynomial(self, coefficients: &[f64]) -> Term<'s> {
        let mut level: Vec<Term<'s>> = coefficients.iter().map(|c| self.number(*c)).collect();
        let mut power = self;
        while level.len() > 1 {
            if let [low, middle, high] = level[..] {
                // As deep as by pairs, without another power.
                return high.fma(power, middle).fma(power, low);
            }
            let pairs = level.chunks(2);
            level = pairs.map(|p| if let [low, high] = p { high.fma(power, *low) } else { p[0] }).collect();
            if level.len() > 1 {
                power = power * power;
            }
        }
        // Every polynomial has a coefficient.
        level[0]
    }
}

/// What stands beside a term in a formula: a term or a number.
pub trait Operand<'s> {
    /// As a term on the sheet of `beside`.
    fn term(self, beside: Term<'s>) -> Term<'s>;
}

impl<'s> Operand<'s> for Term<'s> {
    fn term(self, _: Term<'s>) -> Term<'s> {
        self
    }
}

impl<'s> Operand<'s> for f64 {
    fn term(self, beside: Term<'s>) -> Term<'s> {
        beside.number(self)
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $prim:ident) => {
        impl<'s, O: Operand<'s>> $trait<O> for Term<'s> {
            type Output = Term<'s>;

            fn $method(self, other: O) -> Term<'s> {
                self.apply_to(&arith::$prim, other)
            }
        }
    };
}

operator!(Add, add, ADD);
operator!(Sub, sub, SUB);
operator!(Mul, mul, MUL);
operator!(Div, div, DIV);

impl<'s> Neg for Term<'s> {
    type Output = Term<'s>;

    fn neg(self) -> Term<'s> {
        self.apply(&arith::NEG)
    }
}
