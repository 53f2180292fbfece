//! The structs of a model: which buffer is a field of which, and how an element of it is reached.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::Interface;
use super::constants::{Constants, LONGEST};
use super::element::{number, real, whole};
use super::names::{Names, ident};
use crate::backend::notes::Note;
use crate::ir::system::Values;
use crate::kernel::ir::{Body, BufferId, BufferRole, Module, Stmt, ValueOp};

/// Elements from which on a field is kept on the heap.
const HEAP: usize = 1024;

/// The struct that a buffer is a field of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owner {
    State,
    Parameters,
    Inputs,
    Internal,
    Past,
}

impl Owner {
    /// The owner of buffers of a role.
    pub fn of(role: BufferRole) -> Owner {
        match role {
            BufferRole::State(_) => Owner::State,
            BufferRole::Parameter(_) => Owner::Parameters,
            BufferRole::Input(_) => Owner::Inputs,
            BufferRole::History(_) => Owner::Past,
            _ => Owner::Internal,
        }
    }
}

/// The fields of a module.
pub(super) struct Fields<'a> {
    pub module: &'a Module,
    pub names: Names,
    /// Where each buffer is read, and where it is written.
    places: Vec<(TokenStream, TokenStream)>,
    /// Whether events are kept as truth values: where no kernel computes with them.
    flags: bool,
}

impl<'a> Fields<'a> {
    /// The fields of the module that runs.
    pub fn new(module: &'a Module) -> Fields<'a> {
        let names = Names::new(module);
        let places = (0..module.buffers.len()).map(|index| {
            let name = names.of(BufferId(index as u32));
            let place = match Owner::of(module.buffers[index].role) {
                Owner::State => quote!(self.state.#name),
                Owner::Parameters => quote!(self.parameters.#name),
                Owner::Inputs => quote!(self.inputs.#name),
                Owner::Past => quote!(self.past.#name),
                Owner::Internal => quote!(self.internal.#name),
            };
            (place.clone(), place)
        });
        let places = places.collect();
        Fields { module, names, places, flags: !computes_with_events(module) }
    }

    /// The fields of the module that computes derivatives, which shares with `run` what is no intermediate value. It reads
    /// states from an argument and writes to another.
    pub fn of_slopes(module: &'a Module, run: &Fields<'_>) -> Fields<'a> {
        let shared = |role: BufferRole| match role {
            BufferRole::Derived(_) | BufferRole::Scratch(_) | BufferRole::Event(_) => None,
            role => run.module.buffer(role),
        };
        let own = Names::new(module);
        let (mut names, mut places) = (Vec::new(), Vec::new());
        for (index, buffer) in module.buffers.iter().enumerate() {
            let own = own.of(BufferId(index as u32)).clone();
            let found = shared(buffer.role);
            let name = found.map_or(own, |b| run.names.of(b).clone());
            let place = match (buffer.role, found) {
                (BufferRole::State(_), _) => (quote!(state.#name), quote!(slope.#name)),
                (_, Some(buffer)) => run.places[buffer.index()].clone(),
                (_, None) => (quote!(self.slopes.#name), quote!(self.slopes.#name)),
            };
            names.push(name);
            places.push(place);
        }
        Fields { module, names: Names::from(names), places, flags: false }
    }

    /// Buffers with this owner.
    pub fn owned(&self, owner: Owner) -> Vec<BufferId> {
        let all = (0..self.module.buffers.len() as u32).map(BufferId);
        all.filter(|b| Owner::of(self.module.buffers[b.index()].role) == owner).collect()
    }

    /// Buffers of the module of derivatives that no other struct has.
    pub fn owned_by_slopes(&self, run: &Fields<'_>) -> Vec<BufferId> {
        let all = (0..self.module.buffers.len() as u32).map(BufferId);
        let intermediate =
            |role| matches!(role, BufferRole::Derived(_) | BufferRole::Scratch(_) | BufferRole::Event(_));
        all.filter(|b| {
            let role = self.module.buffers[b.index()].role;
            intermediate(role) || run.module.buffer(role).is_none()
        })
        .collect()
    }

    /// Number of elements of one slot.
    pub fn len(&self, buffer: BufferId) -> usize {
        self.module.buffers[buffer.index()].len
    }

    /// Ring length.
    pub fn slots(&self, buffer: BufferId) -> usize {
        self.module.slots(buffer)
    }

    /// Where a buffer is read, without slot and element.
    pub fn read(&self, buffer: BufferId) -> &TokenStream {
        &self.places[buffer.index()].0
    }

    /// Where a buffer is written, without slot and element.
    pub fn write(&self, buffer: BufferId) -> &TokenStream {
        &self.places[buffer.index()].1
    }

    /// Whether a field is kept on the heap.
    pub fn on_heap(&self, buffer: BufferId) -> bool {
        self.len(buffer) * self.slots(buffer) > HEAP
    }

    /// The type of a field.
    pub fn kind(&self, buffer: BufferId) -> TokenStream {
        let real = if self.is_flag(buffer) { ident("bool") } else { real(self.module.precision) };
        let (len, slots) = (whole(self.len(buffer)), whole(self.slots(buffer)));
        let array = match (self.len(buffer), self.is_ring(buffer)) {
            (1, false) => quote!(#real),
            (_, false) => quote!([#real; #len]),
            (1, true) => quote!([#real; #slots]),
            (_, true) => quote!([[#real; #len]; #slots]),
        };
        if self.on_heap(buffer) { quote!(Box<#array>) } else { array }
    }

    /// Whether a buffer holds truth values.
    pub fn is_flag(&self, buffer: BufferId) -> bool {
        self.flags && matches!(self.module.buffers[buffer.index()].role, BufferRole::Event(_))
    }

    /// Whether the value that a field starts from is the default of its type.
    fn starts_from_default(&self, buffer: BufferId) -> bool {
        let zero = |value: f64| value == 0.0 && value.is_sign_positive();
        let found = self.module.initial.iter().find(|i| i.0 == buffer).map(|i| &i.1);
        let zeros = match found {
            Some(Values::Uniform(value)) => zero(*value),
            Some(Values::Each(each)) => each.len() == 1 && zero(each[0]),
            None => true,
        };
        zeros && self.len(buffer) <= DEFAULT && self.slots(buffer) <= DEFAULT && !self.on_heap(buffer)
    }

    /// Whether a buffer has slots.
    pub fn is_ring(&self, buffer: BufferId) -> bool {
        matches!(self.module.buffers[buffer.index()].role, BufferRole::History(_))
    }

    /// The value that a field starts from.
    pub fn initial(&self, buffer: BufferId, constants: &mut Constants) -> TokenStream {
        let (precision, len, slots) = (self.module.precision, self.len(buffer), self.slots(buffer));
        let found = self.module.initial.iter().find(|i| i.0 == buffer).map(|i| &i.1);
        let uniform = match found {
            Some(Values::Uniform(value)) => Some(*value),
            Some(Values::Each(each)) if each.len() == 1 => Some(each[0]),
            Some(Values::Each(_)) => None,
            None => Some(0.0),
        };
        let element = match uniform {
            Some(_) if self.is_flag(buffer) => quote!(false),
            Some(value) => number(value, precision),
            None => {
                let list = constants.numbers(
                    &format!("{}_0", self.names.of(buffer)),
                    &mut (0..len).map(|i| found.map_or(0.0, |f| f.at(i))),
                    len,
                );
                let name = &list.name;
                if len <= LONGEST && !self.is_ring(buffer) && !self.on_heap(buffer) {
                    return quote!(#name);
                }
                list.number(&quote!(#name[i]))
            }
        };
        let (len_token, slots_token) = (whole(len), whole(slots));
        let each = uniform.is_none();
        match (self.on_heap(buffer), self.is_ring(buffer), len) {
            (false, false, 1) => element,
            (false, false, _) if !each => quote!([#element; #len_token]),
            (false, true, 1) => quote!([#element; #slots_token]),
            (false, true, _) if !each => quote!([[#element; #len_token]; #slots_token]),
            (false, false, _) => quote!(core::array::from_fn(|i| #element)),
            (false, true, _) => quote!([core::array::from_fn(|i| #element); #slots_token]),
            (true, false, _) if !each => quote!(boxed(|_| #element)),
            (true, false, _) => quote!(boxed(|i| #element)),
            (true, true, 1) => quote!(boxed(|_| #element)),
            (true, true, _) if !each => quote!(slots(|_| #element)),
            (true, true, _) => quote!(slots(|i| #element)),
        }
    }
}

/// Whether a kernel reads what had an event as a number.
fn computes_with_events(module: &Module) -> bool {
    let event = |buffer: &BufferId| matches!(module.buffers[buffer.index()].role, BufferRole::Event(_));
    module.kernels.iter().any(|kernel| match &kernel.body {
        Body::Pointwise(body) => body.iter().any(|stmt| match stmt {
            Stmt::Let(_, ValueOp::Load { buffer, .. } | ValueOp::Past { buffer, .. }) => event(buffer),
            _ => false,
        }),
        Body::Take { source, target, .. }
        | Body::Couple { source, target, .. }
        | Body::Convolve { source, target, .. } => event(source) || event(target),
        Body::CouplePast { history, current, target, .. } => {
            event(history) || current.iter().any(event) || event(target)
        }
        Body::Deliver { spikes, factor, target, .. } => event(spikes) || factor.iter().any(event) || event(target),
    })
}

/// A struct with the fields of some buffers, and its starting values.
pub(super) struct Struct<'a> {
    pub name: Ident,
    pub doc: &'a str,
    pub public: bool,
    pub buffers: &'a [BufferId],
}

impl Struct<'_> {
    /// Its definition.
    pub fn items(&self, fields: &Fields<'_>, interface: &Interface<'_>, constants: &mut Constants) -> TokenStream {
        let (name, doc) = (&self.name, self.doc);
        let visible = if self.public { quote!(pub) } else { quote!() };
        let members = self.buffers.iter().map(|buffer| {
            let (field, kind) = (fields.names.of(*buffer), fields.kind(*buffer));
            let doc = self.public.then(|| describe(fields, interface.note(*buffer), *buffer));
            let doc = doc.map(|doc| quote!(#[doc = #doc]));
            quote!(#doc #visible #field: #kind)
        });
        let members: Vec<TokenStream> = members.collect();
        let initial = self.buffers.iter().map(|buffer| {
            let (field, value) = (fields.names.of(*buffer), fields.initial(*buffer, constants));
            quote!(#field: #value)
        });
        let initial: Vec<TokenStream> = initial.collect();
        let derived = self.buffers.iter().all(|buffer| fields.starts_from_default(*buffer));
        let (default, written) = default(name, derived, &initial);
        quote! {
            #[doc = #doc]
            #[derive(Clone, Debug, #default PartialEq)]
            #visible struct #name {
                #(#members,)*
            }

            #written
        }
    }
}

/// The trait `Default` of a struct: derived, or written with the values of its members.
pub(super) fn default(name: &Ident, derived: bool, members: &[TokenStream]) -> (TokenStream, TokenStream) {
    if derived {
        return (quote!(Default,), TokenStream::new());
    }
    let written = quote! {
        impl Default for #name {
            fn default() -> #name {
                #name { #(#members,)* }
            }
        }
    };
    (TokenStream::new(), written)
}

/// The longest array that has a default.
pub(super) const DEFAULT: usize = 32;

/// What a field is, for people.
fn describe(fields: &Fields<'_>, note: Option<&Note>, buffer: BufferId) -> String {
    let path = &fields.module.buffers[buffer.index()].name;
    let path = path.split("<-").next().unwrap_or(path);
    let mut text = format!(" `{path}`");
    let Some(note) = note else { return text + "." };
    if let Some(unit) = &note.unit {
        text.push_str(&format!(" in {}", prose(unit)));
    }
    if let Some(description) = &note.description {
        text.push_str(&format!(": {}", prose(description.trim_end_matches('.'))));
    }
    text.push('.');
    if !note.elements.is_empty() {
        text.push_str(&format!(" Elements: {}.", note.elements.join(", ")));
    }
    text
}

/// A text in documentation: words that are names, or would be taken for marks, in backticks.
pub(super) fn prose(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches(|c: char| matches!(c, ',' | ';' | ':' | '.' | '(' | ')'));
        let count = |of: fn(char) -> bool| bare.chars().filter(|c| of(*c)).count();
        let name = bare.contains(['_', '*', '[', ']', '<', '>', '#'])
            || count(char::is_uppercase) > 1 && count(char::is_lowercase) > 0;
        if name && !bare.contains('`') { word.replacen(bare, &format!("`{bare}`"), 1) } else { word.to_string() }
    };
    text.split_whitespace().map(word).collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_descriptions_are_set_apart() {
        assert_eq!(prose("times tau_a, in MOhm (see [1])."), "times `tau_a`, in `MOhm` (see `[1]`).");
        assert_eq!(prose("rate in 1/s of EEG"), "rate in 1/s of EEG");
    }
}
