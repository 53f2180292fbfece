//! White noise in differential equations: its size, the order of schemes along paths, and that nothing else changes it.
#![allow(clippy::unwrap_used)]

mod support;

use nullcline::compiler::ir::vectorise::Vectorise;
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::observe::Recording;
use nullcline::{ENGINES, Engine, Interrupt, Model};
use support::{run, scheme};

/// Ornstein-Uhlenbeck processes: variance `sigma^2 tau / 2`.
const OU: &str = "
op:
  base: OperatorTemplate
  equations: \"x' = -x/tau + NOISE\"
  variables: {x: output(0.0), tau: 2.0, sigma: 0.5}
node: {base: NodeTemplate, n: 20000, operators: op}
simulate: {duration: 20.0, dt: 0.02, cutoff: 20.0, include_end: true, scheme: euler, sample_every: 0.02}
";

/// Geometric Brownian motion, with the path of its noise.
const GBM: &str = "
op:
  base: OperatorTemplate
  equations: [\"x' = mu*x + sigma*x*xi\", \"w' = xi\"]
  variables: {x: output(1.0), w: variable(0.0), mu: 0.3, sigma: 0.8}
node: {base: NodeTemplate, n: 4000, operators: op}
simulate: {duration: 1.0, dt: 0.1, include_end: true, record: {x: x, w: w}}
";

fn model(text: &str) -> Model {
    support::load(&MemoryLibrary::new().with("m.yaml", text), "m.yaml", None)
}

fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

#[test]
fn an_ornstein_uhlenbeck_process_has_its_variance() {
    for (scheme_name, noise) in [
        ("euler", "noise(sigma)"),
        ("euler_maruyama", "sigma*xi"),
        ("heun", "noise(sigma)"),
        ("milstein", "sigma*xi_a"),
    ] {
        let mut ou = model(&OU.replace("NOISE", noise).replace("cutoff: 20.0", "cutoff: 19.99"));
        scheme(&mut ou, scheme_name);
        let found = variance(&run(&ou).columns.iter().map(|c| *c.last().unwrap()).collect::<Vec<f64>>());
        // After ten time constants of the variance it is within e^-20 of its limit; a step of 0.01 tau adds 0.5 percent
        // with Euler's method, and 20,000 units measure it with a standard error of sqrt(2 / 20000) = 1 percent.
        let expected = 0.25;
        let error = expected * (2.0f64 / 20_000.0).sqrt();
        assert!((found - expected).abs() < 3.0 * error, "{scheme_name}, {noise}: {found}, expected {expected}");
    }
}

#[test]
fn noise_has_its_size_for_any_step() {
    // Variance of w' = noise(1) at time 1 is 1, in 20, 50 or 100 steps.
    let text = OU.replace("-x/tau + NOISE", "noise(1.0)").replace("duration: 20.0", "duration: 1.0");
    for dt in [0.05, 0.02, 0.01] {
        let mut wiener = model(&text.replace("cutoff: 20.0, ", ""));
        wiener.settings.dt = Some(dt);
        wiener.settings.sample_every = Some(dt);
        let found = variance(&run(&wiener).columns.iter().map(|c| *c.last().unwrap()).collect::<Vec<f64>>());
        assert!((found - 1.0).abs() < 3.0 * (2.0f64 / 20_000.0).sqrt(), "dt {dt}: {found}");
    }
}

/// Mean distance from the exact solution for the same path, where the drift of the logarithm is `drift`.
fn distance(scheme_name: &str, steps: u32, drift: f64) -> f64 {
    let mut gbm = model(GBM);
    scheme(&mut gbm, scheme_name);
    gbm.settings.dt = Some(1.0 / f64::from(steps));
    gbm.settings.sample_every = Some(1.0);
    let recording = run(&gbm);
    let ends: Vec<f64> = recording.columns.iter().map(|c| *c.last().unwrap()).collect();
    let (x, w) = ends.split_at(4000);
    x.iter().zip(w).map(|(x, w)| (x - (drift + 0.8 * w).exp()).abs()).sum::<f64>() / 4000.0
}

#[test]
fn paths_converge_with_the_strong_order_of_each_scheme() {
    // Ito: log x = (mu - sigma^2 / 2) t + sigma w; Stratonovich: log x = mu t + sigma w.
    let (ito, stratonovich) = (0.3 - 0.32, 0.3);
    for (scheme_name, drift, expected) in
        [("euler", ito, 0.5), ("euler_maruyama", ito, 0.5), ("milstein", ito, 1.0), ("heun", stratonovich, 1.0)]
    {
        let (coarse, fine) = (distance(scheme_name, 64, drift), distance(scheme_name, 1024, drift));
        let order = (coarse / fine).log2() / 4.0;
        // Each mean distance of 4000 paths has a standard error of some 2 percent: 0.01 of the order.
        assert!((order - expected).abs() < 0.05, "{scheme_name}: order {order} from {coarse:e} and {fine:e}");
    }
}

#[test]
fn without_state_in_its_factor_milstein_is_euler() {
    let at = |name: &str| {
        let mut ou =
            model(&OU.replace("NOISE", "noise(sigma)").replace("n: 20000", "n: 5").replace("cutoff: 20.0, ", ""));
        scheme(&mut ou, name);
        run(&ou).columns
    };
    assert!(at("milstein") == at("euler"));
}

#[test]
fn each_call_of_noise_is_another_and_a_name_is_one() {
    let text = "
op:
  base: OperatorTemplate
  equations: [\"a' = noise(1.0)\", \"b' = noise(1.0)\", \"c' = xi\", \"d' = xi\", \"e' = xi_other\"]
  variables: {a: variable(0.0), b: variable(0.0), c: variable(0.0), d: variable(0.0), e: variable(0.0)}
node: {base: NodeTemplate, n: 3, operators: op}
simulate: {duration: 1.0, dt: 0.1}
";
    let recording = run(&model(text));
    assert_eq!(recording.columns.len(), 15);
    for (i, one) in recording.columns.iter().enumerate() {
        for (j, other) in recording.columns.iter().enumerate().skip(i + 1) {
            // c and d of the same unit.
            let same = i / 3 == 2 && j == i + 3;
            assert_eq!(one[9] == other[9], same, "{} and {}", recording.labels[i].name, recording.labels[j].name);
        }
    }
}

fn run_on(model: &Model, engine: &'static Engine) -> Recording {
    let mut prepared = model.compile(engine).unwrap().load().unwrap();
    let mut recording = Recording::new(prepared.simulation.labels());
    prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    recording
}

/// Units with noise in products and sums, of which a product is recorded or not.
const PRODUCTS: &str = "
op:
  base: OperatorTemplate
  equations: [\"x' = -x + drive + 0.1*x*xi\", drive = gain*y, \"y' = -y*x + noise(0.3)\"]
  variables: {x: output(1.0), y: variable(0.5), drive: variable, gain: 1.3}
node: {base: NodeTemplate, n: 9, operators: op}
simulate: {duration: 2.0, dt: 0.01, scheme: milstein, record: {x: x}}
";

#[test]
fn the_same_seed_gives_the_same_bits_whatever_is_recorded_and_whoever_computes() {
    let text = PRODUCTS.replace("0.1*x*xi", "noise(0.1)");
    for scheme_name in ["euler", "heun", "milstein"] {
        let mut noisy = model(&text);
        scheme(&mut noisy, scheme_name);
        let reference = run_on(&noisy, Engine::auto());
        for engine in ENGINES.iter().filter(|e| e.device == "cpu" && (e.name != "jit" || Engine::auto().name == "jit"))
        {
            for vectorise in [Vectorise::Never, Vectorise::Always] {
                noisy.vectorise = vectorise;
                assert!(run_on(&noisy, engine).columns == reference.columns, "{scheme_name}, {}", engine.name);
            }
        }
        noisy.record("drive", "drive");
        noisy.record("y", "y");
        let more = run_on(&noisy, Engine::auto());
        assert!(more.columns[..9] == reference.columns, "{scheme_name}: recording changes numbers");
        noisy.settings.sample_every = Some(0.1);
        let fewer = run_on(&noisy, Engine::auto());
        assert!(fewer.columns[0].iter().eq(reference.columns[0].iter().step_by(10)), "{scheme_name}");
        noisy.settings.seed = Some(7);
        assert!(run_on(&noisy, Engine::auto()).columns[0] != fewer.columns[0]);
    }
}

#[test]
fn members_of_a_batch_have_the_noise_of_a_run_of_their_own() {
    let noisy = model(PRODUCTS);
    let gains = [0.7, 1.0, 1.3];
    let batch = noisy.batch(&[("gain", gains.to_vec())]).unwrap();
    let run_members = |range: std::ops::Range<usize>| {
        let mut prepared = batch.simulation(range).unwrap();
        let mut recording = Recording::new(prepared.simulation.labels());
        prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
        recording.columns
    };
    let whole = run_members(0..3);
    assert!(whole[18..] == run_on(&noisy, Engine::auto()).columns);
    let split: Vec<Vec<f64>> = run_members(0..1).into_iter().chain(run_members(1..3)).collect();
    assert!(split == whole);
}
