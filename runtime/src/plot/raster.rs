//! A scene as pixels.

use super::font::Font;
use super::palette::{Colour, INK};
use super::scene::{Anchor, Mark, Pixels, Scene, Text};
use tiny_skia::{
    Color, FillRule, FilterQuality, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, PixmapPaint, Stroke, Transform,
};
use ttf_parser::OutlineBuilder;

/// Pixels of the file per pixel of the scene, for sharp text on dense screens and in print.
const DENSITY: f32 = 2.0;

/// The whole `.png` file, or why there is none.
pub fn print(scene: &Scene) -> Result<Vec<u8>, String> {
    let (width, height) = ((scene.width as f32 * DENSITY).ceil(), (scene.height as f32 * DENSITY).ceil());
    let mut canvas = Pixmap::new(width as u32, height as u32).ok_or("the picture would be too large")?;
    canvas.fill(Color::WHITE);
    let font = Font::new();
    let scale = Transform::from_scale(DENSITY, DENSITY);
    for mark in &scene.marks {
        match mark {
            Mark::Line { points, colour, width } => {
                let stroke = Stroke {
                    width: *width as f32,
                    line_cap: LineCap::Round,
                    line_join: LineJoin::Round,
                    ..Stroke::default()
                };
                if let Some(path) = polyline(points) {
                    canvas.stroke_path(&path, &paint(*colour), &stroke, scale, None);
                }
            }
            Mark::Text(text) => {
                let mut outline = Outline(PathBuilder::new());
                font.outline(&text.text, text.size, &mut outline);
                let placed = scale.pre_concat(placement(text, font.width(&text.text, text.size)));
                if let Some(path) = outline.0.finish() {
                    canvas.fill_path(&path, &paint(INK), FillRule::Winding, placed, None);
                }
            }
            Mark::Image { at, size, pixels } => {
                let image = pixmap(pixels)?;
                let placed = scale.pre_concat(Transform::from_row(
                    size.0 as f32 / pixels.width as f32,
                    0.0,
                    0.0,
                    size.1 as f32 / pixels.height as f32,
                    at.0 as f32,
                    at.1 as f32,
                ));
                let paint = PixmapPaint { quality: FilterQuality::Nearest, ..PixmapPaint::default() };
                canvas.draw_pixmap(0, 0, image.as_ref(), &paint, placed, None);
            }
        }
    }
    canvas.encode_png().map_err(|error| error.to_string())
}

/// Pixels alone as a `.png` file, to be put into another format, or why there is none.
pub fn encode(pixels: &Pixels) -> Result<Vec<u8>, String> {
    pixmap(pixels)?.encode_png().map_err(|error| error.to_string())
}

fn pixmap(pixels: &Pixels) -> Result<Pixmap, String> {
    let (width, height) = (u32::try_from(pixels.width), u32::try_from(pixels.height));
    let pixmap = width.ok().zip(height.ok()).and_then(|(width, height)| Pixmap::new(width, height));
    let mut pixmap = pixmap.ok_or("an image in the picture would be too large")?;
    let (data, _) = pixmap.data_mut().as_chunks_mut::<4>();
    for (place, &[red, green, blue]) in data.iter_mut().zip(&pixels.colours) {
        *place = [red, green, blue, 255];
    }
    Ok(pixmap)
}

fn paint([red, green, blue]: Colour) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, 255);
    paint
}

fn polyline(points: &[(f64, f64)]) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (index, &(x, y)) in points.iter().enumerate() {
        if index == 0 { builder.move_to(x as f32, y as f32) } else { builder.line_to(x as f32, y as f32) }
    }
    builder.finish()
}

fn placement(text: &Text, width: f64) -> Transform {
    let shift = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width / 2.0,
        Anchor::End => -width,
    };
    let place = Transform::from_translate(text.at.0 as f32, text.at.1 as f32);
    let turned = if text.upwards { place.pre_concat(Transform::from_rotate(-90.0)) } else { place };
    turned.pre_concat(Transform::from_translate(shift as f32, 0.0))
}

/// Hands the font's outlines to the rasteriser.
struct Outline(PathBuilder);

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}
