//! What a run did, for people and for programs.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use nullcline::Choice;
use nullcline::compiler::model::Circuit;
use serde_json::{Value, json};

use super::measure::{Counted, Measures};
use crate::cmd::choice::{chosen, estimates};
use crate::cmd::print::paint;

/// Most columns that the table lists.
pub const MOST_COLUMNS: usize = 12;
/// Most columns that the JSON line describes.
pub const MOST_JSON_COLUMNS: usize = 256;

/// What a run did.
pub struct Report<'a> {
    /// The circuit.
    pub circuit: &'a Circuit,
    /// State variables, counting every element.
    pub states: usize,
    /// Integration scheme.
    pub scheme: &'a str,
    /// Step size.
    pub dt: f64,
    /// Time at the end.
    pub until: f64,
    /// Time from which on rows and spikes are kept.
    pub cutoff: f64,
    /// Steps done.
    pub steps: u64,
    /// Engine.
    pub engine: &'a str,
    /// Device.
    pub device: &'a str,
    /// Why this engine, if it was chosen for the run.
    pub choice: Option<Choice>,
    /// Number format.
    pub precision: &'a str,
    /// Seed, if one was given.
    pub seed: Option<u64>,
    /// Time from reading the file to the first step.
    pub compile_time: Duration,
    /// Time of stepping and recording.
    pub elapsed: Duration,
    /// Whether it was stopped by a signal.
    pub stopped: bool,
    /// Whether a recorded quantity became infinite or undefined.
    pub diverged: bool,
    /// Files written.
    pub outputs: Vec<PathBuf>,
    /// What was recorded.
    pub measures: &'a Measures,
}

impl Report<'_> {
    fn nanoseconds_per_step(&self) -> f64 {
        if self.steps == 0 { 0.0 } else { self.elapsed.as_nanos() as f64 / self.steps as f64 }
    }

    /// The table.
    pub fn table(&self, colors: bool) -> String {
        let units: usize = self.circuit.populations.iter().map(|p| p.size.unwrap_or(1)).sum();
        let end = if self.stopped || self.diverged { "stopped at" } else { "to" };
        let lines = [
            ("circuit", format!("{} ({}, {})", self.circuit.name, many(units, "node"), many(self.states, "state"))),
            (
                "steps",
                format!("{} of {} ({}), {end} t = {}", self.steps, short(self.dt), self.scheme, short(self.until)),
            ),
            (
                "engine",
                format!("{} on {}, {}{}", self.engine, self.device, self.precision, chosen(self.choice.as_ref())),
            ),
            (
                "time",
                format!(
                    "{} ({} ns per step); compiled in {}",
                    seconds(self.elapsed),
                    short(self.nanoseconds_per_step()),
                    seconds(self.compile_time)
                ),
            ),
            ("rows", format!("{} of {}", self.measures.rows, many(self.measures.columns(), "column"))),
        ];
        let mut text = String::new();
        let mut line = |key: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}  {value}", paint(colors, "1", &format!("{key:<8}")));
        };
        for (key, value) in &lines {
            line(key, value);
        }
        for (index, path) in self.outputs.iter().enumerate() {
            line(if index == 0 { "written" } else { "" }, &path.display().to_string());
        }
        text.push('\n');
        if self.measures.columns() > 0 {
            text.push_str(&self.columns(colors));
        }
        if !self.measures.events().is_empty() {
            text.push_str(if self.measures.columns() > 0 { "\n" } else { "" });
            text.push_str(&self.events(colors));
        }
        text
    }

    /// Spikes per unit and time since the cutoff.
    fn rate(&self, event: &Counted) -> f64 {
        let start = self.until - self.steps as f64 * self.dt;
        let time = self.until - start.max(self.cutoff);
        if time > 0.0 { event.count as f64 / (event.units as f64 * time) } else { 0.0 }
    }

    fn events(&self, colors: bool) -> String {
        let events = self.measures.events();
        let header = ["event", "units", "spikes", "rate"].map(str::to_string);
        let row = |e: &Counted| [e.label.name.clone(), e.units.to_string(), e.count.to_string(), short(self.rate(e))];
        let shown: Vec<[String; 4]> = events.iter().take(MOST_COLUMNS).map(row).collect();
        let widths: [usize; 4] =
            std::array::from_fn(|k| shown.iter().chain([&header]).map(|row| row[k].chars().count()).max().unwrap_or(0));
        let print = |row: &[String; 4]| {
            let cells = (1..4).map(|k| format!("  {:>1$}", row[k], widths[k]));
            format!("{:<1$}", row[0], widths[0]) + &cells.collect::<String>()
        };
        let mut text = paint(colors, "1", &print(&header)) + "\n";
        for row in &shown {
            text.push_str(&print(row));
            text.push('\n');
        }
        if events.len() > shown.len() {
            let _ = writeln!(text, "and {} more", events.len() - shown.len());
        }
        text
    }

    fn columns(&self, colors: bool) -> String {
        let shown: Vec<[String; 6]> = self
            .measures
            .measured()
            .take(MOST_COLUMNS)
            .map(|c| {
                let number = |x: Option<f64>| x.map_or("-".to_string(), short);
                [
                    c.label.name.clone(),
                    number(c.lowest),
                    number(c.mean),
                    number(c.highest),
                    c.frequency.map_or(String::new(), short),
                    c.label.unit.clone().unwrap_or_default(),
                ]
            })
            .collect();
        let mut header = ["recorded", "min", "mean", "max", "frequency", "unit"].map(str::to_string);
        for index in [4, 5] {
            if shown.iter().all(|row| row[index].is_empty()) {
                header[index].clear();
            }
        }
        let width = |k: usize| shown.iter().chain([&header]).map(|row| row[k].chars().count()).max().unwrap_or(0);
        let widths: [usize; 6] = std::array::from_fn(width);
        let print = |row: &[String; 6]| {
            let mut line = format!("{:<1$}", row[0], widths[0]);
            for k in 1..6 {
                let cell = if k == 5 { row[k].clone() } else { format!("{:>1$}", row[k], widths[k]) };
                if widths[k] > 0 {
                    line.push_str("  ");
                    line.push_str(&cell);
                }
            }
            line.trim_end().to_string()
        };
        let mut text = paint(colors, "1", &print(&header)) + "\n";
        for row in &shown {
            text.push_str(&print(row));
            text.push('\n');
        }
        if self.measures.columns() > shown.len() {
            let _ = writeln!(text, "and {} more", self.measures.columns() - shown.len());
        }
        text
    }

    /// One line of JSON.
    pub fn json(&self) -> String {
        let columns: Vec<Value> = self
            .measures
            .measured()
            .take(MOST_JSON_COLUMNS)
            .map(|c| {
                json!({
                    "name": c.label.name, "unit": c.label.unit, "min": c.lowest, "mean": c.mean, "max": c.highest,
                    "frequency": c.frequency,
                })
            })
            .collect();
        let events = self.measures.events().iter().take(MOST_JSON_COLUMNS);
        let events: Vec<Value> = events
            .map(|e| json!({"name": e.label.name, "units": e.units, "spikes": e.count, "rate": self.rate(e)}))
            .collect();
        let outputs: Vec<String> = self.outputs.iter().map(|p| p.display().to_string()).collect();
        let object = json!({
            "circuit": self.circuit.name,
            "states": self.states,
            "scheme": self.scheme,
            "dt": self.dt,
            "steps": self.steps,
            "rows": self.measures.rows,
            "precision": self.precision,
            "seed": self.seed,
            "engine": self.engine,
            "device": self.device,
            "choice": self.choice.as_ref().map(estimates),
            "compile_seconds": self.compile_time.as_secs_f64(),
            "seconds": self.elapsed.as_secs_f64(),
            "stopped": self.stopped,
            "diverged": self.diverged,
            "outputs": outputs,
            "column_count": self.measures.columns(),
            "columns": columns,
            "events": events,
        });
        format!("{object}\n")
    }
}

fn many(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn seconds(time: Duration) -> String {
    format!("{} s", short((time.as_secs_f64() * 1e6).round() / 1e6))
}

/// A number of about five digits.
fn short(x: f64) -> String {
    let magnitude = x.abs();
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    if !(1e-4..1e7).contains(&magnitude) {
        let text = format!("{x:.4e}");
        return match text.split_once('e') {
            Some((digits, exponent)) => format!("{}e{exponent}", trimmed(digits)),
            None => text,
        };
    }
    let decimals = (4 - magnitude.log10().floor() as i32).clamp(0, 8) as usize;
    trimmed(&format!("{x:.decimals$}")).to_string()
}

/// Without zeros behind the last decimal.
fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn numbers_have_five_digits() {
        let spelled = [0.0001, 10.937_9, 30000.0, 123_456.7, 1e-9, -2.5, 2.0e8, 0.1 + 0.2].map(short);
        assert_eq!(spelled, ["0.0001", "10.938", "30000", "123457", "1e-9", "-2.5", "2e8", "0.3"]);
    }
}
