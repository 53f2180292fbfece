//! Compiled models as text: the code of all kernels with what it takes to launch them, for devices with a compiler of
//! their own and for hosts that know nothing of this runtime.

use std::sync::Arc;

use crate::artifact::{EventBuffer, Explanation, Layout, Spike};
use crate::program::Precision;

/// A compiled model as code in the language of a device.
#[derive(Clone, PartialEq, Debug)]
pub struct Artifact {
    /// The target it was made for: `wgsl`, `ptx`.
    pub target: String,
    /// The code of all entries.
    pub code: String,
    /// The model's buffers.
    pub layout: Layout,
    /// Number format of all buffers and values.
    pub precision: Precision,
    /// Arrays that entries read and nothing writes: index tables, connections, weights.
    pub constants: Vec<Constant>,
    /// What can be launched.
    pub entries: Vec<Entry>,
    /// The entries of each phase in order, by [`Phase`](crate::artifact::Phase) as an index.
    pub phases: [Vec<u32>; 4],
    /// The entry that runs any number of steps by itself, what it is fed included: for small models, and where no element
    /// of the model reads what another one wrote.
    pub steps: Option<u32>,
    /// The entry that runs steps as [`Artifact::steps`] does and records rows between them.
    pub recorder: Option<Recorder>,
    /// The entry that gathers what is recorded: the numbers at [`Binding::Addresses`] into a row of [`Binding::Rows`].
    pub record: Option<u32>,
    /// The entry that adds the numbers at [`Binding::Addresses`] to [`Binding::Totals`].
    pub reduce: Option<u32>,
    /// The entry that moves [`Binding::Clock`] on, by `first` steps and `count` rows.
    pub tick: Option<u32>,
    /// The entries that measure recorded rows where they are.
    pub measures: Option<Measures>,
    /// Where entries mark recorded events, if there are any.
    pub marks: Option<Marks>,
    /// Names of what every entry is given after its bindings, 64 bits each; none where there is a block of uniforms.
    pub arguments: Vec<String>,
    /// Initial contents: (buffer, one value or one per element). All other buffers start at 0.
    pub initial: Vec<(u32, Vec<f64>)>,
    /// Memory that holds several buffers each, where entries are given that instead of buffers.
    pub banks: Vec<Bank>,
    /// The entries that fill the buffers of inputs and random numbers, before the entries of a step or of the observe
    /// phase; empty where the host fills them.
    pub feed: Vec<u32>,
    /// What a row of samples holds.
    pub samples: Vec<Sample>,
    /// The numbers that every entry is given besides its bindings, in one block.
    pub uniforms: Vec<Uniform>,
    /// How the connections of a step are executed, in order; none where the target says nothing of it.
    pub explanations: Vec<Explanation>,
}

/// An entry that is launched for `count` rows: for each it computes the observed quantities, copies what is recorded of them, and
/// runs the steps to the next row, as its [`Binding::Plan`] says.
///
/// The plan is made of numbers of 64 bits: the steps from one row to the next, the bytes of a row, for each owner the number
/// of its first column, and behind the last owner that of all columns, then for each column its address and its place in
/// the row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recorder {
    /// The entry.
    pub entry: u32,
    /// Parts of the model that do not read from each other.
    pub parts: usize,
    /// Parts of an owner.
    pub each: usize,
}

impl Recorder {
    /// Number of owners.
    pub fn owners(&self) -> usize {
        self.parts.div_ceil(self.each)
    }

    /// Who records an element of a buffer of so many: whose part it is. What is no part's is not written, and falls to the
    /// first.
    pub fn owner(&self, element: usize, len: usize) -> usize {
        if len.is_multiple_of(self.parts) && len > 0 { element / (len / self.parts) / self.each } else { 0 }
    }

    /// The plan for columns with so many elements in their buffers, (address, element, length), of `size` bytes each.
    pub fn plan(&self, every: u64, size: usize, columns: &[(u64, usize, usize)]) -> Vec<u64> {
        let owner = |column: &usize| self.owner(columns[*column].1, columns[*column].2);
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_by_key(owner);
        let mut plan = vec![every, (columns.len() * size) as u64];
        plan.extend((0..=self.owners()).map(|o| order.partition_point(|column| owner(column) < o) as u64));
        plan.extend(order.iter().flat_map(|column| [columns[*column].0, *column as u64]));
        plan
    }
}

impl Artifact {
    /// The number of a binding where bindings are numbered: the block of uniforms is 0, then the banks, the constants and
    /// the samples. Buffers by themselves have none.
    pub fn slot(&self, binding: Binding) -> Option<u32> {
        let (banks, constants) = (self.banks.len() as u32, self.constants.len() as u32);
        match binding {
            Binding::Buffer { .. } | Binding::Series(_) | Binding::Addresses | Binding::Plan => None,
            Binding::Rows | Binding::Totals | Binding::Clock => None,
            Binding::Bank { index, .. } => Some(1 + index),
            Binding::Constant(index) => Some(1 + banks + index),
            Binding::Samples => Some(1 + banks + constants),
            Binding::Marks => Some(2 + banks + constants),
        }
    }

    /// The entries with an invocation for each of `count` things, the argument, rather than for each element of an extent.
    pub fn counted(&self) -> Vec<u32> {
        let measures = self.measures.iter().flat_map(|measures| measures.entries());
        self.record.into_iter().chain(self.reduce).chain(measures).collect()
    }

    /// Where a buffer begins: its bank and the element in it. Slots of a history follow each other without gaps.
    pub fn place(&self, buffer: u32) -> Option<(usize, usize)> {
        self.banks.iter().enumerate().find_map(|(bank, held)| {
            let found = held.buffers.binary_search_by_key(&buffer, |b| b.0).ok()?;
            Some((bank, held.buffers[found].1))
        })
    }

    /// Size of the block of uniforms in bytes.
    pub fn uniform_bytes(&self) -> usize {
        let end = self.uniforms.iter().map(|u| u.offset + u.bytes(self.precision)).max().unwrap_or(0);
        end.next_multiple_of(8)
    }
}

/// A ring of rows of bits, in words of 32: row `step % rows` belongs to a step, and element `i` of a buffer has bit `i % 32`
/// of word `i / 32` from the buffer's first on. Entries set the bits of elements that have a recorded event; nothing but the
/// host clears them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marks {
    /// Number of rows, a power of two.
    pub rows: usize,
    /// Words of a row.
    pub words: usize,
    /// The buffers of role [`Role::Event`](crate::artifact::Role::Event) with their first words.
    pub buffers: Vec<(u32, usize)>,
}

impl Marks {
    /// First word of a buffer in a row.
    pub fn first(&self, buffer: u32) -> Option<usize> {
        self.buffers.iter().find(|(held, _)| *held == buffer).map(|(_, first)| *first)
    }

    /// Appends the events of `count` steps, from a copy of the ring that was clear before them: by step, then event, then
    /// element.
    pub fn spikes(&self, ring: &[u32], (first, count): (u64, u64), events: &[EventBuffer], out: &mut Vec<Spike>) {
        for step in first..first + count {
            let row = &ring[(step % self.rows as u64) as usize * self.words..][..self.words];
            for (index, event) in events.iter().enumerate() {
                let Some(start) = self.first(event.buffer as u32) else { continue };
                let (from, to) = (event.first, event.first + event.count);
                for (at, word) in row[start..start + to.div_ceil(32)].iter().enumerate().skip(from / 32) {
                    let mut left = *word;
                    while left != 0 {
                        let element = 32 * at + left.trailing_zeros() as usize;
                        left &= left - 1;
                        if (from..to).contains(&element) {
                            let unit = (event.unit + element - from) as u32;
                            out.push(Spike { step, event: index as u32, unit });
                        }
                    }
                }
            }
        }
    }
}

/// Entries that measure the rows at [`Binding::Rows`], of which they are given the number as `first`: one invocation for each of
/// `count` columns. What they find goes to [`Binding::Totals`], numbers of 64 bits, each for all columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measures {
    /// The sum, the smallest and the largest number.
    pub totals: u32,
    /// Rises: two levels are there before, `low` and `middle`. A rise leads from less than `middle` to at least that, and
    /// follows, since the last rise, a number less than `low`. Behind the levels: how many there are, the row before the first
    /// and the row before the last as integers, then the numbers around the first, and around the last.
    pub rises: u32,
    /// Spectra.
    pub spectra: Spectra,
}

impl Measures {
    /// All entries.
    pub fn entries(&self) -> [u32; 5] {
        [self.totals, self.rises, self.spectra.taper, self.spectra.join, self.spectra.peak]
    }
}

/// Entries that transform kept rows and find the highest bin of each power spectrum: `taper`, then `join` for parts of 1, 2, 4, ..
/// numbers (`first`), then `peak`, for some columns at a time. [`Binding::Totals`] begins with numbers of 64 bits, by the
/// constants of this type: how much there is of what, and addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spectra {
    /// Shifts, scales and tapers; one invocation for each of `count` numbers: the length of the transform by its columns.
    pub taper: u32,
    /// A pass of the transform; one invocation for each of `count` pairs of numbers.
    pub join: u32,
    /// Finds the highest bin and its neighbours; one invocation for each of `count` columns.
    pub peak: u32,
}

impl Spectra {
    /// Number of rows.
    pub const ROWS: usize = 0;
    /// Number of columns of a row.
    pub const COLUMNS: usize = 1;
    /// The first column of the transform.
    pub const BASE: usize = 2;
    /// Columns of the transform.
    pub const WIDTH: usize = 3;
    /// Half the length of the transform, a power of two.
    pub const HALF: usize = 4;
    /// 32 less the number of bits of a place in it.
    pub const SHIFT: usize = 5;
    /// Address of the window, a double for each row.
    pub const WINDOW: usize = 6;
    /// Address of what is taken from each column: a double for each.
    pub const MEANS: usize = 7;
    /// Address of what each column is multiplied by.
    pub const SCALES: usize = 8;
    /// Address of sine and cosine of the angles `-pi k / HALF`.
    pub const TURNS: usize = 9;
    /// Address of the highest bin of each column: an integer of 64 bits.
    pub const BINS: usize = 10;
    /// Address of the power in the bin before it, for each column, then in it, then behind it.
    pub const POWERS: usize = 11;
    /// Address of the transform: two doubles for each place and column.
    pub const SIGNAL: usize = 12;
    /// How many numbers there are.
    pub const TOLD: usize = 13;
}

/// What a device allows, as far as the arrangement of memory depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Largest size of one binding, in bytes.
    pub binding_bytes: u64,
    /// Largest number of bindings of an entry, besides its uniforms. Only entries that the model can do without are left out
    /// for its sake.
    pub bindings: usize,
    /// Most elements of small networks that a launch steps by itself, which trades the time of launches for that of waiting
    /// inside of them; models with more are stepped kernel by kernel.
    pub together: usize,
}

impl Limits {
    /// What every WebGPU device has (W3C, WebGPU, section 3.6.2: `maxStorageBufferBindingSize`,
    /// `maxStorageBuffersPerShaderStage`).
    pub const PORTABLE: Limits = Limits { binding_bytes: 128 << 20, bindings: 8, together: usize::MAX };
}

/// Memory that holds several buffers.
#[derive(Clone, PartialEq, Debug)]
pub struct Bank {
    /// Its name in the code.
    pub name: String,
    /// Number of elements.
    pub len: usize,
    /// The buffers in it with their first elements, by ascending buffer.
    pub buffers: Vec<(u32, usize)>,
}

/// One number of a row of samples; there is a row for each step, in the artifact's precision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sample {
    /// Time at the start of the step: its number times the step size.
    Time,
    /// A column of a series of an extrinsic input.
    Column {
        /// The series.
        series: u32,
        /// The column.
        column: u32,
    },
}

/// One number of the block that every entry is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Uniform {
    /// Its name in the code.
    pub name: String,
    /// What it is.
    pub quantity: Quantity,
    /// Bytes from the start of the block.
    pub offset: usize,
}

impl Uniform {
    fn bytes(&self, precision: Precision) -> usize {
        match (self.quantity, precision) {
            (Quantity::StepSize, Precision::F64) => 8,
            _ => 4,
        }
    }
}

/// What every launch of an entry is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quantity {
    /// Number of the step, as a 32-bit integer.
    Step,
    /// Number of steps to run, for the entry that runs several; a 32-bit integer.
    Count,
    /// The row of samples that belongs to the step; a 32-bit integer.
    Row,
    /// Lower half of the seed of random numbers; a 32-bit integer.
    SeedLow,
    /// Upper half of the seed.
    SeedHigh,
    /// The step size, in the artifact's precision.
    StepSize,
    /// 0, of which no compiler knows; a 32-bit integer.
    Zero,
}

/// An array that entries read and nothing writes.
#[derive(Clone, PartialEq, Debug)]
pub struct Constant {
    /// Name, unique in the artifact.
    pub name: String,
    /// Its contents.
    pub data: Data,
}

/// Numbers in one of two formats.
#[derive(Clone, PartialEq, Debug)]
pub enum Data {
    /// Indices and counts.
    Integers(Arc<[u32]>),
    /// Numbers in the artifact's precision.
    Numbers(Vec<f64>),
}

/// A kernel that can be launched.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Its name in the code.
    pub name: String,
    /// Number of elements: one invocation each, those past the end do nothing.
    pub extent: usize,
    /// Invocations per workgroup (thread block).
    pub group: u32,
    /// Bytes of memory that the invocations of a workgroup share; the code itself reserves it.
    pub shared: u32,
    /// What it is given, in order.
    pub bindings: Vec<Binding>,
    /// What it computes, where a library of linear algebra may do so in its place.
    pub product: Option<Product>,
}

/// Products of a dense matrix with vectors: `target[v][r] = sum_c matrix[r][c] source[v][c]`, all of them row by row and
/// without gaps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Product {
    /// The constant with the matrix.
    pub matrix: u32,
    /// The buffer with the vectors.
    pub source: u32,
    /// The buffer for the results.
    pub target: u32,
    /// Rows of the matrix.
    pub rows: usize,
    /// Columns of the matrix.
    pub columns: usize,
    /// Number of vectors.
    pub vectors: usize,
}

/// One thing an entry is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// A buffer of the layout.
    Buffer {
        /// Its index.
        index: u32,
        /// Whether the entry writes to it.
        written: bool,
    },
    /// A constant, by its index.
    Constant(u32),
    /// A bank of buffers.
    Bank {
        /// Its index.
        index: u32,
        /// Whether the entry writes to it.
        written: bool,
    },
    /// The rows of samples.
    Samples,
    /// All samples of a series: the number of rows and that of columns, 64 bits each, then the numbers row by row.
    Series(u32),
    /// Addresses of recorded numbers, 64 bits each.
    Addresses,
    /// What a [`Recorder`] records.
    Plan,
    /// Where recorded rows go.
    Rows,
    /// The ring of [`Marks`].
    Marks,
    /// Two numbers of 64 bits from which entries count what they are given as `first`: steps, and rows for the entry that
    /// records one. Both are 0 unless [`Artifact::tick`] is used: with it the launches of one step, or of one row, are those
    /// of the next as well, so a device can be told to make them again.
    Clock,
    /// Sums, smallest and largest values of what is recorded: for each address a number of 64 bits, three times.
    Totals,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_planned_by_owner() {
        // Three parts, two of an owner; buffers of six elements, of three, and of one that no part writes.
        let recorder = Recorder { entry: 0, parts: 3, each: 2 };
        let plan = recorder.plan(5, 4, &[(100, 5, 6), (200, 1, 3), (300, 0, 1), (400, 2, 3), (500, 3, 6)]);
        let owned = [200, 1, 300, 2, 500, 4, 100, 0, 400, 3];
        assert_eq!(plan, [[5, 20].as_slice(), &[0, 3, 5], &owned].concat());
    }

    #[test]
    fn marks_are_read_by_step_then_event_then_element() {
        let marks = Marks { rows: 2, words: 3, buffers: vec![(4, 0), (7, 2)] };
        let event = |buffer, first, count, unit| EventBuffer { buffer, first, count, unit, delay: 0 };
        // The last elements of a buffer of 40, and all of one of 2; the units of the former are called 10 to 13.
        let events = [event(4, 30, 4, 10), event(7, 0, 2, 0)];
        // Step 5 is in row 1, step 6 in row 0.
        let ring = [1 << 29 | 1 << 31, 1 << 1 | 1 << 2, 0, 1 << 30, 0, 0b11];
        let mut spikes = Vec::new();
        marks.spikes(&ring, (5, 2), &events, &mut spikes);
        let found: Vec<(u64, u32, u32)> = spikes.iter().map(|s| (s.step, s.event, s.unit)).collect();
        assert_eq!(found, [(5, 0, 10), (5, 1, 0), (5, 1, 1), (6, 0, 11), (6, 0, 13)]);
    }
}
