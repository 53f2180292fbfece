//! Rows that stay on the device, and what is asked of them.

use std::f64::consts::PI;
use std::ops::Range;

use super::{Clock, Driver, Launcher, decode, encode, size};
use crate::artifact::{
    DeviceError, Feeds, Frame, KeptRows, Levels, Peak, Rise, Rises, Rows, Totals, hann_window, transform_length,
};
use crate::code::Spectra;
use crate::program::Precision;

/// Complex numbers that are transformed at a time, of as many columns as fit: 16 MB, which the cache of a large processor holds
/// over all passes (GA100 has 40 MB of it, NVIDIA A100 white paper, table 4).
const NUMBERS: usize = 1 << 20;

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
        let numbers = rows.saturating_mul(columns);
        let bytes = numbers.saturating_mul(size(self.artifact.precision));
        let (address, room) = match self.kept.take() {
            Some(kept) if kept.room >= numbers => (kept.address, kept.room),
            _ => (self.driver.allocate(bytes)?, numbers),
        };
        if spectra {
            // Now, so that who asks can do without.
            self.totals_room(8 * Spectrum::new(rows, columns).words)?;
        }
        self.kept = Some(Kept { address, room, columns, capacity: rows, filled: 0 });
        Ok(())
    }

    /// Where kept rows begin, and the number of their columns, if they are there.
    fn among(&self, rows: &Range<usize>) -> Result<(u64, usize), DeviceError> {
        match &self.kept {
            Some(kept) if rows.start < rows.end && rows.end <= kept.filled => {
                let bytes = rows.start * kept.columns * size(self.artifact.precision);
                Ok((kept.address + bytes as u64, kept.columns))
            }
            _ => Err(DeviceError(format!("rows {} to {} are not kept", rows.start, rows.end))),
        }
    }

    /// Launches entries that measure rows from an address on, each with what it is told as `first` and `count`.
    fn launch_on_rows(&mut self, address: u64, launches: &[(u32, usize, usize)]) -> Result<(), DeviceError> {
        let recorded = self.rows.replace((address, 0));
        let mut launches = launches.iter();
        let launched = launches
            .try_for_each(|(entry, first, count)| self.launch(*entry, Clock::new((*first as u64, *count as u64), 0.0)));
        self.rows = recorded;
        launched
    }

    /// Launches an entry that measures rows; `told` is what it is told and what it finds.
    fn measure(&mut self, entry: u32, rows: &Range<usize>, told: &mut [u8]) -> Result<(), DeviceError> {
        let (address, columns) = self.among(rows)?;
        let found = self.totals_room(told.len())?;
        self.driver.upload(found, told)?;
        self.launch_on_rows(address, &[(entry, rows.len(), columns)])?;
        self.driver.download(found, told)
    }

    fn entries(&self) -> Result<crate::code::Measures, DeviceError> {
        self.artifact.measures.ok_or_else(|| DeviceError("there is no code to measure rows with".to_string()))
    }
}

/// How the memory of a transform is laid out, in words of 64 bits: what the entries are told, the window, means, scales, angles,
/// bins, powers, and the numbers.
struct Spectrum {
    rows: usize,
    columns: usize,
    /// Columns that are transformed at a time.
    width: usize,
    /// Half the length of a transform.
    half: usize,
    /// All of it.
    words: usize,
}

impl Spectrum {
    fn new(rows: usize, columns: usize) -> Spectrum {
        let half = transform_length(rows) / 2;
        let width = (NUMBERS / (2 * half)).clamp(1, columns.max(1));
        let words = Spectra::TOLD + rows + 2 * columns + 2 * half + 4 * columns + 4 * half * width;
        Spectrum { rows, columns, width, half, words }
    }

    /// What the entries are told for columns from `base` on.
    fn told(&self, room: u64, base: usize) -> [u64; Spectra::TOLD] {
        let mut told = [0; Spectra::TOLD];
        for (word, number) in [
            (Spectra::ROWS, self.rows),
            (Spectra::COLUMNS, self.columns),
            (Spectra::BASE, base),
            (Spectra::WIDTH, self.width),
            (Spectra::HALF, self.half),
            (Spectra::SHIFT, 31 - self.half.trailing_zeros() as usize),
        ] {
            told[word] = number as u64;
        }
        let mut next = room + 8 * Spectra::TOLD as u64;
        for (word, length) in [
            (Spectra::WINDOW, self.rows),
            (Spectra::MEANS, self.columns),
            (Spectra::SCALES, self.columns),
            (Spectra::TURNS, 2 * self.half),
            (Spectra::BINS, self.columns),
            (Spectra::POWERS, 3 * self.columns),
            (Spectra::SIGNAL, 0),
        ] {
            told[word] = next;
            next += 8 * length as u64;
        }
        told
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

    fn peaks(&mut self, rows: Range<usize>, frames: &[Frame]) -> Result<Vec<Peak>, DeviceError> {
        let (address, n) = self.among(&rows)?;
        let (Spectra { taper, join, peak }, layout) = (self.entries()?.spectra, Spectrum::new(rows.len(), n));
        let room = self.totals_room(8 * layout.words)?;
        let angle = |k: usize| (-PI * k as f64 / layout.half as f64).sin_cos();
        let turns = (0..layout.half).map(angle).flat_map(|(sin, cos)| [sin, cos]);
        let given = hann_window(rows.len()).chain(frames.iter().map(|f| f.mean)).chain(frames.iter().map(|f| f.scale));
        let given: Vec<f64> = given.chain(turns).collect();
        self.driver.upload(room + 8 * Spectra::TOLD as u64, &encode(&given, Precision::F64))?;
        for base in (0..n).step_by(layout.width) {
            let told = layout.told(room, base);
            self.driver.upload(room, &told.map(u64::to_le_bytes).concat())?;
            let (numbers, passes) = (2 * layout.half * layout.width, layout.half.trailing_zeros() + 1);
            let mut launches = vec![(taper, 0, numbers)];
            launches.extend((0..passes).map(|pass| (join, 1 << pass, numbers / 2)));
            launches.push((peak, 0, layout.width.min(n - base)));
            self.launch_on_rows(address, &launches)?;
        }
        let mut bytes = vec![0; 8 * 4 * n];
        self.driver.download(layout.told(room, 0)[Spectra::BINS], &mut bytes)?;
        // As many words as were asked for.
        let word = |at: usize| u64::from_le_bytes(bytes[8 * at..8 * at + 8].try_into().expect("eight bytes"));
        let of = |column: usize| Peak {
            bin: word(column) as usize,
            power: [1, 2, 3].map(|k| f64::from_bits(word(k * n + column))),
        };
        Ok((0..n).map(of).collect())
    }
}
