//! Samples of extrinsic inputs, in rows and as spikes.

use std::borrow::Cow;

use super::DeviceError;

/// Samples of extrinsic inputs: row `k` holds from step `k` to the next, and spikes are added in the step they are in.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Samples {
    /// Number of columns.
    pub columns: usize,
    /// Row by row.
    pub data: Vec<f64>,
    /// What is added in single steps, by step, then column, no pair of both twice.
    pub spikes: Vec<SpikeSample>,
}

/// What a spike adds to a sample: step, column and amount.
pub type SpikeSample = (u64, u32, f64);

impl Samples {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.data.len().checked_div(self.columns).unwrap_or(0)
    }

    /// The sample of a column at a step; the last row holds on.
    pub fn at(&self, step: u64, column: u32) -> f64 {
        self.with_spikes(self.spikes_at(step), step, column)
    }

    /// The spikes of a step.
    fn spikes_at(&self, step: u64) -> &[SpikeSample] {
        let first = self.spikes.partition_point(|s| s.0 < step);
        let count = self.spikes[first..].partition_point(|s| s.0 == step);
        &self.spikes[first..first + count]
    }

    fn with_spikes(&self, spikes: &[SpikeSample], step: u64, column: u32) -> f64 {
        let row = (step as usize).min(self.rows().saturating_sub(1));
        let held = self.data.get(row * self.columns + column as usize).copied().unwrap_or(0.0);
        match spikes.binary_search_by_key(&column, |s| s.1) {
            Ok(at) => held + spikes[at].2,
            Err(_) => held,
        }
    }

    /// The samples of some columns at a step, 0 where there is none.
    pub(super) fn all_at(&self, step: u64, columns: &[Option<u32>], out: &mut Vec<f64>) {
        let spikes = self.spikes_at(step);
        if spikes.is_empty() && self.data.is_empty() {
            out.resize(out.len() + columns.len(), 0.0);
            return;
        }
        out.extend(columns.iter().map(|c| c.map_or(0.0, |c| self.with_spikes(spikes, step, c))));
    }

    /// The same samples in rows only, as devices take them that know no other; their number of rows, at least 1.
    pub fn in_rows(&self) -> Result<(usize, Cow<'_, [f64]>), DeviceError> {
        /// 2 GiB in double precision.
        const MOST: u64 = 1 << 28;
        let Some(last) = self.spikes.last() else {
            return Ok(match self.rows() {
                0 => (1, Cow::Owned(vec![0.0; self.columns.max(1)])),
                rows => (rows, Cow::Borrowed(&self.data)),
            });
        };
        // After the last spike a row without any holds on.
        let rows = (self.rows() as u64).max(last.0.saturating_add(2));
        if rows.saturating_mul(self.columns as u64) > MOST {
            let columns = self.columns;
            return Err(DeviceError(format!(
                "spikes for {columns} units in {rows} steps take too much memory in rows"
            )));
        }
        let columns = self.columns as u32;
        let data = (0..rows).flat_map(|step| (0..columns).map(move |c| self.at(step, c)));
        Ok((rows as usize, Cow::Owned(data.collect())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spikes_are_added_to_what_holds_in_their_step_only() {
        let samples = Samples { columns: 2, data: vec![], spikes: vec![(1, 1, 10.0), (4, 0, 5.0), (4, 1, 20.0)] };
        let column = |c| (0..7).map(|step| samples.at(step, c)).collect::<Vec<_>>();
        assert_eq!(column(0), [0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0]);
        assert_eq!(column(1), [0.0, 10.0, 0.0, 0.0, 20.0, 0.0, 0.0]);
        let (rows, data) = samples.in_rows().unwrap();
        assert_eq!((rows, &data[2..4], &data[8..]), (6, &[0.0, 10.0][..], &[5.0, 20.0, 0.0, 0.0][..]));

        let held = Samples { columns: 1, data: vec![1.0, 2.0], spikes: vec![(0, 0, 0.5), (3, 0, 0.5)] };
        assert_eq!((0..5).map(|step| held.at(step, 0)).collect::<Vec<_>>(), [1.5, 2.0, 2.0, 2.5, 2.0]);
        assert_eq!(&*held.in_rows().unwrap().1, &[1.5, 2.0, 2.0, 2.5, 2.0]);
        assert!(Samples { columns: 2, data: vec![], spikes: vec![(1 << 40, 0, 1.0)] }.in_rows().is_err());
    }
}
