//! Template files to circuits, and malformed ones to diagnostics.

use nullcline_compiler::diagnostic::render_short;
use nullcline_compiler::model::instantiate;
use nullcline_compiler::source::SourceMap;
use nullcline_compiler::template::library::MemoryLibrary;
use nullcline_compiler::template::load;

/// The text form of the circuit of `m.yaml`, or the short form of the diagnostics.
fn circuit(files: &[(&str, &str)]) -> String {
    let mut sources = SourceMap::new();
    let mut library = MemoryLibrary::new();
    for (name, text) in files {
        library = library.with(*name, *text);
    }
    let made = load(&mut sources, &library, "m.yaml", None).and_then(|loaded| instantiate(&loaded.circuit));
    match made {
        Ok(circuit) => circuit.to_string(),
        Err(faults) => render_short(&faults, &sources),
    }
}

const LEAK: &str = r#"
leak:
  base: OperatorTemplate
  equations: ["x' = (inp - x)/tau", "y = 2*x"]
  variables:
    x: output(0.5)
    y: variable
    tau: 10.0
    inp: input
pop:
  base: NodeTemplate
  operators: {leak: {tau: 20.0}}
net:
  base: CircuitTemplate
  nodes: {a: pop, b: pop}
  edges:
    - [a/leak/x, b/leak/inp, null, {weight: 2.0, delay: 0.1}]
    - [b/leak/x, a/leak/inp, {weight: -1}]
"#;

#[test]
fn a_file_becomes_a_circuit() {
    println!("{}", circuit(&[("m.yaml", LEAK)]));
}
