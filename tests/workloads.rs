//! The reference workloads: numbers that programs in C, NumPy and JAX agree on.
#![allow(clippy::unwrap_used)]

use nullcline::compiler::template::library::MemoryLibrary;
use nullcline::{Interrupt, Model};

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found / expected - 1.0).abs() < tolerance, "{what}: {found}, expected {expected}");
}

/// One Jansen-Rit column, 1e6 Euler steps: the last state, and the potential of the second half, taken after steps 10, 20, ..
#[test]
fn a_column_of_a_million_steps_ends_where_other_programs_do() {
    let text = concat!(
        include_str!("../benches/beside/column.yaml"),
        "simulate: {duration: 100.0, dt: 1e-4, scheme: euler, sample_every: 1e-3, include_end: true,\n",
        "  record: {v: v, y0: y0, y1: y1, y2: y2, y3: y3, y4: y4, y5: y5}}\n"
    );
    let model = Model::load(&MemoryLibrary::new().with("m.yaml", text), "m.yaml", None).unwrap();
    let mut prepared = model.simulation().unwrap();
    let mut recording = prepared.simulation.recording();
    prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue).unwrap();
    let ends = [0.120635603293, 24.432355789, 15.1803723666, 1.16972817582, 10.3333384655, 11.3398784794];
    for (k, expected) in ends.into_iter().enumerate() {
        let name = format!("y{k}");
        close(*recording.column(&name).unwrap().last().unwrap(), expected, 1e-8, &name);
    }
    // The first row is the initial state, which the programs do not record.
    let half = &recording.column("v").unwrap()[1..][50_000..];
    close(half.iter().sum::<f64>() / half.len() as f64, 7.57873646671, 1e-8, "mean");
    close(half.iter().copied().fold(f64::INFINITY, f64::min), 5.89221445538, 1e-8, "lowest");
    close(half.iter().copied().fold(f64::NEG_INFINITY, f64::max), 9.25200700957, 1e-8, "highest");
}

/// 10,000 mean fields of quadratic neurons that differ in `eta`, 10,000 steps.
#[test]
fn a_sweep_of_mean_fields_ends_where_other_programs_do() {
    for (scheme, means, ends) in [
        ("euler", [0.85649728028, -1.12847279368], [0.052353164418, 1.36752604273]),
        ("rk4", [0.861206779402, -1.09870363849], [0.052353164418, 1.92323776565]),
    ] {
        let text = format!(
            "
field:
  base: OperatorTemplate
  equations: [r' = 1/pi + 2*r*v, v' = v^2 + eta + 15*r - (pi*r)^2]
  variables: {{r: output(0.1), v: variable(-1.0), eta: 0.0}}
unit: {{base: NodeTemplate, operators: [field]}}
net: {{base: CircuitTemplate, nodes: {{p: unit}}}}
simulate: {{duration: 10.0, dt: 1e-3, scheme: {scheme}, sample_every: 10.0, include_end: true, record: {{r: r, v: v}}}}
"
        );
        let model = Model::load(&MemoryLibrary::new().with("m.yaml", text), "m.yaml", None).unwrap();
        let etas: Vec<f64> = (0..10_000).map(|k| -10.0 + 15.0 * f64::from(k) / 9999.0).collect();
        let batch = model.batch(&[("eta", etas)]).unwrap();
        let mut prepared = batch.simulation(0..batch.members()).unwrap();
        prepared.simulation.advance(10_000).unwrap();
        let last = prepared.simulation.observe().unwrap();
        let labels = prepared.simulation.labels();
        for (name, mean) in ["r", "v"].into_iter().zip(means) {
            let found: Vec<f64> =
                labels.iter().zip(&last).filter(|(label, _)| label.group == name).map(|(_, value)| *value).collect();
            assert_eq!(found.len(), 10_000);
            close(found.iter().sum::<f64>() / 10_000.0, mean, 1e-8, &format!("{scheme}, mean of {name}"));
            if name == "r" {
                close(found[0], ends[0], 1e-8, &format!("{scheme}, first"));
                close(found[9999], ends[1], 1e-8, &format!("{scheme}, last"));
            }
        }
    }
}
