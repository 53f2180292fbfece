//! The known behaviour of every shipped template. Expected numbers are from the papers, from closed forms, from an
//! independent solver (SciPy's DOP853 at relative tolerance 1e-12) or from the golden trajectories.
#![allow(clippy::unwrap_used)]

mod support;

use nullcline::compiler::template::library::{FileLibrary, SHIPPED_TEMPLATES};
use nullcline::runtime::observe::{Recording, frequency, peak_to_peak};
use nullcline::{Error, Interrupt, Model};
use support::{at, column, near, rate_of_maxima, run, set, shipped};

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
    model.settings.duration = Some(800.0);
    model.settings.sample_every = None;
    let settled = run(&model).since(400.0);
    let period = 1.0 / frequency(&settled.times, column(&settled, "E")).unwrap();
    near("period", period, 39.967155505, 1e-5);
    let extent = |name: &str| {
        let values = column(&settled, name);
        (values.iter().copied().fold(f64::INFINITY, f64::min), values.iter().copied().fold(0.0, f64::max))
    };
    let (lowest, highest) = extent("E");
    near("lowest E", lowest, 0.102557420, 1e-7);
    near("highest E", highest, 0.269660957, 1e-7);
    let (lowest, highest) = extent("I");
    near("lowest I", lowest, 0.021742878, 1e-7);
    near("highest I", highest, 0.194475710, 1e-7);

    set(&mut model, &[("e/population/P", 0.0)]);
    model.settings.duration = Some(2000.0);
    let resting = run(&model);
    near("E at rest", *column(&resting, "E").last().unwrap(), 0.0, 1e-12);
    near("I at rest", *column(&resting, "I").last().unwrap(), 0.0, 1e-12);
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
        near("r", *column(&run(&model), "r").last().unwrap(), equilibrium, 1e-6);
    }
}

#[test]
fn the_shipped_library_is_the_directory() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut files: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    files.sort();
    let shipped: Vec<&str> = SHIPPED_TEMPLATES.iter().map(|(name, _)| *name).collect();
    assert_eq!(shipped, files, "compiler/src/template/library/shipped.rs lists the files of templates/ in order");
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
