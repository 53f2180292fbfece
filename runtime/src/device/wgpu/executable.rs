//! A loaded model: which launches go into a submission, and how many.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Wgpu;
use super::kept::Kept;
use super::launch::{Launch, Shared, launches};
use super::memory::{Memory, allocate};
use super::rows::Rows;
use super::totals::Totals;
use super::uniform::{Blocks, Tick, numbers, size};
use crate::artifact::{self, DeviceError, EventBuffer, Executable, Feeds, KeptRows, Phase, Spike};
use crate::code::{Artifact, Data, Sample};

/// Launches of a submission, each with its own block of uniforms.
pub(super) const MOST_LAUNCHES: usize = 2048;

/// Steps of a submission whose entry runs many by itself.
const MOST_STEPS: u64 = 1 << 16;

/// Bytes of samples that lie on the device at a time.
const SAMPLE_BYTES: usize = 8 << 20;

/// How long a submission should take: long against the microseconds of handing it over, short against the two seconds
/// after which desktop systems take a device for hung.
const SHORT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_millis(200);

/// Submissions on their way when nothing is recorded.
pub(super) const AHEAD: usize = 2;

/// A model on a device.
pub struct Loaded {
    pub(super) wgpu: Wgpu,
    pub(super) artifact: Artifact,
    pub(super) memory: Memory,
    pub(super) shared: Shared,
    launches: Vec<Launch>,
    /// Distance between blocks of uniforms.
    stride: u32,
    /// Rows of samples that fit their buffer.
    sample_rows: u64,
    /// The recording that was asked for last.
    pub(super) rows: Option<Rows>,
    /// Its sums and extremes, if they were asked for.
    pub(super) totals: Option<Totals>,
    /// Rows that stay on the device.
    pub(super) kept: Option<Kept>,
    /// Steps that the next submission may have.
    pace: u64,
}

/// Launches of one submission being collected.
pub(super) struct Submission {
    pub blocks: Blocks,
    pub actions: Vec<Action>,
    seed: u64,
    dt: f64,
    /// Step of the first row of samples.
    first: u64,
}

/// A launch with its block of uniforms.
pub(super) enum Action {
    /// An entry.
    Entry(u32, u32),
    /// What is recorded into a row, from each bank.
    Gather(Vec<u32>),
    /// What is recorded into a row that stays, from each bank.
    Keep(Vec<u32>),
    /// A row to the totals.
    Reduce(u32),
}

impl Loaded {
    /// Allocates memory and compiles the entries.
    pub fn new(wgpu: Wgpu, artifact: &Artifact) -> Result<Loaded, DeviceError> {
        let memory = Memory::new(&wgpu, artifact)?;
        let row = artifact.samples.len() * size(artifact.precision);
        let sample_rows = (SAMPLE_BYTES / row.max(1)).clamp(1, MOST_STEPS as usize);
        let stride = wgpu.device.limits().min_uniform_buffer_offset_alignment.max(artifact.uniform_bytes() as u32);
        let shared = Shared {
            uniforms: wgpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("uniforms"),
                size: u64::from(stride) * MOST_LAUNCHES as u64,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }),
            samples: allocate(&wgpu, "samples", (row * sample_rows) as u64)?,
        };
        let launches = launches(&wgpu, artifact, &memory, &shared)?;
        // The arrays have been handed over: what is kept here only needs to say where they were.
        let mut artifact = artifact.clone();
        artifact.constants.iter_mut().for_each(|c| c.data = Data::Numbers(Vec::new()));
        artifact.initial.clear();
        let (sample_rows, rows, totals, kept, pace) = (sample_rows as u64, None, None, None, 16);
        Ok(Loaded { wgpu, artifact, memory, shared, launches, stride, sample_rows, rows, totals, kept, pace })
    }

    pub(super) fn submission(&self, first: u64, dt: f64, seed: u64) -> Submission {
        Submission { blocks: Blocks::new(self.stride), actions: Vec::new(), seed, dt, first }
    }

    /// Adds launches of entries at a step.
    pub(super) fn add(&self, submission: &mut Submission, entries: &[u32], step: u64, count: u32) {
        let row = (step - submission.first) as u32;
        let tick = Tick { step, count, row, seed: submission.seed, dt: submission.dt };
        let block = submission.blocks.tick(&self.artifact, &tick);
        submission.actions.extend(entries.iter().map(|entry| Action::Entry(*entry, block)));
    }

    /// Adds `count` steps.
    pub(super) fn add_steps(&self, submission: &mut Submission, first: u64, count: u64) {
        if let Some(steps) = self.artifact.steps {
            self.add(submission, &[steps], first, count as u32);
            return;
        }
        let each: Vec<u32> = [&self.artifact.feed[..], &self.artifact.phases[Phase::Step as usize]].concat();
        for step in first..first + count {
            self.add(submission, &each, step, 1);
        }
    }

    /// Steps that fit one submission beside `rows` recorded rows of `per_row` blocks.
    pub(super) fn room(&self) -> u64 {
        let most = if self.artifact.steps.is_some() { MOST_STEPS } else { MOST_LAUNCHES as u64 / 2 };
        let most = if self.artifact.samples.is_empty() { most } else { most.min(self.sample_rows) };
        self.pace.min(most).max(1)
    }

    /// Hands over uniforms and samples for `steps` steps, and writes the commands.
    pub(super) fn encode(&self, submission: &Submission, steps: u64, feeds: Option<&Feeds>) -> wgpu::CommandEncoder {
        let queue = &self.wgpu.queue;
        queue.write_buffer(&self.shared.uniforms, 0, submission.blocks.bytes());
        if !self.artifact.samples.is_empty() {
            let value = |step: u64, sample: &Sample| match sample {
                Sample::Time => step as f64 * submission.dt,
                Sample::Column { series, column } => {
                    feeds.and_then(|f| f.series.get(*series as usize)).map_or(0.0, |s| s.at(step, *column))
                }
            };
            let samples = &self.artifact.samples;
            let rows = (submission.first..submission.first + steps.max(1))
                .flat_map(|step| samples.iter().map(move |sample| value(step, sample)));
            queue.write_buffer(&self.shared.samples, 0, &numbers(rows, self.artifact.precision));
        }
        let mut encoder = self.wgpu.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for action in &submission.actions {
            match (action, &self.rows) {
                (Action::Entry(entry, block), _) => self.launches[*entry as usize].encode(&mut pass, *block),
                (Action::Gather(blocks), Some(rows)) => rows.gather(&mut pass, blocks),
                // `record` makes the rows before it asks for them.
                (Action::Gather(_), None) => {}
                (Action::Keep(blocks), _) => {
                    if let Some(kept) = &self.kept {
                        kept.rows.gather(&mut pass, blocks);
                    }
                }
                (Action::Reduce(block), _) => {
                    if let Some(totals) = &self.totals {
                        totals.launch.encode(&mut pass, *block);
                    }
                }
            }
        }
        drop(pass);
        encoder
    }

    /// Adapts the number of steps of a submission to the time the last ones took.
    pub(super) fn adapt(&mut self, elapsed: Duration) {
        if elapsed < SHORT {
            self.pace = (self.pace * 2).min(MOST_STEPS);
        } else if elapsed > LONG {
            self.pace = (self.pace / 2).max(1);
        }
    }

    /// Records rows, many in a submission where they are close to each other.
    fn record_rows(
        &mut self,
        rows: &artifact::Rows<'_>,
        dt: f64,
        feeds: &Feeds,
        out: &mut Vec<f64>,
    ) -> Result<(), DeviceError> {
        let observe = [&self.artifact.feed[..], &self.artifact.phases[Phase::Observe as usize]].concat();
        // A row takes a block to observe, one to gather from each bank, and those of its steps.
        let own = 1 + self.memory.banks.len() as u64;
        let per_row = own + if self.artifact.steps.is_some() { 1 } else { rows.every };
        let mut done = 0;
        let mut last = Instant::now();
        while done < rows.count {
            if per_row > MOST_LAUNCHES as u64 || rows.every > self.room() {
                self.record_row(rows.first + done * rows.every, (&observe, dt), feeds, out)?;
                self.advance(rows.first + done * rows.every, rows.every, dt, feeds)?;
                done += 1;
                continue;
            }
            let capacity = self.rows.as_ref().map_or(1, |r| r.capacity as u64);
            let room = (self.room() / rows.every).min(MOST_LAUNCHES as u64 / per_row).min(capacity);
            let count = room.clamp(1, rows.count - done);
            let first = rows.first + done * rows.every;
            let mut submission = self.submission(first, dt, feeds.seed);
            for row in 0..count {
                let step = first + row * rows.every;
                self.add(&mut submission, &observe, step, 1);
                if let Some(gathered) = &self.rows {
                    let blocks = gathered.blocks(row as usize, &self.artifact, &mut submission.blocks);
                    submission.actions.push(Action::Gather(blocks));
                }
                self.add_steps(&mut submission, step, rows.every);
            }
            let encoder = self.encode(&submission, count * rows.every, Some(feeds));
            if let Some(gathered) = &mut self.rows {
                gathered.submit(&self.wgpu, &self.artifact, encoder, count as usize, out)?;
            }
            done += count;
            self.adapt(last.elapsed());
            last = Instant::now();
        }
        Ok(())
    }

    /// Records a row by itself.
    fn record_row(
        &mut self,
        step: u64,
        (observe, dt): (&[u32], f64),
        feeds: &Feeds,
        out: &mut Vec<f64>,
    ) -> Result<(), DeviceError> {
        let mut submission = self.submission(step, dt, feeds.seed);
        self.add(&mut submission, observe, step, 1);
        if let Some(gathered) = &self.rows {
            let blocks = gathered.blocks(0, &self.artifact, &mut submission.blocks);
            submission.actions.push(Action::Gather(blocks));
        }
        let encoder = self.encode(&submission, 1, Some(feeds));
        match &mut self.rows {
            Some(gathered) => gathered.submit(&self.wgpu, &self.artifact, encoder, 1, out),
            None => Ok(()),
        }
    }

    pub(super) fn prepare_rows(&mut self, places: &[(usize, usize)]) -> Result<(), DeviceError> {
        if self.rows.as_ref().is_none_or(|rows| rows.places != places) {
            let rows = Rows::new(&self.wgpu, &self.artifact, &self.memory, &self.shared.uniforms, places, None)?;
            (self.rows, self.totals) = (Some(rows), None);
        }
        Ok(())
    }

    /// Goes ahead without recording.
    pub(super) fn advance_steps(&mut self, first: u64, count: u64, dt: f64, feeds: &Feeds) -> Result<(), DeviceError> {
        let mut ahead = VecDeque::new();
        let (mut step, end) = (first, first + count);
        let mut last = Instant::now();
        while step < end {
            let steps = self.room().min(end - step);
            let mut submission = self.submission(step, dt, feeds.seed);
            self.add_steps(&mut submission, step, steps);
            let encoder = self.encode(&submission, steps, Some(feeds));
            ahead.push_back(self.wgpu.queue.submit([encoder.finish()]));
            if ahead.len() == AHEAD
                && let Some(oldest) = ahead.pop_front()
            {
                self.wgpu.finish(oldest)?;
                self.adapt(last.elapsed());
                last = Instant::now();
            }
            step += steps;
        }
        match ahead.pop_back() {
            Some(newest) => self.wgpu.finish(newest),
            None => Ok(()),
        }
    }
}

/// Steps are counted in 32 bits on the device.
fn check_steps(last: u64) -> Result<(), DeviceError> {
    match u32::try_from(last) {
        Ok(_) => Ok(()),
        Err(_) => Err(DeviceError(format!("a device `wgpu` counts steps up to {}, this is step {last}", u32::MAX))),
    }
}

impl Executable for Loaded {
    fn engine(&self) -> &str {
        "wgpu"
    }

    fn device(&self) -> &str {
        self.wgpu.name()
    }

    fn write(&mut self, buffer: usize, first: usize, values: &[f64]) -> Result<(), DeviceError> {
        self.memory.write(&self.wgpu, &self.artifact, (buffer, first), values)
    }

    fn read(&self, buffer: usize, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        self.memory.read(&self.wgpu, &self.artifact, buffer, out)
    }

    fn run(&mut self, phase: Phase, step: u64, dt: f64) -> Result<(), DeviceError> {
        check_steps(step)?;
        let mut submission = self.submission(step, dt, 0);
        let entries = self.artifact.phases[phase as usize].clone();
        self.add(&mut submission, &entries, step, 1);
        let encoder = self.encode(&submission, 1, None);
        self.wgpu.queue.submit([encoder.finish()]);
        self.wgpu.check()
    }

    fn advance(&mut self, first: u64, count: u64, dt: f64, feeds: &Feeds) -> Result<(), DeviceError> {
        check_steps(first + count)?;
        self.advance_steps(first, count, dt, feeds)
    }

    fn gather(&self, places: &[(usize, usize)], out: &mut Vec<f64>) -> Result<(), DeviceError> {
        // Only the buffers that are asked for cross over, each once.
        let mut held: Vec<(usize, Vec<f64>)> = Vec::new();
        for (buffer, element) in places {
            if !held.iter().any(|h| h.0 == *buffer) {
                let mut values = Vec::new();
                self.read(*buffer, &mut values)?;
                held.push((*buffer, values));
            }
            let value = held.iter().find(|h| h.0 == *buffer).and_then(|h| h.1.get(*element));
            out.push(*value.ok_or_else(|| DeviceError(format!("there is no element {element} of buffer {buffer}")))?);
        }
        Ok(())
    }

    fn watch(&mut self) -> Result<Option<u64>, DeviceError> {
        let Some(marks) = &self.artifact.marks else { return Ok(None) };
        self.memory.clear_marks(&self.wgpu)?;
        Ok(Some(marks.rows as u64))
    }

    fn watched(&mut self, steps: (u64, u64), events: &[EventBuffer], out: &mut Vec<Spike>) -> Result<(), DeviceError> {
        let Some(marks) = &self.artifact.marks else {
            return Err(DeviceError("this model's events are not noted".to_string()));
        };
        marks.spikes(&self.memory.read_marks(&self.wgpu)?, steps, events, out);
        Ok(())
    }

    fn reduces(&self) -> bool {
        true
    }

    fn reduce(
        &mut self,
        rows: &artifact::Rows<'_>,
        dt: f64,
        feeds: &Feeds,
        totals: &mut artifact::Totals,
    ) -> Result<(), DeviceError> {
        check_steps(rows.first + rows.count * rows.every)?;
        self.reduce_rows(rows, dt, feeds, totals)
    }

    fn keep(&mut self, places: &[(usize, usize)], rows: usize, spectra: bool) -> Result<(), DeviceError> {
        self.keep_rows(places, rows, spectra)
    }

    fn kept(&mut self) -> Option<&mut dyn KeptRows> {
        if self.kept.is_some() { Some(self) } else { None }
    }

    fn record(
        &mut self,
        rows: &artifact::Rows<'_>,
        dt: f64,
        feeds: &Feeds,
        out: &mut Vec<f64>,
    ) -> Result<(), DeviceError> {
        check_steps(rows.first + rows.count * rows.every)?;
        if rows.places.is_empty() {
            return self.advance(rows.first, rows.count * rows.every, dt, feeds);
        }
        self.prepare_rows(rows.places)?;
        let all = self.record_rows(rows, dt, feeds, out);
        // What the device has finished is handed over also when it failed afterwards.
        let rest = match &mut self.rows {
            Some(gathered) => gathered.collect_all(&self.wgpu, &self.artifact, out),
            None => Ok(()),
        };
        all.and(rest)
    }
}
