//! What is recorded: variables, some of their units, and sums and means over units.

use std::ops::Range;

use super::Observable;
use crate::diagnostic::{Diagnostics, Result, settings as fault};
use crate::ir::event::Recorded as Spiking;
use crate::ir::expr::{ExprId, Op, SpaceId};
use crate::ir::system::{Connection, System, Values};
use crate::kernel::ir::{BufferId, BufferRole, Module};
use crate::model::{Circuit, Found, Role, Variable, VariableRef};
use crate::source::{Name, Span};

/// What a recorded column holds.
#[derive(Clone, PartialEq, Debug)]
pub struct Label {
    /// Its name: `x`, `x[3]`, `z.re`.
    pub name: String,
    /// The name that columns which belong together share.
    pub group: String,
    /// Unit, if the model states one.
    pub unit: Option<String>,
}

/// What is taken of a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Measure {
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
struct Quantity {
    pub measure: Measure,
    /// The path, with the index of a unit if there is one.
    pub path: Name,
    /// Some of the units: from, to, every.
    range: Option<(Option<usize>, Option<usize>, usize)>,
}

/// A recorded variable.
#[derive(Clone, Debug)]
pub struct Recorded {
    label: Label,
    variable: VariableRef,
    /// Its elements, from the first of the variable on.
    elements: Vec<usize>,
    /// Whether columns have the numbers of the elements, not their own.
    numbered: bool,
    measure: Measure,
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
                None => return Err(fault::unknown_measure(text, name.trim()).into()),
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

fn range(text: &Name, rest: &str) -> Result<(Option<usize>, Option<usize>, usize)> {
    let malformed = || fault::malformed_range(text);
    let inner = rest.strip_suffix(']').ok_or_else(malformed)?;
    let number = |part: &str| match part.trim() {
        "" => Ok(None),
        digits => digits.parse().map(Some).map_err(|_| Diagnostics::from(malformed())),
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
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// What has to be observed.
    pub observables: Vec<Observable>,
    /// Label, value and element of each column.
    pub places: Vec<(Label, ExprId, usize)>,
    /// The events whose spikes are recorded, as in the system.
    pub events: Vec<Label>,
}

impl Columns {
    /// Adds what a recorded variable asks for.
    pub fn add(&mut self, system: &mut System, recorded: Recorded) {
        let at = recorded.variable;
        if let Some(place) = system.event_places.get(&(at.population, at.operator, at.variable)).cloned()
            && recorded.measure == Measure::Values
        {
            return self.event(system, &place, recorded);
        }
        let Some(location) = system.location(at).cloned() else { return };
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

    /// Spikes of consecutive units are recorded together.
    fn event(&mut self, system: &mut System, place: &Spiking, recorded: Recorded) {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for unit in recorded.elements {
            match runs.last_mut() {
                Some(run) if run.end == unit => run.end += 1,
                _ => runs.push(unit..unit + 1),
            }
        }
        for units in &runs {
            let name = match runs.len() {
                1 => recorded.label.name.clone(),
                _ => format!("{}[{}]", recorded.label.name, units.start),
            };
            self.events.push(Label { name, ..recorded.label.clone() });
            let first = place.first + units.start;
            system.recorded.push(Spiking { event: place.event, first, count: units.len(), unit: units.start });
        }
    }

    /// Where a column is in the buffers of a module: the buffer and the element of it.
    pub fn located(&self, system: &System, module: &Module, value: ExprId, element: usize) -> (BufferId, usize) {
        let role = match system.graph.node(value).op {
            Op::State(state) => BufferRole::State(state),
            _ => {
                let index = self.observables.iter().position(|o| o.value == value);
                BufferRole::Observed(index.expect("every recorded value is a state or observed") as u32)
            }
        };
        let buffer = module.buffer(role).expect("states and observables have buffers");
        let scalar = module.buffers[buffer.index()].len == 1;
        (buffer, if scalar { 0 } else { element })
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

/// What is wrong with any of the texts, or what each asks for.
fn quantities(record: &[(Name, Name)]) -> Result<Vec<Quantity>> {
    let mut faults = Diagnostics::new();
    let found = record.iter().filter_map(|(_, text)| faults.absorb(Quantity::parse(text))).collect();
    faults.into_result(found)
}

/// What settings (name, what is wanted) ask for; without any, every output of the circuit, or, if it has none, every state.
pub fn recorded(circuit: &Circuit, wanted: &[(Name, Name)]) -> Result<Vec<Recorded>> {
    let mut recorded = Vec::new();
    let mut faults = Diagnostics::new();
    for ((name, text), quantity) in wanted.iter().zip(quantities(wanted)?) {
        let Some(found) = faults.absorb(circuit.find(&quantity.path)) else { continue };
        let many = found.len() > 1;
        for one in found {
            let variable = one.variable;
            let (count, chosen) = circuit.extent(variable);
            let Some(elements) = faults.absorb(quantity.elements(text, &one, count, chosen)) else { continue };
            let node = &circuit.populations[variable.population].path;
            // A range that is its own name gives its columns those of the units: `v[20]`.
            let numbered = quantity.ranges();
            let name = if numbered && name.text == text.text { &quantity.path } else { name };
            let full = if many { format!("{name}[{node}]") } else { name.to_string() };
            let unit = circuit.variable(variable).unit.clone();
            let label = Label { name: full, group: name.to_string(), unit };
            recorded.push(Recorded { label, variable, elements, numbered, measure: quantity.measure });
        }
    }
    faults.into_result(())?;
    if wanted.is_empty() {
        recorded = outputs(circuit);
    }
    if recorded.is_empty() { Err(fault::nothing_recorded().into()) } else { Ok(recorded) }
}

/// Every event and every output variable (or, in a circuit without any, every state), named by its shortest unambiguous
/// path.
fn outputs(circuit: &Circuit) -> Vec<Recorded> {
    let mut all = circuit.variables();
    let is_output = |v: &Variable| v.output && matches!(v.role, Role::State | Role::Output);
    let any = all.iter().any(|(_, v)| is_output(v));
    let wanted = |v: &Variable| if any { is_output(v) } else { v.role == Role::State };
    all.retain(|(_, v)| v.role == Role::Event || wanted(v));
    all.iter()
        .map(|(at, variable)| {
            let short = all.iter().filter(|(_, other)| other.name == variable.name).count() == 1;
            let name = if short { variable.name.to_string() } else { circuit.path(*at) };
            let label = Label { name: name.clone(), group: name, unit: variable.unit.clone() };
            let elements = (0..circuit.extent(*at).0).collect();
            Recorded { label, variable: *at, elements, numbered: false, measure: Measure::Values }
        })
        .collect()
}
