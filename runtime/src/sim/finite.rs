//! Finding values that are NaN or infinite.

use crate::isa::{Isa, Work};

/// Values looked at before the next question whether one was found.
const BLOCK: usize = 512;
/// Sums side by side: one alone would wait for itself.
const SIDE: usize = 32;

/// The first value that is NaN or infinite. There is hardly ever one, so whole blocks are looked at first.
pub fn not_finite(isa: Isa, values: &[f64]) -> Option<usize> {
    let mut block = None;
    isa.run(FirstBlock { values, block: &mut block });
    let first = block? * BLOCK;
    values[first..].iter().position(|v| !v.is_finite()).map(|at| first + at)
}

/// Finds the first block with such a value.
struct FirstBlock<'a> {
    values: &'a [f64],
    block: &'a mut Option<usize>,
}

impl Work for FirstBlock<'_> {
    #[inline(always)]
    fn run(self) {
        // A sum of products with zero is zero if all values are finite, else NaN.
        for (at, block) in self.values.chunks(BLOCK).enumerate() {
            let mut sums = [0.0; SIDE];
            let (whole, rest) = block.as_chunks::<SIDE>();
            for values in whole {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += value * 0.0;
                }
            }
            for (sum, value) in sums.iter_mut().zip(rest) {
                *sum += value * 0.0;
            }
            if sums.iter().sum::<f64>() != 0.0 {
                *self.block = Some(at);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_that_is_not_finite_is_found_wherever_it_is() {
        for isa in [Isa::Baseline, Isa::detect()] {
            for len in [0, 1, 31, 33, BLOCK - 1, BLOCK, 2 * BLOCK + 37] {
                let extreme = [f64::MAX, f64::MIN, -0.0, f64::MIN_POSITIVE, 5e-324];
                let values: Vec<f64> = (0..len).map(|k| extreme[k % extreme.len()]).collect();
                assert_eq!(not_finite(isa, &values), None);
                for at in 0..len {
                    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                        let mut values = values.clone();
                        values[at] = wrong;
                        values[len - 1] = if at + 1 < len { f64::NAN } else { wrong };
                        assert_eq!(not_finite(isa, &values), Some(at));
                    }
                }
            }
        }
    }
}
