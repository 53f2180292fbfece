//! From straight-line code to machine code.
//!
//! The code of a kernel is a loop over its elements, one or several vectors at a time ("copies", interleaved so that
//! their latencies overlap). Numbers that are the same for all elements lie in a pool as whole vectors. In the fused form
//! the loop over steps is inside: the state stays in registers, or on the stack where registers run out. With an outlet
//! the loop over rows is inside too, and what is observed is computed from the state and stored before each row's steps.
//!
//! Registers: rdi buffers, rsi pool, rdx byte offset of the element, rcx offset to stop at, r8 number of steps (of a row),
//! r9 first step, r10 steps left, r11 current step, rax scratch; vectors 0 and 1 and mask 1 are scratch. Without steps
//! inside, r8 is the way from one turn to the next, forwards or backwards, and r10 the byte offset of an element's word.

use std::collections::{HashMap, HashSet};

use super::allocate::{Allocator, Place};
use super::assembler::{Assembler, General, Label, Mask, Memory, Operand, Vector, Width};
use super::kinds::{Kind, kinds};
use super::liveness::Liveness;
use super::pack::pack;
use super::pool::{Entry, Pool, bits};
use super::sequence::{Sequence, Step, WordOp};
use super::table;
use super::whole::Contents;
use super::words;
use crate::program::{Body, Op, Precision};

/// Bytes of a pool entry and of a stack slot: one vector of the largest width.
pub const SLOT: usize = 64;

/// What code to make.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Whether to use AVX-512.
    pub evex: bool,
    /// Number format.
    pub precision: Precision,
    /// Vectors, or one element only.
    pub width: Width,
    /// Vectors per turn of the loop.
    pub copies: usize,
    /// Whether the loop over steps is inside.
    pub fused: bool,
}

impl Shape {
    /// Bytes of one vector.
    pub fn stride(&self) -> usize {
        match (self.width, self.precision) {
            (Width::Zmm, _) => 64,
            (Width::Ymm, _) => 32,
            (Width::Xmm, _) => 16,
            (Width::Scalar, Precision::F64) => 8,
            (Width::Scalar, Precision::F32) => 4,
        }
    }
}

/// Where the buffers of a program are.
pub trait Places {
    /// Byte offset of the first element of a buffer's first slot.
    fn offset(&self, buffer: u32) -> i32;
    /// Whether a buffer is a ring of past values.
    fn is_ring(&self, buffer: u32) -> bool;
    /// Whether a buffer holds words.
    fn is_words(&self, buffer: u32) -> bool;
    /// Bounds of what buffers hold.
    fn contents(&self) -> &Contents;
}

/// What the fused form stores for each row before the steps that follow it.
pub struct Outlet {
    /// Computes what is observed; stores name the buffers it is observed in.
    pub body: Body,
    /// Byte offset of each of these buffers in a row.
    pub offsets: HashMap<u32, i32>,
    /// Bytes from one row to the next.
    pub row: i32,
}

/// Machine code and the pool it reads.
pub struct Generated {
    /// The code.
    pub code: Vec<u8>,
    /// The pool.
    pub pool: Pool,
    /// Number of values it computes for each element.
    pub values: usize,
}

/// The generator's state; the operations are in [`super::operations`].
pub(super) struct Generator<'a> {
    pub asm: Assembler,
    pub shape: Shape,
    /// Width of the value being computed.
    pub width: Width,
    pub body: Sequence,
    pub places: &'a dyn Places,
    pub pool: Pool,
    /// Entries of the pool that are kept in the highest registers.
    pinned: Vec<Entry>,
    pub liveness: Liveness,
    pub allocator: Allocator,
    /// Stack slot of the time, in the fused form.
    time: Option<i32>,
}

/// Generates the code of a kernel; an outlet needs the fused form.
///
/// The first attempt shows which registers stay free. The entries of the pool that are read most are kept in them.
pub fn generate(body: &Body, shape: Shape, places: &dyn Places, outlet: Option<&Outlet>) -> Generated {
    let (made, free) = attempt(body, shape, places, outlet, &[]);
    if shape.width == Width::Scalar || free == 0 {
        return made;
    }
    let moving = |entry: &Entry| {
        use Entry::{CurrentAddress, PastAddress, Rows, RowsEnd, StepSizeDouble};
        matches!(entry, PastAddress(..) | CurrentAddress(_) | Rows | RowsEnd | StepSizeDouble)
    };
    let mut often: Vec<usize> = (0..made.pool.entries.len()).filter(|i| !moving(&made.pool.entries[*i])).collect();
    often.sort_by_key(|i| (std::cmp::Reverse(made.pool.uses[*i]), *i));
    let pinned: Vec<Entry> = often.into_iter().take(free).map(|i| made.pool.entries[i]).collect();
    attempt(body, shape, places, outlet, &pinned).0
}

/// Generates code that keeps some entries of the pool in registers, and counts the registers that stay free.
fn attempt(
    body: &Body,
    shape: Shape,
    places: &dyn Places,
    outlet: Option<&Outlet>,
    pinned: &[Entry],
) -> (Generated, usize) {
    let body_values = body.values.len();
    let body = prepared(body, shape, places);
    let liveness = Liveness::new(&body, shape, places);
    let allocator = Allocator::new(&liveness, shape, pinned.len());
    let asm = Assembler::new(shape.evex);
    let (width, pool) = (shape.width, Pool::default());
    let pinned = pinned.to_vec();
    let mut g = Generator { asm, shape, width, body, places, pool, pinned, liveness, allocator, time: None };
    let frame = g.asm.enter();
    for at in 0..g.pinned.len() {
        let offset = g.pool.offset(g.pinned[at]);
        let register = g.pin(at);
        g.fetch(register, Operand::Memory(Memory { base: General::Rsi, index: None, displacement: offset }));
    }
    let elements = g.asm.here();
    if shape.fused {
        g.asm.copy(General::R11, General::R9);
        g.load_states();
        let rows = outlet.map(|outlet| g.begin_row(outlet));
        g.asm.copy(General::R10, General::R8);
        let steps = g.asm.here();
        g.refresh_time();
        g.values();
        g.keep_states();
        g.asm.add_immediate(General::R11, 1);
        g.asm.add_immediate(General::R10, -1);
        g.asm.jump_not_zero(steps);
        if let Some(rows) = rows {
            g.end_row(rows);
        }
        g.store_states();
        g.asm.add_immediate(General::Rdx, (shape.stride() * shape.copies) as i32);
        g.asm.compare(General::Rdx, General::Rcx);
        g.asm.jump_below(elements);
    } else {
        if g.uses_words() {
            g.asm.copy(General::R10, General::Rdx);
            g.asm.shift_right(General::R10, words::shift(shape.precision));
        }
        g.values();
        g.stores();
        // Whole turns in either direction.
        g.asm.add(General::Rdx, General::R8);
        g.asm.compare(General::Rdx, General::Rcx);
        g.asm.jump_not_zero(elements);
    }
    g.asm.leave();
    // One slot more than used keeps the aligned frame within what was reserved.
    g.asm.set_frame(frame, g.allocator.frame_bytes() + SLOT as i32);
    let free = g.allocator.fewest_free();
    (Generated { code: g.asm.code, pool: g.pool, values: body_values }, free)
}

/// A body in the form that code is made of.
fn prepared(body: &Body, shape: Shape, places: &dyn Places) -> Sequence {
    match (shape.width, shape.precision) {
        (Width::Scalar, Precision::F64) => pack(body, 4),
        (Width::Scalar, Precision::F32) => pack(body, 8),
        (Width::Zmm, _) => kinds(body, shape.copies, places.contents(), &|buffer| places.is_words(buffer)),
        _ => Sequence::plain(body),
    }
}

/// The loop over rows.
#[derive(Clone, Copy)]
struct RowLoop {
    start: Label,
    /// Stack slot of the address of the next row.
    next: i32,
}

impl Generator<'_> {
    /// A value's place as an operand.
    pub fn operand(&self, place: Place) -> Operand {
        let memory = |base, displacement| Operand::Memory(Memory { base, index: None, displacement });
        match place {
            Place::Register(register) => Operand::Register(register),
            Place::Pool(offset) => memory(General::Rsi, offset),
            Place::Buffer(offset) => memory(General::Rdi, offset),
            Place::Frame(offset) => memory(General::Rsp, offset),
            Place::Nowhere | Place::Mask(_) => unreachable!("values are computed before they are read, masks as such"),
        }
    }

    /// The element of a buffer that a copy works on.
    pub fn element(&self, buffer: u32, copy: usize) -> Operand {
        let displacement = self.places.offset(buffer) + (copy * self.shape.stride()) as i32;
        Operand::Memory(Memory { base: General::Rdi, index: Some(General::Rdx), displacement })
    }

    /// The element of a ring's slot whose address is in the pool.
    pub fn ring_element(&mut self, entry: Entry, copy: usize) -> Operand {
        let displacement = self.pool.offset(entry);
        self.asm.load(General::Rax, Memory { base: General::Rsi, index: None, displacement });
        let displacement = (copy * self.shape.stride()) as i32;
        Operand::Memory(Memory { base: General::Rax, index: Some(General::Rdx), displacement })
    }

    /// A number in the pool.
    pub fn constant(&mut self, value: f64) -> Operand {
        let place = self.entry(Entry::Bits(bits(value, self.shape.precision)));
        self.operand(place)
    }

    /// A bit pattern in the pool.
    pub fn pattern(&mut self, bits: u64) -> Operand {
        let place = self.entry(Entry::Bits(bits));
        self.operand(place)
    }

    /// A number in all words of the pool.
    pub fn word_number(&mut self, value: i16) -> Operand {
        let place = self.entry(Entry::Words(value));
        self.operand(place)
    }

    /// Where an entry of the pool is: in its register if it has one.
    fn entry(&mut self, entry: Entry) -> Place {
        match self.pinned.iter().position(|p| *p == entry) {
            Some(at) => Place::Register(self.pin(at)),
            None => Place::Pool(self.pool.offset(entry)),
        }
    }

    /// The register of a pinned entry.
    fn pin(&self, at: usize) -> Vector {
        let last = if self.shape.evex { 31 } else { 15 };
        last - at as Vector
    }

    /// Whether any buffer that is read or written holds words.
    fn uses_words(&self) -> bool {
        self.body.steps.iter().any(|s| matches!(s, Step::Word(WordOp::Load(_))))
            || self.body.stores.iter().any(|s| self.places.is_words(s.0))
    }

    /// Loads an operand, or copies it.
    pub fn fetch(&mut self, register: Vector, from: Operand) {
        let (precision, width) = (self.shape.precision, self.width);
        match from {
            Operand::Register(source) if source == register => {}
            // Copies move whole registers: the scalar form would keep the upper elements and wait for them.
            Operand::Register(_) => self.packed(table::copy(precision), register, 0, from),
            Operand::Memory(_) => self.asm.vector(table::load(precision, width), width, register, 0, from, Mask::None),
        }
    }

    /// Stores a register.
    pub fn put(&mut self, to: Operand, register: Vector) {
        let (precision, width) = (self.shape.precision, self.width);
        self.asm.vector(table::store(precision, width), width, register, 0, to, Mask::None);
    }

    /// An instruction on whole registers; for scalars the lowest 256 bits of it.
    pub fn packed(&mut self, op: super::assembler::Opcode, result: Vector, first: Vector, second: Operand) {
        let width = if self.width == Width::Scalar { Width::Ymm } else { self.width };
        self.asm.vector(op, width, result, first, second, Mask::None);
    }

    /// An operand in a register: its own, or `scratch`.
    pub fn in_register(&mut self, operand: Operand, scratch: Vector) -> Vector {
        match operand {
            Operand::Register(register) => register,
            Operand::Memory(_) => {
                self.fetch(scratch, operand);
                scratch
            }
        }
    }

    /// Computes all values.
    fn values(&mut self) {
        for at in 0..self.body.steps.len() {
            if self.liveness.is_skipped(at) {
                continue;
            }
            self.width = if self.body.wide[at] { Width::Ymm } else { self.shape.width };
            for copy in 0..self.shape.copies {
                self.value(at, copy);
            }
        }
        self.width = self.shape.width;
    }

    /// The place of a value that needs no instruction of its own.
    pub fn uniform_place(&mut self, step: &Step) -> Option<Place> {
        let op = match step {
            Step::Op(op) => op,
            Step::Word(WordOp::Number(number)) => return Some(self.entry(Entry::Words(*number))),
            Step::Word(WordOp::Scalar(buffer)) => return Some(self.entry(Entry::WordScalar(*buffer))),
            _ => return None,
        };
        let entry = match *op {
            Op::Constant(value) => Entry::Bits(bits(value, self.shape.precision)),
            Op::StepSize => Entry::StepSize,
            Op::Time if self.shape.fused => {
                let slot = *self.time.get_or_insert_with(|| self.allocator.new_slot());
                return Some(Place::Frame(slot));
            }
            Op::Time => Entry::Time,
            Op::Load { buffer, .. } if self.liveness.is_uniform_load(op) && self.width == Width::Scalar => {
                return Some(Place::Buffer(self.places.offset(buffer)));
            }
            Op::Load { buffer, .. } if self.liveness.is_uniform_load(op) => Entry::Scalar(buffer),
            Op::Past { buffer, steps, .. } if self.liveness.is_uniform_load(op) => Entry::PastScalar(buffer, steps),
            _ => return None,
        };
        Some(self.entry(entry))
    }

    fn stores(&mut self) {
        for (buffer, value) in &self.body.stores.clone() {
            for copy in 0..self.shape.copies {
                let from = self.operand(self.allocator.place(*value as usize, copy));
                if self.body.kinds[*value as usize] == Kind::Word {
                    self.store_words(*buffer, from, copy);
                    continue;
                }
                let register = self.in_register(from, 0);
                let to = match self.places.is_ring(*buffer) {
                    true => self.ring_element(Entry::CurrentAddress(*buffer), copy),
                    false => self.element(*buffer, copy),
                };
                self.put(to, register);
            }
        }
    }

    /// Brings the states to their homes.
    fn load_states(&mut self) {
        for state in 0..self.liveness.states.len() {
            for copy in 0..self.shape.copies {
                let from = self.element(self.liveness.states[state].buffer, copy);
                match self.allocator.home(state, copy) {
                    Place::Register(register) => self.fetch(register, from),
                    home => {
                        self.fetch(0, from);
                        self.put(self.operand(home), 0);
                    }
                }
            }
        }
    }

    /// Moves the next states to their homes.
    fn keep_states(&mut self) {
        let states = self.liveness.states.len();
        let copies = self.shape.copies;
        let homes = (0..states).flat_map(|s| (0..copies).map(move |copy| (s, copy)));
        let homes: HashSet<(Place, usize)> = homes.map(|(s, copy)| (self.allocator.home(s, copy), copy)).collect();
        // A next state that is another state as it was must be read before that one's home is overwritten.
        let mut moves = Vec::new();
        for state in 0..states {
            for copy in 0..self.shape.copies {
                let next = self.allocator.place(self.liveness.states[state].next, copy);
                let home = self.allocator.home(state, copy);
                if next == home {
                    continue;
                }
                if homes.contains(&(next, copy)) {
                    let slot = Place::Frame(self.allocator.new_slot());
                    let register = self.in_register(self.operand(next), 0);
                    self.put(self.operand(slot), register);
                    moves.push((slot, home));
                } else {
                    moves.push((next, home));
                }
            }
        }
        for (from, home) in moves {
            let from = self.operand(from);
            match home {
                Place::Register(register) => self.fetch(register, from),
                home => {
                    let register = self.in_register(from, 0);
                    self.put(self.operand(home), register);
                }
            }
        }
    }

    /// Starts the loop over rows: observes the state in its homes and stores what the row holds.
    fn begin_row(&mut self, outlet: &Outlet) -> RowLoop {
        let next = self.allocator.new_slot();
        let here = Memory { base: General::Rsp, index: None, displacement: next };
        let first = self.pool.offset(Entry::Rows);
        self.asm.load(General::Rax, Memory { base: General::Rsi, index: None, displacement: first });
        self.asm.save(here, General::Rax);
        let start = self.asm.here();
        self.refresh_time_if(outlet.body.values.contains(&Op::Time));

        // The same homes, and nothing else in registers.
        let body = prepared(&outlet.body, self.shape, self.places);
        let liveness = Liveness::observing(&body, self.shape, self.places, &self.liveness.states);
        let mut allocator = Allocator::new(&liveness, self.shape, self.pinned.len());
        allocator.continue_frame(&self.allocator);
        let body = std::mem::replace(&mut self.body, body);
        let liveness = std::mem::replace(&mut self.liveness, liveness);
        let allocator = std::mem::replace(&mut self.allocator, allocator);
        self.values();
        self.asm.load(General::Rax, here);
        for (buffer, value) in &self.body.stores.clone() {
            for copy in 0..self.shape.copies {
                let from = self.operand(self.allocator.place(*value as usize, copy));
                let register = self.in_register(from, 0);
                let displacement = outlet.offsets[buffer] + (copy * self.shape.stride()) as i32;
                let to = Memory { base: General::Rax, index: Some(General::Rdx), displacement };
                self.put(Operand::Memory(to), register);
            }
        }
        self.asm.add_immediate(General::Rax, outlet.row);
        self.asm.save(here, General::Rax);
        self.body = body;
        self.liveness = liveness;
        let observing = std::mem::replace(&mut self.allocator, allocator);
        self.allocator.needed_beside(&observing);
        self.allocator.continue_frame(&observing);
        RowLoop { start, next }
    }

    /// Goes on with the next row, if there is one.
    fn end_row(&mut self, rows: RowLoop) {
        let end = self.pool.offset(Entry::RowsEnd);
        self.asm.load(General::Rax, Memory { base: General::Rsp, index: None, displacement: rows.next });
        self.asm.load(General::R10, Memory { base: General::Rsi, index: None, displacement: end });
        self.asm.compare(General::Rax, General::R10);
        self.asm.jump_below(rows.start);
    }

    fn store_states(&mut self) {
        for state in 0..self.liveness.states.len() {
            for copy in 0..self.shape.copies {
                let from = self.operand(self.allocator.home(state, copy));
                let register = self.in_register(from, 0);
                let to = self.element(self.liveness.states[state].buffer, copy);
                self.put(to, register);
            }
        }
    }

    /// Computes the time of the current step into its stack slot, as a vector.
    fn refresh_time(&mut self) {
        self.refresh_time_if(self.body.steps.contains(&Step::Op(Op::Time)));
    }

    fn refresh_time_if(&mut self, needed: bool) {
        if !needed {
            return;
        }
        let slot = *self.time.get_or_insert_with(|| self.allocator.new_slot());
        let dt = self.pool.offset(Entry::StepSizeDouble);
        let dt = self.operand(Place::Pool(dt));
        self.asm.convert_integer(0, General::R11);
        self.asm.vector(table::mul(Precision::F64, Width::Scalar), Width::Scalar, 0, 0, dt, Mask::None);
        if self.shape.precision == Precision::F32 {
            self.asm.vector(table::narrow(), Width::Scalar, 0, 0, Operand::Register(0), Mask::None);
        }
        self.packed(table::broadcast(self.shape.precision), 0, 0, Operand::Register(0));
        // The slot is a whole vector, also for scalars.
        let to = self.operand(Place::Frame(slot));
        self.packed(table::store(self.shape.precision, Width::Ymm), 0, 0, to);
    }
}
