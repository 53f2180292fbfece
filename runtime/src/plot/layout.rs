//! Where everything goes.

use super::font::Font;
use super::palette::{self, GRID, INK};
use super::panel::{Kind, Panel, drawable};
use super::scene::{Anchor, Mark, Pixels, Scene};
use super::spikes::{Area, raster};
use super::ticks::ticks;
use super::{Options, decimate, heat};
use crate::observe::Recording;

const WIDTH: f64 = 900.0;
const TITLE_SIZE: f64 = 16.0;
const LABEL_SIZE: f64 = 13.0;
const TICK_SIZE: f64 = 12.0;
/// Free rim of the picture, and the room between neighbours.
const RIM: f64 = 14.0;
const GAP: f64 = 8.0;
const TICK_LENGTH: f64 = 4.0;
const LEGEND_ROW: f64 = 20.0;
const LEGEND_LINE: f64 = 22.0;
const COLOUR_BAR: f64 = 14.0;
/// Rows from which on the time axis shows the step after the last row.
const HOLD_FROM: usize = 50;
/// Points of all lines together, which keeps the text of an .svg under 1 MB.
const POINTS: f64 = 60_000.0;
/// Pixels of all images together, for the same reason.
const PIXELS: f64 = 220_000.0;

/// The panel of axes being drawn.
struct Frame {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    time: (f64, f64),
}

impl Frame {
    fn x(&self, time: f64) -> f64 {
        self.left + (time - self.time.0) / (self.time.1 - self.time.0) * self.width
    }

    fn y(&self, value: f64, (lowest, highest): (f64, f64)) -> f64 {
        self.top + (highest - value) / (highest - lowest) * self.height
    }

    fn bottom(&self) -> f64 {
        self.top + self.height
    }

    fn right(&self) -> f64 {
        self.left + self.width
    }
}

/// What a picture shows.
pub struct Shown<'a> {
    /// Rows and spikes.
    pub recording: &'a Recording,
    /// The rates of its events, as columns.
    pub rates: &'a Recording,
    /// First and last time.
    pub time: (f64, f64),
}

/// The picture of a recording in these panels.
pub fn compose(shown: &Shown<'_>, panels: &[Panel], options: &Options) -> Scene {
    let recording = shown.recording;
    let font = Font::new();
    let mut scene = Scene { width: WIDTH, height: 0.0, marks: Vec::new() };
    let height = match panels.len() {
        1 => 380.0,
        2 => 250.0,
        3 => 200.0,
        _ => 160.0,
    };
    let value_ticks = |panel: &Panel| {
        let (lowest, highest) = panel.limits();
        ticks(lowest, highest, (height / 45.0) as usize)
    };
    let tick_width = |panel: &Panel| widest(&font, value_ticks(panel).iter().map(|(_, text)| text.as_str()));
    let axis_width = |panel: &Panel| match panel.kind {
        Kind::Lines | Kind::Rates => tick_width(panel),
        Kind::Heat => widest(&font, [panel.columns.len().to_string().as_str()]),
        Kind::Raster => widest(&font, [format!("{}", panel.limits().1).as_str()]),
    };
    let left = RIM + LABEL_SIZE + GAP + panels.iter().map(axis_width).fold(0.0, f64::max) + GAP;
    let bars = panels.iter().filter(|panel| panel.kind == Kind::Heat);
    let right =
        RIM + bars.map(|panel| GAP + COLOUR_BAR + GAP + tick_width(panel) + GAP + LABEL_SIZE).fold(2.0 * GAP, f64::max);
    let time = shown.time;
    let mut frame = Frame { left, top: RIM, width: WIDTH - left - right, height, time };
    if let Some(title) = options.title.as_deref().filter(|title| !title.trim().is_empty()) {
        let text = font.fitted(title.trim(), TITLE_SIZE, WIDTH - 2.0 * RIM);
        scene.text(text, (left, frame.top + TITLE_SIZE), TITLE_SIZE, Anchor::Start);
        frame.top += TITLE_SIZE + GAP;
    }
    let time_ticks = ticks(time.0, time.1, (frame.width / 90.0) as usize);
    for (index, panel) in panels.iter().enumerate() {
        frame.top += GAP;
        match panel.kind {
            Kind::Lines => {
                legend(&mut scene, &font, &mut frame, recording, panel);
                grid(&mut scene, &frame, &value_ticks(panel), &time_ticks, panel);
                lines(&mut scene, &frame, recording, panel, panels);
                let label = value_label(&font, panel, frame.height);
                value_axis(&mut scene, &frame, panel, &value_ticks(panel));
                side_label(&mut scene, &font, &frame, &label);
            }
            Kind::Rates => {
                grid(&mut scene, &frame, &value_ticks(panel), &time_ticks, panel);
                lines(&mut scene, &frame, shown.rates, panel, panels);
                value_axis(&mut scene, &frame, panel, &value_ticks(panel));
                let per =
                    options.time_unit.as_deref().map_or("spikes per unit and time".into(), |t| format!("rate (1/{t})"));
                side_label(&mut scene, &font, &frame, &per);
            }
            Kind::Raster => {
                legend(&mut scene, &font, &mut frame, shown.rates, panel);
                let (at, size) = ((frame.left, frame.top), (frame.width, frame.height));
                scene.marks.extend(raster(recording, panel, &Area { at, size, time }));
                unit_axis(&mut scene, &font, &frame, panel);
            }
            Kind::Heat => {
                heat_map(&mut scene, &frame, recording, panel, panels);
                element_axis(&mut scene, &font, &frame, panel);
                colour_bar(&mut scene, &font, &frame, panel, &value_ticks(panel));
            }
        }
        let last = index + 1 == panels.len();
        time_axis(&mut scene, &frame, &time_ticks, last);
        frame.top = frame.bottom() + GAP + TICK_LENGTH;
    }
    let label = match &options.time_unit {
        Some(unit) => format!("t ({unit})"),
        None => "t".into(),
    };
    frame.top += TICK_SIZE + LABEL_SIZE;
    scene.text(label, (frame.left + frame.width / 2.0, frame.top), LABEL_SIZE, Anchor::Middle);
    scene.height = frame.top + RIM;
    scene
}

/// First and last time, apart even for a single row.
pub fn time_limits(recording: &Recording) -> (f64, f64) {
    let spikes = recording.spikes.iter().flat_map(|spikes| &spikes.times);
    let times: Box<dyn Iterator<Item = &f64>> =
        if recording.times.is_empty() { Box::new(spikes) } else { Box::new(recording.times.iter()) };
    let finite: Vec<f64> = times.copied().filter(|&time| drawable(time)).collect();
    let (first, last) = crate::observe::extent(&finite).unwrap_or((0.0, 1.0));
    if last - first > f64::max(first.abs(), last.abs()) * 1e-12 {
        // The last row holds for one more step: the axis then ends at the round duration. With few rows it would look empty.
        let steps = finite.len() as f64 - 1.0;
        let held = if finite.len() >= HOLD_FROM { (last - first) / steps } else { 0.0 };
        (first, last + held)
    } else {
        let half = f64::max(first.abs() * 0.5, 0.5);
        (first - half, last + half)
    }
}

fn widest<'a>(font: &Font, texts: impl IntoIterator<Item = &'a str>) -> f64 {
    texts.into_iter().map(|text| font.width(text, TICK_SIZE)).fold(0.0, f64::max)
}

/// Names of the lines in rows above the axes, where they cover no data; moves the frame down.
fn legend(scene: &mut Scene, font: &Font, frame: &mut Frame, recording: &Recording, panel: &Panel) {
    if panel.columns.len() < 2 {
        return;
    }
    let mut x = frame.left;
    for (index, &column) in panel.columns.iter().enumerate() {
        let room = frame.width - LEGEND_LINE - GAP;
        let name = font.fitted(&recording.labels[column].name, TICK_SIZE, room);
        let width = LEGEND_LINE + GAP + font.width(&name, TICK_SIZE);
        if x > frame.left && x + width > frame.right() {
            x = frame.left;
            frame.top += LEGEND_ROW;
        }
        let middle = frame.top + LEGEND_ROW / 2.0 - 4.0;
        scene.line(vec![(x, middle), (x + LEGEND_LINE, middle)], palette::line(index), 2.5);
        scene.text(name, (x + LEGEND_LINE + GAP * 0.75, middle + TICK_SIZE * 0.36), TICK_SIZE, Anchor::Start);
        x += width + 2.0 * GAP;
    }
    frame.top += LEGEND_ROW;
}

fn grid(scene: &mut Scene, frame: &Frame, values: &[(f64, String)], times: &[(f64, String)], panel: &Panel) {
    for (value, _) in values {
        let y = frame.y(*value, panel.limits());
        scene.line(vec![(frame.left, y), (frame.right(), y)], GRID, 1.0);
    }
    for (time, _) in times {
        let x = frame.x(*time);
        scene.line(vec![(x, frame.top), (x, frame.bottom())], GRID, 1.0);
    }
}

fn lines(scene: &mut Scene, frame: &Frame, recording: &Recording, panel: &Panel, panels: &[Panel]) {
    let count: usize = panels
        .iter()
        .filter(|panel| matches!(panel.kind, Kind::Lines | Kind::Rates))
        .map(|panel| panel.columns.len())
        .sum();
    // Four points may remain per step of the decimation.
    let step = f64::max(1.0, 4.0 * frame.width * count as f64 / POINTS);
    let limits = panel.limits();
    if panel.extent.is_none() {
        let middle = (frame.left + frame.width / 2.0, frame.top + frame.height / 2.0);
        scene.text("no finite values", middle, LABEL_SIZE, Anchor::Middle);
    }
    for (index, &column) in panel.columns.iter().enumerate() {
        let points = recording.times.iter().zip(&recording.columns[column]).map(|(&time, &value)| {
            let visible = drawable(time) && drawable(value);
            (frame.x(time), if visible { frame.y(value, limits) } else { f64::NAN })
        });
        for mut trace in decimate::traces(points, step) {
            if let [(x, y)] = trace[..] {
                // A sample between two gaps: a line too short to see but for its round ends.
                trace = vec![(x - 0.5, y), (x + 0.5, y)];
            }
            scene.line(trace, palette::line(index), if panel.columns.len() > 4 { 1.2 } else { 1.5 });
        }
    }
}

fn value_axis(scene: &mut Scene, frame: &Frame, panel: &Panel, values: &[(f64, String)]) {
    for (value, text) in values {
        let y = frame.y(*value, panel.limits());
        scene.line(vec![(frame.left - TICK_LENGTH, y), (frame.left, y)], INK, 1.0);
        scene.text(text.as_str(), (frame.left - GAP, y + TICK_SIZE * 0.36), TICK_SIZE, Anchor::End);
    }
    scene.line(vec![(frame.left, frame.top), (frame.left, frame.bottom())], INK, 1.0);
}

/// Names and unit of a panel, `psp (mV)`; where they do not fit, names are cut and never the unit.
fn value_label(font: &Font, panel: &Panel, room: f64) -> String {
    let names = panel.names();
    match panel.unit.as_deref() {
        Some(unit) if names.is_empty() => unit.to_owned(),
        Some(unit) => {
            let unit = format!(" ({unit})");
            font.fitted(&names, LABEL_SIZE, room - font.width(&unit, LABEL_SIZE)) + &unit
        }
        None => names,
    }
}

/// The label at the left rim, reading upwards.
fn side_label(scene: &mut Scene, font: &Font, frame: &Frame, label: &str) {
    let text = font.fitted(label, LABEL_SIZE, frame.height);
    scene.text_upwards(text, (RIM + LABEL_SIZE * 0.8, frame.top + frame.height / 2.0), LABEL_SIZE, Anchor::Middle);
}

fn time_axis(scene: &mut Scene, frame: &Frame, times: &[(f64, String)], with_numbers: bool) {
    for (time, text) in times {
        let x = frame.x(*time);
        scene.line(vec![(x, frame.bottom()), (x, frame.bottom() + TICK_LENGTH)], INK, 1.0);
        if with_numbers {
            scene.text(text.as_str(), (x, frame.bottom() + TICK_LENGTH + TICK_SIZE + 1.0), TICK_SIZE, Anchor::Middle);
        }
    }
    scene.line(vec![(frame.left, frame.bottom()), (frame.right(), frame.bottom())], INK, 1.0);
}

fn heat_map(scene: &mut Scene, frame: &Frame, recording: &Recording, panel: &Panel, panels: &[Panel]) {
    let images = panels.iter().filter(|panel| panel.kind == Kind::Heat).count();
    let rows = f64::min(frame.height, panel.columns.len() as f64);
    let shrink = f64::min(1.0, (PIXELS / (images as f64 * frame.width * rows)).sqrt());
    let most = ((frame.width * shrink) as usize, (rows * shrink) as usize);
    let pixels = heat::image(recording, panel, frame.time, most);
    scene.marks.push(Mark::Image { at: (frame.left, frame.top), size: (frame.width, frame.height), pixels });
}

fn element_axis(scene: &mut Scene, font: &Font, frame: &Frame, panel: &Panel) {
    numbered_rows(scene, frame, panel.columns.len());
    side_label(scene, font, frame, "element");
}

fn unit_axis(scene: &mut Scene, font: &Font, frame: &Frame, panel: &Panel) {
    numbered_rows(scene, frame, panel.limits().1 as usize);
    side_label(scene, font, frame, &format!("{}, unit", panel.names()));
}

/// An axis of rows, counted from 0.
fn numbered_rows(scene: &mut Scene, frame: &Frame, elements: usize) {
    let marks = ticks(0.0, (elements - 1) as f64, (frame.height / 40.0) as usize);
    for (element, text) in marks.into_iter().filter(|(element, _)| element.fract() == 0.0) {
        let y = frame.bottom() - (element + 0.5) / elements as f64 * frame.height;
        scene.line(vec![(frame.left - TICK_LENGTH, y), (frame.left, y)], INK, 1.0);
        scene.text(text, (frame.left - GAP, y + TICK_SIZE * 0.36), TICK_SIZE, Anchor::End);
    }
    scene.line(vec![(frame.left, frame.top), (frame.left, frame.bottom())], INK, 1.0);
}

fn colour_bar(scene: &mut Scene, font: &Font, frame: &Frame, panel: &Panel, values: &[(f64, String)]) {
    let left = frame.right() + GAP * 1.5;
    let right = left + COLOUR_BAR;
    let height = frame.height as usize;
    let colours = (0..height).map(|row| palette::heat(1.0 - (row as f64 + 0.5) / height as f64)).collect();
    let pixels = Pixels { width: 1, height, colours };
    scene.marks.push(Mark::Image { at: (left, frame.top), size: (COLOUR_BAR, frame.height), pixels });
    for (value, text) in values {
        let y = frame.y(*value, panel.limits());
        scene.line(vec![(right, y), (right + TICK_LENGTH, y)], INK, 1.0);
        scene.text(text.as_str(), (right + GAP, y + TICK_SIZE * 0.36), TICK_SIZE, Anchor::Start);
    }
    let text = font.fitted(&value_label(font, panel, frame.height), LABEL_SIZE, frame.height);
    let x = WIDTH - RIM + LABEL_SIZE * 0.1;
    scene.text_upwards(text, (x, frame.top + frame.height / 2.0), LABEL_SIZE, Anchor::Middle);
}
