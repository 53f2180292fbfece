//! The program as users run it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// `x' = k*(u - x) `: relaxes to `u` with rate `k`.
const RELAXATION: &str = "\
op:
  base: OperatorTemplate
  equations: [\"x' = k*(u - x)\"]
  variables: {x: output(0.0), u: input(1.0), k: 1.0}
two:
  base: CircuitTemplate
  nodes: {a: cell, b: cell}
cell:
  base: NodeTemplate
  operators: [op]
simulate: {template: cell, duration: 1.0, dt: 0.25}
";

/// What a run of the program gave.
struct Done {
    code: i32,
    out: String,
    err: String,
}

/// A directory of its own for a test, with `m.yaml` in it.
struct Place(PathBuf);

impl Place {
    fn new(test: &str) -> Place {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        let place = Place(directory);
        place.write("m.yaml", RELAXATION);
        place
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nullcline"));
        command.args(line).current_dir(&self.0).stdin(Stdio::null());
        command
    }

    fn run(&self, line: &[&str]) -> Done {
        let output = self.command(line).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Rows of a .csv file without its header.
    fn rows(&self, name: &str) -> Vec<Vec<f64>> {
        self.read(name).lines().skip(1).map(|l| l.split(',').map(|x| x.parse().unwrap()).collect()).collect()
    }
}

impl Done {
    #[track_caller]
    fn ok(self) -> Done {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn fails(self, code: i32, parts: &[&str]) -> Done {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        for part in parts {
            assert!(self.err.contains(part), "`{part}` is not in:\n{}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }
}

#[test]
fn a_run_writes_every_kind_of_file() {
    let p = Place::new("kinds");
    let line =
        ["run", "m.yaml", "-o", "a.csv", "--out", "a.npz", "--out", "a.json", "--plot", "a.svg", "--plot", "a.png"];
    let done = p.run(&line).ok();
    for name in &line[3..] {
        assert!(name.starts_with("--") || done.out.contains(name), "{name}: {}", done.out);
    }
    // x += 0.25 (1 - x) from 0: 1/4, 7/16, 37/64.
    assert_eq!(p.read("a.csv"), "t,x\n0,0\n0.25,0.25\n0.5,0.4375\n0.75,0.578125\n");
    let json: Value = serde_json::from_str(&p.read("a.json")).unwrap();
    assert_eq!(json["columns"]["x"], serde_json::json!([0.0, 0.25, 0.4375, 0.578125]));
    assert!(p.bytes("a.npz").starts_with(b"PK"));
    assert!(p.read("a.svg").contains("<svg"));
    assert!(p.bytes("a.png").starts_with(b"\x89PNG"));
}

#[test]
fn the_json_line_says_what_was_done() {
    let p = Place::new("json");
    let done = p.run(&["run", "m.yaml", "--json", "--seed", "7", "--scheme", "heun", "--out", "a.csv"]).ok();
    assert_eq!(done.out.lines().count(), 1);
    let json: Value = serde_json::from_str(&done.out).unwrap();
    for (key, value) in [
        ("circuit", serde_json::json!("cell")),
        ("steps", serde_json::json!(4)),
        ("states", serde_json::json!(1)),
        ("rows", serde_json::json!(4)),
        ("scheme", serde_json::json!("heun")),
        ("dt", serde_json::json!(0.25)),
        ("seed", serde_json::json!(7)),
        ("precision", serde_json::json!("f64")),
        ("stopped", serde_json::json!(false)),
        ("outputs", serde_json::json!(["a.csv"])),
    ] {
        assert_eq!(json[key], value, "{key}");
    }
    assert!(json["seconds"].as_f64().unwrap() >= 0.0 && json["compile_seconds"].as_f64().unwrap() > 0.0);
    assert!(json["engine"].is_string() && json["device"].is_string());
}

#[test]
fn the_engine_that_was_chosen_and_why_are_said() {
    let p = Place::new("choice");
    let done = p.run(&["run", "m.yaml"]).ok();
    let line = done.out.lines().find(|l| l.starts_with("engine")).unwrap();
    let jit = if cfg!(target_arch = "x86_64") { "jit" } else { "" };
    for part in [" on cpu, f64 (auto: ", " to load, ", " to run", "block", jit] {
        assert!(line.contains(part), "`{part}` is not in `{line}`");
    }
    let json = |engine: &str| -> Value {
        serde_json::from_str(&p.run(&["run", "m.yaml", "--json", "--engine", engine]).ok().out).unwrap()
    };
    let chosen = json("auto");
    assert!(chosen["choice"]["block"]["run_seconds"].as_f64().unwrap() > 0.0, "{chosen}");
    assert!(chosen["choice"][chosen["engine"].as_str().unwrap()]["load_seconds"].as_f64().unwrap() > 0.0, "{chosen}");
    assert!(json("block")["choice"].is_null());
    let swept = p.run(&["sweep", "m.yaml", "--grid", "k=1:2:3", "--out", "t.csv"]).ok();
    assert!(swept.out.contains(" (auto: "), "{}", swept.out);
}

#[test]
fn the_table_is_short_and_quiet_prints_nothing() {
    let p = Place::new("table");
    let done = p.run(&["run", "m.yaml"]).ok();
    for part in
        ["cell (1 node, 1 state)", "4 of 0.25 (euler), to t = 1", "ns per step", "4 of 1 column", "recorded", "x  "]
    {
        assert!(done.out.contains(part), "`{part}` is not in:\n{}", done.out);
    }
    assert!(!done.out.contains('\u{1b}'), "no colours in a pipe");
    let quiet = p.run(&["run", "m.yaml", "--quiet"]).ok();
    assert_eq!((quiet.out, quiet.err), (String::new(), String::new()));
}

#[test]
fn options_replace_the_settings_of_the_file() {
    let p = Place::new("settings");
    let line = ["run", "m.yaml", "--duration", "0.5", "--dt", "0.125", "--sample-every", "0.25", "--include-end"];
    p.run(&[&line[..], &["--set", "k=2", "--out", "a.csv"]].concat()).ok();
    // Factor 1 - 2/8 per step: x = 1 - (3/4)^n.
    assert_eq!(p.rows("a.csv"), [[0.0, 0.0], [0.25, 0.4375], [0.5, 1.0 - 81.0 / 256.0]]);
    p.run(&["run", "m.yaml", "--cutoff", "0.5", "--out", "b.csv"]).ok();
    assert_eq!(p.rows("b.csv").iter().map(|r| r[0]).collect::<Vec<_>>(), [0.5, 0.75]);
}

#[test]
fn paths_may_be_shortened_while_they_are_unambiguous() {
    let p = Place::new("paths");
    p.run(&["run", "m.yaml:two", "--set", "a/k=2", "--record", "first=a/x", "--record", "b/op/x", "--out", "a.csv"])
        .ok();
    assert!(p.read("a.csv").starts_with("t,first,b/op/x\n0,0,0\n0.25,0.5,0.25\n"), "{}", p.read("a.csv"));
    p.run(&["run", "m.yaml:two", "--set", "k=2"]).fails(1, &["--set:1:1", "ambiguous", "a/op/k", "b/op/k"]);
    p.run(&["run", "m.yaml", "--set", "kk=2"]).fails(1, &["--set:1:1", "kk=2", "did you mean", "k"]);
    p.run(&["run", "m.yaml", "--record", "y=z"]).fails(1, &["--record:1:3", "no variable `z`"]);
    p.run(&["run", "m.yaml", "--input", "w=1"]).fails(1, &["--input:1:1", "no variable `w`"]);
    p.run(&["run", "m.yaml:three"]).fails(1, &["three"]);
}

#[test]
fn all_faults_of_the_arguments_are_told_at_once() {
    let p = Place::new("several");
    p.run(&["run", "m.yaml", "--set", "p=1", "--set", "q=2", "--input", "r=3"]).fails(1, &["`p`", "`q`", "`r`"]);
    p.run(&["run", "m.yaml", "--set", "k=2+"]).fails(1, &["`2+` is not a value", "--set:1:3"]);
    p.run(&["run", "m.yaml", "--set", "k=inf"]).fails(1, &["--set"]);
    p.run(&["run", "m.yaml", "--set", "k=[1,2,3]"]).fails(1, &["--set", "3"]);
}

#[test]
fn faults_of_usage_exit_with_2() {
    let p = Place::new("usage");
    p.run(&["run", "m.yaml", "--scheme", "eular"]).fails(2, &["eular", "euler, heun, rk4", "'euler'"]);
    p.run(&["run", "m.yaml", "--sceme", "euler"]).fails(2, &["--sceme", "--scheme"]);
    p.run(&["run", "m.yaml", "--dt", "-1"]).fails(2, &["dt"]);
    p.run(&["run", "m.yaml", "--dt=0"]).fails(2, &["above 0"]);
    p.run(&["run", "m.yaml", "--set", "k"]).fails(2, &["PATH=VALUE"]);
    p.run(&["run"]).fails(2, &["FILE"]);
    p.run(&[]).fails(2, &["Usage"]);
}

#[test]
fn output_names_are_checked_before_anything_runs() {
    let p = Place::new("names");
    p.run(&["run", "m.yaml", "--duration", "1e12", "--out", "a.xlsx"]).fails(2, &["a.xlsx", "a.csv"]);
    p.run(&["run", "m.yaml", "--duration", "1e12", "--plot", "a.pdf"]).fails(2, &["a.pdf", ".svg"]);
    p.run(&["run", "m.yaml", "--duration", "1e12", "--out", "no/a.csv"]).fails(2, &["no/a.csv", "mkdir -p no"]);
    let twice = ["run", "m.yaml", "--duration", "1e12", "--record", "y=x", "--record", "y=k", "--out", "a.npz"];
    p.run(&twice).fails(1, &["two columns are named `y`"]);
    p.run(&["run", "m.yaml", "--duration", "1e12", "--record", "names=x", "--out", "a.npz"]).fails(1, &["`names`"]);
    p.run(&["run", "m.yaml", "--duration", "1e12", "--out", "a.csv", "--out", "a.csv"]).fails(2, &["twice"]);
}

#[test]
fn missing_and_contradictory_settings_have_a_help() {
    let p = Place::new("missing");
    p.write("bare.yaml", &RELAXATION.replace("simulate: {template: cell, duration: 1.0, dt: 0.25}\n", ""));
    p.run(&["run", "bare.yaml:cell"]).fails(1, &["no step size is given", "--dt 1e-4"]);
    p.run(&["run", "bare.yaml:cell", "--dt", "0.1"]).fails(1, &["no duration is given", "--duration"]);
    p.run(&["run", "bare.yaml:cell", "--dt", "0.1", "--duration", "1"]).ok();
    p.run(&["run", "m.yaml", "--sample-every", "0.3"]).fails(1, &["0.3 is not a multiple", "--sample-every 0.25"]);
    p.run(&["run", "m.yaml", "--cutoff", "2"]).fails(1, &["cutoff 2 leaves nothing"]);
    p.run(&["run", "missing.yaml"]).fails(1, &["no file `missing.yaml`"]);
    // In another directory of the shipped templates.
    p.run(&["run", "cuba"]).fails(1, &["no file `cuba`", "help: write `networks/cuba`"]);
    p.run(&["check", "neurons/jansen_rit.yaml"]).fails(1, &["help: write `jansen_rit`"]);
}

#[test]
fn inputs_are_numbers_files_or_expressions() {
    let p = Place::new("inputs");
    p.write("in/u.csv", "t,u\n0,1\n0.5,3\n");
    // npy, version 1.0: header padded so that the data begin at a multiple of 64.
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }";
    let mut npy = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    npy.extend(format!("{header:<117}\n").bytes());
    [1.0f64, 1.0, 3.0, 3.0].iter().for_each(|x| npy.extend(x.to_le_bytes()));
    fs::write(p.0.join("u.npy"), npy).unwrap();
    let last = |spec: &str| {
        p.run(&["run", "m.yaml", "--set", "k=4", "--input", &format!("u={spec}"), "--out", "a.csv"]).ok();
        p.rows("a.csv").iter().map(|r| r[1]).collect::<Vec<_>>()
    };
    // With k dt = 1 each row is the input one step before.
    assert_eq!(last("2.5"), [0.0, 2.5, 2.5, 2.5]);
    assert_eq!(last("1 + 4*t"), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(last("in/u.csv"), [0.0, 1.0, 1.0, 3.0]);
    assert_eq!(last("u.npy"), [0.0, 1.0, 1.0, 3.0]);
    let unknown = ["run", "m.yaml", "--input", "u=sinn(t)"];
    p.run(&unknown).fails(1, &["--input:1:3", "sinn"]);
    p.run(&["run", "m.yaml", "--input", "u=no.csv"]).fails(1, &["no.csv", "--input", "\n  help: check the name"]);
}

#[test]
fn an_input_replaces_that_of_the_file_onto_the_same_variable() {
    let p = Place::new("replace");
    // The file's own name of a file is relative to it, that on the command line to the working directory.
    p.write("sub/m.yaml", &RELAXATION.replace("dt: 0.25}", "dt: 0.25, set: {k: 4}, inputs: {u: u.csv}}"));
    p.write("sub/u.csv", "t,u\n0,5\n");
    p.write("u.csv", "t,u\n0,7\n");
    let second = |line: &[&str]| {
        p.run(&[&["run", "sub/m.yaml", "--out", "a.csv"], line].concat()).ok();
        p.rows("a.csv")[1][1]
    };
    assert_eq!(second(&[]), 5.0);
    assert_eq!(second(&["--input", "op/u=u.csv"]), 7.0);
    assert_eq!(second(&["--input", "u=2", "--input", "u=1"]), 3.0);
    assert_eq!(second(&["--set", "k=2"]), 2.5);
}

#[test]
fn what_was_computed_before_a_failure_is_kept() {
    let p = Place::new("diverges");
    p.write("d.yaml", "op: {base: OperatorTemplate, equations: [\"x' = x^2\"], variables: {x: output(1.0)}}\n");
    for (name, more) in [("a.csv", &[][..]), ("b.csv", &["--plot", "b.svg"])] {
        let line = ["run", "d.yaml", "--dt", "0.5", "--duration", "100", "--out", name];
        let done = p.run(&[&line[..], more].concat()).fails(1, &["`x` is no longer finite", "--dt 0.05", "kept"]);
        assert!(done.out.contains(name), "{}", done.out);
        let rows = p.rows(name);
        assert_eq!(rows[..3], [[0.0, 1.0], [0.5, 1.5], [1.0, 2.625]]);
        assert!(rows.len() < 20 && rows[rows.len() - 2][1].is_finite());
    }
}

#[test]
fn delayed_quantities_start_as_asked() {
    let p = Place::new("history");
    let delayed = RELAXATION.replace("k*(u - x)", "past(x, 0.25)").replace("output(0.0)", "output(1.0)");
    p.write("d.yaml", &delayed.replace("u: input(1.0), k: 1.0", "").replace("1.0), }", "1.0)}"));
    let second = |line: &[&str]| {
        p.run(&[&["run", "d.yaml", "--out", "a.csv"], line].concat()).ok();
        p.rows("a.csv")[1][1]
    };
    assert_eq!(second(&[]), 1.25);
    assert_eq!(second(&["--history", "zero"]), 1.0);
    p.write("z.yaml", &p.read("d.yaml").replace("dt: 0.25", "dt: 0.25, history: zero"));
    p.run(&["run", "z.yaml", "--out", "a.csv"]).ok();
    assert_eq!(p.rows("a.csv")[1][1], 1.0);
    p.write("w.yaml", &p.read("d.yaml").replace("dt: 0.25", "dt: 0.25, history: zeros"));
    p.run(&["run", "w.yaml"]).fails(1, &["w.yaml:", "zeros", "did you mean `zero`?"]);
}

#[test]
fn check_reports_every_template_of_every_file() {
    let p = Place::new("check");
    p.write("bad.yaml", &RELAXATION.replace("k*(u - x)", "kk*(u - y)"));
    let done = p.run(&["check", "m.yaml", "bad.yaml"]).fails(1, &["kk", "`y`", "bad.yaml:"]);
    assert!(done.out.contains("m.yaml: ok (3 templates)"), "{}", done.out);
    assert!(done.out.contains("bad.yaml: 2 errors"), "{}", done.out);
    let short = p.run(&["check", "--short", "bad.yaml"]).fails(1, &["bad.yaml:3:"]);
    assert!(short.err.lines().all(|l| l.starts_with("bad.yaml:") || l.starts_with("  help:")), "{}", short.err);
    p.write("settings.yaml", &RELAXATION.replace("dt: 0.25}", "dt: 0.25, record: {y: q}, set: {z: 1}}"));
    p.run(&["check", "settings.yaml"]).fails(1, &["settings.yaml:"]);
    p.run(&["check", "none.yaml"]).fails(1, &["none.yaml"]);
    p.run(&["check", "jansen_rit"]).ok();
}

#[test]
fn compile_prints_every_form() {
    let p = Place::new("compile");
    for (form, part) in [
        ("ast", "x' = k*(u - x)"),
        ("model", "circuit cell"),
        ("ir", "derivative p/op/k * (p/op/u - p/op/x)"),
        ("kernel", "store p/op/x %"),
    ] {
        let done = p.run(&["compile", "m.yaml", "--emit", form]).ok();
        assert!(done.out.contains(part), "{form}:\n{}", done.out);
        assert_eq!(p.run(&["compile", "m.yaml", "--emit", form]).ok().out, done.out);
    }
    p.run(&["compile", "m.yaml", "--emit", "kernel", "--scheme", "rk4", "-o", "k.txt"]).ok();
    assert!(p.read("k.txt").starts_with("module cell f64\n"));
    p.run(&["compile", "m.yaml", "--emit", "asm"]).fails(2, &["asm", "kernel"]);
}

#[test]
fn an_input_onto_what_an_equation_defines_is_refused() {
    let p = Place::new("driven");
    p.run(&["run", "m.yaml", "--input", "x=3"]).fails(1, &["`p/op/x` cannot be driven by an input", "inputs are `u`"]);
    p.run(&["run", "m.yaml", "--input", "k=3"]).ok();
}

#[test]
fn shipped_templates_are_listed_shown_and_run_by_name() {
    let p = Place::new("shipped");
    let list = p.run(&["list"]).ok().out;
    assert!(list.contains("jansen_rit ") && list.lines().all(|l| l.split("  ").count() >= 2), "{list}");
    let show = p.run(&["show", "jansen_rit"]).ok().out;
    for part in ["B. H. Jansen and V. G. Rit", "y0' = y3", "steepness of the transfer function", "1/mV", "0.56"] {
        assert!(show.contains(part), "`{part}` is not in:\n{show}");
    }
    p.run(&["run", "jansen_rit", "--duration", "0.01", "--json"]).ok();
    p.run(&["run", "jansen_rit:column", "--duration", "0.01", "--json"]).ok();
    p.run(&["run", "jansen_rot"]).fails(1, &["jansen_rot", "did you mean `jansen_rit`?"]);
}

#[test]
fn init_writes_a_model_that_runs_and_replaces_none() {
    let p = Place::new("init");
    p.run(&["init", "new.yaml"]).ok();
    let written = p.read("new.yaml");
    p.run(&["init", "new.yaml"]).fails(1, &["new.yaml", "exists already"]);
    assert_eq!(p.read("new.yaml"), written);
    p.run(&["check", "new.yaml"]).ok();
    let done = p.run(&["run", "new.yaml"]).ok();
    assert!(done.out.contains("v1") && done.out.contains("v2"), "{}", done.out);
}

#[test]
fn a_path_may_hold_colons() {
    let p = Place::new("colons");
    p.write("a:b.yaml", RELAXATION);
    p.run(&["run", "a:b.yaml"]).ok();
    assert!(p.run(&["run", "a:b.yaml:two"]).ok().out.contains("two ("));
    p.run(&["run", "a:c.yaml"]).fails(1, &["no file `a:c.yaml`"]);
}

#[test]
fn a_reader_who_leaves_early_does_no_harm() {
    let p = Place::new("pipe");
    for line in [&["show", "jansen_rit"][..], &["run", "m.yaml"], &["list"], &["compile", "jansen_rit"]] {
        let mut child = p.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{line:?}");
        assert_eq!(output.status.code(), Some(0), "{line:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_run_in_good_order() {
    let p = Place::new("signal");
    let line = ["run", "m.yaml", "--duration", "1e12", "--sample-every", "1000", "--out", "a.csv", "--json"];
    let child = p.command(&line).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["stopped"], true);
    assert_eq!(p.rows("a.csv").len() as u64, json["rows"].as_u64().unwrap());
}

#[test]
fn the_number_of_threads_changes_no_number() {
    let p = Place::new("threads");
    // Enough units for several threads.
    let population = RELAXATION
        .replace(
            "simulate: {template: cell,",
            "many: {base: NodeTemplate, n: 30000, operators: [op]}\n\
        net: {base: CircuitTemplate, nodes: {m: many}}\nsimulate: {template: net, ",
        )
        .replace("k: 1.0", "k: {uniform: [0.5, 2.0]}");
    p.write("m.yaml", &population);
    for engine in ["auto", "block"] {
        for threads in ["1", "2", "3"] {
            let out = format!("{threads}.npz");
            p.run(&["run", "m.yaml", "--seed", "1", "--engine", engine, "--threads", threads, "--out", &out]).ok();
        }
        assert_eq!(p.bytes("1.npz"), p.bytes("2.npz"), "{engine}");
        assert_eq!(p.bytes("1.npz"), p.bytes("3.npz"), "{engine}");
    }
    p.run(&["run", "m.yaml", "--threads", "0"]).fails(2, &["--threads", "above 0"]);
}

/// 100 pairs without the 10 of a unit with itself: 90 connections of 4 bytes, and where those of each of 10 units begin.
#[test]
fn populations_are_shown_with_their_connections() {
    let folder = std::env::temp_dir().join(format!("nullcline-sizes-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("m.yaml");
    let text = "
op: {base: OperatorTemplate, equations: [\"x' = i - x\"], variables: {x: output(0.0), i: input}}
net:
  base: CircuitTemplate
  nodes: {a: {operators: [op], n: 10}}
  edges: [[a/op/x, a/op/i, null, {connectivity: {all_to_all: {}, autapses: false}}]]
";
    std::fs::write(&file, text).unwrap();
    let run = |command: &str| {
        let done =
            std::process::Command::new(env!("CARGO_BIN_EXE_nullcline")).arg(command).arg(&file).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    let (shown, checked) = (run("show"), run("check"));
    assert!(shown.contains("weight 1, all_to_all: 90 connections, 404 bytes"), "{shown}");
    assert!(checked.contains("10 units, 90 connections in 404 bytes"), "{checked}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A build says how to get what it lacks, when devices are listed and when one is asked for.
#[test]
fn devices_that_a_build_lacks_are_named_with_the_way_to_get_them() {
    let place = Place::new("devices");
    let listed = place.run(&["devices"]).ok().out;
    assert!(listed.starts_with("cpu:0  "), "{listed}");
    for (name, there) in [("wgpu", cfg!(feature = "wgpu")), ("cuda", cfg!(feature = "cuda"))] {
        let help = format!("install with `cargo install --path . --features {name}`");
        let line = listed.lines().find(|line| line.starts_with(name)).unwrap();
        assert_eq!(line.contains("not in this build") && line.contains(&help), !there, "{line}");
        if !there {
            let run = place.run(&["run", "m.yaml", "--device", name]);
            assert!(run.code == 2 && run.err.contains(&help), "{}", run.err);
        }
    }
    for (device, said) in [("wgpux", "expected one of `cpu`, `cuda`, `wgpu`"), ("cpu:1", "there is one `cpu`")] {
        let run = place.run(&["run", "m.yaml", "--device", device]);
        assert!(run.code == 2 && run.err.contains(said), "{}", run.err);
    }
}

#[cfg(feature = "wgpu")]
#[test]
fn a_device_past_the_last_is_refused_by_number() {
    let place = Place::new("device-number");
    let run = place.run(&["run", "m.yaml", "--device", "wgpu:99", "--precision", "f32"]);
    let none = run.err.contains("there is no graphics processor");
    assert!(
        run.code == 1 && (none || run.err.contains("no device `wgpu:99`")) && run.err.contains("help: "),
        "{}",
        run.err
    );
    let run = place.run(&["run", "m.yaml", "--device", "wgpu:first"]);
    assert!(run.code == 2 && run.err.contains("for instance `wgpu:0`"), "{}", run.err);
}
