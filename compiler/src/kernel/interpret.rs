//! The reference interpreter: every engine and device is compared with it. It is meant to be obviously right, not fast.

use super::flush;
use super::ir::{Body, BufferId, Index, Kernel, Module, Phase, Precision, Stmt, ValueOp};
use crate::ir::prim::{Prim, arith};
use crate::ir::system::Connection;

/// A module being interpreted. Numbers are kept in double precision and rounded to the module's after each operation; those
/// below the normal ones are flushed to zero (see [`super::flush`]), unless the module keeps them.
#[derive(Clone, Debug)]
pub struct Interpreter {
    module: Module,
    /// Contents of each buffer, slot after slot.
    memory: Vec<Vec<f64>>,
    /// Ring length of each buffer.
    slots: Vec<usize>,
    /// Values of the pointwise body being run.
    values: Vec<f64>,
}

impl Interpreter {
    /// Allocates and initialises the buffers.
    pub fn new(module: Module) -> Interpreter {
        let slots: Vec<usize> = (0..module.buffers.len()).map(|b| module.slots(BufferId(b as u32))).collect();
        let mut memory: Vec<Vec<f64>> = module.buffers.iter().zip(&slots).map(|(b, s)| vec![0.0; b.len * s]).collect();
        for (buffer, values) in &module.initial {
            for (i, cell) in memory[buffer.index()].iter_mut().enumerate() {
                *cell = number(values.at(i), &module);
            }
        }
        Interpreter { module, memory, slots, values: Vec::new() }
    }

    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The contents of a buffer.
    pub fn read(&self, buffer: BufferId) -> &[f64] {
        &self.memory[buffer.index()]
    }

    /// Replaces part of a buffer's contents.
    pub fn write(&mut self, buffer: BufferId, first: usize, values: &[f64]) {
        for (cell, value) in self.memory[buffer.index()][first..].iter_mut().zip(values) {
            *cell = number(*value, &self.module);
        }
    }

    /// Runs the kernels of a phase at the given step.
    pub fn run(&mut self, phase: Phase, step: u64, dt: f64) {
        let order: Vec<usize> = self.module.phase(phase).to_vec();
        let module = std::mem::replace(&mut self.module, Module::empty(String::new(), Precision::F64));
        for index in order {
            self.run_kernel(&module, &module.kernels[index], step, dt);
        }
        self.module = module;
    }

    fn run_kernel(&mut self, module: &Module, kernel: &Kernel, step: u64, dt: f64) {
        match &kernel.body {
            Body::Pointwise(body) => {
                for element in 0..kernel.extent {
                    self.run_body(module, body, element, step, dt);
                }
            }
            Body::Take { table, source, target } => {
                for (element, from) in module.tables[*table].iter().enumerate() {
                    self.memory[target.index()][element] = self.memory[source.index()][*from as usize];
                }
            }
            Body::Couple { connection, source, target } => {
                let connection = &module.connections[*connection];
                let rows = connection.starts.len() - 1;
                for element in 0..kernel.extent {
                    let (member, row) = (element / rows, element % rows);
                    let entries = connection.starts[row] as usize..connection.starts[row + 1] as usize;
                    let mut sum = 0.0;
                    for entry in entries {
                        let weight = number(connection.weights.at(entry), module);
                        let from = member * connection.stride as usize + connection.sources[entry] as usize;
                        let value = self.memory[source.index()][from];
                        sum = operation(&arith::FMA, &[weight, value, sum], module);
                    }
                    self.memory[target.index()][element] = sum;
                }
            }
            Body::Convolve { convolution, source, target } => {
                let convolution = &module.convolutions[*convolution];
                let window = &convolution.window;
                for element in 0..kernel.extent {
                    let (member, unit) = (element / window.targets(), element % window.targets());
                    let mut sum = 0.0;
                    for tap in 0..window.taps() {
                        let weight = convolution.weights[window.weight(unit, tap)];
                        if let (Some(from), true) = (window.read(unit, tap), weight != 0.0) {
                            let value = self.memory[source.index()][member * window.sources() + from];
                            sum = operation(&arith::FMA, &[number(weight, module), value, sum], module);
                        }
                    }
                    self.memory[target.index()][element] = sum;
                }
            }
            Body::CouplePast { connection, history, current, target } => {
                let connection = &module.connections[*connection];
                for element in 0..kernel.extent {
                    let entries = connection.starts[element] as usize..connection.starts[element + 1] as usize;
                    let mut sum = 0.0;
                    for entry in entries {
                        let weight = number(connection.weights.at(entry), module);
                        let (delay, source) = (delay(connection, entry), connection.sources[entry] as usize);
                        let value = match current {
                            Some(current) if delay == 0 => self.memory[current.index()][source],
                            _ => self.past(module, *history, source, step, delay),
                        };
                        sum = operation(&arith::FMA, &[weight, value, sum], module);
                    }
                    self.memory[target.index()][element] = sum;
                }
            }
            Body::Deliver { fanout, spikes, factor, target } => {
                let fanout = &module.fanouts[*fanout];
                for source in 0..fanout.starts.len() - 1 {
                    if self.memory[spikes.index()][source] == 0.0 {
                        continue;
                    }
                    for entry in fanout.starts[source] as usize..fanout.starts[source + 1] as usize {
                        let weight = number(fanout.weights.at(entry), module);
                        let factor = factor.map(|f| self.memory[f.index()][source]);
                        let cell = &mut self.memory[target.index()][fanout.targets[entry] as usize];
                        *cell = match factor {
                            Some(factor) => operation(&arith::FMA, &[weight, factor, *cell], module),
                            None => operation(&arith::ADD, &[*cell, weight], module),
                        };
                    }
                }
            }
        }
    }

    /// An element of the slot of a history that was written `steps` steps before `step`.
    fn past(&self, module: &Module, buffer: BufferId, element: usize, step: u64, steps: u32) -> f64 {
        let ring = self.slots[buffer.index()] as u64;
        let slot = ((step + ring - u64::from(steps)) % ring) as usize;
        self.memory[buffer.index()][slot * module.buffers[buffer.index()].len + element]
    }

    fn run_body(&mut self, module: &Module, body: &[Stmt], element: usize, step: u64, dt: f64) {
        self.values.clear();
        for stmt in body {
            match stmt {
                Stmt::Let(_, op) => {
                    let value = match op {
                        ValueOp::Constant(value) => number(*value, module),
                        ValueOp::Time => number(step as f64 * flush::number(dt, Precision::F64), module),
                        ValueOp::StepSize => number(dt, module),
                        ValueOp::Load { buffer, index } => self.memory[buffer.index()][at(*index, element)],
                        ValueOp::Past { buffer, index, steps } => {
                            self.past(module, *buffer, at(*index, element), step, *steps)
                        }
                        ValueOp::Call(prim, args) => {
                            // Arity is at most three, see the tests of the function table.
                            let mut operands = [0.0; 3];
                            for (operand, arg) in operands.iter_mut().zip(args) {
                                *operand = self.values[arg.index()];
                            }
                            operation(prim, &operands[..args.len()], module)
                        }
                    };
                    self.values.push(value);
                }
                Stmt::Store(buffer, value) => {
                    let ring = self.slots[buffer.index()] as u64;
                    let slot = (step % ring) as usize;
                    let len = module.buffers[buffer.index()].len;
                    self.memory[buffer.index()][slot * len + element] = self.values[value.index()];
                }
            }
        }
    }
}

/// A number as the module's kernels see it.
fn number(value: f64, module: &Module) -> f64 {
    match (module.subnormals, module.precision) {
        (false, precision) => flush::number(value, precision),
        (true, Precision::F32) => f64::from(value as f32),
        (true, Precision::F64) => value,
    }
}

/// The result of an operation of the module.
fn operation(prim: &Prim, args: &[f64], module: &Module) -> f64 {
    match module.subnormals {
        false => flush::operation(prim, args, module.precision),
        true => prim.evaluate(args, module.precision == Precision::F32),
    }
}

fn at(index: Index, element: usize) -> usize {
    match index {
        Index::Element => element,
        Index::Zero => 0,
    }
}

/// The delay of an entry in steps.
fn delay(connection: &Connection, entry: usize) -> u32 {
    connection.delays.as_ref().map_or(0, |delays| delays[entry])
}
