//! Text form of a system, for `--emit ir` and tests.
//!
//! ```text
//! system NAME
//!   space s1 of 100: NAME                        index sets; values without `[..]` are scalars
//!   parameter NAME[s1] = [1, 2, ..]
//!   input NAME[s1] = series 0, columns [0, 1, -] `-`: not driven
//!   table t0: s1 -> [3, 1, ..]                   used by `take(t0, x)`
//!   connection c0: s1 -> s2, 12 entries of weight 0.5: NAME     used by `couple(c0, x)`
//!   connection c1: s1 -> s2, 2 entries of weight 0.5, delays [1, 3]: NAME     used by `couple(c1, h0)`; an entry
//!                                                without delay reads the third argument of `couple(c1, h0, x)`
//!   convolution v0: s1 -> s2, 3 x 3 places of 8 x 8 x 1 -> 8 x 8 x 2, every 1 x 1, periodic, weights [0.5, ..]: NAME     used
//!                                                by `convolve(v0, x)`
//!   fanout f0: s1 -> s2, 12 entries of weight 0.5: NAME     used by `deliver(f0, base, spike)`, also with a factor
//!   %0[s1] = exp(a / b)                          used more than once, or deep
//!   history h0[s1], 10 steps: NAME = x           used by `past(h0, 3)`: the value 3 steps ago
//!   state NAME[s1] = 0, derivative %0 + x        initial value and derivative
//!   event e0[s1] after: NAME when x >= theta     `event(e0)`: happens in this step; `happened(e0)`: in the one before
//!     refractory 20 steps, holding x
//!     x = 0                                      resets
//!   jump x += couple(c0, event(e0) * factor) after 3 steps
//! ```
//!
//! Names hold slashes without spaces around them (`node/op/x`); operators have spaces around them. The tree is exact:
//! `a + (b + c)` is not `a + b + c`. Lists end after 16 numbers with a count of the rest. `t` is the time, `dt` the step.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter, Write};

use super::event::{Affected, Event, Through};
use super::expr::{ExprId, Node, Op, SpaceId};
use super::system::{Connection, Convolution, System, Values};
use crate::syntax::print::number;

/// Most numbers of a list that are printed; the rest is counted.
const MOST: usize = 16;
/// Deeper expressions get a name, so that lines stay short and chains of any length can be printed.
const DEEPEST: usize = 12;
/// Binding strength of names, numbers and calls.
const ATOM: u8 = 9;

/// Functions written between their arguments: name, spelling, binding strength. Comparisons do not chain.
const INFIX: &[(&str, &str, u8)] = &[
    ("or", "or", 1),
    ("and", "and", 2),
    ("lt", "<", 4),
    ("le", "<=", 4),
    ("gt", ">", 4),
    ("ge", ">=", 4),
    ("eq", "==", 4),
    ("ne", "!=", 4),
    ("add", "+", 5),
    ("sub", "-", 5),
    ("mul", "*", 6),
    ("div", "/", 6),
    ("rem", "%", 6),
    ("pow", "^", 8),
];

impl Display for System {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "system {}", self.name)?;
        for (i, space) in self.spaces.iter().enumerate().skip(1) {
            writeln!(f, "  space s{i} of {}: {}", space.size, space.name)?;
        }
        for p in &self.parameters {
            writeln!(f, "  parameter {}{} = {}", p.name, suffix(p.space), values(&p.values))?;
        }
        for input in &self.inputs {
            let columns = input.columns.iter().map(|c| c.map_or("-".to_string(), |c| c.to_string()));
            let columns = list(columns);
            writeln!(f, "  input {}{} = series {}, columns {columns}", input.name, suffix(input.space), input.series)?;
        }
        for (i, table) in self.tables.iter().enumerate() {
            let indices = list(table.indices.iter().map(u32::to_string));
            writeln!(f, "  table t{i}: {} -> {indices}", space(table.source))?;
        }
        for (i, c) in self.connections.iter().enumerate() {
            let (source, target) = (space(c.source), space(c.target));
            let weights = values(&c.weights);
            let (count, delays) = (entries(c.sources.len()), delays(c));
            writeln!(f, "  connection c{i}: {source} -> {target}, {count} of weight {weights}{delays}: {}", c.name)?;
        }
        for (i, c) in self.convolutions.iter().enumerate() {
            writeln!(f, "  convolution v{i}: {} -> {}, {}", space(c.source), space(c.target), convolution(c))?;
        }
        for (i, fanout) in self.fanouts.iter().enumerate() {
            let (source, target) = (space(fanout.source), space(fanout.target));
            let (count, weights) = (entries(fanout.targets.len()), values(&fanout.weights));
            writeln!(f, "  fanout f{i}: {source} -> {target}, {count} of weight {weights}: {}", fanout.name)?;
        }
        let printed = Expressions::new(self);
        for line in &printed.lines {
            writeln!(f, "  {line}")?;
        }
        for (i, h) in self.histories.iter().enumerate() {
            let value = printed.get(h.value);
            writeln!(f, "  history h{i}{}, {} steps: {} = {value}", suffix(h.space), h.depth, h.name)?;
        }
        for s in &self.states {
            let derivative = printed.get(s.derivative);
            writeln!(f, "  state {}{} = {}, derivative {derivative}", s.name, suffix(s.space), values(&s.initial))?;
        }
        for (i, event) in self.events.iter().enumerate() {
            self.event_lines(f, i, event, &printed)?;
        }
        for jump in &self.jumps {
            let product = match jump.factor {
                Some(factor) => format!("{} * ({})", printed.get(jump.spike), printed.get(factor)),
                None => printed.get(jump.spike).to_string(),
            };
            let amount = match jump.through {
                Through::Weight(weight) => format!("{} * {product}", printed.get(weight)),
                Through::Connection(connection) => format!("couple(c{}, {product})", connection.0),
                Through::Fanout(fanout) => format!("fanout f{} of {product}", fanout.0),
            };
            let later = if jump.delay > 0 { format!(" after {} steps", jump.delay) } else { String::new() };
            writeln!(f, "  jump {} += {amount}{later}", self.states[jump.state.index()].name)?;
        }
        Ok(())
    }
}

impl System {
    fn event_lines(&self, f: &mut Formatter<'_>, index: usize, event: &Event, printed: &Expressions) -> fmt::Result {
        let (suffix, order, when) = (suffix(event.space), event.order.name(), printed.get(event.when));
        writeln!(f, "  event e{index}{suffix} {order}: {} when {when}", event.name)?;
        let state = |affected: &Affected| self.states[affected.state.index()].name.as_str();
        if let Some(refractory) = event.refractory {
            let held: Vec<&str> = event.held.iter().map(state).collect();
            writeln!(f, "    refractory {} steps, holding {}", printed.get(refractory), held.join(", "))?;
        }
        for (affected, value) in &event.resets {
            writeln!(f, "    {} = {}", state(affected), printed.get(*value))?;
        }
        Ok(())
    }
}

/// An expression as text, with how tightly it binds and how deep it is.
struct Printed {
    text: String,
    strength: u8,
    depth: usize,
}

/// The expressions that states and histories need.
struct Expressions {
    printed: HashMap<ExprId, Printed>,
    /// Definitions of the named ones, in order.
    lines: Vec<String>,
}

impl Expressions {
    fn new(system: &System) -> Expressions {
        let graph = &system.graph;
        let of_events = system
            .events
            .iter()
            .flat_map(|event| [event.when].into_iter().chain(event.refractory).chain(event.resets.iter().map(|r| r.1)));
        let of_jumps = system.jumps.iter().flat_map(|jump| {
            let weight = match jump.through {
                Through::Weight(weight) => Some(weight),
                Through::Connection(_) | Through::Fanout(_) => None,
            };
            [jump.spike].into_iter().chain(jump.factor).chain(weight)
        });
        let of_states = system.states.iter().map(|s| s.derivative);
        let roots: Vec<ExprId> =
            system.histories.iter().map(|h| h.value).chain(of_states).chain(of_events).chain(of_jumps).collect();
        let needed = graph.reachable(roots.iter().copied());
        let mut uses: HashMap<ExprId, usize> = HashMap::new();
        let args = needed.iter().flat_map(|id| &graph.node(*id).args);
        for id in args.chain(&roots) {
            *uses.entry(*id).or_default() += 1;
        }
        let mut this = Expressions { printed: HashMap::new(), lines: Vec::new() };
        // Ascending ids are a topological order: arguments are there before those that use them.
        for id in needed {
            let node = graph.node(id);
            let mut printed = this.print(system, node);
            if !node.args.is_empty() && (uses[&id] > 1 || printed.depth > DEEPEST) {
                let name = format!("%{}", this.lines.len());
                this.lines.push(format!("{name}{} = {}", suffix(node.space), printed.text));
                printed = Printed { text: name, strength: ATOM, depth: 0 };
            }
            this.printed.insert(id, printed);
        }
        this
    }

    fn get(&self, id: ExprId) -> &str {
        &self.printed[&id].text
    }

    fn print(&self, system: &System, node: &Node) -> Printed {
        let depth = 1 + node.args.iter().map(|a| self.printed[a].depth).max().unwrap_or(0);
        let atom = |text: String| Printed { text, strength: ATOM, depth };
        match node.op {
            Op::Constant(bits) => {
                let value = f64::from_bits(bits);
                let strength = if value.is_sign_negative() { 7 } else { ATOM };
                Printed { text: number(value), strength, depth }
            }
            Op::Time => atom("t".to_string()),
            Op::StepSize => atom("dt".to_string()),
            Op::State(id) => atom(system.states[id.index()].name.clone()),
            Op::Parameter(id) => atom(system.parameters[id.index()].name.clone()),
            Op::Input(id) => atom(system.inputs[id.index()].name.clone()),
            Op::Random(id) => atom(system.randoms[id.index()].name.clone()),
            Op::Take(table) => atom(format!("take(t{}, {})", table.0, self.get(node.args[0]))),
            Op::Couple(connection) => atom(format!("couple(c{}, {})", connection.0, self.get(node.args[0]))),
            Op::Convolve(id) => atom(format!("convolve(v{}, {})", id.0, self.get(node.args[0]))),
            Op::Past { history, steps } => atom(format!("past(h{}, {steps})", history.0)),
            Op::Event(event) => atom(format!("event(e{})", event.0)),
            Op::Happened(event) => atom(format!("happened(e{})", event.0)),
            Op::CouplePast { connection, history } => {
                let first = [format!("c{}", connection.0), format!("h{}", history.0)];
                atom(format!("couple({})", self.list(&first, &node.args)))
            }
            Op::Deliver(fanout) => atom(format!("deliver({})", self.list(&[format!("f{}", fanout.0)], &node.args))),
            Op::Call(prim) => self.call(prim.name, &node.args, depth),
        }
    }

    fn call(&self, name: &str, args: &[ExprId], depth: usize) -> Printed {
        if let (Some((_, symbol, strength)), [left, right]) = (INFIX.iter().find(|row| row.0 == name), args) {
            let chains = *strength > 4 && name != "pow";
            let left = self.operand(*left, strength + u8::from(!chains));
            let right = self.operand(*right, strength + 1);
            return Printed { text: format!("{left} {symbol} {right}"), strength: *strength, depth };
        }
        match (name, args) {
            ("neg", [arg]) => Printed { text: format!("-{}", self.operand(*arg, 8)), strength: 7, depth },
            ("not", [arg]) => Printed { text: format!("not {}", self.operand(*arg, 4)), strength: 3, depth },
            _ => {
                let args: Vec<&str> = args.iter().map(|a| self.get(*a)).collect();
                Printed { text: format!("{name}({})", args.join(", ")), strength: ATOM, depth }
            }
        }
    }

    fn list(&self, first: &[String], args: &[ExprId]) -> String {
        let items: Vec<&str> = first.iter().map(String::as_str).chain(args.iter().map(|a| self.get(*a))).collect();
        items.join(", ")
    }

    fn operand(&self, id: ExprId, least: u8) -> String {
        let printed = &self.printed[&id];
        if printed.strength < least { format!("({})", printed.text) } else { printed.text.clone() }
    }
}

/// The name of an index set.
fn space(id: SpaceId) -> String {
    if id == SpaceId::SCALAR { "scalar".to_string() } else { format!("s{}", id.0) }
}

/// The index set behind a name; nothing for scalars.
fn suffix(id: SpaceId) -> String {
    if id == SpaceId::SCALAR { String::new() } else { format!("[s{}]", id.0) }
}

/// `3 entries`
pub(crate) fn entries(count: usize) -> String {
    if count == 1 { "1 entry".to_string() } else { format!("{count} entries") }
}

/// `, delays [1, 3]` behind a connection that has some, `, 4 times` behind one of several members.
pub(crate) fn delays(connection: &Connection) -> String {
    match &connection.delays {
        Some(delays) => format!(", delays {}", list(delays.iter().map(u32::to_string))),
        None if connection.members != 1 => format!(", {} times", connection.members),
        None => String::new(),
    }
}

/// What a convolution is like.
pub(crate) fn convolution(convolution: &Convolution) -> String {
    let window = &convolution.window;
    let grid = |[rows, columns, channels]: [u32; 3]| format!("{rows} x {columns} x {channels}");
    let [[rows, columns], [down, right]] = [window.kernel, window.stride];
    let members = if convolution.members == 1 { String::new() } else { format!(", {} times", convolution.members) };
    let periodic = if window.periodic { ", periodic" } else { "" };
    let weights = list(convolution.weights.iter().map(|w| number(*w)));
    format!(
        "{rows} x {columns} places of {} -> {}, every {down} x {right}{periodic}{members}, weights {weights}: {}",
        grid(window.source),
        grid(window.target),
        convolution.name
    )
}

/// One number, or a list of them.
pub(crate) fn values(values: &Values) -> String {
    match values {
        Values::Uniform(value) => number(*value),
        Values::Each(each) => list(each.iter().map(|v| number(*v))),
    }
}

/// `[a, b, ..]`, at most [`MOST`] items.
pub(crate) fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    let count = items.len();
    let mut text = String::from("[");
    for (i, item) in items.take(MOST).enumerate() {
        text.push_str(if i > 0 { ", " } else { "" });
        text.push_str(&item);
    }
    if count > MOST {
        // Writing to a string cannot fail.
        let _ = write!(text, ", and {} more", count - MOST);
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::prim::lookup;
    use crate::ir::system::{Connection, Input};

    #[test]
    fn a_scalar_system_prints_its_equations_with_the_fewest_parentheses() {
        let mut s = System::new("lorenz");
        let (x, ex) = s.add_state("p/op/x", SpaceId::SCALAR, Values::Uniform(1.0));
        let (y, ey) = s.add_state("p/op/y", SpaceId::SCALAR, Values::Uniform(0.0));
        let sigma = s.add_parameter("p/op/sigma", SpaceId::SCALAR, Values::Uniform(10.0));
        let g = &mut s.graph;
        let difference = g.difference(ey, ex);
        let dx = g.product(sigma, difference);
        let left = g.sum(ex, ey);
        let right = g.sum(ey, left);
        let minus = g.negative(right);
        let dy = g.quotient(minus, dx);
        s.states[x.index()].derivative = dx;
        s.states[y.index()].derivative = dy;
        let expected = "\
system lorenz
  parameter p/op/sigma = 10
  %0 = p/op/sigma * (p/op/y - p/op/x)
  state p/op/x = 1, derivative %0
  state p/op/y = 0, derivative -(p/op/y + (p/op/x + p/op/y)) / %0
";
        assert_eq!(s.to_string(), expected);
    }

    #[test]
    fn arrays_name_their_index_sets() {
        let mut s = System::new("net");
        let space = s.add_space("cells", 3);
        let (v, ev) = s.add_state("cells/op/v", space, Values::Each([0.0, 0.5, 1.0].into()));
        let columns = vec![Some(0), None, Some(1)];
        let drive = s.add_input(Input { name: "cells/op/i".into(), space, series: 0, columns });
        let weight = Values::Uniform(0.25);
        let connection = Connection::new("v to v", (space, space), [0, 1, 2, 2], [1, 0], weight);
        let history = s.add_history("cells/op/v", space);
        s.histories[history.index()].value = ev;
        let past = s.past(history, 3);
        let coupled = s.couple(connection, past);
        let tanh = s.graph.call(lookup("tanh").unwrap(), &[coupled]);
        let first = s.take("first", ev, space, vec![0, 0, 0].into());
        let sum = s.graph.sum(tanh, drive);
        let all = s.graph.difference(sum, first);
        s.states[v.index()].derivative = all;
        let expected = "\
system net
  space s1 of 3: cells
  input cells/op/i[s1] = series 0, columns [0, -, 1]
  table t0: s1 -> [0, 0, 0]
  connection c0: s1 -> s1, 2 entries of weight 0.25: v to v
  history h0[s1], 3 steps: cells/op/v = cells/op/v
  state cells/op/v[s1] = [0, 0.5, 1], derivative tanh(couple(c0, past(h0, 3))) + cells/op/i - take(t0, cells/op/v)
";
        assert_eq!(s.to_string(), expected);
    }

    #[test]
    fn a_chain_of_any_length_can_be_printed() {
        let mut s = System::new("chain");
        let (x, ex) = s.add_state("x", SpaceId::SCALAR, Values::Uniform(0.0));
        let mut sum = ex;
        for _ in 0..100_000 {
            sum = s.graph.sum(sum, ex);
        }
        s.states[x.index()].derivative = sum;
        assert!(s.to_string().lines().all(|line| line.len() < 200));
    }
}
