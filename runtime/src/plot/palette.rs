//! Colours that stay apart for colour-blind readers.

/// Red, green, blue.
pub type Colour = [u8; 3];

/// Text and axis lines.
pub const INK: Colour = [0x26, 0x26, 0x26];
/// Lines of the grid.
pub const GRID: Colour = [0xe4, 0xe4, 0xe4];
/// Where an image has no value.
pub const MISSING: Colour = [0xff, 0xff, 0xff];

/// Number of distinct line colours.
pub const LINES: usize = 8;

/// Colour of the n-th line: the set of Okabe and Ito (2008, "Color universal design"), with its yellow, too faint on
/// white, replaced by Tol's wine red.
pub fn line(index: usize) -> Colour {
    const COLOURS: [Colour; LINES] = [
        [0x00, 0x72, 0xb2],
        [0xd5, 0x5e, 0x00],
        [0x00, 0x9e, 0x73],
        [0xcc, 0x79, 0xa7],
        [0xe6, 0x9f, 0x00],
        [0x56, 0xb4, 0xe9],
        [0x00, 0x00, 0x00],
        [0x88, 0x22, 0x55],
    ];
    COLOURS[index % LINES]
}

/// Colour of a value between 0 and 1: viridis (Smith and van der Walt 2015, CC0), by linear interpolation of nine of its
/// points.
pub fn heat(level: f64) -> Colour {
    const POINTS: [[f64; 3]; 9] = [
        [68.0, 1.0, 84.0],
        [71.0, 44.0, 122.0],
        [59.0, 81.0, 139.0],
        [44.0, 113.0, 142.0],
        [33.0, 144.0, 141.0],
        [39.0, 173.0, 129.0],
        [92.0, 200.0, 99.0],
        [170.0, 220.0, 50.0],
        [253.0, 231.0, 37.0],
    ];
    let place = level.clamp(0.0, 1.0) * (POINTS.len() - 1) as f64;
    let below = (place as usize).min(POINTS.len() - 2);
    let part = place - below as f64;
    std::array::from_fn(|channel| {
        let (low, high) = (POINTS[below][channel], POINTS[below + 1][channel]);
        (low + (high - low) * part).round() as u8
    })
}
