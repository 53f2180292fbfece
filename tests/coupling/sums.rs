//! Weighted sums over connections, with and without delays.

use super::*;

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
    let together = batch(arithmetic(step, oracle, Precision::F64), 2, &[], false);
    let together = schedule::schedule(together, Precision::F64);
    for engine in engines() {
        for (all_rows, one) in states(together.clone(), engine).iter().zip(&alone) {
            assert_eq!(**all_rows, *[&one[..], one].concat(), "{}", engine.name);
        }
    }
    assert!(all.delays.unwrap().contains(&0));
}

/// `x' = couple(tanh x) - x` with connections of this kind.
fn of_connection(connection: Connection, (sources, targets): (usize, usize)) -> Step {
    let mut s = System::new("shared");
    let from = s.add_space("sources", sources);
    let to = s.add_space("targets", targets);
    let mut random = Random(sources as u64);
    let (source, y) = s.add_state("y", from, Values::Each(random.units(sources).into()));
    let (target, x) = s.add_state("x", to, Values::Each(random.units(targets).into()));
    let rate = s.graph.call(lookup("tanh").unwrap(), &[y]);
    let sum = s.couple(Connection { source: from, target: to, ..connection }, rate);
    s.states[target.index()].derivative = s.graph.difference(sum, x);
    s.states[source.index()].derivative = s.graph.product(rate, y);
    discretise::discretise(s, Vec::new(), scheme::lookup("euler").unwrap()).unwrap()
}

#[test]
fn members_share_their_weights_and_have_the_sums_of_their_own() {
    let oracle = Engine::lookup("oracle").unwrap();
    let mut random = Random(17);
    // Full, with gaps, sparse, small, for everyone; sizes on both sides of vectors and of what is made side by side.
    for (sources, targets, part) in
        [(40, 37, 1.0), (61, 19, 0.6), (64, 129, 0.1), (5, 7, 1.0), (1200, 1, 1.0), (33, 32, 1.0)]
    {
        let (mut starts, mut list) = (vec![0], Vec::new());
        for _ in 0..targets {
            list.extend((0..sources as u32).filter(|_| random.unit() < part));
            starts.push(list.len() as u32);
        }
        let weights = random.units(list.len()).iter().map(|w| w - 0.5).collect();
        let ends = (SpaceId::SCALAR, SpaceId::SCALAR);
        let connection = Connection::new("shared", ends, starts, list, Values::Each(weights));
        let step = arithmetic(of_connection(connection, (sources, targets)), oracle, Precision::F64);
        let alone = states(schedule::schedule(step.clone(), Precision::F64), oracle);
        for members in [2, 8, 13] {
            let start: Vec<f64> = (0..members).map(|m| 0.1 * m as f64).collect();
            let own = Variation { slots: vec![Slot::State(StateId(0), None)], values: start.clone() };
            for precision in [Precision::F64, Precision::F32] {
                let [shared, apart] = [true, false].map(|shared| {
                    let module =
                        schedule::schedule(batch(step.clone(), members, std::slice::from_ref(&own), shared), precision);
                    assert_eq!(verify(&module), Ok(()));
                    module
                });
                let kept = |module: &Module| module.connections.iter().map(|c| c.sources.len()).sum::<usize>();
                assert_eq!(kept(&apart), members * kept(&shared));
                let expected = states(apart, oracle);
                assert_eq!(expected[0].len(), members * alone[0].len());
                for engine in
                    ENGINES.iter().filter(|e| e.device == "cpu" && (e.name != "jit" || Engine::auto().name == "jit"))
                {
                    let found = states(shared.clone(), engine);
                    assert_eq!(found, expected, "{}, {members} members, {sources} to {targets}", engine.name);
                }
            }
        }
    }
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
