//! Modules as programs for the engines of the runtime.

use std::sync::Arc;

use nullcline_runtime::program::{
    Binary, Body, Connection, Convolution, Fanout, Kernel, Op, Precision, Program, Unary,
};

use crate::ir::prim::{Prim, arith, bits};
use crate::ir::system::Values;
use crate::kernel::ir::{self, Index, Module, Stmt, ValueOp};
use crate::kernel::target::Target;

/// The engines of this process: basic operations only.
pub static PROGRAM: Target = Target {
    name: "program",
    subnormals: &[],
    floats: &[ir::Precision::F32, ir::Precision::F64],
    has: |prim| spelling(prim).is_some(),
    strict: true,
    shares_weights: true,
    crosses: |_| true,
};

/// A function of the table as an operation.
#[derive(Clone, Copy)]
enum Spelling {
    Unary(Unary),
    Binary(Binary),
    Fma,
    Select,
}

/// The functions that programs have.
static SPELLINGS: &[(&Prim, Spelling)] = &[
    (&arith::NEG, Spelling::Unary(Unary::Neg)),
    (&arith::ABS, Spelling::Unary(Unary::Abs)),
    (&arith::SQRT, Spelling::Unary(Unary::Sqrt)),
    (&arith::FLOOR, Spelling::Unary(Unary::Floor)),
    (&arith::CEIL, Spelling::Unary(Unary::Ceil)),
    (&arith::ROUND, Spelling::Unary(Unary::Round)),
    (&arith::TRUNC, Spelling::Unary(Unary::Trunc)),
    (&arith::NOT, Spelling::Unary(Unary::Not)),
    (&arith::ADD, Spelling::Binary(Binary::Add)),
    (&arith::SUB, Spelling::Binary(Binary::Sub)),
    (&arith::MUL, Spelling::Binary(Binary::Mul)),
    (&arith::DIV, Spelling::Binary(Binary::Div)),
    (&arith::MIN, Spelling::Binary(Binary::Min)),
    (&arith::MAX, Spelling::Binary(Binary::Max)),
    (&arith::LT, Spelling::Binary(Binary::Lt)),
    (&arith::LE, Spelling::Binary(Binary::Le)),
    (&arith::GT, Spelling::Binary(Binary::Gt)),
    (&arith::GE, Spelling::Binary(Binary::Ge)),
    (&arith::EQ, Spelling::Binary(Binary::Eq)),
    (&arith::NE, Spelling::Binary(Binary::Ne)),
    (&arith::AND, Spelling::Binary(Binary::And)),
    (&arith::OR, Spelling::Binary(Binary::Or)),
    (&bits::RAISE, Spelling::Unary(Unary::Raise)),
    (&bits::EXPONENT, Spelling::Unary(Unary::Exponent)),
    (&bits::MANTISSA, Spelling::Unary(Unary::Mantissa)),
    (&bits::XORSIGN, Spelling::Binary(Binary::XorSign)),
    (&bits::ALTERNATE, Spelling::Binary(Binary::Alternate)),
    (&arith::FMA, Spelling::Fma),
    (&arith::SELECT, Spelling::Select),
];

fn spelling(prim: &Prim) -> Option<Spelling> {
    SPELLINGS.iter().find(|row| row.0 == prim).map(|row| row.1)
}

/// Prints a module that is legal for [`PROGRAM`].
pub fn program(module: &Module) -> Program {
    let connections: Vec<Arc<Connection>> = module.connections.iter().map(|c| Arc::new(connection(c))).collect();
    let convolutions: Vec<Arc<Convolution>> = module.convolutions.iter().map(|c| Arc::new(convolution(c))).collect();
    let fanouts: Vec<Arc<Fanout>> = module.fanouts.iter().map(|f| Arc::new(fanout(f))).collect();
    let kernels = module.kernels.iter().map(|kernel| match &kernel.body {
        ir::Body::Pointwise(stmts) => Kernel::Pointwise { extent: kernel.extent, body: body(stmts) },
        ir::Body::Take { table, source, target } => {
            Kernel::Take { table: module.tables[*table].clone(), source: source.0, target: target.0 }
        }
        ir::Body::Couple { connection, source, target } => {
            Kernel::Couple { connection: connections[*connection].clone(), source: source.0, target: target.0 }
        }
        ir::Body::Convolve { convolution, source, target } => {
            Kernel::Convolve { convolution: convolutions[*convolution].clone(), source: source.0, target: target.0 }
        }
        ir::Body::CouplePast { connection, history, current, target } => Kernel::CouplePast {
            connection: connections[*connection].clone(),
            history: history.0,
            current: current.map(|c| c.0),
            target: target.0,
        },
        ir::Body::Deliver { fanout, spikes, factor, target } => Kernel::Deliver {
            fanout: fanouts[*fanout].clone(),
            spikes: spikes.0,
            factor: factor.map(|f| f.0),
            target: target.0,
        },
    });
    let list = |kernels: &[usize]| kernels.iter().map(|k| *k as u32).collect();
    Program {
        layout: module.layout(),
        precision: match module.precision {
            ir::Precision::F32 => Precision::F32,
            ir::Precision::F64 => Precision::F64,
        },
        kernels: kernels.collect(),
        phases: [list(&module.setup), list(&module.remember), list(&module.step), list(&module.observe)],
        initial: module.initial.iter().map(|(buffer, v)| (buffer.0, values(v))).collect(),
    }
}

fn connection(connection: &crate::ir::system::Connection) -> Connection {
    Connection {
        name: connection.name.clone(),
        starts: connection.starts.clone(),
        sources: connection.sources.clone(),
        weights: values(&connection.weights),
        delays: connection.delays.clone(),
        members: connection.members,
        stride: connection.stride,
    }
}

fn convolution(convolution: &crate::ir::system::Convolution) -> Convolution {
    Convolution {
        name: convolution.name.clone(),
        window: convolution.window,
        weights: convolution.weights.clone(),
        members: convolution.members,
    }
}

fn fanout(fanout: &crate::ir::system::Fanout) -> Fanout {
    Fanout {
        name: fanout.name.clone(),
        starts: fanout.starts.clone(),
        targets: fanout.targets.clone(),
        weights: values(&fanout.weights),
    }
}

fn values(values: &Values) -> Arc<[f64]> {
    match values {
        Values::Uniform(value) => [*value].into(),
        Values::Each(each) => each.clone(),
    }
}

fn body(stmts: &[Stmt]) -> Body {
    let mut body = Body::default();
    for stmt in stmts {
        match stmt {
            Stmt::Let(_, op) => body.values.push(operation(op)),
            Stmt::Store(buffer, value) => body.stores.push((buffer.0, value.0)),
        }
    }
    body
}

fn operation(op: &ValueOp) -> Op {
    let scalar = |index: &Index| *index == Index::Zero;
    match op {
        ValueOp::Constant(value) => Op::Constant(*value),
        ValueOp::Time => Op::Time,
        ValueOp::StepSize => Op::StepSize,
        ValueOp::Load { buffer, index } => Op::Load { buffer: buffer.0, scalar: scalar(index) },
        ValueOp::Past { buffer, index, steps } => Op::Past { buffer: buffer.0, scalar: scalar(index), steps: *steps },
        ValueOp::Call(prim, args) => {
            let spelling = spelling(prim).expect("`legalise` leaves only functions that the target has");
            match (spelling, &args[..]) {
                (Spelling::Unary(op), [a]) => Op::Unary(op, a.0),
                (Spelling::Binary(op), [a, b]) => Op::Binary(op, a.0, b.0),
                (Spelling::Fma, [a, b, c]) => Op::Fma(a.0, b.0, c.0),
                (Spelling::Select, [a, b, c]) => Op::Select(a.0, b.0, c.0),
                _ => unreachable!("`verify` checks the number of arguments"),
            }
        }
    }
}
