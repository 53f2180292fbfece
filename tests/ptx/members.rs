//! Launches that models of a few units do not show: ensembles of several blocks, random numbers, dense matrices that fill
//! tiles, and memory that does not suffice.

use std::sync::Arc;

use nullcline::compiler::backend::ptx::{self, PTX, PTX_FASTER};
use nullcline::compiler::ir::expr::{SpaceId, StateId};
use nullcline::compiler::ir::prim::arith;
use nullcline::compiler::ir::system::{Connection, Values};
use nullcline::compiler::kernel::ir::{
    Body, Buffer, BufferId, BufferRole, Index, Kernel, Module, Precision, Stmt, ValueId, ValueOp,
};
use nullcline::compiler::template::library::{FileLibrary, MemoryLibrary};
use nullcline::runtime::artifact::{Executable, Feeds, Phase, Totals};
use nullcline::runtime::observe::Recording;
use nullcline::runtime::random::uniform_pair;
use nullcline::{Batch, Engine, Interrupt, Model, PtxOptions, Schedule};

use super::interpreter::{self, INTERPRETERS, REFERENCE};

/// The bits of what the members of a batch record, and the name of the entry for many steps, if there is one.
fn bits(batch: &Batch, members: usize) -> Vec<Vec<u64>> {
    let mut prepared = batch.simulation(0..members).unwrap_or_else(|e| panic!("{e}"));
    let mut recording = Recording::new(prepared.simulation.labels());
    let run = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
    run.unwrap_or_else(|e| panic!("{e}"));
    recording.columns.iter().map(|c| c.iter().map(|v| v.to_bits()).collect()).collect()
}

/// Runs members on the reference and in PTX, in both precisions.
fn compare(model: &mut Model, path: &str, members: usize) {
    let values: Vec<f64> = (0..members).map(|m| 1.0 + m as f64 / members as f64).collect();
    let varied = [(path, values)];
    for precision in ["f64", "f32"] {
        let precision = model.name("precision", precision);
        model.settings.precision = Some(precision.clone());
        let expected = bits(&model.batch_on(&varied, &REFERENCE).unwrap(), members);
        assert!(expected.iter().any(|c| c != &expected[0]), "members differ");
        for engine in &INTERPRETERS {
            let found = bits(&model.batch_on(&varied, engine).unwrap(), members);
            assert!(found == expected, "{precision}, {}", engine.name);
        }
    }
}

#[test]
fn members_of_an_ensemble_keep_to_themselves() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/van_der_pol.yaml");
    let mut model = Model::load(&FileLibrary::new(), path, None).unwrap_or_else(|e| panic!("{e}"));
    model.settings.duration = Some(0.5);
    model.settings.dt = Some(0.01);
    model.settings.sample_every = Some(0.1);
    let parameter = "p/van_der_pol/mu";
    // More than a block, and not a whole number of them.
    compare(&mut model, parameter, 300);
    let module =
        model.batch_on(&[(parameter, vec![1.0, 2.0])], &INTERPRETERS[0]).unwrap().compile(0..2).unwrap().module;
    let artifact = ptx::artifact(&module, &ptx::Options::default());
    let steps = &artifact.entries[artifact.steps.unwrap() as usize];
    assert_eq!(steps.extent, 2, "one thread per member");
}

/// Means and extremes are added up on the device, with the bits of the reference.
#[test]
fn totals_are_those_of_the_rows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/van_der_pol.yaml");
    let mut model = Model::load(&FileLibrary::new(), path, None).unwrap_or_else(|e| panic!("{e}"));
    model.settings.dt = Some(0.01);
    const MEMBERS: usize = 300;
    let values: Vec<f64> = (0..MEMBERS).map(|m| 1.0 + m as f64 / 100.0).collect();
    for precision in ["f64", "f32"] {
        model.settings.precision = Some(model.name("precision", precision));
        for (steps, every, cutoff) in [(60, 1, 0.0), (100, 7, 0.3), (50, 50, 0.0)] {
            let schedule = Schedule { steps, every, cutoff, include_end: true };
            let totals = |engine: &'static Engine, recorded: bool| {
                let batch = model.batch_on(&[("p/van_der_pol/mu", values.clone())], engine).unwrap();
                let mut simulation = batch.simulation(0..MEMBERS).unwrap_or_else(|e| panic!("{e}")).simulation;
                let mut totals = Totals::new(simulation.labels().len());
                let done = match recorded {
                    true => simulation.run(&schedule, &mut totals, &mut |_| Interrupt::Continue),
                    false => simulation.reduce(&schedule, &mut totals, &mut |_| Interrupt::Continue),
                };
                let done = done.unwrap_or_else(|e| panic!("{e}"));
                assert_eq!((done.steps, done.rows), (steps, totals.rows));
                totals
            };
            let expected = totals(&REFERENCE, true);
            assert_eq!(totals(&REFERENCE, false), expected, "the rows of the reference");
            for engine in &INTERPRETERS {
                assert_eq!(totals(engine, false), expected, "{precision}, {}, every {every}", engine.name);
            }
        }
    }
}

const NOISY: &str = "
op:
  base: OperatorTemplate
  equations: [\"x' = -k*x + 0.1*randn() + u\", \"z = past(x, 0.3)\"]
  variables: {x: variable(0.5), z: variable, k: 1.0, u: input(0.0)}
unit: {base: NodeTemplate, operators: [op]}
net:
  base: CircuitTemplate
  nodes: {a: unit, b: unit}
  edges: [[a/op/x, b/op/u, null, {weight: 0.5, delay: 0.2}]]
simulate: {duration: 3.0, dt: 0.1, seed: 7, record: {x: all/op/x, z: all/op/z}, inputs: {a/op/u: \"sin(t)\"}}
";

#[test]
fn noise_delays_and_inputs_are_those_of_the_reference() {
    let library = MemoryLibrary::new().with("m.yaml", NOISY);
    let mut model = Model::load(&library, "m.yaml", None).unwrap_or_else(|e| panic!("{e}"));
    compare(&mut model, "all/op/k", 5);
}

/// `y = W x` with a dense matrix.
fn product(sources: usize, targets: usize, precision: Precision, weights: Values) -> Module {
    let mut module = Module::empty("product", precision);
    module.subnormals = PTX.subnormals.contains(&precision);
    let state =
        |name: &str, id: u32, len: usize| Buffer { name: name.into(), role: BufferRole::State(StateId(id)), len };
    module.buffers = vec![state("x", 0, sources), state("y", 1, targets)];
    let number = |k: usize| uniform_pair(3, 0, k as u32, 0)[0] - 0.5;
    module.initial = vec![(BufferId(0), Values::Each((0..sources).map(number).collect()))];
    let starts: Vec<u32> = (0..=targets).map(|t| (t * sources) as u32).collect();
    let entries: Vec<u32> = (0..targets).flat_map(|_| 0..sources as u32).collect();
    module.connections = vec![Connection::new("dense", (SpaceId(1), SpaceId(2)), starts, entries, weights)];
    let body = Body::Couple { connection: 0, source: BufferId(0), target: BufferId(1) };
    module.kernels = vec![Kernel { name: "step dense #0".into(), extent: targets, body }];
    module.step = vec![0];
    module
}

#[test]
fn dense_products_are_summed_in_order() {
    for (sources, targets) in [(128, 32), (129, 33), (256, 3), (257, 300), (700, 256), (515, 1), (142, 70)] {
        for precision in [Precision::F32, Precision::F64] {
            let each: Arc<[f64]> = (0..sources * targets).map(|k| uniform_pair(5, 1, k as u32, 0)[1] - 0.5).collect();
            for weights in [Values::Each(each.clone()), Values::Uniform(0.1)] {
                let run = |engine: &Engine| {
                    let module = product(sources, targets, precision, weights.clone());
                    let mut loaded: Box<dyn Executable> = (engine.load)(module, 0).unwrap();
                    loaded.run(Phase::Step, 0, 0.1).unwrap();
                    let mut values = Vec::new();
                    loaded.read(1, &mut values).unwrap();
                    values.iter().map(|v| v.to_bits()).collect::<Vec<u64>>()
                };
                let what = format!("{targets} by {sources}, {}", precision.name());
                assert!(run(&INTERPRETERS[0]) == run(&REFERENCE), "{what}");
            }
        }
    }
    let module = product(700, 256, Precision::F32, Values::Uniform(0.1));
    let artifact = ptx::artifact(&module, &ptx::Options::default());
    assert_eq!(artifact.entries[0].shared, 4 * 128, "the vector goes through shared memory");
    let module = product(700, 256, Precision::F32, Values::Each(vec![0.5; 700 * 256].into()));
    let entry = &ptx::artifact(&module, &ptx::Options::default()).entries[0];
    assert_eq!(
        (entry.shared, entry.extent),
        (4 * (128 + 128 * 32), 8 * 256),
        "and the weights; a block for 32 targets"
    );
}

#[test]
fn too_little_memory_is_named() {
    // Eight gigabytes, in an interpreter that has one.
    let module = product(1, 1, Precision::F64, Values::Uniform(1.0));
    let mut module = Module { kernels: Vec::new(), step: Vec::new(), connections: Vec::new(), ..module };
    module.buffers[0].len = 1 << 30;
    module.initial.clear();
    let fault = (INTERPRETERS[0].load)(module, 0).err().expect("it does not fit");
    assert!(fault.0.contains("8589934592 bytes") || fault.0.contains("asked for"), "{fault}");
}

/// `x = x / 2` in each step.
fn halving(precision: Precision, from: f64) -> Module {
    let mut module = Module::empty("halving", precision);
    module.subnormals = PTX.subnormals.contains(&precision);
    let (x, v) = (BufferId(0), ValueId);
    module.buffers = vec![Buffer { name: "x".into(), role: BufferRole::State(StateId(0)), len: 1 }];
    module.initial = vec![(x, Values::Uniform(from))];
    let body = vec![
        Stmt::Let(v(0), ValueOp::Load { buffer: x, index: Index::Element }),
        Stmt::Let(v(1), ValueOp::Constant(0.5)),
        Stmt::Let(v(2), ValueOp::Call(&arith::MUL, vec![v(0), v(1)])),
        Stmt::Store(x, v(2)),
    ];
    module.kernels = vec![Kernel { name: "step halve #0".into(), extent: 1, body: Body::Pointwise(body) }];
    module.step = vec![0];
    module
}

#[test]
fn numbers_below_the_normal_ones_are_zero_in_single_precision_only() {
    for (precision, least) in [(Precision::F32, f64::from(f32::MIN_POSITIVE)), (Precision::F64, f64::MIN_POSITIVE)] {
        for engine in INTERPRETERS.iter().chain([&REFERENCE]) {
            let mut loaded: Box<dyn Executable> = (engine.load)(halving(precision, -2.0 * least), 0).unwrap();
            let mut after = |steps: u64| {
                loaded.advance(0, steps, 1.0, &Feeds::default()).unwrap();
                let mut values = Vec::new();
                loaded.read(0, &mut values).unwrap();
                values[0]
            };
            assert_eq!(after(1), -least, "{}", engine.name);
            let below = if precision == Precision::F32 { -0.0 } else { -0.5 * least };
            assert_eq!(after(1).to_bits(), below.to_bits(), "{}", engine.name);
        }
    }
}

#[test]
fn approximations_stay_near_what_they_approximate() {
    static FAST: Engine = Engine {
        name: "ptx, approximated",
        target: &PTX_FASTER,
        device: "cpu",
        load: |module, _| {
            let options = ptx::Options { sm: 80, fast: true, ..ptx::Options::default() };
            interpreter::load(&module, &options, true)
        },
        doc: "executes PTX",
    };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/jansen_rit.yaml");
    let mut model = Model::load(&FileLibrary::new(), path, None).unwrap_or_else(|e| panic!("{e}"));
    model.settings.duration = Some(0.05);
    model.settings.precision = Some(model.name("precision", "f32"));
    let run = |engine: &'static Engine| {
        let mut prepared = model.compile(engine).unwrap().load().unwrap();
        let mut recording = Recording::new(prepared.simulation.labels());
        prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
        recording.columns
    };
    let (fast, exact) = (run(&FAST), run(&INTERPRETERS[0]));
    for (fast, exact) in fast.iter().zip(&exact) {
        let scale = exact.iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
        let distance = fast.iter().zip(exact).fold(0.0f64, |d, (a, b)| d.max((a - b).abs()));
        // Some hundred steps, each off by a few 2^-22, where errors decay.
        assert!(distance <= 1e-4 * scale, "{distance} of {scale}");
    }
    let text = model.ptx(PtxOptions { sm: 80, fast: true }).unwrap().remove(0).1;
    assert!(String::from_utf8(text).unwrap().contains("ex2.approx.ftz.f32"));
    model.settings.precision = None;
    let refused = model.ptx(PtxOptions { sm: 80, fast: true }).unwrap_err().to_string();
    assert!(refused.contains("fast-math") && refused.contains("f32"), "{refused}");
}
