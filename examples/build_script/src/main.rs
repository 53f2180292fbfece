//! A membrane that relaxes to its drive: the model is in `models/membrane.yaml`, the build script made Rust of it.

include!(concat!(env!("OUT_DIR"), "/models.rs"));

use membrane::Model;

fn main() {
    let mut model = Model::default();
    model.inputs.i = 10.0;
    for _ in 0..5 {
        println!("t = {:4.1} ms: {:.3} mV", model.time(), model.outputs().v);
        model.run(100);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The solution is `v_rest + i (1 - exp(-t/tau))`; rk4 errs by a multiple of dt^4.
    #[test]
    fn the_membrane_relaxes_to_its_drive() {
        let mut model = Model::default();
        model.inputs.i = 10.0;
        model.run(200);
        let exact = -65.0 + 10.0 * (1.0 - (-2.0f64).exp());
        assert!((model.outputs().v - exact).abs() < 1e-8);
        assert!((model.derivative(0.0, &membrane::State { v: -60.0 }).v - 0.5).abs() < 1e-12);
    }

    /// A simulation of the runtime drives the same model.
    #[test]
    fn the_runtime_runs_it() {
        let mut model = Model::default();
        model.inputs.i = 10.0;
        let mut simulation = model.clone().simulation();
        simulation.advance(200).expect("it runs in this process");
        model.run(200);
        assert_eq!(simulation.values("p/membrane/v").expect("a state").expect("it is read"), [model.state.v]);
    }

    /// Members of a batch, more than fill whole vectors, have the bits of models that run alone.
    #[test]
    fn members_of_a_batch_are_models_that_run_alone() {
        let member = |k: u32| {
            let mut model = Model::default();
            model.inputs.i = f64::from(k) - 6.0;
            model.state.v += 0.1 * f64::from(k);
            model
        };
        let mut batch: Vec<Model> = (0..517).map(member).collect();
        Model::run_batch(&mut batch, 123);
        for (k, together) in (0..).zip(&batch) {
            let mut alone = member(k);
            alone.run(123);
            assert_eq!(together.state.v.to_bits(), alone.state.v.to_bits(), "member {k}");
            assert_eq!(together.time(), alone.time());
        }
    }
}
