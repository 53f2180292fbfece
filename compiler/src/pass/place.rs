//! Placement: where the buffers and constant arrays of a module lie on devices whose entries can be given a few large
//! pieces of memory only.
//!
//! Buffers fill banks one after the other. Small constant arrays share one constant for each number format; large ones are
//! constants by themselves. A connection with more entries than one binding holds is cut between targets.

use std::ops::Range;
use std::sync::Arc;

use nullcline_runtime::code::{Bank, Constant, Data, Limits, Sample};

use crate::ir::system::{Connection, Values};
use crate::kernel::ir::{Body, BufferId, Module, Precision, Stmt, ValueOp};

/// Element a column table holds where an input drives nothing.
pub const UNDRIVEN: u32 = u32::MAX;

/// Elements up to which a constant array shares a binding with others.
const SHARED: usize = 1 << 16;

/// Elements from whose multiples the arrays of a bank start: a cache line of GPUs in either precision.
const ALIGNMENT: usize = 32;

/// An array in a constant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// The constant.
    pub constant: u32,
    /// First element.
    pub offset: usize,
}

/// The entries of a connection for some of its targets.
#[derive(Clone, PartialEq, Debug)]
pub struct Piece {
    /// The targets.
    pub targets: Range<usize>,
    /// For each of them its first entry, and the number of entries behind the last, counted from the piece's first.
    pub starts: Held,
    /// Source element of each entry.
    pub sources: Held,
    /// Weight of each entry, or one for all.
    pub weights: Weights,
    /// Delay of each entry in steps.
    pub delays: Option<Held>,
}

/// The weights of a piece.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Weights {
    /// One number.
    Uniform(f64),
    /// One number for each entry.
    Each(Held),
}

/// Where everything lies.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Placement {
    /// The memory of the buffers.
    pub banks: Vec<Bank>,
    /// Bank and first element of each buffer.
    pub buffers: Vec<(u32, usize)>,
    /// The constant arrays.
    pub constants: Vec<Constant>,
    /// The index tables of the module.
    pub tables: Vec<Held>,
    /// Its connections, in pieces.
    pub connections: Vec<Vec<Piece>>,
    /// What spikes travel along, by target, in pieces.
    pub fanouts: Vec<Vec<Piece>>,
    /// For each extrinsic input the number of the sample that each element gets, or [`UNDRIVEN`].
    pub columns: Vec<Held>,
    /// For each source of random numbers the unit of each element.
    pub units: Vec<Held>,
    /// What a row of samples holds.
    pub samples: Vec<Sample>,
}

/// Arranges the memory of a module.
pub fn place(module: &Module, limits: &Limits) -> Placement {
    let size = if module.precision == Precision::F64 { 8 } else { 4 };
    let most = |size: u64| (limits.binding_bytes / size) as usize;
    let mut placement = Placement::default();
    place_buffers(&mut placement, module, most(size));
    let mut pool = Pool::default();
    placement.tables = module.tables.iter().map(|t| pool.integers("table", t)).collect();
    let most = most(size.max(4));
    placement.connections = module.connections.iter().map(|c| place_connection(&mut pool, c, most)).collect();
    placement.fanouts =
        (0..module.fanouts.len()).map(|fanout| place_connection(&mut pool, &transpose(module, fanout), most)).collect();
    placement.samples = samples(module);
    let number = |series: usize, column: Option<u32>| match column {
        None => UNDRIVEN,
        Some(column) => {
            let sample = Sample::Column { series: series as u32, column };
            // `samples` has listed every column that is read.
            placement.samples.iter().position(|s| *s == sample).map_or(UNDRIVEN, |at| at as u32)
        }
    };
    placement.columns = (module.inputs.iter())
        .map(|(_, input)| {
            let columns: Arc<[u32]> = input.columns.iter().map(|c| number(input.series, *c)).collect();
            pool.integers("columns", &columns)
        })
        .collect();
    placement.units = module.randoms.iter().map(|(_, random)| pool.integers("units", &random.units)).collect();
    placement.constants = pool.constants();
    placement
}

fn place_buffers(placement: &mut Placement, module: &Module, most: usize) {
    for (index, buffer) in module.buffers.iter().enumerate() {
        let len = buffer.len * module.slots(BufferId(index as u32));
        let place = |bank: &Bank| if len == 1 { bank.len } else { bank.len.next_multiple_of(ALIGNMENT) };
        if placement.banks.last().is_none_or(|bank| place(bank) + len > most) {
            let name = format!("memory_{}", placement.banks.len());
            placement.banks.push(Bank { name, len: 0, buffers: Vec::new() });
        }
        let last = placement.banks.len() - 1;
        let bank = &mut placement.banks[last];
        let offset = place(bank);
        bank.buffers.push((index as u32, offset));
        bank.len = offset + len;
        placement.buffers.push((last as u32, offset));
    }
}

/// Time if a kernel reads it, then every column that an input reads.
fn samples(module: &Module) -> Vec<Sample> {
    let timed = |stmt: &Stmt| matches!(stmt, Stmt::Let(_, ValueOp::Time));
    let reads_time = |body: &Body| matches!(body, Body::Pointwise(stmts) if stmts.iter().any(timed));
    let time = module.kernels.iter().any(|k| reads_time(&k.body)).then_some(Sample::Time);
    let columns = module.inputs.iter().flat_map(|(_, input)| {
        let series = input.series as u32;
        let mut columns: Vec<u32> = input.columns.iter().copied().flatten().collect();
        columns.sort_unstable();
        columns.dedup();
        columns.into_iter().map(move |column| Sample::Column { series, column })
    });
    let mut samples: Vec<Sample> = Vec::new();
    for sample in time.into_iter().chain(columns) {
        if !samples.contains(&sample) {
            samples.push(sample);
        }
    }
    samples
}

fn place_connection(pool: &mut Pool, connection: &Connection, most: usize) -> Vec<Piece> {
    let starts = &connection.starts;
    let targets = starts.len().saturating_sub(1);
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < targets {
        // As many targets as fit, at least one.
        let fits = |to: usize| (starts[to] - starts[from]) as usize <= most;
        let to =
            if fits(targets) { targets } else { (from + 2..=targets).find(|to| !fits(*to)).map_or(targets, |t| t - 1) };
        let entries = starts[from] as usize..starts[to] as usize;
        let own: Arc<[u32]> = starts[from..=to].iter().map(|s| s - starts[from]).collect();
        let sources: Arc<[u32]> = connection.sources[entries.clone()].into();
        pieces.push(Piece {
            targets: from..to,
            starts: pool.integers("starts", &own),
            sources: pool.integers("sources", &sources),
            weights: match &connection.weights {
                Values::Uniform(weight) => Weights::Uniform(*weight),
                Values::Each(weights) => Weights::Each(pool.numbers("weights", &weights[entries.clone()])),
            },
            delays: connection.delays.as_ref().map(|delays| pool.integers("delays", &delays[entries].into())),
        });
        from = to;
    }
    pieces
}

/// The entries of a fanout by target: those of one target in the order in which they are delivered, by source.
fn transpose(module: &Module, index: usize) -> Connection {
    let fanout = &module.fanouts[index];
    let extent = module.kernels.iter().find_map(|kernel| match &kernel.body {
        Body::Deliver { fanout, .. } if *fanout == index => Some(kernel.extent),
        _ => None,
    });
    let targets = extent.unwrap_or(0);
    let mut starts = vec![0u32; targets + 1];
    fanout.targets.iter().for_each(|target| starts[*target as usize + 1] += 1);
    (0..targets).for_each(|target| starts[target + 1] += starts[target]);
    let mut next = starts.clone();
    let entries = fanout.targets.len();
    let mut sources = vec![0u32; entries];
    let mut order = vec![0u32; if matches!(fanout.weights, Values::Each(_)) { entries } else { 0 }];
    for source in 0..fanout.starts.len().saturating_sub(1) {
        for entry in fanout.starts[source]..fanout.starts[source + 1] {
            let place = &mut next[fanout.targets[entry as usize] as usize];
            sources[*place as usize] = source as u32;
            if let Some(from) = order.get_mut(*place as usize) {
                *from = entry;
            }
            *place += 1;
        }
    }
    let weights = match &fanout.weights {
        Values::Uniform(weight) => Values::Uniform(*weight),
        Values::Each(weights) => Values::Each(order.iter().map(|from| weights[*from as usize]).collect()),
    };
    Connection::new(fanout.name.clone(), (fanout.source, fanout.target), starts, sources, weights)
}

/// Constant arrays being collected. The shared ones are constants 0 and 1, and stay there even when empty until
/// [`Pool::constants`].
#[derive(Default)]
struct Pool {
    integers: Vec<u32>,
    numbers: Vec<f64>,
    large: Vec<Constant>,
}

const INTEGERS: u32 = 0;
const NUMBERS: u32 = 1;
const LARGE: u32 = 2;

impl Pool {
    fn integers(&mut self, name: &str, data: &Arc<[u32]>) -> Held {
        if data.len() > SHARED {
            return self.large(name, Data::Integers(data.clone()));
        }
        let offset = self.integers.len();
        self.integers.extend_from_slice(data);
        Held { constant: INTEGERS, offset }
    }

    fn numbers(&mut self, name: &str, data: &[f64]) -> Held {
        if data.len() > SHARED {
            return self.large(name, Data::Numbers(data.to_vec()));
        }
        let offset = self.numbers.len();
        self.numbers.extend_from_slice(data);
        Held { constant: NUMBERS, offset }
    }

    fn large(&mut self, name: &str, data: Data) -> Held {
        let same = |c: &Constant| match (&c.data, &data) {
            (Data::Integers(a), Data::Integers(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        let known = self.large.iter().position(same);
        let index = known.unwrap_or_else(|| {
            self.large.push(Constant { name: format!("{name}_{}", self.large.len()), data });
            self.large.len() - 1
        });
        Held { constant: LARGE + index as u32, offset: 0 }
    }

    fn constants(self) -> Vec<Constant> {
        let shared = [
            Constant { name: "integers".to_string(), data: Data::Integers(self.integers.into()) },
            Constant { name: "numbers".to_string(), data: Data::Numbers(self.numbers) },
        ];
        shared.into_iter().chain(self.large).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::expr::{SpaceId, StateId};
    use crate::kernel::ir::{Buffer, BufferRole};

    #[test]
    fn buffers_that_do_not_fit_one_binding_get_another() {
        let mut module = Module::empty("m", Precision::F32);
        for (i, len) in [1, 100, 100, 100].into_iter().enumerate() {
            let role = BufferRole::State(StateId(i as u32));
            module.buffers.push(Buffer { name: format!("b{i}"), role, len });
        }
        let placement = place(&module, &Limits { binding_bytes: 4 * 256, ..Limits::PORTABLE });
        assert_eq!(placement.buffers, [(0, 0), (0, 32), (1, 0), (1, 128)]);
        assert_eq!(placement.banks.iter().map(|b| b.len).collect::<Vec<_>>(), [132, 228]);
    }

    #[test]
    fn a_connection_with_too_many_entries_is_cut_between_targets() {
        let (starts, sources) = ([0, 3, 5, 9, 9], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        let connection = Connection::new("w", (SpaceId(1), SpaceId(2)), starts, sources, Values::Uniform(0.5));
        let mut pool = Pool::default();
        let pieces = place_connection(&mut pool, &connection, 5);
        assert_eq!(pieces.iter().map(|p| p.targets.clone()).collect::<Vec<_>>(), [0..2, 2..4]);
        let Held { offset, .. } = pieces[1].starts;
        assert_eq!(pool.integers[offset..offset + 3], [0, 4, 4]);
        let Held { offset, .. } = pieces[1].sources;
        assert_eq!(pool.integers[offset..offset + 4], [5, 6, 7, 8]);
    }
}
