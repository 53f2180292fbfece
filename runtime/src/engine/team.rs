//! The threads of an engine.

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

    /// Does some work: if it `shares` what it does, on the team's threads, else here; flushing in either case.
    ///
    /// Fails where the system gives no more threads.
    pub fn run<R: Send>(
        &self,
        shares: bool,
        work: impl FnOnce() -> Result<R, DeviceError> + Send,
    ) -> Result<R, DeviceError> {
        if !shares {
            let _flush = Flush::on();
            return work();
        }
        let pool = match self.pool.get() {
            Some(pool) => pool,
            None => {
                let builder = ThreadPoolBuilder::new().num_threads(self.threads).start_handler(|_| Flush::for_good());
                let built = builder.build().map_err(|error| {
                    DeviceError(format!("cannot start {} threads: {error}; use `--threads 1`", self.threads))
                })?;
                self.pool.get_or_init(|| built)
            }
        };
        pool.install(work)
    }
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
