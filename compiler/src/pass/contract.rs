//! Contraction: a product that is only added to something becomes one fused multiply-add, which rounds once.
//!
//! It happens here, visibly, and nowhere else: engines and printers execute the operations they are given.

use std::collections::HashMap;

use super::Step;
use crate::ir::expr::{ExprGraph, ExprId, Node, Op};
use crate::ir::prim::{Prim, arith};
use crate::kernel::target::Target;

/// `a b + c`, `c + a b`, `a b - c` and `c - a b` become fused where the target has that operation and the product is used
/// nowhere else.
pub fn contract(mut step: Step, target: &Target) -> Step {
    if !(target.has)(&arith::FMA) {
        return step;
    }
    // What is recorded has no say in how the step rounds, and is not contracted itself.
    let dynamics = step.system.graph.reachable(step.dynamics());
    let uses = count_uses(&step, &dynamics);
    // Products are recognised in the graph as it is, before anything is rewritten.
    let single: HashMap<ExprId, u32> = step
        .system
        .graph
        .reachable(dynamics.iter().copied())
        .into_iter()
        .filter(|id| is(step.system.graph.node(*id), &arith::MUL))
        .map(|id| (id, uses.get(&id).copied().unwrap_or(0)))
        .collect();
    let mut product: HashMap<ExprId, (ExprId, ExprId)> = HashMap::new();
    let order = step.system.graph.reachable(step.roots());
    let moves = |id: ExprId| dynamics.binary_search(&id).is_ok();
    let mut image: HashMap<ExprId, ExprId> = HashMap::new();
    for id in order {
        let mut node = step.system.graph.node(id).clone();
        let original = node.args.clone();
        node.args.iter_mut().for_each(|arg| *arg = image[arg]);
        let graph = &mut step.system.graph;
        let fused = match node.op {
            Op::Call(prim) if (*prim == arith::ADD || *prim == arith::SUB) && moves(id) => {
                let once = |i: usize| single.get(&original[i]) == Some(&1);
                let factors = |i: usize| if once(i) { product.get(&original[i]).copied() } else { None };
                fuse(graph, *prim == arith::SUB, &node.args, [factors(0), factors(1)])
            }
            _ => None,
        };
        let new = fused.unwrap_or_else(|| match node.op {
            Op::Call(prim) => graph.call(prim, &node.args),
            op => graph.add(op, node.args.clone(), node.space),
        });
        if single.contains_key(&id) {
            product.insert(id, (node.args[0], node.args[1]));
        }
        image.insert(id, new);
    }
    step.rename(&image);
    step
}

/// The fused form of `left + right` or `left - right`, of which one or both are products.
fn fuse(
    graph: &mut ExprGraph,
    subtract: bool,
    args: &[ExprId],
    [left, right]: [Option<(ExprId, ExprId)>; 2],
) -> Option<ExprId> {
    let space = |graph: &ExprGraph, (a, b): (ExprId, ExprId)| graph.space(a).max(graph.space(b));
    // A product of scalars that is added to an array is computed once; fused it would be computed for each element.
    let fits =
        |graph: &ExprGraph, factors: &(ExprId, ExprId), other: ExprId| space(graph, *factors) >= graph.space(other);
    if let Some((a, b)) = right.filter(|f| fits(graph, f, args[0])) {
        let a = if subtract { negative(graph, a) } else { a };
        return Some(graph.call(&arith::FMA, &[a, b, args[0]]));
    }
    let (a, b) = left.filter(|f| fits(graph, f, args[1]))?;
    let c = if subtract { negative(graph, args[1]) } else { args[1] };
    Some(graph.call(&arith::FMA, &[a, b, c]))
}

fn negative(graph: &mut ExprGraph, id: ExprId) -> ExprId {
    match graph.as_constant(id) {
        Some(value) => graph.constant(-value),
        None => graph.negative(id),
    }
}

fn is(node: &Node, prim: &Prim) -> bool {
    matches!(node.op, Op::Call(p) if p == prim)
}

/// How often each expression is an argument or wanted.
fn count_uses(step: &Step, dynamics: &[ExprId]) -> HashMap<ExprId, u32> {
    let mut uses = HashMap::new();
    for id in dynamics {
        for arg in &step.system.graph.node(*id).args {
            *uses.entry(*arg).or_insert(0) += 1;
        }
    }
    for root in step.dynamics() {
        *uses.entry(root).or_insert(0) += 1;
    }
    uses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::expr::{SpaceId, StateId};

    #[test]
    fn sums_with_a_product_become_one_operation() {
        let mut g = ExprGraph::new();
        let [a, b, c] = [0, 1, 2].map(|i| g.add(Op::State(StateId(i)), vec![], SpaceId::SCALAR));
        let product = Some((a, b));
        let minus_a = g.negative(a);
        let minus_c = g.negative(c);
        let fma = |g: &mut ExprGraph, a, b, c| g.call(&arith::FMA, &[a, b, c]);
        let ab = g.product(a, b);
        let expected = fma(&mut g, a, b, c);
        assert_eq!(fuse(&mut g, false, &[ab, c], [product, None]), Some(expected));
        assert_eq!(fuse(&mut g, false, &[c, ab], [None, product]), Some(expected));
        let expected = fma(&mut g, a, b, minus_c);
        assert_eq!(fuse(&mut g, true, &[ab, c], [product, None]), Some(expected));
        let expected = fma(&mut g, minus_a, b, c);
        assert_eq!(fuse(&mut g, true, &[c, ab], [None, product]), Some(expected));
        assert_eq!(fuse(&mut g, true, &[c, ab], [None, None]), None);
    }
}
