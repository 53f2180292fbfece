//! Expressions as sums: which multiples of which variables they are, and what is left.

use std::collections::{BTreeMap, HashMap};

use crate::ir::expr::{ExprGraph, ExprId, Op};
use crate::ir::prim::arith;

/// `sum of coefficient * variable + rest`; what is zero everywhere is left out.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Affine {
    /// The coefficient of each variable.
    pub coefficients: BTreeMap<ExprId, ExprId>,
    /// What does not depend on the variables.
    pub rest: Option<ExprId>,
}

/// The variable does not stand in a sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NotAffine(pub ExprId);

/// Takes an expression apart by its structure: sums, products and quotients with factors that do not depend on the
/// variables, and choices by conditions that do not. `opaque` expressions count as independent of the variables.
pub(super) fn affine(
    graph: &mut ExprGraph,
    of: ExprId,
    variables: &[ExprId],
    opaque: impl Fn(Op) -> bool,
) -> Result<Affine, NotAffine> {
    let mut known: HashMap<ExprId, Affine> = HashMap::new();
    for id in graph.reachable([of]) {
        if variables.contains(&id) {
            let one = graph.constant(1.0);
            known.insert(id, Affine { coefficients: BTreeMap::from([(id, one)]), rest: None });
            continue;
        }
        let node = graph.node(id).clone();
        if opaque(node.op) || !node.args.iter().any(|a| known.contains_key(a)) {
            continue;
        }
        let argument = |i: usize| known.get(&node.args[i]).cloned();
        let depends = |i: usize| known.contains_key(&node.args[i]);
        let whole = |i: usize| argument(i).unwrap_or(Affine { rest: Some(node.args[i]), ..Affine::default() });
        let sum = match node.op {
            Op::Call(p) if *p == arith::ADD => whole(0).plus(graph, &whole(1), false),
            Op::Call(p) if *p == arith::SUB => whole(0).plus(graph, &whole(1), true),
            Op::Call(p) if *p == arith::NEG => Affine::default().plus(graph, &whole(0), true),
            Op::Call(p) if *p == arith::MUL && !depends(1) => {
                whole(0).scaled(graph, |g, x| product(g, x, node.args[1]))
            }
            Op::Call(p) if *p == arith::MUL && !depends(0) => {
                whole(1).scaled(graph, |g, x| product(g, node.args[0], x))
            }
            Op::Call(p) if *p == arith::DIV && !depends(1) => {
                whole(0).scaled(graph, |g, x| g.quotient(x, node.args[1]))
            }
            Op::Call(p) if *p == arith::FMA && !(depends(0) && depends(1)) => {
                let (fixed, moving) = if depends(0) { (1, 0) } else { (0, 1) };
                let scaled = whole(moving).scaled(graph, |g, x| product(g, x, node.args[fixed]));
                scaled.plus(graph, &whole(2), false)
            }
            Op::Call(p) if *p == arith::SELECT && !depends(0) => {
                let zero = graph.constant(0.0);
                let then = whole(1).scaled(graph, |g, x| g.call(&arith::SELECT, &[node.args[0], x, zero]));
                let otherwise = whole(2).scaled(graph, |g, x| g.call(&arith::SELECT, &[node.args[0], zero, x]));
                then.plus(graph, &otherwise, false)
            }
            _ => return Err(NotAffine(id)),
        };
        known.insert(id, sum);
    }
    Ok(known.remove(&of).unwrap_or(Affine { rest: Some(of), ..Affine::default() }))
}

impl Affine {
    fn plus(mut self, graph: &mut ExprGraph, other: &Affine, negative: bool) -> Affine {
        let mut join = |left: Option<ExprId>, right: ExprId| match (left, negative) {
            (Some(left), false) => graph.sum(left, right),
            (Some(left), true) => graph.difference(left, right),
            (None, false) => right,
            (None, true) => graph.negative(right),
        };
        for (variable, coefficient) in &other.coefficients {
            let joined = join(self.coefficients.get(variable).copied(), *coefficient);
            self.coefficients.insert(*variable, joined);
        }
        if let Some(rest) = other.rest {
            self.rest = Some(join(self.rest, rest));
        }
        self
    }

    fn scaled(mut self, graph: &mut ExprGraph, by: impl Fn(&mut ExprGraph, ExprId) -> ExprId) -> Affine {
        for coefficient in self.coefficients.values_mut() {
            *coefficient = by(graph, *coefficient);
        }
        self.rest = self.rest.map(|rest| by(graph, rest));
        self
    }
}

/// `a * b` without multiplying by 1.
fn product(graph: &mut ExprGraph, a: ExprId, b: ExprId) -> ExprId {
    match (graph.as_constant(a), graph.as_constant(b)) {
        (Some(1.0), _) => b,
        (_, Some(1.0)) => a,
        _ => graph.product(a, b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::expr::{ParameterId, SpaceId, StateId};

    fn leaves(g: &mut ExprGraph) -> [ExprId; 3] {
        let x = g.add(Op::State(StateId(0)), vec![], SpaceId::SCALAR);
        let y = g.add(Op::State(StateId(1)), vec![], SpaceId::SCALAR);
        [x, y, g.add(Op::Parameter(ParameterId(0)), vec![], SpaceId::SCALAR)]
    }

    #[test]
    fn a_sum_is_taken_apart() {
        let mut g = ExprGraph::new();
        let [x, y, p] = leaves(&mut g);
        // (y - (x - p)) / p
        let inner = g.difference(x, p);
        let upper = g.difference(y, inner);
        let whole = g.quotient(upper, p);
        let found = affine(&mut g, whole, &[x], |_| false).unwrap();
        let one = g.constant(1.0);
        let minus_one = g.negative(one);
        assert_eq!(found.coefficients, BTreeMap::from([(x, g.quotient(minus_one, p))]));
        let minus_p = g.negative(p);
        let rest = g.difference(y, minus_p);
        assert_eq!(found.rest, Some(g.quotient(rest, p)));
        assert_eq!(affine(&mut g, whole, &[x, y], |_| false).unwrap().coefficients.len(), 2);
    }

    #[test]
    fn products_of_variables_and_conditions_on_them_are_no_sums() {
        let mut g = ExprGraph::new();
        let [x, y, p] = leaves(&mut g);
        let square = g.product(x, x);
        let twice = g.sum(square, p);
        assert_eq!(affine(&mut g, twice, &[x], |_| false), Err(NotAffine(square)));
        let mixed = g.product(x, y);
        assert_eq!(affine(&mut g, mixed, &[x, y], |_| false), Err(NotAffine(mixed)));
        assert!(affine(&mut g, mixed, &[x], |_| false).is_ok());
        let choice = g.call(&arith::SELECT, &[x, p, p]);
        assert_eq!(affine(&mut g, choice, &[x], |_| false), Err(NotAffine(choice)));
        // A step has the derivative 0, and is still no constant.
        let step = g.call(&arith::FLOOR, &[x]);
        assert_eq!(affine(&mut g, step, &[x], |_| false), Err(NotAffine(step)));
    }
}
