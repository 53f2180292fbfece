//! Sessions: a model that runs step by step, is looked at and changed on the way, and goes on.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;

use nullcline_compiler::diagnostic::Diagnostic;
use nullcline_compiler::ir::expr::Op;
use nullcline_compiler::kernel::ir::BufferRole;
use nullcline_compiler::model::{Found, Role, VariableRef};
use nullcline_compiler::source::Name;
use nullcline_compiler::template::{Complex, Literal};
use nullcline_runtime::artifact::Samples;
use nullcline_runtime::observe::{Label, Recording};
use nullcline_runtime::sim::{Interrupt, PreHistory, RunError, Schedule, Simulation, State};

use crate::engine::Engine;
use crate::error::Error;
use crate::model::Model;

/// A running model. Numbers are the same, bit for bit, whether a run is made in one piece or in several, and whether its
/// state was saved in between or not.
pub struct Session {
    model: Model,
    engine: &'static Engine,
    simulation: Simulation,
    /// Threads that share the work, where that was set.
    threads: Option<NonZeroUsize>,
    /// What holds before time 0, where it is not what the model says.
    pre_history: Option<PreHistory>,
    places: HashMap<VariableRef, Place>,
    /// For each streamed path its series and number of columns.
    streams: HashMap<String, (usize, usize)>,
    /// Samples held at present, by path: they survive a new compilation.
    held: HashMap<String, Vec<f64>>,
    /// Paths met so far: their texts stay in the sources, so each is added once.
    paths: HashMap<String, Name>,
}

/// Where a variable is in the buffers.
#[derive(Clone, Copy)]
struct Place {
    re: Option<usize>,
    im: Option<usize>,
    first: usize,
    /// Whether a parameter is in no buffer, or its value became part of the equations.
    compiled_in: bool,
}

impl Model {
    /// Compiles the model for stepping on the default engine. A duration need not be set; samples from files that end
    /// before the session does hold their last row.
    pub fn session(&self) -> Result<Session, Error> {
        self.session_on(Engine::auto())
    }

    /// Compiles the model for stepping on an engine.
    pub fn session_on(&self, engine: &'static Engine) -> Result<Session, Error> {
        let mut model = self.clone();
        model.settings.duration = model.settings.duration.or(model.settings.dt);
        model.settings.cutoff = None;
        let (simulation, places, streams) = build(&model, engine)?;
        Ok(Session {
            model,
            engine,
            simulation,
            threads: None,
            pre_history: None,
            places,
            streams,
            held: HashMap::new(),
            paths: HashMap::new(),
        })
    }
}

type Built = (Simulation, HashMap<VariableRef, Place>, HashMap<String, (usize, usize)>);

fn build(model: &Model, engine: &'static Engine) -> Result<Built, Error> {
    let compiled = model.compile(engine)?;
    let roles = compiled.module.buffers.iter().enumerate();
    let buffers: HashMap<BufferRole, usize> = roles.map(|(i, b)| (b.role, i)).collect();
    let buffer = |op: Op| match op {
        Op::State(id) => buffers.get(&BufferRole::State(id)).copied(),
        Op::Parameter(id) => buffers.get(&BufferRole::Parameter(id)).copied(),
        _ => None,
    };
    let graph = &compiled.system.graph;
    let places = compiled.system.locations.iter().map(|((population, operator, variable), at)| {
        let key = VariableRef { population: *population, operator: *operator, variable: *variable };
        let re = buffer(graph.node(at.re).op);
        let im = at.im.and_then(|im| buffer(graph.node(im).op));
        (key, Place { re, im, first: at.first, compiled_in: at.fixed || re.is_none() })
    });
    let (places, streams) = (places.collect(), compiled.streams.clone());
    Ok((compiled.load()?.simulation, places, streams))
}

impl Session {
    /// Sets what holds before time 0; before the first step only.
    pub fn with_pre_history(mut self, pre_history: PreHistory) -> Session {
        self.pre_history = Some(pre_history);
        self.simulation = self.simulation.with_pre_history(pre_history);
        self
    }

    /// Sets how many threads share the work (see [`Simulation::set_threads`]).
    pub fn set_threads(&mut self, threads: NonZeroUsize) {
        self.threads = Some(threads);
        self.simulation.set_threads(threads);
    }

    /// The model with all values set so far.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Current time.
    pub fn time(&self) -> f64 {
        self.simulation.time()
    }

    /// Steps done.
    pub fn steps_done(&self) -> u64 {
        self.simulation.steps_done()
    }

    /// Labels of the recorded columns.
    pub fn labels(&self) -> Vec<Label> {
        self.simulation.labels()
    }

    /// The recorded columns at this moment.
    pub fn observe(&mut self) -> Result<Vec<f64>, Error> {
        Ok(self.simulation.observe()?)
    }

    /// Goes one step ahead.
    pub fn step(&mut self) -> Result<(), Error> {
        self.advance(1)
    }

    /// Goes `count` steps ahead.
    pub fn advance(&mut self, count: u64) -> Result<(), Error> {
        Ok(self.simulation.advance(count)?)
    }

    /// Runs for `duration` from the current time on and returns what was recorded, the current moment first.
    pub fn run(&mut self, duration: f64) -> Result<Recording, RunError> {
        let clock = self.simulation.clock();
        let every = self.model.settings.sample_every.and_then(|s| clock.whole_steps(s)).unwrap_or(1);
        let schedule = Schedule { steps: clock.steps(duration), every, cutoff: 0.0, include_end: false };
        let mut recording = self.simulation.recording();
        self.simulation.run(&schedule, &mut recording, &mut |_| Interrupt::Continue)?;
        Ok(recording)
    }

    /// The whole state, with the past of delayed variables: a value to keep, print, or go on from.
    pub fn state(&mut self) -> Result<State, Error> {
        Ok(self.simulation.state()?)
    }

    /// Goes on from a state; parameters stay as they are.
    pub fn set_state(&mut self, state: &State) -> Result<(), Error> {
        Ok(self.simulation.set_state(state)?)
    }

    /// The current values of a state variable or parameter: one per unit and element, real parts first.
    pub fn get(&mut self, path: &str) -> Result<Vec<f64>, Error> {
        let mut values = Vec::new();
        for (found, expected) in self.find(path)? {
            let Some(place) = self.places.get(&found.variable).copied() else { continue };
            for buffer in [place.re, place.im].into_iter().flatten() {
                let mut all = Vec::new();
                self.simulation.executable().read(buffer, &mut all)?;
                let range = place.first + expected.start..place.first + expected.end;
                values.extend(range.map(|e| if all.len() == 1 { all[0] } else { all[e] }));
            }
        }
        Ok(values)
    }

    /// Changes a parameter, the default of an input, or the current value of a state variable; the past stays.
    ///
    /// A value that needs more room than the old one (one unit of many that shared a number), or that equations were made
    /// from (a delay), takes a new compilation, which this does; the state is taken along.
    pub fn set(&mut self, path: &str, value: &Literal) -> Result<(), Error> {
        let found = self.find(path)?;
        let name = self.path(path);
        let before = self.values_before(&found);
        self.model.set_named(&name, value)?;
        let mut again = false;
        for (one, range) in &found {
            let values = self.values_of(one.variable);
            let place = self.places.get(&one.variable).copied();
            let role = self.role(one.variable);
            let Some(place) = place.filter(|p| role == Role::State || !p.compiled_in) else {
                if matches!(role, Role::State | Role::Output) {
                    self.restore(before);
                    return Err(not_settable(&mut self.model, path));
                }
                again = true;
                continue;
            };
            let parts = [(place.re, false), (place.im, true)];
            for (buffer, imaginary) in parts.into_iter().filter_map(|(b, i)| b.map(|b| (b, i))) {
                let numbers: Vec<f64> = values.iter().map(|c| if imaginary { c.im } else { c.re }).collect();
                let room = self.simulation.layout().buffers[buffer].len;
                let name = self.simulation.layout().buffers[buffer].name.clone();
                let first = place.first + range.start;
                if room >= first + range.len() && (room > 1 || numbers.len() == 1) {
                    let done = self.simulation.set_buffer(buffer, first, &numbers[range.clone()]);
                    done.map_err(|e| {
                        Error::Device(nullcline_runtime::artifact::DeviceError(format!("`{name}`: {e}")))
                    })?;
                } else {
                    again = true;
                }
            }
            // A real variable that was given a complex number.
            again |= place.im.is_none() && values.iter().any(|c| c.im != 0.0);
        }
        if again && let Err(error) = self.rebuild() {
            self.restore(before);
            return Err(error);
        }
        Ok(())
    }

    /// Sets the samples that a streamed input (see [`Model::stream`]) has from the next step on: one for all units, or one
    /// for each.
    pub fn drive(&mut self, path: &str, values: &[f64]) -> Result<(), Error> {
        let Some(&(series, columns)) = self.streams.get(path) else {
            return Err(not_streamed(&mut self.model, path));
        };
        if values.len() != 1 && values.len() != columns {
            return Err(wrong_samples(&mut self.model, path, columns, values.len()));
        }
        let data: Vec<f64> = (0..columns).map(|c| values[c % values.len()]).collect();
        self.simulation.set_series(series, Arc::new(Samples { columns, data: data.clone(), ..Samples::default() }));
        self.held.insert(path.to_string(), data);
        Ok(())
    }

    /// Compiles again with the present values and takes the state along.
    fn rebuild(&mut self) -> Result<(), Error> {
        let state = self.simulation.state()?;
        let (simulation, places, streams) = build(&self.model, self.engine)?;
        let mut simulation = match self.pre_history {
            Some(pre_history) => simulation.with_pre_history(pre_history),
            None => simulation,
        };
        if let Some(threads) = self.threads {
            simulation.set_threads(threads);
        }
        for (path, data) in &self.held {
            if let Some((series, columns)) = streams.get(path) {
                simulation.set_series(
                    *series,
                    Arc::new(Samples { columns: *columns, data: data.clone(), ..Samples::default() }),
                );
            }
        }
        simulation.set_state(&state)?;
        (self.simulation, self.places, self.streams) = (simulation, places, streams);
        Ok(())
    }

    /// The variables a path means, with the elements it chooses.
    fn find(&mut self, path: &str) -> Result<Vec<(Found, Range<usize>)>, Error> {
        let name = self.path(path);
        let found = self.model.circuit.find(&name).map_err(|d| Error::model(d, &self.model.sources))?;
        let with_range = found.into_iter().map(|one| {
            let (count, chosen) = self.model.circuit.extent(one.variable);
            (one, one.index.map_or(0..count, |i| i * chosen..(i + 1) * chosen))
        });
        Ok(with_range.collect())
    }

    fn path(&mut self, path: &str) -> Name {
        if let Some(known) = self.paths.get(path) {
            return known.clone();
        }
        let name = self.model.name("<session>", path);
        self.paths.insert(path.to_string(), name.clone());
        name
    }

    /// The values and settings to return to when a change fails.
    fn values_before(&self, found: &[(Found, Range<usize>)]) -> Before {
        let variables = found.iter().map(|(f, _)| {
            let at = f.variable;
            let variable = &self.model.circuit.populations[at.population].operators[at.operator].variables[at.variable];
            (at, variable.value.clone(), variable.complex)
        });
        Before { variables: variables.collect(), set: self.model.settings.set.clone() }
    }

    fn restore(&mut self, before: Before) {
        for (at, value, complex) in before.variables {
            let operators = &mut self.model.circuit.populations[at.population].operators;
            let variable = &mut operators[at.operator].variables[at.variable];
            (variable.value, variable.complex) = (value, complex);
        }
        self.model.settings.set = before.set;
    }

    fn role(&self, at: VariableRef) -> Role {
        self.model.circuit.populations[at.population].operators[at.operator].variables[at.variable].role
    }

    /// The values of a variable, one per element.
    fn values_of(&self, at: VariableRef) -> Vec<Complex> {
        self.model.circuit.values(at)
    }
}

struct Before {
    variables: Vec<(VariableRef, Vec<Complex>, bool)>,
    set: Vec<(Name, Literal)>,
}

fn not_settable(model: &mut Model, path: &str) -> Error {
    let name = model.name("<session>", path);
    let message = format!("`{path}` is computed from other variables");
    let fault = Diagnostic::error("not-settable", name.span, message, "not a parameter, input or state");
    Error::model(fault.with_help("change what its equation reads instead"), &model.sources)
}

fn not_streamed(model: &mut Model, path: &str) -> Error {
    let name = model.name("<session>", path);
    let fault = Diagnostic::error("not-streamed", name.span, format!("`{path}` is not streamed"), "no stream");
    Error::model(fault.with_help("call `Model::stream` with the same path before `Model::session`"), &model.sources)
}

fn wrong_samples(model: &mut Model, path: &str, columns: usize, found: usize) -> Error {
    let name = model.name("<session>", path);
    let message = format!("`{path}` takes {columns} samples, not {found}");
    let label = format!("expected 1 or {columns}");
    Error::model(Diagnostic::error("input-columns", name.span, message, label), &model.sources)
}
