//! Random numbers in equations.
#![allow(clippy::unwrap_used)]

use nullcline::compiler::ir::vectorise::Vectorise;
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::observe::Recording;
use nullcline::runtime::random::uniform_pair;
use nullcline::{ENGINES, Engine, Interrupt, Model};

const NODES: &str = "
op:
  base: OperatorTemplate
  equations: [\"x' = -x + y\", y = randn(), z = randn() + randn()]
  variables: {x: variable(0.0), y: variable, z: variable}
unit: {base: NodeTemplate, operators: [op]}
net:
  base: CircuitTemplate
  nodes: {a: unit, b: unit, c: unit}
simulate: {duration: 500.0, dt: 0.1, scheme: heun, record: {y: all/op/y, z: all/op/z, x: all/op/x}}
";

fn model(yaml: &str) -> Model {
    Model::load(&MemoryLibrary::new().with("m.yaml", yaml), "m.yaml", None).unwrap_or_else(|e| panic!("{e}"))
}

fn run(model: &Model, engine: &'static Engine) -> Recording {
    let mut prepared = model.compile(engine).unwrap().load().unwrap();
    let mut recording = Recording::new(prepared.simulation.labels());
    prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    recording
}

fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64)
}

#[test]
fn numbers_are_standard_normal_and_independent() {
    let recording = run(&model(NODES), Engine::auto());
    let n = 5000.0f64;
    for (label, column) in recording.labels.iter().zip(&recording.columns) {
        assert_eq!(column.len(), 5000);
        let (mean, variance) = moments(column);
        let expected = match label.group.as_str() {
            "y" => 1.0,
            "z" => 2.0,
            _ => continue,
        };
        // Five standard errors: sigma / sqrt(n) of the mean, variance sqrt(2 / n) of the variance.
        assert!(mean.abs() < 5.0 * (expected / n).sqrt(), "{}: mean {mean}", label.name);
        assert!((variance - expected).abs() < 5.0 * expected * (2.0 / n).sqrt(), "{}: variance {variance}", label.name);
        let lagged: f64 = column.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / n;
        assert!(lagged.abs() < 5.0 * expected / n.sqrt(), "{}: successive numbers correlate: {lagged}", label.name);
        for (other, values) in recording.labels.iter().zip(&recording.columns) {
            if other.name != label.name && other.group != "x" {
                let product: f64 = column.iter().zip(values).map(|(a, b)| a * b).sum::<f64>() / n;
                assert!(product.abs() < 5.0 * expected.max(2.0) / n.sqrt(), "{} and {}", label.name, other.name);
            }
        }
    }
}

#[test]
fn numbers_depend_on_seed_unit_and_step_only() {
    let mut nodes = model(NODES);
    let reference = run(&nodes, Engine::auto());
    for engine in ENGINES.iter().filter(|e| e.device == "cpu" && (e.name != "jit" || Engine::auto().name == "jit")) {
        for vectorise in [Vectorise::Never, Vectorise::Always] {
            nodes.vectorise = vectorise;
            assert!(run(&nodes, engine).columns == reference.columns, "{}, {vectorise:?}", engine.name);
        }
    }
    nodes.settings.seed = Some(1);
    let other = run(&nodes, Engine::auto());
    assert!(other.columns[0].iter().zip(&reference.columns[0]).all(|(a, b)| a != b));
    // Recording less and sampling more rarely changes nothing.
    nodes.settings.seed = None;
    nodes.settings.sample_every = Some(0.5);
    nodes.settings.record.truncate(1);
    let fewer = run(&nodes, Engine::auto());
    assert!(fewer.columns[0].iter().eq(reference.columns[0].iter().step_by(5)));
}

#[test]
fn numbers_are_the_transform_of_philox_words() {
    let recording = run(&model(NODES), Engine::auto());
    // FNV-1a of `/op/y/1`, the place in the equations.
    let site = "/op/y/1".bytes().fold(0x811c_9dc5u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    for unit in 0..3u32 {
        let column = recording.columns[unit as usize].iter().enumerate();
        for (step, found) in column.take(50) {
            let [u, v] = uniform_pair(0, site, unit, step as u64);
            let expected = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
            // The cosine of a rounded angle is off by its absolute error, about 1e-15.
            assert!((found - expected).abs() < 1e-14, "unit {unit}, step {step}: {found}, {expected}");
        }
    }
}

#[test]
fn both_stages_of_a_step_see_the_same_number() {
    let recording = run(&model(NODES), Engine::auto());
    let column = |name: &str| &recording.columns[recording.labels.iter().position(|l| l.name == name).unwrap()];
    let (x, y) = (column("x[a]"), column("y[a]"));
    for k in 0..x.len() - 1 {
        // Heun's step of x' = -x + y with y constant: x + dt (1 - dt / 2) (y - x).
        let expected = x[k] + 0.1 * (1.0 - 0.05) * (y[k] - x[k]);
        assert!((x[k + 1] - expected).abs() < 1e-14);
    }
}

#[test]
fn extrinsic_inputs_have_no_random_numbers() {
    let mut nodes = model(&NODES.replace("y = randn()", "y = u").replace("y: variable", "y: variable, u: input"));
    nodes.drive("a/op/u", "randn()");
    let message = nodes.simulation().err().unwrap().to_string();
    assert!(message.starts_with("error[noise]") && message.contains("help:"), "{message}");
}
