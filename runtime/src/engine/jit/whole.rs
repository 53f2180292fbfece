//! Which values are small whole numbers, so that 16 bits hold them: flags, countdowns of refractory times.
//!
//! Memory bounds the kernels of large populations, and a flag in double precision takes as much of it as a potential. Bounds
//! of values follow from the bounds of what a kernel reads; those of buffers that steps write are the smallest ones that
//! hold for their contents and after every step, if there are any.

use std::collections::{BTreeMap, HashSet};

use crate::artifact::{Phase, Role};
use crate::engine::{Memory, Real};
use crate::program::{Binary, Body, Kernel, Op, Program, Unary};

/// Bounds of whole numbers of which none is the negative zero, both included.
pub type Bounds = (i32, i32);

/// Bounds of the contents of buffers.
pub type Contents = BTreeMap<u32, Bounds>;

/// Largest magnitude that 16 bits hold whatever the sign.
const LARGEST: i32 = 0x7FFF;
/// A buffer whose bounds have grown so often counts something without end.
const MOST_GROWTH: usize = 8;

/// The bounds of a number.
fn bounds_of(number: f64) -> Option<Bounds> {
    let whole = number.trunc() == number && number.abs() <= f64::from(LARGEST);
    let negative_zero = number == 0.0 && number.is_sign_negative();
    (whole && !negative_zero).then_some((number as i32, number as i32))
}

fn join(a: Bounds, b: Bounds) -> Bounds {
    (a.0.min(b.0), a.1.max(b.1))
}

/// Bounds of exact results, if 16 bits hold them.
fn within(low: i64, high: i64) -> Option<Bounds> {
    let largest = i64::from(LARGEST);
    (low >= -largest && high <= largest).then_some((low as i32, high as i32))
}

/// The bounds of each value of a body, given those of the buffers it reads.
///
/// No operation here makes a negative zero of operands that are none: differences of equal numbers are positive zeros, and
/// products are taken of numbers that are not negative only.
pub fn values(body: &Body, contents: &Contents) -> Vec<Option<Bounds>> {
    let mut found: Vec<Option<Bounds>> = Vec::new();
    for op in &body.values {
        let of = |value: u32| found[value as usize];
        let bounds = match *op {
            Op::Constant(number) => bounds_of(number),
            Op::Load { buffer, .. } => contents.get(&buffer).copied(),
            Op::Unary(Unary::Not, _) => Some((0, 1)),
            Op::Unary(Unary::Floor | Unary::Ceil | Unary::Round | Unary::Trunc, a) => of(a),
            Op::Unary(Unary::Abs, a) => of(a).filter(|a| a.0 >= 0),
            Op::Binary(f, a, b) => binary(f, of(a), of(b)),
            Op::Fma(a, b, c) => binary(Binary::Mul, of(a), of(b)).and_then(|ab| binary(Binary::Add, Some(ab), of(c))),
            Op::Select(_, a, b) => of(a).zip(of(b)).map(|(a, b)| join(a, b)),
            Op::Past { .. } | Op::Time | Op::StepSize | Op::Unary(..) => None,
        };
        found.push(bounds);
    }
    found
}

fn binary(f: Binary, a: Option<Bounds>, b: Option<Bounds>) -> Option<Bounds> {
    match f {
        Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge | Binary::Eq | Binary::Ne | Binary::And | Binary::Or => {
            return Some((0, 1));
        }
        _ => {}
    }
    let (a, b) = a.zip(b)?;
    let [al, ah, bl, bh] = [a.0, a.1, b.0, b.1].map(i64::from);
    match f {
        Binary::Add => within(al + bl, ah + bh),
        Binary::Sub => within(al - bh, ah - bl),
        Binary::Mul if al >= 0 && bl >= 0 => within(al * bl, ah * bh),
        Binary::Min => within(al.min(bl), ah.min(bh)),
        Binary::Max => within(al.max(bl), ah.max(bh)),
        _ => None,
    }
}

/// The kernels and buffers of a program that whole numbers may be found in.
pub struct Search {
    /// Kernels of straight-line code that read or write candidates: index, extent, code.
    pub kernels: Vec<(usize, usize, Body)>,
    /// Buffers that may hold words: only straight-line code works on them, but for deliveries of spikes.
    candidates: Vec<u32>,
    /// Buffers that no step writes.
    steady: Vec<u32>,
}

impl Search {
    /// Looks for candidates; `None` if there are none.
    pub fn new(program: &Program) -> Option<Search> {
        let mut barred: HashSet<u32> = HashSet::new();
        for kernel in &program.kernels {
            match kernel {
                Kernel::Pointwise { extent, body } => {
                    barred.extend(body.values.iter().filter_map(|op| match op {
                        Op::Load { buffer, scalar } if *scalar || *extent == 1 => Some(*buffer),
                        Op::Past { buffer, .. } => Some(*buffer),
                        _ => None,
                    }));
                }
                Kernel::Take { source, target, .. }
                | Kernel::Couple { source, target, .. }
                | Kernel::Convolve { source, target, .. } => {
                    barred.extend([source, target]);
                }
                Kernel::CouplePast { history, current, target, .. } => {
                    barred.extend([history, target].into_iter().chain(current));
                }
                Kernel::Deliver { factor, target, .. } => barred.extend([target].into_iter().chain(factor)),
            }
        }
        let feeds = program.layout.feeds.iter().map(|f| f.buffer as u32);
        let fed: HashSet<u32> = feeds.chain(program.layout.randoms.iter().map(|r| r.buffer as u32)).collect();
        let mut setup: HashSet<u32> = HashSet::new();
        let mut stepped: HashSet<u32> = HashSet::new();
        for (phase, kernels) in program.phases.iter().enumerate() {
            for kernel in kernels {
                let (stores, reads) = touched(&program.kernels[*kernel as usize]);
                match phase == Phase::Setup as usize {
                    true => setup.extend(stores.into_iter().chain(reads)),
                    false => stepped.extend(stores),
                }
            }
        }
        let buffers = program.layout.buffers.iter().enumerate();
        let fits = |(at, buffer): &(usize, &crate::artifact::Buffer)| {
            let at = *at as u32;
            let role = matches!(buffer.role, Role::State | Role::Event | Role::Internal);
            role && buffer.len > 1
                && buffer.slots == 1
                && stepped.contains(&at)
                && !(barred.contains(&at) || fed.contains(&at) || setup.contains(&at))
        };
        let candidates: Vec<u32> = buffers.filter(fits).map(|(at, _)| at as u32).collect();
        let mut kernels = Vec::new();
        let mut steady: HashSet<u32> = HashSet::new();
        for (at, kernel) in program.kernels.iter().enumerate() {
            let Kernel::Pointwise { extent, body } = kernel else { continue };
            let (stores, reads) = touched(kernel);
            if stores.iter().chain(&reads).any(|b| candidates.contains(b)) {
                kernels.push((at, *extent, body.clone()));
                let single = |b: &u32| program.layout.buffers[*b as usize].slots == 1;
                steady.extend(reads.into_iter().filter(|b| single(b) && !stepped.contains(b) && !fed.contains(b)));
            }
        }
        let mut steady: Vec<u32> = steady.into_iter().collect();
        steady.sort_unstable();
        (!candidates.is_empty()).then_some(Search { kernels, candidates, steady })
    }

    /// Whether what is found depends on what a buffer holds.
    pub fn reads(&self, buffer: u32) -> bool {
        self.candidates.contains(&buffer) || self.steady.contains(&buffer)
    }

    /// Whether a buffer is one that may hold words.
    pub fn is_candidate(&self, buffer: u32) -> bool {
        self.candidates.contains(&buffer)
    }

    /// The bounds that hold for the buffers now and after any number of steps. No buffer of `memory` holds words.
    pub fn find<T: Real>(&self, memory: &Memory<T>) -> Contents {
        let held = |buffer: &u32| {
            let mut numbers = memory.slot(*buffer as usize, 0).iter().map(|x| bounds_of(x.to_f64()));
            let first = numbers.next()??;
            let all = numbers.try_fold(first, |all, number| Some(join(all, number?)))?;
            Some((*buffer, all))
        };
        let mut contents: Contents = self.candidates.iter().chain(&self.steady).filter_map(held).collect();
        let mut growth: BTreeMap<u32, usize> = BTreeMap::new();
        loop {
            let mut settled = true;
            for (_, _, body) in &self.kernels {
                let values = values(body, &contents);
                for (buffer, value) in body.stores.iter().filter(|s| self.is_candidate(s.0)) {
                    let Some(now) = contents.get(buffer).copied() else { continue };
                    let next = values[*value as usize].map(|bounds| join(now, bounds));
                    if next == Some(now) {
                        continue;
                    }
                    settled = false;
                    let count = growth.entry(*buffer).or_default();
                    *count += 1;
                    match next.filter(|_| *count <= MOST_GROWTH) {
                        Some(next) => contents.insert(*buffer, next),
                        None => contents.remove(buffer),
                    };
                }
            }
            if settled {
                return contents;
            }
        }
    }
}

/// The buffers that a kernel writes, and those that it reads.
fn touched(kernel: &Kernel) -> (Vec<u32>, Vec<u32>) {
    match kernel {
        Kernel::Pointwise { body, .. } => {
            let reads = body.values.iter().filter_map(|op| match op {
                Op::Load { buffer, .. } | Op::Past { buffer, .. } => Some(*buffer),
                _ => None,
            });
            (body.stores.iter().map(|s| s.0).collect(), reads.collect())
        }
        Kernel::Take { source, target, .. }
        | Kernel::Couple { source, target, .. }
        | Kernel::Convolve { source, target, .. } => (vec![*target], vec![*source]),
        Kernel::CouplePast { history, current, target, .. } => {
            (vec![*target], [*history].into_iter().chain(*current).collect())
        }
        Kernel::Deliver { spikes, factor, target, .. } => {
            (vec![*target], [*spikes, *target].into_iter().chain(*factor).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Buffer, Layout};
    use crate::program::Precision;

    /// A state that is 0 at first, and what a step makes of it by way of the values 0 to 5: itself, a parameter, 0, 1, whether
    /// it is above 0, and one less.
    fn found(number: f64, more: &[Op], next: u32) -> Option<Bounds> {
        let load = |buffer, scalar| Op::Load { buffer, scalar };
        let mut values = vec![load(0, false), load(1, true), Op::Constant(0.0), Op::Constant(1.0)];
        values.extend([Op::Binary(Binary::Gt, 0, 2), Op::Binary(Binary::Sub, 0, 3)]);
        values.extend(more);
        let buffer = |role, len| Buffer { name: String::new(), role, len, slots: 1 };
        let buffers = vec![buffer(Role::State, 4), buffer(Role::Parameter, 1)];
        let program = Program {
            layout: Layout { buffers, ..Layout::default() },
            precision: Precision::F64,
            kernels: vec![Kernel::Pointwise { extent: 4, body: Body { values, stores: vec![(0, next)] } }],
            phases: [vec![], vec![], vec![0], vec![]],
            initial: vec![(1, [number].into())],
        };
        let search = Search::new(&program).expect("the state is a candidate");
        search.find(&Memory::<f64>::new(&program).unwrap()).get(&0).copied()
    }

    #[test]
    fn a_countdown_lies_between_0_and_where_it_begins() {
        let countdown = [Op::Binary(Binary::Max, 5, 2), Op::Select(4, 6, 1)];
        assert_eq!(found(49.0, &countdown, 7), Some((0, 49)));
        assert_eq!(found(-7.0, &countdown, 7), Some((-7, 0)));
        for unfit in [0.5, -0.0, 40_000.0, f64::NAN] {
            assert_eq!(found(unfit, &countdown, 7), None, "{unfit}");
        }
    }

    #[test]
    fn a_flag_is_0_or_1_and_what_counts_without_end_has_no_bounds() {
        assert_eq!(found(1.0, &[], 4), Some((0, 1)));
        assert_eq!(found(1.0, &[Op::Binary(Binary::Add, 0, 3)], 6), None);
        assert_eq!(found(1.0, &[], 5), None);
        // 0 * -1 would be the negative zero.
        assert_eq!(found(-1.0, &[Op::Binary(Binary::Mul, 0, 1)], 6), None);
    }
}
