//! Convolutions: one kernel of weights for all places of a grid.
//!
//! The sources are copied into planes, one for each channel and, where the kernel moves by more than one place, for each
//! remainder of row and column, with the surroundings of the grid beside them. In a plane the source under a tap lies at one
//! distance from the target, whichever the target is: each tap is a weight times a contiguous piece, vector by vector. A few
//! sums of a few target channels are made side by side in registers, each tap by tap.

use std::sync::Arc;

use rayon::prelude::*;

use super::{FEWEST_FOR_THREADS, Why};
use crate::engine::team::threads;
use crate::engine::{Memory, Real};
use crate::isa::Isa;
use crate::program::{Convolution, Window};

/// Target channels whose sums share what they load.
const TOGETHER: usize = 4;

/// A convolution.
pub struct Convolve<T> {
    convolution: Arc<Convolution>,
    source: usize,
    target: usize,
    planes: Planes,
    /// The sources of each member, plane by plane, and as much more as the last vectors may read.
    padded: Vec<T>,
    channels: Vec<Channels<T>>,
    /// Results before they are copied to the target: member by member, channels by channels, block by block.
    sums: Vec<T>,
    isa: Isa,
}

/// Some target channels.
struct Channels<T> {
    first: usize,
    /// One, or [`TOGETHER`].
    count: usize,
    /// For each tap the distance from a target to what it reads.
    distances: Vec<usize>,
    /// The weights of each tap.
    weights: Vec<T>,
}

/// How sources and sums are laid out. A row of a plane has a place for each target of a row, and those beside it.
#[derive(Clone, Copy)]
struct Planes {
    window: Window,
    /// Rows and columns of a plane.
    rows: usize,
    columns: usize,
    /// Sums of a channel: those of a row of targets, and of the places beside them, which mean nothing.
    sums: usize,
}

impl Planes {
    fn new(window: Window) -> Planes {
        let beside = |axis: usize| (window.kernel[axis] as usize - 1) / window.stride[axis] as usize;
        let (targets, columns) = (window.target[0] as usize, window.target[1] as usize + beside(1));
        Planes { window, rows: targets + beside(0), columns, sums: targets * columns }
    }

    fn size(&self) -> usize {
        self.rows * self.columns
    }

    /// Different remainders of the rows and of the columns of the kernel.
    fn different(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.window.stride[axis].min(self.window.kernel[axis]) as usize)
    }

    /// Number of planes of a source channel.
    fn remainders(&self) -> usize {
        self.different().iter().product()
    }

    /// Numbers of all planes of a member.
    fn member(&self) -> usize {
        self.size() * self.remainders() * self.window.source[2] as usize
    }

    /// The distance from a target to the source under a tap.
    fn distance(&self, tap: usize) -> usize {
        let window = &self.window;
        let (channels, width) = (window.source[2] as usize, window.kernel[1] as usize);
        let (channel, row, column) = (tap % channels, tap / channels / width, tap / channels % width);
        let [down, right] = window.stride.map(|s| s as usize);
        let plane = channel * self.remainders() + row % down * self.different()[1] + column % right;
        plane * self.size() + row / down * self.columns + column / right
    }

    /// Copies the sources of a channel into its planes. What is outside of the grid is never written.
    fn fill<T: Real>(&self, channel: usize, values: &[T], planes: &mut [T]) {
        let window = &self.window;
        let channels = window.source[2] as usize;
        let [_, across] = self.different();
        for (at, row) in planes.chunks_exact_mut(self.columns).enumerate() {
            let (plane, y) = (at / self.rows, at % self.rows);
            // A place of a plane is the target of a kernel with one place.
            let Some(from) = window.under(0, y, plane / across) else { continue };
            let from = &values[from * window.source[1] as usize * channels..];
            // Without remainders and other channels, what lies inside of the grid lies side by side.
            let origin = window.origin[1] as usize;
            let inside = origin..(origin + window.source[1] as usize).min(self.columns);
            if channels == 1 && window.stride[1] == 1 && inside.start < inside.end {
                row[inside.clone()].copy_from_slice(&from[..inside.len()]);
                if !window.periodic {
                    continue;
                }
                for x in (0..inside.start).chain(inside.end..self.columns) {
                    row[x] = window.under(1, x, 0).map_or(T::default(), |column| from[column]);
                }
                continue;
            }
            for (x, value) in row.iter_mut().enumerate() {
                if let Some(column) = window.under(1, x, plane % across) {
                    *value = from[column * channels + channel];
                }
            }
        }
    }
}

impl<T: Real> Convolve<T> {
    pub(super) fn new(convolution: Arc<Convolution>, (source, target): (usize, usize)) -> Convolve<T> {
        let isa = Isa::detect();
        let (window, members) = (convolution.window, convolution.members as usize);
        let planes = Planes::new(window);
        let (taps, channels) = (window.taps(), window.target[2] as usize);
        let weight = |channel: usize, tap: usize| convolution.weights[channel * taps + tap];
        let mut groups = Vec::new();
        let mut first = 0;
        while first < channels {
            let full = |count: usize| (first..first + count).all(|c| (0..taps).all(|tap| weight(c, tap) != 0.0));
            let count = if first + TOGETHER <= channels && full(TOGETHER) { TOGETHER } else { 1 };
            let used: Vec<usize> = (0..taps).filter(|tap| weight(first, *tap) != 0.0).collect();
            let each = used.iter().flat_map(|tap| (first..first + count).map(move |c| (c, *tap)));
            let weights = each.map(|(c, tap)| T::from_f64(weight(c, tap))).collect();
            groups.push(Channels {
                first,
                count,
                distances: used.iter().map(|t| planes.distance(*t)).collect(),
                weights,
            });
            first += count;
        }
        let block = block::<T>(isa);
        // The sums of the last places beside the targets, up to the end of a block, read beyond the planes.
        let padded = vec![T::default(); members * planes.member() + planes.columns + block];
        let sums = vec![T::default(); members * channels * planes.sums.next_multiple_of(block)];
        Convolve { convolution, source, target, planes, padded, channels: groups, sums, isa }
    }

    /// What it does, and why.
    pub(super) fn why(&self) -> Why {
        let window = &self.convolution.window;
        let [[rows, columns], [down, right]] = [window.kernel, window.stride];
        let moved = if (down, right) == (1, 1) { String::new() } else { format!(", every {down} x {right} places") };
        let bytes = self.channels.iter().map(|c| size_of_val(&*c.weights) + size_of_val(&*c.distances)).sum();
        let reason = format!("one kernel of {rows} x {columns} for all {} targets{moved}", window.targets());
        ("convolution", bytes, reason)
    }

    pub(super) fn run(&mut self, memory: &mut Memory<T>) {
        let (planes, window) = (self.planes, self.convolution.window);
        let members = self.convolution.members as usize;
        let (isa, block) = (self.isa, block::<T>(self.isa));
        let values = memory.slot(self.source, 0);
        let of_channel = planes.size() * planes.remainders();
        let channels = window.source[2] as usize;
        let fill = |(at, part): (usize, &mut [T])| {
            let values = &values[at / channels * window.sources()..][..window.sources()];
            planes.fill(at % channels, values, part);
        };
        let blocks = planes.sums.div_ceil(block);
        let of_member = blocks * block * window.target[2] as usize;
        let alone = members * window.targets() * window.taps() < FEWEST_FOR_THREADS || threads() == 1;
        let padded = &mut self.padded[..members * planes.member()];
        match alone {
            true => padded.chunks_exact_mut(of_channel).enumerate().for_each(fill),
            false => padded.par_chunks_exact_mut(of_channel).enumerate().for_each(fill),
        }
        let padded = &self.padded[..];
        // A piece of work is a block of places for some channels.
        let mut pieces = Vec::with_capacity(members * self.channels.len() * blocks);
        for (member, mut sums) in self.sums.chunks_exact_mut(of_member).enumerate() {
            let values = &padded[member * planes.member()..];
            for channels in &self.channels {
                let (own, rest) = sums.split_at_mut(channels.count * blocks * block);
                sums = rest;
                let each = own.chunks_exact_mut(channels.count * block).enumerate();
                pieces.extend(each.map(|(at, sums)| Piece { channels, values: &values[at * block..], sums }));
            }
        }
        match alone {
            true => pieces.into_iter().for_each(|piece| piece.run(isa)),
            false => pieces.into_par_iter().for_each(|piece| piece.run(isa)),
        }
        let target = memory.slot_mut(self.target, 0);
        let (width, depth) = (window.target[1] as usize, window.target[2] as usize);
        for (target, mut sums) in target.chunks_exact_mut(window.targets()).zip(self.sums.chunks_exact(of_member)) {
            for channels in &self.channels {
                let (own, rest) = sums.split_at(channels.count * blocks * block);
                sums = rest;
                for (y, row) in target.chunks_exact_mut(width * depth).enumerate() {
                    for (c, channel) in (channels.first..channels.first + channels.count).enumerate() {
                        let mut place = y * planes.columns;
                        let mut x = 0;
                        // Pieces of the row within a block.
                        while x < width {
                            let within = place % block;
                            let count = (block - within).min(width - x);
                            let from = &own[(place / block * channels.count + c) * block + within..][..count];
                            match depth {
                                1 => row[x..x + count].copy_from_slice(from),
                                _ => {
                                    let to = row[x * depth + channel..].iter_mut().step_by(depth);
                                    to.zip(from).for_each(|(to, from)| *to = *from);
                                }
                            }
                            (place, x) = (place + count, x + count);
                        }
                    }
                }
            }
        }
    }
}

/// Vectors of 512 bits side by side: the sums of four channels take half the registers.
const WIDE: usize = 4;
const NARROW: usize = 1;

/// Places whose sums are made side by side.
fn block<T: Real>(isa: Isa) -> usize {
    T::LANES * if isa.has_wide_vectors() { WIDE } else { NARROW }
}

/// A block of places for some channels.
struct Piece<'a, T> {
    channels: &'a Channels<T>,
    /// The sources from the first place of the block on.
    values: &'a [T],
    /// The sums of the block: those of the first channel, then those of the next.
    sums: &'a mut [T],
}

impl<T: Real> Piece<'_, T> {
    fn run(self, isa: Isa) {
        match (isa, self.channels.count) {
            // SAFETY: `detect` found these instructions on this machine.
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx512, TOGETHER) => unsafe { piece_512::<T, TOGETHER>(self) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx512, _) => unsafe { piece_512::<T, 1>(self) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx2, TOGETHER) => unsafe { piece_256::<T, TOGETHER>(self) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx2, _) => unsafe { piece_256::<T, 1>(self) },
            (Isa::Baseline, TOGETHER) => narrow::<T, TOGETHER>(self),
            (Isa::Baseline, _) => narrow::<T, 1>(self),
        }
    }
}

// A function of its own for each: the sums of one that has several kinds in it are not kept in registers.

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
fn piece_512<T: Real, const CHANNELS: usize>(piece: Piece<'_, T>) {
    match T::LANES {
        8 => taps::<T, { 8 * WIDE }, CHANNELS>(piece),
        _ => taps::<T, { 16 * WIDE }, CHANNELS>(piece),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn piece_256<T: Real, const CHANNELS: usize>(piece: Piece<'_, T>) {
    narrow::<T, CHANNELS>(piece);
}

#[inline(always)]
fn narrow<T: Real, const CHANNELS: usize>(piece: Piece<'_, T>) {
    match T::LANES {
        8 => taps::<T, { 8 * NARROW }, CHANNELS>(piece),
        _ => taps::<T, { 16 * NARROW }, CHANNELS>(piece),
    }
}

/// Adds up tap by tap.
#[inline(always)]
fn taps<T: Real, const BLOCK: usize, const CHANNELS: usize>(piece: Piece<'_, T>) {
    let mut total = [[T::default(); BLOCK]; CHANNELS];
    let weights = piece.channels.weights.as_chunks::<CHANNELS>().0;
    for (weights, distance) in weights.iter().zip(&piece.channels.distances) {
        let Some((values, _)) = piece.values.get(*distance..).and_then(|v| v.split_first_chunk::<BLOCK>()) else {
            unreachable!("the planes are followed by a row and a block");
        };
        for (total, weight) in total.iter_mut().zip(weights) {
            for (sum, value) in total.iter_mut().zip(values) {
                *sum = weight.fma(*value, *sum);
            }
        }
    }
    piece.sums.copy_from_slice(total.as_flattened());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sums in the order of the taps, read one by one.
    fn plain(window: Window, weights: &[f64], values: &[f64]) -> Vec<f64> {
        let sum = |target: usize| {
            let taps = (0..window.taps())
                .filter_map(|tap| Some((weights[window.weight(target, tap)], window.read(target, tap)?)));
            taps.filter(|(weight, _)| *weight != 0.0).fold(0.0, |sum, (weight, from)| weight.mul_add(values[from], sum))
        };
        (0..window.targets()).map(sum).collect()
    }

    #[test]
    fn planes_hold_what_taps_read() {
        for stride in [[1, 1], [2, 1], [2, 3], [5, 9]] {
            for (periodic, kernel, origin) in [(false, [3, 3], [1, 1]), (true, [4, 5], [1, 2]), (true, [7, 2], [6, 0])]
            {
                for channels in [1, 2] {
                    let target = [6u32.div_ceil(stride[0]), 9u32.div_ceil(stride[1]), 5];
                    let window = Window { source: [6, 9, channels], target, kernel, stride, origin, periodic };
                    let weights: Vec<f64> = (0..window.weights()).map(|w| ((w * 7) % 11) as f64 - 5.0).collect();
                    let values: Vec<f64> = (0..2 * window.sources()).map(|v| (v as f64 * 0.37).sin()).collect();
                    check(window, &weights, &values);
                    check(window, &vec![0.25; weights.len()], &values);
                }
            }
        }
    }

    /// Two members.
    fn check(window: Window, weights: &[f64], values: &[f64]) {
        use crate::artifact::{Buffer, Layout, Role};
        use crate::program::{Kernel, Precision, Program};
        let convolution = Arc::new(Convolution { name: String::new(), window, weights: weights.into(), members: 2 });
        let buffer = |len| Buffer { name: String::new(), role: Role::State, len, slots: 1 };
        let program = Program {
            layout: Layout { buffers: vec![buffer(values.len()), buffer(2 * window.targets())], ..Layout::default() },
            precision: Precision::F64,
            kernels: vec![Kernel::Convolve { convolution: convolution.clone(), source: 0, target: 1 }],
            phases: [vec![], vec![], vec![0], vec![]],
            initial: vec![(0, values.into())],
        };
        let mut memory = Memory::<f64>::new(&program).expect("it fits");
        let mut kernel = Convolve::<f64>::new(convolution, (0, 1));
        for _ in 0..2 {
            kernel.run(&mut memory);
            let (one, two) = values.split_at(window.sources());
            let expected = [plain(window, weights, one), plain(window, weights, two)].concat();
            assert_eq!(memory.slot(1, 0), expected, "{window:?}");
        }
    }
}
