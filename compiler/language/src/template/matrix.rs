//! Matrices from data files: `.csv` (numbers separated by commas, semicolons, tabs or spaces) and `.npy`.

use super::Literal;
use super::resolve::Loader;
use crate::diagnostic::template as fault;
use crate::source::Name;

impl Loader<'_> {
    /// The matrix in the data file `name`.
    pub(super) fn data_matrix(&mut self, home: usize, name: &Name) -> Option<Literal> {
        let (shape, data) = self.data_array(home, name)?;
        let (rows, columns) = match shape[..] {
            [columns] => (1, columns),
            [rows, columns] => (rows, columns),
            _ => {
                let message = format!("it has {} dimensions, not one or two", shape.len());
                self.out.push(fault::bad_data_file(name.span, &name.text, &message));
                return None;
            }
        };
        Some(Literal::Matrix { rows, columns, data })
    }

    /// The numbers in the data file `name`, and the length of each dimension.
    pub(super) fn data_array(&mut self, home: usize, name: &Name) -> Option<Array> {
        let (path, content) = self.data(home, name)?;
        let read = if name.text.ends_with(".npy") { parse_npy(&content) } else { parse_csv(&content) };
        let message = match read {
            Ok((shape, data)) => match data.iter().position(|x| !x.is_finite()) {
                Some(at) => {
                    let columns = shape.last().copied().unwrap_or(1);
                    let (row, column) = (at / columns + 1, at % columns + 1);
                    format!("the number in row {row}, column {column} is not finite")
                }
                None => return Some((shape, data)),
            },
            Err(message) => message,
        };
        self.out.push(fault::bad_data_file(name.span, &path, &message));
        None
    }
}

/// The length of each dimension, and the numbers, the last dimension fastest.
type Array = (Vec<usize>, Vec<f64>);

/// Rows of numbers. Empty lines and lines that begin with `#` do not count.
fn parse_csv(content: &[u8]) -> Result<Array, String> {
    let text = std::str::from_utf8(content).map_err(|_| "it is not UTF-8 text".to_string())?;
    let mut data = Vec::new();
    let (mut rows, mut columns) = (0, 0);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let before = data.len();
        let fields: Box<dyn Iterator<Item = &str>> = if line.contains([',', ';']) {
            Box::new(line.split([',', ';']))
        } else {
            Box::new(line.split_whitespace())
        };
        for (column, field) in fields.enumerate() {
            let field = field.trim();
            let value: f64 = field
                .parse()
                .map_err(|_| format!("line {}, column {}: `{field}` is not a number", number + 1, column + 1))?;
            data.push(value);
        }
        let found = data.len() - before;
        if rows == 0 {
            columns = found;
        } else if found != columns {
            return Err(format!("line {} has {found} numbers, the lines before have {columns}", number + 1));
        }
        rows += 1;
    }
    if data.is_empty() { Err("it holds no numbers".to_string()) } else { Ok((vec![rows, columns], data)) }
}

/// NumPy's format, version 1 to 3: little-endian numbers, C order.
fn parse_npy(content: &[u8]) -> Result<Array, String> {
    let broken = || "it is not an .npy file".to_string();
    let rest = content.strip_prefix(b"\x93NUMPY").ok_or_else(broken)?;
    let (version, rest) = rest.split_at_checked(2).ok_or_else(broken)?;
    let prefix = if version[0] == 1 { 2 } else { 4 };
    let (length, rest) = rest.split_at_checked(prefix).ok_or_else(broken)?;
    let length = length.iter().rev().fold(0usize, |n, byte| n << 8 | usize::from(*byte));
    let (header, body) = rest.split_at_checked(length).ok_or_else(broken)?;
    let header = std::str::from_utf8(header).map_err(|_| broken())?;
    let field = |key: &str| header.split_once(key).map(|(_, rest)| rest.trim_start_matches([':', ' ', '\'']));
    if field("'fortran_order'").is_none_or(|v| v.starts_with("True")) {
        return Err("it is in Fortran order; save it with numpy.ascontiguousarray".to_string());
    }
    let shape =
        field("'shape'").and_then(|v| v.strip_prefix('(')).and_then(|v| v.split_once(')')).ok_or_else(broken)?.0;
    let shape: Vec<usize> = shape
        .split(',')
        .filter(|part| !part.trim().is_empty())
        .map(|part| part.trim().parse().map_err(|_| broken()))
        .collect::<Result<_, _>>()?;
    let kind = field("'descr'").and_then(|v| v.split('\'').next()).unwrap_or("");
    let data: Vec<f64> = match kind {
        "<f8" => numbers(body, f64::from_le_bytes),
        "<f4" => numbers(body, |b| f64::from(f32::from_le_bytes(b))),
        "<i8" => numbers(body, |b| i64::from_le_bytes(b) as f64),
        "<i4" => numbers(body, |b| f64::from(i32::from_le_bytes(b))),
        "|b1" | "|u1" => numbers(body, |b: [u8; 1]| f64::from(b[0])),
        _ => {
            return Err(format!("its numbers are of type `{kind}`; save them as float64"));
        }
    };
    match shape.iter().try_fold(1usize, |product, n| product.checked_mul(*n)) {
        Some(0) | None => Err("it holds no numbers".to_string()),
        Some(n) if n != data.len() => Err(format!("it announces {n} numbers and holds {}", data.len())),
        Some(_) => Ok((shape, data)),
    }
}

fn numbers<const N: usize>(body: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    body.as_chunks::<N>().0.iter().map(|bytes| read(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_rows_must_agree() {
        assert_eq!(parse_csv(b"# w\n1, 2\n3;4\n"), Ok((vec![2, 2], vec![1.0, 2.0, 3.0, 4.0])));
        assert_eq!(parse_csv(b"1 2\n3\n"), Err("line 2 has 1 numbers, the lines before have 2".to_string()));
        assert_eq!(parse_csv(b"1,x\n"), Err("line 1, column 2: `x` is not a number".to_string()));
    }

    #[test]
    fn npy_is_read_by_its_header() {
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }\n";
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(1.5f64.to_le_bytes());
        file.extend((-2.0f64).to_le_bytes());
        assert_eq!(parse_npy(&file), Ok((vec![1, 2], vec![1.5, -2.0])));
        assert!(parse_npy(&file[..file.len() - 1]).is_err());
        assert!(parse_npy(b"\x93NUMPY").is_err());
    }
}
