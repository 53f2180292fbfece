//! The simulation loop.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Clock;
use crate::artifact::{DeviceError, Executable, Feeds, Layout, Phase, Role, Samples};
use crate::observe::{Label, Sink};

/// What holds before time 0 for delayed quantities.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PreHistory {
    /// The value at time 0, always.
    #[default]
    Initial,
    /// Zero.
    Zero,
}

/// A recorded column: an element of a buffer that the observe phase writes.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    /// How it is called.
    pub label: Label,
    /// The buffer.
    pub buffer: usize,
    /// The element.
    pub element: usize,
}

/// When a run ends and which of its states become rows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Schedule {
    /// Number of steps.
    pub steps: u64,
    /// Steps from one row to the next.
    pub every: u64,
    /// Rows before this time are dropped.
    pub cutoff: f64,
    /// Whether the state after the last step is a row.
    pub include_end: bool,
}

impl Schedule {
    /// Number of rows before the cutoff is applied.
    pub fn rows(&self) -> u64 {
        self.steps.div_ceil(self.every) + u64::from(self.include_end && self.steps.is_multiple_of(self.every))
    }
}

/// What an interrupt check decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interrupt {
    /// Go on.
    Continue,
    /// Stop after this row; what was recorded is kept.
    Stop,
}

/// What a run did.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Summary {
    /// Steps done.
    pub steps: u64,
    /// Rows written.
    pub rows: u64,
    /// Wall time of stepping and recording.
    pub elapsed: Duration,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

/// Why a run failed.
#[derive(Debug)]
pub enum RunError {
    /// The device failed.
    Device(DeviceError),
    /// The sink failed.
    Sink(std::io::Error),
    /// A recorded quantity became NaN or infinite: name, time. Rows up to it are kept.
    Diverged(String, f64),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Device(error) => write!(f, "{error}"),
            RunError::Sink(error) => write!(f, "{error}"),
            RunError::Diverged(name, time) => write!(f, "`{name}` is no longer finite at t = {time}"),
        }
    }
}

impl std::error::Error for RunError {}

impl From<DeviceError> for RunError {
    fn from(error: DeviceError) -> RunError {
        RunError::Device(error)
    }
}

/// A loaded model with its clock, inputs and recorded columns.
pub struct Simulation {
    pub(super) executable: Box<dyn Executable>,
    pub(super) layout: Layout,
    clock: Clock,
    feeds: Feeds,
    columns: Vec<Column>,
    pre_history: PreHistory,
    pub(super) step: u64,
    /// Whether setup and pre-history are up to date.
    ready: bool,
}

impl Simulation {
    /// A simulation at time 0.
    pub fn new(executable: Box<dyn Executable>, layout: Layout, dt: f64, columns: Vec<Column>) -> Simulation {
        let feeds = Feeds { feeds: layout.feeds.clone(), series: Vec::new() };
        let (clock, pre_history) = (Clock::new(dt), PreHistory::default());
        Simulation { executable, layout, clock, feeds, columns, pre_history, step: 0, ready: false }
    }

    /// Sets the samples of the extrinsic inputs, in the order of their series.
    pub fn with_series(mut self, series: Vec<Arc<Samples>>) -> Simulation {
        self.feeds.series = series;
        self
    }

    /// Replaces the samples of one series, from the next step on.
    pub fn set_series(&mut self, index: usize, samples: Arc<Samples>) {
        if let Some(series) = self.feeds.series.get_mut(index) {
            *series = samples;
        }
    }

    /// Sets what holds before time 0.
    pub fn with_pre_history(mut self, pre_history: PreHistory) -> Simulation {
        self.pre_history = pre_history;
        self
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Steps done so far.
    pub fn steps_done(&self) -> u64 {
        self.step
    }

    /// Current time.
    pub fn time(&self) -> f64 {
        self.clock.time(self.step)
    }

    /// Labels of the recorded columns.
    pub fn labels(&self) -> Vec<Label> {
        self.columns.iter().map(|c| c.label.clone()).collect()
    }

    /// The loaded model.
    pub fn executable(&self) -> &dyn Executable {
        &*self.executable
    }

    /// The layout of its buffers.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Values of a state or parameter buffer by name.
    pub fn values(&self, name: &str) -> Option<Result<Vec<f64>, DeviceError>> {
        let index = self.layout.buffers.iter().position(|b| b.name == name)?;
        let mut values = Vec::new();
        Some(self.executable.read(index, &mut values).map(|()| values))
    }

    /// Replaces values of a state or parameter buffer, from element `first` on.
    pub fn set_values(&mut self, name: &str, first: usize, values: &[f64]) -> Option<Result<(), DeviceError>> {
        let index = self.layout.buffers.iter().position(|b| b.name == name)?;
        Some(self.set_buffer(index, first, values))
    }

    /// Replaces values of a state or parameter buffer by its index in the layout, from element `first` on.
    pub fn set_buffer(&mut self, index: usize, first: usize, values: &[f64]) -> Result<(), DeviceError> {
        self.executable.write(index, first, values)?;
        if self.layout.buffers.get(index).is_some_and(|b| b.role == Role::Parameter) && self.ready {
            // What the setup phase derived from the old value is stale.
            self.executable.run(Phase::Setup, self.step, self.clock.dt())?;
        }
        Ok(())
    }

    /// Runs setup and fills the rings, once.
    pub(super) fn prepare(&mut self) -> Result<(), DeviceError> {
        if self.ready {
            return Ok(());
        }
        self.executable.run(Phase::Setup, self.step, self.clock.dt())?;
        if self.pre_history == PreHistory::Initial {
            let slots = self.layout.buffers.iter().filter(|b| b.role == Role::History).map(|b| b.slots as u64);
            let slots = slots.max().unwrap_or(0);
            self.feed()?;
            for _ in 0..self.layout.history_passes {
                for slot in 0..slots {
                    // With a step size of 0 every slot is filled with the value at time 0.
                    self.executable.run(Phase::Remember, slot, 0.0)?;
                }
            }
        }
        self.ready = true;
        Ok(())
    }

    fn feed(&mut self) -> Result<(), DeviceError> {
        let executable = &mut self.executable;
        self.feeds.apply(self.step, |buffer, values| executable.write(buffer, 0, values))
    }

    /// The current values of the recorded columns.
    pub fn observe(&mut self) -> Result<Vec<f64>, DeviceError> {
        self.prepare()?;
        let mut row = Vec::new();
        self.row(&mut row, &mut Vec::new())?;
        Ok(row)
    }

    fn row(&mut self, row: &mut Vec<f64>, scratch: &mut Vec<f64>) -> Result<(), DeviceError> {
        self.feed()?;
        self.executable.run(Phase::Observe, self.step, self.clock.dt())?;
        row.clear();
        let mut held = None;
        for column in &self.columns {
            if held != Some(column.buffer) {
                self.executable.read(column.buffer, scratch)?;
                held = Some(column.buffer);
            }
            row.push(scratch[column.element]);
        }
        Ok(())
    }

    /// Goes `count` steps ahead without recording.
    pub fn advance(&mut self, count: u64) -> Result<(), DeviceError> {
        self.prepare()?;
        self.executable.advance(self.step, count, self.clock.dt(), &self.feeds)?;
        self.step += count;
        Ok(())
    }

    /// Runs a schedule from the current step on. `check` is called with the number of steps done, at least a few times a
    /// second, and decides whether to go on.
    pub fn run(
        &mut self,
        schedule: &Schedule,
        sink: &mut dyn Sink,
        check: &mut dyn FnMut(u64) -> Interrupt,
    ) -> Result<Summary, RunError> {
        // Small enough for a check now and then, large enough to cost nothing.
        const CHUNK: u64 = 4096;
        let start = Instant::now();
        let (first, mut rows, mut stopped) = (self.step, 0, false);
        let (mut row, mut scratch) = (Vec::new(), Vec::new());
        self.prepare()?;
        loop {
            let done = self.step - first;
            let last = done == schedule.steps;
            if done.is_multiple_of(schedule.every) && (!last || schedule.include_end) {
                let time = self.clock.time(self.step);
                // A row at the cutoff is kept, also when the product that gives its time rounds down.
                if time >= schedule.cutoff - 1e-9 * self.clock.dt() {
                    self.row(&mut row, &mut scratch)?;
                    sink.row(time, &row).map_err(RunError::Sink)?;
                    rows += 1;
                    if let Some(k) = row.iter().position(|v| !v.is_finite()) {
                        return Err(RunError::Diverged(self.columns[k].label.name.clone(), time));
                    }
                }
            }
            if last || stopped {
                break;
            }
            let to_row = schedule.every - done % schedule.every;
            self.advance(to_row.min(CHUNK).min(schedule.steps - done))?;
            stopped = check(self.step - first) == Interrupt::Stop;
        }
        Ok(Summary { steps: self.step - first, rows, elapsed: start.elapsed(), stopped })
    }
}
