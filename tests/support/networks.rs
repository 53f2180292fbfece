//! Networks in files under `tests/golden` beside the numbers that other tools computed for them.

use std::fs;

use nullcline::Interrupt;
use nullcline::compiler::template::library::FileLibrary;
use nullcline::runtime::observe::Recording;

fn place(file: &str) -> String {
    format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// Names and rows of a file.
pub fn table(file: &str) -> (Vec<String>, Vec<Vec<f64>>) {
    let text = fs::read_to_string(place(file)).unwrap();
    let mut lines = text.lines();
    let names = lines.next().unwrap().split(',').map(str::to_string).collect();
    let rows = lines.map(|line| line.split(',').map(|field| field.parse().unwrap()).collect());
    (names, rows.collect())
}

/// Runs `NAME.yaml` and records what it says.
pub fn record(name: &str) -> Recording {
    let model = super::load(&FileLibrary::new(), &place(&format!("{name}.yaml")), None);
    let mut prepared = model.simulation().unwrap_or_else(|e| panic!("{name}:\n{e}"));
    let mut recording = prepared.simulation.recording();
    let done = prepared.simulation.run(&prepared.schedule, &mut recording, &mut |_| Interrupt::Continue);
    done.unwrap_or_else(|e| panic!("{name}: {e}"));
    recording
}

/// Every state of `NAME.csv` to `tolerance`, relative to the largest number of its column, and at least 1.
pub fn compare_states(name: &str, recording: &Recording, tolerance: f64) {
    let (names, rows) = table(&format!("{name}.csv"));
    for (k, column) in names.iter().enumerate().skip(1) {
        let values = super::column(recording, column);
        let scale = values.iter().fold(1.0f64, |m, v| m.max(v.abs()));
        for row in &rows {
            let (at, expected) = (row[0] as usize, row[k]);
            let apart = (values[at] - expected).abs() / scale;
            assert!(apart <= tolerance, "{name}: {column} in row {at}: {} instead of {expected}", values[at]);
        }
    }
}
