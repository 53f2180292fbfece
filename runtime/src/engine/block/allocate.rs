//! Register allocation: values in single assignment form to a small number of block registers.
//!
//! What is the same for all elements is no block: it is computed once, and operations take it as a number.

use crate::program::{Binary, Body, Op, Unary};

/// Code with registers.
pub(super) struct Code {
    /// Number of registers.
    pub registers: usize,
    /// Values that are the same for all elements, in order; operands of [`Op`] are places in this list.
    pub uniforms: Vec<Op>,
    /// Those of them that may differ from step to step.
    pub changing: Vec<u32>,
    /// Instructions in order.
    pub instructions: Vec<Instruction>,
}

/// What an instruction reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operand {
    /// The block in this register.
    Register(u32),
    /// This uniform value.
    Uniform(u32),
}

/// One instruction; the first number is the register of the result, which is none of the operands'.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Instruction {
    /// A uniform value.
    Fill(u32, u32),
    /// Elements of a buffer, so many steps back.
    Load { register: u32, buffer: u32, back: Option<u32> },
    /// One operand.
    Unary(u32, Unary, u32),
    /// Two operands, at least one of them a block.
    Binary(u32, Binary, Operand, Operand),
    /// `a * b + c`
    Fma(u32, u32, Operand, Operand),
    /// `(c[3] x + c[2]) y + (c[1] x + c[0])`, each product and sum rounded once: four coefficients of a polynomial.
    Cubic { register: u32, x: u32, y: u32, coefficients: [u32; 4] },
    /// `b` if `a` is not 0, else `c`.
    Select(u32, u32, Operand, Operand),
    /// `buffer = register`
    Store(u32, u32),
}

/// Where a value is.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Register(u32),
    Uniform(u32),
    /// It is part of a [`Instruction::Cubic`].
    Within,
}

/// Allocates by a linear scan: a register is free again after the last use of its value.
pub(super) fn allocate(body: &Body) -> Code {
    let uniform = uniform(body);
    let cubics = cubics(body, &uniform);
    let mut within = vec![false; body.values.len()];
    cubics.iter().flatten().for_each(|cubic| cubic.lines.iter().for_each(|line| within[*line as usize] = true));
    // Which blocks each instruction reads.
    let reads = |i: usize| match &cubics[i] {
        Some(cubic) => vec![cubic.x, cubic.y],
        None => operands(&body.values[i]).into_iter().filter(|o| !uniform[*o as usize]).collect(),
    };
    let mut last_use = vec![0usize; body.values.len()];
    for i in (0..body.values.len()).filter(|i| !uniform[*i] && !within[*i]) {
        reads(i).into_iter().for_each(|operand| last_use[operand as usize] = i);
    }
    body.stores.iter().for_each(|(_, value)| last_use[*value as usize] = usize::MAX);
    let mut scan = Scan::new(body.values.len());
    for (i, op) in body.values.iter().enumerate() {
        if within[i] {
            scan.places[i] = Place::Within;
            continue;
        }
        if uniform[i] {
            let at = |value: u32| scan.uniform(value);
            let op = renamed(op, at);
            scan.places[i] = Place::Uniform(scan.code.uniforms.len() as u32);
            scan.code.uniforms.push(op);
            continue;
        }
        let mut filled = Vec::new();
        match (&cubics[i], op) {
            (Some(cubic), _) => {
                let (x, y) = (scan.register(cubic.x, &mut filled), scan.register(cubic.y, &mut filled));
                let coefficients = cubic.coefficients.map(|c| scan.uniform(c));
                let register = scan.take();
                scan.places[i] = Place::Register(register);
                scan.code.instructions.push(Instruction::Cubic { register, x, y, coefficients });
            }
            (None, op) => scan.operation(i as u32, op, &mut filled),
        }
        let mut ended: Vec<u32> = reads(i).into_iter().filter(|o| last_use[*o as usize] == i).collect();
        ended.sort_unstable();
        ended.dedup();
        for value in ended {
            scan.release(value);
        }
        scan.free.extend(filled);
        if last_use[i] == 0 {
            // Never read: its register is free at once.
            scan.release(i as u32);
        }
    }
    for (buffer, value) in &body.stores {
        let mut filled = Vec::new();
        let register = scan.register(*value, &mut filled);
        scan.code.instructions.push(Instruction::Store(*buffer, register));
        scan.free.extend(filled);
    }
    scan.code.changing = changing(&scan.code.uniforms);
    scan.code
}

/// The state of the scan.
struct Scan {
    code: Code,
    places: Vec<Place>,
    free: Vec<u32>,
}

impl Scan {
    fn new(values: usize) -> Scan {
        let code = Code { registers: 0, uniforms: Vec::new(), changing: Vec::new(), instructions: Vec::new() };
        Scan { code, places: vec![Place::Within; values], free: Vec::new() }
    }

    /// A register that is free.
    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.code.registers += 1;
            self.code.registers as u32 - 1
        })
    }

    /// Frees the register of a value.
    fn release(&mut self, value: u32) {
        if let Place::Register(register) = self.places[value as usize] {
            self.free.push(register);
        }
    }

    /// The place of a value that is uniform.
    fn uniform(&self, value: u32) -> u32 {
        match self.places[value as usize] {
            Place::Uniform(at) => at,
            _ => unreachable!("operands of uniform values and coefficients are uniform"),
        }
    }

    /// A value as what instructions read.
    fn operand(&self, value: u32) -> Operand {
        match self.places[value as usize] {
            Place::Register(register) => Operand::Register(register),
            Place::Uniform(at) => Operand::Uniform(at),
            Place::Within => unreachable!("lines of a cubic are read by it alone"),
        }
    }

    /// A value as a block; a register filled for it is noted.
    fn register(&mut self, value: u32, filled: &mut Vec<u32>) -> u32 {
        match self.operand(value) {
            Operand::Register(register) => register,
            Operand::Uniform(at) => {
                let register = self.take();
                self.code.instructions.push(Instruction::Fill(register, at));
                filled.push(register);
                register
            }
        }
    }

    /// The instruction for an operation with at least one block, or a load of one.
    fn operation(&mut self, value: u32, op: &Op, filled: &mut Vec<u32>) {
        let instruction = match *op {
            Op::Load { buffer, .. } => Instruction::Load { register: self.take(), buffer, back: None },
            Op::Past { buffer, steps, .. } => Instruction::Load { register: self.take(), buffer, back: Some(steps) },
            Op::Unary(f, a) => {
                let a = self.register(a, filled);
                Instruction::Unary(self.take(), f, a)
            }
            Op::Binary(f, a, b) => {
                let (a, b) = (self.operand(a), self.operand(b));
                Instruction::Binary(self.take(), f, a, b)
            }
            Op::Fma(a, b, c) => {
                // Factors may change places.
                let (a, b) = if let Operand::Uniform(_) = self.operand(a) { (b, a) } else { (a, b) };
                let a = self.register(a, filled);
                let (b, c) = (self.operand(b), self.operand(c));
                Instruction::Fma(self.take(), a, b, c)
            }
            Op::Select(a, b, c) => {
                let a = self.register(a, filled);
                let (b, c) = (self.operand(b), self.operand(c));
                Instruction::Select(self.take(), a, b, c)
            }
            Op::Constant(_) | Op::Time | Op::StepSize => unreachable!("these are uniform"),
        };
        let (Instruction::Fill(register, _)
        | Instruction::Load { register, .. }
        | Instruction::Unary(register, ..)
        | Instruction::Binary(register, ..)
        | Instruction::Fma(register, ..)
        | Instruction::Cubic { register, .. }
        | Instruction::Select(register, ..)
        | Instruction::Store(_, register)) = instruction;
        self.places[value as usize] = Place::Register(register);
        self.code.instructions.push(instruction);
    }
}

/// Which values are the same for all elements.
fn uniform(body: &Body) -> Vec<bool> {
    let mut uniform: Vec<bool> = Vec::with_capacity(body.values.len());
    for op in &body.values {
        uniform.push(match op {
            Op::Constant(_) | Op::Time | Op::StepSize => true,
            Op::Load { scalar, .. } | Op::Past { scalar, .. } => *scalar,
            op => operands(op).into_iter().all(|o| uniform[o as usize]),
        });
    }
    uniform
}

/// Which of the uniform values depend on the step: kernels that run several steps at once read no buffers that change.
fn changing(uniforms: &[Op]) -> Vec<u32> {
    let mut changes: Vec<bool> = Vec::with_capacity(uniforms.len());
    for op in uniforms {
        changes.push(*op == Op::Time || operands(op).into_iter().any(|o| changes[o as usize]));
    }
    (0..uniforms.len() as u32).filter(|at| changes[*at as usize]).collect()
}

/// A sum of two straight lines, one of them times a block.
struct Cubic {
    x: u32,
    y: u32,
    coefficients: [u32; 4],
    /// The values of the lines.
    lines: [u32; 2],
}

/// The values that are cubics whose lines nothing else reads.
fn cubics(body: &Body, uniform: &[bool]) -> Vec<Option<Cubic>> {
    let mut uses = vec![0u32; body.values.len()];
    let read = body.values.iter().flat_map(operands).chain(body.stores.iter().map(|store| store.1));
    read.for_each(|value| uses[value as usize] += 1);
    // (slope, x, offset)
    let line = |value: u32| match body.values[value as usize] {
        Op::Fma(a, b, c) if uses[value as usize] == 1 && uniform[c as usize] => {
            match (uniform[a as usize], uniform[b as usize]) {
                (true, false) => Some((a, b, c)),
                (false, true) => Some((b, a, c)),
                _ => None,
            }
        }
        _ => None,
    };
    let cubic = |op: &Op| {
        let Op::Fma(high, y, low) = *op else { return None };
        let ((c3, x, c2), (c1, other, c0)) = (line(high)?, line(low)?);
        let fits = x == other && !uniform[y as usize] && high != low && y != high && y != low;
        fits.then_some(Cubic { x, y, coefficients: [c0, c1, c2, c3], lines: [high, low] })
    };
    body.values.iter().map(cubic).collect()
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

fn renamed(op: &Op, at: impl Fn(u32) -> u32) -> Op {
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

    const LOAD: Op = Op::Load { buffer: 0, scalar: false };

    #[test]
    fn registers_are_reused_and_results_never_overwrite_operands() {
        let mut values = vec![LOAD];
        values.extend((0..20).map(|k| Op::Binary(Binary::Add, k, k)));
        values.push(Op::Unary(Unary::Neg, 20));
        let code = allocate(&Body { values, stores: vec![(1, 21)] });
        assert_eq!(code.registers, 2);
        for instruction in &code.instructions {
            if let Instruction::Binary(result, _, a, b) = instruction {
                assert!(![*a, *b].contains(&Operand::Register(*result)));
            }
        }
    }

    #[test]
    fn what_is_the_same_for_all_elements_is_no_block() {
        let values = vec![
            LOAD,
            Op::Load { buffer: 1, scalar: true },
            Op::Constant(2.0),
            Op::Binary(Binary::Mul, 1, 2),
            Op::Binary(Binary::Add, 3, 0),
            Op::Time,
            Op::Fma(2, 5, 4),
        ];
        let code = allocate(&Body { values, stores: vec![(0, 6), (2, 3)] });
        assert_eq!((code.uniforms.len(), &code.changing[..]), (4, &[3][..]));
        let expected = [
            Instruction::Load { register: 0, buffer: 0, back: None },
            Instruction::Binary(1, Binary::Add, Operand::Uniform(2), Operand::Register(0)),
            // The product of two numbers that are no blocks, rounded together with the sum.
            Instruction::Fill(0, 3),
            Instruction::Fma(2, 0, Operand::Uniform(1), Operand::Register(1)),
            Instruction::Store(0, 2),
        ];
        assert_eq!(code.instructions[..5], expected);
        assert!(
            matches!(code.instructions[5..], [Instruction::Fill(at, 2), Instruction::Store(2, from)] if at == from)
        );
    }

    #[test]
    fn two_lines_and_their_sum_are_one_instruction_unless_something_else_reads_a_line() {
        let mut values = vec![LOAD, Op::Binary(Binary::Mul, 0, 0)];
        values.extend((0..4).map(|k| Op::Constant(f64::from(k))));
        values.extend([Op::Fma(5, 0, 4), Op::Fma(3, 0, 2), Op::Fma(6, 1, 7)]);
        let code = allocate(&Body { values: values.clone(), stores: vec![(0, 8)] });
        assert_eq!(code.instructions.len(), 4);
        let cubic = Instruction::Cubic { register: 2, x: 0, y: 1, coefficients: [0, 1, 2, 3] };
        assert_eq!(code.instructions[2], cubic);
        let code = allocate(&Body { values, stores: vec![(0, 8), (1, 7)] });
        assert_eq!(code.instructions.len(), 7);
    }
}
