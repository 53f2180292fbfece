//! Sums and extremes of columns over the rows of a run, where rows themselves are not wanted.

/// What becomes of columns: their sums, smallest and largest values, updated in the order of the rows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Totals {
    /// Number of rows.
    pub rows: u64,
    /// Sum of each column, in double precision.
    pub sums: Vec<f64>,
    /// Smallest value of each column; numbers that are NaN do not count. Infinite without rows.
    pub lowest: Vec<f64>,
    /// Largest value of each column.
    pub highest: Vec<f64>,
}

impl Totals {
    /// For so many columns, without rows yet.
    pub fn new(columns: usize) -> Totals {
        let (lowest, highest) = (vec![f64::INFINITY; columns], vec![f64::NEG_INFINITY; columns]);
        Totals { rows: 0, sums: vec![0.0; columns], lowest, highest }
    }

    /// Adds a row, one value for each column.
    pub fn add(&mut self, values: &[f64]) {
        self.rows += 1;
        let columns = self.sums.iter_mut().zip(&mut self.lowest).zip(&mut self.highest);
        for (((sum, lowest), highest), value) in columns.zip(values) {
            *sum += value;
            *lowest = if value < lowest { *value } else { *lowest };
            *highest = if value > highest { *value } else { *highest };
        }
    }

    /// Whether a column was finite throughout: neither an infinity nor a NaN ever leaves a sum.
    pub fn is_finite(&self, column: usize) -> bool {
        self.rows == 0 || self.sums[column].is_finite()
    }

    /// Mean of a column.
    pub fn mean(&self, column: usize) -> f64 {
        self.sums[column] / self.rows as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_summed_by_themselves_and_nan_has_no_rank() {
        let mut totals = Totals::new(2);
        [[1.0, -0.5], [3.0, f64::NAN], [2.0, 4.0]].iter().for_each(|row| totals.add(row));
        assert_eq!((totals.rows, totals.mean(0)), (3, 2.0));
        assert_eq!((totals.lowest, totals.highest), (vec![1.0, -0.5], vec![3.0, 4.0]));
        assert!(totals.sums[1].is_nan());
    }
}
