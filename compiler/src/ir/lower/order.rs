//! The order in which algebraic variables are computed.

use std::collections::HashMap;

use super::drivers::Driver;
use super::{GroupVariable, Lowering};
use crate::diagnostic::{Diagnostic, lower as fault};
use crate::model::Role;
use crate::syntax::ast::{Expr, ExprKind, LhsKind, Subscript};

/// Variables that depend on each other algebraically.
pub(super) struct Cycle {
    /// The variables, each depending on the next, the last on the first.
    pub path: Vec<GroupVariable>,
    /// What to say if it cannot be helped.
    pub diagnostic: Box<Diagnostic>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Open,
    Done,
}

impl Lowering<'_> {
    /// All variables that are not states, each after those its value depends on within the same instant.
    pub(super) fn dependency_order(&self) -> Result<Vec<GroupVariable>, Box<Cycle>> {
        let mut marks: HashMap<GroupVariable, Mark> = HashMap::new();
        let mut order = Vec::new();
        for group in 0..self.groups.len() {
            for (o, operator) in self.operators(group).iter().enumerate() {
                for v in 0..operator.variables.len() {
                    self.visit((group, o, v), &mut marks, &mut order)?;
                }
            }
        }
        Ok(order)
    }

    /// Depth-first search without recursion: a chain of nodes may be as long as the model.
    fn visit(
        &self,
        start: GroupVariable,
        marks: &mut HashMap<GroupVariable, Mark>,
        order: &mut Vec<GroupVariable>,
    ) -> Result<(), Box<Cycle>> {
        if marks.contains_key(&start) || self.is_given(start) {
            return Ok(());
        }
        marks.insert(start, Mark::Open);
        let mut stack = vec![(start, self.dependencies(start))];
        while let Some((at, rest)) = stack.last_mut() {
            let Some(next) = rest.pop() else {
                marks.insert(*at, Mark::Done);
                order.push(*at);
                stack.pop();
                continue;
            };
            if self.is_given(next) {
                continue;
            }
            match marks.get(&next) {
                Some(Mark::Done) => {}
                Some(Mark::Open) => {
                    let from = stack.iter().position(|s| s.0 == next).unwrap_or(0);
                    let path: Vec<GroupVariable> = stack[from..].iter().map(|s| s.0).collect();
                    return Err(Box::new(self.cycle(path)));
                }
                None => {
                    marks.insert(next, Mark::Open);
                    let dependencies = self.dependencies(next);
                    stack.push((next, dependencies));
                }
            }
        }
        Ok(())
    }

    /// Whether a variable has its value from the start of the step.
    fn is_given(&self, at: GroupVariable) -> bool {
        matches!(self.variable(at).role, Role::State | Role::Event)
    }

    /// The variables a variable's value needs within the same instant.
    fn dependencies(&self, at: GroupVariable) -> Vec<GroupVariable> {
        let (group, o, _) = at;
        let mut found = Vec::new();
        match self.variable(at).role {
            Role::State | Role::Event => {}
            Role::Output => {
                let equations = self.equations(at, LhsKind::Value);
                let variables = &self.operators(group)[o].variables;
                for equation in &equations {
                    for_each_name(&equation.rhs, &mut |name| {
                        found.extend(variables.iter().position(|v| &*v.name == name).map(|v| (group, o, v)));
                    });
                }
                // One element may not be computed from another; what reads it says so better than a cycle would.
                if equations.iter().any(|e| !e.lhs.subscripts.is_empty()) {
                    found.retain(|v| *v != at);
                }
            }
            Role::Input | Role::Parameter => {
                for driver in self.drivers.get(&at).into_iter().flatten() {
                    match driver {
                        Driver::Own(source) => found.push(*source),
                        Driver::Taken { source, .. } => found.push(*source),
                        Driver::Connected(connected) => found.extend(connected.instant_source()),
                        Driver::Signal { .. } => {}
                    }
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn cycle(&self, path: Vec<GroupVariable>) -> Cycle {
        let names: Vec<String> = path.iter().map(|v| self.name(*v)).collect();
        let place = path.iter().find_map(|v| self.equations(*v, LhsKind::Value).first().map(|e| e.span));
        let span = place.unwrap_or(self.variable(path[0]).span);
        Cycle { diagnostic: Box::new(fault::algebraic_cycle(&names, span)), path }
    }
}

/// Calls `f` with every name an expression reads in the same instant, which `past(x, tau)` and `x(t - tau)` do not do.
fn for_each_name(expr: &Expr, f: &mut impl FnMut(&str)) {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Imaginary(_) => {}
        ExprKind::Name(name) => f(name),
        ExprKind::Unary(_, a) => for_each_name(a, f),
        ExprKind::Binary(_, a, b) => {
            for_each_name(a, f);
            for_each_name(b, f);
        }
        ExprKind::Conditional { test, then, otherwise } => {
            for part in [test, then, otherwise] {
                for_each_name(part, f);
            }
        }
        // The delayed variable itself is read in the past only.
        ExprKind::Call(name, args) if &*name.text == "past" => {
            args.iter().skip(1).for_each(|a| for_each_name(a, f));
        }
        ExprKind::Call(_, args) => args.iter().for_each(|a| for_each_name(a, f)),
        ExprKind::Index(base, subscripts) => {
            for_each_name(base, f);
            for subscript in subscripts {
                match subscript {
                    Subscript::At(a) => for_each_name(a, f),
                    Subscript::Range(a, b, _) => a.iter().chain(b).for_each(|a| for_each_name(a, f)),
                }
            }
        }
    }
}
