//! Graphics processors: what they compute, and how they fail. Without one, or one in software (Debian's
//! `mesa-vulkan-drivers`), these tests say that they were skipped.
#![cfg(feature = "wgpu")]
#![allow(clippy::unwrap_used, dead_code)]

#[path = "support/bounds.rs"]
mod bounds;

use nullcline::compiler::backend::wgsl::{WGSL, wgsl};
use nullcline::compiler::ir::expr::{Op, ParameterId};
use nullcline::compiler::ir::prim::Prim;
use nullcline::compiler::ir::system::{System, Values};
use nullcline::compiler::kernel::ir::Precision;
use nullcline::compiler::pass::elementary::ROWS;
use nullcline::compiler::pass::{Observable, compile};
use nullcline::compiler::scheme;
use nullcline::runtime::artifact::{Phase, Role};
use nullcline::runtime::device::wgpu::{Wgpu, adapters};

/// The first device, with whether it computes in double precision.
fn device() -> Option<(Wgpu, bool)> {
    let Some(found) = adapters().into_iter().next() else {
        println!("skipped: there is no graphics processor and no software one");
        return None;
    };
    Some((Wgpu::open(0).unwrap(), found.double))
}

/// The values of a function on the device.
fn evaluate(device: &Wgpu, prim: &'static Prim, args: &[Vec<f64>], precision: Precision) -> Vec<f64> {
    let mut system = System::new("function");
    let space = system.add_space("points", args[0].len());
    let arguments: Vec<_> = (args.iter().enumerate())
        .map(|(i, values)| system.add_parameter(format!("a{i}"), space, Values::Each(values.clone().into())))
        .collect();
    // Parameters that are functions of nothing else are computed by the setup phase.
    assert!(matches!(system.graph.node(arguments[0]).op, Op::Parameter(ParameterId(0))));
    let value = system.graph.call(prim, &arguments);
    let observables = vec![Observable { name: "value".into(), value }];
    let module = compile(system, observables, &scheme::TABLE[0], precision, &WGSL).unwrap();
    let artifact = wgsl(&module, &device.limits());
    let buffer = artifact.layout.buffers.iter().position(|b| b.role == Role::Observed).unwrap();
    let mut executable = device.load(&artifact).unwrap();
    executable.run(Phase::Setup, 0, 0.0).unwrap();
    executable.run(Phase::Observe, 0, 0.0).unwrap();
    let mut values = Vec::new();
    executable.read(buffer, &mut values).unwrap();
    values
}

/// Arguments: uniform in the row's interval, then in one a hundred times as wide if the function goes on there.
fn points(prim: &Prim, single: bool) -> Vec<Vec<f64>> {
    const POINTS: usize = 20_000;
    let mut state = 1u64;
    let mut uniform = move || {
        // Knuth's linear congruential generator (MMIX); its upper bits.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let interval = |(low, high): (f64, f64), wide: bool| {
        let middle = (low + high) / 2.0;
        let half = (high - low) / 2.0 * if wide { 10.0 } else { 1.0 };
        (middle - half, middle + half)
    };
    prim.domain
        .iter()
        .map(|domain| {
            (0..POINTS)
                .map(|i| {
                    let (low, high) = interval(*domain, i % 2 == 1);
                    let x = low + (high - low) * uniform();
                    if single { f64::from(x as f32) } else { x }
                })
                .collect()
        })
        .collect()
}

/// The bound that the parity test takes for granted.
#[test]
fn every_elementary_function_is_as_accurate_on_the_device_as_the_bounds_assume() {
    let Some((device, double)) = device() else { return };
    for (precision, single) in [(Precision::F32, true), (Precision::F64, false)] {
        if !single && !double {
            println!("skipped: f64, the device lacks it");
            continue;
        }
        for row in ROWS {
            let args = points(row.prim, single);
            let found = evaluate(&device, row.prim, &args, precision);
            let (mut worst, mut at) = (0f64, 0);
            for (i, found) in found.iter().enumerate() {
                let point: Vec<f64> = args.iter().map(|a| a[i]).collect();
                let exact = (row.prim.eval)(&point);
                let (least, most, digits) = if single {
                    (f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX), 23)
                } else {
                    (f64::MIN_POSITIVE, f64::MAX, 52)
                };
                // Next to the ends of the format results are flushed or infinite; NaN is NaN.
                if exact.is_nan() {
                    assert!(found.is_nan(), "{} of {point:?}: found {found}, expected NaN", row.prim.name);
                    continue;
                }
                if exact.abs() < 2.0 * least || exact.abs() > most / 2.0 {
                    continue;
                }
                let unit = 2f64.powi(exact.abs().log2().floor() as i32 - digits);
                let error = (found - exact).abs() / unit;
                if error.is_nan() || error > worst {
                    (worst, at) = (if error.is_nan() { f64::INFINITY } else { error }, i);
                }
            }
            let point: Vec<f64> = args.iter().map(|a| a[at]).collect();
            println!("{:<10} {} {worst:.2}", row.prim.name, precision.name());
            assert!(
                worst <= bounds::ELEMENTARY / 2.0,
                "{} of {point:?}: {worst} units in the last place, found {}, expected {}",
                row.prim.name,
                found[at],
                (row.prim.eval)(&point)
            );
        }
    }
}
