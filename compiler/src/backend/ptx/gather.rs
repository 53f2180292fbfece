//! Kernels whose elements read other elements: takes, and couplings by gathering over the entries of each target.
//!
//! Sums are taken in the order of the entries, one thread per target, so they are those of every other engine.

use std::collections::HashMap;
use std::sync::Arc;

use nullcline_runtime::code::{Binding, Constant, Data};

use super::body::{Source, remainder, slot_address};
use super::code::{Class, Code};
use super::deliver::Tiling;
use crate::ir::system::Values;
use crate::kernel::ir::BufferId;

/// What a constant is made of: a part of a table or connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Part {
    /// The indices of a table.
    Table(usize),
    /// Where the entries of each target begin.
    Starts(usize),
    /// The source of each entry.
    Sources(usize),
    /// The weight of each entry.
    Weights(usize),
    /// The weights of a dense connection, row by row; of members that share them, once.
    Matrix(usize),
    /// The weights of a dense connection, tile by tile of targets.
    Tiled(usize),
    /// The delay of each entry.
    Delays(usize),
    /// Of a fanout, by tile of targets and source: where entries begin, their targets, their weights.
    FanoutStarts(usize, Tiling),
    FanoutTargets(usize, Tiling),
    FanoutWeights(usize, Tiling),
    /// The column of each element of an extrinsic input.
    Columns(usize),
    /// The unit of each element of a source of random numbers.
    Units(usize),
}

/// The constants of a module, made when the first entry asks for them.
#[derive(Default)]
pub(super) struct Constants {
    pub list: Vec<Constant>,
    known: HashMap<Part, u32>,
}

impl Constants {
    /// Whether some entry has asked for it.
    pub fn knows(&self, part: Part) -> bool {
        self.known.contains_key(&part)
    }

    /// The index of a constant that some entry has asked for.
    pub fn index(&self, part: Part) -> Option<u32> {
        self.known.get(&part).copied()
    }

    /// Bytes of a constant, if some entry has asked for it; numbers have `size`.
    pub fn bytes(&self, part: Part, size: usize) -> usize {
        self.index(part).map_or(0, |index| match &self.list[index as usize].data {
            Data::Integers(data) => 4 * data.len(),
            Data::Numbers(data) => size * data.len(),
        })
    }

    /// What entries have asked for of a fanout.
    pub fn of_fanout(&self, fanout: usize) -> Vec<Part> {
        let of = |part: &&Part| match part {
            Part::FanoutStarts(of, _) | Part::FanoutTargets(of, _) | Part::FanoutWeights(of, _) => *of == fanout,
            _ => false,
        };
        self.known.keys().filter(of).copied().collect()
    }

    /// The register with the address of a constant.
    pub fn pointer(&mut self, code: &mut Code, part: Part, name: &str, data: impl FnOnce() -> Data) -> String {
        let index = *self.known.entry(part).or_insert_with(|| {
            self.list.push(Constant { name: name.to_string(), data: data() });
            self.list.len() as u32 - 1
        });
        code.pointer(Binding::Constant(index), name)
    }
}

/// `target[i] = source[table[i]]`
pub(super) fn take(
    code: &mut Code,
    source: &Source<'_>,
    constants: &mut Constants,
    element: &str,
    (table, from, to): (usize, BufferId, BufferId),
) {
    let name = format!("table t{table}");
    let indices =
        constants.pointer(code, Part::Table(table), &name, || Data::Integers(source.module.tables[table].clone()));
    let (base, target) = (source.pointer(code, from, false), source.pointer(code, to, true));
    let place = code.element(&indices, element, 4);
    let index = code.set(Class::Bits32, "ld.global.nc.u32", &[&format!("[{place}]")]);
    let address = code.element(&base, &index, source.float.size());
    let value = source.load(code, &address);
    code.remark(source.name(from));
    let address = code.element(&target, element, source.float.size());
    code.op(&source.access("st"), &[&format!("[{address}]"), &value]);
    code.remark(source.name(to));
}

/// The loop over the entries of one target.
pub(super) struct Sum<'a> {
    source: &'a Source<'a>,
    sum: String,
}

impl<'a> Sum<'a> {
    pub fn new(code: &mut Code, source: &'a Source<'a>) -> Sum<'a> {
        let zero = source.float.immediate(0.0);
        let sum = code.set(source.float.class(), &format!("mov.f{}", source.float.width()), &[&zero]);
        Sum { source, sum }
    }

    /// Adds `weight * value`, rounded once.
    pub fn add(&self, code: &mut Code, weight: &str, value: &str) {
        let kind = self.source.float.rounding();
        code.op(&format!("fma.rn.{kind}"), &[&self.sum, weight, value, &self.sum]);
    }

    /// Stores the sum of a target.
    pub fn store(&self, code: &mut Code, element: &str, to: BufferId) {
        let target = self.source.pointer(code, to, true);
        let address = code.element(&target, element, self.source.float.size());
        code.op(&self.source.access("st"), &[&format!("[{address}]"), &self.sum]);
        code.remark(self.source.name(to));
    }
}

/// A number that nothing writes while the entry runs.
fn read_only(code: &mut Code, source: &Source<'_>, address: &str) -> String {
    code.set(source.float.class(), &source.access("ld").replace(".global", ".global.nc"), &[&format!("[{address}]")])
}

/// What the entries of a coupling read.
#[derive(Clone, Copy)]
pub(super) enum Read<'a> {
    /// A buffer.
    Now(BufferId),
    /// The slot of a history that was written as many steps before `step` as the entry says; entries without delay read
    /// `current`, if there is one.
    Past { history: BufferId, current: Option<BufferId>, step: &'a str },
}

/// `target[i] = sum_e weights[e] * source[sources[e]]` over the entries `e` of target `i`.
pub(super) fn couple(
    code: &mut Code,
    source: &Source<'_>,
    constants: &mut Constants,
    element: &str,
    (index, from, to): (usize, Read<'_>, BufferId),
) {
    let connection = &source.module.connections[index];
    let size = source.float.size();
    let mut integers = |code: &mut Code, part: Part, what: &str, data: &Arc<[u32]>| {
        constants.pointer(code, part, &format!("{what} c{index}"), || Data::Integers(data.clone()))
    };
    let starts = integers(code, Part::Starts(index), "starts", &connection.starts);
    let sources = integers(code, Part::Sources(index), "sources", &connection.sources);
    let delays = connection.delays.as_ref().map(|d| integers(code, Part::Delays(index), "delays", d));
    code.comment(&format!("{}: {} entries", connection.name, connection.sources.len()));
    let place = code.element(&starts, element, 4);
    let entry = code.set(Class::Bits32, "ld.global.nc.u32", &[&format!("[{place}]")]);
    let end = code.set(Class::Bits32, "ld.global.nc.u32", &[&format!("[{place}+4]")]);
    let slot = match from {
        Read::Now(_) => None,
        Read::Past { history, step, .. } => Some(remainder(code, step, source.module.slots(history))),
    };
    let sum = Sum::new(code, source);
    let (next, done) = (code.label("entry"), code.label("summed"));
    code.place(&next);
    let over = code.set(Class::Predicate, "setp.ge.u32", &[&entry, &end]);
    code.branch(Some(&over), &done);
    let place = code.element(&sources, &entry, 4);
    let unit = code.set(Class::Bits32, "ld.global.nc.u32", &[&format!("[{place}]")]);
    let address = match (from, slot) {
        (Read::Past { history, current, .. }, Some(slot)) => {
            let delay = delays.map(|delays| {
                let place = code.element(&delays, &entry, 4);
                code.set(Class::Bits32, "ld.global.nc.u32", &[&format!("[{place}]")])
            });
            let delay = delay.unwrap_or_else(|| "0".to_string());
            delayed(code, source, (history, current), (&unit, &delay, &slot))
        }
        (Read::Now(buffer) | Read::Past { history: buffer, .. }, _) => {
            let base = source.pointer(code, buffer, false);
            code.element(&base, &unit, size)
        }
    };
    let value = source.load(code, &address);
    let weight = match &connection.weights {
        Values::Uniform(weight) => source.float.immediate(*weight),
        Values::Each(each) => {
            let name = format!("weights c{index}");
            let weights =
                constants.pointer(code, Part::Weights(index), &name, || Data::Numbers(each.iter().copied().collect()));
            let address = code.element(&weights, &entry, size);
            read_only(code, source, &address)
        }
    };
    sum.add(code, &weight, &value);
    code.op("add.u32", &[&entry, &entry, "1"]);
    code.branch(None, &next);
    code.place(&done);
    sum.store(code, element, to);
}

/// The address of an element of a history as it was `delay` steps ago; `slot` is the current one.
fn delayed(
    code: &mut Code,
    source: &Source<'_>,
    (history, current): (BufferId, Option<BufferId>),
    (unit, delay, slot): (&str, &str, &str),
) -> String {
    let size = source.float.size();
    let (ring, len) = (source.module.slots(history), source.module.buffers[history.index()].len);
    let base = source.pointer(code, history, false);
    let first = code.element(&base, unit, size);
    let back = code.set(Class::Bits32, "sub.u32", &[slot, delay]);
    let wrapped = code.set(Class::Bits32, "add.u32", &[&back, &ring.to_string()]);
    let ahead = code.set(Class::Predicate, "setp.lt.u32", &[slot, delay]);
    let slot = code.set(Class::Bits32, "selp.b32", &[&wrapped, &back, &ahead]);
    let past = slot_address(code, &slot, (&first, len as u64 * u64::from(size)));
    let Some(current) = current else { return past };
    let base = source.pointer(code, current, false);
    let now = code.element(&base, unit, size);
    let prompt = code.set(Class::Predicate, "setp.eq.u32", &[delay, "0"]);
    code.set(Class::Bits64, "selp.b64", &[&now, &past, &prompt])
}
