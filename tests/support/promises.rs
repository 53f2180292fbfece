//! A device against what its language promises: every recorded number lies within bounds of the reference's.

use nullcline::compiler::backend::wgsl::WGSL;
use nullcline::runtime::observe::Recording;
use nullcline::runtime::sim::RunError;
use nullcline::{Engine, Interrupt, Model, PreHistory};

use super::bounds::{Bounds, WHOLE};

/// The reference interpreter with the operations of the device.
pub static REFERENCE: Engine = Engine {
    name: "reference",
    target: &WGSL,
    device: "cpu",
    load: |module, index| (Engine::lookup("oracle").unwrap().load)(module, index),
    doc: "",
};

static BOUNDS: Engine = Engine {
    name: "bounds",
    target: &WHOLE,
    device: "cpu",
    load: |module, _| Ok(Box::new(Bounds::new(module))),
    doc: "",
};

/// Bounds wider than this part of a column's largest number say nothing.
pub const USELESS: f64 = 0.1;

/// The first steps of a model.
pub struct Start<'m> {
    /// Its name.
    pub name: &'m str,
    /// The model.
    pub model: &'m Model,
    /// What holds before time 0.
    pub history: PreHistory,
    /// Number of steps, a row after each.
    pub steps: u64,
}

/// What was compared.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tally {
    /// Numbers within their bounds.
    pub compared: usize,
    /// Of them, those that are the reference's.
    pub equal: usize,
    /// Numbers of which the bounds say nothing.
    pub undecided: usize,
    /// Spikes, all equal.
    pub spikes: usize,
}

impl Start<'_> {
    /// What is recorded on an engine; columns that are no longer finite may leave the others running.
    pub fn record(&self, engine: &'static Engine, independent: bool) -> Recording {
        let name = self.name;
        let compiled = self.model.compile(engine).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut prepared = compiled.load().unwrap_or_else(|e| panic!("{name}: {e}"));
        prepared.schedule.steps = prepared.schedule.steps.min(self.steps);
        prepared.schedule.every = 1;
        prepared.schedule.cutoff = 0.0;
        let mut simulation = prepared.simulation.with_pre_history(self.history);
        if independent {
            simulation = simulation.with_independent_columns();
        }
        let mut recording = simulation.recording();
        match simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue) {
            Ok(_) | Err(RunError::Diverged(..)) => {}
            Err(error) => panic!("{name}: {error}"),
        }
        recording
    }

    /// Compares the recording of a device with the reference's, as far as rounding does not decide.
    pub fn compare(&self, engine: &'static Engine) -> Tally {
        let (name, mut tally, mut certain) = (self.name, Tally::default(), true);
        let (expected, found) = (self.record(&REFERENCE, false), self.record(engine, false));
        let radii = self.record(&BOUNDS, true);
        assert_eq!(found.labels, expected.labels, "{name}");
        let columns = expected.columns.iter().zip(&found.columns).zip(&radii.columns);
        for (column, ((expected, found), radii)) in columns.enumerate() {
            let largest = expected.iter().filter(|v| v.is_finite()).fold(0f64, |m, v| m.max(v.abs()));
            let sound = |radius: &f64| 2.0 * radius <= USELESS * largest.max(f64::from(f32::MIN_POSITIVE));
            let decided = radii.iter().position(|r| !sound(r)).unwrap_or(radii.len());
            let rows = decided.min(expected.len());
            assert!(found.len() >= rows, "{name}: {} rows, expected {}", found.len(), expected.len());
            for (row, (expected, found)) in expected.iter().zip(found).enumerate().take(rows) {
                // Both are as far as this from the same number at most.
                let bound = 2.0 * radii[row];
                let near = (found - expected).abs() <= bound || (found.is_nan() && expected.is_nan());
                assert!(
                    near || found == expected,
                    "{name}, column {column}, row {row}: found {found}, expected {expected} +- {bound:e}"
                );
                tally.equal += usize::from(found.to_bits() == expected.to_bits());
            }
            tally.compared += rows;
            tally.undecided += expected.len() - rows;
            if rows == expected.len() {
                assert_eq!(found.len(), expected.len(), "{name}");
            } else {
                certain = false;
                println!("skipped: {name}, column {column} from row {rows} on: rounding decides");
            }
        }
        // Where no rounding changes a recorded number by much, none decides about an event.
        if certain && !expected.columns.is_empty() {
            assert_eq!(found.spikes, expected.spikes, "{name}");
            tally.spikes = expected.spikes.iter().map(|s| s.times.len()).sum();
        }
        tally
    }
}
