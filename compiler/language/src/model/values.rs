//! Numbers of many units, elements or synapses, shared from the model to the engine.

use std::sync::Arc;

/// One number for all, or one for each. Copies share the numbers.
#[derive(Clone, PartialEq, Debug)]
pub enum Values {
    /// The same number everywhere.
    Uniform(f64),
    /// One number for each.
    Each(Arc<[f64]>),
}

impl Values {
    /// The value of element `i`.
    pub fn at(&self, i: usize) -> f64 {
        match self {
            Values::Uniform(v) => *v,
            Values::Each(v) => v[i],
        }
    }

    /// From one value per element; collapses to one number when all are the same to the bit.
    pub fn from_each(values: Vec<f64>) -> Values {
        match values.first() {
            Some(first) if values.iter().all(|v| v.to_bits() == first.to_bits()) => Values::Uniform(*first),
            _ => Values::Each(values.into()),
        }
    }
}
