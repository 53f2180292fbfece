//! `nullcline compile`: prints a model in one of the compiler's forms.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use nullcline::compiler::diagnostic::Diagnostics;
use nullcline::compiler::source::{FileId, SourceMap};
use nullcline::compiler::syntax::{print as syntax, yaml};
use nullcline::runtime::io::{AtomicFile, Fault as FileFault};
use nullcline::{EmbedOptions, Error, Model, PtxOptions};
use std::io::Write;

use super::explain;
use super::fault::{DONE, Fault};
use super::model::{Settings, Target};
use super::print;

/// Print a model in one of the compiler's forms, or write it as code
#[derive(Args)]
#[command(after_help = "Examples:\n  nullcline compile jansen_rit --emit ir\n  \
        nullcline compile model.yaml --scheme rk4 --emit kernel -o model.kernel\n  \
        nullcline compile model.yaml --target rust --standalone -o model\n  \
        nullcline compile model.yaml --target wgsl --precision f32 -o model")]
pub struct Compile {
    #[command(flatten)]
    model: Target,
    /// What to print
    #[arg(long, value_enum, default_value_t = Form::Ir)]
    emit: Form,
    /// Print how the connections are executed, and why, instead
    #[arg(long, conflicts_with_all = ["emit", "language"])]
    explain: bool,
    /// Write code in this language, with a manifest, into the directory `--output`
    #[arg(long = "target", value_enum, value_name = "LANGUAGE", conflicts_with = "emit", requires = "output")]
    language: Option<Language>,
    /// With `--target rust`: a crate that depends on nothing, with a program that prints what a run records
    #[arg(long, requires = "language")]
    standalone: bool,
    /// With `--target rust`: code that does without the standard library
    #[arg(long, requires = "language")]
    no_std: bool,
    /// With `--target ptx`: the oldest processor that must run the code, as in sm_60
    /// [default: 60]
    #[arg(long, requires = "language", value_name = "NUMBER", value_parser = processor)]
    sm: Option<u32>,
    /// With `--target ptx`: instructions that approximate, in single precision
    #[arg(long, requires = "language")]
    fast_math: bool,
    /// Write to this file (with `--target`, into this directory) instead of standard output
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// The file as it was read
    Ast,
    /// The circuit: every node and edge, paths resolved, values filled in
    Model,
    /// The system of equations
    Ir,
    /// The kernels of one step
    Kernel,
}

/// Languages that a model can be written in.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// A module that depends on `nullcline-runtime`, or on nothing
    Rust,
    /// Assembly language of NVIDIA's driver
    Ptx,
    /// WebGPU
    Wgsl,
    /// Vulkan
    Spirv,
    /// Metal
    Msl,
    /// Direct3D 12
    Hlsl,
    /// OpenGL and Vulkan
    Glsl,
}

/// A processor by the number of its instruction set.
fn processor(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("sm_").unwrap_or(text);
    let known = digits.parse().ok().filter(|sm| PtxOptions::processors().any(|known| known == *sm));
    let list = || PtxOptions::processors().map(|sm| sm.to_string()).collect::<Vec<_>>().join(", ");
    known.ok_or_else(|| format!("expected one of {}", list()))
}

impl Compile {
    /// Runs the command.
    pub fn run(self) -> Result<u8, Fault> {
        if let (Some(language), Some(directory)) = (self.language, &self.output) {
            return self.code(language, directory);
        }
        let text = match self.emit {
            _ if self.explain => {
                explain::table(&self.compiled(&self.model()?)?.load()?.simulation.executable().explain())
            }
            Form::Ast => self.document()?,
            Form::Model => self.model()?.circuit.to_string(),
            Form::Ir => self.compiled(&self.model()?)?.system.to_string(),
            Form::Kernel => self.compiled(&self.model()?)?.module.to_string(),
        };
        match &self.output {
            None => print::out(&text),
            Some(path) => {
                let mut file = AtomicFile::create(path)?;
                file.write_all(text.as_bytes()).map_err(|error| FileFault::write_os(path, &error))?;
                file.finish()?;
            }
        }
        Ok(DONE)
    }

    /// Refuses options that mean nothing to a language.
    fn check_options(&self, language: Language) -> Result<(), Fault> {
        let of = |given: bool, option: &'static str, wanted: Language| (given && language != wanted).then_some(option);
        let foreign = [
            (of(self.standalone, "--standalone", Language::Rust), "--target rust"),
            (of(self.no_std, "--no-std", Language::Rust), "--target rust"),
            (of(self.sm.is_some(), "--sm", Language::Ptx), "--target ptx"),
            (of(self.fast_math, "--fast-math", Language::Ptx), "--target ptx"),
        ];
        let name = language.to_possible_value().map(|v| v.get_name().to_string()).unwrap_or_default();
        if let Some((Some(option), wanted)) = foreign.iter().find(|(option, _)| option.is_some()) {
            let message = format!("`{option}` means nothing to `--target {name}`");
            let help = format!("leave it out, or use `{wanted}`");
            return Err(Fault::usage(format!("{}\n  help: {help}", print::labelled_error(message))));
        }
        if let Some(option) = self.settings.executor() {
            let message = format!("`{option}` says how nullcline runs a model, not how `--target {name}` writes it");
            return Err(Fault::usage(format!("{}\n  help: leave it out", print::labelled_error(message))));
        }
        Ok(())
    }

    /// Writes the model as code of a language into a directory.
    fn code(&self, language: Language, directory: &Path) -> Result<u8, Fault> {
        self.check_options(language)?;
        let shader = match language {
            Language::Rust => return self.rust(directory),
            Language::Ptx => return self.ptx(directory),
            // Names among [`SHADERS`](nullcline::SHADERS).
            Language::Wgsl => "wgsl",
            Language::Spirv => "spirv",
            Language::Msl => "msl",
            Language::Hlsl => "hlsl",
            Language::Glsl => "glsl",
        };
        write_all(directory, &self.timeless()?.shader(shader)?)
    }

    /// Writes the model as PTX into a directory.
    fn ptx(&self, directory: &Path) -> Result<u8, Fault> {
        let sm = self.sm.unwrap_or(PtxOptions::default().sm);
        write_all(directory, &self.timeless()?.ptx(PtxOptions { sm, fast: self.fast_math })?)
    }

    /// The model for code that anyone may run for as long as they like: its own duration changes nothing.
    fn timeless(&self) -> Result<Model, Fault> {
        let mut model = self.model()?;
        model.settings.duration = model.settings.duration.or(model.settings.dt);
        Ok(model)
    }

    /// Writes the model as Rust source into a directory.
    fn rust(&self, directory: &Path) -> Result<u8, Fault> {
        let mut model = self.model()?;
        if !self.standalone {
            // How long it would run changes nothing.
            model.settings.duration = model.settings.duration.or(model.settings.dt);
        }
        let made = model.embed(EmbedOptions { standalone: self.standalone, no_std: self.no_std })?;
        let name = &made.name;
        let sources = if self.standalone { directory.join("src") } else { directory.to_path_buf() };
        fs::create_dir_all(&sources).map_err(|error| FileFault::write_os(&sources, &error))?;
        if self.standalone {
            write(&directory.join("Cargo.toml"), made.cargo_toml().as_bytes())?;
            write(&sources.join("lib.rs"), made.source.as_bytes())?;
            write(&sources.join("main.rs"), made.program(&format!("{name}::Model")).as_bytes())?;
        } else {
            write(&sources.join(format!("{name}.rs")), made.source.as_bytes())?;
        }
        for (file, contents) in &made.files {
            write(&sources.join(file), contents)?;
        }
        write(&directory.join(format!("{name}.json")), made.manifest.json.as_bytes())?;
        if !made.manifest.data.is_empty() {
            write(&directory.join(format!("{name}.bin")), &made.manifest.data)?;
        }
        Ok(DONE)
    }

    /// The YAML tree of the file; whether its templates are sound does not matter.
    fn document(&self) -> Result<String, Fault> {
        let mut sources = SourceMap::new();
        let (file, _) = self.model.split();
        let loaded = nullcline::compiler::template::load_all(&mut sources, &self.model.library(), file);
        let first = FileId(0);
        let failed = |d: Diagnostics| Fault::from(Error::model(d, &sources));
        if sources.file(first).is_none() {
            return Err(failed(loaded.diagnostics));
        }
        Ok(syntax::document(&yaml::parse(&sources, first).map_err(failed)?))
    }

    fn model(&self) -> Result<Model, Fault> {
        let mut model = self.model.load()?;
        self.settings.apply(&mut model)?;
        self.settings.print_notes();
        Ok(model)
    }

    fn compiled(&self, model: &Model) -> Result<nullcline::Compiled, Fault> {
        let mut model = model.clone();
        // How long it would run changes nothing.
        model.settings.duration = model.settings.duration.or(model.settings.dt);
        Ok(model.compile(self.settings.engine())?)
    }
}

/// Writes files into a directory, which is made if it is not there.
fn write_all(directory: &Path, files: &[(String, Vec<u8>)]) -> Result<u8, Fault> {
    fs::create_dir_all(directory).map_err(|error| FileFault::write_os(directory, &error))?;
    for (name, contents) in files {
        write(&directory.join(name), contents)?;
    }
    Ok(DONE)
}

fn write(path: &Path, contents: &[u8]) -> Result<(), Fault> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(contents).map_err(|error| FileFault::write_os(path, &error))?;
    Ok(file.finish().map(drop)?)
}
