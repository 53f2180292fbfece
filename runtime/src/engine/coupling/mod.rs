//! Kernels that move values between elements: takes, weighted sums over connections, deliveries of spikes.
//!
//! Each sum is made in the order of its entries, each term with one rounding, whatever the layout of the weights and the
//! number of threads.

mod convolve;
mod deliver;
mod dense;
mod gather;
mod matrix;
mod past;
mod product;

use std::sync::Arc;

use super::{Memory, Real};
use crate::artifact::Explanation;
use crate::program::{Connection, Kernel};
use convolve::Convolve;
use deliver::Deliver;
pub use deliver::{Sending, scan};
use dense::Dense;
use gather::Gather;
use past::Past;
use product::Product;

/// Entries below which threads cost more than they save.
const FEWEST_FOR_THREADS: usize = 1 << 16;

/// A kernel that is no straight-line code, with its weights in the number format of the program.
pub enum Coupling<T> {
    /// Elements by a table.
    Take(Take<T>),
    /// Every target connected to every source.
    Dense(Dense<T>),
    /// The same for several members with one matrix.
    Product(Product<T>),
    /// Any connections.
    Gather(Gather<T>),
    /// A kernel of weights that slides over a grid.
    Convolve(Convolve<T>),
    /// Connections with delays.
    Past(Past<T>),
    /// Spikes along their connections.
    Deliver(Deliver<T>),
}

impl<T: Real> Coupling<T> {
    /// Prepares a kernel; `None` for straight-line code.
    pub fn new(kernel: &Kernel) -> Option<Coupling<T>> {
        Some(match kernel {
            Kernel::Pointwise { .. } => return None,
            Kernel::Take { table, source, target } => {
                let (source, target) = (*source as usize, *target as usize);
                Coupling::Take(Take { table: table.clone(), source, target, taken: Vec::new() })
            }
            Kernel::Couple { connection, source, target } => {
                let places = (*source as usize, *target as usize);
                let connection = &listed(connection);
                if connection.members > 1 {
                    return Some(match Product::new(connection, places) {
                        Some(product) => Coupling::Product(product),
                        None => Coupling::Gather(Gather::new(connection.clone(), places)),
                    });
                }
                match Dense::new(connection, places) {
                    Some(dense) => Coupling::Dense(dense),
                    None => Coupling::Gather(Gather::new(connection.clone(), places)),
                }
            }
            Kernel::Convolve { convolution, source, target } => {
                Coupling::Convolve(Convolve::new(convolution.clone(), (*source as usize, *target as usize)))
            }
            Kernel::CouplePast { connection, history, current, target } => {
                let current = current.map(|c| c as usize);
                Coupling::Past(Past::new(connection.clone(), *history as usize, current, *target as usize))
            }
            Kernel::Deliver { fanout, spikes, factor, target } => {
                let factor = factor.map(|f| f as usize);
                Coupling::Deliver(Deliver::new(fanout.clone(), *spikes as usize, factor, *target as usize))
            }
        })
    }

    /// How the connections of a kernel are executed; `None` if it has none.
    pub fn explain(&self, kernel: &Kernel) -> Option<Explanation> {
        let (connection, why) = match (kernel, self) {
            (Kernel::Couple { connection, .. }, Coupling::Dense(dense)) => (connection, dense.why()),
            (Kernel::Couple { connection, .. }, Coupling::Product(product)) => (connection, product.why()),
            (Kernel::Couple { connection, .. }, Coupling::Gather(gather)) => (connection, gather.why(connection)),
            (Kernel::CouplePast { connection, .. }, Coupling::Past(past)) => (connection, past.why(connection)),
            (Kernel::Convolve { convolution, .. }, Coupling::Convolve(convolve)) => {
                let (name, (kernel, bytes, reason)) = (convolution.name.clone(), convolve.why());
                let synapses = convolution.members as usize * convolution.window.reads() as usize;
                return Some(Explanation { name, synapses, kernel, bytes, reason });
            }
            (Kernel::Deliver { fanout, .. }, Coupling::Deliver(deliver)) => {
                let (name, synapses, (kernel, bytes, reason)) =
                    (fanout.name.clone(), fanout.targets.len(), deliver.why());
                return Some(Explanation { name, synapses, kernel, bytes, reason });
            }
            _ => return None,
        };
        let (name, synapses, (kernel, bytes, reason)) = (connection.name.clone(), entries(connection), why);
        Some(Explanation { name, synapses, kernel, bytes, reason })
    }

    /// Is told when something else than the kernels of a step has written to a buffer, or to any.
    pub fn wrote(&mut self, buffer: Option<usize>) {
        if let Coupling::Past(past) = self {
            past.wrote(buffer);
        }
    }

    /// Runs the kernel at a step.
    pub fn run(&mut self, memory: &mut Memory<T>, sending: &mut Sending, step: u64) {
        if !matches!(self, Coupling::Deliver(_)) {
            sending.clear();
        }
        match self {
            Coupling::Take(take) => take.run(memory),
            Coupling::Dense(dense) => dense.run(memory),
            Coupling::Product(product) => product.run(memory),
            Coupling::Gather(gather) => gather.run(memory),
            Coupling::Convolve(convolve) => convolve.run(memory),
            Coupling::Past(past) => past.run(memory, step),
            Coupling::Deliver(deliver) => deliver.run(memory, sending),
        }
    }
}

/// Fewest entries of a member for which those of all are kept once. Vectors of the targets of several members are filled
/// better than those of a small one.
const FEWEST_SHARED: usize = 1 << 10;

/// The connections of several small members as one list.
fn listed(connection: &Arc<Connection>) -> Arc<Connection> {
    let rows = connection.sources.len() as u32;
    if connection.members == 1 || rows as usize >= FEWEST_SHARED {
        return connection.clone();
    }
    let members = 0..connection.members;
    let ends = connection.starts.iter().skip(1);
    let starts = members.clone().flat_map(|m| ends.clone().map(move |end| m * rows + end));
    let sources = members.clone().flat_map(|m| connection.sources.iter().map(move |j| m * connection.stride + j));
    let weights = if connection.weights.len() > 1 {
        members.flat_map(|_| connection.weights.iter().copied()).collect()
    } else {
        connection.weights.clone()
    };
    Arc::new(Connection {
        name: connection.name.clone(),
        starts: std::iter::once(0).chain(starts).collect(),
        sources: sources.collect(),
        weights,
        delays: None,
        members: 1,
        stride: 0,
    })
}

/// Entries of all members.
fn entries(connection: &Connection) -> usize {
    connection.members as usize * connection.sources.len()
}

/// The weight of an entry in the number format of the program.
fn weight<T: Real>(connection: &Connection, entry: usize) -> T {
    T::from_f64(connection.weights[if connection.weights.len() == 1 { 0 } else { entry }])
}

/// What a kernel is called, the bytes it keeps, and why it was chosen.
type Why = (&'static str, usize, String);

/// The part of all pairs of sources and targets that are connected, in per cent.
fn density(connection: &Connection) -> String {
    let targets = connection.starts.len() - 1;
    let sources = connection.sources.iter().max().map_or(0, |last| *last as usize + 1);
    let pairs = (targets * sources).max(1);
    let part = 100.0 * connection.sources.len() as f64 / pairs as f64;
    if part < 1.0 { format!("{part:.2} % of all pairs") } else { format!("{part:.0} % of all pairs") }
}

/// `target[i] = source[table[i]]`
pub struct Take<T> {
    table: Arc<[u32]>,
    source: usize,
    target: usize,
    taken: Vec<T>,
}

impl<T: Real> Take<T> {
    fn run(&mut self, memory: &mut Memory<T>) {
        let values = memory.slot(self.source, 0);
        self.taken.clear();
        self.taken.extend(self.table.iter().map(|index| values[*index as usize]));
        memory.slot_mut(self.target, 0).copy_from_slice(&self.taken);
    }
}

/// Weights in the number format of the program: one for all entries, or one for each.
fn weights<T: Real>(weights: &[f64]) -> Vec<T> {
    weights.iter().map(|w| T::from_f64(*w)).collect()
}
