//! The nullcline runtime: what compiled models need to run, be recorded and be looked at.

pub mod io;
pub mod observe;
#[cfg(feature = "plot")]
pub mod plot;
