//! Functions and subscripts that look at the elements of vectors and matrices.

use super::shape::{Operand, Shape};
use super::{GroupVariable, Lowering};
use crate::diagnostic::{Result, lower as fault};
use crate::ir::complex::{self, Value};
use crate::ir::prim::{arith, elementary};
use crate::source::Span;
use crate::syntax::ast::{Expr, Subscript};

/// Most products that one matrix product may have: beyond, weights belong to edges between populations.
const MAX_PRODUCTS: usize = 1 << 24;

impl Lowering<'_> {
    fn vector_argument(&mut self, at: GroupVariable, arg: &Expr) -> Result<Operand> {
        let operand = self.expression(at, arg)?;
        if operand.shape == Shape::Single {
            return Err(fault::not_a_vector(arg.span).into());
        }
        Ok(operand)
    }

    pub(super) fn vsum(&mut self, at: GroupVariable, args: &[Expr], _: Span) -> Result<Operand> {
        let x = self.expression(at, &args[0])?;
        Ok(self.total(at, x, 1.0))
    }

    pub(super) fn mean(&mut self, at: GroupVariable, args: &[Expr], _: Span) -> Result<Operand> {
        let x = self.expression(at, &args[0])?;
        Ok(self.total(at, x, 1.0 / x.shape.elements() as f64))
    }

    fn total(&mut self, at: GroupVariable, x: Operand, weight: f64) -> Operand {
        match x.shape.length() {
            None => x,
            Some(length) => self.sum_rows(at, x, length, Shape::Single, weight),
        }
    }

    pub(super) fn softmax(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let x = self.vector_argument(at, &args[0])?;
        let exp = self.apply(at, &elementary::EXP, &[x], span)?;
        let sum = self.total(at, exp, 1.0);
        self.apply(at, &arith::DIV, &[exp, sum], span)
    }

    pub(super) fn wsum(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let (w, c) = (self.expression(at, &args[0])?, self.expression(at, &args[1])?);
        let product = self.apply(at, &arith::MUL, &[w, c], span)?;
        match product.shape {
            Shape::Matrix(rows, columns) => Ok(self.sum_rows(at, product, columns, Shape::Vector(rows), 1.0)),
            other => Err(fault::not_a_matrix(&other.to_string(), span).into()),
        }
    }

    pub(super) fn matvec(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let (w, x) = (self.expression(at, &args[0])?, self.expression(at, &args[1])?);
        match (w.shape, x.shape) {
            (Shape::Matrix(..), Shape::Vector(_)) => self.matrix_product(at, w, x, span),
            (Shape::Matrix(..), other) => Err(fault::not_a_vector_but(&other.to_string(), args[1].span).into()),
            (other, _) => Err(fault::not_a_matrix(&other.to_string(), args[0].span).into()),
        }
    }

    pub(super) fn matmul(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let (a, b) = (self.expression(at, &args[0])?, self.expression(at, &args[1])?);
        self.matrix_product(at, a, b, span)
    }

    /// `a @ b`: products of rows of `a` and columns of `b`, added up in the order of the columns of `a`. A vector is a row
    /// on the left and a column on the right.
    pub(super) fn matrix_product(&mut self, at: GroupVariable, a: Operand, b: Operand, span: Span) -> Result<Operand> {
        let (rows, inner) = match a.shape {
            Shape::Matrix(rows, columns) => (rows, columns),
            Shape::Vector(n) => (1, n),
            Shape::Single => return Err(fault::not_a_vector(span).into()),
        };
        let (outer, columns) = match b.shape {
            Shape::Matrix(rows, columns) => (rows, columns),
            Shape::Vector(n) => (n, 1),
            Shape::Single => return Err(fault::not_a_vector(span).into()),
        };
        if inner != outer {
            return Err(fault::shapes(&a.shape.to_string(), &b.shape.to_string(), span).into());
        }
        let shape = match (a.shape, b.shape) {
            (Shape::Vector(_), Shape::Vector(_)) => Shape::Single,
            (Shape::Vector(_), _) => Shape::Vector(columns),
            (_, Shape::Vector(_)) => Shape::Vector(rows),
            _ => Shape::Matrix(rows, columns),
        };
        if rows.saturating_mul(columns).saturating_mul(inner) > MAX_PRODUCTS {
            return Err(fault::matrix_product_too_large(span).into());
        }
        let triples =
            || (0..rows).flat_map(move |i| (0..columns).flat_map(move |j| (0..inner).map(move |l| (i, j, l))));
        let products = Shape::Vector(rows * columns * inner);
        let left: Vec<usize> = triples().map(|(i, _, l)| i * inner + l).collect();
        let right: Vec<usize> = triples().map(|(_, j, l)| l * columns + j).collect();
        let (left, right) = (self.gather(at, a, &left, products), self.gather(at, b, &right, products));
        let product = self.apply(at, &arith::MUL, &[left, right], span)?;
        Ok(self.sum_rows(at, Operand { shape: products, ..product }, inner, shape, 1.0))
    }

    pub(super) fn roll(&mut self, at: GroupVariable, args: &[Expr], _: Span) -> Result<Operand> {
        let x = self.vector_argument(at, &args[0])?;
        let by = self.whole_number(at, &args[1])?;
        let axis = args.get(2).map(|axis| self.whole_number(at, axis).map(|n| (n, axis.span))).transpose()?;
        let (rows, columns) = match (x.shape, axis) {
            (Shape::Matrix(rows, columns), Some(_)) => (rows, columns),
            _ => (1, x.shape.elements()),
        };
        let from = |k: usize, n: usize| (k as i64 - by).rem_euclid(n as i64) as usize;
        let table: Vec<usize> = match (x.shape, axis) {
            (Shape::Matrix(..), Some((0, _))) => {
                (0..rows * columns).map(|e| from(e / columns, rows) * columns + e % columns).collect()
            }
            (Shape::Matrix(..), None | Some((1, _))) | (_, None | Some((0, _))) => {
                (0..rows * columns).map(|e| e / columns * columns + from(e % columns, columns)).collect()
            }
            (_, Some((axis, span))) => return Err(fault::unknown_axis(axis, &x.shape.to_string(), span).into()),
        };
        Ok(self.gather(at, x, &table, x.shape))
    }

    pub(super) fn concatenate(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let parts = args.iter().map(|a| self.expression(at, a)).collect::<Result<Vec<Operand>>>()?;
        if let Some(matrix) = parts.iter().position(|p| matches!(p.shape, Shape::Matrix(..))) {
            return Err(fault::not_a_vector_but(&parts[matrix].shape.to_string(), args[matrix].span).into());
        }
        let length = parts.iter().map(|p| p.shape.elements()).sum();
        let mut first = 0;
        let places = parts.iter().map(|part| {
            let end = first + part.shape.elements();
            (*part, (std::mem::replace(&mut first, end)..end).collect::<Vec<usize>>())
        });
        let places = places.collect();
        let value = self.assemble(at, places, Shape::Vector(length));
        value.ok_or_else(|| fault::not_a_vector(span).into())
    }

    /// Operands put side by side: each with the elements it fills.
    pub(super) fn assemble(
        &mut self,
        at: GroupVariable,
        parts: Vec<(Operand, Vec<usize>)>,
        shape: Shape,
    ) -> Option<Operand> {
        let placed = parts.into_iter().map(|(part, places)| self.scatter(at, part, &places, shape));
        let placed: Vec<Value> = placed.collect();
        let value = placed.into_iter().reduce(|a, b| complex::add(&mut self.system.graph, a, b))?;
        Some(Operand { value, shape })
    }

    /// Linear interpolation through the points (ts, xs), constant before the first and after the last:
    /// `x_0 + sum_k (x_{k+1} - x_k) clip((t - t_k) / (t_{k+1} - t_k), 0, 1)`.
    pub(super) fn interp(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let t = self.expression(at, &args[0])?;
        if t.shape != Shape::Single {
            return Err(fault::not_single(&t.shape.to_string(), args[0].span).into());
        }
        let (ts, xs) = (self.vector_argument(at, &args[1])?, self.vector_argument(at, &args[2])?);
        let points = ts.shape.elements();
        match (ts.shape, xs.shape) {
            (Shape::Vector(a), Shape::Vector(b)) if a == b => {}
            (a, b) => return Err(fault::shapes(&a.to_string(), &b.to_string(), span).into()),
        }
        match self.steady_vector(at, &args[1]) {
            Some(times) if times.chunks(points).all(|t| t.windows(2).all(|w| w[0] < w[1])) => {}
            Some(_) => return Err(fault::not_increasing(args[1].span).into()),
            None => return Err(fault::points_not_constant(args[1].span).into()),
        }
        let first = self.gather(at, xs, &[0], Shape::Single);
        if points == 1 {
            return Ok(first);
        }
        let (before, after): (Vec<usize>, Vec<usize>) = ((0..points - 1).collect(), (1..points).collect());
        let pieces = Shape::Vector(points - 1);
        let (t0, t1) = (self.gather(at, ts, &before, pieces), self.gather(at, ts, &after, pieces));
        let (x0, x1) = (self.gather(at, xs, &before, pieces), self.gather(at, xs, &after, pieces));
        let (rise, run) =
            (self.apply(at, &arith::SUB, &[x1, x0], span)?, self.apply(at, &arith::SUB, &[t1, t0], span)?);
        let gone = self.apply(at, &arith::SUB, &[t, t0], span)?;
        let fraction = self.apply(at, &arith::DIV, &[gone, run], span)?;
        let (zero, one) = (self.system.graph.constant(0.0), self.system.graph.constant(1.0));
        let fraction = self.apply(at, &arith::MAX, &[Operand::single(Value::Real(zero)), fraction], span)?;
        let fraction = self.apply(at, &arith::MIN, &[Operand::single(Value::Real(one)), fraction], span)?;
        let risen = self.apply(at, &arith::MUL, &[rise, fraction], span)?;
        let risen = self.sum_rows(at, Operand { shape: pieces, ..risen }, points - 1, Shape::Single, 1.0);
        self.apply(at, &arith::ADD, &[first, risen], span)
    }

    pub(super) fn index_range(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let range = [Subscript::Range(Some(args[1].clone()), Some(args[2].clone()), span)];
        self.index(at, &args[0], &range, span)
    }

    pub(super) fn index_2d(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let subscripts = [Subscript::At(args[1].clone()), Subscript::At(args[2].clone())];
        self.index(at, &args[0], &subscripts, span)
    }

    pub(super) fn index_axis(&mut self, at: GroupVariable, args: &[Expr], span: Span) -> Result<Operand> {
        let whole = || Subscript::Range(None, None, span);
        let Some(i) = args.get(1).cloned().map(Subscript::At) else {
            return self.index(at, &args[0], &[whole()], span);
        };
        let x = self.vector_argument(at, &args[0])?;
        let axis = args.get(2).map(|axis| self.whole_number(at, axis)).transpose()?;
        match (x.shape, axis) {
            (Shape::Matrix(..), None | Some(1)) => self.index(at, &args[0], &[whole(), i], span),
            (Shape::Matrix(..), Some(0)) | (_, None | Some(0)) => self.index(at, &args[0], &[i], span),
            (shape, Some(axis)) => Err(fault::unknown_axis(axis, &shape.to_string(), span).into()),
        }
    }

    /// `x[i]`, `x[a:b]`, `w[i, j]`, `w[:, j]`: bounds are whole numbers that do not change.
    pub(super) fn index(
        &mut self,
        at: GroupVariable,
        base: &Expr,
        subscripts: &[Subscript],
        span: Span,
    ) -> Result<Operand> {
        let x = self.vector_argument(at, base)?;
        let (table, shape) = self.places(at, x.shape, subscripts, span)?;
        Ok(self.gather(at, x, &table, shape))
    }

    /// The elements that subscripts mean, and their shape.
    pub(super) fn places(
        &mut self,
        at: GroupVariable,
        shape: Shape,
        subscripts: &[Subscript],
        span: Span,
    ) -> Result<(Vec<usize>, Shape)> {
        match (shape, subscripts) {
            (Shape::Vector(length), [one]) => {
                let (range, single) = self.subscript(at, one, length)?;
                let shape = if single { Shape::Single } else { Shape::Vector(range.len()) };
                Ok((range.collect(), shape))
            }
            (Shape::Matrix(rows, columns), [row]) => {
                let (range, single) = self.subscript(at, row, rows)?;
                let shape = if single { Shape::Vector(columns) } else { Shape::Matrix(range.len(), columns) };
                Ok((range.flat_map(|i| (0..columns).map(move |j| i * columns + j)).collect(), shape))
            }
            (Shape::Matrix(rows, columns), [row, column]) => {
                let ((i, one_row), (j, one_column)) =
                    (self.subscript(at, row, rows)?, self.subscript(at, column, columns)?);
                let shape = match (one_row, one_column) {
                    (true, true) => Shape::Single,
                    (true, false) => Shape::Vector(j.len()),
                    (false, true) => Shape::Vector(i.len()),
                    (false, false) => Shape::Matrix(i.len(), j.len()),
                };
                Ok((i.flat_map(|i| j.clone().map(move |j| i * columns + j)).collect(), shape))
            }
            _ => Err(fault::too_many_subscripts(&shape.to_string(), subscripts.len(), span).into()),
        }
    }

    /// The elements along one axis, and whether it is a single one by its form.
    fn subscript(
        &mut self,
        at: GroupVariable,
        subscript: &Subscript,
        length: usize,
    ) -> Result<(std::ops::Range<usize>, bool)> {
        match subscript {
            Subscript::At(expr) => {
                let number = self.whole_number(at, expr)?;
                if !(0..length as i64).contains(&number) {
                    return Err(fault::subscript_range(number as f64, length, expr.span).into());
                }
                Ok((number as usize..number as usize + 1, true))
            }
            Subscript::Range(from, to, span) => {
                let from = from.as_ref().map_or(Ok(0), |e| self.whole_number(at, e))?;
                let to = to.as_ref().map_or(Ok(length as i64), |e| self.whole_number(at, e))?;
                if from < 0 || to > length as i64 || from >= to {
                    return Err(fault::subscript_bounds(from, to, length, *span).into());
                }
                Ok((from as usize..to as usize, false))
            }
        }
    }

    /// A whole number that does not change.
    pub(super) fn whole_number(&mut self, at: GroupVariable, expr: &Expr) -> Result<i64> {
        // Beyond 2^53 whole numbers are no longer told apart.
        const MOST: f64 = 9_007_199_254_740_992.0;
        let number = self.steady_number(at, expr).filter(|n| n.fract() == 0.0 && n.abs() <= MOST);
        number.map(|n| n as i64).ok_or_else(|| fault::subscript_not_constant(expr.span).into())
    }
}
