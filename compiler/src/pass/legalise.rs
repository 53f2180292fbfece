//! Legalisation: what a target lacks is replaced by what it has, before its printer sees it.

use super::Step;
use super::elementary::{expand, format};
use crate::diagnostic::{Result, target as fault};
use crate::ir::expr::Op;
use crate::ir::prim::table;
use crate::ir::system::Connection;
use crate::kernel::ir::Precision;
use crate::kernel::target::Target;

/// Replaces every call of a function the target lacks by the elementary library's formula for this precision or the
/// function's definition, until none is left.
///
/// Fails when the target has neither the function nor other means for it, or does not compute in `precision`.
pub fn legalise(mut step: Step, target: &Target, precision: Precision) -> Result<Step> {
    if !target.floats.contains(&precision) {
        return Err(fault::precision(target, precision).into());
    }
    if !target.shares_weights {
        list_convolutions(&mut step);
    }
    for id in step.system.graph.reachable(step.roots()) {
        let op = step.system.graph.node(id).op;
        let what = match op {
            Op::Take(_) => "elements by an index",
            Op::Convolve(_) => "kernels that slide over a grid",
            Op::Couple(_) => "weighted sums over connections",
            Op::CouplePast { .. } => "weighted sums with a delay for each connection",
            Op::Deliver(_) => "spikes that jump onto their targets",
            _ => continue,
        };
        if !(target.crosses)(op) {
            return Err(fault::missing_crossing(target, what).into());
        }
    }
    // An expansion may call functions that are expanded in turn; each round removes one level, and the rows' order of
    // definition bounds the levels, because a row expands into rows that do not need it.
    for _ in 0..=table().count() {
        let mut missing = None;
        let mut changed = false;
        step.rewrite(|graph, node| match node.op {
            Op::Call(prim) if !(target.has)(prim) => {
                match expand(graph, prim, &node.args, format(precision, target.strict)) {
                    Some(expanded) => {
                        changed = true;
                        Some(expanded)
                    }
                    None => {
                        missing = Some(prim);
                        None
                    }
                }
            }
            _ => None,
        });
        if let Some(prim) = missing {
            return Err(fault::missing_function(target, prim).into());
        }
        if !changed {
            break;
        }
    }
    Ok(step)
}

/// Makes a list of connections of every convolution.
fn list_convolutions(step: &mut Step) {
    let listed: Vec<Connection> = step.system.convolutions.drain(..).map(|c| c.listed()).collect();
    let connections: Vec<_> = listed.into_iter().map(|c| step.system.add_connection(c)).collect();
    step.rewrite(|graph, node| match node.op {
        Op::Convolve(id) => Some(graph.add(Op::Couple(connections[id.index()]), node.args.clone(), node.space)),
        _ => None,
    });
}
