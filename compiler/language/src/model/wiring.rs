//! Wiring: the connections that a connectivity makes between two populations.
//!
//! A graph is generated row by row in parallel; the random numbers of a row depend on its number and on nothing else, so
//! neither the number of threads nor anything else in the circuit changes it. Rows are units of the source or of the
//! target, as the rule has it; [`Graph::turned`] lists the same connections from the other end.

mod chance;
mod conv2d;
mod degree;
mod list;
mod near;
mod place;

pub(super) use list::order as order_of_pairs;
pub(super) use place::Places;

use std::sync::Arc;

use super::draw::Stream;
use super::threads;
use crate::diagnostic::{Result, model as fault, template as template_fault};
use crate::source::Span;
use crate::template::connectivity::{Block, Connectivity, Rule, Space};

/// Most connections of one edge: their numbers fit into 32 bits, and their memory into a few machines.
const MAX_SYNAPSES: f64 = (1u64 << 31) as f64;

/// A connectivity and where its random numbers come from.
#[derive(Clone, PartialEq, Debug)]
pub struct Wiring {
    /// Which units are connected.
    pub connectivity: Arc<Connectivity>,
    /// The random numbers of the edge.
    pub stream: Stream,
}

/// An end of an edge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Source,
    Target,
}

/// Connections by one of their ends: those of its unit `i` are `starts[i]..starts[i + 1]`.
pub(super) struct Graph {
    /// The end by which they are listed.
    pub end: End,
    /// First connection of each of its units, and the number of connections.
    pub starts: Arc<[u32]>,
    /// The unit at the other end of each connection.
    pub units: Arc<[u32]>,
    /// Number of units at the other end.
    pub others: usize,
    /// For connections from a list: their places in it. For those of a convolution: the places of their weights.
    pub order: Option<Vec<u32>>,
}

/// The populations that are connected.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Ends {
    /// Number of source units.
    pub sources: usize,
    /// Number of target units.
    pub targets: usize,
    /// Whether they are the same population, so that a unit may meet itself.
    pub same: bool,
}

impl Ends {
    fn count(&self, end: End) -> usize {
        match end {
            End::Source => self.sources,
            End::Target => self.targets,
        }
    }

    /// How many partners a unit has, by the end they are at.
    fn partners(&self, end: End, autapses: bool) -> u64 {
        (self.count(end) as u64).saturating_sub(u64::from(self.same && !autapses))
    }
}

impl Wiring {
    /// All connections.
    pub(super) fn graph(&self, ends: Ends) -> Graph {
        let connectivity = &*self.connectivity;
        let stream = self.stream.of("connectivity").reseeded(connectivity.seed);
        let autapses = connectivity.allows_autapses() || !ends.same;
        let multapses = connectivity.allows_multapses();
        match &connectivity.rule {
            Rule::AllToAll => chance::all(ends, autapses),
            Rule::OneToOne => near::one_to_one(ends, autapses),
            Rule::Random { p } => chance::random(ends, autapses, *p, stream),
            Rule::Distance(distance) => chance::distance(ends, autapses, distance, stream),
            Rule::Block(block) => chance::block(ends, autapses, block, stream),
            Rule::FixedIndegree { k } => degree::fixed(End::Target, ends, (autapses, multapses), *k, stream),
            Rule::FixedOutdegree { k } => degree::fixed(End::Source, ends, (autapses, multapses), *k, stream),
            Rule::FixedTotal { n } => degree::total(ends, (autapses, multapses), *n, stream),
            Rule::Circular { reach } => near::neighbours(ends, autapses, *reach, true),
            Rule::Line { reach } => near::neighbours(ends, autapses, *reach, false),
            Rule::SmallWorld { k, p } => near::small_world(ends, autapses, *k, *p, stream),
            Rule::Conv2d(conv2d) => conv2d::connections(ends, autapses, conv2d.window(ends.sources)),
            Rule::Pairs(pairs) => list::pairs(ends, pairs),
            Rule::Mask(mask) => list::mask(ends, autapses, mask),
        }
    }
}

/// Checks that a connectivity can be between populations of these sizes.
pub(super) fn check(connectivity: &Connectivity, ends: Ends, span: Span) -> Result<()> {
    let autapses = connectivity.allows_autapses() || !ends.same;
    let (sources, targets) = (ends.sources, ends.targets);
    let pairs = sources as f64 * targets as f64;
    let distinct = |kind: &str, wanted: u64, partners: u64, multapses: bool| -> Result<()> {
        if partners >= wanted || (multapses && partners > 0) || wanted == 0 {
            return Ok(());
        }
        Err(fault::too_few_partners(span, kind, wanted, partners).into())
    };
    let equal = |kind: &str| -> Result<()> {
        if sources == targets { Ok(()) } else { Err(fault::sizes_differ(span, kind, sources, targets).into()) }
    };
    let multapses = connectivity.allows_multapses();
    let expected = match &connectivity.rule {
        Rule::AllToAll => pairs,
        Rule::OneToOne => {
            equal("one_to_one")?;
            sources as f64
        }
        Rule::Random { p } => pairs * p,
        Rule::FixedIndegree { k } => {
            distinct("fixed_indegree", u64::from(*k), ends.partners(End::Source, autapses), multapses)?;
            targets as f64 * f64::from(*k)
        }
        Rule::FixedOutdegree { k } => {
            distinct("fixed_outdegree", u64::from(*k), ends.partners(End::Target, autapses), multapses)?;
            sources as f64 * f64::from(*k)
        }
        Rule::FixedTotal { n } => {
            let partners = targets as u64 * ends.partners(End::Source, autapses);
            distinct("fixed_total", u64::from(*n), partners, multapses)?;
            f64::from(*n)
        }
        Rule::Distance(distance) => {
            check_space(distance.space, ends, span)?;
            pairs * distance.p
        }
        Rule::Block(block) => {
            blocks_fit(block, ends, span)?;
            pairs
        }
        Rule::Circular { reach } | Rule::Line { reach } => {
            let kind = if matches!(connectivity.rule, Rule::Line { .. }) { "line" } else { "circular" };
            equal(kind)?;
            targets as f64 * (2.0 * f64::from(*reach) + 1.0).min(sources as f64)
        }
        Rule::SmallWorld { k, .. } => {
            equal("small_world")?;
            distinct("small_world", u64::from(*k), ends.partners(End::Source, false), false)?;
            targets as f64 * f64::from(*k)
        }
        Rule::Conv2d(conv2d) => conv2d::check(conv2d, connectivity, ends, span)?,
        Rule::Pairs(pairs) => {
            list::check_pairs(pairs, connectivity, ends, span)?;
            pairs.sources.len() as f64
        }
        Rule::Mask(mask) => {
            if (mask.rows, mask.columns) != (targets, sources) {
                let found = format!("{} x {}", mask.rows, mask.columns);
                return Err(fault::matrix_does_not_fit(span, "mask", &found, targets, sources).into());
            }
            pairs
        }
    };
    if expected > MAX_SYNAPSES {
        return Err(template_fault::too_many_synapses(span, expected, MAX_SYNAPSES).into());
    }
    Ok(())
}

/// Checks that populations of these sizes have places in a space.
pub(super) fn check_space(space: Space, ends: Ends, span: Span) -> Result<()> {
    let wrong = [ends.sources, ends.targets].into_iter().find(|units| place::side(*units).is_none());
    match (space, wrong) {
        (Space::Grid { .. }, Some(units)) => Err(fault::not_a_square(span, units).into()),
        _ => Ok(()),
    }
}

fn blocks_fit(block: &Block, ends: Ends, span: Span) -> Result<()> {
    let sides = [
        ("targets", &block.targets, ends.targets, block.p.rows),
        ("sources", &block.sources, ends.sources, block.p.columns),
    ];
    for (end, sizes, units, blocks) in sides {
        let sum = match sizes {
            Some(sizes) => sizes.iter().map(|n| u64::from(*n)).sum(),
            None if units % blocks == 0 => units as u64,
            None => 0,
        };
        if sum != units as u64 {
            return Err(fault::blocks_do_not_fit(span, end, sum, units, blocks).into());
        }
    }
    Ok(())
}

/// Rows that are generated one after the other by one thread: enough work for it, and enough such parts for all.
const ROWS_OF_A_PART: usize = 64;

/// Generates the rows `0..count`: `row` appends the units of a row. `expected` is about how long a row will be.
pub(super) fn rows(
    (end, count, others): (End, usize, usize),
    expected: f64,
    row: impl Fn(u32, &mut Vec<u32>) + Sync,
) -> Graph {
    let first: Vec<usize> = (0..count).step_by(ROWS_OF_A_PART).collect();
    let part = |first: &usize| {
        let rows = *first..(first + ROWS_OF_A_PART).min(count);
        // Six standard deviations of a sum of rare events: hardly ever too small.
        let mean = expected * rows.len() as f64;
        let mut units = Vec::with_capacity((mean + 6.0 * mean.sqrt()) as usize + 1);
        let mut ends = Vec::with_capacity(rows.len());
        for i in rows {
            row(i as u32, &mut units);
            ends.push(units.len() as u32);
        }
        (ends, units)
    };
    let parts: Vec<(Vec<u32>, Vec<u32>)> = threads::each(first.len(), |i| part(&first[i]));
    let mut starts = Vec::with_capacity(count + 1);
    let mut total = 0u32;
    starts.push(0);
    for (ends, units) in &parts {
        starts.extend(ends.iter().map(|e| total + e));
        total += units.len() as u32;
    }
    let mut units = zeros(total as usize);
    let mut rest = Arc::get_mut(&mut units).expect("just made, so not shared yet");
    let mut places = Vec::with_capacity(parts.len());
    for (_, part) in &parts {
        let (place, after) = rest.split_at_mut(part.len());
        places.push(place);
        rest = after;
    }
    // A part is freed as soon as it is copied.
    threads::take(parts.into_iter().zip(places).collect(), |((_, part), place)| place.copy_from_slice(&part));
    Graph { end, starts: starts.into(), units, others, order: None }
}

/// A shared array that is written once while nobody else has it.
fn zeros(count: usize) -> Arc<[u32]> {
    std::iter::repeat_n(0, count).collect()
}

impl Graph {
    /// The same connections from the other end; those of a unit in ascending order of the units at this end. The second
    /// part says for each new place the old one, if that is asked for.
    pub fn turned(&self, with_places: bool) -> (Graph, Option<Vec<u32>>) {
        let mut next = vec![0u32; self.others + 1];
        for unit in self.units.iter() {
            next[*unit as usize + 1] += 1;
        }
        for i in 0..self.others {
            next[i + 1] += next[i];
        }
        let starts: Arc<[u32]> = next.as_slice().into();
        let mut units = zeros(self.units.len());
        let new = Arc::get_mut(&mut units).expect("just made, so not shared yet");
        let mut places = with_places.then(|| vec![0u32; self.units.len()]);
        for (i, row) in self.starts.windows(2).enumerate() {
            for e in row[0]..row[1] {
                let at = &mut next[self.units[e as usize] as usize];
                new[*at as usize] = i as u32;
                if let Some(places) = &mut places {
                    places[*at as usize] = e;
                }
                *at += 1;
            }
        }
        let end = match self.end {
            End::Source => End::Target,
            End::Target => End::Source,
        };
        let others = self.starts.len() - 1;
        (Graph { end, starts, units, others, order: None }, places)
    }
}
