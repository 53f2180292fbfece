//! A model: its texts, its circuit and its settings.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;

use nullcline_compiler::backend::notes::marks;
use nullcline_compiler::backend::program::PROGRAM;
use nullcline_compiler::diagnostic::{Diagnostic, Diagnostics, settings as fault};
use nullcline_compiler::embed::settings as chosen;
use nullcline_compiler::ir::lower::functions::KnownFunctions;
use nullcline_compiler::ir::lower::{Options, lower};
use nullcline_compiler::ir::system::System;
use nullcline_compiler::kernel::ir::Module;
use nullcline_compiler::model::Circuit;
use nullcline_compiler::model::check::check;
use nullcline_compiler::model::instantiate;
use nullcline_compiler::pass;
use nullcline_compiler::pass::record::{Columns, Sampling, recorded};
use nullcline_compiler::pass::vectorise::Vectorise;
use nullcline_compiler::scheme::Scheme;
use nullcline_compiler::source::{Name, SourceMap, Span};
use nullcline_compiler::syntax::text::MappedText;
use nullcline_compiler::template::library::{Library, directory_of};
use nullcline_compiler::template::load;
use nullcline_compiler::template::simulate::Simulate;
use nullcline_compiler::template::{CircuitTemplate, Literal, to_yaml_with};
use nullcline_runtime::io::Series;
use nullcline_runtime::observe::Label;
use nullcline_runtime::sim::{Clock, Column, PreHistory, Schedule, Simulation};

use crate::cost::{Choice, choose};
use crate::engine::Engine;
use crate::error::Error;
use crate::input::Inputs;
use crate::lowered::Lowered;

/// A model that has been read and checked, with the settings to run it by.
#[derive(Clone, Debug)]
pub struct Model {
    /// The texts it was read from, and those of settings made since.
    pub sources: SourceMap,
    /// The instantiated circuit.
    pub circuit: Circuit,
    /// Settings: those of the file's `simulate:` section until they are changed.
    pub settings: Simulate,
    /// What is odd about the model but does not keep it from running.
    pub warnings: Diagnostics,
    /// When equal nodes become arrays.
    pub vectorise: Vectorise,
    /// Which device it is loaded on, among those of the engine's kind (see [`KINDS`](crate::KINDS)).
    pub device: usize,
    directory: PathBuf,
    template: Arc<CircuitTemplate>,
    /// Whether edges were changed since the template was read.
    edges_changed: bool,
    /// The step a run begins at.
    first_step: u64,
    samples: Vec<(Name, Series)>,
    streams: Vec<Name>,
}

/// A model lowered and compiled, before it is loaded.
pub struct Compiled {
    /// The system of equations.
    pub system: System,
    /// The kernels.
    pub module: Module,
    /// What is recorded.
    pub columns: Vec<Column>,
    /// The recorded events.
    pub events: Vec<Label>,
    /// When it ends and what becomes a row.
    pub schedule: Schedule,
    /// The step size.
    pub dt: f64,
    /// The integration scheme.
    pub scheme: &'static Scheme,
    /// What holds before time 0 for delayed quantities.
    pub pre_history: PreHistory,
    /// The seed of its random numbers.
    pub seed: u64,
    /// The engine it was compiled for.
    pub engine: &'static Engine,
    /// Which device it is loaded on, among those of the engine's kind.
    pub device: usize,
    /// Why this engine, if it was chosen for the run.
    pub choice: Option<Choice>,
    pub(crate) inputs: Vec<std::sync::Arc<nullcline_runtime::artifact::Samples>>,
    /// For each streamed path its series and number of columns.
    pub(crate) streams: HashMap<String, (usize, usize)>,
}

/// A loaded simulation with the schedule its settings ask for.
pub struct Prepared {
    /// The simulation, at time 0.
    pub simulation: Simulation,
    /// When it ends and what becomes a row.
    pub schedule: Schedule,
    /// The integration scheme.
    pub scheme: &'static Scheme,
    /// Number of state variables, counting every element.
    pub states: usize,
    /// Why it runs on its engine, if that was chosen for the run.
    pub choice: Option<Choice>,
}

impl Compiled {
    /// Replaces an engine of the processor by the one that takes the least time for the run that the settings ask for,
    /// loading included, with so many threads, or one per processor. They share a target, and give the same numbers.
    pub fn choose(mut self, threads: Option<NonZeroUsize>) -> Compiled {
        if std::ptr::eq(self.engine.target, &PROGRAM) {
            let threads = threads.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get);
            let choice = choose(&self.module, &self.schedule, self.columns.len(), threads);
            self.engine = choice.engine();
            self.choice = Some(choice);
        }
        self
    }

    /// Loads the kernels on their engine.
    pub fn load(self) -> Result<Prepared, Error> {
        let states = self.system.state_count();
        let layout = self.module.layout();
        let executable = (self.engine.load)(self.module, self.device)?;
        let simulation = Simulation::new(executable, layout, self.dt, self.columns)
            .with_events(self.events)
            .with_series(self.inputs)
            .with_seed(self.seed)
            .with_pre_history(self.pre_history);
        Ok(Prepared { simulation, schedule: self.schedule, scheme: self.scheme, states, choice: self.choice })
    }
}

impl Model {
    /// Reads a model: the file at `path`, and in it the template of that name or the only one that can run.
    pub fn load(library: &dyn Library, path: &str, template: Option<&str>) -> Result<Model, Error> {
        let mut sources = SourceMap::new();
        let loaded = load(&mut sources, library, path, template).map_err(|d| Error::model(d, &sources))?;
        let directory = Path::new(path).parent().map(Path::to_path_buf).unwrap_or_default();
        let mut model = Model::new(sources, &loaded.circuit, loaded.simulate, directory)?;
        model.warnings.0.splice(0..0, loaded.warnings.0);
        Ok(model)
    }

    /// A model from a circuit template, with settings.
    pub fn new(
        sources: SourceMap,
        template: &CircuitTemplate,
        settings: Simulate,
        directory: PathBuf,
    ) -> Result<Model, Error> {
        let circuit = instantiate(template).map_err(|d| Error::model(d, &sources))?;
        let found = check(&circuit, &KnownFunctions);
        if found.has_errors() {
            return Err(Error::model(found, &sources));
        }
        let mut model = Model {
            sources,
            circuit,
            settings: Simulate::default(),
            warnings: found,
            vectorise: Vectorise::Auto,
            device: 0,
            directory,
            template: Arc::new(template.clone()),
            edges_changed: false,
            first_step: 0,
            samples: Vec::new(),
            streams: Vec::new(),
        };
        for (path, value) in &settings.set {
            model.circuit.set(path, value).map_err(|d| Error::model(d, &model.sources))?;
        }
        model.settings = settings;
        Ok(model)
    }

    /// A name that no file holds, as a source of its own called `origin` so that messages can show it.
    pub fn name(&mut self, origin: &str, text: &str) -> Name {
        let file = self.sources.add(origin, text);
        Name::new(text, Span::new(file, 0, text.len()))
    }

    /// Gives a value to a variable.
    pub fn set(&mut self, path: &str, value: &Literal) -> Result<(), Error> {
        let name = self.name("<set>", path);
        self.set_named(&name, value)
    }

    /// Draws values and connections anew, with another seed of the structure. Edges changed by [`Model::set_edge`] are as
    /// in the template again, so this comes before such changes.
    pub fn reseed(&mut self, seed: u64) -> Result<(), Error> {
        let template = Arc::new(self.template.reseeded(seed));
        let mut circuit = instantiate(&template).map_err(|d| Error::model(d, &self.sources))?;
        for (path, value) in &self.settings.set {
            circuit.set(path, value).map_err(|d| Error::model(d, &self.sources))?;
        }
        (self.template, self.circuit, self.edges_changed) = (template, circuit, false);
        Ok(())
    }

    /// Changes an attribute of the edges between two variables: `weight`, `delay`, `spread`, or a variable of the edge's
    /// operators by `operator/variable`. Paths and numbers are as in [`Model::set`]; parallel edges change alike.
    pub fn set_edge(&mut self, source: &str, target: &str, attribute: &str, value: &Literal) -> Result<(), Error> {
        let [source, target, attribute] = [source, target, attribute].map(|text| self.name("<set>", text));
        let done = self.circuit.set_edge(&source, &target, &attribute, value);
        self.edges_changed = true;
        done.map_err(|d| Error::model(d, &self.sources))
    }

    /// The model with its settings as a YAML file that reads back to the same model.
    pub fn to_yaml(&self) -> Result<String, Error> {
        let unwritten = [
            (self.edges_changed, "edges changed by `set_edge`"),
            (!self.samples.is_empty(), "samples held in memory"),
            (!self.streams.is_empty(), "streamed inputs"),
        ];
        if let Some((_, what)) = unwritten.iter().find(|u| u.0) {
            return Err(Error::model(cannot_be_written(what), &self.sources));
        }
        to_yaml_with(&self.template, &self.settings).map_err(|d| Error::model(d, &self.sources))
    }

    /// A model from a circuit template made by builders; the settings are still to be given.
    pub fn from_template(template: &CircuitTemplate) -> Result<Model, Error> {
        Model::new(SourceMap::new(), template, Simulate::default(), PathBuf::new())
    }

    /// Gives a value to a variable whose path stands somewhere.
    pub fn set_named(&mut self, path: &Name, value: &Literal) -> Result<(), Error> {
        self.circuit.set(path, value).map_err(|d| Error::model(d, &self.sources))?;
        self.settings.set.retain(|(known, _)| known.text != path.text);
        self.settings.set.push((path.clone(), value.clone()));
        Ok(())
    }

    /// Drives a variable by an input: a number, a file name or an expression of `t`.
    pub fn drive(&mut self, path: &str, spec: &str) {
        let name = self.name("<input>", path);
        let file = self.sources.add("<input>", spec);
        let spec = MappedText::at(spec, Span::new(file, 0, spec.len()));
        self.settings.inputs.push((name, spec));
    }

    /// Drives a variable by samples, one row per step.
    pub fn drive_samples(&mut self, path: &str, samples: Series) {
        let name = self.name("<input>", path);
        self.samples.push((name, samples));
    }

    /// Drives a variable by samples that a [`Session`](crate::Session) sets between steps; 0 until then.
    pub fn stream(&mut self, path: &str) {
        let name = self.name("<stream>", path);
        self.streams.push(name);
    }

    /// Lets runs begin at a step, as those do that go on from a saved state: samples must last until their end.
    pub fn start_at(&mut self, step: u64) {
        self.first_step = step;
    }

    /// Records a variable under a name.
    pub fn record(&mut self, name: &str, path: &str) {
        let (name, path) = (self.name("<record>", name), self.name("<record>", path));
        self.settings.record.push((name, path));
    }

    /// Compiles the model with its settings for an engine.
    pub fn compile(&self, engine: &'static Engine) -> Result<Compiled, Error> {
        self.compile_inner(engine, None).map_err(|d| Error::model(d, &self.sources))
    }

    /// As [`Model::compile`], for code to be read: the values of equations are marked, with `derivatives` those of differential
    /// equations too.
    pub(crate) fn compile_marked(&self, engine: &'static Engine, derivatives: bool) -> Result<Compiled, Error> {
        self.compile_inner(engine, Some(derivatives)).map_err(|d| Error::model(d, &self.sources))
    }

    fn compile_inner(&self, engine: &'static Engine, marked: Option<bool>) -> Result<Compiled, Diagnostics> {
        let mut lowered = self.lowered()?;
        if let Some(derivatives) = marked {
            lowered.system.marks = marks(&self.circuit, &lowered.system, derivatives);
        }
        let step = lowered.step(engine)?;
        let module = pass::schedule::schedule(step, lowered.precision);
        Ok(lowered.compiled(engine, module, None))
    }

    /// Makes the equations, and decides what is recorded and when.
    pub(crate) fn lowered(&self) -> Result<Lowered, Diagnostics> {
        let settings = &self.settings;
        let dt = settings.dt.ok_or_else(|| fault::missing("step size", "dt", "1e-4"))?;
        let duration = settings.duration.ok_or_else(|| fault::missing("duration", "duration", "1.0"))?;
        let clock = Clock::new(dt);
        let schedule = schedule(settings, clock, duration, self.first_step)?;
        let scheme = chosen::scheme(settings.scheme.as_ref())?;
        let precision = chosen::precision(settings.precision.as_ref())?;
        let pre_history = pre_history(settings.history.as_ref())?;

        let steps = self.first_step + schedule.steps;
        let mut inputs = Inputs { circuit: &self.circuit, clock, steps, drives: Vec::new(), series: Vec::new() };
        let mut faults = Diagnostics::new();
        for (path, spec) in &settings.inputs {
            faults.absorb(inputs.add(path, spec, &self.directory_of(spec)));
        }
        for (path, samples) in &self.samples {
            faults.absorb(inputs.add_samples(path, samples.clone()));
        }
        let mut streams = HashMap::new();
        for path in &self.streams {
            let columns = faults.absorb(inputs.add_stream(path)).unwrap_or(0);
            streams.insert(path.to_string(), (inputs.series.len().saturating_sub(1), columns));
        }
        let recorded = faults
            .absorb(recorded(&self.circuit, &settings.record, Sampling { dt, every: schedule.every }))
            .unwrap_or_default();
        if faults.has_errors() {
            return Err(faults);
        }
        let options = Options { dt, vectorise: self.vectorise };
        let mut system = lower(&self.circuit, &inputs.drives, &options)?;

        let mut columns = Columns::default();
        for quantity in recorded {
            columns.add(&mut system, quantity);
        }
        Ok(Lowered {
            system,
            observables: columns.observables,
            places: columns.places.into_iter().map(|(l, value, element)| (label(l), value, element)).collect(),
            events: columns.events.into_iter().map(label).collect(),
            schedule,
            dt,
            scheme,
            precision,
            pre_history,
            seed: settings.seed.unwrap_or(0),
            inputs: inputs.series,
            streams,
            device: self.device,
        })
    }

    /// The directory that file names in a text start from: that of the file it stands in, the working directory for
    /// texts of no file.
    fn directory_of(&self, text: &MappedText) -> PathBuf {
        match self.sources.file(text.whole().file) {
            Some(source) => PathBuf::from(directory_of(&source.name)),
            None => self.directory.clone(),
        }
    }

    /// Compiles the model and loads it on the engine of the processor that takes the least time for the run.
    pub fn simulation(&self) -> Result<Prepared, Error> {
        self.compile(Engine::auto())?.choose(None).load()
    }
}

fn schedule(settings: &Simulate, clock: Clock, duration: f64, first: u64) -> Result<Schedule, Diagnostics> {
    let every = match settings.sample_every {
        None => 1,
        Some(interval) => clock.whole_steps(interval).ok_or_else(|| not_a_multiple(settings, interval, clock.dt()))?,
    };
    let steps = clock.steps(duration);
    let cutoff = settings.cutoff.unwrap_or(0.0);
    if steps == 0 {
        return Err(no_step(settings, duration, clock.dt()).into());
    }
    let end = clock.time(first) + duration;
    if cutoff >= end {
        return Err(cut_everything(settings, cutoff, end).into());
    }
    Ok(Schedule { steps, every, cutoff, include_end: settings.include_end.unwrap_or(false) })
}

fn cannot_be_written(what: &str) -> Diagnostic {
    Diagnostic::error("not-writable", Span::NOWHERE, format!("{what} have no place in a file"), "")
        .with_help("write the model before it is changed so")
}

fn pre_history(name: Option<&Name>) -> Result<PreHistory, Diagnostics> {
    let Some(name) = name else { return Ok(PreHistory::Initial) };
    match &*name.text {
        "initial" => Ok(PreHistory::Initial),
        "zero" => Ok(PreHistory::Zero),
        _ => Err(fault::unknown_choice("pre-history", name, &["initial", "zero"]).into()),
    }
}

fn not_a_multiple(settings: &Simulate, interval: f64, dt: f64) -> Diagnostic {
    let message = format!("the sampling interval {interval} is not a multiple of the step size {dt}");
    let below = Clock::new(dt).time((interval / dt).floor().max(1.0) as u64);
    let span = settings.place("sample_every", Some(interval));
    Diagnostic::error("sampling", span, message, "not a multiple").with_help(format!("use `--sample-every {below}`"))
}

fn no_step(settings: &Simulate, duration: f64, dt: f64) -> Diagnostic {
    let message = format!("the duration {duration} is shorter than half a step of {dt}");
    let span = settings.place("duration", Some(duration));
    Diagnostic::error("duration", span, message, "too short").with_help(format!("use `--duration {dt}` or more"))
}

fn cut_everything(settings: &Simulate, cutoff: f64, duration: f64) -> Diagnostic {
    let message = format!("the cutoff {cutoff} leaves nothing of a simulation that ends at {duration}");
    let span = settings.place("cutoff", Some(cutoff));
    Diagnostic::error("cutoff", span, message, "too late")
        .with_help("use a smaller `--cutoff` or a longer `--duration`")
}

fn label(label: pass::record::Label) -> Label {
    let pass::record::Label { name, group, unit } = label;
    Label { name, group, unit }
}
