//! The kernels of a phase as statements: element functions called for every element, takes, couplings.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::constants::Constants;
use super::couple::{couple, couple_by_list, deliver};
use super::element::{Argument, Element, element, number, whole};
use super::fields::Fields;
use super::names::ident;
use super::spelling::Prelude;
use crate::kernel::ir::{Body, BufferId, Index, Kernel, Precision};

/// Elements that a loop handles at a time: enough for eight vectors of 512 bits in single precision, four in double.
pub(super) const BLOCK: usize = 32;

/// What printing adds besides the statements.
pub(super) struct Output<'a> {
    pub prelude: &'a mut Prelude,
    pub constants: &'a mut Constants,
    /// Element functions.
    pub functions: &'a mut TokenStream,
}

/// The statements of a phase, and what they need to be given.
pub(super) struct Phase {
    pub code: TokenStream,
    pub time: bool,
    pub step_size: bool,
    /// Number of the step, for slots of histories.
    pub step: bool,
    /// The element functions of its kernels, if all are straight-line code.
    pub elements: Option<Vec<(Ident, Element)>>,
}

/// Prints the kernels of a phase.
pub(super) fn phase(
    fields: &Fields<'_>,
    name: &str,
    kernels: &[usize],
    comments: &dyn Fn(BufferId) -> Option<String>,
    out: &mut Output<'_>,
) -> Phase {
    let mut phase =
        Phase { code: TokenStream::new(), time: false, step_size: false, step: false, elements: Some(Vec::new()) };
    for (position, index) in kernels.iter().enumerate() {
        let kernel = &fields.module.kernels[*index];
        match &kernel.body {
            Body::Pointwise(body) => {
                let function = ident(&element_name(&kernel_place(name, kernels.len(), position)));
                let named = fields.module.named_in(*index);
                let printed = element(fields.module, &function, (body, named), &fields.names, comments, out.prelude);
                let size = kernel.extent;
                let doc = if size == 1 { String::new() } else { format!(" For each of {size} elements.") };
                let item = &printed.item;
                out.functions.extend(if doc.is_empty() { quote!(#item) } else { quote!(#[doc = #doc] #item) });
                for (argument, _) in &printed.arguments {
                    phase.time |= *argument == Argument::Time;
                    phase.step_size |= *argument == Argument::StepSize;
                    phase.step |= matches!(argument, Argument::Past(..));
                }
                phase.step |= printed.stores.iter().any(|b| fields.is_ring(*b));
                if phase.step {
                    out.prelude.add("slot");
                }
                phase.code.extend(pointwise(fields, kernel, &function, &printed));
                if let Some(elements) = &mut phase.elements {
                    elements.push((function, printed));
                }
            }
            Body::Take { table, source, target } => {
                phase.elements = None;
                let table = &fields.module.tables[*table];
                let table = out.constants.indices(&kernel_name(kernel), table);
                let (name, from) = (&table.name, table.index(&quote!(from)));
                let (source, target) = (as_slice(fields, *source), as_slice_mut(fields, *target));
                phase.code.extend(quote! {
                    for (target, &from) in #target.iter_mut().zip(#name.iter()) {
                        *target = #source[#from];
                    }
                });
            }
            Body::Couple { connection, source, target } => {
                phase.elements = None;
                phase.code.extend(couple(fields, kernel, *connection, (*source, *target), out));
            }
            Body::Convolve { .. } => unreachable!("the target has lists of connections instead"),
            Body::CouplePast { connection, history, current, target } => {
                phase.elements = None;
                phase.step = true;
                out.prelude.add("slot");
                let place = fields.read(*history);
                let ring = whole(fields.slots(*history));
                let scalar = fields.len(*history) == 1;
                let past = |from: &TokenStream, delay: &TokenStream| {
                    let slot = quote!(#place[slot(step, (#delay) as u64, #ring)]);
                    if scalar { slot } else { quote!(#slot[#from]) }
                };
                let value = |from: &TokenStream, delay: &TokenStream| match current {
                    None => past(from, delay),
                    Some(current) => {
                        let (now, then) = (as_slice(fields, *current), past(from, delay));
                        quote!(if (#delay) == 0 { #now[#from] } else { #then })
                    }
                };
                let connection = &fields.module.connections[*connection];
                phase.code.extend(couple_by_list(fields, kernel, connection, *target, &value, out));
            }
            Body::Deliver { fanout, spikes, factor, target } => {
                phase.elements = None;
                let places = (*spikes, *factor, *target);
                phase.code.extend(deliver(fields, kernel, *fanout, places, out));
            }
        }
    }
    phase
}

/// The place of one of the kernels of a phase.
pub(super) fn kernel_place(phase: &str, kernels: usize, position: usize) -> String {
    if kernels == 1 { phase.to_string() } else { format!("{phase}_{position}") }
}

/// The function that computes one element of the kernel at a place.
pub(super) fn element_name(place: &str) -> String {
    format!("{place}_element")
}

/// What constants of a kernel are called after.
pub(super) fn kernel_name(kernel: &Kernel) -> String {
    kernel.name.split(" #").next().unwrap_or(&kernel.name).to_string()
}

/// A buffer of any length as a slice.
pub(super) fn as_slice(fields: &Fields<'_>, buffer: BufferId) -> TokenStream {
    let place = fields.read(buffer);
    if fields.len(buffer) == 1 { quote!(core::slice::from_ref(&#place)) } else { quote!(#place) }
}

pub(super) fn as_slice_mut(fields: &Fields<'_>, buffer: BufferId) -> TokenStream {
    let place = fields.write(buffer);
    if fields.len(buffer) == 1 { quote!(core::slice::from_mut(&mut #place)) } else { quote!(#place) }
}

/// Calls an element function for every element.
fn pointwise(fields: &Fields<'_>, kernel: &Kernel, function: &Ident, element: &Element) -> TokenStream {
    let stores: Vec<TokenStream> = element.stores.iter().map(|b| slot_written(fields, *b)).collect();
    if kernel.extent == 1 {
        let given = element.arguments.iter().map(|(a, _)| argument(fields, *a, None));
        return store(fields, element, &stores, &quote!(#function(#(#given),*)));
    }
    let block = match fields.module.precision {
        _ if kernel.extent < BLOCK => 8,
        Precision::F64 => BLOCK,
        Precision::F32 => 2 * BLOCK,
    };
    let split = kernel.extent / block * block;
    let mut code = TokenStream::new();
    if split > 0 {
        let zero = number(0.0, fields.module.precision);
        let block = whole(block);
        let mut slices = TokenStream::new();
        let mut given = Vec::new();
        for (wanted, name) in &element.arguments {
            match per_element(*wanted) {
                Some(place) if fields.len(place) > 1 => {
                    let slice = ident(&format!("{name}_block"));
                    let place = slot_read(fields, *wanted);
                    slices.extend(quote!(let #slice = &#place[first..first + #block];));
                    given.push(quote!(#slice[i]));
                }
                _ => given.push(argument(fields, *wanted, None)),
            }
        }
        let results: Vec<Ident> = (0..stores.len()).map(|i| ident(&format!("out_{i}"))).collect();
        let split = whole(split);
        let kept = element.stores.iter().zip(&stores).zip(&results).map(|((buffer, place), result)| {
            if fields.is_flag(*buffer) {
                quote! {
                    for (flag, out) in #place[first..first + #block].iter_mut().zip(&#result) {
                        *flag = *out != 0.0;
                    }
                }
            } else {
                quote!(#place[first..first + #block].copy_from_slice(&#result);)
            }
        });
        // What reads no array is the same for all elements.
        let computed = if slices.is_empty() {
            quote! {
                let [#(#results),*] = #function(#(#given),*);
                #(let #results = [#results; #block];)*
            }
        } else {
            quote! {
                #slices
                #(let mut #results = [#zero; #block];)*
                for i in 0..#block {
                    [#(#results[i]),*] = #function(#(#given),*);
                }
            }
        };
        code.extend(quote! {
            for first in (0..#split).step_by(#block) {
                #computed
                #(#kept)*
            }
        });
    }
    if split < kernel.extent {
        let (from, to) = (whole(split), whole(kernel.extent));
        let at = quote!([at]);
        let given = element.arguments.iter().map(|(a, _)| argument(fields, *a, Some(&at)));
        let stores: Vec<TokenStream> = stores.iter().map(|place| quote!(#place[at])).collect();
        let stored = store(fields, element, &stores, &quote!(#function(#(#given),*)));
        code.extend(quote! {
            for at in #from..#to {
                #stored
            }
        });
    }
    code
}

/// Stores what an element function returns.
fn store(fields: &Fields<'_>, element: &Element, stores: &[TokenStream], call: &TokenStream) -> TokenStream {
    if !element.stores.iter().any(|b| fields.is_flag(*b)) {
        return quote!([#(#stores),*] = #call;);
    }
    let results: Vec<Ident> = (0..stores.len()).map(|i| ident(&format!("out_{i}"))).collect();
    let stored = element.stores.iter().zip(stores).zip(&results).map(|((buffer, place), result)| {
        if fields.is_flag(*buffer) { quote!(#place = #result != 0.0;) } else { quote!(#place = #result;) }
    });
    quote! {
        let [#(#results),*] = #call;
        #(#stored)*
    }
}

/// The buffer that an argument takes the kernel's element of.
fn per_element(argument: Argument) -> Option<BufferId> {
    match argument {
        Argument::Load(buffer, Index::Element) | Argument::Past(buffer, Index::Element, _) => Some(buffer),
        _ => None,
    }
}

/// The current slot of a buffer that is written.
fn slot_written(fields: &Fields<'_>, buffer: BufferId) -> TokenStream {
    let place = fields.write(buffer);
    if !fields.is_ring(buffer) {
        return quote!(#place);
    }
    let ring = whole(fields.slots(buffer) as u64);
    quote!(#place[slot(step, 0, #ring)])
}

/// The slot that an argument is read from.
fn slot_read(fields: &Fields<'_>, argument: Argument) -> TokenStream {
    match argument {
        Argument::Load(buffer, _) => {
            let place = fields.read(buffer);
            quote!(#place)
        }
        Argument::Past(buffer, _, steps) => {
            let place = fields.read(buffer);
            let ring = whole(fields.slots(buffer) as u64);
            let steps = whole(u64::from(steps));
            quote!(#place[slot(step, #steps, #ring)])
        }
        Argument::Time | Argument::StepSize => unreachable!("called for what is in buffers"),
    }
}

/// An argument of an element function; `at` is the subscript of the element.
fn argument(fields: &Fields<'_>, argument: Argument, at: Option<&TokenStream>) -> TokenStream {
    match argument {
        Argument::Time => quote!(t),
        Argument::StepSize => quote!(dt),
        Argument::Load(buffer, _) | Argument::Past(buffer, ..) => {
            let place = slot_read(fields, argument);
            let at = at.filter(|_| per_element(argument).is_some() && fields.len(buffer) > 1);
            quote!(#place #at)
        }
    }
}
