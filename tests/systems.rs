//! Every engine computes the same bits as the reference interpreter, on systems of equations made at random and taken
//! through all passes. `NULLCLINE_SEED` chooses others.
#![allow(clippy::unwrap_used)]

#[path = "support/random.rs"]
mod random;

use std::num::NonZeroUsize;
use std::sync::Arc;

use nullcline::compiler::ir::event::{Affected, Jump, Recorded, Through};
use nullcline::compiler::ir::expr::{EventId, ExprId, HistoryId, Op, SpaceId, StateId};
use nullcline::compiler::ir::prim::{Prim, arith, bits, table};
use nullcline::compiler::ir::system::{Connection, Fanout, Input, Random as Source, System, Values};
use nullcline::compiler::kernel::ir::Precision;
use nullcline::compiler::pass::{Observable, compile};
use nullcline::compiler::scheme;
use nullcline::compiler::template::Order;
use nullcline::runtime::artifact::{Feeds, Phase, Places, Role, Rows, Samples};
use nullcline::{ENGINES, Engine};

use random::Random;

/// Systems per run.
const SYSTEMS: u64 = 2000;

impl Random {
    /// Mostly ordinary numbers, sometimes special ones or so small that products leave the normal numbers.
    fn number(&mut self) -> f64 {
        match self.below(20) {
            0 => self.pick(&[0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e300, f64::INFINITY]),
            1 => self.pick(&[f64::MIN_POSITIVE, -1e-160, 1.5e-148, -3e-310, 1.2e-38, -1e-20, 1.1e-18, 4e-39]),
            _ => self.within((-3.0, 3.0)),
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
    let mut delayed = Vec::new();
    for k in 0..random.below(2) {
        delayed.push(delayed_sum(random, &mut system, &spaces, &mut known, k));
    }
    let constant = random.number();
    known[0].push(system.graph.constant(constant));
    known[0].push(system.graph.add(Op::Time, Vec::new(), SpaceId::SCALAR));
    known[0].push(system.graph.add(Op::StepSize, Vec::new(), SpaceId::SCALAR));

    let mut events = Vec::new();
    let most = random.below(40);
    // Some happen early, so that equations read them.
    let event_at: Vec<usize> = (0..random.below(4)).map(|_| random.below(most.max(1))).collect();
    for k in 0..most {
        for _ in event_at.iter().filter(|at| **at == k) {
            events.push(event(random, &mut system, &spaces, &mut known));
        }
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

    for (history, at) in histories.into_iter().chain(delayed.into_iter().flatten()) {
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
    for id in events {
        effects(random, &mut system, &spaces, &known, id);
    }
    if is_cyclic(&system) {
        // Through a history one step back.
        let constant = system.graph.constant(0.5);
        system.histories.iter_mut().for_each(|history| history.value = constant);
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

/// A history read along connections whose entries have delays of their own. Where some have none, what is remembered is a
/// state, so that it needs no sum of this step; else it is chosen later, for the space returned.
fn delayed_sum(
    random: &mut Random,
    system: &mut System,
    spaces: &[SpaceId],
    known: &mut [Vec<ExprId>],
    k: usize,
) -> Option<(HistoryId, usize)> {
    let from = random.below(spaces.len());
    let to = random.below(spaces.len());
    let history = system.add_history(format!("d{k}"), spaces[from]);
    let state = system.states.iter().position(|s| s.space == spaces[from]);
    let least = usize::from(state.is_none() || random.below(2) == 0);
    let (starts, sources) = entries(random, system.size(spaces[from]), system.size(spaces[to]));
    let delays: Vec<u32> = sources.iter().map(|_| (least + random.below(5)) as u32).collect();
    let weights = if sources.is_empty() { Values::Uniform(1.0) } else { random.values(sources.len()) };
    let connection = Connection::new("late", (spaces[from], spaces[to]), starts, sources, weights).with_delays(delays);
    known[to].push(system.couple_past(connection, history));
    if let (Some(state), 0) = (state, least) {
        system.histories[history.index()].value =
            system.graph.add(Op::State(StateId(state as u32)), Vec::new(), spaces[from]);
        return None;
    }
    Some((history, from))
}

/// An event whose condition reads what is known so far; its spike train is known from here on.
fn event(random: &mut Random, system: &mut System, spaces: &[SpaceId], known: &mut [Vec<ExprId>]) -> EventId {
    let at = random.below(spaces.len());
    let order = random.pick(&[Order::After, Order::Before]);
    let (id, _) = system.add_event(format!("e{}", system.events.len()), spaces[at], order);
    let from = if known[at].is_empty() { 0 } else { at };
    let (value, threshold) = (random.pick(&known[from]), random.number());
    let threshold = system.graph.constant(threshold);
    let when = system.graph.call(random.pick(&[&arith::GE, &arith::LT, &arith::GT]), &[value, threshold]);
    system.events[id.index()].when = system.everywhere(when, spaces[at]);
    system.events[id.index()].rank = random.below(2);
    let train = system.spike_train(id);
    known[at].push(train);
    // A train has the height 1/dt; equations mostly meet ordinary numbers.
    let dt = system.graph.step_size();
    known[at].push(system.graph.product(train, dt));
    id
}

/// What an event does: resets, a refractory time that holds states, jumps of states elsewhere; and whether it is recorded.
fn effects(random: &mut Random, system: &mut System, spaces: &[SpaceId], known: &[Vec<ExprId>], id: EventId) {
    let space = system.events[id.index()].space;
    let at = spaces.iter().position(|s| *s == space).unwrap();
    let value = |random: &mut Random, at: usize| {
        let from = if known[at].is_empty() || random.below(3) == 0 { 0 } else { at };
        random.pick(&known[from])
    };
    for state in 0..system.states.len() {
        let to = system.states[state].space;
        let place = spaces.iter().position(|s| *s == to).unwrap();
        let repeat = (space != to && space != SpaceId::SCALAR).then(|| {
            let indices = (0..system.size(to)).map(|_| random.below(system.size(space)) as u32).collect();
            system.add_table("repeat", space, indices)
        });
        let affected = Affected { state: StateId(state as u32), repeat };
        if random.below(4) == 0 {
            let reset = value(random, place);
            system.events[id.index()].resets.push((affected, reset));
        }
        if random.below(4) == 0 {
            system.events[id.index()].held.push(affected);
        }
        if random.below(4) == 0 {
            jump(random, system, (id, at), (state, to), known);
        }
    }
    if random.below(2) == 0 {
        let steps = match random.below(3) {
            0 => value(random, at),
            _ => system.graph.constant(random.below(6) as f64),
        };
        system.events[id.index()].refractory = Some(steps);
    }
    if random.below(2) == 0 {
        let first = random.below(system.size(space));
        let count = 1 + random.below(system.size(space) - first);
        system.recorded.push(Recorded { event: id, first, count, unit: random.below(10) });
    }
}

/// An event adds to a state: along connections, or element by element.
fn jump(
    random: &mut Random,
    system: &mut System,
    (id, at): (EventId, usize),
    (state, to): (usize, SpaceId),
    known: &[Vec<ExprId>],
) {
    let space = system.events[id.index()].space;
    let spike = system.graph.add(Op::Event(id), Vec::new(), space);
    let factor = (random.below(3) == 0 && !known[at].is_empty()).then(|| random.pick(&known[at]));
    let (sources, targets) = (system.size(space), system.size(to));
    let through = if space == to && random.below(2) == 0 {
        let weights = random.values(targets);
        Through::Weight(system.add_parameter("weight", to, weights))
    } else if space == SpaceId::SCALAR || to == SpaceId::SCALAR || random.below(3) == 0 {
        let (starts, sources) = entries(random, sources, targets);
        let weights = if sources.is_empty() { Values::Uniform(1.0) } else { random.values(sources.len()) };
        Through::Connection(system.add_connection(Connection::new("jumps", (space, to), starts, sources, weights)))
    } else {
        // The same lists, from the sources' side.
        let (starts, targets) = entries(random, targets, sources);
        let weights = if targets.is_empty() { Values::Uniform(1.0) } else { random.values(targets.len()) };
        Through::Fanout(system.add_fanout(Fanout::new("jumps", (space, to), starts, targets, weights)))
    };
    let delay = if random.below(2) == 0 { 0 } else { 1 + random.below(4) as u32 };
    system.jumps.push(Jump { state: StateId(state as u32), spike, factor, through, delay });
}

/// Random entries: for each of `rows` some numbers below `size`.
fn entries(random: &mut Random, size: usize, rows: usize) -> (Vec<u32>, Vec<u32>) {
    let dense = random.below(2) == 0;
    let (mut starts, mut entries) = (vec![0u32], Vec::new());
    for _ in 0..rows {
        entries.extend((0..size as u32).filter(|_| dense || random.below(3) == 0));
        starts.push(entries.len() as u32);
    }
    (starts, entries)
}

/// Whether events tested at the same moment need each other, which lowering refuses.
fn is_cyclic(system: &System) -> bool {
    let mut needs = system.event_needs();
    loop {
        let free: Vec<bool> = needs.iter().map(Vec::is_empty).collect();
        let before: usize = needs.iter().map(Vec::len).sum();
        needs.iter_mut().for_each(|of| of.retain(|need| !free[need.index()]));
        if needs.iter().map(Vec::len).sum::<usize>() == before {
            return before > 0;
        }
    }
}

/// A value of one space in another: some elements of it, or sums over connections.
fn between(random: &mut Random, system: &mut System, value: ExprId, to: SpaceId) -> ExprId {
    let source = system.graph.space(value);
    let (sources, targets) = (system.size(source), system.size(to));
    if source == SpaceId::SCALAR || random.below(2) == 0 {
        let indices = (0..targets).map(|_| random.below(sources) as u32).collect();
        return system.take("some", value, to, indices);
    }
    let (starts, entries) = entries(random, sources, targets);
    let weights = if entries.is_empty() { Values::Uniform(1.0) } else { random.values(entries.len()) };
    system.couple(Connection::new("links", (source, to), starts, entries, weights), value)
}

/// The bits of every number of a run on an engine, and how many of the last are spikes; which NaN a NaN is does not count.
fn run(case: &Case, engine: &Engine, precision: Precision, scheme: usize, random: u64) -> (Vec<u64>, usize) {
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
    for slot in (0..layout.history_passes).flat_map(|_| 0..slots) {
        executable.run(Phase::Remember, slot, 0.0).unwrap();
    }
    let recorded = layout.buffers.iter().enumerate();
    let recorded = recorded.filter(|(_, b)| matches!(b.role, Role::State | Role::Observed));
    let places: Places = recorded.flat_map(|(i, b)| (0..b.len).map(move |e| (i, e))).collect();
    let (count, every) = (1 + random.below(4) as u64, 1 + random.below(3) as u64);
    let mut out = Vec::new();
    executable.record(&Rows { first: 0, count, every, places: &places }, dt, &feeds, &mut out).unwrap();
    // And some steps by themselves.
    executable.advance(count * every, 2, dt, &feeds).unwrap();
    executable.run(Phase::Observe, count * every + 2, dt).unwrap();
    executable.gather(&places, &mut out).unwrap();
    let mut spikes = Vec::new();
    executable.collect((count * every + 2, 3), dt, &feeds, &layout.events, &mut spikes).unwrap();
    executable.gather(&places, &mut out).unwrap();
    // Step, event and unit in one number.
    out.extend(spikes.iter().map(|s| (s.step * 10_000 + u64::from(s.event) * 1000 + u64::from(s.unit)) as f64));
    (out.into_iter().map(|v| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() }).collect(), spikes.len())
}

#[test]
fn every_engine_equals_the_reference_on_random_systems() {
    let seed: u64 = std::env::var("NULLCLINE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("seed {seed}");
    let functions = functions();
    let oracle = Engine::lookup("oracle").unwrap();
    let (mut numbers, mut ordinary, mut spiking) = (0, 0, 0);
    for index in 0..SYSTEMS {
        let mut random = Random(seed * 1_000_003 + index);
        let case = case(&mut random, &functions);
        let precision = random.pick(&[Precision::F64, Precision::F32]);
        let (scheme, how) = (random.below(scheme::TABLE.len()), random.next());
        // Some schemes refuse what they cannot integrate.
        let (system, observables) = (case.system.clone(), case.observables.clone());

        let refused = compile(system, observables, &scheme::TABLE[scheme], precision, oracle.target).is_err();
        let scheme = if refused { 0 } else { scheme };
        let (expected, spikes) = run(&case, oracle, precision, scheme, how);
        spiking += usize::from(spikes > 0);
        numbers += expected.len();
        ordinary += expected.iter().filter(|b| f64::from_bits(**b).is_normal()).count();
        for engine in ENGINES.iter().filter(|e| e.device == "cpu" && e.name != "oracle") {
            if engine.name == "jit" && Engine::auto().name != "jit" {
                println!("skipped: jit, this processor has no AVX2");
                continue;
            }
            let (found, _) = run(&case, engine, precision, scheme, how);
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
    println!("{numbers} numbers, {ordinary} of them ordinary; spikes in {spiking} of {SYSTEMS} systems");
    assert!(spiking as u64 * 8 > SYSTEMS, "spikes in {spiking} of {SYSTEMS} systems only");
    assert!(ordinary * 3 > numbers, "{ordinary} of {numbers} are neither 0 nor infinite nor undefined");
}
