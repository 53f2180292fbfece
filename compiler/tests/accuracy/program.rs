//! A formula of the library as a list of basic operations, for evaluation at many points.

use nullcline_compiler::ir::expr::{ExprGraph, ExprId, InputId, Op, SpaceId};
use nullcline_compiler::ir::prim::Prim;
use nullcline_compiler::kernel::flush::{number, operation};
use nullcline_compiler::kernel::ir::Precision;
use nullcline_compiler::kernel::target::basic;
use nullcline_compiler::pass::elementary::{expand, format};

enum Source {
    Argument(usize),
    Number(f64),
    Call(&'static Prim, Vec<usize>),
}

/// A formula.
pub struct Program {
    precision: Precision,
    sources: Vec<Source>,
    values: Vec<f64>,
}

impl Program {
    /// Expands a function down to basic operations.
    pub fn new(prim: &'static Prim, precision: Precision) -> Program {
        let mut graph = ExprGraph::new();
        let args: Vec<ExprId> =
            (0..prim.arity as u32).map(|i| graph.add(Op::Input(InputId(i)), vec![], SpaceId::SCALAR)).collect();
        let mut root = graph.call(prim, &args);
        loop {
            let mut changed = false;
            let image = graph.rewrite([root], |graph, node| match node.op {
                Op::Call(prim) if !basic(prim) => {
                    changed = true;
                    Some(expand(graph, prim, &node.args, format(precision, true)).expect("a function with a formula"))
                }
                _ => None,
            });
            root = image[&root];
            if !changed {
                break;
            }
        }
        let order = graph.reachable([root]);
        let place = |id: &ExprId| order.binary_search(id).expect("arguments are reachable");
        let sources: Vec<Source> = order
            .iter()
            .map(|id| match graph.node(*id).op {
                Op::Input(i) => Source::Argument(i.index()),
                Op::Constant(bits) => Source::Number(number(f64::from_bits(bits), precision)),
                Op::Call(prim) => Source::Call(prim, graph.node(*id).args.iter().map(place).collect()),
                other => panic!("{other:?} in a formula"),
            })
            .collect();
        let values = vec![0.0; sources.len()];
        Program { precision, sources, values }
    }

    /// Its value.
    pub fn evaluate(&mut self, args: &[f64]) -> f64 {
        let mut operands = [0.0; 3];
        for i in 0..self.sources.len() {
            self.values[i] = match &self.sources[i] {
                Source::Argument(a) => number(args[*a], self.precision),
                Source::Number(value) => *value,
                Source::Call(prim, from) => {
                    for (operand, place) in operands.iter_mut().zip(from) {
                        *operand = self.values[*place];
                    }
                    operation(prim, &operands[..from.len()], self.precision)
                }
            };
        }
        self.values[self.values.len() - 1]
    }

    /// Number of operations.
    pub fn operations(&self) -> usize {
        self.sources.iter().filter(|s| matches!(s, Source::Call(..))).count()
    }

    /// Operations on the longest path from an argument to the value.
    pub fn depth(&self) -> usize {
        let mut depth: Vec<usize> = Vec::new();
        for source in &self.sources {
            depth.push(match source {
                Source::Call(_, from) => 1 + from.iter().map(|f| depth[*f]).max().unwrap_or(0),
                _ => 0,
            });
        }
        depth[depth.len() - 1]
    }
}
