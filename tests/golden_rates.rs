//! Networks of rate neurons against the numbers of RectiPy: `tests/golden/rectipy/NAME.yaml` is the model, `NAME.csv` its states
//! before each step.
#![allow(clippy::unwrap_used)]

mod support;

use support::networks::{RATES, compare, record};

#[test]
fn networks_of_rate_neurons_have_the_states_of_rectipy() {
    for name in RATES {
        compare(name, &record(name));
    }
}
