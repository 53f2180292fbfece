//! Every engine computes the same bits as the reference interpreter, on systems of equations made at random and taken
//! through all passes. `NULLCLINE_SEED` chooses others.
#![allow(clippy::unwrap_used)]

use std::num::NonZeroUsize;
use std::sync::Arc;

use nullcline::compiler::ir::expr::{ExprId, Op, SpaceId};
use nullcline::compiler::ir::prim::{Prim, arith, bits, table};
use nullcline::compiler::ir::system::{Connection, Input, Random as Source, System, Values};
use nullcline::compiler::kernel::ir::Precision;
use nullcline::compiler::pass::{Observable, compile};
use nullcline::compiler::scheme;
use nullcline::runtime::artifact::{Feeds, Phase, Role, Rows, Samples};
use nullcline::{ENGINES, Engine};

/// Systems per run.
const SYSTEMS: u64 = 2000;

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

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Mostly ordinary numbers, sometimes special ones or so small that products leave the normal numbers.
    fn number(&mut self) -> f64 {
        match self.below(20) {
            0 => self.pick(&[0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e300, f64::INFINITY]),
            1 => self.pick(&[f64::MIN_POSITIVE, -1e-160, 1.5e-148, -3e-310, 1.2e-38, -1e-20, 1.1e-18, 4e-39]),
            _ => (self.next() >> 11) as f64 / (1u64 << 53) as f64 * 6.0 - 3.0,
        }
    }

    fn values(&mut self, size: usize) -> Values {
        match self.below(2) {
            0 => Values::Uniform(self.number()),
            _ => Values::Each((0..size).map(|_| self.number()).collect()),
        }
    }
}

/// A system with what to record, and samples of its inputs.
struct Case {
    system: System,
    observables: Vec<Observable>,
    series: Vec<Arc<Samples>>,
}

/// The functions that equations may call, and arithmetic.
fn functions() -> Vec<&'static Prim> {
    let common = [&arith::ADD, &arith::SUB, &arith::MUL, &arith::DIV, &arith::FMA, &arith::SELECT];
    let all = table().filter(|p| !bits::ROWS.contains(p));
    // Arithmetic is as likely as everything else together.
    let all: Vec<&'static Prim> = all.collect();
    common.iter().copied().cycle().take(all.len()).chain(all.iter().copied()).collect()
}

fn case(random: &mut Random, functions: &[&'static Prim]) -> Case {
    let mut system = System::new("random");
    let mut spaces = vec![SpaceId::SCALAR];
    for k in 0..random.below(3) {
        let size = random.pick(&[2, 3, 8, 17, 33, 70]);
        spaces.push(system.add_space(format!("s{k}"), size));
    }
    // What can be read in each space; what is in the scalar one can be read everywhere.
    let mut known: Vec<Vec<ExprId>> = vec![Vec::new(); spaces.len()];
    let mut states = Vec::new();
    for k in 0..1 + random.below(6) {
        let at = random.below(spaces.len());
        let initial = random.values(system.size(spaces[at]));
        let (id, value) = system.add_state(format!("x{k}"), spaces[at], initial);
        states.push((id, at));
        known[at].push(value);
    }
    for k in 0..random.below(4) {
        let at = random.below(spaces.len());
        let values = random.values(system.size(spaces[at]));
        let value = system.add_parameter(format!("p{k}"), spaces[at], values);
        known[system.graph.space(value).index()].push(value);
    }
    let mut series = Vec::new();
    if random.below(4) == 0 {
        let at = random.below(spaces.len());
        let columns = (0..system.size(spaces[at])).map(|_| [None, Some(0), Some(1)][random.below(3)]).collect();
        let input = Input { name: "input".to_string(), space: spaces[at], series: 0, columns };
        known[at].push(system.add_input(input));
        let data = (0..12).map(|_| random.number()).collect();
        series.push(Arc::new(Samples { columns: 2, data, ..Samples::default() }));
    }
    if random.below(4) == 0 {
        let at = random.below(spaces.len());
        let units = (0..system.size(spaces[at]) as u32).collect();
        let part = random.below(2);
        let source = Source { name: "chance".to_string(), space: spaces[at], site: 3, part, units };
        known[at].push(system.add_random(source));
    }
    let mut histories = Vec::new();
    for k in 0..random.below(3) {
        let at = random.below(spaces.len());
        let history = system.add_history(format!("h{k}"), spaces[at]);
        histories.push((history, at));
        for _ in 0..1 + random.below(2) {
            let steps = 1 + random.below(5) as u32;
            known[at].push(system.past(history, steps));
        }
    }
    let constant = random.number();
    known[0].push(system.graph.constant(constant));
    known[0].push(system.graph.add(Op::Time, Vec::new(), SpaceId::SCALAR));
    known[0].push(system.graph.add(Op::StepSize, Vec::new(), SpaceId::SCALAR));

    for _ in 0..random.below(40) {
        let at = random.below(spaces.len());
        if random.below(12) == 0 && !known[at].is_empty() {
            let to = random.below(spaces.len());
            let argument = random.pick(&known[at]);
            let moved = between(random, &mut system, argument, spaces[to]);
            let space = system.graph.space(moved).index();
            known[space].push(moved);
            continue;
        }
        let prim = random.pick(functions);
        let args: Vec<ExprId> = (0..prim.arity)
            .map(|_| {
                let from = if known[at].is_empty() || random.below(3) == 0 { 0 } else { at };
                // Recent values more often, so that expressions get deep.
                let n = known[from].len();
                let back = if random.below(3) == 0 { random.below(n) } else { random.below(n.min(4)) };
                known[from][n - 1 - back]
            })
            .collect();
        let value = system.graph.call(prim, &args);
        let space = system.graph.space(value).index();
        known[space].push(value);
    }

    for (history, at) in histories {
        let from = if known[at].is_empty() { 0 } else { at };
        system.histories[history.index()].value = random.pick(&known[from]);
    }
    for (state, at) in states {
        let from = if random.below(4) == 0 { 0 } else { at };
        let value = random.pick(&known[from]);
        // Mostly bounded, so that not everything ends in infinity; of a NaN and a number these take the number.
        let bounded = match random.below(8) {
            0 => value,
            _ => {
                let (low, high) = (system.graph.constant(-3.0), system.graph.constant(3.0));
                let least = system.graph.call(&arith::MIN, &[value, high]);
                system.graph.call(&arith::MAX, &[least, low])
            }
        };
        system.states[state.index()].derivative = bounded;
    }
    let everything: Vec<ExprId> = known.concat();
    let mut observables: Vec<Observable> = Vec::new();
    for k in 0..1 + random.below(4) {
        let value = random.pick(&everything);
        if observables.iter().all(|o| o.value != value) {
            observables.push(Observable { name: format!("o{k}"), value });
        }
    }
    Case { system, observables, series }
}

/// A value of one space in another: some elements of it, or sums over connections.
fn between(random: &mut Random, system: &mut System, value: ExprId, to: SpaceId) -> ExprId {
    let source = system.graph.space(value);
    let (sources, targets) = (system.size(source), system.size(to));
    if source == SpaceId::SCALAR || random.below(2) == 0 {
        let indices = (0..targets).map(|_| random.below(sources) as u32).collect();
        return system.take("some", value, to, indices);
    }
    let dense = random.below(2) == 0;
    let (mut starts, mut entries) = (vec![0u32], Vec::new());
    for _ in 0..targets {
        entries.extend((0..sources as u32).filter(|_| dense || random.below(3) == 0));
        starts.push(entries.len() as u32);
    }
    let weights = if entries.is_empty() { Values::Uniform(1.0) } else { random.values(entries.len()) };
    let (starts, sources) = (starts.into(), entries.into());
    system.couple(
        Connection { name: "links".to_string(), source, target: to, starts, sources, weights, delays: None },
        value,
    )
}

/// The bits of every number of a run on an engine; which NaN a NaN is does not count.
fn run(case: &Case, engine: &Engine, precision: Precision, scheme: usize, random: u64) -> Vec<u64> {
    let mut random = Random(random);
    let (system, observables) = (case.system.clone(), case.observables.clone());
    let module = compile(system, observables, &scheme::TABLE[scheme], precision, engine.target).unwrap();
    let layout = module.layout();
    let mut executable = (engine.load)(module, 0).unwrap();
    executable.set_threads(NonZeroUsize::new(1 + random.below(3)).unwrap());
    let feeds =
        Feeds { feeds: layout.feeds.clone(), series: case.series.clone(), randoms: layout.randoms.clone(), seed: 5 };
    let dt = random.pick(&[0.125, 0.1, 1e-3]);
    executable.run(Phase::Setup, 0, dt).unwrap();
    feeds.apply(0, |buffer, values| executable.write(buffer, 0, values)).unwrap();
    let slots = layout.buffers.iter().map(|b| b.slots as u64).max().unwrap_or(1);
    for slot in 0..slots {
        executable.run(Phase::Remember, slot, 0.0).unwrap();
    }
    let recorded = layout.buffers.iter().enumerate();
    let recorded = recorded.filter(|(_, b)| matches!(b.role, Role::State | Role::Observed));
    let places: Vec<(usize, usize)> = recorded.flat_map(|(i, b)| (0..b.len).map(move |e| (i, e))).collect();
    let (count, every) = (1 + random.below(4) as u64, 1 + random.below(3) as u64);
    let mut out = Vec::new();
    executable.record(&Rows { first: 0, count, every, places: &places }, dt, &feeds, &mut out).unwrap();
    // And some steps by themselves.
    executable.advance(count * every, 2, dt, &feeds).unwrap();
    executable.run(Phase::Observe, count * every + 2, dt).unwrap();
    executable.gather(&places, &mut out).unwrap();
    out.into_iter().map(|v| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() }).collect()
}

#[test]
fn every_engine_equals_the_reference_on_random_systems() {
    let seed: u64 = std::env::var("NULLCLINE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("seed {seed}");
    let functions = functions();
    let oracle = Engine::lookup("oracle").unwrap();
    let (mut numbers, mut ordinary) = (0, 0);
    for index in 0..SYSTEMS {
        let mut random = Random(seed * 1_000_003 + index);
        let case = case(&mut random, &functions);
        let precision = random.pick(&[Precision::F64, Precision::F32]);
        let (scheme, how) = (random.below(scheme::TABLE.len()), random.next());
        // Some schemes refuse what they cannot integrate.
        let (system, observables) = (case.system.clone(), case.observables.clone());

        let refused = compile(system, observables, &scheme::TABLE[scheme], precision, oracle.target).is_err();
        let scheme = if refused { 0 } else { scheme };
        let expected = run(&case, oracle, precision, scheme, how);
        numbers += expected.len();
        ordinary += expected.iter().filter(|b| f64::from_bits(**b).is_normal()).count();
        for engine in ENGINES.iter().filter(|e| e.device == "cpu" && e.name != "oracle") {
            if engine.name == "jit" && Engine::auto().name != "jit" {
                println!("skipped: jit, this processor has no AVX2");
                continue;
            }
            let found = run(&case, engine, precision, scheme, how);
            let first = found.iter().zip(&expected).position(|(a, b)| a != b);
            let values = first.map(|at| (f64::from_bits(found[at]), f64::from_bits(expected[at])));
            assert!(
                first.is_none() && found.len() == expected.len(),
                "system {index} of seed {seed}, {}, {}: number {first:?} differs: {values:?}",
                engine.name,
                precision.name(),
            );
        }
    }
    println!("{numbers} numbers, {ordinary} of them ordinary");
    assert!(ordinary * 3 > numbers, "{ordinary} of {numbers} are neither 0 nor infinite nor undefined");
}
