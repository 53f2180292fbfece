//! The threads of an engine.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::artifact::DeviceError;
use crate::flush::Flush;
use crate::program::Kernel;

/// Values to compute below which threads cost more than they save: some 30 microseconds of work.
pub const FEWEST_VALUES: u64 = 1 << 18;

/// Entries of a connection or table from which on its kernel may share its work.
const FEWEST_ENTRIES: usize = 1 << 14;

/// Synapses from which on the spikes of one step may be worth several threads: some of them a thousandth of all.
const FEWEST_SYNAPSES: usize = 1 << 24;

/// Threads of its own, which flush for good; made when there is work for them.
#[derive(Clone)]
pub struct Team {
    threads: usize,
    pool: Arc<OnceLock<ThreadPool>>,
}

impl Team {
    /// As many threads as the processor runs side by side.
    pub fn new() -> Team {
        Team::of(available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }

    /// So many threads.
    pub fn of(threads: NonZeroUsize) -> Team {
        Team { threads: threads.get(), pool: Arc::default() }
    }

    /// Does some work: if it `shares` what it does and there are several threads, on those, else here, where its data may
    /// still be in the caches; flushing in either case.
    ///
    /// Fails where the system gives no more threads.
    pub fn run<R: Send>(
        &self,
        shares: bool,
        work: impl FnOnce() -> Result<R, DeviceError> + Send,
    ) -> Result<R, DeviceError> {
        if !shares || self.threads == 1 {
            let _flush = Flush::on();
            return work();
        }
        let pool = match self.pool.get() {
            Some(pool) => pool,
            None => {
                let threads = self.threads;
                let join = move |_| {
                    Flush::for_good();
                    SIZE.set(threads);
                };
                let built = ThreadPoolBuilder::new().num_threads(threads).start_handler(join).build();
                let built = built.map_err(|error| {
                    DeviceError(format!("cannot start {threads} threads: {error}; use `--threads 1`"))
                })?;
                self.pool.get_or_init(|| built)
            }
        };
        pool.install(work)
    }
}

thread_local! {
    /// Threads of the team this one belongs to; outside of teams, also in pools of others, which do not flush, it is alone.
    static SIZE: Cell<usize> = const { Cell::new(1) };
}

/// Threads that share the work of this one.
pub fn threads() -> usize {
    SIZE.get()
}

/// Whether a kernel that moves values between elements shares its work between threads.
pub fn shares_entries(kernel: &Kernel) -> bool {
    match kernel {
        Kernel::Pointwise { .. } => false,
        Kernel::Deliver { fanout, .. } => fanout.targets.len() >= FEWEST_SYNAPSES,
        Kernel::Take { table, .. } => table.len() >= FEWEST_ENTRIES,
        Kernel::Couple { connection, .. } | Kernel::CouplePast { connection, .. } => {
            connection.members as usize * connection.sources.len() >= FEWEST_ENTRIES
        }
        Kernel::Convolve { convolution, .. } => {
            convolution.members as usize * convolution.window.targets() * convolution.window.taps() >= FEWEST_ENTRIES
        }
    }
}
