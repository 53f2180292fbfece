//! The shipped neurons and synapses: spikes and potentials from closed forms, or from an independent solver (SciPy's DOP853 at
//! relative tolerance 1e-12, with the crossings of the peak found to rounding).
#![allow(clippy::unwrap_used)]

mod support;

use std::f64::consts::PI;

use nullcline::Model;
use nullcline::compiler::template::library::FileLibrary;
use nullcline::runtime::observe::Recording;
use support::{column, near, scheme, set};

fn shipped(name: &str, template: Option<&str>) -> Model {
    support::load(&FileLibrary::new(), &format!("{}/templates/{name}.yaml", env!("CARGO_MANIFEST_DIR")), template)
}

fn run(model: &Model) -> Recording {
    let mut prepared = model.simulation().unwrap_or_else(|e| panic!("{e}"));
    let mut recording = prepared.simulation.recording();
    let done = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| nullcline::Interrupt::Continue);
    done.unwrap_or_else(|e| panic!("{e}"));
    recording
}

fn spikes(model: &Model) -> Vec<f64> {
    run(model).spikes[0].times.clone()
}

#[test]
fn lif_fires_with_the_period_of_its_closed_form() {
    let mut model = shipped("neurons/lif", None);
    // From rest to a threshold 15 mV above it under 20 mV: 10 ln(20/5) = 13.86 ms, on the grid 13.9. A spike counts as the
    // first of the 20 steps of refractory time, of which 19 are held.
    let times = spikes(&model);
    let expected: Vec<f64> = (0..12).map(|k| 13.9 + f64::from(k) * (13.9 + 1.9)).collect();
    assert_eq!(times.len(), expected.len());
    times.iter().zip(expected).for_each(|(found, expected)| near("spike", *found, expected, 1e-9));
    set(&mut model, &[("r_m", 7.49)]);
    assert!(spikes(&model).is_empty(), "below threshold");
}

#[test]
fn qif_fires_with_the_period_of_its_closed_form() {
    for eta in [0.25, 1.0, 4.0f64] {
        let mut model = shipped("neurons/qif", None);
        set(&mut model, &[("eta", eta)]);
        let times = spikes(&model);
        let period = 2.0 * (100.0 / eta.sqrt()).atan() / eta.sqrt();
        let found = (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64;
        // The step in which the peak is passed is lost, 1e-4 at most, and overshoots by up to 1e-4 100^2.
        near("period", found, period, 2e-4);
    }
}

#[test]
fn qif_with_adaptation_settles_where_adaptation_and_rate_agree() {
    let mut model = shipped("neurons/qif_sfa", None);
    model.settings.duration = Some(300.0);
    let times = spikes(&model);
    let late: Vec<f64> = times.into_iter().filter(|t| *t > 150.0).collect();
    let rate = (late.len() - 1) as f64 / (late[late.len() - 1] - late[0]);
    // The kernel's integral is alpha tau_a: a = 5 r on average, and r = sqrt(eta - a) / pi for an adaptation without
    // ripples; 0.02 is what finite peak and ripples change.
    let settled = (-5.0 + (25.0f64 + 20.0 * PI * PI).sqrt()) / (2.0 * PI * PI);
    near("rate", rate, settled, 0.02 * settled);
}

#[test]
fn spike_times_are_those_of_an_independent_solver() {
    let table: &[(&str, usize, &[f64])] = &[
        ("eif", 8, &[23.717553, 47.435107, 71.152660, 94.870214, 118.587767]),
        ("adex", 17, &[11.791573, 25.376060, 41.196209, 59.775663, 81.644056, 107.146285]),
        ("izhikevich_2003", 11, &[53.580022, 72.491071, 117.387273, 162.199686, 207.012100]),
        ("izhikevich_2007", 6, &[98.180141, 171.645897, 247.769709, 323.801920, 399.837052]),
        ("hodgkin_huxley", 11, &[10.932914, 32.430818, 49.369521, 66.308043]),
    ];
    for (name, count, expected) in table {
        let mut model = shipped(&format!("neurons/{name}"), None);
        model.settings.dt = Some(0.001);
        let times = spikes(&model);
        // Every spike is found up to a step late, and the next interval begins there; exponential Euler is of first order.
        let tolerance = if *name == "hodgkin_huxley" { 0.05 } else { 0.01 };
        assert_eq!(times.len(), *count, "{name}: {times:?}");
        for (found, expected) in times.iter().zip(*expected) {
            near(name, *found, *expected, tolerance);
        }
    }
}

#[test]
fn izhikevich_fires_above_its_rheobase_only() {
    // The parabola and the line of the recovery touch at I = (k (v_t - v_r) + b)^2 / (4 k) = 51.43 pA.
    for (current, fires) in [(51.0, false), (52.0, true)] {
        let mut model = shipped("neurons/izhikevich_2007", None);
        model.settings.inputs.clear();
        // Slowly enough to stay at rest.
        model.drive("I", &format!("{current}*(t/2000 if t < 2000 else 1)"));
        model.settings.duration = Some(4000.0);
        model.settings.dt = Some(0.1);
        assert_eq!(!spikes(&model).is_empty(), fires, "{current} pA");
    }
}

/// The potential after one spike at 20 ms, which arrives 1 ms later, from t = 21 on.
fn response(name: &str, template: Option<&str>, scheme_name: &str, dt: f64) -> Vec<(f64, f64)> {
    let mut model = shipped(&format!("synapses/{name}"), template);
    scheme(&mut model, scheme_name);
    model.settings.dt = Some(dt);
    model.settings.sample_every = Some(0.5);
    model.settings.duration = Some(39.9);
    let recording = run(&model);
    let since = recording.times.iter().zip(column(&recording, "v")).map(|(t, v)| (t - 21.0, v + 65.0));
    since.filter(|(t, _)| *t >= -1e-9).collect()
}

#[test]
fn currents_have_the_time_course_of_their_closed_forms() {
    let decay = |t: f64, tau: f64| (-t / tau).exp();
    // The response of a membrane of 10 ms to a current exp(-t/tau): tau / (tau - 10) (exp(-t/tau) - exp(-t/10)).
    let filtered = |t: f64, tau: f64| tau / (tau - 10.0) * (decay(t, tau) - decay(t, 10.0));
    for (t, v) in response("delta", None, "exact", 0.1) {
        near("delta", v, 2.0 * decay(t, 10.0), 1e-12);
    }
    for (t, v) in response("exponential", None, "exact", 0.1) {
        near("exponential", v, 5.0 * filtered(t, 5.0), 1e-12);
    }
    for (t, v) in response("alpha", None, "exact", 0.1) {
        // The convolution of 0.5 e t/5 exp(-t/5) with exp(-t/10), for a resistance and a time constant of 10.
        let expected = 10.0 * 1f64.exp() * (decay(t, 10.0) - (1.0 + t / 10.0) * decay(t, 5.0));
        near("alpha", v, expected, 1e-11);
    }
    for (t, v) in response("biexponential", None, "exact", 0.1) {
        let peak_time = 5f64.ln() * 5.0 / 4.0;
        let peak = decay(peak_time, 5.0) - decay(peak_time, 1.0);
        near("biexponential", v, 5.0 / peak * (filtered(t, 5.0) - filtered(t, 1.0)), 1e-11);
    }
}

#[test]
fn conductances_pull_towards_their_reversal_potential() {
    // A strong conductance of 0.01 uS beside a leak of 0.1 uS: to first order in g the current of 65 mV; the exact response is
    // v' = (-v + 10 g (65 - v))/10, an integral over the decaying conductance that a fine step gives.
    let coarse = response("exponential", Some("exponential_of_conductance"), "exponential_euler", 0.1);
    let fine = response("exponential", Some("exponential_of_conductance"), "rk4", 0.01);
    for ((t, a), (_, b)) in coarse.iter().zip(&fine) {
        near(&format!("v at {t}"), *a, *b, 0.03);
        // Less than a current of g times 65 mV would do, by at most g/g_l = 10 percent.
        let current = 0.65 * 10.0 * 5.0 / (5.0 - 10.0) * ((-t / 5.0).exp() - (-t / 10.0).exp());
        assert!(*b <= current + 1e-9 && *b >= 0.9 * current - 1e-9, "t {t}: {b}, {current}");
    }
}
