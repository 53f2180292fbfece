//! How steps are handed over: one by one or many at a time, kernel by kernel or whole networks, in one piece of memory or in
//! many. The numbers are the same.

use std::sync::atomic::{AtomicU64, Ordering};

use nullcline::compiler::backend::wgsl::{WGSL, wgsl};
use nullcline::compiler::kernel::many::{ManySteps, many_steps};
use nullcline::runtime::artifact::{DeviceError, Executable, Totals};
use nullcline::runtime::code::{Artifact, Limits};
use nullcline::runtime::device::wgpu::Wgpu;
use nullcline::runtime::observe::Recording;
use nullcline::{Engine, Interrupt, Model, Schedule};

use super::{device, models, single};

/// The numbers of a run, columns as bits and spikes.
type Numbers = (Vec<Vec<u64>>, Vec<nullcline::runtime::observe::Spikes>);

/// Some steps of a model on an engine.
fn run(model: &Model, engine: &'static Engine, steps: u64, every: u64) -> Numbers {
    let prepared = model.compile(engine).unwrap_or_else(|e| panic!("{e}")).load().unwrap_or_else(|e| panic!("{e}"));
    let mut simulation = prepared.simulation.with_independent_columns();
    let mut recording = simulation.recording();
    let schedule = Schedule { steps, every, cutoff: 0.0, include_end: true };
    simulation.run(&schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    let bits = recording.columns.iter().map(|c| c.iter().map(|v| v.to_bits()).collect());
    (bits.collect(), recording.spikes)
}

fn wgpu() -> &'static Engine {
    Engine::lookup("wgpu").unwrap()
}

/// Many members at once, each with a time loop of its own on the device, and a run of some of them: the same bits.
#[test]
fn members_of_a_batch_have_the_bits_of_runs_in_other_company() {
    if device().is_none() {
        return;
    }
    let model = single("templates/jansen_rit");
    let engine = Engine::lookup("wgpu").unwrap();
    let values: Vec<f64> = (0..100).map(|i| 100.0 + f64::from(i)).collect();
    let record = |values: &[f64], every: u64| {
        let batch = model.batch_on(&[("p", values.to_vec())], engine).unwrap();
        let prepared = batch.simulation(0..values.len()).unwrap();
        let (mut simulation, mut schedule) = (prepared.simulation, prepared.schedule);
        (schedule.steps, schedule.every) = (200, every);
        let mut recording = Recording::new(simulation.labels());
        simulation.run(&schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
        recording.columns
    };
    let (all, few) = (record(&values, 1), record(&values[40..43], 10));
    for (found, expected) in few.iter().zip(&all[40..43]) {
        let rows: Vec<f64> = expected.iter().step_by(10).copied().collect();
        assert_eq!(*found, rows);
    }
}

/// Recording more seldom runs more steps at a time: the same bits and spikes, with delays, noise, time and inputs.
#[test]
fn many_steps_at_a_time_are_the_steps_one_by_one() {
    if device().is_none() {
        return;
    }
    let (mut compared, mut spikes) = (0, 0);
    for (name, mut model) in models::models().step_by(3).chain(models::small_networks()) {
        model.settings.precision = Some(model.name("precision", "f32"));
        let (often, seldom) = (run(&model, wgpu(), 210, 1), run(&model, wgpu(), 210, 7));
        for (often, seldom) in often.0.iter().zip(&seldom.0) {
            let often: Vec<u64> = often.iter().step_by(7).copied().collect();
            assert_eq!(often, *seldom, "{name}");
            compared += 1;
        }
        assert_eq!(often.1, seldom.1, "{name}");
        spikes += often.1.iter().map(|s| s.times.len()).sum::<usize>();
    }
    assert!(compared > 20 && spikes > 100, "{compared} columns, {spikes} spikes");
}

/// Loads a module with its code changed, or for other limits.
fn load(
    module: &nullcline::compiler::kernel::ir::Module,
    index: usize,
    limits: impl FnOnce(Limits) -> Limits,
    change: impl FnOnce(&mut Artifact),
) -> Result<Box<dyn Executable>, DeviceError> {
    let device = Wgpu::open(index)?;
    let mut artifact = wgsl(module, &limits(device.limits()));
    change(&mut artifact);
    device.load(&artifact)
}

static BY_KERNEL: Engine = Engine {
    name: "wgpu, kernel by kernel",
    target: &WGSL,
    device: "wgpu",
    load: |module, index| load(&module, index, |limits| limits, |artifact| artifact.steps = None),
    doc: "",
};

/// Devices in software step larger networks kernel by kernel, if they are let.
static TOGETHER: Engine = Engine {
    name: "wgpu, together",
    target: &WGSL,
    device: "wgpu",
    load: |module, index| {
        let limits = |limits| Limits { together: usize::MAX, ..limits };
        load(&module, index, limits, |artifact| assert!(artifact.steps.is_some()))
    },
    doc: "",
};

/// Small networks are stepped by one group of invocations, many steps at a time; the members of a batch by one each. The bits
/// are those of one launch for each kernel.
#[test]
fn networks_in_one_launch_have_the_bits_of_one_launch_per_kernel() {
    let Some((_, double)) = device() else { return };
    let precisions = if double { &["f32", "f64"][..] } else { &["f32"] };
    let mut networks = 0;
    for (name, mut model) in models::models().chain(models::small_networks()) {
        for precision in precisions {
            model.settings.precision = Some(model.name("precision", precision));
            let compiled = model.compile(wgpu()).unwrap_or_else(|e| panic!("{e}"));
            let Some(ManySteps::Groups(_)) = many_steps(&compiled.module, 256) else { continue };
            networks += 1;
            assert!(run(&model, &TOGETHER, 120, 40) == run(&model, &BY_KERNEL, 120, 40), "{name}, {precision}");
        }
    }
    assert!(networks > 20, "{networks} networks");
}

#[test]
fn members_of_a_network_have_groups_of_their_own_and_the_bits_of_one_launch_per_kernel() {
    if device().is_none() {
        return;
    }
    let mut model = single("templates/kuramoto");
    model.drive("all/phase/I", "sin(t)");
    let values: Vec<f64> = (0..150).map(|i| 0.5 + f64::from(i) / 100.0).collect();
    let numbers = |engine: &'static Engine| {
        let batch = model.batch_on(&[("all/phase/omega", values.clone())], engine).unwrap_or_else(|e| panic!("{e}"));
        let module = batch.compile(0..values.len()).unwrap().module;
        let Some(ManySteps::Groups(groups)) = many_steps(&module, 256) else { panic!("it is a small network") };
        assert_eq!(groups.parts, values.len());
        let mut prepared = batch.simulation(0..values.len()).unwrap();
        (prepared.schedule.steps, prepared.schedule.every) = (100, 20);
        let mut recording = prepared.simulation.recording();
        prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
        recording.columns.iter().map(|c| c.iter().map(|v| v.to_bits()).collect()).collect::<Vec<Vec<u64>>>()
    };
    assert!(numbers(&TOGETHER) == numbers(&BY_KERNEL));
}

/// The largest binding that the device has here, in bytes.
static LARGEST: AtomicU64 = AtomicU64::new(0);

static SPLIT: Engine = Engine {
    name: "wgpu, in pieces",
    target: &WGSL,
    device: "wgpu",
    load: |module, index| {
        let binding_bytes = LARGEST.load(Ordering::Relaxed);
        load(&module, index, |limits| Limits { binding_bytes, ..limits }, |_| {})
    },
    doc: "",
};

/// A device with small bindings has a model's memory in several, and its connections in several pieces.
#[test]
fn models_in_pieces_have_the_bits_of_models_in_one() {
    let Some((device, _)) = device() else { return };
    let (mut pieces, mut banks) = (0, 0);
    for (name, mut model) in models::small_networks() {
        model.settings.precision = Some(model.name("precision", "f32"));
        let module = model.compile(&SPLIT).unwrap_or_else(|e| panic!("{e}")).module;
        // As small as the largest buffer allows.
        let largest = module.layout().buffers.iter().map(|b| 4 * b.len * b.slots).max().unwrap().max(1024) as u64;
        LARGEST.store(largest, Ordering::Relaxed);
        let cut = wgsl(&module, &Limits { binding_bytes: largest, ..device.limits() });
        pieces += cut.entries.iter().filter(|e| e.name.contains("_part_")).count();
        banks += cut.banks.len();
        assert!(cut.banks.iter().all(|bank| bank.len as u64 * 4 <= largest), "{name}");
        assert!(run(&model, &SPLIT, 100, 10) == run(&model, wgpu(), 100, 10), "{name}");
    }
    assert!(pieces > 10 && banks > 20, "{pieces} pieces, {banks} banks");
}

/// Means and extremes without rows are those of the rows.
#[test]
fn totals_are_those_of_the_rows() {
    let Some((_, double)) = device() else { return };
    let mut model = single("templates/jansen_rit");
    let values: Vec<f64> = (0..70).map(|i| 100.0 + 2.0 * f64::from(i)).collect();
    for precision in if double { &["f32", "f64"][..] } else { &["f32"] } {
        model.settings.precision = Some(model.name("precision", precision));
        let batch = model.batch_on(&[("p", values.clone())], wgpu()).unwrap_or_else(|e| panic!("{e}"));
        for (steps, every, dropped) in [(300, 1, 0.0), (305, 7, 50.0), (200, 200, 0.0)] {
            let cutoff = dropped * model.settings.dt.unwrap();
            let schedule = Schedule { steps, every, cutoff, include_end: true };
            let mut simulation = batch.simulation(0..values.len()).unwrap().simulation;
            let mut found = Totals::new(values.len());
            let summary = simulation.reduce(&schedule, &mut found, &mut |_| Interrupt::Continue).unwrap();
            let mut simulation = batch.simulation(0..values.len()).unwrap().simulation;
            let mut expected = Totals::new(values.len());
            let recorded = simulation.run(&schedule, &mut expected, &mut |_| Interrupt::Continue).unwrap();
            assert_eq!((summary.steps, summary.rows), (recorded.steps, recorded.rows));
            assert_eq!(
                (found.rows, &found.lowest, &found.highest),
                (expected.rows, &expected.lowest, &expected.highest)
            );
            // In single precision the second part of a sum rounds by 2^-24 of itself with each row, and is no larger than as
            // many roundings of the first part; in double precision it is there too.
            let rows = found.rows as f64;
            assert!(found.rows > 1);
            let part = if *precision == "f32" { rows * rows * 2f64.powi(-48) } else { rows * 2f64.powi(-52) };
            for (column, (found, exact)) in found.sums.iter().zip(&expected.sums).enumerate() {
                let largest = expected.highest[column].abs().max(expected.lowest[column].abs()) * rows;
                assert!((found - exact).abs() <= part * largest, "{precision}: {found} is not {exact}");
            }
        }
    }
}
