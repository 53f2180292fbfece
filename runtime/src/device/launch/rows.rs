//! Rows that the launches record which run the steps.

use super::{Clock, Driver, LAUNCH_STEPS, Launcher, size};
use crate::artifact::{DeviceError, Feeds, Rows};
use crate::code::Recorder;

/// A plan of rows on the device.
pub(super) struct Plan {
    pub address: u64,
    /// Bytes there are for it.
    room: usize,
    /// Steps from row to row.
    every: u64,
    /// Which numbers are recorded.
    places: Vec<(usize, usize)>,
}

impl<D: Driver> Launcher<D> {
    /// The entry that records rows so many steps apart, if there is one. With more steps than a launch runs there is nothing to
    /// save.
    pub(super) fn recorder(&self, every: u64) -> Option<Recorder> {
        self.artifact.recorder.filter(|_| (1..=LAUNCH_STEPS).contains(&every))
    }

    /// Records rows, for which there is room, by launches that run many steps each.
    pub(super) fn fill_rows(
        &mut self,
        recorder: Recorder,
        (rows, dt): (&Rows<'_>, f64),
        feeds: &Feeds,
    ) -> Result<(), DeviceError> {
        let size = size(self.artifact.precision);
        let width = rows.places.len() * size;
        if self.plan.as_ref().is_none_or(|plan| plan.every != rows.every || plan.places[..] != rows.places[..]) {
            let column = |(buffer, element): &(usize, usize)| {
                let address = self.buffers[*buffer] + (element * size) as u64;
                (address, *element, self.artifact.layout.buffers[*buffer].len)
            };
            let columns: Vec<(u64, usize, usize)> = rows.places.iter().map(column).collect();
            let plan = recorder.plan(rows.every, size, &columns);
            let bytes: Vec<u8> = plan.into_iter().flat_map(u64::to_le_bytes).collect();
            let (address, room) = match &self.plan {
                Some(Plan { address, room, .. }) if *room >= bytes.len() => (*address, *room),
                _ => (self.driver.allocate(bytes.len())?, bytes.len()),
            };
            self.driver.upload(address, &bytes)?;
            self.plan = Some(Plan { address, room, every: rows.every, places: rows.places.to_vec() });
        }
        self.supply(feeds)?;
        let (mut done, most) = (0, (LAUNCH_STEPS / rows.every).max(1));
        while done < rows.count {
            let part = (rows.count - done).min(most);
            let clock = Clock::new((rows.first + done * rows.every, part), dt);
            self.launch(recorder.entry, Clock { recorded: done * width as u64, ..clock })?;
            done += part;
        }
        Ok(())
    }
}
