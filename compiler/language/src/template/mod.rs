//! Templates: what YAML files or builder calls define, before anything is instantiated.
//!
//! Inheritance, equation edits and overrides are resolved here; a template that leaves this stage refers to no parent.

#[cfg(feature = "edit")]
pub mod builder;
mod circuit;
pub mod connectivity;
pub mod distribution;
mod edge;
mod edit;
mod event;
pub mod expression;
mod fields;
pub mod function;
pub mod library;
mod literal;
mod load;
mod matrix;
mod node;
mod operator;
pub mod profile;
mod resolve;
pub mod simulate;
mod value;
mod variable;
#[cfg(feature = "edit")]
mod write;

pub use load::{Loaded, LoadedFile, load, load_all};
pub use resolve::Kind;
pub use value::parse_number;
#[cfg(feature = "edit")]
pub use write::{to_yaml, to_yaml_with};

use std::collections::HashMap;
use std::sync::Arc;

use self::connectivity::Connectivity;
use self::distribution::Distribution;
use self::profile::Profile;
use crate::source::{Name, Span};
use crate::syntax::ast::{Equation, Expr};

/// A value as written: one number, or one number per unit or element.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    /// One number. Real numbers have `im == 0.0`.
    Number(Complex),
    /// A list of numbers, in order.
    List(Vec<Complex>),
    /// A matrix, row by row.
    Matrix {
        /// Number of rows.
        rows: usize,
        /// Number of columns.
        columns: usize,
        /// `rows * columns` numbers.
        data: Vec<f64>,
    },
    /// Numbers that are drawn, one for each unit, element or connection.
    Drawn(Distribution),
    /// Numbers of connections by the distance of their units.
    Profile(Arc<Profile>),
}

/// A complex number; models without complex variables have `im == 0.0` throughout.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Complex {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

/// What a variable was declared as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Declared {
    /// `input(..)`: driven from outside the operator.
    Input,
    /// `output(..)`: feeds inputs of the same name; a state if a differential equation defines it.
    Output,
    /// `variable(..)`: a state or an algebraic variable.
    Variable,
    /// A number or `constant(..)`.
    Constant,
}

/// The declaration of one variable.
#[derive(Clone, PartialEq, Debug)]
pub struct VariableTemplate {
    /// Its name.
    pub name: Name,
    /// What it was declared as.
    pub declared: Declared,
    /// Whether it holds complex numbers.
    pub complex: bool,
    /// Number of elements for a vector variable, e.g. `variable(1.0, 3)`.
    pub length: Option<usize>,
    /// Number of columns for a matrix of `length` elements.
    pub columns: Option<usize>,
    /// Initial value, default or constant value. A list has one number for each element; for each unit, if there is no
    /// `length`.
    pub value: Literal,
    /// Unit, as text for people.
    pub unit: Option<String>,
    /// Description, for people.
    pub description: Option<String>,
    /// The declaration (key and value).
    pub span: Span,
}

/// An operator: equations and the variables in them.
#[derive(Clone, PartialEq, Debug)]
pub struct OperatorTemplate {
    /// Its name; `name.span` is where it is defined.
    pub name: Name,
    /// Description, for people.
    pub description: Option<String>,
    /// Equations after all edits, in order.
    pub equations: Arc<[Equation]>,
    /// Variables in order of declaration, a parent's first.
    pub variables: Vec<VariableTemplate>,
    /// Events, a parent's first.
    pub events: Arc<[EventTemplate]>,
}

/// When in a step an event's condition is tested.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Order {
    /// On the state after the step; what the event does happens at the end of the step.
    #[default]
    After,
    /// On the state before the step; equations see the event during the step.
    Before,
}

impl Order {
    /// Both.
    pub const ALL: [Order; 2] = [Order::After, Order::Before];

    /// Its name in templates.
    pub fn name(self) -> &'static str {
        match self {
            Order::After => "after",
            Order::Before => "before",
        }
    }
}

/// `variable = value`, when an event happens.
#[derive(Clone, PartialEq, Debug)]
pub struct Reset {
    /// The state variable.
    pub variable: Name,
    /// Its new value.
    pub value: Expr,
}

/// An event: what happens when a condition holds.
#[derive(Clone, PartialEq, Debug)]
pub struct EventTemplate {
    /// Its name, which in equations means its spike train.
    pub name: Name,
    /// The condition.
    pub when: Expr,
    /// What it does to states, all at once; nothing for an event that only signals.
    pub resets: Vec<Reset>,
    /// How long it cannot happen again, in time units.
    pub refractory: Option<Expr>,
    /// When it is tested.
    pub order: Order,
    /// The states that keep their value meanwhile; without it those that the condition names.
    pub hold: Option<Vec<Name>>,
    /// The whole entry.
    pub span: Span,
}

impl EventTemplate {
    /// An event that only signals.
    pub fn new(name: Name, when: Expr, span: Span) -> EventTemplate {
        EventTemplate { name, when, resets: Vec::new(), refractory: None, order: Order::After, hold: None, span }
    }

    /// Every expression of the event: condition, resets, refractory time.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        std::iter::once(&self.when).chain(self.resets.iter().map(|r| &r.value)).chain(&self.refractory)
    }
}

/// A value given to a variable of an operator by a node, edge or circuit.
#[derive(Clone, PartialEq, Debug)]
pub struct Override {
    /// The variable.
    pub variable: Name,
    /// Its new value.
    pub value: Literal,
    /// Where the value stands.
    pub span: Span,
}

/// An operator as used in a node or on an edge.
#[derive(Clone, PartialEq, Debug)]
pub struct OperatorUse {
    /// The name it has there; identical to the template's name.
    pub name: Name,
    /// The operator.
    pub template: Arc<OperatorTemplate>,
    /// Values that replace its own.
    pub overrides: Vec<Override>,
}

/// A node: operators that act together, once (a unit) or `size` times (a population).
#[derive(Clone, PartialEq, Debug)]
pub struct NodeTemplate {
    /// Its name; `name.span` is where it is defined.
    pub name: Name,
    /// Description, for people.
    pub description: Option<String>,
    /// The operators, in the order written.
    pub operators: Vec<OperatorUse>,
    /// Number of units (`n: 800`); `None` for a single unit.
    pub size: Option<usize>,
}

/// An edge template: operators between source and target.
#[derive(Clone, PartialEq, Debug)]
pub struct EdgeTemplate {
    /// Its name; `name.span` is where it is defined.
    pub name: Name,
    /// Description, for people.
    pub description: Option<String>,
    /// The operators, in the order written.
    pub operators: Vec<OperatorUse>,
}

/// Where an input of an edge operator takes its value from.
#[derive(Clone, PartialEq, Debug)]
pub enum EdgeSource {
    /// `source`: the source variable of the edge itself.
    OwnSource,
    /// A path to a variable, relative to the circuit the edge is written in.
    Path(Name),
}

/// An edge as written.
#[derive(Clone, PartialEq, Debug)]
pub struct EdgeUse {
    /// Path of the source variable (`node/operator/variable`), relative to the circuit; may hold `all`.
    pub source: Name,
    /// Path of the target variable.
    pub target: Name,
    /// The edge template, if any.
    pub template: Option<Arc<EdgeTemplate>>,
    /// Weight: a number, or a matrix `[target][source]` between populations. 1 when not given.
    pub weight: Literal,
    /// Delay in time units.
    pub delay: Option<Literal>,
    /// Spread of the delay (gamma kernel) in time units.
    pub spread: Option<Literal>,
    /// Which units are connected; each with each when not given.
    pub connectivity: Option<Arc<Connectivity>>,
    /// Sources of the inputs of the edge's operators: (`operator/variable` or `variable`, source).
    pub sources: Vec<(Name, EdgeSource)>,
    /// Values of variables of the edge's operators: (`operator/variable`, value).
    pub overrides: Vec<(Name, Literal)>,
    /// The whole edge.
    pub span: Span,
}

/// Edges from a matrix between lists of nodes; an entry with `|w| <= minimum` makes no edge.
#[derive(Clone, PartialEq, Debug)]
pub struct EdgeMatrix {
    /// Nodes of the columns, in order.
    pub source_nodes: Vec<Name>,
    /// Nodes of the rows, in order.
    pub target_nodes: Vec<Name>,
    /// What each edge looks like; `source` and `target` hold `operator/variable` paths within the nodes, `weight`,
    /// `delay` and `spread` may be matrices with one entry per edge.
    pub edge: EdgeUse,
    /// Weights up to this size make no edge. PyRates' value is 1e-6.
    pub minimum: f64,
}

/// A circuit: nodes and sub-circuits, and the edges among them.
#[derive(Clone, PartialEq, Debug)]
pub struct CircuitTemplate {
    /// Its name; `name.span` is where it is defined.
    pub name: Name,
    /// Description, for people.
    pub description: Option<String>,
    /// Nodes by label.
    pub nodes: Vec<(Name, Arc<NodeTemplate>)>,
    /// Sub-circuits by label.
    pub circuits: Vec<(Name, Arc<CircuitTemplate>)>,
    /// Edges, a parent's first.
    pub edges: Vec<EdgeUse>,
    /// Edges from matrices.
    pub matrices: Vec<EdgeMatrix>,
    /// Seed of drawn values and connections; that of the circuit around it when not given.
    pub seed: Option<u64>,
}

impl CircuitTemplate {
    /// The circuit with another seed of drawn values and connections, which holds in the circuits inside it too.
    /// Distributions and connectivities with seeds of their own keep them.
    pub fn reseeded(&self, seed: u64) -> CircuitTemplate {
        let mut circuit = self.unseeded(&mut HashMap::new());
        circuit.seed = Some(seed);
        circuit
    }

    fn unseeded(&self, known: &mut HashMap<*const CircuitTemplate, Arc<CircuitTemplate>>) -> CircuitTemplate {
        let mut circuit = CircuitTemplate { seed: None, ..self.clone() };
        for (_, inner) in &mut circuit.circuits {
            let key = Arc::as_ptr(inner);
            // Circuits that were one stay one.
            let new = match known.get(&key) {
                Some(new) => new.clone(),
                None => Arc::new(inner.unseeded(known)),
            };
            known.insert(key, new.clone());
            *inner = new;
        }
        circuit
    }
}
