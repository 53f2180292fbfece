//! The embedded font (DejaVu Sans): widths for the layout, outlines for pixels. No font of the system is needed.

use ttf_parser::{Face, OutlineBuilder};

/// The parsed font; cheap to make.
pub struct Font {
    face: Face<'static>,
}

impl Font {
    /// The embedded font.
    pub fn new() -> Font {
        let face = Face::parse(dejavu::sans::regular(), 0).expect("the embedded font is a valid font");
        Font { face }
    }

    /// Width of a text.
    pub fn width(&self, text: &str, size: f64) -> f64 {
        let advances: f64 = text.chars().map(|character| self.advance(character)).sum();
        advances * self.scale(size)
    }

    /// The text, cut and ended with `…` where it is wider than the room.
    pub fn fitted(&self, text: &str, size: f64, room: f64) -> String {
        if self.width(text, size) <= room {
            return text.to_owned();
        }
        let mut fitted = String::new();
        for character in text.chars() {
            fitted.push(character);
            if self.width(&fitted, size) + self.width("…", size) > room {
                fitted.pop();
                break;
            }
        }
        fitted + "…"
    }

    /// Draws the outlines of a text, in pixels from the start of its base line, downwards positive.
    pub fn outline(&self, text: &str, size: f64, builder: &mut dyn OutlineBuilder) {
        let scale = self.scale(size) as f32;
        let mut x = 0.0;
        for character in text.chars() {
            if let Some(glyph) = self.face.glyph_index(character) {
                self.face.outline_glyph(glyph, &mut Placed { builder, scale, x });
            }
            x += self.advance(character) as f32 * scale;
        }
    }

    fn scale(&self, size: f64) -> f64 {
        size / f64::from(self.face.units_per_em())
    }

    fn advance(&self, character: char) -> f64 {
        let glyph = self.face.glyph_index(character).unwrap_or_default();
        f64::from(self.face.glyph_hor_advance(glyph).unwrap_or_default())
    }
}

/// Moves and scales one glyph, whose own axis points upwards.
struct Placed<'a> {
    builder: &'a mut dyn OutlineBuilder,
    scale: f32,
    x: f32,
}

impl Placed<'_> {
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, -y * self.scale)
    }
}

impl OutlineBuilder for Placed<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.builder.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.builder.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.builder.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.builder.curve_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}
