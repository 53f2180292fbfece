//! Text form of a circuit, for `--emit model` and tests.

use std::fmt::{self, Display, Formatter};

use super::{Circuit, EdgeInput, EdgeOperators, Operator, Projection, Role, Variable, Weights};
use crate::syntax::print;
use crate::template::connectivity::Connectivity;
use crate::template::{Complex, Literal};

/// Most numbers of a list that are printed; the rest is counted.
const MOST: usize = 16;

impl Display for Circuit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "circuit {}", self.name)?;
        for population in &self.populations {
            match population.size {
                Some(size) => writeln!(f, "  population {} of {size}", population.path)?,
                None => writeln!(f, "  node {}", population.path)?,
            }
            for operator in &population.operators {
                operator_lines(f, operator, "    ")?;
            }
        }
        for projection in &self.projections {
            self.projection_lines(f, projection)?;
        }
        Ok(())
    }
}

impl Circuit {
    fn projection_lines(&self, f: &mut Formatter<'_>, projection: &Projection) -> fmt::Result {
        write!(f, "  edge {} -> {} weight ", self.path(projection.source), self.path(projection.target))?;
        match &projection.weights {
            Weights::Scalar(weight) => write!(f, "{weight}")?,
            Weights::Matrix(matrix) => numbers(f, matrix.iter().map(|re| Complex { re: *re, im: 0.0 }))?,
            Weights::Drawn(law) => write!(f, "{law}")?,
            Weights::Profile(profile) => write!(f, "{profile}")?,
        }
        for (what, value) in [("delay", &projection.delay), ("spread", &projection.spread)] {
            if let Some(value) = value {
                write!(f, " {what} ")?;
                literal(f, value)?;
            }
        }
        if let Some(wiring) = &projection.wiring {
            write!(f, " connectivity {}", wiring.connectivity.rule)?;
            let Connectivity { autapses, multapses, .. } = &*wiring.connectivity;
            for (key, allowed) in [("autapses", autapses), ("multapses", multapses)] {
                if let Some(allowed) = allowed {
                    write!(f, " {key} {allowed}")?;
                }
            }
            write!(f, " seed {}", wiring.stream.of("connectivity").reseeded(wiring.connectivity.seed))?;
        }
        writeln!(f)?;
        match &projection.edge {
            Some(edge) => self.edge_lines(f, edge),
            None => Ok(()),
        }
    }

    fn edge_lines(&self, f: &mut Formatter<'_>, edge: &EdgeOperators) -> fmt::Result {
        for operator in edge.with_own().iter() {
            operator_lines(f, operator, "    ")?;
        }
        let name =
            |(o, v): (usize, usize)| format!("{}/{}", edge.operators[o].name, edge.operators[o].variables[v].name);
        for (input, source) in edge.sources.iter() {
            let source = match source {
                EdgeInput::Source => "source".to_string(),
                EdgeInput::Variable(variable) => self.path(*variable),
            };
            writeln!(f, "    {} <- {source}", name(*input))?;
        }
        writeln!(f, "    passes {}", name(edge.output))
    }
}

fn operator_lines(f: &mut Formatter<'_>, operator: &Operator, indent: &str) -> fmt::Result {
    writeln!(f, "{indent}operator {}", operator.name)?;
    for variable in operator.variables.iter().filter(|v| v.role != Role::Event) {
        write!(f, "{indent}  ")?;
        variable_line(f, variable)?;
    }
    for equation in operator.equations.iter() {
        writeln!(f, "{indent}  {}", print::equation(equation))?;
    }
    for event in operator.events.iter() {
        write!(
            f,
            "{indent}  event {} {} the step when {}",
            event.name,
            event.order.name(),
            print::expression(&event.when)
        )?;
        if let Some(refractory) = &event.refractory {
            write!(f, ", refractory {}", print::expression(refractory))?;
        }
        if let Some(hold) = &event.hold {
            let names: Vec<&str> = hold.iter().map(|n| &*n.text).collect();
            write!(f, ", holding [{}]", names.join(", "))?;
        }
        for (k, reset) in event.resets.iter().enumerate() {
            let then = if k == 0 { ": " } else { "; " };
            write!(f, "{then}{} = {}", reset.variable, print::expression(&reset.value))?;
        }
        writeln!(f)?;
    }
    Ok(())
}

fn variable_line(f: &mut Formatter<'_>, variable: &Variable) -> fmt::Result {
    let role = match variable.role {
        Role::State => "state",
        Role::Output => "algebraic",
        Role::Input => "input",
        Role::Parameter => "parameter",
        Role::Event => "event",
    };
    write!(f, "{role} {}", variable.name)?;
    match (variable.length, variable.columns) {
        (None, _) => {}
        (Some(length), None) => write!(f, "[{length}]")?,
        (Some(length), Some(columns)) => write!(f, "[{}, {columns}]", length / columns)?,
    }
    write!(f, " = ")?;
    match variable.value.as_slice() {
        [one] => number(f, *one)?,
        several => numbers(f, several.iter().copied())?,
    }
    if variable.complex {
        write!(f, " complex")?;
    }
    if variable.output {
        write!(f, " output")?;
    }
    if let Some(unit) = &variable.unit {
        write!(f, " in {unit}")?;
    }
    writeln!(f)
}

fn literal(f: &mut Formatter<'_>, value: &Literal) -> fmt::Result {
    match value {
        Literal::Number(n) => number(f, *n),
        Literal::List(list) => numbers(f, list.iter().copied()),
        Literal::Matrix { data, .. } => numbers(f, data.iter().map(|re| Complex { re: *re, im: 0.0 })),
        Literal::Drawn(law) => write!(f, "{law}"),
        Literal::Profile(profile) => write!(f, "{profile}"),
    }
}

fn numbers(f: &mut Formatter<'_>, values: impl ExactSizeIterator<Item = Complex>) -> fmt::Result {
    let count = values.len();
    write!(f, "[")?;
    for (i, value) in values.take(MOST).enumerate() {
        if i > 0 {
            write!(f, ", ")?;
        }
        number(f, value)?;
    }
    if count > MOST {
        write!(f, ", and {} more", count - MOST)?;
    }
    write!(f, "]")
}

fn number(f: &mut Formatter<'_>, n: Complex) -> fmt::Result {
    if n.im == 0.0 { write!(f, "{}", n.re) } else { write!(f, "{}{:+}j", n.re, n.im) }
}
