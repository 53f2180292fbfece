//! Connectivity: which units of two populations an edge connects.

mod conv2d;
mod read;

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

pub use conv2d::{Conv2d, Kernel, Padding};

/// Which units of two populations are connected.
#[derive(Clone, PartialEq, Debug)]
pub struct Connectivity {
    /// The rule.
    pub rule: Rule,
    /// Whether a unit may be connected to itself, within one population. Not given: yes, except for neighbours on a ring
    /// or line and small worlds.
    pub autapses: Option<bool>,
    /// Whether a pair may be connected several times. Not given: yes where numbers are fixed, as in NEST.
    pub multapses: Option<bool>,
    /// A seed in place of the circuit's.
    pub seed: Option<u64>,
}

/// The kinds of connectivity. Units are numbered from 0.
#[derive(Clone, PartialEq, Debug)]
pub enum Rule {
    /// Every source to every target.
    AllToAll,
    /// Source `i` to target `i`.
    OneToOne,
    /// Each pair with probability `p`, independently.
    Random {
        /// Probability of a connection.
        p: f64,
    },
    /// Every target from `k` sources.
    FixedIndegree {
        /// Connections of each target.
        k: u32,
    },
    /// Every source to `k` targets.
    FixedOutdegree {
        /// Connections of each source.
        k: u32,
    },
    /// `n` connections in all.
    FixedTotal {
        /// Number of connections.
        n: u32,
    },
    /// Each pair with a probability that falls with the distance of its units.
    Distance(Distance),
    /// Each pair with a probability that depends on the blocks of its units.
    Block(Block),
    /// The nearest units on a ring, up to `reach` steps to both sides.
    Circular {
        /// Farthest neighbour.
        reach: u32,
    },
    /// The nearest units on a line, up to `reach` steps to both sides.
    Line {
        /// Farthest neighbour.
        reach: u32,
    },
    /// A ring in which every target has its `k` nearest sources, each replaced by a random one with probability `p`.
    SmallWorld {
        /// Connections of each target; even.
        k: u32,
        /// Probability of a replacement.
        p: f64,
    },
    /// A kernel of weights that slides over a grid.
    Conv2d(Conv2d),
    /// The pairs of a list.
    Pairs(Pairs),
    /// The entries of a matrix `[target][source]` that are not 0.
    Mask(Table),
}

impl Rule {
    /// Its name in a file.
    pub fn name(&self) -> &'static str {
        match self {
            Rule::AllToAll => "all_to_all",
            Rule::OneToOne => "one_to_one",
            Rule::Random { .. } => "random",
            Rule::FixedIndegree { .. } => "fixed_indegree",
            Rule::FixedOutdegree { .. } => "fixed_outdegree",
            Rule::FixedTotal { .. } => "fixed_total",
            Rule::Distance(_) => "distance",
            Rule::Block(_) => "block",
            Rule::Circular { .. } => "circular",
            Rule::Line { .. } => "line",
            Rule::SmallWorld { .. } => "small_world",
            Rule::Conv2d(_) => "conv2d",
            Rule::Pairs(_) => "pairs",
            Rule::Mask(_) => "mask",
        }
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())?;
        match self {
            Rule::AllToAll | Rule::OneToOne => Ok(()),
            Rule::Random { p } => write!(f, "(p = {p})"),
            Rule::FixedIndegree { k } | Rule::FixedOutdegree { k } => write!(f, "(k = {k})"),
            Rule::FixedTotal { n } => write!(f, "(n = {n})"),
            Rule::Distance(Distance { space, length, kernel, p }) => {
                let (kernel, width) = kernel.written();
                write!(f, "({space:?}, length = {length}, {kernel} = {width}, p = {p})")
            }
            Rule::Block(block) => write!(f, "({} x {})", block.p.rows, block.p.columns),
            Rule::Circular { reach } | Rule::Line { reach } => write!(f, "(reach = {reach})"),
            Rule::SmallWorld { k, p } => write!(f, "(k = {k}, p = {p})"),
            Rule::Conv2d(Conv2d { size: [rows, columns], channels: [from, to], .. }) => {
                write!(f, "({rows} x {columns}")?;
                if (*from, *to) == (1, 1) { write!(f, ")") } else { write!(f, ", {from} to {to} channels)") }
            }
            Rule::Pairs(pairs) => write!(f, "({})", pairs.sources.len()),
            Rule::Mask(mask) => write!(f, "({} x {})", mask.rows, mask.columns),
        }
    }
}

/// Probabilities by distance: `p` times a kernel.
#[derive(Clone, PartialEq, Debug)]
pub struct Distance {
    /// Where units are.
    pub space: Space,
    /// Extent of the line, circumference of the ring, width of the grid.
    pub length: f64,
    /// The kernel, 1 at distance 0.
    pub kernel: DistanceKernel,
    /// Probability at distance 0.
    pub p: f64,
}

/// How the units of a population are placed; evenly.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Space {
    /// On a line, unit `i` of `n` at `(i + 1/2)/n` of its length.
    Line,
    /// On a ring, with the distance along the shorter arc.
    Ring,
    /// On a square grid, row by row.
    Grid {
        /// Whether its opposite sides are joined.
        torus: bool,
    },
}

/// How probability falls with the distance `d`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum DistanceKernel {
    /// `exp(-d^2/(2 sigma^2))`
    Gaussian(f64),
    /// `exp(-d/lambda)`
    Exponential(f64),
    /// 1 up to this distance, 0 beyond.
    Box(f64),
}

impl DistanceKernel {
    /// Its name and width.
    pub fn written(self) -> (&'static str, f64) {
        match self {
            DistanceKernel::Gaussian(sigma) => ("gaussian", sigma),
            DistanceKernel::Exponential(lambda) => ("exponential", lambda),
            DistanceKernel::Box(radius) => ("box", radius),
        }
    }

    /// Its value at a distance.
    pub fn at(self, d: f64) -> f64 {
        match self {
            DistanceKernel::Gaussian(sigma) => libm::exp(-(d / sigma) * (d / sigma) / 2.0),
            DistanceKernel::Exponential(lambda) => libm::exp(-d / lambda),
            DistanceKernel::Box(radius) => f64::from(u8::from(d <= radius)),
        }
    }
}

/// Probabilities between blocks of neighbouring units.
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// Probabilities `[target block][source block]`.
    pub p: Table,
    /// Units of each block of targets; equal blocks when not given.
    pub targets: Option<Arc<[u32]>>,
    /// Units of each block of sources; equal blocks when not given.
    pub sources: Option<Arc<[u32]>>,
}

/// A matrix of numbers, shared.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// `rows * columns` numbers, row by row.
    pub data: Arc<[f64]>,
}

/// Connections one by one.
#[derive(Clone, PartialEq, Debug)]
pub struct Pairs {
    /// Source of each.
    pub sources: Arc<[u32]>,
    /// Target of each.
    pub targets: Arc<[u32]>,
    /// Weight of each, which the weight of the edge multiplies.
    pub weights: Option<Arc<[f64]>>,
    /// Delay of each, in time units.
    pub delays: Option<Arc<[f64]>>,
}

impl Connectivity {
    /// A rule with its defaults.
    pub fn new(rule: Rule) -> Connectivity {
        Connectivity { rule, autapses: None, multapses: None, seed: None }
    }

    /// Source `i` to target `i`.
    pub fn one_to_one() -> Connectivity {
        Connectivity::new(Rule::OneToOne)
    }

    /// Every source to every target.
    pub fn all_to_all() -> Connectivity {
        Connectivity::new(Rule::AllToAll)
    }

    /// Each pair with probability `p`.
    pub fn random(p: f64) -> Connectivity {
        Connectivity::new(Rule::Random { p })
    }

    /// Every target from `k` sources.
    pub fn fixed_indegree(k: u32) -> Connectivity {
        Connectivity::new(Rule::FixedIndegree { k })
    }

    /// Every source to `k` targets.
    pub fn fixed_outdegree(k: u32) -> Connectivity {
        Connectivity::new(Rule::FixedOutdegree { k })
    }

    /// `n` connections in all.
    pub fn fixed_total(n: u32) -> Connectivity {
        Connectivity::new(Rule::FixedTotal { n })
    }

    /// These pairs of source and target units.
    pub fn pairs(sources: impl Into<Arc<[u32]>>, targets: impl Into<Arc<[u32]>>) -> Connectivity {
        let (sources, targets) = (sources.into(), targets.into());
        Connectivity::new(Rule::Pairs(Pairs { sources, targets, weights: None, delays: None }))
    }

    /// Says whether a unit may be connected to itself.
    pub fn autapses(self, allowed: bool) -> Connectivity {
        Connectivity { autapses: Some(allowed), ..self }
    }

    /// Says whether a pair may be connected several times.
    pub fn multapses(self, allowed: bool) -> Connectivity {
        Connectivity { multapses: Some(allowed), ..self }
    }

    /// Uses a seed of its own in place of the circuit's.
    pub fn seed(self, seed: u64) -> Connectivity {
        Connectivity { seed: Some(seed), ..self }
    }

    /// Whether a unit of a population may be connected to itself.
    pub fn allows_autapses(&self) -> bool {
        let near = matches!(self.rule, Rule::Circular { .. } | Rule::Line { .. } | Rule::SmallWorld { .. });
        self.autapses.unwrap_or(!near)
    }

    /// Whether a pair may be connected several times.
    pub fn allows_multapses(&self) -> bool {
        self.multapses.unwrap_or(true)
    }
}
