//! Numbers, texts and declarations as YAML.

use std::fmt::Write;

use crate::syntax::print;
use crate::template::connectivity::Space;
use crate::template::distribution::Distribution;
use crate::template::profile::Profile;
use crate::template::{Complex, Declared, Literal, VariableTemplate};

/// The shortest text that reads back as the same number.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-4..1e15).contains(&size) { format!("{value}") } else { format!("{value:e}") }
}

fn complex(value: Complex) -> String {
    if value.im == 0.0 {
        return number(value.re);
    }
    let sign = if value.im.is_sign_negative() { "-" } else { "+" };
    format!("{}{sign}{}j", number(value.re), number(value.im.abs()))
}

/// A number, a list or a matrix.
pub(super) fn literal(value: &Literal) -> String {
    let list = |items: Vec<String>| format!("[{}]", items.join(", "));
    match value {
        Literal::Number(n) => complex(*n),
        Literal::List(numbers) => list(numbers.iter().map(|n| complex(*n)).collect()),
        Literal::Matrix { columns, data, .. } => {
            let rows = data.chunks((*columns).max(1));
            list(rows.map(|row| list(row.iter().map(|x| number(*x)).collect())).collect())
        }
        Literal::Drawn(distribution) => drawn(distribution),
        Literal::Profile(profile) => by_distance(profile),
    }
}

fn by_distance(profile: &Profile) -> String {
    let value = quoted(&print::expression(&profile.value));
    format!("{{distance: {{{}, value: {value}}}}}", space(profile.space, profile.length))
}

/// Where units are, as in a connectivity or a profile.
pub(super) fn space(space: Space, length: f64) -> String {
    let name = match space {
        Space::Line => "line",
        Space::Ring => "ring",
        Space::Grid { torus: false } => "grid",
        Space::Grid { torus: true } => "grid, torus: true",
    };
    format!("space: {name}, length: {}", number(length))
}

pub(super) fn drawn(distribution: &Distribution) -> String {
    let (name, parameters) = distribution.law.written();
    let parameters: Vec<String> = parameters.into_iter().map(number).collect();
    let law = format!("{name}: [{}]", parameters.join(", "));
    let mut entries = vec![if distribution.quantiles { format!("quantiles: {{{law}}}") } else { law }];
    let bounds = [("min", distribution.min), ("max", distribution.max)];
    entries.extend(bounds.into_iter().filter_map(|(key, bound)| bound.map(|b| format!("{key}: {}", number(b)))));
    entries.extend(distribution.seed.map(|seed| format!("seed: {seed}")));
    format!("{{{}}}", entries.join(", "))
}

/// A text in double quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // Separators of lines, and marks that a reader may drop.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key: plain where that is safe.
fn key(text: &str) -> String {
    let mut letters = text.chars();
    let plain = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !matches!(text.to_ascii_lowercase().as_str(), "null" | "true" | "false" | "yes" | "no" | "on" | "off");
    if plain { text.to_string() } else { quoted(text) }
}

/// Longest key, in bytes, that is written without a `?` before it. YAML allows 1024 characters.
const LONGEST_KEY: usize = 1000;

/// A key and its colon on lines of their own, at an indentation of `indent` spaces; the value follows.
pub(super) fn block_key(indent: usize, text: &str) -> String {
    let key = key(text);
    if key.len() > LONGEST_KEY {
        return format!("{0:indent$}? {key}\n{0:indent$}:", "");
    }
    format!("{:indent$}{key}:", "")
}

/// `key: value` between braces.
pub(super) fn flow_entry(text: &str, value: &str) -> String {
    let key = key(text);
    if key.len() > LONGEST_KEY { format!("? {key} : {value}") } else { format!("{key}: {value}") }
}

/// The declaration of a variable.
pub(super) fn variable(declared: &VariableTemplate) -> String {
    let short = short(declared);
    let people = [("unit", &declared.unit), ("description", &declared.description)];
    if short.starts_with('{') {
        let inner = short.strip_prefix('{').and_then(|s| s.strip_suffix('}')).unwrap_or(&short);
        return format!("{{{inner}{}}}", notes(&people));
    }
    match notes(&people) {
        notes if notes.is_empty() => short,
        notes => format!("{{value: {short}{notes}}}"),
    }
}

fn notes(people: &[(&str, &Option<String>)]) -> String {
    let written = people.iter().filter_map(|(k, text)| text.as_ref().map(|t| format!(", {k}: {}", quoted(t))));
    written.collect()
}

/// The shortest form: `0.1`, `"input(0.1)"`, `"variable(1, 3)"`, a list, or a map for what has no shorter one.
fn short(declared: &VariableTemplate) -> String {
    let word = match declared.declared {
        Declared::Input => "input",
        Declared::Output => "output",
        Declared::Variable => "variable",
        Declared::Constant => "constant",
    };
    let own_length = match &declared.value {
        Literal::Number(_) | Literal::Drawn(_) | Literal::Profile(_) => None,
        Literal::List(list) => Some(list.len()),
        Literal::Matrix { rows, columns, .. } => Some(rows * columns),
    };
    let value = literal(&declared.value);
    match (&declared.value, declared.length) {
        (Literal::Number(n), length) if declared.columns.is_none() => {
            if declared.declared == Declared::Constant && length.is_none() && declared.complex == (n.im != 0.0) {
                return value;
            }
            // An imaginary part says that the variable is complex.
            let value = if declared.complex && n.im == 0.0 { format!("{value}+0j") } else { value };
            match length {
                None => format!("\"{word}({value})\""),
                Some(length) => format!("\"{word}({value}, {length})\""),
            }
        }
        (_, length) => {
            let complex = if declared.complex { ", dtype: complex" } else { "" };
            let drawn = matches!(declared.value, Literal::Drawn(_));
            if declared.declared == Declared::Constant && length == own_length && !declared.complex && !drawn {
                return value;
            }
            let shape = match (length, declared.columns) {
                (Some(length), Some(columns)) => format!(", shape: [{}, {columns}]", length / columns.max(1)),
                (Some(length), None) if drawn => format!(", shape: [{length}]"),
                (None, _) if own_length.is_some() => ", per: unit".to_string(),
                _ => String::new(),
            };
            format!("{{vtype: {word}, value: {value}{shape}{complex}}}")
        }
    }
}
