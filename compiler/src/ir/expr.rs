//! The expression graph: a hash-consed arena of pure expressions over arrays.
//!
//! Semantics. Every expression has a [`SpaceId`]: the index set its value is an array over. [`SpaceId::SCALAR`] has one
//! element and broadcasts to any other space; two different non-scalar spaces never meet in one pointwise call, values
//! move between them only through [`Op::Take`], [`Op::Couple`], [`Op::Convolve`], [`Op::CouplePast`] and [`Op::Deliver`]. Values are
//! real; complex variables are pairs of expressions ([`super::complex`]). Truth values are 1 and 0, and any number other
//! than 0 counts as true.
//!
//! Invariants: arguments have smaller ids than the node that uses them, so ascending ids are a topological order; equal
//! nodes have equal ids; a node never changes.

use std::collections::HashMap;

use super::prim::{Prim, arith};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub u32);

        impl $name {
            /// The id as an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}
pub(crate) use id;

id!(
    /// An expression.
    ExprId
);
id!(
    /// An index set that arrays extend over.
    SpaceId
);
id!(
    /// A state variable.
    StateId
);
id!(
    /// A parameter.
    ParameterId
);
id!(
    /// An extrinsic input.
    InputId
);
id!(
    /// A table of element indices.
    TableId
);
id!(
    /// A weighted set of connections between two spaces.
    ConnectionId
);
id!(
    /// A kernel of weights that slides over a grid.
    ConvolutionId
);
id!(
    /// A set of connections that spikes travel along.
    FanoutId
);
id!(
    /// A source of random numbers.
    RandomId
);
id!(
    /// A quantity whose past values are kept.
    HistoryId
);
id!(
    /// An event.
    EventId
);

impl SpaceId {
    /// The space with one element.
    pub const SCALAR: SpaceId = SpaceId(0);
}

/// The structural operations. Everything pointwise is a row of the function table behind [`Op::Call`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// A number, by its bits (so that -0 and NaN are what they are).
    Constant(u64),
    /// Time at the start of the step.
    Time,
    /// The step size.
    StepSize,
    /// Value of a state variable at the start of the step.
    State(StateId),
    /// Value of a parameter.
    Parameter(ParameterId),
    /// Value of an extrinsic input, constant over a step.
    Input(InputId),
    /// Uniform random numbers, new in each step and constant over it.
    Random(RandomId),
    /// A pointwise function of the arguments.
    Call(&'static Prim),
    /// `out[e] = argument[table[e]]`.
    Take(TableId),
    /// `out[i] = sum_e weight[e] * argument[source[e]]` over the entries `e` of target `i`, in order, from 0 on; each term is
    /// one fused multiply-add.
    Couple(ConnectionId),
    /// `out[i] = sum_k weight[k] * argument[read(i, k)]` over the taps `k` of a convolution, in order, from 0 on; each term is
    /// one fused multiply-add. Taps of weight 0 and those that read nothing have none.
    Convolve(ConvolutionId),
    /// `out[e]` = the history's value `steps` whole steps before the start of this step. No argument.
    Past {
        /// What is remembered.
        history: HistoryId,
        /// Steps back, for every element.
        steps: u32,
    },
    /// 1 where an event happens in this step, else 0; see [`super::event`]. No argument.
    Event(EventId),
    /// 1 where an event happened in the step before, else 0. No argument.
    Happened(EventId),
    /// `out[i] = sum_e weight[e] * past[delay[e]][source[e]]` over the entries `e` of target `i`, in order: as
    /// [`Op::Couple`], each entry with a delay of its own. What holds without delay is the argument, which is there if an
    /// entry has none; until discretisation it is the history's own value, and there is no argument.
    CouplePast {
        /// The connection, with delays.
        connection: ConnectionId,
        /// What is remembered.
        history: HistoryId,
    },
    /// Arguments `base`, `spike` and, if every source has a factor, `factor`: `out` is `base`; then for each source `j` in
    /// ascending order whose `spike[j]` is not 0, for each of its entries `e` in order, `out[target[e]] += weight[e]`
    /// (`weight[e] * factor[j]`, fused with the sum).
    Deliver(FanoutId),
}

/// One expression.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Node {
    /// The operation.
    pub op: Op,
    /// Its arguments.
    pub args: Vec<ExprId>,
    /// The index set of its value.
    pub space: SpaceId,
}

/// A hash-consed arena of expressions.
#[derive(Clone, Debug, Default)]
pub struct ExprGraph {
    nodes: Vec<Node>,
    ids: HashMap<Node, ExprId>,
}

impl ExprGraph {
    /// An empty graph.
    pub fn new() -> ExprGraph {
        ExprGraph::default()
    }

    /// Number of expressions.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The expression with this id.
    pub fn node(&self, id: ExprId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The index set of an expression.
    pub fn space(&self, id: ExprId) -> SpaceId {
        self.node(id).space
    }

    /// Adds an expression, or finds the equal one.
    pub fn add(&mut self, op: Op, args: Vec<ExprId>, space: SpaceId) -> ExprId {
        let node = Node { op, args, space };
        if let Some(&id) = self.ids.get(&node) {
            return id;
        }
        let id = ExprId(self.nodes.len() as u32);
        debug_assert!(node.args.iter().all(|a| *a < id));
        self.nodes.push(node.clone());
        self.ids.insert(node, id);
        id
    }

    /// A number.
    pub fn constant(&mut self, value: f64) -> ExprId {
        self.add(Op::Constant(value.to_bits()), Vec::new(), SpaceId::SCALAR)
    }

    /// The number an expression is, if it is one.
    pub fn as_constant(&self, id: ExprId) -> Option<f64> {
        match self.node(id).op {
            Op::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// Time at the start of the step.
    pub fn time(&mut self) -> ExprId {
        self.add(Op::Time, Vec::new(), SpaceId::SCALAR)
    }

    /// The step size.
    pub fn step_size(&mut self) -> ExprId {
        self.add(Op::StepSize, Vec::new(), SpaceId::SCALAR)
    }

    /// A pointwise call. The arguments' spaces must agree where they are not scalar.
    pub fn call(&mut self, prim: &'static Prim, args: &[ExprId]) -> ExprId {
        debug_assert_eq!(prim.arity, args.len(), "{}", prim.name);
        let space = args.iter().map(|a| self.space(*a)).max().unwrap_or(SpaceId::SCALAR);
        debug_assert!(
            args.iter().all(|a| self.space(*a) == SpaceId::SCALAR || self.space(*a) == space),
            "`{}` joins two different spaces",
            prim.name
        );
        self.add(Op::Call(prim), args.to_vec(), space)
    }

    /// `a + b`
    pub fn sum(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.call(&arith::ADD, &[a, b])
    }

    /// `a - b`
    pub fn difference(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.call(&arith::SUB, &[a, b])
    }

    /// `a * b`
    pub fn product(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.call(&arith::MUL, &[a, b])
    }

    /// `a / b`
    pub fn quotient(&mut self, a: ExprId, b: ExprId) -> ExprId {
        self.call(&arith::DIV, &[a, b])
    }

    /// `-a`
    pub fn negative(&mut self, a: ExprId) -> ExprId {
        self.call(&arith::NEG, &[a])
    }

    /// The expressions that `roots` depend on, themselves included, in ascending (topological) order.
    pub fn reachable(&self, roots: impl IntoIterator<Item = ExprId>) -> Vec<ExprId> {
        let mut seen = vec![false; self.nodes.len()];
        let mut stack: Vec<ExprId> = roots.into_iter().collect();
        while let Some(id) = stack.pop() {
            if !std::mem::replace(&mut seen[id.index()], true) {
                stack.extend(self.node(id).args.iter().copied());
            }
        }
        (0..self.nodes.len() as u32).map(ExprId).filter(|id| seen[id.index()]).collect()
    }

    /// Rebuilds everything `roots` depend on, bottom up: `rule` gets each node with its arguments already rebuilt and
    /// returns the expression to use instead, or `None` to keep the node. Returns the images of all rebuilt expressions.
    pub fn rewrite(
        &mut self,
        roots: impl IntoIterator<Item = ExprId>,
        mut rule: impl FnMut(&mut ExprGraph, &Node) -> Option<ExprId>,
    ) -> HashMap<ExprId, ExprId> {
        let mut image = HashMap::new();
        for id in self.reachable(roots) {
            let mut node = self.node(id).clone();
            for arg in &mut node.args {
                *arg = image[arg];
            }
            let new = match rule(self, &node) {
                Some(new) => new,
                None => {
                    // A call's space follows its arguments, which may have changed from scalar to array or back.
                    match node.op {
                        Op::Call(prim) => self.call(prim, &node.args),
                        Op::Take(_) if self.became_scalar(id, &node) => node.args[0],
                        Op::Couple(_) | Op::Convolve(_) if self.became_scalar(id, &node) => {
                            // Connections count on elements: the number, chosen whatever the array was.
                            let array = self.node(id).args[0];
                            let always = self.constant(1.0);
                            let spread = self.call(&arith::SELECT, &[always, node.args[0], array]);
                            self.add(node.op, vec![spread], node.space)
                        }
                        op => self.add(op, node.args, node.space),
                    }
                }
            };
            image.insert(id, new);
        }
        image
    }

    /// Whether the argument of a node was an array, and is one number in its rewritten form.
    fn became_scalar(&self, id: ExprId, rewritten: &Node) -> bool {
        let is_scalar = |node: &Node| self.space(node.args[0]) == SpaceId::SCALAR;
        !is_scalar(self.node(id)) && is_scalar(rewritten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_that_becomes_a_number_can_still_be_moved() {
        let mut g = ExprGraph::new();
        let x = g.add(Op::State(StateId(0)), vec![], SpaceId(1));
        let taken = g.add(Op::Take(TableId(0)), vec![x], SpaceId(2));
        let summed = g.add(Op::Couple(ConnectionId(0)), vec![x], SpaceId(2));
        let image = g.rewrite([taken, summed], |g, node| (node.op == Op::State(StateId(0))).then(|| g.constant(3.0)));
        assert_eq!(g.as_constant(image[&taken]), Some(3.0));
        let argument = g.node(image[&summed]).args[0];
        assert_eq!(g.space(argument), SpaceId(1), "connections read elements");
    }

    #[test]
    fn equal_expressions_are_one_expression() {
        let mut g = ExprGraph::new();
        let (a, b) = (g.constant(1.0), g.constant(2.0));
        assert_eq!(g.sum(a, b), g.sum(a, b));
        assert_ne!(g.sum(a, b), g.sum(b, a));
        let (plus, minus) = (g.constant(0.0), g.constant(-0.0));
        assert_ne!(plus, minus);
    }

    #[test]
    fn rewrite_replaces_leaves_everywhere_and_shares() {
        let mut g = ExprGraph::new();
        let x = g.add(Op::State(StateId(0)), vec![], SpaceId(1));
        let t = g.time();
        let xt = g.product(x, t);
        let root = g.sum(xt, xt);
        let one = g.constant(1.0);
        let image = g.rewrite([root], |_, node| (node.op == Op::Time).then_some(one));
        let expected = g.product(x, one);
        assert_eq!(image[&root], g.sum(expected, expected));
        assert_eq!(g.space(image[&root]), SpaceId(1));
    }
}
