//! What one core can do, and what steps ask of it.

use std::process::Command;

use nullcline::compiler::ir::prim::arith;
use nullcline::compiler::kernel::ir::{Body, Module, Stmt, ValueOp};

use super::compile;

/// What one core can do, measured now.
#[derive(Clone, Copy)]
pub struct Peak {
    /// Operations per second, in double precision: multiply-adds in registers, each counting as two.
    pub operations: f64,
    /// Bytes per second read from memory.
    pub bytes: f64,
}

impl Peak {
    /// Measures it.
    pub fn measure() -> Peak {
        let out = Command::new(compile("peak", &[])).output().unwrap();
        let out = String::from_utf8(out.stdout).unwrap();
        let numbers: Vec<f64> = out.split_whitespace().skip(1).map(|n| n.parse::<f64>().unwrap() * 1e9).collect();
        let peak = Peak { operations: numbers[0], bytes: numbers[1] };
        let [operations, bytes] = [peak.operations, peak.bytes].map(|x| x / 1e9);
        println!("one core: {operations:.1} GFLOP/s of multiply-adds, {bytes:.1} GB/s read from memory\n");
        peak
    }
}

/// Floating-point operations of one step of a module, a multiply-add counting as two.
pub fn operations(module: &Module) -> f64 {
    let of_kernel = |at: &usize| match &module.kernels[*at].body {
        Body::Pointwise(body) => {
            let calls = body.iter().map(|stmt| match stmt {
                Stmt::Let(_, ValueOp::Call(prim, _)) if **prim == arith::FMA => 2,
                Stmt::Let(_, ValueOp::Call(..)) => 1,
                _ => 0,
            });
            calls.sum::<usize>() * module.kernels[*at].extent
        }
        Body::Convolve { convolution, .. } => {
            let convolution = &module.convolutions[*convolution];
            2 * convolution.members as usize * convolution.window.reads() as usize
        }
        Body::Couple { connection, .. } | Body::CouplePast { connection, .. } => {
            let connection = &module.connections[*connection];
            2 * connection.members as usize * connection.sources.len()
        }
        Body::Take { .. } | Body::Deliver { .. } => 0,
    };
    module.step.iter().map(of_kernel).sum::<usize>() as f64
}
