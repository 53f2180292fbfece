//! Value of an expression by the reference values of its functions.

use super::expr::{ExprGraph, ExprId, Op};

/// Value of `root` in double precision. `leaf` gives the value of everything but constants and pointwise calls; it is
/// asked for [`Op::Take`], [`Op::Couple`] and the like too, as one element of an array says nothing about the others.
pub fn evaluate(graph: &ExprGraph, root: ExprId, mut leaf: impl FnMut(Op) -> f64) -> f64 {
    // Ascending ids are a topological order and the root comes last.
    let order = graph.reachable([root]);
    let mut values = vec![0.0; root.index() + 1];
    let mut args = Vec::new();
    for id in order {
        let node = graph.node(id);
        values[id.index()] = match node.op {
            Op::Constant(bits) => f64::from_bits(bits),
            Op::Call(prim) => {
                args.clear();
                args.extend(node.args.iter().map(|a| values[a.index()]));
                (prim.eval)(&args)
            }
            op => leaf(op),
        };
    }
    values[root.index()]
}
