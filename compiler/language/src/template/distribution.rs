//! Distributions: values that are drawn, one for each unit or synapse.

mod law;

use std::fmt::{self, Display, Formatter};

use super::fields::{mapping, only};
use super::value::{count, real};
use crate::diagnostic::{Diagnostics, template as fault};
use crate::source::Name;
use crate::syntax::yaml::{Entry, Node, Value};

/// A law of probability.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Law {
    /// Equally likely between `low` and `high`.
    Uniform {
        /// Smallest value.
        low: f64,
        /// Largest value (not reached).
        high: f64,
    },
    /// Gaussian.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        sd: f64,
    },
    /// `exp` of a Gaussian number.
    LogNormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Cauchy's distribution.
    Lorentzian {
        /// Centre.
        center: f64,
        /// Half width at half maximum.
        half_width: f64,
    },
    /// `exp(-x/mean)/mean` for `x > 0`.
    Exponential {
        /// Mean.
        mean: f64,
    },
    /// `x^(shape - 1) exp(-x/scale)` for `x > 0`, normalised.
    Gamma {
        /// Shape.
        shape: f64,
        /// Scale.
        scale: f64,
    },
}

/// A law, its bounds, and where its numbers come from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Distribution {
    /// The law.
    pub law: Law,
    /// Numbers below are drawn again.
    pub min: Option<f64>,
    /// Numbers above are drawn again.
    pub max: Option<f64>,
    /// Whether its `n` quantiles at `j/(n + 1)` are taken, ascending, instead of random numbers.
    pub quantiles: bool,
    /// A seed in place of the circuit's.
    pub seed: Option<u64>,
}

/// The laws by name, with what their parameters are called.
pub(super) const LAWS: &[(&str, &[&str])] = &[
    ("uniform", &["low", "high"]),
    ("normal", &["mean", "sd"]),
    ("lognormal", &["mu", "sigma"]),
    ("lorentzian", &["center", "half width"]),
    ("exponential", &["mean"]),
    ("gamma", &["shape", "scale"]),
];

const KEYS: &[&str] =
    &["uniform", "normal", "lognormal", "lorentzian", "exponential", "gamma", "quantiles", "min", "max", "seed"];

/// The smallest share of a law that must lie between `min` and `max`: below, most draws would be thrown away.
const SMALLEST_SHARE: f64 = 1e-3;

impl Law {
    fn new(name: &str, given: &[f64]) -> Option<Law> {
        Some(match (name, given) {
            ("uniform", [low, high]) => Law::Uniform { low: *low, high: *high },
            ("normal", [mean, sd]) => Law::Normal { mean: *mean, sd: *sd },
            ("lognormal", [mu, sigma]) => Law::LogNormal { mu: *mu, sigma: *sigma },
            ("lorentzian", [center, half_width]) => Law::Lorentzian { center: *center, half_width: *half_width },
            ("exponential", [mean]) => Law::Exponential { mean: *mean },
            ("gamma", [shape, scale]) => Law::Gamma { shape: *shape, scale: *scale },
            _ => return None,
        })
    }

    /// Its name and parameters, in the order written.
    pub fn written(&self) -> (&'static str, Vec<f64>) {
        match *self {
            Law::Uniform { low, high } => ("uniform", vec![low, high]),
            Law::Normal { mean, sd } => ("normal", vec![mean, sd]),
            Law::LogNormal { mu, sigma } => ("lognormal", vec![mu, sigma]),
            Law::Lorentzian { center, half_width } => ("lorentzian", vec![center, half_width]),
            Law::Exponential { mean } => ("exponential", vec![mean]),
            Law::Gamma { shape, scale } => ("gamma", vec![shape, scale]),
        }
    }

    /// What is wrong with its parameters, if anything.
    pub(super) fn wrong(&self) -> Option<&'static str> {
        let (_, parameters) = self.written();
        if parameters.iter().any(|x| !x.is_finite()) {
            return Some("its parameters must be finite");
        }
        match *self {
            Law::Uniform { low, high } => (low > high).then_some("the first number must not be above the second"),
            Law::Normal { sd, .. } => (sd < 0.0).then_some("the standard deviation must not be negative"),
            Law::LogNormal { sigma, .. } => (sigma < 0.0).then_some("sigma must not be negative"),
            Law::Lorentzian { half_width, .. } => (half_width < 0.0).then_some("the half width must not be negative"),
            Law::Exponential { mean } => (mean <= 0.0).then_some("the mean must be greater than 0"),
            Law::Gamma { shape, scale } => {
                (shape <= 0.0 || scale <= 0.0).then_some("shape and scale must be greater than 0")
            }
        }
    }
}

impl Distribution {
    /// A law without bounds.
    pub fn new(law: Law) -> Distribution {
        Distribution { law, min: None, max: None, quantiles: false, seed: None }
    }

    /// Draws numbers below again.
    pub fn min(self, least: f64) -> Distribution {
        Distribution { min: Some(least), ..self }
    }

    /// Draws numbers above again.
    pub fn max(self, most: f64) -> Distribution {
        Distribution { max: Some(most), ..self }
    }

    /// Takes the quantiles at `j/(n + 1)` instead of random numbers.
    pub fn quantiles(self) -> Distribution {
        Distribution { quantiles: true, ..self }
    }

    /// Uses a seed of its own in place of the circuit's.
    pub fn seed(self, seed: u64) -> Distribution {
        Distribution { seed: Some(seed), ..self }
    }

    /// Whether no number can be negative.
    pub fn never_negative(&self) -> bool {
        let law = match self.law {
            Law::Uniform { low, .. } => low >= 0.0,
            Law::Normal { mean, sd } => sd == 0.0 && mean >= 0.0,
            Law::Lorentzian { center, half_width } => half_width == 0.0 && center >= 0.0,
            Law::LogNormal { .. } | Law::Exponential { .. } | Law::Gamma { .. } => true,
        };
        law || self.min.is_some_and(|least| least >= 0.0)
    }

    /// What is wrong with it, if anything.
    pub fn wrong(&self) -> Option<String> {
        if let Some(wrong) = self.law.wrong() {
            return Some(wrong.to_string());
        }
        let bounds = (self.min.unwrap_or(f64::NEG_INFINITY), self.max.unwrap_or(f64::INFINITY));
        if bounds.0.is_nan() || bounds.1.is_nan() || bounds.0 > bounds.1 {
            return Some("`min` must not be above `max`".to_string());
        }
        let share = self.law.share(bounds.0, bounds.1);
        (share < SMALLEST_SHARE).then(|| format!("only {share:.1e} of it lies between `min` and `max`"))
    }
}

/// `normal(0, 1) from -2 to 3`.
impl Display for Distribution {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, parameters) = self.law.written();
        let parameters: Vec<String> = parameters.iter().map(f64::to_string).collect();
        let quantiles = if self.quantiles { "quantiles of " } else { "" };
        write!(f, "{quantiles}{name}({})", parameters.join(", "))?;
        for (word, bound) in [("from", self.min), ("to", self.max)] {
            if let Some(bound) = bound {
                write!(f, " {word} {bound}")?;
            }
        }
        self.seed.map_or(Ok(()), |seed| write!(f, " seed {seed}"))
    }
}

/// The entry that names a law, or `quantiles`, if the mapping is a distribution.
pub(super) fn law_entry(entries: &[Entry]) -> Option<&Entry> {
    entries.iter().find(|e| &*e.key.text == "quantiles" || LAWS.iter().any(|(name, _)| *name == &*e.key.text))
}

/// Reads `{normal: [0, 1], min: -2}`, `{quantiles: {lorentzian: [0, 1]}}`.
pub(super) fn distribution(node: &Node, what: &str, out: &mut Diagnostics) -> Option<Distribution> {
    let entries = mapping(node, what, out)?;
    let Some(entry) = law_entry(entries) else {
        let none = Name::new("", node.span);
        let key = entries.first().map_or(&none, |e| &e.key);
        out.push(fault::unknown_distribution(key, what, &KEYS[..7]));
        return None;
    };
    only(entries, KEYS, what, out);
    let laws = entries.iter().filter(|e| KEYS[..7].contains(&&*e.key.text));
    if let Some(second) = laws.skip(1).find(|e| e.key.text != entry.key.text || e.key.span != entry.key.span) {
        out.push(fault::two_laws(&second.key, entry.key.span, what));
        return None;
    }
    let quantiles = &*entry.key.text == "quantiles";
    let (key, value) = match &entry.value.value {
        Value::Mapping(inner) if quantiles => match inner.iter().find(|e| LAWS.iter().any(|l| l.0 == &*e.key.text)) {
            Some(law) => (&law.key, &law.value),
            None => {
                let key = inner.first().map_or(&entry.key, |e| &e.key);
                out.push(fault::unknown_distribution(key, what, &KEYS[..6]));
                return None;
            }
        },
        _ if quantiles => {
            out.push(fault::wrong_form(&entry.value, "`quantiles`", "a law, e.g. `{lorentzian: [0, 1]}`"));
            return None;
        }
        _ => (&entry.key, &entry.value),
    };
    let (_, parameters) = LAWS.iter().find(|(name, _)| *name == &*key.text)?;
    let nodes = match &value.value {
        Value::Sequence(items) => &items[..],
        _ => std::slice::from_ref(value),
    };
    let given: Option<Vec<f64>> = nodes.iter().map(|n| real(n, &format!("`{key}`"), out)).collect();
    let Some(law) = Law::new(&key.text, &given?) else {
        out.push(fault::wrong_parameters(value.span, &key.text, parameters, nodes.len()));
        return None;
    };
    let mut read = Distribution { quantiles, ..Distribution::new(law) };
    for entry in entries.iter().filter(|e| e.value.value != Value::Null) {
        let name = format!("`{}`", entry.key);
        match &*entry.key.text {
            "min" => read.min = Some(real(&entry.value, &name, out)?),
            "max" => read.max = Some(real(&entry.value, &name, out)?),
            "seed" => read.seed = Some(count(&entry.value, &name, 0, out)?),
            _ => {}
        }
    }
    if let Some(wrong) = read.wrong() {
        out.push(fault::impossible_distribution(node.span, what, &wrong));
        return None;
    }
    Some(read)
}
