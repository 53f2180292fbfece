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
use crate::kernel::ir::{Body, BufferId, Index};
use crate::kernel::many::Groups;

/// Writes the entry.
pub(super) fn together(source: &Source<'_>, constants: &mut Constants, groups: &Groups) -> (String, Entry) {
    let about = match groups.count() {
        1 => "any number of steps: one block for the whole network".to_string(),
        _ => format!("any number of steps: a block for each {} of {} independent networks", groups.each, groups.parts),
    };
    let mut code = Code::new("steps".to_string(), vec![about]);
    let lane = code.set(Class::Bits32, "mov.u32", &["%tid.x"]);
    let block = code.set(Class::Bits32, "mov.u32", &["%ctaid.x"]);
    let first = code.first();
    let step = code.set(Class::Bits64, "mov.u64", &[&first]);
    let count = code.count();
    let left = code.set(Class::Bits64, "mov.u64", &[&count]);
    let turns = Turns { groups, lane, block };
    let (again, over) = (code.label("step"), code.label("over"));
    code.place(&again);
    let finished = code.set(Class::Predicate, "setp.eq.u64", &[&left, "0"]);
    code.branch(Some(&finished), &over);
    let given = common(&mut code, source, constants, groups, &step);
    let fed = (0..source.module.inputs.len() + source.module.randoms.len())
        .filter(|index| groups.own.contains(&fill::buffer(source, *index)));
    for index in fed {
        let extent = source.module.buffers[fill::buffer(source, index).index()].len;
        turns.take(&mut code, extent, |code, element| fill::element(code, source, constants, index, element, &step));
    }
    if !groups.own.is_empty() {
        code.barrier();
    }
    let kernels = source.module.step.iter().filter(|k| !groups.scalar.contains(k));
    for kernel in kernels.map(|k| &source.module.kernels[*k]) {
        code.comment(&format!("{} over {}", kernel.name, kernel.extent));
        if let Body::Deliver { fanout, spikes, factor, target } = kernel.body {
            turns.deliver(&mut code, source, constants, Delivery { fanout, spikes, factor, target });
            code.barrier();
            continue;
        }
        turns.take(&mut code, kernel.extent, |code, element| match &kernel.body {
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
                let from = Read::Past { history: *history, current: *current, step: &step };
                couple(code, source, constants, element, (*connection, from, *target));
            }
            Body::Convolve { .. } => unreachable!("the target has lists of connections instead"),
            Body::Deliver { .. } => unreachable!("it is written above"),
        });
        code.barrier();
    }
    code.op("add.u64", &[&step, &step, "1"]);
    code.op("sub.u64", &[&left, &left, "1"]);
    code.branch(None, &again);
    code.place(&over);
    code.finish(groups.count() * GROUP as usize)
}

/// Numbers that are the same for all blocks, of inputs, random numbers and the time: every thread has them in registers.
fn common(
    code: &mut Code,
    source: &Source<'_>,
    constants: &mut Constants,
    groups: &Groups,
    step: &str,
) -> HashMap<BufferId, String> {
    let (module, mut given) = (source.module, HashMap::new());
    for buffer in &groups.common {
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
    for kernel in groups.scalar.iter().map(|k| &module.kernels[*k]) {
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

/// How the elements of a block fall to its threads: every [`GROUP`]th to each.
struct Turns<'a> {
    groups: &'a Groups,
    lane: String,
    block: String,
}

impl Turns<'_> {
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
    fn deliver(&self, code: &mut Code, source: &Source<'_>, constants: &mut Constants, delivery: Delivery) {
        let module = source.module;
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
