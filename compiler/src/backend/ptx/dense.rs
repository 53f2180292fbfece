//! Products of dense matrices with vectors. They take as long as it takes to read the matrix, so what counts is how much of
//! it is on its way at a time.
//!
//! A block has [`TILE`] targets, whose weights lie together, source after source. All its threads fetch the weights of
//! [`ROUND`] sources at a time, neighbours next to each other, and hand them to the first warp through shared memory with
//! the part of the vector that goes with them; while that adds the terms, the weights of the next round are on their way. Each
//! target has one thread that adds all its terms in the order of the sources, so sums are those of every other engine.
//!
//! With N targets `4 TILE ROUND (N / TILE) = 512 N` bytes are under way in single precision: 5 MB for N = 10,000, in 313
//! blocks. A processor with 4.8 TB/s and some 600 ns between a load and its arrival needs 2.9 MB (Little's law) to be busy.
//! The terms of a round are 128 dependent multiply-adds, about 512 cycles, in which a multiprocessor can be given some 11 kB;
//! it has two or three blocks, each with 16 kB on their way: adding is hidden behind loading.

use nullcline_runtime::code::Data;

use super::body::Source;
use super::code::{Class, Code, GROUP};
use super::gather::{Constants, Part, Sum};
use crate::ir::system::{Connection, Values};
use crate::kernel::ir::BufferId;

/// Targets of a block: a warp.
const TILE: usize = 32;

/// Sources of a round.
const ROUND: usize = 128;

/// Terms added between two tests for the end of a round.
const UNROLL: usize = 16;

/// Weights of a round that a thread fetches.
const EACH: usize = TILE * ROUND / GROUP as usize;

/// Whether every target has every source, in order: then entries need no indices.
fn is_dense(connection: &Connection, sources: usize) -> bool {
    let full = connection.starts.windows(2).all(|pair| (pair[1] - pair[0]) as usize == sources);
    full && sources > 1 && connection.sources.iter().enumerate().all(|(e, s)| *s as usize == e % sources)
}

/// Whether a connection from so many elements is kept in tiles.
pub(super) fn tiles(connection: &Connection, sources: usize) -> bool {
    sources >= ROUND && is_dense(connection, sources)
}

/// Number of threads for so many targets.
pub(super) fn threads(targets: usize) -> usize {
    targets.div_ceil(TILE) * GROUP as usize
}

/// The weights tile by tile, in a tile source by source, with zeros for targets and sources that do not exist.
fn tiled(weights: &[f64], sources: usize) -> Vec<f64> {
    let targets = weights.len() / sources;
    let padded = sources.next_multiple_of(ROUND);
    let mut all = vec![0.0; targets.div_ceil(TILE) * TILE * padded];
    for target in 0..targets {
        let (tile, lane) = (target / TILE, target % TILE);
        for source in 0..sources {
            all[(tile * padded + source) * TILE + lane] = weights[target * sources + source];
        }
    }
    all
}

/// Writes the product. All threads of the block must get here.
pub(super) fn couple_dense(
    code: &mut Code,
    source: &Source<'_>,
    constants: &mut Constants,
    (index, from, to): (usize, BufferId, BufferId),
) {
    let connection = &source.module.connections[index];
    let size = source.float.size();
    let targets = connection.starts.len() - 1;
    let sources = connection.sources.len() / targets;
    let (b32, b64) = (Class::Bits32, Class::Bits64);
    let weights = match &connection.weights {
        Values::Uniform(_) => None,
        Values::Each(each) => {
            let name = format!("weights c{index}, tile by tile");
            let data = || Data::Numbers(tiled(each, sources));
            Some(constants.pointer(code, Part::Tiled(index), &name, data))
        }
    };
    let base = source.pointer(code, from, false);
    let values = code.shared(ROUND as u32 * size);
    let tile = weights.as_ref().map(|_| code.shared((TILE * ROUND) as u32 * size));
    code.comment(&format!("{}: {targets} by {sources} matrix", connection.name));
    let lane = code.set(b32, "mov.u32", &["%tid.x"]);
    let block = code.set(b32, "mov.u32", &["%ctaid.x"]);
    let own_value = code.element(&values, &lane, size);
    let own_weight = tile.as_ref().map(|tile| code.element(tile, &lane, size));
    let next_weight = weights.map(|weights| {
        let padded = sources.next_multiple_of(ROUND);
        let tile = code.element(&weights, &lane, size);
        let block = code.set(b64, "cvt.u64.u32", &[&block]);
        let stride = (padded * TILE) as u64 * u64::from(size);
        code.set(b64, "mad.lo.u64", &[&block, &stride.to_string(), &tile])
    });
    let helps = code.set(Class::Predicate, "setp.ge.u32", &[&lane, &TILE.to_string()]);
    let sum = Sum::new(code, source);
    let mut fetch = Fetch { source, base, lane: lane.clone(), next_weight, held: Vec::new(), value: String::new() };
    let product =
        Product { source, weights: &connection.weights, sum, values, tile, own_value, own_weight, helps, lane: &lane };
    let rounds = sources.div_ceil(ROUND);
    let last = sources - (rounds - 1) * ROUND;
    let first = code.set(b32, "mov.u32", &["0"]);
    fetch.registers(code);
    if rounds == 1 {
        fetch.write(code, (&first, last));
        product.share(code, &fetch);
        product.add(code, last);
    } else {
        fetch.write(code, (&first, ROUND));
        let (again, over) = (code.label("round"), code.label("last_round"));
        code.place(&again);
        product.share(code, &fetch);
        code.op("add.u32", &[&first, &first, &ROUND.to_string()]);
        let ends = code.set(Class::Predicate, "setp.ge.u32", &[&first, &sources.to_string()]);
        code.branch(Some(&ends), &over);
        fetch.write(code, (&first, sources));
        product.add(code, ROUND);
        // Nobody may fill the tile anew while others read it.
        code.barrier();
        code.branch(None, &again);
        code.place(&over);
        product.add(code, last);
    }
    let skip = code.label("not_a_target");
    code.branch(Some(&product.helps), &skip);
    let target = code.set(b32, "mad.lo.u32", &[&block, &TILE.to_string(), &lane]);
    let outside = code.set(Class::Predicate, "setp.ge.u32", &[&target, &targets.to_string()]);
    code.branch(Some(&outside), &skip);
    product.sum.store(code, &target, to);
    code.place(&skip);
}

/// What a thread fetches of a round.
struct Fetch<'a> {
    source: &'a Source<'a>,
    base: String,
    lane: String,
    /// Address of its first weight of the next round.
    next_weight: Option<String>,
    /// Registers with its weights, and with its number of the vector.
    held: Vec<String>,
    value: String,
}

impl Fetch<'_> {
    fn registers(&mut self, code: &mut Code) {
        let class = self.source.float.class();
        self.held = self.next_weight.iter().flat_map(|_| 0..EACH).map(|_| code.register(class)).collect();
        self.value = code.register(class);
    }

    /// Begins to load a round: the numbers of the vector from `first` on, below `end`.
    fn write(&self, code: &mut Code, (first, end): (&str, usize)) {
        let (float, size) = (self.source.float, self.source.float.size());
        if let Some(address) = &self.next_weight {
            let load = self.source.access("ld").replace(".global", ".global.nc");
            for (at, register) in self.held.iter().enumerate() {
                code.op(&load, &[register, &format!("[{address}+{}]", at as u32 * GROUP * size)]);
            }
            code.op("add.u64", &[address, address, &((TILE * ROUND) as u32 * size).to_string()]);
        }
        let ready = code.label("value");
        let unit = code.set(Class::Bits32, "add.u32", &[first, &self.lane]);
        let none = code.set(Class::Predicate, "setp.ge.u32", &[&self.lane, &ROUND.to_string()]);
        code.op(&format!("mov.f{}", float.width()), &[&self.value, &float.immediate(0.0)]);
        code.branch(Some(&none), &ready);
        let outside = code.set(Class::Predicate, "setp.ge.u32", &[&unit, &end.to_string()]);
        code.branch(Some(&outside), &ready);
        let address = code.element(&self.base, &unit, size);
        code.op(&self.source.access("ld"), &[&self.value, &format!("[{address}]")]);
        code.place(&ready);
    }
}

/// The first warp's sums, and what is shared for them.
struct Product<'a> {
    source: &'a Source<'a>,
    weights: &'a Values,
    sum: Sum<'a>,
    values: String,
    tile: Option<String>,
    own_value: String,
    own_weight: Option<String>,
    /// Whether the thread has no target.
    helps: String,
    lane: &'a str,
}

impl Product<'_> {
    /// Puts what was fetched where the first warp finds it.
    fn share(&self, code: &mut Code, fetch: &Fetch<'_>) {
        let (float, size) = (self.source.float, self.source.float.size());
        let store = format!("st.shared.f{}", float.width());
        if let Some(own) = &self.own_weight {
            for (at, register) in fetch.held.iter().enumerate() {
                code.op(&store, &[&format!("[{own}+{}]", at as u32 * GROUP * size), register]);
            }
        }
        let shared = code.label("shared");
        let none = code.set(Class::Predicate, "setp.ge.u32", &[self.lane, &ROUND.to_string()]);
        code.branch(Some(&none), &shared);
        code.op(&store, &[&format!("[{}]", self.own_value), &fetch.value]);
        code.place(&shared);
        code.barrier();
    }

    /// Adds the terms of a round's first `count` sources.
    fn add(&self, code: &mut Code, count: usize) {
        let (size, done) = (self.source.float.size(), code.label("added"));
        code.branch(Some(&self.helps), &done);
        let value = code.set(Class::Bits64, "mov.u64", &[&self.values]);
        let weight = self.tile.as_ref().map(|tile| code.element(tile, self.lane, size));
        let blocks = count / UNROLL;
        if blocks > 0 {
            let next = code.label("terms");
            let left = code.set(Class::Bits32, "mov.u32", &[&blocks.to_string()]);
            code.place(&next);
            self.terms(code, (&value, weight.as_deref()), UNROLL);
            code.op("add.u64", &[&value, &value, &(UNROLL as u32 * size).to_string()]);
            if let Some(weight) = &weight {
                code.op("add.u64", &[weight, weight, &((UNROLL * TILE) as u32 * size).to_string()]);
            }
            code.op("sub.u32", &[&left, &left, "1"]);
            let more = code.set(Class::Predicate, "setp.ne.u32", &[&left, "0"]);
            code.branch(Some(&more), &next);
        }
        self.terms(code, (&value, weight.as_deref()), count % UNROLL);
        code.place(&done);
    }

    fn terms(&self, code: &mut Code, (value, weight): (&str, Option<&str>), count: usize) {
        let (float, size) = (self.source.float, self.source.float.size());
        let load = format!("ld.shared.f{}", float.width());
        // All are on their way before the first is needed.
        let terms: Vec<(String, String)> = (0..count as u32)
            .map(|term| {
                let weight = match weight {
                    Some(base) => code.set(float.class(), &load, &[&format!("[{base}+{}]", term * TILE as u32 * size)]),
                    None => float.immediate(self.weights.at(0)),
                };
                (weight, code.set(float.class(), &load, &[&format!("[{value}+{}]", term * size)]))
            })
            .collect();
        terms.iter().for_each(|(weight, value)| self.sum.add(code, weight, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_a_tile_lie_source_by_source() {
        // 33 targets of 2 sources: the second tile has one target, and both have room for a round.
        let weights: Vec<f64> = (0..66).map(f64::from).collect();
        let tiled = tiled(&weights, 2);
        assert_eq!(tiled.len(), 2 * TILE * ROUND);
        assert_eq!((tiled[0], tiled[1], tiled[31], tiled[32], tiled[33]), (0.0, 2.0, 62.0, 1.0, 3.0));
        let second = TILE * ROUND;
        assert_eq!((tiled[second], tiled[second + 1], tiled[second + TILE]), (64.0, 0.0, 65.0));
    }
}
