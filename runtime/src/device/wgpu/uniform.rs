//! The blocks of numbers that launches are told, one behind the other in one buffer.

use crate::code::{Artifact, Quantity};
use crate::program::Precision;

/// What one launch is told.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tick {
    /// Number of the step.
    pub step: u64,
    /// Number of steps.
    pub count: u32,
    /// Its row of samples.
    pub row: u32,
    /// Seed of random numbers.
    pub seed: u64,
    /// The step size.
    pub dt: f64,
}

/// Blocks being written.
pub struct Blocks {
    bytes: Vec<u8>,
    stride: usize,
}

impl Blocks {
    /// No blocks yet; each will begin `stride` bytes behind the one before.
    pub fn new(stride: u32) -> Blocks {
        Blocks { bytes: Vec::new(), stride: stride as usize }
    }

    /// Adds what an entry of a model is told, and returns where it begins.
    pub fn tick(&mut self, artifact: &Artifact, tick: &Tick) -> u32 {
        let start = self.begin();
        for uniform in &artifact.uniforms {
            let number = match uniform.quantity {
                Quantity::Step => tick.step as u32,
                Quantity::Count => tick.count,
                Quantity::Row => tick.row,
                Quantity::SeedLow => tick.seed as u32,
                Quantity::SeedHigh => (tick.seed >> 32) as u32,
                Quantity::Zero => 0,
                Quantity::StepSize => {
                    self.put(start + uniform.offset, &number(tick.dt, artifact.precision));
                    continue;
                }
            };
            self.put(start + uniform.offset, &number.to_le_bytes());
        }
        start as u32
    }

    /// Adds a block of integers.
    pub fn integers(&mut self, integers: &[u32]) -> u32 {
        let start = self.begin();
        for (i, integer) in integers.iter().enumerate() {
            self.put(start + 4 * i, &integer.to_le_bytes());
        }
        start as u32
    }

    /// The bytes of all blocks.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn begin(&mut self) -> usize {
        let start = self.bytes.len();
        self.bytes.resize(start + self.stride, 0);
        start
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

/// The bytes of a number.
pub fn number(value: f64, precision: Precision) -> Vec<u8> {
    match precision {
        Precision::F32 => (value as f32).to_le_bytes().to_vec(),
        Precision::F64 => value.to_le_bytes().to_vec(),
    }
}

/// The bytes of numbers.
pub fn numbers(values: impl IntoIterator<Item = f64>, precision: Precision) -> Vec<u8> {
    let values = values.into_iter();
    match precision {
        Precision::F32 => values.flat_map(|v| (v as f32).to_le_bytes()).collect(),
        Precision::F64 => values.flat_map(f64::to_le_bytes).collect(),
    }
}

/// Appends the numbers that bytes hold.
pub fn read_numbers(bytes: &[u8], precision: Precision, out: &mut Vec<f64>) {
    // Chunks have the length they are asked for.
    match precision {
        Precision::F32 => out.extend(bytes.as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b)))),
        Precision::F64 => out.extend(bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b))),
    }
}

/// Size of a number.
pub fn size(precision: Precision) -> usize {
    if precision == Precision::F64 { 8 } else { 4 }
}
