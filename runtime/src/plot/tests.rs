//! Pictures as a user meets them. What they look like was judged by eye; here is what must not break unseen.

use super::*;
use crate::observe::{Label, Sink, Spikes};
use panel::Kind;
use std::f64::consts::TAU;
use std::fs;
use tempfile::TempDir;

fn recorded(labels: Vec<Label>, rows: usize, dt: f64, values: impl Fn(f64, usize) -> f64) -> Recording {
    let mut recording = Recording::new(labels);
    for row in 0..rows {
        let time = row as f64 * dt;
        let values: Vec<f64> = (0..recording.columns.len()).map(|column| values(time, column)).collect();
        recording.row(time, &values).unwrap();
    }
    recording
}

/// Spikes at a rate that goes up and down, by a congruential generator (D. Knuth, volume 2, section 3.3.4).
fn train(name: &str, units: u32, until: f64, rate: f64) -> Spikes {
    let mut state = 1u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut spikes = Spikes::new(Label::new(name).in_group("spike"), units as usize);
    let steps = (until / 0.1) as usize;
    for step in 0..steps {
        let time = step as f64 * 0.1;
        let expected = f64::from(units) * rate * 0.1 * (1.0 + (time * 0.2).sin());
        for _ in 0..(expected + uniform()) as usize {
            spikes.times.push(time);
            spikes.ids.push((uniform() * f64::from(units)) as u32);
        }
    }
    spikes
}

fn elements(count: usize) -> Vec<Label> {
    (0..count).map(|index| Label::new(format!("x[{index}]")).in_group("x")).collect()
}

fn drawn(recording: &Recording) -> String {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("plot.svg");
    save(recording, &path, &Options::default()).unwrap();
    fs::read_to_string(path).unwrap()
}

fn fault(recording: &Recording, name: &str) -> String {
    let directory = TempDir::new().unwrap();
    let fault = save(recording, directory.path().join(name), &Options::default()).unwrap_err();
    fault.to_string().replace(&format!("{}/", directory.path().display()), "")
}

/// Pictures to look at: `cargo test -p nullcline-runtime gallery` leaves them under `target/plots`.
#[test]
fn gallery_is_drawn_in_both_formats() {
    let sine = recorded(vec![Label::new("psp").with_unit("mV")], 2000, 1e-3, |t, _| 5.0 * (TAU * 3.0 * t).sin());
    let units = vec![Label::new("r").with_unit("Hz"), Label::new("v").with_unit("mV"), Label::new("s")];
    let two_units = recorded(units, 3000, 1e-2, |t, column| match column {
        0 => 80.0 * (-t / 9.0).exp() * (1.0 + (3.0 * t).sin()),
        1 => -65.0 + 0.004 * (2.0 * t).cos(),
        _ => 1e-5 * t,
    });
    let mut heat = elements(20);
    heat.iter_mut().for_each(|label| label.unit = Some("rad".into()));
    heat.push(Label::new("order parameter"));
    let heat = recorded(heat, 1500, 2e-2, |t, column| match column {
        20 => 1.0 - (-t / 10.0).exp(),
        _ => (t * (1.0 + column as f64 * 0.05)).sin(),
    });
    let spikes = recorded(vec![Label::new("v").with_unit("mV")], 400_000, 1e-5, |t, _| {
        if (t * 20.0).fract() < 2e-4 { 30.0 } else { -65.0 + 15.0 * (t * 20.0).fract() }
    });
    let eight =
        recorded(elements(8), 1000, 0.1, |t, column| (t * 0.1 + column as f64 * 0.4).sin() + column as f64 * 0.1);
    let gaps = recorded(vec![Label::new("a"), Label::new("constant")], 100, 1.0, |t, column| match column {
        0 if t % 10.0 < 3.0 => f64::NAN,
        0 if t == 55.0 => f64::INFINITY,
        0 if t % 2.0 < 1.0 && t > 80.0 => f64::NAN,
        0 => t.sqrt(),
        _ => 2.1027,
    });
    let names = [
        "a_rather_long_name_of_a_variable_which_somebody_chose/in/a/circuit/of/circuits",
        "short",
        "another_rather_long_name_which_wraps",
    ];
    let long = names.map(|name| Label::new(name).with_unit("spikes/s/neuron"));
    let long = recorded(long.to_vec(), 300, 1e-5, |t, column| 1e7 + 1e6 * (t * 3000.0 + column as f64).sin());
    let dense = elements(300)
        .into_iter()
        .chain((0..5).map(|index| Label::new(format!("u{index}")).with_unit(index.to_string())));
    let dense = recorded(dense.collect(), 5000, 0.1, |t, column| match column {
        0..300 if (t * 1.3 + column as f64 * 7.77).sin() > 0.999 => 1.0,
        0..300 => 0.0,
        _ => (t * column as f64 * 1e-3).sin() * 10f64.powi(column as i32 - 302),
    });
    let network = recorded(vec![Label::new("v").with_unit("mV")], 3000, 0.1, |t, _| -60.0 + (t * 0.2).sin())
        .with_events(vec![train("spike[e]", 3200, 300.0, 0.01), train("spike[i]", 800, 300.0, 0.02)]);
    let few = Recording::new(vec![]).with_events(vec![train("spike", 12, 100.0, 0.05)]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/plots");
    fs::create_dir_all(&folder).unwrap();
    let gallery = [
        ("sine", sine),
        ("two_units", two_units),
        ("heat", heat),
        ("spikes", spikes),
        ("eight", eight),
        ("gaps", gaps),
        ("long", long),
        ("dense", dense),
        ("network", network),
        ("few", few),
    ];
    for (name, recording) in gallery {
        for extension in ["svg", "png"] {
            let path = folder.join(format!("{name}.{extension}"));
            let options =
                Options { title: Some(format!("{name}: a test <picture> & more")), time_unit: Some("s".into()) };
            save(&recording, &path, &options).unwrap();
            let size = fs::metadata(path).unwrap().len();
            assert!((2_000..1_000_000).contains(&size), "{name}.{extension}: {size} bytes");
        }
    }
}

#[test]
fn groups_share_a_panel_only_when_unit_and_scale_agree() {
    let labels = vec![Label::new("a"), Label::new("b"), Label::new("c"), Label::new("d").with_unit("mV")];
    let recording = recorded(labels, 100, 0.1, |t, column| t.sin() * [1.0, 2.0, 100.0, 1.0][column]);
    let groups: Vec<Vec<String>> =
        panel::arrange(&recording, &Recording::default()).into_iter().map(|panel| panel.groups).collect();
    assert_eq!(groups, [vec!["a", "b"], vec!["c"], vec!["d"]]);
}

#[test]
fn more_than_eight_elements_are_an_image() {
    let kind = |count| panel::arrange(&recorded(elements(count), 10, 0.1, |t, _| t), &Recording::default())[0].kind;
    assert_eq!((kind(8), kind(9)), (Kind::Lines, Kind::Heat));
    assert!(drawn(&recorded(elements(9), 10, 0.1, |t, _| t)).contains("data:image/png;base64,iVBORw0KGgo"));
}

#[test]
fn the_largest_pictures_stay_below_a_megabyte() {
    let noise = |t: f64, column: usize| ((t * 1e4 + column as f64 * 77.7).sin() * 43758.5453).fract();
    let many_lines: Vec<Label> =
        (0..40).map(|index| Label::new(format!("x{index}")).with_unit(index.to_string())).collect();
    assert!(drawn(&recorded(many_lines, 20_000, 1e-3, noise)).len() < 1_000_000);
    assert!(drawn(&recorded(elements(500), 2_000, 1e-3, noise)).len() < 1_000_000);
}

#[test]
fn a_constant_has_an_axis_around_it() {
    for (value, limits) in [(2.0, (1.0, 3.0)), (-4.0, (-6.0, -2.0)), (0.0, (-1.0, 1.0))] {
        let recording = recorded(vec![Label::new("x")], 10, 0.1, |_, _| value);
        assert_eq!(panel::arrange(&recording, &Recording::default())[0].limits(), limits);
    }
}

#[test]
fn odd_recordings_are_drawn_without_panic() {
    for value in [f64::NAN, f64::INFINITY, f64::MAX, -f64::MAX, f64::MIN_POSITIVE, 5e-324, 1e-300, 1e300] {
        for count in [1, 3, 12] {
            for rows in [1, 2, 7] {
                let picture =
                    drawn(&recorded(
                        elements(count),
                        rows,
                        0.1,
                        |t, column| {
                            if column == 0 && t > 0.1 { 0.0 } else { value }
                        },
                    ));
                let numbers = picture.replace("no finite values", "");
                assert!(!numbers.contains("NaN") && !numbers.contains("inf\""), "{value} {count} {rows}");
            }
        }
    }
    let mut times = recorded(elements(1), 3, 0.1, |t, _| t);
    times.times = vec![f64::NAN, f64::INFINITY, 1.0];
    drawn(&times);
}

#[test]
fn names_are_escaped() {
    let picture = drawn(&recorded(vec![Label::new("a<b> & \u{1}c")], 3, 0.1, |t, _| t));
    assert!(picture.contains(">a&lt;b&gt; &amp; c</text>"));
}

#[test]
fn faults_say_what_failed_and_what_to_do() {
    let some = recorded(vec![Label::new("x")], 2, 0.1, |t, _| t);
    assert_eq!(
        fault(&some, "plot.pdf"),
        "cannot write `plot.pdf`: unknown extension `.pdf`, expected .svg or .png\n  help: write `plot.svg`"
    );
    assert_eq!(
        fault(&Recording::default(), "plot.svg"),
        "cannot write `plot.svg`: the recording has no columns and no events, so there is nothing to draw\n  help: record at least one variable: `--record NAME=path`"
    );
    assert_eq!(
        fault(&Recording::new(vec![Label::new("x")]), "plot.png"),
        "cannot write `plot.png`: the recording has no rows, so there is nothing to draw\n  help: make `--duration` longer than `--cutoff`"
    );
    assert_eq!(
        fault(&some, "no/plot.png"),
        "cannot write `no/plot.png`: directory `no` does not exist\n  help: create it: `mkdir -p no`"
    );
    let labels = (0..49).map(|index| Label::new(format!("x{index}")).with_unit(index.to_string())).collect();
    assert_eq!(
        fault(&recorded(labels, 2, 0.1, |t, _| t), "plot.svg"),
        "cannot write `plot.svg`: the recording needs 49 panels, expected at most 48\n  help: record fewer variables, or draw them from a table: `--out recording.csv`"
    );
}
