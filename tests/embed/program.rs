//! `nullcline compile --target rust`: what it writes builds, and prints what a run records.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An empty folder of the build directory.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn nullcline(arguments: &[&str]) {
    let done = Command::new(env!("CARGO_BIN_EXE_nullcline")).args(arguments).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// What the program of a crate prints; its build has no warnings.
fn cargo_run(folder: &Path) -> String {
    let cargo = std::env::var("CARGO").unwrap_or("cargo".to_string());
    let run = Command::new(cargo).args(["run", "--quiet"]).current_dir(folder).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(String::from_utf8_lossy(&run.stderr), "", "warnings");
    String::from_utf8(run.stdout).unwrap()
}

fn manifest(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

const JANSEN_RIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/jansen_rit.yaml");

#[test]
fn a_standalone_crate_prints_what_a_run_records() {
    let folder = folder("standalone");
    let to = folder.to_str().unwrap();
    nullcline(&["compile", JANSEN_RIT, "--target", "rust", "--standalone", "--scheme", "euler", "-o", to]);

    let manifest = manifest(&folder.join("jansen_rit.json"));
    let buffer = manifest["buffers"].as_array().unwrap().iter().find(|b| b["name"] == "p/column/C").unwrap();
    assert_eq!((&buffer["role"], &buffer["initial"]), (&"parameter".into(), &135.0.into()));
    assert_eq!((&manifest["scheme"], &manifest["columns"][0]["name"]), (&"euler".into(), &"psp".into()));

    // Values have the names of the model, below their equations.
    let source = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
    assert!(source.contains("\n        // psp = y1 - y2\n        let psp = y1 - y2;\n"), "{source}");
    let step = source.split("fn step_element").nth(1).unwrap();
    let equation = step.find("// S0 = 2 * e0 / (1 + exp(r * (v0 - psp)))").unwrap();
    assert!(step[equation..].find("let S0 = ") < step[equation..].find("\n\n"), "{step}");
    assert!(source.contains("// C2 = 0.8 * C\n        let C2 = 0.8 * C;"), "{source}");

    // What the manifest names is in the code.
    let of = |list: &str, name: &str, key: &str| {
        let found = manifest[list].as_array().unwrap().iter().find(|b| b["name"] == name);
        found.and_then(|b| b[key].as_str()).unwrap_or_else(|| panic!("{name}: {key}")).to_string()
    };
    assert_eq!(of("buffers", "p/column/C", "field"), "parameters.C");
    assert_eq!(of("buffers", "p/column/y3", "field"), "state.y3");
    assert_eq!(of("columns", "psp", "field"), "psp");
    assert!(["pub C: f64", "pub y3: f64", "pub psp: f64"].iter().all(|field| source.contains(field)), "{source}");
    let entries = manifest["entries"].as_array().unwrap();
    assert_eq!(
        entries.iter().map(|e| &e["name"]).collect::<Vec<_>>(),
        ["setup_element", "step_element", "observe_element"]
    );
    assert!(entries.iter().all(|e| source.contains(&format!("fn {}(", e["name"].as_str().unwrap()))), "{source}");

    let printed = cargo_run(&folder);
    let table = folder.join("expected.csv");
    nullcline(&["run", JANSEN_RIT, "--scheme", "euler", "--out", table.to_str().unwrap()]);
    assert_eq!(printed, fs::read_to_string(table).unwrap());
}

/// Numbers of every size, in single precision.
#[test]
fn a_standalone_crate_spells_numbers_as_a_run_does() {
    let folder = folder("standalone_numbers");
    fs::create_dir_all(&folder).unwrap();
    let model = folder.join("fall.yaml");
    let operator =
        "{base: OperatorTemplate, equations: [x' = -x, \"y' = 6*y\"], variables: {x: output(1), y: variable(1)}}";
    fs::write(&model, format!("fall: {operator}\nsimulate: {{duration: 20.0, dt: 0.5, record: {{x: x, y: y}}}}\n"))
        .unwrap();
    let (model, to) = (model.to_str().unwrap(), folder.to_str().unwrap());
    nullcline(&["compile", model, "--target", "rust", "--standalone", "--precision", "f32", "-o", to]);
    let printed = cargo_run(&folder);
    let table = folder.join("expected.csv");
    nullcline(&["run", model, "--precision", "f32", "--out", table.to_str().unwrap()]);
    let expected = fs::read_to_string(table).unwrap();
    assert!(expected.contains("e-6,") && expected.lines().last().unwrap().contains("e23"), "{expected}");
    assert_eq!(printed, expected);
}

/// Two populations, one recorded in part, whose spikes are recorded beside a column.
const SPIKING: &str = "
lif:
  base: OperatorTemplate
  equations: v' = (drive - v)/tau
  variables: {v: output(0.0), drive: 1.5, tau: 10.0}
  events: {spike: {when: v >= 1, reset: {v: 0}, refractory: 2.0}}
e: {base: NodeTemplate, n: 7, operators: {lif: {drive: {uniform: [1.1, 2.0]}}}}
i: {base: NodeTemplate, n: 3, operators: {lif: {tau: 5.0}}}
pair: {base: CircuitTemplate, nodes: {e: e, i: i}}
simulate: {duration: 60.0, dt: 0.1, cutoff: 10.0, sample_every: 1.0, record: {mean: mean(e/lif/v), e: 'e/lif/spike[2:5]', i: i/lif/spike}}
";

#[test]
fn a_standalone_crate_writes_the_spikes_that_a_run_records() {
    let folder = folder("standalone_spikes");
    fs::create_dir_all(&folder).unwrap();
    let model = folder.join("pair.yaml");
    fs::write(&model, SPIKING).unwrap();
    let (model, to) = (model.to_str().unwrap(), folder.to_str().unwrap());
    nullcline(&["compile", model, "--target", "rust", "--standalone", "-o", to]);

    let manifest = manifest(&folder.join("pair.json"));
    let events = manifest["events"].as_array().unwrap();
    let found: Vec<_> = events.iter().map(|e| (&e["name"], &e["first"], &e["count"], &e["unit"])).collect();
    assert_eq!(found, [(&"e".into(), &2.into(), &3.into(), &2.into()), (&"i".into(), &0.into(), &3.into(), &0.into())]);
    let buffer = events[0]["buffer"].as_u64().unwrap() as usize;
    assert_eq!((&manifest["buffers"][buffer]["role"], &events[0]["delay"]), (&"event".into(), &1.into()));

    let printed = cargo_run(&folder);
    let table = folder.join("expected.csv");
    nullcline(&["run", model, "--out", table.to_str().unwrap()]);
    assert_eq!(printed, fs::read_to_string(table).unwrap());
    let spikes = fs::read_to_string(folder.join("pair.spikes.csv")).unwrap();
    assert_eq!(spikes, fs::read_to_string(folder.join("expected.spikes.csv")).unwrap());
    assert!(spikes.lines().count() > 20, "{spikes}");
}

/// A program around a module that needs the runtime: steps by itself, and as a simulation.
const MAIN: &str = r#"
mod jansen_rit;

use jansen_rit::Model;
use nullcline_runtime::sim::{Interrupt, Schedule};

fn main() {
    let mut simulation = Model::default().simulation();
    let mut rows = simulation.recording();
    let schedule = Schedule { steps: 1000, every: 10, cutoff: 0.0, include_end: false };
    simulation.run(&schedule, &mut rows, &mut |_| Interrupt::Continue).unwrap();
    let mut model = Model::default();
    println!("t,{}", rows.labels[0].name);
    for (t, psp) in rows.times.iter().zip(&rows.columns[0]) {
        assert_eq!(model.outputs().psp, *psp);
        println!("{t},{psp}");
        model.run(10);
    }
}
"#;

#[test]
fn a_module_with_the_runtime_computes_what_a_run_records() {
    let folder = folder("with_runtime");
    let sources = folder.join("src");
    nullcline(&["compile", JANSEN_RIT, "--target", "rust", "-o", sources.to_str().unwrap()]);
    let mut written: Vec<String> =
        fs::read_dir(&sources).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    written.sort();
    assert_eq!(written, ["jansen_rit.json", "jansen_rit.rs"]);
    assert_eq!(manifest(&sources.join("jansen_rit.json"))["code"], "jansen_rit.rs");

    let runtime = concat!(env!("CARGO_MANIFEST_DIR"), "/runtime");
    let dependency = format!("nullcline-runtime = {{ path = {runtime:?}, default-features = false }}");
    let package =
        "[package]\nname = \"host\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n";
    fs::write(folder.join("Cargo.toml"), format!("{package}{dependency}\n")).unwrap();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    fs::write(sources.join("main.rs"), MAIN).unwrap();
    let printed = cargo_run(&folder);
    let table = folder.join("expected.csv");
    let settings = ["--dt", "1e-4", "--duration", "0.1", "--sample-every", "1e-3"];
    nullcline(&[&["run", JANSEN_RIT, "--out", table.to_str().unwrap()][..], &settings].concat());
    assert_eq!(printed, fs::read_to_string(table).unwrap());
}
