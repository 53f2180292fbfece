//! Every model of which another tool computed numbers, as every device is tested with them.

use nullcline::compiler::pass::vectorise::Vectorise;
use nullcline::runtime::observe::Recording;
use nullcline::{Model, PreHistory};

use super::networks::{self, RATES, TESTED_AFTER, TESTED_BEFORE};
use super::pyrates::{self, TOLERANCE};

/// Fails unless a recording has the numbers.
pub type Comparison = Box<dyn Fn(&Recording)>;

/// A model with its settings and its numbers.
pub struct GoldenModel {
    pub name: String,
    pub model: Model,
    /// What holds before time 0.
    pub history: PreHistory,
    /// Takes a recording of the whole run, in double precision; `None` if none of the solvers with numbers is one of ours.
    pub compare: Option<Comparison>,
}

/// All of them: the cases of PyRates with the first solver that is compared, and the networks of rate and of spiking neurons.
pub fn golden_models() -> impl Iterator<Item = GoldenModel> {
    let spiking = TESTED_BEFORE.iter().map(|case| case.0).chain(TESTED_AFTER);
    let networks = RATES.into_iter().chain(spiking).map(|name| GoldenModel {
        name: name.to_string(),
        model: networks::model(name),
        history: PreHistory::Initial,
        compare: Some(Box::new(move |recording| networks::compare(name, recording))),
    });
    pyrates::cases().into_iter().map(trajectory).chain(networks)
}

fn trajectory(case: pyrates::Case) -> GoldenModel {
    let compared = case.solvers().find(|(_, excluded)| excluded.is_none()).map(|(solver, _)| solver.to_string());
    let solver = compared.clone().unwrap_or_else(|| "euler".to_string());
    let (name, history) = (format!("pyrates/{}", case.name), case.history());
    let model = case.model(&solver, Vectorise::Always);
    let compare = compared.map(|solver| -> Comparison {
        Box::new(move |recording| {
            let (worst, _) = case.distance(&solver, recording);
            assert!(worst <= TOLERANCE, "{}@{solver}: off by {worst:.1e}", case.name);
        })
    });
    GoldenModel { name, model, history, compare }
}
