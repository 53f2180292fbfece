//! Numbers as bytes of a device.

use crate::flush::narrow;
use crate::program::Precision;

/// Bytes of a number.
pub(super) fn size(precision: Precision) -> usize {
    match precision {
        Precision::F32 => 4,
        Precision::F64 => 8,
    }
}

/// Numbers in a precision.
pub(super) fn encode(values: &[f64], precision: Precision) -> Vec<u8> {
    match precision {
        Precision::F32 => values.iter().flat_map(|v| narrow(*v).to_le_bytes()).collect(),
        Precision::F64 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}

/// Appends the numbers that bytes hold.
pub(super) fn decode(bytes: &[u8], precision: Precision, out: &mut Vec<f64>) {
    match precision {
        Precision::F32 => {
            let numbers = bytes.as_chunks::<4>().0.iter();
            out.extend(numbers.map(|b| f64::from(f32::from_le_bytes(*b))));
        }
        Precision::F64 => out.extend(bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b))),
    }
}
