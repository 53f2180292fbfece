//! Engines that run models on an interpreter of PTX.

mod machine;

use nullcline::Engine;
use nullcline::compiler::backend::ptx::{self, PTX};
use nullcline::compiler::kernel::ir::Module;
use nullcline::runtime::artifact::{DeviceError, Executable};
use nullcline::runtime::device::Launcher;

#[allow(unused_imports)] // not every test program drives it itself
pub use machine::Machine;

/// Kernels one by one, and many steps in one launch where there is an entry for it.
pub static INTERPRETERS: [Engine; 2] = [
    Engine {
        name: "ptx",
        target: &PTX,
        device: "cpu",
        load: |module, _| load(&module, &ptx::Options::default(), true),
        doc: "executes PTX",
    },
    Engine {
        name: "ptx, kernel by kernel",
        target: &PTX,
        device: "cpu",
        load: |module, _| load(&module, &ptx::Options::default(), false),
        doc: "executes PTX",
    },
];

/// Loads a module on an interpreter, with the entry that runs many steps in one launch or without.
pub fn load(module: &Module, options: &ptx::Options, many_steps: bool) -> Result<Box<dyn Executable>, DeviceError> {
    let mut artifact = ptx::artifact(module, options);
    let machine = Machine::new(&artifact.code)?;
    if !many_steps {
        artifact.steps = None;
        artifact.recorder = None;
    }
    Ok(Box::new(Launcher::new(artifact, "ptx", machine)?))
}

/// The reference, rounding as PTX does: numbers below the normal ones are kept in double precision.
#[allow(dead_code)] // not every test program compares with it
pub static REFERENCE: Engine = Engine {
    name: "reference",
    target: &PTX,
    device: "cpu",
    load: |module, index| (Engine::lookup("oracle").expect("it is in the list").load)(module, index),
    doc: "interprets kernels",
};
