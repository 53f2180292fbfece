//! `nullcline sweep`: runs a model for many values of its parameters.

mod axes;
mod reduce;
mod report;
mod table;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, ValueHint};
use nullcline::compiler::diagnostic::render;
use nullcline::runtime::io::{check_extension, save};
use nullcline::runtime::observe::{Label, Recording};
use nullcline::{Batch, Choice, Error, Interrupt, Prepared};
use serde_json::{Map, Value, json};

use super::fault::{self, Fault};
use super::model::{Settings, Target};
use super::print;
use super::progress::Progress;
use super::signals::stop_flag;
use axes::{Axes, Grid, Random};
use reduce::{Reducer, Reduction};
use report::Report;
use table::{Table, has_ending};

/// Members of the first portion; later ones grow while they take less than [`PORTION`].
const FIRST_PORTION: usize = 64;
/// Most members computed side by side.
const MOST_PORTION: usize = 4096;
/// A portion should take no longer, so that little is lost when the sweep is stopped.
const PORTION: Duration = Duration::from_secs(1);
/// Most numbers kept at once to find frequencies.
const MOST_KEPT: usize = 1 << 24;

/// Run a model for many values of its parameters
#[derive(Args)]
#[command(
    long_about = "Run a model for many values of its parameters.\n\nEvery combination of the grids, times every random \
        sample, is a member; the table has one row per member: its values, then numbers made of what is recorded. A path \
        is that of a parameter, an initial state or an input that is a number, or an edge: `source -> target: weight`. \
        Run again with the same arguments, a sweep that was stopped goes on after its last row.",
    after_help = "Examples:\n  \
        nullcline sweep jansen_rit --grid C=60:140:41 --cutoff 1 --out table.csv\n  \
        nullcline sweep model.yaml --grid e/rate/drive=[0.5,1] --grid i/rate/drive=0:1:11 --reduce mean,frequency\n  \
        nullcline sweep model.yaml --random 'tau=loguniform(1,100)' --samples 1000 --seed 1 --out table.npz"
)]
pub struct Sweep {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    varied: Varied,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
#[command(next_help_heading = "Sweep")]
struct Varied {
    /// Vary a value over a grid: `PATH=FIRST:LAST:COUNT`, or `PATH=[1,2,..]` (repeatable)
    #[arg(long, value_name = "PATH=GRID", value_parser = axes::grid)]
    grid: Vec<Grid>,
    /// Draw a value: `PATH=uniform(a,b)`, `loguniform(a,b)` or `normal(mean,sd)` (repeatable)
    #[arg(long, value_name = "PATH=DISTRIBUTION", value_parser = axes::random)]
    random: Vec<Random>,
    /// Number of random samples, at each point of the grid
    #[arg(long, value_name = "COUNT")]
    samples: Option<usize>,
    /// Take the first value of every grid together, then the second, .. instead of all combinations
    #[arg(long)]
    pairwise: bool,
    /// What becomes of each recorded variable
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "mean,min,max,frequency")]
    reduce: Vec<Reduction>,
}

#[derive(Args)]
#[command(next_help_heading = "Output")]
struct Output {
    /// Write the table to a .csv, .npz or .parquet file [default: print it]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Keep all rows of all members too, in a .npz file (in memory until the end)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    traces: Option<PathBuf>,
    /// Overwrite a table instead of going on after its rows
    #[arg(long)]
    restart: bool,
    /// Print one JSON line instead of the report
    #[arg(long)]
    json: bool,
    /// Print errors only (and the JSON line, if asked for)
    #[arg(long, short)]
    quiet: bool,
}

impl Sweep {
    /// Runs the command.
    pub fn run(self) -> Result<u8, Fault> {
        self.check_outputs()?;
        let mut model = self.target.load()?;
        let source = fingerprint(model.sources.files().map(|(_, file)| &*file.text));
        self.settings.apply(&mut model)?;
        if !self.output.quiet {
            self.settings.print_notes();
        }
        if !self.output.quiet && !model.warnings.is_empty() {
            print::error(&render(&model.warnings, &model.sources, print::colors_on_stderr()));
        }
        let (varied, seed) = (&self.varied, model.settings.seed.unwrap_or(0));
        let axes = Axes::new(&varied.grid, &varied.random, varied.samples, varied.pairwise, seed)?;
        let paths = axes.paths();
        let values: Vec<(&str, Vec<f64>)> = paths.iter().copied().zip(axes.values()).collect();
        let start = Instant::now();
        let batch = match self.settings.chooses_engine() {
            true => model.batch(&values)?,
            false => model.batch_on(&values, self.settings.engine())?,
        };
        let names = names(&batch)?;

        let reduced = names.iter().flat_map(|n| varied.reduce.iter().map(move |r| format!("{}.{}", n.name, r.name())));
        let mut header: Vec<String> = paths.iter().map(|p| p.to_string()).chain(reduced).collect();
        header.push("diverged".to_string());
        let settings = self.described(&model, &source, seed);
        let restart = self.output.restart || self.output.traces.is_some();
        let (mut table, finished) = Table::open(self.output.out.as_ref(), &header, &settings, restart)?;
        if finished.rows > batch.members() {
            return Err(Fault::failed(print::labelled_error("the table has more rows than the sweep has members")));
        }

        let stop = stop_flag();
        let mut work = Work {
            batch: &batch,
            settings: &self.settings,
            values: &values,
            reductions: &varied.reduce,
            width: names.len(),
            traces: self.output.traces.as_ref().map(|_| Recording::new(Vec::new())),
            names: &names,
            engine: String::new(),
            rows: None,
            choice: None,
            steps: 0,
            diverged: finished.diverged,
        };
        let mut progress = None;
        let (mut at, mut most, mut stopped) = (finished.rows, FIRST_PORTION, false);
        while at < batch.members() {
            let began = Instant::now();
            let piece = batch.piece(at, most);
            let mut shown = |done: u64, steps: u64| {
                let bar = progress.get_or_insert_with(|| {
                    Progress::new((batch.members() - finished.rows) as u64 * steps, self.output.quiet)
                });
                bar.update((at - finished.rows) as u64 * steps + done * piece.len() as u64);
            };
            let Some(rows) = work.portion(piece.clone(), &stop, &mut shown)? else {
                stopped = true;
                break;
            };
            table.add(rows)?;
            at = piece.end;
            most = match began.elapsed() {
                short if short < PORTION / 2 => (2 * most).min(MOST_PORTION),
                long if long > PORTION * 2 => (most / 2).max(1),
                _ => most,
            };
        }
        if let Some(progress) = &progress {
            progress.finish();
        }
        let elapsed = start.elapsed();
        let mut written: Vec<PathBuf> =
            table.finish(&header, !stopped, self.output.quiet || self.output.json)?.into_iter().collect();
        if let (Some(path), Some(traces)) = (&self.output.traces, &work.traces) {
            save(traces, path)?;
            written.push(path.clone());
        }
        let report = Report {
            circuit: &model.circuit.name,
            members: batch.members(),
            finished: at,
            resumed: finished.rows,
            diverged: work.diverged,
            steps: work.steps,
            engine: &work.engine,
            rows: work.rows.as_ref().map(Option::as_deref),
            choice: work.choice.as_ref(),
            seed: (!varied.random.is_empty()).then_some(seed),
            elapsed,
            stopped,
            columns: &header,
            outputs: &written,
        };
        if self.output.json {
            print::out(&report.json());
        } else if !self.output.quiet && self.output.out.is_some() {
            print::out(&report.table(print::colors_on_stdout()));
        }
        Ok(if stopped { fault::STOPPED } else { fault::DONE })
    }

    /// Refuses what could not be written at the end.
    fn check_outputs(&self) -> Result<(), Fault> {
        let refused = |message: String, help: &str| {
            Err(Fault::usage(format!("{}\n  help: {help}", print::labelled_error(message))))
        };
        if let Some(out) = &self.output.out {
            let known = ["csv", "npz", "parquet"].into_iter().any(|ending| has_ending(out, ending));
            if !known {
                let file = out.display();
                let message = format!("cannot write `{file}`: a sweep's table is a .csv, .npz or .parquet file");
                return refused(message, "use `--out table.csv`");
            }
            check_extension(out).map_err(|fault| Fault::usage(print::labelled_error(&fault)))?;
        }
        if let Some(traces) = &self.output.traces {
            check_extension(traces).map_err(|fault| Fault::usage(print::labelled_error(&fault)))?;
            if self.output.out.as_ref() == Some(traces) {
                return refused(format!("`{}` is to be written twice", traces.display()), "name two files");
            }
        }
        Ok(())
    }

    /// Everything the rows depend on, for the first line of the table.
    fn described(&self, model: &nullcline::Model, source: &str, seed: u64) -> Map<String, Value> {
        let mut all = Map::new();
        let arguments = self.settings.arguments();
        all.extend(arguments.into_iter().map(|(name, value)| (name.to_string(), json!(value))));
        let s = &model.settings;
        let text = |name: &Option<nullcline::compiler::source::Name>| name.as_ref().map(ToString::to_string);
        for (key, value) in [
            ("template", json!(model.circuit.name)),
            ("source", json!(source)),
            ("grid", json!(self.varied.grid.iter().map(Grid::described).collect::<Vec<_>>())),
            ("random", json!(self.varied.random.iter().map(Random::described).collect::<Vec<_>>())),
            ("samples", json!(self.varied.samples)),
            ("pairwise", json!(self.varied.pairwise)),
            ("reduce", json!(self.varied.reduce.iter().map(|r| r.name()).collect::<Vec<_>>())),
            ("seed", json!(seed)),
            ("duration", json!(s.duration)),
            ("dt", json!(s.dt)),
            ("scheme", json!(text(&s.scheme))),
            ("sample-every", json!(s.sample_every)),
            ("cutoff", json!(s.cutoff)),
            ("include-end", json!(s.include_end)),
            ("precision", json!(text(&s.precision))),
            ("history", json!(text(&s.history))),
        ] {
            all.insert(key.to_string(), value);
        }
        all
    }
}

/// What is recorded of each member, without its number.
fn names(batch: &Batch) -> Result<Vec<Label>, Error> {
    let strip = |label: Label| {
        let name = label.name.strip_suffix("[0]").unwrap_or(&label.name).to_string();
        Label { name, ..label }
    };
    let labels = batch.compile(0..1)?.columns.into_iter().map(|column| column.label);
    Ok(labels.map(strip).collect())
}

/// A number for texts, to tell them apart (Fowler, Noll and Vo's hash).
fn fingerprint<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let bytes = texts.flat_map(|text| text.bytes().chain([0]));
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

/// A sweep at work.
struct Work<'a> {
    batch: &'a Batch,
    settings: &'a Settings,
    values: &'a [(&'a str, Vec<f64>)],
    reductions: &'a [Reduction],
    /// Columns of one member.
    width: usize,
    traces: Option<Recording>,
    names: &'a [Label],
    engine: String,
    /// Whether frequencies and spectra are found on a device: if not, why. None where there is no such question.
    rows: Option<Option<String>>,
    /// Why this engine, for the last members.
    choice: Option<Choice>,
    /// Steps of each member.
    steps: u64,
    diverged: usize,
}

impl Work<'_> {
    /// The rows of some members; none when it was stopped.
    fn portion(
        &mut self,
        members: Range<usize>,
        stop: &AtomicBool,
        shown: &mut dyn FnMut(u64, u64),
    ) -> Result<Option<Vec<Vec<f64>>>, Fault> {
        let traced = self.reductions.iter().any(|r| r.needs_trace());
        let keep = self.traces.is_some() || traced;
        let Prepared { mut simulation, mut schedule, choice, .. } = self.batch.simulation(members.clone())?;
        self.settings.set_threads(&mut simulation);
        if keep && members.len() > 1 && schedule.rows() as usize * self.width * members.len() > MOST_KEPT {
            // Too much to keep at once: half of it, then the other half.
            let middle = members.start + members.len() / 2;
            let Some(mut rows) = self.portion(members.start..middle, stop, shown)? else { return Ok(None) };
            let Some(rest) = self.portion(middle..members.end, stop, shown)? else { return Ok(None) };
            rows.extend(rest);
            return Ok(Some(rows));
        }
        if !keep && !self.reductions.iter().any(|r| r.needs_rows()) {
            (schedule.every, schedule.cutoff, schedule.include_end) = (schedule.steps, f64::INFINITY, false);
        }
        self.steps = schedule.steps;
        self.engine = simulation.executable().engine().to_string();
        self.choice = choice;
        // Where the device keeps rows, numbers are made of them there, unless the rows themselves are asked for too.
        let on_device = traced && self.traces.is_none() && simulation.executable().device() != "cpu";
        let spectra = self.reductions.contains(&Reduction::SpectralPeak);
        let kept = if on_device { simulation.keep(&schedule, spectra) } else { Ok(()) };
        if on_device {
            self.rows = Some(kept.as_ref().err().map(ToString::to_string));
        }
        let stays = on_device && kept.is_ok();
        let mut reducer = Reducer::new(self.width * members.len(), keep && !stays);
        let mut check = |done| {
            shown(done, schedule.steps);
            if stop.load(Ordering::Relaxed) { Interrupt::Stop } else { Interrupt::Continue }
        };
        // Rows that nothing is made of but sums and extremes are not kept at all.
        let (ran, times) = match (stays, keep) {
            (true, _) => match simulation.run_keeping(&schedule, &mut check) {
                Ok((summary, times)) => (Ok(summary), times),
                Err(error) => (Err(error), Vec::new()),
            },
            (_, true) => (simulation.run(&schedule, &mut reducer, &mut check), Vec::new()),
            _ => (simulation.reduce(&schedule, &mut reducer.totals, &mut check), Vec::new()),
        };
        if ran.map_err(|error| Fault::failed(print::labelled_error(&error)))?.stopped {
            return Ok(None);
        }
        if let (true, false, Some(kept)) = (stays, times.is_empty(), simulation.kept()) {
            reducer = Reducer::of_kept(kept, &times, self.reductions).map_err(Error::from)?;
        }
        let last = simulation.observe().map_err(Error::from)?;
        let rows = members.clone().enumerate().map(|(k, member)| self.row(member, k * self.width, &reducer, &last));
        let rows: Vec<(Vec<f64>, bool)> = rows.collect();
        self.diverged += rows.iter().filter(|r| r.1).count();
        if let Some(traces) = &mut self.traces {
            traces.times = reducer.times().to_vec();
            for (k, member) in members.enumerate() {
                for (c, name) in self.names.iter().enumerate() {
                    let label = Label {
                        name: format!("{}[{member}]", name.name),
                        group: name.name.clone(),
                        unit: name.unit.clone(),
                    };
                    traces.labels.push(label);
                    traces.columns.push(reducer.column(k * self.width + c));
                }
            }
        }
        Ok(Some(rows.into_iter().map(|r| r.0).collect()))
    }

    /// The row of a member whose columns begin at `first`, and whether it diverged.
    fn row(&self, member: usize, first: usize, reducer: &Reducer, last: &[f64]) -> (Vec<f64>, bool) {
        let mut row: Vec<f64> = self.values.iter().map(|(_, values)| values[member]).collect();
        let columns = first..first + self.width;
        let diverged = columns.clone().any(|c| !reducer.is_finite(c) || !last[c].is_finite());
        for column in columns {
            if diverged {
                row.extend(self.reductions.iter().map(|_| f64::NAN));
            } else {
                reducer.reduce(column, last[column], self.reductions, &mut row);
            }
        }
        row.push(f64::from(u8::from(diverged)));
        (row, diverged)
    }
}
