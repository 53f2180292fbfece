//! What a picture consists of, before it is known in which format.

use super::palette::Colour;

/// Which end of a text is at its point.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Anchor {
    /// The text starts at the point.
    Start,
    /// The text is centred on the point.
    Middle,
    /// The text ends at the point.
    End,
}

/// A text on its base line.
#[derive(Clone, Debug)]
pub struct Text {
    /// The characters.
    pub text: String,
    /// The anchor's place.
    pub at: (f64, f64),
    /// Font size.
    pub size: f64,
    /// Which end is at the place.
    pub anchor: Anchor,
    /// Reads upwards instead of rightwards.
    pub upwards: bool,
}

/// One thing to draw. Lengths are in pixels of a screen, from the upper left corner.
#[derive(Clone, Debug)]
pub enum Mark {
    /// Connected points.
    Line {
        /// The corners, at least two.
        points: Vec<(f64, f64)>,
        /// Its colour.
        colour: Colour,
        /// Its width.
        width: f64,
    },
    /// Text in the colour of ink.
    Text(Text),
    /// A picture of few, large pixels.
    Image {
        /// Upper left corner.
        at: (f64, f64),
        /// Width and height it is drawn with.
        size: (f64, f64),
        /// The pixels.
        pixels: Pixels,
    },
}

/// Pixels row by row from the upper left.
#[derive(Clone, Debug)]
pub struct Pixels {
    /// Pixels per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// `width * height` colours.
    pub colours: Vec<Colour>,
}

/// A picture: marks in drawing order on a white ground.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Width of the picture.
    pub width: f64,
    /// Height of the picture.
    pub height: f64,
    /// What is on it.
    pub marks: Vec<Mark>,
}

impl Scene {
    /// Adds a line.
    pub fn line(&mut self, points: Vec<(f64, f64)>, colour: Colour, width: f64) {
        self.marks.push(Mark::Line { points, colour, width });
    }

    /// Adds a level text.
    pub fn text(&mut self, text: impl Into<String>, at: (f64, f64), size: f64, anchor: Anchor) {
        self.marks.push(Mark::Text(Text { text: text.into(), at, size, anchor, upwards: false }));
    }

    /// Adds a text that reads upwards.
    pub fn text_upwards(&mut self, text: impl Into<String>, at: (f64, f64), size: f64, anchor: Anchor) {
        self.marks.push(Mark::Text(Text { text: text.into(), at, size, anchor, upwards: true }));
    }
}
