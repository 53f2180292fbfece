//! The system of equations of a whole circuit: states with derivatives over index sets, and what they read.

use std::collections::HashMap;
use std::sync::Arc;

use nullcline_runtime::program::Window;

pub use crate::model::Values;

use super::event::{Event, Jump, Recorded};
use super::expr::{
    ConnectionId, ConvolutionId, ExprGraph, ExprId, FanoutId, HistoryId, InputId, Op, ParameterId, RandomId, SpaceId,
    StateId, TableId,
};
use crate::source::Span;

/// An index set: the units of a population (or of several equal ones), or the elements of vectors.
#[derive(Clone, PartialEq, Debug)]
pub struct Space {
    /// Name for text forms and kernels.
    pub name: String,
    /// Number of elements.
    pub size: usize,
}

/// A state variable.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    /// Path, for text forms: `column/jr/y0`, `z.re` for the real part of a complex one.
    pub name: String,
    /// Its index set.
    pub space: SpaceId,
    /// Initial values.
    pub initial: Values,
    /// Time derivative.
    pub derivative: ExprId,
    /// Its equation.
    pub span: Span,
}

/// A parameter: constant during a run, changeable between runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameter {
    /// Path, for text forms.
    pub name: String,
    /// Its index set: scalar when one number serves all elements.
    pub space: SpaceId,
    /// Values.
    pub values: Values,
}

/// An extrinsic input fed from a series of samples.
#[derive(Clone, PartialEq, Debug)]
pub struct Input {
    /// Path, for text forms.
    pub name: String,
    /// Its index set.
    pub space: SpaceId,
    /// The series.
    pub series: usize,
    /// Column of the series for each element; `None` for elements it does not drive.
    pub columns: Vec<Option<u32>>,
}

/// A source of random numbers for each element of a space: one of the two of a pair, see
/// [`uniform_pair`](nullcline_runtime::random::uniform_pair).
#[derive(Clone, PartialEq, Debug)]
pub struct Random {
    /// Name, for text forms.
    pub name: String,
    /// Its index set.
    pub space: SpaceId,
    /// The place in the equations.
    pub site: u32,
    /// Which number of the pair.
    pub part: usize,
    /// The unit of each element.
    pub units: Arc<[u32]>,
}

/// White noise: a standard normal number of each step, divided by the root of the step size.
#[derive(Clone, PartialEq, Debug)]
pub struct Noise {
    /// Name, for messages.
    pub name: String,
    /// The noise.
    pub value: ExprId,
}

/// Element indices for [`Op::Take`].
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// Name, for text forms.
    pub name: String,
    /// Space of the argument.
    pub source: SpaceId,
    /// For each element of the result, the element of the argument.
    pub indices: Arc<[u32]>,
}

/// Weighted connections for [`Op::Couple`] and [`Op::CouplePast`], by target: the entries of target `i` are
/// `starts[i]..starts[i + 1]`. The arrays are shared from the model to the engine.
#[derive(Clone, PartialEq, Debug)]
pub struct Connection {
    /// Name, for text forms.
    pub name: String,
    /// Space of the argument.
    pub source: SpaceId,
    /// Space of the result.
    pub target: SpaceId,
    /// First entry of each target, and the number of entries.
    pub starts: Arc<[u32]>,
    /// Source element of each entry.
    pub sources: Arc<[u32]>,
    /// Weight of each entry.
    pub weights: Values,
    /// Delay of each entry in whole steps, for [`Op::CouplePast`].
    pub delays: Option<Arc<[u32]>>,
    /// Networks side by side that have these connections, without delays: the targets of the first, then those of the next.
    pub members: u32,
    /// Source elements from one member to the next.
    pub stride: u32,
}

impl Connection {
    /// Connections without delays.
    pub fn new(
        name: impl Into<String>,
        (source, target): (SpaceId, SpaceId),
        starts: impl Into<Arc<[u32]>>,
        sources: impl Into<Arc<[u32]>>,
        weights: Values,
    ) -> Connection {
        let (starts, sources) = (starts.into(), sources.into());
        Connection { name: name.into(), source, target, starts, sources, weights, delays: None, members: 1, stride: 0 }
    }

    /// Gives every entry its delay in whole steps.
    pub fn with_delays(self, delays: impl Into<Arc<[u32]>>) -> Connection {
        Connection { delays: Some(delays.into()), ..self }
    }
}

/// A kernel of weights for [`Op::Convolve`]. The weights are shared by all places of the grid.
#[derive(Clone, PartialEq, Debug)]
pub struct Convolution {
    /// Name, for text forms.
    pub name: String,
    /// Space of the argument.
    pub source: SpaceId,
    /// Space of the result.
    pub target: SpaceId,
    /// Which sources each target reads.
    pub window: Window,
    /// The weights of each target channel, tap by tap.
    pub weights: Arc<[f64]>,
    /// Networks side by side: the elements of both spaces are those of the window, member by member.
    pub members: u32,
}

impl Convolution {
    /// The same as a list of connections: those of each target tap by tap.
    pub fn listed(&self) -> Connection {
        let window = &self.window;
        let (mut starts, mut sources, mut weights) = (vec![0u32], Vec::new(), Vec::new());
        for member in 0..self.members as usize {
            for target in 0..window.targets() {
                for tap in 0..window.taps() {
                    let weight = self.weights[window.weight(target, tap)];
                    if let (Some(source), true) = (window.read(target, tap), weight != 0.0) {
                        sources.push((member * window.sources() + source) as u32);
                        weights.push(weight);
                    }
                }
                starts.push(sources.len() as u32);
            }
        }
        Connection::new(&*self.name, (self.source, self.target), starts, sources, Values::from_each(weights))
    }
}

/// Weighted connections for [`Op::Deliver`], by source: the entries of source `j` are `starts[j]..starts[j + 1]`. The
/// arrays are shared from the model to the engine.
#[derive(Clone, PartialEq, Debug)]
pub struct Fanout {
    /// Name, for text forms.
    pub name: String,
    /// Space of the spikes.
    pub source: SpaceId,
    /// Space of what they are delivered to.
    pub target: SpaceId,
    /// First entry of each source, and the number of entries.
    pub starts: Arc<[u32]>,
    /// Target element of each entry.
    pub targets: Arc<[u32]>,
    /// Weight of each entry.
    pub weights: Values,
}

impl Fanout {
    /// Connections from `source` to `target`.
    pub fn new(
        name: impl Into<String>,
        (source, target): (SpaceId, SpaceId),
        starts: impl Into<Arc<[u32]>>,
        targets: impl Into<Arc<[u32]>>,
        weights: Values,
    ) -> Fanout {
        Fanout { name: name.into(), source, target, starts: starts.into(), targets: targets.into(), weights }
    }
}

/// A quantity whose past is kept in a ring of whole steps.
#[derive(Clone, PartialEq, Debug)]
pub struct History {
    /// Name, for text forms.
    pub name: String,
    /// The quantity, at the start of the step.
    pub value: ExprId,
    /// Its index set.
    pub space: SpaceId,
    /// Largest number of steps looked back.
    pub depth: u32,
}

/// Where a variable of the circuit is to be found in the system.
#[derive(Clone, PartialEq, Debug)]
pub struct Location {
    /// The real part (or the value of a real variable).
    pub re: ExprId,
    /// The imaginary part of a complex variable.
    pub im: Option<ExprId>,
    /// First element.
    pub first: usize,
    /// Number of elements: units times vector length.
    pub count: usize,
    /// Whether equations were made from its value, so that a change takes a new compilation (a delay, a subscript).
    pub fixed: bool,
}

/// Where the variables on edges of a circuit are. Of a million edges with the same operators, each adds its place among them only.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EdgeLocations {
    /// By projection: the group of edges it is in, its first unit there and how many units it has; none without operators.
    pub placed: Vec<Option<(usize, usize, usize)>>,
    /// By group, operator and variable: the location in the group's first unit.
    pub units: HashMap<(usize, usize, usize), Location>,
}

impl EdgeLocations {
    /// Where a variable (operator and variable) of a projection is, by its place in the circuit.
    pub fn get(&self, projection: usize, (operator, variable): (usize, usize)) -> Option<Location> {
        let (group, first, count) = (*self.placed.get(projection)?)?;
        let unit = self.units.get(&(group, operator, variable))?;
        Some(Location { first: first * unit.count, count: count * unit.count, ..unit.clone() })
    }
}

/// The value of an equation, for those who print code: passes keep track of it, and nothing else depends on it.
#[derive(Clone, PartialEq, Debug)]
pub struct Mark {
    /// The value.
    pub value: ExprId,
    /// Path of what it is: `column/jr/S0`.
    pub name: String,
    /// The equation.
    pub equation: String,
}

/// All equations of a circuit.
#[derive(Clone, Debug, Default)]
pub struct System {
    /// Name of the circuit.
    pub name: String,
    /// The expressions.
    pub graph: ExprGraph,
    /// Index sets; the first is [`SpaceId::SCALAR`].
    pub spaces: Vec<Space>,
    /// State variables.
    pub states: Vec<State>,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// Extrinsic inputs.
    pub inputs: Vec<Input>,
    /// Sources of random numbers.
    pub randoms: Vec<Random>,
    /// White noises.
    pub noises: Vec<Noise>,
    /// Index tables.
    pub tables: Vec<Table>,
    /// Connections.
    pub connections: Vec<Connection>,
    /// Convolutions.
    pub convolutions: Vec<Convolution>,
    /// Connections that spikes travel along.
    pub fanouts: Vec<Fanout>,
    /// Histories.
    pub histories: Vec<History>,
    /// Events.
    pub events: Vec<Event>,
    /// What events add to states, in the order in which it is added.
    pub jumps: Vec<Jump>,
    /// Events to be recorded.
    pub recorded: Vec<Recorded>,
    /// Which elements of which event each (population, operator, variable) of the circuit is.
    pub event_places: HashMap<(usize, usize, usize), Recorded>,
    /// Where each (population, operator, variable) of the circuit is.
    pub locations: HashMap<(usize, usize, usize), Location>,
    /// Where the variables on edges of the circuit are: one element for each connection.
    pub edge_locations: EdgeLocations,
    /// The values of equations; none unless code is to be read.
    pub marks: Vec<Mark>,
}

impl System {
    /// Follows the values of equations through a rewriting; those that are not computed any more have no mark.
    pub fn follow(&mut self, image: &HashMap<ExprId, ExprId>) {
        self.marks.retain_mut(|mark| match image.get(&mark.value) {
            Some(new) => {
                mark.value = *new;
                true
            }
            None => false,
        });
    }

    /// A system without equations.
    pub fn new(name: impl Into<String>) -> System {
        System { name: name.into(), spaces: vec![Space { name: "scalar".to_string(), size: 1 }], ..System::default() }
    }

    /// Number of elements of a space.
    pub fn size(&self, space: SpaceId) -> usize {
        self.spaces[space.index()].size
    }

    /// Number of state variables, counting every element.
    pub fn state_count(&self) -> usize {
        self.states.iter().map(|s| self.size(s.space)).sum()
    }

    /// Adds an index set.
    pub fn add_space(&mut self, name: impl Into<String>, size: usize) -> SpaceId {
        self.spaces.push(Space { name: name.into(), size });
        SpaceId(self.spaces.len() as u32 - 1)
    }

    /// Adds a state variable whose derivative is set later, and returns the expression that reads it.
    pub fn add_state(&mut self, name: impl Into<String>, space: SpaceId, initial: Values) -> (StateId, ExprId) {
        let id = StateId(self.states.len() as u32);
        let derivative = self.graph.constant(0.0);
        self.states.push(State { name: name.into(), space, initial, derivative, span: Span::NOWHERE });
        (id, self.graph.add(Op::State(id), Vec::new(), space))
    }

    /// Adds a parameter over `space`, stored as a scalar when it is the same everywhere.
    pub fn add_parameter(&mut self, name: impl Into<String>, space: SpaceId, values: Values) -> ExprId {
        let space = if matches!(values, Values::Uniform(_)) { SpaceId::SCALAR } else { space };
        let id = ParameterId(self.parameters.len() as u32);
        self.parameters.push(Parameter { name: name.into(), space, values });
        self.graph.add(Op::Parameter(id), Vec::new(), space)
    }

    /// Adds a source of random numbers.
    pub fn add_random(&mut self, random: Random) -> ExprId {
        let space = random.space;
        let id = RandomId(self.randoms.len() as u32);
        self.randoms.push(random);
        self.graph.add(Op::Random(id), Vec::new(), space)
    }

    /// Adds an extrinsic input.
    pub fn add_input(&mut self, input: Input) -> ExprId {
        let space = input.space;
        let id = InputId(self.inputs.len() as u32);
        self.inputs.push(input);
        self.graph.add(Op::Input(id), Vec::new(), space)
    }

    /// `argument[indices[e]]` for every element of `space`.
    pub fn take(&mut self, name: &str, argument: ExprId, space: SpaceId, indices: Arc<[u32]>) -> ExprId {
        let source = self.graph.space(argument);
        if source == SpaceId::SCALAR {
            return argument;
        }
        let table = self.add_table(name, source, indices);
        self.graph.add(Op::Take(table), vec![argument], space)
    }

    /// Adds a table of indices, or finds the equal one.
    pub fn add_table(&mut self, name: &str, source: SpaceId, indices: Arc<[u32]>) -> TableId {
        let known = self.tables.iter().position(|t| t.source == source && *t.indices == *indices);
        let id = known.unwrap_or_else(|| {
            self.tables.push(Table { name: name.to_string(), source, indices });
            self.tables.len() - 1
        });
        TableId(id as u32)
    }

    /// The weighted sum of `argument` over a set of connections.
    pub fn couple(&mut self, connection: Connection, argument: ExprId) -> ExprId {
        let target = connection.target;
        let id = self.add_connection(connection);
        self.graph.add(Op::Couple(id), vec![argument], target)
    }

    /// What a convolution makes of `argument`, which is over its source.
    pub fn convolve(&mut self, convolution: Convolution, argument: ExprId) -> ExprId {
        let target = convolution.target;
        self.convolutions.push(convolution);
        let id = ConvolutionId(self.convolutions.len() as u32 - 1);
        self.graph.add(Op::Convolve(id), vec![argument], target)
    }

    /// Adds connections.
    pub fn add_connection(&mut self, connection: Connection) -> ConnectionId {
        self.connections.push(connection);
        ConnectionId(self.connections.len() as u32 - 1)
    }

    /// The weighted sum of past values of `history` over a set of connections with delays. An entry without delay reads the
    /// history's own value, which may be set later.
    pub fn couple_past(&mut self, connection: Connection, history: HistoryId) -> ExprId {
        let target = connection.target;
        let longest = connection.delays.iter().flat_map(|delays| delays.iter().copied()).max().unwrap_or(0);
        let kept = &mut self.histories[history.index()];
        kept.depth = kept.depth.max(longest);
        let connection = self.add_connection(connection);
        self.graph.add(Op::CouplePast { connection, history }, Vec::new(), target)
    }

    /// `base` with what the sources whose `spike` is not 0 send along a set of connections: their weights, each times the
    /// source's `factor` if there is one. `base` and the result are over the set's target, `spike` and `factor` over its
    /// source.
    pub fn deliver(&mut self, fanout: Fanout, base: ExprId, spike: ExprId, factor: Option<ExprId>) -> ExprId {
        let target = fanout.target;
        let id = self.add_fanout(fanout);
        self.graph.add(Op::Deliver(id), [base, spike].into_iter().chain(factor).collect(), target)
    }

    /// Adds connections for deliveries.
    pub fn add_fanout(&mut self, fanout: Fanout) -> FanoutId {
        self.fanouts.push(fanout);
        FanoutId(self.fanouts.len() as u32 - 1)
    }

    /// Keeps the past of a quantity over `space`, whose value is set later.
    pub fn add_history(&mut self, name: impl Into<String>, space: SpaceId) -> HistoryId {
        let value = self.graph.constant(0.0);
        self.histories.push(History { name: name.into(), value, space, depth: 0 });
        HistoryId(self.histories.len() as u32 - 1)
    }

    /// The value of a history `steps` steps ago, `steps >= 1`.
    pub fn past(&mut self, history: HistoryId, steps: u32) -> ExprId {
        let kept = &mut self.histories[history.index()];
        kept.depth = kept.depth.max(steps);
        let space = kept.space;
        self.graph.add(Op::Past { history, steps }, Vec::new(), space)
    }
}
