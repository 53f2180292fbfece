//! Rows that stay on the device, and what is asked of them.

use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::observe::{spectral_peak, spectral_peaks, sustained_frequencies, sustained_frequency};
use nullcline::{Interrupt, Model, Schedule};

use super::interpreter::INTERPRETERS;

/// `x = cos(2 pi f t)`, growing or shrinking.
const SPIRAL: &str = "
op:
  base: OperatorTemplate
  equations: [\"x' = g*x - 2*pi*f*y\", \"y' = g*y + 2*pi*f*x\"]
  variables: {x: output(1.0), y: variable(0.0), f: 1.0, g: -0.1}
cell: {base: NodeTemplate, operators: [op]}
simulate: {duration: 8.0, dt: 0.02, scheme: heun}
";

/// Sums, extremes, frequencies and spectral peaks of kept rows have the bits of those of recorded rows, in portions, after a
/// cutoff, with a row at the end and without.
#[test]
fn kept_rows_are_measured_as_recorded_rows_are() {
    let library = MemoryLibrary::new().with("m.yaml", SPIRAL);
    let (mut oscillating, mut resting, mut peaks) = (0, 0, 0);
    for precision in ["f32", "f64"] {
        let mut model = Model::load(&library, "m.yaml", None).unwrap_or_else(|e| panic!("{e}"));
        model.settings.precision = Some(model.name("precision", precision));
        // The last ones do not turn, or shrink too fast.
        let values = [("f", vec![0.5, 1.0, 1.7, 2.3, 0.0, 1.0]), ("g", vec![0.0, -0.1, 0.1, -0.05, -0.5, -2.0])];
        let members = values[0].1.len();
        for engine in &INTERPRETERS {
            let batch = model.batch_on(&values, engine).unwrap_or_else(|e| panic!("{e}"));
            for (steps, every, cutoff, include_end) in [(400, 1, 0.0, false), (395, 5, 1.0, true)] {
                let schedule = Schedule { steps, every, cutoff, include_end };
                let mut simulation = batch.simulation(0..members).unwrap().simulation;
                let mut recording = simulation.recording();
                simulation.run(&schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
                let mut simulation = batch.simulation(0..members).unwrap().simulation;
                simulation.keep(&schedule, true).unwrap();
                let (_, times) = simulation.run_keeping(&schedule, &mut |_| Interrupt::Continue).unwrap();
                assert_eq!(times, recording.times);
                let kept = simulation.kept().unwrap();
                let totals = kept.totals(3..times.len()).unwrap();
                let half = times.len() / 2;
                let interval = (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64;
                let spectra = spectral_peaks(kept, interval).unwrap();
                let found = sustained_frequencies(kept, half..times.len(), &times[half..]).unwrap();
                for (column, values) in recording.columns.iter().enumerate() {
                    let fold = |f: fn(f64, f64) -> f64, from| values[3..].iter().fold(from, |a, b| f(a, *b));
                    let expected =
                        [fold(|a, b| a + b, 0.0), fold(f64::min, f64::INFINITY), fold(f64::max, -f64::INFINITY)];
                    assert_eq!([totals.sums[column], totals.lowest[column], totals.highest[column]], expected);
                    let expected = sustained_frequency(&times[half..], &values[half..]);
                    assert_eq!(found[column], expected, "{precision}, {}, column {column}", engine.name);
                    oscillating += usize::from(expected.is_some());
                    resting += usize::from(expected.is_none());
                    let expected = spectral_peak(interval, values);
                    assert_eq!(spectra[column], expected, "{precision}, {}, column {column}", engine.name);
                    peaks += usize::from(expected.is_some());
                }
            }
        }
    }
    assert!(oscillating >= 24 && resting >= 16, "{oscillating} oscillate, {resting} do not");
    assert!(peaks >= 40, "{peaks} columns have a spectrum");
}

/// More columns than are transformed at a time.
#[test]
fn spectra_are_found_column_by_column() {
    const COLUMNS: usize = (1 << 20) / 16 + 3;
    let library = MemoryLibrary::new().with("m.yaml", SPIRAL);
    let mut model = Model::load(&library, "m.yaml", None).unwrap_or_else(|e| panic!("{e}"));
    model.settings.precision = Some(model.name("precision", "f32"));
    let values: Vec<f64> = (0..COLUMNS).map(|column| 4.0 + 8.0 * column as f64 / COLUMNS as f64).collect();
    let batch = model.batch_on(&[("f", values)], &INTERPRETERS[0]).unwrap_or_else(|e| panic!("{e}"));
    let schedule = Schedule { steps: 8, every: 1, cutoff: 0.0, include_end: false };
    let mut simulation = batch.simulation(0..COLUMNS).unwrap().simulation;
    let mut recording = simulation.recording();
    simulation.run(&schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    let mut simulation = batch.simulation(0..COLUMNS).unwrap().simulation;
    simulation.keep(&schedule, true).unwrap();
    simulation.run_keeping(&schedule, &mut |_| Interrupt::Continue).unwrap();
    let found = spectral_peaks(simulation.kept().unwrap(), 0.02).unwrap();
    let expected: Vec<Option<f64>> = recording.columns.iter().map(|values| spectral_peak(0.02, values)).collect();
    assert!(expected.len() == COLUMNS && expected.iter().all(Option::is_some));
    assert_ne!(expected[COLUMNS - 1], expected[0], "frequencies differ");
    assert!(found == expected, "column {:?}", found.iter().zip(&expected).position(|(a, b)| a != b));
}
