//! Builders, and writing models as YAML: what is written reads back to the same circuit and the same system.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nullcline::compiler::ir::expr::ExprId;
use nullcline::compiler::ir::lower::{Options, lower};
use nullcline::compiler::model::{Circuit, instantiate};
use nullcline::compiler::pass::vectorise::Vectorise;
use nullcline::compiler::source::{Name, SourceMap, Span};
use nullcline::compiler::template::connectivity::{
    Block, Conv2d, Distance, DistanceKernel, Kernel, Padding, Pairs, Rule, Space, Table,
};
use nullcline::compiler::template::library::{FileLibrary, MemoryLibrary};
use nullcline::compiler::template::{CircuitTemplate, load, load_all, to_yaml};
use nullcline::{
    CircuitBuilder, Connectivity, Distribution, EdgeBuilder, Law, Link, Model, NodeBuilder, OperatorBuilder,
};

/// Everything of a system but what points into the source text.
fn system(circuit: &Circuit) -> String {
    let options = Options { dt: 0.01, vectorise: Vectorise::Auto };
    match lower(circuit, &[], &options) {
        Err(_) => "cannot be lowered".to_string(),
        Ok(s) => {
            let nodes: Vec<_> = (0..s.graph.len() as u32).map(|i| s.graph.node(ExprId(i))).collect();
            // Places are those of another text.
            let states: Vec<_> = s.states.iter().map(|s| (&s.name, s.space, &s.initial, s.derivative)).collect();
            format!("{nodes:?} {:?} {states:?} {:?} {:?} {:?}", s.spaces, s.parameters, s.connections, s.histories)
        }
    }
}

fn reload(yaml: &str) -> Circuit {
    let mut sources = SourceMap::new();
    let loaded = load(&mut sources, &MemoryLibrary::new().with("m.yaml", yaml), "m.yaml", None);
    let made = loaded.and_then(|l| instantiate(&l.circuit));
    made.unwrap_or_else(|d| panic!("{}\n{yaml}", nullcline::compiler::diagnostic::render(&d, &sources, false)))
}

fn check(circuit: &CircuitTemplate) {
    let before = instantiate(circuit).unwrap();
    let yaml = to_yaml(circuit).unwrap();
    let after = reload(&yaml);
    // A second operator of the same name is written under another one.
    let plain = |text: String| text.replace("_2", "");
    assert_eq!(plain(after.to_string()), plain(before.to_string()), "{yaml}");
    assert_eq!(plain(system(&after)), plain(system(&before)), "{yaml}");
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn every_template_of_the_repository_is_written_and_read_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["templates", "tests/suite"] {
        files(&root.join(folder), &mut paths);
    }
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let read = load_all(&mut SourceMap::new(), &FileLibrary::new(), path.to_str().unwrap());
        for (name, _, circuit) in &read.circuits {
            if instantiate(circuit).is_ok() {
                println!("{} {name}", path.display());
                check(circuit);
            }
        }
    }
}

/// A circuit with one of everything that templates may hold.
fn everything() -> Arc<CircuitTemplate> {
    let cell = OperatorBuilder::new("cell")
        .description("a \"cell\": of sorts # really\n")
        .equation("v' = (i - v + vsum(w @ u))/tau")
        .equation("u[0]' = -u[0]")
        .equation("z' = z*(1 + 2j) - past(v, tau)")
        .output("v", 0.1)
        .unit("mV")
        .state("u", [1e-7, 2.0])
        .state("z", 0.5)
        .complex()
        .input("i", -0.25)
        .parameter("tau", 10.0)
        .parameter("w", [[1.0, 2.0], [3.0, 4.0]])
        .build()
        .unwrap();
    let gap = OperatorBuilder::new("gap").equation("g = k*(p - q)").output("g", 0.0).input("p", 0.0).input("q", 0.0);
    let gap = gap.parameter("k", 2.0).build().unwrap();
    let gap = EdgeBuilder::new("gap").operator(&gap).set("k", 3.0).build().unwrap();
    let one = NodeBuilder::new("one").operator(&cell).set("tau", 5.0).set("cell/u", [3.0, 4.0]).build().unwrap();
    let many = NodeBuilder::new("many").operator(&cell).size(3).set("tau", vec![1.0, 2.0, 3.0]).build().unwrap();
    let inner = CircuitBuilder::new("inner").node("a", &one).node("b", &one);
    let gap =
        Link::new("a/cell/v", "b/cell/i").template(&gap).input("p", "source").input("q", "b/cell/v").set("k", 0.5);
    let inner = inner.edge(gap).build().unwrap();
    let links: [[f64; 3]; 3] = [[0.0, 1.0, 2.0], [0.5, 0.0, 0.0], [1e-7, 0.25, 3.0]];
    CircuitBuilder::new("outer")
        .circuit("left", &inner)
        .circuit("right", &inner)
        .node("pool", &many)
        .edge(Link::new("pool/cell/v", "pool/cell/i").weight(links).delay(0.5))
        .edge(Link::new("left/all/cell/v", "right/a/cell/i").weight(0.5).delay(1.0).spread(0.25))
        .matrix(Link::new("cell/v", "cell/i").weight(links), &["left/a", "left/b", "right/a"], &["left/all", "right/b"])
        .build()
        .unwrap()
}

#[test]
fn built_circuits_are_written_and_read_back() {
    check(&everything());
    let yaml = to_yaml(&everything()).unwrap();
    assert!(yaml.contains("simulate:\n  template: \"outer\""), "{yaml}");
    assert!(yaml.contains("cell: {tau: 5, u: [3, 4]}"), "overrides stay on nodes\n{yaml}");
}

/// A population connected to itself.
fn connected(connectivity: Connectivity) -> Arc<CircuitTemplate> {
    let op = OperatorBuilder::new("op")
        .equation("x' = i - k*x")
        .output("x", Distribution::new(Law::Uniform { low: -1.0, high: 1.0 }))
        .input("i", 0.0)
        .parameter("k", Distribution::new(Law::Lorentzian { center: 1.0, half_width: 0.1 }).quantiles())
        .build()
        .unwrap();
    let law = Distribution::new(Law::Gamma { shape: 2.0, scale: 0.5 }).max(3.0).seed(4);
    let cells = NodeBuilder::new("cells").operator(&op).size(16).set("op/k", law).build().unwrap();
    let weight = Distribution::new(Law::Normal { mean: 1.0, sd: 0.25 }).min(0.5);
    let weighted = match &connectivity.rule {
        Rule::Pairs(pairs) => pairs.weights.is_none(),
        rule => !matches!(rule, Rule::Conv2d(_)),
    };
    let link = Link::new("p/op/x", "p/op/i").delay(Distribution::new(Law::Exponential { mean: 0.05 }));
    let link = if weighted { link.weight(weight) } else { link };
    CircuitBuilder::new("net").seed(9).node("p", &cells).edge(link.connectivity(connectivity)).build().unwrap()
}

#[test]
fn every_connectivity_is_written_and_read_back() {
    let mask = Table { rows: 16, columns: 16, data: (0..256).map(|e| f64::from(e % 3 == 0)).collect() };
    let p = Table { rows: 2, columns: 4, data: (0..8).map(|e| f64::from(e) / 8.0).collect() };
    let distance = |space, kernel| Rule::Distance(Distance { space, length: 2.0, kernel, p: 0.75 });
    let pairs = Pairs {
        sources: [1, 2, 15].into(),
        targets: [0, 15, 15].into(),
        weights: Some([0.5, 1.0, 2.0].into()),
        delays: None,
    };
    let rules = [
        Rule::AllToAll,
        Rule::OneToOne,
        Rule::Random { p: 0.1 },
        Rule::FixedIndegree { k: 3 },
        Rule::FixedOutdegree { k: 4 },
        Rule::FixedTotal { n: 50 },
        distance(Space::Line, DistanceKernel::Gaussian(0.1)),
        distance(Space::Ring, DistanceKernel::Exponential(0.2)),
        distance(Space::Grid { torus: true }, DistanceKernel::Box(0.7)),
        distance(Space::Grid { torus: false }, DistanceKernel::Box(0.7)),
        Rule::Block(Block { p: p.clone(), targets: Some([4, 12].into()), sources: None }),
        Rule::Circular { reach: 2 },
        Rule::Line { reach: 3 },
        Rule::SmallWorld { k: 4, p: 0.3 },
        Rule::Pairs(pairs),
        Rule::Mask(mask),
    ];
    let law = Distribution::new(Law::Normal { mean: 0.0, sd: 0.5 });
    let given = Kernel::Given((0..6).map(|w| f64::from(w) / 4.0 - 0.5).collect());
    let conv2d = |kernel, shape, padding| Rule::Conv2d(Conv2d { shape, padding, ..Conv2d::new(kernel, [2, 3]) });
    let convolutions = [
        conv2d(given.clone(), None, Padding::Zero),
        conv2d(given, Some([2, 8]), Padding::Periodic),
        conv2d(Kernel::Drawn(law), Some([8, 2]), Padding::Periodic),
    ];
    for rule in rules.into_iter().chain(convolutions) {
        for (autapses, seed) in [(Some(false), None), (None, Some(5)), (Some(true), None)] {
            let own = Connectivity { rule: rule.clone(), autapses, multapses: None, seed };
            // One to one without autapses, and a pair of its own, leave nothing or contradict themselves.
            if autapses == Some(false) && matches!(rule, Rule::OneToOne | Rule::Pairs(_)) {
                continue;
            }
            check(&connected(own));
        }
    }
    let allowed = Connectivity::fixed_total(60).multapses(false).autapses(false);
    check(&connected(allowed));
    check(&connected(Connectivity::pairs([0, 1], [1, 2])));
}

#[test]
fn a_reseeded_model_is_written_with_its_seed() {
    let mut model = Model::from_template(&connected(Connectivity::random(0.5))).unwrap();
    let before = model.circuit.to_string();
    model.reseed(10).unwrap();
    assert_ne!(model.circuit.to_string(), before);
    assert_eq!(reload(&model.to_yaml().unwrap()).to_string(), model.circuit.to_string());
    model.reseed(9).unwrap();
    assert_eq!(model.circuit.to_string(), before);
}

#[test]
fn templates_of_one_name_are_told_apart_and_paths_follow() {
    let operator = |rate: &str| {
        OperatorBuilder::new("op")
            .equation(&format!("x' = {rate}*x + i"))
            .output("x", 1.0)
            .input("i", 0.0)
            .build()
            .unwrap()
    };
    let node = |operator| NodeBuilder::new("op").operator(operator).build().unwrap();
    let (first, second) = (operator("-1"), operator("-2"));
    let circuit = CircuitBuilder::new("op")
        .node("a", &node(&first))
        .node("b", &node(&second))
        .edge(Link::new("a/op/x", "b/op/i"))
        .edge(Link::new("b/op/x", "a/op/i").weight(2.0))
        .build()
        .unwrap();
    let text = reload(&to_yaml(&circuit).unwrap()).to_string();
    assert!(text.contains("edge a/op/x -> b/op_2/i weight 1\n  edge b/op_2/x -> a/op/i weight 2"), "{text}");
    let expected = instantiate(&circuit).unwrap().to_string();
    let renamed =
        text.replace("op_2/", "op/").replace("operator op_2", "operator op").replace("circuit op_3", "circuit op");
    assert_eq!(renamed, expected);
    // A selector cannot follow two operators at once.
    let all = CircuitBuilder::from_template(&circuit).edge(Link::new("all/op/x", "a/op/i")).build().unwrap();
    assert!(to_yaml(&all).is_err());
}

#[test]
fn a_model_with_its_settings_is_written_and_read_back() {
    let mut model = Model::from_template(&everything()).unwrap();
    model.settings.dt = Some(0.05);
    model.settings.duration = Some(1.0);
    model.set("pool/cell/tau", &2.5.into()).unwrap();
    model.set("left/a/cell/w", &[[5.0, 6.0], [7.0, 8.0]].into()).unwrap();
    model.drive("left/a/cell/i", "0.1*sin(t)");
    model.record("v", "all/all/cell/v");
    let yaml = model.to_yaml().unwrap();
    let again = Model::load(&MemoryLibrary::new().with("m.yaml", yaml.as_str()), "m.yaml", None).unwrap();
    assert_eq!(again.circuit.to_string(), model.circuit.to_string());
    assert_eq!(again.to_yaml().unwrap(), yaml);
    let rows = |model: &Model| {
        let mut session = model.session().unwrap();
        session.advance(20).unwrap();
        session.observe().unwrap()
    };
    assert_eq!(rows(&again), rows(&model));
    model.stream("right/a/cell/i");
    assert!(model.to_yaml().is_err());
}

#[test]
fn edges_from_a_matrix_equal_edges_written_one_by_one() {
    let op = OperatorBuilder::new("op").equation("x' = i - x").output("x", 1.0).input("i", 0.0).build().unwrap();
    let node = NodeBuilder::new("n").operator(&op).build().unwrap();
    let base = || CircuitBuilder::new("net").node("a", &node).node("b", &node);
    let weights = nullcline::ndarray::arr2(&[[0.0, 2.0], [3.0, 1e-9]]);
    let matrix = base().edges_from_matrix("op/x", "op/i", &["a", "b"], &weights.view()).build().unwrap();
    let single = base().edge(Link::new("b/op/x", "a/op/i").weight(2.0)).edge(Link::new("a/op/x", "b/op/i").weight(3.0));
    let text = |c: &CircuitTemplate| instantiate(c).unwrap().to_string();
    assert_eq!(text(&matrix), text(&single.build().unwrap()));
}

#[test]
fn numbers_of_each_edge_of_a_matrix_equal_those_of_edges_written_one_by_one() {
    const OPERATORS: &str = r#"
op: {base: OperatorTemplate, equations: "x' = i - x", variables: {x: output(0.1), i: input}}
scale: {base: OperatorTemplate, equations: "o = k*tanh(p)", variables: {o: output, p: input, k: 1.0}}
scaled: {base: EdgeTemplate, operators: scale}
unit: {base: NodeTemplate, operators: op}
"#;
    // Few nodes stay apart, many become arrays.
    for n in [2, 9] {
        let number = |i: usize, j: usize| 1 + i * n + 7 * j;
        let nodes: String = (0..n).map(|i| format!("    n{i}: unit\n")).collect();
        let head = format!("{OPERATORS}net:\n  base: CircuitTemplate\n  nodes:\n{nodes}");
        let row = |i| format!("[{}]", (0..n).map(|j| number(i, j).to_string()).collect::<Vec<_>>().join(", "));
        let rows = (0..n).map(row).collect::<Vec<_>>().join(", ");
        let matrix = reload(&format!(
            "{head}  matrices: [{{source_var: op/x, target_var: op/i, source_nodes: all, template: scaled, k: [{rows}]}}]\n"
        ));
        // The same numbers from a file.
        let data = (0..n).map(|i| row(i).replace(['[', ']'], "") + "\n").collect::<String>();
        let head_of_matrix =
            "matrices: [{source_var: op/x, target_var: op/i, source_nodes: all, template: scaled, k: k.csv}]";
        let library = MemoryLibrary::new().with("m.yaml", format!("{head}  {head_of_matrix}\n")).with("k.csv", data);
        let loaded = load(&mut SourceMap::new(), &library, "m.yaml", None).unwrap();
        assert_eq!(instantiate(&loaded.circuit).unwrap().to_string(), matrix.to_string());
        let edge = |e| format!("    - [n{}/op/x, n{}/op/i, scaled, {{k: {}.0}}]\n", e % n, e / n, number(e / n, e % n));
        let single = reload(&format!("{head}  edges:\n{}", (0..n * n).map(edge).collect::<String>()));
        assert_eq!(matrix.to_string(), single.to_string());
        assert_eq!(system(&matrix), system(&single));
        // One edge may be changed by itself.
        let mut changed = matrix.clone();
        let name = |text: &str| Name::new(text, Span::NOWHERE);
        changed.set_edge(&name("n1/op/x"), &name("n0/op/i"), &name("k"), &0.5.into()).unwrap();
        let (before, after) = (matrix.to_string(), changed.to_string());
        assert_eq!(before.lines().zip(after.lines()).filter(|(a, b)| a != b).count(), 1);
    }
}

#[test]
fn names_too_long_for_a_plain_key_are_written_and_read_back() {
    // YAML takes at most 1024 characters before a colon.
    let long = |letter: &str| letter.repeat(1100);
    let text = format!(
        r#"
? {op}
: base: OperatorTemplate
  equations: "{x}' = {i} - {x}"
  variables:
    ? {x}
    : output(0.1)
    ? {i}
    : input
? {node}
: {{base: NodeTemplate, operators: {{? {op} : {{? {x} : 0.5}}}}}}
net:
  base: CircuitTemplate
  nodes:
    ? {a}
    : {node}
  edges: [[{a}/{op}/{x}, {a}/{op}/{i}]]
  matrices: [{{source_var: {op}/{x}, target_var: {op}/{i}, source_nodes: [{a}], weight: 2.0}}]
simulate: {{template: net}}
"#,
        op = long("o"),
        node = long("n"),
        x = long("x"),
        i = long("i"),
        a = long("a"),
    );
    let mut sources = SourceMap::new();
    let loaded = load(&mut sources, &MemoryLibrary::new().with("m.yaml", text), "m.yaml", None).unwrap();
    check(&loaded.circuit);
    let mut model = Model::from_template(&loaded.circuit).unwrap();
    model.set(&long("x"), &0.25.into()).unwrap();
    model.record(&long("r"), &long("x"));
    model.settings.dt = Some(0.1);
    let yaml = model.to_yaml().unwrap();
    let again = Model::load(&MemoryLibrary::new().with("m.yaml", yaml.as_str()), "m.yaml", None).unwrap();
    assert_eq!(again.circuit.to_string(), model.circuit.to_string());
}

#[test]
fn builders_say_what_is_wrong() {
    let message = |found: Result<(), nullcline::compiler::diagnostic::Diagnostics>| {
        nullcline::compiler::diagnostic::render(&found.unwrap_err(), &SourceMap::new(), false)
    };
    let wrong =
        OperatorBuilder::new("op").equation("x' = (2*x").parameter("a b", 1.0).output("x", 0.0).output("y", 0.0);
    let text = message(wrong.build().map(|_| ()));
    assert!(text.contains("in the equation `x' = (2*x` of operator `op`"), "{text}");
    assert!(text.contains("`a b`") && text.contains("`x` and `y`"), "{text}");
    let op = OperatorBuilder::new("op").equation("x' = -x").output("x", 1.0).build().unwrap();
    let text = message(NodeBuilder::new("n").operator(&op).set("op/tau", 1.0).build().map(|_| ()));
    assert!(text.contains("no operator of `n` has the variable `op/tau`"), "{text}");
    let node = NodeBuilder::new("n").operator(&op).build().unwrap();
    let text = message(CircuitBuilder::new("c").node("a/b", &node).build().map(|_| ()));
    assert!(text.contains("`a/b`"), "{text}");
    let lost = CircuitBuilder::new("c").node("a", &node).edge(Link::new("b/op/x", "a/op/x")).build().unwrap();
    assert!(Model::from_template(&lost).unwrap_err().to_string().contains("`b`"));
}
