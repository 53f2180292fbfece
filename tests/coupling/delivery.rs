//! Deliveries of spikes.

use super::*;

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
    let together = schedule::schedule(batch(step, drives.len(), &variations, false), Precision::F64);
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

#[test]
fn a_target_without_deliveries_refuses_them_by_name() {
    let floats = &[Precision::F64];
    let bare = Target {
        name: "bare",
        floats,
        has: basic,
        shares_weights: false,
        crosses: |op| !matches!(op, Op::Deliver(_)),
        subnormals: &[],
        strict: true,
    };
    let step = Spiking::new(&mut Random(1), 1.5).step();
    let refused = legalise::legalise(step, &bare, Precision::F64).unwrap_err();
    let fault = &refused.0[0];
    assert_eq!(fault.code, "target-crossing");
    assert_eq!(fault.message, "target `bare` has no kernel for spikes that jump onto their targets");
}
