//! Runs of which only sums and extremes are wanted.

use std::io;
use std::time::Instant;

use super::simulation::{BATCH_STEPS, Interrupt, RunError, Schedule, Simulation, Summary};
use crate::artifact::{Rows, Totals};
use crate::observe::Sink;

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
        let start = Instant::now();
        let (first, before) = (self.step, totals.rows);
        let (dt, mut stopped) = (self.clock.dt(), false);
        // As for recorded rows, see `run`.
        let most = match self.executable.reduces() {
            true => BATCH_STEPS,
            false => self.rows_at_a_time(1).saturating_mul(schedule.every),
        };
        self.prepare()?;
        while !stopped {
            let done = self.step - first;
            let left = schedule.steps - done;
            let is_row = done.is_multiple_of(schedule.every) && self.time() >= schedule.cutoff - 1e-9 * dt;
            if left == 0 {
                if is_row && schedule.include_end {
                    totals.add(&self.observe()?);
                }
                break;
            }
            if !is_row {
                self.advance((schedule.every - done % schedule.every).min(BATCH_STEPS).min(left))?;
            } else if schedule.every > BATCH_STEPS || left < schedule.every {
                totals.add(&self.observe()?);
                self.advance(schedule.every.min(BATCH_STEPS).min(left))?;
            } else {
                let count = (most.min(BATCH_STEPS) / schedule.every).clamp(1, left / schedule.every);
                let rows = Rows { first: self.step, count, every: schedule.every, places: &self.places };
                self.executable.reduce(&rows, dt, &self.feeds, totals)?;
                self.step += count * schedule.every;
            }
            stopped = check(self.step - first) == Interrupt::Stop && self.step - first < schedule.steps;
        }
        let (steps, rows) = (self.step - first, totals.rows - before);
        Ok(Summary { steps, rows, elapsed: start.elapsed(), stopped })
    }
}

impl Sink for Totals {
    fn row(&mut self, _: f64, values: &[f64]) -> io::Result<()> {
        self.add(values);
        Ok(())
    }
}
