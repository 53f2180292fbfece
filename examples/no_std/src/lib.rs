//! A model in a crate without the standard library: nothing is allocated, nothing is called but `core`.
#![no_std]
#![forbid(unsafe_code)]

nullcline_macros::model!(neuron {
    d/dt v = v^2 + eta + 15.0*r - (pi*r)^2 + drive;
    d/dt r = 1/pi + 2*r*v;
    r: output(0.1);
    v: variable(-1.0);
    eta: -5.0;
    drive: input(0.0);
}, dt = 1e-3, precision = f32, std = false);

/// The firing rate after `steps` steps with a constant drive.
#[must_use]
pub fn rate(drive: f32, steps: u64) -> f32 {
    let mut model = neuron::Model::default();
    model.inputs.drive = drive;
    model.run(steps);
    model.outputs().r
}

#[cfg(test)]
mod tests {
    /// Montbrio, Pazo and Roxin, Phys. Rev. X 5, 021028 (2015), equations 12: at rest v = -1 / (2 pi r) and
    /// v^2 + eta + 15 r = (pi r)^2.
    #[test]
    fn the_rate_settles_where_the_derivatives_are_zero() {
        let r = f64::from(super::rate(0.0, 40_000));
        let pi = core::f64::consts::PI;
        let v = -1.0 / (2.0 * pi * r);
        let rest = v * v - 5.0 + 15.0 * r - (pi * r) * (pi * r);
        // In single precision v, of size 2, stands still once dt v' is below half of its last digit: v' < 2^-23 / 1e-3 =
        // 1.2e-4. So does r, of size 0.06, at r' < 4e-6, of which v and its square make 50 times as much.
        assert!(rest.abs() < 5e-4, "{rest}");
    }
}
