//! Engines that keep small whole numbers in fewer bits compute the same bits as those that do not: programs made at random, in
//! which flags and counters come and go, while something else than a step writes to their buffers now and then.
#![allow(clippy::unwrap_used)]
#![cfg(all(target_arch = "x86_64", feature = "jit"))]

use std::sync::Arc;

use nullcline_runtime::artifact::{Buffer, EventBuffer, Executable, Feeds, Layout, Phase, Role};
use nullcline_runtime::engine::{block, jit};
use nullcline_runtime::program::{Binary, Body, Fanout, Kernel, Op, Precision, Program, Unary};

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn one<V: Copy>(&mut self, of: &[V]) -> V {
        of[self.below(of.len())]
    }
}

/// Numbers that words hold, and some that they do not.
const NUMBERS: [f64; 12] = [0.0, 1.0, 2.0, 5.0, -1.0, 49.0, 30_000.0, 40_000.0, -0.0, 0.5, -3.0, 1e9];

const STATES: usize = 7;
const EVENTS: usize = 2;
const PARAMETERS: usize = 3;
const EACH: usize = 1;

/// Two kernels over one index set, one of which observes; spikes are delivered to the last state.
fn program(random: &mut Random, extent: usize) -> Program {
    let buffer = |name: String, role, len| Buffer { name, role, len, slots: 1 };
    let mut buffers: Vec<Buffer> = (0..STATES).map(|i| buffer(format!("s{i}"), Role::State, extent)).collect();
    buffers.extend((0..EVENTS).map(|i| buffer(format!("z{i}"), Role::Event, extent)));
    buffers.extend((0..PARAMETERS).map(|i| buffer(format!("p{i}"), Role::Parameter, 1)));
    buffers.extend((0..EACH).map(|i| buffer(format!("q{i}"), Role::Parameter, extent)));
    buffers.push(buffer("o".to_string(), Role::Observed, extent));
    let mut initial: Vec<(u32, Arc<[f64]>)> = Vec::new();
    for (at, buffer) in buffers.iter().enumerate().filter(|(_, b)| matches!(b.role, Role::State | Role::Parameter)) {
        // Mostly whole numbers.
        let few = random.below(10).min(7) + 1;
        initial.push((at as u32, (0..buffer.len).map(|_| random.one(&NUMBERS[..few])).collect()));
    }
    let load = |buffer: usize| Op::Load { buffer: buffer as u32, scalar: buffers[buffer].len == 1 };
    let (first, last) = (STATES + EVENTS, STATES + EVENTS + PARAMETERS + EACH);
    let mut values: Vec<Op> = (0..STATES).chain(first..last).map(load).collect();
    for _ in 0..4 {
        values.push(Op::Constant(random.one(&NUMBERS)));
    }
    let whole = values.len();
    for _ in 0..8 + random.below(40) {
        let n = values.len();
        let mut pick = || match random.below(3) {
            0 => random.below(n) as u32,
            _ => (n - 1 - random.below(n.min(12))) as u32,
        };
        let (a, b, c) = (pick(), pick(), pick());
        use Binary::{Add, And, Eq, Ge, Gt, Le, Lt, Max, Min, Mul, Ne, Or, Sub};
        values.push(match random.below(10) {
            0 => Op::Unary(random.one(&[Unary::Not, Unary::Abs, Unary::Round, Unary::Neg]), a),
            1 => Op::Fma(a, b, c),
            2..=4 => Op::Select(a, b, c),
            5 => Op::Binary(random.one(&[And, Or]), a, b),
            6 => Op::Binary(random.one(&[Lt, Le, Gt, Ge, Eq, Ne]), a, b),
            _ => Op::Binary(random.one(&[Add, Sub, Min, Max, Mul]), a, b),
        });
    }
    // Two states count down from a parameter, as refractory times do; all others are anything.
    let n = values.len() as u32;
    let mut stores = Vec::new();
    let (zero, one) = (n, n + 1);
    values.extend([Op::Constant(0.0), Op::Constant(1.0)]);
    for state in 0..2 {
        let n = values.len() as u32;
        let begins = random.below(whole + 10) as u32;
        values.extend([
            Op::Binary(Binary::Sub, state, one),
            Op::Binary(Binary::Max, n, zero),
            Op::Select(begins, STATES as u32 + state, n + 1),
        ]);
        stores.push((state, n + 2));
    }
    stores.extend((2..(STATES + EVENTS) as u32).map(|buffer| (buffer, random.below(values.len()) as u32)));
    let observed = last as u32;
    let seen: Vec<Op> = (0..STATES + EVENTS).map(load).collect();
    let pair = (random.below(seen.len()) as u32, random.below(seen.len()) as u32);
    let n = seen.len() as u32;
    let seen = seen.into_iter().chain([Op::Binary(Binary::Add, pair.0, pair.1)]).collect();
    let starts = (0..=extent as u32).collect();
    let targets = (0..extent).map(|_| random.below(extent) as u32).collect();
    let fanout = Fanout { name: "f".to_string(), starts, targets, weights: [0.25].into() };
    let (spikes, target) = ((STATES + random.below(EVENTS)) as u32, STATES as u32 - 1);
    Program {
        layout: Layout { name: "random".to_string(), buffers, ..Layout::default() },
        precision: random.one(&[Precision::F32, Precision::F64]),
        kernels: vec![
            Kernel::Pointwise { extent, body: Body { values, stores } },
            Kernel::Deliver { fanout: Arc::new(fanout), spikes, factor: None, target },
            Kernel::Pointwise { extent, body: Body { values: seen, stores: vec![(observed, n)] } },
        ],
        phases: [vec![], vec![], vec![0, 1], vec![2]],
        initial,
    }
}

/// Runs with interruptions, and returns the bits of all buffers after each part, and the spikes; which NaN a NaN is does not
/// count.
fn run(
    mut engine: Box<dyn Executable>,
    program: &Program,
    extent: usize,
    seed: u64,
) -> (Vec<u64>, Vec<(u64, u32, u32)>) {
    let random = &mut Random(seed);
    let (mut all, mut spikes, mut step) = (Vec::new(), Vec::new(), 0);
    let event = |i| EventBuffer { buffer: STATES + i, first: 0, count: extent, unit: 0, delay: 1 };
    let events: Vec<EventBuffer> = (0..EVENTS).map(event).collect();
    for _ in 0..6 {
        let count = 1 + random.below(20) as u64;
        match random.below(3) {
            0 => engine.collect((step, count), 0.125, &Feeds::default(), &events, &mut spikes).unwrap(),
            1 => (step..step + count).for_each(|step| engine.run(Phase::Step, step, 0.125).unwrap()),
            _ => engine.advance(step, count, 0.125, &Feeds::default()).unwrap(),
        }
        step += count;
        engine.run(Phase::Observe, step, 0.125).unwrap();
        let mut values = Vec::new();
        for buffer in 0..program.layout.buffers.len() {
            engine.read(buffer, &mut values).unwrap();
            all.extend(values.iter().map(|v| if v.is_nan() { 0 } else { v.to_bits() }));
        }
        let mut some = Vec::new();
        engine.gather(&[(0, 0), (STATES, extent - 1)], &mut some).unwrap();
        all.extend(some.iter().map(|v| if v.is_nan() { 0 } else { v.to_bits() }));
        match random.below(4) {
            0 => engine.write(random.below(STATES), random.below(extent), &[random.one(&NUMBERS)]).unwrap(),
            1 => {
                let parameter = STATES + EVENTS + random.below(PARAMETERS);
                engine.write(parameter, 0, &[random.one(&NUMBERS)]).unwrap();
                engine.run(Phase::Setup, step, 0.125).unwrap();
            }
            _ => {}
        }
    }
    (all, spikes.iter().map(|s| (s.step, s.event, s.unit)).collect())
}

#[test]
fn whole_numbers_in_fewer_bits_change_nothing() {
    if !jit::is_available() {
        println!("skipped: this processor has no AVX2");
        return;
    }
    let seed: u64 = std::env::var("NULLCLINE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("seed {seed}");
    let widths = if jit::has_avx512() { vec![false, true] } else { vec![false] };
    for case in 0..1500u64 {
        let mut random = Random(seed * 1_000_037 + case);
        let extent = [2, 3, 7, 8, 9, 16, 31, 64, 65, 130][random.below(10)];
        let program = program(&mut random, extent);
        let expected = run(block::load(&program).unwrap(), &program, extent, case);
        for avx512 in &widths {
            let found = run(jit::load_for(&program, *avx512).unwrap(), &program, extent, case);
            assert!(found == expected, "case {case} of seed {seed}, avx512 {avx512}: {program:?}");
        }
    }
}
