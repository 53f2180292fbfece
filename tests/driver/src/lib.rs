//! A stand-in for NVIDIA's driver, for tests: a library with the functions of the driver's interface, which executes what is
//! launched by an interpreter of PTX. So what calls the driver runs, unchanged, where there is no processor by NVIDIA.
//!
//! ```text
//! ln -s target/debug/deps/libstand_in_driver.so DIR/libcuda.so.1
//! LD_LIBRARY_PATH=DIR nullcline run jansen_rit --device cuda
//! ```
//!
//! It refuses what a driver refuses, and what a driver would not notice (kernels that race, memory that is read before it is written
//! has odd contents), does nothing before somebody waits for it, and fails where it is told to (see [`script::Script`]). It
//! cannot tell how many arguments a launch was given: as the driver, it reads as many as the entry has.

pub mod abi;
mod codes;
mod context;
pub mod interpreter;
mod product;
pub mod script;
mod state;
