//! The engines a model can run on. A new one is one row.

use nullcline_compiler::backend::program::{PROGRAM, program};
use nullcline_compiler::kernel::ir::Module;
use nullcline_compiler::kernel::target::{ORACLE, Target};
use nullcline_runtime::artifact::{DeviceError, Executable};
use nullcline_runtime::engine::block;

use crate::oracle::Oracle;

/// An engine: a target to compile for and a way to load what was compiled.
pub struct Engine {
    /// Name on the command line.
    pub name: &'static str,
    /// What it can do.
    pub target: &'static Target,
    /// Loads a module.
    pub load: fn(Module) -> Result<Box<dyn Executable>, DeviceError>,
    /// One line for the manual.
    pub doc: &'static str,
}

/// All engines, the default first.
pub static ENGINES: &[Engine] = &[
    Engine {
        name: "oracle",
        target: &ORACLE,
        load: |module| Ok(Box::new(Oracle::new(module))),
        doc: "interprets the kernels element by element; the reference every other engine is compared with",
    },
    Engine {
        name: "block",
        target: &PROGRAM,
        load: |module| Ok(block::load(&program(&module))),
        doc: "executes each operation for a block of elements at a time; runs everywhere",
    },
    #[cfg(target_arch = "x86_64")]
    Engine {
        name: "jit",
        target: &PROGRAM,
        load: |module| nullcline_runtime::engine::jit::load(&program(&module)),
        doc: "writes machine code for each kernel (x86-64 with AVX2 or AVX-512)",
    },
];
