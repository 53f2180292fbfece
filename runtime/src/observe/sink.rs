//! Where rows go while a simulation runs.

use std::io;

/// Receives rows and spikes as they are computed.
pub trait Sink {
    /// Is told before a run how many rows will come, or fewer if it ends early.
    fn expect(&mut self, _rows: u64) {}

    /// Rows it likes to take together even if they are long.
    fn likes(&self) -> u64 {
        1
    }

    /// Takes the row at `time`, one value per label. An error stops the simulation after this row.
    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()>;

    /// Takes several rows, one after the other in `values`, which holds as many rows as there are times.
    fn rows(&mut self, times: &[f64], values: &[f64]) -> io::Result<()> {
        let width = values.len().checked_div(times.len()).unwrap_or(0);
        (0..times.len()).try_for_each(|k| self.row(times[k], &values[k * width..(k + 1) * width]))
    }

    /// Takes a spike: the recorded event by its index, when, and which unit. Spikes come in order of time and before the
    /// first row after them. A sink that is for rows only does without.
    fn spike(&mut self, _event: usize, _time: f64, _unit: u32) -> io::Result<()> {
        Ok(())
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn expect(&mut self, rows: u64) {
        (**self).expect(rows);
    }

    fn likes(&self) -> u64 {
        (**self).likes()
    }

    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        (**self).row(time, values)
    }

    fn rows(&mut self, times: &[f64], values: &[f64]) -> io::Result<()> {
        (**self).rows(times, values)
    }

    fn spike(&mut self, event: usize, time: f64, unit: u32) -> io::Result<()> {
        (**self).spike(event, time, unit)
    }
}

impl<S: Sink + ?Sized> Sink for Box<S> {
    fn expect(&mut self, rows: u64) {
        (**self).expect(rows);
    }

    fn likes(&self) -> u64 {
        (**self).likes()
    }

    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        (**self).row(time, values)
    }

    fn rows(&mut self, times: &[f64], values: &[f64]) -> io::Result<()> {
        (**self).rows(times, values)
    }

    fn spike(&mut self, event: usize, time: f64, unit: u32) -> io::Result<()> {
        (**self).spike(event, time, unit)
    }
}

/// Hands every row to two sinks, in order; the second sees no rows that the first refused. Tees nest.
pub struct Tee<A, B>(pub A, pub B);

impl<A: Sink, B: Sink> Sink for Tee<A, B> {
    fn expect(&mut self, rows: u64) {
        self.0.expect(rows);
        self.1.expect(rows);
    }

    fn likes(&self) -> u64 {
        self.0.likes().max(self.1.likes())
    }

    fn row(&mut self, time: f64, values: &[f64]) -> io::Result<()> {
        self.0.row(time, values)?;
        self.1.row(time, values)
    }

    fn rows(&mut self, times: &[f64], values: &[f64]) -> io::Result<()> {
        self.0.rows(times, values)?;
        self.1.rows(times, values)
    }

    fn spike(&mut self, event: usize, time: f64, unit: u32) -> io::Result<()> {
        self.0.spike(event, time, unit)?;
        self.1.spike(event, time, unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{Label, Recording};

    #[test]
    fn a_tee_hands_each_row_to_both_sinks() {
        let mut first = Recording::new(vec![Label::new("x")]);
        let mut second: Box<Recording> = Box::new(first.clone());
        Tee(&mut first, &mut second).row(0.5, &[2.0]).unwrap();
        assert_eq!(first.times, [0.5]);
        assert_eq!(first, *second);
    }

    #[test]
    fn a_tee_stops_at_the_first_sink_that_fails() {
        let mut first = Recording::new(vec![]);
        let mut second = Recording::new(vec![Label::new("x")]);
        assert!(Tee(&mut first, &mut second).row(0.0, &[1.0]).is_err());
        assert!(second.is_empty());
    }
}
