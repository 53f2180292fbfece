//! Abstract syntax of equations. Positions are kept on every node; meaning is given later, when the names are known.

use crate::source::{Name, Span};

/// One equation: `lhs = rhs`.
#[derive(Clone, PartialEq, Debug)]
pub struct Equation {
    /// What is defined.
    pub lhs: Lhs,
    /// Its definition.
    pub rhs: Expr,
    /// The whole equation.
    pub span: Span,
}

/// The left side of an equation.
#[derive(Clone, PartialEq, Debug)]
pub struct Lhs {
    /// Differential (`x' =`, `d/dt * x =`, `d/dt x =`, `dx/dt =`) or algebraic (`x =`).
    pub kind: LhsKind,
    /// The variable that is defined.
    pub variable: Name,
    /// The element that is written (`index(x, 2) = ..`, `x[2] = ..`); empty for the whole variable.
    pub subscripts: Vec<Subscript>,
    /// The whole left side.
    pub span: Span,
}

/// What an equation says about its variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LhsKind {
    /// Time derivative of the variable.
    Derivative,
    /// The variable itself.
    Value,
}

/// An expression with its place.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of expressions.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// A real number.
    Number(f64),
    /// An imaginary number: `2j` is `Imaginary(2.0)`.
    Imaginary(f64),
    /// A variable, or a built-in constant (`pi`, `E`, `I`, `t`).
    Name(String),
    /// `-a`, `+a`, `not a`.
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`, `a < b`, `a and b`, ..
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `then if test else otherwise`.
    Conditional {
        /// The test.
        test: Box<Expr>,
        /// The value when the test holds.
        then: Box<Expr>,
        /// The value otherwise.
        otherwise: Box<Expr>,
    },
    /// `f(a, b)`. Also `x(t - tau)`, which only later turns out to be a delayed variable.
    Call(Name, Vec<Expr>),
    /// `x[i]`, `x[a:b]`, `x[i, j]`.
    Index(Box<Expr>, Vec<Subscript>),
}

/// One subscript of `x[..]`.
#[derive(Clone, PartialEq, Debug)]
pub enum Subscript {
    /// One element, counted from 0.
    At(Expr),
    /// `from:to`, `to` not included; a missing bound means the end.
    Range(Option<Expr>, Option<Expr>, Span),
}

/// Operators with one operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnaryOp {
    /// `-a`
    Negate,
    /// `+a`
    Plus,
    /// `not a`
    Not,
}

/// Operators with two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BinaryOp {
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`
    Multiply,
    /// `a / b`
    Divide,
    /// `a % b`: remainder with the sign of `b`
    Remainder,
    /// `a ^ b`, `a ** b`
    Power,
    /// `a @ b`: matrix product
    MatrixProduct,
    /// `a < b`
    Less,
    /// `a <= b`
    LessEqual,
    /// `a > b`
    Greater,
    /// `a >= b`
    GreaterEqual,
    /// `a == b`
    Equal,
    /// `a != b`
    NotEqual,
    /// `a and b`
    And,
    /// `a or b`
    Or,
}

impl BinaryOp {
    /// Every operator with its spelling and its binding strength (higher binds tighter). Left associative except `^`.
    pub const TABLE: &'static [(BinaryOp, &'static str, u8)] = &[
        (BinaryOp::Or, "or", 1),
        (BinaryOp::And, "and", 2),
        (BinaryOp::Less, "<", 4),
        (BinaryOp::LessEqual, "<=", 4),
        (BinaryOp::Greater, ">", 4),
        (BinaryOp::GreaterEqual, ">=", 4),
        (BinaryOp::Equal, "==", 4),
        (BinaryOp::NotEqual, "!=", 4),
        (BinaryOp::Add, "+", 5),
        (BinaryOp::Subtract, "-", 5),
        (BinaryOp::Multiply, "*", 6),
        (BinaryOp::Divide, "/", 6),
        (BinaryOp::Remainder, "%", 6),
        (BinaryOp::MatrixProduct, "@", 6),
        (BinaryOp::Power, "^", 8),
    ];

    /// The spelling in equations.
    pub fn symbol(self) -> &'static str {
        Self::TABLE.iter().find(|row| row.0 == self).map_or("?", |row| row.1)
    }

    /// How tightly it binds; higher binds tighter. `not` stands at 3, unary minus at 7.
    pub fn precedence(self) -> u8 {
        Self::TABLE.iter().find(|row| row.0 == self).map_or(0, |row| row.2)
    }
}
