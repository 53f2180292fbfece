//! Modules whose elements can be stepped one by one: no element reads what another one computes.

use std::collections::HashSet;

use super::ir::{Body, BufferId, Index, Module, Stmt, ValueOp};

/// The number of elements of such a module: its step consists of pointwise kernels over one index set, which read at other
/// elements only what no step writes.
pub fn independent(module: &Module) -> Option<usize> {
    independent_kernels(module, &module.step)
}

/// The same of some of its kernels.
pub(super) fn independent_kernels(module: &Module, kernels: &[usize]) -> Option<usize> {
    let kernels: Vec<_> = kernels.iter().map(|k| &module.kernels[*k]).collect();
    let extent = kernels.first()?.extent;
    let bodies: Vec<&[Stmt]> = kernels
        .iter()
        .map(|kernel| match &kernel.body {
            Body::Pointwise(stmts) if kernel.extent == extent => Some(&stmts[..]),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let stored = |stmt: &Stmt| match stmt {
        Stmt::Store(buffer, _) => Some(*buffer),
        Stmt::Let(..) => None,
    };
    let written: HashSet<BufferId> = bodies.iter().flat_map(|b| b.iter().filter_map(stored)).collect();
    let elsewhere = |stmt: &Stmt| match stmt {
        Stmt::Let(
            _,
            ValueOp::Load { buffer, index: Index::Zero } | ValueOp::Past { buffer, index: Index::Zero, .. },
        ) => written.contains(buffer),
        _ => false,
    };
    let alone = extent == 1 || !bodies.iter().any(|b| b.iter().any(elsewhere));
    alone.then_some(extent)
}
