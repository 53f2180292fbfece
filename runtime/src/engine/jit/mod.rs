//! The just-in-time engine: writes machine code for each kernel (x86-64 with AVX2 and FMA, or AVX-512).
//!
//! Straight-line kernels become loops over vectors. Kernels that do not exchange values between elements run all steps of
//! a call inside, with the state in registers.

mod allocate;
mod assembler;
mod code;
mod executable;
mod liveness;
mod operations;
mod pack;
mod pool;
mod sequence;
mod table;

use std::collections::HashSet;

use rayon::prelude::*;

use super::coupling::Coupling;
use super::{Memory, Real};
use crate::artifact::{DeviceError, Executable as Loaded, Feeds, Layout, Phase, Role, Spike};
use crate::program::{Body, Kernel, Op, Precision, Program};
use assembler::Width;
use code::{Generated, Places, SLOT, Shape, generate};
use executable::Executable;
use pool::{Entry, bits};

/// Whether this machine has the instructions.
pub fn is_available() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

/// Whether this machine has the 512-bit instructions.
pub fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("avx512vl")
}

/// Loads a program.
pub fn load(program: &Program) -> Result<Box<dyn Loaded>, DeviceError> {
    load_for(program, has_avx512())
}

/// Loads a program with or without AVX-512.
pub fn load_for(program: &Program, avx512: bool) -> Result<Box<dyn Loaded>, DeviceError> {
    if !is_available() {
        return Err(DeviceError("the jit engine needs a processor with AVX2 and FMA".to_string()));
    }
    Ok(match program.precision {
        Precision::F32 => Box::new(JitEngine::<f32>::new(program, avx512)?),
        Precision::F64 => Box::new(JitEngine::<f64>::new(program, avx512)?),
    })
}

/// Instructions below which threads cost more than they save: some 30 microseconds of work.
const FEWEST_FOR_THREADS: u64 = 1 << 18;

/// The start of the buffers, for several threads.
#[derive(Clone, Copy)]
struct Shared(*mut u8);

// SAFETY: the threads it goes to touch disjoint bytes, see `Code::run`.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    fn get(&self) -> *mut u8 {
        self.0
    }
}

/// A program in the just-in-time engine.
struct JitEngine<T: Real> {
    memory: Memory<T>,
    kernels: Vec<Prepared<T>>,
    phases: [Vec<u32>; 4],
    /// The step's kernels with all steps inside, if none reads what another one stores.
    fused: Option<Vec<Code>>,
}

enum Prepared<T> {
    Pointwise(Code),
    Coupling(Coupling<T>),
}

/// Code with its pool.
struct Code {
    executable: Executable,
    /// Bytes of all elements of a buffer, and those that one turn of the loop covers.
    bytes: usize,
    turn: usize,
    /// Number of values computed per turn and step.
    values: usize,
    entries: Vec<Entry>,
    pool: Vec<PoolSlot>,
    /// Entries that are not numbers known beforehand.
    variable: Vec<usize>,
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct PoolSlot([u8; SLOT]);

struct Offsets<'a, T> {
    memory: &'a Memory<T>,
    layout: &'a Layout,
}

impl<T: Real> Places for Offsets<'_, T> {
    fn offset(&self, buffer: u32) -> i32 {
        // `new` has checked that all buffers lie within the range of displacements.
        (self.memory.place(buffer as usize, 0).start * T::BYTES) as i32
    }

    fn is_ring(&self, buffer: u32) -> bool {
        self.layout.buffers[buffer as usize].role == Role::History
    }
}

impl<T: Real> JitEngine<T> {
    fn new(program: &Program, avx512: bool) -> Result<JitEngine<T>, DeviceError> {
        let memory = Memory::<T>::new(program)?;
        // Displacements are 32 bits, and vectors reach past the end by less than this.
        const REACH: usize = i32::MAX as usize - (1 << 20);
        if size_of_val(memory.all()) > REACH {
            return Err(DeviceError("the model's buffers exceed 2 GiB; use `--engine block`".to_string()));
        }
        let places = Offsets { memory: &memory, layout: &program.layout };
        let make = |extent: usize, body: &Body, fused: bool| {
            let shape = shape::<T>(program.precision, avx512, extent, body, fused);
            Code::new::<T>(generate(body, shape, &places), extent, shape)
        };
        let mut kernels = Vec::new();
        for kernel in &program.kernels {
            kernels.extend(match kernel {
                Kernel::Pointwise { extent, body } => Some(Prepared::Pointwise(make(*extent, body, false)?)),
                _ => Coupling::new(kernel).map(Prepared::Coupling),
            });
        }
        let fused = match independent(program) {
            Some(bodies) => Some(bodies.into_iter().map(|(n, body)| make(n, body, true)).collect::<Result<_, _>>()?),
            None => None,
        };
        Ok(JitEngine { memory, kernels, phases: program.phases.clone(), fused })
    }

    fn run_kernel(&mut self, index: usize, step: u64, dt: f64) {
        match &mut self.kernels[index] {
            Prepared::Pointwise(code) => code.run(&mut self.memory, step, dt, 1),
            Prepared::Coupling(coupling) => coupling.run(&mut self.memory),
        }
    }
}

impl Code {
    fn new<T: Real>(generated: Generated, extent: usize, shape: Shape) -> Result<Code, DeviceError> {
        let Shape { precision, copies, .. } = shape;
        let (bytes, turn, values) = (extent * T::BYTES, shape.stride() * copies, generated.values * copies);
        let executable = Executable::new(&generated.code)?;
        let entries = generated.pool.entries;
        let mut pool = vec![PoolSlot([0; SLOT]); entries.len()];
        for (slot, entry) in pool.iter_mut().zip(&entries) {
            if let Entry::Bits(bits) = entry {
                slot.fill(*bits, precision);
            }
        }
        let variable = (0..entries.len()).filter(|i| !matches!(entries[*i], Entry::Bits(_))).collect();
        Ok(Code { executable, bytes, turn, values, entries, pool, variable })
    }

    /// Runs the code over all elements, for `steps` steps if they are inside.
    fn run<T: Real>(&mut self, memory: &mut Memory<T>, step: u64, dt: f64, steps: u64) {
        let precision = if T::BYTES == 8 { Precision::F64 } else { Precision::F32 };
        let base = memory.all().as_ptr().cast::<u8>();
        for at in &self.variable {
            let slot = &mut self.pool[*at];
            let number = match self.entries[*at] {
                Entry::Bits(_) => continue,
                Entry::StepSize => dt,
                Entry::StepSizeDouble => {
                    slot.fill(dt.to_bits(), Precision::F64);
                    continue;
                }
                Entry::Time => T::from_f64(step as f64 * dt).to_f64(),
                Entry::Scalar(buffer) => memory.slot(buffer as usize, 0)[0].to_f64(),
                Entry::PastScalar(buffer, steps) => {
                    let at = memory.past_slot(buffer as usize, step, steps);
                    memory.slot(buffer as usize, at)[0].to_f64()
                }
                Entry::PastAddress(buffer, steps) => {
                    let at = memory.past_slot(buffer as usize, step, steps);
                    let start = memory.place(buffer as usize, at).start;
                    slot.fill((base as usize + start * T::BYTES) as u64, Precision::F64);
                    continue;
                }
                Entry::CurrentAddress(buffer) => {
                    let at = memory.current_slot(buffer as usize, step);
                    let start = memory.place(buffer as usize, at).start;
                    slot.fill((base as usize + start * T::BYTES) as u64, Precision::F64);
                    continue;
                }
            };
            slot.fill(bits(number, precision), precision);
        }
        let buffers = Shared(memory.all_mut().as_mut_ptr().cast::<u8>());
        let (executable, pool) = (&self.executable, &self.pool);
        let part = |range: (usize, usize)| {
            // SAFETY: the code was generated for this memory's layout and this pool; buffers are padded by more than the
            // vectors of one turn of its loop; the borrow of the memory is exclusive, and ranges that run at the same
            // time are whole turns of the loop, so that no two touch the same bytes.
            unsafe { executable.call(buffers.get(), pool.as_ptr().cast(), range, steps, step) }
        };
        let turns = self.bytes.div_ceil(self.turn);
        let work = (turns as u64 * self.values as u64).saturating_mul(steps);
        if work < FEWEST_FOR_THREADS || turns < 2 {
            return part((0, self.bytes));
        }
        // Several parts per thread even out what else the machine does.
        let parts = (rayon::current_num_threads() * 4).min(turns);
        let bytes = turns.div_ceil(parts) * self.turn;
        (0..self.bytes.div_ceil(bytes))
            .into_par_iter()
            .for_each(|i| part((i * bytes, ((i + 1) * bytes).min(self.bytes))));
    }
}

impl PoolSlot {
    fn fill(&mut self, bits: u64, precision: Precision) {
        match precision {
            Precision::F64 => self.0.as_chunks_mut::<8>().0.fill(bits.to_le_bytes()),
            Precision::F32 => self.0.as_chunks_mut::<4>().0.fill((bits as u32).to_le_bytes()),
        }
    }
}

/// The kernels of the step with their extents, if each could run all its steps before the next begins: all are
/// straight-line code without past values, and none reads what another stores.
fn independent(program: &Program) -> Option<Vec<(usize, &Body)>> {
    if !(program.layout.feeds.is_empty() && program.layout.randoms.is_empty()) {
        return None;
    }
    let mut bodies = Vec::new();
    for kernel in program.phase(Phase::Step) {
        let Kernel::Pointwise { extent, body } = &program.kernels[*kernel as usize] else { return None };
        bodies.push((*extent, body));
    }
    for (at, (_, body)) in bodies.iter().enumerate() {
        let others = bodies.iter().enumerate().filter(|(other, _)| *other != at);
        let stored_elsewhere: HashSet<u32> = others.flat_map(|(_, (_, b))| b.stores.iter().map(|s| s.0)).collect();
        let own: HashSet<u32> = body.stores.iter().map(|s| s.0).collect();
        for op in &body.values {
            match op {
                Op::Past { .. } => return None,
                Op::Load { buffer, scalar }
                    if stored_elsewhere.contains(buffer) || (*scalar && own.contains(buffer)) =>
                {
                    return None;
                }
                _ => {}
            }
        }
        let role = |buffer: u32| program.layout.buffers[buffer as usize].role;
        if body.stores.iter().any(|s| role(s.0) != Role::State) {
            return None;
        }
    }
    Some(bodies)
}

/// How a kernel is best written.
fn shape<T: Real>(precision: Precision, avx512: bool, extent: usize, body: &Body, fused: bool) -> Shape {
    let width = match (extent, avx512) {
        (1, _) => Width::Scalar,
        (_, true) => Width::Zmm,
        (_, false) => Width::Ymm,
    };
    let mut shape = Shape { evex: avx512, precision, width, copies: 1, fused };
    if fused && extent > 1 {
        // Steps depend on each other: several vectors at a time hide the latency, as far as registers allow. The padding
        // of buffers has room for eight vectors.
        let registers = if avx512 { 30 } else { 14 };
        let live = liveness::most_live(body) + body.stores.len();
        let lanes = shape.stride() / T::BYTES;
        shape.copies = [4, 2].into_iter().find(|c| c * live <= registers && c * lanes <= extent).unwrap_or(1);
    }
    shape
}

impl<T: Real> Loaded for JitEngine<T> {
    fn engine(&self) -> &str {
        "jit"
    }

    fn device(&self) -> &str {
        "cpu"
    }

    fn write(&mut self, buffer: usize, first: usize, values: &[f64]) -> Result<(), DeviceError> {
        self.memory.write(buffer, first, values)
    }

    fn read(&self, buffer: usize, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        self.memory.read(buffer, out)
    }

    fn gather(&self, places: &[(usize, usize)], out: &mut Vec<f64>) -> Result<(), DeviceError> {
        self.memory.gather(places, out)
    }

    fn run(&mut self, phase: Phase, step: u64, dt: f64) -> Result<(), DeviceError> {
        for at in 0..self.phases[phase as usize].len() {
            let kernel = self.phases[phase as usize][at];
            self.run_kernel(kernel as usize, step, dt);
        }
        Ok(())
    }

    fn advance(&mut self, first: u64, count: u64, dt: f64, feeds: &Feeds) -> Result<(), DeviceError> {
        if count == 0 {
            return Ok(());
        }
        if let Some(fused) = &mut self.fused {
            fused.iter_mut().for_each(|code| code.run(&mut self.memory, first, dt, count));
            return Ok(());
        }
        for step in first..first + count {
            feeds.apply(step, |buffer, values| self.memory.write(buffer, 0, values))?;
            self.run(Phase::Step, step, dt)?;
        }
        Ok(())
    }

    fn collect(
        &mut self,
        (first, count): (u64, u64),
        dt: f64,
        feeds: &Feeds,
        events: &[usize],
        out: &mut Vec<Spike>,
    ) -> Result<(), DeviceError> {
        for step in first..first + count {
            feeds.apply(step, |buffer, values| self.memory.write(buffer, 0, values))?;
            self.run(Phase::Step, step, dt)?;
            self.memory.spikes(step, events, out)?;
        }
        Ok(())
    }
}
