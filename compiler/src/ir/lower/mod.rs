//! Lowering: from the circuit to the system of equations.
//!
//! Populations with the same equations (see [`crate::ir::vectorise`]) become one [`Group`] over one index set; so do
//! the operators of equal edges, over an index set with one element per edge. Every variable of a group gets one value
//! expression: algebraic ones in the order of their dependencies, so that no recursion follows chains of nodes.

mod connect;
mod couple;
mod delays;
mod drivers;
mod events;
pub mod expression;
pub mod functions;
mod group;
mod order;
mod profile;
mod random;
mod shape;
mod vectors;

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostics, Result, lower as fault};
use crate::ir::complex::{self, Value};
use crate::ir::event::Recorded;
use crate::ir::expr::{EventId, ExprId, SpaceId};
use crate::ir::system::{Location, System, Values};
use crate::ir::vectorise::{Grouping, Vectorise, vectorise};
use crate::model::{Circuit, Operator, Projection, Role, VariableRef};
use crate::syntax::ast::{Expr, LhsKind};

use drivers::Driver;
use group::Group;
use order::Cycle;
use shape::{Operand, Shape};

/// How to lower.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Options {
    /// Step size: delays are whole steps of it.
    pub dt: f64,
    /// When to merge equal nodes.
    pub vectorise: Vectorise,
}

/// An extrinsic input: adds a signal to the drivers of a variable.
#[derive(Clone, PartialEq, Debug)]
pub struct Drive {
    /// The variable.
    pub target: VariableRef,
    /// The unit of its population, or all of them.
    pub unit: Option<usize>,
    /// What drives it.
    pub signal: Signal,
}

/// The forms of extrinsic signals.
#[derive(Clone, PartialEq, Debug)]
pub enum Signal {
    /// A number.
    Constant(f64),
    /// An expression of `t` and numbers.
    Expression(Expr),
    /// A column of a series of samples, one per step.
    Series {
        /// Which series.
        series: usize,
        /// Which of its columns.
        column: u32,
    },
}

/// A variable of a group: (group, operator, variable).
type GroupVariable = (usize, usize, usize);

/// Lowers a circuit with its extrinsic inputs.
pub fn lower(circuit: &Circuit, drives: &[Drive], options: &Options) -> Result<System> {
    // A group whose members depend on each other algebraically is split up and everything is tried again; each round
    // splits at least one group, so the number of groups bounds the rounds.
    let mut split: Vec<usize> = Vec::new();
    loop {
        let grouping = vectorise(circuit, options.vectorise, &split);
        match Lowering::new(circuit, drives, options, &grouping)?.run() {
            Ok(system) => return Ok(system),
            Err(Fault::Diagnostics(diagnostics)) => return Err(diagnostics),
            Err(Fault::Cycle(cycle)) => {
                let merged = cycle.path.iter().filter_map(|v| grouping.groups.get(v.0)).filter(|g| g.len() > 1);
                let before = split.len();
                split.extend(merged.map(|g| g[0]));
                if split.len() == before {
                    return Err((*cycle.diagnostic).into());
                }
            }
        }
    }
}

enum Fault {
    Cycle(Box<Cycle>),
    Diagnostics(Diagnostics),
}

impl From<Diagnostics> for Fault {
    fn from(diagnostics: Diagnostics) -> Fault {
        Fault::Diagnostics(diagnostics)
    }
}

struct Lowering<'a> {
    circuit: &'a Circuit,
    options: &'a Options,
    system: System,
    /// Groups of populations, then groups of edges.
    groups: Vec<Group<'a>>,
    /// For each population, its group and the first of its units there.
    placement: Vec<(usize, usize)>,
    /// For each projection with operators, by address, its group, the first of its connections there, and their number.
    edge_placement: HashMap<*const Projection, (usize, usize, usize)>,
    /// What drives each variable, in order.
    drivers: HashMap<GroupVariable, Vec<Driver<'a>>>,
    /// Values of variables, once known.
    values: HashMap<GroupVariable, Value>,
    /// Delayed quantities met so far.
    delayed: delays::Delayed,
    /// Edges from events to states.
    jumps: Vec<events::Jumping>,
    /// The event that each event variable is.
    events: HashMap<GroupVariable, EventId>,
    /// Number of random numbers met so far in the equations of a variable.
    random_calls: HashMap<GroupVariable, u32>,
    /// White noises by group, operator and name.
    shared_noises: HashMap<(usize, usize, String), ExprId>,
    /// Number of groups of populations; those of edges come after them.
    population_groups: usize,
    /// Variables whose values became part of the equations: delays, subscripts, points of interpolations.
    fixed: HashSet<GroupVariable>,
    /// Spaces of vector variables: (space of the units, length) to the space of all elements.
    vector_spaces: HashMap<(SpaceId, usize), SpaceId>,
}

impl<'a> Lowering<'a> {
    fn new(
        circuit: &'a Circuit,
        drives: &'a [Drive],
        options: &'a Options,
        grouping: &Grouping,
    ) -> Result<Lowering<'a>> {
        let mut lowering = Lowering {
            circuit,
            options,
            system: System::new(circuit.name.clone()),
            groups: Vec::new(),
            placement: vec![(0, 0); circuit.populations.len()],
            edge_placement: HashMap::new(),
            drivers: HashMap::new(),
            values: HashMap::new(),
            delayed: delays::Delayed::default(),
            jumps: Vec::new(),
            events: HashMap::new(),
            random_calls: HashMap::new(),
            shared_noises: HashMap::new(),
            population_groups: grouping.groups.len(),
            fixed: HashSet::new(),
            vector_spaces: HashMap::new(),
        };
        for members in &grouping.groups {
            lowering.add_population_group(members);
        }
        lowering.collect_drivers(drives)?;
        Ok(lowering)
    }

    fn run(mut self) -> std::result::Result<System, Fault> {
        let mut states = Vec::new();
        for group in 0..self.groups.len() {
            self.add_states(group, &mut states)?;
            self.add_events(group);
        }
        for variable in self.dependency_order().map_err(Fault::Cycle)? {
            let value = self.compute(variable)?;
            self.values.insert(variable, value);
        }
        let mut faults = Diagnostics::new();
        for (variable, re, im) in states.iter().copied() {
            if let Some(value) = faults.absorb(self.derivative(variable)) {
                self.set_derivative(variable, re, im, value);
            }
        }
        faults.absorb(self.finish_events(&states));
        if faults.has_errors() {
            return Err(faults.into());
        }
        self.finish_delayed();
        self.locate();
        Ok(self.system)
    }

    /// The value of a variable that is not a state.
    fn compute(&mut self, variable: GroupVariable) -> Result<Value> {
        match self.variable(variable).role {
            Role::State | Role::Event => Ok(self.values[&variable]),
            Role::Output => match self.assigned(variable, LhsKind::Value)? {
                Some(value) => Ok(value),
                None => Ok(self.own_value(variable, None)),
            },
            Role::Input | Role::Parameter => self.driven_value(variable),
        }
    }

    fn derivative(&mut self, variable: GroupVariable) -> Result<Value> {
        let assigned = self.assigned(variable, LhsKind::Derivative)?;
        Ok(assigned.unwrap_or_else(|| Value::Real(self.system.graph.constant(0.0))))
    }

    /// What the equations say a variable or its derivative is: one equation for all of it, or some for its elements.
    /// Elements without an equation keep the value they were given; their derivative is 0.
    fn assigned(&mut self, variable: GroupVariable, kind: LhsKind) -> Result<Option<Value>> {
        let equations = self.equations(variable, kind);
        let (Some(first), shape) = (equations.first(), Shape::of(self.variable(variable))) else { return Ok(None) };
        if first.lhs.subscripts.is_empty() {
            let value = self.expression(variable, &first.rhs)?;
            return self.fit(variable, value, first.rhs.span).map(Some);
        }
        if shape == Shape::Single {
            return Err(fault::not_a_vector(first.lhs.span).into());
        }
        let mut free = vec![true; shape.elements()];
        let mut parts = Vec::new();
        for equation in &equations {
            let (places, part) = self.places(variable, shape, &equation.lhs.subscripts, equation.lhs.span)?;
            for place in &places {
                if !std::mem::replace(&mut free[*place], false) {
                    return Err(fault::element_assigned_twice(&equation.lhs.variable.text, equation.lhs.span).into());
                }
            }
            let value = self.expression(variable, &equation.rhs)?;
            if value.shape != Shape::Single && value.shape != part {
                let (found, wanted) = (value.shape.to_string(), part.to_string());
                let (name, span) = (&equation.lhs.variable.text, equation.rhs.span);
                return Err(fault::shape_into(name, &wanted, &found, span, equation.lhs.span).into());
            }
            parts.push((value, places));
        }
        let mut whole = self.assemble(variable, parts, shape);
        if kind == LhsKind::Value && free.contains(&true) {
            let units = self.system.size(self.units(variable));
            let rest = self.own_value(variable, Some(&free.repeat(units)));
            whole = whole.map(|w| Operand { value: complex::add(&mut self.system.graph, w.value, rest), ..w });
        }
        whole.map(|whole| self.fit(variable, whole, first.lhs.span)).transpose()
    }

    /// Remembers where every variable of the circuit is.
    fn locate(&mut self) {
        for (index, population) in self.circuit.populations.iter().enumerate() {
            let (group, offset) = self.placement[index];
            let units = population.size.unwrap_or(1);
            for (o, v, location) in self.located(group, (offset, units), &population.operators) {
                if let Some(event) = self.events.get(&(group, o, v)) {
                    let place = Recorded { event: *event, first: offset, count: units, unit: 0 };
                    self.system.event_places.insert((index, o, v), place);
                }
                self.system.locations.insert((index, o, v), location);
            }
        }
        let mut known = HashSet::new();
        for projection in &self.circuit.projections {
            let edge = projection.edge.as_deref();
            let place = edge.and_then(|_| self.edge_placement.get(&std::ptr::from_ref(projection))).copied();
            self.system.edge_locations.placed.push(place);
            let (Some(edge), Some((group, _, _))) = (edge, place) else { continue };
            if known.insert(group) {
                for (o, v, location) in self.located(group, (0, 1), &edge.operators) {
                    self.system.edge_locations.units.insert((group, o, v), location);
                }
            }
        }
    }

    /// Where the variables of some units of a group are.
    fn located(
        &self,
        group: usize,
        (offset, units): (usize, usize),
        operators: &[Operator],
    ) -> Vec<(usize, usize, Location)> {
        let mut found = Vec::new();
        for (o, operator) in operators.iter().enumerate() {
            for (v, variable) in operator.variables.iter().enumerate() {
                let Some(value) = self.values.get(&(group, o, v)) else { continue };
                let length = variable.length.unwrap_or(1);
                let (re, im) = match *value {
                    Value::Real(re) => (re, None),
                    Value::Complex(re, im) => (re, Some(im)),
                };
                let fixed = self.fixed.contains(&(group, o, v));
                let location = Location { re, im, first: offset * length, count: units * length, fixed };
                found.push((o, v, location));
            }
        }
        found
    }
}

/// The real or imaginary parts of values, as a parameter or initial value holds them.
fn part(values: &[crate::template::Complex], imaginary: bool) -> Values {
    Values::from_each(values.iter().map(|c| if imaginary { c.im } else { c.re }).collect())
}
