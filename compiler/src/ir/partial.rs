//! Partial derivatives of expressions, by the rules of the function table.

use std::collections::HashMap;

use super::expr::{ExprGraph, ExprId, Op};

/// Why an expression has no derivative here: it depends on the other one through this expression, which mixes elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotPointwise(pub ExprId);

/// The derivative of `of` by `by`, which counts as a variable of its own; `None` where it is zero everywhere.
///
/// Functions with steps (`floor`, `heaviside`) have the derivative 0 that their rows say.
pub fn partial(graph: &mut ExprGraph, of: ExprId, by: ExprId) -> Result<Option<ExprId>, NotPointwise> {
    let one = graph.constant(1.0);
    let mut slopes: HashMap<ExprId, ExprId> = HashMap::from([(by, one)]);
    for id in graph.reachable([of]) {
        if id <= by {
            continue;
        }
        let node = graph.node(id).clone();
        let moving: Vec<(usize, ExprId)> =
            node.args.iter().enumerate().filter_map(|(i, a)| Some((i, *slopes.get(a)?))).collect();
        if moving.is_empty() {
            continue;
        }
        let Op::Call(prim) = node.op else { return Err(NotPointwise(id)) };
        let partials = (prim.partial)(graph, &node.args, id);
        let mut sum: Option<ExprId> = None;
        for (index, slope) in moving {
            let partial = partials[index];
            let term = match (graph.as_constant(partial), graph.as_constant(slope)) {
                (Some(0.0), _) => continue,
                (Some(1.0), _) => slope,
                (_, Some(1.0)) => partial,
                _ => graph.product(partial, slope),
            };
            sum = Some(match sum {
                Some(sum) => graph.sum(sum, term),
                None => term,
            });
        }
        slopes.extend(sum.map(|sum| (id, sum)));
    }
    Ok(slopes.get(&of).copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::expr::{SpaceId, StateId, TableId};
    use crate::ir::prim::{arith, elementary};

    #[test]
    fn derivatives_follow_the_chain_and_stop_at_zero() {
        let mut g = ExprGraph::new();
        let x = g.add(Op::State(StateId(0)), vec![], SpaceId::SCALAR);
        let y = g.add(Op::State(StateId(1)), vec![], SpaceId::SCALAR);
        // d/dx (y exp(x) + floor(x)) = y exp(x)
        let exp = g.call(&elementary::EXP, &[x]);
        let product = g.product(y, exp);
        let floor = g.call(&arith::FLOOR, &[x]);
        let sum = g.sum(product, floor);
        assert_eq!(partial(&mut g, sum, x), Ok(Some(product)));
        assert_eq!(partial(&mut g, sum, y), Ok(Some(exp)));
        assert_eq!(partial(&mut g, floor, y), Ok(None));
        assert_eq!(partial(&mut g, x, x), Ok(Some(g.constant(1.0))));
    }

    #[test]
    fn elements_that_are_mixed_have_no_pointwise_derivative() {
        let mut g = ExprGraph::new();
        let x = g.add(Op::State(StateId(0)), vec![], SpaceId(1));
        let taken = g.add(Op::Take(TableId(0)), vec![x], SpaceId(2));
        let twice = g.sum(taken, taken);
        assert_eq!(partial(&mut g, twice, x), Err(NotPointwise(taken)));
    }
}
