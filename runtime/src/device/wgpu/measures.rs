//! What is asked of kept rows, as entries of their own.

use super::Wgpu;
use super::launch::{Given, Launch, compile, module, workgroups};
use super::memory::{allocate, copy, upload};
use super::uniform::{Blocks, numbers, read_numbers, size};
use crate::artifact::DeviceError;
use crate::program::Precision;

/// One invocation for each column, except where an entry says otherwise. Bindings are those of all entries; each takes some.
const MEASURES: &str = "\
struct Shape {
    first: u32,
    end: u32,
    columns: u32,
    zero: u32,
    base: u32,
    width: u32,
    length: u32,
    stride: u32,
}
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> rows: array<real>;
@group(0) @binding(2) var<storage, read> given: array<real>;
@group(0) @binding(3) var<storage, read_write> found: array<real>;
@group(0) @binding(4) var<storage, read_write> counts: array<u32>;
@group(0) @binding(5) var<storage, read> turns: array<vec2<real>>;
@group(0) @binding(6) var<storage, read_write> one: array<vec2<real>>;
@group(0) @binding(7) var<storage, read_write> other: array<vec2<real>>;

fn invocation(group: vec3<u32>, groups: vec3<u32>, local: u32) -> u32 {
    return (group.y * groups.x + group.x) * 64u + local;
}

// Sum, what rounding took from it, smallest and largest value of rows `first` to `end`.
@compute @workgroup_size(64)
fn totals(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let column = invocation(group, groups, local);
    let n = shape.columns;
    if (column >= n) {
        return;
    }
    var sum = real(0);
    var rest = real(0);
    var lowest = rows[shape.first * n + column];
    var highest = lowest;
    for (var row = shape.first; row < shape.end; row++) {
        let value = rows[row * n + column];
        let next = keep(sum + value);
        let part = keep(next - sum);
        rest += keep(sum - keep(next - part)) + keep(value - part);
        sum = next;
        if (value < lowest) {
            lowest = value;
        }
        if (value > highest) {
            highest = value;
        }
    }
    found[column] = sum;
    found[n + column] = rest;
    found[2u * n + column] = lowest;
    found[3u * n + column] = highest;
}

// Rises through the level `given[n + column]` that follow a value below `given[column]`: how many, the rows before the first and
// the last, and the values around both.
@compute @workgroup_size(64)
fn rises(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let column = invocation(group, groups, local);
    let n = shape.columns;
    if (column >= n) {
        return;
    }
    let low = given[column];
    let middle = given[n + column];
    var armed = false;
    var count = 0u;
    var before = rows[shape.first * n + column];
    for (var row = shape.first + 1u; row < shape.end; row++) {
        let after = rows[row * n + column];
        armed = armed || before < low;
        if (armed && before < middle && after >= middle) {
            if (count == 0u) {
                counts[n + column] = row - 1u - shape.first;
                found[column] = before;
                found[n + column] = after;
            }
            counts[2u * n + column] = row - 1u - shape.first;
            found[2u * n + column] = before;
            found[3u * n + column] = after;
            count += 1u;
            armed = false;
        }
        before = after;
    }
    counts[column] = count;
}

// Columns `base` to `base + width`, shifted, scaled and windowed, as complex numbers; zeros behind them up to `length`. One
// invocation for each number. `given` has the window, then the two parts of each mean, then the scales.
@compute @workgroup_size(64)
fn fill(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = invocation(group, groups, local);
    if (at >= shape.length * shape.width) {
        return;
    }
    let row = at / shape.width;
    let column = shape.base + at % shape.width;
    let count = shape.end - shape.first;
    let n = shape.columns;
    var value = real(0);
    if (row < count && column < n) {
        let shifted = keep(rows[(shape.first + row) * n + column] - given[count + column]) - given[count + n + column];
        value = given[row] * (given[count + 2u * n + column] * shifted);
    }
    one[at] = vec2<real>(value, real(0));
}

// One pass of a Fourier transform that sorts itself (T. G. Stockham, AFIPS 28, 1966): from `one` to `other`, parts of `stride`
// numbers. One invocation for each pair.
@compute @workgroup_size(64)
fn pass_on(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = invocation(group, groups, local);
    let half = shape.length / 2u;
    if (at >= half * shape.width) {
        return;
    }
    let pair = at / shape.width;
    let column = at % shape.width;
    let part = pair / shape.stride;
    let place = pair % shape.stride;
    let a = one[pair * shape.width + column];
    let b = one[(pair + half) * shape.width + column];
    let turn = turns[part * shape.stride];
    let apart = a - b;
    let into = place + 2u * part * shape.stride;
    other[into * shape.width + column] = a + b;
    other[(into + shape.stride) * shape.width + column] =
        vec2<real>(apart.x * turn.x - apart.y * turn.y, apart.x * turn.y + apart.y * turn.x);
}

fn squared(number: vec2<real>) -> real {
    return number.x * number.x + number.y * number.y;
}

// The last highest bin of the power between both ends, and the powers around it.
@compute @workgroup_size(64)
fn peak(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let own = invocation(group, groups, local);
    let column = shape.base + own;
    let n = shape.columns;
    if (own >= shape.width || column >= n) {
        return;
    }
    var bin = 1u;
    var highest = real(-1);
    for (var k = 1u; k < shape.length / 2u; k++) {
        let power = squared(one[k * shape.width + own]);
        if (power >= highest) {
            highest = power;
            bin = k;
        }
    }
    counts[column] = bin;
    for (var k = 0u; k < 3u; k++) {
        let number = one[(bin + k - 1u) * shape.width + own];
        found[k * n + column] = squared(number);
    }
}
";

/// `keep` is what no compiler sees through, which could otherwise find what rounding took to be 0.
const SINGLE: &str = "\
alias real = f32;
fn keep(a: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(a) ^ shape.zero);
}
";

const DOUBLE: &str = "\
alias real = f64;
fn keep(a: f64) -> f64 {
    return bitcast<f64>(bitcast<u64>(a) ^ u64(shape.zero));
}
";

/// Bytes that the blocks of uniforms are apart: the largest alignment that WebGPU lets a device ask for (W3C, WebGPU, section
/// 3.6.2: `minUniformBufferOffsetAlignment`).
const STRIDE: u32 = 256;

/// Launches that go into one submission at most.
const MOST: usize = 64;

/// What an entry is told, see `Shape` in its code.
#[derive(Clone, Copy, Default)]
pub struct Shape {
    pub first: usize,
    pub end: usize,
    pub columns: usize,
    pub base: usize,
    pub width: usize,
    pub length: usize,
    pub stride: usize,
}

/// The entries, compiled as far as they are asked for.
pub struct Measures {
    module: wgpu::ShaderModule,
    uniforms: wgpu::Buffer,
    precision: Precision,
}

impl Measures {
    pub fn new(wgpu: &Wgpu, precision: Precision) -> Result<Measures, DeviceError> {
        let own = if precision == Precision::F64 { DOUBLE } else { SINGLE };
        let module = module(wgpu, "measures", &format!("{own}{MEASURES}"))?;
        let uniforms = wgpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("shapes"),
            size: u64::from(STRIDE) * MOST as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Ok(Measures { module, uniforms, precision })
    }

    /// Compiles an entry for so many invocations, and for buffers by the numbers of their bindings.
    pub fn entry(&self, wgpu: &Wgpu, name: &str, invocations: usize, given: &[(u32, &wgpu::Buffer)]) -> Launch {
        let read_only = |slot: &u32| [1, 2, 5].contains(slot);
        let given: Vec<Given<'_>> =
            given.iter().map(|(slot, buffer)| Given { slot: *slot, buffer, read_only: read_only(slot) }).collect();
        let groups = workgroups(wgpu, invocations.div_ceil(64));
        compile(wgpu, &self.module, name, (&self.uniforms, 32), &given, groups)
    }

    /// Launches entries in order.
    pub fn launch(&self, wgpu: &Wgpu, launches: &[(&Launch, Shape)]) -> Result<(), DeviceError> {
        for launches in launches.chunks(MOST) {
            let mut blocks = Blocks::new(STRIDE);
            let mut encoder = wgpu.device.create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for (launch, shape) in launches {
                let Shape { first, end, columns, base, width, length, stride } = *shape;
                let told = [first, end, columns, 0, base, width, length, stride].map(|number| number as u32);
                launch.encode(&mut pass, blocks.integers(&told));
            }
            drop(pass);
            wgpu.queue.write_buffer(&self.uniforms, 0, blocks.bytes());
            let submission = wgpu.queue.submit([encoder.finish()]);
            wgpu.finish(submission)?;
        }
        Ok(())
    }

    /// Memory with numbers in it.
    pub fn given(&self, wgpu: &Wgpu, values: impl IntoIterator<Item = f64>) -> Result<wgpu::Buffer, DeviceError> {
        let bytes = numbers(values, self.precision);
        let buffer = allocate(wgpu, "given", bytes.len() as u64)?;
        upload(wgpu, &buffer, 0, &bytes);
        Ok(buffer)
    }

    /// Memory for numbers.
    pub fn room(&self, wgpu: &Wgpu, count: usize) -> Result<wgpu::Buffer, DeviceError> {
        allocate(wgpu, "found", (count * size(self.precision)) as u64)
    }

    /// The numbers in memory.
    pub fn read(&self, wgpu: &Wgpu, buffer: &wgpu::Buffer, count: usize) -> Result<Vec<f64>, DeviceError> {
        let mut found = Vec::with_capacity(count);
        read_numbers(&copy(wgpu, buffer, 0, (count * size(self.precision)) as u64)?, self.precision, &mut found);
        Ok(found)
    }

    /// The integers in memory.
    pub fn read_counts(&self, wgpu: &Wgpu, buffer: &wgpu::Buffer, count: usize) -> Result<Vec<usize>, DeviceError> {
        let bytes = copy(wgpu, buffer, 0, (count * 4) as u64)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word) as usize).collect())
    }
}
