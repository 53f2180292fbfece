//! Modules as WGSL (W3C, WebGPU Shading Language), for graphics processors by WebGPU, Vulkan, Metal or Direct3D 12.
//!
//! One entry for each kernel, for each input and source of random numbers, and, where elements are independent or networks
//! small, one that runs many steps. Buffers lie in banks (see [`place`]). In double precision the text needs naga's extensions
//! `f64` and `u64`, which browsers lack.

mod entry;
mod random;
mod spelling;
mod steps;
mod together;

use nullcline_runtime::code::{Artifact, Data, Limits, Quantity, Uniform};
use nullcline_runtime::program;

use crate::ir::system::Values;
use crate::kernel::ir::{Module, Precision};
use crate::kernel::many::{ManySteps, many_steps};
use crate::kernel::marks::marks;
use crate::kernel::target::Target;
use crate::pass::place::place;
use entry::Printer;

/// Graphics processors: basic operations only, as the language leaves the accuracy of its own functions to devices.
pub static WGSL: Target = Target {
    name: "wgsl",
    subnormals: &[],
    floats: &[Precision::F32, Precision::F64],
    has: |prim| spelling::spelling(prim).is_some(),
    shares_weights: false,
    crosses: |_| true,
    strict: false,
};

/// Invocations of a workgroup: two or one hardware vectors of all known devices.
const GROUP: u32 = 64;

/// Prints a module that is legal for [`WGSL`], for a device with these limits.
pub fn wgsl(module: &Module, limits: &Limits) -> Artifact {
    let placement = place(module, limits);
    let marks = marks(module);
    let mut printer = Printer::new(module, &placement, marks.as_ref());
    let kernels: Vec<Vec<u32>> = module.kernels.iter().map(|kernel| printer.kernel(kernel)).collect();
    let feed = printer.feed();
    let steps = match many_steps(module, together::LARGE_GROUP as usize) {
        Some(ManySteps::Elements(extent)) => Some(printer.steps(extent)),
        Some(ManySteps::Groups(groups)) => printer.together(&groups, limits),
        None => None,
    };
    let phase = |kernels_of: &[usize]| kernels_of.iter().flat_map(|k| kernels[*k].clone()).collect();
    let phases = [phase(&module.setup), phase(&module.remember), phase(&module.step), phase(&module.observe)];
    let (entries, bodies) = printer.finish();
    let initial = module.initial.iter().map(|(buffer, values)| match values {
        Values::Uniform(value) => (buffer.0, vec![*value]),
        Values::Each(each) => (buffer.0, each.to_vec()),
    });
    let mut artifact = Artifact {
        target: WGSL.name.to_string(),
        code: String::new(),
        layout: module.layout(),
        precision: match module.precision {
            Precision::F32 => program::Precision::F32,
            Precision::F64 => program::Precision::F64,
        },
        constants: placement.constants,
        entries,
        phases,
        steps,
        recorder: None,
        record: None,
        reduce: None,
        tick: None,
        measures: None,
        marks,
        arguments: Vec::new(),
        initial: initial.collect(),
        banks: placement.banks,
        feed,
        samples: placement.samples,
        uniforms: uniforms(),
        explanations: Vec::new(),
    };
    let globals = globals(&artifact, module.precision);
    artifact.code = format!(
        "{}{}{globals}{bodies}",
        spelling::prelude(module.precision),
        if module.randoms.is_empty() { String::new() } else { random::functions(module.precision) },
    );
    artifact
}

fn uniforms() -> Vec<Uniform> {
    let rows = [
        ("step", Quantity::Step, 0),
        ("count", Quantity::Count, 4),
        ("row", Quantity::Row, 8),
        ("seed_low", Quantity::SeedLow, 12),
        ("seed_high", Quantity::SeedHigh, 16),
        ("zero", Quantity::Zero, 20),
        ("dt", Quantity::StepSize, 24),
    ];
    rows.map(|(name, quantity, offset)| Uniform { name: name.to_string(), quantity, offset }).into()
}

/// The declarations of the uniforms, banks, constants and samples.
fn globals(artifact: &Artifact, precision: Precision) -> String {
    use nullcline_runtime::code::Binding;
    let field = |u: &Uniform| match u.quantity {
        Quantity::StepSize => format!("    {}: {},\n", u.name, precision.name()),
        _ => format!("    {}: u32,\n", u.name),
    };
    let fields: String = artifact.uniforms.iter().map(field).collect();
    let mut text = format!("struct Clock {{\n{fields}}}\n@group(0) @binding(0) var<uniform> clock: Clock;\n");
    let mut global = |binding: Binding, access: &str, name: &str, element: &str| {
        let slot = artifact.slot(binding).expect("WGSL has no bindings of single buffers");
        text += &format!("@group(0) @binding({slot}) var<storage, {access}> {name}: array<{element}>;\n");
    };
    for (index, bank) in artifact.banks.iter().enumerate() {
        global(Binding::Bank { index: index as u32, written: true }, "read_write", &bank.name, "real");
    }
    for (index, constant) in artifact.constants.iter().enumerate() {
        let element = if matches!(constant.data, Data::Integers(_)) { "u32" } else { "real" };
        global(Binding::Constant(index as u32), "read", &constant.name, element);
    }
    if !artifact.samples.is_empty() {
        global(Binding::Samples, "read", "samples", "real");
    }
    if artifact.marks.is_some() {
        global(Binding::Marks, "read_write", "marks", "atomic<u32>");
    }
    text
}
