//! Schemes that solve linear equations: what they solve exactly, and how they converge where they do not.
#![allow(clippy::unwrap_used)]

mod support;

use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::io::Series;
use nullcline::{Engine, Model};
use support::{column, last, run, scheme, set};

/// A membrane with two synapses of Brette et al. 2007, benchmark 2, under a constant current.
const MEMBRANE: &str = "
lif:
  base: OperatorTemplate
  equations: [\"v' = (ge + gi - (v - El))/tau\", \"ge' = -ge/tau_e\", \"gi' = -gi/tau_i\"]
  variables: {v: output(-60.0), ge: variable(30.0), gi: variable(-8.0), El: -49.0, tau: 20.0, tau_e: 5.0, tau_i: 10.0}
node: {base: NodeTemplate, operators: lif}
simulate: {duration: 100.0, dt: 0.1, include_end: true, sample_every: 10.0, record: {v: v, ge: ge, gi: gi}}
";

fn model(text: &str, name: &str, dt: f64) -> Model {
    let mut model = support::load(&MemoryLibrary::new().with("m.yaml", text), "m.yaml", None);
    scheme(&mut model, name);
    model.settings.dt = Some(dt);
    model
}

/// The membrane's closed form: two exponentials of different time constants convolved.
fn membrane(t: f64, tau: f64) -> f64 {
    let decay = |tau: f64| (-t / tau).exp();
    let synapse = |g: f64, tau_s: f64| g * tau_s / (tau_s - tau) * (decay(tau_s) - decay(tau));
    -49.0 - 11.0 * decay(tau) + synapse(30.0, 5.0) + synapse(-8.0, 10.0)
}

#[test]
fn a_linear_system_is_solved_exactly_for_any_step() {
    for dt in [0.01, 0.1, 1.0, 10.0] {
        let recording = run(&model(MEMBRANE, "exact", dt));
        for (t, v) in recording.times.iter().zip(column(&recording, "v")) {
            // 10,000 steps each round to about 1e-16 of 60, and errors decay with time constants of 200 steps or less.
            assert!((v - membrane(*t, 20.0)).abs() < 1e-11, "dt {dt}, t {t}: {v}, {}", membrane(*t, 20.0));
        }
        assert!((last(&recording, "ge") - 30.0 * (-20.0f64).exp()).abs() < 1e-19);
    }
}

#[test]
fn equal_time_constants_are_no_singularity() {
    // tau = tau_e: the convolution becomes g t / tau exp(-t / tau).
    let mut equal = model(MEMBRANE, "exact", 0.5);
    set(&mut equal, &[("tau", 5.0), ("tau_i", 5.0)]);
    let recording = run(&equal);
    for (t, v) in recording.times.iter().zip(column(&recording, "v")) {
        let expected = -49.0 + (-11.0 + 22.0 * t / 5.0) * (-t / 5.0).exp();
        assert!((v - expected).abs() < 1e-11, "t {t}: {v}, {expected}");
    }
}

#[test]
fn a_stiff_system_is_solved_too() {
    // Rates of 10^5 per step beside one of 1/200.
    let mut stiff = model(MEMBRANE, "exact", 0.1);
    set(&mut stiff, &[("tau_e", 1e-6), ("tau_i", 1e-6)]);
    let recording = run(&stiff);
    for (t, v) in recording.times.iter().zip(column(&recording, "v")).skip(1) {
        // The synapses leave 1e-6 (30 - 8) / 20 of a jump.
        let expected = -49.0 + (-11.0 + 22.0 * 1e-6 / (20.0 - 1e-6)) * (-t / 20.0).exp();
        assert!((v - expected).abs() < 1e-11, "t {t}: {v}, {expected}");
    }
}

#[test]
fn an_oscillator_keeps_its_amplitude() {
    let text = "
op:
  base: OperatorTemplate
  equations: [\"x' = w*y\", \"y' = -w*x\"]
  variables: {x: output(1.0), y: variable(0.0), w: 2.0}
node: {base: NodeTemplate, operators: op}
simulate: {duration: 1000.0, dt: 0.1, include_end: true, record: {x: x}}
";
    for dt in [0.1, 1.0, 5.0] {
        let recording = run(&model(text, "exact", dt));
        // The angle of 2000 is rounded to 2e-13, and 10,000 rotations to about 1e-16 each.
        assert!((last(&recording, "x") - 2000f64.cos()).abs() < 3e-12, "dt {dt}: {}", last(&recording, "x"));
    }
}

#[test]
fn units_have_matrices_of_their_own_and_parameters_may_change() {
    let text = MEMBRANE
        .replace("operators: lif", "n: 3, operators: {lif: {tau: [12.0, 20.0, 30.0]}}")
        .replace("record: {v: v, ge: ge, gi: gi}", "record: {v: v}");
    let recording = run(&model(&text, "exact", 0.5));
    for (unit, tau) in [(0, 12.0), (1, 20.0), (2, 30.0)] {
        for (t, v) in recording.times.iter().zip(&recording.columns[unit]) {
            assert!((v - membrane(*t, tau)).abs() < 1e-11);
        }
    }
    // A parameter set between two steps changes the matrices: one step with each time constant.
    let mut session = model(MEMBRANE, "exact", 2.0).session().unwrap();
    session.set("ge", &0.0.into()).unwrap();
    session.set("gi", &0.0.into()).unwrap();
    session.step().unwrap();
    session.set("tau", &5.0.into()).unwrap();
    session.step().unwrap();
    let expected = -49.0 - 11.0 * (-2.0f64 / 20.0 - 2.0 / 5.0).exp();
    assert!((session.get("v").unwrap()[0] - expected).abs() < 1e-13);
}

#[test]
fn samples_that_hold_over_a_step_are_solved_exactly() {
    let text = "
op:
  base: OperatorTemplate
  equations: [\"v' = (u - v)/tau\", \"w' = v - w\"]
  variables: {v: output(0.0), w: variable(0.0), u: input(0.0), tau: 2.0}
node: {base: NodeTemplate, operators: op}
simulate: {duration: 2.0, dt: 1.0, include_end: true, record: {v: v, w: w}}
";
    let mut driven = model(text, "exact", 1.0);
    driven.drive_samples("u", Series { rows: 2, columns: 1, data: vec![1.0, 3.0], ..Series::default() });
    let recording = run(&driven);
    // From rest under u: v = u (1 - e^{-t/2}), w = u (1 - 2 e^{-t/2} + e^{-t}); the steps superpose.
    let (a, b) = ((-0.5f64).exp(), (-1.0f64).exp());
    let (v1, w1) = (1.0 - a, 1.0 - 2.0 * a + b);
    let (v2, w2) = (v1 * a + 3.0 * (1.0 - a), w1 * b + 2.0 * v1 * (a - b) + 3.0 * w1);
    for (name, expected) in [("v", [0.0, v1, v2]), ("w", [0.0, w1, w2])] {
        for (found, expected) in column(&recording, name).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-14, "{name}: {found}, {expected}");
        }
    }
}

#[test]
fn exponential_euler_is_exact_where_an_equation_reads_itself_only() {
    let text = "
op:
  base: OperatorTemplate
  equations: [\"x' = a - b*x\", \"y' = c\", \"z' = k*z\"]
  variables: {x: output(4.0), y: variable(1.0), z: variable(1.0), a: 3.0, b: 2.0, c: 0.5, k: 0.0}
node: {base: NodeTemplate, operators: op}
simulate: {duration: 2.0, dt: 0.5, include_end: true, record: {x: x, y: y, z: z}}
";
    let recording = run(&model(text, "exponential_euler", 0.5));
    assert!((last(&recording, "x") - (1.5 + 2.5 * (-4.0f64).exp())).abs() < 1e-15);
    assert_eq!((last(&recording, "y"), last(&recording, "z")), (2.0, 1.0));
}

#[test]
fn exponential_euler_converges_with_order_one_and_is_stable_for_large_steps() {
    // Two equations that read each other: x = e^{-2t} + e^{-4t}, y = e^{-2t} - e^{-4t}.
    let text = "
op:
  base: OperatorTemplate
  equations: [\"x' = -3*x + y\", \"y' = x - 3*y\"]
  variables: {x: output(2.0), y: variable(0.0)}
node: {base: NodeTemplate, operators: op}
simulate: {duration: 1.0, dt: 0.5, include_end: true, record: {x: x}}
";
    let error = |steps: u32| {
        let found = last(&run(&model(text, "exponential_euler", 1.0 / f64::from(steps))), "x");
        (found - (-2.0f64).exp() - (-4.0f64).exp()).abs()
    };
    let order = (error(512) / error(1024)).log2();
    assert!((order - 1.0).abs() < 0.1, "order {order}");
    let mut large = model(text, "exponential_euler", 100.0);
    large.settings.duration = Some(10_000.0);
    assert!(last(&run(&large), "x").abs() < 1e-6);
}

#[test]
fn schemes_of_linear_equations_are_the_same_on_every_engine() {
    for name in ["exact", "exponential_euler"] {
        let text = MEMBRANE.replace("operators: lif", "n: 67, operators: lif");
        let text = text.replace("v: v, ge: ge, gi: gi", "v: 'v[13]', ge: 'ge[66]'");
        let model = model(&text, name, 0.1);
        let on = |engine: &str| {
            let engine = Engine::lookup(engine).unwrap();
            let mut session = model.session_on(engine).unwrap();
            session.run(20.0).unwrap().columns
        };
        let oracle = on("oracle");
        assert!(on("block") == oracle, "{name}");
        assert!(Engine::auto().name != "jit" || on("jit") == oracle, "{name}");
    }
}
