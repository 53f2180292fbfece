//! Functions and forms of equations by their values: every expectation is worked out by hand.
#![allow(clippy::unwrap_used)]

use nullcline::Model;
use nullcline::compiler::ir::lower::functions::FUNCTIONS;
use nullcline::compiler::pass::vectorise::Vectorise;
use nullcline::compiler::template::library::MemoryLibrary;

/// The recorded values of `yaml` at time 0, or the message.
fn observe(yaml: &str, record: &[&str], vectorise: Vectorise) -> Result<Vec<f64>, String> {
    let library = MemoryLibrary::new().with("m.yaml", yaml);
    let mut model = Model::load(&library, "m.yaml", None).map_err(|e| e.to_string())?;
    model.vectorise = vectorise;
    model.settings.dt = Some(0.5);
    model.settings.duration = Some(1.0);
    for path in record {
        model.record(path, path);
    }
    let mut prepared = model.simulation().map_err(|e| e.to_string())?;
    prepared.simulation.observe().map_err(|e| e.to_string())
}

/// An operator with the variable `y`, a few vectors and matrices, and these equations.
fn operator(shape: &str, equations: &[&str]) -> String {
    format!(
        r#"
op:
  base: OperatorTemplate
  equations: {equations:?}
  variables:
    y: output(0.0{shape})
    x: variable(2.5)
    v: variable(1.0, 3)
    a: [1.0, 2.0, 4.0]
    u: variable(3.0, 3)
    z: variable(0.5, 4)
    k: 1
    w: {{vtype: constant, shape: [2, 3], value: [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]}}
    q: {{vtype: constant, shape: [2, 3], value: 2.0}}
    s: [[1.0, 2.0], [3.0, 4.0]]
"#
    )
}

/// Values of the elements of y, as a node and as units of a population.
fn values(shape: &str, equations: &[&str]) -> Vec<f64> {
    let mut all: Vec<&str> = equations.to_vec();
    all.extend(["x' = -x", "v[0]' = 1.0"]);
    let yaml = operator(shape, &all);
    let single = observe(&yaml, &["p/op/y"], Vectorise::Auto).unwrap_or_else(|e| panic!("{equations:?}\n{e}"));
    let population = format!("{yaml}\nn:\n  base: NodeTemplate\n  n: 3\n  operators: op\n");
    let several = observe(&population, &["p/op/y"], Vectorise::Auto).unwrap_or_else(|e| panic!("{equations:?}\n{e}"));
    assert_eq!(several, single.repeat(3), "{equations:?} in a population");
    single
}

fn scalar(expression: &str) -> f64 {
    let found = values("", &[&format!("y = {expression}")]);
    assert_eq!(found.len(), 1, "{expression}");
    found[0]
}

fn vector(expression: &str, length: usize) -> Vec<f64> {
    values(&format!(", {length}"), &[&format!("y = {expression}")])
}

/// Each function of whole expressions with an example and its value.
const EXAMPLES: &[(&str, &str, &[f64])] = &[
    ("min", "min(x, 2.0, 3.0)", &[2.0]),
    ("max", "max(1.0, x, 2.0)", &[2.5]),
    ("log", "log(8.0, 2.0)", &[3.0]),
    ("past", "past(x, 1.0)", &[2.5]),
    ("round", "round(x)", &[2.0]),
    ("round", "round(-2.675*x, 1)", &[-6.7]),
    ("round", "round(1250.0*x, -3)", &[3000.0]),
    ("vsum", "vsum(a)", &[7.0]),
    ("vsum", "vsum(u)", &[9.0]),
    ("vsum", "vsum(x)", &[2.5]),
    ("vsum", "vsum(w)", &[21.0]),
    ("mean", "mean(z)", &[0.5]),
    ("mean", "mean(x)", &[2.5]),
    ("mean", "mean(a + x)", &[7.0 / 3.0 + 2.5]),
    ("softmax", "softmax(u)", &[1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]),
    ("softmax", "softmax(log(a))", &[1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0]),
    ("index", "index(a, 2)", &[4.0]),
    ("index", "a[k]", &[2.0]),
    ("index", "w[1]", &[4.0, 5.0, 6.0]),
    ("index_range", "index_range(a, 1, 3)", &[2.0, 4.0]),
    ("index_range", "a[:2]", &[1.0, 2.0]),
    ("index_range", "a[k:]", &[2.0, 4.0]),
    ("index_range", "u[0:2]", &[3.0, 3.0]),
    ("index_axis", "index_axis(a)", &[1.0, 2.0, 4.0]),
    ("index_axis", "index_axis(a, 1)", &[2.0]),
    ("index_axis", "index_axis(w, 2)", &[3.0, 6.0]),
    ("index_axis", "index_axis(w, 1, 0)", &[4.0, 5.0, 6.0]),
    ("index_2d", "index_2d(w, 1, 0)", &[4.0]),
    ("index_2d", "w[0, 1:]", &[2.0, 3.0]),
    ("index_2d", "vsum(w[:, 1:3])", &[16.0]),
    ("roll", "roll(a, 1)", &[4.0, 1.0, 2.0]),
    ("roll", "roll(a, -4)", &[2.0, 4.0, 1.0]),
    ("roll", "roll(w, 1, 0)[0]", &[4.0, 5.0, 6.0]),
    ("roll", "roll(w, 1, 1)[0]", &[3.0, 1.0, 2.0]),
    ("concatenate", "concatenate(a, x, u[0:1])", &[1.0, 2.0, 4.0, 2.5, 3.0]),
    ("concatenate", "concatenate(x, x + 1.0)", &[2.5, 3.5]),
    ("matvec", "matvec(w, a)", &[17.0, 38.0]),
    ("matvec", "w @ a", &[17.0, 38.0]),
    ("matvec", "q @ u", &[18.0, 18.0]),
    ("matmul", "matmul(a, u)", &[21.0]),
    ("matmul", "(s @ w)[1]", &[19.0, 26.0, 33.0]),
    ("matmul", "a[:2] @ w", &[9.0, 12.0, 15.0]),
    ("wsum", "wsum(w, q)", &[12.0, 30.0]),
    ("interp", "interp(3.0, a, roll(a, 1))", &[1.5]),
    ("interp", "interp(x, a, u)", &[3.0]),
    ("interp", "interp(-1.0, a, 10.0*a)", &[10.0]),
    ("interp", "interp(9.0, a, 10.0*a)", &[40.0]),
    ("interp", "interp(t + 3.5, a, 10.0*a)", &[35.0]),
];

#[test]
fn functions_of_whole_expressions_have_their_values() {
    for (name, expression, expected) in EXAMPLES {
        let found = match expected {
            [_] => vec![scalar(expression)],
            several => vector(expression, several.len()),
        };
        for (f, e) in found.iter().zip(*expected) {
            assert!((f - e).abs() <= 1e-14 * e.abs(), "{name}: {expression} is {found:?}, not {expected:?}");
        }
    }
    // Random numbers have tests of their own, in noise.rs and events.rs.
    let random = ["randn", "noise", "poisson"];
    for function in FUNCTIONS.iter().filter(|f| !random.contains(&f.name)) {
        assert!(EXAMPLES.iter().any(|e| e.0 == function.name), "`{}` has no example", function.name);
        assert!(!function.doc.is_empty());
    }
}

#[test]
fn elements_may_have_equations_of_their_own() {
    assert_eq!(values(", 3", &["y[0] = x", "y[2] = 2*x"]), [2.5, 0.0, 5.0]);
    assert_eq!(values(", 3", &["y[1:3] = a[0:2]", "index(y, 0) = x"]), [2.5, 1.0, 2.0]);
    assert_eq!(values("", &["y[0] = x"].map(|_| "y = vsum(v)")), [3.0]);
}

#[test]
fn derivatives_of_elements_leave_the_others_alone() {
    let yaml = operator(", 3", &["y[0]' = 1.0", "y[1:3]' = a[1:]", "x' = 0", "v' = 0*v"]);
    let library = MemoryLibrary::new().with("m.yaml", yaml);
    let mut model = Model::load(&library, "m.yaml", None).unwrap();
    (model.settings.dt, model.settings.duration) = (Some(0.5), Some(1.0));
    let mut prepared = model.simulation().unwrap();
    prepared.simulation.advance(2).unwrap();
    assert_eq!(prepared.simulation.observe().unwrap(), [1.0, 2.0, 4.0]);
}

const VECTOR_EDGES: &str = r#"
source:
  base: OperatorTemplate
  equations: ["r' = -0*r"]
  variables: {r: "output(0.0, 3)"}
target:
  base: OperatorTemplate
  equations: ["x' = i", "y = i"]
  variables: {x: "variable(0.0, 3)", y: "output(0.0, 3)", i: "input(7.0, 3)"}
a: {base: NodeTemplate, operators: {source: {r: [1, 2, 3]}}}
b: {base: NodeTemplate, operators: {source: {r: [10, 20, 30]}}}
c: {base: NodeTemplate, operators: target}
twice: {base: OperatorTemplate, equations: "o = 2*p", variables: {o: "output(0.0, 3)", p: "input(0.0, 3)"}}
double: {base: EdgeTemplate, operators: twice}
net:
  base: CircuitTemplate
  nodes: {a: a, b: b, c: c, d: c, e: c, f: c}
  edges:
    - [a/source/r, c/target/i, null, {weight: 2.0}]
    - [b/source/r, c/target/i, null, {weight: 0.5}]
    - [b/source/r, d/target/i, null, {delay: 1.0}]
    - [a/source/r, e/target/i, double, {weight: 3.0}]
"#;

#[test]
fn edges_pass_vectors_element_by_element() {
    for vectorise in [Vectorise::Never, Vectorise::Always] {
        let record = ["c/target/y", "d/target/y", "e/target/y", "f/target/y"];
        let found = observe(VECTOR_EDGES, &record, vectorise).unwrap();
        let expected = [7.0, 14.0, 21.0, 10.0, 20.0, 30.0, 6.0, 12.0, 18.0, 7.0, 7.0, 7.0];
        assert_eq!(found, expected, "{vectorise:?}");
    }
}

#[test]
fn an_input_may_drive_one_element_of_a_vector() {
    let library = MemoryLibrary::new().with("m.yaml", VECTOR_EDGES);
    for vectorise in [Vectorise::Never, Vectorise::Always] {
        let mut model = Model::load(&library, "m.yaml", None).unwrap();
        model.vectorise = vectorise;
        (model.settings.dt, model.settings.duration) = (Some(0.5), Some(1.0));
        model.drive("f/target/i[1]", "4.0");
        model.drive("f/target/i[2]", "t + 1");
        model.record("y", "f/target/y");
        model.record("one", "f/target/y[1]");
        assert_eq!(model.simulation().unwrap().simulation.observe().unwrap(), [7.0, 4.0, 1.0, 4.0], "{vectorise:?}");
    }
}

#[test]
fn units_of_a_population_keep_all_elements_of_their_vectors() {
    let yaml = r#"
op:
  base: OperatorTemplate
  equations: ["r' = 0*r"]
  variables: {r: "output(1.0, 2)"}
n: {base: NodeTemplate, n: 3, operators: op}
"#;
    let library = MemoryLibrary::new().with("m.yaml", yaml);
    let mut model = Model::load(&library, "m.yaml", None).unwrap();
    (model.settings.dt, model.settings.duration) = (Some(0.5), Some(1.0));
    let numbers = |n: &[f64]| {
        use nullcline::compiler::template::{Complex, Literal};
        Literal::List(n.iter().map(|re| Complex { re: *re, im: 0.0 }).collect())
    };
    model.set("p/op/r[1]", &numbers(&[3.0, 4.0])).unwrap();
    model.record("all", "p/op/r");
    model.record("unit", "p/op/r[1]");
    let found = model.simulation().unwrap().simulation.observe().unwrap();
    assert_eq!(found, [1.0, 1.0, 3.0, 4.0, 1.0, 1.0, 3.0, 4.0]);
}
