//! The recorded spikes of a model: what had an event in the last step.

use proc_macro2::TokenStream;
use quote::quote;

use super::Interface;
use super::element::whole;
use super::fields::Fields;
use crate::kernel::ir::BufferId;

/// What the module exports besides the model, and the items; nothing for a model without recorded events.
pub(super) fn spikes(interface: &Interface<'_>, fields: &Fields<'_>) -> (TokenStream, TokenStream) {
    let events = interface.module.layout().events;
    if events.is_empty() {
        return Default::default();
    }
    let count = whole(events.len());
    let names = interface.events.iter().map(|event| &event.name);
    let doc = interface.events.iter().zip(&events).map(|(event, place)| match place.count {
        1 => format!(" `{}`", event.name),
        units => format!(" `{}` of {units} units", event.name),
    });
    let doc = format!(" Names of the recorded events:{}.", doc.collect::<Vec<String>>().join(","));
    let lists = events.iter().map(|event| {
        let buffer = BufferId(event.buffer as u32);
        let (place, first, end) = (fields.read(buffer), whole(event.first), whole(event.first + event.count));
        let flags = if fields.len(buffer) == 1 {
            quote!(core::slice::from_ref(&#place))
        } else {
            quote!(&#place[#first..#end])
        };
        let (unit, delay) = (whole(event.unit), whole(event.delay));
        quote!((#flags, #unit, #delay))
    });
    let flag = fields.is_flag(BufferId(events[0].buffer as u32));
    let (is_set, is_set_of) =
        if flag { (quote!(*flag), quote!(**flag)) } else { (quote!((*flag != 0.0)), quote!(**flag != 0.0)) };
    let items = quote! {
        /// A spike: an event of a unit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Spike {
            /// Index of the event in [`Model::EVENTS`].
            pub event: usize,
            /// The unit of the population.
            pub unit: u32,
            /// Steps done at its time, which is this number times the step size.
            pub step: u64,
        }

        impl Model {
            #[doc = #doc]
            pub const EVENTS: [&str; #count] = [#(#names),*];

            /// The spikes of the last step, by event, then unit.
            pub fn spikes(&self) -> impl Iterator<Item = Spike> + '_ {
                let begun = self.step.saturating_sub(1);
                let events = [#(#lists),*];
                events.into_iter().enumerate().flat_map(move |(event, (flags, first, delay))| {
                    // Few units spike in a step: most flags are passed over many at a time.
                    let parts = flags.chunks(64).zip((first..).step_by(64));
                    let some = parts.filter(|(flags, _)| flags.iter().fold(false, |any, flag| any | #is_set));
                    let units = some.flat_map(|(flags, first)| flags.iter().zip(first..));
                    let units = units.filter(|(flag, _)| #is_set_of);
                    units.map(move |(_, unit)| Spike { event, unit, step: begun + delay })
                })
            }

            /// Any number of steps; `each` is given every spike, by step, then event, then unit.
            pub fn run_spiking(&mut self, steps: u64, mut each: impl FnMut(Spike)) {
                for _ in 0..steps {
                    self.step();
                    self.spikes().for_each(&mut each);
                }
            }
        }
    };
    (quote!(Spike,), items)
}
