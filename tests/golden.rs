//! Trajectories of the models in `tests/golden/pyrates`, each built from its description and compared with its numbers.
#![allow(clippy::unwrap_used)]

mod support;

use nullcline::Model;
use nullcline::compiler::pass::vectorise::Vectorise;
use nullcline::compiler::template::library::MemoryLibrary;

use support::pyrates::{TOLERANCE, cases};

#[test]
fn trajectories_equal_the_golden_columns() {
    let mut faults = Vec::new();
    let mut compared = 0;
    for case in cases() {
        let name = &case.name;
        for (solver, excluded) in case.solvers() {
            if let Some(why) = excluded {
                println!("{name}@{solver}: not compared, it {why}");
                continue;
            }
            for vectorise in [Vectorise::Never, Vectorise::Always] {
                let recording = support::run_after(&case.model(solver, vectorise), case.history());
                let (worst, columns) = case.distance(solver, &recording);
                compared += columns;
                println!("{name}@{solver} {vectorise:?}: {worst:.1e}");
                if worst > TOLERANCE {
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
    for case in cases() {
        let name = &case.name;
        let load = |yaml: String| {
            let template = if yaml.contains("\nnet:") { Some("net") } else { None };
            let library = MemoryLibrary::new().with("case.yaml", yaml.as_str());
            Model::load(&library, "case.yaml", template).unwrap_or_else(|e| panic!("{name}: {e}\n{yaml}"))
        };
        let model = load(case.template());
        let again = load(model.to_yaml().unwrap());
        assert_eq!(again.circuit.to_string(), model.circuit.to_string(), "{name}");
        assert_eq!(again.to_yaml().unwrap(), model.to_yaml().unwrap(), "{name}");
    }
}
