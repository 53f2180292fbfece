//! WGSL in other languages, by naga: SPIR-V, MSL, HLSL and GLSL.
//!
//! Bindings keep their numbers. In SPIR-V and GLSL these are the bindings of descriptor set 0; in HLSL the registers of space
//! 0, `b` for the uniforms, `u` for banks and `t` for constants and samples; in MSL the indices of buffers, with the lengths
//! of all arrays in bytes, in the order of their bindings, in buffer [`SIZES`].

use naga::back::{glsl, hlsl, msl, spv};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Module, ShaderStage};

/// A language that graphics processors' drivers read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// Vulkan, OpenCL.
    Spirv,
    /// Metal.
    Msl,
    /// Direct3D.
    Hlsl,
    /// OpenGL and Vulkan.
    Glsl,
}

/// Buffer of the lengths of arrays in MSL: the last one there is.
pub const SIZES: u8 = 30;

/// A file of translated code: what its name ends with, and its contents.
pub type File = (String, Vec<u8>);

/// Translates WGSL with its entries into files: one for all entries, in GLSL one for each.
///
/// Fails with the translator's message where the language lacks what the code needs.
pub fn translate(code: &str, language: Language) -> Result<Vec<File>, String> {
    let (module, info) = validate(code)?;
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    Ok(match language {
        Language::Spirv => {
            let options = spv::Options { lang_version: (1, 3), ..spv::Options::default() };
            let words = spv::write_vec(&module, &info, &options, None).map_err(|e| failed(&e))?;
            vec![(".spv".to_string(), words.iter().flat_map(|word| word.to_le_bytes()).collect())]
        }
        Language::Msl => {
            let options = msl_options(&module);
            let own = msl::PipelineOptions::default();
            let (text, _) = msl::write_string(&module, &info, &options, &own).map_err(|e| failed(&e))?;
            vec![(".metal".to_string(), text.into_bytes())]
        }
        Language::Hlsl => {
            let options = hlsl::Options { shader_model: hlsl::ShaderModel::V6_0, ..hlsl::Options::default() };
            let own = hlsl::PipelineOptions::default();
            let mut text = String::new();
            hlsl::Writer::new(&mut text, &options, &own).write(&module, &info, None).map_err(|e| failed(&e))?;
            vec![(".hlsl".to_string(), text.into_bytes())]
        }
        Language::Glsl => {
            let entries = module.entry_points.iter();
            entries.map(|e| glsl_entry(&module, &info, &e.name)).collect::<Result<Vec<File>, String>>()?
        }
    })
}

/// Reads WGSL and checks it: the message of the first fault, with the line.
pub fn validate(code: &str) -> Result<(Module, ModuleInfo), String> {
    let module = naga::front::wgsl::parse_str(code).map_err(|e| e.emit_to_string(code))?;
    let capabilities = Capabilities::FLOAT64 | Capabilities::SHADER_INT64;
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    let info = validator.validate(&module).map_err(|e| e.emit_to_string(code))?;
    Ok((module, info))
}

fn bindings(module: &Module) -> impl Iterator<Item = naga::ResourceBinding> {
    module.global_variables.iter().filter_map(|(_, global)| global.binding)
}

fn msl_options(module: &Module) -> msl::Options {
    let target = |binding: naga::ResourceBinding| {
        let target = msl::BindTarget { buffer: Some(binding.binding as u8), mutable: true, ..Default::default() };
        (binding, target)
    };
    let resources = msl::EntryPointResources {
        resources: bindings(module).map(target).collect(),
        sizes_buffer: Some(SIZES),
        ..Default::default()
    };
    let of_entry = |entry: &naga::EntryPoint| (entry.name.clone(), resources.clone());
    msl::Options {
        lang_version: (2, 4),
        per_entry_point_map: module.entry_points.iter().map(of_entry).collect(),
        fake_missing_bindings: false,
        ..msl::Options::default()
    }
}

fn glsl_entry(module: &Module, info: &ModuleInfo, name: &str) -> Result<File, String> {
    let options = glsl::Options {
        version: glsl::Version::Desktop(450),
        binding_map: bindings(module).map(|b| (b, b.binding as u8)).collect(),
        ..glsl::Options::default()
    };
    let own =
        glsl::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: name.to_string(), multiview: None };
    let mut text = String::new();
    let policies = naga::proc::BoundsCheckPolicies::default();
    let writer = glsl::Writer::new(&mut text, module, info, &options, &own, policies);
    writer.and_then(|mut writer| writer.write()).map_err(|e| e.to_string())?;
    Ok((format!("_{name}.comp"), text.into_bytes()))
}
