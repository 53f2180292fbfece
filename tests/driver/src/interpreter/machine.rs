//! Executes PTX: thread by thread, the threads of a block in phases that end at barriers.

use std::collections::BTreeMap;

use super::memory::{Access, Fault, Memory};
use super::parse::{Function, Space};
use super::plan::{Action, PLACES, Plan};

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
        let plan = Plan::new(function);
        let place = function.registers;
        let other = |why: String| Err(Fault::Other(why));
        for block in 0..blocks {
            let mut shared = Memory::default();
            shared.grow(function.shared);
            let thread = |lane: u32| {
                let mut registers = plan.registers.clone();
                registers[place..place + PLACES].copy_from_slice(&[lane, block, threads].map(u64::from));
                Thread { registers, next: 0, done: false }
            };
            let mut all: Vec<Thread> = (0..threads).map(thread).collect();
            for phase in 0.. {
                for (lane, thread) in all.iter_mut().enumerate().filter(|(_, t)| !t.done) {
                    let launch = self.launches;
                    let access = Access { launch, thread: block * threads + lane as u32, threads, phase };
                    let run = Run { plan: &plan, access, arguments };
                    run.thread(thread, &mut self.memory, &mut shared).map_err(|(line, fault)| match line {
                        Some(line) => fault.at(format_args!("{} line {line}", function.name)),
                        None => fault.at(format_args!("{}", function.name)),
                    })?;
                }
                let done = all.iter().filter(|t| t.done).count();
                if done == all.len() {
                    break;
                }
                if done > 0 {
                    return other(format!("{done} of {threads} threads do not reach the barrier"));
                }
                let at = all[0].next;
                if all.iter().any(|t| t.next != at) {
                    return other("threads wait at different barriers".into());
                }
            }
        }
        Ok(())
    }
}

/// What all phases of a thread have in common.
struct Run<'a> {
    plan: &'a Plan,
    access: Access,
    arguments: &'a [u64],
}

impl Run<'_> {
    /// Runs a thread to its next barrier or its end; beside a fault, the line.
    fn thread(
        &self,
        thread: &mut Thread,
        global: &mut Memory,
        shared: &mut Memory,
    ) -> Result<(), (Option<usize>, Fault)> {
        let access = self.access;
        let registers = &mut thread.registers[..];
        let mut next = thread.next;
        for _ in 0..PATIENCE {
            let step = self.plan.steps.get(next).ok_or_else(|| (None, Fault::Other("ran past the end".into())))?;
            next += 1;
            if step.guard.is_some_and(|(register, holds)| (registers[register as usize] != 0) != holds) {
                continue;
            }
            let value = |register: u32| registers[register as usize];
            // The memory of an access, and the place in it.
            let place = |space: Space, base: u32, offset: u64| {
                let address = value(base).wrapping_add(offset);
                if space == Space::Shared { address } else { address.wrapping_sub(BASE) }
            };
            let at = |fault: Fault| (Some(step.line), fault);
            let result = match &step.action {
                Action::Compute { compute, operands: [a, b, c] } => compute(value(*a), value(*b), value(*c)),
                Action::Pack([low, high]) => value(*low) | value(*high) << 32,
                Action::Parameter(index) => self.arguments[*index],
                Action::Load { space, read_only, base, offset, size } => {
                    let (place, read_only) = (place(*space, *base, *offset), *read_only);
                    let memory = if *space == Space::Shared { &mut *shared } else { &mut *global };
                    memory.load(place, *size, read_only, access).map_err(at)?
                }
                Action::Store { space, base, offset, size, value: stored } => {
                    let place = place(*space, *base, *offset);
                    let memory = if *space == Space::Shared { &mut *shared } else { &mut *global };
                    memory.store(place, *size, value(*stored), access).map_err(at)?;
                    continue;
                }
                Action::Or { space, base, offset, value: bits } => {
                    let place = place(*space, *base, *offset);
                    let memory = if *space == Space::Shared { &mut *shared } else { &mut *global };
                    memory.or(place, value(*bits), access).map_err(at)?;
                    continue;
                }
                Action::Branch(target) => {
                    next = *target;
                    continue;
                }
                Action::Barrier => {
                    thread.next = next;
                    return Ok(());
                }
                Action::Return => {
                    thread.done = true;
                    return Ok(());
                }
            };
            registers[step.result as usize] = result;
        }
        Err((None, Fault::Other("does not end".into())))
    }
}
