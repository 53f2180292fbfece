//! `nullcline run`: simulates a model.

mod measure;
mod output;
mod report;
mod state;

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

use clap::{Args, ValueHint};
use nullcline::compiler::diagnostic::render;
use nullcline::runtime::observe::Tee;
use nullcline::runtime::sim::RunError;
use nullcline::{Interrupt, Prepared};

use super::explain;
use super::fault::{self, Fault};
use super::model::{Settings, Target};
use super::print;
use super::progress::Progress;
use super::signals::stop_flag;
use measure::Measures;
use output::Outputs;
use report::Report;

/// Simulate a model
#[derive(Args)]
#[command(
    long_about = "Simulate a model.\n\nSettings come from the file's `simulate:` section; options replace them. A path \
        (`node/operator/variable`) may be shortened to any unambiguous end: `--set p=120`.",
    after_help = "Examples:\n  \
        nullcline run jansen_rit --plot jansen_rit.svg\n  \
        nullcline run model.yaml:column --duration 2 --dt 1e-4 --scheme heun --out out.csv\n  \
        nullcline run jansen_rit --input 'p=220 + 22*sin(2*pi*10*t)' --record eeg=psp --out eeg.npz\n  \
        nullcline run jansen_rit --set C=68 --cutoff 1 --json"
)]
pub struct Run {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
#[command(next_help_heading = "Output")]
struct Output {
    /// Write the rows to a .csv, .npz, .json or .parquet file (repeatable)
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Vec<PathBuf>,
    /// Draw the rows to a .svg or .png file (repeatable)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    plot: Vec<PathBuf>,
    /// Go on from a state that `--save-state` wrote; `--duration` counts from there
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    load_state: Option<PathBuf>,
    /// Write the state at the end, with the past of delayed variables, to go on from later
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    save_state: Option<PathBuf>,
    /// Print one JSON line instead of the table
    #[arg(long)]
    json: bool,
    /// Say how the connections are executed, and why
    #[arg(long)]
    explain: bool,
    /// Print errors only (and the JSON line, if asked for)
    #[arg(long, short)]
    quiet: bool,
}

impl Run {
    /// Runs the command.
    pub fn run(self) -> Result<u8, Fault> {
        let outputs = Outputs::new(&self.output.out, &self.output.plot)?;
        self.output.save_state.as_deref().map_or(Ok(()), output::writable).map_err(output::refused)?;
        let begin = self.output.load_state.as_deref().map(state::load).transpose()?;
        let start = Instant::now();
        let mut model = self.target.load()?;
        self.settings.apply(&mut model)?;
        if !self.output.quiet {
            self.settings.print_notes();
        }
        if !self.output.quiet && !model.warnings.is_empty() {
            print::error(&render(&model.warnings, &model.sources, print::colors_on_stderr()));
        }
        if let Some(begin) = &begin {
            model.start_at(begin.step);
        }
        let compiled = self.settings.compile(&model)?;
        let precision = compiled.module.precision;
        let dt = compiled.dt;
        let Prepared { mut simulation, schedule, scheme, states, choice } = compiled.load()?;
        self.settings.set_threads(&mut simulation);
        if let (Some(begin), Some(path)) = (&begin, &self.output.load_state) {
            simulation.set_state(begin).map_err(|error| state::does_not_fit(path, &error))?;
        }
        let first = simulation.steps_done();
        let compile_time = start.elapsed();
        if self.output.explain {
            print::error(&explain::table(&simulation.executable().explain()));
        }

        let stop = stop_flag();
        let labels = simulation.labels();
        let shown = match (self.output.json, self.output.quiet) {
            (true, _) => report::MOST_JSON_COLUMNS,
            (false, true) => 0,
            (false, false) => report::MOST_COLUMNS,
        };
        let mut measures = Measures::new(&labels, &simulation.events(), shown);
        let mut sink = outputs.open(&labels, &simulation.events())?;
        let mut progress = Progress::new(schedule.steps, self.output.quiet);
        let start = Instant::now();
        let ran = simulation.run(&schedule, &mut Tee(&mut measures, &mut sink), &mut |done| {
            progress.update(done);
            if stop.load(Ordering::Relaxed) { Interrupt::Stop } else { Interrupt::Continue }
        });
        let elapsed = ran.as_ref().map_or_else(|_| start.elapsed(), |summary| summary.elapsed);
        progress.finish();

        let stopped = ran.as_ref().is_ok_and(|summary| summary.stopped);
        // A sink that failed has nothing worth keeping: the disk is full, or the directory is gone.
        let mut written = match &ran {
            Err(RunError::Sink(_)) => Vec::new(),
            _ => sink.finish(&model.circuit.name),
        };
        if let (Some(path), true) = (&self.output.save_state, ran.is_ok()) {
            written.push(state::save(&mut simulation, path));
        }
        let report = Report {
            circuit: &model.circuit,
            states,
            scheme: scheme.name,
            dt,
            until: simulation.time(),
            steps: simulation.steps_done() - first,
            engine: simulation.executable().engine(),
            device: simulation.executable().device(),
            choice,
            precision: precision.name(),
            seed: model.settings.seed,
            compile_time,
            elapsed,
            stopped,
            cutoff: schedule.cutoff,
            diverged: matches!(ran, Err(RunError::Diverged(..))),
            outputs: written.iter().filter_map(|w| w.as_ref().ok().cloned()).collect(),
            measures: &measures,
        };
        if self.output.json {
            print::out(&report.json());
        } else if !self.output.quiet {
            print::out(&report.table(print::colors_on_stdout()));
        }
        let mut code = if stopped { fault::STOPPED } else { fault::DONE };
        if let Err(error) = ran {
            print::error(&failure(&error, dt));
            code = fault::FAILED;
        }
        for fault in written.into_iter().filter_map(Result::err) {
            print::error(&print::labelled_error(&fault));
            code = fault::FAILED;
        }
        Ok(code)
    }
}

/// The message of a failed run.
fn failure(error: &RunError, dt: f64) -> String {
    let message = print::labelled_error(error);
    match error {
        RunError::Diverged(..) => {
            let help = format!("the step may be too large: try `--dt {}`; the rows up to there were kept", dt / 10.0);
            format!("{message}\n  help: {help}")
        }
        _ => message,
    }
}
