//! The arguments that say which model to use and how, common to several commands.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, ValueHint};
use nullcline::compiler::diagnostic::{Diagnostic, Diagnostics};
use nullcline::compiler::pass::vectorise::Vectorise;
use nullcline::compiler::scheme;
use nullcline::compiler::source::{FileId, Name, Span};
use nullcline::compiler::syntax::text::MappedText;
use nullcline::compiler::template::library::FileLibrary;
use nullcline::compiler::template::{Complex, Literal, parse_number};
use nullcline::runtime::artifact::DeviceError;
use nullcline::runtime::sim::Simulation;
use nullcline::{Auto, Compiled, ENGINES, Engine, Error, KINDS, Kind, Model, Place};

use super::fault::Fault;
use super::print;

/// A template file, and one of the templates in it.
#[derive(Args, Clone)]
pub struct Target {
    /// Template file, or name of a shipped template; `:TEMPLATE` chooses one of several templates in it
    #[arg(id = "file", value_name = "FILE[:TEMPLATE]", value_hint = ValueHint::FilePath)]
    target: String,
    /// Look for templates in this directory too (repeatable)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    template_path: Vec<PathBuf>,
}

impl Target {
    /// Reads the model.
    pub fn load(&self) -> Result<Model, Error> {
        let (file, template) = self.split();
        Model::load(&self.library(), file, template)
    }

    /// Where files come from.
    pub fn library(&self) -> FileLibrary {
        FileLibrary::with_template_path(self.template_path.clone())
    }

    /// File and template. A path may contain colons: the longest beginning that is a file is the path.
    pub fn split(&self) -> (&str, Option<&str>) {
        let text = &*self.target;
        if Path::new(text).is_file() {
            return (text, None);
        }
        let colons = || text.rmatch_indices(':').map(|(at, _)| at).filter(|at| *at > 0);
        let at = colons().find(|at| Path::new(&text[..*at]).is_file()).or_else(|| {
            // No such file here, so it may be a shipped template or one on the template path. What follows the colon is
            // a template unless it looks like the rest of a path.
            colons().next().filter(|at| !text[at + 1..].contains(['/', '\\', '.']))
        });
        match at {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        }
    }
}

/// Settings of a simulation; each replaces what the file's `simulate:` section says.
#[derive(Args, Clone)]
#[command(next_help_heading = "Simulation")]
pub struct Settings {
    /// Simulated time, in time units of the model
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = positive)]
    duration: Option<f64>,
    /// Step size
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = positive)]
    dt: Option<f64>,
    /// Integration scheme [default: euler]
    #[arg(long, value_name = "NAME", value_parser = schemes())]
    scheme: Option<String>,
    /// Time between recorded rows; a multiple of the step size [default: every step]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = positive)]
    sample_every: Option<f64>,
    /// Drop the rows before this time
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = not_negative)]
    cutoff: Option<f64>,
    /// Record the state at the end of the simulation too
    #[arg(long)]
    include_end: bool,
    /// Give a variable a value: a number, or a list with one number per unit, `[1,2,3]` (repeatable)
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    set: Vec<Assignment>,
    /// Drive a variable by a number, a .csv or .npy file, or an expression of `t` (repeatable)
    ///
    /// Replaces an input of the file onto the same variable; several onto the same variable add up. A file has one row
    /// per step, or a column `t` with times; its name is relative to the working directory.
    #[arg(long, value_name = "PATH=SPEC", value_parser = assignment)]
    input: Vec<Assignment>,
    /// Record a variable, under a name of its own or that of its path (repeatable)
    ///
    /// Replaces what the file records. Without any, every output of the model is recorded.
    #[arg(long, value_name = "[NAME=]PATH")]
    record: Vec<String>,
    /// Number format [default: f64]
    #[arg(long, value_name = "NAME", value_parser = ["f32", "f64"])]
    precision: Option<String>,
    /// Seed of all random numbers
    #[arg(long, value_name = "INTEGER")]
    seed: Option<u64>,
    /// Seed of drawn values and connections, in place of those of the circuits
    #[arg(long, value_name = "INTEGER")]
    structure_seed: Option<u64>,
    /// What delayed quantities were before time 0: their initial value, or zero [default: initial]
    #[arg(long, value_name = "NAME", value_parser = ["initial", "zero"])]
    history: Option<String>,
    /// When equal nodes become arrays
    #[arg(long, value_name = "WHEN", default_value = "auto", value_parser = ["auto", "always", "never"])]
    vectorise: String,
    /// What computes
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = engines())]
    engine: String,
    /// Threads that share the work; numbers do not depend on it [default: one per processor]
    #[arg(long, value_name = "COUNT", value_parser = threads)]
    threads: Option<NonZeroUsize>,
    /// Device to run on, and which of several: `cpu`, `cuda`, `wgpu:1` (see `nullcline devices`); `auto` is `cuda` where
    /// there is one [default: cpu]
    #[arg(long, value_name = "NAME[:N]", value_parser = device)]
    device: Option<Device>,
}

/// A device as typed.
#[derive(Clone)]
struct Device {
    kind: &'static Kind,
    engine: &'static Engine,
    index: usize,
    /// Why `auto` is not another one.
    passed_over: Vec<DeviceError>,
}

/// `NAME=TEXT`, as typed.
#[derive(Clone)]
struct Assignment {
    whole: String,
    equals: usize,
}

impl Settings {
    /// The chosen engine; without one, that of the chosen device.
    pub fn engine(&self) -> &'static Engine {
        let of_device = || self.device.as_ref().map_or_else(Engine::auto, |d| d.engine);
        Engine::lookup(&self.engine).unwrap_or_else(of_device)
    }

    /// Whether the engine is left to the length of the run.
    pub fn chooses_engine(&self) -> bool {
        self.engine == "auto" && self.engine().device == "cpu"
    }

    /// Compiles a model for the chosen engine.
    pub fn compile(&self, model: &Model) -> Result<Compiled, Error> {
        let compiled = model.compile(self.engine())?;
        Ok(if self.chooses_engine() { compiled.choose(self.threads) } else { compiled })
    }

    /// The option by which an engine, a device or threads were chosen, if any was given.
    pub fn executor(&self) -> Option<&'static str> {
        let given = [
            (self.engine != "auto", "--engine"),
            (self.device.is_some(), "--device"),
            (self.threads.is_some(), "--threads"),
        ];
        given.into_iter().find(|g| g.0).map(|g| g.1)
    }

    /// Whether the chosen engine runs on the chosen device.
    fn check_device(&self) -> Result<(), Fault> {
        let engine = self.engine();
        match &self.device {
            Some(device) if device.kind.name != engine.device => {
                let message = format!("the engine `{}` does not run on `{}`", engine.name, device.kind.name);
                let help = format!("leave out `--engine`, or use `--engine {}`", device.engine.name);
                Err(Fault::usage(format!("{}\n  help: {help}", print::labelled_error(message))))
            }
            _ => Ok(()),
        }
    }

    /// Says why `--device auto` does without devices that are there.
    pub fn print_notes(&self) {
        for (device, fault) in self.device.iter().flat_map(|d| d.passed_over.iter().map(move |fault| (d, fault))) {
            let number = if device.kind.name == "cpu" { String::new() } else { format!(":{}", device.index) };
            let chosen = format!("`--device auto` computes on `{}{number}`", device.kind.name);
            print::error(&print::labelled_warning(format!("{chosen}: {fault}")));
        }
    }

    /// Sets the number of threads of a simulation, if one was given.
    pub fn set_threads(&self, simulation: &mut Simulation) {
        if let Some(threads) = self.threads {
            simulation.set_threads(threads);
        }
    }

    /// The repeatable arguments as typed, with the option to each, and the rule of vectorisation.
    pub fn arguments(&self) -> [(&'static str, Vec<&str>); 4] {
        fn typed(all: &[Assignment]) -> Vec<&str> {
            all.iter().map(|a| &*a.whole).collect()
        }
        [
            ("set", typed(&self.set)),
            ("input", typed(&self.input)),
            ("record", self.record.iter().map(|r| &**r).collect()),
            ("vectorise", vec![&self.vectorise]),
        ]
    }

    /// Applies the settings to a model.
    pub fn apply(&self, model: &mut Model) -> Result<(), Fault> {
        self.check_device()?;
        model.device = self.device.as_ref().map_or(0, |d| d.index);
        let mut faults = Diagnostics::new();
        if let Some(seed) = self.structure_seed {
            model.reseed(seed)?;
        }
        let settings = &mut model.settings;
        settings.duration = self.duration.or(settings.duration);
        settings.dt = self.dt.or(settings.dt);
        settings.sample_every = self.sample_every.or(settings.sample_every);
        settings.cutoff = self.cutoff.or(settings.cutoff);
        settings.include_end = self.include_end.then_some(true).or(settings.include_end);
        settings.seed = self.seed.or(settings.seed);
        if let Some(scheme) = &self.scheme {
            model.settings.scheme = Some(model.name("--scheme", scheme));
        }
        if let Some(precision) = &self.precision {
            model.settings.precision = Some(model.name("--precision", precision));
        }
        if let Some(history) = &self.history {
            model.settings.history = Some(model.name("--history", history));
        }
        model.vectorise = match &*self.vectorise {
            "always" => Vectorise::Always,
            "never" => Vectorise::Never,
            _ => Vectorise::Auto,
        };
        for assignment in &self.set {
            faults.absorb(set(model, assignment));
        }
        self.replace_inputs(model, &mut faults);
        self.replace_records(model);
        if faults.has_errors() {
            return Err(Error::model(faults, &model.sources).into());
        }
        Ok(())
    }

    /// Inputs of the file onto variables that the command line drives are dropped.
    fn replace_inputs(&self, model: &mut Model, faults: &mut Diagnostics) {
        let mut added = Vec::new();
        for assignment in &self.input {
            let (path, (text, span)) = assignment.parts(model, "--input");
            let spec = MappedText::at(text, span);
            let Some(driven) = faults.absorb(model.circuit.find(&path)) else { continue };
            let circuit = &model.circuit;
            model.settings.inputs.retain(|(other, _)| {
                circuit.find(other).map_or(true, |found| !found.iter().all(|f| driven.contains(f)))
            });
            added.push((path, spec));
        }
        model.settings.inputs.extend(added);
    }

    fn replace_records(&self, model: &mut Model) {
        if self.record.is_empty() {
            return;
        }
        model.settings.record.clear();
        for text in &self.record {
            let file = model.sources.add("--record", text.as_str());
            let name = match text.split_once('=') {
                Some((name, path)) => (at(file, 0, name), at(file, name.len() + 1, path)),
                None => (at(file, 0, text), at(file, 0, text)),
            };
            model.settings.record.push(name);
        }
    }
}

impl Assignment {
    /// What stands before and behind the equals sign, as parts of a source called `origin`.
    fn parts(&self, model: &mut Model, origin: &str) -> (Name, (&str, Span)) {
        let file = model.sources.add(origin, self.whole.as_str());
        let value = &self.whole[self.equals + 1..];
        (at(file, 0, &self.whole[..self.equals]), (value, Span::new(file, self.equals + 1, self.whole.len())))
    }
}

fn at(file: FileId, start: usize, text: &str) -> Name {
    Name::new(text, Span::new(file, start, start + text.len()))
}

fn set(model: &mut Model, assignment: &Assignment) -> Result<(), Diagnostics> {
    let (path, (text, span)) = assignment.parts(model, "--set");
    let value = literal(text, span)?;
    model.circuit.set(&path, &value)
}

/// A number, or a list of numbers in brackets.
fn literal(text: &str, span: Span) -> Result<Literal, Diagnostics> {
    let inner = text.trim().strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let Some(inner) = inner else {
        return parse_number(text).map(Literal::Number).ok_or_else(|| not_a_value(text, span));
    };
    let numbers: Option<Vec<Complex>> = inner.split(',').map(parse_number).collect();
    numbers.map(Literal::List).ok_or_else(|| not_a_value(text, span))
}

fn not_a_value(text: &str, span: Span) -> Diagnostics {
    let message = format!("`{text}` is not a value");
    Diagnostic::error("not-a-value", span, message, "expected a number or a list of numbers")
        .with_help("write `--set p=120` or `--set p=[120,130]`; `--input p=..` takes files and expressions of `t`")
        .into()
}

fn assignment(text: &str) -> Result<Assignment, String> {
    match text.find('=') {
        Some(equals) if equals > 0 && equals + 1 < text.len() => Ok(Assignment { whole: text.to_string(), equals }),
        _ => Err("expected `PATH=VALUE`, for instance `p=120`".to_string()),
    }
}

fn number(text: &str) -> Result<f64, String> {
    let number = f64::from_str(text).map_err(|_| "expected a number, for instance `1e-3`".to_string())?;
    if number.is_finite() { Ok(number) } else { Err("expected a finite number".to_string()) }
}

fn positive(text: &str) -> Result<f64, String> {
    number(text).and_then(|x| if x > 0.0 { Ok(x) } else { Err("expected a number above 0".to_string()) })
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text).and_then(|x| if x >= 0.0 { Ok(x) } else { Err("expected a number that is not negative".to_string()) })
}

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number above 0".to_string())
}

/// `NAME` or `NAME:N`
fn device(text: &str) -> Result<Device, String> {
    if text == "auto" {
        let Auto { place: Place { kind, index }, passed_over } = Place::auto();
        let kind = Kind::lookup(kind).expect("`auto` is one of the kinds");
        let engine = kind.engine().expect("a kind that has devices has an engine");
        return Ok(Device { kind, engine, index, passed_over });
    }
    let (name, index) = text.split_once(':').unwrap_or((text, "0"));
    let known = || KINDS.iter().map(|k| format!("`{}`", k.name)).collect::<Vec<_>>().join(", ");
    let kind =
        Kind::lookup(name).ok_or_else(|| format!("expected one of {}, or one of them with a number", known()))?;
    let engine = kind.engine().ok_or_else(|| format!("this program was built without it: {}", kind.help))?;
    let index = index.parse().map_err(|_| format!("expected a number behind `{name}:`, for instance `{name}:0`"))?;
    if name == "cpu" && index > 0 {
        return Err("there is one `cpu`".to_string());
    }
    Ok(Device { kind, engine, index, passed_over: Vec::new() })
}

fn schemes() -> PossibleValuesParser {
    scheme::TABLE.iter().map(|s| PossibleValue::new(s.name).help(s.doc)).collect::<Vec<_>>().into()
}

fn engines() -> PossibleValuesParser {
    let auto = PossibleValue::new("auto")
        .help("the one that takes the least time for the run, by an estimate that is printed");
    let engines = ENGINES.iter().map(|e| PossibleValue::new(e.name).help(e.doc));
    std::iter::once(auto).chain(engines).collect::<Vec<_>>().into()
}
