//! Functions as they are executed: everything that an instruction reads is in a register, constants and the place of the thread
//! too.

use super::opcodes::Compute;
use super::parse::{Function, Op, Operand, Space};

/// Where a thread is: its registers behind those of the function.
pub(super) const PLACES: usize = 3;

/// An operation on registers.
pub(super) enum Action {
    Compute { compute: Compute, operands: [u32; 3] },
    Pack([u32; 2]),
    Parameter(usize),
    Load { space: Space, read_only: bool, base: u32, offset: u64, size: usize },
    Store { space: Space, base: u32, offset: u64, size: usize, value: u32 },
    Or { space: Space, base: u32, offset: u64, value: u32 },
    Branch(usize),
    Barrier,
    Return,
}

/// An instruction.
pub(super) struct Step {
    pub guard: Option<(u16, bool)>,
    pub result: u16,
    pub action: Action,
    pub line: usize,
}

/// A function.
pub(super) struct Plan {
    /// What registers hold at first: 0, then the thread, the block and the number of threads, to be filled in, and constants.
    pub registers: Vec<u64>,
    pub steps: Vec<Step>,
}

impl Plan {
    pub fn new(function: &Function) -> Plan {
        let first = function.registers;
        let mut registers = vec![0; first + PLACES];
        let steps = function.code.iter().map(|instruction| {
            let mut register = |operand: &Operand| match operand {
                Operand::Register(register) => u32::from(*register),
                Operand::Thread => first as u32,
                Operand::Block => first as u32 + 1,
                Operand::Threads => first as u32 + 2,
                Operand::Immediate(bits) => {
                    let constants = &registers[first + PLACES..];
                    let known = constants.iter().position(|constant| constant == bits).unwrap_or(constants.len());
                    if known == constants.len() {
                        registers.push(*bits);
                    }
                    (first + PLACES + known) as u32
                }
            };
            let action = match &instruction.op {
                Op::Compute { compute, operands } => {
                    Action::Compute { compute: *compute, operands: operands.each_ref().map(&mut register) }
                }
                Op::Pack(halves) => Action::Pack(halves.each_ref().map(&mut register)),
                Op::Parameter(index) => Action::Parameter(*index),
                Op::Load { space, read_only, base, offset, size } => {
                    let (space, read_only, offset, size) = (*space, *read_only, *offset, *size);
                    Action::Load { space, read_only, base: register(base), offset, size }
                }
                Op::Store { space, base, offset, size, value } => {
                    let (base, value) = (register(base), register(value));
                    Action::Store { space: *space, base, offset: *offset, size: *size, value }
                }
                Op::Or { space, base, offset, value } => {
                    let (base, value) = (register(base), register(value));
                    Action::Or { space: *space, base, offset: *offset, value }
                }
                Op::Branch(target) => Action::Branch(*target),
                Op::Barrier => Action::Barrier,
                Op::Return => Action::Return,
            };
            Step { guard: instruction.guard, result: instruction.result, action, line: instruction.line }
        });
        let steps = steps.collect();
        Plan { registers, steps }
    }
}
