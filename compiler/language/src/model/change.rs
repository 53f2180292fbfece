//! Changes of edges after instantiation.

use std::sync::Arc;

use super::edge_operators::position;
use super::path::Found;
use super::population::{set, shape_fits, takes, values};
use super::{Circuit, ConnectionNumbers, Projection, Stream, Weights, Wiring};
use crate::diagnostic::{Result, model as fault};
use crate::source::Name;
use crate::template::Literal;
use crate::template::connectivity::{Connectivity, Rule};
use crate::template::distribution::Distribution;

impl Circuit {
    /// Changes an attribute of all edges from the variables `source` means to those `target` means: `weight`, `delay`,
    /// `spread`, or a variable of the edge operators. One number, or, between populations, as many as there are pairs of
    /// units.
    pub fn set_edge(&mut self, source: &Name, target: &Name, attribute: &Name, value: &Literal) -> Result<()> {
        if values(value).iter().any(|n| !n.re.is_finite() || !n.im.is_finite()) {
            return Err(fault::value_not_finite(attribute).into());
        }
        let units = |p: usize| self.populations[p].size.unwrap_or(1);
        let pairs = |p: &Projection| units(p.source.population) * units(p.target.population);
        let chosen = self.between(source, target)?;
        let chosen: Vec<(usize, usize)> = chosen.into_iter().map(|i| (i, pairs(&self.projections[i]))).collect();
        for (index, pairs) in chosen {
            if let Literal::Drawn(law) = value {
                self.draw_edge(index, attribute, law)?;
                continue;
            }
            // Only lists are counted.
            let listed = matches!(value, Literal::List(list) if list.len() > 1);
            let connections = if listed { self.footprint(&self.projections[index]).connections } else { 0 };
            change(&mut self.projections[index], attribute, value, (pairs, connections))?;
        }
        Ok(())
    }

    /// The projections from the variables that `source` means to those that `target` means; at least one.
    fn between(&self, source: &Name, target: &Name) -> Result<Vec<usize>> {
        let (sources, targets) = (self.find(source)?, self.find(target)?);
        let among = |found: &[Found], at| found.iter().any(|f| f.variable == at);
        let chosen = (self.projections.iter().enumerate())
            .filter(|(_, p)| among(&sources, p.source) && among(&targets, p.target))
            .map(|(i, _)| i);
        let chosen: Vec<usize> = chosen.collect();
        if chosen.is_empty() { Err(fault::no_such_edge(source, target).into()) } else { Ok(chosen) }
    }

    /// A variable, `operator/variable`, of the operators on the edges between two variables: the projections that have it,
    /// at least one, and its (operator, variable).
    pub fn on_edges(&self, source: &Name, target: &Name, variable: &Name) -> Result<(Vec<usize>, (usize, usize))> {
        let place = |i: &usize| {
            let edge = self.projections[*i].edge.as_deref()?;
            Some((*i, position(&edge.operators, variable)?))
        };
        let found: Vec<(usize, (usize, usize))> = self.between(source, target)?.iter().filter_map(place).collect();
        let Some((_, at)) = found.first() else { return Err(fault::unknown_edge_attribute(variable).into()) };
        Ok((found.iter().filter(|(_, other)| other == at).map(|(i, _)| *i).collect(), *at))
    }

    /// Draws an attribute of the connections of a projection.
    fn draw_edge(&mut self, index: usize, attribute: &Name, law: &Distribution) -> Result<()> {
        let projection = &self.projections[index];
        let place = format!("{} -> {}", self.path(projection.source), self.path(projection.target));
        let fresh = Wiring {
            connectivity: Arc::new(Connectivity::all_to_all()),
            stream: Stream::new(self.seed, &place).of(&index.to_string()),
        };
        let projection = &mut self.projections[index];
        let time = match &*attribute.text {
            "weight" => {
                refuse_second_weights(projection)?;
                projection.weights = Weights::Drawn(*law);
                None
            }
            "delay" => Some(&mut projection.delay),
            "spread" => Some(&mut projection.spread),
            _ => {
                let found = projection.edge.as_ref().and_then(|e| position(&e.operators, attribute));
                let (Some(at), Some(edge)) = (found, &mut projection.edge) else {
                    return Err(fault::unknown_edge_attribute(attribute).into());
                };
                let stream = projection.wiring.as_ref().map_or(fresh.stream, |wiring| wiring.stream);
                let numbers = ConnectionNumbers::Drawn(*law, stream.of(&attribute.text));
                Arc::make_mut(edge).give((at, attribute.span), numbers);
                return Ok(());
            }
        };
        if let Some(time) = time {
            if !law.never_negative() {
                return Err(fault::delay_may_be_negative(attribute.span, &attribute.text).into());
            }
            *time = Some(Literal::Drawn(*law));
        }
        projection.wiring.get_or_insert_with(|| Arc::new(fresh));
        Ok(())
    }
}

/// Refuses weights of their own for a kernel, and for pairs from a list that brings weights.
fn refuse_second_weights(projection: &Projection) -> Result<()> {
    match projection.wiring.as_ref().map(|w| &w.connectivity.rule) {
        Some(Rule::Pairs(pairs)) if pairs.weights.is_none() => Ok(()),
        Some(Rule::Pairs(_) | Rule::Conv2d(_)) => Err(fault::given_twice(projection.span, "weight").into()),
        _ => Ok(()),
    }
}

fn change(
    projection: &mut Projection,
    attribute: &Name,
    value: &Literal,
    (pairs, connections): (usize, u64),
) -> Result<()> {
    let given = values(value);
    let real = given.iter().all(|n| n.im == 0.0);
    match &*attribute.text {
        "weight" | "delay" | "spread" if given.len() != 1 && given.len() != pairs => {
            Err(fault::wrong_number_of_values(attribute, pairs, given.len()).into())
        }
        "weight" | "delay" | "spread" if !real => Err(fault::value_not_real(attribute).into()),
        "delay" | "spread" if given.iter().any(|n| n.re < 0.0) => {
            let wrong = given.iter().map(|n| n.re).fold(0.0, f64::min);
            Err(fault::bad_time(attribute.span, &attribute.text, wrong).into())
        }
        "weight" => {
            projection.weights = match given[..] {
                [one] => Weights::Scalar(one.re),
                _ => {
                    refuse_second_weights(projection)?;
                    Weights::Matrix(given.iter().map(|n| n.re).collect())
                }
            };
            Ok(())
        }
        "delay" => {
            projection.delay = Some(flat(value));
            Ok(())
        }
        "spread" => {
            projection.spread = Some(flat(value));
            Ok(())
        }
        _ => {
            let found = projection.edge.as_ref().and_then(|e| position(&e.operators, attribute));
            let (Some((o, v)), Some(edge)) = (found, &mut projection.edge) else {
                return Err(fault::unknown_edge_attribute(attribute).into());
            };
            let edge = Arc::make_mut(edge);
            edge.operators = edge.with_own();
            edge.own.clear();
            let single = edge.operators[o].variables[v].length.is_none();
            if single && given.len() > 1 && real {
                let listed = given.iter().map(|n| n.re).collect();
                let numbers = match value {
                    _ if given.len() == pairs => ConnectionNumbers::Matrix(listed),
                    Literal::List(_) if given.len() as u64 == connections => ConnectionNumbers::List(listed),
                    _ => return Err(fault::wrong_number_of_values(attribute, pairs, given.len()).into()),
                };
                edge.give(((o, v), attribute.span), numbers);
                return Ok(());
            }
            edge.each.retain(|given| given.variable != (o, v));
            let variable = &mut Arc::make_mut(&mut edge.operators)[o].variables[v];
            let length = variable.length.unwrap_or(1);
            if !shape_fits(variable, value) || !takes(given.len(), pairs, length) {
                return Err(fault::wrong_number_of_values(attribute, pairs * length, given.len()).into());
            }
            set(variable, value);
            Ok(())
        }
    }
}

/// A matrix as the list of its entries, row by row.
fn flat(value: &Literal) -> Literal {
    match value {
        Literal::Matrix { .. } => Literal::List(values(value)),
        other => other.clone(),
    }
}
