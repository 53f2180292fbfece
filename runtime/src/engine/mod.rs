//! CPU engines: ways to execute a [`Program`](crate::program::Program) in this process.
//!
//! Every engine computes the same bits as the compiler's reference interpreter: one rounding per operation, sums in the
//! order of their entries, no contraction that the program does not state.

pub mod block;
mod coupling;
mod independent;
#[cfg(all(target_arch = "x86_64", feature = "jit"))]
pub mod jit;
pub mod lanes;
mod memory;
pub mod pages;
pub mod real;
mod team;

pub use memory::Memory;
pub use real::Real;
