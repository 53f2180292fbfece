//! The simulation loop.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Clock;
use crate::artifact::{DeviceError, Executable, Feeds, Layout, Phase, Role, Rows, Samples, Spike};
use crate::observe::{Label, Recording, Sink, Spikes};

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

/// Steps between two checks: short enough for an answer now and then, long enough to cost nothing.
pub(super) const BATCH_STEPS: u64 = 4096;

/// Values recorded before they are handed over, so that wide rows do not pile up.
const BATCH_VALUES: u64 = 1 << 16;
/// Rows that are handed over together even if they hold more, as far as `MOST_VALUES` allows: what sorts values by column
/// then writes whole cache lines.
const FEWEST_ROWS: u64 = 8;
/// Values that are handed over together at most, unless one row holds more: 32 MB.
const MOST_VALUES: u64 = 1 << 22;

/// A loaded model with its clock, inputs and recorded columns.
pub struct Simulation {
    pub(super) executable: Box<dyn Executable>,
    pub(super) layout: Layout,
    pub(super) clock: Clock,
    pub(super) feeds: Feeds,
    columns: Vec<Column>,
    /// Buffer and element of each column.
    pub(super) places: Vec<(usize, usize)>,
    pre_history: PreHistory,
    /// How the recorded events are called, in the order of the layout.
    events: Vec<Label>,
    /// Whether columns that are no longer finite leave the others running.
    independent: bool,
    pub(super) step: u64,
    /// Whether setup and pre-history are up to date.
    ready: bool,
    /// The time of the last row that a sink has got.
    handed: Option<f64>,
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
                let most = (room / schedule.every).min(self.rows_at_a_time());
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

    /// Rows that may pile up.
    pub(super) fn rows_at_a_time(&self) -> u64 {
        let width = self.places.len().max(1) as u64;
        (BATCH_VALUES / width).max(FEWEST_ROWS.min(MOST_VALUES / width))
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

/// The first value that is NaN or infinite. There is hardly ever one, so whole blocks are looked at first.
fn not_finite(values: &[f64]) -> Option<usize> {
    const BLOCK: usize = 64;
    let broken = |block: &[f64]| block.iter().fold(false, |any, v| any | !v.is_finite());
    let first = values.chunks(BLOCK).position(broken)? * BLOCK;
    values[first..].iter().position(|v| !v.is_finite()).map(|at| first + at)
}
