//! The `simulate:` section: settings that turn a model file into a whole experiment.

use super::edit::{mapped, required_text};
use super::fields::{mapping, only};
use super::value::{count, real};
use super::variable::override_value;
use crate::diagnostic::{Diagnostics, template as fault};
use crate::source::{Name, Span};
use crate::syntax::text::MappedText;
use crate::syntax::yaml::{Node, Value};
use crate::template::Literal;

/// Settings of a simulation as written in a file or on the command line; `None` means not given.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Simulate {
    /// The template to run when the file defines several circuits.
    pub template: Option<Name>,
    /// Simulated time, in time units of the model.
    pub duration: Option<f64>,
    /// Step size.
    pub dt: Option<f64>,
    /// Integration scheme by name.
    pub scheme: Option<Name>,
    /// Time between recorded rows; a multiple of `dt`.
    pub sample_every: Option<f64>,
    /// Rows before this time are dropped.
    pub cutoff: Option<f64>,
    /// Whether the state at t = duration is a row too.
    pub include_end: Option<bool>,
    /// `f32` or `f64`.
    pub precision: Option<Name>,
    /// What holds before time 0 for delayed quantities: `initial` or `zero`.
    pub history: Option<Name>,
    /// Seed of all random numbers.
    pub seed: Option<u64>,
    /// Values of variables: (path, value).
    pub set: Vec<(Name, Literal)>,
    /// Extrinsic inputs: (path, specification), see [`crate::model`].
    pub inputs: Vec<(Name, MappedText)>,
    /// Recorded variables: (column name, path).
    pub record: Vec<(Name, Name)>,
    /// Numbers as a file gave them, with their places: (key, number, place).
    pub written: Vec<(&'static str, f64, Span)>,
}

impl Simulate {
    /// Where the number of a key stands, if it is still the one that was written there.
    pub fn place(&self, key: &str, number: Option<f64>) -> Span {
        let written = self.written.iter().find(|(k, n, _)| *k == key && Some(*n) == number);
        written.map_or(Span::NOWHERE, |(_, _, span)| *span)
    }
}

/// The keys of the section.
pub const KEYS: &[&str] = &[
    "template",
    "duration",
    "dt",
    "scheme",
    "sample_every",
    "cutoff",
    "include_end",
    "precision",
    "history",
    "seed",
    "set",
    "inputs",
    "record",
];

/// Reads the value of the key `simulate`.
pub(super) fn simulate(node: &Node, out: &mut Diagnostics) -> Simulate {
    let mut read = Simulate::default();
    let Some(entries) = mapping(node, "`simulate`", out) else {
        return read;
    };
    only(entries, KEYS, "the section `simulate`", out);
    for entry in entries.iter().filter(|e| e.value.value != Value::Null) {
        let (key, value) = (&*entry.key.text, &entry.value);
        let what = format!("`{key}`");
        match key {
            "template" => read.template = required_text(value, &what, out),
            "duration" => read.duration = positive(value, &what, true, out),
            "dt" => read.dt = positive(value, &what, true, out),
            "sample_every" => read.sample_every = positive(value, &what, true, out),
            "cutoff" => read.cutoff = positive(value, &what, false, out),
            "scheme" => read.scheme = required_text(value, &what, out),
            "precision" => read.precision = required_text(value, &what, out),
            "history" => read.history = required_text(value, &what, out),
            "include_end" => read.include_end = truth(value, &what, out),
            "seed" => read.seed = count(value, &what, 0, out),
            "set" => {
                for entry in mapping(value, &what, out).unwrap_or(&[]) {
                    let value = override_value(&entry.value, &format!("`{}`", entry.key), out);
                    read.set.extend(value.map(|value| (entry.key.clone(), value)));
                }
            }
            "inputs" => {
                for entry in mapping(value, &what, out).unwrap_or(&[]) {
                    let text = mapped(&entry.value, &format!("the input `{}`", entry.key), out);
                    read.inputs.extend(text.map(|text| (entry.key.clone(), text)));
                }
            }
            "record" => read.record = record(value, out),
            _ => {}
        }
    }
    for (key, number) in
        [("duration", read.duration), ("dt", read.dt), ("sample_every", read.sample_every), ("cutoff", read.cutoff)]
    {
        let entry = entries.iter().find(|e| &*e.key.text == key);
        read.written.extend(number.zip(entry).map(|(number, entry)| (key, number, entry.value.span)));
    }
    read
}

/// `{name: path}`, or a path or a list of paths that are their own names.
fn record(node: &Node, out: &mut Diagnostics) -> Vec<(Name, Name)> {
    match &node.value {
        Value::Mapping(entries) => entries
            .iter()
            .filter_map(|e| required_text(&e.value, "a recorded path", out).map(|path| (e.key.clone(), path)))
            .collect(),
        Value::Sequence(items) => {
            let paths = items.iter().filter_map(|item| required_text(item, "a recorded path", out));
            paths.map(|path| (path.clone(), path)).collect()
        }
        _ => required_text(node, "`record`", out).map(|path| (path.clone(), path)).into_iter().collect(),
    }
}

/// A number that is not negative, and not 0 if `strict`.
fn positive(node: &Node, what: &str, strict: bool, out: &mut Diagnostics) -> Option<f64> {
    let x = real(node, what, out)?;
    if x < 0.0 || (strict && x == 0.0) {
        out.push(fault::not_positive(node.span, what, strict));
        return None;
    }
    Some(x)
}

fn truth(node: &Node, what: &str, out: &mut Diagnostics) -> Option<bool> {
    let name = required_text(node, what, out)?;
    match &*name.text {
        "true" | "True" | "yes" => Some(true),
        "false" | "False" | "no" => Some(false),
        _ => {
            out.push(fault::unknown_choice(&name, what, &["true", "false"]));
            None
        }
    }
}
