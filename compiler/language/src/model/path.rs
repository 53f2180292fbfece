//! Paths as users write them: `a/b/op/var`, shortened to any unambiguous suffix, with `all`, with an index.

use super::population::{drawn, expand, shape_fits, takes, values};
use super::tree::ALL;
use super::{Circuit, Role, Stream, VariableRef};
use crate::diagnostic::{Result, event as event_fault, model as fault, template as template_fault};
use crate::source::Name;
use crate::template::{Complex, Literal};

/// What a path leads to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Found {
    /// The variable.
    pub variable: VariableRef,
    /// The unit of a population, or the element of a vector variable of a plain node, if the path ends in `[index]`.
    pub index: Option<usize>,
}

impl Circuit {
    /// The variables that a path means, in the order of the populations; at least one.
    ///
    /// A whole path is `circuits/node/operator/variable`; the operator may be left out, labels may be `all`. A path that
    /// is no whole path may be the end of one; without `all` it must be the end of one only.
    pub fn find(&self, path: &Name) -> Result<Vec<Found>> {
        let (text, index) = index_of(path)?;
        let parts: Vec<&str> = text.split('/').collect();
        let mut found = self.matches(&parts, true);
        if found.is_empty() {
            found = self.matches(&parts, false);
        }
        let many = parts.contains(&ALL);
        if found.is_empty() {
            return Err(fault::unknown_path(path, &text, &self.names()).into());
        }
        if !many && found.len() > 1 {
            let names: Vec<String> = found.iter().map(|v| self.path(*v)).collect();
            return Err(fault::ambiguous_path(path, &names).into());
        }
        if let Some(index) = index {
            for variable in &found {
                let elements = self.elements(*variable);
                if index >= elements {
                    return Err(fault::index_out_of_range(path, &self.path(*variable), index, elements).into());
                }
            }
        }
        Ok(found.into_iter().map(|variable| Found { variable, index }).collect())
    }

    /// As [`Circuit::find`], for what an extrinsic input shall drive: inputs, and parameters, whose values it replaces.
    pub fn driven(&self, path: &Name) -> Result<Vec<Found>> {
        let found = self.find(path)?;
        for one in &found {
            let variable = self.variable(one.variable);
            if !matches!(variable.role, Role::Input | Role::Parameter) {
                let population = &self.populations[one.variable.population];
                let operator = &population.operators[one.variable.operator];
                return Err(fault::driven_is_assigned(path, &self.path(one.variable), variable, operator).into());
            }
        }
        Ok(found)
    }

    /// The whole path of a variable.
    pub fn path(&self, variable: VariableRef) -> String {
        let population = &self.populations[variable.population];
        let operator = &population.operators[variable.operator];
        format!("{}/{}/{}", population.path, operator.name, operator.variables[variable.variable].name)
    }

    /// Gives a value to the variables that a path means: one number for all of them, or a list with one number per unit or
    /// element, or, where the path means several variables, one per variable.
    pub fn set(&mut self, path: &Name, value: &Literal) -> Result<()> {
        let found = self.find(path)?;
        if let Literal::Drawn(law) = value {
            for one in &found {
                let whole = self.path(one.variable);
                let (place, count) = match one.index {
                    None => (whole, self.values(one.variable).len()),
                    Some(index) => (format!("{whole}[{index}]"), 1),
                };
                let numbers = drawn(law, Stream::new(self.seed, &place), count);
                self.set(&Name::new(place, path.span), &Literal::List(numbers))?;
            }
            return Ok(());
        }
        let given = values(value);
        if given.iter().any(|n| !n.re.is_finite() || !n.im.is_finite()) {
            return Err(fault::value_not_finite(path).into());
        }
        let apart = found.len() > 1 && given.len() == found.len();
        for (position, one) in found.iter().enumerate() {
            let VariableRef { population, operator, variable } = one.variable;
            if self.populations[population].operators[operator].variables[variable].role == Role::Event {
                return Err(event_fault::event_has_no_value(path).into());
            }
            if !shape_fits(&self.populations[population].operators[operator].variables[variable], value) {
                return Err(template_fault::matrix_variable(path.span, &format!("`{path}`")).into());
            }
            let elements = self.elements(one.variable);
            let given = if apart { &given[position..=position] } else { &given[..] };
            let units = self.populations[population].size;
            let variable = &mut self.populations[population].operators[operator].variables[variable];
            let length = variable.length.unwrap_or(1);
            // What an index chooses: a unit with all its elements, or an element of a plain node.
            let chosen = if units.is_some() { length } else { 1 };
            let fits = match one.index {
                Some(_) => given.len() == 1 || given.len() == chosen,
                None => takes(given.len(), units.unwrap_or(1), length),
            };
            if !fits {
                let expected = if one.index.is_some() { chosen } else { elements };
                return Err(fault::wrong_number_of_values(path, expected, given.len()).into());
            }
            variable.complex |= given.iter().any(|n| n.im != 0.0);
            match one.index {
                None => variable.value = given.to_vec(),
                Some(index) => {
                    variable.value = expand(&variable.value, units.unwrap_or(1), length).collect();
                    for (k, value) in variable.value[index * chosen..][..chosen].iter_mut().enumerate() {
                        *value = given[k % given.len()];
                    }
                }
            }
        }
        Ok(())
    }

    /// The values of a variable, one per element of each unit.
    pub fn values(&self, at: VariableRef) -> Vec<Complex> {
        let population = &self.populations[at.population];
        let variable = &population.operators[at.operator].variables[at.variable];
        expand(&variable.value, population.size.unwrap_or(1), variable.length.unwrap_or(1)).collect()
    }

    /// How many numbers an index chooses from: units of a population, elements of a vector.
    fn elements(&self, variable: VariableRef) -> usize {
        let population = &self.populations[variable.population];
        let length = population.operators[variable.operator].variables[variable.variable].length;
        match (population.size, length) {
            (Some(units), _) => units,
            (None, Some(length)) => length,
            (None, None) => 1,
        }
    }

    /// Variables whose path is `parts` (`whole`) or ends in it.
    fn matches(&self, parts: &[&str], whole: bool) -> Vec<VariableRef> {
        let mut found = Vec::new();
        let Some((last, before)) = parts.split_last() else {
            return found;
        };
        for (population, p) in self.populations.iter().enumerate() {
            let labels: Vec<&str> = p.path.split('/').collect();
            for (operator, o) in p.operators.iter().enumerate() {
                let with_operator: Vec<&str> = labels.iter().copied().chain([&*o.name]).collect();
                if !fits(&with_operator, before, whole) && !fits(&labels, before, whole) {
                    continue;
                }
                let variables = o.variables.iter().enumerate().filter(|(_, v)| *v.name == **last);
                found.extend(variables.map(|(variable, _)| VariableRef { population, operator, variable }));
            }
        }
        found
    }

    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (population, p) in self.populations.iter().enumerate() {
            for (operator, o) in p.operators.iter().enumerate() {
                names.extend(
                    (0..o.variables.len()).map(|variable| self.path(VariableRef { population, operator, variable })),
                );
            }
        }
        names
    }
}

/// Whether `labels` is `pattern`, or ends in it.
fn fits(labels: &[&str], pattern: &[&str], whole: bool) -> bool {
    if pattern.len() > labels.len() || (whole && pattern.len() != labels.len()) {
        return false;
    }
    let end = &labels[labels.len() - pattern.len()..];
    end.iter().zip(pattern).all(|(label, wanted)| wanted == label || *wanted == ALL)
}

/// Splits `r[3]` into `r` and 3.
fn index_of(path: &Name) -> Result<(String, Option<usize>)> {
    let text = path.text.trim();
    let Some((name, rest)) = text.split_once('[') else {
        return Ok((text.to_string(), None));
    };
    match rest.strip_suffix(']').and_then(|digits| digits.trim().parse().ok()) {
        Some(index) => Ok((name.to_string(), Some(index))),
        None => Err(fault::malformed_index(path).into()),
    }
}
