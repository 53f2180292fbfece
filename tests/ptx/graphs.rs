//! Networks that are stepped kernel by kernel, below the driver's interface: their launches are graphs.

use std::fs;

use super::driver::StandIn;

/// More connections than one launch steps by itself, with delays, noise, spikes that travel, an input and a node that all units
/// read.
const NETWORK: &str = "
cell:
  base: OperatorTemplate
  equations: [\"v' = -v + 1.3 + 0.05*randn() + m + past(v, 0.3)/9 + u\"]
  variables: {v: output(0.0), m: input(0.0), u: input(0.0)}
  events: {spike: {when: v >= 1.0, reset: {v: 0.0}}}
mean:
  base: OperatorTemplate
  equations: [\"m' = -m + q\"]
  variables: {m: output(0.1), q: input(0.0)}
cells: {base: NodeTemplate, n: 260, operators: {cell: {v: {uniform: [0.0, 1.0]}}}}
field: {base: NodeTemplate, operators: mean}
net:
  base: CircuitTemplate
  nodes: {a: cells, b: field}
  edges:
    - [b/mean/m, a/cell/m, null, {weight: 0.3, delay: 0.2}]
    - [a/cell/v, b/mean/q, null, {weight: 0.001}]
    - [a/cell/v, a/cell/u, null, {weight: {normal: [0.0, 0.01]}, connectivity: all_to_all}]
    - [a/cell/spike, a/cell/v, null, {weight: 0.03, delay: 0.4, connectivity: {fixed_indegree: {k: 3}}}]
simulate:
  {duration: 9.0, dt: 0.1, seed: 7, record: {v: a/cell/v, m: b/mean/m, spike: a/spike}, inputs: {b/mean/q: drive.csv}}
";

fn place(test: &str) -> StandIn {
    let place = StandIn::new(test);
    fs::write(place.folder.join("network.yaml"), NETWORK).unwrap();
    let rows: String = (0..90).map(|k| format!("{}\n", f64::from(k % 17) / 50.0)).collect();
    fs::write(place.folder.join("drive.csv"), rows).unwrap();
    place
}

/// Kernels executed and graphs launched, by each context.
fn launched(log: &[String]) -> Vec<[usize; 2]> {
    let number = |line: &str, before: &str| {
        let (text, _) = line.split_once(before).unwrap_or_else(|| panic!("{line}"));
        text.rsplit(' ').next().unwrap().parse::<usize>().unwrap()
    };
    log.iter().map(|line| [number(line, " kernels executed"), number(line, " graphs launched")]).collect()
}

#[test]
fn networks_are_stepped_by_graphs_with_the_numbers_of_the_processor() {
    let place = place("graphs");
    for precision in ["f64", "f32"] {
        // Rows close to each other, and so far apart that there are graphs for the steps between them.
        for every in ["0.1", "0.7", "4.4"] {
            for (engine, out) in [("oracle", "here.csv"), ("cuda", "there.csv")] {
                let run = format!("run network.yaml --quiet --precision {precision} --sample-every {every}");
                let done = place.nullcline("", &format!("{run} --engine {engine} --out {out}"));
                assert_eq!((done.code, &*done.said), (Some(0), ""), "{precision}, {every}");
            }
            let (here, there) = (place.read("here.csv"), place.read("there.csv"));
            assert!(here.lines().count() > 2 && here == there, "{precision}, a row every {every}");
            let log = place.log();
            assert!(log.iter().all(|line| line.starts_with("released: ") && line.contains(" 0 graphs, ")), "{log:?}");
            let [[kernels, graphs]] = launched(&log)[..] else { panic!("{log:?}") };
            assert!(graphs > 0 && kernels > 20 * graphs, "{kernels} kernels, {graphs} graphs");
        }
    }
    let explained = place.nullcline("", "compile network.yaml --device cuda --explain").out;
    assert!(explained.contains(" launches a step, up to ") && explained.contains(" steps in a graph"), "{explained}");
}

#[test]
fn graphs_that_fail_are_named_and_given_back() {
    let place = place("graphs_that_fail");
    for script in [
        "cuGraphCreate@1=CUDA_ERROR_OUT_OF_MEMORY",
        "cuGraphAddKernelNode_v2@5=CUDA_ERROR_OUT_OF_MEMORY",
        "cuGraphInstantiateWithFlags@1=CUDA_ERROR_OUT_OF_MEMORY",
        "cuGraphLaunch@2=CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
    ] {
        let done = place.nullcline(script, "run network.yaml --device cuda");
        assert_eq!(done.code, Some(1), "{script}: {}{}", done.out, done.said);
        let why = script.split('=').nth(1).unwrap();
        for word in ["error: ", "cuda:0 (Stand-in): ", "`a graph of ", why] {
            assert!(done.said.contains(word), "{script}: no `{word}`:\n{}", done.said);
        }
        place.clean_log();
    }
}
