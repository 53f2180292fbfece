//! An interpreter of PTX: reads what the printer writes, as strictly as an assembler, and executes it.

mod flush;
mod machine;
mod memory;
mod opcodes;
mod parse;

pub use machine::Machine;
pub use memory::Fault;
pub use parse::{Code, Function, parse};
