//! From a template file to Rust source.

use proc_macro2::TokenStream;

use super::inputs::Inputs;
use super::settings;
use crate::backend::notes::{marks, notes};
use crate::backend::rust::{self, Event, Interface, Long, Options, RUST, Recorded, Source};
use crate::diagnostic::{Diagnostics, Result, settings as fault};
use crate::ir::lower::functions::KnownFunctions;
use crate::ir::lower::{self, lower};
use crate::ir::system::Values;
use crate::ir::vectorise::Vectorise;
use crate::kernel::ir::{BufferRole, Module};
use crate::model::check::check;
use crate::model::{Circuit, instantiate};
use crate::pass;
use crate::pass::record::{Columns, Sampling, recorded};
use crate::scheme::Scheme;
use crate::source::{Name, SourceMap};
use crate::syntax::print;
use crate::template::library::Library;
use crate::template::load;

/// Most operators whose equations are written into the documentation.
const MOST: usize = 20;

/// What to embed, and how. Settings that are not given are those of the file.
#[derive(Clone, Debug)]
pub struct Embed {
    /// The template file.
    pub path: String,
    /// The template in it.
    pub template: Option<String>,
    /// Integration scheme.
    pub scheme: Option<Name>,
    /// Precision.
    pub precision: Option<Name>,
    /// Step size.
    pub dt: Option<f64>,
    /// Variables that become inputs, besides those that nothing drives.
    pub inputs: Vec<Name>,
    /// The path of the runtime, as in `nullcline_runtime`; `None` for code that depends on nothing.
    pub runtime: Option<TokenStream>,
    /// Whether there is a standard library.
    pub std: bool,
    /// Where long lists go.
    pub long: Long,
}

/// A model as Rust source.
#[derive(Clone, Debug)]
pub struct Embedding {
    /// Its name as that of a module.
    pub name: String,
    /// Its source.
    pub source: Source,
    /// Paragraphs about it.
    pub doc: Vec<String>,
    /// What is odd about it.
    pub warnings: Diagnostics,
}

/// Reads a model and prints it as Rust source.
pub fn embed(sources: &mut SourceMap, library: &dyn Library, wish: &Embed) -> Result<Embedding> {
    let loaded = load(sources, library, &wish.path, wish.template.as_deref())?;
    let mut circuit = instantiate(&loaded.circuit)?;
    let mut warnings = loaded.warnings;
    let found = check(&circuit, &KnownFunctions);
    if found.has_errors() {
        return Err(found);
    }
    warnings.0.extend(found.0);
    let given = loaded.simulate;
    for (path, value) in &given.set {
        circuit.set(path, value)?;
    }
    let dt = wish.dt.or(given.dt).ok_or_else(|| fault::missing("step size", "dt", "1e-4"))?;
    let scheme = settings::scheme(wish.scheme.as_ref().or(given.scheme.as_ref()))?;
    let precision = settings::precision(wish.precision.as_ref().or(given.precision.as_ref()))?;
    let zero_history = settings::zero_history(given.history.as_ref())?;

    let inputs = Inputs::new(&circuit, &given.inputs, &wish.inputs)?;
    let wanted = recorded(&circuit, &given.record, Sampling::new(dt, given.sample_every))?;
    let options = lower::Options { dt, vectorise: Vectorise::Auto };
    let mut system = lower(&circuit, &inputs.drives, &options)?;
    let mut columns = Columns::default();
    wanted.into_iter().for_each(|recorded| columns.add(&mut system, recorded));

    system.marks = marks(&circuit, &system, false);
    let slopes = pass::slopes(system.clone(), scheme, precision, &RUST)?;
    let observables = columns.observables.clone();
    let mut module = pass::compile(system.clone(), observables, scheme, precision, &RUST)?;
    set_defaults(&mut module, &inputs.defaults);
    let notes = notes(&circuit, &system, &module);
    let mut quantities: Vec<Recorded> = Vec::new();
    for (label, value, element) in &columns.places {
        let place = columns.located(&system, &module, *value, *element);
        Recorded::collect(&mut quantities, (&label.name, &label.group, label.unit.as_deref()), place);
    }
    let events = columns.events.iter().map(|l| Event { name: l.name.clone(), group: l.group.clone() });
    let events: Vec<Event> = events.collect();
    let doc = describe(sources, &circuit, scheme, &module);
    let interface = Interface {
        module: &module,
        slopes: &slopes,
        notes: &notes,
        recorded: &quantities,
        events: &events,
        dt,
        zero_history,
        seed: given.seed.unwrap_or(0),
        doc: &doc,
    };
    let name = rust::snake(&circuit.name);
    let options = Options { runtime: wish.runtime.clone(), std: wish.std, long: wish.long, stem: name.clone() };
    let source = rust::source(&interface, &options);
    Ok(Embedding { name, source, doc, warnings })
}

/// Input buffers start from the default of their variable, and have a column for each element.
fn set_defaults(module: &mut Module, defaults: &[f64]) {
    for (buffer, input) in &mut module.inputs {
        debug_assert!(matches!(module.buffers[buffer.index()].role, BufferRole::Input(_)));
        let value = defaults.get(input.series).copied().unwrap_or(0.0);
        module.initial.push((*buffer, Values::Uniform(value)));
        let driven = input.columns.iter_mut().enumerate().filter(|(_, column)| column.is_some());
        driven.for_each(|(element, column)| *column = Some(element as u32));
    }
}

/// Paragraphs about a model: where it comes from, and its equations.
pub fn describe(sources: &SourceMap, circuit: &Circuit, scheme: &Scheme, module: &Module) -> Vec<String> {
    let file = sources.files().next().map(|(_, file)| file.name.rsplit('/').next().unwrap_or(&file.name));
    let from = file.map(|f| format!(" from `{f}`")).unwrap_or_default();
    let (scheme, precision) = (scheme.name, module.precision.name());
    let name = &circuit.name;
    let mut doc = vec![format!("The model `{name}`{from}, scheme `{scheme}`, numbers `{precision}`.")];
    let mut seen = Vec::new();
    for operator in circuit.populations.iter().flat_map(|p| &p.operators) {
        if seen.contains(&operator.equations.as_ptr()) || seen.len() >= MOST {
            continue;
        }
        seen.push(operator.equations.as_ptr());
        doc.push(String::new());
        doc.push(format!("`{}`:", operator.name));
        doc.push("```text".to_string());
        doc.extend(operator.equations.iter().map(print::equation));
        doc.push("```".to_string());
    }
    doc
}
