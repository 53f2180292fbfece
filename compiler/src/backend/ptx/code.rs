//! The text of one entry while it is written: parameters, registers by class, lines.

use std::fmt::Write;

use nullcline_runtime::code::{Binding, Entry};

use crate::kernel::flush;
use crate::kernel::ir::Precision;

/// Threads of a block. With 256 of them each can have 255 registers on every processor from sm_60 on (65,536 registers
/// per multiprocessor), so no kernel is short of registers for the sake of its block. (Entries say that one block per
/// multiprocessor will do, `.minnctapersm 1`: otherwise the assembler saves registers around the slow path of a division.)
pub(super) const GROUP: u32 = 256;

/// Register classes; the letter begins the names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// Truth values.
    Predicate,
    /// 32 bits without a type: indices.
    Bits32,
    /// 64 bits without a type: addresses, steps.
    Bits64,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

use Class::{Bits32, Bits64, F32, F64, Predicate};

/// Each class with its letter and its type in declarations.
const CLASSES: [(Class, char, &str); 5] =
    [(Predicate, 'p', ".pred"), (Bits32, 'r', ".b32"), (Bits64, 'x', ".b64"), (F32, 'f', ".f32"), (F64, 'd', ".f64")];

/// The number format of a module as PTX writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Float {
    pub precision: Precision,
    /// Whether numbers below the normal ones count as zero: in single precision instructions say so (`.ftz`).
    pub flush: bool,
}

impl Float {
    /// Registers that hold numbers.
    pub fn class(self) -> Class {
        match self.precision {
            Precision::F32 => F32,
            Precision::F64 => F64,
        }
    }

    /// Registers that hold their bits.
    pub fn bits(self) -> Class {
        match self.precision {
            Precision::F32 => Bits32,
            Precision::F64 => Bits64,
        }
    }

    /// Number of bits.
    pub fn width(self) -> u32 {
        match self.precision {
            Precision::F32 => 32,
            Precision::F64 => 64,
        }
    }

    /// Number of bytes.
    pub fn size(self) -> u32 {
        self.width() / 8
    }

    /// The ending of an instruction that rounds: `f64`, `ftz.f32`.
    pub fn rounding(self) -> &'static str {
        match (self.precision, self.flush) {
            (Precision::F64, _) => "f64",
            (Precision::F32, false) => "f32",
            (Precision::F32, true) => "ftz.f32",
        }
    }

    /// A number as an immediate operand, by its bits.
    pub fn immediate(self, value: f64) -> String {
        let value = if self.flush { flush::number(value, self.precision) } else { value };
        match self.precision {
            Precision::F32 => format!("0f{:08X}", (value as f32).to_bits()),
            Precision::F64 => format!("0d{:016X}", value.to_bits()),
        }
    }
}

/// An entry while it is written.
#[derive(Debug)]
pub(super) struct Code {
    name: String,
    about: Vec<String>,
    bindings: Vec<(Binding, String, String)>,
    /// What is computed once at the start, whoever asks for it first.
    prologue: Vec<String>,
    lines: Vec<String>,
    used: [u32; 5],
    labels: u32,
    /// Arrays in shared memory: name, bytes.
    shared: Vec<(String, u32)>,
    clock: [Option<String>; 4],
    /// The step, and the row, that the entry is launched at.
    at: [Option<String>; 2],
}

/// The arguments every entry takes after its bindings: type, name, class.
const CLOCK: [(&str, &str, Class); 4] =
    [(".u64", "first", Bits64), (".u64", "count", Bits64), (".f64", "dt", F64), (".u64", "seed", Bits64)];

/// The names of those arguments.
pub(super) fn arguments() -> Vec<String> {
    CLOCK.iter().map(|argument| argument.1.to_string()).collect()
}

impl Code {
    /// An empty entry; `about` is written above it.
    pub fn new(name: String, about: Vec<String>) -> Code {
        Code {
            name,
            about,
            bindings: Vec::new(),
            prologue: Vec::new(),
            lines: Vec::new(),
            used: [0; 5],
            labels: 0,
            shared: Vec::new(),
            clock: [const { None }; 4],
            at: [const { None }; 2],
        }
    }

    /// A register that is not used yet.
    pub fn register(&mut self, class: Class) -> String {
        let index = CLASSES.iter().position(|c| c.0 == class).expect("every class is in the list");
        self.used[index] += 1;
        format!("%{}{}", CLASSES[index].1, self.used[index])
    }

    /// Writes an instruction without a result.
    pub fn op(&mut self, op: &str, args: &[&str]) {
        self.lines.push(format!("    {op} {};", args.join(", ")));
    }

    /// Writes an instruction into a new register, which it returns.
    pub fn set(&mut self, class: Class, op: &str, args: &[&str]) -> String {
        let result = self.register(class);
        self.lines.push(format!("    {op} {result}, {};", args.join(", ")));
        result
    }

    /// The same where the prologue ends.
    fn set_first(&mut self, class: Class, op: &str, args: &[&str]) -> String {
        let result = self.register(class);
        self.prologue.push(format!("    {op} {result}, {};", args.join(", ")));
        result
    }

    /// Adds a comment to the last line.
    pub fn remark(&mut self, text: &str) {
        if let Some(line) = self.lines.last_mut() {
            let _ = write!(line, "  // {}", plain(text));
        }
    }

    /// Lines so far.
    pub fn length(&self) -> usize {
        self.lines.len()
    }

    /// A comment on a line of its own.
    pub fn comment(&mut self, text: &str) {
        self.lines.push(format!("    // {}", plain(text)));
    }

    /// Comments written so far, where nothing else is.
    pub fn comments(&self) -> String {
        self.lines.iter().map(|line| format!("{}\n", line.trim_start())).collect()
    }

    /// A new label.
    pub fn label(&mut self, stem: &str) -> String {
        self.labels += 1;
        format!("{stem}_{}", self.labels)
    }

    /// Marks a place.
    pub fn place(&mut self, label: &str) {
        self.lines.push(format!("{label}:"));
    }

    /// Jumps, if the condition holds (`!%p1`: does not hold).
    pub fn branch(&mut self, condition: Option<&str>, label: &str) {
        match condition {
            Some(condition) => self.lines.push(format!("    @{condition} bra {label};")),
            None => self.lines.push(format!("    bra {label};")),
        }
    }

    /// All threads of the block wait for each other.
    pub fn barrier(&mut self) {
        self.op("bar.sync", &["0"]);
    }

    /// An array in shared memory; returns the register with its address.
    pub fn shared(&mut self, bytes: u32) -> String {
        let name = format!("tile_{}", self.shared.len() + 1);
        self.shared.push((name.clone(), bytes));
        self.set_first(Bits64, "mov.u64", &[&name])
    }

    /// The register with the address of a binding; `name` is what it is called in comments.
    pub fn pointer(&mut self, binding: Binding, name: &str) -> String {
        let same = |known: &Binding| match (known, &binding) {
            (Binding::Buffer { index: a, .. }, Binding::Buffer { index: b, .. }) => a == b,
            (known, binding) => known == binding,
        };
        if let Some((known, _, register)) = self.bindings.iter_mut().find(|(known, ..)| same(known)) {
            if let (Binding::Buffer { written, .. }, Binding::Buffer { written: true, .. }) = (known, binding) {
                *written = true;
            }
            return register.clone();
        }
        let parameter = format!("p{}_{}", self.bindings.len(), word(name));
        let generic = self.set_first(Bits64, "ld.param.u64", &[&format!("[{parameter}]")]);
        let register = self.set_first(Bits64, "cvta.to.global.u64", &[&generic]);
        if let Some(line) = self.prologue.last_mut() {
            let _ = write!(line, "  // {}", plain(name));
        }
        self.bindings.push((binding, parameter, register.clone()));
        register
    }

    fn clock(&mut self, index: usize) -> String {
        if let Some(register) = &self.clock[index] {
            return register.clone();
        }
        let (kind, name, class) = CLOCK[index];
        let register = self.set_first(class, &format!("ld.param{kind}"), &[&format!("[{name}]")]);
        self.clock[index] = Some(register.clone());
        register
    }

    /// `first` as it is given.
    pub fn given(&mut self) -> String {
        self.clock(0)
    }

    /// `first`, counted from one of the numbers of the device's clock.
    fn counted(&mut self, number: usize, what: &str) -> String {
        if let Some(register) = &self.at[number] {
            return register.clone();
        }
        let (given, clock) = (self.given(), self.pointer(Binding::Clock, "clock"));
        let from = self.set_first(Bits64, "ld.global.nc.u64", &[&format!("[{clock}+{}]", 8 * number)]);
        let register = self.set_first(Bits64, "add.u64", &[&from, &given]);
        if let Some(line) = self.prologue.last_mut() {
            let _ = write!(line, "  // {what}");
        }
        self.at[number] = Some(register.clone());
        register
    }

    /// The step the entry is launched at.
    pub fn first(&mut self) -> String {
        self.counted(0, "step")
    }

    /// The row it is launched for.
    pub fn row(&mut self) -> String {
        self.counted(1, "row")
    }

    /// The number of steps, or of places, it is launched for.
    pub fn count(&mut self) -> String {
        self.clock(1)
    }

    /// The step size, in double precision.
    pub fn dt(&mut self) -> String {
        self.clock(2)
    }

    /// The seed of random numbers.
    pub fn seed(&mut self) -> String {
        self.clock(3)
    }

    /// The index of the thread among all.
    pub fn thread(&mut self) -> String {
        let block = self.set(Bits32, "mov.u32", &["%ctaid.x"]);
        let threads = self.set(Bits32, "mov.u32", &["%ntid.x"]);
        let own = self.set(Bits32, "mov.u32", &["%tid.x"]);
        self.set(Bits32, "mad.lo.u32", &[&block, &threads, &own])
    }

    /// The address of element `index` of an array of elements of `size` bytes.
    pub fn element(&mut self, base: &str, index: &str, size: u32) -> String {
        self.address(base, index, &size.to_string())
    }

    /// `base + index * stride`, the latter two of 32 bits. Of a product and a sum the assembler makes one instruction where it
    /// makes four of `mad.wide` (`ptxas` 12.9, from `sm_70` on): it takes the factor apart before it sees the base.
    pub fn address(&mut self, base: &str, index: &str, stride: &str) -> String {
        let offset = self.set(Bits64, "mul.wide.u32", &[index, stride]);
        self.set(Bits64, "add.u64", &[base, &offset])
    }

    /// The entry as text, and what it takes to launch it over `extent` threads.
    pub fn finish(self, extent: usize) -> (String, Entry) {
        let mut text = String::new();
        for line in &self.about {
            let _ = writeln!(text, "// {}", plain(line));
        }
        let _ = writeln!(text, ".visible .entry {}(", self.name);
        for (_, parameter, _) in &self.bindings {
            let _ = writeln!(text, "    .param .u64 {parameter},");
        }
        let clock: Vec<String> = CLOCK.iter().map(|(kind, name, _)| format!("    .param {kind} {name}")).collect();
        let _ = writeln!(text, "{}\n)\n.maxntid {GROUP}, 1, 1\n.minnctapersm 1\n{{", clock.join(",\n"));
        for ((_, letter, kind), used) in CLASSES.iter().zip(self.used).filter(|(_, used)| *used > 0) {
            let _ = writeln!(text, "    .reg {kind} %{letter}<{}>;", used + 1);
        }
        for (name, bytes) in &self.shared {
            let _ = writeln!(text, "    .shared .align 8 .b8 {name}[{bytes}];");
        }
        for line in self.prologue.iter().chain(&self.lines) {
            let _ = writeln!(text, "{line}");
        }
        let _ = writeln!(text, "    ret;\n}}");
        let bindings = self.bindings.iter().map(|b| b.0).collect();
        let shared = self.shared.iter().map(|s| s.1).sum();
        (text, Entry { name: self.name, extent, group: GROUP, shared, bindings, product: None })
    }
}

/// Text for a comment: on one line, and nothing but ASCII, which is all that PTX may hold.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' }).collect()
}

/// The letters and digits of a name, for the end of an identifier.
pub(super) fn word(name: &str) -> String {
    /// Longer names are cut; what stands before makes them unique.
    const LONGEST: usize = 48;
    let word: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(LONGEST).collect();
    word.trim_matches('_').to_string()
}
