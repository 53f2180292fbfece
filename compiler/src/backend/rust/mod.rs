//! Modules as Rust source: a struct with the parameters, the state and the inputs of a model as fields, and its step.
//!
//! The source of a model is a list of items for a module of its own. Everything that rounds is in element functions, one
//! for each kernel of straight-line code: plain functions from what the kernel loads to what it stores. The methods of the
//! struct `Model` call them; they compute the same bits as the reference interpreter.

mod artifact;
mod batch;
mod constants;
mod couple;
mod dispatch;
mod element;
mod executable;
mod fields;
mod kernels;
mod model;
mod names;
mod phases;
mod random;
mod soft;
mod spelling;
mod spikes;
#[cfg(feature = "build")]
mod text;

pub use artifact::artifact;
pub use constants::Long;
pub use names::{ident, shortest, snake, word};
#[cfg(feature = "build")]
pub use text::format;

use std::collections::HashMap;

use proc_macro2::{Group, TokenStream, TokenTree};

use super::notes::Note;
use crate::kernel::ir::{Buffer, BufferId, BufferRole, Module, Precision};
use crate::kernel::target::Target;

/// Rust: basic operations only, so that its functions agree with the engines to the bit.
pub static RUST: Target = Target {
    name: "rust",
    floats: &[Precision::F32, Precision::F64],
    has: spelling::has,
    shares_weights: false,
    crosses: |_| true,
    strict: true,
    subnormals: &[],
};

/// A recorded quantity: one number, or several that belong together.
#[derive(Clone, PartialEq, Debug)]
pub struct Recorded {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: Option<String>,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// Buffer and element of each.
    pub places: Vec<(BufferId, usize)>,
}

impl Recorded {
    /// Adds a column (name, group, unit) to the quantity that it belongs to.
    pub fn collect(all: &mut Vec<Recorded>, label: (&str, &str, Option<&str>), place: (BufferId, usize)) {
        let (name, group, unit) = label;
        match all.iter_mut().find(|r| r.name == group) {
            Some(found) => {
                found.columns.push(name.to_string());
                found.places.push(place);
            }
            None => all.push(Recorded {
                name: group.to_string(),
                unit: unit.map(str::to_string),
                columns: vec![name.to_string()],
                places: vec![place],
            }),
        }
    }
}

/// A recorded event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// The name that events which belong together share.
    pub group: String,
}

/// A model as generated code shows it.
#[derive(Clone, Debug)]
pub struct Interface<'a> {
    /// The kernels that run.
    pub module: &'a Module,
    /// The kernels that compute derivatives, see [`crate::pass::slopes`].
    pub slopes: &'a Module,
    /// For each buffer of the module, what it is; may be shorter.
    pub notes: &'a [Note],
    /// What is recorded.
    pub recorded: &'a [Recorded],
    /// The recorded events, in the order of those of the module.
    pub events: &'a [Event],
    /// Step size.
    pub dt: f64,
    /// Whether delayed quantities were 0 before time 0, rather than their initial value.
    pub zero_history: bool,
    /// Seed of random numbers.
    pub seed: u64,
    /// Paragraphs about the model.
    pub doc: &'a [String],
}

impl Interface<'_> {
    fn note(&self, buffer: BufferId) -> Option<&Note> {
        self.notes.get(buffer.index())
    }
}

/// How to print.
#[derive(Clone, Debug)]
pub struct Options {
    /// The path of the runtime, as in `nullcline_runtime`; `None` for code that depends on nothing.
    pub runtime: Option<TokenStream>,
    /// Whether there is a standard library. Without it, the instruction set is that of the build, and models with more
    /// than a thousand elements need a global allocator.
    pub std: bool,
    /// Where long lists go.
    pub long: Long,
    /// Beginning of the names of files of long lists.
    pub stem: String,
}

/// Generated source, before it is formatted.
#[derive(Clone, Debug)]
pub struct Source {
    /// The items.
    pub items: TokenStream,
    /// Files to be written beside the source: name and contents.
    pub files: Vec<(String, Vec<u8>)>,
}

/// The names of recorded quantities, as fields of `Outputs`.
pub fn recorded_names(recorded: &[Recorded]) -> Vec<String> {
    model::recorded_names(recorded).iter().map(ToString::to_string).collect()
}

/// The names of buffers, as fields.
pub fn buffer_names(module: &Module) -> Vec<String> {
    let names = names::Names::new(module);
    (0..module.buffers.len() as u32).map(|b| names.of(BufferId(b)).to_string()).collect()
}

/// Where each buffer is in `Model`, of those that a user reads or sets.
pub fn buffer_places(module: &Module) -> Vec<Option<String>> {
    let place = |(buffer, name): (&Buffer, String)| match buffer.role {
        BufferRole::State(_) => Some(format!("state.{name}")),
        BufferRole::Parameter(_) => Some(format!("parameters.{name}")),
        BufferRole::Input(_) => Some(format!("inputs.{name}")),
        _ => None,
    };
    module.buffers.iter().zip(buffer_names(module)).map(place).collect()
}

/// Where each recorded column is in `Outputs`, by the name of the column.
pub fn recorded_places(recorded: &[Recorded]) -> HashMap<String, String> {
    let mut places = HashMap::new();
    for (quantity, name) in recorded.iter().zip(recorded_names(recorded)) {
        for (i, column) in quantity.columns.iter().enumerate() {
            let place = if quantity.columns.len() == 1 { name.clone() } else { format!("{name}[{i}]") };
            places.insert(column.clone(), place);
        }
    }
    places
}

/// Items without the comments that only a text can have (`comment!("..");`): for macros.
pub fn without_comments(items: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut tokens = items.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let marker = matches!(&token, TokenTree::Ident(name) if name == "comment")
            && matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '!');
        match token {
            // `!`, the text, `;`
            _ if marker => drop(tokens.by_ref().take(3).count()),
            TokenTree::Group(group) => {
                let inner = without_comments(group.stream());
                let mut new = Group::new(group.delimiter(), inner);
                new.set_span(group.span());
                kept.push(TokenTree::Group(new));
            }
            other => kept.push(other),
        }
    }
    kept.into_iter().collect()
}

/// Prints a module that is legal for [`RUST`].
pub fn source(interface: &Interface<'_>, options: &Options) -> Source {
    model::source(interface, options)
}
