//! The instantiated model: every node and edge by itself, paths resolved, values filled in, nothing inherited.

mod change;
pub mod check;
mod draw;
mod edge_operators;
mod instantiate;
mod path;
mod population;
mod projection;
mod synapses;
#[cfg(feature = "edit")]
mod text;
mod threads;
mod tree;
mod values;
mod variables;
mod wiring;

pub use draw::Stream;
pub use instantiate::instantiate;
pub use path::Found;
pub use population::expand;
pub use synapses::{Footprint, Synapses};
pub use values::Values;
pub use wiring::Wiring;

use std::sync::Arc;

use crate::source::Span;
use crate::syntax::ast::Equation;
use crate::template::distribution::Distribution;
use crate::template::profile::Profile;
use crate::template::{Complex, EventTemplate, Literal};

/// What a variable is, once its equations are known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// Defined by a differential equation.
    State,
    /// Defined by an algebraic equation.
    Output,
    /// Summed over its drivers; its value is the default while nothing drives it.
    Input,
    /// Never assigned: a number that can be changed between runs.
    Parameter,
    /// An event, whose value is its spike train.
    Event,
}

/// One variable of one operator of one population.
#[derive(Clone, PartialEq, Debug)]
pub struct Variable {
    /// Name within its operator.
    pub name: Arc<str>,
    /// What it is.
    pub role: Role,
    /// Whether it was declared `output` and so feeds inputs of the same name in its population.
    pub output: bool,
    /// Whether it holds complex numbers.
    pub complex: bool,
    /// Number of elements per unit, for a vector or matrix variable.
    pub length: Option<usize>,
    /// Number of columns of a matrix, whose elements stand row by row.
    pub columns: Option<usize>,
    /// Value: initial value of a state, default of an input, value of a parameter. One number for all units and elements,
    /// or one per unit, or one per element, or (unit-major) one per element of each unit.
    pub value: Vec<Complex>,
    /// Unit, for people.
    pub unit: Option<String>,
    /// Description, for people.
    pub description: Option<String>,
    /// Where it was declared.
    pub span: Span,
}

/// One operator of one population.
#[derive(Clone, PartialEq, Debug)]
pub struct Operator {
    /// Name within its population.
    pub name: Arc<str>,
    /// Variables in order of declaration.
    pub variables: Vec<Variable>,
    /// Equations in order; shared by all instances of a template.
    pub equations: Arc<[Equation]>,
    /// Events, each also a variable of role [`Role::Event`]; shared by all instances of a template.
    pub events: Arc<[EventTemplate]>,
    /// Where the operator was defined.
    pub span: Span,
}

/// A node of the circuit: `size` units with the same operators.
#[derive(Clone, PartialEq, Debug)]
pub struct Population {
    /// Path within the circuit: `label` or `circuit/label`.
    pub path: Arc<str>,
    /// Number of units. `None` for a plain node (one unit, addressed without an index).
    pub size: Option<usize>,
    /// Operators in order.
    pub operators: Vec<Operator>,
    /// Where the node was put into its circuit.
    pub span: Span,
}

/// A variable, by position in the circuit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct VariableRef {
    /// Index of the population.
    pub population: usize,
    /// Index of the operator in it.
    pub operator: usize,
    /// Index of the variable in it.
    pub variable: usize,
}

/// Weights of a projection.
#[derive(Clone, PartialEq, Debug)]
pub enum Weights {
    /// One weight: between single units that edge; between populations every source unit reaches every target unit.
    Scalar(f64),
    /// Row-major matrix `[target][source]`; entries that are 0 make no connection.
    Matrix(Arc<[f64]>),
    /// Drawn for each connection.
    Drawn(Distribution),
    /// By the distance of the units.
    Profile(Arc<Profile>),
}

/// What stands between source and target besides the weight.
#[derive(Clone, PartialEq, Debug)]
pub struct EdgeOperators {
    /// The operators, as in a node; shared by the edges of a matrix.
    pub operators: Arc<[Operator]>,
    /// (operator, variable) of the one output that is passed on.
    pub output: (usize, usize),
    /// For each driven input (operator, variable): what it reads.
    pub sources: Arc<[((usize, usize), EdgeInput)]>,
    /// Numbers that this edge gives to variables (operator, variable) in place of those in `operators`.
    pub own: Vec<((usize, usize), f64)>,
    /// Numbers of their own for the connections of this edge, in place of all others.
    pub each: Vec<OfConnections>,
}

/// A variable on an edge that has a number for each connection.
#[derive(Clone, PartialEq, Debug)]
pub struct OfConnections {
    /// Its (operator, variable).
    pub variable: (usize, usize),
    /// Its numbers.
    pub numbers: ConnectionNumbers,
    /// Where they were given.
    pub span: Span,
}

/// Numbers of the connections of an edge.
#[derive(Clone, PartialEq, Debug)]
pub enum ConnectionNumbers {
    /// In the order of the connections: those of [`Connectivity`](crate::template::connectivity::Connectivity) pairs as they
    /// are listed, all others by target, for each target by source.
    List(Arc<[f64]>),
    /// `[target][source]`, of which those are taken that are connected.
    Matrix(Arc<[f64]>),
    /// Drawn for each connection.
    Drawn(Distribution, Stream),
}

impl EdgeOperators {
    /// Gives a variable, (operator, variable), numbers for each connection.
    pub fn give(&mut self, (variable, span): ((usize, usize), Span), numbers: ConnectionNumbers) {
        self.own.retain(|(at, _)| *at != variable);
        self.each.retain(|given| given.variable != variable);
        self.each.push(OfConnections { variable, numbers, span });
    }

    /// The operators with this edge's own numbers in them.
    pub fn with_own(&self) -> Arc<[Operator]> {
        let mut operators = Arc::clone(&self.operators);
        for ((o, v), number) in &self.own {
            Arc::make_mut(&mut operators)[*o].variables[*v].value = vec![Complex { re: *number, im: 0.0 }];
        }
        operators
    }
}

/// What an input of an edge operator reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum EdgeInput {
    /// The source variable of the edge, at the source unit.
    Source,
    /// A variable by its path: of the target's population at the target unit, else of the source's population at the
    /// source unit, else of a single unit anywhere.
    Variable(VariableRef),
}

/// Connections from one variable to another: target += weight * delayed(edge(source)).
#[derive(Clone, PartialEq, Debug)]
pub struct Projection {
    /// The variable read.
    pub source: VariableRef,
    /// The input (or parameter) driven; for a source that is an event possibly a state, which then jumps at each event.
    pub target: VariableRef,
    /// Weights.
    pub weights: Weights,
    /// Delay in time units; one number or one per weight.
    pub delay: Option<Literal>,
    /// Spread of the delay in time units.
    pub spread: Option<Literal>,
    /// Which units are connected, if not each with each.
    pub wiring: Option<Arc<Wiring>>,
    /// Edge operators, if any.
    pub edge: Option<Arc<EdgeOperators>>,
    /// Where the edge was written.
    pub span: Span,
}

/// A whole model.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Circuit {
    /// Name of the template.
    pub name: String,
    /// Populations, depth first.
    pub populations: Vec<Population>,
    /// Projections, in the order written.
    pub projections: Vec<Projection>,
    /// Seed of drawn values and connections.
    pub seed: u64,
}
