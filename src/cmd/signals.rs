//! Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fault;

/// Set by the first Ctrl-C, which lets a run end in good order; the second ends it at once.
pub fn stop_flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = stop.clone();
    // Without a handler Ctrl-C still ends the program, only without its output.
    let _ = ctrlc::set_handler(move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(fault::STOPPED));
        }
    });
    stop
}
