//! Masks and words as instructions. The vectors of words that go with a whole vector of numbers have as many lanes.

use super::allocate::Place;
use super::assembler::{General, Mask, MaskRegister, Memory, Operand, Vector, Width};
use super::code::Generator;
use super::operations::comparison;
use super::sequence::{TruthOp, WordOp};
use super::table::{self, masks, words};
use crate::program::Precision;

/// Bits by which the byte offset of a number exceeds that of its word: numbers have four or two times the bytes.
pub fn shift(precision: Precision) -> u8 {
    if precision == Precision::F64 { 2 } else { 1 }
}

impl Generator<'_> {
    /// Length of a vector of words, and of a vector of integers of 32 bits.
    fn lengths(&self) -> (Width, Width) {
        match self.shape.precision {
            Precision::F64 => (Width::Xmm, Width::Ymm),
            Precision::F32 => (Width::Ymm, Width::Zmm),
        }
    }

    /// The mask register of a value.
    pub fn mask_of(&self, value: u32, copy: usize) -> MaskRegister {
        match self.allocator.place(value as usize, copy) {
            Place::Mask(register) => register,
            place => unreachable!("{place:?} is no mask"),
        }
    }

    /// Computes a mask.
    pub fn truth_value(&mut self, op: TruthOp, (at, copy): (usize, usize), dying: &[usize]) {
        let result = self.allocator.claim_mask((at, copy));
        match op {
            TruthOp::Compare(f, a, b) => {
                let (a, b) = (self.of(a, copy), self.of(b, copy));
                let first = self.in_register(a, 0);
                let (p, w) = (self.shape.precision, self.width);
                self.asm.vector_immediate(table::compare(p, w), w, result, first, b, Mask::None, comparison(f));
            }
            TruthOp::CompareWords(f, a, b) => {
                let (a, b) = (self.of(a, copy), self.of(b, copy));
                let first = self.words_in_register(a, 0);
                let width = self.lengths().0;
                let predicate = words::predicate(f);
                self.asm.vector_immediate(words::compare(), width, result, first, b, Mask::None, predicate);
            }
            TruthOp::And(a, b) => {
                self.asm.masks(masks::AND, true, result, self.mask_of(a, copy), self.mask_of(b, copy))
            }
            TruthOp::Or(a, b) => self.asm.masks(masks::OR, true, result, self.mask_of(a, copy), self.mask_of(b, copy)),
            TruthOp::Not(a) => self.asm.masks(masks::NOT, false, result, 0, self.mask_of(a, copy)),
        }
        dying.iter().for_each(|o| self.allocator.release(*o, copy));
    }

    /// `then` where the mask is set, else `otherwise`.
    pub fn choose_by(&mut self, mask: MaskRegister, result: Vector, then: Operand, otherwise: Operand) {
        let (p, w) = (self.shape.precision, self.width);
        let otherwise = self.in_register(otherwise, 0);
        self.asm.vector(table::blend_mask(p), w, result, otherwise, then, Mask::Merge(mask));
    }

    /// Computes words.
    pub fn word(&mut self, op: WordOp, result: Vector, copy: usize) {
        let (width, integers) = self.lengths();
        match op {
            WordOp::Load(buffer) => {
                let from = self.word_element(buffer, copy);
                self.asm.vector(words::load(), width, result, 0, from, Mask::None);
            }
            WordOp::Binary(f, a, b) => {
                let (a, b) = (self.of(a, copy), self.of(b, copy));
                let first = self.words_in_register(a, 0);
                self.asm.vector(words::arithmetic(f), width, result, first, b, Mask::None);
            }
            WordOp::Select(condition, a, b) => {
                let mask = self.mask_of(condition, copy);
                let (then, otherwise) = (self.of(a, copy), self.of(b, copy));
                let otherwise = self.words_in_register(otherwise, 0);
                self.asm.vector(words::blend(), width, result, otherwise, then, Mask::Merge(mask));
            }
            WordOp::FromTruth(truth) => {
                let (mask, one) = (self.mask_of(truth, copy), self.word_number(1));
                self.asm.vector(words::load(), width, result, 0, one, Mask::Zero(mask));
            }
            WordOp::FromNumber(number) => {
                let number = self.of(number, copy);
                let p = self.shape.precision;
                self.asm.vector(words::of_numbers(p), self.width, 0, 0, number, Mask::None);
                self.asm.vector(words::narrow(), integers, 0, 0, Operand::Register(result), Mask::None);
            }
            WordOp::Number(_) | WordOp::Scalar(_) => unreachable!("these have a place without code"),
        }
    }

    /// The numbers that words are.
    pub fn number_of_word(&mut self, result: Vector, word: Operand) {
        let integers = self.lengths().1;
        self.asm.vector(words::extend(), integers, 0, 0, word, Mask::None);
        let to = words::to_numbers(self.shape.precision);
        self.asm.vector(to, self.width, result, 0, Operand::Register(0), Mask::None);
    }

    /// 1 where the mask is set, else 0.
    pub fn number_of_truth(&mut self, result: Vector, mask: MaskRegister) {
        let (p, w) = (self.shape.precision, self.width);
        let one = self.constant(1.0);
        // As a load, it clears what the mask leaves out.
        self.asm.vector(table::load(p, w), w, result, 0, one, Mask::Zero(mask));
    }

    /// Stores words.
    pub fn store_words(&mut self, buffer: u32, from: Operand, copy: usize) {
        let register = self.words_in_register(from, 0);
        let to = self.word_element(buffer, copy);
        let width = self.lengths().0;
        self.asm.vector(words::store(), width, register, 0, to, Mask::None);
    }

    fn words_in_register(&mut self, operand: Operand, scratch: Vector) -> Vector {
        match operand {
            Operand::Register(register) => register,
            Operand::Memory(_) => {
                let width = self.lengths().0;
                self.asm.vector(words::load(), width, scratch, 0, operand, Mask::None);
                scratch
            }
        }
    }

    /// The elements of a buffer of words that a copy works on; r10 has their byte offset.
    fn word_element(&self, buffer: u32, copy: usize) -> Operand {
        let bytes = self.shape.stride() >> shift(self.shape.precision);
        let displacement = self.places.offset(buffer) + (copy * bytes) as i32;
        Operand::Memory(Memory { base: General::Rdi, index: Some(General::R10), displacement })
    }
}
