//! A model between its equations and its kernels.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use nullcline_compiler::diagnostic::Diagnostics;
use nullcline_compiler::ir::expr::{ExprId, Op};
use nullcline_compiler::ir::system::System;
use nullcline_compiler::kernel::ir::{BufferRole, Module, Precision};
use nullcline_compiler::pass::{self, Observable, Step};
use nullcline_compiler::scheme::Scheme;
use nullcline_runtime::observe::Label;
use nullcline_runtime::sim::{Column, PreHistory, Schedule};

use crate::engine::Engine;
use crate::model::Compiled;

/// A model as equations, with what is recorded.
#[derive(Clone)]
pub(crate) struct Lowered {
    pub system: System,
    pub observables: Vec<Observable>,
    /// Label, value and element of each column.
    pub places: Vec<(Label, ExprId, usize)>,
    /// The recorded events, as in the system.
    pub events: Vec<Label>,
    pub schedule: Schedule,
    pub dt: f64,
    pub scheme: &'static Scheme,
    pub precision: Precision,
    pub pre_history: PreHistory,
    pub seed: u64,
    pub inputs: Vec<Arc<nullcline_runtime::artifact::Samples>>,
    pub streams: HashMap<String, (usize, usize)>,
    pub device: usize,
}

impl Lowered {
    /// The operations of one step on an engine.
    pub fn step(&self, engine: &'static Engine) -> Result<Step, Diagnostics> {
        let (system, observables) = (self.system.clone(), self.observables.clone());
        pass::arithmetic(system, observables, self.scheme, self.precision, engine.target)
    }

    /// Finds the columns in the kernels; of a batch, those of the first member, then those of the next.
    pub fn compiled(self, engine: &'static Engine, mut module: Module, members: Option<Range<usize>>) -> Compiled {
        module.subnormals = engine.target.subnormals.contains(&self.precision);
        let system = &self.system;
        let column = |(label, value, element): &(Label, ExprId, usize), member: usize| {
            let role = match system.graph.node(*value).op {
                Op::State(state) => BufferRole::State(state),
                _ => {
                    let index = self.observables.iter().position(|o| o.value == *value);
                    BufferRole::Observed(index.expect("every recorded value is a state or observed") as u32)
                }
            };
            let buffer = module.buffer(role).expect("states and observables have buffers").index();
            let units = system.size(system.graph.space(*value));
            let element = if units == 1 { 0 } else { *element };
            let scalar = module.buffers[buffer].len == 1;
            let element = if scalar { 0 } else { member * units + element };
            Column { label: label.clone(), buffer, element }
        };
        let events = match &members {
            None => self.events.clone(),
            Some(members) => {
                let named =
                    |m: usize| self.events.iter().map(move |l| Label { name: format!("{}[{m}]", l.name), ..l.clone() });
                members.clone().flat_map(named).collect()
            }
        };
        let columns = match members {
            None => self.places.iter().map(|place| column(place, 0)).collect(),
            Some(members) => {
                let named = |(label, value, element): &(Label, ExprId, usize), member: usize| {
                    let label = Label { name: format!("{}[{member}]", label.name), ..label.clone() };
                    column(&(label, *value, *element), member - members.start)
                };
                let each = members.clone().flat_map(|m| self.places.iter().map(move |place| (place, m)));
                each.map(|(place, m)| named(place, m)).collect()
            }
        };
        Compiled {
            columns,
            events,
            system: self.system,
            module,
            schedule: self.schedule,
            dt: self.dt,
            scheme: self.scheme,
            pre_history: self.pre_history,
            seed: self.seed,
            engine,
            device: self.device,
            choice: None,
            inputs: self.inputs,
            streams: self.streams,
        }
    }
}
