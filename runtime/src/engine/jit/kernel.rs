//! A kernel as machine code, and how it is called.

use rayon::prelude::*;

use super::code::{Generated, SLOT, Shape};
use super::executable::Executable;
use super::pool::{Entry, bits};
use crate::artifact::DeviceError;
use crate::engine::team::{FEWEST_VALUES, threads};
use crate::engine::{Memory, Real};
use crate::program::Precision;

/// The start of the buffers, for several threads.
#[derive(Clone, Copy)]
struct Shared(*mut u8);

// SAFETY: the threads it goes to touch disjoint bytes, see `Code::run`.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    fn get(&self) -> *mut u8 {
        self.0
    }
}

/// Machine code of a kernel with its pool.
pub struct Code {
    executable: Executable,
    /// Bytes of all elements of a buffer, and those that one turn of the loop covers.
    bytes: usize,
    turn: usize,
    /// Whether the loop over steps is inside.
    fused: bool,
    /// Whether the last element comes first in the next call.
    backwards: bool,
    /// Bytes of a row of the outlet, 0 without one.
    row: usize,
    /// Number of values computed per turn and step.
    values: usize,
    entries: Vec<Entry>,
    pool: Vec<PoolSlot>,
    /// Entries that are not numbers known beforehand.
    variable: Vec<usize>,
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct PoolSlot([u8; SLOT]);

impl Code {
    /// Makes it executable.
    pub fn new<T: Real>(generated: Generated, extent: usize, shape: Shape, row: usize) -> Result<Code, DeviceError> {
        let Shape { precision, copies, .. } = shape;
        let (bytes, turn, values) = (extent * T::BYTES, shape.stride() * copies, generated.values * copies);
        let executable = Executable::new(&generated.code)?;
        let entries = generated.pool.entries;
        let mut pool = vec![PoolSlot([0; SLOT]); entries.len()];
        for (slot, entry) in pool.iter_mut().zip(&entries) {
            if let Entry::Bits(bits) = entry {
                slot.fill(*bits, precision);
            }
            if let Entry::Words(word) = entry {
                slot.fill_words(*word);
            }
        }
        let variable =
            (0..entries.len()).filter(|i| !matches!(entries[*i], Entry::Bits(_) | Entry::Words(_))).collect();
        let fused = shape.fused;
        Ok(Code { executable, bytes, turn, fused, backwards: false, row, values, entries, pool, variable })
    }

    /// Runs the code over all elements, for `steps` steps if they are inside.
    pub fn run<T: Real>(&mut self, memory: &mut Memory<T>, step: u64, dt: f64, steps: u64) {
        assert_eq!(self.row, 0, "code with an outlet needs rows");
        self.call(memory, step, dt, steps, &mut []);
    }

    /// Fills whole rows, each followed by `every` steps.
    pub fn record<T: Real>(&mut self, memory: &mut Memory<T>, step: u64, dt: f64, every: u64, rows: &mut [T]) {
        let whole = self.row > 0 && !rows.is_empty() && size_of_val(rows).is_multiple_of(self.row);
        assert!(whole, "rows of {} bytes do not fill {} bytes", self.row, size_of_val(rows));
        self.call(memory, step, dt, every, rows);
    }

    /// Whether there is enough to do for several threads in so many steps.
    pub fn shares(&self, steps: u64) -> bool {
        let turns = self.bytes.div_ceil(self.turn);
        turns > 1 && (turns as u64 * self.values as u64).saturating_mul(steps) >= FEWEST_VALUES
    }

    fn call<T: Real>(&mut self, memory: &mut Memory<T>, step: u64, dt: f64, steps: u64, rows: &mut [T]) {
        let precision = if T::BYTES == 8 { Precision::F64 } else { Precision::F32 };
        let base = memory.all().as_ptr().cast::<u8>();
        let passes = size_of_val(rows).checked_div(self.row).unwrap_or(1) as u64;
        let rows = rows.as_mut_ptr_range();
        for at in &self.variable {
            let slot = &mut self.pool[*at];
            let number = match self.entries[*at] {
                Entry::Bits(_) | Entry::Words(_) => continue,
                Entry::WordScalar(buffer) => {
                    // `whole` has found that it is one.
                    slot.fill_words(memory.slot(buffer as usize, 0)[0].to_f64() as i16);
                    continue;
                }
                Entry::StepSize => dt,
                Entry::StepSizeDouble => {
                    slot.fill(dt.to_bits(), Precision::F64);
                    continue;
                }
                Entry::Time => T::from_f64(step as f64 * dt).to_f64(),
                Entry::Scalar(buffer) => memory.slot(buffer as usize, 0)[0].to_f64(),
                Entry::PastScalar(buffer, steps) => {
                    let at = memory.past_slot(buffer as usize, step, steps);
                    memory.slot(buffer as usize, at)[0].to_f64()
                }
                Entry::PastAddress(buffer, steps) => {
                    let at = memory.past_slot(buffer as usize, step, steps);
                    let start = memory.place(buffer as usize, at).start;
                    slot.fill((base as usize + start * T::BYTES) as u64, Precision::F64);
                    continue;
                }
                Entry::Rows => {
                    slot.fill(rows.start as u64, Precision::F64);
                    continue;
                }
                Entry::RowsEnd => {
                    slot.fill(rows.end as u64, Precision::F64);
                    continue;
                }
                Entry::CurrentAddress(buffer) => {
                    let at = memory.current_slot(buffer as usize, step);
                    let start = memory.place(buffer as usize, at).start;
                    slot.fill((base as usize + start * T::BYTES) as u64, Precision::F64);
                    continue;
                }
            };
            slot.fill(bits(number, precision), precision);
        }
        let buffers = Shared(memory.all_mut().as_mut_ptr().cast::<u8>());
        let (executable, pool) = (&self.executable, &self.pool);
        let part = |range: (usize, usize), steps: u64| {
            // SAFETY: the code was generated for this memory's layout and this pool; buffers are padded by more than the
            // vectors of one turn of its loop; rows are whole, with room for whole turns of every buffer; the borrows of
            // memory and rows are exclusive, and ranges that run at the same time are whole turns of the loop, so that no
            // two touch the same bytes.
            unsafe { executable.call(buffers.get(), pool.as_ptr().cast(), range, steps, step) }
        };
        // Without steps inside the code wants the way from turn to turn in their place, and meets the end exactly. Every other
        // call goes backwards: what the caches still hold of the last call is used first.
        let (fused, turn) = (self.fused, self.turn);
        let backwards = !fused && self.backwards;
        self.backwards = !self.backwards;
        let part = |(first, stop): (usize, usize)| {
            let stop = if fused { stop } else { first + (stop - first).next_multiple_of(turn) };
            match (fused, backwards) {
                (true, _) => part((first, stop), steps),
                (false, false) => part((first, stop), turn as u64),
                (false, true) => part((stop - turn, first.wrapping_sub(turn)), (turn as u64).wrapping_neg()),
            }
        };
        if threads() == 1 || !self.shares(steps.saturating_mul(passes)) {
            return part((0, self.bytes));
        }
        let turns = self.bytes.div_ceil(self.turn);
        // Several parts per thread even out what else the machine does.
        let parts = (threads() * 4).min(turns);
        let bytes = turns.div_ceil(parts) * self.turn;
        (0..self.bytes.div_ceil(bytes))
            .into_par_iter()
            .for_each(|i| part((i * bytes, ((i + 1) * bytes).min(self.bytes))));
    }
}

impl PoolSlot {
    fn fill_words(&mut self, word: i16) {
        self.0.as_chunks_mut::<2>().0.fill(word.to_le_bytes());
    }

    fn fill(&mut self, bits: u64, precision: Precision) {
        match precision {
            Precision::F64 => self.0.as_chunks_mut::<8>().0.fill(bits.to_le_bytes()),
            Precision::F32 => self.0.as_chunks_mut::<4>().0.fill((bits as u32).to_le_bytes()),
        }
    }
}
