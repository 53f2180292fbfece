//! The kernel IR: buffers, and kernels in the order they run.
//!
//! Semantics. A [`Module`] owns buffers of floating-point numbers of one precision. A kernel runs its body once for each
//! element `0..extent`; no element sees what another one stores in the same kernel (a delivery is no loop over elements,
//! see [`Body::Deliver`]). Kernels of a phase run one after the
//! other. Each value of a pointwise body is assigned once, before its uses; loads happen where they stand, stores after
//! all loads of the same element. Every operation rounds once to the module's precision: nothing is contracted or
//! reassociated implicitly.

use std::sync::Arc;

pub use nullcline_runtime::artifact::Phase;

use crate::ir::event::Recorded;
use crate::ir::expr::{EventId, ExprId, HistoryId, InputId, ParameterId, RandomId, SpaceId, StateId, id};
use crate::ir::prim::Prim;
use crate::ir::system::{Connection, Convolution, Fanout, History, Input, Random, Values};

id!(
    /// A buffer of a module.
    BufferId
);
id!(
    /// A value in a pointwise body; counts from 0 in each kernel.
    ValueId
);

/// Number format of a module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precision {
    /// IEEE binary32.
    F32,
    /// IEEE binary64.
    F64,
}

impl Precision {
    /// `f32` or `f64`.
    pub fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::F64 => "f64",
        }
    }

    /// The precision with this name.
    pub fn lookup(name: &str) -> Option<Precision> {
        [Precision::F32, Precision::F64].into_iter().find(|p| p.name() == name)
    }
}

/// What a buffer is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BufferRole {
    /// A state variable.
    State(StateId),
    /// A parameter.
    Parameter(ParameterId),
    /// The current sample of an extrinsic input.
    Input(InputId),
    /// Random numbers of the current step.
    Random(RandomId),
    /// Computed from parameters by the setup phase.
    Derived(ExprId),
    /// Passed from one kernel of a phase to a later one.
    Scratch(ExprId),
    /// An argument of a delivery: a value at every element of an index set, also if it is the same for all.
    Argument(ExprId, SpaceId),
    /// A recorded quantity, written by the observe phase.
    Observed(u32),
    /// Whether each element had a recorded event in the step, written by the step phase.
    Event(EventId),
    /// A ring of past values: `depth + 1` slots of one array each.
    History(HistoryId),
}

/// A buffer.
#[derive(Clone, PartialEq, Debug)]
pub struct Buffer {
    /// Name, unique in the module.
    pub name: String,
    /// What it is for.
    pub role: BufferRole,
    /// Number of elements (of one slot, for a history).
    pub len: usize,
}

/// Which element a load reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Index {
    /// The element the kernel is at.
    Element,
    /// The only element of a scalar.
    Zero,
}

/// How a value is computed.
#[derive(Clone, PartialEq, Debug)]
pub enum ValueOp {
    /// A number.
    Constant(f64),
    /// `step * dt`: time at the start of the step.
    Time,
    /// The step size.
    StepSize,
    /// An element of a buffer.
    Load {
        /// The buffer.
        buffer: BufferId,
        /// Which element.
        index: Index,
    },
    /// An element of the slot that was written `steps` steps ago.
    Past {
        /// A history.
        buffer: BufferId,
        /// Which element of the slot.
        index: Index,
        /// Steps back.
        steps: u32,
    },
    /// A pointwise function.
    Call(&'static Prim, Vec<ValueId>),
}

/// One statement of a pointwise body.
#[derive(Clone, PartialEq, Debug)]
pub enum Stmt {
    /// Assigns a value.
    Let(ValueId, ValueOp),
    /// Writes the kernel's element of a buffer (of the current slot, for a history).
    Store(BufferId, ValueId),
}

/// What a kernel does at each element.
#[derive(Clone, PartialEq, Debug)]
pub enum Body {
    /// Straight-line code.
    Pointwise(Vec<Stmt>),
    /// `target[i] = source[indices[i]]`.
    Take {
        /// Index of the table in the module.
        table: usize,
        /// Buffer read.
        source: BufferId,
        /// Buffer written.
        target: BufferId,
    },
    /// `target[i] = sum_e weights[e] * source[sources[e]]` over the entries `e` of target `i`, in order, starting at 0;
    /// each term is one fused multiply-add. The connections of several members are those of each, see [`Connection::members`].
    Couple {
        /// Index of the connection in the module.
        connection: usize,
        /// Buffer read.
        source: BufferId,
        /// Buffer written.
        target: BufferId,
    },
    /// `target[i] = sum_k weights[weight(i, k)] * source[read(i, k)]` over the taps `k` of the window that read a source and whose
    /// weight is not 0, in order, starting at 0; each term is one fused multiply-add. Members lie one after the other.
    Convolve {
        /// Index of the convolution in the module.
        convolution: usize,
        /// Buffer read.
        source: BufferId,
        /// Buffer written.
        target: BufferId,
    },
    /// As `Couple`, entry `e` from the slot of `history` that was written `delays[e]` steps ago, or from `current` if that
    /// is 0.
    CouplePast {
        /// Index of the connection in the module.
        connection: usize,
        /// The history read.
        history: BufferId,
        /// What entries without delay read.
        current: Option<BufferId>,
        /// Buffer written.
        target: BufferId,
    },
    /// In place: for each source `j` in ascending order whose `spikes[j]` is not 0, for each of its entries `e` in order,
    /// `target[targets[e]] += weights[e]`, or the fused `weights[e] * factor[j] + target[targets[e]]`. The kernel's extent
    /// is that of the target.
    Deliver {
        /// Index of the fanout in the module.
        fanout: usize,
        /// Which sources send.
        spikes: BufferId,
        /// What the weights of each source are multiplied by.
        factor: Option<BufferId>,
        /// Buffer added to.
        target: BufferId,
    },
}

/// A kernel.
#[derive(Clone, PartialEq, Debug)]
pub struct Kernel {
    /// Name, unique in the module.
    pub name: String,
    /// Number of elements.
    pub extent: usize,
    /// What happens at each.
    pub body: Body,
}

/// A value of a kernel that an equation of the model defines, for those who print code.
#[derive(Clone, PartialEq, Debug)]
pub struct Named {
    /// Index of the kernel.
    pub kernel: usize,
    /// The value.
    pub value: ValueId,
    /// Path of what it is.
    pub name: String,
    /// The equation.
    pub equation: String,
}

/// A compiled model.
#[derive(Clone, Debug)]
pub struct Module {
    /// Name of the circuit.
    pub name: String,
    /// Number format of every buffer and value.
    pub precision: Precision,
    /// Whether numbers below the normal ones are numbers; else they count as zero (see [`super::flush`]).
    pub subnormals: bool,
    /// Buffers.
    pub buffers: Vec<Buffer>,
    /// Index tables.
    pub tables: Vec<Arc<[u32]>>,
    /// Connections.
    pub connections: Vec<Connection>,
    /// Convolutions.
    pub convolutions: Vec<Convolution>,
    /// Connections that spikes travel along.
    pub fanouts: Vec<Fanout>,
    /// Kernels of all phases.
    pub kernels: Vec<Kernel>,
    /// Kernels of the setup phase, as indices.
    pub setup: Vec<usize>,
    /// Kernels of the remember phase.
    pub remember: Vec<usize>,
    /// Kernels of the step phase.
    pub step: Vec<usize>,
    /// Kernels of the observe phase.
    pub observe: Vec<usize>,
    /// Initial values of buffers; all others start at 0.
    pub initial: Vec<(BufferId, Values)>,
    /// Extrinsic inputs with the buffers they feed.
    pub inputs: Vec<(BufferId, Input)>,
    /// Sources of random numbers with the buffers they fill.
    pub randoms: Vec<(BufferId, Random)>,
    /// Histories with their buffers.
    pub histories: Vec<(BufferId, History)>,
    /// Recorded events with their buffers and the steps from the start of the step to the event's time.
    pub events: Vec<(BufferId, Recorded, u64)>,
    /// How many times the remember phase must fill all slots before the first step.
    pub history_passes: usize,
    /// The values of equations, by kernel and value; none unless code is to be read.
    pub named: Vec<Named>,
}

impl Module {
    /// A module without buffers and kernels.
    pub fn empty(name: impl Into<String>, precision: Precision) -> Module {
        Module {
            name: name.into(),
            precision,
            subnormals: false,
            buffers: Vec::new(),
            tables: Vec::new(),
            connections: Vec::new(),
            convolutions: Vec::new(),
            fanouts: Vec::new(),
            kernels: Vec::new(),
            setup: Vec::new(),
            remember: Vec::new(),
            step: Vec::new(),
            observe: Vec::new(),
            initial: Vec::new(),
            inputs: Vec::new(),
            randoms: Vec::new(),
            histories: Vec::new(),
            events: Vec::new(),
            history_passes: 0,
            named: Vec::new(),
        }
    }

    /// The values of equations in a kernel, ascending.
    pub fn named_in(&self, kernel: usize) -> &[Named] {
        let first = self.named.partition_point(|n| n.kernel < kernel);
        let end = self.named.partition_point(|n| n.kernel <= kernel);
        &self.named[first..end]
    }

    /// The kernels of a phase, in order.
    pub fn phase(&self, phase: Phase) -> &[usize] {
        match phase {
            Phase::Setup => &self.setup,
            Phase::Remember => &self.remember,
            Phase::Step => &self.step,
            Phase::Observe => &self.observe,
        }
    }

    /// The buffer with this role.
    pub fn buffer(&self, role: BufferRole) -> Option<BufferId> {
        self.buffers.iter().position(|b| b.role == role).map(|i| BufferId(i as u32))
    }

    /// Number of slots of a buffer: 1, or the ring length of a history.
    pub fn slots(&self, buffer: BufferId) -> usize {
        self.histories.iter().find(|h| h.0 == buffer).map_or(1, |h| h.1.depth as usize + 1)
    }
}
