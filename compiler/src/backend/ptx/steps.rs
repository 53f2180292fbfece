//! Entries that run many steps in one launch, so that small models are not bound by launches and ensembles not by memory.
//!
//! Where no element reads what another one wrote, a thread keeps the state of its element in registers over all steps.
//! Small networks run in blocks of their own (see [`super::together`]). For all others there is no such entry.

use std::collections::HashMap;

use nullcline_runtime::code::Entry;

use super::body::{Places, Rings, Source, body};
use super::code::{Class, Code, GROUP};
use super::feeds::{column, random, sample, unit};
use super::gather::Constants;
use super::rows::{Row, repeat};
use super::together::{common, first_alone, together};
use crate::kernel::ir::{Body, BufferId, BufferRole, Index, Stmt, ValueOp};
use crate::kernel::many::{ManyRows, ManySteps};

/// 32-bit registers that may hold state and parameters over the steps; what computes has the rest of the 255.
const RESIDENT_REGISTERS: usize = 64;

/// Writes the entry that runs many steps.
pub(super) fn steps(source: &Source<'_>, constants: &mut Constants, many: &ManySteps) -> (String, Entry) {
    match many {
        ManySteps::Groups(groups) => together(source, constants, groups, None),
        ManySteps::Elements(extent) => resident(source, constants, *extent, None),
    }
}

/// Writes the entry that runs many steps and records rows between them.
pub(super) fn rows(source: &Source<'_>, constants: &mut Constants, many: &ManyRows) -> (String, Entry) {
    match &many.steps {
        ManySteps::Groups(groups) => together(source, constants, groups, Some(&many.alone)),
        ManySteps::Elements(extent) => resident(source, constants, *extent, Some(many)),
    }
}

/// The pointwise bodies among kernels.
fn bodies<'a>(source: &Source<'a>, kernels: &[usize]) -> Vec<&'a [Stmt]> {
    let kernels = kernels.iter().map(|k| &source.module.kernels[*k].body);
    let bodies = kernels.filter_map(|body| match body {
        Body::Pointwise(statements) => Some(&statements[..]),
        _ => None,
    });
    bodies.collect()
}

/// Where a thread that runs many steps finds its numbers.
struct Resident<'a> {
    source: Source<'a>,
    step: String,
    rings: Rings,
    /// States and, where there is room, parameters.
    held: HashMap<(BufferId, Index), String>,
    /// Addresses of what is not held.
    addresses: HashMap<(BufferId, Index), String>,
    /// Column or unit of the inputs and random numbers that are read.
    fed: HashMap<(BufferId, Index), (usize, String)>,
    /// Inputs and random numbers of the step.
    drawn: HashMap<(BufferId, Index), String>,
    /// States with their next values.
    next: Vec<(BufferId, String)>,
    /// Where the element's index stands in shared memory, for parameters that are not held.
    slot: Option<String>,
    /// That index, as read in this step.
    element: String,
}

impl Resident<'_> {
    /// Reads the element's index again, if it is kept in memory. The assembler cannot know that it is the same, and so holds
    /// no addresses that depend on it.
    fn read_element(&mut self, code: &mut Code) {
        if let Some(slot) = &self.slot {
            self.element = code.set(Class::Bits32, "ld.volatile.shared.u32", &[&format!("[{slot}]")]);
        }
    }

    fn is_state(&self, buffer: BufferId) -> bool {
        matches!(self.source.module.buffers[buffer.index()].role, BufferRole::State(_))
    }

    fn address(&mut self, code: &mut Code, (buffer, index): (BufferId, Index), steps: u32) -> String {
        let first = self.addresses[&(buffer, index)].clone();
        let module = self.source.module;
        let BufferRole::History(_) = module.buffers[buffer.index()].role else { return first };
        let stride = module.buffers[buffer.index()].len as u64 * u64::from(self.source.float.size());
        self.rings.address(code, (module.slots(buffer), &self.step), (&first, stride), steps)
    }
}

impl Places for Resident<'_> {
    fn load(&mut self, code: &mut Code, buffer: BufferId, index: Index) -> String {
        let place = (buffer, index);
        if let Some(value) = self.held.get(&place).or_else(|| self.drawn.get(&place)) {
            return value.clone();
        }
        if let Some((row, of)) = self.fed.get(&place) {
            let value = match self.source.module.buffers[buffer.index()].role {
                BufferRole::Input(_) => sample(code, &self.source, *row, of, &self.step),
                _ => random(code, &self.source, *row, of, &self.step),
            };
            self.drawn.insert(place, value.clone());
            return value;
        }
        let base = self.source.pointer(code, buffer, false);
        let value = if index == Index::Zero {
            // Volatile, or the assembler would load it before the loop and hold it all the same.
            code.set(self.source.float.class(), &self.source.access("ld.volatile"), &[&format!("[{base}]")])
        } else {
            let address = code.element(&base, &self.element, self.source.float.size());
            self.source.load(code, &address)
        };
        code.remark(self.source.name(buffer));
        self.drawn.insert(place, value.clone());
        value
    }

    fn past(&mut self, code: &mut Code, buffer: BufferId, index: Index, steps: u32) -> String {
        let address = self.address(code, (buffer, index), steps);
        let value = self.source.load(code, &address);
        code.remark(&format!("{}, {steps} steps ago", self.source.name(buffer)));
        value
    }

    fn store(&mut self, code: &mut Code, buffer: BufferId, value: &str) {
        if self.is_state(buffer) {
            // The next value of one state may be the current one of another, which the end of the step replaces.
            let kind = format!("mov.f{}", self.source.float.width());
            let next = code.set(self.source.float.class(), &kind, &[value]);
            code.remark(&format!("next {}", self.source.name(buffer)));
            self.next.push((buffer, next));
        } else if let BufferRole::History(_) = self.source.module.buffers[buffer.index()].role {
            let address = self.address(code, (buffer, Index::Element), 0);
            code.op(&self.source.access("st"), &[&format!("[{address}]"), value]);
            code.remark(self.source.name(buffer));
        } else if let BufferRole::Observed(_) = self.source.module.buffers[buffer.index()].role {
            let base = self.source.pointer(code, buffer, true);
            let address = code.element(&base, &self.element, self.source.float.size());
            code.op(&self.source.access("st"), &[&format!("[{address}]"), value]);
            code.remark(self.source.name(buffer));
        } else {
            self.source.mark(code, (buffer, &self.element), value, &self.step);
            // Passed to a later kernel of the same element.
            self.held.insert((buffer, Index::Element), value.to_string());
            self.held.insert((buffer, Index::Zero), value.to_string());
        }
    }

    fn step(&mut self, _: &mut Code) -> String {
        self.step.clone()
    }
}

/// One thread per element, which keeps its state in registers.
fn resident(
    source: &Source<'_>,
    constants: &mut Constants,
    extent: usize,
    records: Option<&ManyRows>,
) -> (String, Entry) {
    let (name, what) =
        if records.is_some() { ("rows", "any number of rows") } else { ("steps", "any number of steps") };
    let about = format!("{what}: one thread for each of {extent} elements, its state in registers");
    let mut code = Code::new(name.to_string(), vec![about]);
    let code = &mut code;
    let element = code.thread();
    let done = code.label("done");
    let outside = code.set(Class::Predicate, "setp.ge.u32", &[&element, &extent.to_string()]);
    code.branch(Some(&outside), &done);
    let first = code.first();
    let step = code.set(Class::Bits64, "mov.u64", &[&first]);
    let mut places = Resident {
        source: *source,
        step: step.clone(),
        rings: Rings::default(),
        held: HashMap::new(),
        addresses: HashMap::new(),
        fed: HashMap::new(),
        drawn: HashMap::new(),
        next: Vec::new(),
        slot: None,
        element: element.clone(),
    };
    let stepped = bodies(source, &source.module.step);
    let alone = records.map_or(&[][..], |rows| &rows.alone);
    let observed: Vec<usize> = source.module.observe.iter().copied().filter(|k| !alone.contains(k)).collect();
    let observed = if records.is_some() { bodies(source, &observed) } else { Vec::new() };
    let states = places.enter(code, constants, &element, &[&stepped[..], &observed].concat());
    let count = code.count();
    if let Some(rows) = records {
        let row = Row::new(code, extent, &element);
        repeat(code, (&count, "row"), |code| {
            places.read_element(code);
            for statements in &observed {
                body(code, source, &mut places, statements);
            }
            places.drawn.clear();
            places.leave(code, &states);
            if !alone.is_empty() {
                let (own, step) = (places.element.clone(), places.step.clone());
                let given = |code: &mut Code| common(code, source, constants, (&rows.common, &[]), &step);
                first_alone(code, source, (&own, &step), alone, given);
            }
            row.copy(code, source, None, 1);
            row.turn(code);
            repeat(code, (&row.every, "step"), |code| places.advance(code, &stepped));
        });
    } else {
        repeat(code, (&count, "step"), |code| places.advance(code, &stepped));
    }
    places.read_element(code);
    places.leave(code, &states);
    code.place(&done);
    std::mem::replace(code, Code::new(String::new(), Vec::new())).finish(extent)
}

impl Resident<'_> {
    /// Runs a step.
    fn advance(&mut self, code: &mut Code, bodies: &[&[Stmt]]) {
        let source = self.source;
        self.read_element(code);
        for statements in bodies {
            body(code, &source, self, statements);
        }
        self.drawn.clear();
        let kind = format!("mov.f{}", source.float.width());
        for (buffer, value) in std::mem::take(&mut self.next) {
            let state = self.held[&(buffer, Index::Element)].clone();
            code.op(&kind, &[&state, &value]);
        }
        self.rings.turn(code);
        code.op("add.u64", &[&self.step, &self.step, "1"]);
    }

    /// Stores the states that are held.
    fn leave(&self, code: &mut Code, states: &[BufferId]) {
        for buffer in states {
            let base = self.source.pointer(code, *buffer, true);
            let address = code.element(&base, &self.element, self.source.float.size());
            let value = &self.held[&(*buffer, Index::Element)];
            code.op(&self.source.access("st"), &[&format!("[{address}]"), value]);
            code.remark(self.source.name(*buffer));
        }
    }

    /// Loads what is held, and finds the places of the rest; returns the states that are written.
    fn enter(
        &mut self,
        code: &mut Code,
        constants: &mut Constants,
        element: &str,
        bodies: &[&[Stmt]],
    ) -> Vec<BufferId> {
        let source = self.source;
        let module = source.module;
        let mut used: Vec<(BufferId, Index)> = Vec::new();
        let mut written: Vec<BufferId> = Vec::new();
        for statement in bodies.iter().copied().flatten() {
            match statement {
                Stmt::Let(_, ValueOp::Load { buffer, index } | ValueOp::Past { buffer, index, .. }) => {
                    used.push((*buffer, *index));
                }
                Stmt::Let(..) => {}
                Stmt::Store(buffer, _) => {
                    used.push((*buffer, Index::Element));
                    written.push(*buffer);
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        used.retain(|place| seen.insert(*place));
        let registers = source.float.width() as usize / 32;
        let states = used.iter().filter(|(b, _)| self.is_state(*b)).count();
        let mut room = (RESIDENT_REGISTERS / registers).saturating_sub(states);
        let mut stored = Vec::new();
        for (buffer, index) in used {
            let role = module.buffers[buffer.index()].role;
            let of = if index == Index::Zero { "0" } else { element };
            match role {
                BufferRole::Input(_) | BufferRole::Random(_) => {
                    let (row, of) = if let BufferRole::Input(_) = role {
                        let row = module.inputs.iter().position(|i| i.0 == buffer);
                        let row = row.expect("every input buffer has an input");
                        (row, column(code, &source, constants, row, of))
                    } else {
                        let row = module.randoms.iter().position(|r| r.0 == buffer);
                        let row = row.expect("every random buffer has a source");
                        (row, unit(code, &source, constants, row, of))
                    };
                    self.fed.insert((buffer, index), (row, of));
                    continue;
                }
                // Only later kernels of the same element read it.
                BufferRole::Scratch(_) => continue,
                // It is stored for who records it.
                BufferRole::Observed(_) => continue,
                _ => {}
            }
            let state = self.is_state(buffer);
            let history = matches!(role, BufferRole::History(_));
            let base = source.pointer(code, buffer, written.contains(&buffer));
            if !state && !history && room == 0 {
                if self.slot.is_none() {
                    let tile = code.shared(GROUP * 4);
                    let lane = code.set(Class::Bits32, "mov.u32", &["%tid.x"]);
                    let slot = code.element(&tile, &lane, 4);
                    code.op("st.shared.u32", &[&format!("[{slot}]"), element]);
                    self.slot = Some(slot);
                }
                continue;
            }
            let address = match index {
                Index::Zero => base,
                Index::Element => code.element(&base, element, source.float.size()),
            };
            if state || !history {
                room = room.saturating_sub(usize::from(!state));
                let value = source.load(code, &address);
                code.remark(source.name(buffer));
                // A state of one element may be read at either index.
                if state && module.buffers[buffer.index()].len == 1 {
                    self.held.insert((buffer, Index::Zero), value.clone());
                    self.held.insert((buffer, Index::Element), value.clone());
                }
                self.held.entry((buffer, index)).or_insert(value);
            }
            if history {
                self.rings.start(code, (module.slots(buffer), &self.step));
            }
            if state && written.contains(&buffer) && !stored.contains(&buffer) {
                stored.push(buffer);
            }
            self.addresses.insert((buffer, index), address);
        }
        stored
    }
}
