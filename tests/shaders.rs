//! Models as code for other hosts: every model in every language, read by others, with what its manifest says of it.
#![allow(clippy::unwrap_used)]

#[path = "support/models.rs"]
mod models;

use naga::ShaderStage;
use naga::valid::{Capabilities, GlobalUse, ValidationFlags, Validator};
use nullcline::Model;
use serde_json::Value;

use models::{models, small_networks};

/// The binding of the block of uniforms.
const UNIFORMS: u32 = 0;

/// A model in a language.
struct Written {
    files: Vec<(String, Vec<u8>)>,
    entries: Vec<Entry>,
}

/// An entry as the manifest has it.
struct Entry {
    name: String,
    group: u32,
    /// Its bindings, each with whether it is written.
    slots: Vec<(u32, bool)>,
}

fn write(model: &Model, language: &str) -> Written {
    let mut files = model.shader(language).unwrap_or_else(|e| panic!("{language}: {e}"));
    let at = files.iter().position(|file| file.0.ends_with(".json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&files.remove(at).1).unwrap();
    let number = |value: &Value| value.as_u64().unwrap() as u32;
    let slot = |binding: &Value| {
        let written = binding.get("access").is_some_and(|a| a == "write") || binding.get("marks").is_some();
        (number(&binding["slot"]), written)
    };
    let entry = |entry: &Value| Entry {
        name: entry["name"].as_str().unwrap().to_string(),
        group: number(&entry["group"]),
        slots: entry["bindings"].as_array().unwrap().iter().map(slot).collect(),
    };
    let entries = manifest["entries"].as_array().unwrap().iter().map(entry).collect();
    files.retain(|file| !file.0.ends_with(".bin"));
    Written { files, entries }
}

fn in_precision(mut model: Model, precision: &str) -> Model {
    model.settings.precision = Some(model.name("precision", precision));
    model
}

/// The reader of browsers and of `wgpu` takes the code of every model, and finds in it what the manifest says: entries, sizes of
/// workgroups, and for each entry its bindings, of which none is written but those that are called so.
#[test]
fn wgsl_of_every_model_is_valid_and_as_its_manifest_says() {
    let mut entries = 0;
    for (name, model) in models().chain(small_networks()) {
        for precision in ["f32", "f64"] {
            let written = write(&in_precision(model.clone(), precision), "wgsl");
            let code = std::str::from_utf8(&written.files[0].1).unwrap();
            let module =
                naga::front::wgsl::parse_str(code).unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(code)));
            let capabilities = match precision {
                "f64" => Capabilities::FLOAT64 | Capabilities::SHADER_INT64,
                _ => Capabilities::empty(),
            };
            let mut validator = Validator::new(ValidationFlags::all(), capabilities);
            let info = validator.validate(&module).unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(code)));
            assert_eq!(module.entry_points.len(), written.entries.len(), "{name}");
            for entry in &written.entries {
                let at = module.entry_points.iter().position(|point| point.name == entry.name);
                let at = at.unwrap_or_else(|| panic!("{name}: no entry `{}`", entry.name));
                let point = &module.entry_points[at];
                assert_eq!((point.stage, point.workgroup_size), (ShaderStage::Compute, [entry.group, 1, 1]), "{name}");
                for (handle, global) in module.global_variables.iter() {
                    let (uses, Some(binding)) = (info.get_entry_point(at)[handle], &global.binding) else { continue };
                    if uses.is_empty() || (binding.group, binding.binding) == (0, UNIFORMS) {
                        continue;
                    }
                    let slot = entry.slots.iter().find(|slot| (0, slot.0) == (binding.group, binding.binding));
                    let (_, written) = slot.unwrap_or_else(|| panic!("{name}, {}: {binding:?} is used", entry.name));
                    let read_only = !uses.intersects(GlobalUse::WRITE | GlobalUse::ATOMIC);
                    assert!(*written || read_only, "{name}, {}: {binding:?} is written", entry.name);
                }
                entries += 1;
            }
        }
    }
    assert!(entries > 1000, "{entries} entries");
}

#[cfg(not(feature = "wgpu"))]
#[test]
fn other_languages_are_refused_with_the_way_to_get_them() {
    let (_, model) = models().next().unwrap();
    for language in nullcline::SHADERS.iter().filter(|language| **language != "wgsl") {
        let said = model.shader(language).unwrap_err().to_string();
        assert!(said.contains(language) && said.contains("--features wgpu"), "{said}");
    }
}

#[cfg(feature = "wgpu")]
mod translated {
    use std::collections::BTreeSet;

    use super::*;

    impl Entry {
        /// The numbers of all bindings there may be in the code.
        fn all(&self) -> BTreeSet<u32> {
            self.slots.iter().map(|slot| slot.0).chain([UNIFORMS]).collect()
        }
    }

    /// The numbers between `before` and the next `after`, wherever they stand.
    fn numbers(text: &str, before: &str, after: char) -> BTreeSet<u32> {
        let pieces = text.split(before).skip(1);
        pieces.filter_map(|piece| piece.split(after).next().and_then(|number| number.parse().ok())).collect()
    }

    /// The entries of SPIR-V with the sizes of their workgroups, and the bindings of all of them. Khronos, "SPIR-V
    /// Specification", section 2.3: a word of its length and opcode begins each instruction; `OpEntryPoint` is 15,
    /// `OpExecutionMode` 16 (mode `LocalSize` 17), `OpDecorate` 71 (`Binding` 33, `DescriptorSet` 34).
    fn read_spirv(bytes: &[u8]) -> (Vec<(String, [u32; 3])>, BTreeSet<u32>) {
        let words: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let (mut names, mut sizes, mut bindings, mut at) = (Vec::new(), Vec::new(), BTreeSet::new(), 5);
        while at < words.len() {
            let (length, opcode) = ((words[at] >> 16) as usize, words[at] & 0xffff);
            let operands = &words[at + 1..at + length];
            match (opcode, operands) {
                (15, [_, id, name @ ..]) => {
                    let bytes = name.iter().flat_map(|word| word.to_le_bytes()).take_while(|byte| *byte != 0);
                    names.push((*id, String::from_utf8(bytes.collect()).unwrap()));
                }
                (16, [id, 17, x, y, z]) => sizes.push((*id, [*x, *y, *z])),
                (71, [_, 33, binding]) => _ = bindings.insert(*binding),
                (71, [_, 34, set]) => assert_eq!(*set, 0),
                _ => {}
            }
            at += length;
        }
        let size = |id: u32| sizes.iter().find(|size| size.0 == id).unwrap().1;
        (names.into_iter().map(|(id, name)| (name, size(id))).collect(), bindings)
    }

    #[test]
    fn every_model_has_the_entries_and_bindings_of_its_manifest_in_every_language() {
        let mut entries = 0;
        for (name, model) in models().chain(small_networks()) {
            let model = in_precision(model, "f32");
            let spirv = write(&model, "spirv");
            let (found, bindings) = read_spirv(&spirv.files[0].1);
            let expected: Vec<_> = spirv.entries.iter().map(|e| (e.name.clone(), [e.group, 1, 1])).collect();
            assert_eq!(found, expected, "{name}");
            let all: BTreeSet<u32> = spirv.entries.iter().flat_map(Entry::all).collect();
            assert!(bindings.is_superset(&all), "{name}: {bindings:?}, {all:?}");

            let msl = write(&model, "msl");
            let text = std::str::from_utf8(&msl.files[0].1).unwrap();
            for entry in &msl.entries {
                let head = text.split(&format!("kernel void {}(", entry.name)).nth(1);
                let head = head.and_then(|rest| rest.split(") {").next());
                let head = head.unwrap_or_else(|| panic!("{name}: MSL has no `{}`", entry.name));
                let buffers = numbers(head, "[[buffer(", ')');
                let sizes = nullcline::compiler::backend::shader::SIZES;
                let allowed: BTreeSet<u32> = entry.all().into_iter().chain([sizes.into()]).collect();
                let written = entry.slots.iter().filter(|slot| slot.1).map(|slot| slot.0).collect();
                assert!(buffers.is_subset(&allowed) && buffers.is_superset(&written), "{name}: {buffers:?}");
                entries += 1;
            }

            let hlsl = write(&model, "hlsl");
            let text = std::str::from_utf8(&hlsl.files[0].1).unwrap();
            for entry in &hlsl.entries {
                let head = format!("[numthreads({}, 1, 1)]\nvoid {}(", entry.group, entry.name);
                assert!(text.contains(&head), "{name}: HLSL has no `{head}`");
                let registers = [numbers(text, "register(u", ')'), numbers(text, "register(t", ')')];
                for (slot, written) in &entry.slots {
                    assert!(registers.iter().any(|r| r.contains(slot)), "{name}: HLSL has no register {slot}");
                    assert!(!written || registers[0].contains(slot), "{name}: HLSL does not write register {slot}");
                }
            }
            assert!(text.contains("register(b0)"), "{name}");

            let glsl = write(&model, "glsl");
            assert_eq!(glsl.files.len(), glsl.entries.len(), "{name}");
            for ((file, text), entry) in glsl.files.iter().zip(&glsl.entries) {
                let text = std::str::from_utf8(text).unwrap();
                assert!(file.ends_with(&format!("_{}.comp", entry.name)) && text.contains("void main()"), "{file}");
                assert!(text.contains(&format!("local_size_x = {},", entry.group)), "{file}");
                let bindings = numbers(text, "binding = ", ')');
                assert!(bindings.is_subset(&entry.all()), "{file}: {bindings:?}");
            }
        }
        assert!(entries > 400, "{entries} entries");
    }
}
