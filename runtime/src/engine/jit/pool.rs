//! Numbers that are the same for all elements of a kernel, kept as whole vectors that instructions read directly.

use std::collections::HashMap;

use super::code::SLOT;
use crate::flush::{Flushed, narrow};
use crate::program::Precision;

/// What an entry holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Entry {
    /// A number, by the bits of its lanes: `u64` in double precision, `u32` (in the low half) in single.
    Bits(u64),
    /// The step size.
    StepSize,
    /// The step size in double precision, whatever the number format.
    StepSizeDouble,
    /// The time.
    Time,
    /// The only element of a buffer.
    Scalar(u32),
    /// A whole number as words.
    Words(i16),
    /// The only element of a buffer as words.
    WordScalar(u32),
    /// The only element of a slot of a ring, written so many steps ago.
    PastScalar(u32, u32),
    /// The address of the slot of a ring that was written so many steps ago.
    PastAddress(u32, u32),
    /// The address of the slot of a ring that this step writes.
    CurrentAddress(u32),
    /// The address of the first row to write.
    Rows,
    /// The address after the last row.
    RowsEnd,
}

/// The entries of a kernel's pool, distinct.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    /// The entries; entry `i` lies at byte `i * SLOT`.
    pub entries: Vec<Entry>,
    /// How often code asked for each of them.
    pub uses: Vec<usize>,
    indices: HashMap<Entry, usize>,
}

impl Pool {
    /// The byte offset of an entry, added if it is new.
    pub fn offset(&mut self, entry: Entry) -> i32 {
        let index = *self.indices.entry(entry).or_insert_with(|| {
            self.entries.push(entry);
            self.uses.push(0);
            self.entries.len() - 1
        });
        self.uses[index] += 1;
        (index * SLOT) as i32
    }
}

/// The bits of a number in its lanes, flushed.
pub fn bits(value: f64, precision: Precision) -> u64 {
    match precision {
        Precision::F64 => value.flushed().to_bits(),
        Precision::F32 => u64::from(narrow(value).to_bits()),
    }
}
