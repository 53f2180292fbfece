//! Models as PTX, with a manifest that says how to launch it.

use nullcline_compiler::backend::manifest;
use nullcline_compiler::backend::ptx::{self, PTX, PTX_FAST, PTX_FASTER};
use nullcline_compiler::kernel::target::Target;
use nullcline_runtime::artifact::DeviceError;

use crate::engine::Engine;
use crate::error::Error;
use crate::model::Model;

/// Text is compiled by a driver, so these engines compile but load nothing.
static TEXTS: [Engine; 3] = [text(&PTX), text(&PTX_FAST), text(&PTX_FASTER)];

const fn text(target: &'static Target) -> Engine {
    let load = |_, _| Err(DeviceError("PTX as text is loaded by a host of its own".to_string()));
    Engine { name: "ptx", target, device: "cuda", load, doc: "" }
}

/// Most lines of the model in the comment above the code.
const ABOUT: usize = 400;

/// What PTX is written for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PtxOptions {
    /// The oldest processor that must run it: 60 for `sm_60`.
    pub sm: u32,
    /// Whether single precision uses instructions that approximate.
    pub fast: bool,
}

impl PtxOptions {
    /// The processors there are, oldest first.
    pub fn processors() -> impl Iterator<Item = u32> {
        ptx::PROCESSORS.iter().map(|p| p.0)
    }
}

impl Default for PtxOptions {
    fn default() -> PtxOptions {
        PtxOptions { sm: ptx::PROCESSORS[0].0, fast: false }
    }
}

impl Model {
    /// The model with its settings as files, by name: `model.ptx`, `manifest.json` and, where lists are long, `model.bin`
    /// (see [`manifest`]).
    pub fn ptx(&self, options: PtxOptions) -> Result<Vec<(String, Vec<u8>)>, Error> {
        if !PtxOptions::processors().any(|sm| sm == options.sm) {
            let known: Vec<String> = PtxOptions::processors().map(|sm| sm.to_string()).collect();
            return Err(DeviceError(format!("there is no sm_{}; known are {}", options.sm, known.join(", "))).into());
        }
        let described = self.circuit.to_string();
        let mut about: Vec<String> = described.lines().take(ABOUT).map(str::to_string).collect();
        let more = described.lines().count().saturating_sub(ABOUT);
        if more > 0 {
            about.push(format!("  and {more} lines more"));
        }
        let written = ptx::Options { sm: options.sm, fast: options.fast, blas: false, about };
        let engine = TEXTS.iter().find(|e| std::ptr::eq(e.target, written.target()));
        let compiled = self.compile_marked(engine.expect("every target has a row"), true)?;
        let artifact = ptx::artifact(&compiled.module, &written);
        let about = compiled.about(self, "model.ptx", "model.bin");
        let manifest = manifest::manifest(&artifact, &about);
        let mut files = vec![
            ("model.ptx".to_string(), artifact.code.into_bytes()),
            ("manifest.json".to_string(), manifest.json.into_bytes()),
        ];
        if !manifest.data.is_empty() {
            files.push(("model.bin".to_string(), manifest.data));
        }
        Ok(files)
    }
}
