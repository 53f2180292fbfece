//! The exponential of a matrix of expressions, and its integral.

use std::collections::BTreeMap;

use crate::ir::expr::{ExprGraph, ExprId};
use crate::ir::prim::arith;

/// A matrix by (row, column); what is zero everywhere is left out.
pub(super) type Matrix = BTreeMap<(usize, usize), ExprId>;

/// What a step does to `x' = A x + b`: `x + growth x + integral b`.
pub(super) struct Flow {
    /// `exp(A dt) - 1`
    pub growth: Matrix,
    /// The integral of `exp(A s)` for `s` from 0 to `dt`.
    pub integral: Matrix,
}

/// Terms of the series: with a norm of at most 1/2 the first one left out is below 2^-14 / 15!, 5e-17 of the first.
const TERMS: u32 = 14;

/// Most doublings: norms up to 2^31, a rate of two thousand million per step.
const DOUBLINGS: u32 = 32;

/// Scaling and squaring (C. Moler, C. Van Loan, SIAM Rev. 45, 3-49, 2003, method 3): the series for a step so short that
/// the norm of `A h` is at most 1/2, then doubled as often as needed. Working with `exp - 1` and its integral keeps small
/// entries accurate. How often is decided by values, so that parameters can be set later; beyond what is possible the
/// result is not a number.
pub(super) fn flow(graph: &mut ExprGraph, size: usize, matrix: &Matrix) -> Flow {
    let dt = graph.step_size();
    let norm = norm(graph, size, matrix, dt);
    let (half, one, two) = (graph.constant(0.5), graph.constant(1.0), graph.constant(2.0));
    let mut doubled = Vec::new();
    let mut shortened = dt;
    for k in 0..DOUBLINGS {
        let limit = graph.constant(0.5 * 2f64.powi(k as i32));
        let more = graph.call(&arith::GT, &[norm, limit]);
        let factor = graph.call(&arith::SELECT, &[more, half, one]);
        shortened = graph.product(shortened, factor);
        doubled.push(more);
    }
    // A norm beyond all doublings makes the shortest step, and so everything, not a number.
    let limit = graph.constant(0.5 * 2f64.powi(DOUBLINGS as i32));
    let (fits, nan) = (graph.call(&arith::LE, &[norm, limit]), graph.constant(f64::NAN));
    let short = graph.call(&arith::SELECT, &[fits, shortened, nan]);

    let scaled = map(graph, matrix, |g, a| g.product(a, short));
    // 1 + B/2 (1 + B/3 (1 + ..)): the integral over the short step, divided by it.
    let identity: Matrix = (0..size).map(|i| ((i, i), one)).collect();
    let mut series = identity.clone();
    for k in (2..=TERMS).rev() {
        let share = graph.constant(1.0 / f64::from(k));
        let next = multiply(graph, &scaled, &series);
        let next = map(graph, &next, |g, a| g.product(share, a));
        series = add(graph, &identity, &next);
    }
    let mut growth = multiply(graph, &scaled, &series);
    let mut integral = map(graph, &series, |g, a| g.product(short, a));
    for more in doubled {
        let choose = |graph: &mut ExprGraph, twice: Matrix, once: &Matrix| -> Matrix {
            let zero = graph.constant(0.0);
            let entry = |(at, new): (_, ExprId)| {
                let old = once.get(&at).copied().unwrap_or(zero);
                (at, graph.call(&arith::SELECT, &[more, new, old]))
            };
            twice.into_iter().map(entry).collect()
        };
        // The integral over 2 h is (2 + growth) integral, the growth 2 growth + growth^2.
        let (product, square) = (multiply(graph, &growth, &integral), multiply(graph, &growth, &growth));
        let (twice, both) =
            (map(graph, &integral, |g, a| g.product(two, a)), map(graph, &growth, |g, a| g.product(two, a)));
        let (longer, larger) = (add(graph, &twice, &product), add(graph, &both, &square));
        integral = choose(graph, longer, &integral);
        growth = choose(graph, larger, &growth);
    }
    Flow { growth, integral }
}

/// The largest sum of magnitudes in a row, times `dt`.
fn norm(graph: &mut ExprGraph, size: usize, matrix: &Matrix, dt: ExprId) -> ExprId {
    let mut largest = graph.constant(0.0);
    for i in 0..size {
        let mut sum = graph.constant(0.0);
        for (_, entry) in matrix.range((i, 0)..(i + 1, 0)) {
            let magnitude = graph.call(&arith::ABS, &[*entry]);
            sum = graph.sum(sum, magnitude);
        }
        largest = graph.call(&arith::MAX, &[largest, sum]);
    }
    graph.product(largest, dt)
}

fn map(graph: &mut ExprGraph, matrix: &Matrix, f: impl Fn(&mut ExprGraph, ExprId) -> ExprId) -> Matrix {
    matrix.iter().map(|(at, entry)| (*at, f(graph, *entry))).collect()
}

fn add(graph: &mut ExprGraph, left: &Matrix, right: &Matrix) -> Matrix {
    let mut sum = left.clone();
    for (at, entry) in right {
        let total = left.get(at).map_or(*entry, |other| graph.sum(*other, *entry));
        sum.insert(*at, total);
    }
    sum
}

fn multiply(graph: &mut ExprGraph, left: &Matrix, right: &Matrix) -> Matrix {
    let mut product: Matrix = BTreeMap::new();
    for ((i, k), a) in left {
        for ((_, j), b) in right.range((*k, 0)..(*k + 1, 0)) {
            let term = graph.product(*a, *b);
            let total = product.get(&(*i, *j)).map_or(term, |sum| graph.sum(*sum, term));
            product.insert((*i, *j), total);
        }
    }
    product
}
