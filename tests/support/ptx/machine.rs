//! Executes PTX: thread by thread, the threads of a block in phases that end at barriers.
//!
//! Beside computing, it finds what a device would not tell: accesses outside of memory, and races, where two threads
//! touch one word in the same phase, or two blocks in the same launch, and one of them writes.

use nullcline::runtime::artifact::DeviceError;
use nullcline::runtime::code::Entry;
use nullcline::runtime::device::Driver;

use super::parse::{Function, Op, Operand, Space, parse};

/// Where device memory begins, so that 0 is no address.
const BASE: u64 = 1 << 20;

/// Instructions of one thread in one phase, before it is taken to run forever.
const PATIENCE: u64 = 1 << 32;

/// Who touched a word in which launch and phase.
#[derive(Clone, Copy, Default)]
struct Touched {
    launch: u32,
    /// The last write: thread, phase.
    write: Option<(u32, u32)>,
    /// The last read, and the last by another thread than that one.
    reads: [Option<(u32, u32)>; 2],
    /// The block that reads, and whether others do too.
    block: Option<u32>,
    several_blocks: bool,
    /// The phase in which bits were set last.
    set: Option<u32>,
    /// Whether it was read as something that nothing writes.
    read_only: bool,
}

/// Words of memory with who touched them.
#[derive(Default)]
struct Memory {
    bytes: Vec<u8>,
    touched: Vec<Touched>,
}

/// Who accesses memory.
#[derive(Clone, Copy)]
struct Access {
    launch: u32,
    /// The thread, counted over all blocks.
    thread: u32,
    /// Threads of a block.
    threads: u32,
    phase: u32,
}

impl Access {
    /// Whether an earlier access of the same launch may as well come later on a device.
    fn races(self, (thread, phase): (u32, u32)) -> bool {
        let same_block = thread / self.threads == self.thread / self.threads;
        thread != self.thread && !(same_block && phase < self.phase)
    }
}

impl Memory {
    fn grow(&mut self, bytes: usize) {
        self.bytes.resize(bytes, 0);
        self.touched.resize(bytes.div_ceil(4), Touched::default());
    }

    fn place(&self, address: u64, size: usize) -> Result<usize, String> {
        let inside = address.checked_add(size as u64).is_some_and(|end| end <= self.bytes.len() as u64);
        if !inside || !address.is_multiple_of(size as u64) {
            return Err(format!("access to {size} bytes at {address}, outside of memory or between two numbers"));
        }
        Ok(address as usize)
    }

    fn load(&mut self, address: u64, size: usize, read_only: bool, access: Access) -> Result<u64, String> {
        let place = self.place(address, size)?;
        for word in &mut self.touched[place / 4..(place + size) / 4] {
            word.enter(access.launch);
            let set = word.set == Some(access.phase);
            if set || word.write.is_some_and(|write| read_only || access.races(write)) {
                return Err(format!("a race: byte {place} is read while another thread writes it"));
            }
            if word.reads[0].is_some_and(|(thread, _)| thread != access.thread) {
                word.reads[1] = word.reads[0];
            }
            word.reads[0] = Some((access.thread, access.phase));
            let block = access.thread / access.threads;
            word.several_blocks |= *word.block.get_or_insert(block) != block;
            word.read_only |= read_only;
        }
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(&self.bytes[place..place + size]);
        Ok(u64::from_le_bytes(bytes))
    }

    fn store(&mut self, address: u64, size: usize, value: u64, access: Access) -> Result<(), String> {
        let place = self.place(address, size)?;
        for word in &mut self.touched[place / 4..(place + size) / 4] {
            word.enter(access.launch);
            let uses = word.reads.iter().chain([&word.write]).flatten();
            if word.set == Some(access.phase)
                || word.read_only
                || word.several_blocks
                || uses.into_iter().any(|used| access.races(*used))
            {
                return Err(format!("a race: byte {place} is written while another thread uses it"));
            }
            word.write = Some((access.thread, access.phase));
        }
        self.bytes[place..place + size].copy_from_slice(&value.to_le_bytes()[..size]);
        Ok(())
    }
}

impl Memory {
    /// Sets bits of a word; several threads may at once, since no order of them shows.
    fn or(&mut self, address: u64, bits: u64, access: Access) -> Result<(), String> {
        let place = self.place(address, 4)?;
        let word = &mut self.touched[place / 4];
        word.enter(access.launch);
        let uses = word.reads.iter().chain([&word.write]).flatten();
        if uses.into_iter().any(|used| access.races(*used)) {
            return Err(format!("a race: bits of byte {place} are set while another thread uses it"));
        }
        word.set = Some(access.phase);
        let old = u32::from_le_bytes(self.bytes[place..place + 4].try_into().expect("four bytes"));
        self.bytes[place..place + 4].copy_from_slice(&(old | bits as u32).to_le_bytes());
        Ok(())
    }
}

impl Touched {
    /// Forgets what earlier launches did.
    fn enter(&mut self, launch: u32) {
        if self.launch != launch {
            *self = Touched { launch, ..Touched::default() };
        }
    }
}

/// One thread between two phases.
struct Thread {
    registers: Vec<u64>,
    next: usize,
    done: bool,
}

/// A device that interprets.
pub struct Machine {
    functions: Vec<Function>,
    memory: Memory,
    launches: u32,
    /// Bytes it pretends to have.
    room: usize,
}

impl Machine {
    /// A device that has read a text.
    pub fn new(text: &str) -> Result<Machine, DeviceError> {
        let functions = parse(text).map_err(DeviceError)?;
        Ok(Machine { functions, memory: Memory::default(), launches: 0, room: 1 << 30 })
    }

    fn run(&mut self, function: &Function, blocks: u32, threads: u32, arguments: &[u64]) -> Result<(), String> {
        self.launches += 1;
        for block in 0..blocks {
            let mut shared = Memory::default();
            shared.grow(function.shared);
            let thread = || Thread { registers: vec![0; function.registers], next: 0, done: false };
            let mut all: Vec<Thread> = (0..threads).map(|_| thread()).collect();
            for phase in 0.. {
                for (lane, thread) in all.iter_mut().enumerate().filter(|(_, t)| !t.done) {
                    let launch = self.launches;
                    let access = Access { launch, thread: block * threads + lane as u32, threads, phase };
                    let place = (block, lane as u32, threads);
                    self.run_thread(function, thread, &mut shared, (place, access), arguments)?;
                }
                let done = all.iter().filter(|t| t.done).count();
                if done == all.len() {
                    break;
                }
                if done > 0 {
                    return Err(format!("{done} of {threads} threads do not reach the barrier"));
                }
                let at = all[0].next;
                if all.iter().any(|t| t.next != at) {
                    return Err("threads wait at different barriers".into());
                }
            }
        }
        Ok(())
    }

    /// Runs a thread to its next barrier or its end.
    fn run_thread(
        &mut self,
        function: &Function,
        thread: &mut Thread,
        shared: &mut Memory,
        ((block, lane, threads), access): ((u32, u32, u32), Access),
        arguments: &[u64],
    ) -> Result<(), String> {
        for _ in 0..PATIENCE {
            let instruction = function.code.get(thread.next).ok_or("ran past the end")?;
            thread.next += 1;
            if instruction.guard.is_some_and(|(register, holds)| (thread.registers[register as usize] != 0) != holds) {
                continue;
            }
            let registers = &mut thread.registers;
            let value = |operand: &Operand| match operand {
                Operand::Register(register) => registers[*register as usize],
                Operand::Immediate(bits) => *bits,
                Operand::Thread => lane.into(),
                Operand::Block => block.into(),
                Operand::Threads => threads.into(),
            };
            let at = |why: String| format!("{} line {}: {why}", function.name, instruction.line);
            let result = match &instruction.op {
                Op::Compute { compute, operands: [a, b, c] } => compute([value(a), value(b), value(c)]),
                Op::Pack([low, high]) => value(low) | value(high) << 32,
                Op::Parameter(index) => arguments[*index],
                Op::Load { space, read_only, base, offset, size } => {
                    let address = value(base).wrapping_add(*offset);
                    match space {
                        Space::Shared => shared.load(address, *size, *read_only, access),
                        Space::Global => self.memory.load(address.wrapping_sub(BASE), *size, *read_only, access),
                    }
                    .map_err(at)?
                }
                Op::Store { space, base, offset, size, value: stored } => {
                    let (address, stored) = (value(base).wrapping_add(*offset), value(stored));
                    match space {
                        Space::Shared => shared.store(address, *size, stored, access),
                        Space::Global => self.memory.store(address.wrapping_sub(BASE), *size, stored, access),
                    }
                    .map_err(at)?;
                    continue;
                }
                Op::Or { space, base, offset, value: bits } => {
                    let (address, bits) = (value(base).wrapping_add(*offset), value(bits));
                    match space {
                        Space::Shared => shared.or(address, bits, access),
                        Space::Global => self.memory.or(address.wrapping_sub(BASE), bits, access),
                    }
                    .map_err(at)?;
                    continue;
                }
                Op::Branch(target) => {
                    thread.next = *target;
                    continue;
                }
                Op::Barrier => return Ok(()),
                Op::Return => {
                    thread.done = true;
                    return Ok(());
                }
            };
            registers[instruction.result as usize] = result;
        }
        Err(format!("{} does not end", function.name))
    }
}

impl Driver for Machine {
    fn device(&self) -> &str {
        "interpreter"
    }

    fn allocate(&mut self, bytes: usize) -> Result<u64, DeviceError> {
        let start = self.memory.bytes.len().next_multiple_of(256);
        if start + bytes > self.room {
            let free = self.room - start;
            return Err(DeviceError(format!("{bytes} bytes were asked for, {free} are free")));
        }
        self.memory.grow(start + bytes);
        Ok(BASE + start as u64)
    }

    fn upload(&mut self, address: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        let start = (address - BASE) as usize;
        self.memory.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn download(&self, address: u64, bytes: &mut [u8]) -> Result<(), DeviceError> {
        let start = (address - BASE) as usize;
        bytes.copy_from_slice(&self.memory.bytes[start..start + bytes.len()]);
        Ok(())
    }

    fn launch(&mut self, index: usize, entry: &Entry, groups: u32, arguments: &[u64]) -> Result<(), DeviceError> {
        let function = std::mem::take(&mut self.functions[index]);
        let done = if function.name != entry.name || function.parameters.len() != arguments.len() {
            Err(format!("`{}` is launched as `{}` with {} arguments", function.name, entry.name, arguments.len()))
        } else if entry.group as usize > function.most_threads || entry.shared as usize > function.shared {
            Err(format!("`{}` is not made for blocks of {} threads", entry.name, entry.group))
        } else {
            self.run(&function, groups, entry.group, arguments)
        };
        self.functions[index] = function;
        done.map_err(DeviceError)
    }
}
