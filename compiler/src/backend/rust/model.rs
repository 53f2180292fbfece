//! The struct `Model` and what it consists of.

use proc_macro2::TokenStream;
use quote::quote;

use super::constants::Constants;
use super::dispatch::dispatch;
use super::element::{number, real, whole};
use super::fields::{DEFAULT, Fields, Owner, Struct, default, prose};
use super::kernels::{Output, Phase, STEP, phase};
use super::names::{ident, shortest};
use super::phases::{derivative, phase_methods};
use super::random::random;
use super::spelling::Prelude;
use super::spikes::spikes;
use super::{Interface, Options, Recorded, Source, batch, executable};
use crate::kernel::ir::{BufferId, BufferRole, Precision};

/// The phases of a model, printed.
pub(super) struct Phases {
    pub setup: Phase,
    pub remember: Phase,
    pub step: Phase,
    pub observe: Phase,
}

/// Prints a model.
pub(super) fn source(interface: &Interface<'_>, options: &Options) -> Source {
    let module = interface.module;
    let fields = Fields::new(module);
    let slope_fields = Fields::of_slopes(interface.slopes, &fields);
    let mut constants = Constants::new(module.precision, options.long, &options.stem);
    let (mut prelude, mut functions) = (Prelude::default(), TokenStream::new());
    let mut out = Output { prelude: &mut prelude, constants: &mut constants, functions: &mut functions };

    let comments = |buffer: BufferId| interface.note(buffer).and_then(|n| n.equation.clone());
    let phases = Phases {
        setup: phase(&fields, "setup", &module.setup, &|_| None, &mut out),
        remember: phase(&fields, "remember", &module.remember, &comments, &mut out),
        step: phase(&fields, STEP, &module.step, &comments, &mut out),
        observe: phase(&fields, "observe", &module.observe, &comments, &mut out),
    };
    // States have the same indices in both modules.
    let slope_comments = |buffer: BufferId| {
        let role = interface.slopes.buffers[buffer.index()].role;
        module.buffer(role).filter(|_| matches!(role, BufferRole::State(_))).and_then(comments)
    };
    let slopes = [
        phase(&slope_fields, "slope_setup", &interface.slopes.setup, &|_| None, &mut out),
        phase(&slope_fields, "slope", &interface.slopes.step, &slope_comments, &mut out),
    ];
    for phase in [&phases.setup, &phases.remember, &phases.step, &phases.observe] {
        if phase.step {
            prelude.add("slot");
        }
    }

    let parts = Parts::new(&fields, &slope_fields);
    let structs = structs(interface, &fields, &slope_fields, &parts, &mut constants);
    let outputs = outputs(interface, &fields);
    let model = model(interface, options, &parts);
    let methods = methods();
    let phases_methods = phase_methods(interface, &fields, &parts, &phases);
    let derivative = derivative(&fields, slopes);
    let batch = batch::items(&fields, &phases, &parts);
    let executable = options.runtime.as_ref().filter(|_| options.std);
    let executable = executable
        .map(|runtime| executable::items(interface, &fields, &parts, !phases.remember.code.is_empty(), runtime));
    let dispatch = dispatch(options);
    let heap = heap(&fields, options.std);
    let random = (!module.randoms.is_empty()).then(|| random(interface, options, &fields));
    let prelude = prelude.items(module.precision, options.std);
    let (statics, files) = (constants.items, constants.files);
    let forbid = options.runtime.is_some().then(|| quote!(#[forbid(unsafe_code)]));
    let allowed = ALLOWED.iter().map(|lint| lint.parse::<TokenStream>().expect("a lint is a path"));
    let (spike, spikes) = spikes(interface, &fields);
    let items = quote! {
        #[allow(unused_imports)]
        pub use generated::{Inputs, Model, Outputs, Parameters, #spike State};

        #forbid
        #[allow(#(#allowed),*)]
        mod generated {
        #structs
        #outputs
        #model
        #methods
        #derivative
        #spikes
        #batch
        #phases_methods
        #functions
        #random
        #prelude
        #heap
        #dispatch
        #executable
        #statics
        }
    };
    Source { items, files }
}

/// Lints that generated code may offend, because names, numbers and sizes are those of the model.
const ALLOWED: &[&str] = &[
    // A program uses what it needs of a model.
    "dead_code",
    // Variables are called what the model calls them, as in `A` and `a`, `v_r` and `v_s`.
    "non_snake_case",
    "clippy::similar_names",
    "clippy::many_single_char_names",
    "clippy::struct_field_names",
    // Numbers are to be read back as they are; some happen to be near a constant of nature.
    "clippy::excessive_precision",
    "clippy::approx_constant",
    // Models compare numbers, and have conditions like `0 <= t and t < 5`; both sides are computed, so that no vector branches.
    "clippy::float_cmp",
    "clippy::manual_range_contains",
    "clippy::needless_bitwise_bool",
    // Step numbers become times, times become single precision, random bits are cut.
    "clippy::cast_precision_loss",
    "clippy::cast_possible_truncation",
    // Whether there was an event is a truth value of its own for each.
    "clippy::struct_excessive_bools",
    // A kernel is as large as the model, and is compiled for several instruction sets.
    "clippy::too_many_arguments",
    "clippy::too_many_lines",
    "clippy::inline_always",
    // Long arrays live on the heap.
    "clippy::unnecessary_box_returns",
];

/// Which structs a model has besides parameters and state.
pub(super) struct Parts {
    pub inputs: Vec<BufferId>,
    pub internal: Vec<BufferId>,
    pub past: Vec<BufferId>,
    pub slopes: Vec<BufferId>,
    pub random: bool,
}

impl Parts {
    fn new(fields: &Fields<'_>, slope_fields: &Fields<'_>) -> Parts {
        Parts {
            inputs: fields.owned(Owner::Inputs),
            internal: fields.owned(Owner::Internal),
            past: fields.owned(Owner::Past),
            slopes: slope_fields.owned_by_slopes(fields),
            random: !fields.module.randoms.is_empty(),
        }
    }
}

fn structs(
    interface: &Interface<'_>,
    fields: &Fields<'_>,
    slope_fields: &Fields<'_>,
    parts: &Parts,
    constants: &mut Constants,
) -> TokenStream {
    let (parameters, state) = (fields.owned(Owner::Parameters), fields.owned(Owner::State));
    let list = [
        ("Parameters", " What is constant during a run.", true, &parameters),
        ("State", " What the step changes.", true, &state),
        ("Inputs", " What drives the model from outside; constant over a step.", true, &parts.inputs),
        ("Internal", " What one part of a step passes to another.", false, &parts.internal),
        ("Past", " Rings of past values.", false, &parts.past),
    ];
    let mut items = TokenStream::new();
    for (name, doc, public, buffers) in list {
        if !buffers.is_empty() || public {
            items.extend(Struct { name: ident(name), doc, public, buffers }.items(fields, interface, constants));
        }
    }
    if !parts.slopes.is_empty() {
        let doc = " What one part of a derivative passes to another.";
        let part = Struct { name: ident("Slopes"), doc, public: false, buffers: &parts.slopes };
        items.extend(part.items(slope_fields, interface, constants));
    }
    items
}

/// The names of recorded quantities, as fields.
pub(super) fn recorded_names(recorded: &[Recorded]) -> Vec<proc_macro2::Ident> {
    let names: Vec<&str> = recorded.iter().map(|r| &*r.name).collect();
    shortest(&names).iter().map(|n| ident(n)).collect()
}

fn outputs(interface: &Interface<'_>, fields: &Fields<'_>) -> TokenStream {
    let real = real(fields.module.precision);
    let zero = number(0.0, fields.module.precision);
    let names = recorded_names(interface.recorded);
    let (mut members, mut zeros, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (recorded, name) in interface.recorded.iter().zip(&names) {
        let unit = recorded.unit.as_ref().map(|u| format!(" in {}", prose(u))).unwrap_or_default();
        let doc = match &recorded.columns[..] {
            [one] => format!(" `{one}`{unit}."),
            many => format!(" `{}`{unit}: {} values.", recorded.name, many.len()),
        };
        let count = whole(recorded.places.len());
        let place = |(buffer, element): &(BufferId, usize)| {
            let place = fields.read(*buffer);
            let at = whole(*element);
            if fields.len(*buffer) == 1 { quote!(#place) } else { quote!(#place[#at]) }
        };
        match &recorded.places[..] {
            [one] => {
                members.push(quote!(#[doc = #doc] pub #name: #real));
                zeros.push(quote!(#name: #zero));
                let value = place(one);
                values.push(quote!(#name: #value));
            }
            many => {
                members.push(quote!(#[doc = #doc] pub #name: [#real; #count]));
                zeros.push(quote!(#name: [#zero; #count]));
                let (buffer, first) = many[0];
                let run = many.iter().enumerate().all(|(i, p)| *p == (buffer, first + i));
                let value = if run && many.len() > 4 {
                    let (source, first) = (fields.read(buffer), whole(first));
                    if first.to_string() == "0" {
                        quote!(core::array::from_fn(|i| #source[i]))
                    } else {
                        quote!(core::array::from_fn(|i| #source[#first + i]))
                    }
                } else {
                    let each = many.iter().map(place);
                    quote!([#(#each),*])
                };
                values.push(quote!(#name: #value));
            }
        }
    }
    let derived = interface.recorded.iter().all(|r| r.places.len() <= DEFAULT);
    let (default, written) = default(&ident("Outputs"), derived, &zeros);
    let gathered = match values.is_empty() {
        true => quote!(),
        false => quote! {
            impl Model {
                /// What was observed last.
                #[inline(always)]
                fn gather(&self) -> Outputs {
                    Outputs { #(#values,)* }
                }
            }
        },
    };
    quote! {
        /// What is recorded.
        #[derive(Clone, Copy, Debug, #default PartialEq)]
        pub struct Outputs {
            #(#members,)*
        }

        #written

        #gathered
    }
}

fn model(interface: &Interface<'_>, options: &Options, parts: &Parts) -> TokenStream {
    let doc = interface.doc.iter().map(|d| format!(" {d}"));
    let seed = whole(interface.seed);
    let dt = number(interface.dt, Precision::F64);
    let member = |present: bool, name: &str, kind: &str, doc: &str| {
        let (name, kind) = (ident(name), ident(kind));
        present.then(|| (quote!(#[doc = #doc] #name: #kind), quote!(#name: #kind::default())))
    };
    let hidden = [
        member(!parts.internal.is_empty(), "internal", "Internal", " What one part of a step passes to another."),
        member(!parts.past.is_empty(), "past", "Past", " Rings of past values."),
        member(!parts.slopes.is_empty(), "slopes", "Slopes", " What one part of a derivative passes to another."),
    ];
    let hidden: Vec<_> = hidden.into_iter().flatten().collect();
    let (hidden, hidden_new): (Vec<_>, Vec<_>) = hidden.into_iter().unzip();
    let (seed_member, seed_new, seed_method) = if parts.random {
        let method = quote! {
            /// The same model with this seed of all random numbers.
            #[must_use]
            pub fn with_seed(mut self, seed: u64) -> Model {
                self.seed = seed;
                self
            }
        };
        (quote!(/** Seed of all random numbers. */ seed: u64,), quote!(seed: #seed,), method)
    } else {
        Default::default()
    };
    let dt_method = parts.past.is_empty().then(|| {
        quote! {
            /// The same model with this step size.
            #[must_use]
            pub fn with_dt(mut self, dt: f64) -> Model {
                self.dt = dt;
                self.stale = true;
                self
            }
        }
    });
    // Only the runtime drives a model from outside.
    let (driven_member, driven_new) = if parts.random && options.runtime.is_some() && options.std {
        (quote!(/** Whether the runtime provides random numbers. */ driven: bool,), quote!(driven: false,))
    } else {
        Default::default()
    };
    quote! {
        #(#[doc = #doc])*
        #[derive(Clone, Debug)]
        pub struct Model {
            /// The state after the steps done so far.
            pub state: State,
            /// What drives the model, until it is changed.
            pub inputs: Inputs,
            parameters: Parameters,
            #(#hidden,)*
            #seed_member
            dt: f64,
            /// Steps done.
            step: u64,
            /// Whether what depends on parameters is out of date.
            stale: bool,
            /// Whether pre-histories are filled.
            started: bool,
            #driven_member
        }

        impl Default for Model {
            fn default() -> Model {
                Model::new(Parameters::default())
            }
        }

        impl Model {
            /// The step size that the model was made for.
            pub const DT: f64 = #dt;

            /// A model at time 0, with these parameters.
            #[must_use]
            pub fn new(parameters: Parameters) -> Model {
                Model {
                    state: State::default(),
                    inputs: Inputs::default(),
                    parameters,
                    #(#hidden_new,)*
                    #seed_new
                    dt: Model::DT,
                    step: 0,
                    stale: true,
                    started: false,
                    #driven_new
                }
            }

            #seed_method
            #dt_method
        }
    }
}

fn methods() -> TokenStream {
    quote! {
        impl Model {
            /// The parameters.
            #[must_use]
            pub fn parameters(&self) -> &Parameters {
                &self.parameters
            }

            /// The parameters, to change them; the next step computes anew what depends on them.
            pub fn parameters_mut(&mut self) -> &mut Parameters {
                self.stale = true;
                &mut self.parameters
            }

            /// Time: steps done times the step size.
            #[must_use]
            pub fn time(&self) -> f64 {
                self.step as f64 * self.dt
            }

            /// Steps done.
            #[must_use]
            pub fn steps_done(&self) -> u64 {
                self.step
            }

            /// One step.
            pub fn step(&mut self) {
                self.run(1);
            }

            /// Any number of steps.
            pub fn run(&mut self, steps: u64) {
                self.prepare();
                dispatch(Job { model: self, task: Task::Record { rows: &mut [], count: 1, every: steps } });
            }

            /// What is recorded, at the current time.
            pub fn outputs(&mut self) -> Outputs {
                let mut row = [Outputs::default()];
                self.run_into(0, &mut row);
                row[0]
            }

            /// Alternates between recording a row and running `every` steps until all rows are filled; the first row is
            /// the current state.
            pub fn run_into(&mut self, every: u64, rows: &mut [Outputs]) {
                self.prepare();
                let count = rows.len();
                dispatch(Job { model: self, task: Task::Record { rows, count, every } });
            }
        }
    }
}

/// What fields on the heap are made by.
fn heap(fields: &Fields<'_>, std: bool) -> Option<TokenStream> {
    let all = (0..fields.module.buffers.len() as u32).map(BufferId);
    let (rings, arrays): (Vec<_>, Vec<_>) =
        all.filter(|b| fields.on_heap(*b)).partition(|b| fields.is_ring(*b) && fields.len(*b) > 1);
    if rings.is_empty() && arrays.is_empty() {
        return None;
    }
    let imports = (!std).then(|| {
        quote! {
            extern crate alloc;
            use alloc::boxed::Box;
            use alloc::vec::Vec;
        }
    });
    let boxed = quote! {
        /// Values as an array on the heap.
        fn array<T, const N: usize>(values: Vec<T>) -> Box<[T; N]> {
            match values.into_boxed_slice().try_into() {
                Ok(array) => array,
                Err(_) => unreachable!("there are N values"),
            }
        }
    };
    let arrays = (!arrays.is_empty()).then(|| {
        quote! {
            /// An array on the heap.
            fn boxed<T, const N: usize>(value: impl FnMut(usize) -> T) -> Box<[T; N]> {
                array((0..N).map(value).collect())
            }
        }
    });
    let rings = (!rings.is_empty()).then(|| {
        quote! {
            /// An array of equal slots on the heap; none of them is ever on the stack.
            fn slots<T: Copy, const N: usize, const SLOTS: usize>(value: impl FnMut(usize) -> T) -> Box<[[T; N]; SLOTS]> {
                let slot: Vec<T> = (0..N).map(value).collect();
                array(slot.repeat(SLOTS).as_chunks::<N>().0.to_vec())
            }
        }
    });
    Some(quote!(#imports #boxed #arrays #rings))
}
