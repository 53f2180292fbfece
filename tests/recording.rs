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
