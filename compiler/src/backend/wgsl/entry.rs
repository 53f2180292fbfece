//! Entries: one for each kernel or part of a coupling, and those that fill the buffers of inputs and random numbers.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use nullcline_runtime::code::{Binding, Entry, Marks};

use super::{GROUP, random, spelling};
use crate::kernel::ir::{Body, BufferId, Index, Kernel, Module, Stmt, ValueOp};
use crate::pass::place::{Held, Piece, Placement, UNDRIVEN, Weights};

/// Prints the entries of a module.
pub struct Printer<'m> {
    pub(super) module: &'m Module,
    pub(super) placement: &'m Placement,
    marks: Option<&'m Marks>,
    entries: Vec<Entry>,
    text: String,
    /// What the entry being printed is given: (kind and index, whether it is written).
    used: BTreeSet<Used>,
    written: BTreeSet<u32>,
}

/// Bindings in the order of their numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Used {
    Bank(u32),
    Constant(u32),
    Samples,
    Marks,
}

/// What stands for the step, the row of samples and the element where a body is printed, and which buffers are variables.
pub struct Frame {
    pub step: String,
    pub row: String,
    pub element: String,
    pub registers: HashMap<BufferId, String>,
}

impl Frame {
    /// A kernel at its element.
    pub fn plain() -> Frame {
        let [step, row, element] = ["clock.step", "clock.row", "i"].map(str::to_string);
        Frame { step, row, element, registers: HashMap::new() }
    }
}

impl<'m> Printer<'m> {
    pub fn new(module: &'m Module, placement: &'m Placement, marks: Option<&'m Marks>) -> Printer<'m> {
        let (used, written) = (BTreeSet::new(), BTreeSet::new());
        Printer { module, placement, marks, entries: Vec::new(), text: String::new(), used, written }
    }

    /// The entries and their text.
    pub fn finish(self) -> (Vec<Entry>, String) {
        (self.entries, self.text)
    }

    /// Prints the entries of a kernel and returns their indices.
    pub fn kernel(&mut self, kernel: &Kernel) -> Vec<u32> {
        let frame = Frame::plain();
        let Some(pieces) = self.pieces(kernel) else {
            let body = self.element(kernel, None, &frame);
            return vec![self.entry(&kernel.name, kernel.extent, &body)];
        };
        let several = pieces.len() > 1;
        let print = |(index, piece): (usize, &Piece)| {
            let body = self.element(kernel, Some(piece), &frame);
            let name = if several { format!("{} part {index}", kernel.name) } else { kernel.name.clone() };
            self.entry(&name, piece.targets.len(), &body)
        };
        pieces.iter().enumerate().map(print).collect()
    }

    /// The pieces of the connection that a kernel sums over, if it does.
    pub fn pieces(&self, kernel: &Kernel) -> Option<&'m [Piece]> {
        match &kernel.body {
            Body::Pointwise(_) | Body::Take { .. } => None,
            Body::Convolve { .. } => unreachable!("the target has lists of connections instead"),
            Body::Couple { connection, .. } | Body::CouplePast { connection, .. } => {
                Some(&self.placement.connections[*connection])
            }
            Body::Deliver { fanout, .. } => Some(&self.placement.fanouts[*fanout]),
        }
    }

    /// What a kernel does at the frame's element; of one that sums over a connection, at that of a piece.
    pub fn element(&mut self, kernel: &Kernel, piece: Option<&Piece>, frame: &Frame) -> String {
        let element = &frame.element;
        match (&kernel.body, piece) {
            (Body::Pointwise(stmts), _) => self.body(stmts, frame, "    "),
            (Body::Take { table, source, target }, _) => {
                let from = self.held(self.placement.tables[*table], element);
                let value = self.cell(*source, &from);
                let target = self.target(*target, element);
                format!("    {target} = {value};\n")
            }
            (Body::Couple { source, target, .. }, Some(piece)) => {
                let value = self.cell(*source, "source");
                self.gather((piece, frame), *target, "real(0)", &format!("sum = fma(weight, {value}, sum);"))
            }
            (Body::CouplePast { history, current, target, .. }, Some(piece)) => {
                let line = self.past_term((piece, frame), *history, *current);
                self.gather((piece, frame), *target, "real(0)", &line)
            }
            (Body::Deliver { spikes, factor, target, .. }, Some(piece)) => {
                let spike = self.cell(*spikes, "source");
                let sent = match factor {
                    Some(factor) => format!("fma(weight, {}, sum)", self.cell(*factor, "source")),
                    None => "sum + weight".to_string(),
                };
                let base = self.cell(*target, &target_of(piece, frame));
                let line = format!("if (!is_zero({spike})) {{\n            sum = {sent};\n        }}");
                self.gather((piece, frame), *target, &base, &line)
            }
            // A connection without entries is in no piece.
            _ => String::new(),
        }
    }

    /// A sum over the entries of a target, from `base` on; `line` adds the term of one, from its `source` and `weight`.
    fn gather(&mut self, (piece, frame): (&Piece, &Frame), target: BufferId, base: &str, line: &str) -> String {
        let element = &frame.element;
        let (from, to) = (self.held(piece.starts, element), self.held(piece.starts, &format!("({element} + 1u)")));
        let source = self.held(piece.sources, "entry");
        let weight = match piece.weights {
            Weights::Uniform(weight) => spelling::literal(weight, self.module.precision),
            Weights::Each(held) => self.held(held, "entry"),
        };
        let target = self.target(target, &target_of(piece, frame));
        format!(
            "    var sum = {base};\n    let end = {to};\n    for (var entry = {from}; entry < end; entry++) {{\n        \
             let source = {source};\n        let weight = {weight};\n        {line}\n    }}\n    {target} = sum;\n"
        )
    }

    /// Adds the term of an entry that has its own delay.
    fn past_term(&mut self, (piece, frame): (&Piece, &Frame), history: BufferId, current: Option<BufferId>) -> String {
        let step = &frame.step;
        let (ring, len) = (self.module.slots(history), self.len(history));
        let delay = match piece.delays {
            Some(held) => self.held(held, "entry"),
            None => "0u".to_string(),
        };
        let slot = format!("(({step} % {ring}u + {ring}u - delay) % {ring}u) * {len}u + source");
        let past = self.cell(history, &slot);
        let value = match current {
            None => format!("let value = {past};"),
            Some(current) => {
                let now = self.cell(current, "source");
                format!(
                    "var value = real(0);\n        if (delay == 0u) {{\n            value = {now};\n        }} else {{\n            \
                     value = {past};\n        }}"
                )
            }
        };
        format!("let delay = {delay};\n        {value}\n        sum = fma(weight, value, sum);")
    }

    /// Prints the entries that fill the buffers of inputs and random numbers.
    pub fn feed(&mut self) -> Vec<u32> {
        let (frame, mut entries) = (Frame::plain(), Vec::new());
        self.fills(&frame, &|_| true, &mut |printer, name, extent, body| {
            entries.push(printer.entry(name, extent, body));
        });
        entries
    }

    /// Hands over what fills some of the buffers of inputs and random numbers, at the frame's element: name, elements, code.
    pub fn fills(
        &mut self,
        frame: &Frame,
        wanted: &dyn Fn(BufferId) -> bool,
        take: &mut dyn FnMut(&mut Self, &str, usize, &str),
    ) {
        let module = self.module;
        for (index, (buffer, _)) in module.inputs.iter().enumerate().filter(|(_, input)| wanted(input.0)) {
            let value = self.input(index, frame);
            let target = self.target(*buffer, &frame.element);
            let name = format!("feed {}", module.buffers[buffer.index()].name);
            take(self, &name, self.len(*buffer), &format!("    {target} = {value};\n"));
        }
        for (index, pair) in self.pairs().into_iter().enumerate() {
            let filled: Vec<usize> = pair.iter().copied().filter(|at| wanted(module.randoms[*at].0)).collect();
            if filled.is_empty() {
                continue;
            }
            let mut body = format!("    let words = {};\n", self.words(pair[0], frame));
            for at in filled {
                let (buffer, random) = &module.randoms[at];
                let target = self.target(*buffer, &frame.element);
                _ = writeln!(body, "    {target} = {};", random::number("words", random.part));
            }
            take(self, &format!("random {index}"), self.len(module.randoms[pair[0]].0), &body);
        }
    }

    /// The sources of random numbers, those that take their numbers from the same words together.
    pub fn pairs(&self) -> Vec<Vec<usize>> {
        let mut pairs: Vec<Vec<usize>> = Vec::new();
        for (at, (_, random)) in self.module.randoms.iter().enumerate() {
            let same = |pair: &&mut Vec<usize>| {
                let first = &self.module.randoms[pair[0]].1;
                first.site == random.site && first.units == random.units
            };
            match pairs.iter_mut().find(same) {
                Some(pair) => pair.push(at),
                None => pairs.push(vec![at]),
            }
        }
        pairs
    }

    /// The words of a source of random numbers for the frame's element.
    pub fn words(&mut self, random: usize, frame: &Frame) -> String {
        let (buffer, source) = &self.module.randoms[random];
        let index = if self.len(*buffer) == 1 { "0u" } else { &frame.element };
        let unit = self.held(self.placement.units[random], index);
        random::words(source.site, &unit, &frame.step)
    }

    /// The sample of an input for the frame's element.
    pub fn input(&mut self, input: usize, frame: &Frame) -> String {
        let (buffer, driven) = &self.module.inputs[input];
        let (width, columns) = (self.placement.samples.len(), self.placement.columns[input]);
        let scalar = self.len(*buffer) == 1;
        let index = if scalar { "0u" } else { &frame.element };
        let column = self.held(columns, index);
        if driven.columns.iter().all(Option::is_none) {
            return "real(0)".to_string();
        }
        self.used.insert(Used::Samples);
        let sample = format!("samples[{} * {width}u + {column}]", frame.row);
        if driven.columns.iter().all(Option::is_some) {
            return sample;
        }
        // Both are computed: the column must be one there is.
        let row = &frame.row;
        format!("select(samples[{row} * {width}u + min({column}, {}u)], real(0), {column} == {UNDRIVEN}u)", width - 1)
    }

    /// Prints straight-line code.
    pub fn body(&mut self, stmts: &[Stmt], frame: &Frame, indent: &str) -> String {
        let mut text = String::new();
        for stmt in stmts {
            let line = match stmt {
                Stmt::Let(value, op) => format!("let v{} = {};", value.0, self.value(op, frame)),
                Stmt::Store(buffer, value) => {
                    format!(
                        "{} = v{};{}",
                        self.destination(*buffer, frame),
                        value.0,
                        self.mark(*buffer, value.0, frame)
                    )
                }
            };
            _ = writeln!(text, "{indent}{line}");
        }
        text
    }

    fn value(&mut self, op: &ValueOp, frame: &Frame) -> String {
        let at = |index: &Index| if *index == Index::Zero { "0u" } else { &frame.element };
        match op {
            ValueOp::Constant(value) => spelling::literal(*value, self.module.precision),
            ValueOp::Time => {
                self.used.insert(Used::Samples);
                // The first of each row, see `place`.
                format!("samples[{} * {}u]", frame.row, self.placement.samples.len())
            }
            ValueOp::StepSize => "clock.dt".to_string(),
            ValueOp::Load { buffer, index } => match frame.registers.get(buffer) {
                Some(register) => register.clone(),
                None => self.cell(*buffer, at(index)),
            },
            ValueOp::Past { buffer, index, steps } => {
                let (ring, len) = (self.module.slots(*buffer), self.len(*buffer));
                let slot = format!("({} % {ring}u + {}u) % {ring}u", frame.step, ring - *steps as usize);
                self.cell(*buffer, &format!("({slot}) * {len}u + {}", at(index)))
            }
            ValueOp::Call(prim, args) => {
                let args: Vec<String> = args.iter().map(|a| format!("v{}", a.0)).collect();
                spelling::call(prim, &args)
            }
        }
    }

    /// What marks that the frame's element has an event, if a value that is stored says so and is recorded.
    fn mark(&mut self, buffer: BufferId, value: u32, frame: &Frame) -> String {
        let Some((marks, first)) = self.marks.and_then(|marks| Some((marks, marks.first(buffer.0)?))) else {
            return String::new();
        };
        self.used.insert(Used::Marks);
        let Frame { step, element, .. } = frame;
        let word = format!("({step} % {}u) * {}u + {first}u + ({element} >> 5u)", marks.rows, marks.words);
        format!(" if (!is_zero(v{value})) {{ atomicOr(&marks[{word}], 1u << ({element} & 31u)); }}")
    }

    /// What a store writes to: a variable, or the frame's element of the current slot.
    fn destination(&mut self, buffer: BufferId, frame: &Frame) -> String {
        if let Some(register) = frame.registers.get(&buffer) {
            return register.clone();
        }
        match self.module.slots(buffer) {
            1 => self.target(buffer, &frame.element),
            ring => {
                let place = format!("({} % {ring}u) * {}u + {}", frame.step, self.len(buffer), frame.element);
                self.target(buffer, &place)
            }
        }
    }

    /// An element of a buffer, to be read.
    pub fn cell(&mut self, buffer: BufferId, index: &str) -> String {
        let (bank, offset) = self.placement.buffers[buffer.index()];
        self.used.insert(Used::Bank(bank));
        subscript(&self.placement.banks[bank as usize].name, offset, index)
    }

    /// An element of a buffer, to be written.
    pub fn target(&mut self, buffer: BufferId, index: &str) -> String {
        self.written.insert(self.placement.buffers[buffer.index()].0);
        self.cell(buffer, index)
    }

    fn held(&mut self, held: Held, index: &str) -> String {
        self.used.insert(Used::Constant(held.constant));
        subscript(&self.placement.constants[held.constant as usize].name, held.offset, index)
    }

    pub fn len(&self, buffer: BufferId) -> usize {
        self.module.buffers[buffer.index()].len
    }

    /// Ends an entry whose body works on element `i`.
    pub fn entry(&mut self, name: &str, extent: usize, body: &str) -> u32 {
        let body = format!(
            "    let i = element(group, groups, local, {GROUP}u);\n    if (i >= {extent}u) {{\n        return;\n    }}\n{body}"
        );
        self.finish_entry(name, (extent, GROUP), &body)
    }

    /// Ends an entry with so many invocations, in groups of so many.
    pub fn finish_entry(&mut self, name: &str, (extent, group): (usize, u32), body: &str) -> u32 {
        let name = self.identifier(name);
        _ = write!(
            self.text,
            "@compute @workgroup_size({group})\nfn {name}(@builtin(workgroup_id) group: vec3<u32>, \
             @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {{\n{body}}}\n"
        );
        let written = std::mem::take(&mut self.written);
        let bindings = std::mem::take(&mut self.used).into_iter().map(|used| match used {
            Used::Bank(index) => Binding::Bank { index, written: written.contains(&index) },
            Used::Constant(index) => Binding::Constant(index),
            Used::Samples => Binding::Samples,
            Used::Marks => Binding::Marks,
        });
        self.entries.push(Entry { name, extent, group, shared: 0, bindings: bindings.collect() });
        self.entries.len() as u32 - 1
    }

    /// Number of bindings of the entry being printed.
    pub fn bound(&self) -> usize {
        self.used.len()
    }

    /// Forgets the entry being printed.
    pub fn drop_entry(&mut self) {
        self.used.clear();
        self.written.clear();
    }

    /// A name of letters, digits and single underscores that no other entry has and no global: it has the entry's number. It ends in
    /// a letter, as translators to other languages change names that end in a digit.
    fn identifier(&self, name: &str) -> String {
        let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
        format!("run_{}_{}_entry", words.join("_"), self.entries.len())
    }
}

/// The target of the frame's element of a piece.
fn target_of(piece: &Piece, frame: &Frame) -> String {
    let element = &frame.element;
    if piece.targets.start == 0 { element.clone() } else { format!("({element} + {}u)", piece.targets.start) }
}

fn subscript(array: &str, offset: usize, index: &str) -> String {
    match (offset, index) {
        (0, index) => format!("{array}[{index}]"),
        (offset, "0u") => format!("{array}[{offset}u]"),
        (offset, index) => format!("{array}[{offset}u + {index}]"),
    }
}
