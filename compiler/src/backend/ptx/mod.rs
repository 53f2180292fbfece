//! PTX, the assembly language of NVIDIA's driver: a module as text that the driver compiles for the processor it finds.
//!
//! One entry per kernel, one thread per element. Every entry takes the addresses of its bindings, then the number of the
//! step, a number of steps, the step size and the seed, so all are launched alike. Entries count the step from a clock in the
//! device's memory, which an entry of its own moves on: so the launches of one step are, as they are, those of any other.
//! Beside the kernels there are entries that fill the buffers of inputs and random numbers, those that gather or add up
//! recorded values, and one that runs many steps.

mod body;
mod code;
mod deliver;
mod dense;
mod explain;
mod feeds;
mod fill;
mod gather;
mod measure;
mod product;
mod record;
mod rows;
mod spectrum;
mod spelling;
mod steps;
mod together;

use std::fmt::Write;

use nullcline_runtime::code::{Artifact, Entry, Measures, Recorder, Spectra};
use nullcline_runtime::program;

use self::body::{Memory, Source, body};
use self::code::{Class, Code, Float, GROUP};
use self::deliver::{Delivery, Tiling, deliver};
use self::dense::couple_dense;
use self::gather::{Constants, Read, couple, take};
use self::product::{Shape, product};
use crate::ir::system::Values;
use crate::kernel::ir::{Body, Kernel, Module, Precision};
use crate::kernel::many::{ManySteps, many_rows, many_steps};
use crate::kernel::marks::marks;
use crate::kernel::target::Target;

/// Processors by NVIDIA: basic operations, correctly rounded.
pub static PTX: Target = Target {
    name: "ptx",
    floats: &[Precision::F32, Precision::F64],
    has: spelling::has,
    shares_weights: false,
    crosses: |_| true,
    // There is no flag for it in double precision, where arithmetic on them is as fast as any.
    subnormals: &[Precision::F64],
    strict: true,
};

/// The same with approximations where there are instructions for them.
pub static PTX_FAST: Target = Target {
    name: "ptx --fast-math",
    floats: &[Precision::F32],
    has: |prim| spelling::has(prim) || spelling::approximates(prim, PROCESSORS[0].0),
    ..PTX
};

/// With those of newer processors, from sm_75 on.
pub static PTX_FASTER: Target = Target {
    name: "ptx --fast-math --sm 75",
    floats: &[Precision::F32],
    has: |prim| spelling::has(prim) || spelling::approximates(prim, 75),
    ..PTX
};

/// What the text is written for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The oldest processor that must run it, as in `sm_60`.
    pub sm: u32,
    /// Whether single precision uses instructions that approximate.
    pub fast: bool,
    /// Whether entries that are products of dense matrices say so, for a library to compute them instead; then matrices are
    /// kept as libraries want them. Sums of a library are not taken in the order of every other engine.
    pub blas: bool,
    /// What stands in comments at the top, line by line.
    pub about: Vec<String>,
}

impl Options {
    /// What a module must be legal for to be printed so.
    pub fn target(&self) -> &'static Target {
        match self.fast {
            false => &PTX,
            true if self.sm < 75 => &PTX_FAST,
            true => &PTX_FASTER,
        }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options { sm: PROCESSORS[0].0, fast: false, blas: false, about: Vec::new() }
    }
}

/// Processors with the first version of PTX that knows them (PTX ISA 8.8, table of release notes). The first is the oldest
/// whose memory and registers the kernels are laid out for.
pub static PROCESSORS: &[(u32, &str)] = &[
    (60, "6.0"),
    (61, "6.0"),
    (70, "6.0"),
    (75, "6.3"),
    (80, "7.0"),
    (86, "7.1"),
    (87, "7.4"),
    (89, "7.8"),
    (90, "7.8"),
    (100, "8.6"),
    (120, "8.7"),
];

/// Prints a module that is legal for [`Options::target`]. `options.sm` is one of [`PROCESSORS`].
pub fn artifact(module: &Module, options: &Options) -> Artifact {
    let float = Float { precision: module.precision, flush: !module.subnormals };
    let (fast, marks) = (options.fast && module.precision == Precision::F32, marks(module));
    let source = Source { module, float, fast, marks: marks.as_ref() };
    let mut constants = Constants::default();
    let mut text = header(module, options);
    let mut entries: Vec<Entry> = Vec::new();
    let mut add = |(lines, entry): (String, Entry)| {
        let _ = write!(text, "\n{lines}");
        entries.push(entry);
        entries.len() as u32 - 1
    };
    for (index, kernel) in module.kernels.iter().enumerate() {
        add(kernel_entry(&source, &mut constants, (index, kernel), options.blas));
    }
    let inputs = module.inputs.len();
    let feed = (0..inputs + module.randoms.len()).map(|i| add(fill::entry(&source, &mut constants, i))).collect();
    let (record, reduce) = (Some(add(record::record(&source))), Some(add(record::reduce(&source))));
    let tick = Some(add(record::tick()));
    let (totals, rises) = (add(measure::totals(&source)), add(measure::rises(&source)));
    let taper = add(spectrum::taper(&source));
    let spectra = Spectra { taper, join: add(spectrum::join()), peak: add(spectrum::peak()) };
    let measures = Some(Measures { totals, rises, spectra });
    let many = many_steps(module, GROUP as usize);
    let steps = many.as_ref().map(|many| add(steps::steps(&source, &mut constants, many)));
    let rows = many.as_ref().and_then(|many| many_rows(module, many));
    let recorder = rows.map(|rows| {
        let (parts, each) = match &rows.steps {
            ManySteps::Elements(extent) => (*extent, 1),
            ManySteps::Groups(groups) => (groups.parts, groups.each),
        };
        Recorder { entry: add(steps::rows(&source, &mut constants, &rows)), parts, each }
    });
    let explanations = explain::explanations(module, (&entries, &constants), steps.is_some());
    let list = |kernels: &[usize]| kernels.iter().map(|k| *k as u32).collect();
    Artifact {
        target: PTX.name.to_string(),
        code: text,
        layout: module.layout(),
        precision: match module.precision {
            Precision::F32 => program::Precision::F32,
            Precision::F64 => program::Precision::F64,
        },
        constants: constants.list,
        entries,
        phases: [list(&module.setup), list(&module.remember), list(&module.step), list(&module.observe)],
        steps,
        recorder,
        record,
        reduce,
        tick,
        measures,
        marks,
        arguments: code::arguments(),
        initial: module.initial.iter().map(|(buffer, v)| (buffer.0, values(v))).collect(),
        banks: Vec::new(),
        feed,
        samples: Vec::new(),
        uniforms: Vec::new(),
        explanations,
    }
}

fn values(values: &Values) -> Vec<f64> {
    match values {
        Values::Uniform(value) => vec![*value],
        Values::Each(each) => each.iter().copied().collect(),
    }
}

fn header(module: &Module, options: &Options) -> String {
    let version = PROCESSORS.iter().rev().find(|p| p.0 <= options.sm).map_or(PROCESSORS[0].1, |p| p.1);
    let mut code = Code::new(String::new(), Vec::new());
    code.comment(&format!("{} in {}", module.name, module.precision.name()));
    options.about.iter().for_each(|line| code.comment(line));
    let about = code.comments();
    format!("{about}\n.version {version}\n.target sm_{}\n.address_size 64\n", options.sm)
}

/// The entry of a kernel.
fn kernel_entry(
    source: &Source<'_>,
    constants: &mut Constants,
    (index, kernel): (usize, &Kernel),
    blas: bool,
) -> (String, Entry) {
    let about = format!("{}: one thread for each of {} elements", kernel.name, kernel.extent);
    let mut code = Code::new(format!("k{index}_{}", code::word(&kernel.name)), vec![about]);
    if let Body::Deliver { fanout, spikes, factor, target } = kernel.body {
        let block = code.set(Class::Bits32, "mov.u32", &["%ctaid.x"]);
        let tiling = Tiling::new(kernel.extent, source.module.fanouts[fanout].starts.len() - 1);
        deliver(&mut code, source, constants, &block, (Delivery { fanout, spikes, factor, target }, tiling));
        return code.finish(tiling.tiles(kernel.extent) * GROUP as usize);
    }
    if let Body::Couple { connection, source: from, target } = &kernel.body {
        let (of, sources) = (&source.module.connections[*connection], source.module.buffers[from.index()].len);
        if let Some(shape) = Shape::of(of, sources).filter(|_| blas) {
            return product(code, source, constants, (shape, *connection, *from, *target));
        }
        if dense::tiles(of, sources) {
            couple_dense(&mut code, source, constants, (*connection, *from, *target));
            return code.finish(dense::threads(kernel.extent));
        }
    }
    let (element, done) = (code.thread(), code.label("done"));
    let outside = code.set(Class::Predicate, "setp.ge.u32", &[&element, &kernel.extent.to_string()]);
    code.branch(Some(&outside), &done);
    match &kernel.body {
        Body::Pointwise(statements) => {
            body(&mut code, source, &mut Memory::new(*source, element, None), statements);
        }
        Body::Take { table, source: from, target } => {
            take(&mut code, source, constants, &element, (*table, *from, *target));
        }
        Body::Couple { connection, source: from, target } => {
            couple(&mut code, source, constants, &element, (*connection, Read::Now(*from), *target));
        }
        Body::CouplePast { connection, history, current, target } => {
            let step = code.first();
            let from = Read::Past { history: *history, current: *current, step: &step };
            couple(&mut code, source, constants, &element, (*connection, from, *target));
        }
        Body::Convolve { .. } => unreachable!("the target has lists of connections instead"),
        Body::Deliver { .. } => unreachable!("it is written above"),
    }
    code.place(&done);
    code.finish(kernel.extent)
}
