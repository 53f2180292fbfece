//! The trait by which the runtime drives a model.

use nullcline_runtime::artifact::Role;
use proc_macro2::TokenStream;
use quote::quote;

use super::Interface;
use super::element::{real, whole};
use super::fields::Fields;
use super::model::Parts;
use super::names::ident;
use crate::kernel::ir::{BufferId, Precision};

/// `impl Executable for Model`, and the simulation of a model.
pub(super) fn items(
    interface: &Interface<'_>,
    fields: &Fields<'_>,
    parts: &Parts,
    remembers: bool,
    runtime: &TokenStream,
) -> TokenStream {
    let module = fields.module;
    let real = real(module.precision);
    let (flags, all): (Vec<BufferId>, Vec<BufferId>) =
        (0..module.buffers.len() as u32).map(BufferId).partition(|b| fields.is_flag(*b));
    // Flags are no numbers until somebody reads them.
    let read_flags = flags.iter().map(|buffer| {
        let (index, place) = (whole(buffer.index()), fields.read(*buffer));
        let truth = quote!(f64::from(u8::from(*flag)));
        let values = if fields.len(*buffer) == 1 { quote!(core::iter::once(&#place)) } else { quote!(#place.iter()) };
        quote! {
            if buffer == #index {
                out.clear();
                out.extend(#values.map(|flag| #truth));
                return Ok(());
            }
        }
    });
    let read_flags: Vec<TokenStream> = read_flags.collect();
    let write_flags = flags.iter().map(|buffer| {
        let (index, place) = (whole(buffer.index()), fields.read(*buffer));
        let flags =
            if fields.len(*buffer) == 1 { quote!(core::iter::once(&mut #place)) } else { quote!(#place.iter_mut()) };
        quote! {
            if buffer == #index {
                for (flag, value) in #flags.skip(first).zip(values) {
                    *flag = *value != 0.0;
                }
                return Ok(());
            }
        }
    });
    let write_flags: Vec<TokenStream> = write_flags.collect();
    let slice = |buffer: &BufferId, mutable: bool| {
        let (index, place) = (whole(buffer.index()), fields.read(*buffer));
        let value = match (fields.len(*buffer), fields.is_ring(*buffer), mutable) {
            (1, false, false) => quote!(core::slice::from_ref(&#place)),
            (1, false, true) => quote!(core::slice::from_mut(&mut #place)),
            (1, true, false) | (_, false, false) => quote!(#place.as_slice()),
            (1, true, true) | (_, false, true) => quote!(#place.as_mut_slice()),
            (_, true, false) => quote!(#place.as_flattened()),
            (_, true, true) => quote!(#place.as_flattened_mut()),
        };
        quote!(#index => #value,)
    };
    let (read, write): (Vec<_>, Vec<_>) = all.iter().map(|b| (slice(b, false), slice(b, true))).unzip();
    let (widen, narrow) = match module.precision {
        Precision::F64 => (quote!(out.extend_from_slice(elements)), quote!(*to = *from)),
        Precision::F32 => (quote!(out.extend(elements.iter().copied().map(f64::from))), quote!(*to = *from as f32)),
    };
    let driven = if parts.random { quote!(self.driven = true;) } else { quote!() };
    let observes = !interface.recorded.is_empty();
    let remember = remembers.then(|| {
        quote! {
            Phase::Remember => {
                dispatch(Job { model: self, task: Task::Remember { slot: step, dt } });
            }
        }
    });
    let observe = observes.then(|| {
        quote! {
            Phase::Observe => {
                let rows = &mut [Outputs::default()];
                dispatch(Job { model: self, task: Task::Record { rows, count: 1, every: 0 } });
            }
        }
    });
    let nothing = match (remembers, observes) {
        (true, true) => quote!(),
        (true, false) => quote!(Phase::Observe => {}),
        (false, true) => quote!(Phase::Remember => {}),
        (false, false) => quote!(Phase::Remember | Phase::Observe => {}),
    };
    let advance = (module.inputs.is_empty() && module.randoms.is_empty()).then(|| {
        quote! {
            fn advance(&mut self, first: u64, count: u64, dt: f64, _: &Feeds) -> Result<(), DeviceError> {
                (self.step, self.dt) = (first, dt);
                dispatch(Job { model: self, task: Task::Record { rows: &mut [], count: 1, every: count } });
                Ok(())
            }
        }
    });
    let feeds = advance.is_some().then(|| quote!(use #runtime::artifact::Feeds;));
    let layout = layout(interface, fields, runtime);
    quote! {
        use #runtime::artifact::{DeviceError, Executable, Phase};
        #feeds

        impl Model {
            /// The elements of a buffer of the layout, slot after slot.
            fn elements(&self, buffer: usize) -> Result<&[#real], DeviceError> {
                Ok(match buffer {
                    #(#read)*
                    _ => return Err(DeviceError(format!("there is no buffer {buffer}"))),
                })
            }

            fn elements_mut(&mut self, buffer: usize) -> Result<&mut [#real], DeviceError> {
                Ok(match buffer {
                    #(#write)*
                    _ => return Err(DeviceError(format!("there is no buffer {buffer}"))),
                })
            }
        }

        impl Executable for Model {
            fn engine(&self) -> &'static str {
                "rust"
            }

            fn device(&self) -> &'static str {
                "cpu"
            }

            fn write(&mut self, buffer: usize, first: usize, values: &[f64]) -> Result<(), DeviceError> {
                #(#write_flags)*
                let elements = self.elements_mut(buffer)?.get_mut(first..first + values.len());
                let Some(elements) = elements else {
                    let count = values.len();
                    return Err(DeviceError(format!("{count} values do not fit buffer {buffer} from {first} on")));
                };
                for (to, from) in elements.iter_mut().zip(values) {
                    #narrow;
                }
                Ok(())
            }

            fn read(&self, buffer: usize, out: &mut Vec<f64>) -> Result<(), DeviceError> {
                #(#read_flags)*
                let elements = self.elements(buffer)?;
                out.clear();
                #widen;
                Ok(())
            }

            fn run(&mut self, phase: Phase, step: u64, dt: f64) -> Result<(), DeviceError> {
                #driven
                (self.step, self.dt) = (step, dt);
                match phase {
                    Phase::Setup => {
                        dispatch(Job { model: self, task: Task::Setup });
                    }
                    #remember
                    Phase::Step => {
                        dispatch(Job { model: self, task: Task::Record { rows: &mut [], count: 1, every: 1 } });
                    }
                    #observe
                    #nothing
                }
                Ok(())
            }

            #advance
        }

        #layout
    }
}

fn layout(interface: &Interface<'_>, fields: &Fields<'_>, runtime: &TokenStream) -> TokenStream {
    let layout = fields.module.layout();
    let buffers = layout.buffers.iter().map(|buffer| {
        let (name, role) = (&buffer.name, ident(role(buffer.role)));
        let (len, slots) = (whole(buffer.len), whole(buffer.slots));
        quote!(Buffer { name: #name.to_string(), role: Role::#role, len: #len, slots: #slots })
    });
    let feeds = layout.feeds.iter().map(|feed| {
        let (buffer, series) = (whole(feed.buffer), whole(feed.series));
        let column = |column: &Option<u32>| match column {
            Some(column) => {
                let column = whole(*column);
                quote!(Some(#column))
            }
            None => quote!(None),
        };
        let columns = match &feed.columns[..] {
            all if all.iter().all(|c| *c == all[0]) => {
                let (one, count) = (column(&all[0]), whole(all.len()));
                quote!(vec![#one; #count])
            }
            all => {
                let all = all.iter().map(column);
                quote!(vec![#(#all),*])
            }
        };
        quote!(Feed { buffer: #buffer, series: #series, columns: #columns })
    });
    let randoms = layout.randoms.iter().map(|random| {
        let (buffer, site) = (whole(random.buffer), whole(random.site));
        let (part, first) = (whole(random.part), random.units.first().copied().unwrap_or(0));
        let units = if random.units.iter().enumerate().all(|(i, u)| *u == first + i as u32) {
            let (from, to) = (whole(first), whole(first + random.units.len() as u32));
            quote!((#from..#to).collect())
        } else {
            let units = random.units.iter().map(|u| whole(*u));
            quote!([#(#units),*].into())
        };
        quote!(RandomFeed { buffer: #buffer, site: #site, part: #part, units: #units })
    });
    let (feeds, randoms): (Vec<_>, Vec<_>) = (feeds.collect(), randoms.collect());
    let mut imports = vec![quote!(Buffer), quote!(Layout), quote!(Role)];
    if !feeds.is_empty() {
        imports.push(quote!(Feed));
    }
    if !randoms.is_empty() {
        imports.push(quote!(RandomFeed));
    }
    let events = layout.events.iter().map(|event| {
        let [buffer, first, count, unit] = [event.buffer, event.first, event.count, event.unit].map(whole);
        let delay = whole(event.delay);
        quote!(EventBuffer { buffer: #buffer, first: #first, count: #count, unit: #unit, delay: #delay })
    });
    let events: Vec<TokenStream> = events.collect();
    if !events.is_empty() {
        imports.push(quote!(EventBuffer));
    }
    let labels = interface.events.iter().map(|event| {
        let (name, group) = (&event.name, &event.group);
        quote!(Label::new(#name).in_group(#group))
    });
    let with_events = (!events.is_empty()).then(|| quote!(.with_events(vec![#(#labels),*])));
    let label = !interface.events.is_empty() || !interface.recorded.is_empty();
    let label = label.then(|| quote!(use #runtime::observe::Label;));
    let columns = interface.recorded.iter().flat_map(|recorded| {
        let group = &recorded.name;
        let unit = recorded.unit.as_ref().map(|unit| quote!(.with_unit(#unit)));
        recorded.columns.iter().zip(&recorded.places).map(move |(name, (buffer, element))| {
            let (buffer, element) = (whole(buffer.index()), whole(*element));
            quote! {
                Column { label: Label::new(#name).in_group(#group)#unit, buffer: #buffer, element: #element }
            }
        })
    });
    let column = (!interface.recorded.is_empty()).then(|| quote!(Column,));
    let series = (0..layout.feeds.iter().map(|f| f.series + 1).max().unwrap_or(0)).map(|index| {
        let feeds = || layout.feeds.iter().filter(|f| f.series == index);
        let columns = feeds().flat_map(|f| f.columns.iter().flatten()).map(|c| c + 1).max().unwrap_or(0);
        let values = (0..columns).map(|column| {
            let found = feeds().find_map(|f| {
                let element = f.columns.iter().position(|c| *c == Some(column))?;
                let (place, at) = (fields.read(BufferId(f.buffer as u32)), whole(element));
                let scalar = fields.len(BufferId(f.buffer as u32)) == 1;
                Some(if scalar { quote!(#place) } else { quote!(#place[#at]) })
            });
            match (found, fields.module.precision) {
                (None, _) => quote!(0.0),
                (Some(place), Precision::F64) => place,
                (Some(place), Precision::F32) => quote!(f64::from(#place)),
            }
        });
        let columns = whole(columns as usize);
        quote!(Arc::new(Samples { columns: #columns, data: vec![#(#values),*] }))
    });
    let series: Vec<TokenStream> = series.collect();
    let (series_use, series_made, series_given) = if series.is_empty() {
        Default::default()
    } else {
        (
            quote!(use #runtime::artifact::Samples; use std::sync::Arc;),
            quote!(let series = vec![#(#series),*];),
            quote!(.with_series(series)),
        )
    };
    let zero = if interface.zero_history { quote!(Zero) } else { quote!(Initial) };
    let seed = if layout.randoms.is_empty() { quote!() } else { quote!(.with_seed(seed)) };
    let get_seed = if layout.randoms.is_empty() { quote!() } else { quote!(let seed = self.seed;) };
    let name = &layout.name;
    let passes = whole(layout.history_passes);
    quote! {
        use #runtime::artifact::{#(#imports),*};
        #label
        use #runtime::sim::{#column PreHistory, Simulation};
        #series_use

        impl Model {
            /// The buffers of the model, as the runtime addresses them.
            #[must_use]
            pub fn layout() -> Layout {
                Layout {
                    name: #name.to_string(),
                    buffers: vec![#(#buffers),*],
                    feeds: vec![#(#feeds),*],
                    randoms: vec![#(#randoms),*],
                    events: vec![#(#events),*],
                    history_passes: #passes,
                }
            }

            /// The model as a simulation, which records to sinks; its inputs keep their values unless it is given series of
            /// samples.
            #[must_use]
            pub fn simulation(self) -> Simulation {
                let dt = self.dt;
                #get_seed
                #series_made
                let columns = vec![#(#columns),*];
                Simulation::new(Box::new(self), Model::layout(), dt, columns)
                    .with_pre_history(PreHistory::#zero)
                    #with_events
                    #seed
                    #series_given
            }
        }
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::State => "State",
        Role::Parameter => "Parameter",
        Role::Input => "Input",
        Role::History => "History",
        Role::Observed => "Observed",
        Role::Event => "Event",
        Role::Internal => "Internal",
    }
}
