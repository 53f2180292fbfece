//! Pictures of recordings: `.svg` and `.png` from one scene.
//!
//! `panel` decides what is shown together, `layout` where, `scene` holds the marks; `svg` and `raster` print them.

mod decimate;
mod font;
mod heat;
mod layout;
mod palette;
mod panel;
mod raster;
mod scene;
mod spikes;
mod svg;
mod ticks;

use crate::io::{AtomicFile, Fault, extension, unknown_extension};
use crate::observe::Recording;
use std::io::Write;
use std::path::Path;

/// What a picture says besides the data.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Options {
    /// Written above the panels.
    pub title: Option<String>,
    /// Unit of the time, for the label of the time axis.
    pub time_unit: Option<String>,
}

/// More panels than this make no readable picture.
const MAX_PANELS: usize = 48;

/// Draws a recording to a `.svg` or `.png` file.
///
/// Groups whose unit and scale agree share a panel; a group of more than eight columns becomes an image of element by time.
/// Events have
/// a raster of their spikes for each group, and their rates below it. Long recordings keep the extremes of every pixel, so that no spike is lost; values that are not finite leave gaps.
pub fn save(recording: &Recording, path: impl AsRef<Path>, options: &Options) -> Result<(), Fault> {
    let path = path.as_ref();
    check_extension(path)?;
    if let Some(cause) = recording.inconsistency() {
        return Err(Fault::write(path, cause));
    }
    if recording.columns.is_empty() && recording.spikes.is_empty() {
        let fault = Fault::write(path, "the recording has no columns and no events, so there is nothing to draw");
        return Err(fault.with_help("record at least one variable: `--record NAME=path`"));
    }
    if recording.times.is_empty() && recording.spikes.is_empty() {
        let fault = Fault::write(path, "the recording has no rows, so there is nothing to draw");
        return Err(fault.with_help("make `--duration` longer than `--cutoff`"));
    }
    let time = layout::time_limits(recording);
    let rates = spikes::rates(recording, time);
    let panels = panel::arrange(recording, &rates);
    if panels.len() > MAX_PANELS {
        let cause = format!("the recording needs {} panels, expected at most {MAX_PANELS}", panels.len());
        let help = "record fewer variables, or draw them from a table: `--out recording.csv`";
        return Err(Fault::write(path, cause).with_help(help));
    }
    let scene = layout::compose(&layout::Shown { recording, rates: &rates, time }, &panels, options);
    let bytes = match extension(path).as_deref() {
        Some("png") => raster::print(&scene),
        _ => svg::print(&scene).map(String::into_bytes),
    };
    let bytes = bytes.map_err(|cause| Fault::write(path, cause))?;
    let mut file = AtomicFile::create(path)?;
    file.write_all(&bytes).map_err(|error| Fault::write_os(path, &error))?;
    file.finish()
}

/// Refuses, before anything is computed, a path that [`save`] would refuse for its extension.
pub fn check_extension(path: impl AsRef<Path>) -> Result<(), Fault> {
    let path = path.as_ref();
    match extension(path).as_deref() {
        Some("svg" | "png") => Ok(()),
        _ => Err(Fault::write(path, unknown_extension(path, ".svg or .png")).with_renamed(path, "svg")),
    }
}

#[cfg(test)]
mod tests;
