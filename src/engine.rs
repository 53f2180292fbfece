//! The engines a model can run on. A new one is one row.

use nullcline_compiler::backend::program::{PROGRAM, program};
#[cfg(feature = "cuda")]
use nullcline_compiler::backend::ptx::{self, PTX};
#[cfg(feature = "wgpu")]
use nullcline_compiler::backend::wgsl::{WGSL, wgsl};
use nullcline_compiler::kernel::ir::Module;
use nullcline_compiler::kernel::target::{ORACLE, Target};
use nullcline_runtime::artifact::{DeviceError, Executable};
#[cfg(feature = "cuda")]
use nullcline_runtime::device::cuda::Cuda;
#[cfg(feature = "wgpu")]
use nullcline_runtime::device::wgpu::Wgpu;
use nullcline_runtime::device::{Cpu, Device};

use crate::oracle::Oracle;

/// An engine: a target to compile for and a way to load what was compiled.
#[derive(Debug)]
pub struct Engine {
    /// Name on the command line.
    pub name: &'static str,
    /// What it can do.
    pub target: &'static Target,
    /// The kind of device it runs on, as on the command line.
    pub device: &'static str,
    /// Loads a module on the device with this number among its kind.
    pub load: fn(Module, usize) -> Result<Box<dyn Executable>, DeviceError>,
    /// One line for the manual.
    pub doc: &'static str,
}

/// All engines.
pub static ENGINES: &[Engine] = &[
    #[cfg(target_arch = "x86_64")]
    Engine {
        name: "jit",
        target: &PROGRAM,
        device: "cpu",
        load: |module, _| Cpu::Jit.load(&program(&module)),
        doc: "writes machine code for each kernel (x86-64 with AVX2 or AVX-512)",
    },
    Engine {
        name: "block",
        target: &PROGRAM,
        device: "cpu",
        load: |module, _| Cpu::Block.load(&program(&module)),
        doc: "executes each operation for a block of elements at a time; runs everywhere",
    },
    Engine {
        name: "oracle",
        target: &ORACLE,
        device: "cpu",
        load: |module, _| Ok(Box::new(Oracle::new(module))),
        doc: "interprets the kernels element by element; the reference every other engine is compared with",
    },
    #[cfg(feature = "cuda")]
    Engine {
        name: "cuda",
        target: &PTX,
        device: "cuda",
        load: |module, index| Cuda::open(index)?.load(ptx::artifact(&module, &ptx::Options::default())),
        doc: "runs the kernels on a processor by NVIDIA",
    },
    // Never chosen unasked: it does not compute what the processor computes, to the bit.
    #[cfg(feature = "cuda")]
    Engine {
        name: "cublas",
        target: &PTX,
        device: "cuda",
        load: |module, index| {
            let options = ptx::Options { blas: true, ..ptx::Options::default() };
            Cuda::open(index)?.load(ptx::artifact(&module, &options))
        },
        doc: "as `cuda`, with products of dense matrices by cuBLAS, whose sums have an order of their own",
    },
    #[cfg(feature = "wgpu")]
    Engine {
        name: "wgpu",
        target: &WGSL,
        device: "wgpu",
        load: |module, index| {
            let device = Wgpu::open(index)?;
            device.load(&wgsl(&module, &device.limits()))
        },
        doc: "runs the kernels on a graphics processor (Vulkan, Metal, Direct3D 12)",
    },
];

impl Engine {
    /// The engine with this name.
    pub fn lookup(name: &str) -> Option<&'static Engine> {
        ENGINES.iter().find(|e| e.name == name)
    }

    /// The engine of this machine that takes the least time for a step: machine code where its processor is known, else
    /// blocks. For a run of a certain length [`Compiled::choose`](crate::Compiled::choose) may find another one faster.
    pub fn auto() -> &'static Engine {
        let name = if Cpu::fastest() == Cpu::Block { "block" } else { "jit" };
        Engine::lookup(name).expect("the engines of the processor are in the list")
    }
}
