//! The program on the device `cuda`, below the driver's interface: what it writes is what it writes on the processor.

use std::fs;

use super::driver::StandIn;

/// Delays, noise, samples, spikes that travel, units that rest after theirs, and rates.
const MODEL: &str = "
lif:
  base: OperatorTemplate
  equations: [\"v' = (1.4 + 0.2*noise(1.0) + drive + 0.1*v(t - 0.35) - v)/tau\", \"s' = -s/0.4\"]
  variables: {v: output(0.0), s: variable(0.0), drive: input(0.0), tau: 1.5}
  events: {spike: {when: v >= 1, reset: {v: 0.0}, refractory: 0.25}}
unit: {base: NodeTemplate, n: 5, operators: lif}
net:
  base: CircuitTemplate
  nodes: {a: unit, b: unit}
  edges:
    - [a/lif/spike, b/lif, null, {weight: 0.3, delay: 0.37, on_spike: [s += weight, v += 0.1*weight]}]
    - [b/lif/spike, a/lif/v, null, {weight: -0.2, delay: 0.11}]
    - [a/lif/s, b/lif/drive, null, {weight: 0.5, delay: 0.2}]
simulate:
  duration: 4.0
  dt: 0.01
  seed: 3
  inputs: {a/lif/drive: 0.1*sin(3*t), b/lif/drive: drive.csv}
  record: {v: all/lif/v, s: b/lif/s, long: \"rate(a/lif/spike, 0.9)\", spikes: a/lif/spike}
";

/// 300 units, more connections than one launch steps by itself.
const NETWORK: &str = "
cell:
  base: OperatorTemplate
  equations: [\"v' = -v + g*u\", r = tanh(v)]
  variables: {v: variable(0.5), r: output, u: input(0.0), g: 1.0}
cells: {base: NodeTemplate, n: 300, operators: {cell: {v: {uniform: [-1.0, 1.0]}}}}
net:
  base: CircuitTemplate
  nodes: {a: cells}
  edges: [[a/cell/r, a/cell/u, null, {weight: {normal: [0.0, 0.1]}, connectivity: all_to_all}]]
simulate: {duration: 0.4, dt: 0.1, record: {v: a/cell/v}}
";

fn place(test: &str) -> StandIn {
    let place = StandIn::new(test);
    fs::write(place.folder.join("model.yaml"), MODEL).unwrap();
    fs::write(place.folder.join("network.yaml"), NETWORK).unwrap();
    let rows: String = (0..400).map(|k| format!("{}\n", f64::from(k % 17) / 50.0)).collect();
    fs::write(place.folder.join("drive.csv"), rows).unwrap();
    place
}

#[track_caller]
fn succeed(place: &StandIn, line: &str) -> String {
    let done = place.nullcline("", line);
    assert_eq!((done.code, &*done.said), (Some(0), ""), "{line}\n{}", done.out);
    done.out
}

/// What a table says besides how it was made.
fn rows(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn runs_and_states_are_those_of_the_processor() {
    let place = place("runs");
    for precision in ["f64", "f32"] {
        let on = |engine: &str| format!("run model.yaml --quiet --precision {precision} --engine {engine}");
        succeed(&place, &format!("{} --out here.csv --save-state here.state", on("oracle")));
        succeed(&place, &format!("{} --out there.csv --save-state there.state", on("cuda")));
        let here = place.read("here.csv");
        assert!(rows(&here).len() > 300 && here == place.read("there.csv"), "{precision}: rows differ");
        assert!(place.read("here.state") == place.read("there.state"), "{precision}: states differ");
        // In two pieces, the second of a state of the other.
        succeed(&place, &format!("{} --duration 1.87 --out first.csv --save-state half.state", on("oracle")));
        succeed(&place, &format!("{} --duration 2.13 --load-state half.state --out second.csv", on("cuda")));
        let (first, second) = (place.read("first.csv"), place.read("second.csv"));
        let second = second.split_once('\n').unwrap().1;
        assert!(here == format!("{first}{second}"), "{precision}: rows of the pieces differ");
    }
    assert_eq!(place.clean_log().0, 4);
}

#[test]
fn sweeps_are_reduced_as_on_the_processor() {
    let place = place("sweeps");
    let line = "sweep model.yaml --quiet --grid all/lif/tau=1:2:7 --reduce mean,min,max,final,frequency,peak-to-peak";
    for (precision, record) in [("f64", ""), ("f32", ""), ("f32", ",spectral-peak")] {
        for (engine, out) in [("oracle", "here.csv"), ("cuda", "there.csv")] {
            let rest = format!("--precision {precision} --engine {engine} --out {out} --restart --record a/lif/v");
            succeed(&place, &format!("{line}{record} {rest}"));
        }
        let (here, there) = (place.read("here.csv"), place.read("there.csv"));
        assert!(rows(&here).len() == 8 && rows(&here) == rows(&there), "{precision}\n{here}{there}");
    }
    assert_eq!(place.clean_log().0, 3);
}

/// Of three rows far apart: the launches between them are the same each time.
#[test]
fn steps_come_from_graphs_and_their_faults_say_so() {
    let place = place("steps");
    let line = "run network.yaml --quiet --duration 22 --sample-every 10 --save-state";
    succeed(&place, &format!("{line} here.state --engine oracle"));
    succeed(&place, &format!("{line} there.state --engine cuda"));
    assert!(place.read("here.state") == place.read("there.state"), "states differ");
    let (released, graphs) = place.clean_log();
    assert!(released == 1 && graphs > 1, "{graphs} graphs");
    for (script, words) in [
        ("cuGraphInstantiateWithFlags@1=CUDA_ERROR_OUT_OF_MEMORY", ["a graph of ", "CUDA_ERROR_OUT_OF_MEMORY"]),
        ("cuGraphLaunch@2=CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", ["a graph of ", "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"]),
        (
            "kernel@300=CUDA_ERROR_LAUNCH_FAILED",
            ["the last kernel launched was `a graph of ", "CUDA_ERROR_LAUNCH_FAILED"],
        ),
    ] {
        let done = place.nullcline(script, &format!("{line} there.state --engine cuda"));
        assert!(done.code == Some(1) && words.iter().all(|word| done.said.contains(word)), "{script}: {}", done.said);
    }
}

#[test]
fn products_by_a_library_are_those_of_the_processor() {
    let place = place("products");
    for precision in ["f64", "f32"] {
        for (engine, out) in [("oracle", "here.csv"), ("cublas", "there.csv")] {
            let line = format!("run network.yaml --quiet --precision {precision} --engine {engine} --out {out}");
            succeed(&place, &line);
            let line = format!("sweep network.yaml --quiet --grid g=1:2:3 --reduce final --restart --out sweep-{out}");
            succeed(&place, &format!("{line} --precision {precision} --engine {engine}"));
        }
        assert!(place.read("here.csv") == place.read("there.csv"), "{precision}");
        let (here, there) = (place.read("sweep-here.csv"), place.read("sweep-there.csv"));
        assert!(rows(&here) == rows(&there), "{precision}\n{here}{there}");
    }
    assert_eq!(place.clean_log().0, 4);
}

#[test]
fn devices_are_listed_and_chosen_by_number() {
    let place = place("listed");
    let listed = place.nullcline("devices=2,sm=86,version=12020,memory=2000000000", "devices").out;
    for line in ["cuda:0  Stand-in", "cuda:1  Stand-in", "sm_86", "CUDA 12.2", "2.0 GB, 2.0 GB free"] {
        assert!(listed.contains(line), "{line}: {listed}");
    }
    for (device, name) in [("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("auto", "cuda:0")] {
        let done = place.nullcline("devices=2", &format!("run model.yaml --json --device {device}"));
        assert_eq!((done.code, &*done.said), (Some(0), ""));
        assert!(done.out.contains(&format!("\"device\":\"{name} (Stand-in)\"")), "{device}: {}", done.out);
    }
}
