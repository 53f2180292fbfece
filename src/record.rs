//! What is recorded: variables, some of their units, and sums and means over units.

use std::ops::Range;

use nullcline_compiler::diagnostic::{Diagnostic, Diagnostics, Result};
use nullcline_compiler::ir::expr::{ExprId, Op, SpaceId};
use nullcline_compiler::ir::system::{Connection, System, Values};
use nullcline_compiler::model::{Found, VariableRef};
use nullcline_compiler::pass::Observable;
use nullcline_compiler::source::{Name, Span};
use nullcline_runtime::observe::Label;

/// What is taken of a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Measure {
    /// Every element.
    Values,
    /// The sum over the elements.
    Sum,
    /// The mean of the elements.
    Mean,
}

/// Measures by the name they are called by.
const MEASURES: &[(&str, Measure)] = &[("sum", Measure::Sum), ("mean", Measure::Mean)];

/// `path`, `path[3]`, `path[0:100]`, `path[0:100:10]`, `mean(path)`, ..
pub(crate) struct Quantity {
    pub measure: Measure,
    /// The path, with the index of a unit if there is one.
    pub path: Name,
    /// Some of the units: from, to, every.
    range: Option<(Option<usize>, Option<usize>, usize)>,
}

/// A recorded variable.
pub(crate) struct Recorded {
    pub label: Label,
    pub variable: VariableRef,
    /// Its elements, from the first of the variable on.
    pub elements: Vec<usize>,
    /// Whether columns have the numbers of the elements, not their own.
    pub numbered: bool,
    pub measure: Measure,
}

impl Quantity {
    /// Reads what a text asks for.
    pub fn parse(text: &Name) -> Result<Quantity> {
        let whole = text.text.trim();
        let called = whole.strip_suffix(')').and_then(|rest| rest.split_once('('));
        let (measure, path) = match called {
            None => (Measure::Values, whole),
            Some((name, path)) => match MEASURES.iter().find(|(known, _)| *known == name.trim()) {
                Some((_, measure)) => (*measure, path.trim()),
                None => return Err(unknown_measure(text, name.trim()).into()),
            },
        };
        let (path, range) = match path.split_once('[') {
            Some((stem, rest)) if rest.contains(':') => (stem, Some(range(text, rest)?)),
            _ => (path, None),
        };
        Ok(Quantity { measure, path: part(text, path), range })
    }

    /// Whether it takes a range of units.
    pub fn ranges(&self) -> bool {
        self.range.is_some() && self.measure == Measure::Values
    }

    /// The elements to take of a variable with `count` elements, `chosen` of them for each unit.
    pub fn elements(&self, text: &Name, found: &Found, count: usize, chosen: usize) -> Result<Vec<usize>> {
        let units = count / chosen;
        let of = |units: Range<usize>| units.start * chosen..units.end * chosen;
        let Some((from, to, every)) = self.range else {
            return Ok(of(found.index.map_or(0..units, |i| i..i + 1)).collect());
        };
        let (from, to) = (from.unwrap_or(0), to.unwrap_or(units));
        if from >= to || to > units {
            return Err(out_of_range(text, (from, to), units).into());
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

fn range(text: &Name, rest: &str) -> Result<(Option<usize>, Option<usize>, usize)> {
    let malformed = || malformed_range(text);
    let inner = rest.strip_suffix(']').ok_or_else(malformed)?;
    let number = |part: &str| match part.trim() {
        "" => Ok(None),
        digits => digits.parse().map(Some).map_err(|_| malformed()),
    };
    match inner.split(':').collect::<Vec<&str>>()[..] {
        [from, to] => Ok((number(from)?, number(to)?, 1)),
        [from, to, every] => match number(every)?.unwrap_or(1) {
            0 => Err(malformed().into()),
            every => Ok((number(from)?, number(to)?, every)),
        },
        _ => Err(malformed().into()),
    }
}

/// Columns to be recorded: label, value and element of each, and what has to be observed for them.
#[derive(Default)]
pub(crate) struct Columns {
    pub observables: Vec<Observable>,
    pub places: Vec<(Label, ExprId, usize)>,
}

impl Columns {
    /// Adds what a recorded variable asks for.
    pub fn add(&mut self, system: &mut System, recorded: Recorded) {
        let Some(location) = system.location(recorded.variable).cloned() else { return };
        let Recorded { label, elements, numbered, measure, .. } = recorded;
        let parts = match location.im {
            None => vec![("", location.re)],
            Some(im) => vec![(".re", location.re), (".im", im)],
        };
        if measure != Measure::Values {
            let elements: Vec<u32> = elements.iter().map(|e| (location.first + e) as u32).collect();
            for (suffix, value) in parts {
                let value = over(system, &label.name, measure, value, &elements);
                self.place(system, Label { name: format!("{}{suffix}", label.name), ..label.clone() }, value, 0);
            }
            return;
        }
        let several = elements.len() > 1 || numbered;
        for (i, element) in elements.into_iter().enumerate() {
            let number = if numbered { element } else { i };
            let name = if several { format!("{}[{number}]", label.name) } else { label.name.clone() };
            for &(suffix, value) in &parts {
                let label = Label { name: format!("{name}{suffix}"), ..label.clone() };
                self.place(system, label, value, location.first + element);
            }
        }
    }

    fn place(&mut self, system: &System, label: Label, value: ExprId, element: usize) {
        self.places.push((label, value, element));
        let is_state = matches!(system.graph.node(value).op, Op::State(_));
        if !is_state && !self.observables.iter().any(|o| o.value == value) {
            self.observables.push(Observable { name: format!("observed_{}", self.observables.len()), value });
        }
    }
}

/// The sum or mean of elements, added up in their order.
fn over(system: &mut System, name: &str, measure: Measure, value: ExprId, elements: &[u32]) -> ExprId {
    let source = system.graph.space(value);
    let count = elements.len() as f64;
    let sum = if source == SpaceId::SCALAR {
        // One number stands for all elements.
        let count = system.graph.constant(count);
        system.graph.product(value, count)
    } else {
        let connection = Connection {
            name: name.to_string(),
            source,
            target: SpaceId::SCALAR,
            starts: vec![0, elements.len() as u32].into(),
            sources: elements.into(),
            weights: Values::Uniform(1.0),
            delays: None,
        };
        system.couple(connection, value)
    };
    match measure {
        Measure::Mean => {
            let count = system.graph.constant(count);
            system.graph.quotient(sum, count)
        }
        _ => sum,
    }
}

fn unknown_measure(text: &Name, name: &str) -> Diagnostic {
    let message = format!("`{name}` is nothing that can be recorded of a variable");
    Diagnostic::error("record-measure", text.span, message, "expected a path, `mean(path)` or `sum(path)`")
        .with_help("define it as a variable of the operator, and record that")
}

fn malformed_range(text: &Name) -> Diagnostic {
    let message = format!("`{text}` has no range of units");
    Diagnostic::error("record-range", text.span, message, "expected `path[from:to]` or `path[from:to:every]`")
        .with_help("units are counted from 0, and `to` is not among them: `v[0:10]` are the first ten")
}

fn out_of_range(text: &Name, (from, to): (usize, usize), units: usize) -> Diagnostic {
    let message = format!("there are {units} units, counted from 0, and no {from}:{to} among them");
    Diagnostic::error("record-range", text.span, message, "out of range").with_help(format!("use `[0:{units}]`"))
}

/// What is wrong with any of the texts, or what each asks for.
pub(crate) fn quantities(record: &[(Name, Name)]) -> std::result::Result<Vec<Quantity>, Diagnostics> {
    let mut faults = Diagnostics::new();
    let found = record.iter().filter_map(|(_, text)| faults.absorb(Quantity::parse(text))).collect();
    faults.into_result(found)
}
