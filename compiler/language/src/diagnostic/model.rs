//! Faults of the model stage: paths, edges, and what the checks of the instantiated circuit find.

mod structure;

pub use structure::*;

use super::{Diagnostic, did_you_mean, list_names};
use crate::model::{Operator, Population, Role, Variable};
use crate::source::{Name, Span};
use crate::syntax::ast::{Lhs, LhsKind};
use crate::template::Override;

/// Most names that a message lists.
const MOST: usize = 12;

/// The path with its last wrong part put right, if a name is near.
fn corrected(path: &str, wrong: &str, right: Option<&str>) -> Option<String> {
    let right = right?;
    let parts: Vec<&str> = path.split('/').collect();
    let at = parts.iter().rposition(|p| *p == wrong)?;
    let mended: Vec<&str> = parts.iter().enumerate().map(|(i, p)| if i == at { right } else { *p }).collect();
    Some(format!("did you mean `{}`?", mended.join("/")))
}

// Paths of edges

/// A label that the circuit does not have.
pub fn unknown_label(path: &Name, label: &str, before: &[&str], known: &[&str]) -> Diagnostic {
    let place = if before.is_empty() { "the circuit".to_string() } else { format!("`{}`", before.join("/")) };
    let message = format!("`{path}`: {place} has no node or circuit `{label}`");
    Diagnostic::error("unknown-node", path.span, message, format!("`{label}` is unknown"))
        .with_note(format!("it has {}", list_names(known.iter().copied(), MOST)))
        .with_help_if(corrected(&path.text, label, did_you_mean(label, known.iter().copied())))
}

/// A path of a node with something behind it.
pub fn not_a_node(path: &Name) -> Diagnostic {
    let message = format!("`{path}` does not lead to a node");
    Diagnostic::error("not-a-node", path.span, message, "expected the path of a node: `node` or `circuit/node`")
}

/// A path that stops at a node.
pub fn path_ends_at_node(path: &Name, population: &Population) -> Diagnostic {
    let mut names = Vec::new();
    for operator in &population.operators {
        names.extend(operator.variables.iter().map(|v| format!("{path}/{}/{}", operator.name, v.name)));
    }
    let message = format!("`{path}` is a node, not a variable");
    Diagnostic::error("path-too-short", path.span, message, "expected `node/operator/variable`")
        .with_note(format!("its variables are {}", list_names(names.iter().map(String::as_str), MOST)))
}

/// A path that stops at a circuit.
pub fn path_ends_at_circuit(path: &Name) -> Diagnostic {
    let message = format!("`{path}` does not lead to a variable");
    Diagnostic::error("path-too-short", path.span, message, "expected `circuits/node/operator/variable`")
}

/// A path with parts behind the variable.
pub fn path_too_long(path: &Name) -> Diagnostic {
    let message = format!("`{path}` has too many parts");
    Diagnostic::error("path-too-long", path.span, message, "expected `circuits/node/operator/variable`")
}

/// An operator that the node does not have.
pub fn unknown_operator<'a>(
    path: &Name,
    operator: &str,
    node: &str,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    let message = format!("`{path}`: node `{node}` has no operator `{operator}`");
    Diagnostic::error("unknown-operator", path.span, message, format!("`{operator}` is unknown"))
        .with_note(format!("it has {}", list_names(known.iter().copied(), MOST)))
        .with_help_if(corrected(&path.text, operator, did_you_mean(operator, known)))
}

/// A variable that the operator does not have.
pub fn unknown_variable(path: &Name, variable: &str, operator: &Operator) -> Diagnostic {
    let known: Vec<&str> = operator.variables.iter().map(|v| &*v.name).collect();
    let message = format!("`{path}`: operator `{}` has no variable `{variable}`", operator.name);
    Diagnostic::error("unknown-variable", path.span, message, format!("`{variable}` is unknown"))
        .with_note(format!("it has {}", list_names(known.iter().copied(), MOST)))
        .with_help_if(corrected(&path.text, variable, did_you_mean(variable, known)))
}

/// A variable that no operator of the node has.
pub fn unknown_variable_of_node(path: &Name, variable: &str, population: &Population) -> Diagnostic {
    let mut known = Vec::new();
    for operator in &population.operators {
        known.extend(operator.variables.iter().map(|v| format!("{}/{}", operator.name, v.name)));
    }
    let last = variable.rsplit('/').next().unwrap_or(variable);
    let near = did_you_mean(last, population.operators.iter().flat_map(|o| o.variables.iter().map(|v| &*v.name)));
    let message = format!("`{path}`: node `{}` has no variable `{variable}`", population.path);
    Diagnostic::error("unknown-variable", path.span, message, "unknown variable")
        .with_note(format!("it has {}", list_names(known.iter().map(String::as_str), MOST)))
        .with_help_if(corrected(&path.text, last, near))
}

/// A variable without its operator that two operators have.
pub fn ambiguous_variable(
    path: &Name,
    variable: &str,
    population: &Population,
    first: &str,
    second: &str,
) -> Diagnostic {
    let message = format!("`{path}`: two operators of node `{}` have a variable `{variable}`", population.path);
    Diagnostic::error("ambiguous-path", path.span, message, "ambiguous")
        .with_help(format!("name the operator: `{first}/{variable}` or `{second}/{variable}`"))
}

// Edges

/// An edge onto a variable that an equation defines.
pub fn target_is_assigned(path: &Name, variable: &Variable, operator: &Operator) -> Diagnostic {
    let message = format!("`{path}` cannot be the target of an edge: an equation defines it");
    onto_assigned("edge-onto-assigned", path, message, variable, operator)
}

/// An extrinsic input onto a variable that an equation defines, whose whole path is `whole`.
pub fn driven_is_assigned(path: &Name, whole: &str, variable: &Variable, operator: &Operator) -> Diagnostic {
    let defined = if variable.role == Role::Event { "it is an event" } else { "an equation defines it" };
    let message = format!("`{whole}` cannot be driven by an input: {defined}");
    onto_assigned("input-onto-assigned", path, message, variable, operator)
}

fn onto_assigned(
    code: &'static str,
    path: &Name,
    message: String,
    variable: &Variable,
    operator: &Operator,
) -> Diagnostic {
    let inputs: Vec<&str> = operator.variables.iter().filter(|v| v.role == Role::Input).map(|v| &*v.name).collect();
    let fault = Diagnostic::error(code, path.span, message, "expected an input or a constant")
        .with_related(variable.span, format!("`{}` is declared here", variable.name));
    match inputs.as_slice() {
        [] => fault.with_help(format!("declare an input in operator `{}` and add it in the equation", operator.name)),
        inputs => fault.with_help(format!("its inputs are {}", list_names(inputs.iter().copied(), MOST))),
    }
}

/// A matrix whose shape is not that of the connection.
pub fn matrix_does_not_fit(span: Span, what: &str, found: &str, rows: usize, columns: usize) -> Diagnostic {
    let message = format!("the {what} is {found}, but the edge needs {rows} x {columns} (target units x source units)");
    let fault = Diagnostic::error("matrix-does-not-fit", span, message, "shape does not fit");
    if (rows, columns) == (1, 1) {
        return fault.with_help("give the nodes a size (`n: 10`), or connect lists of nodes under `matrices:`");
    }
    fault.with_note("entry [j][i] belongs to the edge from source i to target j")
}

/// More nodes than memory should hold.
pub fn too_many_nodes(circuit: &Name, limit: usize) -> Diagnostic {
    let message = format!("circuit `{circuit}` has more than {limit} nodes, with those of the circuits in it");
    Diagnostic::error("too-many-nodes", circuit.span, message, "too many nodes")
        .with_help("make a population of equal nodes: `n: 1000` in the node")
}

/// More edges than memory should hold.
pub fn too_many_edges(span: Span, total: usize, limit: usize) -> Diagnostic {
    let message = format!("the circuit would have {total} edges, more than {limit}");
    Diagnostic::error("too-many-edges", span, message, "these are too many")
        .with_help("make populations of equal nodes: `n: 1000` in the node, and one edge with a matrix")
}

/// An edge template whose operators have no output.
pub fn edge_without_output(template: &Name) -> Diagnostic {
    let message = format!("edge template `{template}` passes nothing on: none of its operators has a free output");
    Diagnostic::error("edge-without-output", template.span, message, "no output")
        .with_help("declare one variable of its last operator `output`")
}

/// An edge template with two ends.
pub fn edge_with_several_outputs(template: &Name, names: &[String]) -> Diagnostic {
    let shown = list_names(names.iter().map(String::as_str), MOST);
    let message = format!("edge template `{template}` has several outputs that no operator reads: {shown}");
    Diagnostic::error("edge-with-several-outputs", template.span, message, "which one is passed on?")
        .with_help("declare all but one of them `variable`")
}

/// An edge template that reads nothing.
pub fn edge_without_input(span: Span, source: &Name) -> Diagnostic {
    let message = format!("the template of this edge has no input that could read `{source}`");
    Diagnostic::error("edge-without-input", span, message, "nothing reads the source")
        .with_help("declare a variable of its first operator `input`")
}

/// An edge template with several inputs and no word on which reads the source.
pub fn edge_inputs_unmapped(span: Span, names: &[String]) -> Diagnostic {
    let shown = list_names(names.iter().map(String::as_str), MOST);
    let message = format!("the template of this edge has several inputs: {shown}");
    let first = names.first().map_or("input", String::as_str);
    Diagnostic::error("edge-inputs-unmapped", span, message, "which one reads the source?")
        .with_help(format!("add `{first}: source`, and a path for each of the others, to the attributes of the edge"))
}

/// A source for a variable of an edge operator that an equation defines.
pub fn edge_input_is_assigned(name: &Name, variable: &Variable) -> Diagnostic {
    let message = format!("`{name}` cannot be driven: an equation defines it");
    Diagnostic::error("edge-input-is-assigned", name.span, message, "expected an input of the edge's operators")
        .with_related(variable.span, "declared here")
}

/// `all` where one variable is needed.
pub fn edge_input_of_several(path: &Name, found: usize) -> Diagnostic {
    let message = format!("`{path}` means {found} variables, but an input of an edge reads one");
    Diagnostic::error("edge-input-of-several", path.span, message, "means several variables")
        .with_help("write `source/..` or `target/..` for a variable of the edge's own nodes")
}

// Paths of users

/// A path that is the end of no variable's path.
pub fn unknown_path(path: &Name, text: &str, known: &[String]) -> Diagnostic {
    let parts = text.split('/').count();
    let tail = |name: &str| -> String {
        let all: Vec<&str> = name.split('/').collect();
        all[all.len().saturating_sub(parts)..].join("/")
    };
    let tails: Vec<String> = known.iter().map(|n| tail(n)).collect();
    let near = did_you_mean(text, tails.iter().map(String::as_str).chain(known.iter().map(String::as_str)));
    let last = text.rsplit('/').next().unwrap_or(text);
    let same: Vec<&str> =
        known.iter().filter(|n| n.rsplit('/').next() == Some(last)).map(String::as_str).take(MOST).collect();
    let help = match (near, same.as_slice()) {
        (Some(near), _) => Some(format!("did you mean `{near}`?")),
        (None, []) => None,
        (None, same) => Some(format!("variables of that name are {}", list_names(same.iter().copied(), MOST))),
    };
    let fault = Diagnostic::error("unknown-path", path.span, format!("there is no variable `{text}`"), "unknown path");
    let listed = list_names(known.iter().map(String::as_str), MOST);
    fault.with_note(format!("the variables are {listed}")).with_help_if(help)
}

/// A suffix of several paths.
pub fn ambiguous_path(path: &Name, names: &[String]) -> Diagnostic {
    let shown = list_names(names.iter().map(String::as_str), MOST);
    Diagnostic::error("ambiguous-path", path.span, format!("`{path}` could be {shown}"), "ambiguous")
        .with_help("write as much of the path as makes it clear, or `all` for all of them: `all/operator/variable`")
}

/// `r[x]`.
pub fn malformed_index(path: &Name) -> Diagnostic {
    let message = format!("`{path}` does not end with an index");
    Diagnostic::error("malformed-index", path.span, message, "expected `variable[0]`")
}

/// An index past the end.
pub fn index_out_of_range(path: &Name, variable: &str, index: usize, elements: usize) -> Diagnostic {
    let message = match elements {
        1 => format!("`{variable}` is a single number and has no element {index}"),
        n => format!("`{variable}` has {n} elements, counted from 0, and no element {index}"),
    };
    Diagnostic::error("index-out-of-range", path.span, message, "no such element")
}

/// NaN or infinity from outside.
pub fn value_not_finite(path: &Name) -> Diagnostic {
    let message = format!("the value of `{path}` is not a finite number");
    Diagnostic::error("not-finite", path.span, message, "not finite")
}

/// A list of the wrong length from outside.
pub fn wrong_number_of_values(path: &Name, expected: usize, found: usize) -> Diagnostic {
    let message = format!("`{path}` takes {expected} values, not {found}");
    Diagnostic::error("wrong-number-of-values", path.span, message, format!("expected 1 or {expected} values"))
}

/// A complex number where only a real one has a meaning.
pub fn value_not_real(name: &Name) -> Diagnostic {
    Diagnostic::error("not-real", name.span, format!("`{name}` is a real number"), "given a complex one")
}

/// Two variables that no edge joins.
pub fn no_such_edge(source: &Name, target: &Name) -> Diagnostic {
    let message = format!("there is no edge from `{source}` to `{target}`");
    Diagnostic::error("no-such-edge", target.span, message, "no edge ends here")
        .with_help("name source and target as in `edges:`, `node/operator/variable`")
}

/// An attribute that an edge does not have.
pub fn unknown_edge_attribute(attribute: &Name) -> Diagnostic {
    let message = format!("this edge has no `{attribute}`");
    Diagnostic::error("unknown-edge-attribute", attribute.span, message, "not known")
        .with_help("use `weight`, `delay`, `spread`, or `operator/variable` of the edge's template")
}

// Checks

/// An equation defines what is not declared.
pub fn undeclared_variable(name: &Name, operator: &str, known: &[&str]) -> Diagnostic {
    let message = format!("operator `{operator}` defines `{name}` but does not declare it");
    let near = did_you_mean(&name.text, known.iter().copied());
    Diagnostic::error("undeclared-variable", name.span, message, "not declared")
        .with_note(format!("declared are {}", list_names(known.iter().copied(), MOST)))
        .with_help(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add `{name}: variable(0.0)` to the variables"),
        })
}

/// An equation reads what is not declared.
pub fn unknown_name(name: &Name, operator: &str, known: &[&str], function: bool) -> Diagnostic {
    let message = format!("operator `{operator}` has no variable `{name}`");
    let spelling = match &*name.text {
        "PI" | "Pi" | "π" => Some("write `pi`".to_string()),
        "e" => Some("write `E` for the base of the natural logarithm, `exp(x)` for its powers".to_string()),
        "i" | "j" => Some("write `I` or `1j` for the imaginary unit".to_string()),
        "dt" | "step_size" => Some("the step is no part of a model; write rates per unit of time".to_string()),
        "time" => Some("write `t` for the time".to_string()),
        text if function => Some(format!("`{text}` is a function; write `{text}(..)`")),
        _ => None,
    };
    let near = did_you_mean(&name.text, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    Diagnostic::error("unknown-name", name.span, message, "unknown name")
        .with_note(format!("its variables are {}", list_names(known.iter().copied(), MOST)))
        .with_help(near.or(spelling).unwrap_or_else(|| format!("declare it: `{name}: 0.0` or `{name}: input`")))
}

/// A call of nothing.
pub fn unknown_function(name: &Name, known: &[&str]) -> Diagnostic {
    let near = did_you_mean(&name.text, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    Diagnostic::error("unknown-function", name.span, format!("there is no function `{name}`"), "unknown function")
        .with_help(
            near.unwrap_or_else(|| {
                format!("define it in the file: `functions: {{{name}: {{args: [x], expr: \"..\"}}}}`")
            }),
        )
}

/// `x(t)`, `x(2.0)`.
pub fn variable_called(name: &Name) -> Diagnostic {
    let message = format!("`{name}` is a variable, not a function");
    Diagnostic::error("variable-called", name.span, message, "called like a function").with_help(format!(
        "write `{name}` for its value now, `{name}(t - tau)` for its value `tau` ago, `{name} * (..)` for a product"
    ))
}

/// Too few or too many arguments.
pub fn function_arity(name: &Name, arity: crate::model::check::Arity, found: usize) -> Diagnostic {
    let expected = match (arity.least, arity.most) {
        (1, 1) => "1 argument".to_string(),
        (least, most) if least == most => format!("{least} arguments"),
        (least, usize::MAX) => format!("at least {least} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    };
    let message = format!("`{name}` takes {expected}, not {found}");
    Diagnostic::error("wrong-arity", name.span, message, format!("called with {found}"))
}

/// Two equations for one variable.
pub fn two_equations(second: &Lhs, first: &Lhs) -> Diagnostic {
    let message = format!("`{}` has two equations", second.variable);
    Diagnostic::error("two-equations", second.span, message, "second equation")
        .with_related(first.span, "first equation")
        .with_help("keep one of them, or add their right sides")
}

/// An equation for an input or a constant.
pub fn assigned(lhs: &Lhs, variable: &Variable) -> Diagnostic {
    let name = &lhs.variable;
    let (what, help) = match variable.role {
        Role::Input => ("an input", format!("declare it `{name}: variable(0.0)`, or give the result another name")),
        Role::Event => ("an event", format!("give the result another name: `{name}` is the spike train of the event")),
        _ => ("a constant", format!("declare it `{name}: variable({})`", variable.value.first().map_or(0.0, |n| n.re))),
    };
    let derivative = if lhs.kind == LhsKind::Derivative { "the derivative of " } else { "" };
    let message = format!("an equation defines {derivative}`{name}`, which is {what}");
    Diagnostic::error("assigned", lhs.span, message, format!("{what} has no equation"))
        .with_related(variable.span, format!("declared as {what} here"))
        .with_help(help)
}

/// An output without an equation.
pub fn undefined_output(variable: &Variable, operator: &str) -> Diagnostic {
    let message = format!("no equation of operator `{operator}` defines its output `{}`", variable.name);
    Diagnostic::error("undefined-output", variable.span, message, "never defined")
        .with_help(format!("add an equation `{} = ..`, or declare it as a number", variable.name))
}

/// A variable that no equation mentions.
pub fn unused_variable(variable: &Variable, operator: &str) -> Diagnostic {
    let message = format!("no equation of operator `{operator}` mentions `{}`", variable.name);
    Diagnostic::warning("unused-variable", variable.span, message, "never used")
}

/// Algebraic variables that need each other.
pub fn algebraic_cycle(steps: &[(String, Span)]) -> Diagnostic {
    let span = steps.first().map_or(Span::NOWHERE, |s| s.1);
    if let [(name, span)] = steps {
        let message = format!("`{name}` is defined by itself");
        return Diagnostic::error("algebraic-cycle", *span, message, "needs its own value")
            .with_help("solve the equation for the variable, or make it a state: `x' = (.. - x)/tau`");
    }
    let names: Vec<String> = steps.iter().chain(steps.first()).map(|(name, _)| format!("`{name}`")).collect();
    let message = format!("algebraic variables need each other: {}", names.join(" -> "));
    let mut fault = Diagnostic::error("algebraic-cycle", span, message, "part of the cycle");
    for (_, other) in steps.iter().skip(1).take(MOST) {
        if *other != span && fault.related.iter().all(|(s, _)| s != other) {
            fault = fault.with_related(*other, "part of the cycle");
        }
    }
    fault.with_help("make one of them a state (`x' = (.. - x)/tau`), or give an edge of the cycle a delay")
}

/// NaN or infinity as a value.
pub fn variable_not_finite(variable: &Variable) -> Diagnostic {
    let message = format!("a value of `{}` is not a finite number", variable.name);
    Diagnostic::error("not-finite", variable.span, message, "declared here")
}

/// NaN or infinity as a weight.
pub fn weight_not_finite(span: Span) -> Diagnostic {
    Diagnostic::error("not-finite", span, "a weight of this edge is not a finite number", "not finite")
}

/// What a variable takes, for a message.
fn expected_values(units: usize, length: usize) -> String {
    match (units, length) {
        (1, 1) => "is a single number".to_string(),
        (units, 1) => format!("takes 1 or {units} values, one per unit"),
        (1, length) => format!("takes 1 or {length} values, one per element"),
        (units, length) => format!("takes 1, {units}, {length} or {} values", units.saturating_mul(length)),
    }
}

/// A list of values that matches neither units nor elements.
pub fn wrong_value_count(variable: &Variable, place: &str, units: usize, length: usize, found: usize) -> Diagnostic {
    let name = &variable.name;
    let message = format!("`{place}`: `{name}` {}, but has {found}", expected_values(units, length));
    let fault = Diagnostic::error("wrong-number-of-values", variable.span, message, "declared here");
    if units == 1 { fault.with_help(format!("give the node a size: `n: {found}`")) } else { fault }
}

/// The same for a variable on an edge, with a list of another length than it has connections.
pub fn wrong_connection_count(variable: &Variable, span: Span, connections: u64, found: usize) -> Diagnostic {
    let name = &variable.name;
    let message =
        format!("`{name}` takes one value, or one for each of the {connections} connections, but {found} are given");
    Diagnostic::error("wrong-number-of-values", span, message, format!("{found} values"))
        .with_related(variable.span, "the variable")
        .with_note("lists are in the order of `pairs`, else by target, for each target by source")
        .with_help("give a matrix `[target][source]`, of which the connected entries are taken, or a distribution")
}

/// The same for a value that a node gives.
pub fn wrong_override_count(given: &Override, units: usize, length: usize, found: usize) -> Diagnostic {
    let message = format!("`{}` {}, but {found} are given", given.variable, expected_values(units, length));
    let fault = Diagnostic::error("wrong-number-of-values", given.span, message, format!("{found} values"))
        .with_related(given.variable.span, "the variable");
    if units == 1 { fault.with_help(format!("give the node a size: `n: {found}`")) } else { fault }
}

/// A delay or spread that is no time.
pub fn bad_time(span: Span, what: &str, found: f64) -> Diagnostic {
    let message = format!("the {what} of this edge is {found}; it must be a finite number, 0 or more");
    Diagnostic::error("bad-time", span, message, "expected 0 or more")
}

/// A spread without a delay.
pub fn spread_without_delay(span: Span) -> Diagnostic {
    Diagnostic::error("spread-without-delay", span, "this edge has a spread of its delay but no delay", "no `delay`")
        .with_help("add `delay`, the mean of the distribution, or leave `spread` out")
}
