//! Sessions: runs in pieces, with saved states, changed parameters and streamed inputs.
#![allow(clippy::unwrap_used)]

use nullcline::compiler::pass::vectorise::Vectorise;
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::compiler::template::{Complex, Literal};
use nullcline::{Model, Session, State};

/// Ten rings of nodes with delayed, spread and instantaneous edges.
fn model(vectorise: Vectorise) -> Model {
    let nodes: Vec<String> = (0..10).map(|i| format!("n{i}: unit")).collect();
    let edges: Vec<String> = (0..10)
        .map(|i| {
            let delay = ["delay: 0.3", "delay: 0.5, spread: 0.2", "weight: 0.7"][i % 3];
            format!("    - [n{i}/op/x, n{}/op/inp, null, {{{delay}}}]\n", (i + 1) % 10)
        })
        .collect();
    let yaml = format!(
        r#"
op:
  base: OperatorTemplate
  equations: ["x' = k*(inp + drive + y - x)/tau", "y = tanh(past(x, tau)) - 0.1*x^3"]
  variables: {{x: output(0.1), y: variable, inp: input, drive: input(0.2), tau: 0.4, k: 1.0}}
unit: {{base: NodeTemplate, operators: op}}
net:
  base: CircuitTemplate
  nodes: {{{}}}
  edges:
{}"#,
        nodes.join(", "),
        edges.concat()
    );
    let mut model = Model::load(&MemoryLibrary::new().with("m.yaml", yaml), "m.yaml", None).unwrap();
    model.settings.dt = Some(0.1);
    model.vectorise = vectorise;
    model
}

fn number(x: f64) -> Literal {
    Literal::Number(Complex { re: x, im: 0.0 })
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn everything(session: &mut Session) -> Vec<u64> {
    bits(&session.observe().unwrap())
}

const BOTH: [Vectorise; 2] = [Vectorise::Never, Vectorise::Always];

#[test]
fn a_run_in_pieces_gives_the_same_bits() {
    for vectorise in BOTH {
        let mut whole = model(vectorise).session().unwrap();
        whole.advance(100).unwrap();
        let mut pieces = model(vectorise).session().unwrap();
        for count in [1, 2, 37, 60] {
            pieces.advance(count).unwrap();
        }
        assert_eq!(everything(&mut whole), everything(&mut pieces));
        assert_eq!(pieces.time(), 10.0);
    }
}

#[test]
fn a_saved_state_continues_with_the_same_bits() {
    for vectorise in BOTH {
        let mut whole = model(vectorise).session().unwrap();
        whole.advance(41).unwrap();
        let saved = whole.state().unwrap().to_string();
        whole.advance(59).unwrap();
        let mut again = model(vectorise).session().unwrap();
        again.set_state(&saved.parse::<State>().unwrap()).unwrap();
        assert_eq!(again.steps_done(), 41);
        again.advance(59).unwrap();
        assert_eq!(everything(&mut whole), everything(&mut again));
    }
}

#[test]
fn setting_what_already_holds_changes_no_bit() {
    for vectorise in BOTH {
        let mut whole = model(vectorise).session().unwrap();
        whole.advance(100).unwrap();
        let mut touched = model(vectorise).session().unwrap();
        touched.advance(33).unwrap();
        touched.set("n3/op/k", &number(1.0)).unwrap();
        touched.set("all/op/tau", &number(0.4)).unwrap();
        let x = touched.get("n5/op/x").unwrap()[0];
        touched.set("n5/op/x", &number(x)).unwrap();
        touched.advance(67).unwrap();
        assert_eq!(everything(&mut whole), everything(&mut touched));
    }
}

#[test]
fn a_parameter_of_one_unit_changes_that_unit_only() {
    for vectorise in BOTH {
        let mut session = model(vectorise).session().unwrap();
        session.advance(10).unwrap();
        session.set("n3/op/k", &number(2.5)).unwrap();
        let k = session.get("all/op/k").unwrap();
        assert_eq!(k, [1.0, 1.0, 1.0, 2.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        session.set("n3/op/k", &number(1.0)).unwrap();
        session.set("all/op/k", &number(0.0)).unwrap();
        let before = session.get("all/op/x").unwrap();
        session.advance(5).unwrap();
        assert_eq!(session.get("all/op/x").unwrap(), before, "with k = 0 nothing moves");
    }
}

/// Exponential decay, so that values after changes are known: x -> x exp(-t).
#[test]
fn a_changed_parameter_acts_from_then_on() {
    let yaml = r#"
op:
  base: OperatorTemplate
  equations: "x' = a - b*x"
  variables: {x: output(1.0), a: input(0.0), b: 0.0}
"#;
    let mut model = Model::load(&MemoryLibrary::new().with("m.yaml", yaml), "m.yaml", None).unwrap();
    model.settings.dt = Some(0.5);
    model.stream("op/a");
    let mut session = model.session().unwrap();
    session.advance(3).unwrap();
    assert_eq!(session.get("x").unwrap(), [1.0]);
    session.set("b", &number(1.0)).unwrap();
    session.step().unwrap();
    assert_eq!(session.get("x").unwrap(), [0.5]);
    session.drive("op/a", &[2.0]).unwrap();
    session.step().unwrap();
    assert_eq!(session.get("x").unwrap(), [1.25]);
    session.set("x", &number(4.0)).unwrap();
    assert_eq!(session.run(1.0).unwrap().columns, [vec![4.0, 3.0]]);
    assert_eq!(session.time(), 3.5);
    assert!(session.drive("op/b", &[1.0]).is_err());
    assert!(session.drive("op/a", &[1.0, 2.0]).is_err());
    assert!(session.set("op/c", &number(1.0)).is_err());
}

#[test]
fn edges_can_be_changed_by_their_ends() {
    let mut model = model(Vectorise::Never);
    model.set_edge("n0/op/x", "n1/op/inp", "weight", &number(3.0)).unwrap();
    model.set_edge("n0/op/x", "n1/op/inp", "delay", &number(0.7)).unwrap();
    let text = model.circuit.to_string();
    assert!(text.contains("edge n0/op/x -> n1/op/inp weight 3 delay 0.7\n"), "{text}");
    assert!(text.contains("edge n1/op/x -> n2/op/inp weight 1 delay 0.5"), "{text}");
    for (source, target, attribute) in
        [("n0/op/x", "n2/op/inp", "weight"), ("n0/op/x", "n1/op/inp", "wait"), ("n0/op/z", "n1/op/inp", "weight")]
    {
        assert!(model.set_edge(source, target, attribute, &number(1.0)).is_err(), "{source} {target} {attribute}");
    }
    assert!(model.set_edge("n0/op/x", "n1/op/inp", "delay", &number(-1.0)).is_err());
}

#[test]
fn a_failed_load_leaves_nothing_behind() {
    let broken = "op:\n  base: OperatorTemplate\n  equations: \"x' = y\"\n  variables: {x: output(1.0)}\n";
    let sound = broken.replace("= y", "= -x");
    let run = || {
        let library = MemoryLibrary::new().with("m.yaml", sound.as_str());
        let mut model = Model::load(&library, "m.yaml", None).unwrap();
        model.settings.dt = Some(0.5);
        let mut session = model.session().unwrap();
        session.advance(2).unwrap();
        (model.circuit.to_string(), session.observe().unwrap())
    };
    let before = run();
    for _ in 0..2 {
        let library = MemoryLibrary::new().with("m.yaml", broken);
        assert!(Model::load(&library, "m.yaml", None).is_err());
    }
    assert_eq!(run(), before);
    // A change that is refused leaves the running session as it was.
    let library = MemoryLibrary::new().with("m.yaml", sound.as_str());
    let mut model = Model::load(&library, "m.yaml", None).unwrap();
    model.settings.dt = Some(0.5);
    let mut session = model.session().unwrap();
    session.step().unwrap();
    assert!(session.set("x", &Literal::List(vec![Complex::default(); 3])).is_err());
    assert!(session.set("x", &number(f64::NAN)).is_err());
    session.step().unwrap();
    assert_eq!(session.observe().unwrap(), before.1);
}
