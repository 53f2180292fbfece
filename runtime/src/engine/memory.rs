//! The buffers of a program in one aligned allocation.

use std::marker::PhantomData;
use std::ops::Range;

use super::Real;
use super::coupling::scan;
use crate::artifact::{DeviceError, EventBuffer, Layout, Spike, Stretch, stretches};
use crate::isa::Isa;
use crate::program::Program;

/// One cache line, the unit of allocation: buffers start at one, and end with one that is theirs alone, so that whole
/// vectors can be read and written past the last element.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line([u8; LINE]);

impl Default for Line {
    fn default() -> Line {
        Line([0; LINE])
    }
}

const LINE: usize = 64;

/// Elements that may be touched past the end of a buffer: eight lines, so that unrolled loops need no remainder.
const PADDING_LINES: usize = 8;

/// The contents of all buffers, each slot of each starting at a cache line.
pub struct Memory<T> {
    lines: Vec<Line>,
    /// First element of each buffer.
    starts: Vec<usize>,
    /// Elements from one slot to the next.
    strides: Vec<usize>,
    slots: Vec<usize>,
    lens: Vec<usize>,
    /// Which buffers hold words of 16 bits, from the first byte of their place on, instead of numbers.
    words: Vec<bool>,
    kind: PhantomData<T>,
}

impl<T: Real> Memory<T> {
    /// Allocates the buffers of a program and fills in their initial values.
    ///
    /// Fails when the machine has not enough memory.
    pub fn new(program: &Program) -> Result<Memory<T>, DeviceError> {
        let mut memory = Memory::zeroed(&program.layout)?;
        for (buffer, values) in &program.initial {
            let buffer = *buffer as usize;
            for slot in 0..memory.slots[buffer] {
                let cells = memory.slot_mut(buffer, slot);
                for (i, cell) in cells.iter_mut().enumerate() {
                    *cell = T::from_f64(values[if values.len() == 1 { 0 } else { i }]);
                }
            }
        }
        Ok(memory)
    }

    fn zeroed(layout: &Layout) -> Result<Memory<T>, DeviceError> {
        let per_line = LINE / T::BYTES;
        let (mut starts, mut strides, mut lines) = (Vec::new(), Vec::new(), 0);
        for buffer in &layout.buffers {
            let slot = buffer.len.div_ceil(per_line) + if buffer.len > 1 { PADDING_LINES } else { 0 };
            starts.push(lines * per_line);
            strides.push(slot * per_line);
            lines += slot * buffer.slots;
        }
        let mut zeroed = Vec::new();
        zeroed.try_reserve_exact(lines).map_err(|_| {
            let gigabytes = (lines * LINE) as f64 / 1e9;
            DeviceError(format!("the model needs {gigabytes:.1} GB of memory for its buffers, more than there is"))
        })?;
        zeroed.resize(lines, Line([0; LINE]));
        Ok(Memory {
            lines: zeroed,
            starts,
            strides,
            slots: layout.buffers.iter().map(|b| b.slots).collect(),
            lens: layout.buffers.iter().map(|b| b.len).collect(),
            words: vec![false; layout.buffers.len()],
            kind: PhantomData,
        })
    }

    /// All elements, padding included.
    pub fn all(&self) -> &[T] {
        let len = self.lines.len() * (LINE / T::BYTES);
        // SAFETY: lines are plain bytes, aligned to 64, initialised, and every bit pattern is a `T` (f32 or f64).
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast::<T>(), len) }
    }

    /// All elements, padding included.
    pub fn all_mut(&mut self) -> &mut [T] {
        let len = self.lines.len() * (LINE / T::BYTES);
        // SAFETY: as for `all`; the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast::<T>(), len) }
    }

    /// Where a slot of a buffer lies in [`Memory::all`].
    pub fn place(&self, buffer: usize, slot: usize) -> Range<usize> {
        let start = self.starts[buffer] + slot * self.strides[buffer];
        start..start + self.lens[buffer]
    }

    /// The slot of a buffer that a step writes.
    pub fn current_slot(&self, buffer: usize, step: u64) -> usize {
        (step % self.slots[buffer] as u64) as usize
    }

    /// The slot of a buffer that was written `steps` steps before.
    pub fn past_slot(&self, buffer: usize, step: u64, steps: u32) -> usize {
        let ring = self.slots[buffer] as u64;
        ((step + ring - u64::from(steps)) % ring) as usize
    }

    /// Whether a buffer holds words.
    pub fn is_words(&self, buffer: usize) -> bool {
        self.words[buffer]
    }

    /// The elements of a buffer of words.
    pub fn word_slot(&self, buffer: usize) -> &[i16] {
        assert!(self.words[buffer], "buffer {buffer} holds numbers");
        let place = &self.all()[self.place(buffer, 0)];
        // SAFETY: the place is aligned to 64 and has more bytes than that many words; every bit pattern is a word.
        unsafe { std::slice::from_raw_parts(place.as_ptr().cast::<i16>(), place.len()) }
    }

    /// Makes a buffer one of words; its elements are whole numbers that words can hold.
    pub fn narrow(&mut self, buffer: usize) {
        assert!(!self.words[buffer] && self.slots[buffer] == 1, "buffer {buffer} cannot hold words");
        let words: Vec<i16> = self.slot(buffer, 0).iter().map(|x| x.to_f64() as i16).collect();
        let place = self.place(buffer, 0);
        let cells = &mut self.all_mut()[place];
        // SAFETY: as for `word_slot`; the borrow is exclusive.
        let held = unsafe { std::slice::from_raw_parts_mut(cells.as_mut_ptr().cast::<i16>(), cells.len()) };
        held.copy_from_slice(&words);
        self.words[buffer] = true;
    }

    /// Makes all buffers hold numbers.
    pub fn widen(&mut self) {
        for buffer in 0..self.words.len() {
            if self.words[buffer] {
                let numbers: Vec<T> = self.word_slot(buffer).iter().map(|w| T::from_f64(f64::from(*w))).collect();
                self.words[buffer] = false;
                self.slot_mut(buffer, 0).copy_from_slice(&numbers);
            }
        }
    }

    /// Elements of one slot of a buffer of numbers.
    pub fn slot(&self, buffer: usize, slot: usize) -> &[T] {
        debug_assert!(!self.words[buffer], "buffer {buffer} holds words");
        &self.all()[self.place(buffer, slot)]
    }

    /// Elements of one slot of a buffer of numbers.
    pub fn slot_mut(&mut self, buffer: usize, slot: usize) -> &mut [T] {
        debug_assert!(!self.words[buffer], "buffer {buffer} holds words");
        let place = self.place(buffer, slot);
        &mut self.all_mut()[place]
    }

    /// Replaces elements of a buffer of numbers, counted slot after slot.
    pub fn write(&mut self, buffer: usize, first: usize, values: &[f64]) -> Result<(), DeviceError> {
        let elements = self.lens.get(buffer).map_or(0, |len| len * self.slots[buffer]);
        if first + values.len() > elements {
            return Err(DeviceError(format!("{} values do not fit buffer {buffer} from {first} on", values.len())));
        }
        let len = self.lens[buffer];
        for (i, value) in values.iter().enumerate() {
            let (slot, element) = ((first + i) / len, (first + i) % len);
            let at = self.starts[buffer] + slot * self.strides[buffer] + element;
            self.all_mut()[at] = T::from_f64(*value);
        }
        Ok(())
    }

    /// The elements of a buffer, slot after slot.
    pub fn read(&self, buffer: usize, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        if buffer >= self.lens.len() {
            return Err(DeviceError(format!("there is no buffer {buffer}")));
        }
        out.clear();
        if self.words[buffer] {
            out.extend(self.word_slot(buffer).iter().map(|w| f64::from(*w)));
            return Ok(());
        }
        for slot in 0..self.slots[buffer] {
            out.extend(self.slot(buffer, slot).iter().map(|v| v.to_f64()));
        }
        Ok(())
    }

    /// Appends the events of a step: the elements of the buffers that are not 0. `found` is for these, to be used again.
    pub fn spikes(
        &self,
        step: u64,
        events: &[EventBuffer],
        found: &mut Vec<u32>,
        out: &mut Vec<Spike>,
    ) -> Result<(), DeviceError> {
        let isa = Isa::detect();
        for (event, EventBuffer { buffer, first, count, unit, .. }) in events.iter().enumerate() {
            if self.lens.get(*buffer).is_none_or(|len| first + count > *len) {
                return Err(DeviceError(format!("there are no {count} elements of buffer {buffer} from {first} on")));
            }
            let range = *first..first + count;
            found.clear();
            match self.words[*buffer] {
                true => scan(isa, &self.word_slot(*buffer)[range], found),
                false => scan(isa, &self.slot(*buffer, 0)[range], found),
            }
            let event = event as u32;
            out.extend(found.iter().map(|at| Spike { step, event, unit: *unit as u32 + at }));
        }
        Ok(())
    }

    /// Appends single elements: (buffer, element of slot 0).
    pub fn gather(&self, places: &[(usize, usize)], out: &mut Vec<f64>) -> Result<(), DeviceError> {
        self.gather_stretches(&stretches(places), out)
    }

    /// Appends elements of slot 0.
    pub fn gather_stretches(&self, stretches: &[Stretch], out: &mut Vec<f64>) -> Result<(), DeviceError> {
        for Stretch { buffer, elements } in stretches {
            if self.lens.get(*buffer).is_none_or(|len| elements.end > *len) {
                let element = elements.end - 1;
                return Err(DeviceError(format!("there is no element {element} of buffer {buffer}")));
            }
            match self.words[*buffer] {
                true => out.extend(self.word_slot(*buffer)[elements.clone()].iter().map(|w| f64::from(*w))),
                false => out.extend(self.slot(*buffer, 0)[elements.clone()].iter().map(|v| v.to_f64())),
            }
        }
        Ok(())
    }
}
