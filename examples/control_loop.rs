//! A cortical column inside a control loop: the model is part of the program, and steps in real time while a controller
//! holds its mean potential.
//!
//! `cargo run --release --example control_loop`

use std::time::{Duration, Instant};

// The template becomes a module with the struct `Model`; its input `p` is set while it runs.
nullcline::model!("templates/jansen_rit.yaml", name = column);

/// Time between two decisions of the controller, in seconds of the model and of the clock on the wall.
const PERIOD: f64 = 1e-3;

/// A controller with an integrating and a proportional part (spikes per second for a millivolt).
struct Controller {
    target: f64,
    integral: f64,
}

impl Controller {
    fn decide(&mut self, potential: f64) -> f64 {
        let error = self.target - potential;
        self.integral += 200.0 * error * PERIOD;
        (120.0 + self.integral + 2.0 * error).clamp(0.0, 400.0)
    }
}

fn main() {
    let mut column = column::Model::default();
    let mut controller = Controller { target: 5.0, integral: 0.0 };
    let steps = (PERIOD / column::Model::DT).round() as u64;
    // A slow average of the potential is what is held.
    let (mut average, mut late) = (0.0, Duration::ZERO);
    let start = Instant::now();
    for tick in 1..=2000u32 {
        column.run(steps);
        average += 0.01 * (column.outputs().psp - average);
        column.inputs.p = controller.decide(average);
        if tick.is_multiple_of(400) {
            println!("t = {:.1} s: mean potential {average:.2} mV, drive {:.0}/s", column.time(), column.inputs.p);
        }
        let due = start + Duration::from_secs_f64(PERIOD) * tick;
        match due.checked_duration_since(Instant::now()) {
            Some(left) => std::thread::sleep(left),
            None => late = late.max(Instant::now() - due),
        }
    }
    println!("latest decision: {:.3} ms after its time", late.as_secs_f64() * 1e3);
}
