//! Networks beside C programs written by hand, compiled and run alternately on this machine.
//!
//! `cargo bench --bench networks [NAME]` prints CPU microseconds per step (medians), the ratio to C (`cc -O3 -march=native
//! -ffast-math`), and the shares of what one core can do, measured in the same run: of the multiply-adds, and of the bytes
//! read from memory if every weight and delay came from there. Single thread. docs/performance.md explains the numbers.
//! A second table is of weights that serve many networks or places.
#![allow(clippy::unwrap_used, missing_docs)]

mod beside;
#[path = "networks/shared.rs"]
mod shared;

use std::f64::consts::PI;
use std::num::NonZeroUsize;

use beside::peak::{Peak, operations};
use beside::{compile, cpu_seconds, median, run_program};
use nullcline::compiler::ir::expr::{ExprId, SpaceId};
use nullcline::compiler::ir::prim::{arith, lookup};
use nullcline::compiler::ir::system::{Connection, Fanout, System, Values};
use nullcline::compiler::kernel::ir::Precision;
use nullcline::compiler::pass::{Step, contract, discretise, events, legalise, prune, schedule, simplify};
use nullcline::compiler::scheme;
use nullcline::{Engine, Simulation};

/// Alternations of C and nullcline.
const ROUNDS: usize = 5;

/// One network.
struct Network {
    name: &'static str,
    /// C source, options and arguments but for the number of repetitions.
    program: (&'static str, &'static [&'static str], &'static [&'static str]),
    steps: u64,
    dt: f64,
    precision: Precision,
    step: fn() -> Step,
    /// Checks the outcome of a run of its own.
    check: fn(&mut Simulation),
}

fn main() {
    let networks = [
        Network {
            name: "w2: 100 columns, a delay per connection",
            program: ("w2", &[], &["100", "10000"]),
            steps: 10_000,
            dt: 1e-4,
            precision: Precision::F64,
            step: || columns(100),
            check: |s| whole_brain(s, 10_000, [5.62240351358, 6.54588520441]),
        },
        Network {
            name: "w2: 1000 columns, a delay per connection",
            program: ("w2", &[], &["1000", "1000"]),
            steps: 1000,
            dt: 1e-4,
            precision: Precision::F64,
            step: || columns(1000),
            check: |s| whole_brain(s, 1000, [13.8900434062, 16.7219764038]),
        },
        Network {
            name: "w3: 1000 rate units, f32",
            program: ("w3", &["-DREAL=float"], &["1000", "1000"]),
            steps: 1000,
            dt: 0.1,
            precision: Precision::F32,
            step: || rates(1000),
            check: |s| ends(s, 1000, "x", [-0.318823307035, -0.180777858249], 1e-4),
        },
        Network {
            name: "w3: 1000 rate units, f64",
            program: ("w3", &["-DREAL=double"], &["1000", "1000"]),
            steps: 1000,
            dt: 0.1,
            precision: Precision::F64,
            step: || rates(1000),
            check: |s| ends(s, 1000, "x", [-0.318823307035, -0.180777858249], 1e-8),
        },
        Network {
            name: "w3: 4000 rate units, f32",
            program: ("w3", &["-DREAL=float"], &["4000", "200"]),
            steps: 200,
            dt: 0.1,
            precision: Precision::F32,
            step: || rates(4000),
            check: |s| ends(s, 200, "x", [-0.7978527964, 0.472698594547], 1e-4),
        },
        Network {
            name: "w3: 4000 rate units, f64",
            program: ("w3", &["-DREAL=double"], &["4000", "200"]),
            steps: 200,
            dt: 0.1,
            precision: Precision::F64,
            step: || rates(4000),
            check: |s| ends(s, 200, "x", [-0.7978527964, 0.472698594547], 1e-8),
        },
        Network {
            name: "w4: 4000 spiking units, CUBA",
            program: ("w4", &[], &["0", "10000"]),
            steps: 10_000,
            dt: 0.1,
            precision: Precision::F64,
            step: || spiking(false),
            check: |s| spikes(s, 418, 23_354),
        },
        Network {
            name: "w4: 4000 spiking units, COBA",
            program: ("w4", &[], &["1", "10000"]),
            steps: 10_000,
            dt: 0.1,
            precision: Precision::F64,
            step: || spiking(true),
            check: |s| spikes(s, 734, 78_828),
        },
    ];
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let peak = Peak::measure();
    let head = ["C", "here", "/C", "of peak", "of memory"];
    println!(
        "{:<42}{:>10}{:>10}{:>8}{:>9}{:>11}",
        "CPU microseconds per step", head[0], head[1], head[2], head[3], head[4]
    );
    for network in networks {
        if wanted.as_ref().is_some_and(|w| !network.name.contains(&**w)) {
            continue;
        }
        let (source, options, arguments) = network.program;
        let program = compile(source, &[&["-ffast-math"], options].concat());
        let arguments = [arguments, &["1"]].concat();
        (network.check)(&mut load(&network).0);
        let mut times = [Vec::new(), Vec::new()];
        let (mut simulation, made) = load(&network);
        simulation.advance(1).unwrap();
        for _ in 0..ROUNDS {
            times[0].push(run_program(&program, &arguments).0 / network.steps as f64);
            let start = cpu_seconds();
            simulation.advance(network.steps).unwrap();
            times[1].push((cpu_seconds() - start) / network.steps as f64);
        }
        let [there, here] = times.map(median);
        // Spikes read the connections of those that send only.
        let whole = simulation.executable().explain().into_iter().filter(|e| e.kernel != "push by spike");
        let read = whole.map(|e| e.bytes).sum::<usize>() as f64;
        let lanes = if network.precision == Precision::F64 { 1.0 } else { 2.0 };
        let of_peak = made / here / (peak.operations * lanes) * 100.0;
        let of_memory = read / here / peak.bytes * 100.0;
        println!(
            "{:<42}{:>10.2}{:>10.2}{:>8.2}{of_peak:>7.0} %{of_memory:>9.0} %",
            network.name,
            there * 1e6,
            here * 1e6,
            here / there
        );
    }
    shared::table(&peak, wanted.as_deref());
}

/// A network ready to run, and the operations of its step.
fn load(network: &Network) -> (Simulation, f64) {
    let engine = Engine::auto();
    let step = simplify::simplify(prune::prune(events::events((network.step)())));
    let step = legalise::legalise(step, engine.target, network.precision).unwrap();
    let module = schedule::schedule(contract::contract(step, engine.target), network.precision);
    let (layout, made) = (module.layout(), operations(&module));
    let mut simulation = Simulation::new((engine.load)(module, 1).unwrap(), layout, network.dt, Vec::new());
    simulation.set_threads(NonZeroUsize::MIN);
    (simulation, made)
}

/// Values of a state.
fn values(simulation: &Simulation, name: &str) -> Vec<f64> {
    simulation.values(name).unwrap().unwrap()
}

/// Compares the first and the last element of a state after some steps with what they must be.
fn ends(simulation: &mut Simulation, steps: u64, name: &str, expected: [f64; 2], tolerance: f64) {
    simulation.advance(steps).unwrap();
    let found = values(simulation, name);
    close([found[0], found[found.len() - 1]], expected, tolerance);
}

fn close(found: [f64; 2], expected: [f64; 2], tolerance: f64) {
    for (found, expected) in found.into_iter().zip(expected) {
        assert!((found / expected - 1.0).abs() < tolerance, "{found}, expected {expected}");
    }
}

/// The potentials of the first and the last column.
fn whole_brain(simulation: &mut Simulation, steps: u64, expected: [f64; 2]) {
    simulation.advance(steps).unwrap();
    let (y1, y2) = (values(simulation, "y1"), values(simulation, "y2"));
    let last = y1.len() - 1;
    close([y1[0] - y2[0], y1[last] - y2[last]], expected, 1e-8);
}

/// Spikes of the first hundred steps exactly, of all within 3 per cent: the network is chaotic.
fn spikes(simulation: &mut Simulation, early: usize, all: usize) {
    let mut found = Vec::new();
    for _ in 0..10_000 {
        simulation.advance(1).unwrap();
        let count = |name: &str| values(simulation, name).into_iter().filter(|z| *z != 0.0).count();
        found.push(count("e/z") + count("i/z"));
    }
    assert_eq!(found[..100].iter().sum::<usize>(), early);
    let total = found.iter().sum::<usize>();
    assert!((total as f64 / all as f64 - 1.0).abs() < 0.03, "{total} spikes, expected about {all}");
}

/// SplitMix64 as a counter, uniform in [0, 1): the numbers of `c/common.h`.
fn unit(seed: u64, i: usize) -> f64 {
    let mut z = seed.wrapping_add((i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 11) as f64 / (1u64 << 53) as f64
}

fn units(seed: u64, n: usize, of: impl Fn(f64) -> f64) -> Values {
    Values::Each((0..n).map(|i| of(unit(seed, i))).collect())
}

/// Every unit connected to every unit.
fn matrix(name: &str, space: SpaceId, n: usize, weights: Vec<f64>) -> Connection {
    let starts: Vec<u32> = (0..=n).map(|i| (i * n) as u32).collect();
    let sources: Vec<u32> = (0..n).flat_map(|_| 0..n as u32).collect();
    Connection::new(name, (space, space), starts, sources, Values::Each(weights.into()))
}

/// Jansen and Rit's columns, coupled with a weight and a delay for each pair.
fn columns(n: usize) -> Step {
    let mut s = System::new("columns");
    let space = s.add_space("columns", n);
    let states: Vec<_> = (0..6).map(|k| s.add_state(format!("y{k}"), space, Values::Uniform(0.0))).collect();
    let y: Vec<ExprId> = states.iter().map(|s| s.1).collect();
    let drive = s.add_parameter("p", space, units(23, n, |u| 100.0 + 80.0 * u));
    let mut weights = vec![0.0; n * n];
    for k in 0..n {
        let row = &mut weights[k * n..(k + 1) * n];
        row.iter_mut().enumerate().for_each(|(j, w)| *w = if j == k { 0.0 } else { unit(21, k * n + j) });
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|w| *w *= 50.0 / sum);
    }
    let delays: Vec<u32> = (0..n * n).map(|e| 10 + (191.0 * unit(22, e)) as u32).collect();
    let history = s.add_history("rate", space);
    let coupled = s.couple_past(matrix("delayed", space, n, weights).with_delays(delays), history);
    let g = &mut s.graph;
    let mut number = |x: f64| g.constant(x);
    let [c3, c4, c5, d_a, d_b, aa, bb, c135, c34, c108, c33] =
        [3.25 * 100.0, 3.25 * 100.0, 22.0 * 50.0 * 33.75, 200.0, 100.0, 10_000.0, 2500.0, 135.0, 33.75, 108.0, 1.0]
            .map(&mut number);
    let _ = c33;
    let rate = |g: &mut nullcline::compiler::ir::expr::ExprGraph, v: ExprId| {
        let (one, five, r, v0) = (g.constant(1.0), g.constant(5.0), g.constant(0.56), g.constant(6.0));
        let below = g.difference(v0, v);
        let scaled = g.product(r, below);
        let exp = g.call(lookup("exp").unwrap(), &[scaled]);
        let whole = g.sum(one, exp);
        g.quotient(five, whole)
    };
    let v = g.difference(y[1], y[2]);
    let out = rate(g, v);
    let (to_e, to_i) = (g.product(c135, y[0]), g.product(c34, y[0]));
    let (e, i) = (rate(g, to_e), rate(g, to_i));
    let second = |g: &mut nullcline::compiler::ir::expr::ExprGraph, input, damp, speed, square, position| {
        let damped = g.product(damp, speed);
        let pulled = g.product(square, position);
        let rest = g.difference(input, damped);
        g.difference(rest, pulled)
    };
    let in3 = g.product(c3, out);
    let own = g.product(c108, e);
    let sum = g.sum(drive, own);
    let sum = g.sum(sum, coupled);
    let in4 = g.product(c4, sum);
    let in5 = g.product(c5, i);
    let slopes = [
        y[3],
        y[4],
        y[5],
        second(g, in3, d_a, y[3], aa, y[0]),
        second(g, in4, d_a, y[4], aa, y[1]),
        second(g, in5, d_b, y[5], bb, y[2]),
    ];
    for ((id, _), slope) in states.iter().zip(slopes) {
        s.states[id.index()].derivative = slope;
    }
    s.histories[history.index()].value = out;
    discretise::discretise(s, Vec::new(), scheme::lookup("euler").unwrap()).unwrap()
}

/// `x' = -x + J tanh(x) + b sin(2 pi t / 10)`
fn rates(n: usize) -> Step {
    let mut s = System::new("rates");
    let space = s.add_space("units", n);
    let (id, x) = s.add_state("x", space, units(33, n, |u| 2.0 * u - 1.0));
    let b = s.add_parameter("b", space, units(32, n, |u| 2.0 * u - 1.0));
    let scale = 0.9 * (3.0 / n as f64).sqrt();
    let weights = (0..n * n).map(|e| scale * (2.0 * unit(31, e) - 1.0)).collect();
    let tanh = s.graph.call(lookup("tanh").unwrap(), &[x]);
    let coupled = s.couple(matrix("J", space, n, weights), tanh);
    let g = &mut s.graph;
    let (t, frequency) = (g.time(), g.constant(2.0 * PI / 10.0));
    let phase = g.product(frequency, t);
    let sine = g.call(lookup("sin").unwrap(), &[phase]);
    let drive = g.product(b, sine);
    let sum = g.difference(coupled, x);
    s.states[id.index()].derivative = g.sum(sum, drive);
    discretise::discretise(s, Vec::new(), scheme::lookup("euler").unwrap()).unwrap()
}

/// Vogels and Abbott's network with currents or conductances: excitatory units, inhibitory units, four sets of synapses.
fn spiking(coba: bool) -> Step {
    const N: usize = 4000;
    const EXCITATORY: usize = 3200;
    let mut s = System::new("spiking");
    let ranges = [0..EXCITATORY, EXCITATORY..N];
    let mut populations = Vec::new();
    for (name, range) in ["e", "i"].into_iter().zip(ranges.clone()) {
        let space = s.add_space(name, range.len());
        let each =
            |seed: u64, of: &dyn Fn(f64) -> f64| Values::Each(range.clone().map(|i| of(unit(seed, i))).collect());
        let root = 3.0f64.sqrt();
        let initial = match coba {
            false => [each(42, &|u| -60.0 + 10.0 * u), Values::Uniform(0.0), Values::Uniform(0.0)],
            true => [
                each(42, &|u| -60.0 - 10.0 * u),
                each(43, &|u| (4.0 + 1.5 * root * (2.0 * u - 1.0)).max(0.0)),
                each(44, &|u| (20.0 + 12.0 * root * (2.0 * u - 1.0)).max(0.0)),
            ],
        };
        let [v, e, i] = initial;
        let v = s.add_state(format!("{name}/v"), space, v).1;
        let e = s.add_state(format!("{name}/ge"), space, e).1;
        let i = s.add_state(format!("{name}/gi"), space, i).1;
        let held = s.add_state(format!("{name}/held"), space, Values::Uniform(0.0)).1;
        s.add_state(format!("{name}/z"), space, Values::Uniform(0.0));
        populations.push((space, range, [v, e, i, held]));
    }
    let mut step = discretise::discretise(s, Vec::new(), scheme::lookup("euler").unwrap()).unwrap();
    let system = &mut step.system;
    let (mut next, mut bases, mut spikes) = (Vec::new(), Vec::new(), Vec::new());
    for (_, _, [v, e, i, held]) in &populations {
        let g = &mut system.graph;
        let (moved, e, i) = integrate(g, coba, (*v, *e, *i));
        let [zero, one, threshold, reset, refractory] = [0.0, 1.0, -50.0, -60.0, 49.0].map(|x| g.constant(x));
        let is_held = g.call(&arith::GT, &[*held, zero]);
        let above = g.call(&arith::GT, &[moved, threshold]);
        let spike = g.call(&arith::SELECT, &[is_held, zero, above]);
        let kept = g.call(&arith::SELECT, &[is_held, *v, moved]);
        let v = g.call(&arith::SELECT, &[spike, reset, kept]);
        let less = g.difference(*held, one);
        let less = g.call(&arith::MAX, &[less, zero]);
        let held = g.call(&arith::SELECT, &[spike, refractory, less]);
        next.push([v, held, spike]);
        bases.push([e, i]);
        spikes.push(spike);
    }
    for (to, (target, columns, _)) in populations.iter().enumerate() {
        for (from, (source, rows, _)) in populations.iter().enumerate() {
            let (mut starts, mut targets) = (vec![0], Vec::new());
            for i in rows.clone() {
                let hit = |j: &usize| unit(41, i * N + j) < 0.02;
                targets.extend(columns.clone().filter(hit).map(|j| (j - columns.start) as u32));
                starts.push(targets.len() as u32);
            }
            let weight = [[1.62, -9.0], [0.6, 6.7]][usize::from(coba)][from];
            let fanout =
                Fanout::new(format!("{from} to {to}"), (*source, *target), starts, targets, Values::Uniform(weight));
            bases[to][from] = system.deliver(fanout, bases[to][from], spikes[from], None);
        }
    }
    step.next = next.iter().zip(&bases).flat_map(|([v, held, z], [e, i])| [*v, *e, *i, *held, *z]).collect();
    step
}

/// Potential and synaptic variables after a step of 0.1: exactly with currents, by Euler's method with conductances.
fn integrate(
    g: &mut nullcline::compiler::ir::expr::ExprGraph,
    coba: bool,
    (v, e, i): (ExprId, ExprId, ExprId),
) -> (ExprId, ExprId, ExprId) {
    let (dt, tau, tau_e, tau_i) = (0.1f64, 20.0f64, 5.0f64, 10.0f64);
    if coba {
        let [rest, inhibitory, by_tau, by_e, by_i] =
            [-60.0, -80.0, dt / tau, 1.0 - dt / tau_e, 1.0 - dt / tau_i].map(|x| g.constant(x));
        let leak = g.difference(rest, v);
        let from_e = g.product(e, v);
        let from_i = g.difference(inhibitory, v);
        let from_i = g.product(i, from_i);
        let sum = g.difference(leak, from_e);
        let sum = g.sum(sum, from_i);
        let change = g.product(sum, by_tau);
        return (g.sum(v, change), g.product(e, by_e), g.product(i, by_i));
    }
    let (keep, keep_e, keep_i) = ((-dt / tau).exp(), (-dt / tau_e).exp(), (-dt / tau_i).exp());
    let (from_e, from_i) = (tau_e / (tau_e - tau) * (keep_e - keep), tau_i / (tau_i - tau) * (keep_i - keep));
    let [rest, keep, keep_e, keep_i, from_e, from_i] =
        [-49.0, keep, keep_e, keep_i, from_e, from_i].map(|x| g.constant(x));
    let above = g.difference(v, rest);
    let kept = g.product(above, keep);
    let (by_e, by_i) = (g.product(e, from_e), g.product(i, from_i));
    let sum = g.sum(rest, kept);
    let sum = g.sum(sum, by_e);
    (g.sum(sum, by_i), g.product(e, keep_e), g.product(i, keep_i))
}
