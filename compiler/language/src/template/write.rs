//! Templates as YAML that reads back to the same circuit.
//!
//! Inheritance is resolved by then, so every template stands by itself; values that nodes give to their operators stay with
//! the nodes. Templates keep their names; when two have the same, the later one gets `_2`, `_3`, .. Operators are named
//! first, because paths contain their names; paths follow a renamed operator.

mod connectivity;
mod names;
mod value;

use std::fmt::Write;
use std::sync::Arc;

use self::connectivity::connectivity;
use self::names::Names;
use self::value::{block_key, flow_entry, literal, number, quoted, variable};
use super::simulate::Simulate;
use super::{
    CircuitTemplate, EdgeMatrix, EdgeSource, EdgeTemplate, EdgeUse, EventTemplate, NodeTemplate, OperatorTemplate,
    OperatorUse, Order,
};
use crate::diagnostic::{Result, template as fault};
use crate::source::Name;
use crate::syntax::print;

/// Writing to a string cannot fail.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {{ let _ = writeln!($out, $($arg)*); }};
}

/// A circuit with all it is made of as a YAML file.
pub fn to_yaml(circuit: &CircuitTemplate) -> Result<String> {
    to_yaml_with(circuit, &Simulate::default())
}

/// A circuit with all it is made of, and settings, as a YAML file.
pub fn to_yaml_with(circuit: &CircuitTemplate, settings: &Simulate) -> Result<String> {
    let mut out = String::new();
    let names = Names::new(circuit);
    for (operator, name) in &names.operators {
        write_operator(&mut out, name, operator);
    }
    if !names.lone_operator {
        for (edge, name) in &names.edges {
            write_edge_template(&mut out, name, edge, &names);
        }
        for (node, name) in &names.nodes {
            write_node(&mut out, name, node, &names);
        }
    }
    if !names.lone_operator && !names.lone_node {
        for (inner, name) in &names.circuits {
            write_circuit(&mut out, name, inner, &names)?;
        }
        write_circuit(&mut out, &names.circuit, circuit, &names)?;
    }
    let template = (!names.circuits.is_empty()).then_some(names.circuit.as_str());
    simulate(&mut out, template, settings, |path| names.path(circuit, path))?;
    Ok(out)
}

fn header(out: &mut String, name: &str, base: &str, description: &Option<String>) {
    put!(out, "{}", block_key(0, name));
    put!(out, "  base: {base}");
    if let Some(description) = description {
        put!(out, "  description: {}", quoted(description.trim()));
    }
}

fn write_operator(out: &mut String, name: &str, operator: &OperatorTemplate) {
    header(out, name, "OperatorTemplate", &operator.description);
    if !operator.equations.is_empty() {
        put!(out, "  equations:");
    }
    for equation in operator.equations.iter() {
        put!(out, "    - {}", quoted(&print::equation(equation)));
    }
    if !operator.variables.is_empty() {
        put!(out, "  variables:");
    }
    for declared in &operator.variables {
        put!(out, "{} {}", block_key(4, &declared.name.text), variable(declared));
    }
    if !operator.events.is_empty() {
        put!(out, "  events:");
    }
    for event in operator.events.iter() {
        write_event(out, event);
    }
}

fn write_event(out: &mut String, event: &EventTemplate) {
    put!(out, "{}", block_key(4, &event.name.text));
    put!(out, "      when: {}", quoted(&print::expression(&event.when)));
    let resets = event.resets.iter().map(|r| flow_entry(&r.variable.text, &quoted(&print::expression(&r.value))));
    let resets: Vec<String> = resets.collect();
    if !resets.is_empty() {
        put!(out, "      reset: {{{}}}", resets.join(", "));
    }
    if let Some(refractory) = &event.refractory {
        put!(out, "      refractory: {}", quoted(&print::expression(refractory)));
    }
    if event.order != Order::default() {
        put!(out, "      order: {}", event.order.name());
    }
    if let Some(hold) = &event.hold {
        put!(out, "      hold: [{}]", hold.iter().map(|n| quoted(&n.text)).collect::<Vec<_>>().join(", "));
    }
}

fn write_uses(out: &mut String, uses: &[OperatorUse], names: &Names<'_>) {
    put!(out, "  operators:{}", if uses.is_empty() { " []" } else { "" });
    for used in uses {
        let values = used.overrides.iter().map(|o| flow_entry(&o.variable.text, &literal(&o.value)));
        let operator = block_key(4, names.operator(&used.template));
        put!(out, "{operator} {{{}}}", values.collect::<Vec<_>>().join(", "));
    }
}

fn write_edge_template(out: &mut String, name: &str, edge: &EdgeTemplate, names: &Names<'_>) {
    header(out, name, "EdgeTemplate", &edge.description);
    write_uses(out, &edge.operators, names);
}

fn write_node(out: &mut String, name: &str, node: &NodeTemplate, names: &Names<'_>) {
    header(out, name, "NodeTemplate", &node.description);
    if let Some(size) = node.size {
        put!(out, "  n: {size}");
    }
    write_uses(out, &node.operators, names);
}

fn write_circuit(out: &mut String, name: &str, circuit: &CircuitTemplate, names: &Names<'_>) -> Result<()> {
    header(out, name, "CircuitTemplate", &circuit.description);
    if let Some(seed) = circuit.seed {
        put!(out, "  seed: {seed}");
    }
    if !circuit.nodes.is_empty() {
        put!(out, "  nodes:");
    }
    for (label, node) in &circuit.nodes {
        put!(out, "{} {}", block_key(4, &label.text), quoted(names.node(node)));
    }
    if !circuit.circuits.is_empty() {
        put!(out, "  circuits:");
    }
    for (label, inner) in &circuit.circuits {
        put!(out, "{} {}", block_key(4, &label.text), quoted(names.inner(inner)));
    }
    if !circuit.edges.is_empty() {
        put!(out, "  edges:");
    }
    for edge in &circuit.edges {
        let (source, target) = (names.path(circuit, &edge.source)?, names.path(circuit, &edge.target)?);
        let attributes = attributes(circuit, edge, names)?;
        let attributes: Vec<String> = attributes.iter().map(|(key, value)| flow_entry(key, value)).collect();
        let template = template(edge.template.as_ref(), names);
        put!(out, "    - [{}, {}, {template}, {{{}}}]", quoted(&source), quoted(&target), attributes.join(", "));
    }
    if !circuit.matrices.is_empty() {
        put!(out, "  matrices:");
    }
    for matrix in &circuit.matrices {
        write_matrix(out, circuit, matrix, names)?;
    }
    Ok(())
}

fn write_matrix(out: &mut String, circuit: &CircuitTemplate, matrix: &EdgeMatrix, names: &Names<'_>) -> Result<()> {
    let edge = &matrix.edge;
    let list = |nodes: &[Name]| nodes.iter().map(|n| quoted(&n.text)).collect::<Vec<_>>().join(", ");
    put!(out, "    - source_var: {}", quoted(&names.path_in(circuit, &matrix.source_nodes, &edge.source)?));
    put!(out, "      target_var: {}", quoted(&names.path_in(circuit, &matrix.target_nodes, &edge.target)?));
    put!(out, "      source_nodes: [{}]", list(&matrix.source_nodes));
    put!(out, "      target_nodes: [{}]", list(&matrix.target_nodes));
    put!(out, "      template: {}", template(edge.template.as_ref(), names));
    put!(out, "      minimum: {}", number(matrix.minimum));
    for (key, value) in attributes(circuit, edge, names)? {
        put!(out, "{} {value}", block_key(6, &key));
    }
    Ok(())
}

fn template(template: Option<&Arc<EdgeTemplate>>, names: &Names<'_>) -> String {
    template.map_or("null".to_string(), |t| quoted(names.edge(t)))
}

/// The attributes of an edge: keys, and values as YAML.
fn attributes(circuit: &CircuitTemplate, edge: &EdgeUse, names: &Names<'_>) -> Result<Vec<(String, String)>> {
    let times = [("delay", &edge.delay), ("spread", &edge.spread)];
    let mut written = vec![("weight".to_string(), literal(&edge.weight))];
    written.extend(times.iter().filter_map(|(k, v)| v.as_ref().map(|v| (k.to_string(), literal(v)))));
    written.extend(edge.connectivity.as_ref().map(|c| ("connectivity".to_string(), connectivity(c))));
    for (input, source) in &edge.sources {
        let source = match source {
            EdgeSource::OwnSource => "source".to_string(),
            EdgeSource::Path(path) => names.edge_input(circuit, edge, path)?,
        };
        written.push((names.edge_variable(edge, input), quoted(&source)));
    }
    let values = edge.overrides.iter();
    written.extend(values.map(|(v, value)| (names.edge_variable(edge, v), literal(value))));
    Ok(written)
}

/// The `simulate:` section, if there is anything to say in it.
fn simulate(
    out: &mut String,
    template: Option<&str>,
    settings: &Simulate,
    path_of: impl Fn(&Name) -> Result<String>,
) -> Result<()> {
    let mut lines = Vec::new();
    let mut line = |key: &str, value: Option<String>| lines.extend(value.map(|v| format!("  {key}: {v}")));
    let named = |name: &Option<Name>| name.as_ref().map(|n| quoted(&n.text));
    line("template", template.map(quoted));
    line("duration", settings.duration.map(number));
    line("dt", settings.dt.map(number));
    line("scheme", named(&settings.scheme));
    line("sample_every", settings.sample_every.map(number));
    line("cutoff", settings.cutoff.map(number));
    line("include_end", settings.include_end.map(|b| b.to_string()));
    line("precision", named(&settings.precision));
    line("history", named(&settings.history));
    line("seed", settings.seed.map(|s| s.to_string()));
    // Paths follow renamed operators, as they do on edges.
    let renamed = |path: &Name| -> Result<Name> { Ok(Name::new(path_of(path)?, path.span)) };
    let set: Result<Vec<(Name, String)>> =
        settings.set.iter().map(|(path, value)| Ok((renamed(path)?, literal(value)))).collect();
    let inputs: Result<Vec<(Name, String)>> =
        settings.inputs.iter().map(|(path, text)| Ok((renamed(path)?, quoted(text.as_str())))).collect();
    let record: Result<Vec<(Name, String)>> =
        settings.record.iter().map(|(name, path)| Ok((name.clone(), quoted(&path_of(path)?)))).collect();
    for (section, entries) in [("set", set?), ("inputs", inputs?), ("record", record?)] {
        if let Some((again, _)) = entries
            .iter()
            .enumerate()
            .find(|(i, (n, _))| entries[..*i].iter().any(|(m, _)| m.text == n.text))
            .map(|e| e.1)
        {
            return Err(fault::written_twice(section, again).into());
        }
        if !entries.is_empty() {
            lines.push(format!("  {section}:"));
        }
        lines.extend(entries.iter().map(|(name, value)| format!("{} {value}", block_key(4, &name.text))));
    }
    if !lines.is_empty() {
        put!(out, "simulate:\n{}", lines.join("\n"));
    }
    Ok(())
}
