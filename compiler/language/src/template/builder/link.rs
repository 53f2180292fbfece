//! Edges from Rust values.

use std::sync::Arc;

use super::name;
use crate::diagnostic::{Diagnostics, Result, template as fault};
use crate::source::Span;
use crate::template::connectivity::Connectivity;
use crate::template::edge::edge_variable;
use crate::template::{EdgeSource, EdgeTemplate, EdgeUse, Literal};

/// An edge to be added to a circuit.
#[derive(Clone, Debug)]
pub struct Link {
    source: String,
    target: String,
    template: Option<Arc<EdgeTemplate>>,
    weight: Literal,
    delay: Option<Literal>,
    spread: Option<Literal>,
    connectivity: Option<Arc<Connectivity>>,
    inputs: Vec<(String, String)>,
    values: Vec<(String, Literal)>,
}

impl Link {
    /// An edge between two variables, `node/operator/variable`, of weight 1.
    pub fn new(source: &str, target: &str) -> Link {
        Link {
            source: source.to_string(),
            target: target.to_string(),
            template: None,
            weight: 1.0.into(),
            delay: None,
            spread: None,
            connectivity: None,
            inputs: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Sets the weight: a number, or a matrix `[target][source]` between populations.
    pub fn weight(mut self, weight: impl Into<Literal>) -> Link {
        self.weight = weight.into();
        self
    }

    /// Sets the delay in time units.
    pub fn delay(mut self, delay: impl Into<Literal>) -> Link {
        self.delay = Some(delay.into());
        self
    }

    /// Sets the spread of the delay in time units.
    pub fn spread(mut self, spread: impl Into<Literal>) -> Link {
        self.spread = Some(spread.into());
        self
    }

    /// Says which units of two populations are connected; each with each otherwise.
    pub fn connectivity(mut self, connectivity: Connectivity) -> Link {
        self.connectivity = Some(Arc::new(connectivity));
        self
    }

    /// Puts the operators of a template on the edge.
    pub fn template(mut self, template: &Arc<EdgeTemplate>) -> Link {
        self.template = Some(template.clone());
        self
    }

    /// Connects an input of the edge's operators: `source` is the source of the edge, anything else the path of a variable.
    pub fn input(mut self, variable: &str, source: &str) -> Link {
        self.inputs.push((variable.to_string(), source.to_string()));
        self
    }

    /// Gives a variable of the edge's operators a value.
    pub fn set(mut self, variable: &str, value: impl Into<Literal>) -> Link {
        self.values.push((variable.to_string(), value.into()));
        self
    }

    pub(super) fn build(self) -> Result<EdgeUse> {
        let mut out = Diagnostics::new();
        let mut found = |variable: &str| {
            let key = name(variable);
            let found = self.template.as_deref().and_then(|t| edge_variable(&key, t));
            if found.is_none() {
                out.push(match &self.template {
                    Some(template) => fault::unknown_edge_variable(&key, template),
                    None => fault::edge_key_without_template(&key, &["weight", "delay", "spread", "template"]),
                });
            }
            found
        };
        let sources = self.inputs.iter().filter_map(|(variable, source)| {
            let source = if source == "source" { EdgeSource::OwnSource } else { EdgeSource::Path(name(source)) };
            found(variable).map(|variable| (variable, source))
        });
        let sources = sources.collect();
        let overrides = self.values.iter().filter_map(|(variable, value)| Some((found(variable)?, value.clone())));
        let overrides = overrides.collect();
        let Link { source, target, template, weight, delay, spread, connectivity, .. } = self;
        let (source, target, span) = (name(&source), name(&target), Span::NOWHERE);
        out.into_result(EdgeUse {
            source,
            target,
            template,
            weight,
            delay,
            spread,
            connectivity,
            sources,
            overrides,
            span,
        })
    }
}
