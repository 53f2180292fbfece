//! Template files to circuits, and malformed ones to diagnostics.

use nullcline_compiler::diagnostic::render_short;
use nullcline_compiler::model::check::{Arity, Functions, check};
use nullcline_compiler::model::{Circuit, instantiate};
use nullcline_compiler::source::{Name, SourceMap, Span};
use nullcline_compiler::template::library::MemoryLibrary;
use nullcline_compiler::template::{Complex, Literal, load};

/// The text form of the circuit of `m.yaml`, or the short form of the diagnostics.
fn circuit(files: &[(&str, &str)]) -> String {
    let mut sources = SourceMap::new();
    let mut library = MemoryLibrary::new();
    for (name, text) in files {
        library = library.with(*name, *text);
    }
    let made = load(&mut sources, &library, "m.yaml", None).and_then(|loaded| instantiate(&loaded.circuit));
    match made {
        Ok(circuit) => {
            // What the checks say has its own table; here they must only not fail.
            check(&circuit, &AnyFunction);
            circuit.to_string()
        }
        Err(faults) => render_short(&faults, &sources),
    }
}

/// Every function there could be.
struct AnyFunction;

impl Functions for AnyFunction {
    fn arity(&self, _: &str) -> Option<Arity> {
        Some(Arity { least: 0, most: usize::MAX })
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
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
    let leak = "    operator leak
      state x = 0.5 output
      algebraic y = 0
      parameter tau = 20
      input inp = 0
      x' = (inp - x) / tau
      y = 2 * x
";
    let edges = "  edge a/leak/x -> b/leak/inp weight 2 delay 0.1
  edge b/leak/x -> a/leak/inp weight -1
";
    assert_eq!(circuit(&[("m.yaml", LEAK)]), format!("circuit net\n  node a\n{leak}  node b\n{leak}{edges}"));
}

/// The parent of the edited operators.
const PARENT: &str = r#"
p:
  base: OperatorTemplate
  equations: ["x' = -x/tau + k*xx", "xx = tanh(k2)*k"]
  variables: {x: output(0.5), xx: variable, tau: 10.0, k: 1.0, k2: 3.0}
"#;

/// The equations of `child`, which edits [`PARENT`].
fn edited(edits: &str) -> Vec<String> {
    let text =
        format!("{PARENT}c: {{base: p, equations: {{{edits}}}, variables: {{a: 1.0}}}}\nsimulate: {{template: c}}\n");
    lines(&circuit(&[("m.yaml", &text)]), &["x' =", "xx =", "xx' =", "m.yaml"])
}

#[test]
fn edits_work_on_whole_tokens_in_a_fixed_order() {
    assert_eq!(edited("replace: {k: a}"), ["x' = -x / tau + a * xx", "xx = tanh(k2) * a"]);
    assert_eq!(edited("replace: {x: a}"), ["x' = -a / tau + k * xx", "xx = tanh(k2) * k"]);
    assert_eq!(edited("replace: {x/tau: a}"), ["x' = -a + k * xx", "xx = tanh(k2) * k"]);
    assert_eq!(edited("remove: '+ k * xx'"), ["x' = -x / tau", "xx = tanh(k2) * k"]);
    assert_eq!(edited("append: '+ a'"), ["x' = -x / tau + k * xx + a", "xx = tanh(k2) * k + a"]);
    assert_eq!(edited("prepend: 'a +'"), ["x' = a + -x / tau + k * xx", "xx = a + tanh(k2) * k"]);
    assert_eq!(edited("append: '+ k', replace: {k: a}"), ["x' = -x / tau + a * xx + k", "xx = tanh(k2) * a + k"]);
    assert_eq!(edited("remove: ['+ k*xx', '*k'], add: \"xx' = a\""), ["x' = -x / tau", "xx = tanh(k2)", "xx' = a"]);
}

#[test]
fn variables_take_every_form() {
    let text = r#"
op:
  base: OperatorTemplate
  equations: ["a' = b*c", "d' = -d", "e = f + g + h + t", "v' = -v*w", "z' = k*z*l"]
  variables:
    a: variable(-2.0)
    b: 1e-3
    c: "2.5"
    d: output(0.5+0.1j)
    e: {vtype: variable, dtype: float32, shape: [], value: 0.0}
    f: input
    g: input(0.25)
    h: {value: 1.0, unit: mV, description: an offset}
    t: variable(0.0)
    v: "variable(1.0, 3)"
    w: {vtype: constant, dtype: float, shape: '(3,)', value: [1, 2, 3]}
    z: variable(complex)
    k: 0.0+1.0j
    l: constant(2)
"#;
    let expected = "circuit op
  node p
    operator op
      state a = -2
      parameter b = 0.001
      parameter c = 2.5
      state d = 0.5+0.1j complex output
      algebraic e = 0
      input f = 0
      input g = 0.25
      parameter h = 1 in mV
      state v[3] = 1
      parameter w[3] = [1, 2, 3]
      state z = 0 complex
      parameter k = 0+1j complex
      parameter l = 2
      a' = b * c
      d' = -d
      e = f + g + h + t
      v' = -v * w
      z' = k * z * l
";
    assert_eq!(circuit(&[("m.yaml", text)]), expected);
}

#[test]
fn references_reach_other_files_in_every_form() {
    let node = "  operator p\n";
    for reference in ["lib/neurons/p", "lib/neurons.yaml/p", "lib.neurons.p", "./lib/neurons/p"] {
        let text = format!("n: {{base: NodeTemplate, operators: [{reference}]}}");
        let shown = circuit(&[("m.yaml", &text), ("lib/neurons.yaml", PARENT)]);
        assert!(shown.contains(node), "{reference}: {shown}");
    }
    // A reference is completed with the directory of the file it stands in.
    let middle = "n: {base: NodeTemplate, operators: [neurons/p]}";
    let top = "c: {base: CircuitTemplate, nodes: {a: lib/nodes/n}}";
    let shown = circuit(&[("m.yaml", top), ("lib/nodes.yml", middle), ("lib/neurons.yaml", PARENT)]);
    assert!(shown.contains(node), "{shown}");
}

#[test]
fn children_merge_nodes_and_append_edges() {
    let text = format!(
        "{LEAK}
slow: {{base: NodeTemplate, operators: {{leak: {{tau: 99}}}}}}
child:
  base: net
  nodes: {{b: slow, c: {{base: pop, n: 2}}}}
  edges: [[a/leak/x, c/leak/inp, {{weight: [1, 2]}}]]
simulate: {{template: child}}
"
    );
    let shown = circuit(&[("m.yaml", &text)]);
    assert_eq!(
        lines(&shown, &["node", "population", "edge", "parameter tau", "m.yaml"]),
        [
            "node a",
            "parameter tau = 20",
            "node b",
            "parameter tau = 99",
            "population c of 2",
            "parameter tau = 20",
            "edge a/leak/x -> b/leak/inp weight 2 delay 0.1",
            "edge b/leak/x -> a/leak/inp weight -1",
            "edge a/leak/x -> c/leak/inp weight [1, 2]",
        ]
    );
}

/// The lines of a circuit that begin with one of the words.
fn lines(shown: &str, words: &[&str]) -> Vec<String> {
    let begins = |line: &&str| words.iter().any(|word| line.trim_start().starts_with(word));
    shown.lines().filter(begins).map(|line| line.trim().to_string()).collect()
}

#[test]
fn nested_circuits_flatten_and_all_selects_every_match() {
    let text = format!(
        "{LEAK}
two: {{base: CircuitTemplate, circuits: {{l: net, r: net}}, edges: [[l/a/leak/x, r/all/leak/inp], [all/b/x, l/a/inp, {{weight: 3}}]]}}
simulate: {{template: two}}
"
    );
    assert_eq!(
        lines(&circuit(&[("m.yaml", &text)]), &["node", "edge"]),
        [
            "node l/a",
            "node l/b",
            "node r/a",
            "node r/b",
            "edge l/a/leak/x -> r/a/leak/inp weight 1",
            "edge l/a/leak/x -> r/b/leak/inp weight 1",
            "edge l/b/leak/x -> l/a/leak/inp weight 3",
            "edge r/b/leak/x -> l/a/leak/inp weight 3",
            "edge l/a/leak/x -> l/b/leak/inp weight 2 delay 0.1",
            "edge l/b/leak/x -> l/a/leak/inp weight -1",
            "edge r/a/leak/x -> r/b/leak/inp weight 2 delay 0.1",
            "edge r/b/leak/x -> r/a/leak/inp weight -1",
        ]
    );
}

#[test]
fn edge_operators_are_connected() {
    let text = r#"
ph: {base: OperatorTemplate, equations: "theta' = w + s", variables: {theta: output(0.1), w: 1.0, s: input}}
co: {base: OperatorTemplate, equations: ["y = k*sin(b - a)"], variables: {y: output, a: input, b: input, k: 1.0}}
lo: {base: OperatorTemplate, equations: ["z' = y - z"], variables: {z: output, y: input}}
sine: {base: EdgeTemplate, operators: [co, lo]}
low: {base: EdgeTemplate, operators: lo}
n: {base: NodeTemplate, operators: [ph]}
net:
  base: CircuitTemplate
  nodes: {p: n, q: n}
  edges:
    - [p/ph/theta, q/ph/s, sine, {weight: 2, sine/co/a: source, co/b: q/ph/theta, k: 5}]
    - {source: q/ph/theta, target: p/ph/s, template: sine, variables: {weight: 3, a: target/ph/theta, b: source}}
    - [p/ph/theta, p/ph/w, low]
"#;
    assert_eq!(
        lines(&circuit(&[("m.yaml", text)]), &["edge", "co/", "lo/", "passes", "parameter k", "m.yaml"]),
        [
            "edge p/ph/theta -> q/ph/s weight 2",
            "parameter k = 5",
            "co/a <- source",
            "co/b <- q/ph/theta",
            "passes lo/z",
            "edge q/ph/theta -> p/ph/s weight 3",
            "parameter k = 1",
            "co/a <- p/ph/theta",
            "co/b <- source",
            "passes lo/z",
            "edge p/ph/theta -> p/ph/w weight 1",
            "lo/y <- source",
            "passes lo/z",
        ]
    );
}

#[test]
fn matrices_become_edges_and_small_weights_none() {
    let text = format!(
        "{LEAK}
m:
  base: CircuitTemplate
  nodes: {{a: pop, b: pop}}
  matrices:
    - {{source_var: leak/x, target_var: leak/inp, source_nodes: [a, b], weight: w.csv, delay: [[1, 2], [3, 4]]}}
simulate: {{template: m}}
"
    );
    assert_eq!(
        lines(&circuit(&[("m.yaml", &text), ("w.csv", "0, 2\n-3, 1e-7\n")]), &["edge", "m.yaml"]),
        ["edge b/leak/x -> a/leak/inp weight 2 delay 2", "edge a/leak/x -> b/leak/inp weight -3 delay 3"]
    );
}

#[test]
fn functions_are_put_in_place_of_their_calls() {
    let text = r#"
functions:
  f: {args: [a, b], expr: "a*g(b)"}
  g: {args: [a], expr: "a + 1"}
op: {base: OperatorTemplate, equations: "x' = f(g(x), y)", variables: {x: output, y: 1}}
"#;
    assert_eq!(lines(&circuit(&[("m.yaml", text)]), &["x'", "m.yaml"]), ["x' = (x + 1) * (y + 1)"]);
}

#[test]
fn endless_growth_is_refused() {
    // Each function doubles the one before: 2^40 terms.
    let mut text = "functions:\n  f0: {args: [x], expr: x}\n".to_string();
    for i in 1..=40 {
        text += &format!("  f{i}: {{args: [x], expr: \"f{j}(x) + f{j}(x)\"}}\n", j = i - 1);
    }
    text += "op: {base: OperatorTemplate, equations: \"x' = f40(x)\", variables: {x: output}}\n";
    assert!(circuit(&[("m.yaml", &text)]).contains("too large"));
    // Each circuit holds the one before twice: 2^40 nodes.
    let mut text = format!("{LEAK}c0: {{base: CircuitTemplate, nodes: {{a: pop}}}}\n");
    for i in 1..=40 {
        text += &format!("c{i}: {{base: CircuitTemplate, circuits: {{l: c{j}, r: c{j}}}}}\n", j = i - 1);
    }
    text += "simulate: {template: c40}\n";
    assert!(circuit(&[("m.yaml", &text)]).contains("more than 1048576 nodes"));
}

#[test]
fn a_million_edges_from_a_matrix() {
    let mut text = format!("{LEAK}m:\n  base: CircuitTemplate\n  nodes:\n");
    for i in 0..1000 {
        text += &format!("    n{i}: pop\n");
    }
    text += "  matrices: [{source_var: leak/x, target_var: leak/inp, source_nodes: all, weight: w.csv}]\nsimulate: {template: m}\n";
    let row = vec!["0.125"; 1000].join(",") + "\n";
    let mut sources = SourceMap::new();
    let library = MemoryLibrary::new().with("m.yaml", text).with("w.csv", row.repeat(1000));
    let loaded = load(&mut sources, &library, "m.yaml", None).expect("the model is sound");
    let made = instantiate(&loaded.circuit).expect("the model is sound");
    assert_eq!(made.projections.len(), 1_000_000);
}

/// A sound circuit from one file.
fn sound(text: &str) -> Circuit {
    let mut sources = SourceMap::new();
    let loaded = load(&mut sources, &MemoryLibrary::new().with("m.yaml", text), "m.yaml", None).expect("a sound model");
    instantiate(&loaded.circuit).expect("a sound model")
}

#[test]
fn paths_may_be_shortened_to_what_is_unambiguous() {
    let mut circuit = sound(&format!(
        "{LEAK}big: {{base: CircuitTemplate, circuits: {{l: net, r: net}}, nodes: {{c: {{base: pop, n: 3}}}}}}\nsimulate: {{template: big}}\n"
    ));
    let find = |circuit: &Circuit, text: &str| -> Vec<String> {
        match circuit.find(&Name::new(text, Span::NOWHERE)) {
            Ok(found) => found.iter().map(|f| circuit.path(f.variable)).collect(),
            Err(faults) => faults.0.iter().map(|d| d.code.to_string()).collect(),
        }
    };
    assert_eq!(find(&circuit, "l/a/leak/x"), ["l/a/leak/x"]);
    assert_eq!(find(&circuit, "l/a/x"), ["l/a/leak/x"]);
    assert_eq!(find(&circuit, "c/x"), ["c/leak/x"]);
    assert_eq!(find(&circuit, "c/leak/x[2]"), ["c/leak/x"]);
    assert_eq!(find(&circuit, "all/a/leak/x"), ["l/a/leak/x", "r/a/leak/x"]);
    assert_eq!(find(&circuit, "a/leak/x"), ["ambiguous-path"]);
    assert_eq!(find(&circuit, "x"), ["ambiguous-path"]);
    assert_eq!(find(&circuit, "q"), ["unknown-path"]);
    assert_eq!(find(&circuit, "c/leak/x[3]"), ["index-out-of-range"]);
    assert_eq!(find(&circuit, "c/leak/x[a]"), ["malformed-index"]);
    for odd in ["", "/", "all", "all/all", "[", "]", "[0]", "x[", "//x"] {
        find(&circuit, odd);
    }
    let real = |re: f64| Complex { re, im: 0.0 };
    let mut set = |text: &str, value: Literal| circuit.set(&Name::new(text, Span::NOWHERE), &value).is_ok();
    assert!(set("c/tau[1]", Literal::Number(real(7.0))));
    assert!(set("all/a/tau", Literal::List(vec![real(1.0), real(2.0)])));
    assert!(!set("c/tau", Literal::List(vec![real(1.0), real(2.0)])));
    assert!(!set("c/tau", Literal::Number(real(f64::NAN))));
    assert_eq!(
        lines(&circuit.to_string(), &["population", "node", "parameter"]),
        [
            "population c of 3",
            "parameter tau = [20, 7, 20]",
            "node l/a",
            "parameter tau = 1",
            "node l/b",
            "parameter tau = 20",
            "node r/a",
            "parameter tau = 2",
            "node r/b",
            "parameter tau = 20",
        ]
    );
}

/// A model that uses most of the language.
const RICH: &str = r#"
functions:
  f: {args: [a, b], expr: "a*exp(b)"}
aliases: {tau: &tau 2.0}
ph: {base: OperatorTemplate, equations: "theta' = f(w, s)/tau", variables: {theta: "variable(0.1, 2)", w: 1.0, s: input, tau: *tau}}
ph2: {base: ph, equations: {replace: {w: 2*w}, append: "+ w"}, variables: {w: {value: 3.0, unit: Hz}}}
co: {base: OperatorTemplate, equations: ["y = k*sin(b - a)"], variables: {y: output, a: input, b: input, k: 1.0}}
sine: {base: EdgeTemplate, operators: [co]}
n: {base: NodeTemplate, operators: {ph: {w: 2j}, ph2: }, n: 2}
net:
  base: CircuitTemplate
  nodes: {p: n, q: {base: n, n: 3}}
  edges:
    - [p/ph/theta, q/ph/s, sine, {weight: [[1, 2], [3, 4], [5, 6]], co/a: source, b: target/ph/theta, delay: 0.1}]
  matrices:
    - {source_var: ph2/theta, target_var: ph2/s, source_nodes: [p], template: null, weight: 0.5, spread: 1, delay: 2}
two: {base: CircuitTemplate, circuits: {l: net, r: net}, edges: [[l/p/ph/theta, all/q/ph/w]]}
simulate: {template: two, duration: 1, set: {l/p/ph/w: 1.0}, record: [l/p/ph/theta], inputs: {l/p/ph/s: "sin(t)"}}
"#;

#[test]
fn no_damaged_file_panics() {
    assert!(circuit(&[("m.yaml", RICH)]).starts_with("circuit two\n"), "{}", circuit(&[("m.yaml", RICH)]));
    let characters: Vec<char> = RICH.chars().collect();
    for at in 0..characters.len() {
        // Without one character, cut off before it, with others in its place.
        let (before, after) = (&characters[..at], &characters[at + 1..]);
        let join = |middle: &str| before.iter().collect::<String>() + middle + &after.iter().collect::<String>();
        circuit(&[("m.yaml", &before.iter().collect::<String>())]);
        for middle in ["", "/", "[", "'", "all", "\n", "0", ": ", "t"] {
            circuit(&[("m.yaml", &join(middle))]);
        }
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let weights = |content: &str| {
        let text = format!("{LEAK}    - [a/x, b/inp, {{weight: w.csv}}]\n").replace("simulate", "");
        circuit(&[("m.yaml", &text), ("w.csv", content)])
    };
    assert!(weights("1, x\n").contains("m.yaml:19:29: error[bad-data-file]"), "{}", weights("1, x\n"));
    assert!(weights("nan\n").contains("row 1, column 1 is not finite"));
    assert!(weights("").contains("it holds no numbers"));
    assert!(circuit(&[("other.yaml", LEAK)]).contains("there is no file `m.yaml`"));
    assert!(circuit(&[("m.yaml", "")]).contains("no-template"));
    assert!(circuit(&[("m.yaml", "a: {base: b/c}"), ("b.yaml", "c: {base: m/a}")]).contains("`a` -> `c` -> `a`"));
}
