//! How far a device may be from the reference interpreter when all its operations keep what the W3C promises of WGSL.
//!
//! A running error analysis (N. Higham, "Accuracy and stability of numerical algorithms", section 3.3): with each number
//! goes a radius, and every operation carries the radii of its operands to that of its result and adds what the language
//! allows it to err. Elementary functions are single operations here, as each result of a formula is known to lie close to
//! the function, whichever way its range reduction went. The engine of this file hands out radii in place of numbers, so
//! that a run of it records how wide the recording of a device may be.
//!
//! Over many steps such bounds grow as if every rounding were the worst one. What roundings do to a whole run is seen in
//! samples: an engine that computes in single precision, where each operation errs by a random part of what it may (D. S.
//! Parker, "Monte Carlo arithmetic", UCLA CSD-970002, 1997). Each of its runs is one that the language allows.

#[path = "random.rs"]
mod random;

use std::cell::RefCell;

use nullcline::compiler::ir::prim::{Prim, arith};
use nullcline::compiler::kernel::ir::{Body, BufferId, Index, Module, Phase, Precision, Stmt, ValueOp};
use nullcline::compiler::kernel::target::Target;
use nullcline::runtime::artifact::{DeviceError, Executable, Phase as RunPhase};

use random::Random;

/// Has every function, so that none is expanded.
pub static WHOLE: Target = Target {
    name: "bounds",
    subnormals: &[],
    floats: &[Precision::F32, Precision::F64],
    has: |_| true,
    shares_weights: false,
    crosses: |_| true,
    strict: true,
};

/// A number and how far the device's may be from it.
#[derive(Clone, Copy)]
struct Near {
    value: f64,
    radius: f64,
}

/// Units in the last place by which an operation of the device and one of the interpreter may differ, when their operands
/// are the same. W3C, "WebGPU Shading Language", section 15.7.4: `+ - *` are correctly rounded, where the direction is left
/// open (1, the interpreter 1/2); a quotient errs by 2.5 (the interpreter 1/2); a root as `1 / inverseSqrt`, by 2 and 2.5;
/// a fused product may be rounded twice. Comparisons, choices and roundings to whole numbers are exact.
fn units(prim: &Prim) -> f64 {
    if [&arith::ADD, &arith::SUB, &arith::MUL].contains(&prim) {
        1.5
    } else if *prim == arith::DIV {
        3.0
    } else if *prim == arith::SQRT {
        5.0
    } else if arith::ROWS.contains(&prim) && *prim != arith::REM {
        0.0
    } else {
        ELEMENTARY
    }
}

/// The same for elementary functions by our formulas; `tests/devices.rs` measures every one of them on the device.
pub const ELEMENTARY: f64 = 8.0;

/// The engine that computes bounds.
pub struct Bounds {
    module: Module,
    memory: Vec<Vec<Near>>,
    /// Relative size of a unit in the last place, and the size of numbers that may be taken for 0.
    unit: f64,
    smallest: f64,
    /// Chances, where numbers err at random and radii stay 0.
    chance: Option<RefCell<Random>>,
}

impl Bounds {
    /// Hands out numbers as a device might compute them in single precision; the seed says which.
    #[allow(dead_code)] // not every test program samples
    pub fn sample(module: Module, seed: u64) -> Bounds {
        assert!(module.precision == Precision::F32);
        Bounds { chance: Some(RefCell::new(Random(seed))), ..Bounds::new(module) }
    }

    pub fn new(module: Module) -> Bounds {
        let (unit, smallest) = match module.precision {
            Precision::F32 => (f64::from(f32::EPSILON), f64::from(f32::MIN_POSITIVE)),
            Precision::F64 => (f64::EPSILON, f64::MIN_POSITIVE),
        };
        let zero = Near { value: 0.0, radius: 0.0 };
        let buffers = module.buffers.iter().enumerate();
        let memory = buffers.map(|(i, b)| vec![zero; b.len * module.slots(BufferId(i as u32))]).collect();
        let mut bounds = Bounds { module, memory, unit, smallest, chance: None };
        for (buffer, values) in bounds.module.initial.clone() {
            for i in 0..bounds.memory[buffer.index()].len() {
                bounds.memory[buffer.index()][i] = bounds.exact(values.at(i));
            }
        }
        bounds
    }

    fn exact(&self, value: f64) -> Near {
        Near { value: self.round(value), radius: 0.0 }
    }

    fn round(&self, value: f64) -> f64 {
        if self.module.precision == Precision::F32 { f64::from(value as f32) } else { value }
    }

    fn rounding(&self, units: f64, value: f64) -> f64 {
        if units == 0.0 { 0.0 } else { units * self.unit * value.abs() + self.smallest }
    }

    /// A result that the language allows, in single precision.
    fn allowed(&self, prim: &Prim, values: &[f64], chance: &mut Random) -> f64 {
        if *prim == arith::FMA {
            let product = values[0] * values[1];
            let product = if chance.next() & 1 == 0 { product } else { self.beside(product, chance) };
            return self.beside(product + values[2], chance);
        }
        let units = units(prim);
        if units == 0.0 {
            return prim.evaluate(values, true);
        }
        let value = (prim.eval)(values);
        // The units count half a one of the interpreter, and rounding to either side takes one.
        let error = (units - 1.5) * self.unit * value.abs() * (2.0 * chance.unit() - 1.0);
        self.beside(if error.is_finite() { value + error } else { value }, chance)
    }

    /// One of the two numbers of the format around a number; those below the normal ones are flushed.
    fn beside(&self, value: f64, chance: &mut Random) -> f64 {
        let near = value as f32;
        let other = if f64::from(near) < value { near.next_up() } else { near.next_down() };
        let exact = f64::from(near) == value || !near.is_finite();
        let round = f64::from(if exact || chance.next() & 1 == 0 { near } else { other });
        if round.abs() < self.smallest { 0.0 } else { round }
    }

    fn call(&self, prim: &Prim, args: &[Near]) -> Near {
        let single = self.module.precision == Precision::F32;
        let values: Vec<f64> = args.iter().map(|a| a.value).collect();
        if let Some(chance) = &self.chance {
            return Near { value: self.allowed(prim, &values, &mut chance.borrow_mut()), radius: 0.0 };
        }
        let value = prim.evaluate(&values, single);
        let known = |a: &Near| a.radius == 0.0 || a.value.abs() > a.radius;
        let apart = |a: &Near, b: &Near| (a.value - b.value).abs() > a.radius + b.radius;
        let radius = if *prim == arith::FMA {
            let [a, b, c] = args else { unreachable!() };
            let carried = product(a, b) + c.radius;
            carried + self.rounding(1.0, a.value * b.value) + self.rounding(1.5, value)
        } else if *prim == arith::ADD || *prim == arith::SUB {
            // A sum that is a number of the format is exact.
            let radius = args[0].radius + args[1].radius;
            let sum = if *prim == arith::ADD { values[0] + values[1] } else { values[0] - values[1] };
            if radius == 0.0 && sum == value { 0.0 } else { radius + self.rounding(units(prim), value) }
        } else if *prim == arith::MUL {
            product(&args[0], &args[1]) + self.rounding(units(prim), value)
        } else if *prim == arith::DIV {
            let [a, b] = args else { unreachable!() };
            let least = b.value.abs() - b.radius;
            let carried = if b.radius == 0.0 && a.radius == 0.0 {
                0.0
            } else if least > 0.0 {
                (a.radius + value.abs() * b.radius) / least
            } else {
                f64::INFINITY
            };
            carried + self.rounding(units(prim), value)
        } else if *prim == arith::SELECT {
            let [c, a, b] = args else { unreachable!() };
            let (chosen, other) = if c.value != 0.0 { (a, b) } else { (b, a) };
            if known(c) { chosen.radius } else { chosen.radius.max((a.value - b.value).abs() + other.radius) }
        } else if *prim == arith::EQ || *prim == arith::NE {
            let certain = args.iter().all(|a| a.radius == 0.0) || apart(&args[0], &args[1]);
            if certain { 0.0 } else { 1.0 }
        } else if [&arith::AND, &arith::OR, &arith::NOT].contains(&prim) {
            if args.iter().all(known) { 0.0 } else { 1.0 }
        } else {
            self.corners(prim, args, value)
        };
        Near { value, radius: if radius.is_nan() { f64::INFINITY } else { radius } }
    }

    /// How far a function that is monotone, or smooth, moves when its arguments do.
    fn corners(&self, prim: &Prim, args: &[Near], value: f64) -> f64 {
        if args.iter().any(|a| !a.radius.is_finite()) {
            return f64::INFINITY;
        }
        let mut furthest = 0f64;
        for corner in 0..1 << args.len() {
            let moved = |(i, a): (usize, &Near)| a.value + if corner >> i & 1 == 0 { -a.radius } else { a.radius };
            let at: Vec<f64> = args.iter().enumerate().map(moved).collect();
            let distance = ((prim.eval)(&at) - value).abs();
            furthest = furthest.max(if distance.is_nan() { f64::INFINITY } else { distance });
        }
        // Between the corners a smooth function of a small neighbourhood leaves their range by its curvature only.
        let curvature = if units(prim) == 0.0 { 0.0 } else { args.iter().map(|a| a.radius * a.radius).sum() };
        furthest + curvature + self.rounding(units(prim), value.abs() + furthest)
    }

    fn couple(&self, connection: usize, element: usize, past: impl Fn(usize, u32) -> Near) -> Near {
        let connection = &self.module.connections[connection];
        let mut sum = Near { value: 0.0, radius: 0.0 };
        for entry in connection.starts[element] as usize..connection.starts[element + 1] as usize {
            let weight = self.exact(connection.weights.at(entry));
            let delay = connection.delays.as_ref().map_or(0, |delays| delays[entry]);
            let from = past(connection.sources[entry] as usize, delay);
            sum = self.call(&arith::FMA, &[weight, from, sum]);
        }
        sum
    }

    /// Targets get the weights of the sources that may have sent; a spike that rounding decides widens the radius by one.
    fn deliver(&mut self, fanout: usize, spikes: BufferId, factor: Option<BufferId>, target: BufferId) {
        let fanout = self.module.fanouts[fanout].clone();
        for source in 0..fanout.starts.len() - 1 {
            let spike = self.memory[spikes.index()][source];
            if spike.value == 0.0 && spike.radius == 0.0 {
                continue;
            }
            let factor = factor.map_or(Near { value: 1.0, radius: 0.0 }, |f| self.memory[f.index()][source]);
            for entry in fanout.starts[source] as usize..fanout.starts[source + 1] as usize {
                let weight = self.exact(fanout.weights.at(entry));
                let at = fanout.targets[entry] as usize;
                let before = self.memory[target.index()][at];
                let sent = self.call(&arith::FMA, &[weight, factor, before]);
                let doubt = if spike.radius > 0.0 { (sent.value - before.value).abs() } else { 0.0 };
                let after = if spike.value != 0.0 { sent } else { before };
                self.memory[target.index()][at] = Near { value: after.value, radius: sent.radius + doubt };
            }
        }
    }

    fn past(&self, buffer: BufferId, element: usize, step: u64, steps: u32) -> Near {
        let ring = self.module.slots(buffer) as u64;
        let slot = ((step + ring - u64::from(steps)) % ring) as usize;
        self.memory[buffer.index()][slot * self.module.buffers[buffer.index()].len + element]
    }

    fn body(&mut self, body: &[Stmt], element: usize, step: u64, dt: f64) {
        let mut values: Vec<Near> = Vec::new();
        let at = |index: &Index| if *index == Index::Zero { 0 } else { element };
        for stmt in body {
            match stmt {
                Stmt::Let(_, op) => values.push(match op {
                    ValueOp::Constant(value) => self.exact(*value),
                    ValueOp::Time => self.exact(step as f64 * dt),
                    ValueOp::StepSize => self.exact(dt),
                    ValueOp::Load { buffer, index } => self.memory[buffer.index()][at(index)],
                    ValueOp::Past { buffer, index, steps } => self.past(*buffer, at(index), step, *steps),
                    ValueOp::Call(prim, args) => {
                        let args: Vec<Near> = args.iter().map(|a| values[a.index()]).collect();
                        self.call(prim, &args)
                    }
                }),
                Stmt::Store(buffer, value) => {
                    let ring = self.module.slots(*buffer) as u64;
                    let slot = (step % ring) as usize * self.module.buffers[buffer.index()].len;
                    self.memory[buffer.index()][slot + element] = values[value.index()];
                }
            }
        }
    }
}

fn product(a: &Near, b: &Near) -> f64 {
    let times = |x: f64, y: f64| if x == 0.0 || y == 0.0 { 0.0 } else { x * y };
    times(a.value.abs(), b.radius) + times(b.value.abs(), a.radius) + times(a.radius, b.radius)
}

impl Executable for Bounds {
    fn engine(&self) -> &str {
        "bounds"
    }

    fn device(&self) -> &str {
        "cpu"
    }

    fn write(&mut self, buffer: usize, first: usize, values: &[f64]) -> Result<(), DeviceError> {
        for (i, value) in values.iter().enumerate() {
            self.memory[buffer][first + i] = self.exact(*value);
        }
        Ok(())
    }

    fn read(&self, buffer: usize, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        out.clear();
        let number = |near: &Near| if self.chance.is_some() { near.value } else { near.radius };
        out.extend(self.memory[buffer].iter().map(number));
        Ok(())
    }

    fn run(&mut self, phase: RunPhase, step: u64, dt: f64) -> Result<(), DeviceError> {
        let phase: Phase = phase;
        let kernels = std::mem::take(&mut self.module.kernels);
        for kernel in self.module.phase(phase).to_vec().into_iter().map(|at| &kernels[at]) {
            match &kernel.body {
                Body::Pointwise(body) => (0..kernel.extent).for_each(|element| self.body(body, element, step, dt)),
                Body::Take { table, source, target } => {
                    for (element, from) in self.module.tables[*table].clone().iter().enumerate() {
                        self.memory[target.index()][element] = self.memory[source.index()][*from as usize];
                    }
                }
                Body::Couple { connection, source, target } => {
                    let from = |element: usize, _| self.memory[source.index()][element];
                    let sums = (0..kernel.extent).map(|element| self.couple(*connection, element, from));
                    let sums: Vec<Near> = sums.collect();
                    self.memory[target.index()][..sums.len()].copy_from_slice(&sums);
                }
                Body::Convolve { .. } => unreachable!("devices get lists of connections"),
                Body::CouplePast { connection, history, current, target } => {
                    let from = |element: usize, delay: u32| match current {
                        Some(current) if delay == 0 => self.memory[current.index()][element],
                        _ => self.past(*history, element, step, delay),
                    };
                    let sums = (0..kernel.extent).map(|element| self.couple(*connection, element, from));
                    let sums: Vec<Near> = sums.collect();
                    self.memory[target.index()][..sums.len()].copy_from_slice(&sums);
                }
                Body::Deliver { fanout, spikes, factor, target } => self.deliver(*fanout, *spikes, *factor, *target),
            }
        }
        self.module.kernels = kernels;
        Ok(())
    }
}
