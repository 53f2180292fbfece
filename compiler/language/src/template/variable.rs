//! Declarations of variables: the entries of an operator's `variables` map.

use super::distribution::law_entry;
use super::edge::is_data_file;
use super::fields::{get, only, text};
use super::value::{literal, number, parse_number};
use crate::diagnostic::{Diagnostics, Result, template as fault};
use crate::source::{Name, Span};
use crate::syntax::yaml::{Entry, Node, Value};
use crate::template::{Complex, Declared, Literal, VariableTemplate};

/// Most elements of a vector variable.
const MAX_LENGTH: usize = 1 << 24;

/// A declaration without its name.
struct Declaration {
    declared: Declared,
    complex: bool,
    length: Option<usize>,
    columns: Option<usize>,
    value: Literal,
}

/// Whether `name` can be used in equations.
pub(super) fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c.is_alphabetic() || c == '_') && letters.all(|c| c.is_alphanumeric() || c == '_')
}

/// The name of the data file that holds the value of an entry of `variables`, if one does.
pub(super) fn data_file(entry: &Entry) -> Option<Name> {
    let value = match &entry.value.value {
        Value::Mapping(fields) => &get(fields, "value").or_else(|| get(fields, "default"))?.value,
        _ => &entry.value,
    };
    let Value::Scalar(scalar) = &value.value else { return None };
    let text = scalar.text.as_str().trim();
    is_data_file(text).then(|| Name::new(text, value.span))
}

/// Reads one entry of `variables`, whose value is `held` if it is in a data file. `None` after a fault, and for `t`, which is
/// always the time.
pub(super) fn variable(entry: &Entry, held: Option<Literal>, out: &mut Diagnostics) -> Option<VariableTemplate> {
    let name = entry.key.clone();
    if !is_identifier(&name.text) {
        out.push(fault::not_an_identifier(&name));
        return None;
    }
    if &*name.text == "pi" {
        out.push(fault::reserved_name(&name));
        return None;
    }
    let what = format!("`{name}`");
    let mut unit = None;
    let mut description = None;
    let declaration = match &entry.value.value {
        Value::Mapping(fields) if law_entry(fields).is_none() => {
            only(fields, &["vtype", "dtype", "shape", "value", "default", "per", "unit", "description"], &what, out);
            let mut optional =
                |key| get(fields, key).and_then(|e| text(&e.value, key, out)).map(|n| n.text.to_string());
            unit = optional("unit");
            description = optional("description");
            full_form(entry, fields, held, &what, out)?
        }
        _ => short_form(&entry.value, held, &what, out)?,
    };
    if &*name.text == "t" {
        return None;
    }
    let Declaration { declared, complex, length, columns, value } = declaration;
    let span = name.span.to(entry.value.span);
    if columns.is_some() && declared != Declared::Constant {
        out.push(fault::matrix_variable(span, &what));
        return None;
    }
    Some(VariableTemplate { name, declared, complex, length, columns, value, unit, description, span })
}

/// `0.1`, `input`, `variable(1.0, 3)`, a list of numbers.
fn short_form(node: &Node, held: Option<Literal>, what: &str, out: &mut Diagnostics) -> Option<Declaration> {
    if let Some(held) = held {
        return Some(constant(held));
    }
    match &node.value {
        Value::Null => {
            out.push(fault::empty_declaration(node.span, what));
            None
        }
        Value::Scalar(scalar) => out.absorb(declaration(scalar.text.as_str(), node.span, what)),
        _ => literal(node, what, out).map(constant),
    }
}

fn constant(value: Literal) -> Declaration {
    let complex = is_complex(&value);
    let (length, columns) = match &value {
        Literal::Number(_) => (None, None),
        Literal::List(list) => (Some(list.len()), None),
        Literal::Matrix { rows, columns, .. } => (Some(rows * columns), Some(*columns)),
        // One number for each unit.
        Literal::Drawn(_) | Literal::Profile(_) => (None, None),
    };
    Declaration { declared: Declared::Constant, complex, length, columns, value }
}

fn is_complex(value: &Literal) -> bool {
    match value {
        Literal::Number(n) => n.im != 0.0,
        Literal::List(list) => list.iter().any(|n| n.im != 0.0),
        Literal::Matrix { .. } | Literal::Drawn(_) | Literal::Profile(_) => false,
    }
}

/// `{vtype, dtype, shape, value, per, unit, description}`, in which only `value` or `vtype` is needed.
fn full_form(
    entry: &Entry,
    fields: &[Entry],
    held: Option<Literal>,
    what: &str,
    out: &mut Diagnostics,
) -> Option<Declaration> {
    // `default` is the spelling of PyRates' first versions.
    let value = get(fields, "value").or_else(|| get(fields, "default"));
    let mut read = match value {
        Some(value) => short_form(&value.value, held, what, out)?,
        None if get(fields, "vtype").is_some() => constant(Literal::Number(Complex::default())),
        None => {
            out.push(fault::empty_declaration(entry.value.span, what));
            return None;
        }
    };
    if let Some(vtype) = get(fields, "vtype") {
        let name = text(&vtype.value, "vtype", out)?;
        read.declared = match &*name.text {
            "constant" | "const" | "parameter" => Declared::Constant,
            "variable" | "state_var" | "state" => Declared::Variable,
            "input" => Declared::Input,
            "output" => Declared::Output,
            _ => {
                out.push(fault::unknown_choice(&name, "vtype", &["constant", "variable", "input", "output"]));
                return None;
            }
        };
    }
    if let Some(dtype) = get(fields, "dtype") {
        let name = text(&dtype.value, "dtype", out)?;
        match name.text.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "complex" => read.complex = true,
            "float" | "int" | "real" | "double" => {}
            _ => out.push(fault::unknown_choice(&name, "dtype", &["float", "int", "complex"])),
        }
    }
    if let Some(shape) = get(fields, "shape") {
        let written = shape_of(&shape.value, out)?;
        let found = match &read.value {
            Literal::Number(_) | Literal::Drawn(_) | Literal::Profile(_) => written.clone(),
            Literal::List(list) => vec![list.len()],
            Literal::Matrix { rows, columns, .. } => vec![*rows, *columns],
        };
        if !written.is_empty() && written != found {
            out.push(fault::shape_mismatch(shape.value.span, what, &written, &found));
        }
        match written[..] {
            [] => {}
            // PyRates writes a number with shape [1].
            [1] if matches!(read.value, Literal::Number(_) | Literal::Drawn(_)) => {}
            _ => {
                read.length = Some(written.iter().product());
                read.columns = written.get(1).copied();
            }
        }
    }
    if let Some(per) = get(fields, "per") {
        let name = text(&per.value, "per", out)?;
        if &*name.text != "unit" {
            out.push(fault::unknown_choice(&name, "per", &["unit"]));
            return None;
        }
        if let (Literal::Matrix { .. }, _) | (_, Some(_)) = (&read.value, get(fields, "shape")) {
            out.push(fault::values_per_unit(per.key.span.to(per.value.span), what));
            return None;
        }
        read.length = None;
    }
    Some(read)
}

/// The extents that `shape` asks for: none for a number, one for a vector, two for a matrix.
fn shape_of(node: &Node, out: &mut Diagnostics) -> Option<Vec<usize>> {
    let wrong = |out: &mut Diagnostics| {
        out.push(fault::wrong_shape(node.span));
        None
    };
    let one = |text: &str| text.trim().parse::<usize>().ok().filter(|n| (1..=MAX_LENGTH).contains(n));
    let lengths: Option<Vec<usize>> = match &node.value {
        // `(3,)` is how Python writes a shape.
        Value::Scalar(s) => {
            let inner = s.text.as_str().trim().trim_start_matches('(').trim_end_matches(')');
            inner.split(',').filter(|part| !part.trim().is_empty()).map(one).collect()
        }
        Value::Sequence(items) => items
            .iter()
            .map(|item| match &item.value {
                Value::Scalar(s) => one(s.text.as_str()),
                _ => None,
            })
            .collect(),
        _ => return wrong(out),
    };
    match lengths {
        Some(extents) if extents.len() <= 2 && extents.iter().product::<usize>() <= MAX_LENGTH => Some(extents),
        _ => wrong(out),
    }
}

/// `0.1`, `input`, `input(0.0)`, `variable(complex)`, `variable(1.0, 3)`.
fn declaration(written: &str, span: Span, what: &str) -> Result<Declaration> {
    let written = written.trim();
    if let Some(n) = parse_number(written) {
        if !n.re.is_finite() || !n.im.is_finite() {
            return Err(fault::not_finite(span, what, written).into());
        }
        return Ok(constant(Literal::Number(n)));
    }
    let (word, arguments) = match written.split_once('(') {
        Some((word, rest)) => match rest.strip_suffix(')') {
            Some(inner) => (word.trim(), Some(inner)),
            None => return Err(fault::unclosed_declaration(span, what, written).into()),
        },
        None => (written, None),
    };
    let declared = match word {
        "input" => Declared::Input,
        "output" => Declared::Output,
        "variable" => Declared::Variable,
        "constant" => Declared::Constant,
        _ => return Err(fault::unknown_declaration(span, what, written, word).into()),
    };
    let mut parts = arguments.unwrap_or("").split(',').map(str::trim);
    let first = parts.next().unwrap_or("");
    let (value, complex) = match first {
        "" | "float" | "real" | "int" => (Complex::default(), false),
        "complex" => (Complex::default(), true),
        number => match parse_number(number) {
            Some(n) if n.re.is_finite() && n.im.is_finite() => (n, n.im != 0.0 || number.ends_with(['j', 'J'])),
            Some(_) => return Err(fault::not_finite(span, what, number).into()),
            None => return Err(fault::not_a_number(span, what, number).into()),
        },
    };
    let length = match parts.next() {
        None => None,
        Some(n) => match n.parse::<usize>() {
            Ok(n) if (1..=MAX_LENGTH).contains(&n) => Some(n),
            _ => return Err(fault::wrong_length(span, what, n).into()),
        },
    };
    if parts.next().is_some() {
        return Err(fault::too_many_arguments(span, what, written).into());
    }
    Ok(Declaration { declared, complex, length, columns: None, value: Literal::Number(value) })
}

/// A value that replaces a variable's own: one number, or one per unit or element, or a matrix for a matrix.
pub(super) fn override_value(node: &Node, what: &str, out: &mut Diagnostics) -> Option<Literal> {
    match &node.value {
        Value::Scalar(_) => out.absorb(number(node, what)).map(Literal::Number),
        _ => literal(node, what, out),
    }
}
