//! Register allocation, one value at a time in the order of the code.
//!
//! A value keeps its register until it is read last. When registers run out, the value that is read latest moves to the
//! stack for good; instructions read it from there.

use super::assembler::{MaskRegister, Vector};
use super::code::{SLOT, Shape};
use super::liveness::Liveness;

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// Not computed yet.
    Nowhere,
    /// A vector register.
    Register(Vector),
    /// A mask register.
    Mask(MaskRegister),
    /// Byte offset in the pool.
    Pool(i32),
    /// Byte offset of a buffer's only element.
    Buffer(i32),
    /// Byte offset in the stack frame.
    Frame(i32),
}

/// A register taken from a value that was in it, and the stack slot that the value goes to.
#[derive(Clone, Copy, Debug)]
pub struct Spill {
    /// The register.
    pub register: Vector,
    /// The slot.
    pub slot: i32,
}

/// The allocation so far.
pub struct Allocator {
    copies: usize,
    /// By value and copy.
    places: Vec<Place>,
    /// By state and copy.
    homes: Vec<Place>,
    free: Vec<Vector>,
    /// Values in registers: (value, copy, register).
    active: Vec<(usize, usize, Vector)>,
    /// Mask registers without a value; registers 0 and 1 are no homes of values.
    free_masks: Vec<MaskRegister>,
    /// Values in mask registers.
    masks: Vec<(usize, usize, MaskRegister)>,
    /// The fewest registers that were free at any time.
    fewest_free: usize,
    frame: i32,
}

impl Allocator {
    /// Nothing allocated but the homes of states: up to half of the registers, stack slots for the rest.
    /// The highest `pinned` registers are left alone.
    pub fn new(liveness: &Liveness, shape: Shape, pinned: usize) -> Allocator {
        let last = if shape.evex { 32 } else { 16 };
        // Registers 0 and 1 are scratch. Low ones are handed out first.
        let mut free: Vec<Vector> = (2..last - pinned as Vector).rev().collect();
        let least = ((last as usize - 2) / 2).saturating_sub(pinned);
        let mut frame = 0;
        let homes = (0..liveness.states.len() * shape.copies).map(|_| {
            if free.len() > least
                && let Some(register) = free.pop()
            {
                return Place::Register(register);
            }
            frame += SLOT as i32;
            Place::Frame(frame - SLOT as i32)
        });
        let homes = homes.collect();
        let places = vec![Place::Nowhere; liveness.uses.len() * shape.copies];
        let fewest_free = free.len();
        let free_masks = (2..8).rev().collect();
        let (active, masks) = (Vec::new(), Vec::new());
        Allocator { copies: shape.copies, places, homes, free, active, free_masks, masks, fewest_free, frame }
    }

    /// Where a value is.
    pub fn place(&self, value: usize, copy: usize) -> Place {
        self.places[value * self.copies + copy]
    }

    /// Where a state is between steps.
    pub fn home(&self, state: usize, copy: usize) -> Place {
        self.homes[state * self.copies + copy]
    }

    /// Says that a value is at a place that is not allocated here.
    pub fn set_place(&mut self, value: usize, copy: usize, place: Place) {
        self.places[value * self.copies + copy] = place;
    }

    /// A new stack slot.
    pub fn new_slot(&mut self) -> i32 {
        self.frame += SLOT as i32;
        self.frame - SLOT as i32
    }

    /// Leaves the stack slots of another allocation alone.
    pub fn continue_frame(&mut self, other: &Allocator) {
        self.frame = self.frame.max(other.frame);
    }

    /// Bytes of the stack slots.
    pub fn frame_bytes(&self) -> i32 {
        self.frame
    }

    /// Whether a register holds nothing.
    pub fn is_free(&self, register: Vector) -> bool {
        self.free.contains(&register)
    }

    /// Frees the register of a value that is not read any more; a state's home stays taken.
    pub fn release(&mut self, value: usize, copy: usize) {
        if let Some(at) = self.active.iter().position(|a| (a.0, a.1) == (value, copy)) {
            self.free.push(self.active.swap_remove(at).2);
        } else if let Some(at) = self.masks.iter().position(|m| (m.0, m.1) == (value, copy)) {
            self.free_masks.push(self.masks.swap_remove(at).2);
        }
    }

    /// A mask register for a value: `kinds` makes sure that there are enough.
    pub fn claim_mask(&mut self, (value, copy): (usize, usize)) -> MaskRegister {
        let register = self.free_masks.pop().expect("`kinds` counts the masks");
        self.masks.push((value, copy, register));
        self.set_place(value, copy, Place::Mask(register));
        register
    }

    /// Counts what another allocation of the same registers needed.
    pub fn needed_beside(&mut self, other: &Allocator) {
        self.fewest_free = self.fewest_free.min(other.fewest_free);
    }

    /// The number of registers that have never been needed.
    pub fn fewest_free(&self) -> usize {
        self.fewest_free
    }

    /// A register for a value. If another value has to leave, the caller stores it before it looks for operands.
    pub fn claim(
        &mut self,
        (value, copy): (usize, usize),
        prefer: Option<Vector>,
        liveness: &Liveness,
    ) -> (Vector, Option<Spill>) {
        let preferred = prefer.and_then(|p| self.free.iter().position(|f| *f == p));
        let (register, spill) = match preferred {
            Some(at) => (self.free.remove(at), None),
            None => match self.free.pop() {
                Some(register) => (register, None),
                None => {
                    let spill = self.spill(value, liveness);
                    (spill.register, Some(spill))
                }
            },
        };
        self.active.push((value, copy, register));
        self.fewest_free = self.fewest_free.min(self.free.len());
        self.set_place(value, copy, Place::Register(register));
        (register, spill)
    }

    fn spill(&mut self, at: usize, liveness: &Liveness) -> Spill {
        let latest = self.active.iter().enumerate().max_by_key(|(_, a)| liveness.next_use(a.0, at)).map(|(i, _)| i);
        let victim = self.active.swap_remove(latest.expect("some value is not an operand"));
        let slot = self.new_slot();
        self.set_place(victim.0, victim.1, Place::Frame(slot));
        Spill { register: victim.2, slot }
    }
}
