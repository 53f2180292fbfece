//! Saved states on the command line: a run in two pieces is the run in one piece.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Delays, noise, samples and a whole network of them.
const MODEL: &str = "
op:
  base: OperatorTemplate
  equations: [\"x' = -x + tanh(u) + 0.2*x(t - 0.35) + noise(0.3) + drive\", \"y' = 0.1*x*xi - y\"]
  variables: {x: output(0.3), y: variable(1.0), u: input(0.0), drive: input(0.0)}
unit: {base: NodeTemplate, n: 3, operators: op}
net:
  base: CircuitTemplate
  nodes: {a: unit, b: unit}
  edges:
    - [a/op/x, b/op/u, null, {weight: 1.5, delay: 0.7}]
    - [b/op/x, a/op/u, null, {weight: -2.0, delay: 1.3, spread: 0.5}]
simulate:
  duration: 4.0
  dt: 0.01
  scheme: heun
  seed: 3
  inputs: {a/op/drive: sin(3*t), b/op/drive: drive.csv}
  record: {x: all/op/x, y: all/op/y}
";

/// Spikes that travel, units that rest after theirs, a connection that tires, and rates of all of that.
const SPIKING: &str = "
lif:
  base: OperatorTemplate
  equations: [\"v' = (1.4 + 0.2*noise(1.0) - v)/1.5\", \"s' = -s/0.4\"]
  variables: {v: output(0.0), s: variable(0.0)}
  events: {spike: {when: v >= 1, reset: {v: 0.0}, refractory: 0.25}}
unit: {base: NodeTemplate, n: 5, operators: lif}
net:
  base: CircuitTemplate
  nodes: {a: unit, b: unit}
  edges:
    - [a/lif/spike, b/lif, null, {weight: 0.3, delay: 0.37, on_spike: [s += weight, v += 0.1*weight]}]
    - [b/lif/spike, a/lif/v, null, {weight: -0.2, delay: 0.11}]
simulate:
  duration: 4.0
  dt: 0.01
  seed: 3
  record: {v: all/lif/v, s: b/lif/s, long: \"rate(a/lif/spike, 0.9)\", row: rate(b/lif/spike)}
";

struct Place(PathBuf);

impl Place {
    fn new(test: &str) -> Place {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("state_{test}"));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("m.yaml"), MODEL).unwrap();
        fs::write(directory.join("spiking.yaml"), SPIKING).unwrap();
        let rows: String = (0..400).map(|k| format!("{}\n", f64::from(k % 17) / 10.0)).collect();
        fs::write(directory.join("drive.csv"), rows).unwrap();
        Place(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Exit code and messages.
    fn run(&self, line: &str) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nullcline"));
        let done = command.current_dir(&self.0).args(line.split(' ')).arg("--quiet").output().unwrap();
        (done.status.code().unwrap(), String::from_utf8(done.stderr).unwrap())
    }

    #[track_caller]
    fn succeed(&self, line: &str) {
        let (code, message) = self.run(line);
        assert_eq!(code, 0, "{line}\n{message}");
    }
}

#[test]
fn a_run_in_two_pieces_is_the_run_in_one() {
    let place = Place::new("pieces");
    for (model, engine) in
        ["m.yaml", "spiking.yaml"].into_iter().flat_map(|m| ["block", "oracle", "auto"].map(|e| (m, e)))
    {
        let run = format!("run {model} --engine {engine}");
        place.succeed(&format!("{run} --out whole.csv --save-state whole.state"));
        // Half is a whole number of steps, and no multiple of the rings' lengths.
        place.succeed(&format!("{run} --duration 1.87 --out first.csv --save-state half.state"));
        place
            .succeed(&format!("{run} --duration 2.13 --load-state half.state --out second.csv --save-state end.state"));
        let (first, second) = (place.read("first.csv"), place.read("second.csv"));
        let rest = second.split_once('\n').unwrap().1;
        assert!(place.read("whole.csv") == format!("{first}{rest}"), "{model} with {engine}: rows differ");
        assert!(place.read("whole.state") == place.read("end.state"), "{model} with {engine}: states differ");
    }
    // Both rates were more than zero at some time, or nothing was compared.
    let rows = place.read("whole.csv");
    let positive = |column: &str| {
        let at = rows.lines().next().unwrap().split(',').position(|name| name == column).unwrap();
        rows.lines().skip(1).filter(|row| row.split(',').nth(at).unwrap().parse::<f64>().unwrap() > 0.0).count()
    };
    assert!(positive("long") > 100 && positive("row") > 0);
}

#[test]
fn a_run_may_begin_in_the_state_it_replaces() {
    let place = Place::new("replace");
    place.succeed("run m.yaml --duration 1.0 --save-state s");
    for _ in 0..3 {
        place.succeed("run m.yaml --duration 1.0 --load-state s --save-state s");
    }
    place.succeed("run m.yaml --save-state whole");
    assert!(place.read("s") == place.read("whole"));
}

#[test]
fn times_and_cutoffs_are_those_of_the_whole_run() {
    let place = Place::new("times");
    place.succeed("run m.yaml --duration 1.0 --save-state s");
    place.succeed("run m.yaml --duration 1.0 --load-state s --cutoff 1.5 --sample-every 0.25 --out out.csv");
    let times: Vec<String> =
        place.read("out.csv").lines().skip(1).map(|l| l.split(',').next().unwrap().to_string()).collect();
    assert_eq!(times, ["1.5", "1.75"]);
    let (code, message) = place.run("run m.yaml --duration 4.0 --load-state s");
    assert!(code == 1 && message.contains("400 samples") && message.contains("500 steps"), "{message}");
}

#[test]
fn states_that_do_not_fit_are_refused_with_a_reason() {
    let place = Place::new("refused");
    place.succeed("run m.yaml --duration 1.0 --save-state s");
    fs::write(place.path("other.yaml"), MODEL.replace("delay: 0.7", "delay: 0.9")).unwrap();
    fs::write(place.path("text"), "hello").unwrap();
    for (line, expected) in [
        ("run m.yaml --load-state s --dt 0.02", "steps of 0.01, the model of 0.02"),
        ("run other.yaml --load-state s --duration 1", "the state has"),
        ("run jansen_rit --load-state s --dt 0.01 --duration 1 --sample-every 0.01", "no values for"),
        ("run m.yaml --load-state text", "begins with `step N of DT`"),
        ("run m.yaml --load-state missing", "no such file"),
    ] {
        let (code, message) = place.run(line);
        assert!(code == 1 && message.contains(expected) && message.contains("help:"), "{line}: {message}");
    }
    let (code, message) = place.run("run m.yaml --save-state nowhere/s");
    assert!(code == 2 && message.contains("mkdir -p nowhere"), "{message}");
}

#[test]
fn a_run_that_fails_keeps_the_older_state() {
    let place = Place::new("failed");
    place.succeed("run m.yaml --duration 1.0 --save-state s");
    let before = place.read("s");
    let (code, _) = place.run("run m.yaml --set y=1e308 --set x=-1e308 --duration 1.0 --save-state s");
    assert_eq!(code, 1);
    assert!(place.read("s") == before);
    let left: Vec<_> = fs::read_dir(&place.0).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("partial")), "{left:?}");
}
