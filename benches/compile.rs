//! Seconds from text to kernels for networks of plain nodes with dense matrices: the cost must grow with the number of
//! edges, 4 times for each row.
//!
//! Then seconds from text to a simulation that is ready to run for populations with random connections.
//!
//! `cargo bench --bench compile` prints a table; with a number of nodes as argument, the seconds of each stage; with `large`,
//! only 10^8 connections and the memory they take.

use std::time::Instant;

use nullcline::compiler::ir::lower::functions::KnownFunctions;
use nullcline::compiler::ir::lower::{Options, lower};
use nullcline::compiler::kernel::ir::Precision;
use nullcline::compiler::model::{check::check, instantiate};
use nullcline::compiler::pass::{self, vectorise::Vectorise};
use nullcline::compiler::scheme;
use nullcline::compiler::source::SourceMap;
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::compiler::template::load;
use nullcline::{Engine, Model};

const OPERATORS: &str = r#"
op:
  base: OperatorTemplate
  equations: ["x' = (tanh(i) - x)/tau"]
  variables: {x: output(0.1), i: input, tau: 2.0}
scale:
  base: OperatorTemplate
  equations: "o = k*tanh(p)"
  variables: {o: output, p: input, k: 1.0}
scaled: {base: EdgeTemplate, operators: scale}
unit: {base: NodeTemplate, operators: op}
"#;

/// A network of `n` nodes; `attribute` is put into the matrix.
fn network(n: usize, attribute: &str) -> String {
    let labels: Vec<String> = (0..n).map(|i| format!("n{i}")).collect();
    let nodes: Vec<String> = labels.iter().map(|l| format!("    {l}: unit\n")).collect();
    format!(
        "{OPERATORS}net:\n  base: CircuitTemplate\n  nodes:\n{}  matrices:\n    - source_var: op/x\n      target_var: op/i\n      source_nodes: [{}]\n{attribute}",
        nodes.concat(),
        labels.join(", ")
    )
}

fn weight(i: usize, j: usize) -> f64 {
    ((i * 7919 + j * 104_729) % 1000) as f64 / 1000.0 + 0.001
}

/// The weights as an .npy file.
fn file(n: usize) -> Vec<u8> {
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({n}, {n}), }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend((0..n * n).flat_map(|e| weight(e / n, e % n).to_le_bytes()));
    file
}

fn inline(n: usize) -> String {
    let row = |i| (0..n).map(|j| weight(i, j).to_string()).collect::<Vec<_>>().join(", ");
    let rows: Vec<String> = (0..n).map(|i| format!("        - [{}]\n", row(i))).collect();
    format!("      weight:\n{}", rows.concat())
}

/// A kind of model by name, and its text for a number of nodes.
type Kind = (&'static str, fn(usize) -> String);

/// Populations of `excitatory` and `inhibitory` units, each pair connected with probability `p`: the graph of R. Brette et
/// al., J. Comput. Neurosci. 23, 349-398 (2007) for 3200, 800 and 0.02.
fn populations(excitatory: usize, inhibitory: usize, p: f64) -> String {
    let edge = |source: &str, target: &str, weight: f64| {
        format!(
            "    - [{source}/op/x, {target}/op/i, null, {{weight: {weight}, connectivity: {{random: {{p: {p}}}}}}}]\n"
        )
    };
    let mut edges = String::new();
    for (source, weight) in [("e", 0.01), ("i", -0.02)] {
        for target in ["e", "i"] {
            edges += &edge(source, target, weight);
        }
    }
    format!(
        "{OPERATORS}net:\n  base: CircuitTemplate\n  nodes:\n    e: {{base: unit, n: {excitatory}}}\n    i: {{base: unit, n: {inhibitory}}}\n  edges:\n{edges}"
    )
}

/// Seconds until a network of populations is ready, and its number of connections.
fn ready(text: &str) -> (f64, usize) {
    let library = MemoryLibrary::new().with("m.yaml", text);
    let start = Instant::now();
    let mut model = Model::load(&library, "m.yaml", Some("net")).expect("a sound model");
    model.settings.dt = Some(0.1);
    model.settings.duration = Some(1.0);
    // One column: what is recorded is no part of the network.
    model.record("x", "e/op/x[0]");
    let compiled = model.compile(Engine::auto()).expect("a sound model");
    let connections = compiled.system.connections.iter().map(|c| c.sources.len()).sum();
    let prepared = compiled.load().expect("an engine of this machine");
    let seconds = start.elapsed().as_secs_f64();
    drop(prepared);
    (seconds, connections)
}

/// The most memory this process has had, in MB, where the system tells.
fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib * 1.024e-3)
}

fn main() {
    if std::env::args().any(|a| a == "large") {
        let (seconds, connections) = ready(&populations(80_000, 20_000, 0.01));
        let memory = peak().map_or("unknown".to_string(), |mb| format!("{mb:.0} MB"));
        println!("{connections} connections: {seconds:.2} s, at most {memory}");
        return;
    }
    let kinds: [Kind; 5] = [
        ("weights in a file", |_| "      weight: w.npy\n".to_string()),
        ("weights in place", inline),
        ("delayed", |_| "      weight: w.npy\n      delay: 0.5\n".to_string()),
        ("edge template", |_| "      weight: w.npy\n      template: scaled\n".to_string()),
        ("values of each edge", |_| "      weight: w.npy\n      template: scaled\n      k: w.npy\n".to_string()),
    ];
    let stages: Option<usize> = std::env::args().skip(1).find_map(|a| a.parse().ok());
    println!("{:<20}{:>10}{:>10}{:>10}", "seconds", 250, 500, 1000);
    for (name, attribute) in kinds {
        print!("{name:<20}");
        for n in [250, 500, 1000] {
            let library = MemoryLibrary::new().with("w.npy", file(n)).with("m.yaml", network(n, &attribute(n)));
            let start = Instant::now();
            let mut model = Model::load(&library, "m.yaml", Some("net")).expect("a sound model");
            model.settings.dt = Some(0.1);
            model.settings.duration = Some(1.0);
            let compiled = model.compile(Engine::auto()).expect("a sound model");
            print!("{:>10.3}", start.elapsed().as_secs_f64());
            drop(compiled);
            if stages == Some(n) {
                by_stage(&library);
            }
        }
        println!();
    }
    let text = populations(3200, 800, 0.02);
    let best = (0..5).map(|_| ready(&text)).min_by(|a, b| a.0.total_cmp(&b.0));
    let (seconds, connections) = best.expect("there were runs");
    println!("{connections} random connections of 4000 units: {seconds:.4} s");
}

fn by_stage(library: &MemoryLibrary) {
    let mut sources = SourceMap::new();
    let mut start = Instant::now();
    let mut lap = |stage: &str| {
        println!("\n  {stage:<12}{:.3}", start.elapsed().as_secs_f64());
        start = Instant::now();
    };
    let loaded = load(&mut sources, library, "m.yaml", Some("net")).expect("a sound model");
    lap("load");
    let circuit = instantiate(&loaded.circuit).expect("a sound model");
    lap("instantiate");
    check(&circuit, &KnownFunctions);
    lap("check");
    let system = lower(&circuit, &[], &Options { dt: 0.1, vectorise: Vectorise::Auto }).expect("a sound model");
    lap("lower");
    let scheme = &scheme::TABLE[0];
    pass::compile(system, Vec::new(), scheme, Precision::F64, Engine::auto().target).expect("a sound model");
    lap("passes");
}
