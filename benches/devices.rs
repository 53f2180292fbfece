//! What graphics processors do with workloads that fill them: time, rates of arithmetic and of memory, and the processor's
//! engine beside them.
//!
//! `cargo bench --bench devices --features wgpu,cuda` runs everything on every device there is and says what it skips;
//! `-- 0.001` behind it makes all sizes a thousandth, to see that it works. Times are wall-clock from the first launch to the
//! arrival of a number that depends on the last, of the second of two runs: the first compiles. Bytes are those of all
//! elements that the kernels of a step load and store, once for each step in kernels of a step, once for all steps where state
//! stays in registers; operations are those of the kernels, a multiply-add counting as two.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::HashSet;
use std::time::Instant;

use nullcline::compiler::ir::expr::{SpaceId, StateId};
use nullcline::compiler::ir::prim::arith;
use nullcline::compiler::ir::system::{Connection, Values};
use nullcline::compiler::kernel::ir::{
    Body, Buffer, BufferId, BufferRole, Index, Kernel, Module, Precision, Stmt, ValueId, ValueOp,
};
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::artifact::Feeds;
use nullcline::runtime::random::uniform_pair;
use nullcline::{Engine, KINDS, Model, Prepared};

/// An engine of a device, and the same with one launch for each kernel and step.
struct Device {
    engine: &'static Engine,
    by_kernel: &'static Engine,
    name: String,
}

#[cfg(feature = "cuda")]
static CUDA_BY_KERNEL: Engine = Engine {
    name: "cuda, kernel by kernel",
    target: &nullcline::compiler::backend::ptx::PTX,
    device: "cuda",
    load: |module, index| {
        use nullcline::compiler::backend::ptx;
        let mut artifact = ptx::artifact(&module, &ptx::Options::default());
        artifact.steps = None;
        nullcline::runtime::device::cuda::Cuda::open(index)?.load(artifact)
    },
    doc: "",
};

#[cfg(feature = "wgpu")]
static WGPU_BY_KERNEL: Engine = Engine {
    name: "wgpu, kernel by kernel",
    target: &nullcline::compiler::backend::wgsl::WGSL,
    device: "wgpu",
    load: |module, index| {
        let device = nullcline::runtime::device::wgpu::Wgpu::open(index)?;
        let mut artifact = nullcline::compiler::backend::wgsl::wgsl(&module, &device.limits());
        artifact.steps = None;
        device.load(&artifact)
    },
    doc: "",
};

/// The first device of each kind.
fn devices() -> Vec<Device> {
    let mut found: Vec<Device> = Vec::new();
    for kind in KINDS.iter().filter(|k| k.name != "cpu") {
        let Some(list) = kind.list else {
            println!("skipped: {}, not in this build: {}", kind.name, kind.help);
            continue;
        };
        let first = list().map(|devices| devices.into_iter().next().transpose());
        let first = match first.and_then(|first| first) {
            Ok(first) => first,
            Err(fault) => {
                println!("skipped: {}: {fault}", kind.name);
                continue;
            }
        };
        let (Some(first), Some(engine)) = (first, kind.engine()) else {
            println!("skipped: {}, none found ({})", kind.name, kind.doc);
            continue;
        };
        let by_kernel: Option<&'static Engine> = match kind.name {
            #[cfg(feature = "cuda")]
            "cuda" => Some(&CUDA_BY_KERNEL),
            #[cfg(feature = "wgpu")]
            "wgpu" => Some(&WGPU_BY_KERNEL),
            _ => None,
        };
        found.extend(by_kernel.map(|by_kernel| Device { engine, by_kernel, name: first.name }));
    }
    found
}

/// What a step of a module takes.
struct Work {
    /// Floating-point operations.
    operations: f64,
    /// Bytes that its kernels load and store.
    bytes: f64,
    /// Bytes of its states and of the parameters and connections it reads.
    held: f64,
}

fn work(module: &Module) -> Work {
    let size = if module.precision == Precision::F64 { 8 } else { 4 };
    let (mut operations, mut bytes, mut held) = (0, 0, HashSet::new());
    let mut entries_held = 0;
    for kernel in module.step.iter().map(|k| &module.kernels[*k]) {
        let n = kernel.extent;
        match &kernel.body {
            Body::Pointwise(body) => {
                let mut touched: HashSet<(BufferId, bool)> = HashSet::new();
                for stmt in body {
                    match stmt {
                        Stmt::Let(_, ValueOp::Call(prim, _)) => {
                            operations += n * if **prim == arith::FMA { 2 } else { 1 };
                        }
                        Stmt::Let(_, ValueOp::Load { buffer, index: Index::Element }) => {
                            _ = touched.insert((*buffer, false));
                        }
                        Stmt::Store(buffer, _) => _ = touched.insert((*buffer, true)),
                        Stmt::Let(..) => {}
                    }
                }
                bytes += n * size * touched.len();
                held.extend(touched);
            }
            Body::Take { .. } => bytes += n * (2 * size + 4),
            Body::Couple { connection, .. } | Body::CouplePast { connection, .. } => {
                let connection = &module.connections[*connection];
                let entries = connection.sources.len();
                operations += 2 * entries;
                // Indices are read unless the matrix is dense.
                let dense = entries == n * module.buffers.iter().map(|b| b.len).max().unwrap_or(0);
                let each = matches!(connection.weights, Values::Each(_));
                let of_entries = entries * (usize::from(each) * size + usize::from(!dense) * 4);
                bytes += of_entries + n * size;
                entries_held += of_entries;
            }
            // Devices get lists of connections.
            Body::Deliver { .. } | Body::Convolve { .. } => {}
        }
    }
    let held: usize = held.iter().map(|(buffer, _)| module.buffers[buffer.index()].len * size).sum();
    Work { operations: operations as f64, bytes: bytes as f64, held: (held + entries_held) as f64 }
}

/// One measured line.
fn line(what: &str, device: &str, seconds: f64, steps: f64, (operations, bytes): (f64, f64)) {
    println!(
        "{what:<48}{device:<34}{seconds:>10.4} s{:>12.3} us/step{:>10.1} GFLOP/s{:>10.1} GB/s",
        seconds / steps * 1e6,
        operations / seconds / 1e9,
        bytes / seconds / 1e9
    );
}

/// Seconds of so many steps of a prepared simulation, and of reading a number back.
fn seconds(prepared: &mut Prepared, steps: u64) -> f64 {
    let mut run = || {
        let start = Instant::now();
        prepared.simulation.advance(steps).unwrap();
        prepared.simulation.observe().unwrap();
        start.elapsed().as_secs_f64()
    };
    run();
    run()
}

fn load(yaml: &str) -> Model {
    let library = MemoryLibrary::new().with("w.yaml", yaml);
    let mut model = Model::load(&library, "w.yaml", None).unwrap_or_else(|e| panic!("{e}"));
    model.settings.precision = Some(model.name("precision", "f32"));
    model
}

/// Runs a model of independent elements, with its state in registers or in kernels of a step.
fn elements(what: &str, model: &Model, engine: &'static Engine, name: &str, steps: u64) -> Option<f64> {
    let compiled = model.compile(engine).unwrap_or_else(|e| panic!("{e}"));
    let work = work(&compiled.module);
    let by_kernel = engine.name.contains("kernel by kernel");
    let mut prepared = match compiled.load() {
        Ok(prepared) => prepared,
        Err(error) => {
            println!("skipped: {what}, {name}: {error}");
            return None;
        }
    };
    let seconds = seconds(&mut prepared, steps);
    let bytes = if by_kernel { work.bytes * steps as f64 } else { work.held };
    line(what, name, seconds, steps as f64, (work.operations * steps as f64, bytes));
    Some(seconds)
}

/// Lorenz' equations for `n` values of rho.
fn lorenz(n: usize) -> String {
    format!(
        "
flow:
  base: OperatorTemplate
  equations: [x' = 10*(y - x), y' = x*(rho - z) - y, z' = x*y - 8/3*z]
  variables: {{x: output(1.0), y: variable(0.0), z: variable(0.0), rho: 28.0}}
units: {{base: NodeTemplate, n: {n}, operators: {{flow: {{rho: {{uniform: [0.0, 28.0]}}}}}}}}
net: {{base: CircuitTemplate, nodes: {{p: units}}}}
simulate: {{duration: 1.0, dt: 1e-3, scheme: rk4, record: {{x: 'p/flow/x[0]'}}}}
"
    )
}

/// Izhikevich's neurons without connections.
fn izhikevich(n: usize) -> String {
    format!(
        "
neuron:
  base: OperatorTemplate
  equations: [v' = 0.04*v^2 + 5*v + 140 - u + I, \"u' = 0.02*(0.2*v - u)\"]
  variables: {{v: output(-65.0), u: variable(-13.0), I: 10.0}}
  events: {{spike: {{when: v >= 30, reset: {{v: -65.0, u: u + 8.0}}}}}}
units: {{base: NodeTemplate, n: {n}, operators: {{neuron: {{I: {{uniform: [0.0, 20.0]}}}}}}}}
net: {{base: CircuitTemplate, nodes: {{p: units}}}}
simulate: {{duration: 1.0, dt: 0.5, scheme: euler, record: {{v: 'p/neuron/v[0]'}}}}
"
    )
}

/// Montbrio, Pazo and Roxin's mean fields.
fn mean_fields(n: usize) -> String {
    format!(
        "
field:
  base: OperatorTemplate
  equations: [r' = 1/pi + 2*r*v, v' = v^2 + eta + 15*r - (pi*r)^2]
  variables: {{r: output(0.1), v: variable(-1.0), eta: 0.0}}
units: {{base: NodeTemplate, n: {n}, operators: {{field: {{eta: {{uniform: [-10.0, 5.0]}}}}}}}}
net: {{base: CircuitTemplate, nodes: {{p: units}}}}
simulate: {{duration: 10.0, dt: 1e-3, scheme: euler, record: {{r: 'p/field/r[0]'}}}}
"
    )
}

/// Jansen and Rit's columns in a network of regions with delays.
fn brain(regions: usize) -> String {
    format!(
        "
column:
  base: OperatorTemplate
  equations:
    - y0' = y3
    - y1' = y4
    - y2' = y5
    - y3' = A*a*S(y1 - y2) - 2*a*y3 - a^2*y0
    - y4' = A*a*(p + G*far + 0.8*C*S(C*y0)) - 2*a*y4 - a^2*y1
    - y5' = B*b*0.25*C*S(0.25*C*y0) - 2*b*y5 - b^2*y2
    - rate = S(y1 - y2)
  variables: {{rate: output, y0: variable, y1: variable, y2: variable, y3: variable, y4: variable, y5: variable,
    far: input(0.0), G: 1.0, p: 120.0, A: 3.25, B: 22.0, a: 100.0, b: 50.0, C: 135.0}}
functions:
  S: {{args: [x], expr: 5.0/(1 + exp(0.56*(6.0 - x)))}}
regions: {{base: NodeTemplate, n: {regions}, operators: column}}
net:
  base: CircuitTemplate
  nodes: {{p: regions}}
  edges: [[p/column/rate, p/column/far, null, {{weight: 0.1, delay: 0.01, connectivity: {{random: {{p: 0.3}}}}}}]]
simulate: {{duration: 1.0, dt: 1e-3, scheme: heun, seed: 1, record: {{y: 'p/column/y1[0]'}}}}
"
    )
}

/// `y = W x`, then `x = y`: what a dense rate network reads.
fn dense(n: usize) -> Module {
    let mut module = Module::empty("dense", Precision::F32);
    let state = |name: &str, id: u32| Buffer { name: name.into(), role: BufferRole::State(StateId(id)), len: n };
    module.buffers = vec![state("x", 0), state("y", 1)];
    let number = |k: usize| uniform_pair(3, 0, k as u32, 0)[0] - 0.5;
    module.initial = vec![(BufferId(0), Values::Each((0..n).map(number).collect()))];
    let starts: Vec<u32> = (0..=n).map(|t| (t * n) as u32).collect();
    let sources: Vec<u32> = (0..n).flat_map(|_| 0..n as u32).collect();
    let weights = (0..n * n).map(|k| ((k % 1009) as f64 - 504.0) / n as f64 * 1e-3).collect();
    module.connections =
        vec![Connection::new("dense", (SpaceId(1), SpaceId(1)), starts, sources, Values::Each(weights))];
    let couple = Body::Couple { connection: 0, source: BufferId(0), target: BufferId(1) };
    module.kernels = vec![
        Kernel { name: "step dense #0".into(), extent: n, body: couple },
        Kernel { name: "step copy #1".into(), extent: n, body: copy(BufferId(1), BufferId(0)) },
    ];
    module.step = vec![0, 1];
    module
}

fn copy(from: BufferId, to: BufferId) -> Body {
    let load = ValueOp::Load { buffer: from, index: Index::Element };
    Body::Pointwise(vec![Stmt::Let(ValueId(0), load), Stmt::Store(to, ValueId(0))])
}

/// One array copied to another: the memory's rate.
fn copying(n: usize) -> Module {
    let mut module = Module::empty("copy", Precision::F32);
    let state = |name: &str, id: u32| Buffer { name: name.into(), role: BufferRole::State(StateId(id)), len: n };
    module.buffers = vec![state("x", 0), state("y", 1)];
    module.kernels = vec![Kernel { name: "step copy #0".into(), extent: n, body: copy(BufferId(0), BufferId(1)) }];
    module.step = vec![0];
    module
}

/// Runs a module put together by hand, kernel by kernel.
fn modules(what: &str, module: Module, device: &Device, steps: u64) {
    let work = work(&module);
    let mut executable = match (device.by_kernel.load)(module, 0) {
        Ok(executable) => executable,
        Err(error) => return println!("skipped: {what}, {}: {error}", device.name),
    };
    let feeds = Feeds::default();
    let mut run = || {
        let start = Instant::now();
        executable.advance(0, steps, 1.0, &feeds).unwrap();
        executable.gather(&[(0, 0)], &mut Vec::new()).unwrap();
        start.elapsed().as_secs_f64()
    };
    run();
    let seconds = run();
    let steps = steps as f64;
    line(what, &device.name, seconds, steps, (work.operations * steps, work.bytes * steps));
}

fn main() {
    let scale = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1.0f64);
    let scaled = |n: f64| ((n * scale) as usize).max(64);
    if scale != 1.0 {
        println!("all sizes times {scale}: the numbers mean nothing but that it works");
    }
    let found = devices();
    let auto = Engine::auto();
    let cpu = format!("{} (processor)", auto.name);
    for device in &found {
        modules("copy of 100,000,000 numbers", copying(scaled(1e8)), device, 20);
    }
    let model = load(&lorenz(scaled(8.4e6)));
    for device in &found {
        elements("8.4e6 Lorenz, 1000 rk4 steps", &model, device.engine, &device.name, 1000);
    }
    let model = load(&izhikevich(scaled(1e6)));
    for device in &found {
        elements("1e6 Izhikevich, 1000 single steps", &model, device.by_kernel, &device.name, 1000);
        elements("1e6 Izhikevich, 1000 steps", &model, device.engine, &device.name, 1000);
    }
    for device in &found {
        modules("dense 10,000 by 10,000", dense(scaled(1e8).isqrt()), device, 100);
    }
    // The processor does a hundredth of the mean fields.
    let (many, few) = (scaled(1e6), scaled(1e4));
    let beside = elements("1e4 mean fields, 10,000 Euler steps", &load(&mean_fields(few)), auto, &cpu, 10_000);
    let model = load(&mean_fields(many));
    for device in &found {
        let what = "1e6 mean fields, 10,000 Euler steps";
        if let (Some(here), Some(beside)) = (elements(what, &model, device.engine, &device.name, 10_000), beside) {
            println!("{:48}{:.1} times the processor", "", beside / few as f64 * many as f64 / here);
        }
    }
    // One network by itself: launches decide, unless one does many steps.
    for regions in [8, 90, 1000] {
        let (model, what) = (load(&brain(regions)), format!("one brain of {regions} columns, 1000 steps"));
        for device in &found {
            elements(&what, &model, device.engine, &device.name, 1000);
            elements(&format!("{what}, by kernel"), &model, device.by_kernel, &device.name, 1000);
        }
        elements(&what, &model, auto, &cpu, 1000);
    }
    // A batch is compiled for its members: as many as a sweep has at a time.
    let model = load(&brain(90));
    let members = scaled(4096.0).min(4096);
    let values: Vec<f64> = (0..members).map(|m| 2.0 * m as f64 / members as f64).collect();
    let mut engines: Vec<(&'static Engine, &str)> = found.iter().map(|d| (d.engine, &*d.name)).collect();
    engines.extend(found.iter().map(|d| (d.by_kernel, &*d.name)));
    engines.push((auto, &cpu));
    for (engine, name) in engines {
        let batch = model.batch_on(&[("p/column/G", values.clone())], engine).unwrap_or_else(|e| panic!("{e}"));
        let compiled = batch.compile(0..members).unwrap_or_else(|e| panic!("{e}"));
        let work = work(&compiled.module);
        match compiled.load() {
            Ok(mut prepared) => {
                let seconds = seconds(&mut prepared, 200);
                let what = format!("{members} brains of 90 columns, 200 steps");
                let engine = if engine.name.contains("kernel by kernel") { "by kernel" } else { engine.name };
                line(
                    &what,
                    &format!("{name}, {engine}"),
                    seconds,
                    200.0,
                    (work.operations * 200.0, work.bytes * 200.0),
                );
            }
            Err(error) => println!("skipped: brains, {name}: {error}"),
        }
    }
}
