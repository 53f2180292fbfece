//! PTX as text to functions that can be executed: the part of the language that the printer writes, checked as strictly as
//! an assembler does (types of registers, declarations, labels).

use std::collections::HashMap;

use super::opcodes::{self, Compute};

/// What an operand must be. `Raw` ones are any register of that size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Pred,
    B32,
    B64,
    F32,
    F64,
    Raw32,
    Raw64,
}

use Kind::{B32, B64, F32, F64, Pred, Raw32, Raw64};

impl Kind {
    fn accepts(self, found: Kind) -> bool {
        match self {
            Raw32 => matches!(found, B32 | F32),
            Raw64 => matches!(found, B64 | F64),
            _ => self == found,
        }
    }

    /// Bytes in memory.
    pub fn size(self) -> usize {
        match self {
            B32 | F32 | Raw32 => 4,
            _ => 8,
        }
    }
}

/// A value that an instruction reads.
#[derive(Clone, Copy, Debug)]
pub enum Operand {
    Register(u16),
    Immediate(u64),
    Thread,
    Block,
    Threads,
}

/// Where an access goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Space {
    Global,
    Shared,
}

#[derive(Clone, Debug)]
pub enum Op {
    Compute {
        compute: Compute,
        operands: [Operand; 3],
    },
    /// Two halves, low first.
    Pack([Operand; 2]),
    Parameter(usize),
    Load {
        space: Space,
        read_only: bool,
        base: Operand,
        offset: u64,
        size: usize,
    },
    Store {
        space: Space,
        base: Operand,
        offset: u64,
        size: usize,
        value: Operand,
    },
    /// Sets bits of a word, in no order.
    Or {
        space: Space,
        base: Operand,
        offset: u64,
        value: Operand,
    },
    Branch(usize),
    Barrier,
    Return,
}

/// An instruction; `result` is the register it writes, if it does.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// Runs only where this register holds (or, if false, does not hold).
    pub guard: Option<(u16, bool)>,
    pub result: u16,
    pub op: Op,
    pub line: usize,
}

/// An entry.
#[derive(Clone, Debug, Default)]
pub struct Function {
    pub name: String,
    pub parameters: Vec<(String, Kind)>,
    pub registers: usize,
    pub shared: usize,
    pub most_threads: usize,
    pub code: Vec<Instruction>,
    /// Places with names.
    pub labels: Vec<(String, usize)>,
}

impl Function {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of its parameters, all of which have 64 bits.
    pub fn parameters(&self) -> usize {
        self.parameters.len()
    }

    /// Most threads of a block.
    pub fn most_threads(&self) -> usize {
        self.most_threads
    }

    /// Bytes that the threads of a block share.
    pub fn shared(&self) -> usize {
        self.shared
    }
}

/// A text as read.
#[derive(Clone, Debug)]
pub struct Code {
    /// Version of the language: (6, 0).
    pub version: (u32, u32),
    /// The oldest processor that runs it: 60 for `sm_60`.
    pub sm: u32,
    /// Its entries, in their order.
    pub functions: Vec<Function>,
}

/// Reads a text; faults name the line.
pub fn parse(text: &str) -> Result<Code, String> {
    let mut functions = Vec::new();
    let mut reader: Option<Reader> = None;
    let mut head = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        if !line.is_ascii() {
            return Err(format!("line {number}: not ASCII"));
        }
        let line = line.split("//").next().unwrap_or("").trim();
        let fault = |why: String| format!("line {number}: {why}: `{line}`");
        if line.is_empty() {
            continue;
        }
        let Some(open) = &mut reader else {
            match line.split_whitespace().next() {
                Some(".version" | ".target" | ".address_size") => head.push(line.to_string()),
                Some(".visible") => {
                    let name = line.strip_prefix(".visible .entry ").and_then(|l| l.strip_suffix('('));
                    let name = name.ok_or_else(|| fault("expected an entry".into()))?;
                    reader = Some(Reader::new(name));
                }
                _ => return Err(fault("unknown directive".into())),
            }
            continue;
        };
        if line == "}" {
            functions.push(open.finish()?);
            reader = None;
        } else {
            open.line(line, number).map_err(fault)?;
        }
    }
    if head.len() != 3 || reader.is_some() {
        return Err("the header or an end is missing".into());
    }
    let mut names: Vec<&String> = functions.iter().map(|f| &f.name).collect();
    names.sort();
    names.dedup();
    if names.len() != functions.len() {
        return Err("two entries have one name".into());
    }
    let directive = |name: &str| head.iter().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let version = directive(".version").and_then(|v| v.split_once('.')).and_then(|(major, minor)| {
        let (major, minor) = (major.parse().ok()?, minor.parse().ok()?);
        Some((major, minor))
    });
    let sm = directive(".target").and_then(|target| target.strip_prefix("sm_")?.parse().ok());
    match (version, sm, directive(".address_size")) {
        (Some(version), Some(sm), Some("64")) => Ok(Code { version, sm, functions }),
        _ => Err(format!("the header is not known: {}", head.join(", "))),
    }
}

struct Reader {
    function: Function,
    in_body: bool,
    /// Class letter and number of declared registers, with the index of the first.
    classes: HashMap<char, (Kind, usize, usize)>,
    shared: HashMap<String, usize>,
    labels: HashMap<String, usize>,
    /// Branches whose labels may still come.
    jumps: Vec<(usize, String)>,
}

fn identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}

impl Reader {
    fn new(name: &str) -> Reader {
        let function = Function { name: name.to_string(), ..Function::default() };
        let (classes, shared, labels) = (HashMap::new(), HashMap::new(), HashMap::new());
        Reader { function, in_body: false, classes, shared, labels, jumps: Vec::new() }
    }

    fn line(&mut self, line: &str, number: usize) -> Result<(), String> {
        if !self.in_body {
            return self.head_line(line);
        }
        if let Some(label) = line.strip_suffix(':') {
            let known = !identifier(label) || self.labels.insert(label.to_string(), self.function.code.len()).is_some();
            return if known { Err("a label that exists or is no name".into()) } else { Ok(()) };
        }
        let statement = line.strip_suffix(';').ok_or("no `;`")?;
        if let Some(rest) = statement.strip_prefix(".reg ") {
            return self.declare(rest);
        }
        if let Some(rest) = statement.strip_prefix(".shared .align 8 .b8 ") {
            let (name, bytes) = rest.strip_suffix(']').and_then(|r| r.split_once('[')).ok_or("no array")?;
            self.shared.insert(name.to_string(), self.function.shared);
            self.function.shared += bytes.parse::<usize>().map_err(|e| e.to_string())?.next_multiple_of(8);
            return Ok(());
        }
        let (guard, statement) = match statement.strip_prefix('@') {
            None => (None, statement),
            Some(rest) => {
                let (guard, rest) = rest.split_once(' ').ok_or("no instruction")?;
                let (name, holds) = guard.strip_prefix('!').map_or((guard, true), |name| (name, false));
                (Some((self.register(name, Pred)?, holds)), rest)
            }
        };
        let (opcode, rest) = statement.split_once(' ').unwrap_or((statement, ""));
        let (result, op) = self.instruction(opcode, &operands(rest))?;
        self.function.code.push(Instruction { guard, result, op, line: number });
        Ok(())
    }

    fn head_line(&mut self, line: &str) -> Result<(), String> {
        if line == "{" {
            self.in_body = true;
        } else if let Some(threads) = line.strip_prefix(".maxntid ") {
            let first = threads.strip_suffix(", 1, 1").ok_or("expected one dimension")?;
            self.function.most_threads = first.parse().map_err(|_| "no number")?;
        } else if let Some(rest) = line.strip_prefix(".param ") {
            let (kind, name) = rest.trim_end_matches(',').split_once(' ').ok_or("no name")?;
            if !identifier(name) || self.function.parameters.iter().any(|p| p.0 == name) {
                return Err("a parameter that exists or is no name".into());
            }
            let kind = if kind == ".f64" { F64 } else { B64 };
            self.function.parameters.push((name.to_string(), kind));
        } else if ![")", ".minnctapersm 1"].contains(&line) {
            return Err("unknown directive".into());
        }
        Ok(())
    }

    /// `.f64 %d<5>`
    fn declare(&mut self, text: &str) -> Result<(), String> {
        let (kind, rest) = text.split_once(' ').ok_or("no register")?;
        let kind = match kind {
            ".pred" => Pred,
            ".b32" => B32,
            ".b64" => B64,
            ".f32" => F32,
            ".f64" => F64,
            _ => return Err("unknown type".into()),
        };
        let (name, count) = rest.strip_suffix('>').and_then(|r| r.split_once('<')).ok_or("no range")?;
        let letter = name.strip_prefix('%').and_then(|n| n.chars().next()).ok_or("no name")?;
        let count = count.parse().map_err(|_| "no number")?;
        self.classes.insert(letter, (kind, self.function.registers, count));
        self.function.registers += count;
        Ok(())
    }

    fn register(&self, name: &str, expected: Kind) -> Result<u16, String> {
        let rest = name.strip_prefix('%').ok_or_else(|| format!("{name} is no register"))?;
        let letter = rest.chars().next().unwrap_or(' ');
        let (kind, first, count) = self.classes.get(&letter).ok_or_else(|| format!("{name} is not declared"))?;
        let index: usize = rest[1..].parse().map_err(|_| format!("{name} is no register"))?;
        if index >= *count || !expected.accepts(*kind) {
            return Err(format!("{name} is not declared as {expected:?}"));
        }
        Ok((first + index) as u16)
    }

    fn operand(&self, text: &str, kind: Kind) -> Result<Operand, String> {
        let special = [("%tid.x", Operand::Thread), ("%ctaid.x", Operand::Block), ("%ntid.x", Operand::Threads)];
        if let Some((_, operand)) = special.iter().find(|s| s.0 == text) {
            return if kind == B32 { Ok(*operand) } else { Err(format!("{text} has 32 bits")) };
        }
        if text.starts_with('%') {
            return Ok(Operand::Register(self.register(text, kind)?));
        }
        if let Some(place) = self.shared.get(text) {
            return Ok(Operand::Immediate(*place as u64));
        }
        let wrong = || format!("{text} is no {kind:?}");
        let hexadecimal = |digits: &str| u64::from_str_radix(digits, 16).map_err(|_| wrong());
        let bits = match kind {
            F32 => hexadecimal(text.strip_prefix("0f").filter(|d| d.len() == 8).ok_or_else(wrong)?)?,
            F64 => hexadecimal(text.strip_prefix("0d").filter(|d| d.len() == 16).ok_or_else(wrong)?)?,
            Pred => return Err(wrong()),
            _ => match text.strip_prefix("0x") {
                Some(digits) => hexadecimal(digits)?,
                None => text.parse().map_err(|_| wrong())?,
            },
        };
        if kind.size() == 4 && bits > u64::from(u32::MAX) {
            return Err(wrong());
        }
        Ok(Operand::Immediate(bits))
    }

    /// `[%x1+8]`
    fn address(&self, text: &str) -> Result<(Operand, u64), String> {
        let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).ok_or("no address")?;
        let (base, offset) = inner.split_once('+').unwrap_or((inner, "0"));
        Ok((self.operand(base, B64)?, offset.parse().map_err(|_| "no offset")?))
    }

    fn instruction(&mut self, opcode: &str, operands: &[&str]) -> Result<(u16, Op), String> {
        let words: Vec<&str> = opcode.split('.').collect();
        let memory = |kind: &str| match kind {
            "u32" => Ok(B32),
            "u64" => Ok(B64),
            "f32" => Ok(F32),
            "f64" => Ok(F64),
            _ => Err(format!("{opcode} is unknown")),
        };
        match (&words[..], operands) {
            (["ld", "param", kind], [result, from]) => {
                let name = from.trim_matches(['[', ']']);
                let parameters = &self.function.parameters;
                let index = parameters.iter().position(|p| p.0 == name).ok_or("no such parameter")?;
                if parameters[index].1 != memory(kind)? {
                    return Err("another type of parameter".into());
                }
                Ok((self.register(result, memory(kind)?)?, Op::Parameter(index)))
            }
            (
                ["ld", "global", kind] | ["ld", "volatile", "global", kind] | ["ld", "global", "nc", kind],
                [result, from],
            ) => {
                let ((base, offset), kind) = (self.address(from)?, memory(kind)?);
                let read_only = words.contains(&"nc");
                let load = Op::Load { space: Space::Global, read_only, base, offset, size: kind.size() };
                Ok((self.register(result, kind)?, load))
            }
            (["ld", "shared", kind] | ["ld", "volatile", "shared", kind], [result, from]) => {
                let ((base, offset), kind) = (self.address(from)?, memory(kind)?);
                let load = Op::Load { space: Space::Shared, read_only: false, base, offset, size: kind.size() };
                Ok((self.register(result, kind)?, load))
            }
            (["st", space @ ("global" | "shared"), kind], [to, value]) => {
                let ((base, offset), kind) = (self.address(to)?, memory(kind)?);
                let space = if *space == "global" { Space::Global } else { Space::Shared };
                let value = self.operand(value, kind)?;
                Ok((0, Op::Store { space, base, offset, size: kind.size(), value }))
            }
            (["red", space @ ("global" | "shared"), "or", "b32"], [to, value]) => {
                let ((base, offset), value) = (self.address(to)?, self.operand(value, B32)?);
                let space = if *space == "global" { Space::Global } else { Space::Shared };
                Ok((0, Op::Or { space, base, offset, value }))
            }
            (["bra"], [label]) => {
                self.jumps.push((self.function.code.len(), label.to_string()));
                Ok((0, Op::Branch(0)))
            }
            (["bar", "sync"], ["0"]) => Ok((0, Op::Barrier)),
            (["ret"], []) => Ok((0, Op::Return)),
            (["mov", "b64"], [result, pair]) if pair.starts_with('{') => {
                let (low, high) = pair.trim_matches(['{', '}']).split_once(',').ok_or("no pair")?;
                let halves = [self.operand(low.trim(), B32)?, self.operand(high.trim(), B32)?];
                Ok((self.register(result, Raw64)?, Op::Pack(halves)))
            }
            (_, [result, rest @ ..]) => {
                let row = opcodes::lookup(opcode).ok_or_else(|| format!("opcode {opcode} is unknown"))?;
                if rest.len() != row.operands.len() {
                    return Err(format!("{opcode} has {} operands", row.operands.len() + 1));
                }
                let mut operands = [Operand::Immediate(0); 3];
                for ((operand, text), kind) in operands.iter_mut().zip(rest).zip(row.operands) {
                    *operand = self.operand(text, *kind)?;
                }
                Ok((self.register(result, row.result)?, Op::Compute { compute: row.compute, operands }))
            }
            _ => Err(format!("opcode {opcode} is unknown")),
        }
    }

    fn finish(&mut self) -> Result<Function, String> {
        for (at, label) in std::mem::take(&mut self.jumps) {
            let target = self.labels.get(&label).ok_or_else(|| format!("there is no label {label}"))?;
            self.function.code[at].op = Op::Branch(*target);
        }
        self.function.labels = self.labels.drain().collect();
        self.function.labels.sort();
        Ok(std::mem::take(&mut self.function))
    }
}

/// Operands at commas that are not inside braces.
fn operands(text: &str) -> Vec<&str> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(text[start..].trim());
    found.retain(|f| !f.is_empty());
    found
}
