//! Extrinsic inputs: a number, a file of samples, or an expression of `t`.

use std::path::Path;
use std::sync::Arc;

use nullcline_compiler::diagnostic::{Diagnostic, Diagnostics, Result};
use nullcline_compiler::ir::lower::{Drive, Signal};
use nullcline_compiler::model::{Circuit, VariableRef};
use nullcline_compiler::source::{Name, Span};
use nullcline_compiler::syntax::ast::{ExprKind, UnaryOp};
use nullcline_compiler::syntax::equation::parse_expression;
use nullcline_compiler::syntax::text::MappedText;
use nullcline_runtime::artifact::{Samples, SpikeSample};
use nullcline_runtime::io::{Fault, Series, read_series};
use nullcline_runtime::sim::Clock;

/// Endings of files that hold samples.
const FILES: &[&str] = &["csv", "tsv", "txt", "dat", "npy"];

/// Inputs being collected.
pub(crate) struct Inputs<'a> {
    pub circuit: &'a Circuit,
    pub clock: Clock,
    /// Steps of the run, when known: samples must last that long.
    pub steps: u64,
    pub drives: Vec<Drive>,
    pub series: Vec<Arc<Samples>>,
}

impl Inputs<'_> {
    /// Adds the input `spec` to the variables that `path` means; relative file names start from `directory`.
    pub fn add(&mut self, path: &Name, spec: &MappedText, directory: &Path) -> Result<()> {
        let found = self.circuit.driven(path)?;
        let units: Vec<(VariableRef, Option<usize>)> = found.iter().map(|f| (f.variable, f.index)).collect();
        let text = spec.as_str().trim();
        if let Some(file) = text.strip_prefix("spikes(").and_then(|rest| rest.strip_suffix(')')) {
            let file = file.trim().trim_matches(['"', '\'']);
            let series = read_series(directory.join(file)).map_err(|fault| file_fault(spec.whole(), fault))?;
            return self.add_spikes(&units, &series, spec.whole());
        }
        let ending = Path::new(text).extension().and_then(|e| e.to_str());
        if ending.is_some_and(|e| FILES.contains(&e)) {
            let series = read_series(directory.join(text)).map_err(|fault| file_fault(spec.whole(), fault))?;
            return self.add_series(&units, series, spec.whole());
        }
        let expr = parse_expression(spec)?;
        let signal = match expr.kind {
            ExprKind::Number(number) => Signal::Constant(number),
            ExprKind::Unary(UnaryOp::Negate, ref operand) => match operand.kind {
                ExprKind::Number(number) => Signal::Constant(-number),
                _ => Signal::Expression(expr),
            },
            _ => Signal::Expression(expr),
        };
        for (target, unit) in units {
            self.drives.push(Drive { target, unit, signal: signal.clone() });
        }
        Ok(())
    }

    /// Adds samples held in memory: one column for all units that `path` means, or one for each.
    pub fn add_samples(&mut self, path: &Name, series: Series) -> Result<()> {
        let found = self.circuit.driven(path)?;
        let units: Vec<(VariableRef, Option<usize>)> = found.iter().map(|f| (f.variable, f.index)).collect();
        self.add_series(&units, series, path.span)
    }

    /// Adds one row of zeros, a column for each element that `path` means, and returns the number of columns.
    pub fn add_stream(&mut self, path: &Name) -> Result<usize> {
        let found = self.circuit.driven(path)?;
        let units: Vec<(VariableRef, Option<usize>)> = found
            .iter()
            .flat_map(|f| match (f.index, self.circuit.populations[f.variable.population].size) {
                (None, Some(units)) => (0..units).map(|u| (f.variable, Some(u))).collect(),
                (index, _) => vec![(f.variable, index)],
            })
            .collect();
        let series = self.series.len();
        self.series.push(Arc::new(Samples {
            columns: units.len(),
            data: vec![0.0; units.len()],
            ..Samples::default()
        }));
        for (column, (target, unit)) in units.iter().enumerate() {
            let signal = Signal::Series { series, column: column as u32 };
            self.drives.push(Drive { target: *target, unit: *unit, signal });
        }
        Ok(units.len())
    }

    fn add_series(&mut self, targets: &[(VariableRef, Option<usize>)], series: Series, span: Span) -> Result<()> {
        let samples = self.on_grid(series, span)?;
        // One entry per unit, or per element of a plain node's vector, when there is a column for each.
        let length = |v: &VariableRef| self.circuit.variable(*v).length.unwrap_or(1);
        let size = |v: &VariableRef| self.circuit.populations[v.population].size.unwrap_or_else(|| length(v));
        let units: Vec<(VariableRef, usize)> = targets
            .iter()
            .flat_map(|(v, unit)| match unit {
                Some(unit) => vec![(*v, *unit)],
                None => (0..size(v)).map(|u| (*v, u)).collect(),
            })
            .collect();
        let columns = samples.columns;
        let index = self.series.len();
        self.series.push(Arc::new(samples));
        if columns == 1 {
            let signal = Signal::Series { series: index, column: 0 };
            self.drives.extend(targets.iter().map(|(v, unit)| Drive {
                target: *v,
                unit: *unit,
                signal: signal.clone(),
            }));
            return Ok(());
        }
        if columns != units.len() {
            return Err(columns_fault(span, columns, units.len()).into());
        }
        for (column, (target, unit)) in units.into_iter().enumerate() {
            let signal = Signal::Series { series: index, column: column as u32 };
            self.drives.push(Drive { target, unit: Some(unit), signal });
        }
        Ok(())
    }

    /// Spikes at times: a train that is `1/dt` during the step that begins at each, for the unit beside the time.
    fn add_spikes(&mut self, targets: &[(VariableRef, Option<usize>)], spikes: &Series, span: Span) -> Result<()> {
        // A header that names the time makes it a column of its own.
        let column = |row: &[f64], k: usize| row.get(k).copied();
        let pairs: Option<Vec<(f64, f64)>> = match (&spikes.times, spikes.columns) {
            (Some(times), 1) => (0..spikes.rows).map(|k| Some((times[k], column(spikes.row(k), 0)?))).collect(),
            (None, 2) => {
                (0..spikes.rows).map(|k| Some((column(spikes.row(k), 0)?, column(spikes.row(k), 1)?))).collect()
            }
            _ => None,
        };
        let pairs = pairs.ok_or_else(|| spike_columns_fault(span, spikes.columns))?;
        let size = |v: &VariableRef| self.circuit.populations[v.population].size.unwrap_or(1);
        let units: Vec<(VariableRef, usize)> = targets
            .iter()
            .flat_map(|(v, unit)| match unit {
                Some(unit) => vec![(*v, *unit)],
                None => (0..size(v)).map(|u| (*v, u)).collect(),
            })
            .collect();
        let (columns, steps, dt) = (units.len(), self.steps, self.clock.dt());
        let mut found: Vec<(u64, u32)> = Vec::new();
        for (row, (time, unit)) in pairs.into_iter().enumerate() {
            let step = (time / dt).round();
            if !(0.0..steps as f64).contains(&step) {
                return Err(spike_time_fault(span, row, time, steps as f64 * dt).into());
            }
            if unit.fract() != 0.0 || !(0.0..columns as f64).contains(&unit) {
                return Err(spike_unit_fault(span, row, unit, columns).into());
            }
            found.push((step as u64, unit as u32));
        }
        found.sort_unstable();
        let mut spikes: Vec<SpikeSample> = Vec::new();
        for (step, column) in found {
            match spikes.last_mut() {
                // Several spikes of a unit in a step add up.
                Some(last) if (last.0, last.1) == (step, column) => last.2 += 1.0 / dt,
                _ => spikes.push((step, column, 1.0 / dt)),
            }
        }
        let index = self.series.len();
        self.series.push(Arc::new(Samples { columns, spikes, ..Samples::default() }));
        for (column, (target, unit)) in units.into_iter().enumerate() {
            let signal = Signal::Series { series: index, column: column as u32 };
            self.drives.push(Drive { target, unit: Some(unit), signal });
        }
        Ok(())
    }

    /// Samples for each step: row k holds from step k on. A time column is resampled by holding each row until the next.
    fn on_grid(&self, series: Series, span: Span) -> Result<Samples> {
        let Some(times) = &series.times else {
            if (series.rows as u64) < self.steps {
                return Err(length_fault(span, series.rows, self.steps).into());
            }
            return Ok(Samples { columns: series.columns, data: series.data, ..Samples::default() });
        };
        let mut data = Vec::new();
        let mut row = 0;
        for step in 0..self.steps {
            // A row whose time is a step's up to rounding holds from that step on.
            let now = self.clock.time(step) + 1e-9 * self.clock.dt();
            while row + 1 < times.len() && times[row + 1] <= now {
                row += 1;
            }
            data.extend_from_slice(series.row(row));
        }
        Ok(Samples { columns: series.columns, data, ..Samples::default() })
    }
}

fn file_fault(span: Span, mut fault: Fault) -> Diagnostics {
    let help = fault.help.take();
    Diagnostic::error("input-file", span, fault.to_string(), "named here").with_help_if(help).into()
}

fn spike_columns_fault(span: Span, columns: usize) -> Diagnostic {
    let message = format!("a file of spikes has two columns, the time and the unit, not {columns}");
    Diagnostic::error("spike-columns", span, message, "expected times and units")
}

fn spike_time_fault(span: Span, row: usize, time: f64, end: f64) -> Diagnostic {
    let message = format!("spike {row} of the file is at {time}, but the simulation lasts from 0 to {end}");
    Diagnostic::error("spike-time", span, message, "out of range").with_help("leave it out, or simulate longer")
}

fn spike_unit_fault(span: Span, row: usize, unit: f64, units: usize) -> Diagnostic {
    let message = format!("spike {row} of the file is of unit {unit}, but the input has {units}, counted from 0");
    Diagnostic::error("spike-unit", span, message, "out of range")
}

fn length_fault(span: Span, rows: usize, steps: u64) -> Diagnostic {
    let message = format!("the input has {rows} samples, but the simulation has {steps} steps");
    Diagnostic::error("input-length", span, message, "too short")
        .with_help("give one sample per step, add a time column `t`, or shorten `--duration`")
}

fn columns_fault(span: Span, columns: usize, units: usize) -> Diagnostic {
    let message = format!("the input has {columns} columns for {units} units");
    Diagnostic::error("input-columns", span, message, "one column, or one per unit, expected")
}
