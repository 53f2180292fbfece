//! Models that test themselves: `tests/suite/**.yaml`. The comments of a file say what is expected of it.
//!
//! - `# trace NAME(t=TIME) = VALUE +- TOLERANCE (why)`: the column NAME of the recording has this value in the row at TIME.
//! - `# rows COUNT`: the recording has that many rows.
//! - `# spikes NAME = TIME, TIME@UNIT, ..`: the event NAME happens at these times and no others; `none`: never. The unit is
//!   0 unless said otherwise.
//! - `# spikes NAME: COUNT`: the event NAME happens that often.
//! - `# error LINE:COLUMN-LINE:COLUMN: MESSAGE`: the model is refused there with a message that begins like that; all its
//!   errors are listed. Columns count characters from 1, the end is exclusive.
//!
//! Every model runs twice, with equal nodes merged into arrays and without, and must give the same numbers. Files in
//! `parts/` are no tests but hold templates for them.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use nullcline::compiler::diagnostic::Severity;
use nullcline::compiler::pass::vectorise::Vectorise;
use nullcline::compiler::source::{SourceMap, Span};
use nullcline::compiler::template::library::FileLibrary;
use nullcline::runtime::observe::Recording;
use nullcline::{Error, Interrupt, Model};

/// Largest difference between a model with and without arrays, relative to the largest number of a column: sums over
/// several sources may be taken in another order.
const AGREEMENT: f64 = 1e-13;

struct Trace {
    column: String,
    time: f64,
    value: f64,
    tolerance: f64,
}

#[derive(Default)]
struct Expected {
    traces: Vec<Trace>,
    rows: Option<usize>,
    /// (event, times with units).
    spikes: Vec<(String, Vec<(f64, u32)>)>,
    /// (event, number of spikes).
    counts: Vec<(String, usize)>,
    /// (place, beginning of the message).
    errors: Vec<(String, String)>,
}

fn trace(text: &str) -> Option<Trace> {
    let (column, rest) = text.split_once("(t=")?;
    let (time, rest) = rest.split_once(") = ")?;
    let (value, rest) = rest.split_once(" +- ")?;
    let tolerance = rest.split_whitespace().next()?;
    let number = |text: &str| text.trim().parse().ok();
    Some(Trace {
        column: column.trim().to_string(),
        time: number(time)?,
        value: number(value)?,
        tolerance: number(tolerance)?,
    })
}

fn expected(text: &str) -> Expected {
    let mut expected = Expected::default();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# trace ") {
            expected.traces.push(trace(rest).unwrap_or_else(|| panic!("malformed expectation: {line}")));
        } else if let Some(rest) = line.strip_prefix("# rows ") {
            expected.rows = Some(rest.trim().parse().unwrap());
        } else if let Some(rest) = line.strip_prefix("# spikes ") {
            // What stands in parentheses says why.
            let rest = rest.split_once(" (").map_or(rest, |(what, _)| what);
            if let Some((event, count)) = rest.split_once(": ") {
                expected.counts.push((event.to_string(), count.trim().parse().unwrap()));
                continue;
            }
            let (event, times) = rest.split_once(" = ").unwrap_or_else(|| panic!("malformed expectation: {line}"));
            let spike = |text: &str| {
                let (time, unit) = text.split_once('@').unwrap_or((text, "0"));
                (time.trim().parse().unwrap(), unit.trim().parse().unwrap())
            };
            let times = if times.trim() == "none" { Vec::new() } else { times.split(',').map(spike).collect() };
            expected.spikes.push((event.to_string(), times));
        } else if let Some(rest) = line.strip_prefix("# error ") {
            let (place, message) = rest.split_once(": ").unwrap_or_else(|| panic!("malformed expectation: {line}"));
            expected.errors.push((place.to_string(), message.trim().to_string()));
        }
    }
    expected
}

/// `line:column-line:column` of a span.
fn place(sources: &SourceMap, span: Span) -> String {
    let point = |offset: u32| {
        let at = sources.file(span.file).unwrap().line_column(offset);
        format!("{}:{}", at.line, at.column)
    };
    if span.is_nowhere() { "nowhere".to_string() } else { format!("{}-{}", point(span.start), point(span.end)) }
}

fn compare_errors(fault: &Error, expected: &Expected) -> Result<(), String> {
    let Error::Model(diagnostics, sources) = fault else { return Err(fault.to_string()) };
    let found = diagnostics.0.iter().filter(|d| d.severity == Severity::Error);
    let mut found: Vec<(String, String)> = found.map(|d| (place(sources, d.span), d.message.clone())).collect();
    let mut missing = Vec::new();
    for (place, message) in &expected.errors {
        match found.iter().position(|(p, m)| p == place && m.starts_with(message.as_str())) {
            Some(index) => drop(found.remove(index)),
            None => missing.push(format!("expected error {place}: {message}")),
        }
    }
    missing.extend(found.iter().map(|(place, message)| format!("found error {place}: {message}")));
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\n")) }
}

fn run(model: &Model) -> Result<Recording, Error> {
    let mut prepared = model.simulation()?;
    let mut recording = prepared.simulation.recording();
    let done = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
    done.map(|_| recording).map_err(|fault| panic!("{fault}"))
}

fn compare_traces(recording: &Recording, expected: &Expected) -> Result<(), String> {
    let mut faults = Vec::new();
    if let Some(rows) = expected.rows.filter(|rows| *rows != recording.times.len()) {
        faults.push(format!("expected {rows} rows, found {}", recording.times.len()));
    }
    for Trace { column, time, value, tolerance } in &expected.traces {
        let names: Vec<&str> = recording.labels.iter().map(|l| l.name.as_str()).collect();
        let Some(values) = recording.column(column) else {
            faults.push(format!("no column `{column}` among {names:?}"));
            continue;
        };
        let Some(row) = recording.times.iter().position(|t| (t - time).abs() <= 1e-9 * time.abs().max(1e-3)) else {
            faults.push(format!("no row at t = {time}"));
            continue;
        };
        let off = (values[row] - value).abs();
        if off.is_nan() || off > *tolerance {
            faults.push(format!("{column}(t={time}): expected {value} +- {tolerance}, found {}", values[row]));
        }
    }
    let events: Vec<&str> = recording.spikes.iter().map(|s| s.label.name.as_str()).collect();
    for (event, expected) in &expected.spikes {
        let Some(spikes) = recording.spikes_of(event) else {
            faults.push(format!("no event `{event}` among {events:?}"));
            continue;
        };
        let found: Vec<(f64, u32)> = spikes.times.iter().copied().zip(spikes.ids.iter().copied()).collect();
        let near = |(a, b): (&(f64, u32), &(f64, u32))| (a.0 - b.0).abs() <= 1e-9 * a.0.abs().max(1e-3) && a.1 == b.1;
        if found.len() != expected.len() || !found.iter().zip(expected).all(near) {
            faults.push(format!("spikes {event}: expected {expected:?}, found {found:?}"));
        }
    }
    for (event, count) in &expected.counts {
        match recording.spikes_of(event) {
            Some(spikes) if spikes.len() == *count => {}
            Some(spikes) => faults.push(format!("spikes {event}: expected {count}, found {}", spikes.len())),
            None => faults.push(format!("no event `{event}` among {events:?}")),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn compare_recordings(one: &Recording, other: &Recording) -> Result<(), String> {
    assert_eq!((&one.labels, &one.times), (&other.labels, &other.times));
    for ((label, x), y) in one.labels.iter().zip(&one.columns).zip(&other.columns) {
        let scale = x.iter().fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs()));
        let apart = x.iter().zip(y).fold(0.0f64, |d, (a, b)| d.max((a - b).abs())) / scale;
        if apart > AGREEMENT {
            return Err(format!("`{}` differs by {apart:.1e} between arrays and single nodes", label.name));
        }
    }
    if one.spikes != other.spikes {
        return Err("spikes differ between arrays and single nodes".to_string());
    }
    Ok(())
}

fn examine(path: &Path) -> Result<(), String> {
    let expected = expected(&fs::read_to_string(path).unwrap());
    let silent = expected.spikes.is_empty() && expected.counts.is_empty();
    if silent && expected.traces.is_empty() && expected.errors.is_empty() && expected.rows.is_none() {
        return Err("nothing is expected of this model".to_string());
    }
    let mut recordings = Vec::new();
    for vectorise in [Vectorise::Never, Vectorise::Always] {
        let done = Model::load(&FileLibrary::new(), path.to_str().unwrap(), None).and_then(|mut model| {
            model.vectorise = vectorise;
            run(&model)
        });
        match done {
            Err(fault) if expected.errors.is_empty() => return Err(fault.to_string()),
            Err(fault) => return compare_errors(&fault, &expected),
            Ok(_) if !expected.errors.is_empty() => return Err("it runs, but errors are expected".to_string()),
            Ok(recording) => {
                compare_traces(&recording, &expected).map_err(|fault| format!("{vectorise:?}: {fault}"))?;
                recordings.push(recording);
            }
        }
    }
    compare_recordings(&recordings[0], &recordings[1])
}

/// The models of a directory and of those in it, in order.
fn models(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("parts") {
            models(&path, found);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn every_model_does_what_its_comments_say() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    let mut paths = Vec::new();
    models(&directory, &mut paths);
    let mut faults = Vec::new();
    for path in &paths {
        if let Err(fault) = examine(path) {
            faults.push(format!("{}:\n{fault}", path.strip_prefix(&directory).unwrap().display()));
        }
    }
    assert!(faults.is_empty(), "{} of {} models:\n\n{}", faults.len(), paths.len(), faults.join("\n\n"));
    assert!(paths.len() >= 25, "only {} models were found", paths.len());
}
