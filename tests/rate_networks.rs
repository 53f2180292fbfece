//! The shipped networks of rate units, phases and brain regions. Expected numbers are closed forms, or from an independent
//! simulation of the same equations in NumPy.
#![allow(clippy::unwrap_used)]

mod support;

use std::f64::consts::PI;

use nullcline::Model;
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::observe::Recording;
use support::{at, column, near, run, set};

fn network(name: &str) -> Model {
    support::shipped(&format!("networks/{name}"))
}

/// All columns of a group in the last row.
fn last_row(recording: &Recording, group: &str) -> Vec<f64> {
    let columns = recording.labels.iter().zip(&recording.columns).filter(|(label, _)| label.group == group);
    columns.map(|(_, column)| *column.last().unwrap()).collect()
}

/// The zero of an increasing function between two numbers.
fn zero(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if f(middle) < 0.0 { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

#[test]
fn a_bump_has_the_shape_of_the_theory_and_stays_where_a_cue_put_it() {
    let (j0, j1) = (-4.0, 6.0);
    let half = zero(0.1, 3.1, |c: f64| j1 * (c - (2.0 * c).sin() / 2.0) - 2.0 * PI);
    let peak = (1.0 - half.cos()) / (-half.cos() - j0 * (half.sin() - half * half.cos()) / PI);
    for cued in [25usize, 70] {
        let mut model = network("ring_attractor");
        model.settings.inputs.clear();
        model.drive(&format!("p/rate/cue[{cued}]"), "0.5 if t < 100 else 0");
        model.settings.duration = Some(5000.0);
        model.settings.include_end = Some(true);
        let recording = run(&model);
        let r = last_row(&recording, "r");
        let highest = (0..100).max_by(|a, b| r[*a].total_cmp(&r[*b])).unwrap();
        assert_eq!(highest, cued);
        // Sums over 100 units in place of integrals are off by 1e-4, see the bend at the edge of the bump.
        near("peak", r[highest], peak, 2e-4 * peak);
        // Units outside of the bump forget their last rate, but never quite.
        let active = r.iter().filter(|r| **r > 1e-6).count() as f64;
        near("active", active, 100.0 * half / PI, 1.0);
        // It is as high on both sides.
        let (left, right) = (r[(cued + 95) % 100], r[(cued + 5) % 100]);
        near("sides", left, right, 1e-3);
    }
}

#[test]
fn without_a_structured_coupling_no_bump_forms() {
    // J1 = 1 < 2: all units at I/(1 - J0).
    let yaml = network("ring_attractor").to_yaml().unwrap().replace("6 * cos", "1 * cos");
    assert!(yaml.contains("1 * cos"), "{yaml}");
    let mut model = support::load(&MemoryLibrary::new().with("ring.yaml", yaml), "ring.yaml", None);
    model.settings.include_end = Some(true);
    last_row(&run(&model), "r").into_iter().for_each(|r| near("rate", r, 0.2, 1e-9));
}

/// The lengths of the mean phasor in the second half of a run.
fn order(model: &Model) -> Vec<f64> {
    let recording = run(model);
    let lengths = column(&recording, "re").iter().zip(column(&recording, "im")).map(|(re, im)| re.hypot(*im));
    lengths.skip(recording.times.len() / 2).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn oscillators_synchronise_above_the_critical_coupling() {
    // Locked oscillators keep the sine of their phase at frequency/(K r); the others go round and cancel. So r is the mean
    // of the locked cosines, for 100 quantiles 0.7189 and for ever more of them sqrt(1 - 2/4) = 0.7071.
    let coupling = 4.0;
    let omega: Vec<f64> = (1..=100).map(|j| (PI * (f64::from(j) / 101.0 - 0.5)).tan()).collect();
    let locked = |r: f64| -> f64 {
        let cosines = omega.iter().map(|w| (1.0 - (w / (coupling * r)).powi(2)).max(0.0).sqrt());
        cosines.sum::<f64>() / 100.0
    };
    let expected = zero(0.5, 1.0, |r| r - locked(r));
    near("of the theory", expected, 0.5f64.sqrt(), 0.02);
    let mut model = network("kuramoto_network");
    model.settings.duration = Some(60.0);
    // The few that go round make it swing by one or two of a hundred.
    near("order", mean(&order(&model)), expected, 0.01);

    // K = 1, half of the critical coupling: nothing but the root of the number, times 1/(1 - K/Kc) as in any mean field.
    model.set_edge("p/phase/theta", "p/phase/s", "weight", &0.01.into()).unwrap_or_else(|e| panic!("{e}"));
    let below = mean(&order(&model));
    assert!(below < 0.25, "{below}");
}

#[test]
fn a_reservoir_forgets_how_it_began() {
    let ends: Vec<Vec<f64>> = [1.0, -0.5]
        .into_iter()
        .map(|start| {
            let mut model = network("reservoir");
            model.settings.record.clear();
            model.record("x", "p/unit/x");
            model.settings.include_end = Some(true);
            model.settings.inputs.clear();
            model.drive("signal/read_in/signal", "sin(2*pi*t/100) + cos(0.37*t)");
            model.settings.duration = Some(2000.0);
            set(&mut model, &[("p/unit/x", start)]);
            last_row(&run(&model), "x")
        })
        .collect();
    let size = ends[0].iter().map(|x| x * x).sum::<f64>().sqrt();
    let apart = ends[0].iter().zip(&ends[1]).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    assert!(size > 1.0, "the input moves it: {size}");
    // The slowest mode fades at least as exp(-(1 - g) t/tau), here by exp(-20).
    assert!(apart < 1e-6 * size, "{apart} of {size}");
}

#[test]
fn a_reservoir_is_silent_below_and_chaotic_above_the_critical_gain() {
    let states = |g: f64| {
        let mut model = network("reservoir");
        model.settings.inputs.clear();
        model.settings.record.clear();
        model.record("x", "p/unit/x");
        model.settings.duration = Some(3000.0);
        model.settings.cutoff = Some(1000.0);
        model.settings.sample_every = Some(20.0);
        set(&mut model, &[("p/unit/g", g)]);
        run(&model)
    };
    let variance = |recording: &Recording| {
        let squares = recording.columns.iter().flat_map(|column| column.iter().map(|x| x * x));
        mean(&squares.collect::<Vec<_>>())
    };
    let silent = states(0.9);
    // From a variance of 1/3 at first, by at least exp(-2 (1 - g) t/tau) in 1000 ms.
    assert!(variance(&silent) < 1e-6, "{}", variance(&silent));
    // The roots of the equation in the template's header, by Gauss-Hermite quadrature. The theory is for infinitely many units
    // and small steps; steps of 0.05 tau and 1000 units leave a few percent.
    for (g, expected) in [(1.5, 0.74769), (2.0, 1.92480)] {
        near("variance", variance(&states(g)), expected, 0.08 * expected);
    }
}

#[test]
fn regions_of_jansen_and_rit_follow_an_independent_simulation() {
    let mut model = network("jansen_rit_brain");
    model.settings.duration = Some(1.0);
    model.settings.include_end = Some(true);
    let recording = run(&model);
    // Mean, first and last region.
    let expected = [
        (0.1, 16.499070132, 18.063107519975, 14.5469169648),
        (0.5, 5.397077899797, 6.253582200693, 6.016678354065),
        (1.0, 8.689490414029, 10.015243959051, 10.387145860112),
    ];
    for (t, all, first, last) in expected {
        near("mean", at(&recording, "mean", t), all, 1e-6);
        near("first", at(&recording, "psp[0]", t), first, 1e-6);
        near("last", at(&recording, "psp[99]", t), last, 1e-6);
    }
}

#[test]
fn regions_of_jansen_and_rit_rest_under_weak_drive() {
    // Where a column rests whose own pyramidal cells drive it with the sum of all weights.
    let side: Vec<f64> = (0..10).map(|k| f64::from(i32::min(k, 10 - k)) / 10.0).collect();
    let weight = |k: usize, l: usize| 5.0 * (-0.2 * side[k].hypot(side[l]) / 0.03).exp();
    let sum = (0..100).map(|unit| weight(unit % 10, unit / 10)).sum::<f64>() - 5.0;
    let rate = |v: f64| 5.0 / (1.0 + (0.56 * (6.0 - v)).exp());
    for p in [0.0, 20.0, 40.0] {
        let inner = |v: f64| 3.25 / 100.0 * rate(v);
        let excitation = |v: f64| 3.25 / 100.0 * (p + sum * rate(v) + 108.0 * rate(135.0 * inner(v)));
        let inhibition = |v: f64| 22.0 / 50.0 * 33.75 * rate(33.75 * inner(v));
        // The lowest of its equilibria, below which the function increases.
        let rest = zero(-10.0, 1.0, |v| v - excitation(v) + inhibition(v));
        let mut model = network("jansen_rit_brain");
        set(&mut model, &[("region/p", p)]);
        model.settings.include_end = Some(true);
        model.settings.duration = Some(2.0);
        last_row(&run(&model), "psp").into_iter().for_each(|psp| near("psp", psp, rest, 1e-8));
    }
}

/// The uniform numbers of a benchmark of whole-brain models: SplitMix64 (G. Steele, D. Lea and C. Flood 2014) as a counter.
fn uniform(seed: u64, i: u64) -> f64 {
    let mut z = seed.wrapping_add((i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[test]
fn regions_with_matrices_have_the_numbers_of_the_benchmark() {
    let n = 100u64;
    let rows = |each: &dyn Fn(u64, u64) -> f64| -> String {
        let row = |k: u64| format!("[{}]", (0..n).map(|j| each(k, j).to_string()).collect::<Vec<_>>().join(", "));
        format!("[{}]", (0..n).map(row).collect::<Vec<_>>().join(", "))
    };
    let raw = |k: u64, j: u64| if k == j { 0.0 } else { uniform(21, k * n + j) };
    let sums: Vec<f64> = (0..n).map(|k| (0..n).map(|j| raw(k, j)).sum()).collect();
    let weights = rows(&|k, j| 50.0 * raw(k, j) / sums[k as usize]);
    let delays = rows(&|k, j| 1e-4 * (10.0 + (191.0 * uniform(22, k * n + j)).floor()));
    let drives: Vec<String> = (0..n).map(|k| (100.0 + 80.0 * uniform(23, k)).to_string()).collect();
    let yaml = format!(
        "
        net:
          base: CircuitTemplate
          nodes: {{region: {{n: 100, operators: {{networks/jansen_rit_brain/region_op: {{p: [{}]}}}}}}}}
          edges: [[region/S0, region/L, null, {{weight: {weights}, delay: {delays}}}]]
        simulate: {{duration: 0.1, dt: 1e-4, scheme: euler, include_end: true, record: {{v: region/psp}}}}",
        drives.join(", ")
    );
    let v = last_row(&run(&support::load(&MemoryLibrary::new().with("brain.yaml", yaml), "brain.yaml", None)), "v");
    let (all, deviation) = (mean(&v), |m: f64| mean(&v.iter().map(|v| (v - m).powi(2)).collect::<Vec<_>>()).sqrt());
    for (what, found, expected) in [
        ("mean", all, 15.9122830729),
        ("deviation", deviation(all), 1.09084727921),
        ("first", v[0], 13.837843354),
        ("last", v[99], 16.9548462587),
    ] {
        near(what, found, expected, 1e-8 * expected);
    }
}

#[test]
fn regions_of_wilson_and_cowan_follow_an_independent_simulation() {
    let mut model = network("wilson_cowan_brain");
    model.settings.include_end = Some(true);
    let recording = run(&model);
    // Means of the excitatory and inhibitory cells, first and last region.
    let expected = [
        (40.0, 0.197427202713, 0.125154323434, 0.262125852198, 0.277910531575),
        (200.0, 0.196678372275, 0.12736135888, 0.097076485689, 0.198834238767),
        (400.0, 0.1899113651, 0.122776840003, 0.158790536367, 0.277878554779),
    ];
    for (t, e, i, first, last) in expected {
        near("mean of E", at(&recording, "mean_E", t), e, 1e-8);
        near("mean of I", at(&recording, "mean_I", t), i, 1e-8);
        near("first", at(&recording, "E[0]", t), first, 1e-8);
        near("last", at(&recording, "E[99]", t), last, 1e-8);
    }
    set(&mut model, &[("e/population/P", 0.0)]);
    model.settings.duration = Some(1000.0);
    last_row(&run(&model), "E").into_iter().for_each(|e| near("without drive", e, 0.0, 1e-6));
}
