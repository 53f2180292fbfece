//! What devices refuse, and how they fail.

use std::sync::Mutex;

use nullcline::compiler::backend::wgsl::{WGSL, wgsl};
use nullcline::compiler::ir::system::{System, Values};
use nullcline::compiler::kernel::ir::Precision;
use nullcline::compiler::pass::compile;
use nullcline::compiler::scheme;
use nullcline::runtime::artifact::{Feeds, Role};
use nullcline::runtime::code::{Artifact, Binding};
use nullcline::runtime::device::wgpu::{Wgpu, adapters};
use nullcline::runtime::observe::{Recording, Sink};
use nullcline::runtime::sim::RunError;
use nullcline::{Engine, Interrupt, Model, Schedule, Simulation};

use super::{device, single};

#[test]
fn what_a_device_cannot_do_is_refused_by_name() {
    let Some((device, _)) = device() else { return };
    let count = adapters().len();
    let missing = Wgpu::open(count + 7).err().unwrap().to_string();
    assert!(missing.contains(&format!("wgpu:{}", count + 7)) && missing.contains("help:"), "{missing}");
    // More elements than a binding holds.
    let most = device.limits().binding_bytes as usize / 4;
    let mut system = System::new("large");
    let space = system.add_space("units", most + 1);
    system.add_state("x", space, Values::Uniform(0.0));
    let module = compile(system, Vec::new(), &scheme::TABLE[0], Precision::F32, &WGSL).unwrap();
    let refused = device.load(&wgsl(&module, &device.limits())).err().unwrap().to_string();
    assert!(refused.contains("in one piece") && refused.contains("help:"), "{refused}");
}

/// A sink that ends the device's life after so many rows.
struct Saboteur<'d>(&'d Wgpu, usize, usize);

impl Sink for Saboteur<'_> {
    fn row(&mut self, _: f64, _: &[f64]) -> std::io::Result<()> {
        self.2 += 1;
        if self.2 >= self.1 {
            self.0.destroy();
        }
        Ok(())
    }
}

#[test]
fn the_loss_of_a_device_is_reported_and_what_was_recorded_is_kept() {
    let Some((device, _)) = device() else { return };
    let compiled = single("templates/jansen_rit").compile(Engine::lookup("wgpu").unwrap()).unwrap();
    let artifact = wgsl(&compiled.module, &device.limits());
    let executable = device.load(&artifact).unwrap();
    let mut simulation = Simulation::new(executable, artifact.layout.clone(), compiled.dt, compiled.columns);
    let mut sink = Saboteur(&device, 1, 0);
    let schedule = Schedule { steps: 20_000, every: 10, cutoff: 0.0, include_end: false };
    let error = simulation.run(&schedule, &mut sink, &mut |_| Interrupt::Continue).unwrap_err();
    assert!(matches!(error, RunError::Device(_)), "{error}");
    assert!(sink.2 >= 1 && sink.2 < 2000, "{} rows", sink.2);
    // The message says up to where.
    let last = (sink.2 - 1) as f64 * 10.0 * compiled.dt;
    let said = error.to_string();
    let time = said.split("rows up to t = ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a note");
    assert!((time.parse::<f64>().unwrap() - last).abs() < 1e-9 && said.ends_with("are kept"), "{said}, {last}");
}

/// A sink that keeps spikes, and ends the device's life at the first one after some time.
struct SpikeSaboteur<'d> {
    device: &'d Wgpu,
    after: f64,
    kept: Recording,
}

impl Sink for SpikeSaboteur<'_> {
    fn row(&mut self, time: f64, values: &[f64]) -> std::io::Result<()> {
        self.kept.row(time, values)
    }

    fn spike(&mut self, event: usize, time: f64, unit: u32) -> std::io::Result<()> {
        if time >= self.after {
            self.device.destroy();
        }
        self.kept.spike(event, time, unit)
    }
}

/// The device of [`DOOMED`].
static DEVICE: Mutex<Option<Wgpu>> = Mutex::new(None);

static DOOMED: Engine = Engine {
    name: "wgpu, doomed",
    target: &WGSL,
    device: "wgpu",
    load: |module, index| {
        let device = Wgpu::open(index)?;
        *DEVICE.lock().unwrap() = Some(device.clone());
        device.load(&wgsl(&module, &device.limits()))
    },
    doc: "",
};

/// With and without recorded columns: the spikes up to the time of the message are those of a run that ends well.
#[test]
fn spikes_from_before_the_loss_of_a_device_are_kept() {
    if device().is_none() {
        return;
    }
    let mut model = super::support::networks::model("spiking/lif_n50");
    model.settings.precision = Some(model.name("precision", "f32"));
    let whole = run_all(&model);
    for columns in [true, false] {
        if !columns {
            model.settings.record.clear();
            model.record("z", "cells/neuron/z");
        }
        let mut simulation = model.compile(&DOOMED).unwrap().load().unwrap().simulation;
        let device = DEVICE.lock().unwrap().clone().unwrap();
        let kept = simulation.recording();
        assert_eq!(kept.columns.is_empty(), !columns);
        let mut sink = SpikeSaboteur { device: &device, after: 1.0, kept };
        let schedule = Schedule { steps: 60_000, every: 4, cutoff: 0.0, include_end: false };
        let error = simulation.run(&schedule, &mut sink, &mut |_| Interrupt::Continue).unwrap_err().to_string();
        let until = error.split("spikes up to t = ").nth(1).and_then(|rest| rest.split(' ').next());
        let until: f64 = until.unwrap_or_else(|| panic!("{error}")).parse().unwrap();
        let (found, expected) = (&sink.kept.spikes[0], &whole.spikes[0]);
        let count = expected.times.iter().filter(|t| **t < until).count();
        assert!(until >= 1.0 && count > 50 && found.times.len() >= count, "{until}: {} of {count}", found.times.len());
        assert_eq!((&found.times[..count], &found.ids[..count]), (&expected.times[..count], &expected.ids[..count]));
    }
}

fn run_all(model: &Model) -> Recording {
    let mut prepared = model.compile(Engine::lookup("wgpu").unwrap()).unwrap().load().unwrap();
    let mut recording = prepared.simulation.recording();
    prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    recording
}

/// What is done to an artifact, and what is said of it.
type Refused<'a> = (&'a dyn Fn(&mut Artifact), &'a str);

/// Code that the device does not allow is refused with the name of the entry, before anything is launched.
#[test]
fn entries_that_a_device_does_not_allow_are_refused_by_name() {
    let Some((device, double)) = device() else { return };
    let module = single("templates/jansen_rit").compile(Engine::lookup("wgpu").unwrap()).unwrap().module;
    let refused = |change: &dyn Fn(&mut Artifact)| {
        let mut artifact = wgsl(&module, &device.limits());
        change(&mut artifact);
        device.load(&artifact).err().expect("it is refused").to_string()
    };
    let name = wgsl(&module, &device.limits()).entries[0].name.clone();
    let cases: [Refused<'_>; 4] = [
        (&|a| a.entries[0].bindings = vec![Binding::Samples; 1 << 22], "bindings, at most"),
        (&|a| a.entries[0].extent = usize::MAX / 2, "workgroups, at most"),
        (&|a| a.entries[0].group = 1 << 20, "invocations, at most"),
        (&|a| a.entries[0].bindings = vec![Binding::Buffer { index: 0, written: false }], "single buffers"),
    ];
    for (change, expected) in cases {
        let said = refused(change);
        assert!(said.contains(&name) && said.contains(expected) && said.contains("--device cpu"), "{said}");
    }
    let said = refused(&|a| a.target = "ptx".to_string());
    assert!(said.contains("`ptx`"), "{said}");
    // What the device's own compiler refuses.
    let said = refused(&|a| a.code.push_str("fn wrong() -> f32 { return; }"));
    assert!(said.contains(device.name()), "{said}");
    if double {
        println!("skipped: the refusal of double precision, this device has it");
    } else {
        let said = refused(&|a| a.precision = nullcline::runtime::program::Precision::F64);
        assert!(said.contains("double precision") && said.contains("--precision f32"), "{said}");
    }
}

#[test]
fn buffers_and_elements_that_do_not_exist_are_refused() {
    let Some((device, _)) = device() else { return };
    let module = single("templates/jansen_rit").compile(Engine::lookup("wgpu").unwrap()).unwrap().module;
    let artifact = wgsl(&module, &device.limits());
    let mut executable = device.load(&artifact).unwrap();
    let state = artifact.layout.buffers.iter().position(|b| b.role == Role::State).unwrap();
    let past = artifact.layout.buffers.len();
    assert!(executable.write(past, 0, &[1.0]).unwrap_err().to_string().contains("no buffer"));
    assert!(executable.write(state, 0, &[1.0; 1000]).unwrap_err().to_string().contains("do not fit"));
    assert!(executable.gather(&[(state, 1000)], &mut Vec::new()).unwrap_err().to_string().contains("no element 1000"));
    // Steps are counted in 32 bits.
    let late = executable.advance(u64::from(u32::MAX), 1, 0.1, &Feeds::default()).unwrap_err().to_string();
    assert!(late.contains("4294967295"), "{late}");
}
