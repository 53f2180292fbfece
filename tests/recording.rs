//! What is recorded of a variable: all of it, some units, sums and means.
#![allow(clippy::unwrap_used)]

mod support;

use nullcline::Model;
use nullcline::compiler::ir::vectorise::Vectorise;
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::observe::Recording;
use support::{column, run};

/// Two populations that are one array, and a node.
const MODEL: &str = "
op:
  base: OperatorTemplate
  equations: [\"x' = k*x\", y = x*x]
  variables: {x: output(1.0), y: variable, k: 0.0}
unit: {base: NodeTemplate, n: 6, operators: {op: {x: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], k: 0.1}}}
net:
  base: CircuitTemplate
  nodes:
    a: unit
    b: {base: unit, operators: {op: {x: [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]}}}
    c: {operators: {op: {x: 7.0}}}
simulate: {duration: 0.2, dt: 0.1}
";

fn model(record: &[(&str, &str)]) -> Model {
    let mut model = support::load(&MemoryLibrary::new().with("m.yaml", MODEL), "m.yaml", None);
    for (name, path) in record {
        model.record(name, path);
    }
    model
}

fn first_row(recording: &Recording) -> Vec<(String, f64)> {
    recording.labels.iter().zip(&recording.columns).map(|(label, column)| (label.name.clone(), column[0])).collect()
}

#[test]
fn ranges_of_units_keep_their_numbers() {
    let recorded = |path: &str| first_row(&run(&model(&[(path, path)])));
    let named = |pairs: &[(&str, f64)]| pairs.iter().map(|(n, v)| (n.to_string(), *v)).collect::<Vec<_>>();
    assert_eq!(recorded("b/op/x[1:3]"), named(&[("b/op/x[1]", 20.0), ("b/op/x[2]", 30.0)]));
    assert_eq!(recorded("b/x[::3]"), named(&[("b/x[0]", 10.0), ("b/x[3]", 40.0)]));
    assert_eq!(recorded("a/y[5:]"), named(&[("a/y[5]", 36.0)]));
    assert_eq!(recorded("a/x[2]"), named(&[("a/x[2]", 3.0)]));
    let own = first_row(&run(&model(&[("some", "a/x[:2]")])));
    assert_eq!(own, named(&[("some[0]", 1.0), ("some[1]", 2.0)]));
}

#[test]
fn means_and_sums_are_those_of_the_values() {
    let all =
        [("a", "a/x"), ("mean", "mean(a/x)"), ("sum", "sum(b/op/y)"), ("part", "mean(b/x[2:6:2])"), ("c", "mean(c/x)")];
    for vectorise in [Vectorise::Always, Vectorise::Never] {
        let mut model = model(&all);
        model.vectorise = vectorise;
        let recording = run(&model);

        for row in 0..recording.times.len() {
            let units: Vec<f64> = (0..6).map(|u| recording.columns[u][row]).collect();
            assert_eq!(column(&recording, "mean")[row], units.iter().sum::<f64>() / 6.0);
        }
        assert_eq!(column(&recording, "sum")[0], 9100.0);
        assert_eq!(column(&recording, "part")[0], 40.0);
        assert_eq!(column(&recording, "c")[0], 7.0);
    }
}

#[test]
fn a_mean_over_every_node_is_one_for_each() {
    let recording = run(&model(&[("m", "mean(all/op/x)")]));
    let expected = [("m[a]", 3.5), ("m[b]", 35.0), ("m[c]", 7.0)].map(|(n, v)| (n.to_string(), v));
    assert_eq!(first_row(&recording), expected);
}

#[test]
fn the_mean_of_a_complex_variable_has_two_parts() {
    let text = "
op:
  base: OperatorTemplate
  equations: \"z' = I*z\"
  variables: {z: output(complex)}
node: {base: NodeTemplate, n: 2, operators: {op: {z: [1.0+2.0j, 3.0-1.0j]}}}
simulate: {duration: 0.1, dt: 0.1, record: {m: mean(z)}}
";
    let recording = run(&support::load(&MemoryLibrary::new().with("m.yaml", text), "m.yaml", None));
    assert_eq!(first_row(&recording), [("m.re".to_string(), 2.0), ("m.im".to_string(), 0.5)]);
}

#[test]
fn members_of_a_batch_have_their_own_means() {
    let model = model(&[("m", "mean(a/x)")]);
    let batch = model.batch(&[("c/k", vec![0.0, 0.3]), ("a/x[0]", vec![1.0, 4.0])]).unwrap();
    let mut prepared = batch.simulation(0..2).unwrap();
    let mut recording = Recording::new(prepared.simulation.labels());
    prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| nullcline::Interrupt::Continue).unwrap();
    assert_eq!(first_row(&recording), [("m[0]".to_string(), 3.5), ("m[1]".to_string(), 4.0)]);
}

#[test]
fn what_cannot_be_recorded_is_refused_with_a_reason() {
    for (path, code) in [
        ("median(a/x)", "record-measure"),
        ("a/x[1:9]", "record-range"),
        ("a/x[3:3]", "record-range"),
        ("a/x[0:4:0]", "record-range"),
        ("a/x[0:b]", "record-range"),
        ("mean(b/op)", "unknown-path"),
    ] {
        let message = model(&[("r", path)]).simulation().err().unwrap().to_string();
        assert!(message.starts_with(&format!("error[{code}]")), "{path}: {message}");
        assert!(message.contains("help:") || message.contains("note:"), "{path}: {message}");
    }
}

/// A spiking population with plastic edges onto another.
const SPIKING: &str = "
clock:
  base: OperatorTemplate
  equations: \"x' = k + u\"
  variables: {x: output(0.0), k: 1.0, u: input(0.0)}
  events: {tick: {when: x >= 1, reset: {x: 0.0}}}
growth:
  base: OperatorTemplate
  equations: [\"w' = pre\", out = w]
  variables: {out: output, w: variable(0.0), pre: input}
  events: {seen: {when: pre > 0}}
growing: {base: EdgeTemplate, operators: growth}
net:
  base: CircuitTemplate
  seed: 3
  nodes:
    p: {n: 40, operators: {clock: {k: {uniform: [0.2, 3.0]}, x: {uniform: [0.0, 1.0]}}}}
    q: {n: 3, operators: [clock]}
  edges: [[p/tick, q/u, growing, {weight: 0.0}]]
simulate: {duration: 30, dt: 0.05, sample_every: 0.5}
";

fn spiking(record: &[(&str, &str)]) -> Model {
    let mut model = support::load(&MemoryLibrary::new().with("m.yaml", SPIKING), "m.yaml", None);
    for (name, path) in record {
        model.record(name, path);
    }
    model
}

#[test]
fn rates_are_those_of_the_spikes() {
    let wishes = [("spike", "p/tick"), ("rate", "rate(p/tick)"), ("some", "rate(p/tick[5:25], 2.0)")];
    for precision in ["f64", "f32"] {
        let mut model = spiking(&wishes);
        let name = model.name("<precision>", precision);
        model.settings.precision = Some(name);
        let mut prepared = model.simulation().unwrap();
        let mut recording = prepared.simulation.recording();
        prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| nullcline::Interrupt::Continue).unwrap();
        let spikes = recording.spikes[0].clone();
        // Times are multiples of 0.05; a window has the spikes after its beginning up to its end.
        let count = |from: f64, to: f64, units: std::ops::Range<u32>| {
            let those = spikes.times.iter().zip(&spikes.ids);
            those.filter(|(t, unit)| **t > from + 0.01 && **t < to + 0.01 && units.contains(unit)).count() as f64
        };
        assert!(count(0.0, 29.5, 0..40) > 1000.0);
        let tolerance = if precision == "f64" { 1e-14 } else { 1e-6 };
        for (row, t) in recording.times.iter().enumerate() {
            let all = count(t - 0.5, *t, 0..40) / (40.0 * 0.5);
            let some = count(t - 2.0, *t, 5..25) / (20.0 * 2.0);
            support::near("rate", column(&recording, "rate")[row], all, tolerance * all);
            support::near("some", column(&recording, "some")[row], some, tolerance * some);
        }
    }
}

#[test]
fn variables_of_edges_are_recorded_in_the_order_of_connections() {
    let wishes = [("w", "edge(p/tick, q/u, growth/w)"), ("last", "edge(p/tick, q/u, w)[119]"), ("spike", "p/tick")];
    let mut prepared = spiking(&wishes).simulation().unwrap();
    let mut recording = prepared.simulation.recording();
    prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| nullcline::Interrupt::Continue).unwrap();
    let counts: Vec<f64> =
        (0..40).map(|unit| recording.spikes[0].of(unit).filter(|t| *t < 29.49).count() as f64).collect();
    // The integral of a spike train counts; a spike is seen in the step behind it.
    for (connection, (_, found)) in (0..120).zip(recording.labels.iter().zip(&recording.columns)) {
        support::near("w", *found.last().unwrap(), counts[connection % 40], 1e-9);
    }
    assert_eq!(recording.column("w[119]"), recording.column("last"));
}

#[test]
fn what_cannot_be_recorded_of_events_and_edges_is_refused_with_a_reason() {
    for (path, code) in [
        ("mean(p/tick)", "record-measure"),
        ("rate(p/x)", "record-measure"),
        ("rate(p/tick, long)", "record-window"),
        ("rate(p/tick, -1.0)", "record-window"),
        ("rate(p/tick, 0.07)", "record-window"),
        ("edge(p/tick, q/u)", "record-edge"),
        ("edge(p/tick, q/u, growth/seen)", "record-edge"),
        ("edge(p/tick, q/u, w)[120]", "record-range"),
        ("edge(p/tick, q/u, growth/v)", "unknown-edge-attribute"),
        ("edge(q/tick, p/u, growth/w)", "no-such-edge"),
    ] {
        let message = spiking(&[("r", path)]).simulation().err().unwrap().to_string();
        assert!(message.starts_with(&format!("error[{code}]")), "{path}: {message}");
        assert!(message.contains("help:") || message.contains("note:"), "{path}: {message}");
    }
}
