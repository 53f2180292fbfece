//! Recorded rows: gathered on the device, read back while it goes on.

use std::collections::VecDeque;

use super::Wgpu;
use super::launch::{Given, Launch, compile, module, workgroups};
use super::memory::{Memory, allocate, place, staging, upload};
use super::uniform::{Blocks, read_numbers, size};
use crate::artifact::DeviceError;
use crate::code::Artifact;

/// Bytes of rows that one submission may leave behind, unless a single row is longer.
const PORTION: usize = 4 << 20;

/// Staging buffers that may be waited for at a time: the one being read, the one being copied to, and one in reserve.
const RING: usize = 3;

/// Copies words from a bank to their places in a row. `shape`: word at which the row begins, number of words to copy.
const GATHER: &str = "\
@group(0) @binding(0) var<uniform> shape: vec4<u32>;
@group(0) @binding(1) var<storage, read_write> bank: array<u32>;
@group(0) @binding(2) var<storage, read> places: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> rows: array<u32>;
@compute @workgroup_size(64)
fn gather(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + local;
    if (i < shape.y) {
        rows[shape.x + places[i].y] = bank[places[i].x];
    }
}
";

/// The columns of a recording, ready to be gathered.
pub struct Rows {
    /// What is recorded: (buffer, element).
    pub places: Vec<(usize, usize)>,
    /// One launch for each bank, with the number of words it copies.
    launches: Vec<(Launch, u32)>,
    pub buffer: wgpu::Buffer,
    /// Rows that fit the buffer.
    pub capacity: usize,
    ring: Vec<wgpu::Buffer>,
    pending: VecDeque<Pending>,
}

/// Rows being copied to a staging buffer.
struct Pending {
    staging: wgpu::Buffer,
    submission: wgpu::SubmissionIndex,
    rows: usize,
}

impl Rows {
    /// Prepares the recording of some places; a submission's rows fit unless more are asked for.
    pub fn new(
        wgpu: &Wgpu,
        artifact: &Artifact,
        memory: &Memory,
        uniforms: &wgpu::Buffer,
        places: &[(usize, usize)],
        capacity: Option<usize>,
    ) -> Result<Rows, DeviceError> {
        let words = size(artifact.precision) / 4;
        let mut copies: Vec<Vec<[u32; 2]>> = vec![Vec::new(); memory.banks.len()];
        for (column, (buffer, element)) in places.iter().enumerate() {
            let (bank, offset) = place(artifact, *buffer)?;
            let held = &artifact.layout.buffers[*buffer];
            if *element >= held.len * held.slots {
                return Err(DeviceError(format!("there is no element {element} of buffer {buffer}")));
            }
            let word = |at: usize, w: usize| (at * words + w) as u32;
            copies[bank].extend((0..words).map(|w| [word(offset + element, w), word(column, w)]));
        }
        let row = (places.len() * size(artifact.precision)).max(4);
        let capacity = capacity.unwrap_or(PORTION / row).max(1);
        let buffer = allocate(wgpu, "rows", (capacity * row) as u64)?;
        let module = module(wgpu, "gather", GATHER)?;
        let mut launches = Vec::new();
        for (bank, copies) in copies.iter().enumerate().filter(|(_, c)| !c.is_empty()) {
            let bytes: Vec<u8> = copies.iter().flatten().flat_map(|word| word.to_le_bytes()).collect();
            let table = allocate(wgpu, "places", bytes.len() as u64)?;
            upload(wgpu, &table, 0, &bytes);
            let given = [
                Given { slot: 1, buffer: &memory.banks[bank], read_only: false },
                Given { slot: 2, buffer: &table, read_only: true },
                Given { slot: 3, buffer: &buffer, read_only: false },
            ];
            let groups = workgroups(wgpu, copies.len().div_ceil(64));
            launches.push((compile(wgpu, &module, "gather", (uniforms, 16), &given, groups), copies.len() as u32));
        }
        wgpu.check()?;
        let (places, ring, pending) = (places.to_vec(), Vec::new(), VecDeque::new());
        Ok(Rows { places, launches, buffer, capacity, ring, pending })
    }

    /// Copies the current values to a row of the buffer. The blocks of uniforms it takes are written first, see
    /// [`Rows::blocks`].
    pub fn gather(&self, pass: &mut wgpu::ComputePass<'_>, blocks: &[u32]) {
        for ((launch, _), block) in self.launches.iter().zip(blocks) {
            launch.encode(pass, *block);
        }
    }

    /// Writes the blocks of uniforms for a row.
    pub fn blocks(&self, row: usize, artifact: &Artifact, blocks: &mut Blocks) -> Vec<u32> {
        let words = size(artifact.precision) / 4;
        let base = (row * self.places.len() * words) as u32;
        self.launches.iter().map(|(_, count)| blocks.integers(&[base, *count, 0, 0])).collect()
    }

    /// Ends a submission with a copy of its rows to a staging buffer, and reads the oldest one if all are in use.
    pub fn submit(
        &mut self,
        wgpu: &Wgpu,
        artifact: &Artifact,
        mut encoder: wgpu::CommandEncoder,
        rows: usize,
        out: &mut Vec<f64>,
    ) -> Result<(), DeviceError> {
        if self.pending.len() == RING {
            self.collect(wgpu, artifact, out)?;
        }
        let staging = match self.ring.pop() {
            Some(staging) => staging,
            None => staging(wgpu, self.buffer.size()),
        };
        let bytes = (rows * self.places.len() * size(artifact.precision)) as u64;
        encoder.copy_buffer_to_buffer(&self.buffer, 0, &staging, 0, Some(bytes));
        let submission = wgpu.queue.submit([encoder.finish()]);
        staging.map_async(wgpu::MapMode::Read, .., |_| {});
        self.pending.push_back(Pending { staging, submission, rows });
        wgpu.check()
    }

    /// Appends the rows of the oldest submission.
    fn collect(&mut self, wgpu: &Wgpu, artifact: &Artifact, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        let Some(Pending { staging, submission, rows }) = self.pending.pop_front() else { return Ok(()) };
        wgpu.finish(submission)?;
        let bytes = rows * self.places.len() * size(artifact.precision);
        let view = staging.get_mapped_range(..).map_err(|e| DeviceError(format!("`{}`: {e}", wgpu.name())))?;
        read_numbers(&view[..bytes], artifact.precision, out);
        drop(view);
        staging.unmap();
        self.ring.push(staging);
        Ok(())
    }

    /// Appends all rows that are still on their way.
    pub fn collect_all(&mut self, wgpu: &Wgpu, artifact: &Artifact, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        while !self.pending.is_empty() {
            self.collect(wgpu, artifact, out)?;
        }
        Ok(())
    }
}
