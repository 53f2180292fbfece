//! The whole state of a simulation as a value: what has to be kept to continue, and how to save it as text.

use std::fmt;
use std::str::FromStr;

use super::Simulation;
use crate::artifact::{DeviceError, Role};

/// The state between two steps: state variables and, for delays, the rings of their past values.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    /// Steps done.
    pub step: u64,
    /// The step size.
    pub dt: f64,
    /// Contents of the buffers that hold it.
    pub parts: Vec<Part>,
}

/// One buffer of a state.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// Name of the buffer.
    pub name: String,
    /// [`Role::State`] or [`Role::History`].
    pub role: Role,
    /// Its elements, slot after slot.
    pub values: Vec<f64>,
}

impl Simulation {
    /// The whole state.
    pub fn state(&mut self) -> Result<State, DeviceError> {
        self.prepare()?;
        let mut parts = Vec::new();
        for (index, buffer) in self.layout.buffers.iter().enumerate() {
            if matches!(buffer.role, Role::State | Role::History) {
                let mut values = Vec::new();
                self.executable.read(index, &mut values)?;
                parts.push(Part { name: buffer.name.clone(), role: buffer.role, values });
            }
        }
        Ok(State { step: self.step, dt: self.clock().dt(), parts })
    }

    /// Goes on from a state of this model, also of one with other parameters.
    pub fn set_state(&mut self, state: &State) -> Result<(), DeviceError> {
        let dt = self.clock().dt();
        if state.dt != dt {
            return Err(DeviceError(format!("the state has steps of {}, the model of {dt}", state.dt)));
        }
        let mut writes = Vec::new();
        for (index, buffer) in self.layout.buffers.iter().enumerate() {
            if !matches!(buffer.role, Role::State | Role::History) {
                continue;
            }
            let part = state.parts.iter().find(|p| p.role == buffer.role && p.name == buffer.name);
            let length = buffer.len * buffer.slots;
            match part {
                Some(part) if part.values.len() == length => writes.push((index, &part.values)),
                Some(part) => {
                    let found = part.values.len();
                    return Err(DeviceError(format!(
                        "the state has {found} values for `{}`, the model {length}",
                        buffer.name
                    )));
                }
                None => return Err(DeviceError(format!("the state has no values for `{}`", buffer.name))),
            }
        }
        self.prepare()?;
        for (index, values) in writes {
            self.executable.write(index, 0, values)?;
        }
        self.step = state.step;
        Ok(())
    }
}

/// `step N of DT`, then one line for each part: role, number of values, their bits in hexadecimal, name.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "step {} of {:?}", self.step, self.dt)?;
        for part in &self.parts {
            let role = if part.role == Role::History { "history" } else { "state" };
            write!(f, "{role} {}", part.values.len())?;
            for value in &part.values {
                write!(f, " {:x}", value.to_bits())?;
            }
            writeln!(f, " {}", part.name)?;
        }
        Ok(())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<State, String> {
        let mut lines = text.lines().enumerate();
        let first = lines.next().and_then(|(_, l)| l.strip_prefix("step ")?.split_once(" of "));
        let first = first.and_then(|(step, dt)| Some((step.parse().ok()?, dt.parse().ok()?)));
        let (step, dt) = first.ok_or("a saved state begins with `step N of DT`")?;
        let mut parts = Vec::new();
        for (number, line) in lines {
            let wrong = || format!("line {} is no part of a saved state", number + 1);
            let mut words = line.splitn(3, ' ');
            let role = match words.next() {
                Some("state") => Role::State,
                Some("history") => Role::History,
                _ => return Err(wrong()),
            };
            let count: usize = words.next().and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
            let mut rest = words.next().ok_or_else(wrong)?;
            let mut values = Vec::new();
            for _ in 0..count {
                let (bits, behind) = rest.split_once(' ').ok_or_else(wrong)?;
                values.push(f64::from_bits(u64::from_str_radix(bits, 16).map_err(|_| wrong())?));
                rest = behind;
            }
            parts.push(Part { name: rest.to_string(), role, values });
        }
        Ok(State { step, dt, parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_state_is_read_back_to_the_bit() {
        let part = |name: &str, role, values: &[f64]| Part { name: name.into(), role, values: values.to_vec() };
        let parts = vec![
            part("a..b/op/x", Role::State, &[0.1, -0.0, f64::INFINITY, 5e-324]),
            part("a..b/op/x", Role::History, &[]),
        ];
        let state = State { step: 12, dt: 0.1, parts };
        let again: State = state.to_string().parse().expect("it was just written");
        assert_eq!(again, state);
        assert_eq!(again.parts[0].values[1].to_bits(), (-0.0f64).to_bits());
        assert!("step x".parse::<State>().is_err());
        assert!("step 1 of 0.1\nstate 2 0 x".parse::<State>().is_err());
    }
}
