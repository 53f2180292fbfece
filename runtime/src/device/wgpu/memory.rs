//! The memory of a loaded model: banks of buffers, and constants.

use super::Wgpu;
use super::uniform::{numbers, read_numbers, size};
use crate::artifact::DeviceError;
use crate::code::{Artifact, Data};

/// Bytes handed to the device at a time: it keeps a copy of each until the next submission.
const PORTION: usize = 64 << 20;

/// Banks and constants on a device.
pub struct Memory {
    pub banks: Vec<wgpu::Buffer>,
    pub constants: Vec<wgpu::Buffer>,
    /// The ring of marks; one number where nothing is marked.
    pub marks: wgpu::Buffer,
}

impl Memory {
    /// Allocates and fills the memory of a model.
    pub fn new(wgpu: &Wgpu, artifact: &Artifact) -> Result<Memory, DeviceError> {
        let size = size(artifact.precision);
        let banks = artifact.banks.iter().map(|bank| allocate(wgpu, &bank.name, (bank.len * size) as u64));
        let banks: Vec<wgpu::Buffer> = banks.collect::<Result<_, _>>()?;
        let mut constants = Vec::new();
        for constant in &artifact.constants {
            let bytes = match &constant.data {
                Data::Integers(integers) => integers.iter().flat_map(|i| i.to_le_bytes()).collect(),
                Data::Numbers(values) => numbers(values.iter().copied(), artifact.precision),
            };
            let buffer = allocate(wgpu, &constant.name, bytes.len() as u64)?;
            upload(wgpu, &buffer, 0, &bytes);
            constants.push(buffer);
        }
        for (index, values) in &artifact.initial {
            let (bank, offset) = place(artifact, *index as usize)?;
            let buffer = &artifact.layout.buffers[*index as usize];
            let elements = buffer.len * buffer.slots;
            let bytes = match &values[..] {
                [value] => numbers(std::iter::repeat_n(*value, elements), artifact.precision),
                each => numbers((0..elements).map(|i| each[i % each.len()]), artifact.precision),
            };
            upload(wgpu, &banks[bank], (offset * size) as u64, &bytes);
        }
        let marks = artifact.marks.as_ref().map_or(0, |m| m.rows * m.words * 4);
        let marks = allocate(wgpu, "marks", marks as u64)?;
        wgpu.check()?;
        Ok(Memory { banks, constants, marks })
    }

    /// Clears the ring of marks.
    pub fn clear_marks(&self, wgpu: &Wgpu) -> Result<(), DeviceError> {
        let mut encoder = wgpu.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(&self.marks, 0, None);
        wgpu.queue.submit([encoder.finish()]);
        wgpu.check()
    }

    /// The words of the ring of marks.
    pub fn read_marks(&self, wgpu: &Wgpu) -> Result<Vec<u32>, DeviceError> {
        let view = copy(wgpu, &self.marks, 0, self.marks.size())?;
        Ok(view.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect())
    }

    /// Replaces elements of a buffer, counted slot after slot.
    pub fn write(
        &self,
        wgpu: &Wgpu,
        artifact: &Artifact,
        to: (usize, usize),
        values: &[f64],
    ) -> Result<(), DeviceError> {
        let (buffer, first) = to;
        let (bank, offset) = place(artifact, buffer)?;
        let held = &artifact.layout.buffers[buffer];
        if first + values.len() > held.len * held.slots {
            return Err(DeviceError(format!("{} values do not fit buffer {buffer} from {first} on", values.len())));
        }
        let at = ((offset + first) * size(artifact.precision)) as u64;
        upload(wgpu, &self.banks[bank], at, &numbers(values.iter().copied(), artifact.precision));
        wgpu.check()
    }

    /// The elements of a buffer, slot after slot.
    pub fn read(&self, wgpu: &Wgpu, artifact: &Artifact, buffer: usize, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        let (bank, offset) = place(artifact, buffer)?;
        let (held, size) = (&artifact.layout.buffers[buffer], size(artifact.precision));
        let bytes = copy(wgpu, &self.banks[bank], (offset * size) as u64, (held.len * held.slots * size) as u64)?;
        out.clear();
        read_numbers(&bytes, artifact.precision, out);
        Ok(())
    }
}

/// Bytes of a buffer, when all that was handed over is done.
pub fn copy(wgpu: &Wgpu, from: &wgpu::Buffer, at: u64, bytes: u64) -> Result<Vec<u8>, DeviceError> {
    let staging = staging(wgpu, bytes);
    let mut encoder = wgpu.device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(from, at, &staging, 0, Some(bytes));
    let submission = wgpu.queue.submit([encoder.finish()]);
    staging.map_async(wgpu::MapMode::Read, .., |_| {});
    wgpu.finish(submission)?;
    let view = staging.get_mapped_range(..).map_err(|e| DeviceError(format!("`{}`: {e}", wgpu.name)))?;
    Ok(view[..bytes as usize].to_vec())
}

/// A buffer that the processor can read.
pub fn staging(wgpu: &Wgpu, bytes: u64) -> wgpu::Buffer {
    wgpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("staging"),
        size: bytes.max(4),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    })
}

/// Memory that entries can be given; at least one number, as empty bindings do not exist.
pub fn allocate(wgpu: &Wgpu, name: &str, bytes: u64) -> Result<wgpu::Buffer, DeviceError> {
    let limits = wgpu.device.limits();
    let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
    if bytes > most {
        return Err(DeviceError(format!(
            "the model needs {bytes} bytes in one piece, `{}` has at most {most}\n  \
             help: use `--device cpu`, or fewer units or members at a time",
            wgpu.name
        )));
    }
    let scope = wgpu.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let buffer = wgpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(name),
        size: bytes.max(8),
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    });
    match super::adapter::wait(scope.pop()) {
        Some(_) => Err(DeviceError(format!("`{}` has no {bytes} bytes of memory left for `{name}`", wgpu.name))),
        None => Ok(buffer),
    }
}

/// Hands bytes to the device.
pub fn upload(wgpu: &Wgpu, buffer: &wgpu::Buffer, at: u64, bytes: &[u8]) {
    for (i, portion) in bytes.chunks(PORTION).enumerate() {
        wgpu.queue.write_buffer(buffer, at + (i * PORTION) as u64, portion);
        if bytes.len() > PORTION {
            wgpu.queue.submit([]);
        }
    }
}

/// Bank and first element of a buffer.
pub fn place(artifact: &Artifact, buffer: usize) -> Result<(usize, usize), DeviceError> {
    artifact.place(buffer as u32).ok_or_else(|| DeviceError(format!("there is no buffer {buffer}")))
}
