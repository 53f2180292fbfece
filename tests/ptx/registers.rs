//! Ensembles keep their state in registers: inside of the loop over steps, the text of their entries reads and writes no state, and
//! of everything else only what is named here. (That the assembler keeps registers in registers is what `assemble` tests.)

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use nullcline::Model;
use nullcline::compiler::backend::ptx;
use nullcline::compiler::kernel::ir::{BufferRole, Module};
use nullcline::compiler::kernel::many::{ManySteps, many_steps};
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::code::{Artifact, Binding, Entry};
use stand_in_driver::interpreter::parse::{Function, Op, Operand, Space, parse};

use super::networks::NETWORK;
use super::{every_model, module};

/// What an access to global memory is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Access {
    /// Never inside of the loop.
    State,
    /// What a step reads of the past, and what it leaves there.
    Ring,
    /// Samples of inputs, for which the step decides.
    Samples,
    /// Parameters for which there are no registers left, and what the setup phase made of them.
    Parameter,
    /// Bits of recorded events.
    Mark,
    /// Anything else.
    Other,
}

use Access::{Mark, Other, Parameter, Ring, Samples, State};

/// Bindings whose addresses an operand may be computed from. What is loaded is no address here.
fn bindings(function: &Function, operand: &Operand, count: usize) -> BTreeSet<usize> {
    let (mut found, mut seen, mut left) = (BTreeSet::new(), BTreeSet::new(), vec![*operand]);
    while let Some(operand) = left.pop() {
        let Operand::Register(register) = operand else { continue };
        if !seen.insert(register) {
            continue;
        }
        for instruction in function.code.iter().filter(|i| i.result == register) {
            match &instruction.op {
                Op::Compute { operands, .. } => left.extend(operands),
                Op::Pack(operands) => left.extend(operands),
                Op::Parameter(index) if *index < count => _ = found.insert(*index),
                _ => {}
            }
        }
    }
    found
}

fn kind(module: &Module, binding: Binding) -> Access {
    match binding {
        Binding::Buffer { index, .. } => match module.buffers[index as usize].role {
            BufferRole::State(_) => State,
            BufferRole::History(_) => Ring,
            BufferRole::Parameter(_) | BufferRole::Derived(_) => Parameter,
            _ => Other,
        },
        Binding::Series(_) => Samples,
        Binding::Marks => Mark,
        _ => Other,
    }
}

/// Loads, stores and set bits of global memory in a stretch of code, by what they are for.
fn accesses(module: &Module, (function, entry): (&Function, &Entry), range: Range<usize>) -> BTreeMap<Access, usize> {
    let mut counts = BTreeMap::new();
    for instruction in &function.code[range] {
        let (Op::Load { space, base, .. } | Op::Store { space, base, .. } | Op::Or { space, base, .. }) =
            &instruction.op
        else {
            continue;
        };
        if *space == Space::Global {
            let of = bindings(function, base, entry.bindings.len());
            let kinds: BTreeSet<Access> = of.iter().map(|b| kind(module, entry.bindings[*b])).collect();
            let kind = if kinds.len() == 1 { kinds.first().copied().unwrap_or(Other) } else { Other };
            *counts.entry(kind).or_insert(0) += 1;
        }
    }
    counts
}

/// The loop over steps: from its label to the last jump there.
fn steps(function: &Function) -> Range<usize> {
    let labels: Vec<usize> = function.labels.iter().filter(|l| l.0.starts_with("step_")).map(|l| l.1).collect();
    let [start] = labels[..] else { panic!("`{}` has {} loops over steps", function.name, labels.len()) };
    let jumps = function.code.iter().enumerate().filter(|(_, i)| matches!(i.op, Op::Branch(to) if to == start));
    let end = jumps.map(|(at, _)| at).max().unwrap_or_else(|| panic!("`{}` jumps back", function.name));
    assert!(start < end && end < function.code.len());
    start..end
}

/// An entry of an artifact as it is read.
fn entry(artifact: &Artifact, functions: &[Function], index: u32) -> (Function, Entry) {
    (functions[index as usize].clone(), artifact.entries[index as usize].clone())
}

#[test]
fn ensembles_keep_their_state_in_registers() {
    let (mut members, mut named) = (0, BTreeMap::<Vec<Access>, BTreeSet<String>>::new());
    every_model(&mut |name, model| {
        for precision in ["f64", "f32"] {
            let module = module(model, precision);
            let Some(ManySteps::Elements(_)) = many_steps(&module, 256) else { continue };
            members += 1;
            let artifact = ptx::artifact(&module, &ptx::Options::default());
            assert!(!artifact.code.contains(".local"), "{name}, {precision}: memory of a thread's own");
            let functions = parse(&artifact.code).unwrap().functions;
            let of = |index| entry(&artifact, &functions, index);
            let entries = [artifact.steps, artifact.recorder.map(|r| r.entry)].into_iter().flatten().map(of);
            for (function, entry) in entries {
                let inside = steps(&function);
                let what = format!("{name}, {precision}, `{}`", entry.name);
                let before = accesses(&module, (&function, &entry), 0..inside.start);
                let behind = accesses(&module, (&function, &entry), inside.end..function.code.len());
                // The state is read before the loop and written behind it, where there is any.
                let states = module.buffers.iter().filter(|b| matches!(b.role, BufferRole::State(_))).count();
                assert!(states == 0 || (before[&State] > 0 && behind[&State] > 0), "{what}: {before:?}, {behind:?}");
                let found = accesses(&module, (&function, &entry), inside);
                let has = |role: fn(&BufferRole) -> bool| module.buffers.iter().any(|b| role(&b.role));
                for (access, count) in &found {
                    let declared = match access {
                        State | Other => false,
                        Ring => has(|role| matches!(role, BufferRole::History(_))),
                        Samples => !module.inputs.is_empty(),
                        Mark => artifact.marks.is_some(),
                        // More numbers than there are registers set aside for: 64 of 32 bits.
                        Parameter => {
                            let held = module.buffers.iter().filter(|b| {
                                matches!(
                                    b.role,
                                    BufferRole::State(_) | BufferRole::Parameter(_) | BufferRole::Derived(_)
                                )
                            });
                            held.count() * if precision == "f64" { 2 } else { 1 } > 64
                        }
                    };
                    assert!(declared, "{what}: {count} times {access:?} in the loop over steps");
                }
                if !found.is_empty() {
                    named.entry(found.into_keys().collect()).or_default().insert(name.to_string());
                }
            }
        }
    });
    println!("{members} modules with a thread for each member; in their loops over steps there are accesses to");
    for (accesses, models) in &named {
        println!("  {accesses:?}: {}", models.iter().cloned().collect::<Vec<String>>().join(", "));
    }
    assert!(members >= 60, "{members} modules");
    assert!(named.keys().flatten().any(|access| *access == Ring), "delayed models read rings");
}

/// What is counted is there to be seen: a network in one block reads and writes its states in every step.
#[test]
fn loops_that_use_memory_are_told_from_those_that_do_not() {
    let library = MemoryLibrary::new().with("m.yaml", NETWORK);
    let mut model = Model::load(&library, "m.yaml", None).unwrap_or_else(|e| panic!("{e}"));
    let module = module(&mut model, "f64");
    let artifact = ptx::artifact(&module, &ptx::Options::default());
    let functions = parse(&artifact.code).unwrap().functions;
    let (function, entry) = entry(&artifact, &functions, artifact.steps.unwrap());
    let found = accesses(&module, (&function, &entry), steps(&function));
    for (access, least) in [(State, 4), (Ring, 3), (Mark, 1)] {
        assert!(found.get(&access).is_some_and(|count| *count >= least), "{access:?}: {found:?}");
    }
}
