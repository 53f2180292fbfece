//! Faults of settings, inputs and files: each by its code, through the library.
#![allow(clippy::unwrap_used)]

use std::io::{Error as IoError, ErrorKind};

use nullcline::compiler::template::library::{Library, MemoryLibrary};
use nullcline::runtime::io::Series;
use nullcline::{Literal, Model};

const PAIR: &str = "
op:
  base: OperatorTemplate
  equations: x' = -x + u
  variables: {x: output(1.0), u: input(0.0)}
unit: {base: NodeTemplate, operators: [op]}
net:
  base: CircuitTemplate
  nodes: {a: unit, b: unit}
  edges: [[a/op/x, b/op/u, null, {weight: 2.0}]]
simulate: {duration: 1.0, dt: 0.1}
";

fn model(yaml: &str) -> Model {
    Model::load(&MemoryLibrary::new().with("m.yaml", yaml), "m.yaml", None).unwrap_or_else(|e| panic!("{e}"))
}

fn series(rows: usize, columns: usize) -> Series {
    Series { rows, columns, data: vec![0.0; rows * columns], times: None, names: None }
}

/// The message of a model that cannot be simulated after a change.
fn refusal(change: impl FnOnce(&mut Model)) -> String {
    let mut pair = model(PAIR);
    change(&mut pair);
    pair.simulation().err().expect("the model is refused").to_string()
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    type Change = fn(&mut Model);
    let table: [(&str, Change); 9] = [
        ("missing-setting", |m| m.settings.dt = None),
        ("missing-setting", |m| m.settings.duration = None),
        ("duration", |m| m.settings.duration = Some(0.01)),
        ("cutoff", |m| m.settings.cutoff = Some(1.0)),
        ("sampling", |m| m.settings.sample_every = Some(0.25)),
        ("complex-input", |m| m.drive("a/op/u", "I*t")),
        ("input-file", |m| m.drive("a/op/u", "nowhere.csv")),
        ("input-length", |m| m.drive_samples("a/op/u", series(9, 1))),
        ("input-columns", |m| m.drive_samples("all/op/u", series(10, 3))),
    ];
    for (code, change) in table {
        let message = refusal(change);
        assert!(message.starts_with(&format!("error[{code}]")), "{code}: {message}");
    }
}

#[test]
fn a_circuit_without_states_and_outputs_has_nothing_to_record() {
    let yaml = "
op: {base: OperatorTemplate, equations: y = 2*a, variables: {y: variable, a: 1.0}}
simulate: {duration: 1.0, dt: 0.1}
";
    let message = model(yaml).simulation().err().unwrap().to_string();
    assert!(message.starts_with("error[record]") && message.contains("--record"), "{message}");
}

#[test]
fn edges_are_changed_by_ends_and_attributes_that_exist() {
    let mut pair = model(PAIR);
    let value = Literal::from(1.0);
    for (code, target, attribute) in
        [("no-such-edge", "a/op/u", "weight"), ("unknown-edge-attribute", "b/op/u", "wait")]
    {
        let message = pair.set_edge("a/op/x", target, attribute, &value).unwrap_err().to_string();
        assert!(message.starts_with(&format!("error[{code}]")), "{message}");
    }
}

/// A library whose files cannot be read.
struct Locked;

impl Library for Locked {
    fn read(&self, _: &str, _: u64) -> Result<Vec<u8>, IoError> {
        Err(IoError::from(ErrorKind::PermissionDenied))
    }

    fn directories(&self) -> Vec<String> {
        vec![String::new()]
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let message = Model::load(&Locked, "m.yaml", None).unwrap_err().to_string();
    assert!(message.starts_with("error[unreadable-file]") && message.contains("m.yaml"), "{message}");
    let latin = MemoryLibrary::new().with("m.yaml", b"a: \xe9".as_slice());
    let message = Model::load(&latin, "m.yaml", None).unwrap_err().to_string();
    assert!(message.starts_with("error[not-utf8]") && message.contains("m.yaml"), "{message}");
}
