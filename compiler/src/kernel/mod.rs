//! Kernels: what a device executes, as loops over elements with loads, calls and stores.

pub mod flush;
pub mod independent;
pub mod interpret;
pub mod ir;
pub mod layout;
pub mod many;
pub mod marks;
pub mod target;
pub mod text;
pub mod verify;
