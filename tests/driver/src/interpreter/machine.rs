//! Executes PTX: thread by thread, the threads of a block in phases that end at barriers.

use std::collections::BTreeMap;

use super::memory::{Access, Fault, Memory};
use super::parse::{Function, Op, Operand, Space};

/// Where device memory begins, so that 0 is no address.
const BASE: u64 = 1 << 20;

/// Allocations begin at multiples of this.
const ALIGN: usize = 256;

/// Instructions of one thread in one phase, before it is taken to run forever.
const PATIENCE: u64 = 1 << 32;

/// One thread between two phases.
struct Thread {
    registers: Vec<u64>,
    next: usize,
    done: bool,
}

/// A device that interprets.
pub struct Machine {
    memory: Memory,
    /// What is allocated: address and bytes.
    allocations: BTreeMap<u64, usize>,
    launches: u32,
    /// Bytes it pretends to have.
    room: usize,
}

impl Machine {
    /// A device with so many bytes of memory.
    pub fn new(room: usize) -> Machine {
        Machine { memory: Memory::default(), allocations: BTreeMap::new(), launches: 0, room }
    }

    /// Bytes that are free.
    pub fn free_bytes(&self) -> usize {
        self.room - self.allocations.values().sum::<usize>()
    }

    /// Number of allocations.
    pub fn allocations(&self) -> usize {
        self.allocations.len()
    }

    /// The address of so many bytes, if there are any left. An address is never given twice.
    pub fn allocate(&mut self, bytes: usize) -> Option<u64> {
        if bytes > self.free_bytes() {
            return None;
        }
        self.memory.align(ALIGN);
        let address = BASE + self.memory.len() as u64;
        self.memory.grow(bytes);
        self.allocations.insert(address, bytes);
        Some(address)
    }

    /// Takes back what was allocated at an address; false if nothing was.
    pub fn free(&mut self, address: u64) -> bool {
        let Some(bytes) = self.allocations.remove(&address) else { return false };
        self.memory.free((address - BASE) as usize, bytes);
        true
    }

    /// The place of bytes that belong to one allocation.
    fn inside(&self, address: u64, count: usize) -> Result<usize, Fault> {
        let before = self.allocations.range(..=address).next_back();
        match before {
            Some((start, bytes)) if address - start + count as u64 <= *bytes as u64 => Ok((address - BASE) as usize),
            _ => Err(Fault::Outside(format!("{count} bytes at {address} are not those of one allocation"))),
        }
    }

    /// Bytes of one allocation.
    pub fn bytes(&self, address: u64, count: usize) -> Result<&[u8], Fault> {
        Ok(self.memory.bytes(self.inside(address, count)?, count))
    }

    /// Bytes of one allocation, to be written.
    pub fn bytes_mut(&mut self, address: u64, count: usize) -> Result<&mut [u8], Fault> {
        let place = self.inside(address, count)?;
        Ok(self.memory.bytes_mut(place, count))
    }

    /// Launches an entry in so many blocks.
    pub fn launch(
        &mut self,
        function: &Function,
        (blocks, threads): (u32, u32),
        arguments: &[u64],
    ) -> Result<(), Fault> {
        if function.parameters.len() != arguments.len() {
            return Err(Fault::Other(format!("`{}` is launched with {} arguments", function.name, arguments.len())));
        }
        if threads as usize > function.most_threads {
            return Err(Fault::Other(format!("`{}` is not made for blocks of {threads} threads", function.name)));
        }
        self.run(function, blocks, threads, arguments)
    }

    fn run(&mut self, function: &Function, blocks: u32, threads: u32, arguments: &[u64]) -> Result<(), Fault> {
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
                    return Err(Fault::Other(format!("{done} of {threads} threads do not reach the barrier")));
                }
                let at = all[0].next;
                if all.iter().any(|t| t.next != at) {
                    return Err(Fault::Other("threads wait at different barriers".into()));
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
    ) -> Result<(), Fault> {
        for _ in 0..PATIENCE {
            let instruction = function.code.get(thread.next).ok_or_else(|| Fault::Other("ran past the end".into()))?;
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
            let at = |fault: Fault| fault.at(format_args!("{} line {}", function.name, instruction.line));
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
        Err(Fault::Other(format!("{} does not end", function.name)))
    }
}
