//! Step numbers and times.

/// Turns step numbers into times and back.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Clock {
    dt: f64,
    /// `1 / dt` when it is a whole number: times are then quotients, which round to the nearest decimal (`3 / 10` is 0.3,
    /// while `3 * 0.1` is 0.30000000000000004).
    per_unit: Option<f64>,
}

impl Clock {
    /// A clock with this step size.
    pub fn new(dt: f64) -> Clock {
        let per_unit = (1.0 / dt).round();
        // A decimal step size is off by half an ulp, its reciprocal by a few.
        let whole = per_unit >= 1.0 && (per_unit * dt - 1.0).abs() <= 4.0 * f64::EPSILON;
        Clock { dt, per_unit: whole.then_some(per_unit) }
    }

    /// The step size.
    pub fn dt(&self) -> f64 {
        self.dt
    }

    /// Steps per time unit, when that is a whole number: then times are quotients by it, else products with the step size.
    pub fn per_unit(&self) -> Option<f64> {
        self.per_unit
    }

    /// The time of a step.
    pub fn time(&self, step: u64) -> f64 {
        match self.per_unit {
            Some(per_unit) => step as f64 / per_unit,
            None => step as f64 * self.dt,
        }
    }

    /// The number of whole steps nearest to a duration.
    pub fn steps(&self, duration: f64) -> u64 {
        (duration / self.dt).round() as u64
    }

    /// The number of steps in an interval that must be a whole number of them, at least one.
    pub fn whole_steps(&self, interval: f64) -> Option<u64> {
        let steps = (interval / self.dt).round();
        // Both numbers are decimals rounded to binary: allow for a relative error of a few ulp, scaled by the ratio.
        let whole = steps >= 1.0 && (steps * self.dt - interval).abs() <= 1e-9 * interval.abs();
        whole.then_some(steps as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_decimal_steps_are_the_decimals() {
        let clock = Clock::new(0.1);
        assert_eq!(clock.time(3), 0.3);
        assert_eq!(Clock::new(1e-4).time(12_345), 1.2345);
        assert_eq!(Clock::new(0.3).time(2), 0.6);
        assert_eq!(Clock::new(2.0).time(3), 6.0);
    }

    #[test]
    fn intervals_must_be_whole_numbers_of_steps() {
        let clock = Clock::new(0.1);
        assert_eq!(clock.whole_steps(0.3), Some(3));
        assert_eq!(clock.whole_steps(0.25), None);
        assert_eq!(clock.whole_steps(0.0), None);
        assert_eq!(clock.steps(40.0), 400);
    }
}
