//! The spelling of numbers in text files.

use std::io::{self, Write};

/// Writes the shortest spelling that reads back to the same bits.
///
/// Plain between 1e-5 and 1e16, with an exponent elsewhere (as `{:?}` does, without its `.0`); `nan`, `inf`, `-inf` as
/// numpy, pandas and R read them.
pub fn write(out: &mut impl Write, value: f64) -> io::Result<()> {
    let magnitude = value.abs();
    if value.is_nan() {
        out.write_all(b"nan")
    } else if magnitude == 0.0 || magnitude == f64::INFINITY || (1e-5..1e16).contains(&magnitude) {
        write!(out, "{value}")
    } else {
        write!(out, "{value:e}")
    }
}

#[cfg(test)]
mod tests {
    fn spelled(value: f64) -> String {
        let mut out = Vec::new();
        super::write(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_short_and_plain_where_people_read_them_so() {
        for (value, expected) in [
            (220.0, "220"),
            (0.1, "0.1"),
            (-0.0, "-0"),
            (1e-4, "0.0001"),
            (1e-6, "1e-6"),
            (1e300, "1e300"),
            (5e-324, "5e-324"),
            (f64::NAN, "nan"),
            (-f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(spelled(value), expected);
        }
    }
}
