//! Kernels: what a device executes, as loops over elements with loads, calls and stores.

pub mod flush;
pub mod independent;
#[cfg(feature = "engines")]
pub mod interpret;
pub mod ir;
pub mod layout;
#[cfg(any(feature = "ptx", feature = "wgsl"))]
pub mod many;
#[cfg(any(feature = "ptx", feature = "wgsl"))]
pub mod marks;
pub mod target;
#[cfg(feature = "edit")]
pub mod text;
pub mod verify;
