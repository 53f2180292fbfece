//! Recording without leaving the machine code.
//!
//! Where all steps run inside the code, what is observed is computed there too: every so many steps the values of a row go
//! to a block of rows, each observed buffer at its place.

use std::collections::HashMap;
use std::ops::Range;

use super::code::{Outlet, Places, generate};
use super::kernel::Code;
use super::sequence::{of_operation, with_operands};
use super::shape;
use crate::artifact::{DeviceError, Layout, Phase, Role, Rows, Stretch};
use crate::engine::{Memory, Real};
use crate::program::{Body, Kernel, Op, Precision, Program};

/// Elements of a block of rows: half a megabyte, which the second-level cache holds.
const BLOCK: usize = 1 << 16;
/// With fewer rows in a block than this, a call for each row costs nothing to speak of.
const FEWEST_ROWS: usize = 8;
/// Buffers of several elements start at multiples of this many bytes: the most that one turn of a loop covers.
const TURN: usize = 256;

/// What is needed to make a [`Recorder`].
pub struct Recordable {
    layout: Layout,
    precision: Precision,
    avx512: bool,
    /// The kernels of the step with their extents.
    steps: Vec<(usize, Body)>,
    /// Those of the observe phase that are straight-line code.
    observe: Vec<(usize, Body)>,
    /// Buffers written in the observe phase.
    observed: Vec<u32>,
}

/// The step's kernels with all steps and the recording of some buffers inside.
pub struct Recorder<T> {
    /// What it can record, ascending.
    buffers: Vec<usize>,
    codes: Vec<Code>,
    /// First element of each of them in a row.
    firsts: Vec<usize>,
    /// Elements of a row.
    row: usize,
    block: Vec<T>,
}

impl Recordable {
    /// Keeps what is needed of a program, the kernels of whose step are `steps`.
    pub fn new(program: &Program, steps: &[(usize, &Body)], avx512: bool) -> Recordable {
        let (mut observe, mut observed) = (Vec::new(), Vec::new());
        for kernel in program.phase(Phase::Observe) {
            match &program.kernels[*kernel as usize] {
                Kernel::Pointwise { extent, body } => {
                    observed.extend(body.stores.iter().map(|s| s.0));
                    observe.push((*extent, body.clone()));
                }
                Kernel::Take { target, .. }
                | Kernel::Couple { target, .. }
                | Kernel::Convolve { target, .. }
                | Kernel::CouplePast { target, .. }
                | Kernel::Deliver { target, .. } => observed.push(*target),
            }
        }
        Recordable {
            layout: program.layout.clone(),
            precision: program.precision,
            avx512,
            steps: steps.iter().map(|(extent, body)| (*extent, (*body).clone())).collect(),
            observe,
            observed,
        }
    }

    /// Makes the code for recording these buffers, which are distinct and ascending; `None` where one needs more than the state of its own element, or where
    /// rows are so long that it does not pay.
    pub fn recorder<T: Real>(
        &self,
        buffers: &[usize],
        places: &dyn Places,
    ) -> Result<Option<Recorder<T>>, DeviceError> {
        let mut bodies: Vec<Merged> = self.steps.iter().map(|_| Merged::default()).collect();
        for buffer in buffers {
            let Some((kernel, body)) = self.source(*buffer as u32) else { return Ok(None) };
            bodies[kernel].add(&body, *buffer as u32);
        }
        let (mut firsts, mut offsets, mut row) = (Vec::new(), HashMap::new(), 0);
        for buffer in buffers {
            let len = self.layout.buffers[*buffer].len;
            firsts.push(row);
            offsets.insert(*buffer as u32, (row * T::BYTES) as i32);
            row += if len == 1 { 1 } else { (len * T::BYTES).next_multiple_of(TURN) / T::BYTES };
            if row * FEWEST_ROWS > BLOCK {
                return Ok(None);
            }
        }
        let bytes = row * T::BYTES;
        let mut codes = Vec::new();
        for ((extent, step), observed) in self.steps.iter().zip(bodies) {
            let shape = shape::<T>(self.precision, self.avx512, *extent, step, true);
            let outlet = Outlet { body: observed.body, offsets: offsets.clone(), row: bytes as i32 };
            codes.push(Code::new::<T>(generate(step, shape, places, Some(&outlet)), *extent, shape, bytes)?);
        }
        Ok(Some(Recorder { buffers: buffers.to_vec(), codes, firsts, row, block: Vec::new() }))
    }

    /// The step's kernel in which a buffer can be observed, and how.
    fn source(&self, buffer: u32) -> Option<(usize, Body)> {
        let advances = |kernel: &Body, buffer: u32| kernel.stores.iter().any(|s| s.0 == buffer);
        if let Some(kernel) = self.steps.iter().position(|(_, body)| advances(body, buffer)) {
            let body = Body { values: vec![Op::Load { buffer, scalar: false }], stores: vec![(buffer, 0)] };
            return Some((kernel, body));
        }
        let (extent, body) = self.observe.iter().find(|(_, body)| advances(body, buffer))?;
        let reads_only = |states: &Body, op: &Op| match op {
            Op::Past { .. } => false,
            Op::Load { buffer, scalar } if self.layout.buffers[*buffer as usize].role == Role::State => {
                // A state that no step changes is a number like any other.
                advances(states, *buffer) && (!scalar || *extent == 1)
                    || !self.steps.iter().any(|(_, b)| advances(b, *buffer))
            }
            Op::Load { buffer, .. } => !self.observed.contains(buffer),
            _ => true,
        };
        let fits = |(n, states): &(usize, Body)| n == extent && body.values.iter().all(|op| reads_only(states, op));
        let kernel = self.steps.iter().position(fits)?;
        let own = |op: &Op| match op {
            Op::Load { buffer, .. } if advances(&self.steps[kernel].1, *buffer) => {
                Op::Load { buffer: *buffer, scalar: false }
            }
            op => *op,
        };
        Some((kernel, Body { values: body.values.iter().map(own).collect(), stores: body.stores.clone() }))
    }
}

/// Several bodies as one; each buffer is read once.
#[derive(Default)]
struct Merged {
    body: Body,
    loads: HashMap<(u32, bool), u32>,
}

impl Merged {
    /// Adds what a body computes for a buffer.
    fn add(&mut self, other: &Body, buffer: u32) {
        let mut renamed: Vec<u32> = Vec::with_capacity(other.values.len());
        for op in &other.values {
            let known = match op {
                Op::Load { buffer, scalar } => self.loads.get(&(*buffer, *scalar)).copied(),
                _ => None,
            };
            renamed.push(known.unwrap_or_else(|| {
                let (_, mut read) = of_operation(op);
                read.iter_mut().for_each(|r| *r = renamed.get(*r as usize).copied().unwrap_or(0));
                self.body.values.push(with_operands(op, read));
                let at = self.body.values.len() as u32 - 1;
                if let Op::Load { buffer, scalar } = op {
                    self.loads.insert((*buffer, *scalar), at);
                }
                at
            }));
        }
        let stores = other.stores.iter().filter(|s| s.0 == buffer);
        self.body.stores.extend(stores.map(|(buffer, value)| (*buffer, renamed[*value as usize])));
    }
}

impl<T: Real> Recorder<T> {
    /// Appends rows of its buffers to `out` and runs the steps that follow each; see [`Executable::record`](crate::artifact::Executable).
    pub fn record(&mut self, memory: &mut Memory<T>, rows: &Rows<'_>, dt: f64, out: &mut Vec<f64>) {
        let run = |Stretch { buffer, elements }: &Stretch| {
            let at = self.buffers.binary_search(buffer).expect("the recorder was made for these buffers");
            self.firsts[at] + elements.start..self.firsts[at] + elements.end
        };
        let runs: Vec<Range<usize>> = rows.places.stretches().iter().map(run).collect();
        let most = (BLOCK / self.row) as u64;
        let mut done = 0;
        while done < rows.count {
            let count = (rows.count - done).min(most);
            self.block.resize(count as usize * self.row, T::default());
            let step = rows.first + done * rows.every;
            for code in &mut self.codes {
                code.record(memory, step, dt, rows.every, &mut self.block);
            }
            for row in self.block.chunks_exact(self.row) {
                for run in &runs {
                    out.extend(row[run.clone()].iter().map(|v| v.to_f64()));
                }
            }
            done += count;
        }
    }
}
