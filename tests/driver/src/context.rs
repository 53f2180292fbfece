//! A context: memory and objects of a device, and the work that waits in its streams.
//!
//! Nothing is done before somebody waits for it, so that what reads results without waiting finds none; and of several streams
//! the one made last is the first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::codes::{self, Code};
use crate::interpreter::{self, Fault, Machine};
use crate::product::Product;
use crate::script::Script;

/// Most work that waits; drivers have limits of their own.
const MOST_WAITING: usize = 1024;

/// The stream of calls that name none. It waits for all streams that are made blocking, and they for it.
pub const LEGACY: usize = 0;

/// A launch.
#[derive(Clone)]
pub struct Launch {
    /// The module that the entry belongs to.
    pub module: usize,
    pub code: Arc<interpreter::Code>,
    pub function: usize,
    pub blocks: u32,
    pub threads: u32,
    pub arguments: Vec<u64>,
}

/// What a device does.
#[derive(Clone)]
pub enum Work {
    Launch(Launch),
    /// Bytes to an address.
    Write(u64, Vec<u8>),
    /// Bytes from an address to another.
    Copy {
        to: u64,
        from: u64,
        count: usize,
    },
    /// A product of matrices.
    Product(Product),
    /// An event has happened so many times.
    Record(usize, u64),
    /// Waits for that.
    Wait(usize, u64),
}

/// What has a handle.
pub enum Object {
    Module(Arc<interpreter::Code>),
    /// An entry of a module.
    Function {
        module: usize,
        index: usize,
    },
    Stream(Stream),
    /// An event: how many times it was recorded, and how many of them have happened.
    Event {
        recorded: u64,
        happened: u64,
    },
    Graph(Vec<Node>),
    /// A handle of cuBLAS.
    Library,
    /// A graph that can be launched.
    Executable(Vec<Work>),
}

/// A part of a graph.
#[derive(Clone)]
pub struct Node {
    pub handle: usize,
    pub work: Work,
    /// The nodes that come before it.
    pub after: Vec<usize>,
}

/// The work of a graph in the order in which it is done: of what may come next, always the part that was added last.
pub fn order(mut nodes: Vec<Node>) -> Vec<Work> {
    let (mut done, mut works) = (BTreeSet::new(), Vec::new());
    // A node can only be behind nodes that there were before it, so there always is one.
    while let Some(next) = nodes.iter().rposition(|node| node.after.iter().all(|before| done.contains(before))) {
        let node = nodes.remove(next);
        done.insert(node.handle);
        works.push(node.work);
    }
    works
}

/// A stream.
#[derive(Default)]
pub struct Stream {
    /// Whether it waits for the legacy stream.
    pub blocking: bool,
    /// What was captured; nothing if that failed.
    pub capture: Option<Option<Vec<Work>>>,
}

struct Waiting {
    stream: usize,
    blocking: bool,
    work: Work,
}

/// A context.
pub struct Context {
    pub handle: usize,
    pub machine: Machine,
    pub objects: BTreeMap<usize, Object>,
    waiting: Vec<Waiting>,
    /// What it was lost with.
    pub lost: Option<Code>,
    /// Kernels executed, and graphs launched.
    pub kernels: u64,
    pub graphs: u64,
}

impl Context {
    pub fn new(handle: usize, memory: usize) -> Context {
        let (machine, objects) = (Machine::new(memory), BTreeMap::new());
        Context { handle, machine, objects, waiting: Vec::new(), lost: None, kernels: 0, graphs: 0 }
    }

    /// What was not given back, in words.
    pub fn left(&self) -> String {
        let of = |kind: fn(&Object) -> bool| self.objects.values().filter(|object| kind(object)).count();
        format!(
            "{} kernels executed, {} graphs launched; left: {} allocations, {} modules, {} streams, {} events, {} graphs, {} of cuBLAS",
            self.kernels,
            self.graphs,
            self.machine.allocations(),
            of(|o| matches!(o, Object::Module(_))),
            of(|o| matches!(o, Object::Stream(_))),
            of(|o| matches!(o, Object::Event { .. })),
            of(|o| matches!(o, Object::Graph(_) | Object::Executable(_))),
            of(|o| matches!(o, Object::Library)),
        )
    }

    /// A stream by its handle.
    pub fn stream(&mut self, handle: usize) -> Result<&mut Stream, Code> {
        match self.objects.get_mut(&handle) {
            Some(Object::Stream(stream)) => Ok(stream),
            _ => Err(codes::ERROR_INVALID_HANDLE),
        }
    }

    /// Fails captures that a call gets in the way of.
    pub fn forbid_captures(&mut self, blocking_only: bool, code: Code) -> Result<(), Code> {
        let mut found = false;
        for object in self.objects.values_mut() {
            if let Object::Stream(Stream { blocking, capture: Some(capture) }) = object
                && (*blocking || !blocking_only)
            {
                (*capture, found) = (None, true);
            }
        }
        if found { Err(code) } else { Ok(()) }
    }

    /// Puts work into a stream, or into what is captured of it.
    pub fn submit(&mut self, script: &Script, stream: usize, work: Work) -> Result<(), Code> {
        let mut blocking = false;
        if stream == LEGACY {
            self.forbid_captures(true, codes::ERROR_STREAM_CAPTURE_IMPLICIT)?;
        } else {
            let stream = self.stream(stream)?;
            blocking = stream.blocking;
            match &mut stream.capture {
                Some(Some(captured)) => {
                    captured.push(work);
                    return Ok(());
                }
                Some(None) => return Err(codes::ERROR_STREAM_CAPTURE_INVALIDATED),
                None => {}
            }
        }
        self.waiting.push(Waiting { stream, blocking, work });
        if self.waiting.len() > MOST_WAITING { self.finish_all(script) } else { Ok(()) }
    }

    /// Does what is in a stream, and what that waits for.
    pub fn finish(&mut self, script: &Script, stream: usize) -> Result<(), Code> {
        let (mut streams, mut events) = (BTreeSet::from([stream]), BTreeSet::new());
        // The legacy stream waits for blocking ones also where it has no work of its own.
        let (mut legacy, mut blocking) = (false, stream == LEGACY);
        let mut needed = vec![false; self.waiting.len()];
        for (item, needed) in self.waiting.iter().zip(&mut needed).rev() {
            let record = matches!(item.work, Work::Record(event, number) if events.contains(&(event, number)));
            *needed = streams.contains(&item.stream)
                || record
                || legacy && item.stream == LEGACY
                || blocking && item.blocking;
            if *needed {
                streams.insert(item.stream);
                legacy |= item.blocking;
                blocking |= item.stream == LEGACY;
                if let Work::Wait(event, number) = item.work {
                    events.insert((event, number));
                }
            }
        }
        let all = std::mem::take(&mut self.waiting).into_iter().zip(needed);
        let (now, later): (Vec<_>, Vec<_>) = all.partition(|(_, needed)| *needed);
        self.waiting = later.into_iter().map(|(item, _)| item).collect();
        now.into_iter().try_for_each(|(item, _)| self.execute(script, item.work)).inspect_err(|code| {
            self.lost = Some(*code);
            self.waiting.clear();
        })
    }

    /// Does everything.
    pub fn finish_all(&mut self, script: &Script) -> Result<(), Code> {
        while let Some(stream) = self.waiting.iter().map(|item| item.stream).max() {
            self.finish(script, stream)?;
        }
        Ok(())
    }

    fn execute(&mut self, script: &Script, work: Work) -> Result<(), Code> {
        let done = match work {
            Work::Launch(launch) => {
                self.kernels += 1;
                if let Some(code) = script.fault("kernel", self.kernels) {
                    return Err(code);
                }
                let function = &launch.code.functions[launch.function];
                if !self.objects.contains_key(&launch.module) {
                    Err(Fault::Other(format!("the module of `{}` was unloaded", function.name())))
                } else {
                    self.machine.launch(function, (launch.blocks, launch.threads), &launch.arguments)
                }
            }
            Work::Write(address, bytes) => {
                self.machine.bytes_mut(address, bytes.len()).map(|to| to.copy_from_slice(&bytes))
            }
            Work::Copy { to, from, count } => self.machine.bytes(from, count).map(<[u8]>::to_vec).and_then(|bytes| {
                self.machine.bytes_mut(to, count)?.copy_from_slice(&bytes);
                Ok(())
            }),
            Work::Product(product) => product.compute(&mut self.machine),
            Work::Record(event, number) => {
                if let Some(Object::Event { happened, .. }) = self.objects.get_mut(&event) {
                    *happened = number;
                }
                Ok(())
            }
            Work::Wait(..) => Ok(()),
        };
        done.map_err(|fault| {
            script.log(&format!("failed: {fault}"));
            match fault {
                Fault::Outside(_) => codes::ERROR_ILLEGAL_ADDRESS,
                Fault::Misaligned(_) => codes::ERROR_MISALIGNED_ADDRESS,
                Fault::Other(_) => codes::ERROR_LAUNCH_FAILED,
            }
        })
    }
}
