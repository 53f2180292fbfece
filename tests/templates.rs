//! The known behaviour of every shipped template. Expected numbers are from the papers, from closed forms, from an
//! independent solver (SciPy's DOP853 at relative tolerance 1e-12) or from the golden trajectories.
#![allow(clippy::unwrap_used)]

mod support;

use std::f64::consts::PI;

use nullcline::compiler::template::library::{FileLibrary, MemoryLibrary, SHIPPED_TEMPLATES};
use nullcline::runtime::observe::{Recording, frequency, peak_to_peak};
use nullcline::{Error, Interrupt, Model};
use support::golden::{Golden, Pulse};
use support::{at, column, last, near, rate_of_maxima, run, set, shipped};

#[test]
fn jansen_rit_oscillates_or_rests_as_its_drive_says() {
    // (drive, maxima per second, swing in mV), at rest after transients where there are no maxima. A cycle has one maximum
    // at 220 per second, and at 120 per second two, a high and a low one.
    for (p, hertz, millivolts) in [(220.0, 10.938, 2.946), (120.0, 4.769, 9.944), (110.0, 0.0, 2.1027)] {
        let mut model = shipped("jansen_rit");
        set(&mut model, &[("p", p)]);
        model.settings.duration = Some(20.0);
        let settled = run(&model).since(10.0);
        let psp = column(&settled, "psp");
        if hertz == 0.0 {
            near("psp at rest", *psp.last().unwrap(), millivolts, 5e-5);
            continue;
        }
        near("maxima per second", rate_of_maxima(&settled.times, psp, p == 120.0), hertz, 0.005);
        near("swing", peak_to_peak(psp).unwrap(), millivolts, 1e-3);
    }
}

#[test]
fn wilson_cowan_cycles_under_the_drive_of_figure_11_and_rests_without() {
    let mut model = shipped("wilson_cowan");
    model.settings.duration = Some(1600.0);
    model.settings.sample_every = None;
    let settled = run(&model).since(1400.0);
    let period = 1.0 / frequency(&settled.times, column(&settled, "E")).unwrap();
    near("period", period, 39.967154433, 1e-5);
    let extent = |name: &str| {
        let values = column(&settled, name);
        (values.iter().copied().fold(f64::INFINITY, f64::min), values.iter().copied().fold(0.0, f64::max))
    };
    let (lowest, highest) = extent("E");
    near("lowest E", lowest, 0.102559282, 1e-7);
    near("highest E", highest, 0.269659502, 1e-7);
    let (lowest, highest) = extent("I");
    near("lowest I", lowest, 0.021743870, 1e-7);
    near("highest I", highest, 0.194473688, 1e-7);

    set(&mut model, &[("e/population/P", 0.0)]);
    model.settings.duration = Some(2000.0);
    let resting = run(&model);
    near("E at rest", last(&resting, "E"), 0.0, 1e-12);
    near("I at rest", last(&resting, "I"), 0.0, 1e-12);
}

#[test]
fn qif_mean_field_is_switched_from_low_to_high_activity_by_a_pulse() {
    let mut model = shipped("qif_mean_field");
    model.settings.sample_every = None;
    let recording = run(&model);
    near("r at rest", at(&recording, "r", 0.0), 0.081134, 1e-6);
    let r = column(&recording, "r");
    let peak = (0..r.len()).max_by(|&a, &b| r[a].total_cmp(&r[b])).unwrap();
    near("peak of r", r[peak], 2.88272, 2e-5);
    near("time of the peak", recording.times[peak], 2.788, 1e-3);
    near("r before the end of the pulse", at(&recording, "r", 29.9), 1.3713, 5e-5);
    near("r after the pulse", at(&recording, "r", 59.9), 1.03058, 5e-6);
}

#[test]
fn qif_mean_field_rests_at_its_equilibria() {
    for (r, v, equilibrium) in [(0.05, -2.5, 0.081134), (1.2, 0.0, 1.030597)] {
        let mut model = shipped("qif_mean_field");
        model.settings.inputs.clear();
        set(&mut model, &[("r", r), ("v", v)]);
        near("r", last(&run(&model), "r"), equilibrium, 1e-6);
    }
}

#[test]
fn the_circuit_of_three_populations_is_the_lumped_column() {
    for p in [120.0, 220.0] {
        let mut circuit = shipped("jansen_rit_circuit");
        set(&mut circuit, &[("pc/excitatory/p", p)]);
        let mut lumped = shipped("jansen_rit");
        set(&mut lumped, &[("p", p)]);
        let (circuit, lumped) = (run(&circuit), run(&lumped));
        for (x, y) in column(&circuit, "psp").iter().zip(column(&lumped, "psp")) {
            near("psp", *x, *y, 1e-9);
        }
    }
    // The reference works in volts: a thousandth of the numbers, times 1000 in the slope of the transfer function.
    let mut model = shipped("jansen_rit_circuit");
    set(&mut model, &[("pc/inhibitory/H", -0.022), ("all/excitatory/H", 0.00325)]);
    set(&mut model, &[("all/transfer/v0", 0.006), ("all/transfer/r", 560.0)]);
    let outputs = [("v_e", "pc/excitatory/v"), ("v_i", "pc/inhibitory/v"), ("v_iin", "iin/excitatory/v")];
    Golden { case: "jansen_rit_3pop", outputs: &outputs, pulse: None }.compare(model);
}

#[test]
fn jansen_rit_columns_excite_each_other_after_delays_or_through_filters() {
    // Heun's method with the same delays in whole steps, written out in NumPy.
    let recording = run(&shipped("jansen_rit_two_columns"));
    let delayed = [
        (0.1, 11.279904733416931, 9.149484341287586),
        (0.5, 12.017275967475058, 9.280392616503068),
        (0.9, 9.261261873884962, 8.553419423547577),
    ];
    for (t, a, b) in delayed {
        near("a", at(&recording, "a", t), a, 1e-7);
        near("b", at(&recording, "b", t), b, 1e-7);
    }
    let path = format!("{}/templates/jansen_rit_two_columns.yaml", env!("CARGO_MANIFEST_DIR"));
    let mut model = support::load(&FileLibrary::new(), &path, Some("filtered"));
    support::scheme(&mut model, "rk4");
    let recording = run(&model);
    let filtered = [
        (0.1, 9.492415705294412, 8.224831497128893),
        (0.5, 7.929031771889324, 6.507280187303511),
        (0.9, 7.620854197889248, 9.255314083412973),
    ];
    for (t, a, b) in filtered {
        near("a", at(&recording, "a", t), a, 1e-6);
        near("b", at(&recording, "b", t), b, 1e-6);
    }
}

#[test]
fn inhibitory_plasticity_brings_the_excitatory_cells_to_their_target() {
    let mut model = shipped("wilson_cowan_plasticity");
    model.settings.sample_every = Some(10.0);
    model.settings.include_end = Some(true);
    let recording = run(&model);
    for (t, e, i) in [(50.0, 0.30998789, 0.31903475), (500.0, 0.26006571, 0.22106736), (2000.0, 0.25039222, 0.20043263)]
    {
        near("E", at(&recording, "E", t), e, 1e-7);
        near("I", at(&recording, "I", t), i, 1e-7);
    }
    near("E after learning", last(&recording, "E"), 0.25, 1e-4);
}

/// The current pulse of the golden trajectories of QIF populations.
fn pulse(path: &str, value: f64) -> Option<Pulse<'_>> {
    Some(Pulse { path, value, from: 10.0, to: 30.0 })
}

#[test]
fn qif_mean_fields_follow_the_golden_trajectories() {
    let rv = [("r", "r"), ("v", "v")];
    let mut model = shipped("qif_mean_field");
    set(&mut model, &[("r", 0.01), ("v", -2.0)]);
    Golden { case: "qif_mean_field", outputs: &rv, pulse: pulse("I", 3.0) }.compare(model);

    let outputs = [("r", "r"), ("v", "v"), ("a", "a")];
    Golden { case: "qif_sfa", outputs: &outputs, pulse: pulse("I", 3.0) }.compare(shipped("qif_sfa"));
    Golden { case: "qif_gap_junction", outputs: &rv, pulse: pulse("I", 3.0) }.compare(shipped("qif_gap_junctions"));

    let outputs = [("r", "r"), ("v", "v"), ("q", "q")];
    Golden { case: "qif_conductance", outputs: &outputs, pulse: pulse("I", 3.0) }.compare(shipped("qif_conductance"));

    let outputs = [("re", "e/population/r"), ("ri", "i/population/r"), ("ve", "e/population/v")];
    Golden { case: "qif_ei_pair", outputs: &outputs, pulse: pulse("e/population/I", 3.0) }.compare(shipped("qif_ei"));

    let model = shipped("qif_alpha_synapse");
    Golden { case: "qif_alpha_synapse_edge", outputs: &rv, pulse: pulse("I", 5.0) }.compare(model);
}

#[test]
fn synaptic_depression_ends_the_activity_that_a_pulse_started() {
    let mut model = shipped("qif_depression");
    pulse("I", 3.0).unwrap().drive(&mut model);
    support::scheme(&mut model, "rk4");
    let recording = run(&model);
    for (t, r) in [(9.0, 0.08080604), (15.0, 0.69083995), (29.0, 0.84658751), (45.0, 0.07973761)] {
        near("r", at(&recording, "r", t), r, 1e-7);
    }
    // Where the derivatives of r, v and x vanish.
    let mut model = shipped("qif_depression");
    model.settings.duration = Some(200.0);
    near("r after recovery", last(&run(&model), "r"), 0.08056689, 1e-7);

    let yaml = "
        lasting: {base: qif_depression/synapse, variables: {U: 0.0}}
        lasting_edge: {base: EdgeTemplate, operators: [lasting]}
        net:
          base: CircuitTemplate
          nodes: {p: qif_depression/neurons}
          edges: [[p/population/r, p/population/s, lasting_edge, {weight: 15.0}]]
        simulate: {duration: 60, dt: 0.002, scheme: heun, inputs: {I: 3 if 10 <= t and t < 30 else 0}, record: [r]}
    ";
    let model = support::load(&MemoryLibrary::new().with("lasting.yaml", yaml), "lasting.yaml", None);
    near("r without depression", last(&run(&model), "r"), 1.030597, 1e-5);
}

#[test]
fn synaptic_facilitation_outlasts_the_activity_that_caused_it() {
    let mut model = shipped("qif_facilitation");
    pulse("I", 5.0).unwrap().drive(&mut model);
    support::scheme(&mut model, "rk4");
    let recording = run(&model);
    let expected = [(9.0, 0.07736777), (15.0, 0.59531985), (29.0, 0.45504820), (31.0, 0.10863537), (45.0, 0.08869771)];
    for (t, r) in expected {
        near("r", at(&recording, "r", t), r, 1e-7);
    }
}

#[test]
fn synapses_with_facilitation_and_depression_follow_the_golden_trajectory() {
    let yaml = "
        tm:
          base: qif_facilitation/synapse
          variables: {u: variable(0.6), tau_x: 100.0, tau_u: 200.0, k: 0.1, U0: 0.6}
        tm_edge: {base: EdgeTemplate, operators: [tm]}
        net:
          base: CircuitTemplate
          nodes: {p: qif_facilitation/neurons}
          edges: [[p/population/r, p/population/s, tm_edge, {weight: 15.0}]]
    ";
    let model = support::load(&MemoryLibrary::new().with("tm.yaml", yaml), "tm.yaml", None);
    let outputs = [("r", "r"), ("v", "v")];
    Golden { case: "qif_tsodyks_edge", outputs: &outputs, pulse: pulse("I", 5.0) }.compare(model);
}

#[test]
fn izhikevich_mean_fields_follow_the_golden_trajectories() {
    let outputs = [("r", "r"), ("v", "v"), ("u", "u")];
    let pulse = Pulse { path: "I", value: 100.0, from: 50.0, to: 150.0 };
    let mut model = shipped("izhikevich_mean_field");
    set(&mut model, &[("Delta", 1.0)]);
    Golden { case: "izhikevich_mf_eta", outputs: &outputs, pulse: Some(pulse) }.compare(model);
    let model = shipped("izhikevich_mean_field_dimensionless");
    Golden { case: "izhikevich_mf_dimensionless", outputs: &outputs, pulse: None }.compare(model);
}

#[test]
fn izhikevich_variants_follow_an_independent_solver() {
    let mut model = shipped("izhikevich_mean_field_biexponential");
    set(&mut model, &[("Delta", 1.0)]);
    Pulse { path: "I", value: 300.0, from: 50.0, to: 150.0 }.drive(&mut model);
    let recording = run(&model);
    let expected = [
        (60.0, 2.40457495e-4, -56.5884526, 7.33506604e-4),
        (100.0, 9.20402974e-4, -54.2510136, 3.61697091e-2),
        (149.0, 4.36550266e-3, -45.5359206, 1.44614399e-2),
        (290.0, 1.04890625e-4, -70.1688492, 5.24112568e-4),
    ];
    for (t, r, v, s) in expected {
        near("r", at(&recording, "r", t), r, 1e-4 * r);
        near("v", at(&recording, "v", t), v, 1e-3);
        near("s", at(&recording, "s", t), s, 1e-4 * s);
    }
    let mut model = shipped("izhikevich_mean_field_theta");
    Pulse { path: "I", value: 60.0, from: 100.0, to: 300.0 }.drive(&mut model);
    let recording = run(&model);
    let expected = [
        (90.0, 0.0, -60.0, 0.0),
        (150.0, 9.07481680e-4, -52.5791944, -8.83329548),
        (200.0, 5.02872744e-3, -46.8804129, -17.2819194),
        (290.0, 3.25347662e-2, -48.3022462, -14.2482968),
        (400.0, 7.17879251e-5, -59.4110271, -5.03359350),
    ];
    for (t, r, v, u) in expected {
        near("r", at(&recording, "r", t), r, 1e-3 * r);
        near("v", at(&recording, "v", t), v, 1e-3);
        near("u", at(&recording, "u", t), u, 1e-3);
    }
}

#[test]
fn a_theta_neuron_fires_with_the_square_root_of_its_excitability() {
    for eta in [0.25f64, 1.0, 4.0] {
        let mut model = shipped("theta_neuron");
        set(&mut model, &[("eta", eta)]);
        let recording = run(&model);
        for t in [0.0, 1.0, 20.0, 49.95] {
            // tan(theta/2) = sqrt(eta) tan(sqrt(eta) t): both angles pass pi/2 + n pi together.
            let angle = eta.sqrt() * t;
            let turns = (angle / PI).round();
            let theta = 2.0 * ((eta.sqrt() * (angle - turns * PI).tan()).atan() + turns * PI);
            near("theta", at(&recording, "theta", t), theta, 1e-6);
        }
    }
    let mut model = shipped("theta_neuron");
    set(&mut model, &[("eta", -1.0)]);
    near("theta at rest", last(&run(&model), "theta"), -PI / 2.0, 1e-9);
}

#[test]
fn kuramoto_oscillators_lock_below_and_drift_above_the_critical_difference() {
    let locked = run(&shipped("kuramoto"));
    near("phase difference", last(&locked, "b") - last(&locked, "a"), 0.5f64.asin(), 1e-9);
    near("mean phase", (last(&locked, "b") + last(&locked, "a")) / 2.0, 11.0 * 9.99, 1e-9);

    // The difference runs through 2 pi in 2 pi / sqrt(D^2 - (2 K)^2), here for D = 5, 2 K = 4.
    let mut model = shipped("kuramoto");
    set(&mut model, &[("b/phase/omega", 15.0)]);
    let drifting = run(&model);
    let difference = |t: f64| at(&drifting, "b", t) - at(&drifting, "a", t);
    let tan = |t: f64| (difference(t) / 2.0).tan();
    for t in [0.5f64, 1.0, 1.5] {
        // The solution that starts at 0, from separating the variables.
        let x = (1.5 * t).tan();
        near("tan(d/2)", tan(t), 5.0 * x / (3.0 + 4.0 * x), 1e-6 * (1.0 + tan(t).powi(2)));
    }
    // Four times 2 pi / 3 are 8.378.
    assert!((difference(8.37) < 8.0 * PI) && (difference(8.38) > 8.0 * PI));

    let yaml = "
        net:
          base: CircuitTemplate
          nodes: {a: kuramoto/oscillator, b: kuramoto/oscillator}
          edges:
            - [a/phase/theta, b/phase/s, kuramoto/pull_edge, {weight: -4.0, from: source, to: b/phase/theta}]
            - [b/phase/theta, a/phase/s, kuramoto/pull_edge, {weight: -4.0, from: source, to: a/phase/theta}]
    ";
    let model = support::load(&MemoryLibrary::new().with("two.yaml", yaml), "two.yaml", None);
    let outputs = [("a", "a/phase/theta"), ("b", "b/phase/theta")];
    let pulse = Pulse { path: "a/phase/I", value: 1.0, from: 0.0, to: 0.1 };
    Golden { case: "kuramoto_two", outputs: &outputs, pulse: Some(pulse) }.compare(model);
}

#[test]
fn the_order_parameter_grows_to_its_closed_form() {
    let mut model = shipped("kuramoto_order_parameter");
    set(&mut model, &[("K", 4.0)]);
    let recording = run(&model);
    // |z|^2 obeys a logistic equation with rate K - 2 Delta = 2 and limit 1 - 2 Delta/K = 1/2.
    for t in [0.5, 1.0, 2.0, 9.9] {
        let (re, im) = (at(&recording, "z.re", t), at(&recording, "z.im", t));
        let start: f64 = 0.26;
        let square = 0.5 / (1.0 + (0.5 / start - 1.0) * (-2.0 * t).exp());
        near("|z|^2", re * re + im * im, square, 1e-8);
        let phase = 0.1f64.atan2(0.5) + 10.0 * t;
        near("direction", re * phase.sin() - im * phase.cos(), 0.0, 1e-6);
    }
    let outputs = [("z", "z")];
    Golden { case: "kuramoto_order_parameter", outputs: &outputs, pulse: None }
        .compare(shipped("kuramoto_order_parameter"));
}

#[test]
fn a_stuart_landau_oscillator_follows_its_closed_form() {
    let recording = run(&shipped("stuart_landau"));
    for t in [0.5, 2.0, 5.0, 19.95] {
        // |z|^2 is logistic with rate 2 mu and limit mu, from 0.01.
        let radius = (1.0 / (1.0 + 99.0 * f64::exp(-2.0 * t))).sqrt();
        near("z.re", at(&recording, "z.re", t), radius * (2.0 * t).cos(), 1e-8);
        near("z.im", at(&recording, "z.im", t), radius * (2.0 * t).sin(), 1e-8);
    }
}

#[test]
fn van_der_pol_has_its_known_period_and_amplitude() {
    let mut model = shipped("van_der_pol");
    model.settings.sample_every = None;
    model.settings.duration = Some(100.0);
    let recording = run(&model).since(30.0);
    let x = column(&recording, "x");
    near("period", 1.0 / frequency(&recording.times, x).unwrap(), 6.66328685932313, 1e-5);
    near("amplitude", peak_to_peak(x).unwrap() / 2.0, 2.008619860874843, 1e-5);
    let outputs = [("x", "x"), ("z", "z")];
    Golden { case: "vanderpol", outputs: &outputs, pulse: None }.compare(shipped("van_der_pol"));
}

#[test]
fn fitzhugh_nagumo_spikes_or_rests_as_its_current_says() {
    let mut model = shipped("fitzhugh_nagumo");
    model.settings.duration = Some(1000.0);
    model.settings.sample_every = None;
    let recording = run(&model).since(200.0);
    let v = column(&recording, "v");
    near("period", 1.0 / frequency(&recording.times, v).unwrap(), 39.4744149802, 1e-4);
    near("swing", peak_to_peak(v).unwrap(), 1.852117472683506 + 1.970406748055858, 1e-5);
    set(&mut model, &[("I", 0.0)]);
    let recording = run(&model);
    near("v at rest", last(&recording, "v"), -1.19940804, 1e-8);
    near("w at rest", last(&recording, "w"), -0.62426004, 1e-8);
    let outputs = [("v", "v"), ("w", "w")];
    Golden { case: "fitzhugh_nagumo", outputs: &outputs, pulse: None }.compare(shipped("fitzhugh_nagumo"));
}

#[test]
fn robertsons_reactions_follow_a_stiff_solver() {
    let recording = run(&shipped("robertson"));
    let expected = support::golden::numbers("robertson_stiff");
    for name in ["a", "b", "c"] {
        let (found, expected) = (column(&recording, name), &expected[&format!("{name}@lsoda")]);
        assert_eq!(found.len(), expected.len());
        let scale = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        for (t, (x, y)) in recording.times.iter().zip(found.iter().zip(expected)) {
            near(&format!("{name}({t})"), *x, *y, 1e-6 * scale);
        }
    }
    let sum = last(&recording, "a") + last(&recording, "b") + last(&recording, "c");
    near("sum of the concentrations", sum, 1.0, 1e-12);
}

#[test]
fn a_linear_network_turns_and_decays() {
    let recording = run(&shipped("linear"));
    for t in [0.5, 3.0, 19.95] {
        let decay = f64::exp(-t / 5.0);
        near("x[0]", at(&recording, "x[0]", t), decay * f64::cos(2.0 * t), 1e-8);
        near("x[1]", at(&recording, "x[1]", t), decay * f64::sin(2.0 * t), 1e-8);
    }
}

#[test]
fn leaky_integrators_follow_an_independent_solver() {
    let recording = run(&shipped("leaky_integrator_tanh"));
    let expected = [
        (5.0, [-0.01447536, -0.08242327, 0.10512672]),
        (20.0, [0.39914233, -0.40798499, 0.01448512]),
        (100.0, [1.05280543, 0.95656562, -2.18559522]),
    ];
    for (t, v) in expected {
        for (i, v) in v.into_iter().enumerate() {
            near("v", at(&recording, &format!("v[{i}]"), t), v, 1e-7);
        }
    }
    let recording = run(&shipped("leaky_integrator_sigmoid"));
    for (t, v0, v1) in
        [(5.0, 0.11446833, -0.09705821), (20.0, 0.94310381, -0.94299433), (199.0, 4.92811894, -4.92811894)]
    {
        near("v[0]", at(&recording, "v[0]", t), v0, 1e-7);
        near("v[1]", at(&recording, "v[1]", t), v1, 1e-7);
    }
}

#[test]
fn networks_of_leaky_integrators_follow_the_golden_trajectories() {
    for case in ["li_tanh", "li_sigmoid"] {
        let (model, golden) = support::networks::leaky_integrators(case);
        let recording = run(&model);
        assert_eq!(recording.times.len(), golden.rows);
        for i in 0..5 {
            for (found, expected) in column(&recording, &format!("v[{i}]")).iter().zip(golden.column(5 + i)) {
                near(case, *found, expected, 1e-12);
            }
        }
    }
}

#[test]
fn every_template_runs_as_it_is_and_says_where_it_comes_from() {
    let mut faults = Vec::new();
    for (file, text) in SHIPPED_TEMPLATES {
        let path = format!("{}/templates/{file}", env!("CARGO_MANIFEST_DIR"));
        let comment: Vec<&str> = text.lines().take_while(|l| l.starts_with('#')).collect();
        let year = |line: &&str| line.split(['(', ')', ' ', ',']).any(|w| w.len() == 4 && w.parse::<u16>().is_ok());
        if !comment.iter().any(year) {
            faults.push(format!("{file}: no citation with a year"));
        }
        match Model::load(&FileLibrary::new(), &path, None) {
            Err(fault) => faults.push(format!("{file}: {fault}")),
            Ok(model) => {
                if !model.warnings.0.is_empty() {
                    faults.push(format!("{file}: {}", Error::model(model.warnings.clone(), &model.sources)));
                }
                match model.simulation() {
                    Err(fault) => faults.push(format!("{file}: {fault}")),
                    Ok(mut prepared) => {
                        let mut recording = Recording::new(prepared.simulation.labels());
                        let done =
                            prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
                        faults.extend(done.err().map(|fault| format!("{file}: {fault}")));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
