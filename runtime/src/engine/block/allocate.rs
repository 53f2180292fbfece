//! Register allocation: values in single assignment form to a small number of block registers.

use crate::program::{Body, Op};

/// Code with registers.
pub(super) struct Code {
    /// Number of registers.
    pub registers: usize,
    /// Instructions in order; operands of [`Op`] are registers here.
    pub instructions: Vec<Instruction>,
}

/// One instruction.
pub(super) enum Instruction {
    /// `register = op(registers)`; the result's register is none of the operands'.
    Compute(u32, Op),
    /// `buffer = register`
    Store(u32, u32),
}

/// Allocates by a linear scan: a register is free again after the last use of its value.
pub(super) fn allocate(body: &Body) -> Code {
    let mut last_use = vec![0usize; body.values.len()];
    for (i, op) in body.values.iter().enumerate() {
        for operand in operands(op) {
            last_use[operand as usize] = i;
        }
    }
    for (_, value) in &body.stores {
        last_use[*value as usize] = usize::MAX;
    }
    let mut place = vec![0u32; body.values.len()];
    let mut free: Vec<u32> = Vec::new();
    let mut registers = 0u32;
    let mut instructions = Vec::with_capacity(body.values.len() + body.stores.len());
    for (i, op) in body.values.iter().enumerate() {
        let register = free.pop().unwrap_or_else(|| {
            registers += 1;
            registers - 1
        });
        place[i] = register;
        instructions.push(Instruction::Compute(register, renamed(op, &place)));
        let mut ended: Vec<u32> = operands(op).into_iter().filter(|o| last_use[*o as usize] == i).collect();
        ended.sort_unstable();
        ended.dedup();
        free.extend(ended.into_iter().map(|o| place[o as usize]));
        if last_use[i] == 0 {
            // Never read: its register is free at once.
            free.push(register);
        }
    }
    instructions.extend(body.stores.iter().map(|(buffer, value)| Instruction::Store(*buffer, place[*value as usize])));
    Code { registers: registers as usize, instructions }
}

/// The values an operation reads.
pub(super) fn operands(op: &Op) -> Vec<u32> {
    match *op {
        Op::Constant(_) | Op::Time | Op::StepSize | Op::Load { .. } | Op::Past { .. } => Vec::new(),
        Op::Unary(_, a) => vec![a],
        Op::Binary(_, a, b) => vec![a, b],
        Op::Fma(a, b, c) | Op::Select(a, b, c) => vec![a, b, c],
    }
}

fn renamed(op: &Op, place: &[u32]) -> Op {
    let at = |value: u32| place[value as usize];
    match *op {
        Op::Unary(f, a) => Op::Unary(f, at(a)),
        Op::Binary(f, a, b) => Op::Binary(f, at(a), at(b)),
        Op::Fma(a, b, c) => Op::Fma(at(a), at(b), at(c)),
        Op::Select(a, b, c) => Op::Select(at(a), at(b), at(c)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Binary, Unary};

    #[test]
    fn registers_are_reused_and_results_never_overwrite_operands() {
        let load = Op::Load { buffer: 0, scalar: false };
        let mut values = vec![load];
        values.extend((0..20).map(|k| Op::Binary(Binary::Add, k, k)));
        values.push(Op::Unary(Unary::Neg, 20));
        let code = allocate(&Body { values, stores: vec![(1, 21)] });
        assert_eq!(code.registers, 2);
        for instruction in &code.instructions {
            if let Instruction::Compute(result, op) = instruction {
                assert!(!operands(op).contains(result));
            }
        }
    }
}
