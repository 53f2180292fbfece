//! What a manifest says of a model besides its artifact.

use nullcline_compiler::backend::manifest::{self, About};
use nullcline_compiler::backend::notes::notes;
use nullcline_runtime::sim::{Column, PreHistory};

use crate::model::{Compiled, Model};

impl Compiled {
    /// What a manifest says of it, with the names of the files that hold code and data.
    pub(crate) fn about(&self, model: &Model, code: &str, data: &str) -> About {
        let column = |c: &Column| manifest::Column {
            name: c.label.name.clone(),
            unit: c.label.unit.clone(),
            buffer: c.buffer,
            element: c.element,
            field: None,
        };
        let notes = notes(&model.circuit, &self.system, &self.module);
        About {
            code: code.to_string(),
            data: data.to_string(),
            scheme: self.scheme.name.to_string(),
            dt: self.dt,
            pre_history: if self.pre_history == PreHistory::Zero { "zero" } else { "initial" }.to_string(),
            seed: self.seed,
            notes: notes.into_iter().map(|n| (n.unit, n.description)).collect(),
            fields: Vec::new(),
            columns: self.columns.iter().map(column).collect(),
            events: self.events.iter().map(|label| label.name.clone()).collect(),
        }
    }
}
