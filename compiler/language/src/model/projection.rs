//! Edges become projections: both ends found, `all` expanded, matrices split into entries.

use std::sync::Arc;

use super::draw::{Stream, draw};
use super::edge_operators::own_numbers;
use super::instantiate::Builder;
use super::tree::{Tree, variable_of};
use super::wiring::{self, Ends};
use super::{EdgeOperators, Projection, Role, VariableRef, Weights, Wiring};
use crate::diagnostic::{Result, model as fault};
use crate::source::{Name, Span};
use crate::template::connectivity::{Connectivity, Rule};
use crate::template::{Complex, EdgeMatrix, EdgeSource, EdgeUse, Literal};

/// Most projections that a circuit may have.
const MAX_PROJECTIONS: usize = 1 << 23;

/// How the connections of an edge and their numbers are made.
enum Drawing {
    /// Every pair, with the numbers given.
    None,
    /// One connection, whose numbers are drawn.
    Once(Stream),
    /// By a wiring.
    Each(Arc<Wiring>),
}

impl Builder {
    /// Adds the projections of one edge.
    pub(super) fn edge(&mut self, edge: &EdgeUse, tree: &Tree, seed: u64) {
        let populations = &self.circuit.populations;
        let sources = self.out.absorb(tree.variables(&edge.source, populations));
        let targets = self.out.absorb(tree.variables(&edge.target, populations));
        let (Some(sources), Some(targets)) = (sources, targets) else {
            return;
        };
        if !self.may_add(sources.len(), targets.len(), edge.span) {
            return;
        }
        // Few edges have an `all`; where one has, all its pairs share the matrix.
        let mut shared: Option<((usize, usize), Weights)> = None;
        for &target in &targets {
            if !self.may_drive(target, &sources, &edge.target) {
                return;
            }
            for &source in &sources {
                let sizes = (self.size(target), self.size(source));
                let wiring = match self.wiring(edge, (source, target), seed) {
                    Ok(wiring) => wiring,
                    Err(fault) => return self.out.0.extend(fault),
                };
                let weights = match &shared {
                    Some((known, weights)) if *known == sizes => weights.clone(),
                    _ => match weights(&edge.weight, sizes, edge.span) {
                        Ok(weights) => shared.insert((sizes, weights)).1.clone(),
                        Err(fault) => return self.out.0.extend(fault),
                    },
                };
                let delay = time(edge.delay.as_ref(), "delay", sizes, edge.span);
                let spread = time(edge.spread.as_ref(), "spread", sizes, edge.span);
                let (delay, spread) = match (delay, spread) {
                    (Ok(delay), Ok(spread)) => (delay, spread),
                    (Err(fault), _) | (_, Err(fault)) => return self.out.0.extend(fault),
                };
                let stream = match &wiring {
                    Drawing::Once(stream) => Some(*stream),
                    Drawing::Each(wiring) => Some(wiring.stream),
                    Drawing::None if self.draws_on(edge) => {
                        Some(self.stream(&self.circuit.path(source), &self.circuit.path(target), seed))
                    }
                    Drawing::None => None,
                };
                let (weights, delay, spread) = match wiring {
                    // One edge between two units has one number.
                    Drawing::Once(stream) => {
                        let weights = match weights {
                            Weights::Drawn(law) => Weights::Scalar(draw(&law, stream.of("weight"), 1)[0]),
                            other => other,
                        };
                        let once = |time: Option<Literal>, what: &str| match time {
                            Some(Literal::Drawn(law)) => Some(draw(&law, stream.of(what), 1)[0].into()),
                            other => other,
                        };
                        (weights, once(delay, "delay"), once(spread, "spread"))
                    }
                    _ => (weights, delay, spread),
                };
                let wiring = match wiring {
                    Drawing::Each(wiring) => Some(wiring),
                    _ => None,
                };
                if !self.project(edge, (source, target), (weights, delay, spread), wiring, (None, stream), tree) {
                    return;
                }
            }
        }
    }

    /// Whether operators on an edge have numbers that are drawn.
    fn draws_on(&mut self, edge: &EdgeUse) -> bool {
        let own = edge.overrides.iter().any(|(_, value)| matches!(value, Literal::Drawn(_)));
        own || edge.template.as_ref().and_then(|template| self.prototype(template)).is_some_and(|p| p.draws())
    }

    /// How connections and their numbers are made.
    fn wiring(&mut self, edge: &EdgeUse, (source, target): (VariableRef, VariableRef), seed: u64) -> Result<Drawing> {
        let numbers = [Some(&edge.weight), edge.delay.as_ref(), edge.spread.as_ref()];
        let any_drawn = numbers.iter().any(|n| matches!(n, Some(Literal::Drawn(_))));
        let profiles: Vec<_> =
            numbers.iter().filter_map(|n| if let Some(Literal::Profile(p)) = n { Some(p) } else { None }).collect();
        let plain = match &edge.connectivity {
            None => true,
            Some(given) => given.rule == Rule::AllToAll && given.allows_autapses(),
        };
        if plain && !any_drawn && profiles.is_empty() {
            return Ok(Drawing::None);
        }
        let ends = Ends {
            sources: self.size(source),
            targets: self.size(target),
            same: source.population == target.population,
        };
        let stream = self.stream(&self.circuit.path(source), &self.circuit.path(target), seed);
        let connectivity = match &edge.connectivity {
            None if (ends.sources, ends.targets) == (1, 1) && profiles.is_empty() => return Ok(Drawing::Once(stream)),
            None => Arc::new(Connectivity::all_to_all()),
            Some(given) => given.clone(),
        };
        wiring::check(&connectivity, ends, edge.span)?;
        profiles.iter().try_for_each(|profile| wiring::check_space(profile.space, ends, edge.span))?;
        let number = matches!(edge.weight, Literal::Number(_));
        if matches!(connectivity.rule, Rule::Conv2d(_)) && !number {
            return Err(fault::given_twice(edge.span, "weight").into());
        }
        if let Rule::Pairs(pairs) = &connectivity.rule {
            if pairs.weights.is_some() && !number {
                return Err(fault::given_twice(edge.span, "weight").into());
            }
            if pairs.delays.is_some() && edge.delay.is_some() {
                return Err(fault::given_twice(edge.span, "delay").into());
            }
        }
        Ok(Drawing::Each(Arc::new(Wiring { connectivity, stream })))
    }

    /// The random numbers of an edge between two places; parallel edges have their own.
    fn stream(&mut self, source: &str, target: &str, seed: u64) -> Stream {
        let place = format!("{source} -> {target}");
        let before = self.streams.entry(place.clone()).or_insert(0);
        *before += 1;
        Stream::new(seed, &place).of(&before.to_string())
    }

    /// Adds the projections of a matrix of edges.
    pub(super) fn matrix(&mut self, matrix: &EdgeMatrix, tree: &Tree, seed: u64) {
        let edge = &matrix.edge;
        let sources = self.ends(&matrix.source_nodes, &edge.source, tree);
        let targets = self.ends(&matrix.target_nodes, &edge.target, tree);
        let (Some(sources), Some(targets)) = (sources, targets) else {
            return;
        };
        if !self.may_add(sources.len(), targets.len(), edge.span) {
            return;
        }
        for &target in &targets {
            if !self.may_drive(target, &sources, &edge.target) {
                return;
            }
        }
        let shape = (targets.len(), sources.len());
        let numbers = [Some(&edge.weight), edge.delay.as_ref(), edge.spread.as_ref()];
        let any_drawn = numbers.iter().any(|n| matches!(n, Some(Literal::Drawn(_))));
        let mut with_numbers = any_drawn.then(|| edge.clone());
        if let Some(edge) = &mut with_numbers {
            let range = |ends: &[VariableRef]| match ends {
                [first, .., last] => format!("{}..{}", self.circuit.path(*first), self.circuit.path(*last)),
                ends => ends.iter().map(|end| self.circuit.path(*end)).collect(),
            };
            let (from, to) = (range(&sources), range(&targets));
            let stream = self.stream(&from, &to, seed);
            let entries = |literal: &mut Literal, what: &str| {
                if let Literal::Drawn(law) = literal {
                    let data = draw(law, stream.of(what), shape.0 * shape.1);
                    *literal = Literal::Matrix { rows: shape.0, columns: shape.1, data };
                }
            };
            entries(&mut edge.weight, "weight");
            for (time, what) in [(&mut edge.delay, "delay"), (&mut edge.spread, "spread")] {
                match time {
                    Some(Literal::Drawn(law)) if !law.never_negative() => {
                        return self.out.push(fault::delay_may_be_negative(edge.span, what));
                    }
                    _ => time.iter_mut().for_each(|time| entries(time, what)),
                }
            }
        }
        let edge = with_numbers.as_ref().unwrap_or(edge);
        for (what, literal) in
            [("weight", Some(&edge.weight)), ("delay", edge.delay.as_ref()), ("spread", edge.spread.as_ref())]
        {
            if let Some(Err(fault)) = literal.map(|l| fits(l, what, shape, edge.span)) {
                return self.out.0.extend(fault);
            }
        }
        for (name, value) in &edge.overrides {
            if let Literal::Matrix { .. } = value
                && let Err(fault) = fits(value, &name.text, shape, name.span)
            {
                return self.out.0.extend(fault);
            }
        }
        // A weight that is not a number is kept, so that the check of the numbers reports it.
        let absent = |entry| at(&edge.weight, entry).abs() <= matrix.minimum;
        let present = (0..sources.len() * targets.len()).filter(|entry| !absent(*entry)).count();
        self.circuit.projections.reserve(present);
        // Where nothing about the operators but numbers depends on the edge, all edges share them.
        let own_values = edge.overrides.iter().any(|(_, v)| matches!(v, Literal::Matrix { .. }));
        let by_ends = edge.sources.iter().any(|(_, s)| match s {
            EdgeSource::OwnSource => false,
            EdgeSource::Path(path) => path.text.starts_with("source/") || path.text.starts_with("target/"),
        });
        let mut shared = None;
        for (j, &target) in targets.iter().enumerate() {
            for (i, &source) in sources.iter().enumerate() {
                let entry = j * sources.len() + i;
                if absent(entry) {
                    continue;
                }
                let weight = at(&edge.weight, entry);
                let timing = |literal: &Option<Literal>| {
                    literal.as_ref().map(|l| Literal::Number(Complex { re: at(l, entry), im: 0.0 }))
                };
                let (delay, spread) = (timing(&edge.delay), timing(&edge.spread));
                let weights = Weights::Scalar(weight);
                if shared.is_some() || edge.template.is_none() {
                    let operators: Option<&Arc<EdgeOperators>> = shared.as_ref();
                    let operators = match operators {
                        Some(first) if own_values => {
                            let own = own_numbers(edge, &first.operators, Some(entry));
                            Some(Arc::new(EdgeOperators {
                                operators: first.operators.clone(),
                                output: first.output,
                                sources: first.sources.clone(),
                                own,
                                each: Vec::new(),
                            }))
                        }
                        other => other.cloned(),
                    };
                    let (edge, span) = (operators, edge.span);
                    let wiring = None;
                    let projection = Projection { source, target, weights, delay, spread, wiring, edge, span };
                    self.circuit.projections.push(projection);
                    continue;
                }
                if !self.project(edge, (source, target), (weights, delay, spread), None, (Some(entry), None), tree) {
                    return;
                }
                if !by_ends {
                    shared = self.circuit.projections.last().and_then(|p| p.edge.clone());
                }
            }
        }
    }

    /// The variables `variable` of the nodes of a list, in order.
    fn ends(&mut self, nodes: &[Name], variable: &Name, tree: &Tree) -> Option<Vec<VariableRef>> {
        let parts: Vec<&str> = variable.text.split('/').collect();
        let mut ends = Vec::with_capacity(nodes.len());
        let mut sound = true;
        for name in nodes {
            let Some(found) = self.out.absorb(tree.nodes(name)) else {
                sound = false;
                continue;
            };
            for index in found {
                let population = &self.circuit.populations[index];
                match variable_of(index, population, &parts, variable) {
                    Ok(Some(end)) => ends.push(end),
                    // A wrong variable is wrong in all nodes alike: one report will do.
                    Ok(None) => {
                        self.out.push(fault::unknown_variable_of_node(variable, &variable.text, population));
                        return None;
                    }
                    Err(fault) => {
                        self.out.0.extend(fault);
                        return None;
                    }
                }
            }
        }
        sound.then_some(ends)
    }

    /// Adds one projection; false after a fault.
    fn project(
        &mut self,
        edge: &EdgeUse,
        (source, target): (VariableRef, VariableRef),
        (weights, delay, spread): (Weights, Option<Literal>, Option<Literal>),
        wiring: Option<Arc<Wiring>>,
        (entry, stream): (Option<usize>, Option<Stream>),
        tree: &Tree,
    ) -> bool {
        let operators = match &edge.template {
            None => None,
            Some(template) => {
                let Some(prototype) = self.prototype(template) else {
                    return false;
                };
                match self.edge_operators(edge, &prototype, (source, target), (entry, stream), tree) {
                    Ok(operators) => Some(Arc::new(operators)),
                    Err(fault) => {
                        self.out.0.extend(fault);
                        return false;
                    }
                }
            }
        };
        let span = edge.span;
        let edge = operators;
        self.circuit.projections.push(Projection { source, target, weights, delay, spread, wiring, edge, span });
        true
    }

    fn may_add(&mut self, sources: usize, targets: usize, span: Span) -> bool {
        let total = sources.saturating_mul(targets).saturating_add(self.circuit.projections.len());
        if total > MAX_PROJECTIONS {
            self.out.push(fault::too_many_edges(span, total, MAX_PROJECTIONS));
            return false;
        }
        true
    }

    /// Whether edges may drive the variable: an input, or a parameter, whose value they replace, or from events a state.
    fn may_drive(&mut self, target: VariableRef, sources: &[VariableRef], path: &Name) -> bool {
        let role = |at: &VariableRef| {
            self.circuit.populations[at.population].operators[at.operator].variables[at.variable].role
        };
        let events = sources.iter().all(|source| role(source) == Role::Event);
        if matches!(role(&target), Role::Input | Role::Parameter) || (events && role(&target) == Role::State) {
            return true;
        }
        let operator = &self.circuit.populations[target.population].operators[target.operator];
        let variable = &operator.variables[target.variable];
        self.out.push(fault::target_is_assigned(path, variable, operator));
        false
    }

    fn size(&self, variable: VariableRef) -> usize {
        self.circuit.populations[variable.population].size.unwrap_or(1)
    }
}

/// Whether a literal is a number or has one entry per pair.
fn fits(literal: &Literal, what: &str, (rows, columns): (usize, usize), span: Span) -> Result<()> {
    let found = match literal {
        Literal::Number(_) | Literal::Drawn(_) => return Ok(()),
        Literal::Matrix { rows: r, columns: c, .. } if (*r, *c) == (rows, columns) => return Ok(()),
        Literal::List(list) if (rows == 1 || columns == 1) && list.len() == rows * columns => {
            return Ok(());
        }
        Literal::Profile(_) => return Err(fault::no_distance(span, what).into()),
        Literal::Matrix { rows, columns, .. } => format!("{rows} x {columns}"),
        Literal::List(list) => format!("a list of {}", list.len()),
    };
    Err(fault::matrix_does_not_fit(span, what, &found, rows, columns).into())
}

/// One entry of a literal that fits.
fn at(literal: &Literal, entry: usize) -> f64 {
    match literal {
        Literal::Number(n) => n.re,
        Literal::List(list) => list.get(entry).map_or(f64::NAN, |n| n.re),
        Literal::Matrix { data, .. } => data.get(entry).copied().unwrap_or(f64::NAN),
        // Drawn numbers are in a matrix by then, and those by distance are refused.
        Literal::Drawn(_) | Literal::Profile(_) => f64::NAN,
    }
}

fn weights(literal: &Literal, sizes: (usize, usize), span: Span) -> Result<Weights> {
    if !matches!(literal, Literal::Profile(_)) {
        fits(literal, "weight", sizes, span)?;
    }
    Ok(match literal {
        Literal::Profile(profile) => Weights::Profile(profile.clone()),
        Literal::Number(n) => Weights::Scalar(n.re),
        Literal::Drawn(law) => Weights::Drawn(*law),
        _ if sizes == (1, 1) => Weights::Scalar(at(literal, 0)),
        Literal::List(list) => Weights::Matrix(list.iter().map(|n| n.re).collect()),
        Literal::Matrix { data, .. } => Weights::Matrix(data.as_slice().into()),
    })
}

/// A delay or spread: one number, or one per entry of the weights.
fn time(literal: Option<&Literal>, what: &str, sizes: (usize, usize), span: Span) -> Result<Option<Literal>> {
    let Some(literal) = literal else {
        return Ok(None);
    };
    if let Literal::Profile(_) = literal {
        return Ok(Some(literal.clone()));
    }
    fits(literal, what, sizes, span)?;
    Ok(Some(match literal {
        Literal::Drawn(law) if !law.never_negative() => {
            return Err(fault::delay_may_be_negative(span, what).into());
        }
        Literal::Drawn(_) => literal.clone(),
        _ if sizes == (1, 1) => Literal::Number(Complex { re: at(literal, 0), im: 0.0 }),
        _ => literal.clone(),
    }))
}
