//! What is recorded: variables of nodes and of edges, some of their units, sums and means over units, rates of events.

mod quantity;

use std::ops::Range;
use std::sync::Arc;

use super::Observable;
use crate::diagnostic::{Diagnostics, Result, settings as fault};
use crate::ir::event::Recorded as Spiking;
use crate::ir::expr::{ExprId, Op, SpaceId};
use crate::ir::system::{Connection, Location, System, Values};
use crate::kernel::ir::{BufferId, BufferRole, Module};
use crate::model::{Circuit, Role, Variable, VariableRef};
use crate::source::Name;
use crate::template::Order;

use quantity::{Measure, Path, Quantity};

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

/// A recorded variable.
#[derive(Clone, Debug)]
pub struct Recorded {
    label: Label,
    of: Of,
    /// Its elements, from the first of the variable on.
    elements: Vec<usize>,
    /// Whether columns have the numbers of the elements, not their own.
    numbered: bool,
    measure: Measure,
    /// Steps from one row to the next, and their size.
    sampling: Sampling,
}

/// What a recorded variable belongs to.
#[derive(Clone, Debug)]
enum Of {
    /// A population.
    Node(VariableRef),
    /// Operators on edges: the projections with their numbers of elements, then (operator, variable).
    Edges(Vec<(usize, usize)>, (usize, usize)),
}

/// When rows are taken.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sampling {
    /// The step size.
    pub dt: f64,
    /// Steps from one row to the next.
    pub every: u64,
}

impl Sampling {
    /// Rows at this distance, each step if none is given. (A distance that is no multiple of the step is refused
    /// elsewhere.)
    pub fn new(dt: f64, every: Option<f64>) -> Sampling {
        Sampling { dt, every: every.map_or(1, |every| (every / dt).round().max(1.0) as u64) }
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
        match &recorded.of {
            Of::Node(at) => {
                let at = *at;
                let event = system.event_places.get(&(at.population, at.operator, at.variable)).cloned();
                match (event, recorded.measure) {
                    (Some(place), Measure::Values) => self.event(system, &place, recorded),
                    (Some(place), Measure::Rate(_)) => {
                        let value = rate(system, &place, &recorded);
                        self.place(system, recorded.label, value, 0);
                    }
                    _ => {
                        let place = system.location(at).cloned();
                        let parts = place.map(|place| (place, recorded.elements.clone())).into_iter().collect();
                        self.values(system, parts, &recorded);
                    }
                }
            }
            Of::Edges(projections, variable) => {
                let mut parts = Vec::new();
                let mut before = 0;
                for (projection, count) in projections {
                    let here = before..before + count;
                    let chosen = recorded.elements.iter().filter(|e| here.contains(e)).map(|e| e - before).collect();
                    let place = system.edge_locations.get(*projection, *variable);
                    parts.extend(place.map(|place| (place, chosen)));
                    before = here.end;
                }
                self.values(system, parts, &recorded);
            }
        }
    }

    /// Adds elements of variables, or a measure over them.
    fn values(&mut self, system: &mut System, parts: Vec<(Location, Vec<usize>)>, recorded: &Recorded) {
        let Recorded { label, numbered, measure, .. } = recorded;
        let complex = parts.iter().any(|(place, _)| place.im.is_some());
        let suffixes: &[(&str, bool)] = if complex { &[(".re", false), (".im", true)] } else { &[("", false)] };
        if *measure != Measure::Values {
            for (suffix, imaginary) in suffixes {
                let value = over(system, &label.name, *measure, &parts, *imaginary);
                self.place(system, Label { name: format!("{}{suffix}", label.name), ..label.clone() }, value, 0);
            }
            return;
        }
        let several = recorded.elements.len() > 1 || *numbered;
        let mut places = parts.iter().flat_map(|(place, chosen)| chosen.iter().map(move |e| (place, place.first + e)));
        for (i, element) in recorded.elements.iter().enumerate() {
            let Some((place, at)) = places.next() else { return };
            let number = if *numbered { *element } else { i };
            let name = if several { format!("{}[{number}]", label.name) } else { label.name.clone() };
            for (suffix, imaginary) in suffixes {
                let label = Label { name: format!("{name}{suffix}"), ..label.clone() };
                let value = part(place, *imaginary, system);
                self.place(system, label, value, at);
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

/// The real or imaginary part of a variable; of a real one the imaginary part is 0.
fn part(place: &Location, imaginary: bool, system: &mut System) -> ExprId {
    match (imaginary, place.im) {
        (false, _) => place.re,
        (true, Some(im)) => im,
        (true, None) => system.graph.constant(0.0),
    }
}

/// The sum of elements, added up in their order.
fn sum(system: &mut System, name: &str, value: ExprId, elements: &[u32]) -> ExprId {
    let source = system.graph.space(value);
    if source == SpaceId::SCALAR {
        // One number stands for all elements.
        let count = system.graph.constant(elements.len() as f64);
        return system.graph.product(value, count);
    }
    let (ends, starts) = ((source, SpaceId::SCALAR), [0, elements.len() as u32]);
    let connection = Connection::new(name, ends, starts, elements, Values::Uniform(1.0));
    system.couple(connection, value)
}

/// The sum or mean of elements.
fn over(
    system: &mut System,
    name: &str,
    measure: Measure,
    parts: &[(Location, Vec<usize>)],
    imaginary: bool,
) -> ExprId {
    // Edges that are computed side by side have one value.
    let mut values: Vec<(ExprId, Vec<u32>)> = Vec::new();
    for (place, chosen) in parts {
        let value = part(place, imaginary, system);
        let elements = chosen.iter().map(|e| (place.first + e) as u32);
        match values.last_mut() {
            Some((known, all)) if *known == value => all.extend(elements),
            _ => values.push((value, elements.collect())),
        }
    }
    let count: usize = values.iter().map(|(_, elements)| elements.len()).sum();
    let sums: Vec<ExprId> = values.iter().map(|(value, elements)| sum(system, name, *value, elements)).collect();
    let zero = system.graph.constant(0.0);
    let total = sums.into_iter().reduce(|a, b| system.graph.sum(a, b)).unwrap_or(zero);
    match measure {
        Measure::Mean => {
            let count = system.graph.constant(count as f64);
            system.graph.quotient(total, count)
        }
        _ => total,
    }
}

/// Spikes per unit and time of an event in a window that ends now: the number in each step, which is a whole number however
/// it is added up, kept for as many steps as the window has.
fn rate(system: &mut System, place: &Spiking, recorded: &Recorded) -> ExprId {
    let Recorded { label, elements, measure, sampling, .. } = recorded;
    let steps = match measure {
        Measure::Rate(Some(length)) => (length / sampling.dt).round().max(1.0) as usize,
        _ => sampling.every as usize,
    };
    let event = &system.events[place.event.index()];
    // An event that is tested after the step belongs to the state at its end.
    let happens = match event.order {
        Order::After => Op::Happened(place.event),
        Order::Before => Op::Event(place.event),
    };
    let happens = system.graph.add(happens, Vec::new(), event.space);
    let units: Vec<u32> = elements.iter().map(|unit| (place.first + unit) as u32).collect();
    let mut spikes = sum(system, &label.name, happens, &units);
    if steps > 1 {
        let history = system.add_history(format!("{}.spikes", label.name), SpaceId::SCALAR);
        system.histories[history.index()].value = spikes;
        let ends = (SpaceId::SCALAR, SpaceId::SCALAR);
        let (starts, sources) = (vec![0, steps as u32], vec![0; steps]);
        let window = Connection::new(&label.name, ends, starts, sources, Values::Uniform(1.0));
        let delays: Arc<[u32]> = (0..steps as u32).collect();
        spikes = system.couple_past(window.with_delays(delays), history);
    }
    let whole = system.graph.constant(units.len() as f64 * steps as f64 * sampling.dt);
    system.graph.quotient(spikes, whole)
}

/// What is wrong with any of the texts, or what each asks for.
fn quantities(record: &[(Name, Name)]) -> Result<Vec<Quantity>> {
    let mut faults = Diagnostics::new();
    let found = record.iter().filter_map(|(_, text)| faults.absorb(Quantity::parse(text))).collect();
    faults.into_result(found)
}

/// Windows of rates have at most so many steps: their counts are added up at every row.
const LONGEST_WINDOW: f64 = 1e7;

/// What settings (name, what is wanted) ask for; without any, every output of the circuit, or, if it has none, every state.
pub fn recorded(circuit: &Circuit, wanted: &[(Name, Name)], sampling: Sampling) -> Result<Vec<Recorded>> {
    let mut recorded = Vec::new();
    let mut faults = Diagnostics::new();
    for ((name, text), quantity) in wanted.iter().zip(quantities(wanted)?) {
        let asked = Asked { circuit, name, text, quantity, sampling };
        let found = match &asked.quantity.path {
            Path::Variable(path) => asked.of_nodes(path),
            Path::Edge(source, target, variable) => asked.of_edges(source, target, variable).map(|one| vec![one]),
        };
        recorded.extend(faults.absorb(found).into_iter().flatten());
    }
    faults.into_result(())?;
    if wanted.is_empty() {
        recorded = outputs(circuit, sampling);
    }
    if recorded.is_empty() { Err(fault::nothing_recorded().into()) } else { Ok(recorded) }
}

/// One wish: a name, the text, and what the text means.
struct Asked<'a> {
    circuit: &'a Circuit,
    name: &'a Name,
    text: &'a Name,
    quantity: Quantity,
    sampling: Sampling,
}

impl Asked<'_> {
    fn of_nodes(&self, path: &Name) -> Result<Vec<Recorded>> {
        let (circuit, quantity, text) = (self.circuit, &self.quantity, self.text);
        let found = circuit.find(path)?;
        let many = found.len() > 1;
        let each = found.into_iter().map(|one| {
            let variable = circuit.variable(one.variable);
            self.check_measure(variable)?;
            let (count, chosen) = circuit.extent(one.variable);
            let elements = quantity.elements(text, one.index, count, chosen)?;
            let node = &circuit.populations[one.variable.population].path;
            let name = self.column();
            let full = if many { format!("{name}[{node}]") } else { name.to_string() };
            Ok(self.recorded(full, variable, Of::Node(one.variable), elements))
        });
        each.collect()
    }

    fn of_edges(&self, source: &Name, target: &Name, variable: &Name) -> Result<Recorded> {
        let (projections, at) = self.circuit.on_edges(source, target, variable)?;
        let first = &self.circuit.projections[projections[0]];
        let operators = first.edge.as_deref().map_or(&[][..], |edge| &edge.operators);
        let declared = &operators[at.0].variables[at.1];
        if declared.role == Role::Event {
            return Err(fault::event_of_edge(self.text).into());
        }
        self.check_measure(declared)?;
        let length = declared.length.unwrap_or(1);
        let count = |p: usize| self.circuit.footprint(&self.circuit.projections[p]).connections as usize * length;
        let counts: Vec<(usize, usize)> = projections.into_iter().map(|p| (p, count(p))).collect();
        let all = counts.iter().map(|(_, count)| count).sum();
        let elements = self.quantity.elements(self.text, None, all, length)?;
        Ok(self.recorded(self.column().to_string(), declared, Of::Edges(counts, at), elements))
    }

    /// A range that is its own name gives its columns those of the units: `v[20]`.
    fn column(&self) -> &Name {
        let own = self.quantity.ranges() && self.name.text == self.text.text;
        if own { &self.quantity.stem } else { self.name }
    }

    fn recorded(&self, name: String, variable: &Variable, of: Of, elements: Vec<usize>) -> Recorded {
        let measure = self.quantity.measure;
        // A rate has the unit of an inverse time, which no one states.
        let unit = if matches!(measure, Measure::Rate(_)) { None } else { variable.unit.clone() };
        let label = Label { name, group: self.column().to_string(), unit };
        Recorded { label, of, elements, numbered: self.quantity.ranges(), measure, sampling: self.sampling }
    }

    /// Events have rates, everything else sums and means.
    fn check_measure(&self, variable: &Variable) -> Result<()> {
        let event = variable.role == Role::Event;
        match self.quantity.measure {
            Measure::Sum | Measure::Mean if event => {
                Err(fault::measure_of_event(self.text, &self.quantity.stem).into())
            }
            Measure::Rate(_) if !event => Err(fault::rate_of_variable(self.text, &self.quantity.stem).into()),
            Measure::Rate(window) => {
                let steps = window.map_or(self.sampling.every as f64, |length| length / self.sampling.dt);
                let whole = (steps - steps.round()).abs() <= 1e-6 * steps && steps.round() >= 1.0;
                if whole && steps <= LONGEST_WINDOW {
                    return Ok(());
                }
                Err(fault::window_not_whole(self.text, steps * self.sampling.dt, self.sampling.dt).into())
            }
            _ => Ok(()),
        }
    }
}

/// Every event and every output variable (or, in a circuit without any, every state), named by its shortest unambiguous
/// path.
fn outputs(circuit: &Circuit, sampling: Sampling) -> Vec<Recorded> {
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
            Recorded { label, of: Of::Node(*at), elements, numbered: false, measure: Measure::Values, sampling }
        })
        .collect()
}
