//! What recording every variable costs beside recording one of them.
//!
//! `cargo bench --bench recording [NAME]` prints CPU seconds of runs that differ in what is recorded only (medians of alternating
//! runs), for rows that are looked at once and for rows kept in memory. Single thread. docs/performance.md explains the
//! numbers.
#![allow(clippy::unwrap_used, missing_docs)]

mod beside;

use beside::columns::{column, population};
use beside::{cpu_seconds, median, prepare};
use nullcline::Interrupt;
use nullcline::runtime::observe::Sink;

/// Alternations.
const ROUNDS: usize = 15;

/// What is recorded: one variable, all variables.
const RECORD: [&str; 2] = ["{v: v}", "{y0: y0, y1: y1, y2: y2, y3: y3, y4: y4, y5: y5, v: v}"];

/// A model's name and text.
type Case = (&'static str, fn() -> String);

fn main() {
    let cases: [Case; 4] = [
        ("one column, 1e6 steps, a row every 10", column),
        ("100 columns, 1e4 steps, a row every 10", || population(100, 10_000)),
        ("10,000 columns, 1e3 steps, a row every 10", || population(10_000, 1000)),
        ("10,000 columns, 1e3 steps, a row every 100", || {
            population(10_000, 1000).replace("sample_every: 1e-3", "sample_every: 1e-2")
        }),
    ];
    println!("{:<44}{:>27}{:>27}", "CPU seconds", "looked at", "kept");
    println!("{:<44}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}", "", "one", "all", "ratio", "one", "all", "ratio");
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    for (name, model) in cases {
        if wanted.as_ref().is_some_and(|w| !name.contains(&**w)) {
            continue;
        }
        print!("{name:<44}");
        for kept in [false, true] {
            let mut times = [Vec::new(), Vec::new()];
            for _ in 0..ROUNDS {
                for (times, record) in times.iter_mut().zip(RECORD) {
                    times.push(seconds(&model(), record, kept));
                }
            }
            let [one, all] = times.map(median);
            print!("{one:>9.4}{all:>9.4}{:>9.2}", all / one);
        }
        println!();
    }
}

/// CPU seconds of a run.
fn seconds(text: &str, record: &str, kept: bool) -> f64 {
    let (head, _) = text.split_once("record: ").unwrap();
    let mut prepared = prepare(&beside::model(format!("{head}record: {record}}}\n")));
    let mut recording = prepared.simulation.recording();
    let mut sums = Sums(0.0);
    let start = cpu_seconds();
    let sink: &mut dyn Sink = if kept { &mut recording } else { &mut sums };
    prepared.simulation.run(&prepared.schedule, sink, &mut |_| Interrupt::Continue).unwrap();
    let seconds = cpu_seconds() - start;
    assert!(sums.0.is_finite() && recording.columns.iter().all(|c| c.len() == recording.times.len()));
    seconds
}

/// A sink that looks at every number and keeps none.
struct Sums(f64);

impl Sink for Sums {
    fn row(&mut self, _time: f64, values: &[f64]) -> std::io::Result<()> {
        // Eight sums side by side: one alone waits for itself longer than recording takes.
        let (eights, rest) = values.as_chunks::<8>();
        let mut sums = [0.0; 8];
        for eight in eights {
            for (sum, value) in sums.iter_mut().zip(eight) {
                *sum += value;
            }
        }
        self.0 += sums.iter().chain(rest).sum::<f64>();
        Ok(())
    }
}
