//! Deliveries: only sources that spike are looked at, and every target gets its sums in one order.
//!
//! Targets are cut into tiles, one block each, and the entries of a fanout are kept by tile and source, those of one target
//! next to each other. The threads of a block mark the spiking sources among [`GROUP`] at a time in a bit mask, then go
//! through its bits in ascending order. The entries of a source fall to all threads, those of one target to one thread,
//! and sources wait for each other. So sums do not depend on the order in which threads run, and nothing is atomic but
//! the setting of bits.

use nullcline_runtime::code::Data;

use super::body::Source;
use super::code::{Class, Code, GROUP};
use super::gather::{Constants, Part};
use crate::ir::system::{Fanout, Values};
use crate::kernel::ir::BufferId;

/// Blocks that a large population is cut into: about as many as a large processor has multiprocessors.
const TILES: usize = 128;

/// Targets of a tile: at least a few per thread of a warp, and at most so many that tiles stay few.
const TILE: std::ops::RangeInclusive<usize> = 64..=4096;

/// How a fanout is cut.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Tiling {
    /// Targets of a tile.
    pub targets: usize,
    /// Sources of a tile: all, or as many for each tile, if every tile has entries from its own only.
    pub sources: usize,
}

impl Tiling {
    /// Tiles for blocks that look at all sources.
    pub fn new(targets: usize, sources: usize) -> Tiling {
        let tile = targets.div_ceil(TILES).next_multiple_of(64).clamp(*TILE.start(), *TILE.end());
        Tiling { targets: tile, sources }
    }

    /// Number of tiles that so many targets are in.
    pub fn tiles(self, targets: usize) -> usize {
        targets.div_ceil(self.targets).max(1)
    }
}

/// What a delivery reads and writes.
#[derive(Clone, Copy)]
pub(super) struct Delivery {
    /// Index of the fanout.
    pub fanout: usize,
    pub spikes: BufferId,
    pub factor: Option<BufferId>,
    pub target: BufferId,
}

/// The entries of a fanout by tile and source.
struct Tiled {
    starts: Vec<u32>,
    /// For each new entry the old one.
    order: Vec<u32>,
}

impl Tiled {
    fn new(fanout: &Fanout, targets: usize, tiling: Tiling) -> Tiled {
        let sources = fanout.starts.len() - 1;
        let row = |source: usize| fanout.starts[source]..fanout.starts[source + 1];
        // Tile by tile, and in a tile by source, counted from its first.
        let cell = |source: usize, entry: u32| {
            let tile = fanout.targets[entry as usize] as usize / tiling.targets;
            let first = if tiling.sources < sources { tile * tiling.sources } else { 0 };
            tile * tiling.sources + source - first
        };
        let mut counts = vec![0u32; tiling.tiles(targets) * tiling.sources + 1];
        for source in 0..sources {
            row(source).for_each(|e| counts[cell(source, e) + 1] += 1);
        }
        for at in 1..counts.len() {
            counts[at] += counts[at - 1];
        }
        let starts = counts.clone();
        let mut order = vec![0u32; fanout.targets.len()];
        for source in 0..sources {
            for entry in row(source) {
                let cell = cell(source, entry);
                order[counts[cell] as usize] = entry;
                counts[cell] += 1;
            }
        }
        // Entries of one target side by side, in their order.
        for cell in starts.windows(2) {
            order[cell[0] as usize..cell[1] as usize].sort_by_key(|e| fanout.targets[*e as usize]);
        }
        Tiled { starts, order }
    }
}

/// Writes a delivery to the targets of a tile. All threads of the block must get here.
pub(super) fn deliver(
    code: &mut Code,
    source: &Source<'_>,
    constants: &mut Constants,
    tile_index: &str,
    (delivery, tiling): (Delivery, Tiling),
) {
    let fanout = &source.module.fanouts[delivery.fanout];
    let sources = fanout.starts.len() - 1;
    if fanout.targets.is_empty() {
        return;
    }
    let writer = Writer::new(code, source, constants, fanout, (delivery, tiling));
    code.comment(&format!("{}: {} entries, {sources} sources", fanout.name, fanout.targets.len()));
    let size = source.float.size();
    let lane = code.set(Class::Bits32, "mov.u32", &["%tid.x"]);
    let words = GROUP / 32;
    let mask = code.shared(4 * words);
    let own_word = {
        let word = code.set(Class::Bits32, "shr.u32", &[&lane, "5"]);
        code.element(&mask, &word, 4)
    };
    let own_bit = {
        let place = code.set(Class::Bits32, "and.b32", &[&lane, "31"]);
        code.set(Class::Bits32, "shl.b32", &["1", &place])
    };
    let first_of_tile = code.set(Class::Bits32, "mul.lo.u32", &[tile_index, &tiling.sources.to_string()]);
    let spikes = source.pointer(code, delivery.spikes, false);
    let base = code.set(Class::Bits32, "mov.u32", &["0"]);
    // Sources are counted from the first of the tile on; the last tile may have fewer.
    let own = tiling.sources < sources;
    let end = match own {
        false => sources.to_string(),
        true => {
            let rest = code.set(Class::Bits32, "sub.u32", &[&sources.to_string(), &first_of_tile]);
            code.set(Class::Bits32, "min.u32", &[&rest, &tiling.sources.to_string()])
        }
    };
    let (next, over) = (code.label("sources"), code.label("delivered"));
    code.place(&next);

    // Which of the next sources spike.
    let (cleared, marked) = (code.label("cleared"), code.label("marked"));
    let not_mine = code.set(Class::Predicate, "setp.ge.u32", &[&lane, &words.to_string()]);
    code.branch(Some(&not_mine), &cleared);
    let word = code.element(&mask, &lane, 4);
    code.op("st.shared.u32", &[&format!("[{word}]"), "0"]);
    code.place(&cleared);
    code.barrier();
    let unit = code.set(Class::Bits32, "add.u32", &[&base, &lane]);
    let outside = code.set(Class::Predicate, "setp.ge.u32", &[&unit, &end]);
    code.branch(Some(&outside), &marked);
    let unit = if own { code.set(Class::Bits32, "add.u32", &[&unit, &first_of_tile]) } else { unit };
    let address = code.element(&spikes, &unit, size);
    let flag = source.load(code, &address);
    code.remark(source.name(delivery.spikes));
    let still = code.set(
        Class::Predicate,
        &format!("setp.eq.f{}", source.float.width()),
        &[&flag, &source.float.immediate(0.0)],
    );
    code.branch(Some(&still), &marked);
    code.op("red.shared.or.b32", &[&format!("[{own_word}]"), &own_bit]);
    code.place(&marked);
    code.barrier();

    // Through the bits, lowest first.
    let word = code.set(Class::Bits32, "mov.u32", &["0"]);
    let (next_word, next_bit, no_bits) = (code.label("word"), code.label("bit"), code.label("no_bits"));
    code.place(&next_word);
    let address = code.element(&mask, &word, 4);
    let left = code.set(Class::Bits32, "ld.shared.u32", &[&format!("[{address}]")]);
    code.place(&next_bit);
    let none = code.set(Class::Predicate, "setp.eq.u32", &[&left, "0"]);
    code.branch(Some(&none), &no_bits);
    let mirrored = code.set(Class::Bits32, "brev.b32", &[&left]);
    let bit = code.set(Class::Bits32, "clz.b32", &[&mirrored]);
    let below = code.set(Class::Bits32, "sub.u32", &[&left, "1"]);
    code.op("and.b32", &[&left, &left, &below]);
    let unit = code.set(Class::Bits32, "mad.lo.u32", &[&word, "32", &bit]);
    let unit = code.set(Class::Bits32, "add.u32", &[&unit, &base]);
    let cell = code.set(Class::Bits32, "add.u32", &[&first_of_tile, &unit]);
    let unit = if own { cell.clone() } else { unit };
    writer.source(code, (&lane, &unit, &cell));
    code.barrier();
    code.branch(None, &next_bit);
    code.place(&no_bits);
    code.op("add.u32", &[&word, &word, "1"]);
    let more = code.set(Class::Predicate, "setp.lt.u32", &[&word, &words.to_string()]);
    code.branch(Some(&more), &next_word);

    code.op("add.u32", &[&base, &base, &GROUP.to_string()]);
    let more = code.set(Class::Predicate, "setp.lt.u32", &[&base, &end]);
    // Nobody may clear the mask while others read it.
    code.barrier();
    code.branch(Some(&more), &next);
    code.place(&over);
}

/// Adds the entries of one source.
struct Writer<'a> {
    source: &'a Source<'a>,
    starts: String,
    entries: String,
    /// Address of the weights, or the weight of all.
    weights: Result<String, String>,
    factor: Option<(BufferId, String)>,
    target: String,
}

impl<'a> Writer<'a> {
    fn new(
        code: &mut Code,
        source: &'a Source<'a>,
        constants: &mut Constants,
        fanout: &Fanout,
        (delivery, tiling): (Delivery, Tiling),
    ) -> Writer<'a> {
        let (index, targets) = (delivery.fanout, source.module.buffers[delivery.target.index()].len);
        let known = constants.knows(Part::FanoutStarts(index, tiling));
        let tiled = if known { None } else { Some(Tiled::new(fanout, targets, tiling)) };
        let data = |list: Vec<u32>| Data::Integers(list.into());
        let made = || tiled.as_ref().expect("it was made for the first entry that asks for it");
        let starts = constants.pointer(code, Part::FanoutStarts(index, tiling), &format!("starts f{index}"), || {
            data(made().starts.clone())
        });
        let entries = constants.pointer(code, Part::FanoutTargets(index, tiling), &format!("targets f{index}"), || {
            data(made().order.iter().map(|e| fanout.targets[*e as usize]).collect())
        });
        let weights = match &fanout.weights {
            Values::Uniform(weight) => Err(source.float.immediate(*weight)),
            Values::Each(each) => {
                Ok(constants.pointer(code, Part::FanoutWeights(index, tiling), &format!("weights f{index}"), || {
                    Data::Numbers(made().order.iter().map(|e| each[*e as usize]).collect())
                }))
            }
        };
        let factor = delivery.factor.map(|buffer| (buffer, source.pointer(code, buffer, false)));
        let target = source.pointer(code, delivery.target, true);
        Writer { source, starts, entries, weights, factor, target }
    }

    fn integer(code: &mut Code, base: &str, index: &str) -> String {
        let place = code.element(base, index, 4);
        code.set(Class::Bits32, "ld.global.nc.u32", &[&format!("[{place}]")])
    }

    /// Writes the loop over the entries of a source in a tile; each thread takes every [`GROUP`]th.
    fn source(&self, code: &mut Code, (lane, unit, cell): (&str, &str, &str)) {
        let size = self.source.float.size();
        let place = code.element(&self.starts, cell, 4);
        let start = code.set(Class::Bits32, "ld.global.nc.u32", &[&format!("[{place}]")]);
        let end = code.set(Class::Bits32, "ld.global.nc.u32", &[&format!("[{place}+4]")]);
        let factor = self.factor.as_ref().map(|(buffer, base)| {
            let address = code.element(base, unit, size);
            let factor = self.source.load(code, &address);
            code.remark(self.source.name(*buffer));
            factor
        });
        let first = code.set(Class::Bits32, "add.u32", &[&start, lane]);
        let (next, skip, over) = (code.label("entry"), code.label("not_first"), code.label("no_entries"));
        code.place(&next);
        let outside = code.set(Class::Predicate, "setp.ge.u32", &[&first, &end]);
        code.branch(Some(&outside), &over);
        let target = Self::integer(code, &self.entries, &first);
        // The first entry of a target brings the others along.
        let alone = code.label("first_of_target");
        let leads = code.set(Class::Predicate, "setp.eq.u32", &[&first, &start]);
        code.branch(Some(&leads), &alone);
        let before = code.set(Class::Bits32, "sub.u32", &[&first, "1"]);
        let other = Self::integer(code, &self.entries, &before);
        let follows = code.set(Class::Predicate, "setp.eq.u32", &[&other, &target]);
        code.branch(Some(&follows), &skip);
        code.place(&alone);
        self.target(code, (&first, &end, &target), factor.as_deref());
        code.place(&skip);
        code.op("add.u32", &[&first, &first, &GROUP.to_string()]);
        code.branch(None, &next);
        code.place(&over);
    }

    /// Adds the entries of one target, from one on.
    fn target(&self, code: &mut Code, (first, end, target): (&str, &str, &str), factor: Option<&str>) {
        let float = self.source.float;
        let (kind, plain) = (float.rounding(), format!("f{}", float.width()));
        let address = code.element(&self.target, target, float.size());
        let sum = self.source.load(code, &address);
        let entry = code.set(Class::Bits32, "mov.u32", &[first]);
        let (next, done) = (code.label("term"), code.label("added"));
        code.place(&next);
        let weight = match &self.weights {
            Err(weight) => weight.clone(),
            Ok(base) => {
                let place = code.element(base, &entry, float.size());
                code.set(float.class(), &format!("ld.global.nc.{plain}"), &[&format!("[{place}]")])
            }
        };
        match factor {
            Some(factor) => code.op(&format!("fma.rn.{kind}"), &[&sum, &weight, factor, &sum]),
            None => code.op(&format!("add.rn.{kind}"), &[&sum, &sum, &weight]),
        }
        code.op("add.u32", &[&entry, &entry, "1"]);
        let last = code.set(Class::Predicate, "setp.ge.u32", &[&entry, end]);
        code.branch(Some(&last), &done);
        let other = Self::integer(code, &self.entries, &entry);
        let same = code.set(Class::Predicate, "setp.eq.u32", &[&other, target]);
        code.branch(Some(&same), &next);
        code.place(&done);
        code.op(&self.source.access("st"), &[&format!("[{address}]"), &sum]);
    }
}
