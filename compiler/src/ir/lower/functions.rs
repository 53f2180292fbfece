//! Functions that are more than a row of the function table: they take any number of arguments, look at vectors as a
//! whole, or read the past. Each is one row here.

use super::shape::{Operand, Shape};
use super::{GroupVariable, Lowering};
use crate::diagnostic::{Result, lower as fault};
use crate::ir::complex::{self, Value};
use crate::ir::prim::{self, arith, elementary};
use crate::model::Role;
use crate::model::check::{Arity, Functions};
use crate::source::{Name, Span};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Subscript};

/// A function of whole expressions.
pub struct Function {
    /// Name in equations.
    pub name: &'static str,
    /// Fewest and most arguments.
    pub arity: (usize, usize),
    /// One line for the manual.
    pub doc: &'static str,
    apply: Apply,
}

type Apply = fn(&mut Lowering<'_>, GroupVariable, &[Expr], Span) -> Result<Operand>;

const fn row(name: &'static str, arity: (usize, usize), apply: Apply, doc: &'static str) -> Function {
    Function { name, arity, doc, apply }
}

/// As many arguments as one likes.
const ANY: usize = usize::MAX;

/// All of them.
pub static FUNCTIONS: &[Function] = &[
    row("min", (1, ANY), |l, at, a, s| l.fold(at, &arith::MIN, a, s), "smallest of the arguments, elementwise"),
    row("max", (1, ANY), |l, at, a, s| l.fold(at, &arith::MAX, a, s), "largest of the arguments, elementwise"),
    row("log", (1, 2), |l, at, a, s| l.log(at, a, s), "natural logarithm, or `log(x, b)` to base b"),
    row(
        "past",
        (2, 2),
        |l, at, a, s| l.past(at, a, s),
        "`past(x, tau)`: the variable x, tau time units ago; also `x(t - tau)`",
    ),
    row(
        "round",
        (1, 2),
        |l, at, a, s| l.round(at, a, s),
        "nearest integer, ties to even; `round(x, n)`: to n decimals",
    ),
    row("vsum", (1, 1), |l, at, a, s| l.vsum(at, a, s), "sum of the elements of a vector or matrix"),
    row("mean", (1, 1), |l, at, a, s| l.mean(at, a, s), "mean of the elements of a vector or matrix"),
    row(
        "softmax",
        (1, 1),
        |l, at, a, s| l.softmax(at, a, s),
        "exp(x_i) / sum_j exp(x_j) over the elements of a vector",
    ),
    row(
        "index",
        (2, 2),
        |l, at, a, s| l.index_function(at, a, s),
        "`index(x, i)`: element i of a vector, counted from 0; also `x[i]`",
    ),
    row(
        "index_range",
        (3, 3),
        |l, at, a, s| l.index_range(at, a, s),
        "`index_range(x, a, b)`: elements a to b - 1 of a vector; also `x[a:b]`",
    ),
    row(
        "index_axis",
        (1, 3),
        |l, at, a, s| l.index_axis(at, a, s),
        "`index_axis(w, j)`: column j of a matrix, `index_axis(w, i, 0)`: row i; `index_axis(x)`: all of x",
    ),
    row(
        "index_2d",
        (3, 3),
        |l, at, a, s| l.index_2d(at, a, s),
        "`index_2d(w, i, j)`: the element of a matrix in row i and column j; also `w[i, j]`",
    ),
    row(
        "roll",
        (2, 3),
        |l, at, a, s| l.roll(at, a, s),
        "`roll(x, k)`: elements moved k places on, the last ones to the front; `roll(w, k, axis)` for matrices",
    ),
    row(
        "concatenate",
        (1, ANY),
        |l, at, a, s| l.concatenate(at, a, s),
        "`concatenate(x, y, ..)`: vectors and numbers one behind the other",
    ),
    row("matvec", (2, 2), |l, at, a, s| l.matvec(at, a, s), "`matvec(w, x)`: product of a matrix and a vector"),
    row(
        "matmul",
        (2, 2),
        |l, at, a, s| l.matmul(at, a, s),
        "`matmul(a, b)`: product of matrices and vectors; also `a @ b`",
    ),
    row("wsum", (2, 2), |l, at, a, s| l.wsum(at, a, s), "`wsum(w, c)`: sum over j of w_ij c_ij for each row i"),
    row(
        "interp",
        (3, 3),
        |l, at, a, s| l.interp(at, a, s),
        "`interp(t, ts, xs)`: the value at t on the lines through the points (ts, xs), constant beyond the ends",
    ),
    row(
        "poisson",
        (1, 1),
        |l, at, a, s| l.poisson(at, a, s),
        "`poisson(rate)`: number of events of a Poisson process in this step over its size; at most 10 expected per step, or 960 where the rate is a number",
    ),
    row(
        "randn",
        (0, 0),
        |l, at, _, s| l.randn(at, s),
        "standard normal random number, another one for each unit, step and place in the equations",
    ),
    row(
        "noise",
        (1, 1),
        |l, at, a, s| l.noise(at, a, s),
        "`noise(sigma)`: sigma times white noise of unit intensity, another one at each place in the equations",
    ),
];

/// The row with this name.
pub fn lookup(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|f| f.name == name)
}

/// Fewest and most arguments of a function equations may call, wherever its row is; `None` for an unknown name.
pub fn arity(name: &str) -> Option<(usize, usize)> {
    let structural = lookup(name).map(|f| f.arity);
    let pointwise = || prim::lookup(name).map(|p| (p.arity, p.arity));
    structural.or_else(pointwise).or_else(|| complex::lookup(name).map(|r| (r.arity, r.arity)))
}

/// The names of all functions equations may call, aliases included.
pub fn names() -> Vec<&'static str> {
    let rows = prim::table().filter(|p| p.callable);
    let mut names: Vec<&'static str> = rows.flat_map(|p| p.aliases.iter().copied().chain([p.name])).collect();
    names.extend(complex::PARTS.iter().flat_map(|r| r.aliases.iter().copied().chain([r.name])));
    names.extend(FUNCTIONS.iter().map(|f| f.name));
    names.sort_unstable();
    names.dedup();
    names
}

/// The functions of the table, for the checks of the model stage.
pub struct KnownFunctions;

impl Functions for KnownFunctions {
    fn arity(&self, name: &str) -> Option<Arity> {
        arity(name).map(|(least, most)| Arity { least, most })
    }

    fn names(&self) -> Vec<&str> {
        names()
    }
}

impl Lowering<'_> {
    pub(super) fn call(&mut self, at: GroupVariable, name: &Name, args: &[Expr], span: Span) -> Result<Operand> {
        if self.find(at, &name.text).is_some() {
            return self.delayed_call(at, name, args, span);
        }
        let Some((fewest, most)) = arity(&name.text) else {
            return Err(fault::unknown_function(&name.text, &names(), name.span).into());
        };
        if !(fewest..=most).contains(&args.len()) {
            return Err(fault::argument_count(&name.text, fewest, most, args.len(), span).into());
        }
        if let Some(function) = lookup(&name.text) {
            return (function.apply)(self, at, args, span);
        }
        let operands = args.iter().map(|a| self.expression(at, a)).collect::<Result<Vec<Operand>>>()?;
        if let Some(prim) = prim::lookup(&name.text) {
            return self.apply(at, prim, &operands, span);
        }
        let row = complex::lookup(&name.text).expect("`arity` knows the name");
        let (values, shape) = self.align(at, &operands, span)?;
        Ok(Operand { value: (row.apply)(&mut self.system.graph, &values), shape })
    }

    fn fold(&mut self, at: GroupVariable, prim: &'static prim::Prim, args: &[Expr], span: Span) -> Result<Operand> {
        let mut operands = args.iter().map(|a| self.expression(at, a)).collect::<Result<Vec<Operand>>>()?.into_iter();
        let first = operands.next().expect("the number of arguments was checked");
        operands.try_fold(first, |folded, operand| self.apply(at, prim, &[folded, operand], span))
    }

    fn log(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let mut logs = Vec::new();
        for arg in args {
            let operand = self.expression(at, arg)?;
            logs.push(self.apply(at, &elementary::LOG, &[operand], span)?);
        }
        match logs[..] {
            [log, base] => self.apply(at, &arith::DIV, &[log, base], span),
            _ => Ok(logs[0]),
        }
    }

    /// `round(x, n)` is `round(x 10^n) / 10^n`; negative n round to tens and hundreds.
    fn round(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let x = self.expression(at, &args[0])?;
        let Some(digits) = args.get(1) else { return self.apply(at, &arith::ROUND, &[x], span) };
        let digits = self.whole_number(at, digits)?;
        // 10^22 is the largest power of ten that a double holds exactly; more decimals leave no number of any use.
        if !(-22..=22).contains(&digits) {
            return Err(fault::round_digits(digits, args[1].span).into());
        }
        let scale = self.system.graph.constant(10f64.powi(digits.unsigned_abs() as i32));
        let scale = Operand::single(Value::Real(scale));
        let (there, back) = if digits < 0 { (&arith::DIV, &arith::MUL) } else { (&arith::MUL, &arith::DIV) };
        let scaled = self.apply(at, there, &[x, scale], span)?;
        let rounded = self.apply(at, &arith::ROUND, &[scaled], span)?;
        self.apply(at, back, &[rounded, scale], span)
    }

    /// `x(t - tau)`: a variable that is called.
    fn delayed_call(&mut self, at: GroupVariable, name: &Name, args: &[Expr], span: Span) -> Result<Operand> {
        if let [Expr { kind: ExprKind::Binary(BinaryOp::Subtract, left, tau), .. }] = args
            && matches!(&left.kind, ExprKind::Name(t) if t == super::expression::TIME)
        {
            return self.past_of(at, &name.text, tau, span);
        }
        Err(fault::called_variable(&name.text, span).into())
    }

    fn past(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        match &args[0].kind {
            ExprKind::Name(name) if self.find(at, name).is_some() => self.past_of(at, name, &args[1], span),
            _ => Err(fault::past_of_expression(args[0].span).into()),
        }
    }

    /// The value of a variable `tau` ago: between two steps by linear interpolation.
    fn past_of(&mut self, at: GroupVariable, name: &str, tau: &Expr, span: Span) -> Result<Operand> {
        let variable = self.find(at, name).ok_or_else(|| fault::past_of_expression(span))?;
        let tau_span = tau.span;
        let tau = self.steady_number(at, tau).ok_or_else(|| fault::delay_not_constant(tau_span))?;
        let steps = tau / self.options.dt;
        // As for edges: a longer ring is a wrong unit. A delay of 0 is no delay, and would make a cycle.
        if !(steps.is_finite() && steps > 0.0 && steps <= 1e8) {
            return Err(fault::delay_length(tau, self.options.dt, tau_span).into());
        }
        // A whole number of steps up to rounding is meant to be whole.
        let nearest = steps.round_ties_even();
        let shape = Shape::of(self.variable(variable));
        if (steps - nearest).abs() <= 1e-9 * nearest && nearest >= 1.0 {
            return Ok(Operand { value: self.past_value(variable, nearest as u32), shape });
        }
        let below = steps.floor();
        if below == 0.0 {
            return Err(fault::delay_below_step(tau, self.options.dt, tau_span).into());
        }
        let (newer, older) = (self.past_value(variable, below as u32), self.past_value(variable, below as u32 + 1));
        let fraction = steps - below;
        let (c, rest) = (self.system.graph.constant(fraction), self.system.graph.constant(1.0 - fraction));
        let graph = &mut self.system.graph;
        let newer = complex::mul(graph, Value::Real(rest), newer);
        let older = complex::mul(graph, Value::Real(c), older);
        Ok(Operand { value: complex::add(graph, newer, older), shape })
    }

    /// The value of an expression of numbers and parameters that are the same for all units and driven by nothing.
    pub(super) fn steady_number(&mut self, at: GroupVariable, expr: &Expr) -> Option<f64> {
        match &expr.kind {
            ExprKind::Number(number) => Some(*number),
            ExprKind::Name(name) => match self.find(at, name) {
                Some(variable) => {
                    let steady = matches!(self.variable(variable).role, Role::Parameter | Role::Input);
                    if !steady || self.is_driven(variable) {
                        return None;
                    }
                    self.fixed.insert(variable);
                    let given = self.given(variable, None);
                    let first = *given.first()?;
                    (first.im == 0.0 && given.iter().all(|g| *g == first)).then_some(first.re)
                }
                None => super::expression::CONSTANTS.iter().find(|c| c.0 == name).map(|c| c.1),
            },
            ExprKind::Unary(crate::syntax::ast::UnaryOp::Negate, a) => self.steady_number(at, a).map(|a| -a),
            ExprKind::Binary(op, a, b) => {
                let (a, b) = (self.steady_number(at, a)?, self.steady_number(at, b)?);
                match op {
                    BinaryOp::Add => Some(a + b),
                    BinaryOp::Subtract => Some(a - b),
                    BinaryOp::Multiply => Some(a * b),
                    BinaryOp::Divide => Some(a / b),
                    BinaryOp::Power => Some(libm::pow(a, b)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The numbers of a variable that is driven by nothing, for all units.
    pub(super) fn steady_vector(&mut self, at: GroupVariable, expr: &Expr) -> Option<Vec<f64>> {
        let ExprKind::Name(name) = &expr.kind else { return None };
        let variable = self.find(at, name)?;
        let steady = matches!(self.variable(variable).role, Role::Parameter | Role::Input);
        if !steady || self.is_driven(variable) {
            return None;
        }
        self.fixed.insert(variable);
        let given = self.given(variable, None);
        given.iter().all(|g| g.im == 0.0).then(|| given.iter().map(|g| g.re).collect())
    }

    fn index_function(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let subscript = [Subscript::At(args[1].clone())];
        self.index(at, &args[0], &subscript, span)
    }
}
