//! Names of templates in one file, and paths that follow them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::diagnostic::{Result, template as fault};
use crate::source::Name;
use crate::template::load::LONE_LABEL;
use crate::template::resolve::SECTIONS;
use crate::template::{CircuitTemplate, EdgeTemplate, EdgeUse, NodeTemplate, OperatorTemplate};

/// All templates a circuit is made of, in the order in which they are written, with their names.
pub(super) struct Names<'a> {
    pub operators: Vec<(&'a OperatorTemplate, String)>,
    pub edges: Vec<(&'a EdgeTemplate, String)>,
    pub nodes: Vec<(&'a NodeTemplate, String)>,
    /// Circuits inside the one written, inner ones first.
    pub circuits: Vec<(&'a CircuitTemplate, String)>,
    /// Name of the one written.
    pub circuit: String,
    /// Whether the circuit is only what a lone operator is read as.
    pub lone_operator: bool,
    /// Whether the circuit is only what a lone node is read as.
    pub lone_node: bool,
    known: HashMap<*const u8, String>,
}

fn address<T>(template: &T) -> *const u8 {
    std::ptr::from_ref(template).cast()
}

impl<'a> Names<'a> {
    pub fn new(circuit: &'a CircuitTemplate) -> Names<'a> {
        let mut all = Collected::default();
        all.circuit(circuit);
        all.circuits.pop();
        let (lone_node, lone_operator) = lone(circuit);
        let mut taken: HashSet<String> = SECTIONS.iter().map(|s| s.to_string()).collect();
        let mut known = HashMap::new();
        let operators = name_all(all.operators, &mut taken, &mut known, |o| &o.name.text);
        // A lone node or operator shares its name with the circuit around it.
        let own = if lone_node { String::new() } else { free(&circuit.name.text, &mut taken) };
        let (edges, nodes) = if lone_operator {
            (Vec::new(), Vec::new())
        } else {
            let edges = name_all(all.edges, &mut taken, &mut known, |e| &e.name.text);
            (edges, name_all(all.nodes, &mut taken, &mut known, |n| &n.name.text))
        };
        let circuits = name_all(all.circuits, &mut taken, &mut known, |c| &c.name.text);
        Names { operators, edges, nodes, circuits, circuit: own, lone_operator, lone_node, known }
    }

    fn known<T>(&self, template: &Arc<T>) -> &str {
        self.known.get(&address(&**template)).map_or("", String::as_str)
    }

    pub fn operator(&self, template: &Arc<OperatorTemplate>) -> &str {
        self.known(template)
    }

    pub fn edge(&self, template: &Arc<EdgeTemplate>) -> &str {
        self.known(template)
    }

    pub fn node(&self, template: &Arc<NodeTemplate>) -> &str {
        self.known(template)
    }

    pub fn inner(&self, template: &Arc<CircuitTemplate>) -> &str {
        self.known(template)
    }

    /// A path `labels/operator/variable` in a circuit, with the name its operator has now.
    pub fn path(&self, circuit: &CircuitTemplate, path: &Name) -> Result<String> {
        let parts: Vec<&str> = path.text.split('/').collect();
        let Some((labels, rest)) = parts.len().checked_sub(2).map(|n| parts.split_at(n)) else {
            return Ok(path.text.to_string());
        };
        let mut nodes = Vec::new();
        reached(circuit, labels, &mut nodes);
        match self.renamed(&nodes, rest[0], path)? {
            Some(operator) => Ok([labels, &[operator, rest[1]]].concat().join("/")),
            None => Ok(path.text.to_string()),
        }
    }

    /// A path `operator/variable` in each of some nodes.
    pub fn path_in(&self, circuit: &CircuitTemplate, labels: &[Name], path: &Name) -> Result<String> {
        let Some((operator, variable)) = path.text.rsplit_once('/') else { return Ok(path.text.to_string()) };
        let mut nodes = Vec::new();
        for label in labels {
            reached(circuit, &label.text.split('/').collect::<Vec<_>>(), &mut nodes);
        }
        let renamed = self.renamed(&nodes, operator, path)?;
        Ok(renamed.map_or_else(|| path.text.to_string(), |operator| format!("{operator}/{variable}")))
    }

    /// What an input of an edge operator reads: a path, or `source/..` and `target/..` for the nodes at the ends.
    pub fn edge_input(&self, circuit: &CircuitTemplate, edge: &EdgeUse, path: &Name) -> Result<String> {
        let has = |label: &str| {
            circuit.nodes.iter().map(|n| &n.0).chain(circuit.circuits.iter().map(|c| &c.0)).any(|l| &*l.text == label)
        };
        let Some((end, rest)) = path.text.split_once('/') else { return Ok(path.text.to_string()) };
        let at = match end {
            "source" if !has(end) => &edge.source,
            "target" if !has(end) => &edge.target,
            _ => return self.path(circuit, path),
        };
        let Some((operator, variable)) = rest.split_once('/') else { return Ok(path.text.to_string()) };
        let labels: Vec<&str> = at.text.split('/').collect();
        let mut nodes = Vec::new();
        reached(circuit, &labels[..labels.len().saturating_sub(2)], &mut nodes);
        let renamed = self.renamed(&nodes, operator, path)?;
        Ok(renamed.map_or_else(|| path.text.to_string(), |operator| format!("{end}/{operator}/{variable}")))
    }

    /// `operator/variable` of an edge template.
    pub fn edge_variable(&self, edge: &EdgeUse, name: &Name) -> String {
        let operators = edge.template.iter().flat_map(|t| &t.operators);
        let Some((operator, variable)) = name.text.rsplit_once('/') else { return name.text.to_string() };
        let used = operators.into_iter().find(|u| &*u.name.text == operator);
        used.map_or_else(|| name.text.to_string(), |u| format!("{}/{variable}", self.operator(&u.template)))
    }

    /// The name that the operator of some nodes has now: it must be the same in all of them.
    fn renamed(&self, nodes: &[&NodeTemplate], operator: &str, path: &Name) -> Result<Option<&str>> {
        let uses = nodes.iter().flat_map(|n| n.operators.iter().filter(|u| &*u.name.text == operator));
        let mut now: Vec<&str> = uses.map(|u| self.operator(&u.template)).collect();
        now.sort_unstable();
        now.dedup();
        match now[..] {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err(fault::operators_of_one_name(path, operator).into()),
        }
    }
}

/// The nodes that labels (and `all`) lead to.
fn reached<'a>(circuit: &'a CircuitTemplate, labels: &[&str], found: &mut Vec<&'a NodeTemplate>) {
    let Some((label, rest)) = labels.split_first() else { return };
    let chosen = |l: &Name| *label == "all" || &*l.text == *label;
    if rest.is_empty() {
        found.extend(circuit.nodes.iter().filter(|(l, _)| chosen(l)).map(|(_, n)| &**n));
    }
    for (_, inner) in circuit.circuits.iter().filter(|(l, _)| chosen(l)) {
        reached(inner, rest, found);
    }
}

/// Whether a circuit is what a lone node, and a lone operator, is read as.
fn lone(circuit: &CircuitTemplate) -> (bool, bool) {
    let [(label, node)] = &circuit.nodes[..] else { return (false, false) };
    let bare = circuit.circuits.is_empty() && circuit.edges.is_empty() && circuit.matrices.is_empty();
    let lone_node = bare && &*label.text == LONE_LABEL && node.name.text == circuit.name.text;
    let lone_operator = match &node.operators[..] {
        [used] => used.overrides.is_empty() && node.size.is_none() && used.template.name.text == node.name.text,
        _ => false,
    };
    (lone_node, lone_node && lone_operator)
}

fn name_all<'a, T: PartialEq>(
    templates: Vec<&'a T>,
    taken: &mut HashSet<String>,
    known: &mut HashMap<*const u8, String>,
    name: fn(&T) -> &str,
) -> Vec<(&'a T, String)> {
    let mut named: Vec<(&'a T, String)> = Vec::new();
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for template in templates {
        let same = by_name.entry(name(template)).or_default();
        // Equal templates, as builders make when they are run twice, are one.
        let text = match same.iter().find(|i| named[**i].0 == template) {
            Some(equal) => named[*equal].1.clone(),
            None => {
                let text = free(name(template), taken);
                same.push(named.len());
                named.push((template, text.clone()));
                text
            }
        };
        known.insert(address(template), text);
    }
    named
}

/// A name that no other template has.
fn free(wanted: &str, taken: &mut HashSet<String>) -> String {
    let wanted = if wanted.is_empty() { "unnamed" } else { wanted };
    let numbered = (2..).map(|n| format!("{wanted}_{n}"));
    let name = std::iter::once(wanted.to_string()).chain(numbered).find(|n| !taken.contains(n));
    let name = name.expect("there are more numbers than names");
    taken.insert(name.clone());
    name
}

/// Templates in the order of first use, each once.
#[derive(Default)]
struct Collected<'a> {
    operators: Vec<&'a OperatorTemplate>,
    edges: Vec<&'a EdgeTemplate>,
    nodes: Vec<&'a NodeTemplate>,
    circuits: Vec<&'a CircuitTemplate>,
    seen: HashSet<*const u8>,
}

impl<'a> Collected<'a> {
    fn circuit(&mut self, circuit: &'a CircuitTemplate) {
        for (_, node) in &circuit.nodes {
            if self.seen.insert(address(&**node)) {
                self.nodes.push(node);
                node.operators.iter().for_each(|u| self.operator(&u.template));
            }
        }
        let edges = circuit.edges.iter().chain(circuit.matrices.iter().map(|m| &m.edge));
        for template in edges.filter_map(|e| e.template.as_ref()) {
            if self.seen.insert(address(&**template)) {
                self.edges.push(template);
                template.operators.iter().for_each(|u| self.operator(&u.template));
            }
        }
        for (_, inner) in &circuit.circuits {
            if !self.seen.contains(&address(&**inner)) {
                self.circuit(inner);
            }
        }
        if self.seen.insert(address(circuit)) {
            self.circuits.push(circuit);
        }
    }

    fn operator(&mut self, operator: &'a OperatorTemplate) {
        if self.seen.insert(address(operator)) {
            self.operators.push(operator);
        }
    }
}
