//! What a text asks to record: a variable, some of its units, a measure over them.

use std::ops::Range;

use crate::diagnostic::{Diagnostics, Result, settings as fault};
use crate::source::{Name, Span};

/// What is taken of a variable.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Measure {
    /// Every element.
    Values,
    /// The sum over the elements.
    Sum,
    /// The mean of the elements.
    Mean,
    /// Of an event: spikes per unit and time in a window of this length that ends at the row; without a length the time
    /// between two rows.
    Rate(Option<f64>),
}

/// Measures by the name they are called by.
const MEASURES: &[(&str, Measure)] = &[("sum", Measure::Sum), ("mean", Measure::Mean), ("rate", Measure::Rate(None))];

/// How the variables of edges are called: `edge(source, target, operator/variable)`.
const EDGE: &str = "edge";

/// What a text means.
pub enum Path {
    /// A variable of nodes, with the index of a unit if there is one.
    Variable(Name),
    /// A variable of the operators on the edges from a source to a target.
    Edge(Name, Name, Name),
}

/// `path`, `path[3]`, `path[0:100]`, `path[0:100:10]`, `mean(path)`, `rate(path, 5.0)`, ..
pub struct Quantity {
    /// What is taken of it.
    pub measure: Measure,
    /// What it is taken of.
    pub path: Path,
    /// The text of the path, without a range.
    pub stem: Name,
    /// Some of the units.
    range: Option<Part>,
}

/// Some of the units.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Part {
    /// One of them.
    One(usize),
    /// From, to, every.
    Range(Option<usize>, Option<usize>, usize),
}

impl Quantity {
    /// Reads what a text asks for.
    pub fn parse(text: &Name) -> Result<Quantity> {
        let whole = text.text.trim();
        let called = whole.strip_suffix(')').and_then(|rest| rest.split_once('('));
        let (mut measure, mut path) = match called {
            None => (Measure::Values, whole),
            Some((name, _)) if name.trim() == EDGE => (Measure::Values, whole),
            Some((name, path)) => match MEASURES.iter().find(|(known, _)| *known == name.trim()) {
                Some((_, measure)) => (*measure, path.trim()),
                None => return Err(fault::unknown_measure(text, name.trim()).into()),
            },
        };
        if let (Measure::Rate(_), Some((event, window))) = (measure, path.rsplit_once(',')) {
            let length = window.trim().parse().ok().filter(|w: &f64| w.is_finite() && *w > 0.0);
            let length = length.ok_or_else(|| fault::malformed_window(text, window.trim()))?;
            (measure, path) = (Measure::Rate(Some(length)), event.trim());
        }
        let (path, range) = match path.split_once('[') {
            Some((stem, rest)) if rest.contains(':') => (stem, Some(range(text, rest)?)),
            Some((stem, rest)) if stem.ends_with(')') => (stem, Some(one(text, rest)?)),
            _ => (path, None),
        };
        let stem = part(text, path);
        let inner =
            path.strip_suffix(')').and_then(|rest| rest.split_once('(')).filter(|(name, _)| name.trim() == EDGE);
        let path = match inner {
            None => Path::Variable(stem.clone()),
            Some((_, inner)) => match inner.split(',').map(str::trim).collect::<Vec<_>>()[..] {
                [source, target, variable] => Path::Edge(part(text, source), part(text, target), part(text, variable)),
                _ => return Err(fault::malformed_edge(text).into()),
            },
        };
        Ok(Quantity { measure, path, stem, range })
    }

    /// Whether it takes a range of units.
    pub fn ranges(&self) -> bool {
        matches!(self.range, Some(Part::Range(..))) && self.measure == Measure::Values
    }

    /// The elements to take of a variable with `count` elements, `chosen` of them for each unit.
    pub fn elements(&self, text: &Name, index: Option<usize>, count: usize, chosen: usize) -> Result<Vec<usize>> {
        let units = count / chosen;
        let of = |units: Range<usize>| units.start * chosen..units.end * chosen;
        let (from, to, every) = match self.range {
            None => return Ok(of(index.map_or(0..units, |i| i..i + 1)).collect()),
            Some(Part::One(index)) => (Some(index), index.checked_add(1), 1),
            Some(Part::Range(from, to, every)) => (from, to, every),
        };
        let (from, to) = (from.unwrap_or(0), to.unwrap_or(units));
        if from >= to || to > units {
            return Err(fault::out_of_range(text, (from, to), units).into());
        }
        Ok((from..to).step_by(every).flat_map(|unit| of(unit..unit + 1)).collect())
    }
}

/// A part of a text, with its place where the text stands as it is.
fn part(text: &Name, path: &str) -> Name {
    let offset = path.as_ptr() as usize - text.text.as_ptr() as usize;
    let (start, end) = (text.span.start as usize, text.span.end as usize);
    let span = match end - start == text.text.len() {
        true => Span::new(text.span.file, start + offset, start + offset + path.len()),
        false => text.span,
    };
    Name::new(path, span)
}

fn range(text: &Name, rest: &str) -> Result<Part> {
    let malformed = || fault::malformed_range(text);
    let inner = rest.strip_suffix(']').ok_or_else(malformed)?;
    let number = |part: &str| match part.trim() {
        "" => Ok(None),
        digits => digits.parse().map(Some).map_err(|_| Diagnostics::from(malformed())),
    };
    match inner.split(':').collect::<Vec<&str>>()[..] {
        [from, to] => Ok(Part::Range(number(from)?, number(to)?, 1)),
        [from, to, every] => match number(every)?.unwrap_or(1) {
            0 => Err(malformed().into()),
            every => Ok(Part::Range(number(from)?, number(to)?, every)),
        },
        _ => Err(malformed().into()),
    }
}

/// `3]`: one unit.
fn one(text: &Name, rest: &str) -> Result<Part> {
    let index = rest.strip_suffix(']').and_then(|digits| digits.trim().parse::<usize>().ok());
    Ok(Part::One(index.ok_or_else(|| fault::malformed_range(text))?))
}
