//! The cases of `tests/golden/pyrates`: each is a model described in JSON, built here by way of the YAML front end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use nullcline::compiler::pass::vectorise::Vectorise;
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::io::Series;
use nullcline::{Model, PreHistory};
use serde_json::{Map, Value};

/// Largest distance to the golden column, relative to the largest number in it. The files hold 12 digits; both sides
/// round differently by a few 1e-16 per step.
pub const TOLERANCE: f64 = 1e-9;

/// Why a column is not compared, or `None` if it is.
pub fn excluded(case: &str, solver: &str) -> Option<&'static str> {
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

/// The fields of an object.
pub fn map(value: &Value) -> &Map<String, Value> {
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
pub fn template(case: &Value) -> String {
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

/// The description of a case.
pub fn case(name: &str) -> Value {
    let json = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    with_delays_of_the_reference(serde_json::from_str(&json).unwrap())
}

/// The model of a case with its settings.
pub fn model(name: &str, case: &Value, scheme: &str, vectorise: Vectorise) -> Model {
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

/// What holds before time 0 in a case: the tool starts its rings of edge delays at zero, and `past` at the initial value.
pub fn history(name: &str, case: &Value) -> PreHistory {
    let past = case["model"].to_string().contains("past(") || name.starts_with("dde");
    if past { PreHistory::Initial } else { PreHistory::Zero }
}

/// The names of all cases.
pub fn cases() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_string())
        .collect();
    names.sort();
    names
}
