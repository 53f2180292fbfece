//! Launches that are made again and again: those of a step, or of a row, are the same every time, as entries count steps
//! and rows from a clock on the device, which the last launch of a list moves on.

use super::{Clock, Driver, LAUNCH_STEPS, Launcher};
use crate::artifact::{DeviceError, Phase};
use crate::code::{Artifact, Entry};
use crate::device::blas::Call;
use crate::program::Precision;

/// A launch: what a driver is told.
#[derive(Clone, PartialEq, Debug)]
pub struct Launch {
    /// The entry.
    pub entry: usize,
    /// Number of groups.
    pub groups: u32,
    /// Addresses and numbers.
    pub arguments: Vec<u64>,
    /// The product it computes, if a library may do so in its place: what is asked of the library, and addresses of the matrix,
    /// the vectors and the results.
    pub product: Option<(Call, Precision, [u64; 3])>,
}

/// Launches that are made in order, each after the one before.
#[derive(Clone, PartialEq, Debug)]
pub struct List {
    /// Its number: no other list of a launcher has it.
    pub number: u64,
    /// The launches.
    pub launches: Vec<Launch>,
}

impl List {
    /// Makes the launches one by one.
    pub fn make<D: Driver + ?Sized>(&self, driver: &mut D, entries: &[Entry]) -> Result<(), DeviceError> {
        self.launches.iter().try_for_each(|launch| make_one(driver, entries, launch))
    }
}

/// Launches of a list. Handing over a list takes a device some ten microseconds, as many as a few launches: with this many it
/// does not count. Putting together a list takes about a microsecond for each launch.
const LAUNCHES: usize = 256;

/// Lists that are kept. A run has two for rows and two for the steps between them: whole ones, and what is left at the end.
const LISTS: usize = 8;

/// What a list does: for each of so many rows, an entry takes what is observed, if there is one, and so many steps follow.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    entry: Option<u32>,
    every: u64,
    rows: u64,
}

/// A list that was needed before.
struct Known {
    shape: Shape,
    /// What arguments say beside: addresses that may change, step size, seed.
    given: Vec<u64>,
    list: List,
    /// How often it was needed.
    needed: u64,
}

/// The lists of a launcher, and what the clock of its device shows.
pub(super) struct Lists {
    known: Vec<Known>,
    next: u64,
    /// Address of the clock.
    pub clock: u64,
    /// Step and row; nothing after a launch that failed.
    shown: Option<[u64; 2]>,
}

impl Lists {
    /// No lists, and a clock that shows 0.
    pub fn new(clock: u64) -> Lists {
        Lists { known: Vec::new(), next: 0, clock, shown: Some([0, 0]) }
    }
}

/// Launches that the steps of a row take.
fn launches(artifact: &Artifact, every: u64) -> u64 {
    match artifact.steps {
        Some(_) => every.div_ceil(LAUNCH_STEPS),
        None => every * (artifact.feed.len() + artifact.phases[Phase::Step as usize].len()) as u64,
    }
}

impl<D: Driver> Launcher<D> {
    /// Runs steps after each of so many rows, of which an entry takes what is observed: the first step, and the row where the entry
    /// begins to count. The series of what is fed are on the device.
    pub(super) fn rows_by_lists(
        &mut self,
        entry: Option<u32>,
        (first, every, count): (u64, u64, u64),
        row: u64,
        dt: f64,
    ) -> Result<(), DeviceError> {
        let own = launches(&self.artifact, every);
        let observing = 2 + (self.artifact.feed.len() + self.artifact.phases[Phase::Observe as usize].len()) as u64;
        let each = own + if entry.is_some() { observing } else { 0 };
        if each > LAUNCHES as u64 && entry.is_some() && every > 0 {
            return (0..count).try_for_each(|n| {
                let step = first + n * every;
                self.rows_by_lists(entry, (step, 0, 1), row + n, dt)?;
                self.steps_by_lists(step, every, dt)
            });
        }
        let most = (LAUNCHES as u64 / each.max(1)).min(LAUNCH_STEPS / every.max(1)).max(1);
        let (whole, rest) = (count / most, count % most);
        self.play(Shape { entry, every, rows: most }, [first, row], dt, whole)?;
        self.play(
            Shape { entry, every, rows: rest },
            [first + whole * most * every, row + whole * most],
            dt,
            rest.min(1),
        )
    }

    /// Runs steps.
    pub(super) fn steps_by_lists(&mut self, first: u64, count: u64, dt: f64) -> Result<(), DeviceError> {
        match self.artifact.steps {
            // One launch runs as many as a list would.
            Some(steps) => (0..count).step_by(LAUNCH_STEPS as usize).try_for_each(|done| {
                let part = (count - done).min(LAUNCH_STEPS);
                self.launch(steps, Clock::new((first + done, part), dt))
            }),
            None => self.rows_by_lists(None, (first, 1, count), 0, dt),
        }
    }

    /// Steps of a list, for `--explain`.
    pub(super) fn steps_of_a_list(&self) -> u64 {
        let each = launches(&self.artifact, 1);
        if self.artifact.tick.is_none() { 1 } else { (LAUNCHES as u64 / each.max(1)).clamp(1, LAUNCH_STEPS) }
    }

    /// Makes the launches of a shape, at a step and a row, so many times.
    fn play(&mut self, shape: Shape, at: [u64; 2], dt: f64, times: u64) -> Result<(), DeviceError> {
        let ahead = [shape.every * shape.rows, if shape.entry.is_some() { shape.rows } else { 0 }];
        let Some(tick) = self.artifact.tick else {
            return (0..times).try_for_each(|n| {
                let launches = self.launches(shape, [at[0] + n * ahead[0], at[1] + n * ahead[1]], dt);
                launches.into_iter().try_for_each(|(entry, clock)| self.launch(entry, clock))
            });
        };
        if times == 0 {
            return Ok(());
        }
        let given = self.given(dt);
        let index = match self.lists.known.iter().position(|known| known.shape == shape && known.given == given) {
            Some(index) => index,
            None => {
                let mut launches = self.launches(shape, [0, 0], dt);
                launches.push((tick, Clock::new((ahead[0], ahead[1]), dt)));
                let launches = launches.into_iter().filter_map(|(entry, clock)| self.told(entry, clock).transpose());
                let launches = launches.collect::<Result<Vec<Launch>, DeviceError>>()?;
                if self.lists.known.len() == LISTS {
                    let oldest = self.lists.known.remove(0);
                    self.driver.forget(oldest.list.number);
                }
                self.lists.next += 1;
                let list = List { number: self.lists.next, launches };
                self.lists.known.push(Known { shape, given, list, needed: 0 });
                self.lists.known.len() - 1
            }
        };
        self.show(at)?;
        self.lists.shown = None;
        let known = &mut self.lists.known[index];
        known.needed += times;
        for _ in 0..times {
            // What is needed once only is not worth putting together.
            match known.needed {
                1 => known.list.make(&mut self.driver, &self.artifact.entries)?,
                _ => self.driver.repeat(&self.artifact.entries, &known.list)?,
            }
        }
        self.lists.shown = Some([at[0] + times * ahead[0], at[1] + times * ahead[1]]);
        Ok(())
    }

    /// The entries of a shape in order, with what they are told.
    fn launches(&self, shape: Shape, [step, row]: [u64; 2], dt: f64) -> Vec<(u32, Clock)> {
        let [feed, observe, steps] = [
            &self.artifact.feed,
            &self.artifact.phases[Phase::Observe as usize],
            &self.artifact.phases[Phase::Step as usize],
        ];
        let mut launches = Vec::new();
        for n in 0..shape.rows {
            let first = step + n * shape.every;
            if let Some(entry) = shape.entry {
                let columns = self.places.as_ref().map_or(0, |places| places.1.len());
                launches.extend(feed.iter().map(|entry| (*entry, Clock::new((first, 1), 0.0))));
                launches.extend(observe.iter().map(|entry| (*entry, Clock::new((first, 1), dt))));
                launches.push((entry, Clock::new((row + n, columns as u64), dt)));
            }
            if let Some(entry) = self.artifact.steps {
                let parts = (0..shape.every).step_by(LAUNCH_STEPS as usize);
                launches.extend(
                    parts.map(|done| (entry, Clock::new((first + done, (shape.every - done).min(LAUNCH_STEPS)), dt))),
                );
                continue;
            }
            for step in first..first + shape.every {
                launches.extend(feed.iter().map(|entry| (*entry, Clock::new((step, 1), 0.0))));
                launches.extend(steps.iter().map(|entry| (*entry, Clock::new((step, 1), dt))));
            }
        }
        launches
    }

    /// What arguments say beside the shape of a list.
    fn given(&self, dt: f64) -> Vec<u64> {
        let rooms = [self.places.as_ref().map(|p| p.0), self.rows.map(|r| r.0), self.totals.map(|t| t.0)];
        let columns = self.places.as_ref().map_or(0, |places| places.1.len() as u64);
        let series = self.series.iter().map(|held| held.as_ref().map_or(0, |held| held.0));
        [dt.to_bits(), self.seed, columns]
            .into_iter()
            .chain(rooms.map(|room| room.unwrap_or(0)))
            .chain(series)
            .collect()
    }

    /// Sets the clock.
    fn show(&mut self, at: [u64; 2]) -> Result<(), DeviceError> {
        if self.lists.shown != Some(at) {
            self.lists.shown = None;
            self.driver.upload(self.lists.clock, &at.map(u64::to_le_bytes).concat())?;
            self.lists.shown = Some(at);
        }
        Ok(())
    }

    /// Step and row that the clock shows.
    pub(super) fn shown(&mut self) -> Result<[u64; 2], DeviceError> {
        match self.lists.shown {
            Some(shown) => Ok(shown),
            None => self.show([0, 0]).map(|()| [0, 0]),
        }
    }
}

/// Makes a launch, or has a library compute its product.
pub(super) fn make_one<D: Driver + ?Sized>(
    driver: &mut D,
    entries: &[Entry],
    launch: &Launch,
) -> Result<(), DeviceError> {
    if let Some((call, precision, addresses)) = launch.product
        && let Some(done) = driver.multiply(&call, precision, addresses)
    {
        return done;
    }
    driver.launch(launch.entry, &entries[launch.entry], launch.groups, &launch.arguments)
}
