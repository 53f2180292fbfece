//! Numpy's `.npy` format: a short text header and the raw numbers.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. Written here because the crates for it
//! allocate what a damaged header claims before they look at how much data there is.

const MAGIC: &[u8] = b"\x93NUMPY";

/// Header of version 1.0 for an array in C order, padded so that the data are aligned to 64 bytes.
pub fn header(descr: &str, shape: &[usize]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|size| format!("{size},")).collect();
    let mut dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}");
    let unpadded = MAGIC.len() + 4 + dict.len() + 1;
    dict.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(64) - unpadded));
    dict.push('\n');
    let length = u16::try_from(dict.len()).expect("a dictionary of one short type and at most two sizes fits 64 KiB");
    [MAGIC, &[1, 0], &length.to_le_bytes(), dict.as_bytes()].concat()
}

/// A matrix of doubles read from a file, row by row.
#[derive(Debug)]
pub struct Matrix {
    /// Length of the first axis; one for a single number.
    pub rows: usize,
    /// Length of the second axis; one if there is none.
    pub columns: usize,
    /// `rows * columns` numbers.
    pub data: Vec<f64>,
}

/// Why an array could not be read: cause and help.
pub type Refusal = (String, String);

/// Reads an array of up to two axes. Integers and single precision are widened to double precision.
pub fn decode(bytes: &[u8]) -> Result<Matrix, Refusal> {
    let (dict, data) = split(bytes)?;
    let descr = entry(dict, "descr").ok_or_else(damaged)?;
    let element = Element::of(descr)?;
    let fortran_order = entry(dict, "fortran_order").ok_or_else(damaged)?.starts_with("True");
    let (rows, columns) = match sizes(entry(dict, "shape").ok_or_else(damaged)?).ok_or_else(damaged)?[..] {
        [] => (1, 1),
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        ref more => {
            let cause = format!("found an array of {} axes, expected one or two (time, element)", more.len());
            return Err((cause, "save a slice of it, or reshape: `a.reshape(len(a), -1)`".into()));
        }
    };
    let expected = rows.checked_mul(columns).and_then(|count| count.checked_mul(element.size));
    if expected != Some(data.len()) {
        let expected = expected.map_or("more than fits memory".to_owned(), |expected| expected.to_string());
        let cause = format!("found {} bytes of data, expected {expected} for shape ({rows}, {columns})", data.len());
        return Err((cause, "the file was cut or damaged: write it again with `numpy.save`".into()));
    }
    let mut values: Vec<f64> = data.chunks_exact(element.size).map(|bytes| element.read(bytes)).collect();
    if fortran_order && rows > 1 && columns > 1 {
        values = (0..rows)
            .flat_map(|row| (0..columns).map(move |column| (row, column)))
            .map(|(row, column)| values[column * rows + row])
            .collect();
    }
    Ok(Matrix { rows, columns, data: values })
}

/// Header text and data.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), Refusal> {
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| {
        (
            "this is no .npy file".to_owned(),
            "write it with `numpy.save(path, array)`, or rename it to .csv if it is text".to_owned(),
        )
    })?;
    let (version, rest) = rest.split_at_checked(2).ok_or_else(damaged)?;
    let (length, rest) = match version[0] {
        1 => rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_le_bytes(*length)), rest)),
        2 | 3 => rest.split_first_chunk().map(|(length, rest)| (u32::from_le_bytes(*length) as usize, rest)),
        version => {
            let cause = format!("found version {version} of the format, expected 1, 2 or 3");
            return Err((cause, "write it again with `numpy.save(path, array)`".into()));
        }
    }
    .ok_or_else(damaged)?;
    let (dict, data) = rest.split_at_checked(length).ok_or_else(damaged)?;
    Ok((std::str::from_utf8(dict).map_err(|_| damaged())?, data))
}

fn damaged() -> Refusal {
    ("the header is damaged".into(), "write it again with `numpy.save(path, array)`".into())
}

/// What follows `'key':` in the header's dictionary.
fn entry<'a>(dict: &'a str, key: &str) -> Option<&'a str> {
    let rest = ['\'', '"'].iter().find_map(|quote| dict.split_once(&format!("{quote}{key}{quote}")))?.1;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

fn sizes(text: &str) -> Option<Vec<usize>> {
    let inside = text.strip_prefix('(')?.split_once(')')?.0;
    inside.split(',').map(str::trim).filter(|size| !size.is_empty()).map(|size| size.parse().ok()).collect()
}

/// How one number is stored.
#[derive(Clone, Copy)]
struct Element {
    kind: u8,
    size: usize,
    big_endian: bool,
}

impl Element {
    fn of(descr: &str) -> Result<Element, Refusal> {
        let refused = |found: &str| {
            let cause = format!("found elements of type `{found}`, expected real numbers (f4, f8, integers or bool)");
            (cause, "convert before saving: `numpy.save(path, a.astype(\"float64\"))`".to_owned())
        };
        let quoted = descr.strip_prefix(['\'', '"']).and_then(|rest| rest.split(['\'', '"']).next());
        let name = quoted.ok_or_else(|| refused("record"))?;
        let order = name.chars().next().filter(|order| "<>|=".contains(*order));
        let order = order.ok_or_else(|| refused(name))?;
        let (kind, size) = match &name[1..] {
            "f8" => (b'f', 8),
            "f4" => (b'f', 4),
            "i8" => (b'i', 8),
            "i4" => (b'i', 4),
            "i2" => (b'i', 2),
            "i1" => (b'i', 1),
            "u8" => (b'u', 8),
            "u4" => (b'u', 4),
            "u2" => (b'u', 2),
            "u1" | "b1" => (b'u', 1),
            _ => return Err(refused(name)),
        };
        Ok(Element { kind, size, big_endian: order == '>' })
    }

    fn read(self, bytes: &[u8]) -> f64 {
        let mut word = [0; 8];
        for (place, index) in word.iter_mut().zip(0..self.size) {
            *place = bytes[if self.big_endian { self.size - 1 - index } else { index }];
        }
        let word = u64::from_le_bytes(word);
        let unused = 64 - 8 * self.size as u32;
        match (self.kind, self.size) {
            (b'f', 8) => f64::from_bits(word),
            (b'f', _) => f64::from(f32::from_bits(word as u32)),
            // Shifting up and down again copies the sign into the unused bits.
            (b'i', _) => ((word << unused) as i64 >> unused) as f64,
            _ => word as f64,
        }
    }
}
