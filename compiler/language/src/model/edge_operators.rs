//! What stands on an edge: the operators of its template, with their inputs connected.

use std::sync::Arc;

use super::instantiate::Builder;
use super::population::{Drawn, Operators, operators, set};
use super::tree::{Tree, variable_of};
use super::{ConnectionNumbers, EdgeInput, EdgeOperators, OfConnections, Operator, Role, Stream, VariableRef};
use crate::diagnostic::{Diagnostics, Result, model as fault};
use crate::source::Name;
use crate::template::{Complex, EdgeSource, EdgeTemplate, EdgeUse, Literal};

/// An edge template's operators before an edge connects them.
pub(super) struct EdgePrototype {
    operators: Arc<[Operator]>,
    /// (operator, variable) of the output that is passed on.
    output: (usize, usize),
    /// Inputs that no operator of the edge drives.
    free: Vec<(usize, usize)>,
    /// Values that are drawn for each connection.
    drawn: Vec<Drawn>,
    /// Lists with a number for each connection.
    listed: Vec<OfConnections>,
}

impl EdgePrototype {
    /// Whether anything is drawn.
    pub(super) fn draws(&self) -> bool {
        !self.drawn.is_empty()
    }
}

impl Builder {
    /// The operators of an edge template, or `None` after a fault, which is reported once.
    pub(super) fn prototype(&mut self, template: &Arc<EdgeTemplate>) -> Option<Arc<EdgePrototype>> {
        let key = Arc::as_ptr(template);
        if let Some(known) = self.edges.get(&key) {
            return known.clone();
        }
        let made = match prototype(template, &mut self.out) {
            Ok(made) => Some(Arc::new(made)),
            Err(fault) => {
                self.out.0.extend(fault);
                None
            }
        };
        self.edges.insert(key, made.clone());
        made
    }

    /// The operators of one edge between two variables. `entry` is the place of the edge in its matrix.
    pub(super) fn edge_operators(
        &self,
        edge: &EdgeUse,
        prototype: &EdgePrototype,
        ends: (VariableRef, VariableRef),
        (entry, stream): (Option<usize>, Option<Stream>),
        tree: &Tree,
    ) -> Result<EdgeOperators> {
        let mut operators = prototype.operators.clone();
        let mut each = self.of_template(edge, prototype, stream)?;
        let units = |at: VariableRef| self.circuit.populations[at.population].size.unwrap_or(1);
        let (sources, targets) = (units(ends.0), units(ends.1));
        for (name, value) in &edge.overrides {
            let Some((o, v)) = position(&operators, name) else { continue };
            if own_number(value, entry).is_some() {
                continue;
            }
            each.retain(|given| given.variable != (o, v));
            let single = operators[o].variables[v].length.is_none();
            let numbers = match value {
                Literal::Drawn(law) => {
                    let Some(stream) = stream else {
                        return Err(fault::drawn_on_edge(name.span, &name.text).into());
                    };
                    ConnectionNumbers::Drawn(*law, stream.of(&path_of(&operators, o, v)))
                }
                Literal::Matrix { rows, columns, data } if single && entry.is_none() => match (*rows, *columns) {
                    found if found == (targets, sources) => ConnectionNumbers::Matrix(data.as_slice().into()),
                    (1, _) | (_, 1) => ConnectionNumbers::List(data.as_slice().into()),
                    _ => {
                        let found = format!("{rows} x {columns}");
                        return Err(fault::matrix_does_not_fit(name.span, &name.text, &found, targets, sources).into());
                    }
                },
                Literal::List(list) if single && list.len() > 1 && list.iter().all(|n| n.im == 0.0) => {
                    ConnectionNumbers::List(list.iter().map(|n| n.re).collect())
                }
                _ => {
                    set(&mut Arc::make_mut(&mut operators)[o].variables[v], value);
                    continue;
                }
            };
            each.push(OfConnections { variable: (o, v), numbers, span: name.span });
        }
        let own = own_numbers(edge, &operators, entry);
        let mut sources = Vec::new();
        for (name, source) in &edge.sources {
            let Some(input) = position(&operators, name) else {
                continue;
            };
            let variable = &operators[input.0].variables[input.1];
            if variable.role != Role::Input && variable.role != Role::Parameter {
                return Err(fault::edge_input_is_assigned(name, variable).into());
            }
            let read = match source {
                EdgeSource::OwnSource => EdgeInput::Source,
                EdgeSource::Path(path) => EdgeInput::Variable(self.edge_source(path, ends, tree)?),
            };
            sources.push((input, read));
        }
        let explicit = edge.sources.iter().any(|(_, s)| *s == EdgeSource::OwnSource);
        let open: Vec<(usize, usize)> =
            prototype.free.iter().copied().filter(|i| sources.iter().all(|(mapped, _)| mapped != i)).collect();
        match open.as_slice() {
            [] if sources.is_empty() => {
                return Err(fault::edge_without_input(edge.span, &edge.source).into());
            }
            [only] if !explicit => sources.push((*only, EdgeInput::Source)),
            [] => {}
            // Inputs beside the mapped ones keep their defaults.
            _ if explicit => {}
            several => {
                let names: Vec<String> = several.iter().map(|&(o, v)| path_of(&operators, o, v)).collect();
                return Err(fault::edge_inputs_unmapped(edge.span, &names).into());
            }
        }
        sources.sort_by_key(|(input, _)| *input);
        Ok(EdgeOperators { operators, output: prototype.output, sources: sources.into(), own, each })
    }

    /// What the template gives to each connection.
    fn of_template(
        &self,
        edge: &EdgeUse,
        prototype: &EdgePrototype,
        stream: Option<Stream>,
    ) -> Result<Vec<OfConnections>> {
        let operators = &prototype.operators;
        let replaced =
            |at: (usize, usize)| edge.overrides.iter().any(|(name, _)| position(operators, name) == Some(at));
        let listed = prototype.listed.iter().filter(|given| !replaced(given.variable));
        let mut each: Vec<OfConnections> = listed.cloned().collect();
        for Drawn { operator, variable, law, span } in &prototype.drawn {
            let at = (*operator, *variable);
            match stream {
                _ if replaced(at) => {}
                Some(stream) => {
                    let numbers = ConnectionNumbers::Drawn(*law, stream.of(&path_of(operators, at.0, at.1)));
                    each.push(OfConnections { variable: at, numbers, span: *span });
                }
                None => {
                    let name = &operators[*operator].variables[*variable].name;
                    return Err(fault::drawn_on_edge(*span, name).into());
                }
            }
        }
        Ok(each)
    }

    /// The variable that the path of an edge input means; `source/..` and `target/..` are the nodes of the edge, unless the
    /// circuit has nodes of those labels.
    fn edge_source(&self, path: &Name, ends: (VariableRef, VariableRef), tree: &Tree) -> Result<VariableRef> {
        let populations = &self.circuit.populations;
        let found = match tree.variables(path, populations) {
            Ok(found) => found,
            Err(unknown) => {
                let parts: Vec<&str> = path.text.split('/').collect();
                let end = match parts[0] {
                    "source" => ends.0,
                    "target" => ends.1,
                    _ => return Err(unknown),
                };
                let population = &populations[end.population];
                match variable_of(end.population, population, &parts[1..], path)? {
                    Some(variable) => vec![variable],
                    None => {
                        return Err(
                            fault::unknown_variable_of_node(path, parts.last().unwrap_or(&""), population).into()
                        );
                    }
                }
            }
        };
        match found.as_slice() {
            [one] => Ok(*one),
            several => Err(fault::edge_input_of_several(path, several.len()).into()),
        }
    }
}

fn prototype(template: &EdgeTemplate, out: &mut Diagnostics) -> Result<EdgePrototype> {
    let Operators { mut operators, drawn } = operators(&template.operators, None, out);
    let mut listed = Vec::new();
    for (o, operator) in operators.iter_mut().enumerate() {
        for (v, variable) in operator.variables.iter_mut().enumerate() {
            let real = variable.value.iter().all(|n| n.im == 0.0);
            if variable.length.is_none() && variable.value.len() > 1 && real {
                let numbers = std::mem::replace(&mut variable.value, vec![Complex::default()]);
                let numbers = ConnectionNumbers::List(numbers.into_iter().map(|n| n.re).collect());
                listed.push(OfConnections { variable: (o, v), numbers, span: variable.span });
            }
        }
    }
    let each = |wanted: &dyn Fn(&super::Variable) -> bool| -> Vec<(usize, usize)> {
        let all = operators
            .iter()
            .enumerate()
            .flat_map(|(o, op)| op.variables.iter().enumerate().map(move |(v, x)| (o, v, x)));
        all.filter(|(_, _, x)| wanted(x)).map(|(o, v, _)| (o, v)).collect()
    };
    let name = |(o, v): (usize, usize)| &*operators[o].variables[v].name;
    let inputs = each(&|x| x.role == Role::Input);
    let outputs = each(&|x| x.output);
    let feeds = |output: (usize, usize)| inputs.iter().any(|i| i.0 != output.0 && name(*i) == name(output));
    let sinks: Vec<(usize, usize)> = outputs.iter().copied().filter(|o| !feeds(*o)).collect();
    let output = match sinks.as_slice() {
        [one] => *one,
        [] => return Err(fault::edge_without_output(&template.name).into()),
        several => {
            let names: Vec<String> = several.iter().map(|&(o, v)| path_of(&operators, o, v)).collect();
            return Err(fault::edge_with_several_outputs(&template.name, &names).into());
        }
    };
    let fed = |input: (usize, usize)| outputs.iter().any(|o| o.0 != input.0 && name(*o) == name(input));
    let free = inputs.iter().copied().filter(|i| !fed(*i)).collect();
    Ok(EdgePrototype { operators: operators.into(), output, free, drawn, listed })
}

/// What the edge at place `entry` of its matrix gives to its variables: entries of matrices. They come after other values.
pub(super) fn own_numbers(edge: &EdgeUse, operators: &[Operator], entry: Option<usize>) -> Vec<((usize, usize), f64)> {
    let own = |(name, value): &(Name, Literal)| Some((position(operators, name)?, own_number(value, entry)?));
    edge.overrides.iter().filter_map(own).collect()
}

fn own_number(value: &Literal, entry: Option<usize>) -> Option<f64> {
    match value {
        Literal::Matrix { data, .. } => data.get(entry?).copied(),
        Literal::Number(_) | Literal::List(_) | Literal::Drawn(_) | Literal::Profile(_) => None,
    }
}

fn path_of(operators: &[Operator], operator: usize, variable: usize) -> String {
    format!("{}/{}", operators[operator].name, operators[operator].variables[variable].name)
}

/// Position of `operator/variable`, or of a `variable` that one operator has.
pub(super) fn position(operators: &[Operator], name: &Name) -> Option<(usize, usize)> {
    let (operator, variable) = match name.text.rsplit_once('/') {
        Some((operator, variable)) => (Some(operator), variable),
        None => (None, &*name.text),
    };
    operators
        .iter()
        .enumerate()
        .filter(|(_, o)| operator.is_none_or(|n| n == &*o.name))
        .find_map(|(i, o)| o.variables.iter().position(|v| *v.name == *variable).map(|v| (i, v)))
}
