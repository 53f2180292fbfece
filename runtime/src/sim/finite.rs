//! Finding values that are NaN or infinite.

/// Values looked at before the next question whether one was found.
const BLOCK: usize = 512;
/// Sums side by side: one alone would wait for itself.
const SIDE: usize = 16;

/// The first value that is NaN or infinite. There is hardly ever one, so whole blocks are looked at first.
///
/// Without the widest vectors, which would slow down the processor for what comes next.
pub fn not_finite(values: &[f64]) -> Option<usize> {
    let first = values.chunks(BLOCK).position(|block| !all_finite(block))? * BLOCK;
    values[first..].iter().position(|v| !v.is_finite()).map(|at| first + at)
}

/// Whether a sum of products with zero is zero: it is NaN if one of the values is not finite.
fn all_finite(block: &[f64]) -> bool {
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
    sums.iter().sum::<f64>() == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_that_is_not_finite_is_found_wherever_it_is() {
        for len in [0, 1, 31, 33, BLOCK - 1, BLOCK, 2 * BLOCK + 37] {
            let extreme = [f64::MAX, f64::MIN, -0.0, f64::MIN_POSITIVE, 5e-324];
            let values: Vec<f64> = (0..len).map(|k| extreme[k % extreme.len()]).collect();
            assert_eq!(not_finite(&values), None);
            for at in 0..len {
                for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                    let mut values = values.clone();
                    values[at] = wrong;
                    values[len - 1] = if at + 1 < len { f64::NAN } else { wrong };
                    assert_eq!(not_finite(&values), Some(at));
                }
            }
        }
    }
}
