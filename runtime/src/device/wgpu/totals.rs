//! Sums and extremes of what is recorded, computed where it is.

use std::collections::VecDeque;
use std::time::Instant;

use super::Wgpu;
use super::executable::{AHEAD, Action, Loaded, MOST_LAUNCHES, Submission};
use super::launch::{Given, Launch, compile, module, workgroups};
use super::memory::{allocate, copy, upload};
use super::rows::Rows;
use super::uniform::{numbers, read_numbers, size};
use crate::artifact::{self, DeviceError, Feeds, Phase};
use crate::code::Artifact;
use crate::program::Precision;

/// Adds row 0 to four numbers per column: its sum, what rounding took from the sum, the smallest and the largest value.
/// `shape`: nothing, number of columns, 0.
///
/// In single precision the sum has a second part: the exact error of each addition (D. Knuth, The Art of Computer
/// Programming 2, section 4.2.2, theorem B), so that it errs by some units in the last place of double precision for as many
/// rows. `keep` is what no compiler sees through, which could otherwise find the error to be 0.
const REDUCE: &str = "\
@group(0) @binding(0) var<uniform> shape: vec4<u32>;
@group(0) @binding(1) var<storage, read> rows: array<real>;
@group(0) @binding(2) var<storage, read_write> totals: array<real>;
@compute @workgroup_size(64)
fn reduce(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + local;
    let n = shape.y;
    if (i >= n) {
        return;
    }
    let value = rows[i];
    let sum = totals[i];
    let next = keep(sum + value);
    let part = keep(next - sum);
    totals[n + i] += keep(sum - keep(next - part)) + keep(value - part);
    totals[i] = next;
    if (value < totals[2u * n + i]) {
        totals[2u * n + i] = value;
    }
    if (value > totals[3u * n + i]) {
        totals[3u * n + i] = value;
    }
}
";

const SINGLE: &str = "\
alias real = f32;
fn keep(a: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(a) ^ shape.z);
}
";

const DOUBLE: &str = "\
alias real = f64;
fn keep(a: f64) -> f64 {
    return bitcast<f64>(bitcast<u64>(a) ^ u64(shape.z));
}
";

/// The totals of a recording.
pub struct Totals {
    /// Adds row 0.
    pub launch: Launch,
    buffer: wgpu::Buffer,
    columns: usize,
}

impl Totals {
    /// Prepares the totals of what `rows` records.
    pub fn new(wgpu: &Wgpu, artifact: &Artifact, rows: &Rows, uniforms: &wgpu::Buffer) -> Result<Totals, DeviceError> {
        let columns = rows.places.len();
        let buffer = allocate(wgpu, "totals", (4 * columns * size(artifact.precision)) as u64)?;
        let own = if artifact.precision == Precision::F64 { DOUBLE } else { SINGLE };
        let module = module(wgpu, "reduce", &format!("{own}{REDUCE}"))?;
        let given = [
            Given { slot: 1, buffer: &rows.buffer, read_only: true },
            Given { slot: 2, buffer: &buffer, read_only: false },
        ];
        let groups = workgroups(wgpu, columns.div_ceil(64));
        let launch = compile(wgpu, &module, "reduce", (uniforms, 16), &given, groups);
        wgpu.check()?;
        Ok(Totals { launch, buffer, columns })
    }

    fn clear(&self, wgpu: &Wgpu, precision: Precision) -> Result<(), DeviceError> {
        let first = [0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY];
        let all = first.into_iter().flat_map(|value| std::iter::repeat_n(value, self.columns));
        upload(wgpu, &self.buffer, 0, &numbers(all, precision));
        wgpu.check()
    }

    fn add_to(&self, wgpu: &Wgpu, precision: Precision, totals: &mut artifact::Totals) -> Result<(), DeviceError> {
        let n = self.columns;
        let mut found = Vec::new();
        read_numbers(&copy(wgpu, &self.buffer, 0, (4 * n * size(precision)) as u64)?, precision, &mut found);
        for column in 0..n {
            totals.sums[column] += found[column] + found[n + column];
            totals.lowest[column] = totals.lowest[column].min(found[2 * n + column]);
            totals.highest[column] = totals.highest[column].max(found[3 * n + column]);
        }
        Ok(())
    }
}

impl Loaded {
    /// Goes on as for recorded rows, which are added up on the device.
    pub(super) fn reduce_rows(
        &mut self,
        rows: &artifact::Rows<'_>,
        dt: f64,
        feeds: &Feeds,
        totals: &mut artifact::Totals,
    ) -> Result<(), DeviceError> {
        let precision = self.artifact.precision;
        self.prepare_totals(rows.places)?;
        if let Some(own) = &self.totals {
            own.clear(&self.wgpu, precision)?;
        }
        let columns = rows.places.len() as u32;
        // A row takes a block to gather from each bank, and one to add.
        let blocks = 1 + self.memory.banks.len() as u64;
        self.run_rows(rows, dt, feeds, blocks, &|loaded, submission, _| {
            if let Some(gathered) = &loaded.rows {
                let blocks = gathered.blocks(0, &loaded.artifact, &mut submission.blocks);
                submission.actions.push(Action::Gather(blocks));
                let block = submission.blocks.integers(&[0, columns, 0, 0]);
                submission.actions.push(Action::Reduce(block));
            }
        })?;
        totals.rows += rows.count;
        match &self.totals {
            Some(own) => own.add_to(&self.wgpu, precision, totals),
            None => Ok(()),
        }
    }

    /// Goes on as for recorded rows, many in a submission where they are close to each other; `take` adds what becomes of a row
    /// once it is observed, in `blocks` blocks of uniforms.
    pub(super) fn run_rows(
        &mut self,
        rows: &artifact::Rows<'_>,
        dt: f64,
        feeds: &Feeds,
        blocks: u64,
        take: &dyn Fn(&Loaded, &mut Submission, u64),
    ) -> Result<(), DeviceError> {
        let observe = [&self.artifact.feed[..], &self.artifact.phases[Phase::Observe as usize]].concat();
        // A row takes a block to observe, those of its own, and those of its steps.
        let steps = if self.artifact.steps.is_some() { 1 } else { rows.every };
        let per_row = 1 + blocks + steps;
        let (mut done, mut ahead, mut last) = (0, VecDeque::new(), Instant::now());
        while done < rows.count {
            let whole = rows.every > 0 && per_row <= MOST_LAUNCHES as u64 && rows.every <= self.room();
            let fit = (self.room() / rows.every.max(1)).min(MOST_LAUNCHES as u64 / per_row);
            let count = if whole { fit.clamp(1, rows.count - done) } else { 1 };
            let first = rows.first + done * rows.every;
            let mut submission = self.submission(first, dt, feeds.seed);
            for row in 0..count {
                let step = first + row * rows.every;
                self.add(&mut submission, &observe, step, 1);
                take(self, &mut submission, done + row);
                if whole {
                    self.add_steps(&mut submission, step, rows.every);
                }
            }
            let encoder = self.encode(&submission, if whole { count * rows.every } else { 1 }, Some(feeds));
            ahead.push_back(self.wgpu.queue.submit([encoder.finish()]));
            if ahead.len() == AHEAD
                && let Some(oldest) = ahead.pop_front()
            {
                self.wgpu.finish(oldest)?;
                self.adapt(last.elapsed());
                last = Instant::now();
            }
            if !whole {
                self.advance_steps(first, rows.every, dt, feeds)?;
            }
            done += count;
        }
        self.wgpu.check()
    }

    fn prepare_totals(&mut self, places: &[(usize, usize)]) -> Result<(), DeviceError> {
        self.prepare_rows(places)?;
        if let (None, Some(rows)) = (&self.totals, &self.rows) {
            self.totals = Some(Totals::new(&self.wgpu, &self.artifact, rows, &self.shared.uniforms)?);
        }
        Ok(())
    }
}
