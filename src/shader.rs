//! Models as code for graphics processors, with a manifest that says how to launch it.

use nullcline_compiler::backend::manifest;
#[cfg(feature = "wgpu")]
use nullcline_compiler::backend::shader::{Language, translate};
use nullcline_compiler::backend::wgsl::{WGSL, wgsl};
use nullcline_runtime::artifact::DeviceError;
use nullcline_runtime::code::Limits;

use crate::engine::Engine;
use crate::error::Error;
use crate::model::Model;

/// Code for other hosts, so this engine compiles but loads nothing.
static WRITTEN: Engine = Engine {
    name: "wgsl",
    target: &WGSL,
    device: "wgpu",
    load: |_, _| Err(DeviceError("code that is written for other hosts is not loaded".to_string())),
    doc: "",
};

/// Languages that models can be written in for graphics processors; all but the first need the feature `wgpu`.
pub static SHADERS: &[&str] = &["wgsl", "spirv", "msl", "hlsl", "glsl"];

impl Model {
    /// The model with its settings in one of [`SHADERS`]: files with their contents, a manifest among them (see
    /// [`manifest`]). Their names begin with that of the circuit.
    ///
    /// Fails when the model does not compile, for a language that is not known or not in this build, and where the
    /// language lacks double precision.
    pub fn shader(&self, language: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let compiled = self.compile(&WRITTEN)?;
        let name = file_name(&self.circuit.name);
        let mut artifact = wgsl(&compiled.module, &Limits::PORTABLE);
        let mut files: Vec<(String, Vec<u8>)> = match language {
            "wgsl" => vec![(format!("{name}.wgsl"), artifact.code.clone().into_bytes())],
            other => {
                let made = translated(&artifact.code, other)?;
                made.into_iter().map(|(end, contents)| (format!("{name}{end}"), contents)).collect()
            }
        };
        artifact.target = language.to_string();
        let about = compiled.about(self, &files[0].0, &format!("{name}.bin"));
        let made = manifest::manifest(&artifact, &about);
        files.push((format!("{name}.json"), made.json.into_bytes()));
        if !made.data.is_empty() {
            files.push((format!("{name}.bin"), made.data));
        }
        Ok(files)
    }
}

#[cfg(feature = "wgpu")]
fn translated(code: &str, language: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let chosen = match language {
        "spirv" => Language::Spirv,
        "msl" => Language::Msl,
        "hlsl" => Language::Hlsl,
        "glsl" => Language::Glsl,
        _ => return Err(unknown(language)),
    };
    let failed = |message: String| {
        Error::from(DeviceError(format!(
            "`{language}` cannot express the model: {message}\n  help: try `--precision f32`"
        )))
    };
    translate(code, chosen).map_err(failed)
}

#[cfg(not(feature = "wgpu"))]
fn translated(_: &str, language: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
    if !SHADERS.contains(&language) {
        return Err(unknown(language));
    }
    let help = "install with `cargo install --path . --features wgpu`, or write `wgsl`";
    Err(DeviceError(format!("this program was built without translation to `{language}`\n  help: {help}")).into())
}

fn unknown(language: &str) -> Error {
    DeviceError(format!("`{language}` is none of {}", SHADERS.join(", "))).into()
}

/// Letters, digits and underscores.
fn file_name(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if plain.is_empty() { "model".to_string() } else { plain }
}
