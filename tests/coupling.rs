//! Kernels that move values between elements, on systems put together by hand: what they compute, and that every engine,
//! every number of threads and every batch computes the same bits.
#![allow(clippy::unwrap_used)]

use std::num::NonZeroUsize;

use nullcline::compiler::ir::expr::{FanoutId, Op, ParameterId, SpaceId};
use nullcline::compiler::ir::prim::{arith, lookup};
use nullcline::compiler::ir::system::{Connection, Fanout, System, Values};
use nullcline::compiler::kernel::ir::{Body, BufferRole, Module, Precision};
use nullcline::compiler::kernel::target::{Target, basic};
use nullcline::compiler::kernel::verify::verify;
use nullcline::compiler::pass::batch::{Slot, Variation, batch};
use nullcline::compiler::pass::{Step, contract, discretise, legalise, prune, schedule, simplify};
use nullcline::compiler::scheme;
use nullcline::runtime::artifact::{Executable, Feeds, Phase};
use nullcline::{ENGINES, Engine, Simulation};

const DT: f64 = 0.125;
const STEPS: u64 = 40;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Uniform in [0, 1).
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Rows of up to `most` ends each, some of them twice.
    fn rows(&mut self, rows: usize, most: usize, size: usize) -> (Vec<u32>, Vec<u32>) {
        let (mut starts, mut ends) = (vec![0], Vec::new());
        for _ in 0..rows {
            ends.extend((0..self.below(most + 1)).map(|_| self.below(size) as u32));
            starts.push(ends.len() as u32);
        }
        (starts, ends)
    }

    fn units(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.unit()).collect()
    }
}

fn engines() -> impl Iterator<Item = &'static Engine> {
    ENGINES.iter().filter(|e| e.device == "cpu" && (e.name != "jit" || Engine::auto().name == "jit"))
}

fn module(step: Step, engine: &Engine, precision: Precision) -> Module {
    let module = schedule::schedule(arithmetic(step, engine, precision), precision);
    assert_eq!(verify(&module), Ok(()), "{module}");
    module
}

fn arithmetic(step: Step, engine: &Engine, precision: Precision) -> Step {
    let step = simplify::simplify(prune::prune(step));
    contract::contract(legalise::legalise(step, engine.target, precision).unwrap(), engine.target)
}

/// The states after each step, state by state.
fn states(module: Module, engine: &Engine) -> Vec<Vec<f64>> {
    states_with(module, engine, 2)
}

/// The same with so many threads.
fn states_with(module: Module, engine: &Engine, threads: usize) -> Vec<Vec<f64>> {
    let buffers: Vec<usize> =
        (0..module.buffers.len()).filter(|b| matches!(module.buffers[*b].role, BufferRole::State(_))).collect();
    let ring = module.layout().buffers.iter().map(|b| b.slots as u64).max().unwrap_or(1);
    let passes = module.history_passes;
    let mut loaded: Box<dyn Executable> = (engine.load)(module, 0).unwrap();
    loaded.set_threads(NonZeroUsize::new(threads).unwrap());
    loaded.run(Phase::Setup, 0, DT).unwrap();
    for slot in (0..passes).flat_map(|_| 0..ring) {
        loaded.run(Phase::Remember, slot, 0.0).unwrap();
    }
    let mut rows = Vec::new();
    for step in 0..STEPS {
        loaded.advance(step, 1, DT, &Feeds::default()).unwrap();
        let mut row = Vec::new();
        for buffer in &buffers {
            let mut values = Vec::new();
            loaded.read(*buffer, &mut values).unwrap();
            row.extend(values);
        }
        rows.push(row);
    }
    rows
}

fn bits(rows: &[Vec<f64>]) -> Vec<Vec<u64>> {
    rows.iter().map(|row| row.iter().map(|v| v.to_bits()).collect()).collect()
}

/// Runs a step on every engine in both precisions, checks that all agree, and returns the states in double precision.
fn everywhere(step: &Step, what: &str) -> Vec<Vec<f64>> {
    let oracle = Engine::lookup("oracle").unwrap();
    for precision in [Precision::F32, Precision::F64] {
        let expected = bits(&states(module(step.clone(), oracle, precision), oracle));
        for engine in engines() {
            for threads in [1, 3] {
                let module = module(step.clone(), engine, precision);
                let found = bits(&states_with(module, engine, threads));
                assert!(found == expected, "{what}, {}, {}, {threads} threads", engine.name, precision.name());
            }
        }
    }
    #[cfg(feature = "wgpu")]
    on_a_graphics_processor(step, what);
    states(module(step.clone(), oracle, Precision::F64), oracle)
}

/// A few thousand operations, each rounded once or twice.
#[cfg(feature = "wgpu")]
fn on_a_graphics_processor(step: &Step, what: &str) {
    let Some(device) = nullcline::runtime::device::wgpu::adapters().into_iter().next() else {
        println!("skipped: {what}, there is no graphics processor");
        return;
    };
    let (oracle, engine) = (Engine::lookup("oracle").unwrap(), Engine::lookup("wgpu").unwrap());
    for (precision, tolerance) in [(Precision::F32, 5e-4), (Precision::F64, 1e-12)] {
        if precision == Precision::F64 && !device.double {
            continue;
        }
        let expected = states(module(step.clone(), oracle, precision), oracle);
        let found = states(module(step.clone(), engine, precision), engine);
        for (at, (found, expected)) in found.iter().flatten().zip(expected.iter().flatten()).enumerate() {
            let near = (found - expected).abs() <= tolerance * (1.0 + expected.abs());
            assert!(near, "{what}, {}, number {at}: found {found}, expected {expected}", precision.name());
        }
    }
}

#[track_caller]
fn close(found: &[Vec<f64>], expected: &[Vec<f64>], what: &str) {
    for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (i, (a, b)) in found.iter().zip(expected).enumerate() {
            // A few thousand operations, each rounded once.
            assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{what}, step {step}, element {i}: {a} is not {b}");
        }
    }
}

/// A network of threshold units in two populations with every kind of delivery, and a simulation of it written out.
struct Spiking {
    sizes: [usize; 2],
    fanouts: Vec<Fanout>,
    initial: Vec<f64>,
    drive: f64,
}

/// What the fanouts of [`Spiking`] connect.
const ENDS: [(usize, usize); 5] = [(0, 0), (1, 0), (0, 1), (0, 0), (0, 2)];

impl Spiking {
    fn new(random: &mut Random, drive: f64) -> Spiking {
        let sizes = [60 + random.below(20), 7];
        let spaces = [(SpaceId(1), sizes[0]), (SpaceId(2), sizes[1]), (SpaceId::SCALAR, 1)];
        let mut fanouts = Vec::new();
        for (k, (source, target)) in ENDS.into_iter().enumerate() {
            let ((source, rows), (target, size)) = (spaces[source], spaces[target]);
            let (starts, targets) = random.rows(rows, 20, size);
            let weights = match k {
                0 => Values::Uniform(0.07),
                _ => Values::Each(random.units(targets.len()).iter().map(|u| 0.2 * u - 0.05).collect()),
            };
            fanouts.push(Fanout::new(format!("f{k}"), (source, target), starts, targets, weights));
        }
        Spiking { sizes, fanouts, initial: random.units(sizes[0]), drive }
    }

    /// `v` and `g` of the first population, `w` of the second, the spikes `z` of the first, a count of deliveries.
    ///
    /// `g` gets what both populations send, and what the first sent three steps ago; `w` jumps before it is reset by its
    /// own spike, each weight times a factor of the source; both are tested before anything is delivered.
    fn step(&self) -> Step {
        let mut s = System::new("spiking");
        let first = s.add_space("first", self.sizes[0]);
        let second = s.add_space("second", self.sizes[1]);
        let (_, v) = s.add_state("v", first, Values::Each(self.initial.clone().into()));
        let (_, g) = s.add_state("g", first, Values::Uniform(0.0));
        let (_, w) = s.add_state("w", second, Values::Uniform(0.25));
        let (_, z) = s.add_state("z", first, Values::Uniform(0.0));
        let (_, count) = s.add_state("count", SpaceId::SCALAR, Values::Uniform(0.0));
        let drive = s.add_parameter("drive", SpaceId::SCALAR, Values::Uniform(self.drive));
        let history = s.add_history("z", first);
        s.histories[history.index()].value = z;
        let past = s.past(history, 3);
        let mut step = discretise::discretise(s, Vec::new(), scheme::lookup("euler").unwrap()).unwrap();

        let system = &mut step.system;
        let graph = &mut system.graph;
        let (zero, one, dt) = (graph.constant(0.0), graph.constant(1.0), graph.step_size());
        let sum = graph.sum(drive, g);
        let slope = graph.difference(sum, v);
        let change = graph.product(dt, slope);
        let v_new = graph.sum(v, change);
        let spike = graph.call(&arith::GE, &[v_new, one]);
        let v_next = graph.call(&arith::SELECT, &[spike, zero, v_new]);
        let rate = graph.constant(0.75);
        let g_new = graph.product(rate, g);
        let growth = graph.constant(1.0625);
        let w_new = graph.product(growth, w);
        let w_spike = graph.call(&arith::GE, &[w_new, one]);
        let factor = graph.sum(g, one);
        let quarter = graph.constant(0.25);
        let fanout = |k: usize| self.fanouts[k].clone();
        let g_next = system.deliver(fanout(0), g_new, spike, None);
        let g_next = system.deliver(fanout(1), g_next, w_spike, None);
        let g_next = system.deliver(fanout(3), g_next, past, None);
        let w_jumped = system.deliver(fanout(2), w_new, spike, Some(factor));
        let w_next = system.graph.call(&arith::SELECT, &[w_spike, quarter, w_jumped]);
        let count_next = system.deliver(fanout(4), count, z, None);
        step.next = vec![v_next, g_next, w_next, spike, count_next];
        step
    }

    /// The same, by hand.
    fn simulate(&self) -> Vec<Vec<f64>> {
        let (mut v, mut g) = (self.initial.clone(), vec![0.0; self.sizes[0]]);
        let (mut w, mut z, mut count) = (vec![0.25; self.sizes[1]], vec![0.0; self.sizes[0]], 0.0);
        let mut past = vec![vec![0.0; self.sizes[0]]; 3];
        let mut rows = Vec::new();
        for step in 0..STEPS as usize {
            let send = |k: usize, spikes: &[f64], factor: &dyn Fn(usize) -> f64, to: &mut [f64]| {
                let fanout = &self.fanouts[k];
                for j in (0..spikes.len()).filter(|j| spikes[*j] != 0.0) {
                    for e in fanout.starts[j] as usize..fanout.starts[j + 1] as usize {
                        to[fanout.targets[e] as usize] += fanout.weights.at(e) * factor(j);
                    }
                }
            };
            let factors: Vec<f64> = g.iter().map(|g| g + 1.0).collect();
            let v_new: Vec<f64> = v.iter().zip(&g).map(|(v, g)| v + DT * (self.drive + g - v)).collect();
            let spike: Vec<f64> = v_new.iter().map(|v| f64::from(u8::from(*v >= 1.0))).collect();
            v = v_new.iter().zip(&spike).map(|(v, s)| if *s != 0.0 { 0.0 } else { *v }).collect();
            let w_new: Vec<f64> = w.iter().map(|w| 1.0625 * w).collect();
            let w_spike: Vec<f64> = w_new.iter().map(|w| f64::from(u8::from(*w >= 1.0))).collect();
            g.iter_mut().for_each(|g| *g *= 0.75);
            send(0, &spike, &|_| 1.0, &mut g);
            send(1, &w_spike, &|_| 1.0, &mut g);
            send(3, &past[step % 3], &|_| 1.0, &mut g);
            w = w_new;
            send(2, &spike, &|j| factors[j], &mut w);
            w.iter_mut().zip(&w_spike).filter(|(_, s)| **s != 0.0).for_each(|(w, _)| *w = 0.25);
            let mut total = [count];
            send(4, &z, &|_| 1.0, &mut total);
            count = total[0];
            past[step % 3] = z;
            z = spike;
            rows.push([&v[..], &g, &w, &z, &[count]].concat());
        }
        rows
    }
}

#[test]
fn deliveries_reach_their_targets_on_every_engine() {
    for seed in 0..4 {
        let spiking = Spiking::new(&mut Random(seed), 1.5);
        let expected = spiking.simulate();
        let spikes = |rows: &[Vec<f64>]| {
            rows.iter().filter(|r| r.iter().skip(2 * spiking.sizes[0] + 7).any(|z| *z == 1.0)).count()
        };
        assert!(spikes(&expected) > 10, "the example should spike");
        close(&everywhere(&spiking.step(), "spiking"), &expected, "spiking");
    }
}

#[test]
fn a_state_that_is_only_delivered_to_is_delivered_to_in_place() {
    let spiking = Spiking::new(&mut Random(7), 1.5);
    let module = module(spiking.step(), Engine::lookup("oracle").unwrap(), Precision::F64);
    let mut targets = Vec::new();
    for kernel in &module.kernels {
        if let Body::Deliver { fanout, target, .. } = &kernel.body {
            targets.push((&*module.fanouts[*fanout].name, &module.buffers[target.index()]));
        }
    }
    for (fanout, state) in [("f0", "g"), ("f1", "g"), ("f3", "g"), ("f4", "count")] {
        assert!(targets.iter().any(|t| t.0 == fanout && t.1.name == state), "{fanout}: {module}");
    }
    let reset_later = targets.iter().find(|t| t.0 == "f2").unwrap();
    assert!(matches!(reset_later.1.role, BufferRole::Scratch(_)), "{module}");
    // The spikes are read where the state keeps them: nothing else is stored for them.
    let arguments = module.buffers.iter().filter(|b| matches!(b.role, BufferRole::Argument(..))).count();
    assert_eq!(arguments, 3, "the spikes of `w`, the past of `z`, and `z` before it changes: {module}");
}

#[test]
fn members_of_a_batch_deliver_each_to_themselves() {
    let drives = [1.1, 1.5, 1.9];
    let oracle = Engine::lookup("oracle").unwrap();
    let spiking = Spiking::new(&mut Random(3), 1.5);
    let step = arithmetic(spiking.step(), oracle, Precision::F64);
    let weights: Vec<f64> = vec![0.07, 0.01, 0.2];
    let variations = [
        Variation { slots: vec![Slot::Parameter(ParameterId(0), None)], values: drives.to_vec() },
        Variation { slots: vec![Slot::Delivered(FanoutId(0), None)], values: weights.clone() },
    ];
    let sizes = [spiking.sizes[0], spiking.sizes[0], spiking.sizes[1], spiking.sizes[0], 1];
    let together = schedule::schedule(batch(step, drives.len(), &variations), Precision::F64);
    assert_eq!(verify(&together), Ok(()));
    for engine in engines() {
        let together = states(together.clone(), engine);
        for (member, drive) in drives.into_iter().enumerate() {
            let mut alone = Spiking::new(&mut Random(3), drive);
            alone.fanouts[0].weights = Values::Uniform(weights[member]);
            let alone = states(module(alone.step(), oracle, Precision::F64), oracle);
            for (all, one) in together.iter().zip(&alone) {
                let (mut from, mut at) = (0, 0);
                for size in sizes {
                    let own = &all[from + member * size..][..size];
                    assert_eq!(own, &one[at..at + size], "{}, member {member}", engine.name);
                    from += drives.len() * size;
                    at += size;
                }
            }
        }
    }
}

#[test]
fn spikes_that_are_one_number_reach_every_source() {
    let mut s = System::new("clock");
    let cells = s.add_space("cells", 9);
    let (_, x) = s.add_state("x", cells, Values::Uniform(0.0));
    let (_, tick) = s.add_state("tick", SpaceId::SCALAR, Values::Uniform(0.0));
    let mut step = discretise::discretise(s, Vec::new(), scheme::lookup("euler").unwrap()).unwrap();
    let one = step.system.graph.constant(1.0);
    let other = step.system.graph.difference(one, tick);
    let starts: Vec<u32> = (0..=9).collect();
    let targets: Vec<u32> = (0..9).rev().collect();
    let weights = Values::Each((0..9).map(f64::from).collect());
    let fanout = Fanout::new("mirror", (cells, cells), starts, targets, weights);
    // On a base that is one number too.
    let base = step.system.graph.constant(0.5);
    let jumped = step.system.deliver(fanout, base, tick, None);
    step.next = vec![step.system.graph.sum(x, jumped), other];
    let rows = everywhere(&step, "clock");
    for (i, x) in rows[STEPS as usize - 1][..9].iter().enumerate() {
        assert_eq!(*x, 0.5 * STEPS as f64 + (8 - i) as f64 * (STEPS / 2) as f64);
    }
}

/// `x' = -x + couple(tanh(x) delayed)` with a delay for each entry, in one coupling or one for each delay.
fn delayed(scheme: &str, at_once: bool, shortest: u32) -> (Step, Connection) {
    let n = 23;
    let mut random = Random(11);
    let mut s = System::new("delayed");
    let cells = s.add_space("cells", n);
    let (x_id, x) = s.add_state("x", cells, Values::Each(random.units(n).into()));
    let (starts, sources) = random.rows(n, 12, n);
    let delays: Vec<u32> = sources.iter().map(|_| shortest + random.below(7) as u32).collect();
    let weights: Vec<f64> = random.units(sources.len()).iter().map(|u| 1.0 - 2.0 * u).collect();
    let all = Connection::new("all", (cells, cells), starts, sources, Values::Each(weights.into())).with_delays(delays);
    let history = s.add_history("y", cells);
    let coupled = if at_once { Some(s.couple_past(all.clone(), history)) } else { None };
    let y = s.graph.call(lookup("tanh").unwrap(), &[x]);
    s.histories[history.index()].value = y;
    let coupled = coupled.unwrap_or_else(|| {
        let mut sum = s.graph.constant(0.0);
        for delay in 0..8 {
            let mut part = all.clone();
            let own = |e: usize| all.delays.as_ref().unwrap()[e] == delay;
            part.weights =
                Values::Each((0..all.sources.len()).map(|e| if own(e) { all.weights.at(e) } else { 0.0 }).collect());
            part.delays = None;
            let value = if delay == 0 { y } else { s.past(history, delay) };
            let term = s.couple(part, value);
            sum = s.graph.sum(sum, term);
        }
        sum
    });
    s.states[x_id.index()].derivative = s.graph.difference(coupled, x);
    (discretise::discretise(s, Vec::new(), scheme::lookup(scheme).unwrap()).unwrap(), all)
}

#[test]
fn entries_with_delays_of_their_own_equal_one_coupling_for_each_delay() {
    for scheme in ["euler", "heun", "rk4"] {
        for shortest in [0, 1] {
            let what = format!("{scheme}, delays from {shortest}");
            let oracle = Engine::lookup("oracle").unwrap();
            let found = everywhere(&delayed(scheme, true, shortest).0, &what);
            let expected = module(delayed(scheme, false, shortest).0, oracle, Precision::F64);
            close(&found, &states(expected, oracle), &what);
        }
    }
}

#[test]
fn delayed_entries_are_added_up_in_order() {
    let (step, all) = delayed("euler", true, 1);
    let Values::Each(initial) = &step.system.states[0].initial else { panic!("the example varies") };
    let mut past: Vec<Vec<f64>> = vec![initial.iter().map(|x| x.tanh()).collect(); 8];
    let mut x = initial.to_vec();
    let mut rows = Vec::new();
    for step in 0..STEPS as usize {
        past[step % 8] = x.iter().map(|x| x.tanh()).collect();
        let delays = all.delays.as_ref().unwrap();
        let sums: Vec<f64> = (0..x.len())
            .map(|i| {
                let entries = all.starts[i] as usize..all.starts[i + 1] as usize;
                entries.fold(0.0, |sum, e| {
                    let value = past[(step + 8 - delays[e] as usize) % 8][all.sources[e] as usize];
                    all.weights.at(e).mul_add(value, sum)
                })
            })
            .collect();
        x.iter_mut().zip(sums).for_each(|(x, sum)| *x += DT * (sum - *x));
        rows.push(x.clone());
    }
    close(&everywhere(&step, "order"), &rows, "order");
}

#[test]
fn members_of_a_batch_share_delays() {
    let oracle = Engine::lookup("oracle").unwrap();
    let (step, all) = delayed("heun", true, 0);
    let alone = states(module(step.clone(), oracle, Precision::F64), oracle);
    let together = batch(arithmetic(step, oracle, Precision::F64), 2, &[]);
    let together = schedule::schedule(together, Precision::F64);
    for engine in engines() {
        for (all_rows, one) in states(together.clone(), engine).iter().zip(&alone) {
            assert_eq!(**all_rows, *[&one[..], one].concat(), "{}", engine.name);
        }
    }
    assert!(all.delays.unwrap().contains(&0));
}

#[test]
fn a_target_without_deliveries_refuses_them_by_name() {
    let floats = &[Precision::F64];
    let bare = Target { name: "bare", floats, has: basic, crosses: |op| !matches!(op, Op::Deliver(_)), strict: true };
    let step = Spiking::new(&mut Random(1), 1.5).step();
    let refused = legalise::legalise(step, &bare, Precision::F64).unwrap_err();
    let fault = &refused.0[0];
    assert_eq!(fault.code, "target-crossing");
    assert_eq!(fault.message, "target `bare` has no kernel for spikes that jump onto their targets");
}

/// `x' = couple(x delayed) - x` where every unit is connected to every other one, but not to itself.
fn others(n: usize, longest: u32) -> Step {
    let mut random = Random(u64::from(longest));
    let mut s = System::new("others");
    let cells = s.add_space("cells", n);
    let (id, x) = s.add_state("x", cells, Values::Each(random.units(n).into()));
    let starts: Vec<u32> = (0..=n).map(|i| (i * (n - 1)) as u32).collect();
    let sources: Vec<u32> = (0..n).flat_map(|i| (0..n as u32).filter(move |j| *j != i as u32)).collect();
    let delays: Vec<u32> = sources.iter().map(|_| random.below(longest as usize + 1) as u32).collect();
    let weights = random.units(sources.len()).iter().map(|u| (u - 0.4) / n as f64).collect();
    let connection = Connection::new("others", (cells, cells), starts, sources, Values::Each(weights));
    let history = s.add_history("x", cells);
    s.histories[history.index()].value = x;
    let past = s.couple_past(connection.clone().with_delays(delays), history);
    let now = s.couple(connection, x);
    let sum = s.graph.sum(past, now);
    s.states[id.index()].derivative = s.graph.difference(sum, x);
    discretise::discretise(s, Vec::new(), scheme::lookup("euler").unwrap()).unwrap()
}

#[test]
fn matrices_with_gaps_and_delays_of_any_length_are_summed_in_order() {
    // In bytes, in words, and one entry without delay among few units.
    for (n, longest) in [(37, 5), (130, 255), (19, 300), (9, 0)] {
        everywhere(&others(n, longest), &format!("{n} units, delays up to {longest}"));
    }
}

#[test]
fn a_state_that_is_put_back_is_seen_by_delayed_couplings() {
    for engine in engines() {
        let module = module(others(40, 9), engine, Precision::F64);
        let layout = module.layout();
        let mut simulation = Simulation::new((engine.load)(module, 1).unwrap(), layout, DT, Vec::new());
        simulation.advance(20).unwrap();
        let middle = simulation.state().unwrap();
        let mut go_on = || {
            simulation.advance(20).unwrap();
            let end = simulation.state().unwrap();
            simulation.set_state(&middle).unwrap();
            end
        };
        let (first, second) = (go_on(), go_on());
        assert!(first == second, "{}", engine.name);
    }
}

#[test]
fn interleaved_lists_equal_lists() {
    // Rows of very different lengths, some empty; with one weight and with one for each entry.
    let mut random = Random(21);
    let mut s = System::new("lists");
    let (from, to) = (s.add_space("from", 83), s.add_space("to", 57));
    let (_, x) = s.add_state("x", from, Values::Each(random.units(83).into()));
    let (y_id, y) = s.add_state("y", to, Values::Uniform(0.5));
    let (starts, sources) = random.rows(57, 30, 83);
    let weights = Values::Each(random.units(sources.len()).into());
    let each = s.couple(Connection::new("each", (from, to), starts.clone(), sources.clone(), weights), x);
    let one = s.couple(Connection::new("one", (from, to), starts, sources, Values::Uniform(0.3)), x);
    let difference = s.graph.difference(each, one);
    s.states[y_id.index()].derivative = s.graph.difference(difference, y);
    everywhere(&discretise::discretise(s, Vec::new(), scheme::lookup("euler").unwrap()).unwrap(), "lists");
}

/// A dense and a sparse connection, large enough for threads.
#[test]
fn large_sums_do_not_depend_on_threads() {
    let mut random = Random(5);
    let (n, m) = (261, 300);
    let mut s = System::new("large");
    let (from, to) = (s.add_space("from", n), s.add_space("to", m));
    let (_, x) = s.add_state("x", from, Values::Each(random.units(n).into()));
    let (y_id, y) = s.add_state("y", to, Values::Uniform(0.5));
    let starts: Vec<u32> = (0..=m as u32).map(|i| i * n as u32).collect();
    let sources: Vec<u32> = (0..m).flat_map(|_| 0..n as u32).collect();
    let weights: Values = Values::Each(random.units(n * m).into());
    let dense = s.couple(Connection::new("dense", (from, to), starts, sources, weights), x);
    let (starts, sources) = random.rows(m, 600, n);
    let weights = Values::Each(random.units(sources.len()).into());
    let sparse = s.couple(Connection::new("sparse", (from, to), starts, sources, weights), x);
    let difference = s.graph.difference(dense, sparse);
    s.states[y_id.index()].derivative = s.graph.difference(difference, y);
    let step = discretise::discretise(s, Vec::new(), scheme::lookup("euler").unwrap()).unwrap();
    everywhere(&step, "large");
}
