//! Delayed quantities: rings of past values, and chains of filters for gamma-distributed delays.

use super::{GroupVariable, Lowering};
use crate::ir::complex::Value;
use crate::ir::expr::{ExprId, HistoryId, StateId};
use crate::ir::system::Values;

/// A delayed quantity whose source is not known yet when it is first read.
#[derive(Default)]
pub(super) struct Delayed {
    /// Histories of variables: real part, imaginary part.
    histories: Vec<(GroupVariable, HistoryId, Option<HistoryId>)>,
    /// Filter chains: source, order, rate bits, filters of the real part, of the imaginary part.
    chains: Vec<Chain>,
}

struct Chain {
    source: GroupVariable,
    order: u32,
    rate: f64,
    re: Vec<(StateId, ExprId)>,
    im: Vec<(StateId, ExprId)>,
}

impl Lowering<'_> {
    /// The history of a variable: of its real part and, if it is complex, of its imaginary part.
    pub(super) fn history(&mut self, source: GroupVariable) -> (HistoryId, Option<HistoryId>) {
        let known = self.delayed.histories.iter().find(|h| h.0 == source).copied();
        let (_, re, im) = known.unwrap_or_else(|| {
            let (name, space) = (self.name(source), self.space(source));
            let complex = self.variable(source).complex;
            let re = self.system.add_history(if complex { format!("{name}.re") } else { name.clone() }, space);
            let im = complex.then(|| self.system.add_history(format!("{name}.im"), space));
            self.delayed.histories.push((source, re, im));
            (source, re, im)
        });
        (re, im)
    }

    /// A variable's value whole steps ago; `steps >= 1`.
    pub(super) fn past_value(&mut self, source: GroupVariable, steps: u32) -> Value {
        let (re, im) = self.history(source);
        let re = self.system.past(re, steps);
        match im {
            Some(im) => Value::Complex(re, self.system.past(im, steps)),
            None => Value::Real(re),
        }
    }

    /// The output of a chain of `order` filters `z' = rate (input - z)` behind a variable, all starting at 0.
    ///
    /// Its impulse response is the gamma density of that order and rate, with mean `order / rate`
    /// (N. MacDonald, Biological Delay Systems: Linear Stability Theory, 1989, the linear chain trick).
    pub(super) fn gamma_value(&mut self, source: GroupVariable, order: u32, rate: f64) -> Value {
        let known = self.delayed.chains.iter().position(|c| c.source == source && c.order == order && c.rate == rate);
        let index = known.unwrap_or_else(|| {
            let re = self.filters(source, order, rate, "re");
            let im = if self.variable(source).complex { self.filters(source, order, rate, "im") } else { Vec::new() };
            self.delayed.chains.push(Chain { source, order, rate, re, im });
            self.delayed.chains.len() - 1
        });
        let chain = &self.delayed.chains[index];
        let end = |filters: &[(StateId, ExprId)]| filters.last().map(|f| f.1);
        match (end(&chain.re), end(&chain.im)) {
            (Some(re), Some(im)) => Value::Complex(re, im),
            (Some(re), None) => Value::Real(re),
            (None, _) => unreachable!("a chain has at least one filter"),
        }
    }

    fn filters(&mut self, source: GroupVariable, order: u32, rate: f64, part: &str) -> Vec<(StateId, ExprId)> {
        let (name, space) = (self.name(source), self.space(source));
        let add = |k| {
            let name = format!("{name}.{part}.gamma_{order}_{rate}.{k}");
            self.system.add_state(name, space, Values::Uniform(0.0))
        };
        (1..=order).map(add).collect()
    }

    /// Connects histories and chains to their sources, now that all values are known.
    pub(super) fn finish_delayed(&mut self) {
        let delayed = std::mem::take(&mut self.delayed);
        for (source, re, im) in delayed.histories {
            let (x, y) = self.values[&source].parts(&mut self.system.graph);
            self.system.histories[re.index()].value = x;
            if let Some(im) = im {
                self.system.histories[im.index()].value = y;
            }
        }
        for chain in delayed.chains {
            let (x, y) = self.values[&chain.source].parts(&mut self.system.graph);
            let rate = self.system.graph.constant(chain.rate);
            for (filters, mut input) in [(chain.re, x), (chain.im, y)] {
                for (state, z) in filters {
                    let graph = &mut self.system.graph;
                    let gap = graph.difference(input, z);
                    self.system.states[state.index()].derivative = graph.product(rate, gap);
                    input = z;
                }
            }
        }
    }
}
