//! A scene as SVG text.

use super::palette::Colour;
use super::raster;
use super::scene::{Anchor, Mark, Scene, Text};
use std::fmt::Write;

/// The whole file, or why there is none.
pub fn print(scene: &Scene) -> Result<String, String> {
    let (width, height) = (scene.width, scene.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\" fill=\"none\" stroke-linejoin=\"round\" stroke-linecap=\"round\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for mark in &scene.marks {
        match mark {
            Mark::Line { points, colour, width } => line(&mut out, points, *colour, *width),
            Mark::Text(text) => write_text(&mut out, text),
            Mark::Image { at, size, pixels } => {
                let png = base64(&raster::encode(pixels)?);
                push(
                    &mut out,
                    format_args!(
                        "<image x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" preserveAspectRatio=\"none\" \
                         style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{png}\"/>\n",
                        at.0, at.1, size.0, size.1
                    ),
                );
            }
        }
    }
    out.push_str("</svg>\n");
    Ok(out)
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a string cannot fail");
}

fn line(out: &mut String, points: &[(f64, f64)], colour: Colour, width: f64) {
    push(out, format_args!("<path stroke=\"{}\" stroke-width=\"{width}\" d=\"", hex(colour)));
    for (index, (x, y)) in points.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        push(out, format_args!("{command}{} {}", tenths(*x), tenths(*y)));
    }
    out.push_str("\"/>\n");
}

/// A tenth of a pixel is finer than any screen shows.
fn tenths(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}

fn write_text(out: &mut String, text: &Text) {
    let (x, y) = (tenths(text.at.0), tenths(text.at.1));
    let anchor = match text.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let turn = if text.upwards { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
    let ink = hex(super::palette::INK);
    push(
        out,
        format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" text-anchor=\"{anchor}\" fill=\"{ink}\"{turn}>{}</text>\n",
            text.size,
            escaped(&text.text)
        ),
    );
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text safe inside an element. Control characters have no place in XML at all.
fn escaped(text: &str) -> String {
    let text: String = text.chars().filter(|character| !character.is_control()).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Base 64 of RFC 4648, for pictures inside the text.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let filled = digit <= chunk.len();
            out.push(if filled { char::from(DIGITS[(word >> (18 - 6 * digit) & 63) as usize]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_matches_the_examples_of_rfc_4648() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(super::base64(plain.as_bytes()), coded);
        }
    }
}
