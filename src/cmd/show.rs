//! `nullcline show`: what a template is made of, for people.

use std::fmt::Write;

use clap::Args;
use nullcline::Model;
use nullcline::compiler::model::{Circuit, Operator, Projection, Role, Variable, Weights};
use nullcline::compiler::syntax::print::equation;
use nullcline::compiler::template::{Complex, Literal};

use super::fault::{DONE, Fault};
use super::model::Target;
use super::print;

/// Most nodes of one kind, and most edges, that are listed; the rest is counted.
const MOST: usize = 12;

/// Show a template's equations, variables and source
#[derive(Args)]
#[command(after_help = "Example:\n  nullcline show jansen_rit")]
pub struct Show {
    #[command(flatten)]
    target: Target,
}

impl Show {
    /// Runs the command.
    pub fn run(self) -> Result<u8, Fault> {
        let model = self.target.load()?;
        let mut text = String::new();
        let colors = print::colors_on_stdout();
        push(&mut text, &print::paint(colors, "1", &model.circuit.name));
        for line in citation(&model).lines() {
            push(&mut text, line);
        }
        nodes(&model.circuit, colors, &mut text);
        edges(&model.circuit, colors, &mut text);
        print::out(&text);
        Ok(DONE)
    }
}

/// The comment at the top of the file.
fn citation(model: &Model) -> String {
    let Some((_, file)) = model.sources.files().next() else { return String::new() };
    let comment = file.text.lines().map_while(|line| line.strip_prefix('#'));
    comment.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect()
}

fn nodes(circuit: &Circuit, colors: bool, text: &mut String) {
    // Nodes with the same operators and values are shown once.
    let mut kinds: Vec<(&[Operator], Vec<String>)> = Vec::new();
    for population in &circuit.populations {
        let name = match population.size {
            Some(size) => format!("{} ({size} units)", population.path),
            None => population.path.to_string(),
        };
        match kinds.iter_mut().find(|(operators, _)| same(operators, &population.operators)) {
            Some((_, names)) => names.push(name),
            None => kinds.push((&population.operators, vec![name])),
        }
    }
    for (operators, names) in kinds {
        let what = if names.len() == 1 { "node" } else { "nodes" };
        push(text, "");
        push(text, &print::paint(colors, "1", &format!("{what} {}", shortened(&names))));
        for operator in operators {
            operator_lines(operator, colors, text);
        }
    }
}

fn same(a: &[Operator], b: &[Operator]) -> bool {
    let equal = |(a, b): (&Operator, &Operator)| {
        let values = |o: &Operator| o.variables.iter().map(|v| v.value.clone()).collect::<Vec<_>>();
        a.name == b.name && a.equations.as_ptr() == b.equations.as_ptr() && values(a) == values(b)
    };
    a.len() == b.len() && a.iter().zip(b).all(equal)
}

fn operator_lines(operator: &Operator, colors: bool, text: &mut String) {
    push(text, &format!("  operator {}", operator.name));
    for line in operator.equations.iter().map(equation) {
        push(text, &format!("    {line}"));
    }
    let mut rows = vec![["variable", "", "value", "unit", "description"].map(str::to_string)];
    rows.extend(operator.variables.iter().map(|v| {
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        [v.name.to_string(), role(v).to_string(), value(v), text(&v.unit), text(&v.description)]
    }));
    let width = |k: usize| rows.iter().map(|row| row[k].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    push(text, "");
    for (i, row) in rows.iter().enumerate() {
        let cells: Vec<String> = (0..5)
            .filter(|k| *k < 3 || rows[1..].iter().any(|row| !row[*k].is_empty()))
            .map(|k| if k == 2 { format!("{:>1$}", row[k], widths[k]) } else { format!("{:<1$}", row[k], widths[k]) })
            .collect();
        let line = cells.join("  ").trim_end().to_string();
        push(text, &format!("    {}", print::paint(colors && i == 0, "1", &line)));
    }
}

fn role(variable: &Variable) -> &'static str {
    match variable.role {
        Role::State if variable.output => "state, output",
        Role::State => "state",
        Role::Output if variable.output => "output",
        Role::Output => "computed",
        Role::Input => "input",
        Role::Parameter => "parameter",
        Role::Event => "event",
    }
}

/// Its number or numbers; none for what is computed.
fn value(variable: &Variable) -> String {
    if matches!(variable.role, Role::Output | Role::Event) { String::new() } else { numbers(&variable.value) }
}

fn numbers(values: &[Complex]) -> String {
    let number = |c: &Complex| if c.im == 0.0 { c.re.to_string() } else { format!("{}{:+}j", c.re, c.im) };
    match values {
        [one] => number(one),
        several => {
            let shown: Vec<String> = several.iter().take(4).map(number).collect();
            let rest = if several.len() > 4 { format!(", .. ({})", several.len()) } else { String::new() };
            format!("[{}{rest}]", shown.join(", "))
        }
    }
}

fn edges(circuit: &Circuit, colors: bool, text: &mut String) {
    if circuit.projections.is_empty() {
        return;
    }
    push(text, "");
    push(text, &print::paint(colors, "1", &format!("edges ({})", circuit.projections.len())));
    for p in circuit.projections.iter().take(MOST) {
        let weight = match &p.weights {
            Weights::Scalar(weight) => weight.to_string(),
            Weights::Matrix(matrix) => format!("matrix of {} numbers", matrix.len()),
            Weights::Drawn(law) => law.to_string(),
            Weights::Profile(profile) => profile.to_string(),
        };
        let mut line = format!("  {} -> {}, weight {weight}", circuit.path(p.source), circuit.path(p.target));
        for (what, value) in [("delay", &p.delay), ("spread", &p.spread)] {
            match value {
                None => {}
                Some(Literal::Number(number)) => line.push_str(&format!(", {what} {}", number.re)),
                Some(Literal::Drawn(law)) => line.push_str(&format!(", {what} {law}")),
                Some(Literal::Profile(profile)) => line.push_str(&format!(", {what} {profile}")),
                Some(_) => line.push_str(&format!(", {what} for each")),
            }
        }
        line.push_str(&connections(circuit, p));
        if let Some(edge) = &p.edge {
            let names: Vec<&str> = edge.operators.iter().map(|o| &*o.name).collect();
            line.push_str(&format!(", through {}", names.join(", ")));
        }
        push(text, &line);
    }
    if circuit.projections.len() > MOST {
        push(text, &format!("  and {} more", circuit.projections.len() - MOST));
    }
    let mut seen = std::collections::HashSet::new();
    for operator in circuit.projections.iter().filter_map(|p| p.edge.as_ref()).flat_map(|e| e.operators.iter()) {
        if seen.insert((operator.name.clone(), operator.equations.as_ptr())) {
            operator_lines(operator, colors, text);
        }
    }
}

/// Between populations: how many connections there are, by which rule, and what they take.
fn connections(circuit: &Circuit, projection: &Projection) -> String {
    let sized = |p: usize| circuit.populations[p].size.is_some();
    if !sized(projection.source.population) && !sized(projection.target.population) {
        return String::new();
    }
    let rule = match (&projection.wiring, &projection.weights) {
        (Some(wiring), _) => wiring.connectivity.rule.to_string(),
        (None, Weights::Matrix(_)) => "where not 0".to_string(),
        (None, _) => "all_to_all".to_string(),
    };
    let size = circuit.footprint(projection);
    format!(", {rule}: {} connections, {}", size.connections, print::bytes(size.bytes))
}

fn shortened(names: &[String]) -> String {
    let shown = names[..names.len().min(MOST)].join(", ");
    if names.len() > MOST { format!("{shown} and {} more", names.len() - MOST) } else { shown }
}

fn push(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}
