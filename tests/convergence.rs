//! The order of convergence of every scheme, on problems with closed forms, read from template text as users write it.
#![allow(clippy::unwrap_used)]

mod support;

use std::f64::consts::PI;

use nullcline::Model;
use nullcline::compiler::scheme::{Method, TABLE};
use nullcline::compiler::template::library::MemoryLibrary;
use support::{column, run, scheme};

/// Every problem is solved up to this time.
const END: f64 = 1.0;

/// Moments at which solutions are compared. One alone could be where the leading terms of the error cancel.
const MOMENTS: u32 = 16;

/// A problem: its text, its inputs and the closed form of the recorded column.
struct Problem {
    text: &'static str,
    inputs: &'static [(&'static str, &'static str)],
    exact: fn(unit: usize, t: f64) -> f64,
    units: usize,
}

/// Largest distance from the closed form, over all units and moments.
fn error(problem: &Problem, scheme_name: &str, steps: u32) -> f64 {
    let library = MemoryLibrary::new().with("problem.yaml", problem.text);
    let mut model: Model = support::load(&library, "problem.yaml", None);
    model.settings.duration = Some(END);
    model.settings.dt = Some(END / f64::from(steps));
    model.settings.sample_every = Some(END / f64::from(MOMENTS));
    model.settings.include_end = Some(true);
    for (path, input) in problem.inputs {
        model.drive(path, input);
    }
    scheme(&mut model, scheme_name);
    let recording = run(&model);
    assert_eq!(recording.times.last(), Some(&END));
    let mut largest = 0.0f64;
    for unit in 0..problem.units {
        let name = if problem.units == 1 { "x".to_string() } else { format!("x[{unit}]") };
        for (t, x) in recording.times.iter().zip(column(&recording, &name)) {
            largest = largest.max((x - (problem.exact)(unit, *t)).abs());
        }
    }
    largest
}

/// The slope of log(error) over log(dt) between two step sizes.
#[track_caller]
fn assert_orders(problem: &Problem) {
    for row in TABLE {
        // The others take linear equations only, see `tests/schemes.rs`.
        let (Method::RungeKutta(_) | Method::Milstein, Some(expected)) = (&row.method, row.order) else { continue };
        // Small enough for the leading term of the error to dominate, large enough to keep it above rounding.
        let steps = if expected >= 4 { 64 } else { 512 };
        let (coarse, fine) = (error(problem, row.name, steps), error(problem, row.name, 2 * steps));
        let order = (coarse / fine).log2();
        let expected = f64::from(expected);
        assert!((order - expected).abs() < 0.1, "{}: order {order}, errors {coarse:e} and {fine:e}", row.name);
    }
}

/// `x' = r x (1 - x/K)`, `x(0) = x0`: `x = K / (1 + (K/x0 - 1) exp(-r t))`.
fn logistic(r: f64, k: f64, x0: f64, t: f64) -> f64 {
    k / (1.0 + (k / x0 - 1.0) * (-r * t).exp())
}

#[test]
fn orders_hold_for_a_nonlinear_equation() {
    assert_orders(&Problem {
        text: "
growth:
  base: OperatorTemplate
  equations: x' = r*x*(1 - x/K)
  variables: {x: output(0.1), r: 2.5, K: 1.5}
node: {base: NodeTemplate, operators: [growth]}
",
        inputs: &[],
        exact: |_, t| logistic(2.5, 1.5, 0.1, t),
        units: 1,
    });
}

#[test]
fn orders_hold_when_the_time_stands_in_an_equation() {
    // x' = -x cos(3 t): x = x0 exp(-sin(3 t) / 3).
    assert_orders(&Problem {
        text: "
pump:
  base: OperatorTemplate
  equations: dx/dt = -x*cos(3*t)
  variables: {x: output(2.0)}
node: {base: NodeTemplate, operators: [pump]}
",
        inputs: &[],
        exact: |_, t| 2.0 * (-(3.0 * t).sin() / 3.0).exp(),
        units: 1,
    });
}

#[test]
fn orders_hold_under_an_input_that_is_an_expression_of_the_time() {
    // tau x' = -x + sin(w t), x(0) = 0: x = (sin(w t) - w tau cos(w t) + w tau exp(-t/tau)) / (1 + (w tau)^2).
    assert_orders(&Problem {
        text: "
filter:
  base: OperatorTemplate
  equations: d/dt * x = (u - x)/tau
  variables: {x: output(0.0), u: input(0.0), tau: 0.4}
node: {base: NodeTemplate, operators: [filter]}
",
        inputs: &[("u", "sin(2*pi*t)")],
        exact: |_, t| {
            let (w, tau) = (2.0 * PI, 0.4);
            let a = w * tau;
            ((w * t).sin() - a * (w * t).cos() + a * (-t / tau).exp()) / (1.0 + a * a)
        },
        units: 1,
    });
}

#[test]
fn orders_hold_in_every_unit_of_a_population() {
    assert_orders(&Problem {
        text: "
growth:
  base: OperatorTemplate
  equations: x' = r*x*(1 - x/K)
  variables: {x: output(0.1), r: 2.5, K: 1.5}
node:
  base: NodeTemplate
  n: 3
  operators:
    growth: {r: [1.0, 2.0, 3.0], x: [0.2, 0.1, 2.0]}
",
        inputs: &[],
        exact: |unit, t| logistic([1.0, 2.0, 3.0][unit], 1.5, [0.2, 0.1, 2.0][unit], t),
        units: 3,
    });
}

#[test]
fn orders_hold_for_oscillators_that_drive_each_other() {
    // x' = w y, y' = -w x as two nodes and two edges: x = cos(w t).
    assert_orders(&Problem {
        text: "
integrator:
  base: OperatorTemplate
  equations: x' = u
  variables: {x: output(0.0), u: input(0.0)}
node: {base: NodeTemplate, operators: [integrator]}
pair:
  base: CircuitTemplate
  nodes:
    a: {base: node, operators: {integrator: {x: 1.0}}}
    b: node
  edges:
    - [b/integrator/x, a/integrator/u, null, {weight: 3.0}]
    - [a/integrator/x, b/integrator/u, null, {weight: -3.0}]
simulate: {record: {x: a/integrator/x}}
",
        inputs: &[],
        exact: |_, t| (3.0 * t).cos(),
        units: 1,
    });
}
