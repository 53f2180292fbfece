//! The key `connectivity` of an edge.

use std::sync::Arc;

use super::{Block, Connectivity, Distance, DistanceKernel, Pairs, Rule, Space, Table};
use crate::diagnostic::template as fault;
use crate::source::{Name, Span};
use crate::syntax::yaml::{Entry, Node, Value};
use crate::template::Literal;
use crate::template::edit::required_text;
use crate::template::fields::{get, only};
use crate::template::resolve::Loader;
use crate::template::value::{count, real};

/// The kinds with their parameters; the first may stand alone: `{random: 0.1}`.
const RULES: &[(&str, &[&str])] = &[
    ("all_to_all", &[]),
    ("one_to_one", &[]),
    ("random", &["p"]),
    ("fixed_indegree", &["k"]),
    ("fixed_outdegree", &["k"]),
    ("fixed_total", &["n"]),
    ("distance", &["space", "length", "torus", "gaussian", "exponential", "box", "p"]),
    ("block", &["p", "targets", "sources"]),
    ("circular", &["reach"]),
    ("line", &["reach"]),
    ("small_world", &["k", "p"]),
    ("conv2d", &["kernel", "shape", "stride", "padding", "size", "channels"]),
    ("pairs", &[]),
    ("mask", &[]),
    ("file", &[]),
];

const SHARED: &[&str] = &["autapses", "multapses", "seed"];

/// Most columns of a file of pairs: source, target, weight, delay.
const PAIR_COLUMNS: usize = 4;

impl Loader<'_> {
    /// Reads `all_to_all`, `{random: {p: 0.1}, autapses: false}` and so on.
    pub(in crate::template) fn connectivity(&mut self, home: usize, node: &Node) -> Option<Connectivity> {
        let names = || RULES.iter().map(|(name, _)| *name);
        let entries: &[Entry] = match &node.value {
            Value::Scalar(_) => {
                let name = required_text(node, "`connectivity`", &mut self.out)?;
                return match &*name.text {
                    "all_to_all" => Some(Connectivity::all_to_all()),
                    "one_to_one" => Some(Connectivity::one_to_one()),
                    _ => {
                        let parameters = RULES.iter().find(|r| *r.0 == *name.text).map(|r| r.1);
                        self.out.push(fault::unknown_connectivity(&name, &names().collect::<Vec<_>>(), parameters));
                        None
                    }
                };
            }
            Value::Mapping(entries) => entries,
            _ => {
                let example = "a kind, e.g. `one_to_one` or `{random: {p: 0.1}}`";
                self.out.push(fault::wrong_form(node, "`connectivity`", example));
                return None;
            }
        };
        let mut kinds = entries.iter().filter(|e| !SHARED.contains(&&*e.key.text));
        let Some(kind) = kinds.next() else {
            let example = "random: {p: 0.1}";
            self.out.push(fault::missing_key(
                node.span,
                "`connectivity`",
                "random`, `fixed_indegree` or the like`",
                example,
            ));
            return None;
        };
        let Some((name, parameters)) = RULES.iter().find(|r| *r.0 == *kind.key.text) else {
            self.out.push(fault::unknown_connectivity(&kind.key, &names().collect::<Vec<_>>(), None));
            return None;
        };
        if let Some(second) = kinds.next() {
            let mut known = SHARED.to_vec();
            known.push(name);
            self.out.push(fault::unknown_key(&second.key, &format!("the connectivity `{name}`"), &known));
            return None;
        }
        let rule = self.rule(home, &kind.key, &kind.value, parameters)?;
        let mut read = Connectivity::new(rule);
        for entry in entries.iter().filter(|e| e.value.value != Value::Null) {
            let what = format!("`{}`", entry.key);
            match &*entry.key.text {
                "autapses" => read.autapses = Some(self.truth(&entry.value, &what)?),
                "multapses" => read.multapses = Some(self.truth(&entry.value, &what)?),
                "seed" => read.seed = Some(count(&entry.value, &what, 0, &mut self.out)?),
                _ => {}
            }
        }
        Some(read)
    }

    fn rule(&mut self, home: usize, kind: &Name, value: &Node, parameters: &[&str]) -> Option<Rule> {
        let owner = format!("the connectivity `{kind}`");
        match &*kind.text {
            "pairs" => return self.table(home, value, &owner).and_then(|t| self.pairs(&t, value.span)),
            "mask" => return self.table(home, value, &owner).map(Rule::Mask),
            "file" => {
                let table = self.table(home, value, &owner)?;
                if (2..=PAIR_COLUMNS).contains(&table.columns) {
                    return self.pairs(&table, value.span);
                }
                return Some(Rule::Mask(table));
            }
            _ => {}
        }
        // `{random: 0.1}` is short for `{random: {p: 0.1}}`.
        let short =
            [Entry { key: Name::new(parameters.first().copied().unwrap_or(""), kind.span), value: value.clone() }];
        let entries: &[Entry] = match &value.value {
            Value::Mapping(entries) => entries,
            Value::Null => &[],
            Value::Scalar(_) if !parameters.is_empty() && !matches!(&*kind.text, "distance" | "conv2d") => &short,
            _ => {
                self.out.push(fault::wrong_form(value, &owner, "a mapping of its parameters"));
                return None;
            }
        };
        if &*kind.text == "conv2d" {
            return self.conv2d(home, entries, &owner, kind).map(Rule::Conv2d);
        }
        only(entries, parameters, &owner, &mut self.out);
        let mut read = Parameters { loader: self, entries, owner: &owner, span: kind.span };
        Some(match &*kind.text {
            "all_to_all" => Rule::AllToAll,
            "one_to_one" => Rule::OneToOne,
            "random" => Rule::Random { p: read.probability("p", None)? },
            "fixed_indegree" => Rule::FixedIndegree { k: read.whole("k")? },
            "fixed_outdegree" => Rule::FixedOutdegree { k: read.whole("k")? },
            "fixed_total" => Rule::FixedTotal { n: read.whole("n")? },
            "circular" => Rule::Circular { reach: read.whole("reach")? },
            "line" => Rule::Line { reach: read.whole("reach")? },
            "small_world" => {
                let k = read.whole("k")?;
                if k % 2 == 1 {
                    let span = get(entries, "k").map_or(kind.span, |e| e.value.span);
                    self.out.push(fault::odd_degree(span, k));
                    return None;
                }
                Rule::SmallWorld { k, p: read.probability("p", None)? }
            }
            "distance" => Rule::Distance(read.distance()?),
            _ => Rule::Block(self.block(home, entries, &owner, kind.span)?),
        })
    }

    fn block(&mut self, home: usize, entries: &[Entry], owner: &str, span: Span) -> Option<Block> {
        let Some(entry) = get(entries, "p") else {
            self.out.push(fault::missing_key(span, owner, "p", "p: [[0.2, 0.01], [0.01, 0.2]]"));
            return None;
        };
        let p = self.table(home, &entry.value, "`p`")?;
        if let Some(wrong) = p.data.iter().find(|p| !(0.0..=1.0).contains(*p)) {
            self.out.push(fault::not_a_probability(entry.value.span, "`p`", *wrong));
            return None;
        }
        let mut sizes = |key: &str, blocks: usize| -> Option<Option<Arc<[u32]>>> {
            let Some(entry) = get(entries, key) else { return Some(None) };
            let what = format!("`{key}`");
            let Value::Sequence(items) = &entry.value.value else {
                self.out.push(fault::wrong_form(&entry.value, &what, "a list of the sizes of its blocks"));
                return None;
            };
            if items.len() != blocks {
                self.out.push(fault::number_of_blocks(entry.value.span, key, blocks, items.len()));
                return None;
            }
            let read = items.iter().map(|n| count(n, &what, 0, &mut self.out).and_then(|n| u32::try_from(n).ok()));
            read.collect::<Option<Arc<[u32]>>>().map(Some)
        };
        let (targets, sources) = (sizes("targets", p.rows)?, sizes("sources", p.columns)?);
        Some(Block { p, targets, sources })
    }

    /// A matrix in place or in a file.
    fn table(&mut self, home: usize, node: &Node, what: &str) -> Option<Table> {
        match self.numbers(home, node, what)? {
            Literal::Matrix { rows, columns, data } => Some(Table { rows, columns, data: data.into() }),
            _ => {
                self.out.push(fault::not_a_table(node.span, what));
                None
            }
        }
    }

    fn pairs(&mut self, table: &Table, span: Span) -> Option<Rule> {
        if !(2..=PAIR_COLUMNS).contains(&table.columns) {
            self.out.push(fault::columns_of_pairs(span, table.columns));
            return None;
        }
        let column = |c: usize| table.data.iter().skip(c).step_by(table.columns).copied();
        let mut unit = |c: usize| -> Option<Arc<[u32]>> {
            let wrong = column(c).position(|x| x.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&x));
            if let Some(row) = wrong {
                self.out.push(fault::not_a_unit(span, row + 1, c + 1, table.data[row * table.columns + c]));
                return None;
            }
            Some(column(c).map(|x| x as u32).collect())
        };
        let (sources, targets) = (unit(0)?, unit(1)?);
        let further = |c: usize| (c < table.columns).then(|| column(c).collect::<Arc<[f64]>>());
        let (weights, delays) = (further(2), further(3));
        if let Some(row) = delays.as_ref().and_then(|d| d.iter().position(|d| *d < 0.0)) {
            self.out.push(fault::not_positive(span, &format!("the delay in row {}", row + 1), false));
            return None;
        }
        Some(Rule::Pairs(Pairs { sources, targets, weights, delays }))
    }

    /// Where units are, and in what extent: the keys `space`, `torus` and `length`. `further` are other keys of the mapping.
    pub(in crate::template) fn space(
        &mut self,
        entries: &[Entry],
        further: &[&str],
        owner: &str,
    ) -> Option<(Space, f64)> {
        let torus = match get(entries, "torus") {
            Some(entry) => self.truth(&entry.value, "`torus`")?,
            None => false,
        };
        let space = match get(entries, "space") {
            None => Space::Line,
            Some(entry) => {
                let name = required_text(&entry.value, "`space`", &mut self.out)?;
                match &*name.text {
                    "line" => Space::Line,
                    "ring" => Space::Ring,
                    "grid" => Space::Grid { torus },
                    _ => {
                        self.out.push(fault::unknown_choice(&name, "`space`", &["line", "ring", "grid"]));
                        return None;
                    }
                }
            }
        };
        let mut known = vec!["length"];
        known.extend(further);
        if let (Some(entry), false) = (get(entries, "torus"), matches!(space, Space::Grid { .. })) {
            self.out.push(fault::unknown_key(&entry.key, "a space other than `grid`", &known));
            return None;
        }
        let length = match get(entries, "length") {
            None => 1.0,
            Some(entry) => Parameters { loader: self, entries, owner, span: entry.key.span }.positive(entry)?,
        };
        Some((space, length))
    }

    fn truth(&mut self, node: &Node, what: &str) -> Option<bool> {
        let name = required_text(node, what, &mut self.out)?;
        match &*name.text {
            "true" | "True" | "yes" => Some(true),
            "false" | "False" | "no" => Some(false),
            _ => {
                self.out.push(fault::unknown_choice(&name, what, &["true", "false"]));
                None
            }
        }
    }
}

/// The parameters of a rule.
struct Parameters<'r, 'l, 'n> {
    loader: &'r mut Loader<'l>,
    entries: &'n [Entry],
    owner: &'r str,
    span: Span,
}

impl Parameters<'_, '_, '_> {
    fn needed(&mut self, key: &str, example: &str) -> Option<Node> {
        match get(self.entries, key) {
            Some(entry) => Some(entry.value.clone()),
            None => {
                self.loader.out.push(fault::missing_key(self.span, self.owner, key, example));
                None
            }
        }
    }

    fn whole(&mut self, key: &str) -> Option<u32> {
        let node = self.needed(key, &format!("{key}: 10"))?;
        let read = count(&node, &format!("`{key}`"), 0, &mut self.loader.out)?;
        match u32::try_from(read) {
            Ok(n) => Some(n),
            Err(_) => {
                self.loader.out.push(fault::too_many_synapses(node.span, read as f64, f64::from(u32::MAX)));
                None
            }
        }
    }

    fn probability(&mut self, key: &str, default: Option<f64>) -> Option<f64> {
        if let (None, Some(default)) = (get(self.entries, key), default) {
            return Some(default);
        }
        let node = self.needed(key, &format!("{key}: 0.1"))?;
        let p = real(&node, &format!("`{key}`"), &mut self.loader.out)?;
        if !(0.0..=1.0).contains(&p) {
            self.loader.out.push(fault::not_a_probability(node.span, &format!("`{key}`"), p));
            return None;
        }
        Some(p)
    }

    fn positive(&mut self, entry: &Entry) -> Option<f64> {
        let what = format!("`{}`", entry.key);
        let x = real(&entry.value, &what, &mut self.loader.out)?;
        if x <= 0.0 {
            self.loader.out.push(fault::not_positive(entry.value.span, &what, true));
            return None;
        }
        Some(x)
    }

    fn distance(&mut self) -> Option<Distance> {
        let entries = self.entries;
        let mut kernels = entries.iter().filter(|e| matches!(&*e.key.text, "gaussian" | "exponential" | "box"));
        let Some(entry) = kernels.next() else {
            let example = "gaussian: 0.1";
            self.loader.out.push(fault::missing_key(
                self.span,
                self.owner,
                "gaussian`, `exponential` or `box",
                example,
            ));
            return None;
        };
        if let Some(second) = kernels.next() {
            self.loader.out.push(fault::two_laws(&second.key, entry.key.span, self.owner));
            return None;
        }
        let width = self.positive(entry)?;
        let kernel = match &*entry.key.text {
            "gaussian" => DistanceKernel::Gaussian(width),
            "exponential" => DistanceKernel::Exponential(width),
            _ => DistanceKernel::Box(width),
        };
        let (space, length) = self.loader.space(entries, &["p"], self.owner)?;
        Some(Distance { space, length, kernel, p: self.probability("p", Some(1.0))? })
    }
}
