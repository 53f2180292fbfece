//! Many models side by side: members as lanes of vectors where a model is a handful of numbers, one after the other where
//! it has arrays of its own.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::quote;

use super::element::{Argument, number, real, whole};
use super::fields::Fields;
use super::kernels::BLOCK;
use super::model::{Parts, Phases};
use super::names::ident;
use crate::kernel::ir::{BufferId, Precision};

/// The method that runs many models.
pub(super) fn items(fields: &Fields<'_>, phases: &Phases, parts: &Parts) -> TokenStream {
    let scalar =
        (0..fields.module.buffers.len() as u32).map(BufferId).all(|b| fields.len(b) == 1 && !fields.is_ring(b));
    let lanes = phases.step.elements.as_ref().filter(|elements| scalar && !elements.is_empty());
    let Some(elements) = lanes else {
        return quote! {
            impl Model {
                /// Runs each of some models `steps` steps.
                pub fn run_batch(models: &mut [Model], steps: u64) {
                    for model in models {
                        model.run(steps);
                    }
                }
            }
        };
    };
    let precision = fields.module.precision;
    let (real, zero) = (real(precision), number(0.0, precision));
    let block = whole(if precision == Precision::F32 { 2 * BLOCK } else { BLOCK });
    let stored: Vec<BufferId> = elements.iter().flat_map(|(_, e)| e.stores.iter().copied()).collect();
    let mut held = stored.clone();
    for (argument, _) in elements.iter().flat_map(|(_, e)| &e.arguments) {
        if let Argument::Load(buffer, _) = argument {
            held.push(*buffer);
        }
    }
    held.sort_unstable();
    held.dedup();
    let lane = |buffer: BufferId| ident(&format!("{}_lanes", fields.names.of(buffer)));
    let (mut made, mut loaded, mut kept) = (TokenStream::new(), TokenStream::new(), TokenStream::new());
    for buffer in &held {
        let (name, place) = (lane(*buffer), of_model(fields.read(*buffer)));
        made.extend(quote!(let mut #name: [#real; #block] = [#zero; #block];));
        if fields.is_flag(*buffer) {
            kept.extend(quote!(#place = #name[i] != 0.0;));
            continue;
        }
        loaded.extend(quote!(#name[i] = #place;));
        if stored.contains(buffer) {
            kept.extend(quote!(#place = #name[i];));
        }
    }
    let single = precision == Precision::F32;
    let mut code = TokenStream::new();
    let mut random = TokenStream::new();
    for (buffer, source) in fields.module.randoms.iter().filter(|(b, _)| held.contains(b)) {
        let name = lane(*buffer);
        let (site, part) = (whole(source.site), whole(source.part));
        let unit = whole(source.units.first().copied().unwrap_or(0));
        let narrow = if single { quote!(as f32) } else { quote!() };
        random.extend(quote!(#name[i] = uniform_pair(seeds[i], #site, #unit, steps_done[i] + k)[#part] #narrow;));
    }
    let randomise = (!random.is_empty()).then(|| quote!(for i in 0..#block { #random }));
    let seeds = (!random.is_empty()).then(|| (quote!(let mut seeds = [0u64; #block];), quote!(seeds[i] = model.seed;)));
    let (seeds_made, seeds_loaded) = seeds.unwrap_or_default();
    for (function, element) in elements {
        let results: Vec<Ident> = (0..element.stores.len()).map(|i| ident(&format!("out_{i}"))).collect();
        let given = element.arguments.iter().map(|(argument, _)| match argument {
            Argument::Load(buffer, _) => {
                let name = lane(*buffer);
                quote!(#name[i])
            }
            Argument::Time if single => quote!(((steps_done[i] + k) as f64 * step_sizes[i]) as f32),
            Argument::Time => quote!((steps_done[i] + k) as f64 * step_sizes[i]),
            Argument::StepSize if single => quote!(step_sizes[i] as f32),
            Argument::StepSize => quote!(step_sizes[i]),
            Argument::Past(..) => unreachable!("a model with rings is not run in lanes"),
        });
        let back = element.stores.iter().zip(&results).map(|(buffer, result)| {
            let name = lane(*buffer);
            quote!(#name = #result;)
        });
        code.extend(quote! {
            #(let mut #results = [#zero; #block];)*
            for i in 0..#block {
                [#(#results[i]),*] = #function(#(#given),*);
            }
            #(#back)*
        });
    }
    let used = |wanted: Argument| elements.iter().flat_map(|(_, e)| &e.arguments).any(|(a, _)| *a == wanted);
    let (needs_time, needs_size) = (used(Argument::Time), used(Argument::StepSize));
    let sizes = match needs_time || needs_size {
        true => (quote!(let mut step_sizes = [0.0f64; #block];), quote!(step_sizes[i] = model.dt;)),
        false => Default::default(),
    };
    let numbered = needs_time || parts.random;
    let counts = match numbered {
        true => (quote!(let mut steps_done = [0u64; #block];), quote!(steps_done[i] = model.step;)),
        false => Default::default(),
    };
    let (sizes_made, sizes_loaded) = sizes;
    let (counts_made, counts_loaded) = counts;
    let k = if numbered { quote!(k) } else { quote!(_) };
    quote! {
        impl Model {
            /// Runs each of some models `steps` steps, many at a time; each gets the same numbers as by itself.
            pub fn run_batch(models: &mut [Model], steps: u64) {
                for model in models.iter_mut() {
                    model.prepare();
                }
                dispatch(Members { models, steps });
            }
        }

        /// Models to be run side by side.
        struct Members<'a> {
            models: &'a mut [Model],
            steps: u64,
        }

        impl Work for Members<'_> {
            #[inline(always)]
            fn run(self) {
                #made
                #sizes_made
                #counts_made
                #seeds_made
                for models in self.models.chunks_mut(#block) {
                    // The last one fills up what is left of a block.
                    for i in 0..#block {
                        let model = &models[i.min(models.len() - 1)];
                        #loaded
                        #sizes_loaded
                        #counts_loaded
                        #seeds_loaded
                    }
                    for #k in 0..self.steps {
                        #randomise
                        #code
                    }
                    for (i, model) in models.iter_mut().enumerate() {
                        #kept
                        model.step += self.steps;
                    }
                }
            }
        }
    }
}

/// A place of `self` as one of `model`.
fn of_model(place: &TokenStream) -> TokenStream {
    let replaced = place.clone().into_iter().map(|token| match token {
        TokenTree::Ident(name) if name == "self" => TokenTree::Ident(ident("model")),
        TokenTree::Group(group) => TokenTree::Group(Group::new(group.delimiter(), of_model(&group.stream()))),
        other => other,
    });
    replaced.collect()
}
