//! The vector instructions the engine uses, by number format.
//!
//! Numbers from Intel's manual (volume 2): prefix, map, W bits, opcode byte. `packed` forms work on whole vectors, `scalar`
//! forms on the lowest element.

use super::assembler::{Opcode, Width};
use crate::program::Precision;

/// An arithmetic instruction with a packed form (prefix 66 or none) and a scalar form (prefix F2 or F3).
fn arithmetic(byte: u8, precision: Precision, width: Width) -> Opcode {
    let double = precision == Precision::F64;
    let prefix = match (width, double) {
        (Width::Scalar, true) => 3,
        (Width::Scalar, false) => 2,
        (_, true) => 1,
        (_, false) => 0,
    };
    Opcode { prefix, map: 1, wide: double, wide_vex: false, byte }
}

/// `add`
pub fn add(p: Precision, w: Width) -> Opcode {
    arithmetic(0x58, p, w)
}
/// `mul`
pub fn mul(p: Precision, w: Width) -> Opcode {
    arithmetic(0x59, p, w)
}
/// `sub`
pub fn sub(p: Precision, w: Width) -> Opcode {
    arithmetic(0x5C, p, w)
}
/// `min`: the second operand when either is NaN or both are equal
pub fn min(p: Precision, w: Width) -> Opcode {
    arithmetic(0x5D, p, w)
}
/// `div`
pub fn div(p: Precision, w: Width) -> Opcode {
    arithmetic(0x5E, p, w)
}
/// `max`: the second operand when either is NaN or both are equal
pub fn max(p: Precision, w: Width) -> Opcode {
    arithmetic(0x5F, p, w)
}
/// `sqrt`; the scalar form takes the upper elements from the first operand
pub fn sqrt(p: Precision, w: Width) -> Opcode {
    arithmetic(0x51, p, w)
}
/// Unaligned load; the scalar form clears the upper elements
pub fn load(p: Precision, w: Width) -> Opcode {
    arithmetic(0x10, p, w)
}
/// Unaligned store
pub fn store(p: Precision, w: Width) -> Opcode {
    arithmetic(0x11, p, w)
}
/// Comparison with a predicate: into a vector (VEX) or into a mask register (EVEX)
pub fn compare(p: Precision, w: Width) -> Opcode {
    arithmetic(0xC2, p, w)
}

/// Instructions on whole registers whatever the width: prefix by number format.
fn bitwise(byte: u8, precision: Precision) -> Opcode {
    let double = precision == Precision::F64;
    Opcode { prefix: u8::from(double), map: 1, wide: double, wide_vex: false, byte }
}

/// Register copy
pub fn copy(p: Precision) -> Opcode {
    bitwise(0x28, p)
}
/// `and`
pub fn and(p: Precision) -> Opcode {
    bitwise(0x54, p)
}
/// `or`
pub fn or(p: Precision) -> Opcode {
    bitwise(0x56, p)
}
/// `xor`
pub fn xor(p: Precision) -> Opcode {
    bitwise(0x57, p)
}

/// Fused multiply-add; `byte` for the packed form, the scalar form is the next.
fn fused(byte: u8, precision: Precision, width: Width) -> Opcode {
    let double = precision == Precision::F64;
    let byte = byte + u8::from(width == Width::Scalar);
    Opcode { prefix: 1, map: 2, wide: double, wide_vex: double, byte }
}

/// `result = result * third + second`
pub fn fma132(p: Precision, w: Width) -> Opcode {
    fused(0x98, p, w)
}
/// `result = second * result + third`
pub fn fma213(p: Precision, w: Width) -> Opcode {
    fused(0xA8, p, w)
}
/// `result = second * third + result`
pub fn fma231(p: Precision, w: Width) -> Opcode {
    fused(0xB8, p, w)
}

/// Rounding to a whole number by an immediate (`vround`, `vrndscale`)
pub fn round(precision: Precision, width: Width) -> Opcode {
    let double = precision == Precision::F64;
    let byte = match (width, double) {
        (Width::Scalar, true) => 0x0B,
        (Width::Scalar, false) => 0x0A,
        (_, true) => 0x09,
        (_, false) => 0x08,
    };
    Opcode { prefix: 1, map: 3, wide: double, wide_vex: false, byte }
}

/// Choice by the signs of a vector (VEX): `sign(mask) ? second : first`, mask in the immediate's high half
pub fn blend_variable(precision: Precision) -> Opcode {
    let double = precision == Precision::F64;
    Opcode { prefix: 1, map: 3, wide: false, wide_vex: false, byte: 0x4A + u8::from(double) }
}

/// Choice by a mask register (EVEX): `k1 ? second : first`
pub fn blend_mask(precision: Precision) -> Opcode {
    let double = precision == Precision::F64;
    Opcode { prefix: 1, map: 2, wide: double, wide_vex: false, byte: 0x65 }
}

/// Copies the lowest element to all.
pub fn broadcast(precision: Precision) -> Opcode {
    let double = precision == Precision::F64;
    Opcode { prefix: 1, map: 2, wide: double, wide_vex: false, byte: 0x18 + u8::from(double) }
}

/// Lowest lanes of two registers next to each other (`vunpckl`)
pub fn interleave(precision: Precision) -> Opcode {
    bitwise(0x14, precision)
}

/// A lane of single precision into the place that the immediate's high half names (`vinsertps`)
pub fn insert_lane() -> Opcode {
    Opcode { prefix: 1, map: 3, wide: false, wide_vex: false, byte: 0x21 }
}

/// The lower half of the second operand into the upper half of the first
pub fn insert_half(precision: Precision) -> Opcode {
    let double = precision == Precision::F64;
    Opcode { prefix: 1, map: 3, wide: double, wide_vex: false, byte: 0x18 }
}

/// The upper half of the register named by the result field into the operand
pub fn extract_half(precision: Precision) -> Opcode {
    let double = precision == Precision::F64;
    Opcode { prefix: 1, map: 3, wide: double, wide_vex: false, byte: 0x19 }
}

/// Lanes of each half rearranged by an immediate; for a small number the lowest lane becomes the lane of that number
pub fn permute(precision: Precision) -> Opcode {
    let double = precision == Precision::F64;
    Opcode { prefix: 1, map: 3, wide: double, wide_vex: false, byte: 0x04 + u8::from(double) }
}

/// Double to single precision, lowest element
pub fn narrow() -> Opcode {
    Opcode { prefix: 3, map: 1, wide: true, wide_vex: false, byte: 0x5A }
}

/// Integer addition of lanes as wide as the number
pub fn add_lanes(precision: Precision) -> Opcode {
    let double = precision == Precision::F64;
    Opcode { prefix: 1, map: 1, wide: double, wide_vex: false, byte: if double { 0xD4 } else { 0xFE } }
}

/// Shift of lanes by an immediate; the operation is chosen by the register field: 6 left, 2 right
pub fn shift_lanes(precision: Precision) -> Opcode {
    let double = precision == Precision::F64;
    Opcode { prefix: 1, map: 1, wide: double, wide_vex: false, byte: if double { 0x73 } else { 0x72 } }
}
/// Register field of [`shift_lanes`] for a shift to the left
pub const LEFT: u8 = 6;
/// Register field of [`shift_lanes`] for a shift to the right
pub const RIGHT: u8 = 2;

/// Instructions on words: whole vectors of 16-bit integers.
pub mod words {
    use super::Opcode;
    use crate::program::{Binary, Precision};

    fn op(prefix: u8, map: u8, wide: bool, byte: u8) -> Opcode {
        Opcode { prefix, map, wide, wide_vex: false, byte }
    }

    /// Unaligned load, or copy (`vmovdqu16`)
    pub fn load() -> Opcode {
        op(3, 1, true, 0x6F)
    }
    /// Unaligned store
    pub fn store() -> Opcode {
        op(3, 1, true, 0x7F)
    }
    /// Sum, difference, smaller or larger one, signed
    pub fn arithmetic(f: Binary) -> Opcode {
        let byte = match f {
            Binary::Add => 0xFD,
            Binary::Sub => 0xF9,
            Binary::Min => 0xEA,
            Binary::Max => 0xEE,
            _ => unreachable!("`kinds` leaves all others to numbers"),
        };
        op(1, 1, false, byte)
    }
    /// Comparison into a mask, by an immediate
    pub fn compare() -> Opcode {
        op(1, 3, true, 0x3F)
    }
    /// The immediate of a comparison
    pub fn predicate(f: Binary) -> u8 {
        match f {
            Binary::Eq => 0,
            Binary::Lt => 1,
            Binary::Le => 2,
            Binary::Ne => 4,
            Binary::Ge => 5,
            Binary::Gt => 6,
            _ => unreachable!("called for comparisons only"),
        }
    }
    /// Choice by a mask: `mask ? second : first`
    pub fn blend() -> Opcode {
        op(1, 2, true, 0x66)
    }
    /// To integers of 32 bits
    pub fn extend() -> Opcode {
        op(1, 2, false, 0x23)
    }
    /// From integers of 32 bits; the result is the operand, the source the register field
    pub fn narrow() -> Opcode {
        op(2, 2, false, 0x33)
    }
    /// Integers of 32 bits to numbers
    pub fn to_numbers(p: Precision) -> Opcode {
        match p {
            Precision::F64 => op(2, 1, false, 0xE6),
            Precision::F32 => op(0, 1, false, 0x5B),
        }
    }
    /// Numbers, their fractions cut off, to integers of 32 bits
    pub fn of_numbers(p: Precision) -> Opcode {
        match p {
            Precision::F64 => op(1, 1, true, 0xE6),
            Precision::F32 => op(2, 1, false, 0x5B),
        }
    }
}

/// Instructions on masks.
pub mod masks {
    /// `and`
    pub const AND: u8 = 0x41;
    /// `or`
    pub const OR: u8 = 0x45;
    /// `not`, with one source
    pub const NOT: u8 = 0x44;
}

/// Immediates of comparisons: ordered ones are false when an operand is NaN.
pub mod predicate {
    /// `a == b`
    pub const EQUAL: u8 = 0x00;
    /// either is NaN
    pub const UNORDERED: u8 = 0x03;
    /// `a != b`, or either is NaN
    pub const NOT_EQUAL: u8 = 0x04;
    /// `a < b`
    pub const LESS: u8 = 0x11;
    /// `a <= b`
    pub const LESS_EQUAL: u8 = 0x12;
    /// `a >= b`
    pub const GREATER_EQUAL: u8 = 0x1D;
    /// `a > b`
    pub const GREATER: u8 = 0x1E;
}
