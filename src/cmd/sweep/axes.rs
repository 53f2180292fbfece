//! What a sweep varies: grids, and seeded random samples.

use std::f64::consts::TAU;

use crate::cmd::fault::Fault;
use crate::cmd::print;

/// Most members of a sweep: beyond, a count is a typing error.
const MOST_MEMBERS: usize = 1 << 32;

/// A grid: a path and its values.
#[derive(Clone)]
pub struct Grid {
    /// As typed.
    text: String,
    path: String,
    values: Vec<f64>,
}

/// A random value: a path and its distribution.
#[derive(Clone)]
pub struct Random {
    /// As typed.
    text: String,
    path: String,
    distribution: Distribution,
}

#[derive(Clone, Copy)]
enum Distribution {
    Uniform(f64, f64),
    LogUniform(f64, f64),
    Normal(f64, f64),
}

impl Grid {
    /// The argument.
    pub fn described(&self) -> &str {
        &self.text
    }
}

impl Random {
    /// The argument.
    pub fn described(&self) -> &str {
        &self.text
    }
}

/// The members of a sweep. Each is known by its number alone, so that they can be computed in any portions.
pub struct Axes<'a> {
    grids: &'a [Grid],
    randoms: &'a [Random],
    pairwise: bool,
    /// Random samples at each point of the grid.
    samples: usize,
    seed: u64,
}

impl<'a> Axes<'a> {
    /// Grids and random values with the number of samples.
    pub fn new(
        grids: &'a [Grid],
        randoms: &'a [Random],
        samples: Option<usize>,
        pairwise: bool,
        seed: u64,
    ) -> Result<Axes<'a>, Fault> {
        let usage = |message: &str, help: &str| {
            Err(Fault::usage(format!("{}\n  help: {help}", print::labelled_error(message))))
        };
        let samples = match (randoms, samples) {
            ([], None) if grids.is_empty() => {
                return usage("nothing is varied", "use `--grid PATH=0:1:11`, or `--random PATH=uniform(0,1)`");
            }
            ([], None) => 1,
            ([], Some(_)) => return usage("`--samples` is for random values", "use `--random PATH=uniform(0,1)` too"),
            (_, None) => return usage("the number of random samples is missing", "use `--samples 100` too"),
            (_, Some(0)) => return usage("no random samples are asked for", "use `--samples 100`"),
            (_, Some(samples)) => samples,
        };
        if let Some(other) = grids.iter().find(|g| pairwise && g.values.len() != grids[0].values.len()) {
            let (a, b) = (&grids[0], other);
            let counts = (a.values.len(), b.values.len());
            let message = format!("`{}` has {} values and `{}` has {}", a.path, counts.0, b.path, counts.1);
            return usage(&message, "give both as many, or leave out `--pairwise` for all combinations");
        }
        let axes = Axes { grids, randoms, pairwise, samples, seed };
        let paths = axes.paths();
        if let Some(twice) = (1..paths.len()).find(|i| paths[..*i].contains(&paths[*i])) {
            return usage(&format!("`{}` is varied twice", paths[twice]), "give each path once");
        }
        let points = axes.sizes().iter().try_fold(samples, |all, n| all.checked_mul(*n));
        if points.is_none_or(|n| n > MOST_MEMBERS) {
            return usage("the sweep has too many members", "use smaller grids, or `--random` with `--samples`");
        }
        Ok(axes)
    }

    /// The paths varied, in the order of the table's columns.
    pub fn paths(&self) -> Vec<&'a str> {
        self.grids.iter().map(|g| &*g.path).chain(self.randoms.iter().map(|r| &*r.path)).collect()
    }

    /// Number of points along each axis of the grid.
    fn sizes(&self) -> Vec<usize> {
        let sizes = self.grids.iter().map(|g| g.values.len());
        if self.pairwise { sizes.take(1).collect() } else { sizes.collect() }
    }

    /// Number of members.
    pub fn members(&self) -> usize {
        self.sizes().iter().product::<usize>() * self.samples
    }

    /// The values of each path for all members: samples vary fastest, then the last grid. Every point of the grid gets
    /// the same samples.
    pub fn values(&self) -> Vec<Vec<f64>> {
        let (members, sizes) = (self.members(), self.sizes());
        let grids = self.grids.iter().enumerate().map(|(k, grid)| {
            let stride: usize = if self.pairwise { 1 } else { sizes[k + 1..].iter().product() };
            (0..members).map(|m| grid.values[m / self.samples / stride % grid.values.len()]).collect()
        });
        let randoms = self.randoms.iter().enumerate().map(|(k, random)| {
            let draw = |m: usize| random.distribution.draw(self.seed, k as u64, (m % self.samples) as u64);
            (0..members).map(draw).collect()
        });
        grids.chain(randoms).collect()
    }
}

impl Distribution {
    /// Sample `index` of value `axis`: a function of its arguments alone.
    fn draw(self, seed: u64, axis: u64, index: u64) -> f64 {
        let stream = mix(mix(seed) ^ axis);
        let number = |k: u64| {
            let bits = mix(stream ^ mix(2 * index + k)) >> 11;
            (bits as f64 + 0.5) / (1u64 << 53) as f64
        };
        match self {
            Distribution::Uniform(a, b) => a + (b - a) * number(0),
            Distribution::LogUniform(a, b) => (a.ln() + (b.ln() - a.ln()) * number(0)).exp(),
            // Box and Muller, 1958.
            Distribution::Normal(mean, sd) => mean + sd * (-2.0 * number(0).ln()).sqrt() * (TAU * number(1)).cos(),
        }
    }
}

/// The output function of SplitMix64 (Steele, Lea and Flood, 2014).
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// `PATH=a:b:n` or `PATH=[v1,v2,..]`.
pub fn grid(text: &str) -> Result<Grid, String> {
    const EXPECTED: &str = "expected `PATH=FIRST:LAST:COUNT` or `PATH=[1,2,..]`";
    let (path, spec) = split(text).ok_or(EXPECTED)?;
    if let Some(list) = spec.strip_prefix('[').and_then(|s| s.strip_suffix(']')) {
        let values = list.split(',').map(number).collect::<Option<Vec<f64>>>().ok_or(EXPECTED)?;
        return Ok(Grid { text: text.to_string(), path, values });
    }
    let parts: Vec<&str> = spec.split(':').collect();
    let [first, last, count] = parts[..] else { return Err(EXPECTED.to_string()) };
    let (first, last) = (number(first).ok_or(EXPECTED)?, number(last).ok_or(EXPECTED)?);
    let count: usize = count.trim().parse().map_err(|_| EXPECTED)?;
    if count == 0 || count == 1 && first != last || count > MOST_MEMBERS {
        return Err(format!("a grid from {first} to {last} needs at least 2 values, not {count}"));
    }
    // The last value is exactly what was asked for.
    let at = |k: usize| match k + 1 == count {
        true => last,
        false => first + (last - first) * (k as f64 / (count - 1) as f64),
    };
    Ok(Grid { text: text.to_string(), path, values: (0..count).map(at).collect() })
}

/// `PATH=uniform(a,b)`, `PATH=loguniform(a,b)` or `PATH=normal(mean,sd)`.
pub fn random(text: &str) -> Result<Random, String> {
    const EXPECTED: &str = "expected `PATH=uniform(a,b)`, `PATH=loguniform(a,b)` or `PATH=normal(mean,sd)`";
    let (path, spec) = split(text).ok_or(EXPECTED)?;
    let (name, rest) = spec.split_once('(').ok_or(EXPECTED)?;
    let (a, b) = rest.strip_suffix(')').and_then(|r| r.split_once(',')).ok_or(EXPECTED)?;
    let (a, b) = (number(a).ok_or(EXPECTED)?, number(b).ok_or(EXPECTED)?);
    let distribution = match name.trim() {
        "uniform" if a <= b => Distribution::Uniform(a, b),
        "loguniform" if 0.0 < a && a <= b => Distribution::LogUniform(a, b),
        "normal" if b >= 0.0 => Distribution::Normal(a, b),
        "uniform" => return Err(format!("`uniform` needs the smaller number first: uniform({b},{a})")),
        "loguniform" => return Err("`loguniform` needs two numbers above 0, the smaller first".to_string()),
        "normal" => return Err(format!("the standard deviation of `normal` must not be negative, it is {b}")),
        _ => return Err(EXPECTED.to_string()),
    };
    Ok(Random { text: text.to_string(), path, distribution })
}

fn split(text: &str) -> Option<(String, &str)> {
    let (path, spec) = text.split_once('=')?;
    let path = path.trim();
    (!path.is_empty()).then(|| (path.to_string(), spec.trim()))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|x: &f64| x.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_are_combined_with_the_last_one_fastest_or_pairwise() {
        let grids = [grid("a=0:1:3").ok().unwrap(), grid("b=[5,6,7]").ok().unwrap()];
        let all = Axes::new(&grids, &[], None, false, 0).ok().unwrap();
        assert_eq!(all.members(), 9);
        assert_eq!(all.values()[0], [0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0]);
        assert_eq!(all.values()[1], [5.0, 6.0, 7.0, 5.0, 6.0, 7.0, 5.0, 6.0, 7.0]);
        let pairs = Axes::new(&grids, &[], None, true, 0).ok().unwrap();
        assert_eq!(pairs.values(), [[0.0, 0.5, 1.0], [5.0, 6.0, 7.0]]);
    }

    #[test]
    fn samples_have_the_moments_of_their_distribution() {
        let randoms = ["a=uniform(2,4)", "b=normal(1,3)", "c=loguniform(1,100)"].map(|t| random(t).ok().unwrap());
        let axes = Axes::new(&[], &randoms, Some(20_000), false, 7).ok().unwrap();
        let values = axes.values();
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let deviation = |v: &[f64]| mean(&v.iter().map(|x| (x - mean(v)).powi(2)).collect::<Vec<_>>()).sqrt();
        assert!((mean(&values[0]) - 3.0).abs() < 0.02 && (deviation(&values[0]) - 2.0 / 12f64.sqrt()).abs() < 0.02);
        assert!((mean(&values[1]) - 1.0).abs() < 0.1 && (deviation(&values[1]) - 3.0).abs() < 0.06);
        let logs: Vec<f64> = values[2].iter().map(|x| x.log10()).collect();
        assert!((mean(&logs) - 1.0).abs() < 0.02);
        let fewer = Axes::new(&[], &randoms, Some(10), false, 7).ok().unwrap().values();
        assert_eq!(fewer[1][..], values[1][..10]);
    }

    #[test]
    fn what_is_no_grid_or_distribution_is_refused() {
        assert!(["a", "=1:2:3", "a=1:2", "a=1:2:0", "a=[1,x]", "a=1:2:1"].iter().all(|t| grid(t).is_err()));
        assert!(
            ["a=gauss(0,1)", "a=uniform(1)", "a=uniform(2,1)", "a=loguniform(0,1)"].iter().all(|t| random(t).is_err())
        );
    }
}
