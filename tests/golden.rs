//! Trajectories of the models in `tests/golden/pyrates`, each built from its description and compared with its numbers.
#![allow(clippy::unwrap_used)]

mod support;

use nullcline::compiler::pass::vectorise::Vectorise;
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::observe::Recording;
use nullcline::{Interrupt, Model};
use serde_json::Value;

use support::golden::numbers;
use support::pyrates::{TOLERANCE, case, cases, excluded, history, map, model, template};

fn run(name: &str, case: &Value, scheme: &str, vectorise: Vectorise) -> Recording {
    let model = model(name, case, scheme, vectorise);
    let mut prepared = model.simulation().unwrap_or_else(|e| panic!("{name}: {e}"));
    prepared.simulation = prepared.simulation.with_pre_history(history(name, case));
    let mut recording = Recording::new(prepared.simulation.labels());
    let run = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
    run.unwrap_or_else(|e| panic!("{name}: {e}"));
    recording
}

#[test]
fn trajectories_equal_the_golden_columns() {
    let mut faults = Vec::new();
    let mut compared = 0;
    for name in cases() {
        let case = case(&name);
        let expected = numbers(&name);
        for solver in map(&case["solvers"]).keys() {
            if let Some(why) = excluded(&name, solver) {
                println!("{name}@{solver}: not compared, it {why}");
                continue;
            }
            for vectorise in [Vectorise::Never, Vectorise::Always] {
                let recording = run(&name, &case, solver, vectorise);
                let mut worst = 0.0f64;
                for (label, found) in recording.labels.iter().zip(&recording.columns) {
                    let expected = &expected[&format!("{}@{solver}", label.name)];
                    assert_eq!(found.len(), expected.len(), "{name}@{solver} {}: rows", label.name);
                    let scale = expected.iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
                    let distance = found.iter().zip(expected).fold(0.0f64, |d, (a, b)| d.max((a - b).abs()));
                    worst = worst.max(distance / scale);
                    compared += 1;
                }
                println!("{name}@{solver} {vectorise:?}: {worst:.1e}");
                if worst.is_nan() || worst > TOLERANCE {
                    faults.push(format!("{name}@{solver} {vectorise:?}: off by {worst:.1e}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(compared > 200, "only {compared} columns were compared");
}

#[test]
fn golden_models_are_written_as_yaml_and_read_back() {
    for name in cases() {
        let case = case(&name);
        let load = |yaml: String| {
            let template = if yaml.contains("\nnet:") { Some("net") } else { None };
            let library = MemoryLibrary::new().with("case.yaml", yaml.as_str());
            Model::load(&library, "case.yaml", template).unwrap_or_else(|e| panic!("{name}: {e}\n{yaml}"))
        };
        let model = load(template(&case));
        let again = load(model.to_yaml().unwrap());
        assert_eq!(again.circuit.to_string(), model.circuit.to_string(), "{name}");
        assert_eq!(again.to_yaml().unwrap(), model.to_yaml().unwrap(), "{name}");
    }
}
