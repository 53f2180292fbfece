//! Nodes, populations and edge templates from operators.

use std::sync::Arc;

use super::name;
use crate::diagnostic::{Diagnostics, Result, template as fault};
use crate::source::{Name, Span};
use crate::template::{EdgeTemplate, Literal, NodeTemplate, OperatorTemplate, OperatorUse, Override};

/// Operators with values of their own.
#[derive(Clone, Debug)]
struct Uses {
    owner: Name,
    description: Option<String>,
    operators: Vec<Arc<OperatorTemplate>>,
    values: Vec<(String, Literal)>,
}

impl Uses {
    fn new(owner: &str) -> Uses {
        Uses { owner: name(owner), description: None, operators: Vec::new(), values: Vec::new() }
    }

    fn build(&self) -> Result<Vec<OperatorUse>> {
        let mut out = Diagnostics::new();
        let mut uses: Vec<OperatorUse> = Vec::new();
        for template in &self.operators {
            if let Some(first) = uses.iter().find(|u| u.name.text == template.name.text) {
                out.push(fault::duplicate_operator(&template.name, first.name.span, &self.owner.text));
                continue;
            }
            let (name, template) = (template.name.clone(), template.clone());
            uses.push(OperatorUse { name, template, overrides: Vec::new() });
        }
        for (path, value) in &self.values {
            let (operator, variable) = path.rsplit_once('/').map_or((None, &**path), |(o, v)| (Some(o), v));
            let has = |u: &OperatorUse| u.template.variables.iter().any(|v| &*v.name.text == variable);
            let found: Vec<usize> = (0..uses.len())
                .filter(|u| operator.is_none_or(|o| o == &*uses[*u].name.text) && has(&uses[*u]))
                .collect();
            let [only] = found[..] else {
                let operators: Vec<&str> = uses.iter().map(|u| &*u.name.text).collect();
                out.push(fault::override_target(path, &self.owner.text, &operators, found.len()));
                continue;
            };
            let overrides = &mut uses[only].overrides;
            overrides.retain(|o| &*o.variable.text != variable);
            overrides.push(Override { variable: name(variable), value: value.clone(), span: Span::NOWHERE });
        }
        out.into_result(uses)
    }
}

/// Builds a [`NodeTemplate`].
#[derive(Clone, Debug)]
pub struct NodeBuilder {
    uses: Uses,
    size: Option<usize>,
}

impl NodeBuilder {
    /// A node without operators.
    pub fn new(node: &str) -> NodeBuilder {
        NodeBuilder { uses: Uses::new(node), size: None }
    }

    /// Says what it is, for people.
    pub fn description(mut self, text: &str) -> NodeBuilder {
        self.uses.description = Some(text.to_string());
        self
    }

    /// Adds an operator.
    pub fn operator(mut self, operator: &Arc<OperatorTemplate>) -> NodeBuilder {
        self.uses.operators.push(operator.clone());
        self
    }

    /// Gives a variable (`operator/variable`, or `variable` where one operator has it) a value of its own: one, or one per
    /// unit of a population.
    pub fn set(mut self, variable: &str, value: impl Into<Literal>) -> NodeBuilder {
        self.uses.values.push((variable.to_string(), value.into()));
        self
    }

    /// Makes the node a population of so many units.
    pub fn size(mut self, units: usize) -> NodeBuilder {
        self.size = Some(units);
        self
    }

    /// The node.
    pub fn build(self) -> Result<Arc<NodeTemplate>> {
        if self.size == Some(0) {
            return Err(fault::not_a_count(Span::NOWHERE, "the size of a population", 1).into());
        }
        let operators = self.uses.build()?;
        let Uses { owner: name, description, .. } = self.uses;
        Ok(Arc::new(NodeTemplate { name, description, operators, size: self.size }))
    }
}

/// Builds an [`EdgeTemplate`].
#[derive(Clone, Debug)]
pub struct EdgeBuilder {
    uses: Uses,
}

impl EdgeBuilder {
    /// An edge template without operators.
    pub fn new(edge: &str) -> EdgeBuilder {
        EdgeBuilder { uses: Uses::new(edge) }
    }

    /// Adds an operator.
    pub fn operator(mut self, operator: &Arc<OperatorTemplate>) -> EdgeBuilder {
        self.uses.operators.push(operator.clone());
        self
    }

    /// Gives a variable a value of its own.
    pub fn set(mut self, variable: &str, value: impl Into<Literal>) -> EdgeBuilder {
        self.uses.values.push((variable.to_string(), value.into()));
        self
    }

    /// The edge template.
    pub fn build(self) -> Result<Arc<EdgeTemplate>> {
        let operators = self.uses.build()?;
        let Uses { owner: name, description, .. } = self.uses;
        Ok(Arc::new(EdgeTemplate { name, description, operators }))
    }
}
