//! Compiled models as text: the code of all kernels with what it takes to launch them, for devices with a compiler of
//! their own and for hosts that know nothing of this runtime.

use std::sync::Arc;

use crate::artifact::Layout;
use crate::program::Precision;

/// A compiled model as code in the language of a device.
#[derive(Clone, PartialEq, Debug)]
pub struct Artifact {
    /// The target it was made for: `wgsl`, `ptx`.
    pub target: String,
    /// The code of all entries.
    pub code: String,
    /// The model's buffers.
    pub layout: Layout,
    /// Number format of all buffers and values.
    pub precision: Precision,
    /// Arrays that entries read and nothing writes: index tables, connections, weights.
    pub constants: Vec<Constant>,
    /// What can be launched.
    pub entries: Vec<Entry>,
    /// The entries of each phase in order, by [`Phase`](crate::artifact::Phase) as an index.
    pub phases: [Vec<u32>; 4],
    /// For each extrinsic input of the layout the entry that fills its buffer; none at all where the host does it.
    pub feeds: Vec<u32>,
    /// For each source of random numbers of the layout likewise.
    pub randoms: Vec<u32>,
    /// The entry that gathers recorded values: [`Binding::Addresses`] into a row of [`Binding::Rows`].
    pub record: Option<u32>,
    /// The entry that runs any number of steps by itself, inputs and random numbers included, where there is one: for small
    /// models, and where no element reads what another one wrote.
    pub steps: Option<u32>,
    /// Initial contents: (buffer, one value or one per element). All other buffers start at 0.
    pub initial: Vec<(u32, Vec<f64>)>,
}

/// An array that entries read and nothing writes.
#[derive(Clone, PartialEq, Debug)]
pub struct Constant {
    /// Name, unique in the artifact.
    pub name: String,
    /// Its contents.
    pub data: Data,
}

/// Numbers in one of two formats.
#[derive(Clone, PartialEq, Debug)]
pub enum Data {
    /// Indices and counts.
    Integers(Arc<[u32]>),
    /// Numbers in the artifact's precision.
    Numbers(Vec<f64>),
}

/// A kernel that can be launched.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Its name in the code.
    pub name: String,
    /// Number of elements: one invocation each, those past the end do nothing.
    pub extent: usize,
    /// Invocations per workgroup (thread block).
    pub group: u32,
    /// Bytes of memory shared by the invocations of a workgroup, which the code itself reserves.
    pub shared: u32,
    /// What it is given, in order.
    pub bindings: Vec<Binding>,
}

/// One thing an entry is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// A buffer of the layout.
    Buffer {
        /// Its index.
        index: u32,
        /// Whether the entry writes to it.
        written: bool,
    },
    /// A constant, by its index.
    Constant(u32),
    /// The samples of a series: the number of rows and that of columns, 64 bits each, then the numbers row by row.
    Samples(u32),
    /// Addresses of recorded numbers, 64 bits each.
    Addresses,
    /// Where recorded rows go.
    Rows,
}
