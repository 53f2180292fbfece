//! Small networks: a block of threads runs any number of steps of one, kernel after kernel; its threads take turns on the
//! elements, and wait for each other after each kernel. Members of a batch have blocks of their own.

use std::collections::HashMap;

use nullcline_runtime::code::Entry;

use super::body::{Memory, Places, Source, body};
use super::code::{Class, Code, GROUP};
use super::deliver::{Delivery, Tiling, deliver};
use super::feeds::{column, random, sample, unit};
use super::fill;
use super::gather::{Constants, Read, couple, take};
use super::rows::{Row, repeat};
use crate::kernel::ir::{Body, BufferId, Index};
use crate::kernel::many::Groups;

/// Writes the entry that runs many steps, or, with the kernels that the first thread does for itself, many rows.
pub(super) fn together(
    source: &Source<'_>,
    constants: &mut Constants,
    groups: &Groups,
    alone: Option<&[usize]>,
) -> (String, Entry) {
    let records = alone.is_some();
    let (name, what) = if records { ("rows", "any number of rows") } else { ("steps", "any number of steps") };
    let about = match groups.count() {
        1 => format!("{what}: one block for the whole network"),
        _ => format!("{what}: a block for each {} of {} independent networks", groups.each, groups.parts),
    };
    let mut code = Code::new(name.to_string(), vec![about]);
    let lane = code.set(Class::Bits32, "mov.u32", &["%tid.x"]);
    let block = code.set(Class::Bits32, "mov.u32", &["%ctaid.x"]);
    let first = code.first();
    let step = code.set(Class::Bits64, "mov.u64", &[&first]);
    let count = code.count();
    let turns = Turns { source, groups, lane, block, step };
    let module = source.module;
    if let Some(alone) = alone {
        let row = Row::new(&mut code, groups.count(), &turns.block);
        repeat(&mut code, (&count, "row"), |code| {
            if !module.observe.is_empty() {
                let (alone, shared): (Vec<usize>, Vec<usize>) = module.observe.iter().partition(|k| alone.contains(k));
                let given = turns.kernels(code, constants, &shared);
                if !alone.is_empty() {
                    let own = code.set(Class::Bits32, "or.b32", &[&turns.lane, &turns.block]);
                    first_alone(code, source, (&own, &turns.step), &alone, |_| given);
                    code.barrier();
                }
            }
            row.copy(code, source, Some(&turns.lane), GROUP);
            // Nobody may go on while others still read.
            code.barrier();
            row.turn(code);
            repeat(code, (&row.every, "step"), |code| turns.advance(code, constants));
        });
    } else {
        repeat(&mut code, (&count, "step"), |code| turns.advance(code, constants));
    }
    code.finish(groups.count() * GROUP as usize)
}

/// Numbers that are the same for all blocks, of inputs, random numbers and the time: every thread has them in registers.
pub(super) fn common(
    code: &mut Code,
    source: &Source<'_>,
    constants: &mut Constants,
    (common, scalar): (&[BufferId], &[usize]),
    step: &str,
) -> HashMap<BufferId, String> {
    let (module, mut given) = (source.module, HashMap::new());
    for buffer in common {
        let value = if let Some(input) = module.inputs.iter().position(|i| i.0 == *buffer) {
            let column = column(code, source, constants, input, "0");
            sample(code, source, input, &column, step)
        } else {
            let row = module.randoms.iter().position(|r| r.0 == *buffer).expect("it is an input or a random number");
            let unit = unit(code, source, constants, row, "0");
            random(code, source, row, &unit, step)
        };
        given.insert(*buffer, value);
    }
    let memory = Memory::new(*source, "0".to_string(), Some(step.to_string())).with(given);
    let mut registers = Registers(memory);
    for kernel in scalar.iter().map(|k| &module.kernels[*k]) {
        if let Body::Pointwise(statements) = &kernel.body {
            code.comment(&kernel.name);
            body(code, source, &mut registers, statements);
        }
    }
    registers.0.given
}

/// Where kernels that every thread runs for itself find numbers: what they store stays in registers.
struct Registers<'a>(Memory<'a>);

impl Places for Registers<'_> {
    fn load(&mut self, code: &mut Code, buffer: BufferId, _: Index) -> String {
        self.0.load(code, buffer, Index::Zero)
    }

    fn past(&mut self, code: &mut Code, buffer: BufferId, _: Index, steps: u32) -> String {
        self.0.past(code, buffer, Index::Zero, steps)
    }

    fn store(&mut self, _: &mut Code, buffer: BufferId, value: &str) {
        self.0.given.insert(buffer, value.to_string());
    }

    fn step(&mut self, code: &mut Code) -> String {
        self.0.step(code)
    }
}

/// Writes kernels of one number for the thread whose register `own` is 0; `given` writes what they share with all.
pub(super) fn first_alone(
    code: &mut Code,
    source: &Source<'_>,
    (own, step): (&str, &str),
    kernels: &[usize],
    given: impl FnOnce(&mut Code) -> HashMap<BufferId, String>,
) {
    let others = code.label("not_first");
    let other = code.set(Class::Predicate, "setp.ne.u32", &[own, "0"]);
    code.branch(Some(&other), &others);
    let memory = Memory::new(*source, "0".to_string(), Some(step.to_string()));
    let mut alone = Alone(memory.with(given(code)));
    for kernel in kernels.iter().map(|k| &source.module.kernels[*k]) {
        if let Body::Pointwise(statements) = &kernel.body {
            code.comment(&kernel.name);
            body(code, source, &mut alone, statements);
        }
    }
    code.place(&others);
}

/// Where kernels that one thread runs find numbers: all are the only ones of their buffers.
struct Alone<'a>(Memory<'a>);

impl Places for Alone<'_> {
    fn load(&mut self, code: &mut Code, buffer: BufferId, _: Index) -> String {
        self.0.load(code, buffer, Index::Zero)
    }

    fn past(&mut self, code: &mut Code, buffer: BufferId, _: Index, steps: u32) -> String {
        self.0.past(code, buffer, Index::Zero, steps)
    }

    fn store(&mut self, code: &mut Code, buffer: BufferId, value: &str) {
        self.0.store(code, buffer, value);
    }

    fn step(&mut self, code: &mut Code) -> String {
        self.0.step(code)
    }
}

/// How the elements of a block fall to its threads: every [`GROUP`]th to each.
struct Turns<'a> {
    source: &'a Source<'a>,
    groups: &'a Groups,
    lane: String,
    block: String,
    step: String,
}

impl Turns<'_> {
    /// Runs a step.
    fn advance(&self, code: &mut Code, constants: &mut Constants) {
        self.kernels(code, constants, &self.source.module.step);
        code.op("add.u64", &[&self.step, &self.step, "1"]);
    }

    /// Runs kernels one after the other, on what enters the step; returns what every thread has of that.
    fn kernels(&self, code: &mut Code, constants: &mut Constants, kernels: &[usize]) -> HashMap<BufferId, String> {
        let (source, groups, step) = (self.source, self.groups, &self.step);
        let given = common(code, source, constants, (&groups.common, &groups.scalar), step);
        let fed = (0..source.module.inputs.len() + source.module.randoms.len())
            .filter(|index| groups.own.contains(&fill::buffer(source, *index)));
        for index in fed {
            let extent = source.module.buffers[fill::buffer(source, index).index()].len;
            self.take(code, extent, |code, element| fill::element(code, source, constants, index, element, step));
        }
        if !groups.own.is_empty() {
            code.barrier();
        }
        let kernels = kernels.iter().filter(|k| !groups.scalar.contains(k));
        for kernel in kernels.map(|k| &source.module.kernels[*k]) {
            code.comment(&format!("{} over {}", kernel.name, kernel.extent));
            if let Body::Deliver { fanout, spikes, factor, target } = kernel.body {
                self.deliver(code, constants, Delivery { fanout, spikes, factor, target });
                code.barrier();
                continue;
            }
            self.take(code, kernel.extent, |code, element| match &kernel.body {
                Body::Pointwise(statements) => {
                    let mut memory = Memory::new(*source, element.to_string(), Some(step.clone())).with(given.clone());
                    body(code, source, &mut memory, statements);
                }
                Body::Take { table, source: from, target } => {
                    take(code, source, constants, element, (*table, *from, *target));
                }
                Body::Couple { connection, source: from, target } => {
                    couple(code, source, constants, element, (*connection, Read::Now(*from), *target));
                }
                Body::CouplePast { connection, history, current, target } => {
                    let from = Read::Past { history: *history, current: *current, step };
                    couple(code, source, constants, element, (*connection, from, *target));
                }
                Body::Convolve { .. } => unreachable!("the target has lists of connections instead"),
                Body::Deliver { .. } => unreachable!("it is written above"),
            });
            code.barrier();
        }
        given
    }

    /// Writes code for each element of an index set that falls to a thread.
    fn take(&self, code: &mut Code, extent: usize, write: impl FnOnce(&mut Code, &str)) {
        let share = self.groups.share(extent);
        let (next, done) = (code.label("element"), code.label("elements_done"));
        let (element, end) = match self.groups.count() {
            1 => (code.set(Class::Bits32, "mov.u32", &[&self.lane]), extent.to_string()),
            _ => {
                let first = code.set(Class::Bits32, "mul.lo.u32", &[&self.block, &share.to_string()]);
                let end = code.set(Class::Bits32, "add.u32", &[&first, &share.to_string()]);
                let end = code.set(Class::Bits32, "min.u32", &[&end, &extent.to_string()]);
                (code.set(Class::Bits32, "add.u32", &[&first, &self.lane]), end)
            }
        };
        code.place(&next);
        let outside = code.set(Class::Predicate, "setp.ge.u32", &[&element, &end]);
        code.branch(Some(&outside), &done);
        write(code, &element);
        if share > GROUP as usize {
            code.op("add.u32", &[&element, &element, &GROUP.to_string()]);
            code.branch(None, &next);
        }
        code.place(&done);
    }

    /// Writes a delivery inside of each block.
    fn deliver(&self, code: &mut Code, constants: &mut Constants, delivery: Delivery) {
        let (source, module) = (self.source, self.source.module);
        let sources = module.fanouts[delivery.fanout].starts.len() - 1;
        let targets = module.buffers[delivery.target.index()].len;
        if self.groups.count() > 1 {
            let tiling = Tiling { targets: self.groups.share(targets), sources: self.groups.share(sources) };
            deliver(code, source, constants, &self.block, (delivery, tiling));
            return;
        }
        let tiling = Tiling::new(targets, sources);
        let (tile, next) = (code.set(Class::Bits32, "mov.u32", &["0"]), code.label("tile"));
        code.place(&next);
        deliver(code, source, constants, &tile, (delivery, tiling));
        code.op("add.u32", &[&tile, &tile, "1"]);
        let more = code.set(Class::Predicate, "setp.lt.u32", &[&tile, &tiling.tiles(targets).to_string()]);
        code.branch(Some(&more), &next);
    }
}
