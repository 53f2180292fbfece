//! Golden models on a graphics processor, in single precision.

use nullcline::Engine;
use nullcline::compiler::kernel::ir::Module;
use nullcline::runtime::artifact::{DeviceError, Executable};
use nullcline::runtime::observe::Recording;

use super::bounds::{Bounds, WHOLE};
use super::device;
use super::promises::{REFERENCE, Start, USELESS};
use super::support::networks::Train;
use super::support::runs::{Run, runs};

/// Steps of each model that are compared with the bounds of the language.
const STEPS: u64 = 400;

fn sample(module: Module, seed: u64) -> Result<Box<dyn Executable>, DeviceError> {
    Ok(Box::new(Bounds::sample(module, seed)))
}

/// Runs that the language allows, see `tests/support/bounds.rs`.
static SAMPLES: [Engine; 3] = [
    Engine { name: "first sample", target: &WHOLE, device: "cpu", load: |module, _| sample(module, 1), doc: "" },
    Engine { name: "second sample", target: &WHOLE, device: "cpu", load: |module, _| sample(module, 2), doc: "" },
    Engine { name: "third sample", target: &WHOLE, device: "cpu", load: |module, _| sample(module, 3), doc: "" },
];

/// The golden models with what the device recorded, and what is left out.
struct Device {
    engine: &'static Engine,
    runs: Vec<Run>,
    skipped: usize,
}

fn golden() -> Option<Device> {
    device()?;
    let (mut runs, left_out) = runs();
    for (name, why) in &left_out {
        println!("skipped: {name}, it {why}");
    }
    for run in &mut runs {
        run.model.settings.precision = Some(run.model.name("precision", "f32"));
    }
    Some(Device { engine: Engine::lookup("wgpu").unwrap(), runs, skipped: left_out.len() })
}

/// The first steps of every golden model lie within the bounds of the language around the processor's, spikes are equal where
/// none is decided by rounding.
#[test]
fn golden_models_stay_within_what_the_language_promises() {
    let Some(Device { engine, runs, skipped }) = golden() else { return };
    let (mut compared, mut undecided, mut spikes) = ([0; 2], [0; 2], 0);
    for run in &runs {
        let start = Start { name: &run.name, model: &run.model, history: run.history, steps: STEPS };
        let tally = start.compare(engine);
        let kind = usize::from(run.spikes.is_some());
        assert!(tally.compared > 0, "{}: nothing is compared", run.name);
        compared[kind] += tally.compared;
        undecided[kind] += tally.undecided;
        spikes += tally.spikes;
    }
    println!(
        "{} runs, {skipped} left out: {compared:?} numbers within bounds (rates, spiking), {undecided:?} undecided, {spikes} spikes",
        runs.len()
    );
    assert!(runs.len() >= 80 && spikes > 20, "{} runs, {spikes} spikes", runs.len());
    assert!(compared[0] > undecided[0] && 2 * compared[1] > undecided[1], "{compared:?}, {undecided:?}");
}

/// How much further from the golden numbers than the samples a device may be. Errors of runs that the language allows are sums
/// of many small ones: the largest of three samples hardly ever stays below a fourth of another run's.
const FURTHER: f64 = 4.0;

/// What was found of a run.
#[derive(Default, Debug)]
struct Found {
    /// Numbers within their tolerance, and how far off the worst was, in parts of its column's largest.
    numbers: usize,
    worst: f64,
    /// Spikes in their step or as near as the samples have them, and those in their step.
    spikes: usize,
    exact: usize,
    /// Numbers and spikes of which single precision says nothing: samples lie apart by more than `USELESS`.
    undecided: usize,
    /// The first step from which on a spike of the device is not where the golden one is.
    slip: Option<i64>,
}

impl Found {
    /// Compares spikes, of each unit the first, the second ..: they may slip by a step, and further as the samples' do.
    fn spikes(
        &mut self,
        run: &Run,
        (train, expected): (&Train, &[(i64, u32)]),
        found: &Recording,
        samples: &[Recording],
    ) {
        let units = expected.iter().map(|(_, unit)| unit + 1).max().unwrap_or(0);
        let by_unit = |all: &[(i64, u32)]| -> Vec<Vec<i64>> {
            let own = |unit| all.iter().filter(|s| s.1 == unit).map(|s| s.0).collect();
            (0..units).map(own).collect()
        };
        let (found, samples): (_, Vec<_>) =
            (by_unit(&train.found(found)), samples.iter().map(|s| by_unit(&train.found(s))).collect());
        let last = (run.model.settings.duration.unwrap() / run.model.settings.dt.unwrap()).round() as i64;
        let (mut counts, mut apart) = (vec![0; units as usize], 0);
        let own = by_unit(expected);
        for (at, (step, unit)) in expected.iter().enumerate() {
            let unit = *unit as usize;
            let k = counts[unit];
            counts[unit] += 1;
            // A spike that is missing may come after the end.
            let place = |spikes: &[Vec<i64>]| spikes[unit].get(k).copied().unwrap_or(last);
            apart = samples.iter().fold(apart, |most, sample| most.max((place(sample) - step).abs()));
            let allowed = FURTHER as i64 * apart + 1;
            let before = k.checked_sub(1).map_or(i64::MAX, |before| step - own[unit][before]);
            let after = own[unit].get(k + 1).map_or(i64::MAX, |after| after - step);
            if allowed > before.min(after) / 2 {
                println!("skipped: {}, spikes from step {step} on: rounding decides", run.name);
                self.undecided += expected.len() - at;
                return;
            }
            let here = place(&found);
            assert!(
                (here - step).abs() <= allowed,
                "{}: spike {k} of {unit} in {here}, expected {step} +- {allowed}",
                run.name
            );
            if here != *step {
                self.slip = Some(self.slip.unwrap_or(i64::MAX).min(here).min(*step));
            }
            self.spikes += 1;
            self.exact += usize::from(here == *step);
        }
        for (found, own) in found.iter().zip(&own) {
            let late = |spike: &i64| *spike >= last - FURTHER as i64 * apart - 1;
            assert!(found[own.len().min(found.len())..].iter().all(late), "{}: more spikes than expected", run.name);
        }
    }

    /// Compares the known numbers of a column: no further than the samples were up to there.
    ///
    /// Samples round to either side; rounding to the nearest number loses increments of less than half a unit in the last place
    /// in every step, all to one side. So the reference, which rounds so, is a sample too, as far as such losses explain it.
    fn column(&mut self, run: &Run, (name, known): (&str, &[(usize, f64)]), found: &[f64], samples: &[&[f64]]) {
        let (every, dt) = (run.model.settings.sample_every, run.model.settings.dt.unwrap());
        let every = every.map_or(1, |every| (every / dt).round() as i64);
        let scale = known.iter().fold(f64::from(f32::MIN_POSITIVE), |most, (_, v)| most.max(v.abs()));
        // The numbers themselves are rounded to single precision.
        let mut apart = f64::from(f32::EPSILON) * scale / FURTHER;
        for (at, (row, expected)) in known.iter().enumerate() {
            let [nearest, samples @ ..] = samples else { unreachable!() };
            let lost = (*row as i64 * every) as f64 * f64::from(f32::EPSILON) / 2.0 * scale;
            apart = apart.max((nearest[*row] - expected).abs().min(lost));
            apart = samples.iter().fold(apart, |most, sample| most.max((sample[*row] - expected).abs()));
            let tolerance = FURTHER * apart;
            let slipped = self.slip.is_some_and(|slip| *row as i64 * every >= slip);
            if slipped || tolerance.is_nan() || tolerance > USELESS * scale {
                self.undecided += known.len() - at;
                return;
            }
            let off = (found[*row] - expected).abs();
            assert!(
                off <= tolerance,
                "{}: {name}, row {row}: {} instead of {expected} +- {tolerance:e}",
                run.name,
                found[*row]
            );
            self.worst = self.worst.max(off / scale);
            self.numbers += 1;
        }
    }
}

/// Whole recordings have the rows and labels of the processor's, and the numbers and spikes that other tools computed in double
/// precision, as far as single precision has them.
#[test]
fn golden_models_have_the_numbers_of_other_tools_in_single_precision() {
    let Some(Device { engine, runs, skipped }) = golden() else { return };
    let mut all = [Found::default(), Found::default()];
    for run in &runs {
        let (found, here) = (run.record(engine), run.record(Engine::auto()));
        assert_eq!((&found.labels, &found.times), (&here.labels, &here.times), "{}", run.name);
        let lengths = |recording: &Recording| recording.columns.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(&found), lengths(&here), "{}", run.name);
        let events = |recording: &Recording| recording.spikes.iter().map(|s| s.label.clone()).collect::<Vec<_>>();
        assert_eq!(events(&found), events(&here), "{}", run.name);

        let [a, b, c] = &SAMPLES;
        let samples = [&REFERENCE, a, b, c].map(|sample| run.record(sample));
        let mut own = Found::default();
        if let Some((train, expected)) = &run.spikes {
            own.spikes(run, (train, expected), &found, &samples);
        }
        for (name, known) in &run.columns {
            let column = |recording: &'_ Recording| recording.column(name).map(<[f64]>::to_vec);
            let Some(found) = column(&found) else { panic!("{}: no column `{name}`", run.name) };
            let samples = samples.each_ref().map(|sample| column(sample).unwrap());
            own.column(run, (name, known), &found, &samples.each_ref().map(|s| &s[..]));
        }
        println!("{}: {own:?}", run.name);
        assert!(own.numbers > 0, "{}: nothing is compared", run.name);
        let kind = &mut all[usize::from(run.spikes.is_some())];
        kind.numbers += own.numbers;
        kind.worst = kind.worst.max(own.worst);
        kind.spikes += own.spikes;
        kind.exact += own.exact;
        kind.undecided += own.undecided;
    }
    let [rates, spiking] = &all;
    println!("{} runs, {skipped} left out; rates: {rates:?}; spiking: {spiking:?}", runs.len());
    // Single precision has all of these numbers, and rounding decides about few spikes, if any.
    assert!(rates.numbers > 60_000 && rates.undecided == 0, "{rates:?}");
    assert!(spiking.numbers + spiking.spikes > 20 * spiking.undecided && spiking.spikes > 2000, "{spiking:?}");
}
