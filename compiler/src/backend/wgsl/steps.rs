//! The entry that runs many steps by itself: states, parameters and what kernels pass to each other stay in variables.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use super::entry::{Frame, Printer};
use super::random;
use crate::kernel::ir::{Body, BufferId, BufferRole, Stmt, ValueOp};

impl Printer<'_> {
    /// Prints the entry for a module whose elements are independent.
    pub fn steps(&mut self, extent: usize) -> u32 {
        let module = self.module;
        let bodies = module.step.iter().filter_map(|k| match &module.kernels[*k].body {
            Body::Pointwise(stmts) => Some(&stmts[..]),
            _ => None,
        });
        let bodies: Vec<&[Stmt]> = bodies.collect();
        // Ring buffers stay in memory; every other buffer that the step touches becomes a variable.
        let mut touched: BTreeMap<BufferId, bool> = BTreeMap::new();
        for stmt in bodies.iter().copied().flatten() {
            match stmt {
                Stmt::Let(_, ValueOp::Load { buffer, .. }) => _ = touched.entry(*buffer).or_insert(false),
                Stmt::Store(buffer, _) => _ = touched.insert(*buffer, true),
                Stmt::Let(..) => {}
            }
        }
        touched.retain(|buffer, _| !matches!(self.role(*buffer), BufferRole::History(_)));
        let registers = touched.keys().map(|b| (*b, format!("b{}", b.0))).collect();
        let [step, row, element] = ["step", "row", "i"].map(str::to_string);
        let frame = Frame { step, row, element, registers };

        let mut text = String::new();
        for (buffer, written) in &touched {
            match self.role(*buffer) {
                BufferRole::Input(_) | BufferRole::Random(_) => {}
                _ if *written => _ = writeln!(text, "    var b{} = {};", buffer.0, self.own(*buffer)),
                _ => _ = writeln!(text, "    let b{} = {};", buffer.0, self.own(*buffer)),
            }
        }
        text += "    for (var k = 0u; k < clock.count; k++) {\n        let step = clock.step + k;\n        \
                 let row = clock.row + k;\n";
        text += &self.fed(&touched.keys().copied().collect(), &frame);
        for stmts in bodies {
            _ = write!(text, "        {{\n{}        }}\n", self.body(stmts, &frame, "            "));
        }
        text += "    }\n";
        for (buffer, _) in touched.iter().filter(|(_, written)| **written) {
            if !matches!(self.role(*buffer), BufferRole::Scratch(_)) {
                let target = self.target(*buffer, "i");
                _ = writeln!(text, "    {target} = b{};", buffer.0);
            }
        }
        self.entry("steps", extent, &text)
    }

    /// The inputs and random numbers of a step.
    pub(super) fn fed(&mut self, read: &HashSet<BufferId>, frame: &Frame) -> String {
        let (module, mut text) = (self.module, String::new());
        for (index, (buffer, _)) in module.inputs.iter().enumerate().filter(|(_, (b, _))| read.contains(b)) {
            let value = self.input(index, frame);
            _ = writeln!(text, "        let b{} = {value};", buffer.0);
        }
        for (index, pair) in self.pairs().into_iter().enumerate() {
            let read: Vec<usize> = pair.iter().copied().filter(|at| read.contains(&module.randoms[*at].0)).collect();
            if read.is_empty() {
                continue;
            }
            _ = writeln!(text, "        let words_{index} = {};", self.words(pair[0], frame));
            for at in read {
                let (buffer, source) = &module.randoms[at];
                let number = random::number(&format!("words_{index}"), source.part);
                _ = writeln!(text, "        let b{} = {number};", buffer.0);
            }
        }
        text
    }

    fn role(&self, buffer: BufferId) -> BufferRole {
        self.module.buffers[buffer.index()].role
    }

    /// The entry's element of a buffer, or the only one.
    fn own(&mut self, buffer: BufferId) -> String {
        let index = if self.len(buffer) == 1 { "0u" } else { "i" };
        self.cell(buffer, index)
    }
}
