//! Functions that are more than a row of the function table: they take any number of arguments, look at vectors as a
//! whole, or read the past. Each is one row here.

use super::{GroupVariable, Lowering};
use crate::diagnostic::{Result, lower as fault};
use crate::ir::complex::{self, Value};
use crate::ir::expr::{ExprId, SpaceId};
use crate::ir::prim::{self, arith, elementary};
use crate::ir::system::{Connection, Values};
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

type Apply = fn(&mut Lowering<'_>, GroupVariable, &[Expr], Span) -> Result<Value>;

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
    row("vsum", (1, 1), |l, at, a, s| l.vsum(at, a, s), "sum of the elements of a vector"),
    row("mean", (1, 1), |l, at, a, s| l.mean(at, a, s), "mean of the elements of a vector"),
    row(
        "index",
        (2, 2),
        |l, at, a, s| l.index_function(at, a, s),
        "`index(x, i)`: element i of a vector, counted from 0",
    ),
    row(
        "softmax",
        (1, 1),
        |l, at, a, s| l.softmax(at, a, s),
        "exp(x_i) / sum_j exp(x_j) over the elements of a vector",
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
    pub(super) fn call(&mut self, at: GroupVariable, name: &Name, args: &[Expr], span: Span) -> Result<Value> {
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
        let values = args.iter().map(|a| self.expression(at, a)).collect::<Result<Vec<Value>>>()?;
        if let Some(prim) = prim::lookup(&name.text) {
            return self.apply(prim, &values, span);
        }
        let row = complex::lookup(&name.text).expect("`arity` knows the name");
        Ok((row.apply)(&mut self.system.graph, &values))
    }

    fn fold(&mut self, at: GroupVariable, prim: &'static prim::Prim, args: &[Expr], span: Span) -> Result<Value> {
        let mut values = args.iter().map(|a| self.expression(at, a)).collect::<Result<Vec<Value>>>()?.into_iter();
        let first = values.next().expect("the number of arguments was checked");
        values.try_fold(first, |folded, value| self.apply(prim, &[folded, value], span))
    }

    fn log(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Value> {
        let mut logs = Vec::new();
        for arg in args {
            let value = self.expression(at, arg)?;
            logs.push(self.apply(&elementary::LOG, &[value], span)?);
        }
        match logs[..] {
            [log, base] => self.apply(&arith::DIV, &[log, base], span),
            _ => Ok(logs[0]),
        }
    }

    /// `x(t - tau)`: a variable that is called.
    fn delayed_call(&mut self, at: GroupVariable, name: &Name, args: &[Expr], span: Span) -> Result<Value> {
        if let [Expr { kind: ExprKind::Binary(BinaryOp::Subtract, left, tau), .. }] = args
            && matches!(&left.kind, ExprKind::Name(t) if t == super::expression::TIME)
        {
            return self.past_of(at, &name.text, tau, span);
        }
        Err(fault::called_variable(&name.text, span).into())
    }

    fn past(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Value> {
        match &args[0].kind {
            ExprKind::Name(name) if self.find(at, name).is_some() => self.past_of(at, name, &args[1], span),
            _ => Err(fault::past_of_expression(args[0].span).into()),
        }
    }

    /// The value of a variable `tau` ago: between two steps by linear interpolation.
    fn past_of(&mut self, at: GroupVariable, name: &str, tau: &Expr, span: Span) -> Result<Value> {
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
        if (steps - nearest).abs() <= 1e-9 * nearest && nearest >= 1.0 {
            return Ok(self.past_value(variable, nearest as u32));
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
        Ok(complex::add(graph, newer, older))
    }

    /// The value of an expression of numbers and parameters that are the same for all units and driven by nothing.
    pub(super) fn steady_number(&mut self, at: GroupVariable, expr: &Expr) -> Option<f64> {
        match &expr.kind {
            ExprKind::Number(number) => Some(*number),
            ExprKind::Name(name) => match self.find(at, name) {
                Some(variable) => {
                    let steady = matches!(self.variable(variable).role, Role::Parameter | Role::Input);
                    if !steady || self.drivers.contains_key(&variable) {
                        return None;
                    }
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

    /// The elements of a vector value: (space of the units, length).
    fn vector_of(&self, value: Value) -> Option<(SpaceId, usize)> {
        let (Value::Real(part) | Value::Complex(part, _)) = value;
        let space = self.system.graph.space(part);
        self.vector_spaces.iter().find(|(_, s)| **s == space).map(|(key, _)| *key)
    }

    fn vector_argument(&mut self, at: GroupVariable, arg: &Expr) -> Result<(Value, SpaceId, usize)> {
        let value = self.expression(at, arg)?;
        let (units, length) = self.vector_of(value).ok_or_else(|| fault::not_a_vector(arg.span))?;
        Ok((value, units, length))
    }

    fn vsum(&mut self, at: GroupVariable, args: &[Expr], _: Span) -> Result<Value> {
        let (value, units, length) = self.vector_argument(at, &args[0])?;
        Ok(super::drivers::each_part(value, |part| self.reduce(part, units, length, 1.0)))
    }

    fn mean(&mut self, at: GroupVariable, args: &[Expr], _: Span) -> Result<Value> {
        let (value, units, length) = self.vector_argument(at, &args[0])?;
        Ok(super::drivers::each_part(value, |part| self.reduce(part, units, length, 1.0 / length as f64)))
    }

    /// `weight * sum_k x_k` over the elements of each unit.
    fn reduce(&mut self, part: ExprId, units: SpaceId, length: usize, weight: f64) -> ExprId {
        let source = self.system.graph.space(part);
        let elements = self.system.size(source) as u32;
        let connection = Connection {
            name: "sum".to_string(),
            source,
            target: units,
            starts: (0..=elements).step_by(length).collect(),
            sources: (0..elements).collect(),
            weights: Values::Uniform(weight),
        };
        self.system.couple(connection, part)
    }

    fn softmax(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Value> {
        let (value, units, length) = self.vector_argument(at, &args[0])?;
        let exp = self.apply(&elementary::EXP, &[value], span)?;
        let sum = super::drivers::each_part(exp, |part| self.reduce(part, units, length, 1.0));
        self.apply(&arith::DIV, &[exp, sum], span)
    }

    fn index_function(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Value> {
        let subscript = [Subscript::At(args[1].clone())];
        self.index(at, &args[0], &subscript, span)
    }

    /// `x[i]`, for a whole number `i` that does not change.
    pub(super) fn index(
        &mut self,
        at: GroupVariable,
        base: &Expr,
        subscripts: &[Subscript],
        span: Span,
    ) -> Result<Value> {
        let (value, units, length) = self.vector_argument(at, base)?;
        let [Subscript::At(subscript)] = subscripts else { return Err(fault::unsupported_subscript(span).into()) };
        let number = self.steady_number(at, subscript).filter(|n| n.fract() == 0.0);
        let number = number.ok_or_else(|| fault::subscript_not_constant(subscript.span))?;
        if !(0.0..length as f64).contains(&number) {
            return Err(fault::subscript_range(number, length, subscript.span).into());
        }
        let first = number as usize;
        let indices: std::sync::Arc<[u32]> =
            (0..self.system.size(units)).map(|u| (u * length + first) as u32).collect();
        Ok(super::drivers::each_part(value, |part| self.system.take("element", part, units, indices.clone())))
    }
}
