//! Programs: compiled models as data, for engines in this process.
//!
//! A program mirrors the compiler's kernels with nothing left to decide: every operation is one of [`Op`], values are in
//! single assignment form, and each rounds once to the program's precision. Engines allocate registers as they like.

mod window;

use std::sync::Arc;

pub use window::Window;

use crate::artifact::{Layout, Phase};

/// Number format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precision {
    /// IEEE binary32.
    F32,
    /// IEEE binary64.
    F64,
}

/// Operations with one operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unary {
    /// `-a`
    Neg,
    /// `|a|`
    Abs,
    /// Square root, correctly rounded.
    Sqrt,
    /// Largest whole number not above.
    Floor,
    /// Smallest whole number not below.
    Ceil,
    /// Nearest whole number, ties to even.
    Round,
    /// Whole part.
    Trunc,
    /// 1 if `a` is 0, else 0.
    Not,
    /// `2^k` of `1.5 * 2^52 + 1023 + k` (single: `1.5 * 2^23 + 127 + k`): the low bits become the exponent.
    Raise,
    /// The whole `k` with `a = m 2^k`, `sqrt(1/2) < m <= sqrt(2)`, for `a` positive and normal.
    Exponent,
    /// The `m` of `Exponent`.
    Mantissa,
}

/// Operations with two operands. Comparisons give 1 or 0, and 0 when an operand is NaN (`Ne`: 1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Binary {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`
    Div,
    /// Smaller one; a NaN is ignored; of two equal ones the second.
    Min,
    /// Larger one; a NaN is ignored; of two equal ones the second.
    Max,
    /// `a < b`
    Lt,
    /// `a <= b`
    Le,
    /// `a > b`
    Gt,
    /// `a >= b`
    Ge,
    /// `a == b`
    Eq,
    /// `a != b`
    Ne,
    /// 1 if neither is 0.
    And,
    /// 1 if not both are 0.
    Or,
    /// `a` with its sign changed if the sign bit of `b` is set.
    XorSign,
    /// `a` with its sign changed if the lowest bit of `b` is set.
    Alternate,
}

/// How a value is computed. Operands are indices of earlier values of the same body.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Op {
    /// A number.
    Constant(f64),
    /// `step * dt`, rounded to the program's precision.
    Time,
    /// The step size.
    StepSize,
    /// An element of a buffer: the kernel's, or the only one.
    Load {
        /// The buffer.
        buffer: u32,
        /// Whether to read element 0 whatever the kernel's element is.
        scalar: bool,
    },
    /// As `Load`, from the slot written `steps` steps ago.
    Past {
        /// The buffer.
        buffer: u32,
        /// Whether to read element 0.
        scalar: bool,
        /// Steps back.
        steps: u32,
    },
    /// One operand.
    Unary(Unary, u32),
    /// Two operands.
    Binary(Binary, u32, u32),
    /// `a * b + c` with one rounding.
    Fma(u32, u32, u32),
    /// `b` if `a` is not 0, else `c`.
    Select(u32, u32, u32),
}

/// Straight-line code, run once for each element.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Body {
    /// Values in order.
    pub values: Vec<Op>,
    /// Stores after all of them: (buffer, value), to the kernel's element of the current slot.
    pub stores: Vec<(u32, u32)>,
}

/// Weighted connections by target; see [`Kernel::Couple`] and [`Kernel::CouplePast`].
#[derive(Clone, PartialEq, Debug)]
pub struct Connection {
    /// Its name, for those who ask how it is executed.
    pub name: String,
    /// First entry of each target, and the number of entries.
    pub starts: Arc<[u32]>,
    /// Source element of each entry.
    pub sources: Arc<[u32]>,
    /// Weight of each entry, or one for all.
    pub weights: Arc<[f64]>,
    /// Delay of each entry in steps, for [`Kernel::CouplePast`].
    pub delays: Option<Arc<[u32]>>,
    /// Networks side by side that have these connections, without delays: the targets of the first, then those of the next.
    pub members: u32,
    /// Source elements from one member to the next.
    pub stride: u32,
}

/// A convolution; see [`Kernel::Convolve`].
#[derive(Clone, PartialEq, Debug)]
pub struct Convolution {
    /// Its name.
    pub name: String,
    /// Which sources each target reads.
    pub window: Window,
    /// The weights of each target channel, tap by tap.
    pub weights: Arc<[f64]>,
    /// Networks side by side, each with all sources and targets of the window.
    pub members: u32,
}

/// Weighted connections by source; see [`Kernel::Deliver`].
#[derive(Clone, PartialEq, Debug)]
pub struct Fanout {
    /// Its name.
    pub name: String,
    /// First entry of each source, and the number of entries.
    pub starts: Arc<[u32]>,
    /// Target element of each entry.
    pub targets: Arc<[u32]>,
    /// Weight of each entry, or one for all.
    pub weights: Arc<[f64]>,
}

/// A kernel.
#[derive(Clone, PartialEq, Debug)]
pub enum Kernel {
    /// Straight-line code for `extent` elements.
    Pointwise {
        /// Number of elements.
        extent: usize,
        /// The code.
        body: Body,
    },
    /// `target[i] = source[table[i]]`
    Take {
        /// The table.
        table: Arc<[u32]>,
        /// Buffer read.
        source: u32,
        /// Buffer written.
        target: u32,
    },
    /// `target[i] = sum_e weight_e * source[source_e]`, entries in order from 0 on, each a fused multiply-add; member `m` reads
    /// `source[m * stride + source_e]`.
    Couple {
        /// The connection.
        connection: Arc<Connection>,
        /// Buffer read.
        source: u32,
        /// Buffer written.
        target: u32,
    },
    /// `target[i] = sum_k weight_k * source[read(i, k)]` over the taps `k` of the window that read a source and whose weight is
    /// not 0, in order from 0 on, each a fused multiply-add. The targets of a member read the sources of that member.
    Convolve {
        /// The convolution.
        convolution: Arc<Convolution>,
        /// Buffer read.
        source: u32,
        /// Buffer written.
        target: u32,
    },
    /// As `Couple`, each entry from the slot of a history that was written `delay_e` steps before.
    CouplePast {
        /// The connection, with delays.
        connection: Arc<Connection>,
        /// The history read.
        history: u32,
        /// What entries without delay read; there if an entry has none.
        current: Option<u32>,
        /// Buffer written.
        target: u32,
    },
    /// In place, for each source `j` in ascending order whose `spikes[j]` is not 0, for each of its entries in order:
    /// `target[target_e] += weight_e`, or with factors the fused `weight_e * factor[j] + target[target_e]`.
    Deliver {
        /// The connections.
        fanout: Arc<Fanout>,
        /// Which sources send.
        spikes: u32,
        /// What the weights of each source are multiplied by.
        factor: Option<u32>,
        /// Buffer added to.
        target: u32,
    },
}

/// A compiled model.
#[derive(Clone, PartialEq, Debug)]
pub struct Program {
    /// Its buffers.
    pub layout: Layout,
    /// Number format of all buffers and values.
    pub precision: Precision,
    /// Kernels of all phases.
    pub kernels: Vec<Kernel>,
    /// Kernels of each phase in order, by [`Phase`] as an index.
    pub phases: [Vec<u32>; 4],
    /// Initial contents: (buffer, one value or one per element). All other buffers start at 0.
    pub initial: Vec<(u32, Arc<[f64]>)>,
}

impl Program {
    /// The kernels of a phase, in order.
    pub fn phase(&self, phase: Phase) -> &[u32] {
        &self.phases[phase as usize]
    }
}
