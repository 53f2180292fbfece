//! Why an engine was chosen, in reports.

use nullcline::Choice;
use serde_json::{Map, Value, json};

/// Why an engine was chosen, behind its name.
pub fn chosen(choice: Option<&Choice>) -> String {
    choice.map_or(String::new(), |choice| format!(" (auto: {choice})"))
}

/// What was estimated for each engine, and why others were not considered.
pub fn estimates(choice: &Choice) -> Value {
    let estimated =
        choice.estimates.iter().map(|e| (e.engine.name, json!({"load_seconds": e.load, "run_seconds": e.run})));
    let refused = choice.refused.iter().map(|(name, why)| (*name, json!({"refused": why})));
    estimated.chain(refused).map(|(name, value)| (name.to_string(), value)).collect::<Map<_, _>>().into()
}
