//! Functions that a file defines (`functions: {f: {args: [a, b], expr: "a + b"}}`), put in place of their calls.

use std::collections::HashMap;

use super::expression::{for_each_child, size};
use super::fields::{get, mapping, only, sequence, text};
use super::variable::is_identifier;
use crate::diagnostic::{Diagnostics, template as fault};
use crate::source::Name;
use crate::syntax::ast::{Equation, Expr, ExprKind};
use crate::syntax::equation::parse_expression;
use crate::syntax::yaml::{Node, Value};

/// Most expression nodes that an equation may have after its calls were replaced.
const MAX_NODES: usize = 100_000;
/// Deepest nesting that an equation may have after its calls were replaced.
const MAX_DEPTH: usize = 512;

/// A function of a file.
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    /// Its name.
    pub name: Name,
    /// Names of its arguments.
    pub arguments: Vec<Name>,
    /// Its value.
    pub body: Expr,
}

/// The functions of a file by name.
pub type Functions = HashMap<String, Function>;

/// Reads the `functions:` section.
pub(super) fn functions(node: &Node, out: &mut Diagnostics) -> Functions {
    let mut functions = Functions::new();
    for entry in mapping(node, "`functions`", out).unwrap_or(&[]) {
        let name = entry.key.clone();
        if !is_identifier(&name.text) {
            out.push(fault::not_an_identifier(&name));
            continue;
        }
        let owner = format!("function `{name}`");
        let Some(fields) = mapping(&entry.value, &owner, out) else {
            continue;
        };
        only(fields, &["args", "expr", "description"], &owner, out);
        let mut arguments: Vec<Name> = Vec::new();
        if let Some(args) = get(fields, "args") {
            for argument in sequence(&args.value, "`args`", out).unwrap_or(&[]) {
                let Some(argument) = text(argument, "an argument", out) else {
                    continue;
                };
                if !is_identifier(&argument.text) {
                    out.push(fault::not_an_identifier(&argument));
                } else if let Some(first) = arguments.iter().find(|a| a.text == argument.text) {
                    out.push(fault::duplicate("argument", &argument, first.span));
                } else {
                    arguments.push(argument);
                }
            }
        }
        let Some(body) = get(fields, "expr") else {
            out.push(fault::missing_key(name.span, &owner, "expr", "expr: \"1/(1 + exp(-x))\""));
            continue;
        };
        let Value::Scalar(body) = &body.value.value else {
            out.push(fault::wrong_form(&body.value, "`expr`", "an expression"));
            continue;
        };
        if let Some(body) = out.absorb(parse_expression(&body.text)) {
            functions.insert(name.text.to_string(), Function { name, arguments, body });
        }
    }
    functions
}

/// Replaces the calls of functions that `lookup` knows.
pub(super) fn inline(equation: &mut Equation, lookup: &dyn Fn(&str) -> Option<Function>, out: &mut Diagnostics) {
    inline_expression(&mut equation.rhs, lookup, out);
}

/// The same in an expression.
pub(super) fn inline_expression(expr: &mut Expr, lookup: &dyn Fn(&str) -> Option<Function>, out: &mut Diagnostics) {
    let mut inliner = Inliner { lookup, open: Vec::new(), nodes: 0, out, stopped: false };
    inliner.expression(expr);
}

struct Inliner<'a> {
    lookup: &'a dyn Fn(&str) -> Option<Function>,
    /// Functions whose bodies are being expanded, outermost first.
    open: Vec<String>,
    nodes: usize,
    out: &'a mut Diagnostics,
    stopped: bool,
}

impl Inliner<'_> {
    /// Expands all calls in `expr`; returns the depth of the result.
    fn expression(&mut self, expr: &mut Expr) -> usize {
        self.nodes += 1;
        if self.stopped {
            return 0;
        }
        let ExprKind::Call(name, arguments) = &mut expr.kind else {
            let mut depth = 0;
            for_each_child(expr, &mut |child| depth = depth.max(self.expression(child)));
            return self.limited(expr, depth + 1);
        };
        let mut depth = 0;
        for argument in arguments.iter_mut() {
            depth = depth.max(self.expression(argument));
        }
        let Some(function) = (self.lookup)(&name.text) else {
            return depth + 1;
        };
        if self.open.iter().any(|f| **f == *name.text) {
            self.open.push(name.text.to_string());
            self.out.push(fault::recursive_function(name, &self.open));
            self.open.pop();
            self.stopped = true;
            return 0;
        }
        if function.arguments.len() != arguments.len() {
            self.out.push(fault::wrong_arity(name, &function.name, function.arguments.len(), arguments.len()));
            return depth + 1;
        }
        let mut body = function.body.clone();
        self.open.push(name.text.to_string());
        depth += self.expression(&mut body);
        self.open.pop();
        let values: HashMap<&str, &Expr> = function.arguments.iter().map(|a| &*a.text).zip(arguments.iter()).collect();
        self.substitute(&mut body, &values);
        *expr = body;
        self.limited(expr, depth)
    }

    fn substitute(&mut self, expr: &mut Expr, values: &HashMap<&str, &Expr>) {
        if let ExprKind::Name(name) = &expr.kind {
            if let Some(value) = values.get(name.as_str()) {
                self.nodes += size(value);
                if self.nodes <= MAX_NODES {
                    *expr = (*value).clone();
                }
            }
            return;
        }
        for_each_child(expr, &mut |child| self.substitute(child, values));
    }

    fn limited(&mut self, expr: &Expr, depth: usize) -> usize {
        if !self.stopped && (self.nodes > MAX_NODES || depth > MAX_DEPTH) {
            self.stopped = true;
            self.out.push(fault::expression_too_large(expr.span));
        }
        depth
    }
}
