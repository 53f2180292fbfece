//! The methods that run phases, and what calls them.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use super::Interface;
use super::element::whole;
use super::fields::Fields;
use super::kernels::Phase;
use super::model::{Parts, Phases};
use super::names::ident;
use crate::kernel::ir::Precision;

/// A method that runs the kernels of a phase; nothing for one without kernels.
fn method(name: &str, doc: &str, phase: &Phase, precision: Precision) -> Option<TokenStream> {
    if phase.code.is_empty() {
        return None;
    }
    let (name, code, given) = (ident(name), &phase.code, given(phase, precision));
    Some(quote! {
        #[doc = #doc]
        #[inline(always)]
        fn #name(&mut self, step: u64, dt: f64) {
            #given
            #code
        }
    })
}

/// Time and step size as the kernels take them.
fn given(phase: &Phase, precision: Precision) -> TokenStream {
    let time = match precision {
        _ if !phase.time => quote!(),
        Precision::F64 => quote!(let t = step as f64 * dt;),
        Precision::F32 => quote!(let t = (step as f64 * dt) as f32;),
    };
    let size = match precision {
        Precision::F32 if phase.step_size => quote!(let dt = dt as f32;),
        _ => quote!(),
    };
    let unused_step = !phase.time && !phase.step;
    let unused_dt = !phase.time && !phase.step_size;
    let unused = match (unused_step, unused_dt) {
        (true, true) => quote!(let _ = (step, dt);),
        (true, false) => quote!(let _ = step;),
        (false, true) => quote!(let _ = dt;),
        (false, false) => quote!(),
    };
    quote!(#unused #time #size)
}

/// The methods of all phases, and the work that calls them.
pub(super) fn phase_methods(
    interface: &Interface<'_>,
    fields: &Fields<'_>,
    parts: &Parts,
    phases: &Phases,
) -> TokenStream {
    let precision = fields.module.precision;
    let setup = method("setup", " What depends on parameters and the step size only.", &phases.setup, precision);
    let remember = method("remember", " Stores the current values of delayed quantities.", &phases.remember, precision);
    let advance = method("advance", " The state after one step.", &phases.step, precision);
    let observe = method("observe", " What is recorded.", &phases.observe, precision);
    let call = |method: &Option<TokenStream>, code: TokenStream| if method.is_some() { code } else { quote!() };
    let run_setup = call(&setup, quote!(self.model.setup(self.model.step, self.model.dt);));
    let run_remember = call(&remember, quote!(self.model.remember(slot, dt);));
    let run_observe = call(&observe, quote!(self.model.observe(self.model.step, self.model.dt);));
    let run_advance = call(&advance, quote!(self.model.advance(self.model.step, self.model.dt);));
    let randomise = if parts.random { quote!(self.model.randomise();) } else { quote!() };
    let fill = if parts.past.is_empty() || interface.zero_history {
        quote!()
    } else {
        let passes = whole(fields.module.history_passes);
        let slots = parts.past.iter().map(|b| fields.slots(*b)).max().unwrap_or(1);
        let slots = whole(slots as u64);
        let random = if parts.random { quote!(self.randomise();) } else { quote!() };
        quote! {
            if !self.started {
                // With a step size of 0 every slot is filled with the value at time 0.
                #random
                for _ in 0..#passes {
                    for slot in 0..#slots {
                        dispatch(Job { model: self, task: Task::Remember { slot, dt: 0.0 } });
                    }
                }
            }
        }
    };
    let gathered = if interface.recorded.is_empty() { quote!(Outputs::default()) } else { quote!(self.model.gather()) };
    // A ring without a kernel of its own would still have to be filled; every history has one.
    let (remember_variant, remember_arm) = if remember.is_some() {
        let doc = " Fills a slot of the rings.";
        (
            quote!(#[doc = #doc] Remember { slot: u64, dt: f64 },),
            quote!(Task::Remember { slot, dt } => { #run_remember }),
        )
    } else {
        Default::default()
    };
    quote! {
        impl Model {
            /// Brings up to date what the first step needs.
            fn prepare(&mut self) {
                if self.stale {
                    dispatch(Job { model: self, task: Task::Setup });
                    self.stale = false;
                }
                #fill
                self.started = true;
            }

            #setup
            #remember
            #advance
            #observe
        }

        /// Something to do that is compiled for several instruction sets.
        struct Job<'a> {
            model: &'a mut Model,
            task: Task<'a>,
        }

        /// What there is to do.
        enum Task<'a> {
            /// Computes what depends on parameters.
            Setup,
            #remember_variant
            /// Alternates between filling a row, if there is one left, and running `every` steps.
            Record { rows: &'a mut [Outputs], count: usize, every: u64 },
        }

        impl Work for Job<'_> {
            #[inline(always)]
            fn run(self) {
                match self.task {
                    Task::Setup => {
                        #run_setup
                    }
                    #remember_arm
                    Task::Record { rows, count, every } => {
                        for row in 0..count {
                            if let Some(row) = rows.get_mut(row) {
                                #randomise
                                #run_observe
                                *row = #gathered;
                            }
                            for _ in 0..every {
                                #randomise
                                #run_advance
                                self.model.step += 1;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The methods that compute derivatives, from the phases of their module.
pub(super) fn derivative(fields: &Fields<'_>, [setup, slope]: [Phase; 2]) -> TokenStream {
    let precision = fields.module.precision;
    let mut both = slope;
    both.time |= setup.time;
    both.step_size |= setup.step_size;
    both.step |= setup.step;
    let (first, code) = (setup.code, &both.code);
    let time = match precision {
        _ if !both.time => quote!(let _ = time;),
        Precision::F64 => quote!(let t = time;),
        Precision::F32 => quote!(let t = time as f32;),
    };
    let size = match precision {
        _ if !both.step_size => quote!(),
        Precision::F64 => quote!(let dt = self.dt;),
        Precision::F32 => quote!(let dt = self.dt as f32;),
    };
    let step = if both.step { quote!(let step = self.step;) } else { quote!() };
    let given = quote!(#time #size #step);
    let mut unused = TokenStream::new();
    for name in ["self", "state", "slope"] {
        if ![&first, code, &given].iter().any(|code| mentions(code, name)) {
            let name = ident(name);
            unused.extend(quote!(let _ = #name;));
        }
    }
    quote! {
        impl Model {
            /// The time derivative of `state` at `time`, with the model's parameters and inputs; delayed quantities have
            /// the values of the current step.
            pub fn derivative(&mut self, time: f64, state: &State) -> State {
                let mut slope = State::default();
                self.derivative_into(time, state, &mut slope);
                slope
            }

            /// As [`Model::derivative`], into a place that is there.
            pub fn derivative_into(&mut self, time: f64, state: &State, slope: &mut State) {
                dispatch(Slope { model: self, time, state, slope });
            }

            #[inline(always)]
            fn slope_into(&mut self, time: f64, state: &State, slope: &mut State) {
                #given
                #unused
                #first
                #code
            }
        }

        /// A derivative to be computed.
        struct Slope<'a> {
            model: &'a mut Model,
            time: f64,
            state: &'a State,
            slope: &'a mut State,
        }

        impl Work for Slope<'_> {
            #[inline(always)]
            fn run(self) {
                self.model.slope_into(self.time, self.state, self.slope);
            }
        }
    }
}

/// Whether a name occurs in code.
fn mentions(code: &TokenStream, name: &str) -> bool {
    code.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        _ => false,
    })
}
