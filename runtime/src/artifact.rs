//! The interface between compiled models and the runtime: which buffers there are, and what can be run.
//!
//! This module depends on nothing else here but the random numbers, and compilers target nothing else.

mod kept;
mod places;
mod samples;
mod totals;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

pub use kept::{Frame, KeptRows, Levels, Peak, Rise, Rises, hann_window, transform_length};
pub use places::{Places, Stretch, stretches};
pub use samples::{Samples, SpikeSample};
pub use totals::Totals;

use crate::random::uniform_pair;

/// The groups of kernels of a compiled model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Computes what depends on parameters and the step size only: first of all, and when one of these changes.
    Setup,
    /// Stores the current value of every delayed quantity in the current slot of its ring.
    Remember,
    /// State at `t` to state at `t + dt`, and what [`Phase::Remember`] does.
    Step,
    /// Computes the recorded quantities from the current state.
    Observe,
}

/// A buffer of a compiled model.
#[derive(Clone, PartialEq, Debug)]
pub struct Buffer {
    /// Its name: for states and parameters the path of the variable.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Number of elements (of one slot, for a history).
    pub len: usize,
    /// Number of slots: 1, or the ring length of a history.
    pub slots: usize,
}

/// What a buffer is for, as far as a runtime must know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// State: what has to be kept to continue.
    State,
    /// Parameter: may be changed between runs, followed by [`Phase::Setup`].
    Parameter,
    /// Current sample of an extrinsic input.
    Input,
    /// Ring of past values: part of what has to be kept to continue.
    History,
    /// Recorded quantity, written by [`Phase::Observe`].
    Observed,
    /// Whether each element had a recorded event in the last step (1 or 0), written by [`Phase::Step`].
    Event,
    /// Anything kernels pass to each other.
    Internal,
}

/// An extrinsic input: which columns of which series feed the elements of a buffer.
#[derive(Clone, PartialEq, Debug)]
pub struct Feed {
    /// The buffer.
    pub buffer: usize,
    /// The series.
    pub series: usize,
    /// Column for each element; elements without one stay 0.
    pub columns: Vec<Option<u32>>,
}

/// A buffer of random numbers: one of the two numbers of [`uniform_pair`](crate::random::uniform_pair) for each element.
#[derive(Clone, PartialEq, Debug)]
pub struct RandomFeed {
    /// The buffer.
    pub buffer: usize,
    /// The place in the equations.
    pub site: u32,
    /// Which of the two numbers.
    pub part: usize,
    /// The unit of each element.
    pub units: Arc<[u32]>,
}

/// A recorded event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventBuffer {
    /// The buffer, of role [`Role::Event`].
    pub buffer: usize,
    /// The first of its elements that are recorded.
    pub first: usize,
    /// The number of them.
    pub count: usize,
    /// What the first of them is called: its number in its population.
    pub unit: usize,
    /// Steps from the start of the step in which it happens to its time: 1 if the state after the step met the condition, 0
    /// if the state before it did.
    pub delay: u64,
}

/// An event of an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spike {
    /// The step in which it happened.
    pub step: u64,
    /// Index of the event in [`Layout::events`].
    pub event: u32,
    /// The unit of the population.
    pub unit: u32,
}

/// What a compiled model looks like from outside.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Layout {
    /// Name of the model.
    pub name: String,
    /// Its buffers.
    pub buffers: Vec<Buffer>,
    /// Extrinsic inputs.
    pub feeds: Vec<Feed>,
    /// Random numbers.
    pub randoms: Vec<RandomFeed>,
    /// Recorded events.
    pub events: Vec<EventBuffer>,
    /// How often [`Phase::Remember`] must be run over all slots until pre-histories that depend on others hold.
    pub history_passes: usize,
}

/// Why a device could not do what it was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceError(pub String);

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DeviceError {}

/// How an engine executes one set of connections.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// Name of the connections.
    pub name: String,
    /// Number of connections.
    pub synapses: usize,
    /// The kernel.
    pub kernel: &'static str,
    /// Bytes the kernel keeps of them.
    pub bytes: usize,
    /// Why this kernel.
    pub reason: String,
}

/// A compiled model loaded on a device. Buffers are addressed as in its [`Layout`].
pub trait Executable: Send {
    /// Name of the engine that runs it.
    fn engine(&self) -> &str;

    /// Name of the device it runs on.
    fn device(&self) -> &str;

    /// How the connections of a step are executed, in order; nothing where the engine has one way only.
    fn explain(&self) -> Vec<Explanation> {
        Vec::new()
    }

    /// Sets how many threads share its work, if it uses threads of this machine: as many as the processor runs side by side
    /// unless set. Results do not depend on it.
    fn set_threads(&mut self, _threads: NonZeroUsize) {}

    /// Replaces elements of a buffer, from `first` on.
    fn write(&mut self, buffer: usize, first: usize, values: &[f64]) -> Result<(), DeviceError>;

    /// The elements of a buffer, slot after slot.
    fn read(&self, buffer: usize, out: &mut Vec<f64>) -> Result<(), DeviceError>;

    /// Appends single elements of buffers to `out`: (buffer, element), slot after slot.
    fn gather(&self, places: &[(usize, usize)], out: &mut Vec<f64>) -> Result<(), DeviceError> {
        let (mut values, mut held) = (Vec::new(), None);
        for (buffer, element) in places {
            if held != Some(*buffer) {
                self.read(*buffer, &mut values)?;
                held = Some(*buffer);
            }
            out.push(values[*element]);
        }
        Ok(())
    }

    /// Runs the kernels of a phase at a step.
    fn run(&mut self, phase: Phase, step: u64, dt: f64) -> Result<(), DeviceError>;

    /// Runs `count` steps from step `first` on, feeding extrinsic inputs before each.
    fn advance(&mut self, first: u64, count: u64, dt: f64, feeds: &Feeds) -> Result<(), DeviceError> {
        for step in first..first + count {
            feeds.apply(step, |buffer, values| self.write(buffer, 0, values))?;
            self.run(Phase::Step, step, dt)?;
        }
        Ok(())
    }

    /// Runs `count` steps as [`Executable::advance`] does and appends the events of each, by step, then event, then
    /// element.
    fn collect(
        &mut self,
        (first, count): (u64, u64),
        dt: f64,
        feeds: &Feeds,
        events: &[EventBuffer],
        out: &mut Vec<Spike>,
    ) -> Result<(), DeviceError> {
        let mut step = first;
        while step < first + count {
            let Some(room) = self.watch()? else {
                return collect_by_step(self, (step, first + count - step), dt, feeds, events, out);
            };
            let part = room.clamp(1, first + count - step);
            self.advance(step, part, dt, feeds)?;
            self.watched((step, part), events, out)?;
            step += part;
        }
        Ok(())
    }

    /// Forgets the events that were noted so far and begins to note new ones, where the device does: for how many steps.
    fn watch(&mut self) -> Result<Option<u64>, DeviceError> {
        Ok(None)
    }

    /// Appends the events of the steps since [`Executable::watch`], by step, then event, then element: first step, number of
    /// steps.
    fn watched(
        &mut self,
        _steps: (u64, u64),
        _events: &[EventBuffer],
        _out: &mut Vec<Spike>,
    ) -> Result<(), DeviceError> {
        Err(DeviceError(format!("`{}` notes no events", self.engine())))
    }

    /// Whether [`Executable::reduce`] takes less than recording: rows stay where they are computed.
    fn reduces(&self) -> bool {
        false
    }

    /// Goes on as [`Executable::record`] does, and adds the rows to `totals`.
    fn reduce(&mut self, rows: &Rows<'_>, dt: f64, feeds: &Feeds, totals: &mut Totals) -> Result<(), DeviceError> {
        reduce_by_row(self, rows, dt, feeds, totals)
    }

    /// Makes room for so many rows of some numbers, (buffer, element), to stay where they are computed; rows kept before are
    /// forgotten. `spectra` says whether [`KeptRows::peaks`] will be asked for.
    ///
    /// Fails where there is no room, or no way to keep them or to find spectra: the message says which.
    fn keep(&mut self, _places: &[(usize, usize)], _rows: usize, _spectra: bool) -> Result<(), DeviceError> {
        Err(DeviceError(format!("`{}` keeps no rows", self.engine())))
    }

    /// The rows that [`Executable::keep`] has made room for.
    fn kept(&mut self) -> Option<&mut dyn KeptRows> {
        None
    }

    /// Alternates between appending a row of observed values to `out` and running `every` steps, `rows` times.
    fn record(&mut self, rows: &Rows<'_>, dt: f64, feeds: &Feeds, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        record_by_row(self, rows, dt, feeds, &mut |executable| executable.gather(rows.places, out))
    }
}

/// [`Executable::collect`] by looking at the buffers of events after each step.
fn collect_by_step<E: Executable + ?Sized>(
    executable: &mut E,
    (first, count): (u64, u64),
    dt: f64,
    feeds: &Feeds,
    events: &[EventBuffer],
    out: &mut Vec<Spike>,
) -> Result<(), DeviceError> {
    let mut flags = Vec::new();
    for step in first..first + count {
        executable.advance(step, 1, dt, feeds)?;
        let mut held = None;
        for (event, EventBuffer { buffer, first, count, unit: name, .. }) in events.iter().enumerate() {
            if held.replace(*buffer) != Some(*buffer) {
                executable.read(*buffer, &mut flags)?;
            }
            let spiking = flags[*first..first + count].iter().enumerate().filter(|(_, flag)| **flag != 0.0);
            out.extend(spiking.map(|(unit, _)| Spike { step, event: event as u32, unit: (name + unit) as u32 }));
        }
    }
    Ok(())
}

/// [`Executable::reduce`] by recording.
pub fn reduce_by_row<E: Executable + ?Sized>(
    executable: &mut E,
    rows: &Rows<'_>,
    dt: f64,
    feeds: &Feeds,
    totals: &mut Totals,
) -> Result<(), DeviceError> {
    let mut values = Vec::new();
    executable.record(rows, dt, feeds, &mut values)?;
    values.chunks(rows.places.len().max(1)).for_each(|row| totals.add(row));
    Ok(())
}

/// [`Executable::record`] by the other functions of the trait; `gather` appends the observed values of a row.
pub fn record_by_row<E: Executable + ?Sized>(
    executable: &mut E,
    rows: &Rows<'_>,
    dt: f64,
    feeds: &Feeds,
    gather: &mut dyn FnMut(&E) -> Result<(), DeviceError>,
) -> Result<(), DeviceError> {
    for row in 0..rows.count {
        let step = rows.first + row * rows.every;
        feeds.apply(step, |buffer, values| executable.write(buffer, 0, values))?;
        executable.run(Phase::Observe, step, dt)?;
        gather(executable)?;
        executable.advance(step, rows.every, dt, feeds)?;
    }
    Ok(())
}

/// Rows to record.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rows<'a> {
    /// The step of the first row.
    pub first: u64,
    /// Number of rows.
    pub count: u64,
    /// Steps after each row.
    pub every: u64,
    /// What a row holds.
    pub places: &'a Places,
}

/// Extrinsic inputs with their samples.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Feeds {
    /// The inputs.
    pub feeds: Vec<Feed>,
    /// The series they name.
    pub series: Vec<Arc<Samples>>,
    /// Random numbers, new in each step.
    pub randoms: Vec<RandomFeed>,
    /// Their seed.
    pub seed: u64,
}

impl Feeds {
    /// Hands the samples of a step to `write`, buffer by buffer.
    pub fn apply<E>(&self, step: u64, mut write: impl FnMut(usize, &[f64]) -> Result<(), E>) -> Result<(), E> {
        let mut values = Vec::new();
        for feed in &self.feeds {
            let samples = &self.series[feed.series];
            values.clear();
            samples.all_at(step, &feed.columns, &mut values);
            write(feed.buffer, &values)?;
        }
        for random in &self.randoms {
            let number = |unit: &u32| uniform_pair(self.seed, random.site, *unit, step)[random.part];
            values.clear();
            values.extend(random.units.iter().map(number));
            write(random.buffer, &values)?;
        }
        Ok(())
    }
}
