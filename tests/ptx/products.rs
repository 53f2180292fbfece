//! Products of dense matrices by a library: what the launcher asks for, computed by a stand-in, is what the kernels compute.

use std::sync::atomic::{AtomicUsize, Ordering};

use nullcline::compiler::backend::ptx::{self, PTX};
use nullcline::compiler::kernel::ir::Module;
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::artifact::{DeviceError, Explanation};
use nullcline::runtime::code::Entry;
use nullcline::runtime::device::blas::{Call, Gemm};
use nullcline::runtime::device::{Driver, Launcher};
use nullcline::runtime::observe::Recording;
use nullcline::runtime::program::Precision;
use nullcline::{Engine, Interrupt, Model};

use super::bits_of;
use super::interpreter::{Machine, REFERENCE};
use super::watched::Watched;

/// Products computed by the stand-in, of vectors and of matrices.
static COMPUTED: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

/// The library: it adds in the order of the kernels.
fn product(machine: &mut Machine, call: &Call, precision: Precision, addresses: [u64; 3]) -> Result<(), DeviceError> {
    let of = match *call {
        Call::Gemv(of) => Gemm { m: of.n, n: 1, k: of.m, lda: of.lda, ldb: of.m, ldc: of.n },
        Call::Gemm(of) => of,
    };
    COMPUTED[usize::from(of.n > 1)].fetch_add(1, Ordering::Relaxed);
    gemm(machine, of, precision, addresses)
}

fn numbers(machine: &Machine, address: u64, count: usize, precision: Precision) -> Result<Vec<f64>, DeviceError> {
    let single = precision == Precision::F32;
    let mut bytes = vec![0; count * if single { 4 } else { 8 }];
    machine.download(address, &mut bytes)?;
    Ok(match single {
        true => bytes.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
        false => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
    })
}

/// `C = A^T B`, column by column.
fn gemm(machine: &mut Machine, of: Gemm, precision: Precision, [a, b, c]: [u64; 3]) -> Result<(), DeviceError> {
    let [m, n, k, lda, ldb, ldc] = [of.m, of.n, of.k, of.lda, of.ldb, of.ldc].map(|number| number as usize);
    let (a, b) = (numbers(machine, a, m * lda, precision)?, numbers(machine, b, n * ldb, precision)?);
    let mut bytes = Vec::new();
    assert_eq!(ldc, m, "results lie without gaps");
    for j in 0..n {
        for i in 0..m {
            let terms = (0..k).map(|p| (a[p + i * lda], b[p + j * ldb]));
            match precision {
                Precision::F64 => {
                    let sum = terms.fold(0.0f64, |sum, (a, b)| a.mul_add(b, sum));
                    bytes.extend(sum.to_le_bytes());
                }
                Precision::F32 => {
                    let sum = terms.fold(0.0f32, |sum, (a, b)| (a as f32).mul_add(b as f32, sum));
                    bytes.extend(sum.to_le_bytes());
                }
            }
        }
    }
    machine.upload(c, &bytes)
}

fn artifact(module: &Module) -> nullcline::runtime::code::Artifact {
    ptx::artifact(module, &ptx::Options { blas: true, ..ptx::Options::default() })
}

/// Kernels, products among them.
static WITHOUT: Engine = Engine {
    name: "ptx for a library, without one",
    target: &PTX,
    device: "cpu",
    load: |module, _| {
        let artifact = artifact(&module);
        let machine = Machine::new(&artifact.code)?;
        Ok(Box::new(Launcher::new(artifact, "ptx", machine)?))
    },
    doc: "executes PTX",
};

/// The same with a library.
static WITH: Engine = Engine {
    name: "ptx with a library",
    load: |module, _| {
        let artifact = artifact(&module);
        let launched = |entry: &Entry| assert!(entry.product.is_none(), "`{}` is left to the library", entry.name);
        let machine = Watched { machine: Machine::new(&artifact.code)?, launched, product: Some(product) };
        Ok(Box::new(Launcher::new(artifact, "ptx", machine)?))
    },
    ..WITHOUT
};

/// 300 units, more entries than one launch steps by itself.
const NETWORK: &str = "
cell:
  base: OperatorTemplate
  equations: [\"v' = -v + g*u\", r = tanh(v)]
  variables: {v: variable(0.5), r: output, u: input(0.0), g: 1.0}
cells: {base: NodeTemplate, n: 300, operators: {cell: {v: {uniform: [-1.0, 1.0]}}}}
net:
  base: CircuitTemplate
  nodes: {a: cells}
  edges: [[a/cell/r, a/cell/u, null, {weight: {normal: [0.0, 0.1]}, connectivity: all_to_all}]]
simulate: {duration: 0.4, dt: 0.1, record: {v: a/cell/v}}
";

fn model(precision: &str) -> Model {
    let library = MemoryLibrary::new().with("m.yaml", NETWORK);
    let mut model = Model::load(&library, "m.yaml", None).unwrap_or_else(|e| panic!("{e}"));
    model.settings.precision = Some(model.name("precision", precision));
    model
}

fn record(model: &Model, members: usize, engine: &'static Engine) -> (Recording, Vec<Explanation>) {
    let gains: Vec<f64> = (0..members).map(|m| 1.0 + m as f64).collect();
    let batch = model.batch_on(&[("a/cell/g", gains)], engine).unwrap_or_else(|e| panic!("{e}"));
    let mut prepared = batch.simulation(0..members).unwrap_or_else(|e| panic!("{e}"));
    let mut recording = prepared.simulation.recording();
    let run = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
    run.unwrap_or_else(|e| panic!("{e}"));
    (recording, prepared.simulation.executable().explain())
}

#[test]
fn a_library_is_asked_for_the_products_that_the_kernels_compute() {
    for precision in ["f64", "f32"] {
        let model = model(precision);
        for (members, kernel) in [(1, "cuBLAS gemv"), (3, "cuBLAS gemm")] {
            let (expected, _) = record(&model, members, &REFERENCE);
            assert!(bits_of(&expected)[0].windows(2).all(|pair| pair[0] != pair[1]), "the network moves");
            for engine in [&WITHOUT, &WITH] {
                let before = COMPUTED.each_ref().map(|count| count.load(Ordering::Relaxed));
                let (found, explained) = record(&model, members, engine);
                let computed = [0, 1].map(|kind| COMPUTED[kind].load(Ordering::Relaxed) - before[kind]);
                assert!(bits_of(&found) == bits_of(&expected), "{members} members, {precision}, {}", engine.name);
                // One for each step, of the kind that is explained.
                let steps = if std::ptr::eq(engine, &WITH) { 4 } else { 0 };
                assert_eq!(computed, if members == 1 { [steps, 0] } else { [0, steps] });
                let [explained] = &explained[..] else { panic!("one set of connections: {explained:?}") };
                assert_eq!((explained.kernel, explained.synapses), (kernel, members * 90_000));
                // Members share the matrix.
                assert_eq!(explained.bytes, 90_000 * if precision == "f64" { 8 } else { 4 });
                assert!(explained.reason.contains("--engine cublas"), "{}", explained.reason);
            }
        }
    }
}

#[test]
fn no_library_is_asked_for_unless_chosen() {
    let module = super::module(&mut model("f32"), "f32");
    let own = ptx::artifact(&module, &ptx::Options::default());
    assert!(own.entries.iter().all(|entry| entry.product.is_none()));
    assert_eq!(own.explanations[0].kernel, "tiled matrix");
    let chosen = artifact(&module);
    let products: Vec<_> = chosen.entries.iter().filter_map(|entry| entry.product).collect();
    assert_eq!(products.iter().map(|p| (p.rows, p.columns, p.vectors)).collect::<Vec<_>>(), [(300, 300, 1)]);
    let row_by_row = &chosen.constants[products[0].matrix as usize].data;
    let nullcline::compiler::ir::system::Values::Each(weights) = &module.connections[0].weights else {
        panic!("weights are drawn")
    };
    assert_eq!(*row_by_row, nullcline::runtime::code::Data::Numbers(weights.to_vec()));
    assert!(weights.iter().any(|weight| *weight != weights[0]));
}
