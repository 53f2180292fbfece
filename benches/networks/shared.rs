//! One table of weights for many: the members of a batch, the places of a grid; beside every member on its own, and beside
//! lists of connections.

use std::num::NonZeroUsize;

use nullcline::compiler::ir::system::{Convolution, System};
use nullcline::compiler::kernel::ir::{Module, Precision};
use nullcline::compiler::kernel::target::Target;
use nullcline::compiler::pass::batch::batch;
use nullcline::compiler::pass::{Step, contract, discretise, events, legalise, prune, schedule, simplify};
use nullcline::compiler::scheme;
use nullcline::runtime::program::Window;
use nullcline::{Engine, Simulation};

use super::beside::peak::{Peak, operations};
use super::beside::{cpu_seconds, median};
use super::{ROUNDS, rates, unit, units};

/// Steps of a round.
const STEPS: u64 = 50;

/// Two ways to compute the same, and how many networks the first and the second compute at once.
struct Pair {
    name: &'static str,
    precision: Precision,
    modules: [Module; 2],
    members: [usize; 2],
}

pub fn table(peak: &Peak, wanted: Option<&str>) {
    let target = Engine::auto().target;
    let apart = Target { shares_weights: false, ..copy(target) };
    println!(
        "\n{:<42}{:>10}{:>10}{:>8}{:>9}",
        "CPU microseconds per step and network", "apart", "shared", "/apart", "of peak"
    );
    type Make<'a> = (&'static str, Precision, Box<dyn Fn(Precision) -> ([Module; 2], [usize; 2]) + 'a>);
    let alone = |members: usize| {
        move |precision| {
            let step = arithmetic(rates(1000), target, precision);
            let module = |step| schedule::schedule(step, precision);
            ([module(step.clone()), module(batch(step, members, &[], true))], [1, members])
        }
    };
    let listed = |channels: u32, size: u32| {
        let apart = &apart;
        move |precision| {
            let of = |target| schedule::schedule(arithmetic(sheet(channels, size), target, precision), precision);
            ([of(apart), of(target)], [1, 1])
        }
    };
    let pairs: [Make<'_>; 5] = [
        ("1000 rate units, 32 members, f32", Precision::F32, Box::new(alone(32))),
        ("1000 rate units, 32 members, f64", Precision::F64, Box::new(alone(32))),
        ("1000 rate units, 4 members, f64", Precision::F64, Box::new(alone(4))),
        ("64 x 64 places, kernel 5 x 5, f64", Precision::F64, Box::new(listed(1, 5))),
        ("64 x 64 places of 8 channels, 3 x 3, f64", Precision::F64, Box::new(listed(8, 3))),
    ];
    for (name, precision, make) in pairs {
        if wanted.is_none_or(|w| name.contains(w)) {
            let (modules, members) = make(precision);
            compare(peak, Pair { name, precision, modules, members });
        }
    }
}

fn compare(peak: &Peak, Pair { name, precision, modules, members }: Pair) {
    let made = operations(&modules[1]);
    let mut simulations = modules.map(|module| {
        let layout = module.layout();
        let mut simulation = Simulation::new((Engine::auto().load)(module, 1).unwrap(), layout, 0.1, Vec::new());
        simulation.set_threads(NonZeroUsize::MIN);
        simulation.advance(1).unwrap();
        simulation
    });
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (simulation, (times, members)) in simulations.iter_mut().zip(times.iter_mut().zip(members)) {
            let start = cpu_seconds();
            simulation.advance(STEPS).unwrap();
            times.push((cpu_seconds() - start) / (STEPS as f64 * members as f64));
        }
    }
    let [one, two] = [0, 1].map(|i| simulations[i].values("x").unwrap().unwrap());
    assert_eq!(one[..], two[..one.len()], "{name}: the same numbers");
    let [apart, shared] = times.map(median);
    let lanes = if precision == Precision::F64 { 1.0 } else { 2.0 };
    let of_peak = made / members[1] as f64 / shared / (peak.operations * lanes) * 100.0;
    println!("{name:<42}{:>10.2}{:>10.2}{:>8.2}{of_peak:>7.0} %", apart * 1e6, shared * 1e6, shared / apart);
}

fn copy(target: &Target) -> Target {
    Target {
        name: target.name,
        floats: target.floats,
        has: target.has,
        subnormals: target.subnormals,
        strict: target.strict,
        shares_weights: target.shares_weights,
        crosses: target.crosses,
    }
}

fn arithmetic(step: Step, target: &Target, precision: Precision) -> Step {
    let step = simplify::simplify(prune::prune(events::events(step)));
    contract::contract(legalise::legalise(step, target, precision).unwrap(), target)
}

/// `x' = -x + K * tanh(x)` on a torus, with a kernel of `size` times `size` places.
fn sheet(channels: u32, size: u32) -> Step {
    const SIDE: u32 = 64;
    let grid = [SIDE, SIDE, channels];
    let mut s = System::new("sheet");
    let space = s.add_space("places", (SIDE * SIDE * channels) as usize);
    let (id, x) = s.add_state("x", space, units(51, (SIDE * SIDE * channels) as usize, |u| 2.0 * u - 1.0));
    let tanh = s.graph.call(nullcline::compiler::ir::prim::lookup("tanh").unwrap(), &[x]);
    let origin = [(size - 1) / 2; 2];
    let window = Window { source: grid, target: grid, kernel: [size; 2], stride: [1, 1], origin, periodic: true };
    let weights = (0..window.weights()).map(|w| (2.0 * unit(52, w) - 1.0) / window.taps() as f64).collect();
    let (name, source, target) = ("kernel".to_string(), space, space);
    let convolution = Convolution { name, source, target, window, weights, members: 1 };
    let sum = s.convolve(convolution, tanh);
    s.states[id.index()].derivative = s.graph.difference(sum, x);
    discretise::discretise(s, Vec::new(), scheme::lookup("euler").unwrap()).unwrap()
}
