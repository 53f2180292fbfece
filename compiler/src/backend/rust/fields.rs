//! The structs of a model: which buffer is a field of which, and how an element of it is reached.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::constants::{Constants, LONGEST};
use super::element::{number, real};
use super::names::Names;
use super::{Interface, Note};
use crate::ir::system::Values;
use crate::kernel::ir::{BufferId, BufferRole, Module};

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
        Fields { module, names, places }
    }

    /// The fields of the module that computes derivatives, which shares with `run` what is no intermediate value. It reads
    /// states from an argument and writes to another.
    pub fn of_slopes(module: &'a Module, run: &Fields<'_>) -> Fields<'a> {
        let shared = |role: BufferRole| match role {
            BufferRole::Derived(_) | BufferRole::Scratch(_) => None,
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
        Fields { module, names: Names::from(names), places }
    }

    /// Buffers with this owner.
    pub fn owned(&self, owner: Owner) -> Vec<BufferId> {
        let all = (0..self.module.buffers.len() as u32).map(BufferId);
        all.filter(|b| Owner::of(self.module.buffers[b.index()].role) == owner).collect()
    }

    /// Buffers of the module of derivatives that no other struct has.
    pub fn owned_by_slopes(&self, run: &Fields<'_>) -> Vec<BufferId> {
        let all = (0..self.module.buffers.len() as u32).map(BufferId);
        let intermediate = |role| matches!(role, BufferRole::Derived(_) | BufferRole::Scratch(_));
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
        let real = real(self.module.precision);
        let (len, slots) = (Literal::usize_unsuffixed(self.len(buffer)), Literal::usize_unsuffixed(self.slots(buffer)));
        let array = match (self.len(buffer), self.is_ring(buffer)) {
            (1, false) => quote!(#real),
            (_, false) => quote!([#real; #len]),
            (1, true) => quote!([#real; #slots]),
            (_, true) => quote!([[#real; #len]; #slots]),
        };
        if self.on_heap(buffer) { quote!(Box<#array>) } else { array }
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
            Some(value) => number(value, precision),
            None => {
                let name = constants.numbers(
                    &format!("{}_0", self.names.of(buffer)),
                    &mut (0..len).map(|i| found.map_or(0.0, |f| f.at(i))),
                    len,
                );
                let at = constants.number_at(&name, len, &quote!(i));
                let simple = len <= LONGEST && !self.is_ring(buffer) && !self.on_heap(buffer);
                if simple {
                    return quote!(#name);
                }
                quote!((#at))
            }
        };
        let (len_token, slots_token) = (Literal::usize_unsuffixed(len), Literal::usize_unsuffixed(slots));
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
            (true, true, _) if !each => quote!(boxed(|_| [#element; #len_token])),
            (true, true, _) => quote!(boxed(|_| core::array::from_fn(|i| #element))),
        }
    }
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
        quote! {
            #[doc = #doc]
            #[derive(Clone, Debug, PartialEq)]
            #visible struct #name {
                #(#members,)*
            }

            impl Default for #name {
                fn default() -> #name {
                    #name { #(#initial,)* }
                }
            }
        }
    }
}

/// What a field is, for people.
fn describe(fields: &Fields<'_>, note: Option<&Note>, buffer: BufferId) -> String {
    let path = &fields.module.buffers[buffer.index()].name;
    let path = path.split("<-").next().unwrap_or(path);
    let mut text = format!(" `{path}`");
    let Some(note) = note else { return text + "." };
    if let Some(unit) = &note.unit {
        text.push_str(&format!(" in {unit}"));
    }
    if let Some(description) = &note.description {
        text.push_str(&format!(": {}", description.trim_end_matches('.')));
    }
    text.push('.');
    if !note.elements.is_empty() {
        text.push_str(&format!(" Elements: {}.", note.elements.join(", ")));
    }
    text
}
