//! Runs of which only numbers made of rows are wanted.

use std::io;
use std::time::Instant;

use super::run::BATCH_STEPS;
use super::simulation::{Interrupt, RunError, Schedule, Simulation, Summary};
use crate::artifact::{DeviceError, KeptRows, Rows, Totals};
use crate::observe::Sink;

/// Where rows go.
enum Rest<'t> {
    /// They are added up.
    Totals(&'t mut Totals),
    /// They stay on the device, which has made room for them.
    Kept,
}

impl Simulation {
    /// Runs a schedule as [`Simulation::run`] does and adds its rows to `totals`. Where the device adds them up itself, they
    /// do not leave it. Events are not recorded, and columns that are no longer finite leave the others running: their sums
    /// are not finite.
    pub fn reduce(
        &mut self,
        schedule: &Schedule,
        totals: &mut Totals,
        check: &mut dyn FnMut(u64) -> Interrupt,
    ) -> Result<Summary, RunError> {
        // As for recorded rows, see `run`.
        let most = match self.executable.reduces() {
            true => BATCH_STEPS,
            false => self.rows_at_a_time(1).saturating_mul(schedule.every),
        };
        self.rest(schedule, most, &mut Rest::Totals(totals), check)
    }

    /// Makes room for the rows of a schedule to stay on the device; `spectra` says whether spectra will be asked for.
    ///
    /// Fails where there is no room, or no way to keep them or to find spectra: the message says which.
    pub fn keep(&mut self, schedule: &Schedule, spectra: bool) -> Result<(), DeviceError> {
        let rows = usize::try_from(schedule.rows()).unwrap_or(usize::MAX);
        self.executable.keep(&self.places, rows, spectra)
    }

    /// Runs a schedule as [`Simulation::reduce`] does; rows stay on the device, which has made room for them with
    /// [`Simulation::keep`]. The result has their times.
    pub fn run_keeping(
        &mut self,
        schedule: &Schedule,
        check: &mut dyn FnMut(u64) -> Interrupt,
    ) -> Result<(Summary, Vec<f64>), RunError> {
        let first = self.step;
        let summary = self.rest(schedule, BATCH_STEPS, &mut Rest::Kept, check)?;
        let steps = (0..schedule.rows()).map(|row| first + row * schedule.every).filter(|step| *step <= self.step);
        let times = steps.map(|step| self.clock.time(step));
        let times = times.filter(|time| *time >= schedule.cutoff - 1e-9 * self.clock.dt());
        Ok((summary, times.take(summary.rows as usize).collect()))
    }

    /// The rows that the device keeps.
    pub fn kept(&mut self) -> Option<&mut dyn KeptRows> {
        self.executable.kept()
    }

    fn rest(
        &mut self,
        schedule: &Schedule,
        most: u64,
        to: &mut Rest<'_>,
        check: &mut dyn FnMut(u64) -> Interrupt,
    ) -> Result<Summary, RunError> {
        let start = Instant::now();
        let (first, mut written) = (self.step, 0);
        let (dt, mut stopped) = (self.clock.dt(), false);
        self.prepare()?;
        while !stopped {
            let done = self.step - first;
            let left = schedule.steps - done;
            let is_row = done.is_multiple_of(schedule.every) && self.time() >= schedule.cutoff - 1e-9 * dt;
            if left == 0 {
                if is_row && schedule.include_end {
                    self.rest_row(to)?;
                    written += 1;
                }
                break;
            }
            if !is_row {
                self.advance((schedule.every - done % schedule.every).min(BATCH_STEPS).min(left))?;
            } else if schedule.every > BATCH_STEPS || left < schedule.every {
                self.rest_row(to)?;
                written += 1;
                self.advance(schedule.every.min(BATCH_STEPS).min(left))?;
            } else {
                let count = (most.min(BATCH_STEPS) / schedule.every).clamp(1, left / schedule.every);
                let rows = Rows { first: self.step, count, every: schedule.every, places: &self.places };
                match to {
                    Rest::Totals(totals) => self.executable.reduce(&rows, dt, &self.feeds, totals)?,
                    Rest::Kept => room(self.executable.kept())?.record(&rows, dt, &self.feeds)?,
                }
                self.step += count * schedule.every;
                written += count;
            }
            stopped = check(self.step - first) == Interrupt::Stop && self.step - first < schedule.steps;
        }
        Ok(Summary { steps: self.step - first, rows: written, elapsed: start.elapsed(), stopped })
    }

    /// The current values as a row by itself.
    fn rest_row(&mut self, to: &mut Rest<'_>) -> Result<(), DeviceError> {
        match to {
            Rest::Totals(totals) => totals.add(&self.observe()?),
            Rest::Kept => {
                let rows = Rows { first: self.step, count: 1, every: 0, places: &self.places };
                room(self.executable.kept())?.record(&rows, self.clock.dt(), &self.feeds)?;
            }
        }
        Ok(())
    }
}

fn room(kept: Option<&mut dyn KeptRows>) -> Result<&mut dyn KeptRows, DeviceError> {
    kept.ok_or_else(|| DeviceError("no rows are kept: there is no room for them yet".to_string()))
}

impl Sink for Totals {
    fn row(&mut self, _: f64, values: &[f64]) -> io::Result<()> {
        self.add(values);
        Ok(())
    }
}
