//! Rows that stay on the device, and what is asked of them.

use std::f64::consts::TAU;
use std::ops::Range;

use super::executable::{Action, Loaded};
use super::measures::{Measures, Shape};
use super::memory::allocate;
use super::rows::Rows;
use super::uniform::size;
use crate::artifact::{
    self, DeviceError, Feeds, Frame, KeptRows, Levels, Peak, Rise, Rises, Totals, hann_window, transform_length,
};
use crate::program::Precision;

/// Bytes of one of the two buffers of a transform, which takes as many columns at a time as fit.
const TRANSFORM_BYTES: usize = 64 << 20;

/// Kept rows.
pub struct Kept {
    pub rows: Rows,
    filled: usize,
    measures: Measures,
}

/// The first number of the format that is not less: what is less than it is what is less than the level.
fn level(value: f64, precision: Precision) -> f64 {
    if precision == Precision::F64 {
        return value.min(f64::MAX);
    }
    let near = value as f32;
    let up = if f64::from(near) < value { near.next_up() } else { near };
    f64::from(up.min(f32::MAX))
}

impl Loaded {
    /// Makes room for rows to stay.
    pub(super) fn keep_rows(
        &mut self,
        places: &[(usize, usize)],
        rows: usize,
        spectra: bool,
    ) -> Result<(), DeviceError> {
        let (precision, most) = (self.artifact.precision, self.wgpu.limits().binding_bytes as usize);
        let refused = |what: String, bytes: usize| {
            let name = self.wgpu.name();
            Err(DeviceError(format!("{what} take {bytes} bytes in one piece, `{name}` has at most {most}")))
        };
        let bytes = rows.saturating_mul(places.len()).saturating_mul(size(precision));
        if bytes > most {
            return refused(format!("{rows} rows of {} numbers", places.len()), bytes);
        }
        // The transform of a column takes pairs of numbers, of up to four times as many rows.
        let bytes = rows.saturating_mul(8).saturating_mul(size(precision));
        if spectra && bytes > most {
            return refused(format!("spectra of {rows} rows"), bytes);
        }
        self.kept = None;
        let capacity = Some(rows.max(1));
        let rows = Rows::new(&self.wgpu, &self.artifact, &self.memory, &self.shared.uniforms, places, capacity)?;
        let measures = Measures::new(&self.wgpu, precision)?;
        self.kept = Some(Kept { rows, filled: 0, measures });
        Ok(())
    }

    /// The kept rows and the number of their columns, if `rows` are among them.
    fn among(&self, rows: &Range<usize>) -> Result<(&Kept, usize), DeviceError> {
        match &self.kept {
            Some(kept) if rows.start < rows.end && rows.end <= kept.filled => Ok((kept, kept.rows.places.len())),
            _ => Err(DeviceError(format!("rows {} to {} are not kept", rows.start, rows.end))),
        }
    }
}

impl KeptRows for Loaded {
    fn rows(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| kept.filled)
    }

    fn record(&mut self, rows: &artifact::Rows<'_>, dt: f64, feeds: &Feeds) -> Result<(), DeviceError> {
        let (first, room) = self.kept.as_ref().map_or((0, 0), |kept| (kept.filled, kept.rows.capacity));
        if first + rows.count as usize > room {
            return Err(DeviceError(format!("there is room for {room} rows, and no more")));
        }
        let banks = self.memory.banks.len() as u64;
        self.run_rows(rows, dt, feeds, banks, &|loaded, submission, row| {
            if let Some(kept) = &loaded.kept {
                let blocks = kept.rows.blocks(first + row as usize, &loaded.artifact, &mut submission.blocks);
                submission.actions.push(Action::Keep(blocks));
            }
        })?;
        if let Some(kept) = &mut self.kept {
            kept.filled += rows.count as usize;
        }
        Ok(())
    }

    fn totals(&mut self, rows: Range<usize>) -> Result<Totals, DeviceError> {
        let (Kept { rows: held, measures, .. }, n) = self.among(&rows)?;
        let found = measures.room(&self.wgpu, 4 * n)?;
        let entry = measures.entry(&self.wgpu, "totals", n, &[(1, &held.buffer), (3, &found)]);
        measures.launch(&self.wgpu, &[(&entry, shape(&rows, n))])?;
        let all = measures.read(&self.wgpu, &found, 4 * n)?;
        let sums = (0..n).map(|column| all[column] + all[n + column]).collect();
        let (lowest, highest) = (all[2 * n..3 * n].to_vec(), all[3 * n..].to_vec());
        Ok(Totals { rows: rows.len() as u64, sums, lowest, highest })
    }

    fn rises(&mut self, rows: Range<usize>, levels: &[Levels]) -> Result<Vec<Rises>, DeviceError> {
        let (Kept { rows: held, measures, .. }, n) = self.among(&rows)?;
        let (wgpu, precision) = (&self.wgpu, self.artifact.precision);
        let (low, middle) = (levels.iter().map(|l| l.low), levels.iter().map(|l| l.middle));
        let given = measures.given(wgpu, low.chain(middle).map(|value| level(value, precision)))?;
        let (found, counts) = (measures.room(wgpu, 4 * n)?, allocate(wgpu, "counts", 12 * n as u64)?);
        let buffers = [(1, &held.buffer), (2, &given), (3, &found), (4, &counts)];
        let entry = measures.entry(wgpu, "rises", n, &buffers);
        measures.launch(wgpu, &[(&entry, shape(&rows, n))])?;
        let (values, counts) = (measures.read(wgpu, &found, 4 * n)?, measures.read_counts(wgpu, &counts, 3 * n)?);
        let rise = |which: usize, column: usize| Rise {
            row: counts[(1 + which) * n + column],
            before: values[2 * which * n + column],
            after: values[(2 * which + 1) * n + column],
        };
        let of = |column: usize| match counts[column] {
            0 => Rises::default(),
            count => Rises { count: count as u64, first: Some(rise(0, column)), last: Some(rise(1, column)) },
        };
        Ok((0..n).map(of).collect())
    }

    fn peaks(&mut self, rows: Range<usize>, frames: &[Frame]) -> Result<Vec<Peak>, DeviceError> {
        let (Kept { rows: held, measures, .. }, n) = self.among(&rows)?;
        let (wgpu, number) = (&self.wgpu, size(self.artifact.precision));
        let length = transform_length(rows.len());
        let width = (TRANSFORM_BYTES / (2 * number * length)).clamp(1, n);
        let upper = |mean: f64| if number == 4 { f64::from(mean as f32) } else { mean };
        let means = frames.iter().map(|f| upper(f.mean)).chain(frames.iter().map(|f| f.mean - upper(f.mean)));
        let given = hann_window(rows.len()).chain(means).chain(frames.iter().map(|f| f.scale));
        let given = measures.given(wgpu, given)?;
        let angle = |k: usize| -TAU * k as f64 / length as f64;
        let turns = measures.given(wgpu, (0..length / 2).flat_map(|k| [angle(k).cos(), angle(k).sin()]))?;
        let (one, other) = (measures.room(wgpu, 2 * length * width)?, measures.room(wgpu, 2 * length * width)?);
        let (found, counts) = (measures.room(wgpu, 3 * n)?, allocate(wgpu, "counts", 4 * n as u64)?);
        let pairs = length / 2 * width;
        let fill = measures.entry(wgpu, "fill", length * width, &[(1, &held.buffer), (2, &given), (6, &one)]);
        let there = measures.entry(wgpu, "pass_on", pairs, &[(5, &turns), (6, &one), (7, &other)]);
        let back = measures.entry(wgpu, "pass_on", pairs, &[(5, &turns), (6, &other), (7, &one)]);
        let passes = length.trailing_zeros() as usize;
        let last = if passes.is_multiple_of(2) { &one } else { &other };
        let peak = measures.entry(wgpu, "peak", width, &[(3, &found), (4, &counts), (6, last)]);
        for base in (0..n).step_by(width) {
            let own = Shape { base, width, length, ..shape(&rows, n) };
            let mut launches = vec![(&fill, own)];
            for pass in 0..passes {
                let entry = if pass.is_multiple_of(2) { &there } else { &back };
                launches.push((entry, Shape { stride: 1 << pass, ..own }));
            }
            launches.push((&peak, own));
            measures.launch(wgpu, &launches)?;
        }
        let (power, bins) = (measures.read(wgpu, &found, 3 * n)?, measures.read_counts(wgpu, &counts, n)?);
        let of = |column: usize| Peak { bin: bins[column], power: [0, 1, 2].map(|k| power[k * n + column]) };
        Ok((0..n).map(of).collect())
    }
}

fn shape(rows: &Range<usize>, columns: usize) -> Shape {
    Shape { first: rows.start, end: rows.end, columns, ..Shape::default() }
}
