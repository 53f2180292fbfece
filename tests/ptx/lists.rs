//! Launches that are made again and again: a driver that is told them once makes them as they were told.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use nullcline::compiler::backend::ptx::{self, PTX};
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::artifact::DeviceError;
use nullcline::runtime::code::Entry;
use nullcline::runtime::device::{Driver, Launcher, List};
use nullcline::runtime::observe::sustained_frequency;
use nullcline::{Engine, Interrupt, Model, Schedule};

use super::bits_of;
use super::interpreter::{Machine, REFERENCE};
use super::networks::NETWORK;

/// Lists that were told, lists that were made, and launches made by themselves.
static TOLD: AtomicUsize = AtomicUsize::new(0);
static MADE: AtomicUsize = AtomicUsize::new(0);
static ALONE: AtomicUsize = AtomicUsize::new(0);

/// The tests count the same launches.
static COUNTING: Mutex<()> = Mutex::new(());

/// An interpreter that looks at a list once.
struct Graphs {
    machine: Machine,
    known: HashMap<u64, List>,
}

impl Driver for Graphs {
    fn device(&self) -> &str {
        self.machine.device()
    }

    fn allocate(&mut self, bytes: usize) -> Result<u64, DeviceError> {
        self.machine.allocate(bytes)
    }

    fn upload(&mut self, address: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.machine.upload(address, bytes)
    }

    fn download(&self, address: u64, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.machine.download(address, bytes)
    }

    fn launch(&mut self, index: usize, entry: &Entry, groups: u32, arguments: &[u64]) -> Result<(), DeviceError> {
        ALONE.fetch_add(1, Ordering::Relaxed);
        self.machine.launch(index, entry, groups, arguments)
    }

    fn repeat(&mut self, entries: &[Entry], list: &List) -> Result<(), DeviceError> {
        let told = self.known.entry(list.number).or_insert_with(|| {
            TOLD.fetch_add(1, Ordering::Relaxed);
            list.clone()
        });
        MADE.fetch_add(1, Ordering::Relaxed);
        assert_eq!(told, list, "a list stays as it is");
        told.make(&mut self.machine, entries)
    }

    fn forget(&mut self, number: u64) {
        // A list that was needed once only was never told.
        self.known.remove(&number);
    }

    fn repeats(&self) -> Result<&'static str, &'static str> {
        Ok("a list")
    }
}

/// Steps kernel by kernel.
static LISTED: Engine = Engine {
    name: "ptx, by lists",
    target: &PTX,
    device: "cpu",
    load: |module, _| {
        let mut artifact = ptx::artifact(&module, &ptx::Options::default());
        (artifact.steps, artifact.recorder) = (None, None);
        let machine = Machine::new(&artifact.code)?;
        Ok(Box::new(Launcher::new(artifact, "ptx", Graphs { machine, known: HashMap::new() })?))
    },
    doc: "executes PTX",
};

fn model(precision: &str) -> Model {
    let library = MemoryLibrary::new().with("m.yaml", NETWORK);
    let mut model = Model::load(&library, "m.yaml", None).unwrap_or_else(|e| panic!("{e}"));
    model.settings.precision = Some(model.name("precision", precision));
    model
}

/// What is recorded in two runs, one after the other, that record by two schedules.
fn record(model: &Model, engine: &'static Engine, schedules: [Schedule; 2]) -> Vec<Vec<u64>> {
    let mut simulation = model.compile(engine).unwrap().load().unwrap_or_else(|e| panic!("{e}")).simulation;
    let record = schedules.into_iter().flat_map(|schedule| {
        let mut recording = simulation.recording();
        simulation.run(&schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap_or_else(|e| panic!("{e}"));
        bits_of(&recording)
    });
    record.collect()
}

/// Delays, noise, spikes, inputs and sums: rows close to each other, far apart, with a rest, and behind a cutoff.
#[test]
fn steps_and_rows_are_made_from_lists_with_the_bits_of_the_reference() {
    let _counting = COUNTING.lock().unwrap();
    let schedule = |steps, every, cutoff| Schedule { steps, every, cutoff, include_end: true };
    for precision in ["f64", "f32"] {
        let model = model(precision);
        for (schedules, most_alone) in [
            // The first steps and rows come from a list that was not needed before.
            ([schedule(203, 1, 0.0), schedule(150, 7, 2.0)], 2 * 256),
            ([schedule(400, 90, 1.3), schedule(400, 90, 0.0)], 3 * 256),
        ] {
            let before = [&TOLD, &MADE, &ALONE].map(|count| count.load(Ordering::Relaxed));
            let found = record(&model, &LISTED, schedules);
            let [told, made, alone] = [(&TOLD, before[0]), (&MADE, before[1]), (&ALONE, before[2])]
                .map(|(count, before)| count.load(Ordering::Relaxed) - before);
            assert!(found == record(&model, &REFERENCE, schedules), "{precision}, {schedules:?}");
            assert!(told < made && alone < most_alone, "{told} lists were told, {made} made, {alone} launches alone");
        }
    }
}

/// Rows that stay on the device come from lists too, in any portions.
#[test]
fn kept_rows_come_from_lists() {
    let _counting = COUNTING.lock().unwrap();
    let model = model("f64");
    let schedule = Schedule { steps: 300, every: 2, cutoff: 0.5, include_end: false };
    let mut simulation = model.compile(&REFERENCE).unwrap().load().unwrap().simulation;
    let mut recording = simulation.recording();
    simulation.run(&schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    let mut simulation = model.compile(&LISTED).unwrap().load().unwrap().simulation;
    let before = MADE.load(Ordering::Relaxed);
    simulation.keep(&schedule, false).unwrap();
    let (_, times) = simulation.run_keeping(&schedule, &mut |_| Interrupt::Continue).unwrap();
    assert_eq!(times, recording.times);
    let totals = simulation.kept().unwrap().totals(0..times.len()).unwrap();
    let sums: Vec<f64> = recording.columns.iter().map(|column| column.iter().fold(0.0, |sum, x| sum + x)).collect();
    assert_eq!(totals.sums, sums);
    assert!(MADE.load(Ordering::Relaxed) > before, "lists were made");
    assert!(recording.columns.iter().any(|column| sustained_frequency(&times, column).is_some()), "it oscillates");
}

#[test]
fn how_steps_are_launched_is_explained() {
    let loaded = model("f64").compile(&LISTED).unwrap().load().unwrap();
    let artifact = ptx::artifact(&super::module(&mut model("f64"), "f64"), &ptx::Options::default());
    let launches = artifact.feed.len() + artifact.phases[2].len();
    let explained = loaded.simulation.executable().explain();
    assert!(!explained.is_empty());
    for row in explained {
        let expected = format!("; {launches} launches a step, up to {} steps in a list", 256 / launches);
        assert!(row.reason.ends_with(&expected), "{}", row.reason);
    }
}
