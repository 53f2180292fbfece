//! Operators: equations and variables, inherited, edited and merged.

use std::rc::Rc;
use std::sync::Arc;

use super::edit::{Equations, edit, equations};
use super::event::event;
use super::expression::{subscript_parts, walk};
use super::fields::{description, get, mapping, only};
use super::function::{Function, inline, inline_expression};
use super::node::flat;
use super::resolve::{Base, Key, Loader};
use super::variable::{data_file, variable};
use super::{Declared, EventTemplate, OperatorTemplate, VariableTemplate};
use crate::diagnostic::{Diagnostics, event as event_fault, template as fault};
use crate::source::Name;
use crate::syntax::ast::{Equation, Expr, ExprKind};
use crate::syntax::equation::parse_equation;
use crate::syntax::text::MappedText;
use crate::syntax::yaml::Entry;

/// An operator and what its children need of it.
pub(super) struct OperatorDraft {
    pub(super) template: Arc<OperatorTemplate>,
    equations: Vec<EquationText>,
}

/// An equation before it is parsed.
#[derive(Clone)]
struct EquationText {
    text: MappedText,
    /// Files whose functions it may call, the first wins: where it was last edited, .., where it was written.
    homes: Vec<usize>,
}

const KEYS: &[&str] = &["base", "description", "equations", "variables", "events"];

impl Loader<'_> {
    /// The operator `key`, whose kind is known to be operator.
    pub(super) fn operator(&mut self, key: &Key) -> Rc<OperatorDraft> {
        if let Some(done) = self.operators.get(key) {
            return done.clone();
        }
        let entry = self.entry(key);
        let fields = self.fields(&entry);
        only(&fields, KEYS, &format!("operator `{}`", entry.key), &mut self.out);
        let parent = match self.base_of(key.file, &fields) {
            Base::Parent(parent) => Some(self.operator(&parent)),
            Base::Kind => None,
        };
        let (texts, edited) = self.equation_texts(key.file, &fields, parent.as_deref());
        let parsed = self.parse(&texts);
        let events = self.events(key.file, &fields, parent.as_deref());
        let variables = self.variables(key.file, &fields, parent.as_deref(), edited, (&parsed, &events));
        for event in &events {
            if let Some(variable) = variables.iter().find(|v| v.name.text == event.name.text) {
                self.report_new(event_fault::event_named_like_variable(&event.name, variable.span).into());
            }
        }
        let own_description = description(&fields, &mut self.out);
        let template = Arc::new(OperatorTemplate {
            name: entry.key.clone(),
            description: own_description.or_else(|| parent.as_ref().and_then(|p| p.template.description.clone())),
            equations: parsed.into(),
            variables,
            events: events.into(),
        });
        let draft = Rc::new(OperatorDraft { template, equations: texts });
        self.operators.insert(key.clone(), draft.clone());
        draft
    }

    /// The equations as texts, and whether they differ from the parent's.
    fn equation_texts(
        &mut self,
        home: usize,
        fields: &[Entry],
        parent: Option<&OperatorDraft>,
    ) -> (Vec<EquationText>, bool) {
        let inherited = parent.map(|p| p.equations.clone()).unwrap_or_default();
        let Some(written) = get(fields, "equations") else {
            return (inherited, false);
        };
        match equations(&written.value, &mut self.out) {
            Equations::Replaced(texts) => {
                (texts.into_iter().map(|text| EquationText { text, homes: vec![home] }).collect(), true)
            }
            Equations::Edited(edits) => {
                if parent.is_none() {
                    self.out.push(fault::edit_without_parent(written.key.span));
                    return (Vec::new(), true);
                }
                let homes: Vec<Vec<usize>> = inherited.iter().map(|e| e.homes.clone()).collect();
                let results = edit(inherited.into_iter().map(|e| e.text).collect(), &edits, &mut self.out);
                let texts = results.into_iter().enumerate().map(|(i, (text, edited))| {
                    let mut homes = homes.get(i).cloned().unwrap_or_default();
                    if edited && !homes.contains(&home) {
                        homes.insert(0, home);
                    }
                    EquationText { text, homes }
                });
                (texts.collect(), true)
            }
        }
    }

    fn parse(&mut self, texts: &[EquationText]) -> Vec<Equation> {
        let mut parsed = Vec::new();
        for written in texts {
            // An inherited equation's syntax errors were reported with the parent.
            let mut equation = match parse_equation(&written.text) {
                Ok(equation) => equation,
                Err(faults) => {
                    self.report_new(faults);
                    continue;
                }
            };
            let homes: Vec<_> = written.homes.iter().map(|&h| self.files[h].clone()).collect();
            if homes.iter().any(|file| !file.functions.is_empty()) {
                let lookup = |name: &str| -> Option<Function> {
                    homes.iter().find_map(|file| file.functions.get(name).cloned())
                };
                let mut faults = Diagnostics::new();
                inline(&mut equation, &lookup, &mut faults);
                self.report_new(faults);
            }
            parsed.push(equation);
        }
        parsed
    }

    fn events(&mut self, home: usize, fields: &[Entry], parent: Option<&OperatorDraft>) -> Vec<EventTemplate> {
        let mut events = parent.map(|p| p.template.events.to_vec()).unwrap_or_default();
        let Some(written) = get(fields, "events") else { return events };
        let file = self.files[home].clone();
        let lookup = |name: &str| -> Option<Function> { file.functions.get(name).cloned() };
        let mut inline = |expr: &mut Expr, out: &mut Diagnostics| inline_expression(expr, &lookup, out);
        for entry in mapping(&written.value, "`events`", &mut self.out).unwrap_or(&[]) {
            event(entry, &mut events, &mut inline, &mut self.out);
        }
        events
    }

    fn report_new(&mut self, faults: Diagnostics) {
        for fault in faults {
            if !self.out.0.contains(&fault) {
                self.out.push(fault);
            }
        }
    }

    fn variables(
        &mut self,
        home: usize,
        fields: &[Entry],
        parent: Option<&OperatorDraft>,
        edited: bool,
        (equations, events): (&[Equation], &[EventTemplate]),
    ) -> Vec<VariableTemplate> {
        let mut variables = parent.map(|p| p.template.variables.clone()).unwrap_or_default();
        let mut own = Vec::new();
        if let Some(written) = get(fields, "variables") {
            for entry in mapping(&written.value, "`variables`", &mut self.out).unwrap_or(&[]) {
                let held = match data_file(entry) {
                    None => None,
                    Some(file) => match self.data_matrix(home, &file) {
                        Some(held) => Some(flat(held)),
                        None => continue,
                    },
                };
                let Some(variable) = variable(entry, held, &mut self.out) else {
                    continue;
                };
                own.push(variable.name.text.clone());
                match variables.iter_mut().find(|v| v.name.text == variable.name.text) {
                    Some(inherited) => {
                        let unit = variable.unit.clone().or_else(|| inherited.unit.take());
                        let description = variable.description.clone().or_else(|| inherited.description.take());
                        *inherited = VariableTemplate { unit, description, ..variable };
                    }
                    None => variables.push(variable),
                }
            }
        }
        if edited && parent.is_some() {
            // An edit that takes the last mention of an inherited variable away takes the variable along.
            variables.retain(|v| {
                let name = &*v.name.text;
                own.contains(&v.name.text)
                    || equations.iter().any(|e| mentions(e, name))
                    || events.iter().any(|e| event_mentions(e, name))
            });
        }
        let outputs: Vec<&Name> =
            variables.iter().filter(|v| v.declared == Declared::Output).map(|v| &v.name).collect();
        if let [first, second, ..] = outputs.as_slice() {
            self.out.push(fault::several_outputs(first, second));
        }
        variables
    }
}

/// Whether an equation defines or reads `name`.
fn mentions(equation: &Equation, name: &str) -> bool {
    let in_subscripts = equation.lhs.subscripts.iter().flat_map(subscript_parts);
    *equation.lhs.variable.text == *name
        || std::iter::once(&equation.rhs).chain(in_subscripts).any(|e| expression_mentions(e, name))
}

/// Whether an event reads, resets or holds `name`.
fn event_mentions(event: &EventTemplate, name: &str) -> bool {
    let names = event.resets.iter().map(|r| &r.variable).chain(event.hold.iter().flatten());
    event.expressions().any(|e| expression_mentions(e, name)) || names.into_iter().any(|n| *n.text == *name)
}

fn expression_mentions(expr: &Expr, name: &str) -> bool {
    let mut found = false;
    walk(expr, &mut |e| match &e.kind {
        ExprKind::Name(n) => found |= n == name,
        // `x(t - tau)` reads x.
        ExprKind::Call(n, _) => found |= *n.text == *name,
        _ => {}
    });
    found
}
