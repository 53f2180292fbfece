//! Rows that stay on the device, and what is asked of them.

use nullcline::runtime::artifact::{Frame, Levels};
use nullcline::runtime::observe::{spectral_peak, spectral_peaks, sustained_frequencies, sustained_frequency};
use nullcline::{Batch, Engine, Interrupt, Prepared, Schedule};

use super::{device, single};

/// Columns at levels apart, some of which oscillate.
fn batch(precision: &str) -> Batch {
    let mut model = single("templates/jansen_rit");
    model.settings.precision = Some(model.name("precision", precision));
    let values: Vec<f64> = (0..70).map(|i| 60.0 + 4.0 * f64::from(i)).collect();
    model.batch_on(&[("p", values)], Engine::lookup("wgpu").unwrap()).unwrap_or_else(|e| panic!("{e}"))
}

/// Rows by column with their times, in schedules that end with a row and without, with and without a cutoff.
fn recorded(batch: &Batch, schedule: &Schedule) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut simulation = batch.simulation(0..70).unwrap().simulation;
    let mut recording = simulation.recording();
    simulation.run(schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    (recording.times, recording.columns)
}

fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)))
}

fn precisions(double: bool) -> &'static [&'static str] {
    if double { &["f32", "f64"] } else { &["f32"] }
}

const SCHEDULES: [(u64, u64, f64, bool); 4] =
    [(20_000, 10, 0.0, false), (14_005, 35, 0.0, true), (15_000, 20, 0.5, true), (9000, 4500, 0.0, true)];

#[test]
fn kept_rows_are_measured_as_recorded_rows_are() {
    let Some((_, double)) = device() else { return };
    let (mut oscillating, mut resting, mut worst) = (0, 0, 0f64);
    for precision in precisions(double) {
        let batch = batch(precision);
        for (steps, every, cutoff, include_end) in SCHEDULES {
            let schedule = Schedule { steps, every, cutoff, include_end };
            let (times, columns) = recorded(&batch, &schedule);
            let Prepared { mut simulation, .. } = batch.simulation(0..70).unwrap();
            simulation.keep(&schedule, true).unwrap();
            let (summary, kept_times) = simulation.run_keeping(&schedule, &mut |_| Interrupt::Continue).unwrap();
            assert_eq!((summary.rows as usize, &kept_times), (times.len(), &times));
            let kept = simulation.kept().unwrap();
            assert_eq!(kept.rows(), times.len());

            // Sums of two numbers each: as `totals_are_those_of_the_rows` derives.
            let totals = kept.totals(1..times.len()).unwrap();
            for (column, values) in columns.iter().enumerate() {
                let values = &values[1..];
                let (lowest, highest) = range(values);
                assert_eq!((totals.lowest[column], totals.highest[column]), (lowest, highest));
                let rows = values.len() as f64;
                let part = if *precision == "f32" { rows * rows * 2f64.powi(-48) } else { rows * 2f64.powi(-52) };
                let sum: f64 = values.iter().sum();
                assert!((totals.sums[column] - sum).abs() <= part * rows * lowest.abs().max(highest.abs()));
            }

            // The same rises, so the same numbers.
            let half = times.len() / 2;
            let found = sustained_frequencies(kept, half..times.len(), &times[half..]).unwrap();
            for (found, values) in found.iter().zip(&columns) {
                let expected = sustained_frequency(&times[half..], &values[half..]);
                assert_eq!(*found, expected, "{precision}, every {every}");
                oscillating += usize::from(expected.is_some());
                resting += usize::from(expected.is_none());
            }

            // A transform errs by some units in the last place of the whole spectrum's root mean square for each of its passes
            // (N. Higham, "Accuracy and stability of numerical algorithms", section 24.1); the top of the parabola moves by as
            // small a part of a bin. The processor's mean errs by as many roundings as there are rows, which weigh the more
            // the smaller the swing around it is; what is left of the mean is in the lowest bins.
            let interval = (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64;
            let bin = 1.0 / (interval * (2 * times.len()).next_power_of_two() as f64);
            let passes = (2.0 * times.len() as f64).log2().ceil();
            let unit = if *precision == "f32" { f64::from(f32::EPSILON) } else { f64::EPSILON };
            for (found, values) in spectral_peaks(kept, interval).unwrap().iter().zip(&columns) {
                match (*found, spectral_peak(interval, values)) {
                    (None, None) => {}
                    (Some(found), Some(expected)) => {
                        let (lowest, highest) = range(values);
                        let left =
                            times.len() as f64 * f64::EPSILON * highest.abs().max(lowest.abs()) / (highest - lowest);
                        worst = worst.max((found - expected).abs() / bin / (unit + left));
                        let near = (found - expected).abs() <= 4.0 * passes * (unit + left) * bin;
                        assert!(near, "{precision}, every {every}: {found} is not {expected}, {left:e}");
                    }
                    (found, expected) => panic!("{found:?} is not {expected:?}"),
                }
            }
        }
    }
    println!("{oscillating} oscillate, {resting} do not; peaks are off by {worst} roundings");
    assert!(oscillating > 50 && resting > 50, "{oscillating} oscillate, {resting} do not");
}

#[test]
fn rows_that_are_not_kept_and_rows_without_room_are_refused() {
    let Some((device, _)) = device() else { return };
    let batch = batch("f32");
    let schedule = Schedule { steps: 10, every: 1, cutoff: 0.0, include_end: false };
    let Prepared { mut simulation, .. } = batch.simulation(0..70).unwrap();
    assert!(simulation.run_keeping(&schedule, &mut |_| Interrupt::Continue).is_err(), "no room was asked for");
    let most = device.limits().binding_bytes;
    let long = Schedule { steps: most / 4, ..schedule };
    let refused = simulation.keep(&long, false).unwrap_err().to_string();
    assert!(refused.contains("in one piece") && refused.contains(&most.to_string()), "{refused}");
    // Rows that fit, but not the transform of a column.
    let batch =
        single("templates/jansen_rit").batch_on(&[("p", vec![220.0])], Engine::lookup("wgpu").unwrap()).unwrap();
    let mut one = batch.simulation(0..1).unwrap().simulation;
    let long = Schedule { steps: most / 16, ..schedule };
    one.keep(&long, false).unwrap();
    let refused = one.keep(&long, true).unwrap_err().to_string();
    assert!(refused.contains("spectra") && refused.contains("in one piece"), "{refused}");

    simulation.keep(&schedule, true).unwrap();
    simulation.run_keeping(&schedule, &mut |_| Interrupt::Continue).unwrap();
    let kept = simulation.kept().unwrap();
    let levels = vec![Levels { low: 0.0, middle: 0.0 }; 70];
    let frames = vec![Frame { mean: 0.0, scale: 1.0 }; 70];
    assert!(kept.totals(5..5).is_err() && kept.rises(0..11, &levels).is_err() && kept.peaks(3..12, &frames).is_err());
    let more = simulation.run_keeping(&schedule, &mut |_| Interrupt::Continue).unwrap_err().to_string();
    assert!(more.contains("room for 10 rows"), "{more}");
}
