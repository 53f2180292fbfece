//! Populations of neurons with events beside C programs written by hand, compiled and run alternately on this machine.
//!
//! `cargo bench --bench neurons [NAME]` prints CPU nanoseconds per neuron and step (medians), the ratio to C (`cc -O3
//! -march=native` keeping IEEE rules, and with `-ffast-math`), and what share of the multiply-adds one core can do the
//! operations of the step make. Both list every spike. Single thread. docs/performance.md explains the numbers.
#![allow(clippy::unwrap_used, missing_docs)]

mod beside;

use beside::peak::{Peak, operations};
use beside::{compile, cpu_seconds, median, prepare, run_program};
use nullcline::{Engine, Interrupt};

/// Alternations of C and nullcline.
const ROUNDS: usize = 9;

fn main() {
    let peak = Peak::measure();
    let head = ["C strict", "C fast", "here", "/strict", "/fast", "of peak"];
    println!(
        "{:<44}{:>9}{:>9}{:>9}{:>8}{:>8}{:>9}",
        "CPU nanoseconds per neuron and step", head[0], head[1], head[2], head[3], head[4], head[5]
    );
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    for (n, steps) in [(1000, 10_000), (100_000, 1000)] {
        for (precision, real, lanes) in [("f64", "-DREAL=double", 1.0), ("f32", "-DREAL=float", 2.0)] {
            let name = format!("{n} of Izhikevich's neurons, {precision}");
            if wanted.as_ref().is_some_and(|w| !name.contains(&**w)) {
                continue;
            }
            let strict = compile("izhikevich", &[real]);
            let fast = compile("izhikevich", &[real, "-ffast-math"]);
            let arguments = [&*n.to_string(), &*steps.to_string()];
            let mut times = [Vec::new(), Vec::new(), Vec::new()];
            let mut made = 0.0;
            for _ in 0..ROUNDS {
                let (seconds, spikes) = run_program(&strict, &arguments);
                times[0].push(seconds);
                times[1].push(run_program(&fast, &arguments).0);
                let (seconds, done) = run_here(n, steps, precision, spikes.unwrap());
                times[2].push(seconds);
                made = done;
            }
            let whole = n as f64 * steps as f64;
            let [strict, fast, here] = times.map(|t| median(t) / whole * 1e9);
            let share = made / whole / (here * 1e-9) / (peak.operations * lanes) * 100.0;
            println!(
                "{name:<44}{strict:>9.3}{fast:>9.3}{here:>9.3}{:>8.2}{:>8.2}{share:>7.0} %",
                here / strict,
                here / fast
            );
        }
    }
}

/// CPU seconds of the simulation, every spike kept, and the operations made.
fn run_here(n: usize, steps: usize, precision: &str, spikes: f64) -> (f64, f64) {
    let model = beside::model(izhikevich(n, steps, precision));
    let made = operations(&model.compile(Engine::auto()).unwrap().module) * steps as f64;
    let mut prepared = prepare(&model);
    let mut recording = prepared.simulation.recording();
    let start = cpu_seconds();
    prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    let seconds = cpu_seconds() - start;
    let found = recording.spikes[0].times.len() as f64;
    // Operations are rounded in another order, so that single spikes come a step earlier or later.
    assert!((found / spikes - 1.0).abs() < 1e-3, "{found} spikes, C has {spikes}");
    (seconds, made)
}

/// The population of `c/izhikevich.c`.
fn izhikevich(n: usize, steps: usize, precision: &str) -> String {
    let inputs: Vec<String> = (0..n).map(|k| format!("{:?}", 4.0 + 16.0 * k as f64 / (n - 1) as f64)).collect();
    let (inputs, duration) = (inputs.join(", "), steps as f64 * 0.1);
    format!(
        "
izhikevich:
  base: OperatorTemplate
  equations:
    - v' = 0.04*v^2 + 5*v + 140 - u + I
    - u' = a*(b*v - u)
  variables: {{v: output(-65.0), u: variable(-13.0), I: 0.0, a: 0.02, b: 0.2, c: -65.0, d: 8.0}}
  events:
    spike: {{when: v >= 30, reset: {{v: c, u: u + d}}}}
neurons: {{base: NodeTemplate, n: {n}, operators: {{izhikevich: {{I: [{inputs}]}}}}}}
net: {{base: CircuitTemplate, nodes: {{p: neurons}}}}
simulate: {{duration: {duration:?}, dt: 0.1, scheme: euler, precision: {precision}, record: {{spike: spike}}}}
"
    )
}
