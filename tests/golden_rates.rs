//! Networks of rate neurons against the numbers of RectiPy: `tests/golden/rectipy/NAME.yaml` is the model, `NAME.csv` its states
//! before each step.
#![allow(clippy::unwrap_used)]

mod support;

use support::networks::{RATES, compare_states, record, table};
use support::{column, near};

#[test]
fn networks_of_rate_neurons_have_the_states_of_rectipy() {
    for network in RATES {
        let recording = record(network.file);
        for (states, tolerance) in network.states {
            compare_states(states, &recording, *tolerance);
        }
    }
}

/// The case allows 1e-12 relative; two of the nine vectors hold numbers of which `exp` overflows.
#[test]
fn activations_have_the_values_of_rectipy() {
    let recording = record("rectipy/activations");
    let (names, rows) = table("rectipy/activations.csv");
    assert_eq!((names.len(), rows.len()), (1 + 6 * 7, 9));
    for (k, name) in names.iter().enumerate().skip(1) {
        for (found, row) in column(&recording, name).iter().zip(&rows) {
            near(name, *found, row[k], 1e-12 * row[k].abs());
        }
    }
}

/// RectiPy's `run` averages over rows; what it averages are the rows here. Its `sampling_steps` are none of ours: a row here is
/// a state, and means are taken of recordings.
#[test]
fn means_over_rows_are_what_rectipy_samples() {
    let recording = record("rectipy/sampling");
    for (every, cutoff) in [(1, 0), (10, 0), (10, 25), (7, 3), (200, 0)] {
        let (names, rows) = table(&format!("rectipy/sampling_s{every}_c{cutoff}.csv"));
        assert_eq!(rows.len(), (cutoff..103).filter(|t| t % every == 0).count());
        for (k, name) in names.iter().enumerate().skip(1) {
            let values = column(&recording, name);
            let mut from = cutoff;
            for row in &rows {
                let to = row[0] as usize;
                let mean = values[from..=to].iter().sum::<f64>() / (to + 1 - from) as f64;
                near(&format!("{name} to row {to}"), mean, row[k], 1e-12);
                from = to + 1;
            }
        }
    }
}
