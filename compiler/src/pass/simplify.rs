//! Simplification: rewrites that keep a value within rounding and cost less.
//!
//! Each rewrite is one row with a name and a test. They are applied bottom up, once per expression, each to arguments
//! that are simplified already; a rewritten expression is looked at again until no row applies.

use super::Step;
use crate::ir::expr::{ExprGraph, ExprId, Node, Op};
use crate::ir::prim::{Prim, arith, elementary, transfer};

/// A rewrite: returns a cheaper expression with the same value, or `None` when it does not apply.
pub struct Rewrite {
    /// Its name, for tests and traces.
    pub name: &'static str,
    /// Tries it on a call.
    pub apply: fn(&mut ExprGraph, &'static Prim, &[ExprId]) -> Option<ExprId>,
}

/// All rewrites, in the order they are tried.
pub static REWRITES: &[Rewrite] = &[
    Rewrite { name: "fold-constants", apply: fold_constants },
    Rewrite { name: "drop-neutral", apply: drop_neutral },
    Rewrite { name: "fold-signs", apply: fold_signs },
    Rewrite { name: "multiply-powers", apply: multiply_powers },
    Rewrite { name: "recognise-sigmoid", apply: recognise_sigmoid },
    Rewrite { name: "divide-by-invariant", apply: divide_by_invariant },
];

/// Simplifies every wanted expression of a step.
pub fn simplify(mut step: Step) -> Step {
    step.rewrite(simplify_node);
    step
}

fn simplify_node(graph: &mut ExprGraph, node: &Node) -> Option<ExprId> {
    let mut current = node.clone();
    let mut result = None;
    while let Op::Call(prim) = current.op {
        let Some(next) = REWRITES.iter().find_map(|rule| (rule.apply)(graph, prim, &current.args)) else { break };
        result = Some(next);
        current = graph.node(next).clone();
    }
    result
}

/// A call whose arguments are all numbers is a number.
fn fold_constants(graph: &mut ExprGraph, prim: &'static Prim, args: &[ExprId]) -> Option<ExprId> {
    let values: Option<Vec<f64>> = args.iter().map(|a| graph.as_constant(*a)).collect();
    Some(graph.constant((prim.eval)(&values?)))
}

/// `x + 0`, `x - 0`, `x * 1`, `x / 1` are `x` (the sign of a zero may change).
fn drop_neutral(graph: &mut ExprGraph, prim: &'static Prim, args: &[ExprId]) -> Option<ExprId> {
    let is = |graph: &ExprGraph, id: ExprId, value: f64| graph.as_constant(id) == Some(value);
    if *prim == arith::ADD {
        if is(graph, args[0], 0.0) {
            return Some(args[1]);
        }
        return is(graph, args[1], 0.0).then_some(args[0]);
    }
    if *prim == arith::SUB {
        return is(graph, args[1], 0.0).then_some(args[0]);
    }
    if *prim == arith::MUL {
        if is(graph, args[0], 1.0) {
            return Some(args[1]);
        }
        return is(graph, args[1], 1.0).then_some(args[0]);
    }
    (*prim == arith::DIV && is(graph, args[1], 1.0)).then_some(args[0])
}

/// `--x` is `x`, `x + -y` is `x - y`, `-x + y` is `y - x`, `x - -y` is `x + y`, `0 - x` and `-1 * x` are `-x`.
fn fold_signs(graph: &mut ExprGraph, prim: &'static Prim, args: &[ExprId]) -> Option<ExprId> {
    let negated = |graph: &ExprGraph, id: ExprId| match graph.node(id) {
        Node { op: Op::Call(p), args, .. } if **p == arith::NEG => Some(args[0]),
        _ => None,
    };
    if *prim == arith::NEG {
        return negated(graph, args[0]);
    }
    if *prim == arith::ADD {
        if let Some(y) = negated(graph, args[1]) {
            return Some(graph.difference(args[0], y));
        }
        let x = negated(graph, args[0])?;
        return Some(graph.difference(args[1], x));
    }
    if *prim == arith::SUB {
        if graph.as_constant(args[0]) == Some(0.0) {
            return Some(graph.negative(args[1]));
        }
        let y = negated(graph, args[1])?;
        return Some(graph.sum(args[0], y));
    }
    if *prim == arith::MUL {
        if graph.as_constant(args[0]) == Some(-1.0) {
            return Some(graph.negative(args[1]));
        }
        if graph.as_constant(args[1]) == Some(-1.0) {
            return Some(graph.negative(args[0]));
        }
    }
    None
}

/// `x^n` for small whole `n` is a product, `x^0.5` a root. Four multiplications round less than one general power costs.
fn multiply_powers(graph: &mut ExprGraph, prim: &'static Prim, args: &[ExprId]) -> Option<ExprId> {
    const LARGEST: f64 = 16.0;
    if *prim != elementary::POW {
        return None;
    }
    let exponent = graph.as_constant(args[1])?;
    if exponent == 0.5 {
        return Some(graph.call(&arith::SQRT, &[args[0]]));
    }
    if exponent.fract() != 0.0 || exponent.abs() > LARGEST {
        return None;
    }
    if exponent == 0.0 {
        return Some(graph.constant(1.0));
    }
    let power = whole_power(graph, args[0], exponent.abs() as u32);
    if exponent > 0.0 {
        return Some(power);
    }
    let one = graph.constant(1.0);
    Some(graph.quotient(one, power))
}

/// `x^n` by repeated squaring, `n >= 1`.
fn whole_power(graph: &mut ExprGraph, x: ExprId, n: u32) -> ExprId {
    if n == 1 {
        return x;
    }
    let half = whole_power(graph, x, n / 2);
    let square = graph.product(half, half);
    if n % 2 == 1 { graph.product(square, x) } else { square }
}

/// `c / (1 + exp(u))` is `c sigmoid(-u)`: one exponential that need not be finite, where the written form has to give the
/// right infinity. Below `exp(-708)` of `c` (single: `exp(-87)`) the value is 0.
fn recognise_sigmoid(graph: &mut ExprGraph, prim: &'static Prim, args: &[ExprId]) -> Option<ExprId> {
    if *prim != arith::DIV {
        return None;
    }
    let Node { op: Op::Call(sum), args: terms, .. } = graph.node(args[1]) else { return None };
    if **sum != arith::ADD {
        return None;
    }
    let (one, exponential) = if graph.as_constant(terms[0]) == Some(1.0) { (0, 1) } else { (1, 0) };
    let (one, exponential) = (terms[one], graph.node(terms[exponential]));
    let Op::Call(exp) = exponential.op else { return None };
    if *exp != elementary::EXP || graph.as_constant(one) != Some(1.0) {
        return None;
    }
    let argument = exponential.args[0];
    let opposite = opposite(graph, argument);
    let sigmoid = graph.call(&transfer::SIGMOID, &[opposite]);
    Some(if graph.as_constant(args[0]) == Some(1.0) { sigmoid } else { graph.product(args[0], sigmoid) })
}

/// `-x`, by its parts where these have a sign to change.
fn opposite(graph: &mut ExprGraph, x: ExprId) -> ExprId {
    if let Some(value) = graph.as_constant(x) {
        return graph.constant(-value);
    }
    let node = graph.node(x).clone();
    match (node.op, &node.args[..]) {
        (Op::Call(prim), [a]) if *prim == arith::NEG => *a,
        (Op::Call(prim), [a, b]) if *prim == arith::SUB => graph.difference(*b, *a),
        (Op::Call(prim), [a, b]) if *prim == arith::MUL => {
            let signed = |id: ExprId| {
                let node = graph.node(id);
                matches!(node.op, Op::Constant(_))
                    || matches!(node.op, Op::Call(p) if *p == arith::SUB || *p == arith::NEG)
            };
            let (first, second) = if signed(*b) { (*b, *a) } else { (*a, *b) };
            if !signed(first) {
                return graph.negative(x);
            }
            let first = opposite(graph, first);
            graph.product(first, second)
        }
        _ => graph.negative(x),
    }
}

/// `x / c` is `x * (1 / c)` when `c` does not change during a run and `x` does: the reciprocal is computed once.
fn divide_by_invariant(graph: &mut ExprGraph, prim: &'static Prim, args: &[ExprId]) -> Option<ExprId> {
    if *prim != arith::DIV || !invariant(graph, args[1]) || invariant(graph, args[0]) {
        return None;
    }
    let one = graph.constant(1.0);
    let reciprocal = match graph.as_constant(args[1]) {
        Some(c) => graph.constant(1.0 / c),
        None => graph.quotient(one, args[1]),
    };
    Some(graph.product(args[0], reciprocal))
}

/// Whether an expression depends on numbers, parameters and the step size only.
///
/// Looks a bounded depth down, so that simplification stays linear; deeper invariants are divided by as written.
fn invariant(graph: &ExprGraph, id: ExprId) -> bool {
    const DEPTH: usize = 6;
    fn go(graph: &ExprGraph, id: ExprId, depth: usize) -> bool {
        let node = graph.node(id);
        match node.op {
            Op::Constant(_) | Op::Parameter(_) | Op::StepSize => true,
            Op::Call(_) => depth > 0 && node.args.iter().all(|a| go(graph, *a, depth - 1)),
            _ => false,
        }
    }
    go(graph, id, DEPTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::expr::{ParameterId, SpaceId, StateId};

    /// Each row: the rewrite, the expression before, the expression after.
    #[test]
    fn each_rewrite_does_what_its_name_says() {
        type Make = fn(&mut ExprGraph, ExprId, ExprId) -> ExprId;
        let table: &[(&str, Make, Make)] = &[
            (
                "fold-constants",
                |g, _, _| {
                    let (a, b) = (g.constant(2.0), g.constant(3.0));
                    g.product(a, b)
                },
                |g, _, _| g.constant(6.0),
            ),
            (
                "drop-neutral",
                |g, x, _| {
                    let z = g.constant(0.0);
                    g.sum(z, x)
                },
                |_, x, _| x,
            ),
            (
                "drop-neutral",
                |g, x, _| {
                    let z = g.constant(0.0);
                    g.difference(x, z)
                },
                |_, x, _| x,
            ),
            (
                "drop-neutral",
                |g, x, _| {
                    let o = g.constant(1.0);
                    g.product(x, o)
                },
                |_, x, _| x,
            ),
            (
                "drop-neutral",
                |g, x, _| {
                    let o = g.constant(1.0);
                    g.quotient(x, o)
                },
                |_, x, _| x,
            ),
            (
                "fold-signs",
                |g, x, y| {
                    let m = g.negative(y);
                    g.sum(x, m)
                },
                |g, x, y| g.difference(x, y),
            ),
            (
                "fold-signs",
                |g, x, y| {
                    let m = g.negative(x);
                    g.sum(m, y)
                },
                |g, x, y| g.difference(y, x),
            ),
            (
                "fold-signs",
                |g, x, y| {
                    let m = g.negative(y);
                    g.difference(x, m)
                },
                |g, x, y| g.sum(x, y),
            ),
            (
                "fold-signs",
                |g, x, _| {
                    let m = g.negative(x);
                    g.negative(m)
                },
                |_, x, _| x,
            ),
            (
                "multiply-powers",
                |g, x, _| {
                    let n = g.constant(3.0);
                    g.call(&elementary::POW, &[x, n])
                },
                |g, x, _| {
                    let s = g.product(x, x);
                    g.product(s, x)
                },
            ),
            (
                "multiply-powers",
                |g, x, _| {
                    let n = g.constant(-1.0);
                    g.call(&elementary::POW, &[x, n])
                },
                |g, x, _| {
                    let o = g.constant(1.0);
                    g.quotient(o, x)
                },
            ),
            (
                "multiply-powers",
                |g, x, _| {
                    let n = g.constant(0.5);
                    g.call(&elementary::POW, &[x, n])
                },
                |g, x, _| g.call(&arith::SQRT, &[x]),
            ),
            (
                "recognise-sigmoid",
                |g, x, y| {
                    let (o, r) = (g.constant(1.0), g.constant(0.56));
                    let u = g.difference(y, x);
                    let u = g.product(r, u);
                    let e = g.call(&elementary::EXP, &[u]);
                    let d = g.sum(o, e);
                    g.quotient(y, d)
                },
                |g, x, y| {
                    let r = g.constant(0.56);
                    let u = g.difference(x, y);
                    let u = g.product(u, r);
                    let s = g.call(&transfer::SIGMOID, &[u]);
                    g.product(y, s)
                },
            ),
            (
                "recognise-sigmoid",
                |g, x, _| {
                    let o = g.constant(1.0);
                    let u = g.negative(x);
                    let e = g.call(&elementary::EXP, &[u]);
                    let d = g.sum(e, o);
                    g.quotient(o, d)
                },
                |g, x, _| g.call(&transfer::SIGMOID, &[x]),
            ),
            (
                "divide-by-invariant",
                |g, x, y| g.quotient(x, y),
                |g, x, y| {
                    let o = g.constant(1.0);
                    let r = g.quotient(o, y);
                    g.product(x, r)
                },
            ),
        ];
        for (name, before, after) in table {
            let mut g = ExprGraph::new();
            let x = g.add(Op::State(StateId(0)), vec![], SpaceId::SCALAR);
            let y = g.add(Op::Parameter(ParameterId(0)), vec![], SpaceId::SCALAR);
            let (before, after) = (before(&mut g, x, y), after(&mut g, x, y));
            let node = g.node(before).clone();
            let Op::Call(prim) = node.op else { panic!("{name}: the example is a call") };
            let rule = REWRITES.iter().find(|r| r.name == *name).expect("the rewrite exists");
            assert_eq!((rule.apply)(&mut g, prim, &node.args), Some(after), "{name}");
        }
        for rule in REWRITES {
            assert!(table.iter().any(|row| row.0 == rule.name), "`{}` has no example", rule.name);
        }
    }
}
