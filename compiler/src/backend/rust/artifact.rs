//! A model as an artifact: what a manifest says of generated Rust.

use std::sync::Arc;

use nullcline_runtime::code::{Artifact, Binding, Constant, Data, Entry};
use nullcline_runtime::program::Precision;

use super::kernels::{element_name, kernel_place};
use crate::ir::system::Values;
use crate::kernel::ir::{self, Body, BufferId, Kernel, Module, Stmt, ValueOp};

/// The artifact of a module whose source is `code`: an entry for each kernel, which `Model` calls in the order of phases.
/// Those of straight-line code are called after their functions.
pub fn artifact(module: &Module, code: &str) -> Artifact {
    let list = |kernels: &[usize]| kernels.iter().map(|k| *k as u32).collect();
    let mut constants: Vec<Constant> = Vec::new();
    let mut integers = |name: String, data: &Arc<[u32]>| {
        constants.push(Constant { name, data: Data::Integers(data.clone()) });
        constants.len() as u32 - 1
    };
    let mut numbers: Vec<(String, Vec<f64>, usize)> = Vec::new();
    let mut entries = Vec::new();
    let phases = [
        ("setup", &module.setup),
        ("remember", &module.remember),
        ("step", &module.step),
        ("observe", &module.observe),
    ];
    let function = |index: usize| {
        let (phase, kernels) = phases.iter().find(|(_, kernels)| kernels.contains(&index))?;
        let position = kernels.iter().position(|k| *k == index)?;
        Some(element_name(&kernel_place(phase, kernels.len(), position)))
    };
    for (index, kernel) in module.kernels.iter().enumerate() {
        let name = kernel.name.clone();
        let mut bindings = bindings(kernel);
        let mut lists = |what: [(&str, &Arc<[u32]>); 2], weights: &Values| {
            for (part, data) in what {
                bindings.push(Binding::Constant(integers(format!("{name} {part}"), data)));
            }
            let weights = match weights {
                Values::Uniform(weight) => vec![*weight],
                Values::Each(each) => each.to_vec(),
            };
            numbers.push((format!("{name} weights"), weights, entries.len()));
        };
        match &kernel.body {
            Body::Pointwise(_) => {}
            Body::Convolve { .. } => unreachable!("the target has lists of connections instead"),
            Body::Take { table, .. } => {
                let table = integers(format!("{name} table"), &module.tables[*table]);
                bindings.push(Binding::Constant(table));
            }
            Body::Couple { connection, .. } => {
                let c = &module.connections[*connection];
                lists([("starts", &c.starts), ("sources", &c.sources)], &c.weights);
            }
            Body::CouplePast { connection, .. } => {
                let c = &module.connections[*connection];
                lists([("starts", &c.starts), ("sources", &c.sources)], &c.weights);
                if let Some(delays) = &c.delays {
                    bindings.push(Binding::Constant(integers(format!("{name} delays"), delays)));
                }
            }
            Body::Deliver { fanout, .. } => {
                let f = &module.fanouts[*fanout];
                lists([("starts", &f.starts), ("targets", &f.targets)], &f.weights);
            }
        }
        let called = function(index).filter(|_| matches!(kernel.body, Body::Pointwise(_)));
        entries.push(Entry {
            name: called.unwrap_or(name),
            extent: kernel.extent,
            group: 1,
            shared: 0,
            bindings,
            product: None,
        });
    }
    for (name, data, entry) in numbers {
        entries[entry].bindings.push(Binding::Constant(constants.len() as u32));
        constants.push(Constant { name, data: Data::Numbers(data) });
    }
    let initial = module.initial.iter().map(|(buffer, values)| {
        let values = match values {
            Values::Uniform(value) => vec![*value],
            Values::Each(each) => each.to_vec(),
        };
        (buffer.0, values)
    });
    Artifact {
        target: "rust".to_string(),
        code: code.to_string(),
        layout: module.layout(),
        precision: match module.precision {
            ir::Precision::F32 => Precision::F32,
            ir::Precision::F64 => Precision::F64,
        },
        constants,
        entries,
        phases: [list(&module.setup), list(&module.remember), list(&module.step), list(&module.observe)],
        steps: None,
        recorder: None,
        record: None,
        reduce: None,
        tick: None,
        measures: None,
        marks: None,
        arguments: Vec::new(),
        initial: initial.collect(),
        banks: Vec::new(),
        feed: Vec::new(),
        samples: Vec::new(),
        uniforms: Vec::new(),
        explanations: Vec::new(),
    }
}

/// The buffers of a kernel: those it reads, then those it writes.
fn bindings(kernel: &Kernel) -> Vec<Binding> {
    let (mut reads, mut writes): (Vec<BufferId>, Vec<BufferId>) = (Vec::new(), Vec::new());
    match &kernel.body {
        Body::Pointwise(body) => {
            for stmt in body {
                match stmt {
                    Stmt::Let(_, ValueOp::Load { buffer, .. } | ValueOp::Past { buffer, .. }) => reads.push(*buffer),
                    Stmt::Let(..) => {}
                    Stmt::Store(buffer, _) => writes.push(*buffer),
                }
            }
        }
        Body::Take { source, target, .. }
        | Body::Couple { source, target, .. }
        | Body::Convolve { source, target, .. } => {
            reads.push(*source);
            writes.push(*target);
        }
        Body::CouplePast { history, current, target, .. } => {
            reads.push(*history);
            reads.extend(current);
            writes.push(*target);
        }
        Body::Deliver { spikes, factor, target, .. } => {
            reads.push(*spikes);
            reads.extend(factor);
            writes.push(*target);
        }
    }
    let mut bindings: Vec<Binding> = Vec::new();
    for (list, written) in [(writes, true), (reads, false)] {
        for buffer in list {
            let known = bindings.iter().any(|b| matches!(b, Binding::Buffer { index, .. } if *index == buffer.0));
            if !known {
                bindings.push(Binding::Buffer { index: buffer.0, written });
            }
        }
    }
    bindings
}
