//! Every engine computes the same bits, on programs made at random.
#![allow(clippy::unwrap_used)]
#![cfg(all(target_arch = "x86_64", feature = "jit"))]

#[path = "../../tests/support/random.rs"]
mod random;

use std::num::NonZeroUsize;

use nullcline_runtime::artifact::{Buffer, Executable, Feeds, Layout, Phase, Places, Role, Rows};
use nullcline_runtime::engine::{block, jit};
use nullcline_runtime::program::{Binary, Body, Kernel, Op, Precision, Program, Unary};

use random::Random;

impl Random {
    /// Mostly ordinary numbers, sometimes special ones.
    fn number(&mut self) -> f64 {
        const SPECIAL: [f64; 8] = [0.0, -0.0, 1.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e300];
        // Small, and such that products are near the smallest normal numbers of both formats.
        const SMALL: [f64; 8] = [f64::MIN_POSITIVE, -1e-160, 1.5e-148, -3e-310, 1.2e-38, -1e-20, 1.1e-18, 4e-39];
        match self.below(12) {
            0 => SPECIAL[self.below(SPECIAL.len())],
            1 if self.below(3) == 0 => SMALL[self.below(SMALL.len())],
            _ => self.within((-4.0, 4.0)),
        }
    }

    /// One of the first `n` values, recent ones more often, so that chains get long and some values live long.
    fn value(&mut self, n: usize) -> u32 {
        let back = if self.below(3) == 0 { self.below(n) } else { self.below(n.min(10)) };
        (n - 1 - back) as u32
    }
}

const UNARY: [Unary; 8] =
    [Unary::Neg, Unary::Abs, Unary::Sqrt, Unary::Floor, Unary::Ceil, Unary::Round, Unary::Trunc, Unary::Not];

const UNARY_BITS: [Unary; 3] = [Unary::Raise, Unary::Exponent, Unary::Mantissa];

const BINARY: [Binary; 14] = [
    Binary::Add,
    Binary::Sub,
    Binary::Mul,
    Binary::Div,
    Binary::Min,
    Binary::Max,
    Binary::Lt,
    Binary::Le,
    Binary::Gt,
    Binary::Ge,
    Binary::Eq,
    Binary::Ne,
    Binary::And,
    Binary::Or,
];

const BINARY_BITS: [Binary; 2] = [Binary::XorSign, Binary::Alternate];

/// The value, or 0.5 where it is NaN.
fn without_nan(values: &mut Vec<Op>, value: u32) -> u32 {
    let n = values.len() as u32;
    values.extend([Op::Binary(Binary::Eq, value, value), Op::Constant(0.5), Op::Select(n, value, n + 1)]);
    n + 2
}

/// Appends the same operations several times, each time on other values, as functions that are called often appear.
fn repeat(random: &mut Random, values: &mut Vec<Op>) {
    let seed = random.next();
    let length = 4 + random.below(20);
    let (loads, common) = (values.len(), random.below(6) as u32);
    for _ in 0..2 + random.below(8) {
        let start = values.len();
        let argument = random.below(loads) as u32;
        let mut random = Random(seed);
        for k in 0..length {
            // Each operation goes on from the one before; other operands are earlier ones, the argument, or common to all.
            let mut pick = || match (random.below(4), k) {
                (0, _) => common,
                (1, _) | (_, 0) => argument,
                _ => (start + random.below(k)) as u32,
            };
            let (b, c) = (pick(), pick());
            let a = if k == 0 { argument } else { (start + k - 1) as u32 };
            values.push(match random.below(8) {
                0 => Op::Unary([Unary::Sqrt, Unary::Round, Unary::Abs][random.below(3)], a),
                1..=3 => Op::Fma(a, b, c),
                4 => Op::Select(a, b, c),
                5 => Op::Binary(BINARY[random.below(BINARY.len())], a, b),
                6 => Op::Binary(Binary::Div, a, b),
                _ => Op::Binary(BINARY[random.below(3)], a, b),
            });
        }
    }
}

/// A program of one kernel that advances some states; `ring` adds a history.
fn program(random: &mut Random, extent: usize, ring: bool) -> Program {
    let states = 1 + random.below(12);
    let (scalars, arrays) = (3, 2);
    let total = states + scalars + arrays;
    let mut kinds = vec![(Role::State, extent, 1); states];
    kinds.extend(vec![(Role::Parameter, 1, 1); scalars]);
    kinds.extend(vec![(Role::Parameter, extent, 1); arrays]);
    if ring {
        kinds.push((Role::History, extent, 4));
    }
    let buffers = kinds.iter().enumerate().map(|(i, (role, len, slots))| Buffer {
        name: format!("b{i}"),
        role: *role,
        len: *len,
        slots: *slots,
    });
    let initial = kinds.iter().enumerate();
    let initial = initial.map(|(i, kind)| (i as u32, (0..kind.1).map(|_| random.number()).collect()));
    let (buffers, initial) = (buffers.collect(), initial.collect());

    let load = |buffer: usize, scalar| Op::Load { buffer: buffer as u32, scalar };
    let mut values: Vec<Op> = (0..total).map(|b| load(b, extent > 1 && kinds[b].1 == 1)).collect();
    values.extend([Op::Time, Op::StepSize, Op::Constant(0.5), Op::Constant(random.number())]);
    if ring {
        values.push(Op::Past { buffer: total as u32, scalar: false, steps: 1 + random.below(3) as u32 });
    }
    if random.below(3) == 0 {
        repeat(random, &mut values);
    }
    for _ in 0..5 + random.below(90) {
        let n = values.len();
        let (mut a, mut b, c) = (random.value(n), random.value(n), random.value(n));
        if random.below(8) == 0 {
            // Operations on bits see the sign and digits of a NaN, which are not determined: keep NaN from them.
            a = without_nan(&mut values, a);
            b = without_nan(&mut values, b);
            values.push(match random.below(5) {
                k @ 0..=2 => Op::Unary(UNARY_BITS[k], a),
                k => Op::Binary(BINARY_BITS[k - 3], a, b),
            });
            continue;
        }
        values.push(match random.below(8) {
            0 => Op::Unary(UNARY[random.below(UNARY.len())], a),
            1 | 2 => Op::Fma(a, b, c),
            3 => Op::Select(a, b, c),
            4..=6 => Op::Binary(BINARY[random.below(4)], a, b),
            _ => Op::Binary(BINARY[random.below(BINARY.len())], a, b),
        });
    }
    let n = values.len();
    let stored = if ring { states + 1 } else { states };
    let stores = (0..stored).map(|s| if s < states { s } else { total }).map(|b| (b as u32, random.value(n)));
    let stores = stores.collect();
    let precision = if random.below(2) == 0 { Precision::F32 } else { Precision::F64 };
    Program {
        layout: Layout { name: "random".to_string(), buffers, ..Layout::default() },
        precision,
        kernels: vec![Kernel::Pointwise { extent, body: Body { values, stores } }],
        phases: [vec![], vec![], vec![0], vec![]],
        initial,
    }
}

/// Adds a kernel that observes the state, and returns places to record: elements of what it observes and of states.
fn observe(random: &mut Random, program: &mut Program, extent: usize) -> Places {
    let before = program.layout.buffers.len();
    let several = |b: &Buffer| extent == 1 || b.len > 1;
    let known = program.layout.buffers.iter().enumerate().filter(|(_, b)| b.role != Role::History);
    let mut values: Vec<Op> = known.map(|(i, b)| Op::Load { buffer: i as u32, scalar: !several(b) }).collect();
    values.extend([Op::Time, Op::Constant(random.number())]);
    for _ in 0..random.below(40) {
        let n = values.len();
        let (a, b, c) = (random.value(n), random.value(n), random.value(n));
        values.push(match random.below(3) {
            0 => Op::Fma(a, b, c),
            1 => Op::Select(a, b, c),
            _ => Op::Binary(BINARY[random.below(BINARY.len())], a, b),
        });
    }
    let observed = 1 + random.below(3);
    let stores = (0..observed).map(|i| ((before + i) as u32, random.value(values.len()))).collect();
    for i in 0..observed {
        let name = format!("o{i}");
        program.layout.buffers.push(Buffer { name, role: Role::Observed, len: extent, slots: 1 });
    }
    program.phases[Phase::Observe as usize] = vec![program.kernels.len() as u32];
    program.kernels.push(Kernel::Pointwise { extent, body: Body { values, stores } });
    let is_state = |b: usize| program.layout.buffers[b].role == Role::State;
    let recorded: Vec<usize> = (0..before).filter(|b| is_state(*b)).chain(before..before + observed).collect();
    (0..1 + random.below(6)).map(|_| (recorded[random.below(recorded.len())], random.below(extent))).collect()
}

/// The bits of all buffers; which NaN a NaN is does not count.
fn bits(engine: &dyn Executable, program: &Program) -> Vec<Vec<u64>> {
    let canonical = |v: f64| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() };
    let mut all = Vec::new();
    for buffer in 0..program.layout.buffers.len() {
        let mut values = Vec::new();
        engine.read(buffer, &mut values).unwrap();
        all.push(values.into_iter().map(canonical).collect());
    }
    all
}

/// The bits of the states.
fn states(engine: &dyn Executable, program: &Program) -> Vec<Vec<u64>> {
    let all = bits(engine, program).into_iter().zip(&program.layout.buffers);
    all.filter(|(_, b)| matches!(b.role, Role::State | Role::History)).map(|(bits, _)| bits).collect()
}

#[test]
fn machine_code_computes_the_same_bits_as_the_block_engine() {
    if !jit::is_available() {
        println!("skipped: this processor has no AVX2");
        return;
    }
    let seed: u64 = std::env::var("NULLCLINE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("seed {seed}");
    let widths = if jit::has_avx512() { vec![false, true] } else { vec![false] };
    for case in 0..2000u64 {
        let mut random = Random(seed * 1_000_003 + case);
        let extent = [1, 1, 1, 2, 3, 7, 8, 9, 31, 64, 100, 130][random.below(12)];
        let ring = random.below(3) == 0;
        let program = program(&mut random, extent, ring);
        let steps = 1 + random.below(5) as u64;
        let mut expected = block::load(&program).unwrap();
        expected.advance(2, steps, 0.125, &Feeds::default()).unwrap();
        let expected = bits(&*expected, &program);
        for avx512 in &widths {
            let mut together = jit::load_for(&program, *avx512).unwrap();
            together.advance(2, steps, 0.125, &Feeds::default()).unwrap();
            let found = bits(&*together, &program);
            assert!(found == expected, "case {case} of seed {seed}, avx512 {avx512}, all steps at once: {program:?}");
            let mut apart = jit::load_for(&program, *avx512).unwrap();
            for step in 2..2 + steps {
                apart.run(Phase::Step, step, 0.125).unwrap();
            }
            let found = bits(&*apart, &program);
            assert!(found == expected, "case {case} of seed {seed}, avx512 {avx512}, step by step: {program:?}");
        }
    }
}

#[test]
fn rows_recorded_inside_machine_code_are_those_of_the_block_engine() {
    if !jit::is_available() {
        println!("skipped: this processor has no AVX2");
        return;
    }
    let seed: u64 = std::env::var("NULLCLINE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("seed {seed}");
    let widths = if jit::has_avx512() { vec![false, true] } else { vec![false] };
    for case in 0..1000u64 {
        let mut random = Random(seed * 1_000_033 + case);
        let extent = [1, 1, 1, 2, 7, 8, 31, 64, 100, 130][random.below(10)];
        let ring = random.below(6) == 0;
        let mut program = program(&mut random, extent, ring);
        let places = observe(&mut random, &mut program, extent);
        let (count, every) = (1 + random.below(4) as u64, 1 + random.below(3) as u64);
        let rows = Rows { first: 2, count, every, places: &places };
        let record = |mut engine: Box<dyn Executable>| {
            let mut out = Vec::new();
            engine.record(&rows, 0.125, &Feeds::default(), &mut out).unwrap();
            let out: Vec<u64> = out.into_iter().map(|v| if v.is_nan() { 0 } else { v.to_bits() }).collect();
            (out, states(&*engine, &program))
        };
        let expected = record(block::load(&program).unwrap());
        assert_eq!(expected.0.len() as u64, count * places.len() as u64);
        for avx512 in &widths {
            let found = record(jit::load_for(&program, *avx512).unwrap());
            assert!(found == expected, "case {case} of seed {seed}, avx512 {avx512}: {rows:?} of {program:?}");
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    if !jit::is_available() {
        println!("skipped: this processor has no AVX2");
        return;
    }
    for case in 0..4 {
        let mut random = Random(77 + case);
        // Large enough for several threads, also one step in the block engine: 20,001 elements, at least 15 values, 40 steps.
        let mut program = program(&mut random, 20_001, case % 2 == 1);
        let places = observe(&mut random, &mut program, 20_001);
        let run = |mut engine: Box<dyn Executable>, threads: usize| {
            engine.set_threads(NonZeroUsize::new(threads).unwrap());
            let rows = Rows { first: 0, count: 4, every: 10, places: &places };
            let mut out = Vec::new();
            engine.record(&rows, 0.125, &Feeds::default(), &mut out).unwrap();
            let out: Vec<u64> = out.into_iter().map(|v| if v.is_nan() { 0 } else { v.to_bits() }).collect();
            (out, states(&*engine, &program))
        };
        let expected = run(block::load(&program).unwrap(), 1);
        for threads in 1..=3 {
            let block = run(block::load(&program).unwrap(), threads);
            assert!(block == expected, "case {case}, {threads} threads, block");
            let jit = run(jit::load(&program).unwrap(), threads);
            assert!(jit == expected, "case {case}, {threads} threads, jit");
        }
    }
}
