//! What a sweep did, for people and for programs.

use std::path::PathBuf;
use std::time::Duration;

use nullcline::Choice;
use serde_json::json;

use crate::cmd::choice::{chosen, estimates};
use crate::cmd::print::paint;

/// What a sweep did.
pub struct Report<'a> {
    /// Name of the circuit.
    pub circuit: &'a str,
    /// Members asked for.
    pub members: usize,
    /// Members whose rows are in the table.
    pub finished: usize,
    /// Rows that the table held already.
    pub resumed: usize,
    /// Members that diverged, of all in the table.
    pub diverged: usize,
    /// Steps of each member.
    pub steps: u64,
    /// Engine; empty if nothing was left to do.
    pub engine: &'a str,
    /// Of a device that was asked for frequencies or spectra: why it did not find them itself, if it did not.
    pub rows: Option<Option<&'a str>>,
    /// Why this engine, if it was chosen: for the last members that ran side by side.
    pub choice: Option<&'a Choice>,
    /// Seed of the random values, if there are any.
    pub seed: Option<u64>,
    /// Time of compiling, stepping and reducing.
    pub elapsed: Duration,
    /// Whether it was stopped by a signal.
    pub stopped: bool,
    /// Columns of the table.
    pub columns: &'a [String],
    /// Files written.
    pub outputs: &'a [PathBuf],
}

impl Report<'_> {
    /// The table.
    pub fn table(&self, colors: bool) -> String {
        let mut members = format!("{} of {}", self.finished, self.members);
        if self.resumed > 0 {
            members.push_str(&format!(" ({} were in the table already)", self.resumed));
        }
        let mut lines = vec![("circuit", self.circuit.to_string()), ("members", members)];
        if self.diverged > 0 {
            lines.push(("diverged", format!("{} (their rows are nan)", self.diverged)));
        }
        if self.finished > self.resumed {
            lines.push(("steps", format!("{} each, on {}{}", self.steps, self.engine, chosen(self.choice))));
            lines.extend(self.rows.map(|why| match why {
                None => ("rows", "measured on the device".to_string()),
                Some(why) => ("rows", format!("read back and measured on the processor: {why}")),
            }));
            lines.push(("time", format!("{:.3} s", self.elapsed.as_secs_f64())));
        }
        lines.extend(self.outputs.iter().map(|path| ("written", path.display().to_string())));
        let line = |(key, value): &(&str, String)| format!("{}  {value}\n", paint(colors, "1", &format!("{key:<8}")));
        lines.iter().map(line).collect()
    }

    /// One line of JSON.
    pub fn json(&self) -> String {
        let outputs: Vec<String> = self.outputs.iter().map(|p| p.display().to_string()).collect();
        let object = json!({
            "circuit": self.circuit,
            "members": self.members,
            "finished": self.finished,
            "resumed": self.resumed,
            "diverged": self.diverged,
            "steps": self.steps,
            "engine": self.engine,
            "rows": self.rows.map(|why| why.map_or("measured on the device".to_string(), |why| format!("read back: {why}"))),
            "choice": self.choice.map(estimates),
            "seed": self.seed,
            "seconds": self.elapsed.as_secs_f64(),
            "stopped": self.stopped,
            "columns": self.columns,
            "outputs": outputs,
        });
        format!("{object}\n")
    }
}
