//! A loaded model with its clock, and what is said of a run.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::Clock;
use crate::artifact::{DeviceError, Executable, Feeds, Layout, Phase, Places, Role, Samples};
use crate::observe::{Label, Recording, Spikes};

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
    pub(super) clock: Clock,
    pub(super) feeds: Feeds,
    pub(super) columns: Vec<Column>,
    /// Buffer and element of each column.
    pub(super) places: Places,
    pre_history: PreHistory,
    /// How the recorded events are called, in the order of the layout.
    pub(super) events: Vec<Label>,
    /// Whether columns that are no longer finite leave the others running.
    pub(super) independent: bool,
    pub(super) step: u64,
    /// Whether setup and pre-history are up to date.
    ready: bool,
    /// The time of the last row that a sink has got.
    pub(super) handed: Option<f64>,
}

impl Simulation {
    /// A simulation at time 0.
    pub fn new(executable: Box<dyn Executable>, layout: Layout, dt: f64, columns: Vec<Column>) -> Simulation {
        let (fed, randoms) = (layout.feeds.clone(), layout.randoms.clone());
        let feeds = Feeds { feeds: fed, series: Vec::new(), randoms, seed: 0 };
        let (clock, pre_history) = (Clock::new(dt), PreHistory::default());
        let places = columns.iter().map(|c| (c.buffer, c.element)).collect();
        let events = layout.events.iter().map(|e| Label::new(layout.buffers[e.buffer].name.clone())).collect();
        let independent = false;
        Simulation {
            executable,
            layout,
            clock,
            feeds,
            columns,
            places,
            pre_history,
            events,
            independent,
            step: 0,
            ready: false,
            handed: None,
        }
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

    /// Sets the seed of all random numbers; 0 unless set.
    pub fn with_seed(mut self, seed: u64) -> Simulation {
        self.feeds.seed = seed;
        self
    }

    /// Sets what holds before time 0.
    pub fn with_pre_history(mut self, pre_history: PreHistory) -> Simulation {
        self.pre_history = pre_history;
        self
    }

    /// Lets a run go on when a column is no longer finite: for members of a batch, which do not affect each other.
    pub fn with_independent_columns(mut self) -> Simulation {
        self.independent = true;
        self
    }

    /// Sets how many threads share the work, where it is done by threads of this machine: as many as the processor runs side
    /// by side unless set. Results do not depend on it.
    pub fn set_threads(&mut self, threads: NonZeroUsize) {
        self.executable.set_threads(threads);
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

    /// Gives the recorded events names, in the order of the layout.
    pub fn with_events(mut self, labels: Vec<Label>) -> Simulation {
        for (event, label) in self.events.iter_mut().zip(labels) {
            *event = label;
        }
        self
    }

    /// The recorded events, without spikes.
    pub fn events(&self) -> Vec<Spikes> {
        let units = self.layout.events.iter().map(|e| e.count);
        self.events.iter().zip(units).map(|(label, units)| Spikes::new(label.clone(), units)).collect()
    }

    /// An empty recording of all that is recorded: columns and events.
    pub fn recording(&self) -> Recording {
        Recording::new(self.labels()).with_events(self.events())
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
        self.feed()?;
        self.executable.run(Phase::Observe, self.step, self.clock.dt())?;
        let mut row = Vec::new();
        self.executable.gather(&self.places, &mut row)?;
        Ok(row)
    }

    /// Goes `count` steps ahead without recording.
    pub fn advance(&mut self, count: u64) -> Result<(), DeviceError> {
        self.prepare()?;
        self.executable.advance(self.step, count, self.clock.dt(), &self.feeds)?;
        self.step += count;
        Ok(())
    }
}
