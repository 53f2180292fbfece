//! Batches: one model with many sets of values, which run side by side as one simulation.

use std::ops::Range;

use nullcline_compiler::diagnostic::{Diagnostic, Diagnostics};
use nullcline_compiler::model::Found;
use nullcline_compiler::pass::batch::{Slot, Variation, slots};
use nullcline_compiler::pass::{self, Step};
use nullcline_compiler::source::{Name, Span};
use nullcline_compiler::syntax::text::MappedText;
use nullcline_compiler::template::Literal;

use crate::engine::Engine;
use crate::error::Error;
use crate::lowered::Lowered;
use crate::model::{Compiled, Model, Prepared};

/// A model with many sets of values: its members.
///
/// The numbers of a member are those of a run of its own, bit for bit, however the batch is split.
pub struct Batch {
    model: Model,
    engine: &'static Engine,
    /// Whether each piece chooses its engine, of those that share this one's target.
    chooses: bool,
    members: usize,
    axes: Vec<Axis>,
}

/// A value that differs between members.
struct Axis {
    place: Place,
    /// Its value for each member.
    values: Vec<f64>,
    /// Whether equations are made from it (a delay, a subscript), so that only members with equal values run side by side.
    structural: bool,
}

/// What has the value.
enum Place {
    /// A parameter, the default of an input, or an initial state.
    Variable(Name),
    /// A constant that drives a variable: which of the settings' inputs.
    Input(usize, Name),
    /// An attribute of edges: source, target, attribute.
    Edge(Name, Name, Name),
}

impl Model {
    /// Runs of this model that differ in the values of some variables, on the engine that takes the least time: for each path one value per
    /// member. A path may also be `source -> target: attribute`, which means edges (see [`Model::set_edge`]). A variable
    /// that an input of the settings drives has that input varied.
    pub fn batch<P: AsRef<str>>(&self, varied: &[(P, Vec<f64>)]) -> Result<Batch, Error> {
        Ok(Batch { chooses: true, ..self.batch_on(varied, Engine::auto())? })
    }

    /// The same on a certain engine.
    pub fn batch_on<P: AsRef<str>>(&self, varied: &[(P, Vec<f64>)], engine: &'static Engine) -> Result<Batch, Error> {
        let mut batch = Batch { model: self.clone(), engine, chooses: false, members: 0, axes: Vec::new() };
        batch.members = varied.first().map_or(1, |v| v.1.len());
        let mut faults = Diagnostics::new();
        for (path, values) in varied {
            let place = faults.absorb(batch.place(path.as_ref(), values));
            batch.axes.extend(place.map(|place| Axis { place, values: values.clone(), structural: false }));
        }
        if faults.has_errors() {
            return Err(Error::model(faults, &batch.model.sources));
        }
        batch.classify().map_err(|d| Error::model(d, &batch.model.sources))?;
        Ok(batch)
    }
}

impl Batch {
    /// Number of members.
    pub fn members(&self) -> usize {
        self.members
    }

    /// The model whose values are varied.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The first members of `from..` that can run side by side, at most so many.
    pub fn piece(&self, from: usize, most: usize) -> Range<usize> {
        let end = self.members.min(from.saturating_add(most.max(1)));
        let equal = |m: usize| {
            let mut structural = self.axes.iter().filter(|a| a.structural);
            structural.all(|a| a.values[m].to_bits() == a.values[from].to_bits())
        };
        from..(from..end).find(|m| !equal(*m)).unwrap_or(end)
    }

    /// Compiles some members as one; columns are named `NAME[member]`, those of the first member come first. All of them
    /// must be in one [`Batch::piece`].
    pub fn compile(&self, members: Range<usize>) -> Result<Compiled, Error> {
        self.compile_inner(members).map_err(|d| Error::model(d, &self.model.sources))
    }

    /// Compiles some members as one and loads them. A member that diverges leaves the others running.
    pub fn simulation(&self, members: Range<usize>) -> Result<Prepared, Error> {
        let compiled = self.compile(members)?;
        let mut prepared = if self.chooses { compiled.choose(None) } else { compiled }.load()?;
        prepared.simulation = prepared.simulation.with_independent_columns();
        Ok(prepared)
    }

    /// The model of one member.
    pub fn member(&self, member: usize) -> Result<Model, Error> {
        self.with(|axis| self.axes[axis].values[member]).map_err(|d| Error::model(d, &self.model.sources))
    }

    fn compile_inner(&self, members: Range<usize>) -> Result<Compiled, Diagnostics> {
        if self.piece(members.start, members.len()) != members || members.is_empty() {
            return Err(not_side_by_side(&members).into());
        }
        if members.len() == 1 {
            let lowered = self.with(|axis| self.axes[axis].values[members.start])?.lowered()?;
            let module = pass::schedule::schedule(lowered.step(self.engine)?, lowered.precision);
            return Ok(lowered.compiled(self.engine, module, Some(members)));
        }
        let (lowered, step) = self.probe(members.start, None)?;
        let mut variations = Vec::new();
        for (k, axis) in self.axes.iter().enumerate().filter(|(_, a)| !a.structural) {
            let slots = self.slots(members.start, k, &step)?;
            let slots = slots.ok_or_else(|| not_side_by_side(&members))?;
            variations.push(Variation { slots, values: axis.values[members.clone()].to_vec() });
        }
        let module = pass::compile_batch(step, members.len(), &variations, lowered.precision, self.engine.target);
        Ok(lowered.compiled(self.engine, module, Some(members)))
    }

    fn place(&mut self, path: &str, values: &[f64]) -> Result<Place, Diagnostics> {
        let whole = self.model.name("<batch>", path);
        if values.len() != self.members || values.is_empty() {
            return Err(wrong_count(&whole, values.len(), self.members).into());
        }
        if let Some(value) = values.iter().find(|v| !v.is_finite()) {
            return Err(not_finite(&whole, *value).into());
        }
        if let Some((ends, attribute)) = path.rsplit_once(':')
            && let Some((source, target)) = ends.split_once("->")
        {
            let mut name = |text: &str| self.model.name("<batch>", text.trim());
            let (source, target, attribute) = (name(source), name(target), name(attribute));
            let value = Literal::from(values[0]);
            self.model.clone().circuit.set_edge(&source, &target, &attribute, &value)?;
            return Ok(Place::Edge(source, target, attribute));
        }
        let circuit = &self.model.circuit;
        let found = circuit.find(&whole)?;
        let meets = |f: &Found, g: &Found| f.variable == g.variable && (f.index.is_none() || f.index == g.index);
        let inputs = self.model.settings.inputs.iter().enumerate();
        let mut driving = inputs.filter(|(_, (driven, _))| {
            circuit.find(driven).is_ok_and(|driven| found.iter().any(|f| driven.iter().any(|d| meets(d, f))))
        });
        Ok(match driving.next() {
            None => Place::Variable(whole),
            Some((index, (driven, _))) if circuit.find(driven).ok().as_ref() == Some(&found) => {
                Place::Input(index, whole)
            }
            Some((_, (driven, _))) => return Err(driven_in_part(&whole, driven).into()),
        })
    }

    /// Finds out which values equations are made from.
    fn classify(&mut self) -> Result<(), Diagnostics> {
        let lowered = self.with(|axis| self.axes[axis].values[0])?.lowered()?;
        for k in 0..self.axes.len() {
            let structural = match &self.axes[k].place {
                Place::Variable(path) => {
                    let found = self.model.circuit.find(path)?;
                    found.iter().any(|f| lowered.system.location(f.variable).is_some_and(|l| l.fixed))
                }
                Place::Input(..) => false,
                // Anything of an edge but its weight may go into a delay.
                Place::Edge(.., attribute) => &*attribute.text != "weight",
            };
            self.axes[k].structural = structural;
        }
        for k in 0..self.axes.len() {
            if self.axes[k].structural {
                continue;
            }
            // A value that is no good for a trial has to be compiled for each member, and is judged there.
            let slots = match self.probe(0, None) {
                Ok((_, step)) => self.slots(0, k, &step).ok().flatten(),
                Err(_) => None,
            };
            let axis = &mut self.axes[k];
            match slots {
                Some(slots) if slots.is_empty() => {
                    return Err(no_effect(match &axis.place {
                        Place::Variable(name) | Place::Input(_, name) | Place::Edge(.., name) => name,
                    })
                    .into());
                }
                // Connections without weight are left out of sums.
                Some(slots) => {
                    let weighs = slots.iter().any(|s| matches!(s, Slot::Weight(..)));
                    axis.structural = weighs && axis.values.contains(&0.0);
                }
                None => axis.structural = true,
            }
        }
        Ok(())
    }

    /// The places of a value, if values are all that differs.
    fn slots(&self, member: usize, axis: usize, step: &Step) -> Result<Option<Vec<Slot>>, Diagnostics> {
        let (_, other) = self.probe(member, Some(axis))?;
        Ok(slots((self.trial(member, axis, false), step), (self.trial(member, axis, true), &other)))
    }

    /// The step with a value to be found again for every axis, another one for `other`.
    fn probe(&self, member: usize, other: Option<usize>) -> Result<(Lowered, Step), Diagnostics> {
        let model = self.with(|axis| match self.axes[axis].structural {
            true => self.axes[axis].values[member],
            false => self.trial(member, axis, other == Some(axis)),
        })?;
        let lowered = model.lowered()?;
        let step = lowered.step(self.engine)?;
        Ok((lowered, step))
    }

    /// A number near a member's value that nothing else is likely to be; what is taken for it must change with it too.
    fn trial(&self, member: usize, axis: usize, other: bool) -> f64 {
        let (value, k) = (self.axes[axis].values[member], (2 * axis + usize::from(other) + 1) as f64);
        value * (1.0 + 1.234_567_891e-5 * k) + 3.141_592_653e-9 * k
    }

    /// The model with a value for each axis.
    fn with(&self, value: impl Fn(usize) -> f64) -> Result<Model, Diagnostics> {
        let mut model = self.model.clone();
        for (index, axis) in self.axes.iter().enumerate() {
            let value = value(index);
            match &axis.place {
                Place::Variable(path) => model.circuit.set(path, &Literal::from(value))?,
                Place::Input(input, _) => {
                    model.settings.inputs[*input].1 = MappedText::at(format!("{value:?}"), Span::NOWHERE);
                }
                Place::Edge(source, target, attribute) => {
                    model.circuit.set_edge(source, target, attribute, &Literal::from(value))?;
                }
            }
        }
        Ok(model)
    }
}

fn wrong_count(path: &Name, found: usize, expected: usize) -> Diagnostic {
    let message = format!("`{path}` has {found} values for {expected} members");
    let expected = format!("expected {}", expected.max(1));
    Diagnostic::error("batch-values", path.span, message, expected).with_help("give every path one value per member")
}

fn not_finite(path: &Name, value: f64) -> Diagnostic {
    Diagnostic::error("batch-values", path.span, format!("`{path}` cannot be {value}"), "expected finite numbers")
}

fn driven_in_part(path: &Name, driven: &Name) -> Diagnostic {
    let message = format!("`{path}` is driven by the input onto `{driven}`, which means more than it");
    Diagnostic::error("batch-input", path.span, message, "cannot be varied alone").with_help(format!("vary `{driven}`"))
}

fn no_effect(path: &Name) -> Diagnostic {
    let message = format!("the value of `{path}` has no effect: it is driven or computed");
    Diagnostic::error("batch-no-effect", path.span, message, "not a parameter or a state")
        .with_help("vary what drives it, or the weight of an edge: `source -> target: weight`")
}

fn not_side_by_side(members: &Range<usize>) -> Diagnostic {
    let message = format!("members {} to {} do not fit into one simulation", members.start, members.end);
    Diagnostic::error("batch-members", Span::NOWHERE, message, "").with_help("compile the ranges that `piece` returns")
}
