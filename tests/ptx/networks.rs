//! Small networks, which run many steps in one launch: a block of threads each, members of a batch in blocks of their own.

use nullcline::compiler::backend::ptx;
use nullcline::compiler::kernel::many::{ManySteps, many_steps};
use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::runtime::observe::Recording;
use nullcline::{Batch, Engine, Interrupt, Model};

use super::interpreter::{INTERPRETERS, REFERENCE};

/// Everything a step can have: sums over a matrix, delays by entry, spikes with deliveries, noise and an input that all
/// members share, and a node of its own that all units read.
pub const NETWORK: &str = "
cell:
  base: OperatorTemplate
  equations: [\"v' = -k*v + 1.3 + 0.05*randn() + m + past(v, 0.3)/9 + u\"]
  variables: {v: output(0.0), k: 1.0, m: input(0.0), u: input(0.0)}
  events: {spike: {when: v >= 1.0, reset: {v: 0.0}}}
mean:
  base: OperatorTemplate
  equations: [\"m' = -m + q + 0.02*sin(t)\"]
  variables: {m: output(0.1), q: input(0.0)}
cells: {base: NodeTemplate, n: 9, operators: {cell: {v: {uniform: [0.0, 1.0]}}}}
field: {base: NodeTemplate, operators: mean}
net:
  base: CircuitTemplate
  nodes: {a: cells, b: field}
  edges:
    - [b/mean/m, a/cell/m, null, {weight: 0.3, delay: 0.2}]
    - [a/cell/v, b/mean/q, null, {weight: 0.01}]
    - [a/cell/v, a/cell/u, null, {weight: 0.02, connectivity: {fixed_indegree: {k: 4}}}]
    - [a/cell/spike, a/cell/v, null, {weight: 0.03, delay: 0.4, connectivity: {fixed_indegree: {k: 3}}}]
simulate:
  {duration: 6.0, dt: 0.1, seed: 7, record: {v: a/cell/v, m: b/mean/m, spike: a/spike}, inputs: {b/mean/q: \"sin(t)\"}}
";

fn model() -> Model {
    let library = MemoryLibrary::new().with("m.yaml", NETWORK);
    Model::load(&library, "m.yaml", None).unwrap_or_else(|e| panic!("{e}"))
}

/// The bits of what the members of a batch record: columns, then times and units of spikes.
fn bits(batch: &Batch, members: usize, every: u64) -> Vec<Vec<u64>> {
    let mut prepared = batch.simulation(0..members).unwrap_or_else(|e| panic!("{e}"));
    prepared.schedule.every = every;
    let mut recording: Recording = prepared.simulation.recording();
    let run = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
    run.unwrap_or_else(|e| panic!("{e}"));
    let columns = recording.columns.iter().map(|c| c.iter().map(|v| v.to_bits()).collect());
    let spikes = recording
        .spikes
        .iter()
        .flat_map(|s| [s.times.iter().map(|t| t.to_bits()).collect(), s.ids.iter().map(|id| u64::from(*id)).collect()]);
    columns.chain(spikes).collect()
}

fn batch(model: &Model, members: usize, engine: &'static Engine) -> Batch {
    let values: Vec<f64> = (0..members).map(|m| 1.0 + m as f64 / members as f64).collect();
    model.batch_on(&[("a/cell/k", values)], engine).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn members_of_a_network_have_blocks_of_their_own_and_the_bits_of_the_reference() {
    let mut model = model();
    // One network, some in one block, and more than fit one.
    for members in [1, 5, 60] {
        for precision in ["f64", "f32"] {
            model.settings.precision = Some(model.name("precision", precision));
            let expected = bits(&batch(&model, members, &REFERENCE), members, 1);
            assert!(expected[expected.len() - 2 * members].len() > 5, "the first member spikes");
            for engine in &INTERPRETERS {
                let what = format!("{members} members, {precision}, {}", engine.name);
                let found = batch(&model, members, engine);
                assert!(bits(&found, members, 1) == expected, "{what}");
                // Fewer rows, the same spikes.
                let seldom = bits(&found, members, 7);
                let spikes = expected.len() - 2 * members;
                assert!(seldom[spikes..] == expected[spikes..], "{what}, a row every 7 steps");
            }
        }
    }
    let module = batch(&model, 60, &INTERPRETERS[0]).compile(0..60).unwrap().module;
    let Some(ManySteps::Groups(groups)) = many_steps(&module, 256) else { panic!("it is a small network") };
    assert_eq!((groups.parts, groups.each, groups.count()), (60, 28, 3));
    let artifact = ptx::artifact(&module, &ptx::Options::default());
    let steps = &artifact.entries[artifact.steps.unwrap() as usize];
    assert_eq!(steps.extent, 3 * steps.group as usize);
}
