//! Faults of the template stage: files, references, inheritance, and the form of every template.

mod structure;

pub use structure::*;

use std::io::{Error, ErrorKind};

use super::{Diagnostic, did_you_mean, list_names};
use crate::source::{Name, Span};
use crate::syntax::yaml::{Entry, Node, Value};
use crate::template::library::SHIPPED_TEMPLATES;
use crate::template::{EdgeTemplate, Kind, OperatorTemplate};

/// `did you mean ..?`, if a name is near.
fn nearest<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    did_you_mean(found, names).map(|name| format!("did you mean `{name}`?"))
}

fn kind_of_value(node: &Node) -> &'static str {
    match &node.value {
        Value::Null => "nothing",
        Value::Scalar(_) => "a single value",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a mapping",
    }
}

// Files

/// No file of that name in any directory.
pub fn file_not_found(span: Span, path: &str, tried: &[String]) -> Diagnostic {
    let fault = Diagnostic::error("file-not-found", span, format!("there is no file `{path}`"), "not found");
    let shown: Vec<&str> = tried.iter().map(String::as_str).collect();
    let shipped = || SHIPPED_TEMPLATES.iter().map(|(file, _)| file.trim_end_matches(".yaml"));
    // The file alone, where the directory is missing or another one.
    let last = |path: &str| path.rsplit('/').next().map(str::to_string);
    let elsewhere = shipped().find(|name| last(name) == last(path.trim_end_matches(".yaml")));
    fault
        .with_note(format!("looked for {}", list_names(shown, 12)))
        .with_help(
            "give the path relative to this file or to the working directory, or add `--template-path DIRECTORY`",
        )
        .with_help_if(elsewhere.map_or_else(|| nearest(path, shipped()), |name| Some(format!("write `{name}`"))))
}

/// A file that exists and cannot be read.
pub fn unreadable_file(span: Span, path: &str, error: &Error, limit: u64) -> Diagnostic {
    let reason = match error.kind() {
        ErrorKind::FileTooLarge => format!("it is larger than {} MiB", limit >> 20),
        _ => error.to_string(),
    };
    Diagnostic::error("unreadable-file", span, format!("cannot read `{path}`: {reason}"), "cannot be read")
}

/// A file that is no text.
pub fn not_utf8(span: Span, path: &str, at: usize) -> Diagnostic {
    Diagnostic::error("not-utf8", span, format!("`{path}` is not UTF-8 text (byte {at})"), "not a text file")
        .with_help("save the file with the encoding UTF-8")
}

/// A model of too many files.
pub fn too_many_files(span: Span, limit: usize) -> Diagnostic {
    Diagnostic::error("too-many-files", span, format!("the model needs more than {limit} files"), "one file too many")
}

/// A YAML file that is a list or a number.
pub fn not_a_template_file(span: Span, path: &str) -> Diagnostic {
    Diagnostic::error("not-a-template-file", span, format!("`{path}` defines no templates"), "expected `NAME:` here")
        .with_help("a template file is a mapping of names to templates: `NAME: {base: OperatorTemplate, ..}`")
}

/// A data file that holds no matrix.
pub fn bad_data_file(span: Span, path: &str, reason: &str) -> Diagnostic {
    Diagnostic::error("bad-data-file", span, format!("cannot use `{path}`: {reason}"), "read from here")
}

// References and inheritance

/// A name that a file does not define.
pub fn unknown_template(reference: &Name, name: &str, path: &str, names: &[&str]) -> Diagnostic {
    let message = format!("there is no template `{name}` in `{path}`");
    Diagnostic::error("unknown-template", reference.span, message, "unknown template")
        .with_note(format!("it defines {}", list_names(names.iter().copied(), 12)))
        .with_help_if(nearest(name, names.iter().copied()))
}

/// `base:` names nothing: the built-in kinds are candidates too.
pub fn suggest_kinds(fault: &mut Diagnostic, base: &Name) {
    if let Some(kind) = nearest(&base.text, Kind::ALL.map(Kind::base)) {
        fault.help = Some(kind);
    } else if fault.help.is_none() {
        let kinds = list_names(Kind::ALL.map(Kind::base), 4);
        fault.help = Some(format!("a base is one of {kinds}, or a parent template: `NAME` or `file/NAME`"));
    }
}

/// `/NAME`, `file/`.
pub fn malformed_reference(reference: &Name) -> Diagnostic {
    let message = format!("`{reference}` is not a reference to a template");
    Diagnostic::error("malformed-reference", reference.span, message, "expected `NAME` or `file/NAME`")
}

/// A template of one kind where another is needed.
pub fn wrong_kind(reference: &Name, found: Kind, wanted: Kind, defined: &Name) -> Diagnostic {
    let message = format!("`{reference}` is {}, but {} is needed here", found.noun(), wanted.noun());
    let fault = Diagnostic::error("wrong-kind", reference.span, message, format!("expected {}", wanted.noun()))
        .with_related(defined.span, format!("`{defined}` is defined here"));
    match (found, wanted) {
        (Kind::Operator, Kind::Node) => {
            fault.with_help(format!("make a node of it: `{{base: NodeTemplate, operators: [{reference}]}}`"))
        }
        (Kind::Operator, Kind::Edge) => {
            fault.with_help(format!("make an edge template of it: `{{base: EdgeTemplate, operators: [{reference}]}}`"))
        }
        (Kind::Circuit, Kind::Node) => fault.with_help("put circuits under `circuits:`"),
        (Kind::Node, Kind::Circuit) => fault.with_help("put nodes under `nodes:`"),
        _ => fault,
    }
}

/// Templates that inherit from each other.
pub fn inheritance_cycle(cycle: &[&Name]) -> Diagnostic {
    let path: Vec<String> = cycle.iter().chain(cycle.first()).map(|n| format!("`{n}`")).collect();
    let span = cycle.first().map_or(Span::NOWHERE, |n| n.span);
    let message = match cycle {
        [only] => format!("`{only}` inherits from itself"),
        _ => format!("templates inherit from each other: {}", path.join(" -> ")),
    };
    let mut fault = Diagnostic::error("inheritance-cycle", span, message, "part of the cycle");
    for name in cycle.iter().skip(1) {
        fault = fault.with_related(name.span, "part of the cycle");
    }
    fault.with_help("end the chain with a built-in base, e.g. `base: OperatorTemplate`")
}

/// A chain of parents without reasonable end.
pub fn too_many_ancestors(name: &Name, limit: usize) -> Diagnostic {
    let message = format!("`{name}` has more than {limit} ancestors");
    Diagnostic::error("too-many-ancestors", name.span, message, "the chain of `base` is too long")
}

/// A template without `base`.
pub fn missing_base(name: &Name, likely: Kind) -> Diagnostic {
    Diagnostic::error("missing-base", name.span, format!("template `{name}` has no `base`"), "`base` is missing")
        .with_help(format!("add `base: {}`", likely.base()))
}

/// A top-level entry that is no template.
pub fn not_a_template(entry: &Entry) -> Diagnostic {
    let message = format!("`{}` is not a template: it is {}", entry.key, kind_of_value(&entry.value));
    Diagnostic::error("not-a-template", entry.key.span, message, "expected a mapping with `base`").with_help_if(
        nearest(&entry.key.text, ["simulate", "functions", "aliases"])
            .or(Some("put things that are only there for anchors under `aliases:`".to_string())),
    )
}

/// A file with several candidates to run.
pub fn several_templates(names: &[Name], kind: Kind, path: &str) -> Diagnostic {
    let shown = list_names(names.iter().map(|n| &*n.text), 12);
    let message = format!("`{path}` defines several templates that can be run: {shown}");
    let span = names.first().map_or(Span::NOWHERE, |n| n.span);
    let mut fault = Diagnostic::error("several-templates", span, message, format!("{} that can be run", kind.noun()));
    for name in names.iter().skip(1).take(11) {
        fault = fault.with_related(name.span, "another");
    }
    let first = names.first().map_or("NAME", |n| &*n.text);
    fault.with_help(format!("choose one: `{path}:{first}`, or `template: {first}` in the section `simulate:`"))
}

/// A file with nothing to run.
pub fn no_template(span: Span, path: &str) -> Diagnostic {
    Diagnostic::error(
        "no-template",
        span,
        format!("`{path}` defines nothing that can be run"),
        "no circuit, node or operator",
    )
    .with_help("add a circuit: `NAME: {base: CircuitTemplate, nodes: {..}, edges: [..]}`")
}

/// An edge template asked for as the model.
pub fn edge_is_not_runnable(name: &Name) -> Diagnostic {
    let message = format!("`{name}` is an edge template, which cannot be run by itself");
    Diagnostic::error("not-runnable", name.span, message, "an edge template")
        .with_help("name a circuit, a node or an operator")
}

// Form

/// A key that nothing reads.
pub fn unknown_key(key: &Name, owner: &str, allowed: &[&str]) -> Diagnostic {
    Diagnostic::error("unknown-key", key.span, format!("{owner} has no key `{key}`"), "unknown key")
        .with_note(format!("known keys are {}", list_names(allowed.iter().copied(), 16)))
        .with_help_if(nearest(&key.text, allowed.iter().copied()))
}

/// A key that must be there.
pub fn missing_key(span: Span, owner: &str, key: &str, example: &str) -> Diagnostic {
    Diagnostic::error("missing-key", span, format!("{owner} has no `{key}`"), format!("`{key}` is missing"))
        .with_help(format!("add `{example}`"))
}

/// A list where a mapping is needed, and the like.
pub fn wrong_form(node: &Node, what: &str, expected: &str) -> Diagnostic {
    let found = kind_of_value(node);
    Diagnostic::error(
        "wrong-form",
        node.span,
        format!("{what} must be {expected}, not {found}"),
        format!("expected {expected}"),
    )
}

/// Two things of one name.
pub fn duplicate(what: &str, second: &Name, first: Span) -> Diagnostic {
    Diagnostic::error("duplicate", second.span, format!("the {what} `{second}` is there twice"), "second one")
        .with_related(first, "first one")
}

/// One of a few words was expected.
pub fn unknown_choice(found: &Name, what: &str, choices: &[&str]) -> Diagnostic {
    let all = list_names(choices.iter().copied(), 8);
    Diagnostic::error(
        "unknown-choice",
        found.span,
        format!("{what} cannot be `{found}`"),
        format!("expected one of {all}"),
    )
    .with_help_if(nearest(&found.text, choices.iter().copied()))
}

// Numbers

/// Text where a number is needed.
pub fn not_a_number(span: Span, what: &str, found: &str) -> Diagnostic {
    let fault =
        Diagnostic::error("not-a-number", span, format!("{what}: `{found}` is not a number"), "expected a number");
    let quotient = found.split_once('/').and_then(|(a, b)| {
        let (a, b): (f64, f64) = (a.trim().parse().ok()?, b.trim().parse().ok()?);
        (a / b).is_finite().then_some(a / b)
    });
    match quotient {
        Some(value) => fault.with_help(format!("values are not computed; write `{value}`")),
        None => fault,
    }
}

/// NaN or infinity.
pub fn not_finite(span: Span, what: &str, found: &str) -> Diagnostic {
    Diagnostic::error("not-finite", span, format!("{what}: `{found}` is not a finite number"), "not finite")
}

/// A complex number where a real one is needed.
pub fn complex_refused(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error("complex-refused", span, format!("{what} must be real"), "complex")
}

/// A number that must be a count.
pub fn not_a_count(span: Span, what: &str, least: u64) -> Diagnostic {
    Diagnostic::error("not-a-count", span, format!("{what} must be a whole number, at least {least}"), "not a count")
}

/// A population that no machine holds.
pub fn too_many_units(span: Span, most: u64) -> Diagnostic {
    Diagnostic::error("too-many-units", span, format!("a population has at most {most} units"), "more than that")
        .with_help("split it into several populations, or check the number")
}

/// A number that must not be negative.
pub fn not_positive(span: Span, what: &str, strict: bool) -> Diagnostic {
    let rule = if strict { "greater than 0" } else { "0 or more" };
    Diagnostic::error("not-positive", span, format!("{what} must be {rule}"), format!("expected {rule}"))
}

/// `[]` for a value.
pub fn empty_list(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error("empty-list", span, format!("{what} is an empty list"), "expected at least one number")
}

/// Rows of different length.
pub fn ragged_matrix(span: Span, what: &str, expected: usize, found: usize) -> Diagnostic {
    let message = format!("the rows of {what} have different lengths");
    Diagnostic::error("ragged-matrix", span, message, format!("{found} numbers, the rows before have {expected}"))
}

// Variables

/// `x: ` without anything.
pub fn empty_declaration(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error("empty-declaration", span, format!("{what} has no value"), "expected a number or a declaration")
        .with_help("write a number, `input`, `output`, `variable` or `constant`, e.g. `variable(0.0)`")
}

/// A word that declares nothing.
pub fn unknown_declaration(span: Span, what: &str, written: &str, word: &str) -> Diagnostic {
    const WORDS: [&str; 4] = ["input", "output", "variable", "constant"];
    let fault = not_a_number(span, what, written);
    let label = "expected a number, a file, or `input`, `output`, `variable`, `constant`".to_string();
    let message = format!("{what}: `{written}` declares nothing");
    let starts = WORDS.into_iter().find(|w| word.starts_with(w)).map(|w| format!("did you mean `{w}`?"));
    Diagnostic { code: "unknown-declaration", message, label, ..fault }.with_help_if(nearest(word, WORDS).or(starts))
}

/// A matrix, or a vector, with `per: unit`.
pub fn values_per_unit(span: Span, what: &str) -> Diagnostic {
    let message = format!("{what} has one number for each unit with `per: unit`, so it can be no vector or matrix");
    Diagnostic::error("values-per-unit", span, message, "one number for each unit")
        .with_help("give a list, a file with one row or column or a distribution, without `shape`; or leave `per` out")
}

/// `variable(0.0`.
pub fn unclosed_declaration(span: Span, what: &str, written: &str) -> Diagnostic {
    Diagnostic::error(
        "unclosed-declaration",
        span,
        format!("{what}: `{written}` does not end with `)`"),
        "expected `)` at the end",
    )
}

/// `variable(0.0, 3, 4)`.
pub fn too_many_arguments(span: Span, what: &str, written: &str) -> Diagnostic {
    Diagnostic::error(
        "too-many-arguments",
        span,
        format!("{what}: too many arguments in `{written}`"),
        "expected `(value, length)`",
    )
}

/// `variable(0.0, x)`.
pub fn wrong_length(span: Span, what: &str, found: &str) -> Diagnostic {
    Diagnostic::error(
        "wrong-length",
        span,
        format!("{what}: `{found}` is not a number of elements"),
        "expected `(value, length)`",
    )
}

/// A shape that is none.
pub fn wrong_shape(span: Span) -> Diagnostic {
    Diagnostic::error(
        "wrong-shape",
        span,
        "a shape is `[]` for a number, `[length]` for a vector or `[rows, columns]` for a matrix",
        "not a shape",
    )
}

/// Shape and value disagree.
pub fn shape_mismatch(span: Span, what: &str, shape: &[usize], value: &[usize]) -> Diagnostic {
    Diagnostic::error(
        "shape-mismatch",
        span,
        format!("{what} has shape {shape:?} but its value has shape {value:?}"),
        "shape and value disagree",
    )
}

/// A matrix for a variable that is no constant, or has another shape.
pub fn matrix_variable(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error(
        "matrix-variable",
        span,
        format!("{what} cannot be a matrix"),
        "expected a number or a list of numbers",
    )
    .with_note("only constants can be matrices, and they keep the shape they were declared with")
    .with_help("matrices of weights may also stand on edges: `[source, target, null, {weight: [[..], [..]]}]`")
}

/// A path through operators that cannot keep their common name in one file.
pub fn operators_of_one_name(path: &Name, operator: &str) -> Diagnostic {
    let message = format!("`{path}` leads to different operators that are all called `{operator}`");
    Diagnostic::error("operators-of-one-name", path.span, message, "several operators")
        .with_help("one file cannot hold them: rename the operators, or write one edge for each")
}

/// A key that would stand twice in a section.
pub fn written_twice(section: &str, name: &Name) -> Diagnostic {
    let message = format!("`{name}` stands twice in `{section}:`");
    Diagnostic::error("written-twice", name.span, message, "second one")
        .with_help("a mapping has each key once; join the two")
}

/// A value for a variable that no operator has, or several have.
pub fn override_target(path: &str, owner: &str, operators: &[&str], found: usize) -> Diagnostic {
    let message = match found {
        0 => format!("no operator of `{owner}` has the variable `{path}`"),
        _ => format!("several operators of `{owner}` have the variable `{path}`"),
    };
    Diagnostic::error("unused-override", Span::NOWHERE, message, "").with_help(format!(
        "use `OPERATOR/VARIABLE` with one of the operators {}",
        list_names(operators.iter().copied(), 8)
    ))
}

/// A name no equation can use.
pub fn not_an_identifier(name: &Name) -> Diagnostic {
    Diagnostic::error(
        "not-an-identifier",
        name.span,
        format!("`{name}` cannot be used as a name in equations"),
        "not a name",
    )
    .with_help("a name consists of letters, digits and `_`, and does not begin with a digit")
}

/// `pi: 3`.
pub fn reserved_name(name: &Name) -> Diagnostic {
    Diagnostic::error("reserved-name", name.span, format!("`{name}` is a built-in constant"), "reserved name")
        .with_help(format!("choose another name, e.g. `{name}_`"))
}

// Operators

/// Two `output`s.
pub fn several_outputs(first: &Name, second: &Name) -> Diagnostic {
    let message = format!("an operator has one output, but `{first}` and `{second}` are both declared `output`");
    Diagnostic::error("several-outputs", second.span, message, "second output")
        .with_related(first.span, "first output")
        .with_help(format!(
            "declare one of them `variable`: every variable can be recorded and read by edges, `{second}` too"
        ))
}

/// `equations: {replace: ..}` in an operator without parent.
pub fn edit_without_parent(span: Span) -> Diagnostic {
    Diagnostic::error(
        "edit-without-parent",
        span,
        "there are no inherited equations to edit",
        "the base has no equations",
    )
    .with_help("write a list of equations, or name a parent operator in `base`")
}

/// An edit that changes nothing.
pub fn unused_edit(span: Span, old: &str, equations: &[&str]) -> Diagnostic {
    let mut fault = Diagnostic::error("unused-edit", span, format!("`{old}` occurs in no equation"), "nothing to edit");
    for equation in equations.iter().take(4) {
        fault = fault.with_note(format!("the equation is `{equation}`"));
    }
    fault.with_help("terms are compared token by token, and a name does not match where a prime follows")
}

/// A term to edit without any token.
pub fn empty_term(span: Span) -> Diagnostic {
    Diagnostic::error("empty-term", span, "the term to replace or remove is empty", "empty")
}

/// One operator twice in a node.
pub fn duplicate_operator(name: &Name, first: Span, owner: &str) -> Diagnostic {
    Diagnostic::error("duplicate-operator", name.span, format!("{owner} has the operator `{name}` twice"), "second one")
        .with_related(first, "first one")
        .with_help(format!("define a second operator: `{name}_2: {{base: {name}}}`"))
}

/// A value for a variable that the operator lacks.
pub fn unused_override(variable: &Name, operator: &OperatorTemplate) -> Diagnostic {
    let names: Vec<&str> = operator.variables.iter().map(|v| &*v.name.text).collect();
    let message = format!("operator `{}` has no variable `{variable}`", operator.name);
    Diagnostic::error("unknown-variable", variable.span, message, "unknown variable")
        .with_note(format!("its variables are {}", list_names(names.iter().copied(), 16)))
        .with_help_if(nearest(&variable.text, names))
}

// Functions

/// A function that calls itself.
pub fn recursive_function(call: &Name, path: &[String]) -> Diagnostic {
    let shown: Vec<String> = path.iter().map(|f| format!("`{f}`")).collect();
    let message = format!("a function must not call itself: {}", shown.join(" -> "));
    Diagnostic::error("recursive-function", call.span, message, "called from within itself")
}

/// Too few or too many arguments.
pub fn wrong_arity(call: &Name, defined: &Name, expected: usize, found: usize) -> Diagnostic {
    let message = format!("`{call}` takes {expected} arguments, not {found}");
    Diagnostic::error("wrong-arity", call.span, message, format!("called with {found}"))
        .with_related(defined.span, "defined here")
}

/// An equation that grows beyond bounds as functions are put in.
pub fn expression_too_large(span: Span) -> Diagnostic {
    let message = "the equation is too large once its functions are put in";
    Diagnostic::error("expression-too-large", span, message, "grows too large here")
        .with_help("give common parts a variable and an equation of their own")
}

// Circuits and edges

/// A label that paths could not hold.
pub fn bad_label(label: &Name) -> Diagnostic {
    let reason = match &*label.text {
        "all" => "`all` selects all labels in a path, so it cannot be one".to_string(),
        "" => "a label must not be empty".to_string(),
        text => {
            format!("`{text}` cannot be a label: `/`, `[`, `]` and spaces have a meaning in paths")
        }
    };
    Diagnostic::error("bad-label", label.span, reason, "not a label").with_help("choose another label")
}

/// A circuit inside itself.
pub fn circuit_contains_itself(span: Span, circuit: &Name, path: &[String]) -> Diagnostic {
    let shown: Vec<String> = path.iter().map(|n| format!("`{n}`")).chain([format!("`{circuit}`")]).collect();
    let message = format!("circuit `{circuit}` contains itself: {}", shown.join(" -> "));
    Diagnostic::error("circuit-contains-itself", span, message, "leads back to itself")
        .with_related(circuit.span, "the circuit")
}

/// Circuits in circuits without reasonable end.
pub fn nested_too_deep(name: &Name, limit: usize) -> Diagnostic {
    let message = format!("circuits are nested deeper than {limit} levels");
    Diagnostic::error("nested-too-deep", name.span, message, "one level too many")
}

/// A circuit without nodes.
pub fn empty_circuit(name: &Name) -> Diagnostic {
    Diagnostic::error("empty-circuit", name.span, format!("circuit `{name}` has no nodes"), "nothing in it")
        .with_help("add `nodes: {p: NAME_OF_A_NODE}`")
}

/// A list of one or five items as an edge.
pub fn edge_items(span: Span, found: usize) -> Diagnostic {
    let message = format!("an edge has 2 to 4 items, not {found}");
    Diagnostic::error("edge-items", span, message, "expected `[source, target, template, {weight: 1.0}]`")
        .with_help("write `null` for the template of an edge that has none")
}

/// An attribute that only an edge template could give a meaning.
pub fn edge_key_without_template(key: &Name, known: &[&str]) -> Diagnostic {
    let message = format!("the edge has no attribute `{key}`");
    let attributes = ["weight", "delay", "spread"];
    Diagnostic::error("unknown-attribute", key.span, message, "unknown attribute")
        .with_note(
            "attributes are `weight`, `delay`, `spread`, and variables of the edge's template; it has no template",
        )
        .with_help_if(nearest(&key.text, attributes).or_else(|| nearest(&key.text, known.iter().copied())))
}

/// A variable that the operators of the edge template lack, or that several have.
pub fn unknown_edge_variable(key: &Name, template: &EdgeTemplate) -> Diagnostic {
    let mut names = vec!["weight".to_string(), "delay".to_string(), "spread".to_string()];
    let mut last_parts = Vec::new();
    for operator in &template.operators {
        for variable in &operator.template.variables {
            names.push(format!("{}/{}", operator.name, variable.name));
            last_parts.push((variable.name.text.clone(), format!("{}/{}", operator.name, variable.name)));
        }
    }
    let message = format!("edge template `{}` has no variable `{key}`", template.name);
    let variable = key.text.rsplit('/').next().unwrap_or("");
    let near = did_you_mean(&key.text, names.iter().map(String::as_str)).map(str::to_string).or_else(|| {
        let exact = last_parts.iter().find(|(name, _)| **name == *variable).map(|(name, _)| &**name);
        let name = exact.or_else(|| did_you_mean(variable, last_parts.iter().map(|(name, _)| &**name)))?;
        last_parts.iter().find(|(n, _)| &**n == name).map(|(_, full)| full.clone())
    });
    Diagnostic::error("unknown-edge-variable", key.span, message, "unknown, or not in one operator only")
        .with_note(format!("attributes are {}", list_names(names.iter().map(String::as_str), 16)))
        .with_help_if(near.map(|name| format!("did you mean `{name}`?")))
}
