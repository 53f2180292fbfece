//! Encoding of the x86-64 instructions the engine needs.
//!
//! Vector instructions are written in the EVEX form on machines with AVX-512 and in the VEX form otherwise (Intel 64 and
//! IA-32 Architectures Software Developer's Manual, volume 2, sections 2.3 and 2.7). Memory operands always carry a
//! 32-bit displacement, which both forms read the same way.

/// A vector register.
pub type Vector = u8;

/// Length of the vectors an instruction works on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Width {
    /// The lowest element only.
    Scalar,
    /// 128 bits.
    Xmm,
    /// 256 bits.
    Ymm,
    /// 512 bits.
    Zmm,
}

/// A general register used as a base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum General {
    Rax = 0,
    Rcx = 1,
    Rdx = 2,
    Rsp = 4,
    Rsi = 6,
    Rdi = 7,
    R8 = 8,
    R9 = 9,
    R10 = 10,
    R11 = 11,
}

/// A place in memory: `base + index + displacement`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    /// Base register.
    pub base: General,
    /// Index register, not scaled.
    pub index: Option<General>,
    /// Displacement in bytes.
    pub displacement: i32,
}

/// A vector register or a place in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand {
    /// A register.
    Register(Vector),
    /// Memory.
    Memory(Memory),
}

/// An instruction as the manual's tables name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opcode {
    /// Mandatory prefix: 0 none, 1 `66`, 2 `F3`, 3 `F2`.
    pub prefix: u8,
    /// Opcode map: 1 `0F`, 2 `0F38`, 3 `0F3A`.
    pub map: u8,
    /// The W bit of the EVEX form.
    pub wide: bool,
    /// The W bit of the VEX form where it is not ignored.
    pub wide_vex: bool,
    /// The opcode byte.
    pub byte: u8,
}

/// A mask register: `k1` is scratch.
pub type MaskRegister = u8;

/// How an instruction uses a mask register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mask {
    /// Not at all.
    None,
    /// Elements whose bit is clear are kept (or, for a comparison, cleared).
    Merge(MaskRegister),
    /// Elements whose bit is clear become 0.
    Zero(MaskRegister),
}

/// A label's place in the code.
pub type Label = usize;

/// Machine code being written.
pub struct Assembler {
    /// The code.
    pub code: Vec<u8>,
    evex: bool,
}

impl Assembler {
    /// Writes EVEX forms if `evex`, else VEX forms.
    pub fn new(evex: bool) -> Assembler {
        Assembler { code: Vec::new(), evex }
    }

    /// `result = opcode(first, second)`; for instructions with one source `first` is 0.
    pub fn vector(&mut self, op: Opcode, width: Width, result: u8, first: Vector, second: Operand, mask: Mask) {
        let register = match second {
            Operand::Register(r) => r,
            Operand::Memory(_) => 0,
        };
        let (index_high, base_high) = match second {
            Operand::Register(_) => (register >> 4 & 1, register >> 3 & 1),
            Operand::Memory(m) => (m.index.map_or(0, |i| i as u8 >> 3), m.base as u8 >> 3),
        };
        let not = |bit: u8| (bit & 1) ^ 1;
        if self.evex {
            let length = match width {
                Width::Scalar | Width::Xmm => 0,
                Width::Ymm => 1,
                Width::Zmm => 2,
            };
            self.code.push(0x62);
            self.code.push(
                not(result >> 3) << 7 | not(index_high) << 6 | not(base_high) << 5 | not(result >> 4) << 4 | op.map,
            );
            self.code.push(u8::from(op.wide) << 7 | (!first & 15) << 3 | 1 << 2 | op.prefix);
            let (zeroing, mask) = match mask {
                Mask::None => (0, 0),
                Mask::Merge(register) => (0, register),
                Mask::Zero(register) => (1, register),
            };
            self.code.push(zeroing << 7 | length << 5 | not(first >> 4) << 3 | mask);
        } else {
            debug_assert!(mask == Mask::None && width != Width::Zmm, "VEX has neither masks nor 512-bit vectors");
            self.code.push(0xC4);
            self.code.push(not(result >> 3) << 7 | not(index_high) << 6 | not(base_high) << 5 | op.map);
            let long = u8::from(width == Width::Ymm);
            self.code.push(u8::from(op.wide_vex) << 7 | (!first & 15) << 3 | long << 2 | op.prefix);
        }
        self.code.push(op.byte);
        match second {
            Operand::Register(r) => self.code.push(0xC0 | (result & 7) << 3 | r & 7),
            Operand::Memory(memory) => self.address(result & 7, memory),
        }
    }

    /// As [`Assembler::vector`], with an immediate byte at the end.
    #[allow(clippy::too_many_arguments)]
    pub fn vector_immediate(
        &mut self,
        op: Opcode,
        width: Width,
        result: u8,
        first: Vector,
        second: Operand,
        mask: Mask,
        immediate: u8,
    ) {
        self.vector(op, width, result, first, second, mask);
        self.code.push(immediate);
    }

    /// ModRM, SIB and displacement of a memory operand.
    fn address(&mut self, register: u8, memory: Memory) {
        let base = memory.base as u8 & 7;
        match memory.index {
            None if base != 4 => self.code.push(0x80 | register << 3 | base),
            None => self.code.extend([0x84 | register << 3, 0x24]),
            Some(index) => self.code.extend([0x84 | register << 3, (index as u8 & 7) << 3 | base]),
        }
        self.code.extend(memory.displacement.to_le_bytes());
    }

    /// `register = [memory]`, 64 bits.
    pub fn load(&mut self, register: General, memory: Memory) {
        let rex =
            0x48 | (register as u8 >> 3) << 2 | memory.index.map_or(0, |i| i as u8 >> 3) << 1 | memory.base as u8 >> 3;
        self.code.extend([rex, 0x8B]);
        self.address(register as u8 & 7, memory);
    }

    /// `[memory] = register`, 64 bits.
    pub fn save(&mut self, memory: Memory, register: General) {
        let rex =
            0x48 | (register as u8 >> 3) << 2 | memory.index.map_or(0, |i| i as u8 >> 3) << 1 | memory.base as u8 >> 3;
        self.code.extend([rex, 0x89]);
        self.address(register as u8 & 7, memory);
    }

    /// `register += immediate`
    pub fn add_immediate(&mut self, register: General, immediate: i32) {
        self.code.extend([0x48 | register as u8 >> 3, 0x81, 0xC0 | register as u8 & 7]);
        self.code.extend(immediate.to_le_bytes());
    }

    /// `target = source`
    pub fn copy(&mut self, target: General, source: General) {
        let rex = 0x48 | (source as u8 >> 3) << 2 | target as u8 >> 3;
        self.code.extend([rex, 0x89, 0xC0 | (source as u8 & 7) << 3 | target as u8 & 7]);
    }

    /// `target += source`
    pub fn add(&mut self, target: General, source: General) {
        let rex = 0x48 | (source as u8 >> 3) << 2 | target as u8 >> 3;
        self.code.extend([rex, 0x01, 0xC0 | (source as u8 & 7) << 3 | target as u8 & 7]);
    }

    /// Shifts a register to the right, filling up with zeros.
    pub fn shift_right(&mut self, register: General, count: u8) {
        self.code.extend([0x48 | register as u8 >> 3, 0xC1, 0xE8 | register as u8 & 7, count]);
    }

    /// `result = opcode(first, second)` on the lowest 16 bits of mask registers, in the VEX form; `first` is 0 and `pair`
    /// false for instructions with one source.
    pub fn masks(&mut self, byte: u8, pair: bool, result: MaskRegister, first: MaskRegister, second: MaskRegister) {
        self.code.extend([0xC5, 0x80 | (!first & 15) << 3 | u8::from(pair) << 2, byte]);
        self.code.push(0xC0 | (result & 7) << 3 | second & 7);
    }

    /// Compares two registers, unsigned.
    pub fn compare(&mut self, a: General, b: General) {
        let rex = 0x48 | (b as u8 >> 3) << 2 | a as u8 >> 3;
        self.code.extend([rex, 0x39, 0xC0 | (b as u8 & 7) << 3 | a as u8 & 7]);
    }

    /// The current place, to jump back to.
    pub fn here(&self) -> Label {
        self.code.len()
    }

    /// Jumps back to `label` if the last comparison found `a` below `b` (unsigned).
    pub fn jump_below(&mut self, label: Label) {
        self.code.extend([0x0F, 0x82]);
        self.jump_distance(label);
    }

    /// Jumps back to `label` if the last addition did not give 0, or the last comparison found a difference.
    pub fn jump_not_zero(&mut self, label: Label) {
        self.code.extend([0x0F, 0x85]);
        self.jump_distance(label);
    }

    fn jump_distance(&mut self, label: Label) {
        // Bodies are limited far below 2 GiB of code.
        let distance = label as i64 - (self.code.len() as i64 + 4);
        self.code.extend((distance as i32).to_le_bytes());
    }

    /// Sets up a stack frame aligned to 64 whose size is filled in later, at the returned place.
    pub fn enter(&mut self) -> usize {
        self.code.extend([0x55, 0x48, 0x89, 0xE5]); // push rbp; mov rbp, rsp
        self.code.extend([0x48, 0x81, 0xEC]); // sub rsp, size
        let size = self.code.len();
        self.code.extend([0; 4]);
        self.code.extend([0x48, 0x83, 0xE4, 0xC0]); // and rsp, -64
        size
    }

    /// Fills in the size of the frame set up at `place`.
    pub fn set_frame(&mut self, place: usize, bytes: i32) {
        self.code[place..place + 4].copy_from_slice(&bytes.to_le_bytes());
    }

    /// Leaves the frame and returns.
    pub fn leave(&mut self) {
        self.code.extend([0xC5, 0xF8, 0x77]); // vzeroupper
        self.code.extend([0x48, 0x89, 0xEC, 0x5D, 0xC3]); // mov rsp, rbp; pop rbp; ret
    }

    /// Converts the integer in `source` to double precision in the lowest element of `result`.
    pub fn convert_integer(&mut self, result: Vector, source: General) {
        let register = source as u8;
        // VEX and EVEX agree for registers below 16; `result` is a scratch register, see `code.rs`.
        debug_assert!(result < 16);
        let not = |bit: u8| (bit & 1) ^ 1;
        self.code.push(0xC4);
        self.code.push(not(result >> 3) << 7 | 1 << 6 | not(register >> 3) << 5 | 1);
        self.code.push(1 << 7 | (!result & 15) << 3 | 3);
        self.code.extend([0x2A, 0xC0 | (result & 7) << 3 | register & 7]);
    }
}
