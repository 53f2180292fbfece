//! Many steps in one launch: how the work of a module is shared out so that no launch has to wait for another one.
//!
//! Devices start a kernel in microseconds, which a step of a small model does not take. Where elements are independent, one
//! invocation does all steps of its element. Where they are not, the invocations of one group, which can wait for each
//! other, do all steps of a network, kernel after kernel; the members of a batch, which do not read from each other, have
//! groups of their own. Large networks are stepped kernel by kernel: one group is a small part of a processor.

use std::collections::HashSet;

use super::independent::{independent, independent_kernels};
use super::ir::{Body, BufferId, BufferRole, Index, Kernel, Module, Stmt, ValueOp};

/// Largest index set of a group: some elements for each of its invocations. With more, a step takes longer than the
/// launches it saves.
const ELEMENTS: usize = 4096;

/// Most entries of the connections of a group, for the same reason.
const ENTRIES: usize = 1 << 16;

/// How one launch does many steps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ManySteps {
    /// One invocation for each of so many elements.
    Elements(usize),
    /// One group of invocations for each share of the elements.
    Groups(Groups),
}

/// A module in parts that do not read from each other. They lie one after the other in every index set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Groups {
    /// Number of parts.
    pub parts: usize,
    /// Parts of a group; the last group may have fewer.
    pub each: usize,
    /// Elements of the largest index set that a group has.
    pub largest: usize,
    /// Buffers of inputs and random numbers that the step reads and each group fills for itself.
    pub own: Vec<BufferId>,
    /// Those of one number that is the same for all: every invocation has them in registers.
    pub common: Vec<BufferId>,
    /// Kernels of the step that compute such numbers of others, for every invocation to do before all others.
    pub scalar: Vec<usize>,
}

impl Groups {
    /// Number of groups.
    pub fn count(&self) -> usize {
        self.parts.div_ceil(self.each)
    }

    /// Elements of a group, in an index set of so many.
    pub fn share(&self, extent: usize) -> usize {
        extent / self.parts * self.each
    }
}

/// How one launch does many steps of a module, where that is sensible; `invocations` is how many a group has at most.
pub fn many_steps(module: &Module, invocations: usize) -> Option<ManySteps> {
    if let Some(extent) = independent(module) {
        return Some(ManySteps::Elements(extent));
    }
    groups(module, invocations).map(ManySteps::Groups)
}

/// How a launch that does many steps records rows between them, by the same shares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManyRows {
    /// What it does, with the kernels of the observe phase.
    pub steps: ManySteps,
    /// Kernels of that phase that compute one number of what is the same for all: the first invocation of all does them.
    pub alone: Vec<usize>,
    /// Buffers of inputs and random numbers that those read.
    pub common: Vec<BufferId>,
}

/// The rows of such a launch, if what each share observes is its own.
pub fn many_rows(module: &Module, steps: &ManySteps) -> Option<ManyRows> {
    let kernels: Vec<usize> = module.step.iter().chain(&module.observe).copied().collect();
    if *steps == ManySteps::Elements(1) {
        independent_kernels(module, &kernels)?;
        return Some(ManyRows { steps: steps.clone(), alone: Vec::new(), common: Vec::new() });
    }
    let accesses = Accesses::new(module, &kernels);
    let (own, common) = accesses.entering();
    let steps = match steps {
        ManySteps::Elements(extent) => {
            let others = kernels.iter().copied().filter(|kernel| !accesses.alone.contains(kernel));
            let holds = independent_kernels(module, &others.collect::<Vec<usize>>()).is_some();
            (holds && accesses.scalar.is_empty()).then_some(ManySteps::Elements(*extent))?
        }
        ManySteps::Groups(groups) => {
            let whole = accesses.kernels.iter().all(|kernel| kernel.extent.is_multiple_of(groups.parts));
            let holds = whole && Parts { module, accesses: &accesses, parts: groups.parts }.hold();
            let (common, scalar) = (common.clone(), accesses.scalar);
            holds.then_some(ManySteps::Groups(Groups { own, common, scalar, ..groups.clone() }))?
        }
    };
    Some(ManyRows { steps, alone: accesses.alone, common })
}

fn groups(module: &Module, invocations: usize) -> Option<Groups> {
    let accesses = Accesses::new(module, &module.step);
    let together = accesses.kernels.iter().map(|k| k.extent).reduce(divisor)?;
    let (own, common) = accesses.entering();
    let fed = own.iter().map(|b| module.buffers[b.index()].len);
    let largest = accesses.kernels.iter().map(|k| k.extent).chain(fed).max()?;
    let small = |parts: usize| largest / parts <= ELEMENTS && accesses.entries / parts <= ENTRIES;
    // The more parts, the smaller: the first number of parts that holds is the one wanted.
    let parts = (1..=together).rev().filter(|parts| together.is_multiple_of(*parts)).take_while(|parts| small(*parts));
    let parts = parts.map(|parts| Parts { module, accesses: &accesses, parts }).find(Parts::hold)?.parts;
    let mut each = 1;
    // Small parts share a group, as long as all of them have an invocation for each element.
    if largest / parts * 2 <= invocations {
        each = (invocations / (largest / parts).max(1)).min(ENTRIES / (accesses.entries / parts).max(1)).min(parts);
    }
    Some(Groups { parts, each, largest: largest / parts * each, own, common, scalar: accesses.scalar })
}

fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// What the kernels of a step touch.
struct Accesses<'m> {
    /// All but those of `scalar` and `alone`.
    kernels: Vec<&'m Kernel>,
    written: HashSet<BufferId>,
    /// Inputs and random numbers that are read.
    fed: Vec<BufferId>,
    /// Buffers of one number that every invocation can have for itself: inputs, random numbers, and what the kernels of
    /// `scalar` compute of those and the time.
    common: HashSet<BufferId>,
    scalar: Vec<usize>,
    /// Kernels that compute an observed number of the same.
    alone: Vec<usize>,
    /// Entries of all connections.
    entries: usize,
}

impl<'m> Accesses<'m> {
    fn new(module: &'m Module, all: &[usize]) -> Accesses<'m> {
        let (mut written, mut read, mut gathered, mut entries) = (HashSet::new(), HashSet::new(), HashSet::new(), 0);
        for kernel in all.iter().map(|k| &module.kernels[*k]) {
            match &kernel.body {
                Body::Pointwise(body) => body.iter().for_each(|stmt| match stmt {
                    Stmt::Store(buffer, _) => _ = written.insert(*buffer),
                    Stmt::Let(_, ValueOp::Load { buffer, .. } | ValueOp::Past { buffer, .. }) => {
                        read.insert(*buffer);
                    }
                    Stmt::Let(..) => {}
                }),
                Body::Take { source, target, .. } => {
                    gathered.insert(*source);
                    written.insert(*target);
                }
                Body::Couple { connection, source, target } => {
                    entries += module.connections[*connection].sources.len();
                    gathered.insert(*source);
                    written.insert(*target);
                }
                Body::Convolve { convolution, source, target } => {
                    let convolution = &module.convolutions[*convolution];
                    entries += convolution.members as usize * convolution.window.reads() as usize;
                    gathered.insert(*source);
                    written.insert(*target);
                }
                Body::CouplePast { connection, history, current, target } => {
                    entries += module.connections[*connection].sources.len();
                    gathered.extend([Some(*history), *current].into_iter().flatten());
                    written.insert(*target);
                }
                Body::Deliver { fanout, spikes, factor, target } => {
                    entries += module.fanouts[*fanout].targets.len();
                    gathered.extend([Some(*spikes), *factor].into_iter().flatten());
                    written.insert(*target);
                }
            }
        }
        let fed = module.inputs.iter().map(|i| i.0).chain(module.randoms.iter().map(|r| r.0));
        let fed: Vec<BufferId> = fed.filter(|b| read.contains(b) || gathered.contains(b)).collect();
        let single = |buffer: &BufferId| module.buffers[buffer.index()].len == 1 && !gathered.contains(buffer);
        let mut common: HashSet<BufferId> = fed.iter().copied().filter(single).collect();
        let (mut kernels, mut scalar, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        for index in all {
            let kernel = &module.kernels[*index];
            let known = |stmt: &Stmt| match stmt {
                Stmt::Store(buffer, _) => {
                    matches!(module.buffers[buffer.index()].role, BufferRole::Scratch(_)) && single(buffer)
                }
                Stmt::Let(_, ValueOp::Load { buffer, .. }) => {
                    common.contains(buffer) || !(written.contains(buffer) || fed.contains(buffer))
                }
                Stmt::Let(_, ValueOp::Past { .. }) => false,
                Stmt::Let(..) => true,
            };
            let observed = |stmt: &Stmt| match stmt {
                Stmt::Store(buffer, _) => {
                    matches!(module.buffers[buffer.index()].role, BufferRole::Observed(_)) && single(buffer)
                }
                Stmt::Let(..) => known(stmt),
            };
            match &kernel.body {
                Body::Pointwise(body) if kernel.extent == 1 && body.iter().all(observed) => alone.push(*index),
                Body::Pointwise(body) if kernel.extent == 1 && body.iter().all(known) => {
                    scalar.push(*index);
                    common.extend(body.iter().filter_map(|stmt| match stmt {
                        Stmt::Store(buffer, _) => Some(*buffer),
                        Stmt::Let(..) => None,
                    }));
                }
                _ => kernels.push(kernel),
            }
        }
        Accesses { kernels, written, fed, common, scalar, alone, entries }
    }

    /// The buffers of inputs and random numbers that each group fills for itself, and those that every invocation has.
    fn entering(&self) -> (Vec<BufferId>, Vec<BufferId>) {
        self.fed.iter().partition(|buffer| !self.common.contains(buffer))
    }
}

/// A number of parts that is to be tried.
struct Parts<'m> {
    module: &'m Module,
    accesses: &'m Accesses<'m>,
    parts: usize,
}

impl Parts<'_> {
    fn len(&self, buffer: BufferId) -> usize {
        self.module.buffers[buffer.index()].len
    }

    /// Whether each part has elements of its own of a buffer.
    fn owns(&self, buffer: BufferId) -> bool {
        self.len(buffer).is_multiple_of(self.parts)
    }

    /// The part that an element belongs to.
    fn of(&self, element: usize, extent: usize) -> usize {
        element / (extent / self.parts)
    }

    /// Whether what a buffer holds may be read from every part: nothing that is computed in a step.
    fn fixed(&self, buffer: BufferId) -> bool {
        !self.accesses.written.contains(&buffer) && !self.accesses.fed.contains(&buffer)
    }

    /// Whether no part reads what another one computes.
    fn hold(&self) -> bool {
        self.parts == 1 || self.accesses.kernels.iter().all(|kernel| self.keeps(kernel))
    }

    /// Whether elements of a kernel with so many read a buffer inside of their part: pairs of what is read and who reads.
    fn inside(&self, (source, extent): (BufferId, usize), mut pairs: impl Iterator<Item = (usize, usize)>) -> bool {
        let len = self.len(source);
        self.fixed(source) || (self.owns(source) && pairs.all(|(from, to)| self.of(from, len) == self.of(to, extent)))
    }

    fn keeps(&self, kernel: &Kernel) -> bool {
        let (module, extent) = (self.module, kernel.extent);
        let gathered = |connection: usize| {
            let connection = &module.connections[connection];
            let row = |target: usize| connection.starts[target] as usize..connection.starts[target + 1] as usize;
            (0..extent).flat_map(move |target| row(target).map(move |e| (connection.sources[e] as usize, target)))
        };
        match &kernel.body {
            Body::Pointwise(body) => body.iter().all(|stmt| match stmt {
                Stmt::Let(_, ValueOp::Load { buffer, index: Index::Zero }) => {
                    self.fixed(*buffer) || self.accesses.common.contains(buffer)
                }
                Stmt::Let(_, ValueOp::Past { index: Index::Zero, .. }) => false,
                _ => true,
            }),
            Body::Take { table, source, .. } => {
                let indices = module.tables[*table].iter().map(|i| *i as usize);
                self.inside((*source, extent), indices.zip(0..))
            }
            Body::Couple { connection, source, .. } => self.inside((*source, extent), gathered(*connection)),
            Body::Convolve { convolution, source, .. } => {
                // Within a member anything may be read.
                let members = module.convolutions[*convolution].members as usize;
                let pairs = (0..members).flat_map(|m| {
                    let [from, to] = [self.len(*source) / members, extent / members];
                    (0..to).flat_map(move |t| [(m * from, m * to + t), (m * from + from - 1, m * to + t)])
                });
                self.inside((*source, extent), pairs)
            }
            Body::CouplePast { connection, history, current, .. } => {
                self.inside((*history, extent), gathered(*connection))
                    && current.is_none_or(|current| self.inside((current, extent), gathered(*connection)))
            }
            Body::Deliver { fanout, spikes, .. } => {
                let fanout = &module.fanouts[*fanout];
                let row = |source: usize| fanout.starts[source] as usize..fanout.starts[source + 1] as usize;
                let sources = fanout.starts.len() - 1;
                self.owns(*spikes)
                    && sources == self.len(*spikes)
                    && (0..sources).all(|source| {
                        let mut targets = row(source).map(|e| fanout.targets[e] as usize);
                        targets.all(|target| self.of(source, sources) == self.of(target, extent))
                    })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::expr::{SpaceId, StateId};
    use crate::ir::system::{Connection, Values};
    use crate::kernel::ir::{Buffer, BufferRole, Precision};

    /// `members` rings of `units` units, each of which reads the one before.
    fn rings(members: usize, units: usize) -> Module {
        let mut module = Module::empty("rings", Precision::F32);
        let len = members * units;
        let state = |name: &str, id: u32| Buffer { name: name.into(), role: BufferRole::State(StateId(id)), len };
        module.buffers = vec![state("x", 0), state("y", 1)];
        let starts: Vec<u32> = (0..=len as u32).collect();
        let before = |i: usize| (i / units * units + (i % units + units - 1) % units) as u32;
        let sources: Vec<u32> = (0..len).map(before).collect();
        let ends = (SpaceId(1), SpaceId(1));
        module.connections = vec![Connection::new("ring", ends, starts, sources, Values::Uniform(1.0))];
        let couple = |source: u32, target: u32| Kernel {
            name: format!("step {source} to {target}"),
            extent: len,
            body: Body::Couple { connection: 0, source: BufferId(source), target: BufferId(target) },
        };
        module.kernels = vec![couple(0, 1), couple(1, 0)];
        module.step = vec![0, 1];
        module
    }

    fn shared(module: &Module) -> Option<(usize, usize, usize)> {
        match many_steps(module, 256)? {
            ManySteps::Groups(groups) => Some((groups.parts, groups.each, groups.count())),
            ManySteps::Elements(_) => panic!("units read each other"),
        }
    }

    #[test]
    fn a_network_has_one_group_and_members_share_or_have_their_own() {
        assert_eq!(shared(&rings(1, 100)), Some((1, 1, 1)));
        // As many members as fit the invocations of a group.
        assert_eq!(shared(&rings(10, 100)), Some((10, 2, 5)));
        assert_eq!(shared(&rings(7, 300)), Some((7, 1, 7)));
        assert_eq!(shared(&rings(1000, 3)), Some((1000, 85, 12)));
    }

    #[test]
    fn what_one_group_would_be_slow_at_has_none() {
        assert_eq!(shared(&rings(1, ELEMENTS)), Some((1, 1, 1)));
        assert_eq!(shared(&rings(3, ELEMENTS + 1)), None);
    }

    #[test]
    fn parts_that_read_from_each_other_are_one() {
        let mut module = rings(10, 100);
        // One unit reads another member's.
        let mut sources = module.connections[0].sources.to_vec();
        sources[950] = 3;
        module.connections[0].sources = sources.into();
        assert_eq!(shared(&module), Some((1, 1, 1)));
    }
}
