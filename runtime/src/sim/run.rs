//! Runs that hand rows and spikes to a sink.

use std::time::Instant;

use super::finite::not_finite;
use super::simulation::{Interrupt, RunError, Schedule, Simulation, Summary};
use crate::artifact::{DeviceError, Rows, Spike};
use crate::observe::Sink;

/// Steps between two checks: short enough for an answer now and then, long enough to cost nothing.
pub(super) const BATCH_STEPS: u64 = 4096;

/// Values recorded before they are handed over, so that wide rows do not pile up.
const BATCH_VALUES: u64 = 1 << 13;
/// Values that are handed over together at most, whatever a sink likes, unless one row holds more: 32 MB.
const MOST_VALUES: u64 = 1 << 22;

impl Simulation {
    /// Runs a schedule from the current step on. `check` is called with the number of steps done, at least a few times a
    /// second, and decides whether to go on.
    ///
    /// When the device fails, the sink has got what was recorded before; the error says up to which time.
    pub fn run(
        &mut self,
        schedule: &Schedule,
        sink: &mut dyn Sink,
        check: &mut dyn FnMut(u64) -> Interrupt,
    ) -> Result<Summary, RunError> {
        self.handed = None;
        let begin = self.step;
        self.run_schedule(schedule, sink, check).map_err(|error| match error {
            RunError::Device(DeviceError(message)) => RunError::Device(DeviceError(message + &self.note(begin))),
            error => error,
        })
    }

    /// What the sink has got of a run from step `begin` on.
    fn note(&self, begin: u64) -> String {
        let row = self.handed.map(|time| format!("rows up to t = {time}"));
        let spiking = !self.layout.events.is_empty() && self.step > begin;
        let spikes = spiking.then(|| format!("spikes up to t = {}", self.time()));
        let kept: Vec<String> = row.into_iter().chain(spikes).collect();
        match kept.len() {
            0 => "\n  note: nothing was recorded before".to_string(),
            _ => format!("\n  note: {} are kept", kept.join(" and ")),
        }
    }

    fn run_schedule(
        &mut self,
        schedule: &Schedule,
        sink: &mut dyn Sink,
        check: &mut dyn FnMut(u64) -> Interrupt,
    ) -> Result<Summary, RunError> {
        let start = Instant::now();
        let (first, mut rows) = (self.step, 0);
        let mut stopped = false;
        let mut values = Vec::new();
        let mut spikes = Vec::new();
        sink.expect(schedule.rows());
        self.prepare()?;
        // Steps that may be recorded at a time; with events, as many as the device notes by itself.
        let room = match self.layout.events.is_empty() {
            true => BATCH_STEPS,
            false => self.executable.watch()?.unwrap_or(0).min(BATCH_STEPS),
        };
        // A row at the cutoff is kept, also when the product that gives its time rounds down.
        let kept = |time: f64, dt: f64| time >= schedule.cutoff - 1e-9 * dt;
        while !stopped {
            let done = self.step - first;
            let left = schedule.steps - done;
            let at_row = done.is_multiple_of(schedule.every);
            if left == 0 && !(at_row && schedule.include_end) {
                break;
            }
            if !(at_row && kept(self.time(), self.clock.dt())) {
                if left == 0 {
                    break;
                }
                let to_row = schedule.every - done % schedule.every;
                self.advance_spiking(to_row.min(BATCH_STEPS).min(left), schedule.cutoff, &mut spikes, sink)?;
            } else if self.places.is_empty() && schedule.every <= left.min(BATCH_STEPS) {
                // Rows without columns are counted only: nothing has to be looked at between the steps.
                let count = (BATCH_STEPS / schedule.every).min(left / schedule.every);
                rows += count;
                self.advance_spiking(count * schedule.every, schedule.cutoff, &mut spikes, sink)?;
            } else if schedule.every > room || left < schedule.every {
                // A row by itself: the last one, or one that is followed by many steps.
                values.clear();
                values.extend(self.observe()?);
                rows += 1;
                self.hand_over(self.step, schedule.every, &values, sink)?;
                if left == 0 {
                    break;
                }
                self.advance_spiking(schedule.every.min(BATCH_STEPS).min(left), schedule.cutoff, &mut spikes, sink)?;
            } else {
                let most = (room / schedule.every).min(self.rows_at_a_time(sink.likes()));
                let count = most.clamp(1, left / schedule.every);
                let (first, steps) = (self.step, count * schedule.every);
                let batch = Rows { first, count, every: schedule.every, places: &self.places };
                values.clear();
                spikes.clear();
                if !self.layout.events.is_empty() {
                    self.executable.watch()?;
                }
                let mut recorded = self.executable.record(&batch, self.clock.dt(), &self.feeds, &mut values);
                if !self.layout.events.is_empty() && recorded.is_ok() {
                    recorded = self.executable.watched((first, steps), &self.layout.events, &mut spikes);
                }
                if let Err(error) = recorded {
                    // Whole rows that a device gave before it failed are kept.
                    let whole = values.len() - values.len() % self.places.len().max(1);
                    self.hand_over(first, schedule.every, &values[..whole], sink)?;
                    return Err(error.into());
                }
                self.step += steps;
                rows += count;
                if spikes.is_empty() {
                    self.hand_over(first, schedule.every, &values, sink)?;
                } else {
                    self.hand_over_spiking((first, schedule.every), &values, (&spikes, schedule.cutoff), sink)?;
                }
            }
            stopped = check(self.step - first) == Interrupt::Stop && self.step - first < schedule.steps;
        }
        Ok(Summary { steps: self.step - first, rows, elapsed: start.elapsed(), stopped })
    }

    /// Rows that may pile up for a sink that likes so many together.
    pub(super) fn rows_at_a_time(&self, liked: u64) -> u64 {
        let width = self.places.len().max(1) as u64;
        let values = BATCH_VALUES.max(self.executable.values_together()).min(MOST_VALUES);
        (values / width).max(liked.min(MOST_VALUES / width))
    }

    /// Goes ahead and gives the spikes since `cutoff` to the sink.
    fn advance_spiking(
        &mut self,
        count: u64,
        cutoff: f64,
        spikes: &mut Vec<Spike>,
        sink: &mut dyn Sink,
    ) -> Result<(), RunError> {
        if self.layout.events.is_empty() {
            return Ok(self.advance(count)?);
        }
        spikes.clear();
        let steps = (self.step, count);
        let collected = self.executable.collect(steps, self.clock.dt(), &self.feeds, &self.layout.events, spikes);
        if let Err(error) = collected {
            // Those of the steps before are kept.
            self.hand_over_spikes(spikes, cutoff, sink)?;
            return Err(error.into());
        }
        self.step += count;
        self.hand_over_spikes(spikes, cutoff, sink)
    }

    /// Gives the spikes since `cutoff` to the sink.
    fn hand_over_spikes(&self, spikes: &[Spike], cutoff: f64, sink: &mut dyn Sink) -> Result<(), RunError> {
        for spike in spikes {
            let event = spike.event as usize;
            let time = self.clock.time(spike.step + self.layout.events[event].delay);
            if time >= cutoff - 1e-9 * self.clock.dt() {
                sink.spike(event, time, spike.unit).map_err(RunError::Sink)?;
            }
        }
        Ok(())
    }

    /// Gives rows to the sink, each with the spikes of the steps from it to the next.
    fn hand_over_spiking(
        &mut self,
        (first, every): (u64, u64),
        values: &[f64],
        (mut spikes, cutoff): (&[Spike], f64),
        sink: &mut dyn Sink,
    ) -> Result<(), RunError> {
        let width = self.places.len().max(1);
        for (row, values) in values.chunks(width).enumerate() {
            let step = first + row as u64 * every;
            self.hand_over(step, every, values, sink)?;
            let (now, later) = spikes.split_at(spikes.partition_point(|spike| spike.step < step + every));
            self.hand_over_spikes(now, cutoff, sink)?;
            spikes = later;
        }
        // All of them where no columns are recorded.
        self.hand_over_spikes(spikes, cutoff, sink)
    }

    /// Gives rows to the sink; one with a value that is not finite is the last.
    fn hand_over(&mut self, first: u64, every: u64, values: &[f64], sink: &mut dyn Sink) -> Result<(), RunError> {
        let width = self.places.len().max(1);
        let broken = if self.independent { None } else { not_finite(values) };
        let rows = broken.map_or(values.len() / width, |at| at / width + 1);
        let times: Vec<f64> = (0..rows as u64).map(|k| self.clock.time(first + k * every)).collect();
        sink.rows(&times, &values[..rows * width]).map_err(RunError::Sink)?;
        self.handed = times.last().copied().or(self.handed);
        match broken {
            Some(at) => Err(RunError::Diverged(self.columns[at % width].label.name.clone(), times[rows - 1])),
            None => Ok(()),
        }
    }
}
