//! `nullcline compile`: prints a model in one of the compiler's forms.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use nullcline::compiler::diagnostic::Diagnostics;
use nullcline::compiler::source::{FileId, SourceMap};
use nullcline::compiler::syntax::{print as syntax, yaml};
use nullcline::runtime::io::{AtomicFile, Fault as FileFault};
use nullcline::{Error, Model};
use std::io::Write;

use super::explain;
use super::fault::{DONE, Fault};
use super::model::{Settings, Target};
use super::print;

/// Print a model in one of the compiler's forms
#[derive(Args)]
#[command(after_help = "Examples:\n  nullcline compile jansen_rit --emit ir\n  \
        nullcline compile model.yaml --scheme rk4 --emit kernel -o model.kernel")]
pub struct Compile {
    #[command(flatten)]
    target: Target,
    /// What to print
    #[arg(long, value_enum, default_value_t = Form::Ir)]
    emit: Form,
    /// Print how the connections are executed, and why, instead
    #[arg(long, conflicts_with = "emit")]
    explain: bool,
    /// Write to this file instead of standard output
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

impl Compile {
    /// Runs the command.
    pub fn run(self) -> Result<u8, Fault> {
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

    /// The YAML tree of the file; whether its templates are sound does not matter.
    fn document(&self) -> Result<String, Fault> {
        let mut sources = SourceMap::new();
        let (file, _) = self.target.split();
        let loaded = nullcline::compiler::template::load_all(&mut sources, &self.target.library(), file);
        let first = FileId(0);
        let failed = |d: Diagnostics| Fault::from(Error::model(d, &sources));
        if sources.file(first).is_none() {
            return Err(failed(loaded.diagnostics));
        }
        Ok(syntax::document(&yaml::parse(&sources, first).map_err(failed)?))
    }

    fn model(&self) -> Result<Model, Fault> {
        let mut model = self.target.load()?;
        self.settings.apply(&mut model)?;
        Ok(model)
    }

    fn compiled(&self, model: &Model) -> Result<nullcline::Compiled, Fault> {
        let mut model = model.clone();
        // How long it would run changes nothing.
        model.settings.duration = model.settings.duration.or(model.settings.dt);
        Ok(model.compile(self.settings.engine())?)
    }
}
