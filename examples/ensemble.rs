//! Ten thousand columns, each driven differently, on all cores: members of a batch share vectors, rayon shares batches.
//!
//! `cargo run --release --example ensemble`

use std::time::Instant;

use rayon::prelude::*;

nullcline::model!("templates/jansen_rit.yaml", name = column, scheme = euler);

fn main() {
    let members: u32 = 10_000;
    let mut models: Vec<column::Model> = (0..members)
        .map(|k| {
            let p = 120.0 + 200.0 * f64::from(k) / f64::from(members);
            let mut model = column::Model::default();
            model.inputs.p = p;
            model
        })
        .collect();
    let steps = 1000u32;
    let start = Instant::now();
    models.par_chunks_mut(512).for_each(|batch| column::Model::run_batch(batch, steps.into()));
    let elapsed = start.elapsed();
    let nanoseconds = elapsed.as_secs_f64() * 1e9 / f64::from(members) / f64::from(steps);
    println!("{members} columns, {steps} steps: {nanoseconds:.2} ns for a step of a column");
    for k in [0, members / 2, members - 1] {
        let model = &mut models[k as usize];
        let (p, psp) = (model.inputs.p, model.outputs().psp);
        println!("p = {p:5.1}/s: {psp:.3} mV at t = {:.2} s", model.time());
    }
}
