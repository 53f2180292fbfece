//! The nullcline runtime: what compiled models need to run, be recorded and be looked at.

pub mod artifact;
pub mod io;
pub mod observe;
pub mod plot;
pub mod sim;
