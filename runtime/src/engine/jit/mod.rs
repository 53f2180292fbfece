//! The just-in-time engine: writes machine code for each kernel (x86-64 with AVX2 and FMA, or AVX-512).
//!
//! Straight-line kernels become loops over vectors. Kernels that do not exchange values between elements run all steps of
//! a call inside, with the state in registers.

mod allocate;
mod assembler;
mod code;
mod executable;
mod kernel;
mod kinds;
mod liveness;
mod operations;
mod pack;
mod pool;
mod record;
mod sequence;
mod table;
mod whole;
mod words;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use super::coupling::{Coupling, Sending};
use super::independent::independent;
use super::team::{Team, shares_entries};
use super::{Memory, Real};
use crate::artifact::{
    self, DeviceError, EventBuffer, Executable, Explanation, Feeds, Layout, Phase, Role, Rows, Spike,
};
use crate::program::{Body, Kernel, Precision, Program};
use assembler::Width;
use code::{Places, Shape, generate};
use kernel::Code;
use record::{Recordable, Recorder};
use whole::{Contents, Search};

/// Whether this machine has the instructions.
pub fn is_available() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

/// Whether this machine has the 512-bit instructions.
pub fn has_avx512() -> bool {
    let small = is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512bw");
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") && small
}

/// Loads a program.
pub fn load(program: &Program) -> Result<Box<dyn Executable>, DeviceError> {
    load_for(program, has_avx512())
}

/// Loads a program with or without AVX-512.
pub fn load_for(program: &Program, avx512: bool) -> Result<Box<dyn Executable>, DeviceError> {
    if !is_available() {
        return Err(DeviceError("the jit engine needs a processor with AVX2 and FMA".to_string()));
    }
    Ok(match program.precision {
        Precision::F32 => Box::new(JitEngine::<f32>::new(program, avx512)?),
        Precision::F64 => Box::new(JitEngine::<f64>::new(program, avx512)?),
    })
}

/// A program in the just-in-time engine.
struct JitEngine<T: Real> {
    memory: Memory<T>,
    kernels: Vec<Prepared<T>>,
    phases: [Vec<u32>; 4],
    /// The step's kernels with all steps inside, if none reads what another one stores.
    fused: Option<Vec<Code>>,
    /// How to record inside of these.
    recordable: Option<Recordable>,
    /// Code that records, made when first needed; `None` for what cannot be recorded so.
    recorder: Option<(Vec<usize>, Option<Recorder<T>>)>,
    layout: Layout,
    team: Team,
    /// Who sends spikes, as far as it was looked up.
    sending: Sending,
    /// How the connections of the step are executed.
    explanations: Vec<Explanation>,
    /// Whether any kernel shares the work of one step between threads.
    shares: bool,
    /// Which buffers may hold words, if any do and whole numbers are used.
    search: Option<Search>,
    /// What was found by it; empty until the first step, and when something else than a step has changed what it depends on.
    contents: Contents,
    /// Whether it holds still.
    searched: bool,
    precision: Precision,
    avx512: bool,
}

enum Prepared<T> {
    Pointwise(Code),
    Coupling(Box<Coupling<T>>),
}

struct Offsets<'a, T> {
    memory: &'a Memory<T>,
    layout: &'a Layout,
    contents: &'a Contents,
}

impl<T: Real> Places for Offsets<'_, T> {
    fn offset(&self, buffer: u32) -> i32 {
        // `new` has checked that all buffers lie within the range of displacements.
        (self.memory.place(buffer as usize, 0).start * T::BYTES) as i32
    }

    fn is_ring(&self, buffer: u32) -> bool {
        self.layout.buffers[buffer as usize].role == Role::History
    }

    fn is_words(&self, buffer: u32) -> bool {
        self.memory.is_words(buffer as usize)
    }

    fn contents(&self) -> &Contents {
        self.contents
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
        let contents = BTreeMap::new();
        let places = Offsets { memory: &memory, layout: &program.layout, contents: &contents };
        let make = |extent: usize, body: &Body, fused: bool| {
            let shape = shape::<T>(program.precision, avx512, extent, body, fused);
            Code::new::<T>(generate(body, shape, &places, None), extent, shape, 0)
        };
        let mut kernels = Vec::new();
        for kernel in &program.kernels {
            kernels.extend(match kernel {
                Kernel::Pointwise { extent, body } => Some(Prepared::Pointwise(make(*extent, body, false)?)),
                _ => Coupling::new(kernel).map(|coupling| Prepared::Coupling(Box::new(coupling))),
            });
        }
        let explained = program.phase(Phase::Step).iter().filter_map(|at| match &kernels[*at as usize] {
            Prepared::Coupling(coupling) => coupling.explain(&program.kernels[*at as usize]),
            Prepared::Pointwise(_) => None,
        });
        let explanations = explained.collect();
        let bodies = independent(program);
        let recordable = bodies.as_ref().map(|bodies| Recordable::new(program, bodies, avx512));
        let together = bodies.is_some();
        let fused = match bodies {
            Some(bodies) => Some(bodies.into_iter().map(|(n, body)| make(n, body, true)).collect::<Result<_, _>>()?),
            None => None,
        };
        let (phases, layout) = (program.phases.clone(), program.layout.clone());
        let shared = |kernel: &Prepared<T>| matches!(kernel, Prepared::Pointwise(code) if code.shares(1));
        let shares = kernels.iter().any(shared) || program.kernels.iter().any(shares_entries);
        Ok(JitEngine {
            memory,
            kernels,
            phases,
            fused,
            recordable,
            recorder: None,
            layout,
            team: Team::new(),
            sending: Sending::default(),
            explanations,
            shares,
            search: if avx512 && !together { Search::new(program) } else { None },
            contents,
            searched: false,
            precision: program.precision,
            avx512,
        })
    }

    /// Finds out which buffers can hold words, and has the code made that works on them.
    fn search(&mut self) -> Result<(), DeviceError> {
        let Some(search) = &self.search else { return Ok(()) };
        if self.searched {
            return Ok(());
        }
        self.memory.widen();
        let contents = search.find(&self.memory);
        for buffer in contents.keys().filter(|buffer| search.is_candidate(**buffer)) {
            self.memory.narrow(*buffer as usize);
        }
        if contents != self.contents {
            let offsets = Offsets { memory: &self.memory, layout: &self.layout, contents: &contents };
            for (kernel, extent, body) in &search.kernels {
                let shape = shape::<T>(self.precision, self.avx512, *extent, body, false);
                let code = Code::new::<T>(generate(body, shape, &offsets, None), *extent, shape, 0)?;
                self.kernels[*kernel] = Prepared::Pointwise(code);
            }
            self.contents = contents;
        }
        self.searched = true;
        Ok(())
    }

    /// Something else than a step changes a buffer.
    fn disturb(&mut self, buffer: usize) {
        if self.search.as_ref().is_some_and(|search| search.reads(buffer as u32)) {
            self.memory.widen();
            self.searched = false;
        }
    }

    /// Has the code that records these places made, if there can be any.
    fn prepare_recorder(&mut self, places: &artifact::Places) -> Result<(), DeviceError> {
        let Some(recordable) = &self.recordable else { return Ok(()) };
        let mut buffers: Vec<usize> = places.stretches().iter().map(|s| s.buffer).collect();
        buffers.sort_unstable();
        buffers.dedup();
        if self.recorder.as_ref().is_none_or(|(made, _)| *made != buffers) {
            let offsets = Offsets { memory: &self.memory, layout: &self.layout, contents: &self.contents };
            let recorder = recordable.recorder(&buffers, &offsets)?;
            self.recorder = Some((buffers, recorder));
        }
        Ok(())
    }

    /// Whether so many steps are shared between threads.
    fn shares_steps(&self, count: u64) -> bool {
        self.shares || self.fused.as_ref().is_some_and(|fused| fused.iter().any(|code| code.shares(count)))
    }

    /// Tells couplings that something else than a step has written to a buffer, or to any.
    fn wrote(&mut self, buffer: Option<usize>) {
        for kernel in &mut self.kernels {
            if let Prepared::Coupling(coupling) = kernel {
                coupling.wrote(buffer);
            }
        }
    }

    fn run_phase(&mut self, phase: Phase, step: u64, dt: f64) {
        self.sending.clear();
        for at in 0..self.phases[phase as usize].len() {
            let kernel = self.phases[phase as usize][at];
            self.run_kernel(kernel as usize, step, dt);
        }
        if phase == Phase::Remember {
            self.wrote(None);
        }
    }

    fn run_kernel(&mut self, index: usize, step: u64, dt: f64) {
        match &mut self.kernels[index] {
            Prepared::Pointwise(code) => {
                self.sending.clear();
                code.run(&mut self.memory, step, dt, 1);
            }
            Prepared::Coupling(coupling) => coupling.run(&mut self.memory, &mut self.sending, step),
        }
    }
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

impl<T: Real> Executable for JitEngine<T> {
    fn engine(&self) -> &str {
        "jit"
    }

    fn device(&self) -> &str {
        "cpu"
    }

    fn explain(&self) -> Vec<Explanation> {
        self.explanations.clone()
    }

    fn write(&mut self, buffer: usize, first: usize, values: &[f64]) -> Result<(), DeviceError> {
        self.wrote(Some(buffer));
        self.disturb(buffer);
        self.memory.write(buffer, first, values)
    }

    fn read(&self, buffer: usize, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        self.memory.read(buffer, out)
    }

    fn gather(&self, places: &[(usize, usize)], out: &mut Vec<f64>) -> Result<(), DeviceError> {
        self.memory.gather(places, out)
    }

    fn run(&mut self, phase: Phase, step: u64, dt: f64) -> Result<(), DeviceError> {
        let team = self.team.clone();
        match phase {
            Phase::Setup => self.searched = false,
            _ => self.search()?,
        }
        team.run(self.shares, || {
            self.run_phase(phase, step, dt);
            Ok(())
        })
    }

    fn advance(&mut self, first: u64, count: u64, dt: f64, feeds: &Feeds) -> Result<(), DeviceError> {
        let team = self.team.clone();
        self.search()?;
        team.run(self.shares_steps(count), || {
            if let (Some(fused), true) = (&mut self.fused, count > 0) {
                fused.iter_mut().for_each(|code| code.run(&mut self.memory, first, dt, count));
                return Ok(());
            }
            for step in first..first + count {
                feeds.apply(step, |buffer, values| self.memory.write(buffer, 0, values))?;
                self.run_phase(Phase::Step, step, dt);
            }
            Ok(())
        })
    }

    fn record(&mut self, rows: &Rows<'_>, dt: f64, feeds: &Feeds, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        if rows.every > 0 && rows.count > 0 {
            self.prepare_recorder(rows.places)?;
        }
        let team = self.team.clone();
        team.run(self.shares_steps(rows.count.saturating_mul(rows.every)), || match &mut self.recorder {
            Some((_, Some(recorder))) if rows.every > 0 && rows.count > 0 => {
                recorder.record(&mut self.memory, rows, dt, out);
                Ok(())
            }
            _ => {
                let gather = &mut |engine: &Self| engine.memory.gather_stretches(rows.places.stretches(), out);
                artifact::record_by_row(self, rows, dt, feeds, gather)
            }
        })
    }

    fn collect(
        &mut self,
        (first, count): (u64, u64),
        dt: f64,
        feeds: &Feeds,
        events: &[EventBuffer],
        out: &mut Vec<Spike>,
    ) -> Result<(), DeviceError> {
        let team = self.team.clone();
        self.search()?;
        team.run(self.shares, || {
            let mut found = Vec::new();
            for step in first..first + count {
                feeds.apply(step, |buffer, values| self.memory.write(buffer, 0, values))?;
                self.run_phase(Phase::Step, step, dt);
                self.memory.spikes(step, events, &mut found, out)?;
            }
            Ok(())
        })
    }

    fn set_threads(&mut self, threads: NonZeroUsize) {
        self.team = Team::of(threads);
    }
}
