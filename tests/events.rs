//! Events, spikes and what they drive: closed forms, statistics, files.
#![allow(clippy::unwrap_used)]

mod support;

use std::f64::consts::E;

use nullcline::compiler::template::library::{FileLibrary, MemoryLibrary};
use nullcline::runtime::observe::Recording;
use nullcline::{Error, Interrupt, Literal, Model};
use support::{at, near, set, shipped};

fn model(yaml: &str) -> Model {
    Model::load(&MemoryLibrary::new().with("m.yaml", yaml), "m.yaml", None).unwrap_or_else(|e| panic!("{e}"))
}

fn run(model: &Model) -> Recording {
    let mut prepared = model.simulation().unwrap_or_else(|e| panic!("{e}"));
    let mut recording = prepared.simulation.recording();
    prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    recording
}

const LIF: &str = "
lif:
  base: OperatorTemplate
  equations: \"v' = (i - v)/tau\"
  variables: {v: output(0.0), i: 20.0, tau: 10.0, theta: 15.0, t_ref: 0.0}
  events: {spike: {when: v >= theta, reset: {v: 0.0}, refractory: t_ref}}
cells: {base: NodeTemplate, n: 4, operators: {lif: {i: [14.0, 16.0, 20.0, 60.0]}}}
net: {base: CircuitTemplate, nodes: {cells: cells}}
simulate: {duration: 200, dt: 0.1, scheme: exponential_euler, sample_every: 10}
";

/// The exact potential is `i (1 - exp(-t/tau))`; on the grid the period is the first whole step at or after
/// `-tau ln(1 - theta/i)`, and the refractory time, less the step of the spike itself, on top.
#[test]
fn rates_of_leaky_neurons_are_those_of_the_closed_form_on_the_grid() {
    for t_ref in [0.0, 2.0] {
        let mut model = model(LIF);
        set(&mut model, &[("cells/lif/t_ref", t_ref)]);
        let recording = run(&model);
        let spikes = recording.spikes_of("spike").unwrap();
        for (unit, i) in [14.0, 16.0, 20.0, 60.0f64].into_iter().enumerate() {
            let found: Vec<f64> = spikes.of(unit as u32).collect();
            if i <= 15.0 {
                assert!(found.is_empty(), "{found:?}");
                continue;
            }
            let steps = (-10.0 * (1.0 - 15.0 / i).ln() / 0.1).ceil();
            let waiting = if t_ref > 0.0 { t_ref / 0.1 - 1.0 } else { 0.0 };
            let period = 0.1 * (steps + waiting);
            let expected = ((200.0 - 0.1 * steps) / period + 1e-9).floor() as usize + 1;
            assert_eq!(found.len(), expected, "{i}: {found:?}");
            found.windows(2).for_each(|pair| near("interval", pair[1] - pair[0], period, 1e-9));
        }
    }
}

#[test]
fn members_of_a_batch_have_the_spikes_of_runs_of_their_own() {
    let model = model(LIF);
    let batch = model.batch(&[("cells/lif/theta", vec![10.0, 12.0, 15.0])]).unwrap();
    let mut prepared = batch.simulation(0..3).unwrap();
    let mut together = prepared.simulation.recording();
    prepared.simulation.run(&prepared.schedule, &mut together, &mut |_| Interrupt::Continue).unwrap();
    for member in 0..3 {
        let alone = run(&batch.member(member).unwrap());
        let (alone, found) = (&alone.spikes[0], together.spikes_of(&format!("spike[{member}]")).unwrap());
        assert!(!alone.is_empty());
        assert_eq!((&alone.times, &alone.ids), (&found.times, &found.ids), "member {member}");
    }
}

#[test]
fn spikes_of_some_units_keep_their_numbers_and_rows_change_nothing() {
    let all = run(&model(LIF));
    let all = all.spikes_of("spike").unwrap();
    let mut some = model(LIF);
    some.record("late", "cells/lif/spike[2:4]");
    some.settings.cutoff = Some(100.0);
    some.settings.sample_every = Some(0.1);
    let some = run(&some);
    let found = &some.spikes[0];
    let expected: Vec<(f64, u32)> = (all.times.iter().copied().zip(all.ids.iter().copied()))
        .filter(|(time, unit)| *time >= 100.0 - 1e-9 && *unit >= 2)
        .collect();
    let found: Vec<(f64, u32)> = found.times.iter().copied().zip(found.ids.iter().copied()).collect();
    assert!(expected.len() > 20);
    assert_eq!(found, expected);
}

#[test]
fn a_run_in_two_parts_has_the_spikes_of_one() {
    let whole = run(&model(LIF));
    let model = model(LIF);
    let mut first = model.simulation().unwrap();
    first.schedule.steps = 777;
    let mut parts = first.simulation.recording();
    first.simulation.run(&first.schedule, &mut parts, &mut |_| Interrupt::Continue).unwrap();
    let mut second = model.simulation().unwrap();
    second.simulation.set_state(&first.simulation.state().unwrap()).unwrap();
    second.schedule.steps = 2000 - 777;
    second.simulation.run(&second.schedule, &mut parts, &mut |_| Interrupt::Continue).unwrap();
    assert_eq!(parts.spikes, whole.spikes);
}

/// Jumps of the weight, which each pair of spikes has changed before the next one passes.
#[test]
fn pairs_of_spikes_change_the_weight_by_their_traces() {
    let recording = run(&shipped("stdp"));
    let (a, b) = (0.005, -0.00525);
    let decay = |t: f64| (-t / 20.0).exp();
    // Presynaptic spikes at 5, 10, 15; postsynaptic ones at 7, 12.
    let w_7 = 0.5 + a * decay(2.0);
    let w_10 = w_7 + b * decay(3.0);
    let w_12 = w_10 + (a * decay(5.0) + a) * decay(2.0);
    near("g after the first spike", at(&recording, "g", 5.0), 0.5, 1e-12);
    near("g after the second", at(&recording, "g", 10.0), 0.5 + w_7, 1e-12);
    near("g after the third", at(&recording, "g", 15.0), 0.5 + w_7 + w_12, 1e-12);
}

#[test]
fn short_term_plasticity_follows_its_recursion() {
    let recording = run(&shipped("tsodyks_markram"));
    let (mut u, mut x, mut g) = (0.0, 1.0, 0.0);
    for spike in 1..10 {
        // 50 ms of relaxation before each spike.
        u *= (-50.0f64 / 750.0).exp();
        x = 1.0 - (1.0 - x) * (-50.0f64 / 50.0).exp();
        u += 0.15 * (1.0 - u);
        g += u * x;
        x -= u * x;
        near("g", at(&recording, "g", 50.0 * f64::from(spike)), g, 1e-9);
    }
}

/// Counts of 20000 draws for each mean: mean and variance within five standard errors, and the share of zeros.
#[test]
fn poisson_numbers_have_the_poisson_distribution() {
    let several = [(300.0, "rate"), (2000.0, "rate")];
    for (rate, given) in [(0.3, "0.3"), (2.0, "rate"), (90.0, "rate"), (3.0, "rate + 0*t")].into_iter().chain(several) {
        let yaml = format!(
            "op:\n  base: OperatorTemplate\n  equations: [\"x' = n\", \"n = poisson({given})\"]\n  \
             variables: {{x: variable(0.0), n: variable, rate: {rate}}}\n\
             cells: {{base: NodeTemplate, n: 20, operators: op}}\n\
             net: {{base: CircuitTemplate, nodes: {{cells: cells}}}}\n\
             simulate: {{duration: 100, dt: 0.1, record: {{n: cells/op/n}}}}"
        );
        let recording = run(&model(&yaml));
        let counts: Vec<f64> = recording.columns.iter().flatten().map(|n| n * 0.1).collect();
        assert!(counts.iter().all(|n| (n - n.round()).abs() < 1e-9 && *n > -0.5), "not whole");
        let (mean, n) = (rate * 0.1, counts.len() as f64);
        let found = counts.iter().sum::<f64>() / n;
        let variance = counts.iter().map(|c| (c - found).powi(2)).sum::<f64>() / n;
        let zeros = counts.iter().filter(|c| **c < 0.5).count() as f64 / n;
        near("mean", found, mean, 5.0 * (mean / n).sqrt());
        // The fourth central moment is mean (1 + 3 mean).
        near("variance", variance, mean, 5.0 * ((mean + 2.0 * mean * mean) / n).sqrt());
        // The third central moment is the mean; with the others up to the sixth, the variance of its estimate follows.
        let skewed = counts.iter().map(|c| (c - found).powi(3)).sum::<f64>() / n;
        near("third moment", skewed, mean, 5.0 * ((mean + 18.0 * mean * mean + 6.0 * mean.powi(3)) / n).sqrt());
        let expected = E.powf(-mean);
        near("share of zeros", zeros, expected, 5.0 * (expected * (1.0 - expected) / n).sqrt());
    }
}

#[test]
fn poisson_rates_that_are_none_stop_the_run() {
    // Rates that change are known when the model runs only.
    for rate in [-1.0, 101.0] {
        let yaml = format!(
            "op:\n  base: OperatorTemplate\n  equations: \"x' = poisson(rate + 0*t)\"\n  \
             variables: {{x: output(0.0), rate: {rate}}}\nn: {{base: NodeTemplate, operators: op}}\n\
             simulate: {{duration: 1, dt: 0.1}}"
        );
        let mut prepared = model(&yaml).simulation().unwrap();
        let mut recording = prepared.simulation.recording();
        let done = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
        assert!(done.is_err(), "a rate of {rate} went through");
    }
}

const FED: &str = "
get:
  base: OperatorTemplate
  equations: \"y' = i\"
  variables: {y: output(0.0), i: input(0.0)}
cells: {base: NodeTemplate, n: 3, operators: get}
net: {base: CircuitTemplate, nodes: {cells: cells}}
simulate: {duration: 1, dt: 0.1, include_end: true}
";

/// A model fed with a file of spikes in a folder of its own.
fn fed(name: &str, duration: &str, spikes: &str) -> Result<Recording, Error> {
    let folder = std::env::temp_dir().join(format!("nullcline_events_{}_{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("spikes.csv"), spikes).unwrap();
    let path = folder.join("m.yaml");
    let yaml = FED.replace("include_end", "inputs: {cells/get/i: spikes(spikes.csv)}, include_end");
    std::fs::write(&path, yaml.replace("duration: 1", &format!("duration: {duration}"))).unwrap();
    let model = Model::load(&FileLibrary::new(), path.to_str().unwrap(), None)?;
    let done = model.simulation().map(|mut prepared| {
        let mut recording = prepared.simulation.recording();
        prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
        recording
    });
    std::fs::remove_dir_all(folder).unwrap();
    done
}

#[test]
fn spikes_from_a_file_take_memory_for_themselves_only() {
    // 10^12 steps of 3 units: more samples than any machine holds.
    let folder = std::env::temp_dir().join(format!("nullcline_events_{}_long", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("spikes.csv"), "t,unit\n0.2,1\n9.0e+10,2\n").unwrap();
    let path = folder.join("m.yaml");
    let yaml = FED.replace("include_end", "inputs: {cells/get/i: spikes(spikes.csv)}, include_end");
    std::fs::write(&path, yaml.replace("duration: 1", "duration: 1.0e+11")).unwrap();
    let model = Model::load(&FileLibrary::new(), path.to_str().unwrap(), None).unwrap();
    let mut simulation = model.simulation().unwrap().simulation;
    simulation.advance(5).unwrap();
    assert_eq!(simulation.values("cells/get/y").unwrap().unwrap(), [0.0, 1.0, 0.0]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn spikes_from_a_file_arrive_at_their_units_and_times() {
    let recording = fed("sound", "1", "t,unit\n0.2,1\n0.2,2\n0.7,1\n0.7,1\n").unwrap();
    // The train is 1/dt for a step, so its integral counts.
    for (unit, time, count) in [(0, 1.0, 0.0), (1, 0.2, 0.0), (1, 0.3, 1.0), (1, 0.8, 3.0), (2, 1.0, 1.0)] {
        near(&format!("y[{unit}] at {time}"), at(&recording, &format!("y[{unit}]"), time), count, 1e-12);
    }
    for (name, code, duration, spikes) in [
        ("late", "spike-time", "1", "t,unit\n1.2,0\n"),
        ("many", "spike-unit", "1", "t,unit\n0.2,3\n"),
        ("half", "spike-unit", "1", "t,unit\n0.2,0.5\n"),
        ("wide", "spike-columns", "1", "t,unit,size\n0.2,0,1\n"),
    ] {
        let message = fed(name, duration, spikes).expect_err("the file is refused").to_string();
        assert!(message.starts_with(&format!("error[{code}]")), "{message}");
    }
}

#[test]
fn a_refractory_time_can_be_changed_between_steps() {
    let mut session = model(LIF).session().unwrap();
    session.advance(10).unwrap();
    session.set("cells/lif/t_ref", &Literal::from(5.0)).unwrap();
    let recording = session.run(100.0).unwrap();
    let found: Vec<f64> = recording.spikes_of("spike").unwrap().of(2).collect();
    // 139 steps to the threshold and 49 of waiting.
    let steps = (-10.0 * 0.25f64.ln() / 0.1).ceil();
    found.windows(2).for_each(|pair| near("interval", pair[1] - pair[0], 0.1 * (steps + 49.0), 1e-9));
    assert!(found.len() > 3 && session.set("cells/lif/spike", &Literal::from(1.0)).is_err());
}
