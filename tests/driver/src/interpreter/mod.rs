//! An interpreter of PTX: reads what the printer writes, as strictly as an assembler, and executes it.

mod flush;
mod machine;
mod memory;
mod opcodes;
#[allow(missing_docs)] // parts of the text, by their names
pub mod parse;

pub use machine::Machine;
pub use memory::Fault;
pub use parse::{Code, Function};
