//! Rows that stay on the device, and what is asked of them.

use std::ops::Range;

use super::{Clock, Driver, Launcher, decode, encode, size};
use crate::artifact::{DeviceError, Feeds, Frame, KeptRows, Levels, Peak, Rise, Rises, Rows, Totals};
use crate::program::Precision;

/// Kept rows.
pub struct Kept {
    address: u64,
    /// Numbers that fit.
    room: usize,
    columns: usize,
    /// Rows that fit, and those that are there.
    capacity: usize,
    filled: usize,
}

impl<D: Driver> Launcher<D> {
    /// Makes room for rows to stay.
    pub(super) fn keep_rows(&mut self, columns: usize, rows: usize, spectra: bool) -> Result<(), DeviceError> {
        let name = self.driver.device();
        if self.artifact.measures.is_none() || self.artifact.record.is_none() {
            return Err(DeviceError(format!("`{name}` has no code to measure rows with")));
        }
        if spectra {
            return Err(DeviceError(format!("`{name}` finds no spectra")));
        }
        let numbers = rows.saturating_mul(columns);
        let bytes = numbers.saturating_mul(size(self.artifact.precision));
        let (address, room) = match self.kept.take() {
            Some(kept) if kept.room >= numbers => (kept.address, kept.room),
            _ => (self.driver.allocate(bytes)?, numbers),
        };
        self.kept = Some(Kept { address, room, columns, capacity: rows, filled: 0 });
        Ok(())
    }

    /// Launches an entry that measures rows; `told` is what it is told and what it finds.
    fn measure(&mut self, entry: u32, rows: &Range<usize>, told: &mut [u8]) -> Result<(), DeviceError> {
        let (address, columns) = match &self.kept {
            Some(kept) if rows.start < rows.end && rows.end <= kept.filled => {
                let bytes = rows.start * kept.columns * size(self.artifact.precision);
                (kept.address + bytes as u64, kept.columns)
            }
            _ => return Err(DeviceError(format!("rows {} to {} are not kept", rows.start, rows.end))),
        };
        let found = self.totals_room(told.len())?;
        self.driver.upload(found, told)?;
        let recorded = self.rows.replace((address, 0));
        let launched = self.launch(entry, Clock::new((rows.len() as u64, columns as u64), 0.0));
        self.rows = recorded;
        launched?;
        self.driver.download(found, told)
    }

    fn entries(&self) -> Result<crate::code::Measures, DeviceError> {
        self.artifact.measures.ok_or_else(|| DeviceError("there is no code to measure rows with".to_string()))
    }
}

impl<D: Driver> KeptRows for Launcher<D> {
    fn rows(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| kept.filled)
    }

    fn record(&mut self, rows: &Rows<'_>, dt: f64, feeds: &Feeds) -> Result<(), DeviceError> {
        let size = size(self.artifact.precision);
        let (address, filled, columns, room) = self
            .kept
            .as_ref()
            .map_or((0, 0, 0, 0), |kept| (kept.address, kept.filled, kept.columns, kept.capacity - kept.filled));
        let (Some(record), true) = (self.artifact.record, rows.count as usize <= room) else {
            return Err(DeviceError(format!("there is room for {room} more rows")));
        };
        let recorder = self.recorder(rows.every);
        // Where rows go by launches that can be made again, the launch knows of the rows before.
        let behind = recorder.map_or(0, |_| filled * columns * size);
        let recorded = self.rows.replace((address + behind as u64, 0));
        let done = match recorder {
            Some(recorder) => self.fill_rows(recorder, (rows, dt), feeds),
            None => self.set_places(rows.places, 0).and_then(|()| self.turns(record, (rows, filled as u64), dt, feeds)),
        };
        self.rows = recorded;
        done?;
        if let Some(kept) = &mut self.kept {
            kept.filled += rows.count as usize;
        }
        Ok(())
    }

    fn totals(&mut self, rows: Range<usize>) -> Result<Totals, DeviceError> {
        let (entries, n) = (self.entries()?, self.kept.as_ref().map_or(0, |kept| kept.columns));
        let mut told = vec![0; 3 * 8 * n];
        self.measure(entries.totals, &rows, &mut told)?;
        let mut found = Vec::with_capacity(3 * n);
        decode(&told, Precision::F64, &mut found);
        let (lowest, highest) = (found[n..2 * n].to_vec(), found[2 * n..].to_vec());
        Ok(Totals { rows: rows.len() as u64, sums: found[..n].to_vec(), lowest, highest })
    }

    fn rises(&mut self, rows: Range<usize>, levels: &[Levels]) -> Result<Vec<Rises>, DeviceError> {
        let (entries, n) = (self.entries()?, levels.len());
        let (low, middle): (Vec<f64>, Vec<f64>) = levels.iter().map(|l| (l.low, l.middle)).unzip();
        let mut told = encode(&[low, middle].concat(), Precision::F64);
        told.resize(9 * 8 * n, 0);
        self.measure(entries.rises, &rows, &mut told)?;
        let word = |k: usize, column: usize| {
            let at = 8 * (k * n + column);
            // Nine words of eight bytes for each column.
            u64::from_le_bytes(told[at..at + 8].try_into().expect("eight bytes"))
        };
        let rise = |column: usize, [row, before, after]: [usize; 3]| Rise {
            row: word(row, column) as usize,
            before: f64::from_bits(word(before, column)),
            after: f64::from_bits(word(after, column)),
        };
        let of = |column: usize| match word(2, column) {
            0 => Rises::default(),
            count => {
                let (first, last) = (rise(column, [3, 5, 6]), rise(column, [4, 7, 8]));
                Rises { count, first: Some(first), last: Some(last) }
            }
        };
        Ok((0..n).map(of).collect())
    }

    fn peaks(&mut self, _: Range<usize>, _: &[Frame]) -> Result<Vec<Peak>, DeviceError> {
        Err(DeviceError(format!("`{}` finds no spectra", self.driver.device())))
    }
}
