//! Memory in words, with who touched them. Beside accesses outside of what is allocated it finds races, where two threads touch
//! one word in the same phase, or two blocks in the same launch, and one of them writes.

use std::fmt;

/// What is wrong with an access or a launch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// An access outside of memory.
    Outside(String),
    /// An access between two numbers.
    Misaligned(String),
    /// What a device may do without a word, and what depends on the order of threads.
    Other(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Fault::Outside(text) | Fault::Misaligned(text) | Fault::Other(text)) = self;
        f.write_str(text)
    }
}

impl Fault {
    /// The same with a place before it.
    pub(super) fn at(self, place: fmt::Arguments<'_>) -> Fault {
        match self {
            Fault::Outside(text) => Fault::Outside(format!("{place}: {text}")),
            Fault::Misaligned(text) => Fault::Misaligned(format!("{place}: {text}")),
            Fault::Other(text) => Fault::Other(format!("{place}: {text}")),
        }
    }
}

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
    /// Whether it is allocated.
    live: bool,
}

impl Touched {
    /// Forgets what earlier launches did.
    fn enter(&mut self, launch: u32) {
        if self.launch != launch {
            *self = Touched { launch, live: self.live, ..Touched::default() };
        }
    }
}

/// Words with who touched them; places are bytes from its beginning.
#[derive(Default)]
pub(super) struct Memory {
    bytes: Vec<u8>,
    touched: Vec<Touched>,
}

/// Who accesses memory.
#[derive(Clone, Copy)]
pub(super) struct Access {
    pub launch: u32,
    /// The thread, counted over all blocks.
    pub thread: u32,
    /// Threads of a block.
    pub threads: u32,
    pub phase: u32,
}

impl Access {
    /// Whether an earlier access of the same launch may as well come later on a device.
    fn races(self, (thread, phase): (u32, u32)) -> bool {
        let same_block = thread / self.threads == self.thread / self.threads;
        thread != self.thread && !(same_block && phase < self.phase)
    }
}

impl Memory {
    /// Adds bytes, all of them 0, behind those there are.
    pub fn grow(&mut self, bytes: usize) {
        self.touched.resize(self.bytes.len().div_ceil(4), Touched::default());
        self.bytes.resize(self.bytes.len().next_multiple_of(4) + bytes, 0);
        self.touched.resize(self.bytes.len().div_ceil(4), Touched { live: true, ..Touched::default() });
    }

    /// Adds bytes that nobody may touch until the next multiple of so many.
    pub fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
        self.touched.resize(self.bytes.len() / 4, Touched::default());
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes some of it back.
    pub fn free(&mut self, place: usize, bytes: usize) {
        self.touched[place / 4..(place + bytes).div_ceil(4)].fill(Touched::default());
    }

    pub fn bytes(&self, place: usize, count: usize) -> &[u8] {
        &self.bytes[place..place + count]
    }

    pub fn bytes_mut(&mut self, place: usize, count: usize) -> &mut [u8] {
        &mut self.bytes[place..place + count]
    }

    /// The place of an access; beside it the words.
    fn place(&self, address: u64, size: usize) -> Result<usize, Fault> {
        let inside = address.checked_add(size as u64).is_some_and(|end| end <= self.bytes.len() as u64);
        let live = |place: usize| self.touched[place / 4..(place + size).div_ceil(4)].iter().all(|word| word.live);
        if !inside || !live(address as usize) {
            return Err(Fault::Outside(format!("access to {size} bytes at {address}, outside of memory")));
        }
        if !address.is_multiple_of(size as u64) {
            return Err(Fault::Misaligned(format!("access to {size} bytes at {address}, between two numbers")));
        }
        Ok(address as usize)
    }

    pub fn load(&mut self, address: u64, size: usize, read_only: bool, access: Access) -> Result<u64, Fault> {
        let place = self.place(address, size)?;
        for word in &mut self.touched[place / 4..(place + size) / 4] {
            word.enter(access.launch);
            let set = word.set == Some(access.phase);
            if set || word.write.is_some_and(|write| read_only || access.races(write)) {
                return Err(Fault::Other(format!("a race: byte {place} is read while another thread writes it")));
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

    pub fn store(&mut self, address: u64, size: usize, value: u64, access: Access) -> Result<(), Fault> {
        let place = self.place(address, size)?;
        for word in &mut self.touched[place / 4..(place + size) / 4] {
            word.enter(access.launch);
            let uses = word.reads.iter().chain([&word.write]).flatten();
            if word.set == Some(access.phase)
                || word.read_only
                || word.several_blocks
                || uses.into_iter().any(|used| access.races(*used))
            {
                return Err(Fault::Other(format!("a race: byte {place} is written while another thread uses it")));
            }
            word.write = Some((access.thread, access.phase));
        }
        self.bytes[place..place + size].copy_from_slice(&value.to_le_bytes()[..size]);
        Ok(())
    }

    /// Sets bits of a word; several threads may at once, since no order of them shows.
    pub fn or(&mut self, address: u64, bits: u64, access: Access) -> Result<(), Fault> {
        let place = self.place(address, 4)?;
        let word = &mut self.touched[place / 4];
        word.enter(access.launch);
        let uses = word.reads.iter().chain([&word.write]).flatten();
        if uses.into_iter().any(|used| access.races(*used)) {
            return Err(Fault::Other(format!("a race: bits of byte {place} are set while another thread uses it")));
        }
        word.set = Some(access.phase);
        let old = u32::from_le_bytes(self.bytes[place..place + 4].try_into().expect("four bytes"));
        self.bytes[place..place + 4].copy_from_slice(&(old | bits as u32).to_le_bytes());
        Ok(())
    }
}
