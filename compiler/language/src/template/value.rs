//! Numbers, lists and matrices as written in YAML.

use super::distribution::distribution;
use crate::diagnostic::{Diagnostics, Result, template as fault};
use crate::syntax::yaml::{Node, Value};
use crate::template::{Complex, Literal};

/// A number as YAML or Python write it: `1`, `-2.5e-3`, `1_000`, `0x10`, `.inf`, `true` (1), `2j`, `0.5-1j`.
pub fn parse_number(text: &str) -> Option<Complex> {
    let text = text.trim();
    let text = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(text).trim();
    if let Some(re) = parse_real(text) {
        return Some(Complex { re, im: 0.0 });
    }
    let body = text.strip_suffix(['j', 'J'])?;
    // The sign that splits real and imaginary part is the last one that is no exponent's.
    let bytes = body.as_bytes();
    let split =
        (1..bytes.len()).rev().find(|&i| matches!(bytes[i], b'+' | b'-') && !matches!(bytes[i - 1], b'e' | b'E'));
    let imaginary = |part: &str| match part.trim() {
        "" | "+" => Some(1.0),
        "-" => Some(-1.0),
        part => parse_real(&part.replace(' ', "")),
    };
    match split {
        Some(at) => Some(Complex { re: parse_real(body[..at].trim())?, im: imaginary(&body[at..])? }),
        None => Some(Complex { re: 0.0, im: imaginary(body)? }),
    }
}

fn parse_real(text: &str) -> Option<f64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    // Most numbers are plain; what follows is for the others.
    if digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return digits.parse::<f64>().ok().map(|x| sign * x);
    }
    let lower = digits.to_ascii_lowercase();
    match lower.as_str() {
        ".inf" | "inf" | "infinity" => return Some(sign * f64::INFINITY),
        ".nan" | "nan" => return Some(f64::NAN),
        "true" if text == digits => return Some(1.0),
        "false" if text == digits => return Some(0.0),
        _ => {}
    }
    if let Some(hex) = lower.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(|n| sign * n as f64);
    }
    let first = *lower.as_bytes().first()?;
    if !(first.is_ascii_digit() || first == b'.') {
        return None;
    }
    let plain = if lower.contains('_') { lower.replace('_', "") } else { lower };
    plain.parse::<f64>().ok().map(|x| sign * x)
}

/// The number a scalar node holds, or what is wrong with it.
pub(super) fn number(node: &Node, what: &str) -> Result<Complex> {
    let Value::Scalar(scalar) = &node.value else {
        return Err(fault::wrong_form(node, what, "a number").into());
    };
    let text = scalar.text.as_str();
    match parse_number(text) {
        Some(n) if n.re.is_finite() && n.im.is_finite() => Ok(n),
        Some(_) => Err(fault::not_finite(node.span, what, text).into()),
        None => Err(fault::not_a_number(node.span, what, text).into()),
    }
}

/// A real number.
pub(super) fn real(node: &Node, what: &str, out: &mut Diagnostics) -> Option<f64> {
    match number(node, what) {
        Ok(n) if n.im == 0.0 => Some(n.re),
        Ok(_) => {
            out.push(fault::complex_refused(node.span, what));
            None
        }
        Err(fault) => {
            out.0.extend(fault);
            None
        }
    }
}

/// A count: an integer of at least `least`.
pub(super) fn count(node: &Node, what: &str, least: u64, out: &mut Diagnostics) -> Option<u64> {
    let n = real(node, what, out)?;
    // Beyond 2^53 a written integer is no longer represented exactly.
    if n.fract() == 0.0 && n >= least as f64 && n <= 9_007_199_254_740_992.0 {
        return Some(n as u64);
    }
    out.push(fault::not_a_count(node.span, what, least));
    None
}

/// A number, a list of numbers, a list of equally long lists of numbers, or a distribution.
pub(super) fn literal(node: &Node, what: &str, out: &mut Diagnostics) -> Option<Literal> {
    let Value::Sequence(items) = &node.value else {
        if let Value::Mapping(_) = &node.value {
            return distribution(node, what, out).map(Literal::Drawn);
        }
        return out.absorb(number(node, what)).map(Literal::Number);
    };
    if items.is_empty() {
        out.push(fault::empty_list(node.span, what));
        return None;
    }
    if !items.iter().any(|i| matches!(i.value, Value::Sequence(_))) {
        let numbers: Vec<Option<Complex>> = items.iter().map(|i| out.absorb(number(i, what))).collect();
        return numbers.into_iter().collect::<Option<Vec<Complex>>>().map(Literal::List);
    }
    matrix(items, what, out)
}

fn matrix(items: &[Node], what: &str, out: &mut Diagnostics) -> Option<Literal> {
    let mut data = Vec::new();
    let mut columns = None;
    let mut whole = true;
    for item in items {
        let Value::Sequence(row) = &item.value else {
            out.push(fault::wrong_form(item, &format!("a row of {what}"), "a list of numbers"));
            return None;
        };
        if *columns.get_or_insert(row.len()) != row.len() {
            out.push(fault::ragged_matrix(item.span, what, columns.unwrap_or(0), row.len()));
            return None;
        }
        for entry in row.iter() {
            match real(entry, what, out) {
                Some(x) => data.push(x),
                None => whole = false,
            }
        }
    }
    whole.then_some(Literal::Matrix { rows: items.len(), columns: columns.unwrap_or(0), data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_python_would() {
        let read = |t: &str| parse_number(t).map(|c| (c.re, c.im));
        assert_eq!(read("1e-3"), Some((1e-3, 0.0)));
        assert_eq!(read("-.5"), Some((-0.5, 0.0)));
        assert_eq!(read("1_000"), Some((1000.0, 0.0)));
        assert_eq!(read("0x10"), Some((16.0, 0.0)));
        assert_eq!(read("0.0+1.0j"), Some((0.0, 1.0)));
        assert_eq!(read("(1e-3-2e-1j)"), Some((1e-3, -0.2)));
        assert_eq!(read("-2j"), Some((0.0, -2.0)));
        assert_eq!(read("true"), Some((1.0, 0.0)));
        for text in ["", "1/3", "x", "1 2", "j2", "e5", "--1", "input"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
