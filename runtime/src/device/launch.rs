//! Running an [`Artifact`] by launching its entries: what all devices with code, memory and a queue of launches have in
//! common. What differs between them is a [`Driver`].

mod kept;
mod lists;
mod numbers;
mod rows;

use std::sync::Arc;

use crate::artifact::{
    DeviceError, EventBuffer, Executable, Explanation, Feeds, KeptRows, Phase, Rows, Samples, Spike, Totals,
    reduce_by_row,
};
use crate::code::{Artifact, Binding, Data, Entry};
use crate::device::blas::Call;
use crate::program::Precision;
use kept::Kept;
use lists::Lists;
use numbers::{decode, encode, size};
use rows::Plan;

pub use lists::{Launch, List};

/// Memory and launches of a device. Addresses are of 64 bits; launches run in the order they are made.
pub trait Driver: Send {
    /// Name of the device.
    fn device(&self) -> &str;

    /// Memory of so many bytes, all of them 0, aligned to 256 bytes; it lives as long as the driver.
    ///
    /// Fails when there is not enough: the message says how much was asked and how much is free.
    fn allocate(&mut self, bytes: usize) -> Result<u64, DeviceError>;

    /// Copies bytes to the device.
    fn upload(&mut self, address: u64, bytes: &[u8]) -> Result<(), DeviceError>;

    /// Copies bytes from the device, after all launches made so far.
    fn download(&self, address: u64, bytes: &mut [u8]) -> Result<(), DeviceError>;

    /// Launches entry `index` of the artifact in so many groups.
    fn launch(&mut self, index: usize, entry: &Entry, groups: u32, arguments: &[u64]) -> Result<(), DeviceError>;

    /// Computes a product by a library, where there is one, in place of a launch: addresses of the matrix, the vectors and
    /// the results.
    fn multiply(&mut self, _call: &Call, _: Precision, _addresses: [u64; 3]) -> Option<Result<(), DeviceError>> {
        None
    }

    /// Makes the launches of a list, which is asked for again and again as it is: a driver that can puts them together at the
    /// first time, under the list's number.
    fn repeat(&mut self, entries: &[Entry], list: &List) -> Result<(), DeviceError> {
        list.make(self, entries)
    }

    /// A list that will not be asked for any more.
    fn forget(&mut self, _number: u64) {}

    /// What a list is put together as, or how its launches are made instead, for `--explain`.
    fn repeats(&self) -> Result<&'static str, &'static str> {
        Err("one by one")
    }
}

/// An artifact on a device.
pub struct Launcher<D> {
    artifact: Artifact,
    engine: String,
    driver: D,
    /// Address of each buffer.
    buffers: Vec<u64>,
    /// Address of each constant.
    constants: Vec<u64>,
    /// The samples of each series that are on the device: address, room in bytes, which.
    series: Vec<Option<(u64, usize, Arc<Samples>)>>,
    /// What is recorded: addresses on the device, of which numbers.
    places: Option<(u64, Vec<(usize, usize)>)>,
    /// Recorded rows: address, room in bytes.
    rows: Option<(u64, usize)>,
    /// What [`Binding::Plan`] says.
    plan: Option<Plan>,
    /// The ring of marks.
    marks: u64,
    /// Launches that are made again and again.
    lists: Lists,
    /// Sums and extremes: address, room in bytes.
    totals: Option<(u64, usize)>,
    /// Rows that stay on the device.
    kept: Option<Kept>,
    seed: u64,
}

/// What arguments say beside bindings.
#[derive(Clone, Copy)]
struct Clock {
    first: u64,
    count: u64,
    dt: f64,
    /// Bytes of the recorded rows before those of the launch.
    recorded: u64,
}

impl Clock {
    fn new((first, count): (u64, u64), dt: f64) -> Clock {
        Clock { first, count, dt, recorded: 0 }
    }
}

/// Buffers begin at multiples of this.
const ALIGN: usize = 256;

/// Values of recorded rows that are fetched together. A copy from a device takes some ten microseconds whatever it brings, and a
/// microsecond for ten thousand numbers (PCI Express 4.0, 16 lanes: 32 GB/s).
const VALUES_TOGETHER: u64 = 1 << 18;

/// Most steps of one launch, so that a driver that watches over launches does not end it.
const LAUNCH_STEPS: u64 = 4096;

impl<D: Driver> Launcher<D> {
    /// Loads an artifact: memory for buffers and constants, and their contents.
    pub fn new(artifact: Artifact, engine: &str, mut driver: D) -> Result<Launcher<D>, DeviceError> {
        let size = size(artifact.precision);
        let room = |bytes: usize| bytes.max(1).next_multiple_of(ALIGN);
        let buffers: Vec<usize> = artifact.layout.buffers.iter().map(|b| room(b.len * b.slots * size)).collect();
        let constants: Vec<usize> = artifact
            .constants
            .iter()
            .map(|c| match &c.data {
                Data::Integers(data) => room(data.len() * 4),
                Data::Numbers(data) => room(data.len() * size),
            })
            .collect();
        let marks = room(artifact.marks.as_ref().map_or(0, |m| m.rows * m.words * 4));
        let clock = room(16);
        let total = buffers
            .iter()
            .chain(&constants)
            .chain([&marks, &clock])
            .try_fold(0usize, |sum, bytes| sum.checked_add(*bytes));
        let total = total.ok_or_else(|| DeviceError("the model needs more memory than there are addresses".into()))?;
        let mut next = driver.allocate(total.max(ALIGN))?;
        let mut place = |bytes: &usize| {
            let address = next;
            next += *bytes as u64;
            address
        };
        let mut launcher = Launcher {
            engine: engine.to_string(),
            buffers: buffers.iter().map(&mut place).collect(),
            constants: constants.iter().map(&mut place).collect(),
            marks: place(&marks),
            lists: Lists::new(place(&clock)),
            series: Vec::new(),
            places: None,
            rows: None,
            plan: None,
            totals: None,
            kept: None,
            seed: 0,
            artifact,
            driver,
        };
        launcher.fill()?;
        Ok(launcher)
    }

    /// The artifact.
    pub fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// Uploads constants and initial values.
    fn fill(&mut self) -> Result<(), DeviceError> {
        for (constant, address) in self.artifact.constants.iter().zip(&self.constants) {
            let bytes: Vec<u8> = match &constant.data {
                Data::Integers(data) => data.iter().flat_map(|i| i.to_le_bytes()).collect(),
                Data::Numbers(data) => encode(data, self.artifact.precision),
            };
            self.driver.upload(*address, &bytes)?;
        }
        for (buffer, values) in std::mem::take(&mut self.artifact.initial) {
            let count = self.artifact.layout.buffers[buffer as usize].len;
            match values[..] {
                [value] => self.write(buffer as usize, 0, &vec![value; count])?,
                _ => self.write(buffer as usize, 0, &values)?,
            }
        }
        Ok(())
    }

    /// Launches an entry by itself.
    fn launch(&mut self, index: u32, clock: Clock) -> Result<(), DeviceError> {
        let [step, row] = self.shown()?;
        let counts = self.artifact.entries[index as usize].bindings.contains(&Binding::Clock);
        let from = if !counts {
            0
        } else if self.artifact.record == Some(index) {
            row
        } else {
            step
        };
        // The device adds what its clock shows, in 64 bits that wrap too.
        let first = clock.first.wrapping_sub(from);
        let told = self.told(index, Clock { first, ..clock })?;
        told.map_or(Ok(()), |launch| lists::make_one(&mut self.driver, &self.artifact.entries, &launch))
    }

    /// What a device is told to launch an entry, unless it has nothing to do. `clock.first` counts from the device's clock.
    fn told(&self, index: u32, clock: Clock) -> Result<Option<Launch>, DeviceError> {
        let entry = &self.artifact.entries[index as usize];
        let extent = if self.artifact.counted().contains(&index) { clock.count as usize } else { entry.extent };
        if extent == 0 {
            return Ok(None);
        }
        let product = entry.product.as_ref().map(|product| {
            let [source, target] = [product.source, product.target].map(|buffer| self.buffers[buffer as usize]);
            let addresses = [self.constants[product.matrix as usize], source, target];
            Call::new(product).map(|call| (call, self.artifact.precision, addresses))
        });
        let mut arguments = Vec::with_capacity(entry.bindings.len() + 4);
        for binding in &entry.bindings {
            arguments.push(match binding {
                Binding::Buffer { index, .. } => self.buffers[*index as usize],
                Binding::Constant(index) => self.constants[*index as usize],
                Binding::Series(series) => {
                    let held = self.series.get(*series as usize).and_then(Option::as_ref);
                    held.ok_or_else(|| DeviceError(format!("series {series} has no samples on the device")))?.0
                }
                Binding::Samples | Binding::Bank { .. } => {
                    return Err(DeviceError(format!("`{}` is given what this device does not have", entry.name)));
                }
                Binding::Addresses => self.places.as_ref().map_or(0, |p| p.0),
                Binding::Plan => self.plan.as_ref().map_or(0, |p| p.address),
                Binding::Rows => self.rows.map_or(0, |r| r.0) + clock.recorded,
                Binding::Marks => self.marks,
                Binding::Clock => self.lists.clock,
                Binding::Totals => self.totals.map_or(0, |t| t.0),
            });
        }
        arguments.extend([clock.first, clock.count, clock.dt.to_bits(), self.seed]);
        let groups = u32::try_from(extent.div_ceil(entry.group as usize))
            .map_err(|_| DeviceError(format!("`{}` has too many elements for one launch: {extent}", entry.name)))?;
        Ok(Some(Launch { entry: index as usize, groups, arguments, product: product.transpose()? }))
    }

    /// Puts samples on the device that are not there yet.
    fn supply(&mut self, feeds: &Feeds) -> Result<(), DeviceError> {
        self.seed = feeds.seed;
        self.series.resize(feeds.series.len(), None);
        for (held, samples) in self.series.iter_mut().zip(&feeds.series) {
            if held.as_ref().is_some_and(|(_, _, known)| Arc::ptr_eq(known, samples)) {
                continue;
            }
            let (rows, data) = samples.in_rows()?;
            let mut bytes: Vec<u8> =
                [rows as u64, samples.columns as u64].into_iter().flat_map(u64::to_le_bytes).collect();
            bytes.extend(encode(&data, self.artifact.precision));
            let (address, room) = match held {
                Some((address, room, _)) if *room >= bytes.len() => (*address, *room),
                _ => (self.driver.allocate(bytes.len())?, bytes.len()),
            };
            self.driver.upload(address, &bytes)?;
            *held = Some((address, room, samples.clone()));
        }
        Ok(())
    }

    /// Fills the buffers of inputs and random numbers.
    fn feed(&mut self, step: u64, feeds: &Feeds) -> Result<(), DeviceError> {
        let clock = Clock::new((step, 1), 0.0);
        let entries = self.artifact.feed.clone();
        if entries.is_empty() {
            return feeds.apply(step, |buffer, values| self.write(buffer, 0, values));
        }
        entries.into_iter().try_for_each(|entry| self.launch(entry, clock))
    }

    /// Whether the host fills the buffers of inputs and random numbers, step by step.
    fn fed_by_host(&self) -> bool {
        let layout = &self.artifact.layout;
        self.artifact.feed.is_empty() && !(layout.feeds.is_empty() && layout.randoms.is_empty())
    }

    /// Runs steps behind each row, of which an entry takes what is observed; it counts rows from `row` on.
    fn turns(&mut self, entry: u32, (rows, row): (&Rows<'_>, u64), dt: f64, feeds: &Feeds) -> Result<(), DeviceError> {
        self.supply(feeds)?;
        if !self.fed_by_host() {
            return self.rows_by_lists(Some(entry), (rows.first, rows.every, rows.count), row, dt);
        }
        (0..rows.count).try_for_each(|n| {
            let step = rows.first + n * rows.every;
            self.feed(step, feeds)?;
            self.run(Phase::Observe, step, dt)?;
            self.launch(entry, Clock::new((row + n, rows.places.len() as u64), dt))?;
            self.advance(step, rows.every, dt, feeds)
        })
    }

    /// Tells the device what is recorded, and makes room for so many rows.
    fn set_places(&mut self, places: &[(usize, usize)], rows: usize) -> Result<(), DeviceError> {
        let size = size(self.artifact.precision);
        if self.places.as_ref().is_none_or(|(_, known)| known != places) {
            let address = |(buffer, element): &(usize, usize)| self.buffers[*buffer] + (element * size) as u64;
            let bytes: Vec<u8> = places.iter().flat_map(|place| address(place).to_le_bytes()).collect();
            let address = match &self.places {
                Some((address, known)) if known.len() >= places.len() => *address,
                _ => self.driver.allocate(bytes.len())?,
            };
            self.driver.upload(address, &bytes)?;
            self.places = Some((address, places.to_vec()));
        }
        self.make_room(rows * places.len() * size)
    }

    /// Makes room for so many bytes of recorded rows.
    fn make_room(&mut self, bytes: usize) -> Result<(), DeviceError> {
        if bytes > 0 && self.rows.is_none_or(|(_, room)| room < bytes) {
            self.rows = Some((self.driver.allocate(bytes)?, bytes));
        }
        Ok(())
    }

    /// Appends numbers at an address to `out`.
    fn fetch(&self, address: u64, count: usize, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        let mut bytes = vec![0u8; count * size(self.artifact.precision)];
        self.driver.download(address, &mut bytes)?;
        decode(&bytes, self.artifact.precision, out);
        Ok(())
    }

    /// Where sums and extremes go.
    fn totals_room(&mut self, bytes: usize) -> Result<u64, DeviceError> {
        let (address, room) = match self.totals {
            Some((address, room)) if room >= bytes => (address, room),
            _ => (self.driver.allocate(bytes)?, bytes),
        };
        self.totals = Some((address, room));
        Ok(address)
    }

    fn no_buffer(&self, buffer: usize) -> DeviceError {
        DeviceError(format!("there is no buffer {buffer}"))
    }
}

impl<D: Driver> Executable for Launcher<D> {
    fn engine(&self) -> &str {
        &self.engine
    }

    fn device(&self) -> &str {
        self.driver.device()
    }

    fn explain(&self) -> Vec<Explanation> {
        let mut explanations = self.artifact.explanations.clone();
        if self.artifact.steps.is_none() {
            let how = match self.driver.repeats() {
                Ok(list) => format!("up to {} steps in {list}", self.steps_of_a_list()),
                Err(how) => how.to_string(),
            };
            let kernels = self.artifact.feed.len() + self.artifact.phases[Phase::Step as usize].len();
            explanations.iter_mut().for_each(|e| e.reason += &format!("; {kernels} launches a step, {how}"));
        }
        explanations
    }

    fn write(&mut self, buffer: usize, first: usize, values: &[f64]) -> Result<(), DeviceError> {
        let known = self.artifact.layout.buffers.get(buffer).ok_or_else(|| self.no_buffer(buffer))?;
        if first + values.len() > known.len * known.slots {
            return Err(DeviceError(format!("{} values do not fit buffer {buffer} from {first} on", values.len())));
        }
        let address = self.buffers[buffer] + (first * size(self.artifact.precision)) as u64;
        self.driver.upload(address, &encode(values, self.artifact.precision))
    }

    fn read(&self, buffer: usize, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        let known = self.artifact.layout.buffers.get(buffer).ok_or_else(|| self.no_buffer(buffer))?;
        out.clear();
        self.fetch(self.buffers[buffer], known.len * known.slots, out)
    }

    fn run(&mut self, phase: Phase, step: u64, dt: f64) -> Result<(), DeviceError> {
        let clock = Clock::new((step, 1), dt);
        let entries = self.artifact.phases[phase as usize].clone();
        entries.into_iter().try_for_each(|entry| self.launch(entry, clock))
    }

    fn advance(&mut self, first: u64, count: u64, dt: f64, feeds: &Feeds) -> Result<(), DeviceError> {
        self.supply(feeds)?;
        if self.artifact.steps.is_some() || !self.fed_by_host() {
            return self.steps_by_lists(first, count, dt);
        }
        (first..first + count).try_for_each(|step| {
            self.feed(step, feeds)?;
            self.run(Phase::Step, step, dt)
        })
    }

    fn watch(&mut self) -> Result<Option<u64>, DeviceError> {
        let Some(marks) = &self.artifact.marks else { return Ok(None) };
        let (rows, bytes) = (marks.rows as u64, vec![0; marks.rows * marks.words * 4]);
        self.driver.upload(self.marks, &bytes)?;
        Ok(Some(rows))
    }

    fn watched(&mut self, steps: (u64, u64), events: &[EventBuffer], out: &mut Vec<Spike>) -> Result<(), DeviceError> {
        let Some(marks) = &self.artifact.marks else {
            return Err(DeviceError(format!("`{}` notes no events", self.engine)));
        };
        let mut bytes = vec![0u8; marks.rows * marks.words * 4];
        self.driver.download(self.marks, &mut bytes)?;
        let ring: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
        marks.spikes(&ring, steps, events, out);
        Ok(())
    }

    fn values_together(&self) -> u64 {
        VALUES_TOGETHER
    }

    fn reduces(&self) -> bool {
        self.artifact.reduce.is_some()
    }

    fn reduce(&mut self, rows: &Rows<'_>, dt: f64, feeds: &Feeds, totals: &mut Totals) -> Result<(), DeviceError> {
        let columns = rows.places.len();
        let Some(reduce) = self.artifact.reduce else { return reduce_by_row(self, rows, dt, feeds, totals) };
        self.set_places(rows.places, 0)?;
        let mut bytes = encode(&[&totals.sums[..], &totals.lowest, &totals.highest].concat(), Precision::F64);
        let address = self.totals_room(bytes.len())?;
        self.driver.upload(address, &bytes)?;
        self.turns(reduce, (rows, 0), dt, feeds)?;
        self.driver.download(address, &mut bytes)?;
        let mut all = Vec::with_capacity(3 * columns);
        decode(&bytes, Precision::F64, &mut all);
        totals.sums.copy_from_slice(&all[..columns]);
        totals.lowest.copy_from_slice(&all[columns..2 * columns]);
        totals.highest.copy_from_slice(&all[2 * columns..]);
        totals.rows += rows.count;
        Ok(())
    }

    fn keep(&mut self, places: &[(usize, usize)], rows: usize, spectra: bool) -> Result<(), DeviceError> {
        self.keep_rows(places.len(), rows, spectra)
    }

    fn kept(&mut self) -> Option<&mut dyn KeptRows> {
        if self.kept.is_some() { Some(self) } else { None }
    }

    fn record(&mut self, rows: &Rows<'_>, dt: f64, feeds: &Feeds, out: &mut Vec<f64>) -> Result<(), DeviceError> {
        if rows.places.is_empty() {
            return self.advance(rows.first, rows.count * rows.every, dt, feeds);
        }
        if let Some(recorder) = self.recorder(rows.every) {
            let count = rows.count as usize * rows.places.len();
            self.make_room(count * size(self.artifact.precision))?;
            self.fill_rows(recorder, (rows, dt), feeds)?;
            let address = self.rows.expect("room was made").0;
            return self.fetch(address, count, out);
        }
        let Some(record) = self.artifact.record else {
            for row in 0..rows.count {
                let step = rows.first + row * rows.every;
                self.supply(feeds)?;
                self.feed(step, feeds)?;
                self.run(Phase::Observe, step, dt)?;
                self.gather(rows.places, out)?;
                self.advance(step, rows.every, dt, feeds)?;
            }
            return Ok(());
        };
        self.set_places(rows.places, rows.count as usize)?;
        self.turns(record, (rows, 0), dt, feeds)?;
        let address = self.rows.expect("`set_places` has made room").0;
        self.fetch(address, rows.count as usize * rows.places.len(), out)
    }
}
