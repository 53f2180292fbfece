//! Trajectories of the models in `tests/golden/pyrates`, each built from its description and compared with its numbers.
#![allow(clippy::unwrap_used)]

#[path = "support/ptx/mod.rs"]
mod ptx;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use nullcline::compiler::pass::vectorise::Vectorise;
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::io::Series;
use nullcline::runtime::observe::Recording;
use nullcline::{Engine, Interrupt, Model, PreHistory};
use serde_json::{Map, Value};

/// Largest distance to the golden column, relative to the largest number in it. The files hold 12 digits; both sides
/// round differently by a few 1e-16 per step.
const TOLERANCE: f64 = 1e-9;

/// Why a column is not compared, or `None` if it is.
fn excluded(case: &str, solver: &str) -> Option<&'static str> {
    match (case, solver) {
        (_, "heun_pyrates") => Some("is not Heun's method"),
        ("dde_linear" | "dde_mackey_glass", "heun") => Some("evaluates `past` at the start of the step in both stages"),
        (_, "rk45" | "dopri5_dde" | "lsoda") => Some("waits for an adaptive scheme"),
        _ => None,
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pyrates")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn map(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

/// A number, a complex number or a list as YAML.
fn yaml_value(value: &Value) -> String {
    match value.get("re") {
        Some(re) => format!("{re}{:+}j", value["im"].as_f64().unwrap()),
        None => value.to_string(),
    }
}

/// The reference delays an edge without delay by one step where another edge from the same variable has a delay. Here such an
/// edge is given that delay; what edges without delay mean is tested in `tests/suite`.
fn with_delays_of_the_reference(mut case: Value) -> Value {
    let dt = case["run"]["dt"].clone();
    let mut delayed = BTreeSet::new();
    each_edge("", &mut case["model"]["circuit"], &mut |source, edge| {
        if edge.get("delay").is_some_and(|d| d.as_f64().is_some_and(|d| d > 0.0)) {
            delayed.insert(source.to_string());
        }
    });
    each_edge("", &mut case["model"]["circuit"], &mut |source, edge| {
        if edge.get("delay").is_none_or(Value::is_null) && delayed.contains(source) {
            edge["delay"] = dt.clone();
        }
    });
    case
}

/// Visits the edges of a circuit and of those in it, each with the full path of its source.
fn each_edge(prefix: &str, circuit: &mut Value, visit: &mut dyn FnMut(&str, &mut Value)) {
    for edge in circuit.get_mut("edges").and_then(Value::as_array_mut).into_iter().flatten() {
        let source = format!("{prefix}{}", text(&edge["source"]));
        visit(&source, edge);
    }
    for (label, inner) in circuit.get_mut("circuits").and_then(Value::as_object_mut).into_iter().flatten() {
        each_edge(&format!("{prefix}{label}/"), inner, visit);
    }
}

/// The model of a case as a template file.
fn template(case: &Value) -> String {
    let model = &case["model"];
    let mut yaml = String::new();
    for (name, operator) in map(&model["operators"]) {
        write!(yaml, "{name}:\n  base: OperatorTemplate\n  equations:\n").unwrap();
        for equation in operator["equations"].as_array().unwrap() {
            writeln!(yaml, "    - \"{}\"", text(equation)).unwrap();
        }
        writeln!(yaml, "  variables:").unwrap();
        for (variable, declared) in map(&operator["variables"]) {
            let value = yaml_value(&declared["value"]);
            match text(&declared["role"]) {
                "constant" => writeln!(yaml, "    {variable}: {value}"),
                role => writeln!(yaml, "    {variable}: {role}({value})"),
            }
            .unwrap();
        }
    }
    for (name, edge) in model.get("edge_templates").map(map).into_iter().flatten() {
        writeln!(yaml, "{name}:\n  base: EdgeTemplate\n  operators: {}", edge["operators"]).unwrap();
    }
    let mut nodes = String::new();
    let mut circuits = String::new();
    circuit("net", &model["circuit"], &mut nodes, &mut circuits);
    yaml + &nodes + &circuits
}

/// Appends the templates of a circuit and of all that is in it.
fn circuit(name: &str, circuit: &Value, nodes: &mut String, circuits: &mut String) {
    let mut own = format!("{name}:\n  base: CircuitTemplate\n");
    let units = circuit.get("nodes").map(map).into_iter().flatten();
    let populations = circuit.get("populations").map(map).into_iter().flatten();
    let mut members = String::new();
    for (label, node) in units.chain(populations) {
        node_template(&format!("{name}_{label}"), node, nodes);
        writeln!(members, "    {label}: {name}_{label}").unwrap();
    }
    if !members.is_empty() {
        write!(own, "  nodes:\n{members}").unwrap();
    }
    if let Some(inner) = circuit.get("circuits") {
        own += "  circuits:\n";
        for (label, sub) in map(inner) {
            self::circuit(&format!("{name}_{label}"), sub, nodes, circuits);
            writeln!(own, "    {label}: {name}_{label}").unwrap();
        }
    }
    let edges = circuit.get("edges").and_then(Value::as_array).into_iter().flatten();
    let connections = circuit.get("connections").and_then(Value::as_array).into_iter().flatten();
    let edges: Vec<String> = edges.chain(connections).map(edge).collect();
    if !edges.is_empty() {
        write!(own, "  edges:\n{}", edges.concat()).unwrap();
    }
    for matrix in circuit.get("matrices").and_then(Value::as_array).into_iter().flatten() {
        writeln!(own, "  matrices:\n    - {matrix}").unwrap();
    }
    circuits.push_str(&own);
}

fn node_template(name: &str, node: &Value, yaml: &mut String) {
    write!(yaml, "{name}:\n  base: NodeTemplate\n").unwrap();
    if let Some(n) = node.get("n") {
        writeln!(yaml, "  n: {n}").unwrap();
    }
    let mut values: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for operator in node["operators"].as_array().unwrap() {
        values.insert(text(operator), Vec::new());
    }
    for (path, value) in node.get("values").map(map).into_iter().flatten() {
        let (operator, variable) = path.split_once('/').unwrap();
        values.get_mut(operator).unwrap().push(format!("{variable}: {}", yaml_value(value)));
    }
    writeln!(yaml, "  operators:").unwrap();
    for operator in node["operators"].as_array().unwrap() {
        writeln!(yaml, "    {}: {{{}}}", text(operator), values[text(operator)].join(", ")).unwrap();
    }
}

fn edge(edge: &Value) -> String {
    let mut attributes = Vec::new();
    for key in ["weight", "delay", "spread"] {
        attributes.extend(edge.get(key).filter(|v| !v.is_null()).map(|value| format!("{key}: {value}")));
    }
    for (input, source) in edge.get("map").map(map).into_iter().flatten() {
        attributes.push(format!("{input}: {}", text(source)));
    }
    let template = edge.get("template").and_then(Value::as_str).unwrap_or("null");
    let (source, target) = (text(&edge["source"]), text(&edge["target"]));
    format!("    - [{source}, {target}, {template}, {{{}}}]\n", attributes.join(", "))
}

/// The samples that an input's definition describes.
fn samples(definition: &str, dt: f64, steps: usize) -> Vec<f64> {
    let at = |f: &dyn Fn(f64) -> f64| (0..steps).map(|k| f(k as f64 * dt)).collect();
    let definition = definition.split(';').next().unwrap().trim();
    let definition = definition.strip_prefix("I(t_k) = ").unwrap_or(definition);
    match definition {
        "0.1*cos(3*t_k)" => return at(&|t| 0.1 * (3.0 * t).cos()),
        "0.8*sin(2*pi*0.3*t_k)" => return at(&|t| 0.8 * (2.0 * std::f64::consts::PI * 0.3 * t).sin()),
        _ => {}
    }
    // `V for A <= t_k < B else 0`, where `A <=` may be missing.
    let (value, window) = definition.split_once(" for ").expect("a known form of input");
    let value: f64 = value.trim().parse().unwrap();
    let window = window.replace(", else", " else");
    let window = window.strip_suffix(" else 0").expect("a window ends in `else 0`");
    let (from, to) = window.split_once("t_k <").expect("a window has an end");
    let from: f64 = from.trim().strip_suffix("<=").map_or(0.0, |a| a.trim().parse().unwrap());
    let to: f64 = to.trim().parse().unwrap();
    at(&|t| if from <= t && t < to { value } else { 0.0 })
}

/// Columns of the numbers file by name.
fn numbers(name: &str) -> BTreeMap<String, Vec<f64>> {
    let csv = fs::read_to_string(folder().join(format!("{name}.csv"))).unwrap();
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut columns: BTreeMap<String, Vec<f64>> = header.iter().map(|h| (h.to_string(), Vec::new())).collect();
    for line in lines.filter(|l| !l.is_empty()) {
        for (name, field) in header.iter().zip(line.split(',')) {
            columns.get_mut(*name).unwrap().push(field.parse().unwrap());
        }
    }
    columns
}

fn case(name: &str) -> Value {
    let json = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    with_delays_of_the_reference(serde_json::from_str(&json).unwrap())
}

/// The model of a case with its settings.
fn model(name: &str, case: &Value, scheme: &str, vectorise: Vectorise) -> Model {
    let library = MemoryLibrary::new().with("case.yaml", template(case));
    let mut model = Model::load(&library, "case.yaml", Some("net")).unwrap_or_else(|e| panic!("{name}: {e}"));
    model.vectorise = vectorise;
    let number = |key: &str| case["run"][key].as_f64().unwrap();
    let (duration, dt) = (number("T"), number("dt"));
    let steps = (duration / dt).round() as usize;
    model.settings.duration = Some(duration);
    model.settings.dt = Some(dt);
    model.settings.sample_every = Some(number("sampling_step"));
    let scheme = model.name("scheme", scheme);
    model.settings.scheme = Some(scheme);
    for (column, path) in map(&case["outputs"]) {
        model.record(column, text(path));
    }
    for input in map(&case["inputs"]).values() {
        let data = match input.get("samples") {
            Some(list) => list.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect(),
            None => samples(text(&input["definition"]), dt, steps),
        };
        let series = Series { rows: data.len(), columns: 1, data, times: None, names: None };
        model.drive_samples(text(&input["target"]), series);
    }
    model
}

fn run(name: &str, case: &Value, scheme: &str, vectorise: Vectorise) -> Recording {
    let model = model(name, case, scheme, vectorise);
    let mut prepared = model.simulation().unwrap_or_else(|e| panic!("{name}: {e}"));
    // The reference starts its rings of edge delays at zero; `past` there starts at the initial value.
    let past = case["model"].to_string().contains("past(") || name.starts_with("dde");
    let history = if past { PreHistory::Initial } else { PreHistory::Zero };
    prepared.simulation = prepared.simulation.with_pre_history(history);
    let mut recording = Recording::new(prepared.simulation.labels());
    let run = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
    run.unwrap_or_else(|e| panic!("{name}: {e}"));
    recording
}

fn cases() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_string())
        .collect();
    names.sort();
    names
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

/// Steps in an interpreter.
const INTERPRETED: u64 = 60;

/// The bits of the first rows.
fn bits(model: &Model, engine: &'static Engine) -> Vec<Vec<u64>> {
    let mut prepared = model.compile(engine).unwrap_or_else(|e| panic!("{e}")).load().unwrap_or_else(|e| panic!("{e}"));
    prepared.schedule.steps = prepared.schedule.steps.min(INTERPRETED);
    prepared.schedule.every = 1;
    prepared.schedule.cutoff = 0.0;
    let mut recording = Recording::new(prepared.simulation.labels());
    let run = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
    run.unwrap_or_else(|e| panic!("{e}"));
    recording.columns.iter().map(|c| c.iter().map(|v| v.to_bits()).collect()).collect()
}

#[test]
fn golden_models_give_the_bits_of_the_reference_in_ptx() {
    let mut compared = 0;
    for name in cases() {
        let case = case(&name);
        let solver = map(&case["solvers"]).keys().find(|solver| excluded(&name, solver).is_none());
        let solver = solver.map_or("euler", String::as_str);
        for precision in ["f64", "f32"] {
            let mut model = model(&name, &case, solver, Vectorise::Always);
            let precision = model.name("precision", precision);
            model.settings.precision = Some(precision.clone());
            let expected = bits(&model, &ptx::REFERENCE);
            for engine in &ptx::INTERPRETERS {
                assert!(bits(&model, engine) == expected, "{name}, {precision}, {}", engine.name);
                compared += expected.len();
            }
        }
    }
    assert!(compared > 100, "only {compared} columns were compared");
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
