//! Pairs that are connected independently of each other.

use super::super::draw::{Draws, Stream};
use super::place::Places;
use super::{End, Ends, Graph, rows};
use crate::template::connectivity::{Block, Distance};

/// Every pair.
pub(super) fn all(ends: Ends, autapses: bool) -> Graph {
    rows((End::Target, ends.targets, ends.sources), ends.sources as f64, |i, units| {
        units.extend((0..ends.sources as u32).filter(|j| autapses || *j != i));
    })
}

/// Each pair with the same probability.
pub(super) fn random(ends: Ends, autapses: bool, p: f64, stream: Stream) -> Graph {
    let (sources, targets) = (ends.sources, ends.targets);
    let skip = Skip::new(p);
    rows((End::Source, sources, targets), targets as f64 * p, |j, units| {
        let mut draws = stream.element(j);
        skip.run(&mut draws, 0..targets as u64, |i, _| {
            if autapses || i != u64::from(j) {
                units.push(i as u32);
            }
        });
    })
}

/// Independent events of probability `p`, met by drawing the gaps between them, which have a geometric law
/// (V. Batagelj, U. Brandes, Phys. Rev. E 71, 036113, 2005).
struct Skip {
    p: f64,
    /// `1/ln(1 - p)`
    scale: f64,
}

impl Skip {
    fn new(p: f64) -> Skip {
        Skip { p, scale: 1.0 / libm::log1p(-p) }
    }

    /// Calls `event` with every place of a range at which an event happens.
    fn run(&self, draws: &mut Draws, range: std::ops::Range<u64>, mut event: impl FnMut(u64, &mut Draws)) {
        if self.p <= 0.0 {
            return;
        }
        let mut at = range.start;
        while at < range.end {
            if self.p < 1.0 {
                let gap = libm::floor(libm::log(draws.positive()) * self.scale);
                // A gap may be longer than any range.
                at = at.saturating_add(gap as u64);
                if at >= range.end {
                    return;
                }
            }
            event(at, draws);
            at += 1;
        }
    }
}

/// Each pair with a probability by the blocks of its units.
pub(super) fn block(ends: Ends, autapses: bool, block: &Block, stream: Stream) -> Graph {
    let bounds = |sizes: &Option<std::sync::Arc<[u32]>>, units: usize, blocks: usize| -> Vec<u64> {
        let size = |b: usize| sizes.as_ref().map_or((units / blocks) as u64, |s| u64::from(s[b]));
        let mut sum = 0;
        std::iter::once(0)
            .chain((0..blocks).map(|b| {
                sum += size(b);
                sum
            }))
            .collect()
    };
    let targets = bounds(&block.targets, ends.targets, block.p.rows);
    let sources = bounds(&block.sources, ends.sources, block.p.columns);
    let skips: Vec<Skip> = block.p.data.iter().map(|p| Skip::new(*p)).collect();
    let mean = block.p.data.iter().sum::<f64>() / block.p.data.len() as f64;
    rows((End::Source, ends.sources, ends.targets), mean * ends.targets as f64, |j, units| {
        let mut draws = stream.element(j);
        let column = sources.partition_point(|start| *start <= u64::from(j)) - 1;
        for (row, range) in targets.windows(2).enumerate() {
            let skip = &skips[row * block.p.columns + column];
            skip.run(&mut draws, range[0]..range[1], |i, _| {
                if autapses || i != u64::from(j) {
                    units.push(i as u32);
                }
            });
        }
    })
}

/// Each pair with a probability by the distance of its units: candidates at the largest probability, of which as many are
/// kept as the kernel says.
pub(super) fn distance(ends: Ends, autapses: bool, distance: &Distance, stream: Stream) -> Graph {
    let skip = Skip::new(distance.p);
    let place = Places::new(ends, distance.space, distance.length);
    rows((End::Source, ends.sources, ends.targets), 0.0, |j, units| {
        let mut draws = stream.element(j);
        skip.run(&mut draws, 0..ends.targets as u64, |i, draws| {
            let kept = draws.unit() < distance.kernel.at(place.between(j, i as u32));
            if kept && (autapses || i != u64::from(j)) {
                units.push(i as u32);
            }
        });
    })
}
