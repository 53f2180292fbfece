//! Text form of a module, for `--emit kernel` and tests.
//!
//! ```text
//! module NAME f64
//!   buffer NAME[100]: state = 0.5                  elements, role, initial value when not 0
//!   buffer NAME@past[100]: history of 11 slots
//!   buffer NAME[100]: input = series 0, columns [0, 1, ..]
//!   table t0 = [3, 1, ..]
//!   connection c0, 12 entries of weight 0.5: NAME  `, delays [1, 3]` if its entries have some
//!   fanout f0, 12 entries of weight 0.5: NAME
//!   setup: KERNEL, ..                              kernels of each phase, in order
//!   remember: ..
//!   step: ..
//!   observe: ..
//!   kernel NAME over 100                           once per element, in no order
//!     let %0 = load x                              this element; `load x[0]`: the only one of a scalar
//!     let %1 = past x@past 3                         this element of the slot written 3 steps ago
//!     let %2 = mul %0 %1
//!     store x %2
//!   kernel NAME over 100: y = take t0 x            y[i] = x[t0[i]]
//!   kernel NAME over 100: y = couple c0 x          y[i] = sum of the entries of i
//!   kernel NAME over 100: y = couple c0 x@past z   each entry from its slot of x@past, those without delay from z
//!   kernel NAME over 100: y += deliver f0 s        y[i] += the entries of sources with s not 0; `s * u`: times u[j]
//! ```

use std::fmt::{self, Display, Formatter};

use super::ir::{Body, Buffer, BufferId, BufferRole, Index, Kernel, Module, Phase, Stmt, ValueOp};
use crate::ir::text::{convolution, delays, entries, list, values};
use crate::syntax::print::number;

const PHASES: &[(&str, Phase)] =
    &[("setup", Phase::Setup), ("remember", Phase::Remember), ("step", Phase::Step), ("observe", Phase::Observe)];

impl Display for Module {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "module {} {}", self.name, self.precision.name())?;
        for index in 0..self.buffers.len() {
            self.buffer_line(f, BufferId(index as u32))?;
        }
        for (i, table) in self.tables.iter().enumerate() {
            writeln!(f, "  table t{i} = {}", list(table.iter().map(u32::to_string)))?;
        }
        for (i, c) in self.connections.iter().enumerate() {
            let (count, weights) = (entries(c.sources.len()), values(&c.weights));
            writeln!(f, "  connection c{i}, {count} of weight {weights}{}: {}", delays(c), c.name)?;
        }
        for (i, c) in self.convolutions.iter().enumerate() {
            writeln!(f, "  convolution v{i}, {}", convolution(c))?;
        }
        for (i, fanout) in self.fanouts.iter().enumerate() {
            let (count, weights) = (entries(fanout.targets.len()), values(&fanout.weights));
            writeln!(f, "  fanout f{i}, {count} of weight {weights}: {}", fanout.name)?;
        }
        for (name, phase) in PHASES {
            let kernels: Vec<&str> = self.phase(*phase).iter().map(|k| &*self.kernels[*k].name).collect();
            writeln!(f, "{}", format!("  {name}: {}", kernels.join(", ")).trim_end())?;
        }
        for kernel in &self.kernels {
            self.kernel_lines(f, kernel)?;
        }
        Ok(())
    }
}

impl Module {
    /// The past of a quantity has the quantity's name, so it gets a mark.
    fn name(&self, buffer: BufferId) -> String {
        let Buffer { name, role, .. } = &self.buffers[buffer.index()];
        let mark = if matches!(role, BufferRole::History(_)) { "@past" } else { "" };
        format!("{name}{mark}")
    }

    fn buffer_line(&self, f: &mut Formatter<'_>, id: BufferId) -> fmt::Result {
        let buffer = &self.buffers[id.index()];
        let role = match buffer.role {
            BufferRole::State(_) => "state",
            BufferRole::Parameter(_) => "parameter",
            BufferRole::Input(_) => "input",
            BufferRole::Random(_) => "random",
            BufferRole::Derived(_) => "derived",
            BufferRole::Scratch(_) => "scratch",
            BufferRole::Argument(..) => "argument",
            BufferRole::Observed(_) => "observed",
            BufferRole::History(_) => "history",
            BufferRole::Event(_) => "event",
        };
        write!(f, "  buffer {}[{}]: {role}", self.name(id), buffer.len)?;
        if matches!(buffer.role, BufferRole::History(_)) {
            write!(f, " of {} slots", self.slots(id))?;
        }
        if let Some((_, initial)) = self.initial.iter().find(|(b, _)| *b == id) {
            write!(f, " = {}", values(initial))?;
        }
        if let Some((_, input)) = self.inputs.iter().find(|(b, _)| *b == id) {
            let columns = input.columns.iter().map(|c| c.map_or("-".to_string(), |c| c.to_string()));
            write!(f, " = series {}, columns {}", input.series, list(columns))?;
        }
        writeln!(f)
    }

    fn kernel_lines(&self, f: &mut Formatter<'_>, kernel: &Kernel) -> fmt::Result {
        write!(f, "  kernel {} over {}", kernel.name, kernel.extent)?;
        match &kernel.body {
            Body::Take { table, source, target } => {
                writeln!(f, ": {} = take t{table} {}", self.name(*target), self.name(*source))
            }
            Body::Couple { connection, source, target } => {
                writeln!(f, ": {} = couple c{connection} {}", self.name(*target), self.name(*source))
            }
            Body::Convolve { convolution, source, target } => {
                writeln!(f, ": {} = convolve v{convolution} {}", self.name(*target), self.name(*source))
            }
            Body::CouplePast { connection, history, current, target } => {
                let current = current.map_or(String::new(), |c| format!(" {}", self.name(c)));
                writeln!(f, ": {} = couple c{connection} {}{current}", self.name(*target), self.name(*history))
            }
            Body::Deliver { fanout, spikes, factor, target } => {
                let factor = factor.map_or(String::new(), |u| format!(" * {}", self.name(u)));
                writeln!(f, ": {} += deliver f{fanout} {}{factor}", self.name(*target), self.name(*spikes))
            }
            Body::Pointwise(statements) => {
                writeln!(f)?;
                statements.iter().try_for_each(|statement| self.statement_line(f, statement))
            }
        }
    }

    fn statement_line(&self, f: &mut Formatter<'_>, statement: &Stmt) -> fmt::Result {
        let place = |buffer: &BufferId, index: &Index| match index {
            Index::Element => self.name(*buffer),
            Index::Zero => format!("{}[0]", self.name(*buffer)),
        };
        match statement {
            Stmt::Store(buffer, value) => writeln!(f, "    store {} %{}", self.name(*buffer), value.0),
            Stmt::Let(value, op) => {
                write!(f, "    let %{} = ", value.0)?;
                match op {
                    ValueOp::Constant(x) => write!(f, "{}", number(*x))?,
                    ValueOp::Time => write!(f, "time")?,
                    ValueOp::StepSize => write!(f, "dt")?,
                    ValueOp::Load { buffer, index } => write!(f, "load {}", place(buffer, index))?,
                    ValueOp::Past { buffer, index, steps } => write!(f, "past {} {steps}", place(buffer, index))?,
                    ValueOp::Call(prim, args) => {
                        write!(f, "{}", prim.name)?;
                        args.iter().try_for_each(|a| write!(f, " %{}", a.0))?;
                    }
                }
                writeln!(f)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::ir::expr::{HistoryId, ParameterId, SpaceId, StateId};
    use crate::ir::prim::arith;
    use crate::ir::system::{Connection, Fanout, History, Values};
    use crate::kernel::ir::{
        Body, Buffer, BufferId, BufferRole, Index, Kernel, Module, Precision, Stmt, ValueId, ValueOp,
    };

    #[test]
    fn every_part_of_a_module_has_its_line() {
        let mut m = Module::empty("net", Precision::F32);
        let (x, k, h) = (BufferId(0), BufferId(1), BufferId(2));
        m.buffers = vec![
            Buffer { name: "x".into(), role: BufferRole::State(StateId(0)), len: 3 },
            Buffer { name: "k".into(), role: BufferRole::Parameter(ParameterId(0)), len: 1 },
            Buffer { name: "x".into(), role: BufferRole::History(HistoryId(0)), len: 3 },
        ];
        m.initial = vec![(k, Values::Uniform(2.5))];
        m.tables = vec![Arc::from([2, 1, 0])];
        let (ends, weights) = ((SpaceId(1), SpaceId(1)), Values::Each([-1.0].into()));
        m.connections = vec![
            Connection::new("x to x", ends, [0, 1, 1, 1], [2], weights.clone()),
            Connection::new("late x", ends, [0, 1, 1, 1], [2], weights.clone()).with_delays([4]),
        ];
        m.fanouts = vec![Fanout::new("spikes", ends, [0, 0, 0, 1], [2], weights)];
        let value = crate::ir::expr::ExprId(0);
        m.histories = vec![(h, History { name: "x".into(), value, space: SpaceId(1), depth: 4 })];
        let v = ValueId;
        let body = vec![
            Stmt::Let(v(0), ValueOp::Load { buffer: k, index: Index::Zero }),
            Stmt::Let(v(1), ValueOp::Past { buffer: h, index: Index::Element, steps: 4 }),
            Stmt::Let(v(2), ValueOp::Call(&arith::MUL, vec![v(0), v(1)])),
            Stmt::Let(v(3), ValueOp::Constant(-0.5)),
            Stmt::Store(x, v(2)),
        ];
        m.kernels = vec![
            Kernel { name: "step_0".into(), extent: 3, body: Body::Pointwise(body) },
            Kernel { name: "step_1".into(), extent: 3, body: Body::Take { table: 0, source: x, target: h } },
            Kernel { name: "step_2".into(), extent: 3, body: Body::Couple { connection: 0, source: h, target: x } },
            Kernel {
                name: "step_3".into(),
                extent: 3,
                body: Body::CouplePast { connection: 1, history: h, current: Some(k), target: x },
            },
            Kernel {
                name: "step_4".into(),
                extent: 3,
                body: Body::Deliver { fanout: 0, spikes: x, factor: Some(k), target: x },
            },
        ];
        m.step = vec![0, 1, 2, 3, 4];
        let expected = "\
module net f32
  buffer x[3]: state
  buffer k[1]: parameter = 2.5
  buffer x@past[3]: history of 5 slots
  table t0 = [2, 1, 0]
  connection c0, 1 entry of weight [-1]: x to x
  connection c1, 1 entry of weight [-1], delays [4]: late x
  fanout f0, 1 entry of weight [-1]: spikes
  setup:
  remember:
  step: step_0, step_1, step_2, step_3, step_4
  observe:
  kernel step_0 over 3
    let %0 = load k[0]
    let %1 = past x@past 4
    let %2 = mul %0 %1
    let %3 = -0.5
    store x %2
  kernel step_1 over 3: x@past = take t0 x
  kernel step_2 over 3: x = couple c0 x@past
  kernel step_3 over 3: x = couple c1 x@past k
  kernel step_4 over 3: x += deliver f0 x * k
";
        assert_eq!(m.to_string(), expected);
    }
}
